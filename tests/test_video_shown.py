"""What a container says of how its pictures are shown, and when: matrices, pixels, streams, sizes, clocks."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from PIL import Image, ImageOps
from video_files import MATRICES, SIZE, VideoSpec, number_of, numbered_picture, oriented, write_video

from pointlight.errors import PointlightError
from pointlight.media import VideoReader

AUTOROTATE: dict[str, tuple[tuple[str, str], ...]] = {
    "upright": (),
    "mirrored": (("hflip", ""),),
    "flipped": (("vflip", ""),),
    "half turn": (("hflip", ""), ("vflip", "")),
    "transposed": (("transpose", "cclock_flip"),),
    "clockwise": (("transpose", "clock"),),
    "counter-clockwise": (("transpose", "cclock"),),
    "transposed the other way": (("transpose", "clock_flip"),),
}
"""FFmpeg's own filters, which its `-autorotate` chooses for these matrices."""


def by_filters(path: Path, filters: tuple[tuple[str, str], ...]) -> list[np.ndarray]:
    """RGB pictures of a file as FFmpeg's filters show them."""
    shown = []
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            flat = picture.reformat(format="rgb24", interpolation="BILINEAR")
            graph = Graph()
            chain = [
                graph.add_buffer(
                    width=flat.width, height=flat.height, format=flat.format, time_base=Fraction(1, 25)
                )
            ]
            chain += [graph.add(name, value) for name, value in filters]
            chain.append(graph.add("buffersink"))
            for one, other in pairwise(chain):
                one.link_to(other)
            graph.configure()
            chain[0].push(flat)
            shown.append(chain[-1].pull().to_ndarray())
    return shown


@pytest.mark.parametrize("orientation", MATRICES)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_pictures_are_turned_and_mirrored_as_ffmpeg_does(
    tmp_path: Path, orientation: str, suffix: str
) -> None:
    spec = VideoSpec(suffix=suffix, orientation=orientation)
    path = write_video(tmp_path / f"v.{suffix}", spec)
    video = VideoReader(path)
    images = [frame.image for frame in video]
    assert video.size == video.source_size == spec.shown_size
    expected = by_filters(path, AUTOROTATE[orientation])
    assert len(images) == len(expected) == 10
    for image, other in zip(images, expected, strict=True):
        np.testing.assert_array_equal(image, other)
    # Independently of FFmpeg: every pixel where the matrix puts it.
    number, error = number_of(images[5], spec, 10)
    assert number == 5 and error < 6
    assert np.abs(images[3].astype(int) - oriented(numbered_picture(3), orientation)).mean() < 6
    assert video.warnings == []


@pytest.mark.parametrize("orientation", ["mirrored", "transposed", "counter-clockwise"])
def test_turned_pictures_are_scaled_upright(tmp_path: Path, orientation: str) -> None:
    spec = VideoSpec(orientation=orientation)
    path = write_video(tmp_path / "v.mp4", spec)
    half = (spec.shown_size[0] // 2, spec.shown_size[1] // 2)
    image = next(iter(VideoReader(path, size=half))).image
    assert image.shape[1::-1] == half
    assert np.abs(image.astype(int) - spec.shown(0)[::2, ::2]).mean() < 8


@pytest.mark.parametrize("number", [1, 3, 6, 8, 2, 5])
def test_a_picture_is_a_video_of_one_frame(tmp_path: Path, number: int) -> None:
    """With the orientation that its EXIF data say, as Pillow shows it."""
    exif = Image.Exif()
    exif[0x0112] = number
    path = tmp_path / "p.jpg"
    Image.fromarray(numbered_picture(3)).save(path, exif=exif, quality=95)
    (image,) = [frame.image for frame in VideoReader(path)]
    with Image.open(path) as picture:
        shown = np.asarray(ImageOps.exif_transpose(picture))
    assert image.shape == shown.shape and np.abs(image.astype(int) - shown).mean() < 4


def test_a_slanted_matrix_is_said(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.set_display_rotation(30)
        output.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_picture(1))))
        output.mux(stream.encode(None))
    video = VideoReader(path)
    assert len(list(video)) == 1 and video.size == SIZE
    assert any("slanted" in warning for warning in video.warnings)


