"""Marker files, tables, AMASS-like archives, OpenPose files and the Blender script: numbers, axes, gaps."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from posed_people import capture_of, wandering
from scipy.spatial.transform import Rotation

from pointlight.body import COCO_KEYPOINTS, AnnyBody
from pointlight.capture import body_states, joint_angles
from pointlight.capture.detection.keypoint_json import read_json
from pointlight.errors import PointlightError
from pointlight.export import FORMATS, WorldMotion, export_result, world_motions
from pointlight.export.amass import SMPLX_JOINTS, SMPLX_LIMBS, SMPLX_PARENTS
from pointlight.export.blender import camera_matrix
from pointlight.export.markers import check_c3d
from pointlight.export.openpose import BODY_25
from pointlight.export.world_motion import POINT_NAMES
from pointlight.motion import DRIVEN_JOINTS

VALID = np.ones(40, bool)
VALID[20:23] = False


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def motion(body: AnnyBody) -> WorldMotion:
    return world_motions([wandering(body, valid=VALID)], body)[0]


def read_trc(path: Path) -> tuple[dict[str, str], list[str], np.ndarray]:
    """Header, marker names, and numbers with frame and time first."""
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    rows = [line for line in lines[5:] if line != [""]]
    assert {len(row) for row in rows} == {2 + 3 * len(POINT_NAMES)}
    return (
        dict(zip(lines[1], lines[2], strict=True)),
        [name for name in lines[3][2:] if name],
        np.array(rows, float),
    )


@pytest.mark.parametrize(("unit", "scale"), [(None, 1000.0), ("m", 1.0)])
def test_trc(body: AnnyBody, motion: WorldMotion, tmp_path: Path, unit: str | None, scale: float) -> None:
    path = export_result(wandering(body, valid=VALID), "trc", tmp_path, units=unit).files[0]
    header, names, values = read_trc(path)
    assert header["Units"] == (unit or "mm") and header["NumFrames"] == "40" and header["NumMarkers"] == "23"
    assert float(header["DataRate"]) == pytest.approx(1 / np.diff(values[:, 1]).mean(), rel=1e-4)
    assert tuple(names) == POINT_NAMES
    np.testing.assert_array_equal(values[:, 0], np.arange(1, 41))
    np.testing.assert_allclose(values[:, 1], np.arange(40) / 30, atol=1e-6)
    points = values[:, 2:].reshape(40, -1, 3) / scale
    assert np.isnan(points[~VALID]).all()
    x, y, z = motion.points_m[VALID].astype(np.float64).transpose(2, 0, 1)
    np.testing.assert_allclose(points[VALID], np.stack((z, y, -x), axis=-1), atol=2e-5)


def test_c3d(body: AnnyBody, motion: WorldMotion, tmp_path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d", reason="ezc3d is not installed; it comes with the extra c3d")
    path = export_result(wandering(body, valid=VALID), "c3d", tmp_path).files[0]
    file = ezc3d.c3d(str(path))
    point = file["parameters"]["POINT"]
    assert point["UNITS"]["value"] == ["mm"] and point["RATE"]["value"][0] == 30
    assert tuple(point["LABELS"]["value"]) == POINT_NAMES
    assert (point["X_SCREEN"]["value"], point["Y_SCREEN"]["value"]) == (["+X"], ["+Z"])
    places = file["data"]["points"][:3].transpose(2, 1, 0)
    x, y, z = 1000 * motion.points_m[VALID].astype(np.float64).transpose(2, 0, 1)
    np.testing.assert_allclose(places[VALID], np.stack((z, x, y), axis=-1), atol=1e-3)
    residuals = file["data"]["meta_points"]["residuals"][0].T
    assert (
        (residuals[VALID] >= 0).all() and (residuals[~VALID] == -1).all() and np.isnan(places[~VALID]).all()
    )


def test_more_frames_than_c3d_holds(motion: WorldMotion) -> None:
    many = replace(motion, marks=np.zeros(70000, np.uint8), fps=60.0)
    with pytest.raises(PointlightError, match=r"has 70000 frames and C3D holds 65534; give --fps 56 or less"):
        check_c3d(many)
    check_c3d(replace(motion, marks=np.zeros(65534, np.uint8)))


def test_too_many_frames_are_refused_before_anything_is_written(
    body: AnnyBody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointlight.export.markers.MOST_C3D_FRAMES", 30)
    monkeypatch.setattr("pointlight.export.exporting.find_spec", lambda package: True)
    with pytest.raises(PointlightError, match="has 40 frames and C3D holds 30; give --fps 22 or less"):
        export_result(wandering(body), "bvh,c3d", tmp_path)
    assert not list(tmp_path.iterdir())


def test_tables(body: AnnyBody, motion: WorldMotion, tmp_path: Path) -> None:
    capture = replace(wandering(body, valid=VALID), occluded=np.arange(40) == 3)
    files = export_result(capture, "csv,angles", tmp_path).files
    assert [file.name for file in files[:-1]] == [
        "poses_positions.csv",
        "poses_angles.csv",
        "poses_angles.png",
    ]
    places = list(csv.DictReader(io.StringIO(files[0].read_text())))
    assert [places[k]["state"] for k in (0, 3, 21)] == ["seen", "inferred", "filled"]
    wrist = [float(places[7][f"joint_left_wrist_{axis}_m"]) for axis in "xyz"]
    np.testing.assert_allclose(wrist, motion.places_m[7, DRIVEN_JOINTS.index("left_wrist")], atol=1e-5)
    angles = list(csv.DictReader(io.StringIO(files[1].read_text())))
    assert [angles[k]["state"] for k in (0, 3, 21)] == ["seen", "inferred", "absent"]
    assert angles[21]["left_knee_flexion_deg"] == ""
    ours = joint_angles(capture, body).of("left_knee_flexion")
    assert float(angles[7]["left_knee_flexion_deg"]) == pytest.approx(float(ours[7]), abs=1e-3)
    with Image.open(files[2]) as picture:
        shown = np.asarray(picture)
    assert shown.shape[1] == 1000 and (shown != 255).any()


def test_a_stick_figure_of_smplx_agrees(body: AnnyBody, motion: WorldMotion, tmp_path: Path) -> None:
    """Rotations of SMPL-X's joints turn the limbs of its T-pose to where ours point."""
    path = export_result(wandering(body, valid=VALID), "amass", tmp_path).files[0]
    with np.load(path, allow_pickle=False) as archive:
        found = dict(archive)
    assert found["betas"].shape == (16,) and not found["betas"].any() and str(found["gender"]) == "neutral"
    assert found["mocap_frame_rate"] == 30 and found["poses"].shape == (40, 165)
    assert found["pose_body"].shape == (40, 63) and "not AMASS" in str(found["source"])
    assert found["state"][21] == "filled"
    rotvec = np.concatenate((found["root_orient"], found["pose_body"]), axis=1).reshape(40, 22, 3)
    local = Rotation.from_rotvec(rotvec.reshape(-1, 3)).as_matrix().reshape(40, 22, 3, 3)
    world = local.copy()
    for joint, parent in enumerate(SMPLX_PARENTS):
        if parent >= 0:
            world[:, joint] = world[:, parent] @ local[:, joint]
    ends = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}
    for name, direction in SMPLX_LIMBS.items():
        side, part = name.split("_")
        start, end = DRIVEN_JOINTS.index(name), DRIVEN_JOINTS.index(f"{side}_{ends[part]}")
        bone = motion.places_m[:, end] - motion.places_m[:, start]
        ours = np.stack((bone[:, 0], -bone[:, 2], bone[:, 1]), axis=1)
        theirs = world[:, SMPLX_JOINTS.index(name)] @ direction
        cosine = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
        assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < 0.5, name
    # Trunk and head stand in both rest poses as they do in ours.
    chest = world[:, SMPLX_JOINTS.index("spine3")]
    up = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    np.testing.assert_allclose(chest, up @ motion.rotations[:, DRIVEN_JOINTS.index("spine3")], atol=1e-5)
    pelvis = found["trans"] + np.array([0.003, -0.351, 0.012])
    np.testing.assert_allclose(pelvis, motion.places_m[:, 0] @ up.T, atol=1e-5)


