"""Several people: who is whom through crossings, who is first, their files; with made networks that slide to who is near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import pointlight
from pointlight.capture import MediapipeDetector, PredictOptions
from pointlight.capture.detection import DetectorConfig
from pointlight.capture.detection.blazepose import LANDMARKS, Reading, Region
from pointlight.capture.detection.following import FollowConfig
from pointlight.capture.detection.looks import Look, look_in
from pointlight.capture.detection.pose_networks import tiles
from pointlight.cli.main import app
from pointlight.cues import Keypoints2D
from pointlight.media import VideoReader, VideoWriter

SIZE = (320, 240)
HEIGHT = 100.0
"""Of everybody, in pixels."""
_BITS, _BLOCK = 10, 16
RED, BLUE, GREEN = (200, 40, 40), (40, 60, 210), (40, 170, 60)
WITHOUT_COMPANY = DetectorConfig(follow=FollowConfig(company=None))

_FIGURE = {
    "nose": (0.0, -0.42),
    "eye": (0.02, -0.44),
    "ear": (0.04, -0.43),
    "shoulder": (0.1, -0.3),
    "elbow": (0.13, -0.15),
    "wrist": (0.14, 0.0),
    "hip": (0.06, 0.0),
    "knee": (0.06, 0.22),
    "ankle": (0.06, 0.44),
    "heel": (0.06, 0.47),
    "big_toe": (0.08, 0.48),
}


def figure(x: float, y: float, height: float = HEIGHT) -> np.ndarray:
    """(21, 3) somebody who stands upright, seen from the front, hips at (x, y)."""
    points = np.ones((len(LANDMARKS), 3), np.float32)
    for row, name in enumerate(LANDMARKS):
        side = 1 if name.startswith("left_") else -1
        across, down = _FIGURE[name.removeprefix("left_").removeprefix("right_")]
        points[row, :2] = x + side * across * height, y + down * height
    points[:, 2] = 0.9
    return points


@dataclass(frozen=True)
class Walker:
    """Somebody in a made video.

    Attributes:
        x: (T,) pixels; NaN while away.
        colour: of the clothes.
        visibility: of the keypoints.
    """

    x: np.ndarray
    colour: tuple[int, int, int]
    visibility: float = 0.9
    y: float = 120.0


def draw(people: Sequence[Walker], frame: int) -> np.ndarray:
    """A picture: its number in blocks along the top, people as coloured columns, later ones before earlier ones."""
    picture = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    for bit in range(_BITS):
        picture[:_BLOCK, bit * _BLOCK : (bit + 1) * _BLOCK] = 255 if frame >> bit & 1 else 0
    for one in people:
        x = one.x[frame]
        if np.isfinite(x):
            rows = slice(int(one.y - 0.35 * HEIGHT), int(one.y + 0.5 * HEIGHT))
            picture[rows, max(0, int(x - 0.13 * HEIGHT)) : max(0, int(x + 0.13 * HEIGHT))] = one.colour
    return picture


class MadeNetworks:
    """The reader slides to whoever is near, and sees of two at one place the one before; the finder sees two as one."""

    def __init__(self, people: Sequence[Walker]) -> None:
        self.people, self.reads = people, 0

    def _here(self, image: np.ndarray) -> list[tuple[Region, Walker]]:
        frame = sum(
            1 << bit for bit in range(_BITS) if image[_BLOCK // 2, bit * _BLOCK + _BLOCK // 2].mean() > 128
        )
        there = [
            (Region(float(one.x[frame]), one.y, 1.2 * HEIGHT, 0.0), one)
            for one in self.people
            if np.isfinite(one.x[frame])
        ]
        return [
            (region, one)
            for number, (region, one) in enumerate(there)
            if all(abs(region.x - other.x) > 0.12 * HEIGHT for other, _ in there[number + 1 :])
        ]

    def find(self, image: np.ndarray, window: Region | None = None) -> list[tuple[Region, float]]:
        return [
            (region, 0.9)
            for region, _ in self._here(image)
            if window is None or max(abs(region.x - window.x), abs(region.y - window.y)) < window.size / 2
        ]

    def read(self, image: np.ndarray, region: Region) -> Reading | None:
        self.reads += 1
        # Whoever is before the others draws the reader to itself.
        near = [
            (np.hypot(at.x - region.x, at.y - region.y) - 8 * number, number, at, one)
            for number, (at, one) in enumerate(self._here(image))
        ]
        near = [one for one in near if one[0] < 0.4 * region.size]
        if not near:
            return None
        _, _, at, one = min(near, key=lambda entry: entry[:2])
        points = figure(at.x, at.y)
        points[:, 2] = one.visibility
        return Reading(points, at, points)


def film(path: Path, people: Sequence[Walker]) -> VideoReader:
    """A made video."""
    with VideoWriter(path, 30, SIZE, quality=10) as writer:
        for frame in range(len(people[0].x)):
            writer.write(draw(people, frame))
    return VideoReader(path)


def hips(track: Keypoints2D) -> np.ndarray:
    """(T,) x, NaN where nothing was read."""
    x = track.select(("left_hip", "right_hip"))[..., 0].mean(1)
    return np.where(track.present(), x, np.nan)


def of_whom(track: Keypoints2D, people: Sequence[Walker]) -> np.ndarray:
    """(T,) number of the walker that is at the keypoints, -1 for nobody; where two are at one place, the nearest."""
    far = np.abs(
        np.stack([np.nan_to_num(one.x, nan=-1000) for one in people]) - np.nan_to_num(hips(track), nan=1e6)
    )
    return np.where(far.min(0) < 3, far.argmin(0), -1)


def crossing(frames: int = 90) -> list[Walker]:
    """One goes to the right, the other to the left before the first one, slower by and by while they meet."""
    return [Walker(np.linspace(60, 250, frames), RED), Walker(np.linspace(270, 70, frames), BLUE)]


def meeting() -> list[Walker]:
    """Both come to one place, stay there, and go back: whoever goes by speed alone exchanges them."""
    there, stay = np.linspace(60, 155, 35), np.full(12, 155.0)
    first = np.concatenate((there, stay, there[::-1]))
    return [Walker(first, RED), Walker(315 - first, BLUE)]


@pytest.mark.parametrize("scene", [crossing, meeting])
def test_people_who_cross_stay_themselves(tmp_path: Path, scene: object) -> None:
    people = scene()  # type: ignore[operator]
    video = film(tmp_path / "v.mp4", people)
    tracks = MediapipeDetector(networks=MadeNetworks(people)).track_people(video)
    assert len(tracks) == 2
    for track in tracks:
        whose = of_whom(track, people)
        known = whose[whose >= 0]
        assert len(set(known[:20])) == len(set(known[-20:])) == 1
        assert known[0] == known[-1]
        assert (whose >= 0).mean() > 0.7
    assert {of_whom(track, people)[2] for track in tracks} == {0, 1}


def test_without_company_a_follower_goes_over_to_another(tmp_path: Path) -> None:
    """What the test before would not notice if the made networks were too easy."""
    people = crossing()
    video = film(tmp_path / "v.mp4", people)
    box = "30,60,60,120"
    alone = MediapipeDetector(WITHOUT_COMPANY, MadeNetworks(people)).track(
        video, PredictOptions(box=box).person
    )
    assert of_whom(alone, people)[0] == 0 and of_whom(alone, people)[-1] == 1
    kept = MediapipeDetector(networks=MadeNetworks(people)).track(video, PredictOptions(box=box).person)
    assert of_whom(kept, people)[0] == of_whom(kept, people)[-1] == 0


def test_nobody_else_changes_nothing(tmp_path: Path) -> None:
    """Where nobody else is there, bit for bit what a follower reads that knows of nobody, and hardly more is asked."""
    away = np.concatenate((np.linspace(60, 200, 40), np.full(40, np.nan), np.linspace(200, 90, 40)))
    people = [Walker(away, RED)]
    video = film(tmp_path / "v.mp4", people)
    networks = [MadeNetworks(people), MadeNetworks(people)]
    own = MediapipeDetector(networks=networks[0]).track(video)
    plain = MediapipeDetector(WITHOUT_COMPANY, networks[1]).track(video)
    assert np.array_equal(own.points, plain.points) and own.present().sum() == 80
    assert networks[0].reads <= 1.1 * networks[1].reads


def test_who_comes_back_is_who_went(tmp_path: Path) -> None:
    """While one is away another one comes; the first one is not taken for the other, and is known when coming back."""
    frames = 150
    first = np.full(frames, np.nan)
    first[:40], first[100:] = np.linspace(160, 20, 40), np.linspace(20, 160, 50)
    second = np.full(frames, np.nan)
    second[60:] = np.linspace(300, 220, 90)
    people = [Walker(first, RED), Walker(second, BLUE)]
    video = film(tmp_path / "v.mp4", people)
    tracks = MediapipeDetector(networks=MadeNetworks(people)).track_people(video)
    assert [set(of_whom(track, people)) for track in tracks] == [{-1, 0}, {-1, 1}]
    assert tracks[0].present()[105:].all() and not tracks[0].present()[45:95].any()


def test_the_first_is_the_one_who_is_followed_alone(tmp_path: Path) -> None:
    """Bit for bit, with others who cross and come and go, and with one person asked for out of three."""
    people = [*crossing(120), Walker(np.linspace(150, 200, 120), GREEN)]
    people[2].x[:50] = np.nan
    video = film(tmp_path / "v.mp4", people)
    alone = MediapipeDetector(networks=MadeNetworks(people)).track(video)
    tracks = MediapipeDetector(networks=MadeNetworks(people)).track_people(video)
    two = MediapipeDetector(networks=MadeNetworks(people)).track_people(video, 2)
    assert len(tracks) == 3 and len(two) == 2
    assert np.array_equal(tracks[0].points, alone.points)
    for one, other in zip(tracks, two, strict=False):
        assert np.array_equal(one.points, other.points)


def test_who_is_hardly_seen_or_not_for_long_is_nobody(tmp_path: Path) -> None:
    """A poster that no follower believes in, and somebody who passes in a third of a second."""
    frames = 90
    passing = np.full(frames, np.nan)
    passing[30:40] = np.linspace(250, 300, 10)
    people = [
        Walker(np.linspace(60, 120, frames), RED),
        Walker(np.full(frames, 220.0), GREEN, 0.3),
        Walker(passing, BLUE),
    ]
    video = film(tmp_path / "v.mp4", people)
    tracks = MediapipeDetector(networks=MadeNetworks(people)).track_people(video)
    assert len(tracks) == 1 and set(of_whom(tracks[0], people)) == {0}


def test_every_shot_has_its_people(tmp_path: Path) -> None:
    """Behind a cut people are found anew, and fewer of them are fewer entries."""
    people = [Walker(np.full(60, 80.0), RED), Walker(np.full(60, 220.0), BLUE)]
    people[0].x[30:] = np.nan
    path = tmp_path / "v.mp4"
    with VideoWriter(path, 30, SIZE, quality=10) as writer:
        for frame in range(60):
            picture = draw(people, frame)
            if frame >= 30:
                picture[20:70], picture[185:] = (250, 250, 30), (10, 30, 10)
            writer.write(picture)
    first, second = MediapipeDetector(networks=MadeNetworks(people)).track_people(VideoReader(path))
    assert set(first.shot) == {0, 1}
    assert first.present().all() and second.present().tolist() == [True] * 30 + [False] * 30


def test_nobody_is_one_empty_entry(tmp_path: Path) -> None:
    people = [Walker(np.full(20, np.nan), RED)]
    (track,) = MediapipeDetector(networks=MadeNetworks(people)).track_people(film(tmp_path / "v.mp4", people))
    assert not track.present().any()


def test_looks_are_told_apart() -> None:
    pictures = [draw([Walker(np.array([100.0]), colour)], 0) for colour in (RED, BLUE)]
    points = figure(100, 120)
    reading = Reading(points, Region(100, 120, 120, 0), points)
    look = Look()
    assert look.difference(look_in(pictures[0], reading)) == 0
    look.add(look_in(pictures[0], reading))
    assert look.difference(look_in(pictures[0], reading)) < 1e-6
    assert look.difference(look_in(pictures[1], reading)) > 0.4
    outside = replace(reading, points=points - np.float32(1000))
    assert look_in(pictures[0], outside) is None and look.difference(None) == 0


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 100), (1920, 200)])
def test_tiles_cover_the_picture(size: tuple[int, int]) -> None:
    width, height = size
    every = tiles(width, height, 0.67)
    for x, y in ((0.5, 0.5), (width - 0.5, height - 0.5), (width / 2, 0.5), (0.5, height / 2)):
        assert any(max(abs(one.x - x), abs(one.y - y)) <= one.size / 2 for one in every)
    assert {round(one.size / min(size), 2) for one in every} == {1.0, 0.67}


# --- predict -----------------------------------------------------------------------------------------


@pytest.fixture
def two_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A video of two people, and a detector that sees them."""
    people = crossing(45)
    film(tmp_path / "v.mp4", people)

    def begin(self: MediapipeDetector, **_: object) -> None:
        self.config, self.source, self._networks = DetectorConfig(), "made", MadeNetworks(people)

    monkeypatch.setattr(MediapipeDetector, "__init__", begin)
    return tmp_path / "v.mp4"


