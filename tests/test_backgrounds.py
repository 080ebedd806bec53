"""Backgrounds: which videos, which frames of them, cached windows, what a sample shows."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import warnings
import wave
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner
from video_files import VideoSpec, write_video

from pointlight.body import AnnyBody
from pointlight.cli.main import app
from pointlight.errors import PointlightError
from pointlight.motion import procedural_bank
from pointlight.progress import Progress
from pointlight.provenance import files_sha256
from pointlight.simulator.backgrounds import (
    BackgroundConfig,
    BackgroundSampler,
    ProceduralWindows,
    WindowCache,
    WindowConfig,
    cache_report,
    fill_cache,
    fill_cache_with,
    list_backgrounds,
)
from pointlight.simulator.backgrounds.filling import cut_out, draw_crop
from pointlight.simulator.backgrounds.patterns import SIDE_PX, TEXTURE_SPLITS, make_texture
from pointlight.simulator.backgrounds.procedural import ProceduralConfig, make_scene
from pointlight.simulator.backgrounds.scan import (
    VideoFacts,
    content_box,
    find_cuts,
    repeated_frames,
    scan_video,
    thinned,
)
from pointlight.simulator.backgrounds.stored_pictures import read_frames, write_frames
from pointlight.simulator.backgrounds.windows import window_settings
from pointlight.simulator.clips import (
    OccluderConfig,
    Sources,
    find_synthesis_recipe,
    open_maker,
    prepare_backgrounds,
)

pytest.importorskip("cv2", reason="OpenCV is not installed; it comes with the extra flow")

WIDTH, HEIGHT = 200, 150
NO_PATHS = WindowConfig(per_video=2, flow=())


@functools.cache
def scenery(seed: int = 0) -> np.ndarray:
    """A large picture (300, 600, 3) with detail of all sizes."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((300, 600, 3))
    for size in (4, 10, 30, 75):
        coarse = rng.uniform(0, 1, (300 // size + 1, 600 // size + 1, 3))
        picture += coarse.repeat(size, 0).repeat(size, 1)[:300, :600]
    return (30 + 45 * picture).astype(np.uint8)


def panned(number: int, seed: int = 0, speed: int = 3) -> np.ndarray:
    """Frame `number` of a camera that pans over a scenery."""
    left = (speed * number) % (600 - WIDTH)
    return scenery(seed)[60 : 60 + HEIGHT, left : left + WIDTH]


def film(
    path: Path,
    count: int,
    rate: int = 30,
    picture: Callable[[int], np.ndarray] = panned,
    options: dict[str, str] | None = None,
) -> Path:
    """A video made by PyAV alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options or {}) as output:
        stream = output.add_stream(
            "libx264", rate=Fraction(rate), options={"crf": "16", "preset": "ultrafast"}
        )
        stream.height, stream.width = picture(0).shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(count):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number))))
        output.mux(stream.encode(None))
    return path


def write_index(folder: Path, rows: list[str]) -> None:
    (folder / "index.csv").write_text(
        "file,class,has_people,camera_moves,split,permissive\n" + "\n".join(rows)
    )


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(path.name))


# Which videos


def test_an_index_decides_the_split(tmp_path: Path) -> None:
    touch(*(tmp_path / "a" / f"{name}.mp4" for name in "vwxyz"))
    write_index(
        tmp_path,
        [
            "a/z.mp4,a,yes,yes,train,no",
            "a/x.mp4,a,no,no,train,yes",
            "a/y.mp4,a,unknown,no,heldout,no",
            "a/w.mp4,a,no,no,none,no",
            "a/gone.mp4,a,no,no,train,no",
        ],
    )
    train = list_backgrounds(tmp_path)
    assert [entry.file for entry in train.files] == ["a/x.mp4", "a/z.mp4"] and train.missing == (
        "a/gone.mp4",
    )
    assert [entry.has_people for entry in train.files] == [False, True] and train.people_share == 0.5
    assert [entry.file for entry in train.chosen(people=False).files] == ["a/x.mp4"]
    assert [entry.file for entry in train.chosen(permissive_only=True).files] == ["a/x.mp4"]
    heldout = list_backgrounds(tmp_path, "heldout")
    assert [entry.file for entry in heldout.files] == ["a/y.mp4"]
    assert heldout.files[0].has_people is None and heldout.chosen(people=False).files == ()
    with pytest.raises(PointlightError, match="no video of the split 'validation', only of heldout, train"):
        list_backgrounds(tmp_path, "validation")
    with pytest.raises(PointlightError, match="no split 'test'"):
        list_backgrounds(tmp_path, "test")


def test_an_index_as_spreadsheets_write_it(tmp_path: Path) -> None:
    """A byte order mark, Windows' line ends, capitals; a name in another encoding; a row without a file."""
    touch(tmp_path / "x.mp4", tmp_path / os.fsdecode(b"caf\xe9.mp4"))
    rows = [b"file,class,has_people,split", b"x.mp4,a,TRUE,Train", b"caf\xe9.mp4,a,No,train ", b",a,no,train"]
    (tmp_path / "index.csv").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(rows) + b"\r\n")
    files = list_backgrounds(tmp_path).files
    assert [(os.fsencode(entry.file), entry.has_people) for entry in files] == [
        (b"caf\xe9.mp4", False),
        (b"x.mp4", True),
    ]
    (tmp_path / "index.csv").write_text("file,has_people,split\nx.mp4,perhaps,train\n")
    with pytest.raises(PointlightError, match="says 'perhaps' in the column has_people; write yes, no"):
        list_backgrounds(tmp_path)
    (tmp_path / "index.csv").write_text("file;split\nx.mp4;train\n")
    with pytest.raises(PointlightError, match="file and split, with commas"):
        list_backgrounds(tmp_path)


def test_names_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    """File names are bytes: Latin-1 ones become windows, are hashed, stored, and printed."""
    odd = os.fsdecode(b"caf\xe9.mp4")
    film(tmp_path / "v.mp4", 40).rename(tmp_path / odd)
    film(tmp_path / "s.mp4", 4).rename(tmp_path / os.fsdecode(b"short\xff.mp4"))
    manifest = list_backgrounds(tmp_path)
    assert manifest.files[0].file == odd and manifest.sha256
    with pytest.warns(UserWarning, match="fewer than the 31"):
        cache = fill_cache(tmp_path / "cache", manifest, NO_PATHS)
    assert cache.read(0).source.file == odd
    assert cache_report(cache)["too_short_share"] == 0.5
    assert files_sha256([tmp_path / odd, tmp_path / os.fsdecode(b"short\xff.mp4")])


def test_a_manifest_is_its_files_not_its_place(tmp_path: Path) -> None:
    touch(tmp_path / "one" / "a.mp4", tmp_path / "one" / "b.mp4")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    first, second = list_backgrounds(tmp_path / "one"), list_backgrounds(tmp_path / "two")
    assert first.sha256 == second.sha256
    (tmp_path / "two" / "b.mp4").write_bytes(b"c.mp4")
    assert list_backgrounds(tmp_path / "two").sha256 != first.sha256


def test_a_file_of_two_splits_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "x.mp4")
    write_index(tmp_path, ["x.mp4,a,no,no,train,no", "x.mp4,a,no,no,heldout,no"])
    with pytest.raises(PointlightError, match="'train' and 'heldout'"):
        list_backgrounds(tmp_path)


