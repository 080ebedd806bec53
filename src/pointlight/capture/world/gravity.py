"""Up and the floor in camera axes, from the body alone: how it holds itself, and where its feet stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.capture.states import stretches
from pointlight.capture.world.moving import Moving

LEVEL = np.array((0.0, -1.0, 0.0))
"""Up before a level camera, in its axes."""

KNOWN_RAD = 1e-6
"""How far off what is known may be."""


@dataclass(frozen=True)
class GravityConfig:
    """How evidence of up is weighed. Chosen on simulation (docs/log.md).

    Attributes:
        robust: in standard deviations; poses farther off pull no harder.
        level_deg: standard deviation of a camera's tilt from level, of all videos.
        lying_deg: a body that would be upright before a camera so far from level lies before one that is not.
        steepest_deg: up farther from level is unsure, since cameras are seldom held so, and bodies often bend.
        upright_share: of the poses that have to be upright for any word of theirs.
        foot_m: of a standing foot's height above the floor, and
        depth: of its distance from the camera, over the distance, which is height where the camera looks down.
        surest_deg: up before the floor's say is taken to be no surer than so.
        balance_deg: of the direction from what bears the body to its centre of mass from up.
        balance_robust_deg: where it is farther from what the poses say, it pulls less: the body leans on something.
        standing_legs: hips higher than so much of the legs' length stand on them.
    """

    robust: float = 6.0
    level_deg: float = 25.0
    lying_deg: float = 60.0
    steepest_deg: float = 45.0
    upright_share: float = 0.1
    foot_m: float = 0.02
    depth: float = 0.05
    surest_deg: float = 4.0
    balance_deg: float = 3.0
    balance_robust_deg: float = 15.0
    standing_legs: float = 0.8


@dataclass(frozen=True)
class Up:
    """Up in camera axes.

    Attributes:
        direction: (3,) unit vector.
        spread_rad: how far off it may be.
    """

    direction: np.ndarray
    spread_rad: float


@dataclass(frozen=True)
class Known:
    """What is known of the camera.

    Attributes:
        up: (x, y, z) up in camera axes, of any length.
        pitch_deg: by how much the camera looks down.
        roll_deg: by how much upright things lean to the right in the picture.
    """

    up: tuple[float, float, float] | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing of up is left open."""
        return self.up is not None or (self.pitch_deg is not None and self.roll_deg is not None)

    @property
    def words(self) -> str:
        """What is given; empty if nothing is."""
        given = [
            ("up", self.up),
            ("the camera's pitch", self.pitch_deg),
            ("the camera's roll", self.roll_deg),
        ]
        names = [name for name, value in given if value is not None]
        if not names:
            return ""
        rest = "" if self.whole else ", the rest of up and the floor from how the body holds itself"
        return f"{' and '.join(names)} as given{rest}"

    def joined(self, up: Up) -> Up:
        """Up with what is known in place of what the body says."""
        if self.up is not None:
            return Up(unit(np.array(self.up)), KNOWN_RAD)
        if self.pitch_deg is None and self.roll_deg is None:
            return up
        x, y, z = up.direction
        pitch = np.arcsin(-z) if self.pitch_deg is None else np.radians(self.pitch_deg)
        roll = np.arctan2(x, -y) if self.roll_deg is None else np.radians(self.roll_deg)
        across = np.cos(pitch)
        direction = np.array((np.sin(roll) * across, -np.cos(roll) * across, -np.sin(pitch)))
        return Up(direction, KNOWN_RAD if self.whole else up.spread_rad)


def up_of_poses(
    ups: np.ndarray, spreads_rad: np.ndarray, config: GravityConfig, level: np.ndarray = LEVEL
) -> Up:
    """Up of a whole stretch from every frame's; up of a level camera where nobody is upright.

    Args:
        ups: (T, 3) unit vectors in camera axes.
        spreads_rad: (T,) how far off each may be.
        config: the weights.
        level: (3,) the likeliest up before anything is seen.
    """
    upright = ups @ level > np.cos(np.radians(config.lying_deg))
    level_rad = np.radians(config.level_deg)
    if upright.mean() < config.upright_share:
        return Up(level, float(level_rad))
    ups, spreads_rad = ups[upright], spreads_rad[upright]
    precision = 1 / spreads_rad**2
    weights = precision
    mean = unit((ups * weights[:, None]).sum(0))
    for _ in range(20):
        off = np.arccos(np.clip(ups @ mean, -1, 1)) / spreads_rad
        weights = precision / (1 + (off / config.robust) ** 2)
        mean = unit((ups * weights[:, None]).sum(0))
    # Poses of one stretch err alike, so that many frames are no surer than one.
    spread = float(1 / np.sqrt(precision.mean()))
    joined = mean / spread**2 + level / level_rad**2
    return Up(unit(joined), float(1 / np.sqrt(1 / spread**2 + 1 / level_rad**2)))


def doubted(up: Up, level: np.ndarray, config: GravityConfig) -> Up:
    """Up that is unsure if it is far from `level` (3,), the likeliest before anything is seen."""
    if up.direction @ level > np.cos(np.radians(config.steepest_deg)):
        return up
    return Up(up.direction, max(up.spread_rad, float(np.radians(config.level_deg))))


def floor_through(
    body: Moving, contacts: np.ndarray, lowest: np.ndarray, up: Up, config: GravityConfig
) -> tuple[np.ndarray, float]:
    """Up and the height of the origin above the floor, from standing feet and what is known of up.

    Args:
        body: in the axes of `up`.
        contacts: (T, 2) which foot stands.
        lowest: (T, 2) index of each sole's lowest point.
        up: of the poses.
        config: the weights.

    Returns:
        (3,) up, a unit vector, and the height: a place x has the height up @ x + height.
    """
    places = []
    for side in (0, 1):
        soles = np.take_along_axis(body.soles_m[:, side], lowest[:, side, None, None], 1)[:, 0]
        places += [np.median(soles[start:stop], axis=0) for start, stop in stretches(contacts[:, side])]
    if not places:
        heights = np.take_along_axis(body.soles_m @ up.direction, lowest[..., None], 2)[..., 0].min(1)
        return up.direction, -float(np.percentile(heights, 5))
    points = np.stack(places)
    axes = np.linalg.svd(up.direction[None])[2][1:]  # (2, 3) across up
    middle = points.mean(0)
    design = np.column_stack(((points - middle) @ axes.T, np.ones(len(points))))
    heights = (points - middle) @ up.direction
    spreads = np.hypot(config.foot_m, config.depth * (points @ up.direction))
    known = up.spread_rad <= KNOWN_RAD
    hold = 1 / (KNOWN_RAD if known else max(up.spread_rad, np.radians(config.surest_deg))) ** 2
    held = np.diag((hold, hold, 1e-6))
    solution, weights = np.zeros(3), np.ones(len(points))
    for _ in range(20):
        weighed = design * (weights / spreads**2)[:, None]
        solution = np.linalg.solve(weighed.T @ design + held, -weighed.T @ heights)
        off = (design @ solution + heights) / spreads
        weights = 1 / (1 + (off / config.robust) ** 2)
    direction = unit(up.direction + solution[:2] @ axes)
    left = (points - middle) @ direction
    height = -float(np.average(left, weights=weights / spreads**2)) - float(middle @ direction)
    return direction, height


def unit(vector: np.ndarray) -> np.ndarray:
    """A vector (3,) of length 1; up before a level camera in place of none."""
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-9 else LEVEL
