"""The result's file: round trip, equal bytes, and refusals."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pointlight.body import EVALUATION_JOINTS, AnnyBody, BodyState
from pointlight.capture import Capture, World, body_states, world_states
from pointlight.errors import PointlightError
from pointlight.geometry import rotvec_to_rotmat
from pointlight.values import equal_values

FIELDS = {field.name for kind in (Capture, World) for field in fields(kind)}


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


def make_capture(body: AnnyBody, frames: int = 4) -> Capture:
    rng = np.random.default_rng(3)
    turns = torch.from_numpy(rng.normal(0, 0.4, (frames, len(body.joint_names), 3)).astype(np.float32))
    turns[:, 0] += torch.tensor([np.pi, 0, 0])
    rotations = rotvec_to_rotmat(turns)
    shape = torch.tensor([0.3, 0.7, 0.5, 0.5, 0.4, 0.5])
    state = BodyState(rotations[:, 1:], shape.expand(frames, -1), rotations[:, 0], torch.zeros(frames, 3))
    joints = body.keypoints(state, EVALUATION_JOINTS)
    middle = body.keypoints(state, ("left_hip", "right_hip")).mean(-2, keepdim=True)
    valid = np.arange(frames) != 2
    place = rng.normal((0, 0, 4), 0.3, (frames, 3)).astype(np.float32)
    empty = np.where(valid, 1.0, np.nan).astype(np.float32)
    return Capture(
        frame_index=np.arange(frames) + 5,
        time_s=np.arange(frames) / 59.94,
        valid=valid,
        occluded=~valid,
        joints_camera_m=(joints - middle).numpy() * empty[:, None, None],
        translation_camera_m=place * empty[:, None],
        pose_rotmat=rotations.numpy() * empty[:, None, None, None],
        body_joint_names=body.joint_names,
        shape=shape.numpy(),
        body_model=body.name,
        focal_source="assumed",
        track_id=0,
        keypoint_source="made",
        keypoints_px=rng.uniform(0, 1, (frames, 17, 3)),
        keypoint_names=tuple(f"point_{i}" for i in range(17)),
        fps=59.94,
        image_size=(640, 480),
        focal_px=800.0,
        principal_px=(320.0, 240.0),
        model_sha256="ab" * 32,
    )


def with_world(capture: Capture) -> Capture:
    """The same with the camera's axes turned upright as its world."""
    turn = np.diag((-1.0, -1.0, 1.0)).astype(np.float32)
    pose = capture.pose_rotmat.copy()
    pose[:, 0] = turn @ pose[:, 0]
    world = World(
        R_world_camera=turn[None],
        camera_world_m=np.array([[0.0, 1.5, 0.0]]),
        pose_world_rotmat=pose,
        root_world_m=capture.translation_camera_m @ turn.T,
        contacts=np.stack((capture.valid, ~capture.valid), axis=1),
        floor=np.array([[0.0, -1.0, 0.0, 1.5]]),
        world_source=("up as given",),
    )
    return replace(capture, world=world)


def test_round_trip(tmp_path: Path, body: AnnyBody) -> None:
    capture = with_world(make_capture(body))
    capture.save(tmp_path / "poses.npz")
    read = Capture.load(tmp_path / "poses.npz")
    for field in fields(Capture):
        before, after = getattr(capture, field.name), getattr(read, field.name)
        assert type(before) is type(after), field.name
        assert equal_values(before, after), field.name
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as archive:
        assert set(archive.files) == (FIELDS - {"world"}) | {"format_version"}
        assert archive["joint_names"].tolist() == list(EVALUATION_JOINTS)


def test_every_field_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "output.md").read_text()
    for name in FIELDS - {"world"}:
        assert f"| `{name}` |" in text, name


def test_a_file_of_the_first_version_is_read(tmp_path: Path, body: AnnyBody) -> None:
    capture = make_capture(body)
    capture.save(tmp_path / "poses.npz")
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as archive:
        arrays = {**archive, "format_version": np.array(1)}
    np.savez(tmp_path / "old.npz", allow_pickle=False, **arrays)
    read = Capture.load(tmp_path / "old.npz")
    assert read == capture
    assert read.world is None
    with pytest.raises(PointlightError, match="no world"):
        world_states(read, body)


