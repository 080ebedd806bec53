"""Reading video with exact times, frame by frame (PyAV); memory does not grow with the video's length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from pointlight.errors import PointlightError
from pointlight.media.clock import Clock, stamp_s
from pointlight.media.containers import (
    Damage,
    average_fps,
    choice_warning,
    claimed_end_s,
    claimed_frames,
    decoded,
    opened,
    video_stream,
)
from pointlight.media.display import (
    Converter,
    Display,
    DisplayWatch,
    kind_warnings,
    pixel_ratio,
    same_shape,
    square_warning,
)
from pointlight.media.seeking import KeyFrame, key_frame_before, pictures_from
from pointlight.values import by_value

_WORTH_SEEKING_S = 5.0


@by_value
@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    Attributes:
        index: its number among the file's decodable frames, from 0.
        time_s: seconds since the file's first frame is shown, strictly increasing.
        image: (H, W, 3) uint8 RGB, upright, in square pixels.
    """

    index: int
    time_s: float
    image: np.ndarray


@by_value
@dataclass(frozen=True)
class FrameTimes:
    """Numbers and times of a video's frames without the pictures: index (T,) int64, time_s (T,) float64."""

    index: np.ndarray
    time_s: np.ndarray


class VideoReader:
    """The frames of a video file as players show them, in order. Can be iterated again; every pass opens the file anew.

    Pictures are turned, mirrored and made of square pixels as the file says. If their size changes inside the video, later
    ones are fitted into the first one's shape. Times count from the first frame, wherever the file's own clock begins.

    Attributes:
        path: the file.
        fps: average frames/s; for variable rates only a rough guide, use `Frame.time_s`.
        size: (width, height) of the pictures delivered, upright.
        source_size: (width, height) of the file's pictures, upright, in square pixels.
        stored_size: the same in the file's own pixels, as programs see it that do not make them square.
        origin_s: when the first frame is shown by the file's own clock; None if it does not say.
        frame_count: how many frames a whole pass should give, as the file claims; None if it does not say.
        warnings: sentences on what was lost or changed; complete after a pass.
    """

    def __init__(
        self,
        path: Path | str,
        start_s: float | None = None,
        end_s: float | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Open and look at the first frame.

        Args:
            path: the file.
            start_s: give only frames at or after this time, seconds since the first frame.
            end_s: give only frames before this time.
            size: (width, height) that upright pictures are scaled to.

        Raises:
            PointlightError: no such file, not a video, no frames in it, or an empty selection.
        """
        self.path = Path(path)
        self.start_s = start_s
        self.end_s = end_s
        self.warnings: list[str] = []
        if start_s is not None and end_s is not None and not start_s < end_s:
            raise PointlightError(f"the end ({end_s:g} s) must come after the start ({start_s:g} s)")
        with opened(self.path) as container:
            stream = video_stream(container, self.path)
            self.fps = average_fps(stream)
            first = next(decoded(container, stream, Damage()), None)
            if first is None:
                raise PointlightError(
                    f"{self.path} has a video stream, but no frame of it can be decoded;"
                    " it is empty or damaged"
                )
            self.frame_count = claimed_frames(stream, self.fps, start_s, end_s)
            self.origin_s = stamp_s(first)
            self._claims = _Claims.of(stream.frames, claimed_end_s(container, stream), self.origin_s)
            self._pixel_ratio = pixel_ratio(stream.sample_aspect_ratio)
            self._standing_warnings = choice_warning(container, stream, self.path)
        self._standing_warnings += kind_warnings(first, self.path)
        self._display = Display.of(first, self._pixel_ratio)
        self._standing_warnings += square_warning(self._display, self.path)
        self.source_size = self._display.size
        self.stored_size = self._display.upright_size
        self.size = self.source_size if size is None else size

    def __iter__(self) -> Iterator[Frame]:
        """Give the selected frames.

        Raises:
            PointlightError: no frame lies in the selection.
        """
        converter = Converter(self.source_size, self.size)
        for index, time_s, picture, display in self._pass():
            yield Frame(index, time_s, converter.image(picture, display))

    def times(self) -> FrameTimes:
        """Numbers and times of the selected frames, by a pass that converts no pictures."""
        pairs = [(index, time_s) for index, time_s, *_ in self._pass()]
        return FrameTimes(
            np.array([i for i, _ in pairs], np.int64), np.array([t for _, t in pairs], np.float64)
        )

    def _pass(self) -> Iterator[tuple[int, float, av.VideoFrame, Display]]:
        """Number, time and stored picture of the selected frames, and how it is shown."""
        self.warnings = list(self._standing_warnings)
        damage, clock, sizes = Damage(), Clock(1 / self.fps, self.origin_s), _Sizes(self._display)
        displays = DisplayWatch(self._pixel_ratio)
        found, first_s, frame_s, index, whole = False, None, 0.0, -1, True
        for index, picture in self._pictures(damage):
            frame_s = clock.time(picture)
            first_s = frame_s if first_s is None else first_s
            if self.end_s is not None and frame_s >= self.end_s:
                whole = False
                break
            if self.start_s is None or frame_s >= self.start_s:
                found = True
                display = displays.of(picture)
                sizes.see(display, frame_s)
                yield index, frame_s, picture, display
        if whole:
            self.warnings += self._claims.warnings(self.path, index + 1, frame_s, clock.last_duration_s)
            self.warnings += damage.warnings(self.path)
        self.warnings += [*sizes.warnings(self.path), *clock.warnings(self.path)]
        if not found:
            raise PointlightError(
                f"no frame of {self.path} lies in the time asked for ({_span(self.start_s, self.end_s)}); "
                f"its frames read run from {first_s or 0.0:.3f} to {frame_s:.3f} s"
            )

    def _pictures(self, damage: Damage) -> Iterator[tuple[int, av.VideoFrame]]:
        """Pictures with their numbers, from the key frame before a late start on if its number is known for sure."""
        key = self._key_frame()
        if key is not None:
            with opened(self.path) as container:
                found = pictures_from(container, video_stream(container, self.path), key, damage)
                if found is not None:
                    yield from enumerate(found, key.index)
                    return
            damage.forget()
        with opened(self.path) as container:
            yield from enumerate(decoded(container, video_stream(container, self.path), damage))

    def _key_frame(self) -> KeyFrame | None:
        if self.start_s is None or self.start_s < _WORTH_SEEKING_S or self.origin_s is None:
            return None
        with opened(self.path) as container:
            time_s = self.origin_s + Fraction(self.start_s)
            return key_frame_before(container, video_stream(container, self.path), self.origin_s, time_s)


@dataclass(frozen=True)
class _Claims:
    """What a header says of a whole video: how many frames, 0 if nothing, and when they end, from the first frame."""

    frames: int
    end_s: float | None

    @staticmethod
    def of(frames: int, end_s: Fraction | None, origin_s: Fraction | None) -> _Claims:
        return _Claims(frames, None if end_s is None else float(end_s - (origin_s or 0)))

    def warnings(self, path: Path, count: int, last_s: float, last_duration_s: float) -> list[str]:
        """A sentence if a pass gave less."""
        slack = max(1.5 * last_duration_s, 0.1)
        short = self.end_s is not None and last_s + last_duration_s < self.end_s - slack
        if not short or (self.frames and count >= self.frames):
            return []
        frames = f"{count} of {self.frames} frames" if self.frames else f"{count} frames"
        return [
            f"{path} ends early: {frames} could be read, the last at {last_s:.2f} s of {self.end_s:.2f} s"
        ]


class _Sizes:
    """Notices when pictures begin to have another size than the first."""

    def __init__(self, first: Display) -> None:
        self._first = first.size
        self._change: tuple[tuple[int, int], float] | None = None

    def see(self, display: Display, time_s: float) -> None:
        """Take note of a picture."""
        if self._change is None and display.size != self._first:
            self._change = display.size, time_s

    def warnings(self, path: Path) -> list[str]:
        """A sentence if one had another size."""
        if self._change is None:
            return []
        size, time_s = self._change
        fitted = "scaled to" if same_shape(size, self._first) else "fitted, with bars, into"
        return [
            f"{path} changes its picture size at {time_s:.2f} s from {_times(self._first)} to {_times(size)} pixels;"
            f" pictures are {fitted} the first size"
        ]


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _span(start_s: float | None, end_s: float | None) -> str:
    start = "the beginning" if start_s is None else f"{start_s:g} s"
    return f"{start} to {'the end' if end_s is None else f'{end_s:g} s'}"