def test_kinetics_lists_and_their_traps(tmp_path: Path) -> None:
    ids = {"dash": "-3B32lodo2M", "under": "a_b-c_d_e_f", "late": "zzzzzzzzzzz", "test": "ttttttttttt"}
    name = {key: f"{value}_000010_000020.mp4" for key, value in ids.items()}
    touch(
        tmp_path / "abseiling (rock)" / name["dash"],
        tmp_path / "train" / name["under"],
        tmp_path / "val" / name["late"],
        tmp_path / "test" / name["test"],
        tmp_path / "replacement" / "replacement_for_corrupted_k400" / name["under"],
        tmp_path / "loose" / "unlisted.mp4",
    )
    (tmp_path / "train.csv").write_text(
        "label,youtube_id,time_start,time_end,split,is_cc\n"
        f'"abseiling (rock)",{ids["dash"]},10,20,train,0\npull ups,{ids["under"]},10,20,train,0\n'
    )
    (tmp_path / "test.csv").write_text(f"youtube_id,time_start,time_end,split\n{ids['test']},10,20,test\n")
    train = {entry.file: entry.group for entry in list_backgrounds(tmp_path).files}
    assert train == {
        f"abseiling (rock)/{name['dash']}": "abseiling (rock)",
        f"replacement/replacement_for_corrupted_k400/{name['under']}": "pull ups",
    }
    assert [entry.file for entry in list_backgrounds(tmp_path, "validation").files] == [f"val/{name['late']}"]
    assert [entry.file for entry in list_backgrounds(tmp_path, "heldout").files] == [f"test/{name['test']}"]


def test_any_folder_will_do(tmp_path: Path) -> None:
    touch(tmp_path / "holiday" / "Beach.MOV", tmp_path / "top.webm", tmp_path / "notes.txt")
    files = list_backgrounds(tmp_path).files
    assert [(entry.file, entry.group) for entry in files] == [
        ("holiday/Beach.MOV", "holiday"),
        ("top.webm", ""),
    ]
    with pytest.raises(PointlightError, match="there is no folder"):
        list_backgrounds(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PointlightError, match=r"it needs \.mp4"):
        list_backgrounds(tmp_path / "empty")


# Which frames


@pytest.mark.parametrize(("rate", "every"), [(24, 1), (30, 1), (40, 1), (50, 2), (60, 2), (120, 4)])
def test_fast_videos_are_thinned_evenly(rate: int, every: int) -> None:
    found, kept = thinned(np.arange(200) / rate)
    assert found == every
    assert set(np.diff(kept)) == {every}


def test_thinning_goes_by_the_time_stamps() -> None:
    """A phone's 60 frames/s with some frames missing: the picture after a missing one comes no later."""
    numbers = np.delete(np.arange(120), [31, 60])
    _, kept = thinned(numbers / 60)
    assert np.diff(numbers[kept]).max() <= 3 and np.diff(numbers[kept]).min() >= 2
    assert np.median(np.diff(numbers[kept])) == 2