def test_openpose_files_are_read_back(body: AnnyBody, tmp_path: Path) -> None:
    capture = wandering(body, frames=12)
    rng = np.random.default_rng(2)
    points = np.concatenate(
        (rng.uniform(20, 460, (12, 17, 2)), rng.uniform(0.3, 1, (12, 17, 1))), axis=-1
    ).astype(np.float32)
    points[4] = 0
    points[5, 3] = 0
    capture = replace(capture, keypoints_px=points, keypoint_names=COCO_KEYPOINTS, track_id=2)
    files = export_result(capture, "openpose", tmp_path).files
    assert len(files) == 13 and files[3].parent.name == "poses_openpose"
    assert files[3].name == "poses_000000000003_keypoints.json"
    content = read_json(files[0].parent)
    assert content.kind == "OpenPose" and len(content.labels) == 12 and not content.warnings
    seen_frames = [k for k in range(12) if k != 4]
    assert [sighting.ids["person_id"] for sighting in content.sightings] == [2] * 11
    for sighting, frame in zip(content.sightings, seen_frames, strict=True):
        for k, name in enumerate(COCO_KEYPOINTS):
            theirs = sighting.pose[BODY_25.index(name)]
            if points[frame, k, 2] > 0:
                np.testing.assert_allclose(theirs, points[frame, k] - (0.5, 0.5, 0), atol=2e-3)
            else:
                assert np.isnan(theirs).all() or not theirs.any()


