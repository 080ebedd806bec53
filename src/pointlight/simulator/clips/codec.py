"""Pictures to H.264 in memory and back, on one thread, so that every machine makes the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from fractions import Fraction
from typing import no_type_check

import av
import numba
import numpy as np
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from pointlight.simulator.clip import FRAMES_PER_SECOND

_BT709 = 1
_ONE = 1 << 16
_TO_YUV = np.array([[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]]) * np.array(
    [[219], [224], [224]]
)
_STEPS = np.rint(_TO_YUV * _ONE / 255).astype(np.int32)
"""BT.709 in limited range (ITU-R BT.709-6), in whole numbers."""


def encode_frames(frames: np.ndarray, options: Mapping[str, str]) -> bytes:
    """An MP4 file.

    Args:
        frames: (T, H, W, 3) uint8 RGB, H a multiple of 4 and W of 2.
        options: x264's, such as {"preset": "superfast", "crf": "20"}.
    """
    buffer = io.BytesIO()
    rate = Fraction(int(FRAMES_PER_SECOND))
    with av.open(buffer, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=rate, options={**options, "threads": "1"})
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
            setattr(video.codec_context, name, _BT709)
        for number, planes in enumerate(_to_yuv(np.ascontiguousarray(frames))):
            picture = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")  # a view, not a copy
            picture.pts, picture.time_base = number, 1 / rate
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    return buffer.getvalue()


def decode_frames(content: bytes) -> np.ndarray:
    """The pictures (T, H, W, 3) uint8 RGB of such a file.

    Raises:
        FFmpegError: it is broken.
    """
    reformatter = VideoReformatter()
    images = []
    with av.open(io.BytesIO(content), "r") as container:
        video = container.streams.video[0]
        assert isinstance(video, VideoStream)
        video.thread_type = "NONE"
        for picture in container.decode(video):
            picture = reformatter.reformat(picture, format="rgb24", src_colorspace=_BT709)
            images.append(picture.to_ndarray())
    return np.stack(images) if images else np.zeros((0, 0, 0, 3), np.uint8)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _to_yuv(frames: np.ndarray) -> np.ndarray:
    """(T, 3 H / 2, W) uint8 planes of brightness and, at half the size, of blue and red, of (T, H, W, 3) RGB."""
    times, height, width, _ = frames.shape
    planes = np.empty((times, height + height // 2, width), np.uint8)
    black, grey = np.int32(16 * _ONE + _ONE // 2), np.int32(4 * (128 * _ONE + _ONE // 2))
    for t in range(times):
        flat = planes[t].reshape(-1)
        blue = flat[height * width : height * width + height * width // 4]
        red = flat[height * width + height * width // 4 :]
        for row in range(height):
            line, light = frames[t, row].reshape(-1), planes[t, row]
            for i in range(width):
                r, g, b = np.int32(line[3 * i]), np.int32(line[3 * i + 1]), np.int32(line[3 * i + 2])
                light[i] = (_STEPS[0, 0] * r + _STEPS[0, 1] * g + _STEPS[0, 2] * b + black) >> 16
        for row in range(height // 2):
            upper, lower = frames[t, 2 * row].reshape(-1), frames[t, 2 * row + 1].reshape(-1)
            first = row * (width // 2)
            for i in range(width // 2):
                r = np.int32(upper[6 * i]) + upper[6 * i + 3] + lower[6 * i] + lower[6 * i + 3]
                g = np.int32(upper[6 * i + 1]) + upper[6 * i + 4] + lower[6 * i + 1] + lower[6 * i + 4]
                b = np.int32(upper[6 * i + 2]) + upper[6 * i + 5] + lower[6 * i + 2] + lower[6 * i + 5]
                blue[first + i] = (_STEPS[1, 0] * r + _STEPS[1, 1] * g + _STEPS[1, 2] * b + grey) >> 18
                red[first + i] = (_STEPS[2, 0] * r + _STEPS[2, 1] * g + _STEPS[2, 2] * b + grey) >> 18
    return planes
