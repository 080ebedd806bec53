"""Keypoint files as other programs write them: marks of absence, names of frames, sizes, rates, ids, orders, cuts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keypoint_writers import PLAIN, SIZE, Person, Wanted, odd_file, plain_openpose, written

from pointlight.body import COCO_KEYPOINTS
from pointlight.capture.detection import read_keypoints
from pointlight.capture.detection.frame_names import numbers_of_names
from pointlight.capture.detection.keypoint_layouts import (
    HALPE_26,
    HUMAN36M_17,
    LAYOUTS,
    OPENPOSE_BODY_25,
    OPENPOSE_BODY_25B,
    named_layout,
)
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.media import VideoReader, VideoWriter

FRAMES = 24
FPS = 24


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> VideoReader:
    """A quiet picture: nothing cuts."""
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    with VideoWriter(path, FPS, SIZE) as writer:
        for _ in range(FRAMES):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
    return VideoReader(path)


def walker(names: tuple[str, ...] = COCO_KEYPOINTS, frames: int = FRAMES) -> np.ndarray:
    """(T, K, 3) a person who walks to the right, in other programs' pixels; all seen."""
    return np.stack([Person().at(frame, names) for frame in range(frames)])


def moved(poses: np.ndarray) -> np.ndarray:
    """From others' pixels to ours, which count from the corner."""
    return poses + np.array((0.5, 0.5, 0.0))


def coco(poses: np.ndarray, label: Callable[[int], Any] = int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"image_id": label(frame), "category_id": 1, "keypoints": pose.reshape(-1).tolist(), **more}
        for frame, pose in enumerate(poses)
    ]


def openpose(folder: Path, entries: list[Any], name: str = "clip_{:012}_keypoints.json") -> Path:
    folder.mkdir()
    for frame, entry in enumerate(entries):
        written(folder / name.format(frame), entry)
    return folder


def people(*poses: np.ndarray, key: str = "pose_keypoints_2d", **more: Any) -> dict[str, Any]:
    return {"version": 1.3, "people": [{key: pose.reshape(-1).tolist(), **more} for pose in poses]}


def assert_same(track: Keypoints2D, poses: np.ndarray, tolerance_px: float = 1e-3) -> None:
    """That the places are those of `poses` wherever these have a score."""
    seen = poses[..., 2] > 0
    assert ((track.points[..., 2] > 0) == seen).all()
    np.testing.assert_allclose(track.points[..., :2][seen], poses[..., :2][seen] + 0.5, atol=tolerance_px)


# --- absence


@pytest.mark.parametrize(
    "mark",
    [
        (0, 0, 0.42),
        (0, 0, 1),
        (0, 0, 0),
        (None, None, None),
        (float("nan"),) * 3,
        (50, 50, None),
        (-1, -1, -1),
        ("", "", ""),
    ],
)
def test_marks_of_absence_are_absent(tmp_path: Path, video: VideoReader, mark: tuple[Any, ...]) -> None:
    poses = walker()
    entries = coco(poses)
    for entry in entries[::2]:
        entry["keypoints"][3 * 7 : 3 * 8] = mark
    poses[::2, 7] = 0
    assert_same(read_keypoints(written(tmp_path / "k.json", entries), video), poses)
    body = walker(OPENPOSE_BODY_25)
    frames = [people(pose) for pose in body]
    for frame in frames[::2]:
        frame["people"][0]["pose_keypoints_2d"][3 * 4 : 3 * 5] = mark
    body[::2, 4] = 0
    assert_same(read_keypoints(openpose(tmp_path / "json", frames), video), body)


