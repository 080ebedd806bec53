"""Finding where a recording jumps or is broken, and what is whole between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion, MotionClip

GLITCH_M_S = 15.0
"""No joint of these recordings truly moves faster (0.5 m in 1/30 s); a few fast hands are lost with it."""

GLITCH_DEG_S = 2250.0
"""No joint turns faster (75 degrees in 1/30 s); what does is a limb that flips about its own axis."""

IMPOSSIBLE_DEG = 90.0
"""Ankles and heads that are turned farther from rest are broken, however long it lasts."""

_EXTREMITIES = ("left_wrist", "right_wrist", "left_toes", "right_toes")
"""Their recordings are rough; a jump of a hand or of toes alone is no reason to cut."""


def glitch_frames(clip: MotionClip, joints: Sequence[int] | None = None) -> np.ndarray:
    """(T,) bool: frames that some joint reaches from the frame before with more than `GLITCH_M_S`.

    Args:
        clip: the recording.
        joints: indices of the joints that count; all if not given.
    """
    jumps = np.zeros(clip.frames, bool)
    if clip.frames > 1:
        places = clip.positions_world_m()
        places = places if joints is None else places[:, list(joints)]
        steps_m = np.linalg.norm(np.diff(places, axis=0), axis=-1)
        jumps[1:] = (steps_m * clip.fps > GLITCH_M_S).any(-1)
    return jumps


def flip_frames(motion: BodyMotion) -> np.ndarray:
    """(T,) bool: frames that the root or a joint (not hands, not toes) reaches faster than `GLITCH_DEG_S`."""
    jumps = np.zeros(motion.frames, bool)
    limit_rad = np.radians(GLITCH_DEG_S) / motion.fps
    series = [motion.root] + [
        motion.pose[:, j] for j, joint in enumerate(DRIVEN_JOINTS[1:]) if joint not in _EXTREMITIES
    ]
    for rotations in series:
        steps = rotations[:-1].swapaxes(-1, -2) @ rotations[1:]
        jumps[1:] |= _magnitudes(steps) > limit_rad
    return jumps


def broken_frames(motion: BodyMotion) -> np.ndarray:
    """(T,) bool: frames with an ankle or the head turned beyond `IMPOSSIBLE_DEG`."""
    broken = np.zeros(motion.frames, bool)
    for joint in ("left_ankle", "right_ankle", "head"):
        rotations = motion.pose[:, DRIVEN_JOINTS.index(joint) - 1]
        broken |= _magnitudes(rotations) > np.radians(IMPOSSIBLE_DEG)
    return broken


def whole_spans(jumps: np.ndarray, broken: np.ndarray, shortest: int) -> tuple[tuple[int, int], ...]:
    """(start, stop) of the pieces between jumps and without broken frames with at least `shortest` frames.

    Args:
        jumps: (T,) bool, a cut lies before these frames.
        broken: (T,) bool, these frames are left out.
        shortest: frames of a piece.
    """
    piece = np.cumsum(jumps | np.diff(broken, prepend=broken[:1]))
    spans = []
    for number in np.unique(piece[~broken]):
        inside = np.flatnonzero(piece == number)
        if len(inside) >= shortest:
            spans.append((int(inside[0]), int(inside[-1]) + 1))
    return tuple(spans)


def _magnitudes(rotations: np.ndarray) -> np.ndarray:
    """(N,) angles of (N, 3, 3), radians."""
    return Rotation.from_matrix(rotations).magnitude()
