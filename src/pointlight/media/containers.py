"""Media files as FFmpeg opens them: which stream is the video, what its header claims, what can be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from pointlight.errors import PointlightError

_FALLBACK_FPS = 30.0
_CROWDED_ERRORS = 1000
_COVERS = Disposition.attached_pic | Disposition.timed_thumbnails


@dataclass
class Damage:
    """What a pass met: packets that did not decode, frames decoded with errors."""

    packets: int = 0
    frames: int = 0

    def forget(self) -> None:
        """Begin anew."""
        self.packets = self.frames = 0

    def warnings(self, path: Path) -> list[str]:
        """A sentence if anything was met."""
        if not self.packets and not self.frames:
            return []
        return [
            f"{path} is damaged: {self.packets} pieces could not be decoded"
            f" and {self.frames} frames are not whole"
        ]


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
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


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream that players show: the first that the file marks as default, else the first; never a cover.

    Raises:
        PointlightError: there is none.
    """
    moving = _moving(container)
    if not moving:
        raise PointlightError(f"{path} has no pictures, only {_kinds(container)}; give a video file")
    default = [stream for stream in moving if stream.disposition & Disposition.default]
    chosen = (default or moving)[0]
    chosen.thread_type = "AUTO"
    return chosen


def choice_warning(container: InputContainer, chosen: VideoStream, path: Path) -> list[str]:
    """A sentence where a file has several videos."""
    moving = _moving(container)
    if len(moving) < 2:
        return []
    number = [stream.index for stream in moving].index(chosen.index) + 1
    sizes = ", ".join(f"{stream.width} x {stream.height}" for stream in moving)
    return [f"{path} holds {len(moving)} videos ({sizes}); number {number} is used, as players do"]


def _moving(container: InputContainer) -> list[VideoStream]:
    known = [stream for stream in container.streams.video if stream.codec_context is not None]
    return [stream for stream in known if not stream.disposition & _COVERS]


def _kinds(container: InputContainer) -> str:
    kinds = {stream.type for stream in container.streams if stream.type != "video"}
    covers = ["a cover picture"] if container.streams.video else []
    return " and ".join([*sorted(kinds), *covers]) or "nothing"


def decoded(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[av.VideoFrame]:
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


def average_fps(stream: VideoStream) -> float:
    """Frames/s as the header says."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate is not None and 0 < rate <= 1000:
            return float(rate)
    return _FALLBACK_FPS


def start_s(stream: VideoStream) -> Fraction:
    """When the stream begins in the file's own clock."""
    return stream.start_time * stream.time_base if stream.start_time and stream.time_base else Fraction(0)


def claimed_end_s(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Where the pictures should end as the header says, in the file's own clock."""
    if stream.duration is not None and stream.time_base is not None:
        return start_s(stream) + stream.duration * stream.time_base
    if container.duration is not None and len(container.streams) == 1:
        # Matroska's and its like count it from 0, wherever the pictures begin.
        return Fraction(container.duration, av.time_base)
    return None


def claimed_frames(stream: VideoStream, fps: float, start_s: float | None, end_s: float | None) -> int | None:
    """About how many frames the selection has, seconds from the first frame; for progress bars."""
    total: int | None = stream.frames or None
    if total is None and stream.duration and stream.time_base:
        total = round(float(stream.duration * stream.time_base) * fps)
    if total is None and end_s is None:
        return None
    first = 0 if start_s is None else max(0, round(start_s * fps))
    last = total if end_s is None else round(end_s * fps)
    last = last if total is None else min(total, last or 0)
    return max(0, (last or 0) - first)