@pytest.mark.parametrize("ratio", [Fraction(4, 3), Fraction(8, 9), Fraction(2)])
@pytest.mark.parametrize("orientation", [None, "clockwise", "mirrored"])
def test_pixels_become_square(tmp_path: Path, ratio: Fraction, orientation: str | None) -> None:
    spec = VideoSpec(pixel_ratio=ratio, orientation=orientation)
    video = VideoReader(write_video(tmp_path / "v.mp4", spec))
    (image, *_) = [frame.image for frame in video]
    assert video.size == spec.shown_size == image.shape[1::-1]
    assert any("pixels that are not square" in warning for warning in video.warnings)
    assert video.stored_size == (SIZE[::-1] if orientation == "clockwise" else SIZE)
    assert np.abs(image.astype(int) - spec.shown(0)).mean() < 8


def test_a_pixel_ratio_that_cannot_be_is_ignored(tmp_path: Path) -> None:
    spec = VideoSpec(pixel_ratio=Fraction(40))
    assert VideoReader(write_video(tmp_path / "v.mp4", spec)).size == SIZE


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("other", ["before", "behind"])
def test_the_default_video_is_used_and_the_others_are_said(tmp_path: Path, suffix: str, other: str) -> None:
    spec = VideoSpec(suffix=suffix, other=other)
    video = VideoReader(write_video(tmp_path / f"v.{suffix}", spec))
    assert [number_of(frame.image, spec, 10)[0] for frame in video] == list(range(10))
    assert video.size == SIZE
    number = 2 if other == "before" else 1
    assert any("holds 2 videos" in w and f"number {number} is used" in w for w in video.warnings)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_cover_is_no_video(tmp_path: Path, suffix: str) -> None:
    spec = VideoSpec(suffix=suffix, cover=True, audio=True)
    video = VideoReader(write_video(tmp_path / f"v.{suffix}", spec))
    assert len(list(video)) == 10 and video.size == SIZE and video.warnings == []


def test_a_song_with_a_cover_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mkv"
    write_video(path, VideoSpec(suffix="mkv", cover=True, audio=True, times_s=[0.0]))
    song = tmp_path / "only_song.mkv"
    with av.open(str(path)) as source, av.open(str(song), "w") as output:
        (sound,) = source.streams.audio
        output.add_attachment("cover.jpg", "image/jpeg", bytes(next(source.demux(video=1))))
        copy = output.add_stream_from_template(sound)
        source.seek(0)
        for packet in source.demux(sound):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    with pytest.raises(PointlightError, match="has no pictures, only audio and a cover picture"):
        VideoReader(song)


