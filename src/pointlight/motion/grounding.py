"""Where the floor of a clip is, and how its feet stand on it."""

from __future__ import annotations

import numpy as np

from pointlight.motion.rig import SIDES, BodyRig
from pointlight.motion.turns import axis_turns, unit

STILL_M_S = 0.25
"""A foot that moves more slowly stands (its ankle and toes do not roll that fast)."""

FLOOR_BAND_M = 0.03
"""Standing soles within so much of each other stand on one floor."""

_FEWEST_FRAMES = 10
_SHORTEST_WALK_M = 1.0
_STEEPEST = 0.05
_LARGEST_CORRECTION_RAD = np.radians(12)
_FLAT_RAD = np.radians(20)


def calibrated_feet(
    world: dict[str, np.ndarray], places: dict[str, np.ndarray], rig: BodyRig, fps: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Turn each foot about its own axes by one small angle a clip, so that a standing foot's sole lies level.

    Skeletons differ by some degrees in where they put ankle and toes within the foot.

    Args:
        world: driven joint -> (T, 3, 3) world rotations.
        places: driven joint -> (T, 3), metres.
        rig: the body at rest.
        fps: frames per second.

    Returns:
        What changes: (T, 3, 3) rotations of ankles and toes, and (T, 3) places of the toes. A foot that never stands
        is not among it.
    """
    feet, toe_places = {}, {}
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
        feet[ankle], feet[toes] = world[ankle] @ turn, world[toes] @ turn
        toe_places[toes] = places[ankle] + feet[ankle] @ (rig.rest[toes] - rig.rest[ankle])
    return feet, toe_places


def still_frames(places: np.ndarray, fps: float) -> np.ndarray:
    """(T,) bool: where a point with path (T, 3) moves more slowly than a standing foot's."""
    if len(places) < 3:
        return np.ones(len(places), bool)
    speed = np.linalg.norm(np.gradient(places, axis=0), axis=-1) * fps
    return speed < STILL_M_S


def floor_heights_m(
    world: dict[str, np.ndarray], places: dict[str, np.ndarray], rig: BodyRig, fps: float
) -> np.ndarray:
    """(T,) height of a clip's floor below the pelvis: a level, or a slightly tilted plane.

    Several recordings have a floor that rises by centimetres over a walk. A tilt is accepted only where it
    fits nearly all standing feet, so that stairs and stools make no slope.

    Args:
        world: driven joint -> (T, 3, 3) world rotations.
        places: driven joint -> (T, 3), metres.
        rig: the body at rest.
        fps: frames per second.
    """
    heights = rig.sole_heights(world, places)
    level = np.full(len(heights), _lowest_level_m(heights.min(-1), fps))
    feet, spots = [], []
    for side, columns in zip(SIDES, (slice(0, 3), slice(3, 6)), strict=True):
        ankle, toes = places[f"{side}_ankle"], places[f"{side}_toes"]
        standing = still_frames(ankle, fps) & still_frames(toes, fps)
        feet.append(heights[standing, columns].min(-1))
        spots.append(ankle[standing][:, (0, 2)])
    plane = _fit_plane(np.concatenate(spots), np.concatenate(feet))
    if plane is None:
        return level
    return places["pelvis"][:, (0, 2)] @ plane[:2] + plane[2]


def _fit_plane(spots: np.ndarray, heights: np.ndarray) -> np.ndarray | None:
    """(3,) a, b, c of height = a x + b z + c through standing feet, or None where a level floor does."""
    if len(spots) < _FEWEST_FRAMES or np.ptp(spots, axis=0).max() < _SHORTEST_WALK_M:
        return None
    centre = spots.mean(0)
    design = np.column_stack((spots - centre, np.ones(len(spots))))
    # A tilt across the walk is not seen by it: the ridge leaves it level.
    ridge = np.diag((0.01, 0.01, 0.0)) * len(spots)
    kept = np.ones(len(spots), bool)
    solution, errors = np.zeros(3), np.zeros(len(spots))
    for _ in range(5):
        chosen = design[kept]
        solution = np.linalg.solve(chosen.T @ chosen + ridge, chosen.T @ heights[kept])
        errors = np.abs(design @ solution - heights)
        kept = errors <= max(FLOOR_BAND_M, float(np.percentile(errors, 70)))
    if (errors > FLOOR_BAND_M).mean() > 0.1 or np.linalg.norm(solution[:2]) > _STEEPEST:
        return None
    return np.array((solution[0], solution[1], solution[2] - solution[:2] @ centre))


def _lowest_level_m(lowest: np.ndarray, fps: float) -> float:
    """The lowest height at which the lowest point of the soles (T,) stands for a tenth of the time it stands.

    Standing on stools or steps makes several levels; frames in the air or sunk by error make none. Where
    nothing stands still, the 2nd percentile.
    """
    if len(lowest) < 3:
        return float(lowest.min())
    still = np.abs(np.gradient(lowest)) * fps < STILL_M_S
    heights = np.sort(lowest[still])
    if len(heights) < _FEWEST_FRAMES:
        return float(np.percentile(lowest, 2))
    # For every sample, how many lie within the band above it; the first that gathers a tenth is the floor.
    within = np.searchsorted(heights, heights + FLOOR_BAND_M, side="right") - np.arange(len(heights))
    first = int(np.argmax(within >= 0.1 * len(heights)))
    return float(np.median(heights[first : first + within[first]]))
