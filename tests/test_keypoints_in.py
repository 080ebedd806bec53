"""2D keypoints that come in: the detector on real video, following, and files of several forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointlight.body import COCO_KEYPOINTS, NETWORK_KEYPOINTS
from pointlight.capture import MediapipeDetector, PersonBox
from pointlight.capture.detection import read_keypoints, write_keypoints
from pointlight.capture.detection.blazepose import LANDMARKS, Reading, Region
from pointlight.capture.detection.following import FollowConfig, Follower
from pointlight.capture.detection.keypoint_layouts import OPENPOSE_BODY_25, OPENPOSE_COCO_18
from pointlight.capture.detection.people import link
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.media import Frame, VideoReader, VideoWriter
from pointlight.progress import Progress

SIZE = (320, 240)
FRAMES = 12


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> VideoReader:
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    with VideoWriter(path, 30, SIZE) as writer:
        for i in range(FRAMES):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 20 + 16 * i, np.uint8))
    return VideoReader(path)


def pose(names: tuple[str, ...], x: float, y: float, size: float, seed: int = 1) -> np.ndarray:
    """(K, 3) a made person, the same shape for the same names; places count pixel centres from 0."""
    points = np.zeros((len(names), 3))
    for i, name in enumerate(names):
        rng = np.random.default_rng([seed, *name.encode()])
        points[i] = (*(np.array((x, y)) + size * rng.uniform(-0.5, 0.5, 2)), rng.uniform(0.5, 1))
    return points


# --- Keypoints2D --------------------------------------------------------------------------------


def made_track(frames: int = 4) -> Keypoints2D:
    points = np.stack([pose(COCO_KEYPOINTS, 100 + i, 100, 80) for i in range(frames)])
    return Keypoints2D(COCO_KEYPOINTS, np.arange(frames) / 25, np.arange(frames), points, SIZE, "made")


def test_tracks_are_checked() -> None:
    track = made_track()
    broken = track.points.copy()
    broken[2, 13, 0] = np.nan
    for change, sentence in [
        ({"points": broken}, "made: left_knee in frame 2 is not a number"),
        ({"points": track.points[:, :5]}, "made: the keypoints have the shape"),
        ({"points": track.points * 2}, "scores run from"),
        ({"time_s": np.array([0, 0.1, 0.1, 0.2])}, "must increase"),
        ({"time_s": np.array([0, 0.1, np.inf, 0.2])}, "a time is not a number"),
        ({"frame_index": np.array([0, 2, 1, 3])}, "must increase"),
        ({"names": ("nose",) * 17}, "named twice"),
    ]:
        with pytest.raises(PointlightError, match=sentence):
            replace(track, **change)


def test_selecting_names_leaves_others_absent() -> None:
    chosen = made_track().select(("left_heel", "nose"))
    assert not chosen[:, 0].any()
    np.testing.assert_array_equal(chosen[:, 1], made_track().points[:, 0])


# --- files --------------------------------------------------------------------------------


def coco(poses: dict[int, list[np.ndarray]], key: Callable[[int], Any] = int) -> list[dict[str, Any]]:
    return [
        {"image_id": key(frame), "category_id": 1, "keypoints": person.reshape(-1).tolist(), "score": 0.9}
        for frame, people in poses.items()
        for person in people
    ]


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("key", [int, lambda i: f"frame_{i:06}.jpg", str, float])
def test_coco_files(tmp_path: Path, video: VideoReader, key: Callable[[int], Any]) -> None:
    poses = {i: [pose(COCO_KEYPOINTS, 100 + 3 * i, 120, 90)] for i in range(FRAMES) if i != 4}
    track = read_keypoints(written(tmp_path / "k.json", coco(poses, key)), video)
    assert track.names == COCO_KEYPOINTS and len(track) == FRAMES
    assert track.present().tolist() == [i != 4 for i in range(FRAMES)]
    np.testing.assert_allclose(track.points[7, :, :2], poses[7][0][:, :2] + 0.5, atol=1e-4)
    np.testing.assert_allclose(track.points[7, :, 2], poses[7][0][:, 2], atol=1e-6)
    np.testing.assert_allclose(track.time_s, np.arange(FRAMES) / 30, atol=1e-9)


def test_coco_annotations_with_flags(tmp_path: Path, video: VideoReader) -> None:
    person = pose(COCO_KEYPOINTS, 100, 120, 90)
    person[:, 2] = [2, 1, 0] + [2] * 14
    entries = [{"image_id": 900 + i, "keypoints": person.reshape(-1).tolist()} for i in range(3)]
    images = [{"id": 900 + i, "file_name": f"{i:03}.png"} for i in range(3)]
    track = read_keypoints(written(tmp_path / "k.json", {"images": images, "annotations": entries}), video)
    assert track.points[1, :4, 2].tolist() == [1.0, 0.25, 0.0, 1.0]
    assert track.present().sum() == 3


@pytest.mark.parametrize("names", [OPENPOSE_BODY_25, OPENPOSE_COCO_18])
@pytest.mark.parametrize("form", ["folder", "list", "file"])
def test_openpose_files(tmp_path: Path, video: VideoReader, names: tuple[str, ...], form: str) -> None:
    entries = [
        {"version": 1.3, "people": [{"pose_keypoints_2d": pose(names, 90 + i, 120, 80).reshape(-1).tolist()}]}
        for i in range(FRAMES)
    ]
    entries[3]["people"] = []
    path = tmp_path / "json"
    if form == "folder":
        path.mkdir()
        for i, entry in enumerate(entries):
            written(path / f"clip2_{i:012}_keypoints.json", entry)
    elif form == "list":
        written(path, entries)
    else:
        path = written(tmp_path / "clip2_000000000005_keypoints.json", entries[5])
    track = read_keypoints(path, video)
    assert track.names == names
    assert track.present().tolist() == [i == 5 if form == "file" else i != 3 for i in range(FRAMES)]
    np.testing.assert_allclose(track.points[5, :, :2], pose(names, 95, 120, 80)[:, :2] + 0.5, atol=1e-4)


def test_openpose_names_stand_where_openpose_has_them() -> None:
    """A few places of its published tables."""
    assert [OPENPOSE_BODY_25[i] for i in (0, 1, 4, 7, 8, 11, 14, 15, 18, 19, 21, 22, 24)] == [
        *("nose", "neck", "right_wrist", "left_wrist", "mid_hip", "right_ankle", "left_ankle", "right_eye"),
        *("left_ear", "left_big_toe", "left_heel", "right_big_toe", "right_heel"),
    ]
    assert [OPENPOSE_COCO_18[i] for i in (4, 8, 10, 11, 13, 14, 17)] == [
        *("right_wrist", "right_hip", "right_ankle", "left_hip", "left_ankle", "right_eye", "left_ear"),
    ]


def test_own_files(tmp_path: Path, video: VideoReader) -> None:
    points = np.stack([pose(COCO_KEYPOINTS, 100 + i, 100, 80) for i in range(FRAMES)])
    times = video.times()
    track = Keypoints2D(COCO_KEYPOINTS, times.time_s, times.index, points, SIZE, "made")
    write_keypoints(tmp_path / "k.npz", track)
    read = read_keypoints(tmp_path / "k.npz", video)
    np.testing.assert_array_equal(read.points, track.points)
    np.savez(tmp_path / "part.npz", names=track.names, points=points[2:5], frame_index=np.arange(2, 5))
    assert read_keypoints(tmp_path / "part.npz", video).present().nonzero()[0].tolist() == [2, 3, 4]
    np.savez(tmp_path / "poses.npz", keypoint_names=track.names, keypoints_px=points)
    np.testing.assert_array_equal(read_keypoints(tmp_path / "poses.npz", video).points, track.points)


def test_a_selection_of_the_video(tmp_path: Path, video: VideoReader) -> None:
    poses = {i: [pose(COCO_KEYPOINTS, 100 + 3 * i, 120, 90)] for i in range(FRAMES)}
    part = VideoReader(video.path, 0.1, 0.3)
    track = read_keypoints(written(tmp_path / "k.json", coco(poses)), part)
    assert track.frame_index.tolist() == list(range(3, 9)) and track.present().all()


def test_several_people(tmp_path: Path, video: VideoReader) -> None:
    """A small person walks in front of a large one and both change their order in the file."""
    poses = {}
    for i in range(FRAMES):
        large, small = pose(COCO_KEYPOINTS, 200, 120, 150), pose(COCO_KEYPOINTS, 165 + 6 * i, 130, 60, seed=2)
        poses[i] = [large, small] if i % 2 else [small, large]
    path = written(tmp_path / "k.json", coco(poses))
    largest = read_keypoints(path, video)
    for i in range(FRAMES):
        np.testing.assert_allclose(
            largest.points[i, :, :2], poses[i][0 if i % 2 else 1][:, :2] + 0.5, atol=1e-4
        )
    boxed = read_keypoints(path, video, PersonBox.parse("150,95,66,70@0.1"))
    for i in range(FRAMES):
        np.testing.assert_allclose(
            boxed.points[i, :, :2], poses[i][1 if i % 2 else 0][:, :2] + 0.5, atol=1e-4
        )
    with pytest.raises(PointlightError, match=r"k\.json has nobody in the box 0,0,20,20 at 0 s"):
        read_keypoints(path, video, PersonBox.parse("0,0,20,20"))


def test_people_far_apart_are_not_linked() -> None:
    people = {0: [pose(COCO_KEYPOINTS, 50, 50, 40)], 1: [pose(COCO_KEYPOINTS, 250, 50, 40)]}
    assert len(link(people, {0: 0.0, 1: 0.04})) == 2
    assert len(link({0: people[0], 1: people[0]}, {0: 0.0, 1: 0.04})) == 1
    assert len(link({0: people[0], 1: people[0]}, {0: 0.0, 1: 5.0})) == 2


def test_wrong_files_say_what_is_wrong(tmp_path: Path, video: VideoReader) -> None:
    good = coco({i: [pose(COCO_KEYPOINTS, 100, 120, 90)] for i in range(FRAMES)})

    def changed(**values: Any) -> list[dict[str, Any]]:
        return [{**good[0], **values}, *good[1:]]

    relative = [{**e, "keypoints": (np.array(e["keypoints"]) / 400).clip(0, 1).tolist()} for e in good]
    large = [
        {**e, "keypoints": (np.array(e["keypoints"]).reshape(-1, 3) * (9, 9, 1)).ravel().tolist()}
        for e in good
    ]
    shown: dict[str, tuple[Any, str]] = {
        "short.json": (changed(keypoints=[1, 2, 3]), "short.json has 1 keypoints a person"),
        "mixture.json": ([*good[1:], {**good[0], "keypoints": [1, 2, 3]}], "1 keypoints a person in frame 0"),
        "words.json": (changed(keypoints=["a"] * 51), "has no keypoints made of numbers"),
        "null.json": ([{**e, "keypoints": [None] * 51} for e in good], "nobody in .*null.json has keypoints"),
        "negative.json": (changed(keypoints=[1, 1, -0.5] * 17), "a score in frame 0 is negative"),
        "frame.json": (changed(image_id="first"), "entry 0 does not say its frame"),
        "late.json": (
            changed(image_id=FRAMES + 1),
            "keypoints for frame 13, but the video's frames are 0 to 11",
        ),
        "relative.json": (relative, "coordinates from 0 to 1"),
        "large.json": (large, "most keypoints outside the picture of 320 x 240"),
        "other.json": ({"a": 1}, "holds no keypoints in a known form"),
        "empty.json": ([], "holds no keypoints in a known form"),
        "mixed.json": ([{"people": [{"pose_keypoints_2d": [1.0] * 12}]}], "has 4 keypoints a person"),
        "people.json": ({"people": 3}, "has no list of people"),
        "endless.json": (changed(image_id=float("inf")), "entry 0 does not say its frame"),
        "huge.json": (changed(keypoints=[10**400] * 51), "has no keypoints made of numbers"),
        "images.json": ({"annotations": changed(image_id=99), "images": 3}, "keypoints for frame 99"),
    }
    for name, (content, sentence) in shown.items():
        with pytest.raises(PointlightError, match=sentence):
            read_keypoints(written(tmp_path / name, content), video)
    (tmp_path / "text.json").write_text("no json")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "folder").mkdir()
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "count.npz", names=["nose"], points=np.zeros((3, 1, 3)))
    np.savez(tmp_path / "size.npz", names=["nose"], points=np.zeros((FRAMES, 1, 3)), image_size=(640, 320))
    np.savez(tmp_path / "side.npz", names=["nose"], points=np.zeros((FRAMES, 1, 3)), image_size=640)
    np.savez(tmp_path / "half.npz", names=["nose"], points=np.zeros((2, 1, 3)), frame_index=[0.5, 1.5])
    np.savez(tmp_path / "words.npz", names=["nose"], points=np.full((FRAMES, 1, 3), "a"))
    for name, sentence in {
        "none.json": "there is no keypoint file",
        "text.json": "cannot be read as JSON",
        "deep.json": "cannot be read as JSON",
        "folder": "has no .json files",
        "other.npz": "does not have names",
        "count.npz": "points for 3 frames, but the video has 12",
        "size.npz": "made for pictures of 640 x 320 pixels, the video has 320 x 240, which is another shape",
        "side.npz": "made for pictures of 640 pixels",
        "half.npz": "must have whole numbers as frame_index",
        "words.npz": "must have whole numbers as frame_index .* and real ones as points",
    }.items():
        with pytest.raises(PointlightError, match=sentence):
            read_keypoints(tmp_path / name, video)


def test_boxes() -> None:
    assert PersonBox.parse("10,20.5,30,40") == PersonBox(10, 20.5, 30, 40)
    assert PersonBox.parse("10,20,30,40@1.5").time_s == 1.5
    for text in ("", "1,2,3", "1,2,3,x", "1,2,3,-4", "1,2,3,4@", "1,2,3,4@x", "1,2,3,nan"):
        with pytest.raises(PointlightError, match="is not understood; give X,Y,W,H"):
            PersonBox.parse(text)
    with pytest.raises(PointlightError, match="lies outside the picture of 320 x 240"):
        PersonBox.parse("900,10,20,20").check(SIZE)


# --- following, with made networks ------------------------------------------------------------


class MadeNetworks:
    """People at places given by the picture's brightness; the reader slides to whoever is near."""

    def __init__(self, people: dict[int, list[Region]], visibility: float = 0.9, found: bool = True) -> None:
        self.people, self.visibility, self.found = people, visibility, found

    def _here(self, image: np.ndarray) -> list[Region]:
        return self.people.get(round((float(image.mean()) - 20) / 16), [])

    def find(self, image: np.ndarray, window: Region | None = None) -> list[tuple[Region, float]]:
        people = [(p, 0.9) for p in self._here(image) if self.found and _inside(p, window)]
        return sorted(people, key=lambda pair: -pair[0].size)

    def read(self, image: np.ndarray, region: Region) -> Reading | None:
        near = [p for p in self._here(image) if np.hypot(p.x - region.x, p.y - region.y) < 0.5 * region.size]
        if not near:
            return None
        points = pose(tuple(LANDMARKS), near[0].x, near[0].y, near[0].size)
        points[:, 2] = self.visibility
        return Reading(points.astype(np.float32), near[0], points.astype(np.float32))