@pytest.mark.parametrize(
    "mark",
    [None, {}, [], {"pose_keypoints_2d": []}, {"pose_keypoints_2d": None}, {"face_keypoints_2d": [1, 2, 3]}],
)
def test_absent_people_are_skipped(tmp_path: Path, video: VideoReader, mark: Any) -> None:
    body = walker(OPENPOSE_BODY_25)
    frames: list[Any] = [people(pose) for pose in body]
    for frame in frames[1::2]:
        frame["people"].insert(0, mark)
    for number in (4, 5):
        frames[number] = {"people": [mark]}
        body[number] = 0
    track = read_keypoints(openpose(tmp_path / "json", frames), video)
    assert_same(track, body)
    assert track.warnings == ()


@pytest.mark.parametrize("mark", [None, {}, [], {"people": None}, {"people": []}])
def test_absent_frames_are_empty(tmp_path: Path, video: VideoReader, mark: Any) -> None:
    body = walker(OPENPOSE_BODY_25)
    frames: list[Any] = [people(pose) for pose in body]
    frames[3], body[3] = mark, 0
    assert_same(read_keypoints(openpose(tmp_path / "json", frames), video), body)
    assert_same(read_keypoints(written(tmp_path / "list.json", frames), video), body)


def test_lists_may_state_their_frames(tmp_path: Path, video: VideoReader) -> None:
    body = walker(OPENPOSE_BODY_25)
    entries = [people(pose) | {"frame": frame} for frame, pose in enumerate(body)]
    assert_same(read_keypoints(written(tmp_path / "k.json", entries[::-1]), video), body)


def test_coco_entries_without_keypoints(tmp_path: Path, video: VideoReader) -> None:
    poses = walker()
    entries: list[Any] = coco(poses)
    entries[2]["keypoints"] = None
    entries[3]["keypoints"] = []
    del entries[5]["keypoints"]
    poses[[2, 3, 5]] = 0
    boxes = [{"image_id": frame, "category_id": 1, "bbox": [1, 2, 3, 4]} for frame in range(FRAMES)]
    content = {
        "annotations": [None, *boxes, *entries],
        "images": [{"id": i, "file_name": f"{i}.jpg"} for i in range(FRAMES)],
    }
    track = read_keypoints(written(tmp_path / "k.json", content), video)
    assert_same(track, poses)
    assert track.warnings == ()


def test_nothing_at_all_is_said(tmp_path: Path, video: VideoReader) -> None:
    empty = written(tmp_path / "k.json", [{"image_id": 0, "keypoints": []}])
    with pytest.raises(PointlightError, match=r"nobody in .* has keypoints"):
        read_keypoints(empty, video)


def test_absence_in_an_npz(tmp_path: Path, video: VideoReader) -> None:
    poses = walker()
    odd = poses.copy()
    odd[..., :2] += 0.5
    odd[3, 5] = np.nan
    odd[4, 6] = (0, 0, 0.9)
    odd[5, 7, 2] = np.nan
    poses[3, 5] = poses[4, 6] = poses[5, 7] = 0
    np.savez(tmp_path / "k.npz", names=COCO_KEYPOINTS, points=odd)
    assert_same(read_keypoints(tmp_path / "k.npz", video), poses)


# --- which frame


@pytest.mark.parametrize(
    "name",
    [
        "frame_{:06}_cam1.jpg",
        "2024-05-01 clip7 ({}).png",
        "cam2/{:05}.jpg",
        "take_{}_1080p_30fps.jpeg",
        "taiji_mp4-{:04}_jpg.rf.{hash}.jpg",
        "{hash}_frame{}.png",
    ],
)
def test_the_digits_that_differ_are_the_frame(tmp_path: Path, video: VideoReader, name: str) -> None:
    poses = walker()
    hashes = [f"{0x19919AB0C + 0x12345 * i * i:x}c" for i in range(FRAMES)]
    names = [name.format(i, hash=hashes[i]) for i in range(FRAMES)]
    entries = coco(poses, lambda i: names[i])
    assert_same(read_keypoints(written(tmp_path / "k.json", entries), video), poses)
    images = [{"id": 100 + 7 * i, "file_name": names[i]} for i in range(FRAMES)]
    content = {"images": images, "annotations": coco(poses, lambda i: 100 + 7 * i)}
    assert_same(read_keypoints(written(tmp_path / "a.json", content), video), poses)


