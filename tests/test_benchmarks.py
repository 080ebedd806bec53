"""Readers of published benchmarks: made files in the exact layouts, with everything that users stumbled over."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_files import (
    FOCAL_3DPW,
    OPENPOSE,
    mpi_content,
    surreal_content,
    threedpw_content,
    write_3dpw,
    write_mpi,
    write_surreal,
)
from old_pickles import Foreign
from PIL import Image
from smpl_files import PARENTS, rest_joints

from pointlight.body import NETWORK_KEYPOINTS, SMPL_JOINTS
from pointlight.errors import PointlightError
from pointlight.evaluation.published import (
    MPI_INF_3DHP_JOINTS,
    BenchmarkTrack,
    find_3dpw,
    find_mpi_inf_3dhp,
    find_surreal,
    read_3dpw,
    read_mpi_inf_3dhp,
    read_surreal,
)


def projected(track: BenchmarkTrack, names: tuple[str, ...]) -> np.ndarray:
    """(T, n, 2) where the truth falls in the picture."""
    joints = track.joints(names)
    return joints[..., :2] / joints[..., 2:] * track.focal_px[:, None] + track.principal_px[:, None]


def furthest(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(np.asarray(a) - np.asarray(b), axis=-1).max())


def joints_by_rotations(track: BenchmarkTrack) -> np.ndarray:
    """(T, 24, 3) about the pelvis, by the track's own SMPL rotations and the made body's bones."""
    assert track.smpl is not None
    turns, rest = track.smpl.rotations.copy(), rest_joints()
    joints = np.zeros((len(turns), 24, 3))
    for joint, parent in enumerate(PARENTS[1:], start=1):
        joints[:, joint] = joints[:, parent] + turns[:, parent] @ (rest[joint] - rest[parent])
        turns[:, joint] = turns[:, parent] @ turns[:, joint]
    return joints


def hips_px(track: BenchmarkTrack) -> tuple[np.ndarray, np.ndarray]:
    points = track.keypoints.select(("left_hip", "right_hip"))[..., 0]
    return points[:, 0], points[:, 1]


# 3DPW


def test_3dpw_is_one_consistent_scene(tmp_path: Path) -> None:
    """Detections, camera, joints and SMPL's pose of the file all say the same."""
    tracks = read_3dpw(write_3dpw(tmp_path, threedpw_content()))
    assert [track.name for track in tracks] == ["made_00/0", "made_00/1"]
    for track in tracks:
        assert track.joint_names == SMPL_JOINTS
        assert track.keypoints.names == tuple(OPENPOSE)
        assert track.valid.all() and track.camera_valid.all()
        assert track.focal_px[0] == pytest.approx(FOCAL_3DPW)
        assert (
            furthest(projected(track, NETWORK_KEYPOINTS), track.keypoints.select(NETWORK_KEYPOINTS)[..., :2])
            < 0.01
        )
        about_pelvis = track.joints_camera_m - track.joints_camera_m[:, :1]
        assert furthest(joints_by_rotations(track), about_pelvis) < 1e-6
        moved = (
            track.R_camera_world.transpose(0, 2, 1)
            @ (track.joints_camera_m[:, 0] - track.t_camera_world_m)[..., None]
        )
        assert furthest(moved[..., 0], moved[:1, :, 0]) < 1e-6  # the pelvis stands still in the world
        assert np.diff(track.keypoints.time_s) == pytest.approx(1 / 30)
    assert [track.smpl.gender for track in tracks if track.smpl] == ["male", "female"]


def test_portrait_pictures(tmp_path: Path) -> None:
    (track,) = read_3dpw(write_3dpw(tmp_path, threedpw_content(actors=1, portrait=True)))
    assert track.keypoints.image_size == (1080, 1920)
    assert (
        furthest(projected(track, NETWORK_KEYPOINTS), track.keypoints.select(NETWORK_KEYPOINTS)[..., :2])
        < 0.01
    )


def test_the_pictures_size_is_believed_where_there_is_one(tmp_path: Path) -> None:
    picture = tmp_path / "imageFiles" / "made_00" / "image_00000.jpg"
    picture.parent.mkdir(parents=True)
    Image.new("RGB", (1000, 1100)).save(picture)
    (track,) = read_3dpw(write_3dpw(tmp_path, threedpw_content(actors=1)))
    assert track.keypoints.image_size == (1000, 1100)