def _inside(region: Region, window: Region | None) -> bool:
    return window is None or max(abs(region.x - window.x), abs(region.y - window.y)) < window.size / 2


def person_at(x: float, size: float = 60) -> Region:
    return Region(x, 120, size, 0.0)


def test_following_runs_both_ways_from_the_box(video: VideoReader) -> None:
    """The person in the box crosses the picture; a larger one stands still."""
    people = {i: [person_at(200, 90), person_at(20 + 8 * i)] for i in range(FRAMES)}
    people[0] = people[0][:1]
    detector = MediapipeDetector(networks=MadeNetworks(people))
    track = detector.track(video, PersonBox(20, 80, 80, 80, 0.1))
    middles = track.points[1:, :, 0].mean(1)
    offset = pose(tuple(LANDMARKS), 0, 0, 60)[:, 0].mean()
    np.testing.assert_allclose(middles, 20 + 8 * np.arange(1, FRAMES) + offset, atol=0.5)
    assert track.present().tolist() == [False] + [True] * (FRAMES - 1)
    largest = detector.track(video)
    assert largest.present().all() and np.ptp(largest.points[:, 0, 0]) == 0


def test_progress_counts_frames(video: VideoReader) -> None:
    seen: list[Progress] = []
    MediapipeDetector(networks=MadeNetworks({})).track(video, progress=seen.append)
    assert seen == [Progress("detect", done, FRAMES, unit="frame") for done in range(1, FRAMES + 1)]