def changing(path: Path, second: tuple[int, int]) -> Path:
    """Two transport streams of 5 pictures each, one behind the other, whose clock goes on."""
    parts = []
    for part, size in enumerate((SIZE, second)):
        spec = VideoSpec(suffix="ts", size=size, times_s=[i / 25 for i in range(5)], options={"bf": "0"})
        spec = replace(spec, container={"output_ts_offset": f"{part * 0.2}", "muxdelay": "0"})
        parts.append(write_video(path.with_name(f"part{part}.ts"), spec).read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def test_a_size_that_changes_keeps_the_shape(tmp_path: Path) -> None:
    """96 x 64, then 32 x 64: the second stands in the middle, between bars, and is not stretched."""
    video = VideoReader(changing(tmp_path / "v.ts", (32, 64)))
    images = [frame.image for frame in video]
    assert len(images) == 10 and {image.shape for image in images} == {(64, 96, 3)}
    assert np.abs(images[9][:, 32:64].astype(int) - numbered_picture(4, (32, 64))).mean() < 10
    assert images[9][:, :31].max() < 20 and images[9][:, 65:].max() < 20
    (warning,) = video.warnings
    assert "changes its picture size at 0.20 s from 96 x 64 to 32 x 64" in warning and "bars" in warning
    video.times()
    assert len(video.warnings) == 1


def test_a_size_that_changes_in_one_shape_is_scaled(tmp_path: Path) -> None:
    video = VideoReader(changing(tmp_path / "v.ts", (48, 32)))
    images = [frame.image for frame in video]
    assert np.abs(images[9].astype(int) - numbered_picture(4)).mean() < 14
    assert any("scaled to the first size" in warning for warning in video.warnings)


TEN = [i / 25 for i in range(10)]


@pytest.mark.parametrize(
    ("suffix", "offset_s"),
    [("ts", 0.0), ("ts", 3600.0), ("mkv", 7.52), ("mp4", 1.2), ("mov", 0.36), ("mkv", 0.0)],
)
@pytest.mark.parametrize("b_frames", ["0", "3"])
def test_times_count_from_the_first_frame(
    tmp_path: Path, suffix: str, offset_s: float, b_frames: str
) -> None:
    times = [offset_s + time_s for time_s in TEN]
    spec = VideoSpec(suffix=suffix, times_s=times, options={"bf": b_frames}, audio=suffix != "ts")
    path = write_video(tmp_path / f"v.{suffix}", spec)
    frames = list(VideoReader(path))
    assert frames[0].time_s == 0.0
    np.testing.assert_allclose(
        [frame.time_s for frame in frames], TEN, atol=2e-3 if suffix == "mkv" else 1e-9
    )
    late = list(VideoReader(path, 0.158, 0.278))
    assert [frame.index for frame in late] == [4, 5, 6]
    with pytest.raises(PointlightError, match=r"its frames read run from 0\.000 to 0\.360 s"):
        list(VideoReader(path, 1.3))


def test_a_clock_that_begins_before_zero(tmp_path: Path) -> None:
    spec = VideoSpec(suffix="ts", times_s=[time_s - 0.52 for time_s in TEN], options={"bf": "0"})
    path = write_video(tmp_path / "v.ts", replace(spec, container={"avoid_negative_ts": "disabled"}))
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).time == pytest.approx(-0.52)
    assert [frame.time_s for frame in VideoReader(path)] == pytest.approx(TEN)
    assert [frame.index for frame in VideoReader(path, 0.1, 0.2)] == [3, 4]


