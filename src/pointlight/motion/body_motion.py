"""What can be done to any `BodyMotion`: cutting and mirroring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pointlight.body import mirror_order
from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion

_REFLECTION_SIGNS = np.outer((-1.0, 1.0, 1.0), (-1.0, 1.0, 1.0)).astype(np.float32)
"""S R S with S = diag(-1, 1, 1) multiplies R by these signs, element by element."""

_MIRRORED_POSE = [j - 1 for j in mirror_order(DRIVEN_JOINTS)[1:]]


def mirror(motion: BodyMotion) -> BodyMotion:
    """The motion as a mirror in the plane x = 0 shows it: sides exchanged, rotations and places reflected.

    Name, group and split stay: a mirrored motion belongs to the split of its source.
    """
    return replace(
        motion,
        pose=motion.pose[:, _MIRRORED_POSE] * _REFLECTION_SIGNS,
        root=motion.root * _REFLECTION_SIGNS,
        translation_m=motion.translation_m * np.array((-1, 1, 1), np.float32),
    )


def window(motion: BodyMotion, start: int, frames: int) -> BodyMotion:
    """The piece of `frames` frames from `start` on (views, nothing is copied)."""
    span = slice(start, start + frames)
    return replace(
        motion, pose=motion.pose[span], root=motion.root[span], translation_m=motion.translation_m[span]
    )
