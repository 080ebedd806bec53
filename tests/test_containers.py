"""Containers with legal oddities in random combination: a right result or a sentence, and what the plain version gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video_files import MATRICES, VideoSpec, number_of, write_video

from pointlight.errors import PointlightError
from pointlight.media import VideoReader

SEED = 20261130
MADE = 200
SAMPLE = 15

_CODECS = {
    "mp4": ("libx264", "mpeg4", "mjpeg"),
    "mov": ("libx264", "mpeg4", "mjpeg"),
    "m4v": ("libx264",),
    "mkv": ("libx264", "mpeg4", "mjpeg", "libvpx-vp9"),
    "webm": ("libvpx-vp9", "libvpx"),
    "avi": ("mpeg4", "mjpeg"),
    "ts": ("libx264", "mpeg4"),
    "gif": ("gif",),
}
_TURNED = ("mp4", "mov", "m4v", "mkv", "webm")
"""Containers that hold a display matrix."""
_RATES = (Fraction(25), Fraction(24000, 1001), Fraction(60000, 1001), Fraction(12), Fraction(50))
_OPTIONS = {
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "auto-alt-ref": "0"},
    "libx264": {"preset": "ultrafast"},
}


@dataclass(frozen=True)
class Oddity:
    """A made file and what the reader may say of it.

    Attributes:
        spec: the file.
        clock_s: to how much its container rounds times.
        words: of the warnings that are allowed, each of which has to be there.
    """

    spec: VideoSpec
    clock_s: float
    words: tuple[str, ...]


def oddity(number: int) -> Oddity:
    """File `number` of the seed."""
    rng = np.random.default_rng([SEED, number])
    suffix = str(rng.choice(list(_CODECS)))
    codec = str(rng.choice(_CODECS[suffix]))
    even = codec in ("libx264", "mpeg4", "libvpx", "libvpx-vp9", "mjpeg")
    width, height = (int(side) for side in rng.integers(30, 80, 2) * 2)
    if not even or (codec == "mjpeg" and rng.random() < 0.5):
        width, height = width + int(rng.integers(2)), height + int(rng.integers(2))
    rate = _RATES[int(rng.integers(len(_RATES)))]
    spec = VideoSpec(
        suffix=suffix, codec=codec, size=(width, height), rate=rate, options=_options(codec, rng)
    )
    words: list[str] = []
    if suffix == "gif":
        times, clock_s = np.arange(8) / 10, 0.011
        spec = replace(spec, pixels="rgb8", rate=Fraction(10), ticks_per_s=0)
    elif suffix == "avi" or codec == "mpeg4":
        times, clock_s = np.arange(10) / float(rate), 0.0011
        spec = replace(spec, ticks_per_s=0)
    else:
        times, clock_s = _times(rng, float(rate)), 0.0011
        spec = replace(spec, ticks_per_s=int(rng.choice([1000, 12800, 90000])))
        if suffix not in ("gif", "avi"):
            times = times + float(rng.choice([0.0, 0.0, 0.4, 5.2, 3600.0]))
    spec = replace(spec, times_s=times.tolist())
    if codec == "mjpeg":
        spec = replace(spec, pixels="yuvj420p")
    if suffix in _TURNED and rng.random() < 0.6:
        spec = replace(spec, orientation=str(rng.choice(list(MATRICES))))
    if suffix in ("mp4", "mov", "mkv", "avi") and codec in ("libx264", "mpeg4") and rng.random() < 0.4:
        ratio = Fraction(*[(4, 3), (8, 9), (16, 11), (3, 4)][int(rng.integers(4))])
        spec = replace(spec, pixel_ratio=ratio)
        words.append("pixels that are not square")
    if suffix not in ("gif", "ts") and codec != "mjpeg" and rng.random() < 0.4:
        spec = replace(spec, audio=True)
    if suffix in ("mp4", "mov", "mkv") and codec != "mjpeg" and rng.random() < 0.3:
        spec = replace(spec, other=str(rng.choice(["before", "behind"])))
        words.append("holds 2 videos")
    if suffix in ("mp4", "mkv") and rng.random() < 0.3:
        spec = replace(spec, cover=True)
    return Oddity(spec, clock_s, tuple(words))


def _options(codec: str, rng: np.random.Generator) -> dict[str, str]:
    options = dict(_OPTIONS.get(codec, {})) | {"g": str(int(rng.choice([1, 4, 30])))}
    if codec == "libx264":
        options |= {"bf": str(int(rng.integers(4)))}
        options |= {"x264-params": "open-gop=1"} if rng.random() < 0.3 else {}
    return options if codec not in ("mjpeg", "gif") else {}


def _times(rng: np.random.Generator, rate: float) -> np.ndarray:
    """Ten times: even, jittered, or with gaps."""
    kind = rng.integers(3)
    steps = np.full(9, 1 / rate)
    if kind == 1:
        steps *= rng.uniform(0.6, 1.4, 9)
    if kind == 2:
        steps[rng.integers(9)] += 0.7
    return np.concatenate([[0.0], steps.cumsum()])


def check(made: Oddity, folder: Path) -> None:
    """The file gives its frames, in their order, at their times, as players show them; a late start gives the same ones."""
    spec = made.spec
    path = write_video(folder / f"v.{spec.suffix}", spec)
    video = VideoReader(path)
    frames = list(video)
    assert video.size == spec.shown_size, spec
    found = [number_of(frame.image, spec, len(spec.times_s)) for frame in frames]
    assert [number for number, _ in found] == list(range(len(spec.times_s))), spec
    assert max(error for _, error in found) < 25, spec
    times = np.array([frame.time_s for frame in frames])
    np.testing.assert_allclose(
        times, np.array(spec.times_s) - spec.times_s[0], atol=made.clock_s, err_msg=str(spec)
    )
    for word in made.words:
        assert any(word in warning for warning in video.warnings), (spec, video.warnings)
    assert len(video.warnings) == len(made.words), (spec, video.warnings)
    start_s, end_s = float(times[3]), float(times[-2])
    part = list(VideoReader(path, start_s, end_s))
    expected = [frame for frame in frames if start_s <= frame.time_s < end_s]
    assert [(f.index, f.time_s) for f in part] == [(f.index, f.time_s) for f in expected], spec
    assert all(np.array_equal(a.image, b.image) for a, b in zip(part, expected, strict=True)), spec
    with pytest.raises(PointlightError, match="lies in the time asked for") as said:
        list(VideoReader(path, float(times[-1]) + 1))
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("number", range(SAMPLE))
def test_a_sample_of_odd_containers(tmp_path: Path, number: int) -> None:
    check(oddity(number), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(SAMPLE, MADE))
def test_odd_containers(tmp_path: Path, number: int) -> None:
    check(oddity(number), tmp_path)
