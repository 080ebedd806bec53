"""Retargeting: what of a source's motion the body must keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_files import walking_clip
from scipy.spatial.transform import Rotation

from pointlight.body import AnnyBody
from pointlight.errors import PointlightError
from pointlight.motion import BANK_FPS, MotionClip, list_motions, mirror
from pointlight.motion.clip import DRIVEN_JOINTS
from pointlight.motion.fidelity import LIMITS_DEG, SOLE_LIMIT_M, forward, measure_fidelity
from pointlight.motion.glitches import broken_frames, flip_frames
from pointlight.motion.library import read_clip
from pointlight.motion.resample import resample
from pointlight.motion.retarget import retarget
from pointlight.motion.rig import BodyRig
from pointlight.motion.turns import twist_angles

ONE_OF_EACH = (
    "cmu/35/35_01.amc.gz",
    "cmu/35/35_02.bvh.gz",
    "cmu/60/60_15.bvh.gz",
    "reactidle/013_acted.bvh.gz",
    "cmu/14/14_02.amc.gz",
    "cmu/91/91_01.amc.gz",
)


@pytest.fixture(scope="module")
def rig() -> BodyRig:
    return BodyRig.of(AnnyBody())


@pytest.fixture(scope="module")
def walk() -> MotionClip:
    return walking_clip(frames=120)


def test_the_rig_is_symmetric_and_stands(rig):
    for name, place in rig.rest.items():
        if name.startswith("left_"):
            np.testing.assert_allclose(place, rig.rest["right_" + name[5:]] * (-1, 1, 1), atol=1e-3)
    np.testing.assert_allclose(rig.palms["left"].normal, rig.palms["right"].normal * (-1, 1, 1), atol=2e-2)
    assert rig.palms["left"].normal[0] < -0.5  # palms face the thighs
    heights = {place[1] for place in rig.soles.values()}
    assert len(heights) == 1
    assert heights.pop() < rig.rest["left_toes"][1]


def test_a_walk_keeps_directions_hinges_and_ground(walk, rig):
    motion = retarget(walk, rig, "walk", "train")
    assert (motion.name, motion.group, motion.split, motion.fps) == ("walk.bvh", "walk", "train", 30.0)
    fidelity = measure_fidelity(walk, motion, rig)
    for quantity, limit in LIMITS_DEG.items():
        assert fidelity.percentile(quantity, 100) <= limit, quantity
    for quantity in ("limbs", "shoulder line", "hip line", "trunk"):
        assert fidelity.percentile(quantity, 100) < 0.05, quantity
    # The body walks the same way, upright, in proportion to its legs.
    _, places = forward(motion, rig)
    assert places["head"][:, 1].min() > 1.3
    way = np.ptp(motion.translation_m[:, 2]) / np.ptp(walk.root_translation_m[:, 2])
    legs = sum(
        np.linalg.norm(rig.rest[a] - rig.rest[b])
        for a, b in (("left_hip", "left_knee"), ("left_knee", "left_ankle"))
    )
    assert way == pytest.approx(legs / (0.4245 + 0.4321), rel=0.01)


def test_knees_bend_backwards_and_elbows_forwards(walk, rig):
    """The body's own hinge angle is the source's bend less what the body bends at rest."""
    motion = retarget(walk, rig)
    for joint, bend in (("left_knee", (20, 35)), ("right_knee", (20, 35)), ("left_elbow", (30, 50))):
        rest_bend = _bend_deg(*(rig.rest[name] for name in _chain(joint)))
        _, places = forward(motion, rig)
        bends = _bend_deg(*(places[name] for name in _chain(joint)))
        assert bends.min() == pytest.approx(bend[0], abs=1.0)
        assert bends.max() == pytest.approx(bend[1], abs=1.0)
        turns = motion.pose[:, DRIVEN_JOINTS.index(joint) - 1]
        angles = np.degrees(twist_angles(turns, rig.hinges[joint]))
        np.testing.assert_allclose(angles, bends - rest_bend, atol=6.0)


def _chain(joint: str) -> tuple[str, str, str]:
    side = joint.partition("_")[0]
    parts = ("hip", "knee", "ankle") if "knee" in joint else ("shoulder", "elbow", "wrist")
    return tuple(f"{side}_{part}" for part in parts)


def _bend_deg(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    upper, lower = second - first, third - second
    cosine = (upper * lower).sum(-1) / np.linalg.norm(upper, axis=-1) / np.linalg.norm(lower, axis=-1)
    return np.degrees(np.arccos(cosine))


def test_palms_face_down_in_the_t_pose(walk, rig):
    rest = replace(walk, rotations=np.broadcast_to(np.eye(3, dtype=np.float32), walk.rotations.shape).copy())
    world, _ = forward(retarget(rest, rig), rig)
    for side in ("left", "right"):
        assert (world[f"{side}_wrist"] @ rig.palms[side].normal)[0, 1] < -0.95
        assert (world[f"{side}_ankle"][0, :, 2] @ (0, 0, 1)) > 0.95
    assert world["head"][0, 2, 2] > 0.95


def test_a_mirrored_source_gives_the_mirrored_motion(walk, rig):
    def other(name: str) -> str:
        for left, right in (("Left", "Right"), ("LHip", "RHip"), ("LThumb", "RThumb")):
            if left in name:
                return name.replace(left, right)
            if right in name:
                return name.replace(right, left)
        return name

    order = [walk.joint_names.index(other(name)) for name in walk.joint_names]
    signs = np.outer((-1, 1, 1), (-1, 1, 1)).astype(np.float32)
    reflected = replace(
        walk,
        offsets_m=walk.offsets_m[order] * np.float32([-1, 1, 1]),
        rotations=walk.rotations[:, order] * signs,
        root_translation_m=walk.root_translation_m * np.float32([-1, 1, 1]),
    )
    ours, theirs = mirror(retarget(walk, rig)), retarget(reflected, rig)
    np.testing.assert_allclose(theirs.pose, ours.pose, atol=0.01)
    np.testing.assert_allclose(theirs.root, ours.root, atol=0.01)
    np.testing.assert_allclose(theirs.translation_m, ours.translation_m, atol=0.01)


def test_it_is_pure(walk, rig):
    before = walk.rotations.copy(), walk.root_translation_m.copy()
    first, second = retarget(walk, rig), retarget(walk, rig)
    np.testing.assert_array_equal(first.pose, second.pose)
    np.testing.assert_array_equal(first.translation_m, second.translation_m)
    np.testing.assert_array_equal(before[0], walk.rotations)
    np.testing.assert_array_equal(before[1], walk.root_translation_m)


@settings(max_examples=10, deadline=None)
@given(yaw=st.floats(-3.1, 3.1), shift=st.tuples(*[st.floats(-5, 5)] * 3), scale=st.floats(0.6, 1.3))
def test_turning_moving_and_scaling_the_source_changes_only_the_root(rig, yaw, shift, scale):
    walk = walking_clip(frames=40)
    turn = Rotation.from_euler("y", yaw).as_matrix().astype(np.float32)
    rotations = walk.rotations.copy()
    rotations[:, 0] = turn @ rotations[:, 0]
    moved = replace(
        walk,
        rotations=rotations,
        offsets_m=walk.offsets_m * np.float32(scale),
        root_translation_m=(walk.root_translation_m * scale) @ turn.T + np.float32(shift),
    )
    plain, other = retarget(walk, rig), retarget(moved, rig)
    np.testing.assert_allclose(other.pose, plain.pose, atol=2e-4)
    np.testing.assert_allclose(other.root, turn @ plain.root, atol=2e-4)
    # The floor is found anew, so a lifted source stands on the ground again.
    np.testing.assert_allclose(other.translation_m[:, 1], plain.translation_m[:, 1], atol=5e-3)
    steps = np.diff(plain.translation_m, axis=0) @ turn.T
    np.testing.assert_allclose(np.diff(other.translation_m, axis=0)[:, [0, 2]], steps[:, [0, 2]], atol=1e-3)


def test_a_tilted_floor_is_levelled_and_steps_are_not(walk, rig):
    def soles(clip: MotionClip) -> np.ndarray:
        return rig.sole_heights(*forward(retarget(clip, rig), rig)).min(-1)

    standing = _standing(walk)
    level = soles(standing)
    tilted = replace(standing, root_translation_m=standing.root_translation_m.copy())
    tilted.root_translation_m[:, 1] += 0.02 * tilted.root_translation_m[:, 2]
    np.testing.assert_allclose(soles(tilted), level, atol=4e-3)
    stairs = replace(standing, root_translation_m=standing.root_translation_m.copy())
    stairs.root_translation_m[60:, 1] += 0.12
    stepped = soles(stairs)
    np.testing.assert_allclose(stepped[:60], level[:60], atol=5e-3)
    np.testing.assert_allclose(stepped[60:], level[60:] + 0.12 * 0.96, atol=0.03)


def _standing(walk: MotionClip) -> MotionClip:
    """Stands still for 20 frames at each of six places along a line."""
    rotations = np.repeat(walk.rotations[:1], walk.frames, axis=0)
    legs = [i for i, name in enumerate(walk.joint_names) if "Leg" in name or "Foot" in name]
    for joint in legs:
        if "UpLeg" not in walk.joint_names[joint]:
            rotations[:, joint] = np.eye(3)
        else:
            rotations[:, joint] = Rotation.from_euler(
                "z", -18 if "Left" in walk.joint_names[joint] else 18, degrees=True
            ).as_matrix()
    root = walk.root_translation_m.copy()
    root[:, 1] = 0.95
    root[:, 2] = np.arange(walk.frames) // 20
    return replace(walk, rotations=rotations, root_translation_m=root)


def test_standing_soles_lie_flat_on_the_ground(walk, rig):
    standing = _standing(walk)
    for side, pitch in (("Left", 9.0), ("Right", -7.0)):  # as other skeletons put the ankle elsewhere
        joint = standing.joint_names.index(f"{side}Foot")
        standing.rotations[:, joint] = Rotation.from_euler("x", pitch, degrees=True).as_matrix()
    heights = rig.sole_heights(*forward(retarget(standing, rig), rig))
    assert np.abs(heights).max() < 0.004


def test_a_hand_that_turns_over_does_not_flip_the_forearm(walk, rig):
    spun = replace(walk, rotations=walk.rotations.copy())
    hand = spun.joint_names.index("LeftFingerBase")
    angles = np.linspace(0, 2 * np.pi, spun.frames)[:, None] * np.array((1.0, 0, 0))
    spun.rotations[:, hand] = Rotation.from_rotvec(angles).as_matrix()
    motion = retarget(spun, rig)
    elbow = DRIVEN_JOINTS.index("left_elbow") - 1
    steps = motion.pose[:-1, elbow].swapaxes(-1, -2) @ motion.pose[1:, elbow]
    assert np.degrees(Rotation.from_matrix(steps).magnitude()).max() < 8
    assert measure_fidelity(spun, motion, rig).percentile("palms", 100) < 5


def test_flips_and_broken_ankles_are_seen(walk, rig):
    motion = retarget(walk, rig)
    assert not flip_frames(motion).any() and not broken_frames(motion).any()
    flipped = replace(walk, rotations=walk.rotations.copy())
    half_turn = Rotation.from_rotvec(np.pi * np.array((0.342, -0.94, 0)) / 1.0003).as_matrix()
    thigh, foot = (walk.joint_names.index(name) for name in ("LeftUpLeg", "LeftFoot"))
    flipped.rotations[50:, thigh] = flipped.rotations[50:, thigh] @ half_turn
    flipped.rotations[70:80, foot] = flipped.rotations[70:80, foot] @ half_turn
    motion = retarget(flipped, rig)
    assert np.flatnonzero(flip_frames(motion)).tolist() == [50, 70, 80]
    assert np.flatnonzero(broken_frames(motion)).tolist() == list(range(70, 80))


def test_prefixed_names_of_common_exporters_are_understood(walk, rig):
    """Spine names as most programs write them, with "mixamorig:" before every name."""
    wanted = {"LowerBack": "Spine", "Spine": "Spine1", "Spine1": "Spine2"}
    names = tuple(f"mixamorig:{wanted.get(name, name)}" for name in walk.joint_names)
    motion = retarget(replace(walk, joint_names=names), rig)
    # Elbows are read off frame by frame in this family, and it has no hands here.
    fidelity = measure_fidelity(replace(walk, joint_names=names), motion, rig)
    for quantity in ("limbs", "knees", "elbows", "feet", "head", "shoulder line", "hip line"):
        assert fidelity.percentile(quantity, 100) <= LIMITS_DEG[quantity], quantity
    assert len(fidelity.angles_deg["palms"]) == 0


def test_skeletons_that_are_no_persons_are_refused(walk, rig):
    legless = [
        j
        for j, name in enumerate(walk.joint_names)
        if not any(w in name for w in ("Leg", "Foot", "Toe", "HipJ"))
    ]
    parents = tuple(legless.index(walk.parents[j]) if walk.parents[j] >= 0 else -1 for j in legless)
    names = tuple(walk.joint_names[j] for j in legless)
    rest = replace(walk, joint_names=names, parents=parents, offsets_m=walk.offsets_m[legless])
    with pytest.raises(
        PointlightError, match=r"walk\.bvh has not a second pair of limbs of a person.*\(joints Hips, Lower"
    ):
        retarget(replace(rest, rotations=walk.rotations[:, legless]), rig)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_shared_clips_of_every_kind_keep_to_the_limits(shared_data, rig, name):
    folder = shared_data / "motion"
    (entry,) = (entry for entry in list_motions(folder) if entry.file == name)
    clip = resample(read_clip(folder, entry), BANK_FPS)
    fidelity = measure_fidelity(clip, retarget(clip, rig), rig)
    for quantity, limit in LIMITS_DEG.items():
        if len(fidelity.angles_deg[quantity]):
            assert fidelity.percentile(quantity) <= limit, quantity
    if entry.group == "walk_run":
        assert np.percentile(np.abs(fidelity.soles_m), 95) <= SOLE_LIMIT_M


@pytest.mark.slow
def test_all_shared_clips_together_keep_to_the_limits(shared_data, rig):
    folder = shared_data / "motion"
    results = []
    for entry in list_motions(folder):
        clip = resample(read_clip(folder, entry), BANK_FPS)
        results.append(measure_fidelity(clip, retarget(clip, rig), rig))
    for quantity, limit in LIMITS_DEG.items():
        angles = np.concatenate([result.angles_deg[quantity] for result in results])
        assert np.percentile(angles, 95) <= limit, quantity
