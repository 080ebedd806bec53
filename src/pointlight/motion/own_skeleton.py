"""Our own skeleton in a motion file, as `pointlight export` writes it: its rotations are the pose, nothing is guessed."""

from __future__ import annotations

import numpy as np

from pointlight.motion.clip import DRIVEN_JOINTS, MotionClip
from pointlight.motion.neutral import straight_limbs
from pointlight.motion.pose_parts import World
from pointlight.motion.rig import BodyRig
from pointlight.motion.turns import unit

_SAME_COSINE = 0.97
"""Bones of people of other shapes lie within 14 degrees of the mean adult's."""


def own_rotations(clip: MotionClip, rig: BodyRig) -> World | None:
    """World rotations of all driven joints from the rest pose, of a clip on our skeleton; None for any other.

    At rest it stands in our A-pose, or in the T-pose that is made of it.
    """
    if not set(DRIVEN_JOINTS) <= set(clip.joint_names):
        return None
    order = [clip.joint_names.index(name) for name in DRIVEN_JOINTS]
    rest = clip.rest_positions_m()[order].astype(np.float64)
    ours = np.stack([rig.rest[name] for name in DRIVEN_JOINTS])
    world = clip.rotations_world()[:, order].astype(np.float64)
    for turns in (np.tile(np.eye(3), (len(order), 1, 1)), straight_limbs(ours, rig, "sideways")):
        if _same_bones(rest, ours, turns, rig.parents):
            return dict(zip(DRIVEN_JOINTS, (world @ turns).swapaxes(0, 1), strict=True))
    return None


def _same_bones(rest: np.ndarray, ours: np.ndarray, turns: np.ndarray, parents: tuple[int, ...]) -> bool:
    for joint, parent in enumerate(parents):
        if parent > 0:  # those at the pelvis are short
            bone, own = rest[joint] - rest[parent], turns[parent] @ (ours[joint] - ours[parent])
            if unit(bone) @ unit(own) < _SAME_COSINE:
                return False
    return True
