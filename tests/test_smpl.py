"""The user's own SMPL file behind the interface of every body, on a small file in the official form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from old_pickles import write_old_pickle
from scipy.spatial.transform import Rotation
from smpl_files import PARENTS, h36m_regressor, rest_joints, smpl_arrays, write_smpl
from torch import Tensor

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, SMPL_JOINTS, BodyState, SmplBody
from pointlight.errors import PointlightError
from pointlight.geometry import axis_angle_rotmat, rotvec_to_rotmat

POINTS = {f"h36m_{number}": row for number, row in enumerate(h36m_regressor())}


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> SmplBody:
    return SmplBody(write_smpl(tmp_path_factory.mktemp("smpl") / "model.pkl"), POINTS)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> SmplBody:
    """The same in float64."""
    return SmplBody(write_smpl(tmp_path_factory.mktemp("smpl") / "model.pkl"), POINTS).double()


def random_state(*leading: int, dtype: torch.dtype = torch.float32) -> BodyState:
    generator = torch.Generator().manual_seed(0)
    rotations = rotvec_to_rotmat(0.7 * torch.randn(*leading, 24, 3, generator=generator, dtype=dtype))
    return BodyState(
        pose=rotations[..., 1:, :, :],
        shape=2 * torch.randn(*leading, 10, generator=generator, dtype=dtype),
        root=rotations[..., 0, :, :],
        translation=torch.randn(*leading, 3, generator=generator, dtype=dtype),
    )


def at_rest(body: SmplBody) -> BodyState:
    shape = torch.zeros(10)
    return BodyState(torch.eye(3).expand(23, 3, 3), shape, torch.eye(3), body.person(shape).joints[0])


def furthest_mm(a: Tensor | np.ndarray, b: Tensor | np.ndarray) -> float:
    return 1000 * float(np.linalg.norm(np.asarray(a) - np.asarray(b), axis=-1).max())


def slow_smpl(rotvec: np.ndarray, betas: np.ndarray, trans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints and vertices by SMPL's own definition: a rotation vector of 72, betas, and `trans`; one body."""
    arrays = smpl_arrays()
    turns = Rotation.from_rotvec(rotvec.reshape(24, 3)).as_matrix()
    shaped = arrays["v_template"] + arrays["shapedirs"] @ betas
    joints = arrays["J_regressor"] @ shaped
    corrected = shaped + arrays["posedirs"] @ (turns[1:] - np.eye(3)).ravel()
    chain: list[np.ndarray] = []
    for joint, parent in enumerate(PARENTS):
        step = np.eye(4)
        step[:3, :3] = turns[joint]
        step[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
        chain.append(step if parent < 0 else chain[parent] @ step)
    posed = np.array([place[:3, 3] for place in chain])
    vertices = np.zeros_like(corrected)
    for joint, place in enumerate(chain):
        moved = (corrected - joints[joint]) @ place[:3, :3].T + place[:3, 3]
        vertices += arrays["weights"][:, joint, None] * moved
    return posed + trans, vertices + trans


def test_equals_smpl_as_it_is_defined(exact: SmplBody) -> None:
    rng = np.random.default_rng(4)
    for _ in range(3):
        rotvec, betas, trans = 0.8 * rng.normal(size=72), rng.normal(size=10), rng.normal(size=3)
        joints, vertices = slow_smpl(rotvec, betas, trans)
        turns = rotvec_to_rotmat(torch.tensor(rotvec).reshape(24, 3))
        shape = torch.tensor(betas)
        place = torch.tensor(trans) + exact.person(shape).joints[0]
        state = BodyState(turns[1:], shape, turns[0], place)
        assert furthest_mm(exact.joints(state), joints) < 0.001
        assert furthest_mm(exact.vertices(state), vertices) < 0.001


def test_rest_pose_and_axes(body: SmplBody) -> None:
    joints = body.joints(at_rest(body))
    assert furthest_mm(joints, rest_joints()) < 0.01
    assert joints[SMPL_JOINTS.index("left_shoulder"), 0] > 0.1  # x to the person's left
    assert joints[SMPL_JOINTS.index("head"), 1] > joints[0, 1]  # y up
    assert body.keypoints(at_rest(body), ("head_top",))[0, 1] > joints[SMPL_JOINTS.index("head"), 1]


def test_the_root_turns_about_the_pelvis(body: SmplBody) -> None:
    state = random_state()
    turned = BodyState(state.pose, state.shape, torch.eye(3), state.translation)
    assert furthest_mm(body.joints(state)[0], state.translation) < 0.01
    assert furthest_mm(body.joints(turned)[0], state.translation) < 0.01


def test_keypoints_are_those_of_the_surface(body: SmplBody) -> None:
    """Corrections for the pose included."""
    state = random_state(2, 3)
    vertices, points = body.vertices(state), body.keypoints(state)
    assert body.keypoint_names == (*SMPL_JOINTS, "head_top", *POINTS)
    assert furthest_mm(points[..., :24, :], body.joints(state)) < 0.001
    weights = torch.tensor(np.array(list(POINTS.values())), dtype=torch.float32)
    assert furthest_mm(points[..., 25:, :], weights @ vertices) < 0.01
    assert furthest_mm(body.keypoints(state, EVALUATION_JOINTS)[..., 13, :], points[..., 24, :]) < 0.001


def test_shapes_change_joints(body: SmplBody) -> None:
    tall = torch.zeros(10)
    tall[0] = 3
    assert furthest_mm(body.person(tall).joints, body.person(torch.zeros(10)).joints) > 1


def test_many_bodies_equal_one_at_a_time(body: SmplBody) -> None:
    state = random_state(2, 3)
    together, vertices = body.keypoints(state), body.vertices(state)
    assert together.shape == (2, 3, len(body.keypoint_names), 3)
    one = BodyState(state.pose[1, 2], state.shape[1, 2], state.root[1, 2], state.translation[1, 2])
    assert furthest_mm(body.keypoints(one), together[1, 2]) < 0.001
    assert furthest_mm(body.vertices(one), vertices[1, 2]) < 0.001
    person = BodyState(state.pose, state.shape[:1, :1], state.root, torch.zeros(3))  # one person's many poses
    assert body.vertices(person).shape == (2, 3, 192, 3)
    assert body.keypoints(person, person=body.person(state.shape[0, 0])).shape == together.shape


def test_gradients(exact: SmplBody) -> None:
    state = random_state(2, dtype=torch.float64)
    given = [t.clone().requires_grad_() for t in (state.pose, state.shape, state.root, state.translation)]
    names = ("left_wrist", "head_top", "h36m_13")
    assert torch.autograd.gradcheck(lambda *p: exact.keypoints(BodyState(*p), names), given)
    exact.vertices(BodyState(*given)).sum().backward()
    assert all(t.grad is not None and t.grad.abs().max() > 0 for t in given)


def test_hinges_bend_heels_back_and_hands_forward(body: SmplBody) -> None:
    for hinge, end in (("knee", "ankle"), ("elbow", "wrist")):
        for side in ("left", "right"):
            state = at_rest(body)
            pose = state.pose.clone()
            axis = torch.tensor(body.hinge_axes[f"{side}_{hinge}"])
            pose[SMPL_JOINTS.index(f"{side}_{hinge}") - 1] = axis_angle_rotmat(axis, torch.tensor(0.7))
            bent = body.joints(BodyState(pose, state.shape, state.root, state.translation))
            forward = (bent - body.joints(state))[SMPL_JOINTS.index(f"{side}_{end}"), 2]
            assert forward < -0.1 if hinge == "knee" else forward > 0.1


def test_files_of_version_1_1_have_300_betas(tmp_path: Path, body: SmplBody) -> None:
    arrays = smpl_arrays(betas=300)
    arrays["shapedirs"][..., :10] = smpl_arrays()["shapedirs"]
    longer = SmplBody(write_smpl(tmp_path / "longer.pkl", arrays))
    state = random_state()
    assert furthest_mm(longer.vertices(state), body.vertices(state)) < 0.01
    assert longer.sha256 != body.sha256


# What does not fit


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"posedirs": None}, "has no posedirs, so it is no SMPL model"),
        ({"weights": np.zeros((192, 52))}, r"has weights of the shape \(192, 52\) instead of \(192, 24\)"),
        (
            {"shapedirs": np.zeros((192, 3, 8))},
            r"shapedirs of the shape \(192, 3, 8\) instead of \(192, 3, 10\)",
        ),
        ({"v_template": "text"}, r"has v_template of the shape \(\)"),
        ({"kintree_table": np.zeros((2, 24), int)}, "children before their parents"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, changes: dict, sentence: str) -> None:
    path = write_smpl(tmp_path / "model.pkl", **changes)
    with pytest.raises(PointlightError, match=sentence) as caught:
        SmplBody(path)
    assert str(path) in str(caught.value) and "give an official SMPL file" in str(caught.value)


