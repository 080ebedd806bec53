"""Reading video with exact times, frame by frame (PyAV); memory does not grow with the video's length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from pointlight.errors import PointlightError
from pointlight.values import by_value

_FALLBACK_FPS = 30.0
_RESET_S = 1.0
"""Time stamps that fall back by more start anew (joined files); smaller steps back are single errors."""
_WORTH_SEEKING_S = 5.0
_CROWDED_ERRORS = 1000


@by_value
@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    Attributes:
        index: its number among the file's decodable frames, from 0.
        time_s: the file's own presentation time, strictly increasing.
        image: (H, W, 3) uint8 RGB, upright.
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
    """The frames of a video file, upright, in order. Can be iterated again; every pass opens the file anew.

    Attributes:
        path: the file.
        fps: average frames/s; for variable rates only a rough guide, use `Frame.time_s`.
        size: (width, height) of the pictures delivered, upright.
        source_size: (width, height) of the file's pictures, upright.
        frame_count: how many frames a whole pass should give, as the file claims; None if it does not say.
        warnings: sentences on what was lost; complete after a pass.
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
            start_s: give only frames at or after this time of the file's clock.
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
        with _opened(self.path) as container:
            stream = _video_stream(container, self.path)
            self.fps = _average_fps(stream)
            first = next(_decoded(container, stream, _Damage()), None)
            if first is None:
                raise PointlightError(
                    f"{self.path} has a video stream, but no frame of it can be decoded;"
                    " it is empty or damaged"
                )
            self._turns = round(first.rotation / 90) % 4
            self.frame_count = _claimed_frames(stream, self.fps, start_s, end_s)
            self._first_s = _stream_start_s(stream)
            ratio = stream.sample_aspect_ratio or Fraction(1)
        width, height = first.width, first.height
        self.source_size = (height, width) if self._turns % 2 else (width, height)
        self.size = self.source_size if size is None else size
        self._standing_warnings = _pixel_shape_warning(self.path, float(ratio))

    def __iter__(self) -> Iterator[Frame]:
        """Give the selected frames.

        Raises:
            PointlightError: no frame lies in the selection.
        """
        stored_size = self.size[::-1] if self._turns % 2 else self.size
        scaled = self.size != self.source_size
        reformatter = VideoReformatter()
        for index, time_s, picture in self._pass():
            picture = reformatter.reformat(
                picture,
                width=stored_size[0],
                height=stored_size[1],
                format="rgb24",
                interpolation="AREA" if scaled else "BILINEAR",
            )
            image = picture.to_ndarray()
            if self._turns:
                image = np.ascontiguousarray(np.rot90(image, self._turns))
            yield Frame(index, time_s, image)

    def times(self) -> FrameTimes:
        """Numbers and times of the selected frames, by a pass that converts no pictures."""
        pairs = [(index, time_s) for index, time_s, _ in self._pass()]
        return FrameTimes(
            np.array([i for i, _ in pairs], np.int64), np.array([t for _, t in pairs], np.float64)
        )

    def _pass(self) -> Iterator[tuple[int, float, av.VideoFrame]]:
        """Number, time and stored picture of the selected frames."""
        self.warnings = list(self._standing_warnings)
        damage = _Damage()
        clock = _Clock(1 / self.fps)
        found, first_s = False, None
        with _opened(self.path) as container:
            stream = _video_stream(container, self.path)
            claimed_end = _claimed_end_s(container, stream)
            first_index, from_s = self._seek(container, stream)
            frame_s, index, whole = 0.0, first_index - 1, True
            for picture in _decoded(container, stream, damage):
                if from_s is not None and picture.pts is not None and _seconds(picture.pts, picture) < from_s:
                    continue
                index += 1
                frame_s = clock.time(picture)
                first_s = frame_s if first_s is None else first_s
                if self.end_s is not None and frame_s >= self.end_s:
                    whole = False
                    break
                if self.start_s is None or frame_s >= self.start_s:
                    found = True
                    yield index, frame_s, picture
            count = stream.frames
        if whole:
            self._warn_of_loss(index + 1, count, frame_s, clock.last_duration_s, claimed_end, damage)
        self.warnings += clock.warnings(self.path)
        if not found:
            raise PointlightError(
                f"no frame of {self.path} lies in the time asked for ({_span(self.start_s, self.end_s)}); "
                f"its frames read run from {first_s or 0.0:.3f} to {frame_s:.3f} s"
            )

    def _seek(self, container: InputContainer, stream: VideoStream) -> tuple[int, float | None]:
        """Go to the key frame before a late start; the number of its frame and its time, or (0, None).

        Packets are counted, not decoded, so frames keep the numbers of a pass from the beginning.
        """
        if self.start_s is None or self.start_s < self._first_s + _WORTH_SEEKING_S:
            return 0, None
        times: list[Fraction] = []
        key: Fraction | None = None
        try:
            for packet in container.demux(stream):
                if packet.pts is None and packet.size:
                    key = None
                    break
                if packet.pts is None or packet.is_discard:
                    continue
                time = packet.pts * Fraction(packet.time_base)
                if packet.is_keyframe and time <= self.start_s:
                    key = time
                times.append(time)
                if packet.dts is not None and packet.dts * packet.time_base > self.start_s:
                    break
        except FFmpegError:
            key = None
        if key is None or stream.time_base is None:
            container.seek(0)
            return 0, None
        container.seek(round(key / stream.time_base), stream=stream, backward=True)
        return sum(time < key for time in times), float(key)

    def _warn_of_loss(
        self,
        count: int,
        claimed: int,
        last_s: float,
        last_duration_s: float,
        claimed_end: float | None,
        damage: _Damage,
    ) -> None:
        """Say what is missing at the end and what could not be decoded."""
        slack = max(1.5 * last_duration_s, 0.1)
        short = claimed_end is not None and last_s + last_duration_s < claimed_end - slack
        if short and not (claimed and count >= claimed):
            frames = f"{count} of {claimed} frames" if claimed else f"{count} frames"
            self.warnings.append(
                f"{self.path} ends early: {frames} could be read,"
                f" the last at {last_s:.2f} s of {claimed_end:.2f} s"
            )
        if damage.packets or damage.frames:
            self.warnings.append(
                f"{self.path} is damaged: {damage.packets} pieces could not be decoded"
                f" and {damage.frames} frames are not whole"
            )