def test_predict_gives_a_list(two_people: Path) -> None:
    everybody = pointlight.predict(two_people, people="all", refine=False)
    alone = pointlight.predict(two_people, refine=False)
    assert isinstance(everybody, list) and isinstance(alone, pointlight.Capture)
    assert [one.track_id for one in everybody] == [0, 1]
    assert everybody[0] == alone
    assert all(np.array_equal(one.frame_index, alone.frame_index) for one in everybody)
    assert pointlight.predict(two_people, people=1, refine=False) == alone
    result = pointlight.predict_with_diagnostics(two_people, people=5, refine=False)
    assert result.captures == tuple(everybody)
    assert [one.bodies for one in result.diagnostics.others] == [int(everybody[1].valid.sum())]
    assert "5 people were asked for, 2 could be followed" in result.diagnostics.warnings
    assert [stage for stage, _ in result.diagnostics.seconds] == ["detect", "lift", "world"]


def test_files_of_several_people(two_people: Path, tmp_path: Path) -> None:
    """Each has a file; those of an earlier run go; the first person's is bit for bit the one of a run for one."""
    out = tmp_path / "out"
    result = pointlight.predict_to_folder(two_people, out, people="all", refine=False, overlay_size_px=160)
    assert [file.name for file in result.files] == [
        "poses.npz",
        "poses_1.npz",
        "overlay.mp4",
        "overlay.png",
        "summary.json",
    ]
    assert pointlight.Capture.load(out / "poses_1.npz").track_id == 1
    assert len(list(VideoReader(out / "overlay.mp4"))) == 45
    first = (out / "poses.npz").read_bytes()
    (out / "poses_7.npz").write_bytes(b"old")
    (out / "poses_mine.npz").write_bytes(b"not ours")
    pointlight.predict_to_folder(two_people, out, refine=False, overlay=False)
    assert sorted(file.name for file in out.iterdir()) == ["poses.npz", "poses_mine.npz", "summary.json"]
    assert (out / "poses.npz").read_bytes() == first


