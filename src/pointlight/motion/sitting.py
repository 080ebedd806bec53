"""People who sit: any window of motion is put on a chair, a stool or the floor, with arms as seated people hold them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion

Range = tuple[float, float]


@dataclass(frozen=True)
class _Seat:
    """How legs lie on a seat, in degrees from standing; each is drawn from its range, each leg by itself.

    Attributes:
        hip: flexion, the thigh against the vertical: the pelvis may lean.
        away: abduction.
        turned: rotation, outwards positive.
        knee: flexion.
        apart: how far the two legs' hips and knees may differ, as a share of the ranges.
    """

    hip: Range
    away: Range
    turned: Range
    knee: Range
    apart: float = 0.3


_SEATS = (
    *(_Seat((70, 100), (0, 22), (-8, 15), (65, 110)),) * 2,  # a chair, twice as often as the others
    _Seat((55, 85), (0, 30), (-5, 20), (30, 95)),  # a bar stool, a table's edge
    _Seat((88, 115), (-12, 8), (-5, 20), (60, 100), apart=0.6),  # one leg over the other
    _Seat((85, 115), (0, 25), (-5, 20), (0, 60), apart=1.0),  # the floor, legs before
    _Seat((85, 120), (25, 45), (30, 55), (105, 135)),  # cross-legged
    _Seat((100, 125), (-5, 15), (-5, 10), (95, 135)),  # the floor, knees drawn up
    _Seat((55, 85), (0, 20), (-10, 10), (125, 145), apart=0.1),  # on the heels
)
_HELD = (
    ((25, 45), (10, 45), (0, 35), (20, 80)),  # on the thighs
    ((25, 45), (5, 35), (30, 70), (50, 100)),  # in the lap
    ((5, 25), (-25, 10), (20, 60), (70, 110)),  # on the hips
    ((25, 45), (25, 60), (50, 85), (85, 125)),  # folded, to the other arm
    ((20, 45), (35, 85), (0, 50), (105, 145)),  # at the face
    ((20, 40), (-50, -15), (30, 80), (20, 95)),  # behind the back
    ((-30, 30), (-20, 60), (-30, 30), (0, 60)),  # on a chair's arm or back
)
"""How an arm is held, in degrees: down from the A-pose, forward, turned inwards, and how far the elbow is bent."""
_LEFT_ELBOW_AXIS, _ELBOW_AT_REST_DEG = (-0.737, -0.673, 0.051), 40.0
"""About which a left elbow bends, body axes, and how far it is bent in the body's rest pose."""
_ARM_SHARE = 0.6
"""Arms that rest as seated people's do; the others stay the window's."""
_LEAN_DEG = (-22.0, 22.0)
"""The pelvis back and forward."""
_IDLE_DEG = 2.5
_LIVELY = 0.25
"""Share of windows whose legs move by more than idling."""