def test_folders_with_a_camera_behind_the_frame(tmp_path: Path, video: VideoReader) -> None:
    body = walker(OPENPOSE_BODY_25)
    folder = openpose(tmp_path / "json", [people(pose) for pose in body], "frame_{:06}_cam1_keypoints.json")
    (folder / "._frame_000000_cam1_keypoints.json").write_bytes(b"\0\5")
    (folder / "frame_000003_cam1_keypoints.json").rename(folder / "frame_000003_cam1_keypoints.JSON")
    assert_same(read_keypoints(folder, video), body)


@pytest.mark.parametrize(
    "names",
    [
        ["a1.jpg", "b1.jpg"],
        ["frame_1_person_0.json", "frame_1_person_1.json", "frame_2_person_0.json", "frame_2_person_1.json"],
        ["1_1.jpg", "2_2.jpg", "3_3x.jpg"],
        ["cam0_frame1.jpg", "cam1_frame2.jpg"],
        ["day.jpg", "night.jpg"],
        ["01.jpg", "1.jpg"],
    ],
)
def test_names_that_do_not_tell_are_refused(names: list[str]) -> None:
    if names[0] == "1_1.jpg":
        assert numbers_of_names(names, Path("k.json")) == dict(zip(names, (1, 2, 3), strict=True))
        return
    with pytest.raises(PointlightError, match="do not tell which frame each belongs to"):
        numbers_of_names(names, Path("k.json"))


def test_the_name_of_a_single_file(tmp_path: Path, video: VideoReader) -> None:
    body = walker(OPENPOSE_BODY_25)
    for name, frame in (("clip2_000000000005_keypoints", 5), ("take7", 7)):
        track = read_keypoints(written(tmp_path / f"{name}.json", people(body[frame])), video)
        assert np.flatnonzero(track.present()).tolist() == [frame]
        assert any("has entries for 1 of the 24 frames" in text for text in track.warnings)
    nameless = read_keypoints(written(tmp_path / "pose.json", people(body[0])), video)
    assert (
        nameless.present().nonzero()[0].tolist() == [0] and "it is taken for frame 0" in nameless.warnings[0]
    )
    with pytest.raises(PointlightError, match=r"frame_000012_cam1_keypoints does not tell which frame"):
        read_keypoints(written(tmp_path / "frame_000012_cam1_keypoints.json", people(body[0])), video)


def test_an_image_that_is_not_there(tmp_path: Path, video: VideoReader) -> None:
    images = [{"id": i, "file_name": f"{i:03}.jpg"} for i in range(5)]
    content = {"images": images, "annotations": coco(walker(frames=6))}
    with pytest.raises(PointlightError, match="entry 5 belongs to image 5, which is not among the images"):
        read_keypoints(written(tmp_path / "k.json", content), video)


def test_frames_counted_from_one(tmp_path: Path, video: VideoReader) -> None:
    poses = walker()
    track = read_keypoints(written(tmp_path / "k.json", coco(poses, lambda i: f"{i + 1:04}.png")), video)
    assert_same(track, poses)
    assert track.warnings == (
        f"{tmp_path / 'k.json'} counts frames from 1 to 24; they are taken for 0 to 23",
    )
    entries = coco(poses, lambda i: f"{i + 1:04}.png")[:-2]
    cautious = read_keypoints(written(tmp_path / "short.json", entries), video)
    assert "has no frame 0; its frames are taken as counted from 0" in cautious.warnings[0]
    part = VideoReader(video.path, end_s=0.5)
    assert_same(read_keypoints(tmp_path / "k.json", part), poses[:12])