def test_nobody(video: VideoReader) -> None:
    detector = MediapipeDetector(networks=MadeNetworks({}))
    assert not detector.track(video).present().any()
    with pytest.raises(PointlightError, match="nobody is found in the box"):
        detector.track(video, PersonBox(20, 80, 80, 80))
    with pytest.raises(PointlightError, match=r"meant for 9 s, but the video ends at 0.367 s"):
        detector.track(video, PersonBox(20, 80, 80, 80, 9.0))
    with pytest.raises(PointlightError, match="outside the picture"):
        detector.track(video, PersonBox(900, 80, 80, 80))


def test_a_jump_to_somebody_else_is_a_loss(video: VideoReader) -> None:
    """The person vanishes for three frames; another stands too far away, or is too large."""
    for other in (person_at(100), Region(60, 120, 200, 0.0)):
        people = {i: [person_at(60)] if i < 4 or i > 6 else [other] for i in range(FRAMES)}
        track = MediapipeDetector(networks=MadeNetworks(people)).track(video, PersonBox(30, 90, 60, 60))
        assert track.present().tolist() == [i < 4 or i > 6 for i in range(FRAMES)]


def test_background_that_passes_for_a_person_is_marked_afterwards() -> None:
    """The reader sees a half-visible body for long, the finder nobody: those frames are taken back."""
    networks = MadeNetworks({0: [person_at(60)]}, visibility=0.6, found=False)
    first = networks.read(np.full((9, 9), 20), person_at(60))
    assert first is not None
    follower = Follower(networks, first, 0.0, FollowConfig(), anywhere_after_s=None)
    wrong: list[int] = []
    for i in range(1, 60):
        reading, taken_back = follower.step(Frame(i, i / 30, np.full((9, 9), 20)))
        wrong += taken_back
        if taken_back:
            assert reading is None
    assert wrong == list(range(15, 46))
    networks.visibility = 0.9
    follower = Follower(networks, first, 0.0, FollowConfig(), anywhere_after_s=None)
    assert all(follower.step(Frame(i, i / 30, np.full((9, 9), 20)))[0] is not None for i in range(1, 60))