def sit_down(window: BodyMotion, rng: np.random.Generator) -> BodyMotion:
    """Seat a window's person where they stand: legs and pelvis by a drawn seat, idling; head and trunk go on.

    Heading is the window's in the middle; nobody travels on a chair. What lies under the body is not looked at.
    """
    frames, seat = window.frames, _SEATS[rng.integers(len(_SEATS))]
    pose = window.pose.copy()
    move = 8.0 if rng.random() < _LIVELY else _IDLE_DEG
    common, lean = rng.random(4), rng.uniform(*_LEAN_DEG)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        place = np.clip(common + seat.apart * rng.uniform(-1, 1, 4), 0, 1)
        hip, away, turned, knee = (
            low + share * (high - low)
            for share, (low, high) in zip(place, (seat.hip, seat.away, seat.turned, seat.knee), strict=True)
        )
        idle = _slow(rng, frames, 3) * move
        thigh = Rotation.from_euler("ZXY", [sign * away, -(hip + lean), sign * turned], degrees=True)
        pose[:, _joint(f"{side}_hip")] = _matrices(thigh * Rotation.from_rotvec(np.radians(idle)))
        shin = np.zeros((frames, 3))
        shin[:, 0] = np.clip(knee + 1.5 * _slow(rng, frames, 1)[:, 0] * move, 0, 150)
        pose[:, _joint(f"{side}_knee")] = _matrices(Rotation.from_rotvec(np.radians(shin)))
        foot = np.array([rng.uniform(-25, 20), 0.0, 0.0]) + _slow(rng, frames, 3) * move
        pose[:, _joint(f"{side}_ankle")] = _matrices(Rotation.from_rotvec(np.radians(foot)))
    if rng.random() < _ARM_SHARE:
        pose = rest_arms(pose, rng)
    pelvis = np.array([lean, 0.0, 0.0]) + _slow(rng, frames, 3) * 0.6 * _IDLE_DEG
    middle = window.root[frames // 2]
    heading = Rotation.from_euler("y", np.arctan2(middle[0, 2], middle[2, 2]))
    root = _matrices(heading * Rotation.from_rotvec(np.radians(pelvis)))
    place_m = np.repeat(window.translation_m[frames // 2][None], frames, axis=0)
    place_m = place_m + 0.004 * _slow(rng, frames, 3)
    return replace(window, pose=pose, root=root, translation_m=place_m.astype(np.float32))


def rest_arms(pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Poses (T, 21, 3, 3) with both arms held, idling: in the lap, on thighs or hips, folded, at the face, behind the back.

    Each arm by itself, or the right as the left.
    """
    pose = pose.copy()
    frames = len(pose)
    drawn = [_held_arm(rng) for _ in range(2)]
    if rng.random() < 0.5:
        drawn[1] = drawn[0] + rng.normal(0, 5, len(drawn[0]))
    for (side, sign), (down, forward, inward, bend) in zip(
        (("left", 1.0), ("right", -1.0)), drawn, strict=True
    ):
        idle = _slow(rng, frames, 6) * 1.5 * _IDLE_DEG
        # From the A-pose down, then forward, then turned about its own length.
        upper = (
            Rotation.from_euler("x", -forward, degrees=True)
            * Rotation.from_euler("z", -sign * down, degrees=True)
            * Rotation.from_rotvec(np.radians(sign * inward) * _along_arm(sign))
        )
        pose[:, _joint(f"{side}_shoulder")] = _matrices(upper * Rotation.from_rotvec(np.radians(idle[:, :3])))
        fold = np.clip(bend + idle[:, 3], 0, 150) - _ELBOW_AT_REST_DEG
        pose[:, _joint(f"{side}_elbow")] = fold_elbow(side, fold)
    return pose


def fold_elbow(side: str, degrees: np.ndarray) -> np.ndarray:
    """(T, 3, 3) turns of an elbow by (T,) degrees, bending it further than at rest."""
    mirror = (1.0, 1.0, 1.0) if side == "left" else (1.0, -1.0, -1.0)
    hinge = np.array(_LEFT_ELBOW_AXIS) * mirror
    return _matrices(Rotation.from_rotvec(np.radians(degrees)[:, None] * hinge))


def _held_arm(rng: np.random.Generator) -> np.ndarray:
    """(4,) degrees: down, forward, inwards, bend."""
    return np.array([rng.uniform(low, high) for low, high in _HELD[rng.integers(len(_HELD))]])


def _along_arm(sign: float) -> np.ndarray:
    """(3,) the direction of an upper arm in the A-pose, x to the left, y up."""
    return np.array([sign * np.cos(np.radians(45)), -np.sin(np.radians(45)), 0.0])


def _joint(name: str) -> int:
    return DRIVEN_JOINTS.index(name) - 1


def _slow(rng: np.random.Generator, frames: int, count: int) -> np.ndarray:
    """(T, count) slow noise of deviation near 1."""
    return gaussian_filter1d(rng.standard_normal((frames, count)), 8, axis=0, mode="reflect") * 4


def _matrices(turns: Rotation) -> np.ndarray:
    return turns.as_matrix().astype(np.float32)