def test_too_few_and_too_many_frames(tmp_path: Path, video: VideoReader) -> None:
    poses = walker(frames=FRAMES + 3)
    half = read_keypoints(written(tmp_path / "half.json", coco(poses)[: FRAMES // 2]), video)
    assert "has entries for 12 of the 24 frames (from 0 to 11)" in half.warnings[0]
    with pytest.raises(PointlightError, match="keypoints for frame 26, but the video's frames are 0 to 23"):
        read_keypoints(written(tmp_path / "many.json", coco(poses)), video)


def test_one_odd_file_does_not_stop_a_folder(tmp_path: Path, video: VideoReader) -> None:
    body = walker(OPENPOSE_BODY_25)
    folder = openpose(tmp_path / "json", [people(pose) for pose in body])
    (folder / "clip_000000000004_keypoints.json").write_text('{"people": [{"pose')
    (folder / "info.json").write_text('{"fps": 24}')
    track = read_keypoints(folder, video)
    body[4] = 0
    assert_same(track, body)
    assert any("04_keypoints.json cannot be read as JSON; left out" in text for text in track.warnings)
    assert any("info.json has no list of people; left out" in text for text in track.warnings)


# --- sizes, rates, places


def test_stated_sizes_are_scaled_to_the_video(tmp_path: Path, video: VideoReader) -> None:
    poses, small = walker(), walker()
    small[..., :2] = (poses[..., :2] + 0.5) / 2 - 0.5
    images = [
        {"id": i, "file_name": f"{i}.jpg", "width": SIZE[0] // 2, "height": SIZE[1] // 2}
        for i in range(FRAMES)
    ]
    track = read_keypoints(
        written(tmp_path / "k.json", {"images": images, "annotations": coco(small)}), video
    )
    assert_same(track, poses)
    assert "is for pictures of 160 x 120 pixels; its keypoints are scaled to 320 x 240" in track.warnings[0]
    del images[5]["width"], images[6]["height"]
    file = written(tmp_path / "some.json", {"images": images, "annotations": coco(small)})
    assert_same(read_keypoints(file, video), poses)
    body, half = walker(OPENPOSE_BODY_25), walker(OPENPOSE_BODY_25)
    half[..., :2] = (body[..., :2] + 0.5) / 2 - 0.5
    comfy = [people(pose) | {"canvas_width": SIZE[0] // 2, "canvas_height": SIZE[1] // 2} for pose in half]
    assert_same(read_keypoints(written(tmp_path / "comfy.json", comfy), video), body)
    np.savez(tmp_path / "k.npz", names=COCO_KEYPOINTS, points=moved(small), image_size=(160, 120))
    assert_same(read_keypoints(tmp_path / "k.npz", video), poses)


def test_another_shape_is_refused(tmp_path: Path, video: VideoReader) -> None:
    body = walker(OPENPOSE_BODY_25)
    comfy = [people(pose) | {"canvas_width": 512, "canvas_height": 512} for pose in body]
    with pytest.raises(
        PointlightError, match="for pictures of 512 x 512 pixels, the video has 320 x 240, which is"
    ):
        read_keypoints(written(tmp_path / "k.json", comfy), video)


def test_relative_places(tmp_path: Path, video: VideoReader) -> None:
    body, relative = walker(OPENPOSE_BODY_25), walker(OPENPOSE_BODY_25)
    relative[..., :2] = (body[..., :2] + 0.5) / SIZE
    stated = [people(pose) | {"canvas_width": 640, "canvas_height": 480} for pose in relative]
    assert_same(read_keypoints(written(tmp_path / "stated.json", stated), video), body)
    with pytest.raises(PointlightError, match="coordinates from 0 to 1; give pixels"):
        read_keypoints(written(tmp_path / "k.json", [people(pose) for pose in relative]), video)


def test_stated_rates_and_times(tmp_path: Path, video: VideoReader) -> None:
    poses = walker()
    for fps, fits in ((24, True), (23.976, True), (60, False)):
        content = {"info": {"fps": fps}, "images": [], "annotations": coco(poses)}
        file = written(tmp_path / "k.json", content)
        if fits:
            assert_same(read_keypoints(file, video), poses)
        else:
            with pytest.raises(PointlightError, match=r"is for a video of 60 frames/s, .* has 24"):
                read_keypoints(file, video)
    points = moved(poses)
    for rate, begin, fits in ((24, 0, True), (24, 3600, True), (30, 0, False)):
        time_s = begin + np.arange(FRAMES) / rate
        np.savez(
            tmp_path / "k.npz",
            names=COCO_KEYPOINTS,
            points=points,
            frame_index=np.arange(FRAMES),
            time_s=time_s,
        )
        if fits:
            assert_same(read_keypoints(tmp_path / "k.npz", video), poses)
        else:
            with pytest.raises(PointlightError, match=r"has frame 23 at 0.767 s, the video at 0.958 s"):
                read_keypoints(tmp_path / "k.npz", video)


def test_percent(tmp_path: Path, video: VideoReader) -> None:
    poses = walker()
    poses[:, 3, 2] = 0.05
    track = read_keypoints(written(tmp_path / "k.json", coco(poses * (1, 1, 100))), video)
    np.testing.assert_allclose(track.points[..., 2], poses[..., 2], atol=1e-6)
    assert "taken for percent" in track.warnings[0]


# --- orders of keypoints


def test_another_order_with_as_many_points_is_told_by_its_limbs(tmp_path: Path, video: VideoReader) -> None:
    entries = [people(pose) for pose in walker(OPENPOSE_BODY_25B)]
    file = written(tmp_path / "k.json", entries)
    with pytest.raises(
        PointlightError, match=r"looks like OpenPose BODY_25B .*give --keypoint-format body25b"
    ):
        read_keypoints(file, video)
    track = read_keypoints(file, video, layout="body25b")
    assert track.names == OPENPOSE_BODY_25B
    assert_same(track, walker(OPENPOSE_BODY_25B))
    human = written(tmp_path / "h.json", coco(walker(HUMAN36M_17)))
    with pytest.raises(PointlightError, match=r"looks like Human3.6M-17 and not like COCO-17"):
        read_keypoints(human, video)
    assert read_keypoints(human, video, layout="h36m17").names == HUMAN36M_17


@pytest.mark.parametrize("key", LAYOUTS)
def test_every_order_can_be_said(tmp_path: Path, video: VideoReader, key: str) -> None:
    layout = LAYOUTS[key]
    poses = walker(layout.names)
    more = np.full((FRAMES, layout.count - len(layout.names), 3), (9.0, 9.0, 0.9))
    file = written(tmp_path / "k.json", coco(np.concatenate((poses, more), axis=1)))
    track = read_keypoints(file, video, layout=key)
    assert track.names == layout.names
    assert_same(track, poses)
    with pytest.raises(PointlightError, match="keypoints a person in frame 0, where"):
        read_keypoints(file, video, layout="halpe26" if layout.count != 26 else "coco17")


def test_counts_that_mean_nothing_name_the_option(tmp_path: Path, video: VideoReader) -> None:
    file = written(tmp_path / "k.json", coco(walker(LAYOUTS["openpose18"].names)))
    with pytest.raises(PointlightError, match="--keypoint-format coco18 or openpose18"):
        read_keypoints(file, video)
    with pytest.raises(PointlightError, match="no keypoint format 'coco'; give one of coco17"):
        read_keypoints(file, video, layout="coco")
    assert read_keypoints(written(tmp_path / "h.json", coco(walker(HALPE_26))), video).names == HALPE_26


def test_stated_names_are_believed(tmp_path: Path, video: VideoReader) -> None:
    order = np.random.default_rng(0).permutation(17)
    names = tuple(COCO_KEYPOINTS[i] for i in order)
    spelt = [name.replace("left_", "L-").replace("right_", "R-").upper() for name in names]
    content = {"categories": [{"id": 1, "keypoints": spelt}], "annotations": coco(walker(names))}
    track = read_keypoints(written(tmp_path / "k.json", content), video)
    assert track.names == names
    assert_same(track, walker(names))
    assert named_layout(
        ["LShoulder", "rightKnee", "Left Big Toe", "left_bigtoe", "Pelvis", "LHip"]
    ).names == (*("left_shoulder", "right_knee", "left_big_toe", "left_big_toe", "mid_hip", "left_hip"),)
    content["categories"][0]["keypoints"] = [f"p{i}" for i in range(17)]
    with pytest.raises(PointlightError, match="names keypoints of which fewer than 7 are known"):
        read_keypoints(written(tmp_path / "k.json", content), video)


def test_mmpose(tmp_path: Path, video: VideoReader) -> None:
    poses = walker()
    entries = [
        {
            "frame_id": frame + 1,
            "instances": [
                {
                    "keypoints": pose[:, :2].tolist(),
                    "keypoint_scores": pose[:, 2].tolist(),
                    "bbox": [[0, 0, 9, 9]],
                }
            ],
        }
        for frame, pose in enumerate(poses)
    ]
    names = {str(i): name for i, name in enumerate(COCO_KEYPOINTS)}
    content = {"meta_info": {"keypoint_id2name": names}, "instance_info": entries}
    for form in (content, entries):
        track = read_keypoints(written(tmp_path / "k.json", form), video)
        assert_same(track, poses)
        assert "counts frames from 1 to 24" in track.warnings[0]


# --- who


def crossing(frames: int = FRAMES) -> tuple[np.ndarray, np.ndarray]:
    """Two people of one size who walk through each other."""
    a = np.stack([Person(x=60 + 8 * i).at(i) for i in range(frames)])
    b = np.stack([Person(x=260 - 8 * i, seed=2).at(i) for i in range(frames)])
    return a, b


@pytest.mark.parametrize("key", ["idx", "track_id", "person_id", "id"])
def test_ids_of_the_file_are_used(tmp_path: Path, video: VideoReader, key: str) -> None:
    a, b = crossing()
    a[..., :2] = a[..., :2] * 1.02  # a trifle larger
    entries = []
    for frame in range(FRAMES):
        for pose, number in ((a[frame], 3), (b[frame], 5))[:: 1 if frame % 2 else -1]:
            value = [float(number)] if key == "idx" else number
            entries.append({"image_id": frame, "keypoints": pose.reshape(-1).tolist(), key: value})
    assert_same(read_keypoints(written(tmp_path / "k.json", entries), video), a)


@pytest.mark.parametrize("ids", ["constant", "entries", "swapping", "none", "places"])
def test_ids_that_are_none_are_not_used(tmp_path: Path, video: VideoReader, ids: str) -> None:
    a = np.stack([Person(x=80 + i, size=110).at(i) for i in range(FRAMES)])
    b = np.stack([Person(x=240 - i, size=80, seed=2).at(i) for i in range(FRAMES)])
    entries = []
    for frame in range(FRAMES):
        for place, (pose, number) in enumerate(((a[frame], 0), (b[frame], 1))):
            value = {
                "constant": -1 if frame % 2 else 7,
                "entries": 2 * frame + place,
                "swapping": (number + frame // 3) % 2,
                "none": None,
                "places": (place + frame) % 2,
            }[ids]
            entries.append({"image_id": frame, "keypoints": pose.reshape(-1).tolist(), "id": value})
    assert_same(read_keypoints(written(tmp_path / "k.json", entries), video), a)


def test_who_leaves_and_returns_is_kept(tmp_path: Path) -> None:
    """Away for 1.7 s, with a poster that passes for a person meanwhile, and before."""
    path = tmp_path / "v.mp4"
    frames = 120
    with VideoWriter(path, 30, SIZE) as writer:
        for _ in range(frames):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
    video = VideoReader(path)
    person = np.stack([Person(x=100 if i < 40 else 200).at(i) for i in range(frames)])
    poster = np.stack([Person(x=40, size=60, seed=3, sway=0).at(i) for i in range(frames)])
    poster[..., 2] = 0.35
    poster[:, :8] = 0
    away = (np.arange(frames) >= 40) & (np.arange(frames) < 91)
    both = [people(*([] if away[i] else [person[i]]), poster[i]) for i in range(frames)]
    person[away] = 0
    for number, entries in enumerate((both, [{"people": frame["people"][:1]} for frame in both])):
        with_names = [
            {"image_id": i, "keypoints": one["pose_keypoints_2d"]}
            for i, frame in enumerate(entries)
            for one in frame["people"]
        ]
        track = read_keypoints(written(tmp_path / f"{number}.json", with_names), video)
        assert_same(track, person)


def test_a_jump_to_somebody_else_begins_a_shot(tmp_path: Path, video: VideoReader) -> None:
    poses = np.stack([Person(x=70 if i < 12 else 240, seed=1 if i < 12 else 2).at(i) for i in range(FRAMES)])
    track = read_keypoints(written(tmp_path / "k.json", coco(poses)), video)
    assert_same(track, poses)
    assert track.shot.tolist() == [0] * 12 + [1] * 12
    assert [len(part) for part in track.shots()] == [12, 12]
    poses = walker()
    stray = poses.copy()
    stray[10] = Person(x=280, seed=2).at(0)
    poses[10] = 0
    track = read_keypoints(written(tmp_path / "s.json", coco(stray)), video)
    assert_same(track, poses)
    assert set(track.shot) == {0} and "in 1 frames, the first at 0.42 s" in track.warnings[0]


# --- everything at once


def check(wanted: Wanted, path: Path, video: VideoReader) -> str:
    """Read an odd file: the right result or one sentence. Returns which."""
    try:
        track = read_keypoints(path, video, layout=wanted.layout)
    except PointlightError as error:
        assert wanted.refused, f"{wanted.oddities}: {error}"
        assert "\n" not in str(error) and len(str(error)) < 600
        return "refused"
    assert not wanted.refused, wanted.oddities
    known = [name for name in track.names if name in PLAIN]
    plain = np.zeros((len(track), len(known), 3))
    for column, name in enumerate(known):
        plain[:, column] = wanted.poses[:, PLAIN.index(name)]
    got = track.select(tuple(known))
    seen = plain[..., 2] > 0
    assert ((got[..., 2] > 0) == seen).all(), wanted.oddities
    off = np.abs(got[..., :2][seen] - plain[..., :2][seen] - 0.5)
    assert off.max() < wanted.tolerance_px, wanted.oddities
    lost = [frame for frame in range(len(track)) if not seen[frame].any()]
    assert not wanted.warns or track.warnings, wanted.oddities
    assert len(lost) < len(track)
    return "read"


@pytest.mark.parametrize("seed", range(20))
def test_a_few_odd_files(tmp_path: Path, video: VideoReader, seed: int) -> None:
    check(*odd_file(tmp_path, seed, FRAMES), video)


@pytest.mark.slow
def test_500_odd_files(tmp_path: Path, video: VideoReader) -> None:
    counts = {"read": 0, "refused": 0}
    for seed in range(500):
        folder = tmp_path / str(seed)
        folder.mkdir()
        counts[check(*odd_file(folder, seed, FRAMES), video)] += 1
    assert counts["read"] > 350 and sum(counts.values()) == 500


def test_plain_files_of_the_writers_are_read_as_they_are(tmp_path: Path, video: VideoReader) -> None:
    wanted, path = plain_openpose(tmp_path, FRAMES)
    assert check(wanted, path, video) == "read"
    assert json.loads(sorted(path.iterdir())[0].read_text())["people"]