def test_incoherent_skeletons_are_not_people(video: VideoReader) -> None:
    people = {i: [person_at(60)] for i in range(FRAMES)}
    detector = MediapipeDetector(networks=MadeNetworks(people, visibility=0.3))
    assert detector.track(video).present().sum() == 1


def test_points_outside_the_picture_are_absent(video: VideoReader) -> None:
    people = {i: [Region(15, 120, 120, 0.0)] for i in range(FRAMES)}
    track = MediapipeDetector(networks=MadeNetworks(people)).track(video)
    outside = track.points[..., 0] < 0
    assert (
        outside.any() and not track.points[outside][:, 2].any() and (track.points[~outside][:, 2] > 0).all()
    )


# --- with mediapipe's networks -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector(detector_networks: Path) -> MediapipeDetector:
    return MediapipeDetector()


@pytest.fixture(scope="module")
def dance(shared_data: Path) -> Path:
    path = shared_data / "real" / "dance_hall.mp4"
    if not path.is_file():
        pytest.skip("the clip dance_hall.mp4 is not among the shared data")
    return path


def test_mediapipe_follows_a_real_person(
    detector: MediapipeDetector, dance: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    track = detector.track(VideoReader(dance, end_s=1.0))
    assert len(track) == 30 and track.present().all()
    assert set(NETWORK_KEYPOINTS) <= set(track.names) and not any("small_toe" in name for name in track.names)
    x, y, score = track.select(NETWORK_KEYPOINTS).transpose(2, 0, 1)
    assert (score > 0.5).mean() > 0.9
    height = y.max(1) - y.min(1)
    assert (np.abs(np.diff(x, axis=0)) < 0.15 * height[1:, None]).all()
    names = list(NETWORK_KEYPOINTS)
    assert (y[:, names.index("left_ankle")] > y[:, names.index("left_hip")]).all()
    # She faces the camera, so that her left is at the right of the picture.
    assert (x[:, names.index("left_hip")] > x[:, names.index("right_hip")]).mean() > 0.9
    assert capfd.readouterr().err == ""


def test_mediapipe_finds_the_same_person_by_a_box(detector: MediapipeDetector, dance: Path) -> None:
    """Started in the middle and run both ways, the keypoints are those of the run from the beginning."""
    forward = detector.track(VideoReader(dance, end_s=0.6))
    seen = forward.points[9]
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    box = PersonBox(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]), 0.3)
    both = detector.track(VideoReader(dance, end_s=0.6), box)
    assert both.present().all()
    distance = np.linalg.norm(both.points[..., :2] - forward.points[..., :2], axis=-1)
    assert np.median(distance) < 0.03 * np.linalg.norm(high - low)


def test_mediapipe_on_an_empty_picture(detector: MediapipeDetector, video: VideoReader) -> None:
    assert not detector.track(video).present().any()