@dataclass
class _Damage:
    """What a pass met: packets that did not decode, frames decoded with errors."""

    packets: int = 0
    frames: int = 0


class _Clock:
    """Makes exact, strictly increasing times of time stamps that may lack, repeat or start anew."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._last_s: float | None = None
        self._offset_s = 0.0
        self._invented = 0
        self._missing = 0
        self.last_duration_s = step_s

    def time(self, picture: av.VideoFrame) -> float:
        """The next frame's time in seconds."""
        last = self._last_s
        if picture.pts is None:
            self._missing += 1
            time = 0.0 if last is None else last + self._step_s
        else:
            time = _seconds(picture.pts, picture)
            time = time + self._offset_s if self._offset_s else time
            if last is not None and time <= last:
                self._invented += 1
                if time < last - _RESET_S:
                    self._offset_s += last + self._step_s - time
                    time = last + self._step_s
                else:
                    time = last + 0.5 * self._step_s
        if last is not None:
            self.last_duration_s = time - last
        self._last_s = time
        return time

    def warnings(self, path: Path) -> list[str]:
        """A sentence if times had to be made up."""
        sentences = []
        if self._missing:
            sentences.append(
                f"{path} gives no time for {self._missing} frames; they are taken to follow at "
                f"{1 / self._step_s:g} frames/s"
            )
        if self._invented:
            sentences.append(f"{path} has {self._invented} frames whose time does not advance; it was mended")
        return sentences


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """Open a media file, and say in one sentence if that fails."""
    if not path.exists():
        raise PointlightError(f"there is no file {path}; give the path of a video")
    if path.is_dir():
        raise PointlightError(f"{path} is a folder; give the path of a video file")
    if path.stat().st_size == 0:
        raise PointlightError(f"{path} is an empty file of 0 bytes; give a video such as an .mp4")
    try:
        container = av.open(str(path), metadata_errors="replace")  # titles in any encoding do no harm
    except PermissionError as error:
        raise PointlightError(f"{path} may not be read; change its permissions") from error
    except (FFmpegError, OSError) as error:
        raise PointlightError(_unreadable(path)) from error
    with container:
        yield container


