"""Where the floor of a clip is, and how its feet stand on it."""

from __future__ import annotations

import numpy as np

from pointlight.motion.rig import SIDES, BodyRig
from pointlight.motion.turns import axis_turns, unit

STILL_M_S = 0.25
"""A foot that moves more slowly stands (its ankle and toes do not roll that fast)."""

_FEWEST_FRAMES = 10
_LARGEST_CORRECTION_RAD = np.radians(12)
_FLAT_RAD = np.radians(20)


def calibrate_feet(
    world: dict[str, np.ndarray], places: dict[str, np.ndarray], rig: BodyRig, fps: float
) -> None:
    """Turn each foot about its own axes by one small angle a clip, so that a standing foot's sole lies level.

    Skeletons differ by some degrees in where they put ankle and toes within the foot. Changes `world`.

    Args:
        world: driven joint -> (T, 3, 3) world rotations.
        places: driven joint -> (T, 3), metres.
        rig: the body at rest.
        fps: frames per second.
    """
    for side in SIDES:
        ankle, toes = f"{side}_ankle", f"{side}_toes"
        standing = still_frames(places[ankle], fps) & still_frames(places[toes], fps)
        up = world[ankle][:, 1]  # the world's up in the foot's rest axes, where (0, 1, 0) is a level sole
        standing &= up[:, 1] > np.cos(_FLAT_RAD)
        if standing.sum() < _FEWEST_FRAMES:
            continue
        tilt = unit(np.median(up[standing], axis=0))
        axis = np.cross((0.0, 1.0, 0.0), tilt)
        angle = min(float(np.arcsin(np.linalg.norm(axis))), _LARGEST_CORRECTION_RAD)
        turn = axis_turns(unit(axis), np.array(angle))
        world[ankle] = world[ankle] @ turn
        world[toes] = world[toes] @ turn


def still_frames(places: np.ndarray, fps: float) -> np.ndarray:
    """(T,) bool: where a point with path (T, 3) moves more slowly than a standing foot's."""
    if len(places) < 3:
        return np.ones(len(places), bool)
    speed = np.linalg.norm(np.gradient(places, axis=0), axis=-1) * fps
    return speed < STILL_M_S


def floor_height_m(sole_heights: np.ndarray, fps: float, band_m: float = 0.03) -> float:
    """Height of the lowest level on which the soles of a clip (T, 6) stand.

    Standing on stools or steps makes several levels; frames in the air or sunk by error make none. Where
    nothing stands still, the 2nd percentile of the lowest point.
    """
    lowest = sole_heights.min(-1)
    if len(lowest) < 3:
        return float(lowest.min())
    still = np.abs(np.gradient(lowest)) * fps < STILL_M_S
    heights = np.sort(lowest[still])
    if len(heights) < _FEWEST_FRAMES:
        return float(np.percentile(lowest, 2))
    # For every sample, how many lie within the band above it; the first that gathers a tenth is the floor.
    within = np.searchsorted(heights, heights + band_m, side="right") - np.arange(len(heights))
    first = int(np.argmax(within >= 0.1 * len(heights)))
    return float(np.median(heights[first : first + within[first]]))