def test_what_was_seen_is_in_the_file_and_older_files_have_it_made(tmp_path: Path, body: AnnyBody) -> None:
    names = ("left_wrist", "left_shoulder", "right_shoulder", "nose")
    points = np.zeros((4, 4, 3))
    points[:, :, 2] = [
        [0.9, 0.1, 0.4, 0.0],
        [0.29, 0.1, 0.1, 0.3],
        [0.3, 0.0, 0.0, 0.0],
        [0.0, 0.9, 0.0, 0.9],
    ]
    capture = replace(make_capture(body), keypoints_px=points, keypoint_names=names)
    expected = {
        "left_wrist": [True, False, True, False],
        "left_shoulder": [False, False, False, True],
        "neck": [True, False, False, True],
        "head_top": [False, True, False, True],
        "left_knee": [False] * 4,
    }
    capture.save(tmp_path / "poses.npz")
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    assert arrays["seen"].shape == (4, 14) and arrays["seen"].dtype == bool
    for name, seen in expected.items():
        assert arrays["seen"][:, EVALUATION_JOINTS.index(name)].tolist() == seen, name
    del arrays["seen"]
    np.savez(tmp_path / "old.npz", allow_pickle=False, **arrays)
    assert Capture.load(tmp_path / "old.npz") == Capture.load(tmp_path / "poses.npz") == capture
    assert not replace(capture, keypoints_px=0 * points).seen.any()  # other keypoints, other words on them


def test_a_world_of_other_frames_is_refused(body: AnnyBody) -> None:
    world = with_world(make_capture(body, 3)).world
    with pytest.raises(ValueError, match="other"):
        replace(make_capture(body, 4), world=world)


def test_a_file_that_lacks_a_part_of_the_world_is_refused(tmp_path: Path, body: AnnyBody) -> None:
    with_world(make_capture(body)).save(tmp_path / "poses.npz")
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "contacts"}
    np.savez(tmp_path / "half.npz", allow_pickle=False, **arrays)
    with pytest.raises(PointlightError, match="not consistent"):
        Capture.load(tmp_path / "half.npz")


def test_equal_content_gives_equal_bytes(tmp_path: Path, body: AnnyBody) -> None:
    for name in ("a.npz", "b.npz"):
        make_capture(body).save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    replace(make_capture(body), track_id=1).save(tmp_path / "c.npz")
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "c.npz").read_bytes()


def test_body_states_put_the_body_where_the_joints_are(body: AnnyBody) -> None:
    capture = make_capture(body)
    places = body.keypoints(body_states(capture, body), EVALUATION_JOINTS).numpy()
    expected = capture.joints_camera_m + capture.translation_camera_m[:, None]
    np.testing.assert_allclose(places, expected, atol=2e-6)
    flat = places[..., :2] / places[..., 2:] * 800 + (320, 240)
    np.testing.assert_allclose(capture.joints_px(), flat, atol=0.01)
    assert np.isnan(capture.joints_px()[2]).all()
    with pytest.raises(PointlightError, match="made with the body smpl"):
        body_states(replace(capture, body_model="smpl"), body)


def test_captures_are_checked(body: AnnyBody) -> None:
    capture = make_capture(body)
    with pytest.raises(ValueError, match="time_s has the shape"):
        replace(capture, time_s=np.zeros(3))
    with pytest.raises(ValueError, match="not finite in a frame"):
        replace(capture, valid=np.ones(4, bool))


def test_wrong_files_say_what_is_wrong(tmp_path: Path, body: AnnyBody) -> None:
    path = tmp_path / "poses.npz"
    with pytest.raises(PointlightError, match=r"there is no file .*poses.npz"):
        Capture.load(path)
    path.write_text("no archive")
    with pytest.raises(PointlightError, match="is not a whole NPZ file"):
        Capture.load(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(PointlightError, match="is not a whole NPZ file"):
        Capture.load(tmp_path / "one.npy")
    np.savez(path, other=np.zeros(3))
    with pytest.raises(PointlightError, match="holds other arrays"):
        Capture.load(path)
    capture = make_capture(body)
    capture.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PointlightError, match="is not a whole NPZ file"):
        Capture.load(path)
    capture.save(path)
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "format_version": np.array(3)})
    with pytest.raises(PointlightError, match="format version 3, this Pointlight reads 1 and 2"):
        Capture.load(path)
    np.savez(path, **{name: array for name, array in arrays.items() if name != "valid"})
    with pytest.raises(PointlightError, match="lacks valid"):
        Capture.load(path)
    np.savez(path, **{**arrays, "time_s": np.zeros(9)})
    with pytest.raises(PointlightError, match=r"not consistent .*time_s"):
        Capture.load(path)
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(PointlightError, match="cannot write to the folder"):
        capture.save(blocked / "poses.npz")
