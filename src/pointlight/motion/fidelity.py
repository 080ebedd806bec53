"""How truly a body performs what its source clip shows: angles between the two, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion, MotionClip
from pointlight.motion.grounding import still_frames
from pointlight.motion.pose_parts import HAND_POINTS, SourcePose
from pointlight.motion.retarget import source_palm
from pointlight.motion.rig import SIDES, BodyRig
from pointlight.motion.source_pose import read_source
from pointlight.motion.turns import unit

LIMITS_DEG = {
    "limbs": 2.0,
    "knees": 15.0,
    "elbows": 15.0,
    "feet": 15.0,
    "palms": 15.0,
    "head": 15.0,
    "shoulder line": 5.0,
    "hip line": 5.0,
    "trunk": 5.0,
}
"""Largest 95th percentiles that are accepted."""

SOLE_LIMIT_M = 0.03
"""In walking, soles that are down stay within this of the ground."""

_BENT_RAD = np.radians(30)
_LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))


@dataclass(frozen=True)
class Fidelity:
    """One clip's errors.

    Attributes:
        name: of the clip.
        angles_deg: quantity of `LIMITS_DEG` -> all its angles in the clip, (N,).
        soles_m: (N,) heights above the ground of the lowest point of every foot that is down.
    """

    name: str
    angles_deg: dict[str, np.ndarray]
    soles_m: np.ndarray

    def percentile(self, quantity: str, share: float = 95.0) -> float:
        """Percentile of one quantity's angles, degrees; NaN where there are none."""
        angles = self.angles_deg[quantity]
        return float(np.percentile(angles, share)) if len(angles) else float("nan")


def measure_fidelity(clip: MotionClip, motion: BodyMotion, rig: BodyRig) -> Fidelity:
    """Compare a clip with its retargeted motion (same frames)."""
    read = read_source(clip)
    source, family = read.pose, read.family
    world, places = forward(motion, rig)
    angles: dict[str, list[np.ndarray]] = {quantity: [] for quantity in LIMITS_DEG}
    for side in SIDES:
        _limbs(angles, side, source, world, places, rig)
        if all(f"{side}_{point}" in source.rest for point in HAND_POINTS):
            ours = world[f"{side}_wrist"] @ rig.palms[side].normal
            theirs = source.rotations[f"{side}_wrist"] @ source_palm(source, side)[1]
            angles["palms"].append(_between(ours, theirs))
    for quantity, joint in (("shoulder line", "shoulder"), ("hip line", "hip")):
        left, right = f"left_{joint}", f"right_{joint}"
        angles[quantity].append(
            _between(places[left] - places[right], source.places[left] - source.places[right])
        )
    angles["trunk"].append(_between(_trunk(places), _trunk(source.places)))
    if family.head_line is None:
        angles["head"].append(_between(world["head"][..., 2], source.rotations["head"][..., 2]))
    else:
        positions = clip.positions_world_m()
        start, end = (positions[:, clip.joint_names.index(name)] for name in family.head_line)
        ears = rig.ears - rig.rest["head"]
        ours = places["head"] + world["head"] @ ears - places["neck"]
        angles["head"].append(_between(ours, end - start))
    return Fidelity(
        clip.name,
        {quantity: np.concatenate(found) if found else np.zeros(0) for quantity, found in angles.items()},
        _soles(world, places, rig, motion.fps),
    )


def forward(motion: BodyMotion, rig: BodyRig) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """World rotations (T, 3, 3) and places (T, 3) in metres of the mean adult's joints, by driven joint."""
    world = {"pelvis": motion.root.astype(np.float64)}
    places = {"pelvis": motion.translation_m.astype(np.float64)}
    for j, joint in enumerate(DRIVEN_JOINTS[1:], start=1):
        parent = DRIVEN_JOINTS[rig.parents[j]]
        world[joint] = world[parent] @ motion.pose[:, j - 1]
        places[joint] = places[parent] + world[parent] @ (rig.rest[joint] - rig.rest[parent])
    return world, places


def _limbs(
    angles: dict[str, list[np.ndarray]],
    side: str,
    source: SourcePose,
    world: dict[str, np.ndarray],
    places: dict[str, np.ndarray],
    rig: BodyRig,
) -> None:
    def theirs(start: str, end: str) -> np.ndarray:
        return source.places[f"{side}_{end}"] - source.places[f"{side}_{start}"]

    def ours(start: str, end: str) -> np.ndarray:
        return places[f"{side}_{end}"] - places[f"{side}_{start}"]

    for start, end in _LIMBS:
        angles["limbs"].append(_between(ours(start, end), theirs(start, end)))
    angles["feet"].append(_between(ours("ankle", "toes"), theirs("ankle", "toes")))
    for quantity, upper, middle, end in (
        ("knees", "hip", "knee", "ankle"),
        ("elbows", "shoulder", "elbow", "wrist"),
    ):
        first, second = unit(theirs(upper, middle)), unit(theirs(middle, end))
        bent = _between(first, second) > np.degrees(_BENT_RAD)
        hinge = world[f"{side}_{upper}"] @ rig.hinges[f"{side}_{middle}"]
        angles[quantity].append(_between(np.cross(first, second)[bent], hinge[bent]))


def _soles(
    world: dict[str, np.ndarray], places: dict[str, np.ndarray], rig: BodyRig, fps: float
) -> np.ndarray:
    heights = rig.sole_heights(world, places).reshape(len(places["pelvis"]), 2, 3).min(-1)
    found = []
    for column, side in enumerate(SIDES):
        down = still_frames(places[f"{side}_ankle"], fps) & still_frames(places[f"{side}_toes"], fps)
        found.append(heights[down, column])
    return np.concatenate(found)


def _trunk(points: dict[str, np.ndarray]) -> np.ndarray:
    upper, lower = (points[f"left_{joint}"] + points[f"right_{joint}"] for joint in ("shoulder", "hip"))
    return upper - lower


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) degrees between vectors (N, 3)."""
    first, second = unit(first), unit(second)
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(first - second, axis=-1) / 2, 0, 1)))
