"""Variety: each switch changes what it names and leaves the rest alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pointlight.body import AnnyBody, BodyState
from pointlight.motion import DRIVEN_JOINTS, BodyMotion, MotionBank, VarietyConfig, procedural_bank, vary
from pointlight.motion.sitting import fold_elbow

NOTHING = VarietyConfig.none()
FRAMES = 31


@pytest.fixture(scope="module")
def bank() -> MotionBank:
    return procedural_bank(AnnyBody(), 7, clips_per_kind=2, frames=62)


def window(bank: MotionBank, clip: int) -> BodyMotion:
    return bank.motion(bank.indices("train")[clip], 0, FRAMES)


def changed_joints(before: BodyMotion, after: BodyMotion) -> set[str]:
    moved = np.abs(before.pose - after.pose).max((0, 2, 3)) > 1e-4
    return {name for name, yes in zip(DRIVEN_JOINTS[1:], moved, strict=True) if yes}


def varied(bank: MotionBank, seed: int, **switches: float) -> tuple[BodyMotion, BodyMotion, BodyMotion]:
    config = VarietyConfig(**({"mix": 0.0, "warp": 0.0, "bend": 0.0, "swing": 0.0} | switches))
    first, donor = window(bank, 0), window(bank, -1)
    return first, donor, vary(first, donor, config, np.random.default_rng(seed))


def turns(motion: BodyMotion) -> np.ndarray:
    """Degrees by which each joint turns from frame to frame."""
    step = motion.pose[:-1].swapaxes(-1, -2) @ motion.pose[1:]
    return np.degrees(np.arccos(np.clip((np.trace(step, axis1=-2, axis2=-1) - 1) / 2, -1, 1)))


def test_nothing_changes_where_all_is_off(bank: MotionBank) -> None:
    before, _, after = varied(bank, 0)
    assert not NOTHING.active and after is before


def test_mixing_takes_the_upper_body_of_the_donor_and_leaves_the_legs(bank: MotionBank) -> None:
    before, donor, after = varied(bank, 0, mix=1.0)
    legs = [
        i
        for i, name in enumerate(DRIVEN_JOINTS[1:])
        if any(p in name for p in ("hip", "knee", "ankle", "toes"))
    ]
    others = [i for i in range(len(DRIVEN_JOINTS) - 1) if i not in legs]
    np.testing.assert_array_equal(after.pose[:, legs], before.pose[:, legs])
    np.testing.assert_array_equal(after.pose[:, others], donor.pose[:, others])
    np.testing.assert_array_equal(after.root, before.root)


def test_warping_slows_down_without_a_jump(bank: MotionBank) -> None:
    before, _, after = varied(bank, 0, warp=1.0)
    np.testing.assert_allclose(after.pose[0], before.pose[0], atol=1e-5)
    assert turns(after).max() <= turns(before).max() + 0.5


@pytest.mark.parametrize("seed", range(6))
def test_a_swung_leg_moves_alone_and_its_knee_folds_backwards(bank: MotionBank, seed: int) -> None:
    before, _, after = varied(bank, seed, swing=1.0)
    moved = changed_joints(before, after)
    side = "left" if "left_hip" in moved else "right"
    assert moved == {f"{side}_hip", f"{side}_knee"}
    knee = DRIVEN_JOINTS.index(f"{side}_knee") - 1
    added = before.pose[:, knee].swapaxes(-1, -2) @ after.pose[:, knee]
    shank = added @ np.array([0.0, -1.0, 0.0])
    assert (shank[:, 2] < 1e-6).all() and (np.abs(shank[:, 0]) < 1e-5).all(), "the heel goes back"
    np.testing.assert_allclose(
        after.pose @ after.pose.swapaxes(-1, -2), np.broadcast_to(np.eye(3), after.pose.shape), atol=1e-5
    )
    assert turns(after).max() < turns(before).max() + 25, "no jump between frames"


def test_swung_legs_reach_where_walking_does_not(bank: MotionBank) -> None:
    """Over many draws a swung thigh leaves its course by tens of degrees, now and then by more than 50."""
    hips = [DRIVEN_JOINTS.index(f"{side}_hip") - 1 for side in ("left", "right")]
    angles = []
    for seed in range(60):
        before, _, after = varied(bank, seed, swing=1.0)
        added = before.pose[:, hips].swapaxes(-1, -2) @ after.pose[:, hips]
        angle = np.degrees(np.arccos(np.clip((np.trace(added, axis1=-2, axis2=-1) - 1) / 2, -1, 1)))
        angles.append(angle.max(1))
    largest = np.concatenate(angles).ravel()
    assert 15 < np.median(largest) < 60
    assert (largest > 50).mean() > 0.05


@pytest.mark.parametrize("seed", range(12))
def test_seated_people_sit(bank: MotionBank, seed: int) -> None:
    """Thighs do not hang, the pelvis is upright, nobody travels; trunk and head go on."""
    body = AnnyBody()
    before, _, after = varied(bank, seed, seats=1.0)
    same = [DRIVEN_JOINTS.index(name) - 1 for name in ("spine1", "spine2", "spine3", "neck", "head")]
    np.testing.assert_array_equal(after.pose[:, same], before.pose[:, same])
    assert np.ptp(after.translation_m, axis=0).max() < 0.05
    joints = {name: place for name, place in zip(body.joint_names, joints_of(body, after), strict=True)}
    for side in ("left", "right"):
        thigh = joints[f"{side}_hip"] - joints[f"{side}_knee"]
        steepness = thigh[:, 1] / np.linalg.norm(thigh, axis=1)
        assert steepness.max() < 0.7, "a thigh hangs as a standing one does"
    assert (after.root[:, 1, 1] > 0.85).all(), "the pelvis is upright"


def joints_of(body: AnnyBody, motion: BodyMotion) -> np.ndarray:
    """(J, T, 3) metres from the pelvis, heading taken out."""
    heading = np.arctan2(motion.root[:, 0, 2], motion.root[:, 2, 2])
    cos, sin, zero, one = np.cos(heading), np.sin(heading), 0 * heading, 0 * heading + 1
    back = np.stack([cos, zero, -sin, zero, one, zero, sin, zero, cos], axis=-1).reshape(-1, 3, 3)
    state = BodyState(
        torch.from_numpy(motion.pose),
        body.mean_shape,
        torch.from_numpy((back @ motion.root).astype(np.float32)),
        torch.zeros(motion.frames, 3),
    )
    return body.joints(state).numpy().swapaxes(0, 1)


@pytest.mark.parametrize("seed", range(12))
def test_arms_are_moved_and_nothing_else_is(bank: MotionBank, seed: int) -> None:
    before, _, after = varied(bank, seed, arms=1.0)
    changed = changed_joints(before, after)
    assert changed
    assert {name.split("_")[-1] for name in changed} <= {"collar", "shoulder", "elbow", "wrist"}
    assert turns(after).max() < 40, "an arm leaps"


def test_held_elbows_bend_forward_by_what_is_drawn() -> None:
    """At rest an elbow is bent by 40 degrees about its hinge; both sides mirror each other."""
    body = AnnyBody()
    for degrees in (0.0, 60.0):
        pose = np.tile(np.eye(3, dtype=np.float32), (1, len(DRIVEN_JOINTS) - 1, 1, 1))
        for side in ("left", "right"):
            pose[:, DRIVEN_JOINTS.index(f"{side}_elbow") - 1] = fold_elbow(side, np.array([degrees]))
        motion = BodyMotion(
            "held", "held", "train", pose, np.eye(3, dtype=np.float32)[None], np.zeros((1, 3), np.float32)
        )
        joints = dict(zip(body.joint_names, joints_of(body, motion)[:, 0], strict=True))
        for side in ("left", "right"):
            upper = joints[f"{side}_elbow"] - joints[f"{side}_shoulder"]
            lower = joints[f"{side}_wrist"] - joints[f"{side}_elbow"]
            bent = np.degrees(np.arccos(upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower)))
            assert abs(bent - 40 - degrees) < 6
            assert lower[2] > 0.1, "a forearm goes backwards"
        assert abs(joints["left_wrist"] - joints["right_wrist"] * (-1, 1, 1)).max() < 1e-3
