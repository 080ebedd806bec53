"""The sound of a part of a video, decoded as its pictures go on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import av
from av.error import FFmpegError

from pointlight.media.containers import opened
from pointlight.media.video import VideoReader


class Sound:
    """Pieces of a video's sound in order, with times from the part's first picture. For one pass.

    Attributes:
        warnings: sentences on what was lost; complete after a pass.
    """

    def __init__(self, video: VideoReader, start_s: float, end_s: float) -> None:
        """Say which part.

        Args:
            video: the video.
            start_s: when the part's first picture is shown, seconds since the video's first one.
            end_s: when its last one ends.
        """
        self._video = video
        self._start_s = Fraction(start_s) + (video.origin_s or 0)
        self._end_s = Fraction(end_s) + (video.origin_s or 0)
        self._pieces = self._decoded()
        self.warnings: tuple[str, ...] = ()

    def rate(self) -> int | None:
        """Samples a second of the first piece; None if the part has no sound."""
        first = next(self._pieces, None)
        if first is None:
            return None
        self._pieces = chain((first,), self._pieces)
        return first.sample_rate

    def until(self, time_s: float) -> Iterator[av.AudioFrame]:
        """The next pieces that begin before a time; it and their stamps count from the part's first picture."""
        for piece in self._pieces:
            if (piece.time or 0.0) >= time_s:
                self._pieces = chain((piece,), self._pieces)
                return
            yield piece

    def _decoded(self) -> Iterator[av.AudioFrame]:
        with opened(self._video.path) as container:
            if not container.streams.audio:
                return
            stream = container.streams.audio[0]
            try:
                if self._start_s > 1:
                    container.seek(int((self._start_s - 1) * av.time_base))
                for piece in container.decode(stream):
                    if piece.pts is None or piece.time_base is None:
                        continue
                    at_s = piece.pts * piece.time_base
                    if at_s >= self._end_s:
                        return
                    if at_s >= self._start_s:
                        piece.pts -= round(self._start_s / piece.time_base)
                        yield piece
            except (FFmpegError, ValueError) as error:
                self.warnings = (
                    f"{self._video.path}: its sound cannot be read to the end ({error}); the overlay has what could be",
                )