def test_an_edit_list_that_hides_frames(tmp_path: Path) -> None:
    """MP4 with B-frames whose first pictures an edit list hides: times count from the first one shown."""
    whole = VideoSpec(times_s=[i / 25 for i in range(30)], options={"g": "30"})
    source, path = write_video(tmp_path / "whole.mp4", whole), tmp_path / "cut.mp4"
    with av.open(str(source)) as given, av.open(str(path), "w") as output:
        (stream,) = given.streams.video
        copy = output.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.size:
                shift = round(0.4 / stream.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = copy
                output.mux(packet)
    video = VideoReader(path)
    frames = list(video)
    numbers = [number_of(frame.image, whole, 30)[0] for frame in frames]
    assert numbers[0] == 10 and frames[0].time_s == 0.0 and video.warnings == []
    assert [frame.time_s for frame in frames] == pytest.approx(
        [(n - numbers[0]) / 25 for n in numbers], abs=1e-6
    )
    late = list(VideoReader(path, 0.2))
    assert [(f.index, f.time_s) for f in late] == [(f.index, f.time_s) for f in frames if f.time_s >= 0.2]


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4", "webm", "avi"])
@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_a_late_start_is_exact_wherever_the_clock_begins(tmp_path: Path, suffix: str, b_frames: str) -> None:
    rate = {"ticks_per_s": 0} if suffix == "avi" else {}
    begins = 0.0 if suffix == "avi" else 62.4
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(suffix, "libx264")
    options = (
        {"g": "20", "bf": b_frames}
        if codec == "libx264"
        else {"g": "20", "deadline": "realtime", "cpu-used": "8"}
    )
    spec = VideoSpec(
        suffix=suffix, codec=codec, times_s=[begins + i / 25 for i in range(180)], options=options, **rate
    )
    path = write_video(tmp_path / f"v.{suffix}", spec)
    everything = list(VideoReader(path))
    assert len(everything) == 180
    for start_s in (5.0, 5.41, 7.1):
        late = list(VideoReader(path, start_s))
        expected = [frame for frame in everything if frame.time_s >= start_s]
        assert [(f.index, f.time_s) for f in late] == [(f.index, f.time_s) for f in expected]
        assert all(np.array_equal(a.image, b.image) for a, b in zip(late, expected, strict=True))


def test_a_late_start_in_joined_files(tmp_path: Path) -> None:
    """The clock starts anew in the middle, so packets do not tell where a time is."""
    spec = VideoSpec(suffix="ts", times_s=[i / 25 for i in range(150)], options={"g": "20", "bf": "0"})
    part = write_video(tmp_path / "part.ts", spec).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(part + part)
    everything = list(VideoReader(path))
    assert len(everything) == 300
    late = list(VideoReader(path, 8.0))
    assert [(f.index, f.time_s) for f in late] == [(f.index, f.time_s) for f in everything if f.time_s >= 8.0]


def test_equal_time_stamps_are_said_and_mended(tmp_path: Path) -> None:
    """Matroska keeps what it is given: two frames at one time, then the file goes on."""
    path = tmp_path / "v.mkv"
    stamps = [0, 40, 80, 80, 160, 200]
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for number, stamp in enumerate(stamps):
            picture = av.VideoFrame.from_ndarray(numbered_picture(number)).reformat(format="yuvj420p")
            for packet in stream.encode(picture):
                packet.pts = packet.dts = stamp
                packet.time_base = Fraction(1, 1000)
                output.mux(packet)
    video = VideoReader(path)
    frames = list(video)
    times = np.array([frame.time_s for frame in frames])
    assert len(frames) == 6 and (np.diff(times) > 0).all()
    np.testing.assert_allclose(times[[0, 1, 2, 4, 5]], [0, 0.04, 0.08, 0.16, 0.2], atol=1e-6)
    assert any("1 frames whose time does not advance" in warning for warning in video.warnings)


def test_first_frames_without_a_time_stand_before_the_others(tmp_path: Path) -> None:
    """Matroska knows no times before 0: FFmpeg gives the first three frames none."""
    spec = VideoSpec(suffix="mkv", times_s=[time_s - 0.12 for time_s in TEN], options={"bf": "0"})
    path = write_video(tmp_path / "v.mkv", replace(spec, container={"avoid_negative_ts": "disabled"}))
    video = VideoReader(path)
    assert [frame.time_s for frame in video] == pytest.approx(TEN)
    assert any("gives no time for 3 frames" in warning for warning in video.warnings)


def test_a_clock_that_leaps_by_days_is_mended(tmp_path: Path) -> None:
    times = [time_s + (200_000.0 if i >= 6 else 0.0) for i, time_s in enumerate(TEN)]
    video = VideoReader(write_video(tmp_path / "v.mkv", VideoSpec(suffix="mkv", times_s=times)))
    assert [frame.time_s for frame in video] == pytest.approx(TEN, abs=2e-3)
    assert any("leaps by days" in warning for warning in video.warnings)


def test_pictures_for_two_eyes_are_said(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.metadata["stereo_mode"] = "left_right"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_picture(1))))
        output.mux(stream.encode(None))
    video = VideoReader(path)
    list(video)
    assert any("a picture for each eye" in warning for warning in video.warnings)