def _unreadable(path: Path) -> str:
    with open(path, "rb") as stream:
        head = stream.read(12)
    if head[4:8] in (b"ftyp", b"moov", b"mdat"):
        return (
            f"{path} is an MP4 or MOV file whose index is missing, so it was cut off before its end"
            " and nothing in it can be decoded; copy or record it again"
        )
    return f"{path} is not a video that FFmpeg can read; give an .mp4, .mov, .mkv, .webm or .avi file"


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    pictures = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not pictures:
        raise PointlightError(f"{path} has no pictures, only {_kinds(container)}; give a video file")
    pictures[0].thread_type = "AUTO"
    return pictures[0]


def _kinds(container: InputContainer) -> str:
    return " and ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def _decoded(container: InputContainer, stream: VideoStream, damage: _Damage) -> Iterator[av.VideoFrame]:
    """Everything that can be decoded, past packets that cannot; decoders give frames in order of display."""
    packets = container.demux(stream)
    while damage.packets < _CROWDED_ERRORS:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except FFmpegError:
            damage.packets += 1
            return
        try:
            pictures = packet.decode()
        except FFmpegError:
            damage.packets += 1
            continue
        for picture in pictures:
            if isinstance(picture, av.VideoFrame):
                damage.frames += picture.is_corrupt
                yield picture


def _seconds(pts: int, picture: av.VideoFrame) -> float:
    """The time stamp as the nearest float64."""
    return float(pts * (picture.time_base or Fraction(1)))


def _average_fps(stream: VideoStream) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate is not None and 0 < rate <= 1000:
            return float(rate)
    return _FALLBACK_FPS


def _stream_start_s(stream: VideoStream) -> float:
    return float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0


def _claimed_end_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Where the pictures should end as the header says, in the file's clock."""
    if stream.duration is not None and stream.time_base is not None:
        return _stream_start_s(stream) + float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return (container.start_time or 0) / av.time_base + container.duration / av.time_base
    return None


def _claimed_frames(
    stream: VideoStream, fps: float, start_s: float | None, end_s: float | None
) -> int | None:
    """About how many frames the selection has, for progress bars."""
    total: int | None = stream.frames or None
    if total is None and stream.duration and stream.time_base:
        total = round(float(stream.duration * stream.time_base) * fps)
    if total is None and end_s is None:
        return None
    origin = _stream_start_s(stream)
    first = 0 if start_s is None else max(0, round((start_s - origin) * fps))
    last = total if end_s is None else round((end_s - origin) * fps)
    last = last if total is None else min(total, last or 0)
    return max(0, (last or 0) - first)


def _pixel_shape_warning(path: Path, ratio: float) -> list[str]:
    if abs(ratio - 1) < 0.01:
        return []
    return [
        f"{path} has pixels that are not square ({ratio:.3f} wide to 1 high); the body will look too "
        f"{'narrow' if ratio > 1 else 'wide'}"
    ]


def _span(start_s: float | None, end_s: float | None) -> str:
    start = "the beginning" if start_s is None else f"{start_s:g} s"
    return f"{start} to {'the end' if end_s is None else f'{end_s:g} s'}"
