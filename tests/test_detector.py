"""The detector's parts, the whole of it against mediapipe itself, and how its networks come here."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from pointlight.capture import MediapipeDetector, PredictOptions
from pointlight.capture.detection import network_files, networks_there
from pointlight.capture.detection.anchors import Candidates, Person, _anchors, merged, people_of
from pointlight.capture.detection.blazepose import LANDMARKS, BlazePose, Region, _refined
from pointlight.capture.detection.network_files import FINDER, READERS, network_file
from pointlight.capture.detection.square_cut import cut_square
from pointlight.cli.main import app
from pointlight.errors import PointlightError
from pointlight.media import VideoReader
from pointlight.progress import Progress

ITSELF = Path(__file__).with_name("mediapipe_itself.py")
DATA = Path(__file__).parent / "data"


# --- the square that a network sees -------------------------------------------------------------------


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def square(x: float, y: float, size: float, angle: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corner, rows and columns of a turned square."""
    turn = Region(x, y, size, angle).turn
    across, down = turn[:, 0] * size, turn[:, 1] * size
    return np.array((x, y)) - (across + down) / 2, across, down


@pytest.fixture(scope="module")
def cv2() -> ModuleType:
    return pytest.importorskip("cv2", reason="OpenCV is not installed; it comes with the extra flow")


@pytest.mark.parametrize("beyond", [0, None])
@pytest.mark.parametrize("angle", [0.0, 0.3, 2.0, -1.1])
@pytest.mark.parametrize("middle", [(60, 45), (60.3, 45.7), (0, 0), (119, 10), (-30, 200)])
def test_a_square_is_cut_bit_for_bit_as_opencv_does(
    cv2: ModuleType, middle: tuple[float, float], angle: float, beyond: int | None
) -> None:
    """As by the linear warp of the OpenCV inside mediapipe; newer ones keep that rounding in `remap` of whole numbers."""
    image, border = noise(90, 120), cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
    for size, side in ((20, 64), (80, 224), (300, 64), (300, 256)):
        corner, across, down = square(*middle, size, angle)
        row, column = np.mgrid[:side, :side][..., None]
        place = np.rint((corner + column * (across / side) + row * (down / side)) * 32).astype(int)
        part = ((place[..., 1] & 31) * 32 + (place[..., 0] & 31)).astype(np.uint16)
        theirs = cv2.remap(image, (place >> 5).astype(np.int16), part, cv2.INTER_LINEAR, borderMode=border)
        ours = cut_square(image, corner, across, down, side, beyond)
        assert ours.dtype == np.float32
        assert np.array_equal(ours, theirs / np.float32(255))


@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_a_square_lies_where_opencv_warps_it_to(cv2: ModuleType, angle: float) -> None:
    y, x = np.mgrid[:90, :120]
    image = np.stack((2 * x, 2 * y, x + y), axis=-1).astype(np.uint8)
    corner, across, down = square(60.3, 45.7, 40, angle)
    matrix = np.eye(3)
    matrix[:2] = np.stack((across / 64, down / 64, corner), axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    theirs = cv2.warpPerspective(image, matrix, (64, 64), flags=flags)
    assert np.abs(255 * cut_square(image, corner, across, down, 64) - theirs).max() <= 1.01


def test_the_whole_picture_is_cut_as_it_is() -> None:
    image = noise(64, 64)
    whole = np.array((64.0, 0.0)), np.array((0.0, 64.0))
    assert np.array_equal(cut_square(image, np.zeros(2), *whole, 64), image / np.float32(255))
    turned = cut_square(image, np.array((63.0, 0.0)), np.array((0.0, 64.0)), np.array((-64.0, 0.0)), 64)
    assert np.array_equal(turned, np.rot90(image) / np.float32(255))


def test_beyond_the_picture_is_black_or_its_edge() -> None:
    image = noise(20, 30)
    far = (np.array((-100.0, 40.0)), np.array((20.0, 0.0)), np.array((0.0, 20.0)))
    assert not cut_square(image, *far, 16, beyond=0).any()
    assert np.array_equal(cut_square(image, *far, 16), np.full((16, 16, 3), image[-1, 0] / np.float32(255)))


# --- the finder's numbers -----------------------------------------------------------------------------


def nobody() -> Candidates:
    return Candidates(np.zeros((2254, 12), np.float32), np.full(2254, -50, np.float32))


def test_anchors_stand_in_the_middles_of_their_cells() -> None:
    anchors = _anchors()
    assert anchors.shape == (2254, 2) and anchors.min() > 0 and anchors.max() < 1
    assert np.allclose(anchors[:4] * 28, [(0.5, 0.5), (0.5, 0.5), (1.5, 0.5), (1.5, 0.5)])
    assert np.allclose(anchors[-1] * 7, 6.5)
    for rows, cells in ((slice(0, 1568), 28), (slice(1568, 1960), 14), (slice(1960, 2254), 7)):
        places, counts = np.unique(anchors[rows], axis=0, return_counts=True)
        assert len(places) == cells**2 and len(set(counts)) == 1
        assert np.allclose(places.mean(0), 0.5)


def test_candidates_are_shares_of_the_square_from_their_anchor() -> None:
    said = nobody()
    assert people_of(said) == []
    said.logits[[5, 2000]] = 0.1, 2.0
    said.numbers[2000, :6] = 22.4, -11.2, 44.8, 89.6, 2.24, 0
    first, second = people_of(said)
    assert (first.score, second.score) == pytest.approx((1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-0.1))))
    x, y = _anchors()[2000]
    assert first.box == pytest.approx((x, y - 0.25, x + 0.2, y + 0.15))
    assert first.points == pytest.approx(np.array([(x + 0.01, y), (x, y), (x, y), (x, y)]))


