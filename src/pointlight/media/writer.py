"""Writing H.264 video that keeps given time stamps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.media.sound import Sound

_TICKS_PER_S = 90_000
_BT709 = 1
_AAC_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000)
"""Samples a second that are kept; others become the first."""


class VideoWriter:
    """An H.264 file (yuv420p, .mp4) that appears under its name when whole. Use it with `with`.

    Pictures with an odd side get their last row or column twice, since H.264 with yuv420p needs even sides.
    """

    def __init__(
        self,
        path: Path | str,
        fps: float,
        size: tuple[int, int],
        *,
        quality: int = 23,
        preset: str = "superfast",
        sound: Sound | None = None,
    ) -> None:
        """Prepare; nothing is written before the first picture.

        Args:
            path: the file.
            fps: frames/s of pictures that come without a time, and the rate that players show.
            size: (width, height) of the pictures.
            quality: x264's constant rate factor; smaller is better and larger.
            preset: x264's trade of speed for size.
            sound: what is heard, as AAC; only with pictures that come with times.
        """
        self.path = Path(path)
        self.size = size
        self._fps = Fraction(fps).limit_denominator(1001)
        self._options = {"crf": str(quality), "preset": preset}
        self._file: AbstractContextManager[None] | None = None
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._sound = sound
        self._sound_stream: AudioStream | None = None
        self._reformatter = VideoReformatter()
        self._timed: bool | None = None
        self._last_pts = -1
        self._last_time_s = -1 / _TICKS_PER_S
        self.frames = 0

    def __enter__(self) -> VideoWriter:
        """Open the file under a temporary name."""
        self._file = self._opened()
        self._file.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish and rename the file; after an error nothing remains."""
        if self._file is not None:
            self._file.__exit__(kind, value, trace)

    @contextmanager
    def _opened(self) -> Iterator[None]:
        with atomic_path(self.path) as temporary:
            try:
                container = av.open(str(temporary), "w", format="mp4", options={"movflags": "faststart"})
            except (FFmpegError, OSError) as error:
                raise PointlightError(f"cannot write the video {self.path} ({error})") from error
            with container:
                self._container = container
                yield
                self._mux_sound(float("inf"))
                self._mux(self._sound_stream, None)
                self._mux(self._stream, None)
            if self.frames == 0:
                raise PointlightError(
                    f"no picture was given for the video {self.path}, so it was not written"
                )

    def write(self, image: np.ndarray, time_s: float | None = None) -> None:
        """Append a picture.

        Args:
            image: (H, W, 3) uint8 RGB of the size given.
            time_s: when it is shown, from 0, increasing, kept to 1/90000 s (the next such place if the picture
                before has it); without it, the n-th picture stands at exactly n / fps. Either all pictures have a
                time or none.
        """
        if image.shape != (self.size[1], self.size[0], 3) or image.dtype != np.uint8:
            raise ValueError(f"a picture of {image.shape} {image.dtype} does not fit a video of {self.size}")
        if self._timed is None:
            self._start(time_s is not None)
        if self._timed != (time_s is not None):
            raise ValueError("either all pictures have a time or none")
        pts = self.frames
        if time_s is not None:
            if time_s <= self._last_time_s:
                raise ValueError(f"the time {time_s} does not come after the picture before")
            pts = max(round(time_s * _TICKS_PER_S), self._last_pts + 1)
            self._last_time_s = time_s
        picture = av.VideoFrame.from_ndarray(_even(image), format="rgb24")
        picture = self._reformatter.reformat(
            picture, format="yuv420p", dst_colorspace=_BT709, dst_color_range="MPEG"
        )
        picture.pts = pts
        picture.time_base = self._time_base()
        self._last_pts = pts
        self.frames += 1
        self._mux(self._stream, picture)
        if time_s is not None:
            self._mux_sound(time_s)

    def _start(self, timed: bool) -> None:
        container = self._container
        if container is None:
            raise ValueError("use the writer with `with`")
        self._timed = timed
        stream = container.add_stream("libx264", rate=self._fps, options=self._options)
        stream.width, stream.height = (side + side % 2 for side in self.size)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = self._time_base()
        stream.time_base = self._time_base()
        for field in ("colorspace", "color_primaries", "color_trc", "color_range"):
            setattr(stream.codec_context, field, _BT709)
        self._stream = stream
        rate = self._sound.rate() if self._sound is not None else None
        if rate is not None:
            self._sound_stream = container.add_stream(
                "aac", rate=rate if rate in _AAC_RATES else _AAC_RATES[0]
            )

    def _time_base(self) -> Fraction:
        return Fraction(1, _TICKS_PER_S) if self._timed else 1 / self._fps

    def _mux_sound(self, time_s: float) -> None:
        if self._sound is None or self._sound_stream is None:
            return
        for piece in self._sound.until(time_s):
            self._mux(self._sound_stream, piece)

    def _mux(
        self, stream: VideoStream | AudioStream | None, frame: av.VideoFrame | av.AudioFrame | None
    ) -> None:
        if stream is None or self._container is None:
            return
        try:
            for packet in stream.encode(frame):  # pyright: ignore[reportArgumentType]
                self._container.mux(packet)
        except (FFmpegError, OSError) as error:
            raise PointlightError(f"cannot write the video {self.path} ({error})") from error


def _even(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