def test_absent_detections_are_absent(tmp_path: Path) -> None:
    content = threedpw_content(actors=1)
    content["poses2d"][0][2] = 0  # the detector failed
    content["poses2d"][0][3, :, 4] = 0  # one wrist is hidden
    (track,) = read_3dpw(write_3dpw(tmp_path, content))
    scores = track.keypoints.points[..., 2]
    assert track.keypoints.present().tolist() == [True, True, False, True, True, True]
    assert scores[3, 4] == 0 and (np.delete(scores[3], 4) > 0).all()
    assert not track.keypoints.points[2].any()
    assert track.valid.all()


@pytest.mark.parametrize("x", [1e7, -2500.0, np.nan, np.inf])
def test_absurd_coordinates_are_absent(tmp_path: Path, x: float) -> None:
    content = threedpw_content(actors=1)
    content["poses2d"][0][1, 0, 4] = x
    content["poses2d"][0][2, 0, 5] = -100  # outside the picture, but not absurd
    content["poses2d"][0][:, 2, 6] = 1.04  # detectors' scores run over
    (track,) = read_3dpw(write_3dpw(tmp_path, content))
    assert track.keypoints.points[1, 4].tolist() == [0, 0, 0]
    assert track.keypoints.points[2, 5].tolist() == pytest.approx(
        [-99.5, track.keypoints.points[2, 5, 1], 0.9]
    )
    assert (track.keypoints.points[:, 6, 2] == 1).all()
    assert track.keypoints.present().all()


def test_long_betas_are_cut(tmp_path: Path) -> None:
    content = threedpw_content(actors=2)
    content["betas"] = [np.arange(300.0), np.arange(10.0)[None]]
    for track in read_3dpw(write_3dpw(tmp_path, content)):
        assert track.smpl is not None
        assert track.smpl.betas.tolist() == list(range(10))


@pytest.mark.parametrize("broken", ["flagged", "nan", "no rotation", "mirrored"])
def test_invalid_camera_poses(tmp_path: Path, broken: str) -> None:
    """The frame stays, for errors after alignment: joints are in world axes there, and it says so."""
    content = threedpw_content(actors=1)
    whole = content["jointPositions"][0].reshape(-1, 24, 3)
    if broken == "flagged":
        content["campose_valid"][0][1] = False
        content["cam_poses"][1, :3, 3] = 1e6
    elif broken == "nan":
        content["cam_poses"][1] = np.nan
    else:
        content["cam_poses"][1, 0, :3] *= 0 if broken == "no rotation" else -1
    (track,) = read_3dpw(write_3dpw(tmp_path, content))
    assert track.camera_valid.tolist() == [True, False, True, True, True, True]
    assert track.valid.all()
    assert furthest(track.joints_camera_m[1], whole[1]) < 1e-6
    assert track.smpl is not None
    assert furthest(joints_by_rotations(track)[1], whole[1] - whole[1, 0]) < 1e-6


def test_3dpw_of_one_frame(tmp_path: Path) -> None:
    content = threedpw_content(frames=1, actors=1)
    content["campose_valid"][0] = np.array(True)  # without its only axis
    (track,) = read_3dpw(write_3dpw(tmp_path, content))
    assert track.joints_camera_m.shape == (1, 24, 3) and len(track.keypoints) == 1


def test_a_frame_without_truth(tmp_path: Path) -> None:
    content = threedpw_content(actors=1)
    content["jointPositions"][0][4] = np.nan
    (track,) = read_3dpw(write_3dpw(tmp_path, content))
    assert track.valid.tolist() == [True, True, True, True, False, True]


def test_3dpw_of_python_3(tmp_path: Path) -> None:
    path = tmp_path / "made.pkl"
    path.write_bytes(pickle.dumps(threedpw_content()))
    assert len(read_3dpw(path)) == 2


def test_the_split_is_the_folder(tmp_path: Path) -> None:
    for split, name in (("train", "a"), ("test", "c"), ("test", "b")):
        write_3dpw(tmp_path, threedpw_content(1, 1), name, split)
    assert [path.stem for path in find_3dpw(tmp_path)] == ["b", "c"]
    assert [path.stem for path in find_3dpw(tmp_path / "sequenceFiles", "train")] == ["a"]
    with pytest.raises(PointlightError, match=r"has no sequenceFiles/validation/\*\.pkl; give the folder"):
        find_3dpw(tmp_path, "validation")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"campose_valid": None}, "has no 'campose_valid'"),
        ({"poses": [np.zeros((5, 72))]}, r"has poses of the shape \(5, 72\), where \(6, 24, 3\) is expected"),
        ({"poses2d": [np.zeros((6, 3, 17))]}, r"has poses2d of the shape \(6, 3, 17\)"),
        ({"betas": []}, "has no 'betas' for person 0"),
        ({"genders": Foreign("os", "system", {})}, r"asks for os\.system, but only arrays and plain types"),
    ],
)
def test_other_sequence_files_are_refused(tmp_path: Path, change: dict, sentence: str) -> None:
    content = {
        key: value for key, value in (threedpw_content(actors=1) | change).items() if value is not None
    }
    path = write_3dpw(tmp_path, content)
    with pytest.raises(PointlightError, match=sentence) as caught:
        read_3dpw(path)
    assert str(path) in str(caught.value)
    assert "give a sequence file of 3DPW" in str(caught.value)


