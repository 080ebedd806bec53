"""Video containers made by PyAV alone, with what real files state of how and when their pictures are shown."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Disposition
from PIL import Image

SIZE = (96, 64)
_OTHER_SIZE = (64, 48)
_UNIT = 1 << 16
_BLOCKS = 8
_TICKS_PER_S = 90_000

MATRICES: dict[str, tuple[int, int, int, int]] = {
    "upright": (1, 0, 0, 1),
    "mirrored": (-1, 0, 0, 1),
    "flipped": (1, 0, 0, -1),
    "half turn": (-1, 0, 0, -1),
    "transposed": (0, 1, 1, 0),
    "clockwise": (0, 1, -1, 0),
    "counter-clockwise": (0, -1, 1, 0),
    "transposed the other way": (0, -1, -1, 0),
}
"""(a, b, c, d): the stored place (x, y) is shown at (a x + c y, b x + d y)."""


@dataclass(frozen=True)
class VideoSpec:
    """A file to be made.

    Attributes:
        suffix: of the container.
        codec: FFmpeg's encoder.
        size: (width, height) stored.
        times_s: of the frames, in the file's own clock.
        ticks_per_s: of the file's clock; 0 takes `rate`.
        rate: frames/s in the header.
        orientation: a key of `MATRICES`, None writes no matrix.
        pixel_ratio: of a stored pixel, None states none.
        pixels: FFmpeg's pixel format.
        options: of the encoder.
        container: options of the container.
        audio: a second of sound beside the pictures.
        cover: a cover picture.
        other: another video stream, "before" or "behind" the one that is marked as default.
    """

    suffix: str = "mp4"
    codec: str = "libx264"
    size: tuple[int, int] = SIZE
    times_s: Sequence[float] = field(default_factory=lambda: [i / 25 for i in range(10)])
    ticks_per_s: int = _TICKS_PER_S
    rate: Fraction = Fraction(25)
    orientation: str | None = None
    pixel_ratio: Fraction | None = None
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    container: dict[str, str] = field(default_factory=dict)
    audio: bool = False
    cover: bool = False
    other: str | None = None

    @property
    def shown_size(self) -> tuple[int, int]:
        """(width, height) as a player shows it."""
        width, height = self.size
        width = round(width * (self.pixel_ratio or 1))
        crossed = self.orientation is not None and MATRICES[self.orientation][0] == 0
        return (height, width) if crossed else (width, height)

    def shown(self, number: int) -> np.ndarray:
        """A picture as a player shows it."""
        stored = numbered_picture(number, self.size)
        width = round(self.size[0] * (self.pixel_ratio or 1))
        square = np.asarray(Image.fromarray(stored).resize((width, self.size[1]), Image.Resampling.BILINEAR))
        return oriented(square, self.orientation or "upright")


def numbered_picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture whose corners tell which way it is shown and whose blocks tell its number."""
    width, height = size
    image = np.full((height, width, 3), 110, np.uint8)
    top, side = height // 4, width // 4
    image[:top, :side], image[:top, -side:] = (220, 20, 20), (20, 200, 20)
    image[-top:, :side], image[-top:, -side:] = (20, 20, 220), (230, 230, 230)
    for block in range(_BLOCKS):
        left, right = (width * b // _BLOCKS for b in (block, block + 1))
        image[top + height // 16 : -top - height // 16, left:right] = 235 if number >> block & 1 else 15
    return image


def oriented(image: np.ndarray, name: str) -> np.ndarray:
    """A stored picture as its display matrix says, place by place."""
    a, b, c, d = MATRICES[name]
    height, width = image.shape[:2]
    y, x = np.indices((height, width))
    right, down = a * x + c * y, b * x + d * y
    right, down = right - right.min(), down - down.min()
    shown = np.empty((down.max() + 1, right.max() + 1, 3), image.dtype)
    shown[down, right] = image
    return shown


def number_of(image: np.ndarray, spec: VideoSpec, count: int) -> tuple[int, float]:
    """Which of `count` numbered pictures an image is most like, and the mean difference in grey levels."""
    errors = [float(np.abs(image.astype(int) - spec.shown(number)).mean()) for number in range(count)]
    best = int(np.argmin(errors))
    return best, errors[best]


def write_video(path: Path, spec: VideoSpec) -> Path:
    """Make the file."""
    with av.open(str(path), "w", options=dict(spec.container)) as output:
        if spec.cover and spec.suffix == "mkv":
            output.add_attachment("cover.jpg", "image/jpeg", _cover())
        sizes = {"before": [_OTHER_SIZE, spec.size], "behind": [spec.size, _OTHER_SIZE]}
        streams = [_video_stream(output, spec, size) for size in sizes.get(spec.other or "", [spec.size])]
        for stream in streams:
            default = len(streams) == 1 or _size(stream) == spec.size
            stream.disposition = Disposition.default if default else Disposition(0)
        sound = _sound_stream(output, spec) if spec.audio else None
        cover = None
        if spec.cover and spec.suffix in ("mp4", "m4v"):
            cover = output.add_stream("mjpeg", rate=1)
            cover.width, cover.height, cover.pix_fmt = 40, 40, "yuvj420p"
            cover.disposition = Disposition.attached_pic
        output.start_encoding()
        if cover is not None:
            picture = av.VideoFrame.from_ndarray(np.full((40, 40, 3), 60, np.uint8))
            picture = picture.reformat(format="yuvj420p")
            picture.pts = 0
            for frame in (picture, None):
                output.mux(cover.encode(frame))
        if sound is not None:
            _write_sound(output, sound)
        for number, time_s in enumerate(spec.times_s):
            for stream in streams:
                image = numbered_picture(number if _size(stream) == spec.size else 200, _size(stream))
                picture = av.VideoFrame.from_ndarray(image).reformat(format=spec.pixels)
                picture.time_base = Fraction(1, spec.ticks_per_s) if spec.ticks_per_s else 1 / spec.rate
                picture.pts = round(Fraction(time_s) / picture.time_base)
                output.mux(stream.encode(picture))
        for stream in streams:
            output.mux(stream.encode(None))
    return path


def _size(stream: av.VideoStream) -> tuple[int, int]:
    return stream.width, stream.height


def _video_stream(output: OutputContainer, spec: VideoSpec, size: tuple[int, int]) -> av.VideoStream:
    stream = output.add_stream(spec.codec, rate=spec.rate, options=dict(spec.options))
    stream.width, stream.height = size
    stream.pix_fmt = spec.pixels
    if spec.ticks_per_s:
        stream.codec_context.time_base = Fraction(1, spec.ticks_per_s)
    if spec.pixel_ratio is not None:
        stream.codec_context.sample_aspect_ratio = spec.pixel_ratio
    if spec.orientation is not None:
        a, b, c, d = (_UNIT * number for number in MATRICES[spec.orientation])
        x = _UNIT * (size[0] * (a < 0) + size[1] * (c < 0))
        y = _UNIT * (size[0] * (b < 0) + size[1] * (d < 0))
        stream.set_display_matrix([a, b, 0, c, d, 0, x, y, 1 << 30])
    return stream


def _sound_stream(output: OutputContainer, spec: VideoSpec) -> av.AudioStream:
    codec = {"webm": "libopus", "avi": "pcm_s16le"}.get(spec.suffix, "aac")
    return output.add_stream(codec, rate=48000, layout="mono")


def _write_sound(output: OutputContainer, stream: av.AudioStream) -> None:
    resampler = av.AudioResampler(format=stream.format, layout="mono", rate=48000, frame_size=960)
    if stream.codec_context.name == "aac":
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=48000, frame_size=1024)
    sound = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), format="s16", layout="mono")
    sound.sample_rate, sound.pts = 48000, 0
    for piece in resampler.resample(sound):
        output.mux(stream.encode(piece))
    output.mux(stream.encode(None))


def _cover() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 40, 3), 60, np.uint8)).save(buffer, format="JPEG")
    return buffer.getvalue()
