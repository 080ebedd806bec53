"""Going to a late start without decoding all that comes before, so that frames keep their numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, dropwhile

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from pointlight.media.clock import RESET_S, stamp_s
from pointlight.media.containers import Damage, decoded

_HIDES_FRAMES = "vp8"
"""Some of its packets may hold pictures that are never shown, so packets do not count frames."""


@dataclass(frozen=True)
class KeyFrame:
    """Where decoding may begin.

    Attributes:
        index: the number of its frame in the file.
        time_s: when it is shown, in the file's own clock.
        ticks: where to seek to.
    """

    index: int
    time_s: Fraction
    ticks: int


def key_frame_before(
    container: InputContainer, stream: VideoStream, origin_s: Fraction, time_s: Fraction
) -> KeyFrame | None:
    """The last key frame that is shown at or before a time; None where packets do not tell its number for sure.

    Packets are counted, not decoded. They do not tell where time stamps lack, repeat or start anew.

    Args:
        container: at its beginning; somewhere else afterwards.
        stream: the video.
        origin_s: when the first frame is shown, file's own clock; what the file stores before it is not counted.
        time_s: the time, file's own clock.
    """
    base = stream.time_base
    if base is None or stream.codec_context.codec.canonical_name == _HIDES_FRAMES:
        return None
    stamps = array("q")
    key: tuple[int, int] | None = None
    decoded_s: Fraction | None = None
    try:
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if packet.pts is None or packet.dts is None:
                return None
            before_s, decoded_s = decoded_s, packet.dts * base
            if before_s is not None and decoded_s < before_s - Fraction(RESET_S):
                return None
            if packet.is_discard or packet.pts * base < origin_s:
                continue
            if packet.is_keyframe and packet.pts * base <= time_s:
                key = packet.pts, packet.dts
            stamps.append(packet.pts)
            if decoded_s > time_s:
                break
    except FFmpegError:
        return None
    if key is None or len(set(stamps)) < len(stamps):
        return None
    shown, ticks = key
    return KeyFrame(sum(stamp < shown for stamp in stamps), shown * base, ticks)


def pictures_from(
    container: InputContainer, stream: VideoStream, key: KeyFrame, damage: Damage
) -> Iterator[av.VideoFrame] | None:
    """The pictures from a key frame on; None where seeking did not lead there."""

    def is_before(picture: av.VideoFrame) -> bool:
        stamp = stamp_s(picture)
        return stamp is not None and stamp < key.time_s

    try:
        container.seek(key.ticks, stream=stream, backward=True)
    except FFmpegError:
        return None
    late = dropwhile(is_before, decoded(container, stream, damage))
    first = next(late, None)
    if first is None or stamp_s(first) != key.time_s:
        return None
    return chain((first,), late)