@pytest.mark.parametrize("width", [-1, np.nan])
def test_boxes_without_a_size_are_nobody(width: float) -> None:
    said = nobody()
    said.logits[7] = 3
    said.numbers[7, 2] = width
    assert people_of(said) == []


people = st.lists(
    st.tuples(*4 * [st.floats(0, 1)], st.floats(0.5, 1)).map(
        lambda v: Person(np.array((v[0], v[1], v[0] + v[2], v[1] + v[3])), np.full((4, 2), v[0]), v[4])
    ),
    max_size=8,
)


@given(people)
@settings(max_examples=60, deadline=None)
def test_merging(everybody: list[Person]) -> None:
    """Nobody is invented, the best of each heap keeps the score, boxes lie among those that they are made of."""
    given = sorted(everybody, key=lambda person: -person.score)
    result = merged(given)
    assert bool(result) == bool(given) and len(result) <= len(given)
    scores = [person.score for person in result]
    assert scores == sorted(scores, reverse=True)
    assert set(scores) <= {person.score for person in given}
    if given:
        assert scores[0] == given[0].score
        boxes = np.stack([person.box for person in given])
        for person in result:
            assert (person.box >= boxes.min(0) - 1e-9).all() and (person.box <= boxes.max(0) + 1e-9).all()


def test_two_boxes_of_one_person_become_their_mean_by_score() -> None:
    one = Person(np.array((0.1, 0.1, 0.5, 0.9)), np.full((4, 2), 0.3), 0.9)
    two = Person(np.array((0.2, 0.1, 0.6, 0.9)), np.full((4, 2), 0.4), 0.6)
    other = Person(np.array((0.7, 0.1, 0.9, 0.9)), np.full((4, 2), 0.8), 0.7)
    both, alone = merged([one, other, two])
    assert both.box == pytest.approx((0.14, 0.1, 0.54, 0.9)) and both.score == 0.9
    assert both.points == pytest.approx(np.full((4, 2), 0.34))
    assert np.array_equal(alone.box, other.box) and alone.score == 0.7


# --- the reader's numbers -----------------------------------------------------------------------------


def heat_at(*peaks: tuple[int, int], logit: float = 8.0) -> np.ndarray:
    """(64, 64, 1) logits, high at (column, row)."""
    heat = np.full((64, 64, 1), -40, np.float32)
    for column, row in peaks:
        heat[row, column] = logit
    return heat


def refined(x: float, y: float, heat: np.ndarray) -> tuple[float, float]:
    """Of one landmark in cells of the heatmap."""
    (place,) = 64 * _refined(np.array([(x, y)], np.float32) / 64, heat)
    return float(place[0]), float(place[1])