def test_a_sequence_file_that_runs_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Runs:
        def __reduce__(self) -> Any:
            return os.mkdir, ("made",)

    monkeypatch.chdir(tmp_path)
    path = tmp_path / "made.pkl"
    path.write_bytes(pickle.dumps(threedpw_content() | {"sequence": Runs()}))
    with pytest.raises(
        PointlightError, match=r"made\.pkl is refused: the pickle asks for \w+\.mkdir, but only arrays"
    ):
        read_3dpw(path)
    assert not (tmp_path / "made").exists()


# SURREAL


def test_surreal_is_one_consistent_scene(tmp_path: Path) -> None:
    (track,) = read_surreal(write_surreal(tmp_path, surreal_content()))
    assert track.name == "run0/made_c0001"
    assert track.valid.all() and track.joint_names == SMPL_JOINTS
    # SURREAL rounds to whole pixels.
    off = np.abs(projected(track, SMPL_JOINTS) - track.keypoints.points[..., :2])
    assert 0 < off.max() <= 0.51
    assert furthest(joints_by_rotations(track), track.joints_camera_m - track.joints_camera_m[:, :1]) < 1e-3
    assert track.smpl is not None
    assert track.smpl.gender == "female"
    assert track.smpl.betas == pytest.approx(np.linspace(-1, 1, 10), abs=1e-6)


def test_surreal_is_no_mirror_image(tmp_path: Path) -> None:
    """The left hip of somebody who faces the camera lies on the picture's right, as in any real picture."""
    content = surreal_content()
    (track,) = read_surreal(write_surreal(tmp_path, content))
    left, right = hips_px(track)
    assert track.smpl is not None
    assert (track.smpl.rotations[:, 0, 2, 2] < 0).all()  # forward is towards the camera
    assert (left > right + 5).all()
    assert (content["joints2D"][0, 1] < content["joints2D"][0, 2]).all()  # the file says otherwise
    assert np.linalg.det(track.R_camera_world) == pytest.approx(1)
    assert (track.joints(("left_hip",))[..., 0] > track.joints(("right_hip",))[..., 0]).all()
    head, pelvis = track.joints(("head",)), track.joints(("pelvis",))
    assert (head[..., 1] < pelvis[..., 1]).all() and (pelvis[..., 2] > 5).all()


def test_a_clip_of_one_frame(tmp_path: Path) -> None:
    """MATLAB drops the last axis then."""
    (track,) = read_surreal(write_surreal(tmp_path, surreal_content(frames=1)))
    (longer,) = read_surreal(write_surreal(tmp_path / "longer", surreal_content(frames=6)))
    assert track.joints_camera_m.shape == (1, 24, 3) and len(track.keypoints) == 1
    assert furthest(track.joints_camera_m[0], longer.joints_camera_m[0]) < 1e-6


def test_frames_without_a_person(tmp_path: Path) -> None:
    content = surreal_content()
    content["joints2D"][0, :, 1], content["joints2D"][1, :, 1] = 0, 238
    content["joints3D"][..., 3] = 0
    content["joints2D"][0, :12, 4] = -40  # partly out of the picture: a frame like others
    (track,) = read_surreal(write_surreal(tmp_path, content))
    assert track.valid.tolist() == [True, False, True, False, True, True]
    assert track.keypoints.present().tolist() == track.valid.tolist()


def test_runs_have_clips_of_the_same_name(tmp_path: Path) -> None:
    for run in ("run0", "run1"):
        write_surreal(tmp_path, surreal_content(2), run)
    write_surreal(tmp_path, surreal_content(2), split="train")
    names = [track.name for path in find_surreal(tmp_path) for track in read_surreal(path)]
    assert names == ["run0/made_c0001", "run1/made_c0001"]
    assert len(find_surreal(tmp_path / "data" / "cmu" / "train" / "run0")) == 1
    with pytest.raises(PointlightError, match=r"has no \*_info\.mat beneath it"):
        find_surreal(tmp_path / "none")


