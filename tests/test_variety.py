"""Variety: each switch changes what it names and leaves the rest alone."""

from __future__ import annotations

import numpy as np
import pytest

from pointlight.body import AnnyBody
from pointlight.motion import DRIVEN_JOINTS, BodyMotion, MotionBank, VarietyConfig, procedural_bank, vary

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