def test_landmarks_move_to_the_middle_of_the_heat_around_them() -> None:
    assert refined(20.4, 30.9, heat_at((22, 29))) == pytest.approx((22, 29), abs=1e-4)
    assert refined(20.4, 30.9, heat_at((22, 29), (18, 33))) == pytest.approx((20, 31), abs=1e-4)
    assert refined(0.2, 63.9, heat_at((1, 62))) == pytest.approx((1, 62), abs=1e-4)


@pytest.mark.parametrize(
    ("x", "y", "heat"),
    [
        (20.4, 30.9, heat_at((25, 30))),  # too far away
        (20.4, 30.9, heat_at((22, 29), logit=-0.1)),  # too weak
        (64.5, 30.9, heat_at((63, 30))),  # outside of the square
        (20.4, -1.5, heat_at((20, 0))),
    ],
)
def test_landmarks_stay_where_their_heatmap_says_nothing(x: float, y: float, heat: np.ndarray) -> None:
    assert refined(x, y, heat) == pytest.approx((x, y), abs=1e-5)


@pytest.mark.parametrize("angle", [0.0, 1.0, 3.0, -2.0])
def test_a_region_has_the_circle_that_it_is_made_from(angle: float) -> None:
    middle = (100.0, 50.0)
    rim = (100 + 30 * np.sin(angle), 50 - 30 * np.cos(angle))
    region = Region.from_circle(middle, rim)
    assert (region.x, region.y, region.size, region.angle) == pytest.approx((100, 50, 75, angle))
    assert region.turn @ (0, -30) + middle == pytest.approx(rim)


# --- against mediapipe itself -------------------------------------------------------------------------


@dataclass
class Differences:
    """Between ours and mediapipe's answers, all regions together."""

    found_px: list[np.ndarray]
    found_score: list[np.ndarray]
    points_px: list[np.ndarray]
    score: list[np.ndarray]
    world_mm: list[np.ndarray]
    circle_px: list[np.ndarray]
    regions: int = 0

    def check(self) -> None:
        """The limits that we hold."""
        px, score, world = (np.concatenate(rows) for rows in (self.points_px, self.score, self.world_mm))
        assert np.median(px) < 0.5 and np.quantile(px, 0.99) < 2, np.quantile(px, (0.5, 0.99, 1))
        assert np.quantile(score, 0.99) < 0.01, np.quantile(score, (0.5, 0.99, 1))
        assert np.quantile(world, 0.99) < 2, np.quantile(world, (0.5, 0.99, 1))
        assert np.concatenate(self.circle_px).max() < 2
        assert np.concatenate(self.found_px).max() < 0.5
        assert np.concatenate(self.found_score).max() < 0.01

    def __str__(self) -> str:
        names = ("found_px", "found_score", "points_px", "score", "world_mm", "circle_px")
        rows = {name: np.concatenate(getattr(self, name)) for name in names}
        lines = (f"{name}: {np.quantile(row, (0.5, 0.99, 1))}" for name, row in rows.items())
        return f"{self.regions} regions; median, 99 %, most\n" + "\n".join(lines)


def differences(
    networks: BlazePose, questions: dict[str, np.ndarray], answers: dict[str, np.ndarray]
) -> Differences:
    """Ask ours what mediapipe was asked; people must be the same, and seen in the same regions."""
    result = Differences([], [], [], [], [], [])
    columns = list(LANDMARKS.values())
    for number in range(sum(name.startswith("image_") for name in questions)):
        image = questions[f"image_{number}"]
        theirs = [
            (Region.from_circle(tuple(row[:2]), tuple(row[2:4])), row[4])
            for row in answers[f"found_{number}"]
        ]
        ours = networks.find(image)
        assert len(ours) == len(theirs)
        for (a, a_score), (b, b_score) in zip(
            ours, sorted(theirs, key=lambda pair: -pair[0].size), strict=True
        ):
            result.found_px.append(
                np.abs((a.x - b.x, a.y - b.y, a.size - b.size, a.size * (a.angle - b.angle)))
            )
            result.found_score.append(np.abs([a_score - b_score]))
        for row, region in enumerate(questions[f"regions_{number}"]):
            reading = networks.read(image, Region(*region))
            points = answers[f"points_{number}"][row][columns]
            assert (reading is None) == np.isnan(points).any()
            if reading is None:
                continue
            result.regions += 1
            result.points_px.append(np.linalg.norm(reading.points[:, :2] - points[:, :2], axis=1))
            result.score.append(np.abs(reading.points[:, 2] - points[:, 2]))
            world_m = answers[f"world_{number}"][row][columns]
            result.world_mm.append(1000 * np.linalg.norm(reading.world_m - world_m, axis=1))
            circle = answers[f"circle_{number}"][row]
            b = Region.from_circle(tuple(circle[:2]), tuple(circle[2:]))
            a = reading.region
            result.circle_px.append(np.abs((a.x - b.x, a.y - b.y, a.size - b.size)))
    return result


