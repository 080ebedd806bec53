"""Video in and out: exact times, rotation, damage, selection."""

from __future__ import annotations

import gc
import wave
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointlight.errors import PointlightError
from pointlight.media import VideoReader, VideoWriter, contact_sheet, read_picture, write_png

SIZE = (96, 64)
NTSC = 60000 / 1001


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture that tells its number by its brightness, with a red upper left corner."""
    image = np.full((size[1], size[0], 3), 40 + 2 * (number % 90), np.uint8)
    image[: size[1] // 4, : size[0] // 4] = (220, 20, 20)
    image[: size[1] // 4, -size[0] // 4 :] = (20, 200, 20)
    return image


def number_of(image: np.ndarray) -> int:
    return round((float(image[image.shape[0] // 2 :, :].mean()) - 40) / 2)


def make(
    path: Path,
    count: int,
    rate: Fraction | int = 25,
    *,
    times: list[float] | None = None,
    rotation: int | None = None,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    size: tuple[int, int] = SIZE,
    noise: bool = False,
) -> Path:
    """A made video, by PyAV alone."""
    rng = np.random.default_rng(5)
    with av.open(str(path), "w", options=container or {}) as output:
        stream = output.add_stream("libx264", rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 90000)
        for i in range(count):
            image = picture(i, size)
            if noise:
                image[10:40, 30:60] = rng.integers(0, 255, (30, 30, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts = i if times is None else round(times[i] * 90000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate", [6, 16, 20, 24, 25, 50, Fraction(60000, 1001)])
def test_constant_rates_give_exact_times(tmp_path: Path, rate: Fraction | int) -> None:
    video = VideoReader(make(tmp_path / "v.mp4", 40, rate))
    frames = list(video)
    assert [frame.index for frame in frames] == list(range(40))
    np.testing.assert_allclose(
        [f.time_s for f in frames], [float(i / Fraction(rate)) for i in range(40)], atol=1e-12
    )
    assert [number_of(f.image) for f in frames] == pytest.approx(list(range(40)), abs=1)
    assert video.fps == pytest.approx(float(rate), rel=1e-6)
    assert video.size == SIZE and frames[0].image.shape == (64, 96, 3)
    assert video.frame_count == 40 and video.warnings == []


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(90, 90000), min_size=1, max_size=12))
def test_variable_rate_survives_writing_and_reading(tmp_path: Path, steps: list[int]) -> None:
    times = [sum(steps[:i]) / 90000 for i in range(len(steps))]
    with VideoWriter(tmp_path / "v.mp4", 30, SIZE) as writer:
        for i, time_s in enumerate(times):
            writer.write(picture(i), time_s)
    frames = list(VideoReader(tmp_path / "v.mp4"))
    np.testing.assert_allclose([f.time_s for f in frames], times, atol=1e-9)
    assert [number_of(f.image) for f in frames] == pytest.approx(list(range(len(steps))), abs=1)


def test_times_closer_than_the_written_clock_keep_their_order(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", 30, SIZE) as writer:
        with pytest.raises(ValueError, match="does not come after"):
            writer.write(picture(0), -0.5)
        for i, time_s in enumerate((0.0, 1e-6, 2e-6, 0.1)):
            writer.write(picture(i), time_s)
    times = VideoReader(tmp_path / "v.mp4").times().time_s
    np.testing.assert_allclose(times, [0, 1 / 90000, 2 / 90000, 0.1], atol=1e-9)


def test_variable_rate_made_by_others(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 0.21, 0.9, 1.0, 1.5]
    video = VideoReader(make(tmp_path / "v.mp4", len(times), times=times))
    np.testing.assert_allclose([f.time_s for f in video], times, atol=1e-12)
    np.testing.assert_array_equal(video.times().time_s, [f.time_s for f in video])


@pytest.mark.parametrize("rate", [25.0, NTSC, 6.0])
def test_writer_without_times_is_exact(tmp_path: Path, rate: float) -> None:
    with VideoWriter(tmp_path / "v.mp4", rate, SIZE) as writer:
        for i in range(9):
            writer.write(picture(i))
    video = VideoReader(tmp_path / "v.mp4")
    np.testing.assert_allclose(video.times().time_s, np.arange(9) / rate, atol=1e-12)
    assert video.fps == pytest.approx(rate, rel=1e-9)


@pytest.mark.parametrize("size", [(95, 63), (96, 63), (1, 1)])
def test_odd_sizes_grow_by_one(tmp_path: Path, size: tuple[int, int]) -> None:
    with VideoWriter(tmp_path / "v.mp4", 25, size) as writer:
        writer.write(np.full((size[1], size[0], 3), 90, np.uint8))
    assert VideoReader(tmp_path / "v.mp4").size == tuple(side + side % 2 for side in size)


def test_colours_survive(tmp_path: Path) -> None:
    image = np.empty((64, 96, 3), np.uint8)
    image[:] = (200, 60, 30)
    with VideoWriter(tmp_path / "v.mp4", 25, SIZE, quality=4) as writer:
        writer.write(image)
    read = next(iter(VideoReader(tmp_path / "v.mp4"))).image
    assert np.abs(read.astype(int) - image).max() <= 4


def test_writer_leaves_nothing_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "v.mp4", 25, SIZE) as writer:
        writer.write(picture(0))
        raise RuntimeError("stop")
    with (
        pytest.raises(PointlightError, match="no picture was given"),
        VideoWriter(tmp_path / "v.mp4", 25, SIZE),
    ):
        pass
    with VideoWriter(tmp_path / "w.mp4", 25, SIZE) as writer:
        writer.write(picture(0), 1.0)
        with pytest.raises(ValueError, match="does not come after"):
            writer.write(picture(0), 1.0)
        with pytest.raises(ValueError, match="does not fit"):
            writer.write(picture(0)[:10], 2.0)
        with pytest.raises(ValueError, match="all pictures have a time"):
            writer.write(picture(0))
    assert [path.name for path in tmp_path.iterdir()] == ["w.mp4"]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_of_phones(tmp_path: Path, rotation: int) -> None:
    """Upright as OpenCV shows it, and as the definition says: turned counter-clockwise by so many degrees."""
    path = make(tmp_path / "v.mp4", 3, rotation=rotation)
    video = VideoReader(path)
    image = next(iter(video)).image
    assert image.shape[1::-1] == video.size == (SIZE if rotation % 180 == 0 else SIZE[::-1])
    expected = np.rot90(picture(0), rotation // 90)
    assert np.abs(image.astype(int) - expected).mean() < 6
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    ok, other = cv2.VideoCapture(str(path)).read()
    assert ok and np.abs(image.astype(int) - other[..., ::-1]).mean() < 6


def test_scaled_pictures(tmp_path: Path) -> None:
    path = make(tmp_path / "v.mp4", 2, rotation=90)
    video = VideoReader(path, size=(32, 48))
    assert video.size == (32, 48) and video.source_size == (64, 96)
    image = next(iter(video)).image
    assert image.shape == (48, 32, 3)
    assert np.abs(image.astype(int) - np.rot90(picture(0))[::2, ::2]).mean() < 8


def test_one_frame(tmp_path: Path) -> None:
    video = VideoReader(make(tmp_path / "v.mp4", 1))
    assert [(f.index, f.time_s) for f in video] == [(0, 0.0)]
    assert video.warnings == []


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_truncated_video_gives_what_is_there(tmp_path: Path, suffix: str) -> None:
    options = {"g": "20"} if suffix != "avi" else {"g": "20", "bf": "0"}
    fast = {"movflags": "faststart"} if suffix == "mp4" else {}
    whole = make(tmp_path / f"whole.{suffix}", 100, options=options, container=fast, noise=True)
    content = whole.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(content[: int(len(content) * 0.6)])
    reference = [f.image for f in VideoReader(whole)]
    video = VideoReader(cut)
    frames = list(video)
    assert 50 <= len(frames) <= 70
    assert all(np.array_equal(f.image, reference[f.index]) for f in frames[:-1])
    assert any("ends early" in w and str(len(frames)) in w for w in video.warnings) or suffix == "avi"
    assert video.warnings


def test_bytes_lost_in_the_middle(tmp_path: Path) -> None:
    content = bytearray(make(tmp_path / "v.mkv", 100, options={"g": "10"}, noise=True).read_bytes())
    middle = len(content) // 2
    del content[middle : middle + 1500]
    path = tmp_path / "holed.mkv"
    path.write_bytes(content)
    video = VideoReader(path)
    times = [f.time_s for f in video]
    assert 60 < len(times) <= 100 and times[-1] > 3.5
    assert all(a < b for a, b in pairwise(times))


def test_selection_by_time(tmp_path: Path) -> None:
    path = make(tmp_path / "v.mp4", 50)
    frames = list(VideoReader(path, 0.4, 1.2))
    assert [f.index for f in frames] == list(range(10, 30))
    assert frames[0].time_s == 0.4
    video = VideoReader(path, 0.4, 1.2)
    assert video.frame_count == 20 and list(video) and video.warnings == []
    with pytest.raises(
        PointlightError, match=r"no frame of .* lies in the time asked for \(9 s to the end\)"
    ):
        list(VideoReader(path, 9.0))
    with pytest.raises(PointlightError, match="must come after the start"):
        VideoReader(path, 2.0, 1.0)


@pytest.mark.parametrize(
    "options", [{"g": "30"}, {"g": "30", "x264-params": "open-gop=1:bframes=4:scenecut=0"}]
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_late_start_seeks_and_keeps_numbers(tmp_path: Path, options: dict[str, str], suffix: str) -> None:
    path = make(tmp_path / f"v.{suffix}", 300, 25, options=options)
    everything = list(VideoReader(path))
    for start_s in (5.0, 7.23, 11.9):
        late = list(VideoReader(path, start_s))
        expected = [f for f in everything if f.time_s >= start_s]
        assert [(f.index, f.time_s) for f in late] == [(f.index, f.time_s) for f in expected]
        assert all(np.array_equal(a.image, b.image) for a, b in zip(late, expected, strict=True))


def test_stream_without_time_stamps(tmp_path: Path) -> None:
    path = tmp_path / "raw.h264"
    with av.open(str(path), "w", format="h264") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for i in range(12):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(i))))
        output.mux(stream.encode(None))
    video = VideoReader(path)
    np.testing.assert_allclose(video.times().time_s, np.arange(12) / 25, atol=1e-9)
    assert any("gives no time for 12 frames" in warning for warning in video.warnings)


def test_joined_files_keep_times_growing(tmp_path: Path) -> None:
    """Two transport streams one after the other: the clock starts anew in the middle."""
    part = make(tmp_path / "part.ts", 60, options={"bf": "0"}).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(part + part)
    video = VideoReader(path)
    times = [f.time_s for f in video]
    assert len(times) == 120 and all(a < b for a, b in pairwise(times))
    assert times[-1] - times[0] == pytest.approx(119 / 25, abs=0.3)


def test_bad_files_say_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is not a video\n" * 40)
    (tmp_path / "zero.mp4").touch()
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    late = make(tmp_path / "late.mp4", 50).read_bytes()
    (tmp_path / "headless.mp4").write_bytes(late[: len(late) // 2])
    empty = make(tmp_path / "whole.mp4", 50, container={"movflags": "faststart"}).read_bytes()
    (tmp_path / "empty.mp4").write_bytes(empty[: empty.index(b"mdat") + 4])
    for name, sentence in {
        "none.mp4": "there is no file .*none.mp4",
        "text.mp4": "text.mp4 is not a video",
        "zero.mp4": "zero.mp4 is an empty file",
        "sound.wav": "sound.wav has no pictures, only audio",
        "headless.mp4": "headless.mp4 is an MP4 or MOV file whose index is missing",
        "empty.mp4": "no frame of it can be decoded",
        "": "is a folder",
    }.items():
        with pytest.raises(PointlightError, match=sentence):
            VideoReader(tmp_path / name)


def test_contact_sheet_and_png(tmp_path: Path) -> None:
    sheet = contact_sheet(make(tmp_path / "v.mp4", 45), every=20, columns=2)
    assert sheet.shape == (2 * 64 + 3 * 6, 2 * 96 + 3 * 6, 3)
    write_png(tmp_path / "sheet.png", sheet)
    np.testing.assert_array_equal(read_picture(tmp_path / "sheet.png"), sheet)
    with pytest.raises(PointlightError, match="is not a picture"):
        read_picture(tmp_path / "v.mp4")
    with pytest.raises(PointlightError, match="cannot be made"):
        contact_sheet(tmp_path / "v.mp4", every=0)


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    import resource

    path = make(tmp_path / "v.mp4", 1500, size=(1280, 720), options={"preset": "ultrafast"})
    high: list[int] = []
    for frame in VideoReader(path):
        if frame.index % 300 == 200:
            high.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert high[-1] - high[0] < 20_000


def test_decoded_pictures_are_let_go_of_without_the_garbage_collector(tmp_path: Path) -> None:
    video = make(tmp_path / "v.mp4", 40)
    gc.collect()
    gc.disable()
    try:
        for _ in VideoReader(video):
            pass
        kept = sum(type(item) is av.VideoFrame for item in gc.get_objects())
    finally:
        gc.enable()
    assert kept <= 4
