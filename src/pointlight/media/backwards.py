"""A video's frames in reverse order, a limited number in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pointlight.media.video import Frame, FrameTimes, VideoReader

_BUDGET_BYTES = 160 << 20


def backwards(video: VideoReader, frames: FrameTimes, budget_bytes: int = _BUDGET_BYTES) -> Iterator[Frame]:
    """Give frames from the last to the first.

    Args:
        video: where they are; its own selection of times is not used.
        frames: numbers and times of the frames, as a pass of `video` gave them.
        budget_bytes: for decoded pictures.
    """
    width, height = video.size
    at_once = max(2, budget_bytes // (3 * width * height))
    stop = len(frames.index)
    while stop > 0:
        start = max(0, stop - at_once)
        after = float(np.nextafter(frames.time_s[stop - 1], np.inf))
        part = VideoReader(video.path, float(frames.time_s[start]), after, video.size)
        yield from reversed(list(part))
        stop = start
