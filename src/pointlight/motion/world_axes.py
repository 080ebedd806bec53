"""Which way is up in a recording, and how long a unit is, from the person in it."""

from __future__ import annotations

import numpy as np

from pointlight.motion.humanoid import Humanoid
from pointlight.motion.joint_tree import JointTree
from pointlight.motion.turns import unit

TURNS: dict[str, np.ndarray] = {
    "y": np.eye(3),
    "z": np.array(((1, 0, 0), (0, 0, 1), (0, -1, 0)), np.float64),
    "x": np.array(((0, -1, 0), (1, 0, 0), (0, 0, 1)), np.float64),
    "-y": np.diag((1.0, -1.0, -1.0)),
    "-z": np.array(((1, 0, 0), (0, 0, -1), (0, 1, 0)), np.float64),
    "-x": np.array(((0, 1, 0), (-1, 0, 0), (0, 0, 1)), np.float64),
}
"""Axis that points up in a file -> the rotation that makes it y."""

STATURE_PER_SIZE = 1.7 / 1.28
"""Height of a person to the length of a leg (hip to ankle) and the trunk (hips to shoulders)."""

_CLEAR_COSINE = 0.75
_STANDING_COSINE = 0.9
_SAME_FLOOR = 0.05


def stature(found: Humanoid, places: np.ndarray) -> float:
    """How tall a person is, from legs and trunk, in the unit of the places (S, J, 3)."""
    return found.size(places) * STATURE_PER_SIZE


def find_up(tree: JointTree, found: Humanoid) -> str:
    """The axis of the file that points up: where the trunk is while moving, or in a standing rest pose.

    Somebody who lies all the time and somebody whose rest pose lies look alike; the floor, on which the lowest joint is in
    one height, tells them apart.
    """
    places = tree.places
    trunk = unit(found.middle("shoulder", places) - found.middle("hip", places)).mean(0)
    moving = _axis(trunk, _CLEAR_COSINE)
    standing = _standing_axis(found, tree.rest)
    if moving is None or standing is None or moving == standing:
        return moving or standing or "y"
    mapped = places[:, list(found.mapped())]
    size = found.size(places)
    by_motion, by_rest = (_floor_spread(mapped @ TURNS[axis].T, size) for axis in (moving, standing))
    return standing if by_rest < by_motion - _SAME_FLOOR else moving


def _axis(direction: np.ndarray, cosine: float) -> str | None:
    """The axis that a mean direction (3,) is along."""
    axis = int(np.abs(direction).argmax())
    if abs(direction[axis]) < cosine:
        return None
    return ("" if direction[axis] > 0 else "-") + "xyz"[axis]


def _standing_axis(found: Humanoid, rest: np.ndarray) -> str | None:
    """Up in a rest pose that has its legs below the trunk."""
    trunk = unit(found.middle("shoulder", rest) - found.middle("hip", rest))
    legs = unit(found.middle("ankle", rest) - found.middle("hip", rest))
    return _axis(trunk, _STANDING_COSINE) if trunk @ legs < -0.7 else None


def _floor_spread(places: np.ndarray, size: float) -> float:
    """How far the lowest joint is from one height, and that from 0, as a share of a person's size."""
    lowest = places[..., 1].min(-1)
    return float((lowest.std() + abs(np.median(lowest))) / size)