def test_the_command_says_everybody(two_people: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        app,
        [
            "predict",
            str(two_people),
            "--out",
            str(tmp_path / "o"),
            "--people",
            "all",
            "--no-overlay",
            "--no-refine",
        ],
    )
    assert told.exit_code == 0, told.output
    assert "person 1: 45 frames, a body in " in told.output and "poses_1.npz" in told.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--people", "0"], "people is 0; give how many are wanted, from 1, or 'all'"),
        (["--people", "-2"], "people is '-2'; give how many are wanted, from 1, or 'all'"),
        (["--people", "few"], "people is 'few'; give how many are wanted, from 1, or 'all'"),
        (
            ["--people", "2", "--box", "1,2,30,40"],
            "a box names one person, and people is 2; give one of the two",
        ),
        (["--people", "all", "--keypoints", "k.json"], "from a file of keypoints one person is taken"),
    ],
)
def test_sentences(two_people: Path, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    told = CliRunner().invoke(app, ["predict", str(two_people), "--out", str(tmp_path / "o"), *arguments])
    assert told.exit_code != 0
    said = told.output + (str(told.exception) if told.exception else "")
    assert sentence in " ".join(said.split()) and not (tmp_path / "o").exists()


@pytest.mark.parametrize("people", [True, 1.5, None, 0, "", "ALL"])
def test_numbers_of_people_that_are_none(people: object) -> None:
    with pytest.raises(pointlight.PointlightError, match="give how many are wanted"):
        PredictOptions(people=people)  # type: ignore[arg-type]