def test_the_blender_camera_sees_what_the_video_s_saw(body: AnnyBody, tmp_path: Path) -> None:
    capture = replace(wandering(body, frames=4), principal_px=(300.0, 260.0))
    (motion,) = world_motions([capture], body)
    camera = camera_matrix(motion.camera)
    place = np.array([motion.places_m[0, 5, 0], -motion.places_m[0, 5, 2], motion.places_m[0, 5, 1]])
    x, y, z = camera[:3, :3].T @ (place - camera[:3, 3])
    text = export_result(capture, "glb", tmp_path).files[1].read_text() if _has_gltf() else ""
    joints = body.joints(body_states(capture, body))[0, 5].numpy()
    ours = joints[:2] / joints[2] * capture.focal_px + np.array(capture.principal_px)
    np.testing.assert_allclose((300 + 800 * x / -z, 260 + 800 * -y / -z), ours, atol=1e-2)
    if text:
        compile(text, "poses_blender.py", "exec")
        assert "LENS_MM, SENSOR_MM, SHIFT = 45.0, 36.0, (0.03125, 0.03125)" in text
        assert "FPS, FRAMES = 30.0, 4" in text


def test_equal_results_give_equal_files(body: AnnyBody, tmp_path: Path) -> None:
    capture = wandering(body, frames=6)
    names = "bvh,trc,csv,angles,amass,openpose"
    first, second = (export_result(capture, names, tmp_path / folder).files for folder in ("a", "b"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_one_frame_in_every_format(body: AnnyBody, tmp_path: Path) -> None:
    still = capture_of(body, np.tile(np.eye(3), (1, 22, 1, 1)), np.array([[0, 1.0, -3]]))
    there = [name for name, each in FORMATS.items() if not each.package or find_spec(each.package)]
    wanted = [name for name in there if name != "glb" or _has_gltf()]
    assert all(file.stat().st_size for file in export_result(still, wanted, tmp_path).files)


def _has_gltf() -> bool:
    return find_spec("pygltflib") is not None