def test_equal_to_what_mediapipe_said_of_a_simulated_person(detector_networks: Path) -> None:
    """The picture is a clip's (recipe `pointlight` without sensor and occluders); the file is `mediapipe_itself.py`'s."""
    image = np.asarray(Image.open(DATA / "simulated_person.png"))
    with np.load(DATA / "mediapipe_of_simulated_person.npz") as file:
        answers = dict(file)
    result = differences(BlazePose(), {"image_0": image, **answers}, answers)
    assert result.regions == len(answers["regions_0"]) - 1 == 6, "in one region there is nobody"
    assert len(result.found_px) == 1
    result.check()


def mediapipe_venv(folder: Path) -> Path:
    """The Python of an environment with mediapipe, without what it declares and does not need; or skip."""
    needed = (
        "absl-py",
        "attrs",
        "flatbuffers",
        "matplotlib",
        "numpy",
        "protobuf>=4.25.3,<5",
        "opencv-contrib-python-headless",
    )
    try:
        venv.create(folder, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no virtual environment can be made: {error}")
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    for packages in (("--no-deps", "mediapipe==0.10.14"), needed):
        command = [str(python), "-m", "pip", "install", "--quiet", "--only-binary=:all:", *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"mediapipe 0.10.14 cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    return python


CLIPS = (
    *("dance_hall", "football_juggle_park", "golf_swing", "yoga_rock", "bodypose3d_room"),
    *("pose2sim_balance/cam02", "pose2sim_balance/cam03", "caliscope_desk/cam01"),
)
"""For development; those of the sample have the size of the demo."""


@pytest.mark.slow
def test_equal_to_mediapipe_on_filmed_people(
    detector_networks: Path, shared_data: Path, tmp_path: Path
) -> None:
    clips = [path for name in CLIPS if (path := shared_data / "real" / f"{name}.mp4").is_file()]
    if not clips:
        pytest.skip("the clips are not among the shared data")
    python = mediapipe_venv(tmp_path / "venv")
    networks, questions = BlazePose(), {}
    for clip in clips:
        every = max(1, len(VideoReader(clip).times().index) // 4)
        for image in [frame.image for frame in VideoReader(clip) if frame.index % every == every // 2]:
            number = len(questions) // 2
            places = [region for region, _ in networks.find(image)][:1]
            regions = [(r.x, r.y, r.size, r.angle + turn) for r in places for turn in (0, 0.7)]
            questions[f"image_{number}"] = image
            questions[f"regions_{number}"] = np.array(regions).reshape(-1, 4)
    np.savez(tmp_path / "questions.npz", **questions)
    command = [str(python), str(ITSELF), str(tmp_path / "questions.npz"), str(tmp_path / "answers.npz")]
    subprocess.run(command, check=True, capture_output=True)
    with np.load(tmp_path / "answers.npz") as answers:
        result = differences(networks, questions, dict(answers))
    print(result)
    assert result.regions > 2 * len(clips)
    result.check()


# --- how the networks come here -----------------------------------------------------------------------


@dataclass(frozen=True)
class Store:
    """Made networks in place of the real ones, and where they are looked for."""

    cache: Path
    content: dict[str, bytes]

    @property
    def kept(self) -> Path:
        return self.cache / "networks"

    def wheel(self, folder: Path, content: dict[str, bytes] | None = None) -> Path:
        """The wheel of mediapipe with these networks."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "mediapipe-0.10.14-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for network in (FINDER, READERS["full"]):
                data = (content or self.content)[network.name]
                archive.writestr(f"mediapipe/modules/{network.module}/{network.name}", data)
        return path


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """Nothing is there yet, and pip must not be asked."""
    content = {network.name: network.name.encode() * 50 for network in (FINDER, *READERS.values())}

    def made(network: network_files.NetworkFile) -> network_files.NetworkFile:
        return replace(network, sha256=hashlib.sha256(content[network.name]).hexdigest())

    monkeypatch.setattr(network_files, "FINDER", made(FINDER))
    for size, network in READERS.items():
        monkeypatch.setitem(READERS, size, made(network))
    monkeypatch.setenv("POINTLIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("POINTLIGHT_MODELS", raising=False)
    monkeypatch.setattr(network_files.subprocess, "run", lambda *_, **__: pytest.fail("pip was asked"))
    return Store(tmp_path / "cache", content)


@pytest.fixture
def index(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A pip that brings the wheel; what it was asked."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        store.wheel(Path(command[command.index("--dest") + 1]))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(network_files.subprocess, "run", run)
    return asked


def test_networks_are_fetched_once(store: Store, index: list[list[str]]) -> None:
    told: list[Progress] = []
    path = network_file(READERS["full"], told.append)
    assert path == store.kept / READERS["full"].name and path.read_bytes() == store.content[path.name]
    assert [(step.stage, step.done) for step in told] == [
        ("fetch the detector", 0),
        ("fetch the detector", 1),
    ]
    assert network_file(network_files.FINDER).read_bytes() == store.content[FINDER.name]
    (command,) = index
    assert command[:3] == [sys.executable, "-m", "pip"] and command[-1] == "mediapipe==0.10.14"
    assert sorted(file.name for file in store.kept.iterdir()) == [FINDER.name, READERS["full"].name]
    there = {network.name: path is not None for network, path in networks_there().items()}
    assert list(there.values()) == [True, True, False, False]


@pytest.mark.parametrize("content", [b"", b"cut"])
def test_a_cut_network_in_the_cache_is_fetched_anew(
    store: Store, index: list[list[str]], content: bytes
) -> None:
    store.kept.mkdir(parents=True)
    cut = store.kept / READERS["full"].name
    cut.write_bytes(content)
    assert networks_there()[READERS["full"]] is None
    assert network_file(READERS["full"]) == cut and cut.read_bytes() == store.content[cut.name]
    assert len(index) == 1


def test_a_network_that_pip_cannot_bring(store: Store) -> None:
    with pytest.raises(
        PointlightError, match=r"pose_landmark_heavy\.tflite is not in .*networks; take it out of the"
    ):
        MediapipeDetector(size="heavy")
    store.kept.mkdir(parents=True)
    (store.kept / READERS["heavy"].name).write_bytes(b"cut")
    with pytest.raises(
        PointlightError, match=r"heavy\.tflite is cut or another file .*remove it, then take it out"
    ):
        network_file(READERS["heavy"])
    (store.kept / READERS["heavy"].name).write_bytes(store.content[READERS["heavy"].name])
    assert network_file(READERS["heavy"]).parent == store.kept


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("/usr/bin/python3: No module named pip", r"\(this Python has no pip\)"),
        (
            "WARNING: Retrying (Retry(total=1)) after connection broken\nERROR: No matching distribution found",
            r"\(pip cannot reach its index\)",
        ),
        ("ERROR: a\nERROR: No space left on device\nWARNING: b", r"\(pip says: No space left on device\)"),
        ("", r"\(pip says: nothing\)"),
    ],
)
def test_what_pip_says_is_told(store: Store, monkeypatch: pytest.MonkeyPatch, said: str, reason: str) -> None:
    done = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(network_files.subprocess, "run", lambda *_, **__: done)
    wanted = (
        rf"not there yet and cannot be fetched {reason}; run `pip download .* mediapipe==0\.10\.14` where"
    )
    with pytest.raises(PointlightError, match=wanted) as caught:
        MediapipeDetector()
    assert "\n" not in str(caught.value) and "set POINTLIGHT_MODELS=FOLDER" in str(caught.value)
    assert not store.kept.exists()


def test_without_pip(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the word of a Python that has none, and where no Python can be started."""
    monkeypatch.undo()
    monkeypatch.setenv("POINTLIGHT_CACHE", str(tmp_path / "empty"))
    monkeypatch.delenv("POINTLIGHT_MODELS", raising=False)
    venv.create(tmp_path / "venv", with_pip=False)
    bare = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    for python, reason in ((bare, "this Python has no pip"), (tmp_path / "none", "No such file")):
        monkeypatch.setattr(sys, "executable", str(python))
        with pytest.raises(PointlightError, match=rf"cannot be fetched \(.*{reason}.*\); run `pip download"):
            network_file(FINDER)


def test_a_folder_of_ones_own(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("POINTLIGHT_MODELS", str(own))
    with pytest.raises(PointlightError, match=r"full\.tflite is not in .*own; run `pip download"):
        network_file(READERS["full"])
    for name, content in store.content.items():
        (own / name).write_bytes(content)
    assert [network_file(network).parent for network in READERS.values()] == 3 * [own]
    assert set(networks_there().values()) == {own / name for name in store.content}
    assert not store.cache.exists()
    (own / READERS["full"].name).write_bytes(store.content[READERS["full"].name][:-1])
    with pytest.raises(PointlightError, match=r"own.*full\.tflite is cut or another file than .*0\.10\.14"):
        network_file(READERS["full"])
    assert networks_there()[READERS["full"]] is None


def test_a_folder_with_the_wheel(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POINTLIGHT_MODELS", str(tmp_path / "own"))
    wheel = store.wheel(tmp_path / "own")
    assert networks_there()[READERS["full"]] is None
    assert network_file(READERS["full"]).read_bytes() == store.content[READERS["full"].name]
    assert networks_there()[READERS["full"]] == store.kept / READERS["full"].name
    with pytest.raises(
        PointlightError, match=r"lite\.tflite is not in .*own; take it out of the npm package"
    ):
        network_file(READERS["lite"])
    wheel.write_bytes(wheel.read_bytes()[:-40])
    assert network_file(READERS["full"]).is_file()  # out of the cache


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def of_another_version(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mediapipe/__init__.py", "")


def flipped(path: Path) -> None:
    """One byte of a network's content is another."""
    data = bytearray(path.read_bytes())
    data[100 + len(READERS["full"].name)] ^= 255
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [cut_short, of_another_version, flipped])
def test_a_wheel_that_is_none(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    monkeypatch.setenv("POINTLIGHT_MODELS", str(tmp_path / "own"))
    harm(store.wheel(tmp_path / "own"))
    with pytest.raises(
        PointlightError, match=r"\.whl is not the wheel of mediapipe 0\.10\.14, or is cut \(.+\); download"
    ):
        network_file(network_files.FINDER)
    assert not store.kept.exists()


def test_a_wheel_with_other_networks(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POINTLIGHT_MODELS", str(tmp_path / "own"))
    store.wheel(tmp_path / "own", dict.fromkeys(store.content, b"others"))
    with pytest.raises(
        PointlightError, match=r"or is cut \(another pose_landmark_full\.tflite\); download it again"
    ):
        network_file(READERS["full"])
    assert not store.kept.exists()


def test_a_folder_that_is_none(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "none", tmp_path / "file"):
        monkeypatch.setenv("POINTLIGHT_MODELS", str(path))
        with pytest.raises(
            PointlightError, match=r"POINTLIGHT_MODELS names .*, which is no folder; run `pip download"
        ):
            network_file(READERS["full"])
        assert set(networks_there().values()) == {None}


def test_there_are_three_sizes() -> None:
    for ask in (lambda: BlazePose("huge"), lambda: PredictOptions(detector="huge")):
        with pytest.raises(PointlightError, match=r"there is no detector 'huge'; it is full, heavy, lite"):
            ask()


def test_a_detector_beside_keypoints_is_refused() -> None:
    assert PredictOptions(keypoints="k.npz").detector == "full"
    with pytest.raises(PointlightError, match="need no detector, and 'heavy' is named; give one of the two"):
        PredictOptions(keypoints="k.npz", detector="heavy")


def test_doctor_names_each_network(detector_networks: Path) -> None:
    told = CliRunner().invoke(app, ["doctor"]).output
    assert "  detector: mediapipe 0.10.14\n" in told
    for network, path in networks_there().items():
        assert f"  {network.name}: {path or 'not there; take it out of the npm package'}" in told
