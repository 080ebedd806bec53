"""Anny's body: equal to Anny, to itself by slower ways, and to what a person looks like."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pointlight.body import (
    COCO_KEYPOINTS,
    EVALUATION_JOINTS,
    EXTENDED_KEYPOINTS,
    FOOT_KEYPOINTS,
    MEAN_ADULT_SHAPE,
    NETWORK_KEYPOINTS,
    SHAPE_NAMES,
    AnnyBody,
    BodyModel,
    BodyState,
    Person,
    Posed,
    mirror_order,
    sample_adult_shapes,
)
from pointlight.body.kinematics import _keypoints, _skeleton, collapsed_keypoints
from pointlight.errors import PointlightError
from pointlight.geometry import axis_angle_rotmat, rotvec_to_rotmat

REFERENCE = Path(__file__).parent / "data" / "anny_reference.npz"
MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))


@cache
def loaded_body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return loaded_body()


@pytest.fixture(scope="module")
def exact() -> AnnyBody:
    """The same in float64."""
    return AnnyBody().double()


def random_state(*leading: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> BodyState:
    """Random poses of random people of all ages."""
    generator = torch.Generator().manual_seed(seed)
    rotations = rotvec_to_rotmat(0.7 * torch.randn(*leading, 22, 3, generator=generator, dtype=dtype))
    return BodyState(
        pose=rotations[..., 1:, :, :],
        shape=torch.rand(*leading, 6, generator=generator, dtype=dtype),
        root=rotations[..., 0, :, :],
        translation=torch.randn(*leading, 3, generator=generator, dtype=dtype),
    )


def mean_at_rest(body: AnnyBody) -> BodyState:
    shape = torch.tensor(MEAN_ADULT_SHAPE)
    return BodyState(torch.eye(3).expand(21, 3, 3), shape, torch.eye(3), body.person(shape).joints[0])


def furthest_mm(a: Tensor, b: Tensor) -> float:
    return 1000 * float((a - b).norm(dim=-1).max())


# Equal to Anny


def test_equals_committed_numbers_of_anny(body: AnnyBody) -> None:
    reference = np.load(REFERENCE)
    rotations = rotvec_to_rotmat(torch.tensor(reference["rotvec"], dtype=torch.float32))
    shape = torch.tensor(reference["shape"], dtype=torch.float32)
    state = BodyState(rotations[:, 1:], shape, rotations[:, 0], torch.zeros(len(shape), 3))
    assert furthest_mm(body.vertices(state)[:, ::50], torch.tensor(reference["vertices"])) < 0.1
    of_anny = (*COCO_KEYPOINTS, *FOOT_KEYPOINTS)
    assert furthest_mm(body.keypoints(state, of_anny), torch.tensor(reference["keypoints"])) < 0.1


# Equal to itself by slower ways


@pytest.mark.parametrize("seed", range(3))
def test_collapsed_keypoints_equal_those_of_the_mesh(body: AnnyBody, seed: int) -> None:
    state = random_state(4, seed=seed)
    assert furthest_mm(body.keypoints(state), body.surface_keypoints(body.vertices(state))) < 0.01


def test_collapsed_keypoints_are_exact(exact: AnnyBody) -> None:
    state = random_state(4, dtype=torch.float64)
    assert furthest_mm(exact.keypoints(state), exact.surface_keypoints(exact.vertices(state))) < 1e-3


def test_loops_equal_torch_in_values_and_gradients(exact: AnnyBody) -> None:
    state = random_state(2, 3, dtype=torch.float64)
    people = exact.person(state.shape[:, :1])  # one person for three poses
    given = [state.pose, state.root, state.translation, people.joints, people.keypoint_terms]
    given = [tensor.detach().requires_grad_() for tensor in given]
    fast_state = BodyState(given[0], state.shape, given[1], given[2])
    posed = exact.posed(fast_state, Person(given[3], given[4]))
    fast = collapsed_keypoints(posed, given[4], exact.keypoint_rule)
    slow_posed = _skeleton(given[0], given[1], given[2], given[3].expand(2, 3, -1, 3), exact.parents)
    slow = _keypoints(slow_posed.rotations, slow_posed.joints, given[4], exact.keypoint_rule)
    weights = torch.randn(fast.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for ours, torchs in (
        (posed.rotations, slow_posed.rotations),
        (posed.joints, slow_posed.joints),
        (fast, slow),
    ):
        torch.testing.assert_close(ours, torchs)
    pairs = zip(
        torch.autograd.grad((weights * fast).sum(), given),
        torch.autograd.grad((weights * slow).sum(), given),
        strict=True,
    )
    for ours, torchs in pairs:
        torch.testing.assert_close(ours, torchs)


def test_fast_skinning_equals_vertices(body: AnnyBody) -> None:
    state = random_state()
    person = body.person(state.shape)
    transforms = body.bone_transforms(body.posed(state, person), person)
    drawn = body.skin_vertices(body.rest_vertices(state.shape).numpy(), transforms.numpy())
    assert furthest_mm(torch.from_numpy(drawn), body.vertices(state)) < 0.01


def test_some_vertices_of_some_frames_are_skinned_as_alone(body: AnnyBody) -> None:
    state = random_state(3)
    person = body.person(state.shape)
    transforms = body.bone_transforms(body.posed(state, person), person).numpy()
    rest = body.rest_vertices(state.shape)[0].numpy()
    chosen = np.array([5, 13_000, 77])
    drawn = body.skin_vertices(rest, transforms, chosen)
    assert drawn.shape == (3, 3, 3) and drawn.dtype == np.float32
    for frame, own in zip(drawn, transforms, strict=True):
        assert (frame == body.skin_vertices(rest, own)[chosen]).all()


def test_one_shape_alone_is_at_rest_as_among_others(body: AnnyBody) -> None:
    shapes = random_state(3).shape
    together = body.rest_vertices(shapes)
    for shape, rest in zip(shapes, together, strict=True):
        assert furthest_mm(body.rest_vertices(shape), rest) < 0.005


@pytest.mark.parametrize("leading", [(), (1,), (0,), (3,), (2, 3)])
def test_any_leading_dimensions_equal_one_by_one(body: AnnyBody, leading: tuple[int, ...]) -> None:
    state = random_state(*leading)
    keypoints, joints = body.keypoints(state), body.joints(state)
    assert keypoints.shape == (*leading, 25, 3)
    assert joints.shape == (*leading, 22, 3)
    assert body.joint_rotations(state).shape == (*leading, 22, 3, 3)
    assert body.vertices(state).shape == (*leading, 13718, 3)
    for index in np.ndindex(leading):
        alone = BodyState(state.pose[index], state.shape[index], state.root[index], state.translation[index])
        torch.testing.assert_close(keypoints[index], body.keypoints(alone), atol=1e-5, rtol=0)
        torch.testing.assert_close(joints[index], body.joints(alone), atol=1e-5, rtol=0)


def test_one_person_broadcasts_over_time(body: AnnyBody) -> None:
    state = random_state(2, 5)
    shape = state.shape[:, :1]
    shared = BodyState(state.pose, shape, state.root, state.translation)
    repeated = BodyState(state.pose, shape.expand(2, 5, 6), state.root, state.translation)
    torch.testing.assert_close(body.keypoints(shared), body.keypoints(repeated), atol=1e-5, rtol=0)
    torch.testing.assert_close(body.vertices(shared), body.vertices(repeated), atol=1e-5, rtol=0)


def test_keypoints_by_name_are_the_same_in_the_order_asked_for(body: AnnyBody) -> None:
    state = random_state(3)
    every = body.keypoints(state)
    for names in (NETWORK_KEYPOINTS, EXTENDED_KEYPOINTS, EVALUATION_JOINTS, ("nose", "left_hip", "nose")):
        chosen = every[:, [body.keypoint_names.index(name) for name in names]]
        torch.testing.assert_close(body.keypoints(state, names), chosen)


def test_unknown_keypoint_is_refused(body: AnnyBody) -> None:
    with pytest.raises(PointlightError, match="the body has no keypoint 'tail'"):
        body.keypoints(random_state(), ("nose", "tail"))


# Geometry


def test_joints_follow_their_definition(exact: AnnyBody) -> None:
    state = random_state(dtype=torch.float64)
    rest, posed = exact.person(state.shape).joints, exact.posed(state)
    torch.testing.assert_close(posed.joints[0], state.translation)
    torch.testing.assert_close(posed.rotations[0], state.root)
    for joint, parent in enumerate(exact.parents[1:], start=1):
        turn = posed.rotations[parent]
        torch.testing.assert_close(posed.rotations[joint], turn @ state.pose[joint - 1])
        torch.testing.assert_close(
            posed.joints[joint], posed.joints[parent] + turn @ (rest[joint] - rest[parent])
        )


def test_root_turns_and_moves_everything(exact: AnnyBody) -> None:
    state = random_state(3, dtype=torch.float64)
    turn, shift = (
        random_state(dtype=torch.float64, seed=7).root,
        torch.tensor([1.0, -2, 3], dtype=torch.float64),
    )
    moved = BodyState(state.pose, state.shape, turn @ state.root, state.translation @ turn.T + shift)
    for points in (exact.joints, exact.keypoints, exact.vertices):
        torch.testing.assert_close(points(moved), points(state) @ turn.T + shift, atol=1e-6, rtol=0)


def test_mirrored_pose_gives_mirrored_body(body: AnnyBody) -> None:
    state = random_state(5)
    swap = mirror_order(body.joint_names)
    pose = MIRROR @ state.pose[:, [joint - 1 for joint in swap[1:]]] @ MIRROR
    image = BodyState(pose, state.shape, MIRROR @ state.root @ MIRROR, state.translation @ MIRROR)
    assert furthest_mm(body.joints(image)[:, swap], body.joints(state) @ MIRROR) < 0.05
    # Anny's skin weights and keypoints are symmetric within millimetres only.
    keypoints = body.keypoints(image)[:, mirror_order(body.keypoint_names)]
    assert furthest_mm(keypoints, body.keypoints(state) @ MIRROR) < 10


def test_at_rest_the_person_stands_upright_and_looks_along_z_with_x_to_the_left(body: AnnyBody) -> None:
    state = mean_at_rest(body)
    points = dict(zip(body.keypoint_names, body.keypoints(state), strict=True))
    joints = dict(zip(body.joint_names, body.joints(state), strict=True))
    for name, place in [*points.items(), *joints.items()]:
        side = 1 if name.startswith("left") else -1 if name.startswith("right") else 0
        assert float(place[0]) * side > 0 if side else abs(float(place[0])) < 1e-3, name
    assert points["nose"][2] > points["left_ear"][2] + 0.05
    assert points["left_big_toe"][2] > points["left_heel"][2] + 0.15
    column = ("left_heel", "left_ankle", "left_knee", "left_hip", "neck", "nose", "head_top")
    assert [float(points[name][1]) for name in column] == sorted(float(points[name][1]) for name in column)
    assert torch.equal(body.joint_rotations(state), torch.eye(3).expand(22, 3, 3))
    assert furthest_mm(body.vertices(state), body.rest_vertices(state.shape)) < 0.01


@pytest.mark.parametrize("side", ["left", "right"])
def test_positive_turn_about_a_hinge_bends_it(body: AnnyBody, side: str) -> None:
    state = mean_at_rest(body)
    at_rest = dict(zip(body.joint_names, body.joints(state), strict=True))
    for start, hinge, end, forward in (("hip", "knee", "ankle", -1), ("shoulder", "elbow", "wrist", 1)):
        start, hinge, end = (f"{side}_{name}" for name in (start, hinge, end))
        axis = torch.tensor(body.hinge_axes[hinge])
        assert float(axis.norm()) == pytest.approx(1, abs=1e-6)
        pose = state.pose.clone()
        pose[body.joint_names.index(hinge) - 1] = axis_angle_rotmat(axis, torch.tensor(1.0))
        joints = body.joints(BodyState(pose, state.shape, state.root, state.translation))
        bent = dict(zip(body.joint_names, joints, strict=True))
        assert (bent[end] - bent[start]).norm() < 0.95 * (at_rest[end] - at_rest[start]).norm()
        assert float((bent[end] - at_rest[end])[2]) * forward > 0.05, "heels go back, hands come forward"


def test_faces_look_outwards(body: AnnyBody) -> None:
    corners = body.rest_vertices(torch.tensor(MEAN_ADULT_SHAPE))[body.faces]
    volume = (torch.linalg.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6
    assert 0.05 < float(volume) < 0.09  # m^3
    assert int(body.face_is_outside.sum()) == 24864
    assert body.uv_faces.shape == body.faces.shape == (27420, 3)


# Gradients


def test_gradients_of_keypoints_joints_and_shape(exact: AnnyBody) -> None:
    state = random_state(1, dtype=torch.float64)
    given = [
        t.requires_grad_() for t in (state.pose, 0.05 + 0.9 * state.shape, state.root, state.translation)
    ]
    names = ("left_shoulder", "right_hip", "nose")

    def points(*parts: Tensor) -> tuple[Tensor, Tensor]:
        changed = BodyState(*parts)
        return exact.keypoints(changed, names), exact.joints(changed)[:, [4, 17]]

    assert torch.autograd.gradcheck(points, given, fast_mode=True)


def test_gradients_of_vertices(exact: AnnyBody) -> None:
    state = random_state(1, dtype=torch.float64)
    given = [
        t.requires_grad_() for t in (state.pose, 0.05 + 0.9 * state.shape, state.root, state.translation)
    ]
    assert torch.autograd.gradcheck(lambda *p: exact.vertices(BodyState(*p))[:, ::997], given, fast_mode=True)


# Shape


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_a_shape_is_a_mixture_of_corners(shape: list[float]) -> None:
    weights = loaded_body()._corner_weights(torch.tensor(shape, dtype=torch.float64))
    assert weights.shape == (360,)
    assert float(weights.min()) >= 0
    assert float(weights.sum()) == pytest.approx(1)


def test_shape_is_held_outside_its_range(body: AnnyBody) -> None:
    inside, outside = torch.tensor([1.0, 1, 0, 1, 0, 1]), torch.tensor([1.5, 2, -1, 3, -0.1, 1.01])
    torch.testing.assert_close(body.rest_vertices(outside), body.rest_vertices(inside))


def test_population_of_adults(body: AnnyBody) -> None:
    shapes = sample_adult_shapes(np.random.default_rng(0), 4000)
    assert shapes.dtype == np.float32
    assert shapes.min() >= 0
    assert shapes.max() <= 1
    stature = body.stature_m(torch.from_numpy(shapes)).numpy()
    women = shapes[:, SHAPE_NAMES.index("gender")] > 0.5
    assert abs(women.mean() - 0.5) < 0.03
    assert stature[women].mean() == pytest.approx(1.63, abs=0.015)
    assert stature[~women].mean() == pytest.approx(1.76, abs=0.015)
    for group in (stature[women], stature[~women]):
        assert 0.06 < group.std() < 0.09
    corners = body.rest_vertices(torch.from_numpy(shapes[:200]))[:, body.faces]
    volume = (torch.linalg.cross(corners[:, :, 0], corners[:, :, 1]) * corners[:, :, 2]).sum((-1, -2)) / 6
    bmi = 980 * volume.numpy() / stature[:200] ** 2
    assert 22.5 < bmi.mean() < 26
    assert 3 < bmi.std() < 5


def test_mean_adult_is_the_middle_of_the_population(body: AnnyBody) -> None:
    middle = sample_adult_shapes(np.random.default_rng(1), 20000).mean(0)
    np.testing.assert_allclose(MEAN_ADULT_SHAPE, middle, atol=0.02)
    assert float(body.stature_m(torch.tensor(MEAN_ADULT_SHAPE))) == pytest.approx(1.70, abs=0.005)


def test_legs_are_as_long_as_the_joints_say(body: AnnyBody) -> None:
    shapes = torch.from_numpy(sample_adult_shapes(np.random.default_rng(3), 50))
    torch.testing.assert_close(
        body.leg_length_m(shapes), BodyModel.leg_length_m(body, shapes), rtol=0, atol=1e-6
    )


def test_samples_depend_on_the_generator_alone() -> None:
    one, two, other = (sample_adult_shapes(np.random.default_rng(seed), 8) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_stature_is_the_height_of_all_vertices(body: AnnyBody) -> None:
    shapes = random_state(20).shape
    heights = body.rest_vertices(shapes)[..., 1]
    torch.testing.assert_close(body.stature_m(shapes), heights.amax(-1) - heights.amin(-1))


@pytest.mark.parametrize(("age", "stature"), [(0.0, 0.66), (1 / 3, 1.42), (2 / 3, 1.84)])
def test_whole_age_range(body: AnnyBody, age: float, stature: float) -> None:
    shape = torch.tensor([0.5, age, 0.5, 0.5, 0.5, 0.5])
    assert float(body.stature_m(shape)) == pytest.approx(stature, abs=0.02)


# The package


def test_names(body: AnnyBody) -> None:
    assert body.name == "anny"
    assert len(body.sha256) == 64
    assert body.shape_names == SHAPE_NAMES
    assert body.joint_names[0] == "pelvis"
    assert len(body.joint_names) == len(set(body.joint_names)) == 22
    assert body.keypoint_names[:17] == COCO_KEYPOINTS
    assert set(EXTENDED_KEYPOINTS) | set(EVALUATION_JOINTS) <= set(body.keypoint_names)
    assert all(parent < joint for joint, parent in enumerate(body.parents))
    sums = np.bincount(body.keypoint_rule.pairs[:, 0], body.keypoint_rule.masses)
    np.testing.assert_allclose(sums, 1, atol=1e-6)


def test_loads_quickly_from_a_small_file(body: AnnyBody) -> None:
    start = time.perf_counter()
    AnnyBody()
    assert time.perf_counter() - start < 1
    asset = Path(sys.modules[AnnyBody.__module__].__file__ or "").parent / "assets" / "anny.npz"
    assert asset.stat().st_size < 5e6


def test_anny_is_not_needed_to_run() -> None:
    code = "import sys, pointlight.body; print({'anny', 'warp', 'trimesh'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_moves_to_another_type_as_a_module(exact: AnnyBody) -> None:
    state = random_state(2, dtype=torch.float64)
    assert exact.vertices(state).dtype == exact.keypoints(state).dtype == torch.float64
    posed = exact.posed(state)
    assert isinstance(posed, Posed)
    assert posed.rotations.dtype == torch.float64