def test_other_mat_files_are_refused(tmp_path: Path) -> None:
    path = write_surreal(tmp_path, surreal_content() | {"camLoc": None})
    with pytest.raises(PointlightError, match=r"has no 'camLoc'; give an _info\.mat of SURREAL"):
        read_surreal(path)
    content = surreal_content()
    path = write_surreal(tmp_path, content | {"joints3D": content["joints3D"][..., :4]})
    with pytest.raises(PointlightError, match="has 6 frames of joints2D, 4 of joints3D and 6 of pose"):
        read_surreal(path)
    path.write_bytes(b"MATLAB 5.0 MAT-file, but not really")
    with pytest.raises(PointlightError, match="cannot be read as a MATLAB file"):
        read_surreal(path)
    with pytest.raises(PointlightError, match="there is no file"):
        read_surreal(tmp_path / "none_info.mat")


# MPI-INF-3DHP


def test_mpi_is_one_consistent_scene(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra `benchmarks` is not installed")
    content = mpi_content()
    (track,) = read_mpi_inf_3dhp(write_mpi(tmp_path, content))
    assert track.name == "TS1" and track.joint_names == MPI_INF_3DHP_JOINTS
    assert track.focal_px[0] == pytest.approx((1500, 1500), rel=1e-6)
    assert track.principal_px[0] == pytest.approx((1024, 1024), rel=1e-6)
    assert furthest(track.joints_camera_m, content["univ_annot3"][:, 0] / 1000) < 1e-9
    assert furthest(projected(track, MPI_INF_3DHP_JOINTS), track.keypoints.points[..., :2]) < 0.01
    left, right = hips_px(track)
    assert (left > right).all()  # who faces the camera
    assert (track.joints(("head_top",))[..., 1] < track.joints(("head",))[..., 1]).all()


def test_mpi_counts_valid_frames_inside_the_picture(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra `benchmarks` is not installed")
    content = mpi_content()
    content["valid_frame"][1] = 0
    content["annot2"][2, 0, 7] = (-3, 900)
    content["annot2"][1] = 1e8  # nobody looks at frames that are not valid, the camera least of all
    (track,) = read_mpi_inf_3dhp(write_mpi(tmp_path, content))
    assert track.valid.tolist() == [True, False, False, True, True, True]
    assert track.focal_px[0] == pytest.approx((1500, 1500), rel=1e-6)
    assert track.keypoints.present().tolist() == [True, False, True, True, True, True]


def test_mpi_outdoor_pictures_are_wide(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra `benchmarks` is not installed")
    content = mpi_content(focal=1680, middle=(960, 540))
    (track,) = read_mpi_inf_3dhp(write_mpi(tmp_path, content, "TS5"))
    assert track.keypoints.image_size == (1920, 1080)
    content["annot3"][..., 2] = 0  # tells nothing about the camera
    (track,) = read_mpi_inf_3dhp(write_mpi(tmp_path, content, "TS6"))
    assert track.focal_px[0] == pytest.approx((np.hypot(1920, 1080),) * 2)


def test_mpi_of_one_frame(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra `benchmarks` is not installed")
    content = {key: value[0, 0] for key, value in mpi_content(frames=1).items()}
    (track,) = read_mpi_inf_3dhp(write_mpi(tmp_path, content))
    assert track.joints_camera_m.shape == (1, 17, 3) and track.valid.all()


def test_other_hdf5_files_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="the extra `benchmarks` is not installed")
    path = write_mpi(tmp_path, mpi_content() | {"univ_annot3": None})
    with pytest.raises(PointlightError, match=r"has no 'univ_annot3'; give an annot_data\.mat"):
        read_mpi_inf_3dhp(path)
    path.write_bytes(b"MATLAB 5.0")
    with pytest.raises(PointlightError, match="cannot be read as HDF5"):
        read_mpi_inf_3dhp(path)
    assert find_mpi_inf_3dhp(tmp_path) == find_mpi_inf_3dhp(tmp_path / "mpi_inf_3dhp_test_set") == [path]
    with pytest.raises(PointlightError, match=r"has no TS\*/annot_data\.mat"):
        find_mpi_inf_3dhp(tmp_path / "none")


def test_a_missing_h5py_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(PointlightError, match=r"needs the Python package h5py; .*'pointlight\[benchmarks\]'"):
        read_mpi_inf_3dhp(tmp_path / "annot_data.mat")
