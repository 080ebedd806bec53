"""Straight limbs: the poses that people mean by 0 degrees, which the body's rest pose (bent, arms apart) is not."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pointlight.motion.clip import DRIVEN_JOINTS
from pointlight.motion.rig import SIDES, BodyRig
from pointlight.motion.turns import frames_along, transposed

Arms = Literal["hanging", "sideways"]

_DOWN, _LEFT, _UP = np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])


def straight_limbs(rest_m: np.ndarray, rig: BodyRig, arms: Arms) -> np.ndarray:
    """(J, 3, 3) rotations, one for each joint, from the rest pose to a straight one that stands upright.

    Thighs and shins point straight down and knees bend about x; feet, trunk and head stay as at rest. Arms are straight:
    "hanging" along the body with elbows that bend forward about x, palms to the thighs, or "sideways" as in a T-pose, with
    palms down and elbows that bend forward about the vertical. All are rotations from rest to the pose in body axes, not
    relative to parents.

    Args:
        rest_m: (J, 3) the person's `DRIVEN_JOINTS` at rest, body axes.
        rig: hinges and palms.
        arms: where they point.
    """
    turns = np.tile(np.eye(3), (len(DRIVEN_JOINTS), 1, 1))
    place = dict(zip(DRIVEN_JOINTS, np.asarray(rest_m, np.float64), strict=True))
    for side in SIDES:
        leg, arm = _limb(side, ("hip", "knee", "ankle")), _limb(side, ("shoulder", "elbow", "wrist"))
        outward = _LEFT if side == "left" else -_LEFT
        if arms == "sideways":
            along, hinge, palm = outward, _DOWN if side == "left" else _UP, _DOWN
        else:
            along, hinge, palm = _DOWN, -_LEFT, -outward
        for (start, middle, end), to in ((leg, (_DOWN, _LEFT)), (arm, (along, hinge))):
            for joint, far in ((start, middle), (middle, end)):
                turns[DRIVEN_JOINTS.index(joint)] = _onto(place[far] - place[joint], rig.hinges[middle], *to)
        hand = rig.palms[side]
        turns[DRIVEN_JOINTS.index(arm[2])] = _onto(hand.along, hand.normal, along, palm)
    return turns


def _limb(side: str, joints: tuple[str, str, str]) -> tuple[str, str, str]:
    start, middle, end = joints
    return f"{side}_{start}", f"{side}_{middle}", f"{side}_{end}"


def _onto(first: np.ndarray, second: np.ndarray, to_first: np.ndarray, to_second: np.ndarray) -> np.ndarray:
    """(3, 3) the rotation that takes one direction to another exactly, and a second one as near as can be."""
    return frames_along(to_first, to_second) @ transposed(frames_along(first, second))