def test_a_60_fps_file_plays_every_second_frame(tmp_path: Path) -> None:
    facts = scan_video(film(tmp_path / "v.mp4", 80, 60))
    assert facts.thinned == 2 and facts.fps == pytest.approx(60) and facts.runs() == [(0, 40)]
    assert set(np.diff(facts.played)) == {2}


def test_repeated_frames_are_not_played(tmp_path: Path) -> None:
    """24 frames/s brought to 30 by doubling every fourth."""
    numbers = [number - number // 5 for number in range(75)]
    facts = scan_video(film(tmp_path / "v.mp4", 75, 30, lambda n: panned(numbers[n])))
    shown = [numbers[number] for number in facts.played]
    assert shown == list(range(len(shown))) and facts.repeated == 75 - len(shown) > 10
    assert facts.runs() == [(0, len(shown))]


def test_slow_motion_is_not_repetition() -> None:
    assert not repeated_frames(np.full(40, 0.2)).any()
    assert not repeated_frames(np.linspace(0.2, 2.0, 40)).any()
    doubled = np.tile((2.0, 0.0), 20)
    assert np.array_equal(np.flatnonzero(repeated_frames(doubled)), np.arange(2, 41, 2))


def test_copies_that_were_encoded_anew_are_known_by_the_dip() -> None:
    """Differences of a real file, 10 frames/s brought to 30 and compressed again."""
    change = np.array([14.3, 1.3, 1.8, 14.3, 2.1, 1.8, 11.0, 0.8, 0.7, 14.4, 1.5, 1.8, 10.9, 1.5, 1.1, 11.5])
    assert np.array_equal(np.flatnonzero(~repeated_frames(change)), [0, 1, 4, 7, 10, 13, 16])
    shaken = 2.0 + 1.5 * np.sin(0.5 * np.arange(30))
    assert not repeated_frames(shaken).any()


def test_cuts_are_found_and_not_crossed(tmp_path: Path) -> None:
    facts = scan_video(
        film(tmp_path / "v.mp4", 110, 30, lambda n: panned(n, 0 if n < 37 else 5 if n < 70 else 9))
    )
    assert facts.cuts == (37, 70) and facts.runs() == [(0, 37), (37, 70), (70, 110)]
    short = film(tmp_path / "short.mp4", 60, 30, lambda n: panned(n, n // 20))
    with pytest.raises(PointlightError, match="no 31 different frames between cuts, only 20"):
        scan_video(short)


def test_fast_pans_and_flashes_of_light_are_no_cuts() -> None:
    fast = np.stack([panned(n, speed=25)[::6, ::6] for n in range(15)])
    assert find_cuts(fast) == []
    brighter = np.stack([panned(n)[::6, ::6].astype(float) * (1 + 0.02 * n) for n in range(15)])
    assert find_cuts(brighter.clip(0, 255).astype(np.uint8)) == []


def barred(number: int) -> np.ndarray:
    image = panned(number).copy()
    image[:20] = image[-24:] = 16
    image[:, :10] = 12
    return image


def test_black_bars_are_cropped(tmp_path: Path) -> None:
    facts = scan_video(film(tmp_path / "v.mp4", 40, 30, barred))
    left, top, right, bottom = facts.content
    assert 10 <= left <= 14 and 20 <= top <= 24 and right == WIDTH and HEIGHT - 28 <= bottom <= HEIGHT - 24
    cache = fill_cache(
        tmp_path / "cache", list_backgrounds(tmp_path), replace(NO_PATHS, largest_enlargement=3.0)
    )
    assert cache_report(cache)["with_bars_share"] == 1
    for number in range(len(cache)):
        frames = cache.read(number).frames
        assert min(frames.max(axis=(0, 3)).min(axis=0).min(), frames.max(axis=(0, 3)).min()) > 45


def test_a_dark_picture_has_no_bars() -> None:
    assert content_box(np.full(100, 20), np.full(200, 20)) == (0, 0, 200, 100)
    spot = np.where(np.abs(np.arange(100) - 50) < 5, 200, 5)
    assert content_box(spot, np.full(200, 200)) == (0, 0, 200, 100)


def test_a_still_picture_is_no_moving_background(tmp_path: Path) -> None:
    with pytest.raises(PointlightError, match="still picture"):
        scan_video(film(tmp_path / "v.mp4", 40, 30, lambda n: panned(0)))


# Where the pixels are


@pytest.mark.parametrize(
    ("size", "crop"),
    [
        ((640, 480), (0.0, 0.0, 640.0, 480.0)),
        ((200, 150), (0.0, 0.0, 200.0, 150.0)),
        ((512, 288), (41.3, 0.0, 384.0, 288.0)),
        ((500, 400), (100.25, 50.5, 330.0, 247.5)),
    ],
)
def test_a_spot_lands_where_its_coordinates_say(
    size: tuple[int, int], crop: tuple[float, float, float, float]
) -> None:
    width, height = size
    scale = 320 / crop[2]
    for spot in ((0.5, 0.5), (0.31, 0.72)):
        centre = np.array([crop[0] + spot[0] * crop[2], crop[1] + spot[1] * crop[3]])
        y, x = np.mgrid[:height, :width] + 0.5
        light = 220 * np.exp(-0.5 * ((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / 6**2)
        seen = cut_out(np.repeat(light[..., None], 3, -1).round().astype(np.uint8), crop)[..., 0].astype(
            float
        )
        assert seen.shape == (240, 320)
        v, u = np.mgrid[:240, :320] + 0.5
        found = np.array([(u * seen).sum(), (v * seen).sum()]) / seen.sum()
        np.testing.assert_allclose(found, (centre - crop[:2]) * scale, atol=0.05)


def test_crops_stay_inside_and_one_side_is_whole() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        size = tuple(int(side) for side in rng.integers(160, 900, 2))
        left, top, width, height = draw_crop(size, 1.0, tuple(rng.random(2)))
        assert width / height == pytest.approx(4 / 3)
        assert width == pytest.approx(size[0]) or height == pytest.approx(size[1])
        assert (
            left >= -1e-9
            and top >= -1e-9
            and left + width <= size[0] + 1e-6
            and top + height <= size[1] + 1e-6
        )
    assert draw_crop((456, 240), 1.0, (0.37, 0.0)) == (50.0, 0.0, 320.0, 240.0)


# The cache


def test_a_video_that_changes_its_shape_is_no_background(tmp_path: Path) -> None:
    parts = []
    for part, size in enumerate(((96, 64), (48, 64))):
        spec = VideoSpec(
            suffix="ts",
            size=size,
            times_s=[i / 25 for i in range(35)],
            container={"output_ts_offset": f"{1.4 * part}"},
        )
        parts.append(write_video(tmp_path / f"{part}.ts", spec).read_bytes())
    (tmp_path / "v.mkv").write_bytes(b"".join(parts))
    with pytest.raises(PointlightError, match="changes its picture size"):
        scan_video(tmp_path / "v.mkv")


def test_titles_in_another_encoding_do_no_harm(tmp_path: Path) -> None:
    path = film(tmp_path / "v.mp4", 35, options={"movflags": "faststart"})
    tagged = path.read_bytes().replace(b"Lavf", b"\xce\xd2\xff\xfe")
    assert tagged != path.read_bytes()
    path.write_bytes(tagged)
    assert scan_video(path).runs() == [(0, 35)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WindowCache]:
    """Two good videos, one with people."""
    folder = tmp_path_factory.mktemp("videos")
    film(folder / "a" / "empty.mp4", 45, 30)
    film(folder / "b" / "people.mp4", 40, 25, lambda n: panned(n, 7, 2))
    write_index(folder, ["a/empty.mp4,a,no,yes,train,yes", "b/people.mp4,b,yes,yes,train,no"])
    config = WindowConfig(per_video=2, flow=("dis-fast",))
    return folder, fill_cache(tmp_path_factory.mktemp("cache"), list_backgrounds(folder), config)


def folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def test_windows_keep_path_and_source(filled: tuple[Path, WindowCache]) -> None:
    _, cache = filled
    assert len(cache) == 4 and cache.split == "train"
    window = cache.read(0)
    assert window.frames.shape == (31, 240, 320, 3) and window.frames.dtype == np.uint8
    source = window.source
    assert source.file == "a/empty.mp4" and source.permissive and source.has_people is False
    # The scene moves 3 px a frame to the left in the file.
    scale = 320 / source.crop_px[2]
    steps = np.diff(window.paths_px["dis-fast"], axis=0)
    assert np.median(np.abs(steps - np.array([-3 * scale, 0]))) < 0.25
    assert cache_report(cache)["people_share"] == 0.5
    first = round(source.start_s * 30)
    expected = cut_out(panned(first), source.crop_px).astype(int)
    assert np.abs(window.frames[0] - expected).mean() < 6


def test_windows_have_the_length_that_is_asked_for(tmp_path: Path) -> None:
    film(tmp_path / "short.mp4", 50)
    film(tmp_path / "long.mp4", 70)
    config = WindowConfig(per_video=2, flow=("dis-fast",), frames=56)
    with pytest.warns(UserWarning, match="short.mp4 has 50 frames, fewer than the 56 of a clip"):
        cache = fill_cache(tmp_path / "cache", list_backgrounds(tmp_path), config)
    assert cache.config == config and cache_report(cache)["too_short_share"] == 0.5
    for number in range(2):
        window = cache.read(number)
        assert window.frames.shape == (56, 240, 320, 3) and window.paths_px["dis-fast"].shape == (56, 2)
    with pytest.raises(PointlightError, match="begun with other settings"):
        fill_cache(tmp_path / "cache", list_backgrounds(tmp_path), replace(config, frames=31))
    usual, of_31 = window_settings("train", WindowConfig()), window_settings("train", WindowConfig(frames=31))
    assert usual == of_31 and "frames" not in usual["config"]  # as caches of version 0.1.0 say it


def test_no_frame_of_a_moving_background_stands_still(tmp_path: Path) -> None:
    """Two converted files: doubled frames, and 60 frames/s of which each is shown twice."""
    film(tmp_path / "doubled.mp4", 80, 30, lambda n: panned(n // 2))
    film(tmp_path / "fast.mp4", 150, 60, lambda n: panned(n // 2))
    cache = fill_cache(
        tmp_path / "cache", list_backgrounds(tmp_path), WindowConfig(per_video=3, flow=("dis-fast",))
    )
    assert len(cache) == 6 and cache_report(cache)["with_repeated_frames_share"] == 1
    for number in range(len(cache)):
        window = cache.read(number)
        scale = 320 / window.source.crop_px[2]
        speed = np.abs(np.diff(window.paths_px["dis-fast"][:, 0]))
        np.testing.assert_allclose(speed, 3 * scale, atol=0.6)


def test_broken_files_are_named_once_and_left_out(tmp_path: Path) -> None:
    good = film(tmp_path / "good.mp4", 40)
    early = film(tmp_path / "early.mp4", 90, options={"movflags": "faststart"}).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (tmp_path / "early.mp4").write_bytes(early[: 2 * len(early) // 3])
    (tmp_path / "text.mp4").write_text("no video at all\n" * 30)
    (tmp_path / "zero.mp4").write_bytes(b"")
    film(tmp_path / "five.mp4", 5)
    with wave.open(str(tmp_path / "sound.mp4"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    with pytest.warns(UserWarning) as caught:
        cache = fill_cache(tmp_path / "cache", list_backgrounds(tmp_path), NO_PATHS)
    said = [str(warning.message) for warning in caught]
    assert len(said) == 6
    for name, reason in (
        ("cut.mp4", "index is missing"),
        ("early.mp4", "damaged|ends early"),
        ("text.mp4", "not a video"),
        ("zero.mp4", "0 bytes"),
        ("five.mp4", "5 frames, fewer than the 31"),
        ("sound.mp4", "no pictures, only audio"),
    ):
        (sentence,) = [text for text in said if name in text]
        assert any(part in sentence for part in reason.split("|")), sentence
    assert len(cache) == 2 and {cache.read(n).source.file for n in range(2)} == {"good.mp4"}
    assert cache_report(cache)["left_out_share"] == pytest.approx(6 / 7)
    assert cache_report(cache)["too_short_share"] == pytest.approx(1 / 7)
    with pytest.raises(PointlightError, match="none of the 1 videos"), pytest.warns(UserWarning):
        (tmp_path / "bad").mkdir()
        shutil.copy(tmp_path / "text.mp4", tmp_path / "bad")
        fill_cache(tmp_path / "cache2", list_backgrounds(tmp_path / "bad"), NO_PATHS)


def test_filling_goes_on_after_an_interruption_to_the_same_bytes(tmp_path: Path) -> None:
    for number in range(3):
        film(tmp_path / f"{number}.mp4", 35 + number, 30, lambda n, seed=number: panned(n, seed))
    manifest = list_backgrounds(tmp_path)
    whole = fill_cache(tmp_path / "whole", manifest, NO_PATHS)

    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_cache(tmp_path / "resumed", manifest, NO_PATHS, stop)
    with pytest.raises(PointlightError, match="not a finished cache"):
        WindowCache(tmp_path / "resumed")
    kept = next((tmp_path / "resumed" / "videos").rglob("frames.npy"))
    written = kept.stat().st_mtime_ns
    (kept.parents[2] / ".x.partial").mkdir()
    resumed = fill_cache(tmp_path / "resumed", manifest, NO_PATHS)
    assert kept.stat().st_mtime_ns == written
    assert resumed.sha256 == whole.sha256
    assert folder_digest(tmp_path / "resumed") == folder_digest(tmp_path / "whole")
    with pytest.raises(PointlightError, match="begun with other settings"):
        fill_cache(tmp_path / "whole", manifest, WindowConfig(per_video=3, flow=()))


def test_paths_can_be_added_later(tmp_path: Path) -> None:
    film(tmp_path / "v.mp4", 35)
    cache = fill_cache(tmp_path / "cache", list_backgrounds(tmp_path), NO_PATHS)
    sampler = BackgroundSampler(cache, BackgroundConfig(flow="dis-fast"))
    with pytest.raises(PointlightError, match=r"has no path by 'dis-fast', only by none; add it"):
        sampler.sample(0, 0)
    seen: list[Progress] = []
    cache.add_paths("dis-fast", progress=seen.append)
    assert seen == [Progress("camera", done, 2, "dis-fast", unit="window") for done in (1, 2)]
    assert np.abs(sampler.sample(0, 0).path_px).max() > 20


@pytest.mark.parametrize(("store", "levels"), [("planes", 1.5), ("jpeg", 3.0)])
def test_stored_frames_come_back(tmp_path: Path, store: str, levels: float) -> None:
    scene = make_scene(ProceduralConfig(noise=0.0), "train", np.random.default_rng(3), frames=3)
    frames = scene.frames.copy()
    frames[1, :120] = (250, 20, 40)
    frames[2, :, :160] = (10, 60, 240)
    write_frames(tmp_path, frames, store)
    seen = read_frames(tmp_path)
    assert seen.shape == frames.shape and seen.dtype == np.uint8
    assert np.abs(seen.mean(-1) - frames.mean(-1)).mean() < levels
    np.testing.assert_allclose(seen[1, 50, 100], (250, 20, 40), atol=3)
    np.testing.assert_allclose(seen[2, 50, 100], (10, 60, 240), atol=3)


def test_an_unknown_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PointlightError, match="stored as 'png'; choose one of planes, jpeg"):
        fill_cache_with(tmp_path, ProceduralWindows(1, 0), WindowConfig(flow=(), store="png"))


# What a sample shows


def sample_digest(sampler: BackgroundSampler, indices: range) -> str:
    digest = hashlib.sha256()
    for index in indices:
        clip = sampler.sample(1, index)
        digest.update(clip.frames.tobytes() + clip.path_px.tobytes() + repr(clip.provenance).encode())
    return digest.hexdigest()


def test_a_sample_is_a_pure_function(filled: tuple[Path, WindowCache]) -> None:
    _, cache = filled
    config = BackgroundConfig(flow="dis-fast", flip_share=0.5, reverse_share=0.5)
    sampler = BackgroundSampler(cache, config)
    assert sample_digest(sampler, range(8)) == sample_digest(
        BackgroundSampler(WindowCache(cache.folder), config), range(8)
    )
    ways = {
        (clip.provenance.window, clip.provenance.flipped, clip.provenance.reversed)
        for clip in (sampler.sample(0, index) for index in range(12))
    }
    assert len(ways) > 5
    assert sampler.people_share == 0.5


def test_the_decisions_of_a_seed_stay_what_they_are(filled: tuple[Path, WindowCache]) -> None:
    """Pictures may differ with a codec's version, decisions never."""
    _, cache = filled
    config = BackgroundConfig(flow="dis-fast", flip_share=0.5, reverse_share=0.5)
    sampler = BackgroundSampler(cache, config)
    drawn = [sampler.sample(11, index).provenance for index in range(6)]
    decisions = [(p.window, p.flipped, p.reversed) for p in drawn]
    assert decisions == [
        (1, False, True),
        (0, True, False),
        (1, False, False),
        (3, True, True),
        (0, False, True),
        (3, True, False),
    ]


def test_flips_and_reversal_act_on_frames_and_path(filled: tuple[Path, WindowCache]) -> None:
    _, cache = filled
    plain = BackgroundSampler(cache, BackgroundConfig(flow="dis-fast")).sample(0, 4)
    turned = BackgroundSampler(
        cache, BackgroundConfig(flow="dis-fast", flip_share=1, reverse_share=1)
    ).sample(0, 4)
    assert plain.provenance.window == turned.provenance.window
    assert np.array_equal(turned.frames, plain.frames[::-1, :, ::-1])
    np.testing.assert_array_equal(turned.path_px, plain.path_px[::-1] * (-1, 1))
    labels = np.arange(31 * 4 * 6).reshape(31, 4, 6)
    both = turned.provenance
    assert both.as_shown(labels)[0, 1, 0] == labels[30, 1, 5]
    assert np.array_equal(both.as_shown(both.as_shown(labels)), labels)
    assert replace(both, reversed=False).as_shown(labels)[1, 2, 0] == labels[1, 2, -1]
    assert replace(both, flipped=False).as_shown(labels)[0, 2, 3] == labels[-1, 2, 3]
    # Mirrored and backwards, the scene moves as before.
    np.testing.assert_allclose(np.diff(turned.path_px[:, 0]), np.diff(plain.path_px[::-1, 0]) * -1)


def test_a_static_background_is_one_frame(filled: tuple[Path, WindowCache]) -> None:
    _, cache = filled
    sampler = BackgroundSampler(cache, BackgroundConfig(flow="dis-fast", static=True))
    clips = [sampler.sample(0, index) for index in range(6)]
    for clip in clips:
        assert (clip.frames == clip.frames[:1]).all() and not clip.path_px.any()
        assert np.array_equal(clip.frames[0], clip.window.frames[clip.provenance.static_frame])
    assert len({clip.provenance.static_frame for clip in clips}) > 2


def test_people_are_a_switch(filled: tuple[Path, WindowCache]) -> None:
    _, cache = filled
    sampler = BackgroundSampler(cache, BackgroundConfig(flow="dis-fast", people=False))
    assert {sampler.sample(0, index).provenance.source.file for index in range(8)} == {"a/empty.mp4"}
    assert sampler.people_share == 0


def test_a_damaged_window_is_named_once_and_passed_over(
    filled: tuple[Path, WindowCache], tmp_path: Path
) -> None:
    _, cache = filled
    shutil.copytree(cache.folder, tmp_path / "copy")
    copy = WindowCache(tmp_path / "copy")
    (copy.window_folder(0) / "frames.npy").write_bytes(b"no picture")
    sampler = BackgroundSampler(copy, BackgroundConfig(flow="dis-fast"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clips = [sampler.sample(0, index) for index in range(12)]
    assert len(caught) == 1 and "is damaged" in str(caught[0].message)
    assert {clip.provenance.window for clip in clips} == {1, 2, 3}


# Made scenes


def test_texture_families_have_one_split_each() -> None:
    assert set(TEXTURE_SPLITS.values()) == {"train", "validation", "heldout"}
    for family in TEXTURE_SPLITS:
        texture = make_texture(family, np.random.default_rng(1))
        assert texture.shape == (SIDE_PX, SIDE_PX, 3) and texture.std() > 3
        # It repeats without a seam: steps across the border are like steps inside.
        for axis in (0, 1):
            inner = np.abs(np.diff(texture.astype(int), axis=axis)).mean(axis=(1 - axis, 2))
            border = np.abs(texture.take(0, axis).astype(int) - texture.take(-1, axis)).mean()
            assert border <= 1.3 * inner.max() + 2, family


def test_made_windows_are_pure_and_of_one_split() -> None:
    first, again = ProceduralWindows(3, 5).read(1), ProceduralWindows(30, 5).read(1)
    assert np.array_equal(first.frames, again.frames) and first.frames.shape == (31, 240, 320, 3)
    assert not np.array_equal(first.frames, ProceduralWindows(3, 6).read(1).frames)
    assert first.source.split == "train" and first.source.permissive
    assert np.array_equal(first.paths_px["exact"][15], (0, 0))
    with pytest.raises(PointlightError, match="no split 'none'"):
        ProceduralWindows(3, 5, "none")
    with pytest.raises(PointlightError, match="0 made backgrounds"):
        ProceduralWindows(0, 5)


def test_the_true_flow_of_a_made_scene_carries_its_pixels() -> None:
    still_things = ProceduralConfig(moving_share=1.0, things=(0, 0), layers=(0, 0), noise=0.0)
    scene = make_scene(still_things, "train", np.random.default_rng(2), frames=3)
    flow = scene.flow(0)
    v, u = np.mgrid[20:220:7, 20:300:7]
    moved = np.stack((u, v), -1) + flow[v, u]
    low = np.floor(moved).astype(int)
    part = moved - low
    inside = ((low >= 0) & (low < (319, 239))).all(-1)
    low, part = low[inside], part[inside]
    after = scene.frames[1].astype(float)
    there = sum(
        after[low[:, 1] + j, low[:, 0] + i]
        * (np.abs(1 - i - part[:, 0]) * np.abs(1 - j - part[:, 1]))[:, None]
        for i in (0, 1)
        for j in (0, 1)
    )
    here = scene.frames[0][v[inside], u[inside]]
    assert np.median(np.abs(there - here)) < 4
    assert np.abs(flow).max() > 0.2


def test_made_backgrounds_are_varied_and_move() -> None:
    made = [
        make_scene(ProceduralConfig(), "train", np.random.default_rng(seed), frames=3) for seed in range(8)
    ]
    still = [scene for scene in made if np.abs(scene.path_px()).max() == 0]
    assert 0 < len(still) < 6
    colours = np.array([scene.frames.mean(axis=(0, 1, 2)) for scene in made])
    assert colours.std(axis=0).min() > 15
    for scene in made:
        assert np.abs(scene.flow(0, 4)).max() > 0.1


def test_made_windows_can_be_cached(tmp_path: Path) -> None:
    windows = ProceduralWindows(1, 3)
    cache = fill_cache_with(tmp_path, windows, WindowConfig(flow=()))
    again = fill_cache_with(tmp_path, windows, WindowConfig(flow=()))
    assert len(cache) == len(again) == 1 and cache.sha256 == again.sha256
    made, stored = windows.read(0), cache.read(0)
    assert np.abs(made.frames.astype(int) - stored.frames).mean() < 5
    np.testing.assert_array_equal(made.paths_px["exact"], stored.paths_px["exact"])
    assert BackgroundSampler(cache, BackgroundConfig(people=False)).sample(0, 0).provenance.flow == "exact"


# Real videos


def test_real_training_videos_make_windows(shared_data: Path, tmp_path: Path) -> None:
    splits = {
        split: list_backgrounds(shared_data / "backgrounds", split)
        for split in ("train", "validation", "heldout")
    }
    names = [{entry.file for entry in manifest.files} for manifest in splits.values()]
    assert not names[0] & names[1] and not names[0] & names[2] and not names[1] & names[2]
    train = splits["train"]
    assert len(train.files) > 80 and train.people_share is not None and 0.5 < train.people_share < 0.9
    chosen = train.chosen(permissive_only=True)
    few = type(chosen)(chosen.folder, chosen.split, chosen.files[:2])
    cache = fill_cache(tmp_path, few, WindowConfig(per_video=1, flow=()))
    assert 0 < len(cache) <= 2
    assert all(cache.read(number).frames.std() > 10 for number in range(len(cache)))


# Filling the cache for a recipe


def few_videos(folder: Path) -> Path:
    for number in range(2):
        film(folder / f"{number}.mp4", 34 + number, 30, lambda n, seed=number: panned(n, seed))
    (folder / "text.mp4").write_text("no video at all\n" * 30)
    return folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WindowCache]:
    """Videos, and a cache that was filled without a pause."""
    videos = few_videos(tmp_path_factory.mktemp("few"))
    with pytest.warns(UserWarning, match=r"text\.mp4"):
        filled = prepare_backgrounds(QUICK, videos, windows_per_video=2, cache=tmp_path_factory.mktemp("c"))
    return videos, filled


QUICK = replace(
    find_synthesis_recipe("full"),
    occluders=OccluderConfig(count=(5, 6), iterations=2),
    backgrounds=BackgroundConfig("dis"),
)


@pytest.mark.parametrize("stage", ["backgrounds", "superpixels"])
@pytest.mark.filterwarnings("ignore:.*text.mp4")
def test_a_cache_goes_on_after_an_interruption(
    prepared: tuple[Path, WindowCache], tmp_path: Path, stage: str
) -> None:
    videos, whole = prepared

    def stop(progress: Progress) -> None:
        if (progress.stage, progress.done) == (stage, 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_backgrounds(QUICK, videos, windows_per_video=2, cache=tmp_path, progress=stop)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.np[yz]")}
    assert len(list(tmp_path.rglob("superpixels_*.npz"))) == (1 if stage == "superpixels" else 0)
    resumed = prepare_backgrounds(QUICK, videos, windows_per_video=2, cache=tmp_path)
    assert kept and all(path.stat().st_mtime_ns == written for path, written in kept.items())
    assert resumed.folder.name == whole.folder.name and len(resumed) == 4
    assert folder_digest(resumed.folder) == folder_digest(whole.folder)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*text.mp4")
def test_two_processes_fill_a_cache_with_the_same_bytes(
    prepared: tuple[Path, WindowCache], tmp_path: Path
) -> None:
    videos, whole = prepared
    spread = prepare_backgrounds(QUICK, videos, windows_per_video=2, cache=tmp_path, workers=2)
    assert folder_digest(spread.folder) == folder_digest(whole.folder)


def test_clips_find_all_that_was_prepared(
    prepared: tuple[Path, WindowCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, whole = prepared
    bank = procedural_bank(AnnyBody(), 1, clips_per_kind=5, kinds=("walk",))
    monkeypatch.setattr("pointlight.simulator.clips.generate.procedural_bank", lambda *_, **__: bank)
    for made in (
        "clips.synthesis.draw_superpixels",
        "backgrounds.filling.estimate_path",
        "backgrounds.filling.scan_video",
    ):
        monkeypatch.setattr(f"pointlight.simulator.{made}", lambda *_: pytest.fail("made again"))
    sources = Sources(backgrounds=videos, cache=whole.folder.parent, windows_per_video=2)
    maker = open_maker(QUICK, sources)
    assert maker.windows.sha256 == whole.sha256
    before = folder_digest(whole.folder)
    for index in range(2):
        maker.clip(0, index)
    # Nor does the command read what it finds.
    monkeypatch.setattr("pointlight.simulator.clips.prepare.read_window", lambda *_: pytest.fail("read"))
    prepare_backgrounds(QUICK, videos, windows_per_video=2, cache=whole.folder.parent)
    assert folder_digest(whole.folder) == before


@pytest.mark.filterwarnings("ignore:.*text.mp4")
def test_whoever_comes_second_keeps_what_the_first_has_made(
    prepared: tuple[Path, WindowCache], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process finishes the same videos while this one cuts them, and is at work on one more."""
    videos, _ = prepared
    manifest, config = list_backgrounds(videos), WindowConfig(per_video=2)
    first = fill_cache(tmp_path / "first", manifest, config)
    late = tmp_path / "late"
    busy, old = (late / "videos" / "00" / f".{name}.partial" for name in ("busy", "old"))
    busy.mkdir(parents=True)
    old.mkdir()
    os.utime(old, (0, 0))

    def scan_late(path: Path, frames: int) -> VideoFacts:
        facts = scan_video(path, frames)
        shutil.copytree(first.folder / "videos", late / "videos", dirs_exist_ok=True)
        return facts

    monkeypatch.setattr("pointlight.simulator.backgrounds.filling.scan_video", scan_late)
    second = fill_cache(late, manifest, config)
    assert busy.exists() and not old.exists()
    busy.rmdir()
    assert second.sha256 == first.sha256 and folder_digest(late) == folder_digest(first.folder)
    assert not list(late.rglob("*.partial"))


def test_the_command_fills_a_cache_and_reports(prepared: tuple[Path, WindowCache], tmp_path: Path) -> None:
    videos, _ = prepared
    words = ["backgrounds", str(videos), "--windows", "1", "--workers", "0", "--cache", str(tmp_path)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = CliRunner().invoke(app, [*words, "--recipe", "no_occlusions"])
    assert said.exit_code == 0, said.output
    assert "2 windows of 2 videos" in said.output and "of all 3 videos 33% are left out" in said.output
    assert said.output.count("text.mp4") == 1 and "not a video" in said.output
    (folder,) = tmp_path.glob("windows-train-*")
    assert str(folder) in said.output and not list(folder.rglob("superpixels_*"))
    assert len(WindowCache(folder)) == 2