def test_no_dictionary(tmp_path: Path) -> None:
    with pytest.raises(PointlightError, match="holds a list and no SMPL model"):
        SmplBody(write_old_pickle(tmp_path / "list.pkl", [1, 2]))


def test_a_regressor_of_another_body(tmp_path: Path) -> None:
    path = write_smpl(tmp_path / "model.pkl")
    with pytest.raises(PointlightError, match=r"keypoint nose has \(6890,\) weights, .* has 192 vertices"):
        SmplBody(path, {"nose": np.zeros(6890)})
    with pytest.raises(PointlightError, match="keypoint neck has the name of a joint"):
        SmplBody(path, {"neck": np.zeros(192)})


def test_a_keypoint_that_smpl_has_not(body: SmplBody) -> None:
    with pytest.raises(PointlightError, match="the body has no keypoint 'left_big_toe'"):
        body.keypoints(random_state(), ("left_big_toe",))


def test_points_that_smpl_lacks_lie_where_they_stick_out(tmp_path: Path) -> None:
    """The nose in front of the head, ears and feet on their own sides, heels behind toes."""
    body = SmplBody(write_smpl(tmp_path / "model.pkl"), face_and_feet=True)
    eye = torch.eye(3)
    state = BodyState(eye.expand(23, 3, 3), torch.zeros(10), eye, torch.zeros(3))
    places = dict(zip(EXTENDED_KEYPOINTS, body.keypoints(state, EXTENDED_KEYPOINTS), strict=True))
    head = body.joints(state)[SMPL_JOINTS.index("head")]
    assert places["nose"][2] > head[2]
    for side, sign in (("left", 1), ("right", -1)):
        assert sign * (places[f"{side}_ear"] - head)[0] > 0
        assert places[f"{side}_big_toe"][2] > places[f"{side}_heel"][2]
        assert sign * places[f"{side}_heel"][0] > 0 and sign * places[f"{side}_big_toe"][0] > 0
    assert "nose" not in SmplBody(write_smpl(tmp_path / "model.pkl")).keypoint_names
