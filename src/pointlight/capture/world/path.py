"""The root's path: where the picture leaves it open, most of all in depth, standing feet decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded


@dataclass(frozen=True)
class PathConfig:
    """How far the root may be moved; all are standard deviations. Chosen on simulation (docs/log.md).

    Attributes:
        across_px: of the root in the picture.
        size_px: of the edge of the body in the picture, by a change of distance.
        acceleration_m_s2: of the move.
        slip_m_s: of a standing foot's speed.
        height_m: of a standing sole's height above the floor.
    """

    across_px: float = 0.12
    size_px: float = 0.35
    acceleration_m_s2: float = 5.0
    slip_m_s: float = 0.05
    height_m: float = 0.01


REACH_M = 0.5
"""What of a body is so far from its root moves with its size in the picture."""


@dataclass(frozen=True)
class Pulls:
    """What standing feet say of the root's move between frames, and in frames.

    Attributes:
        slip_m: (T-1, 2, 3) by how much each foot's standing point goes from a frame to the next.
        slip_counts: (T-1, 2) bool, the foot stands in both frames, and time goes on without a gap.
        lowest_m: (T, 2) height of each sole's lowest point.
        stands: (T, 2) bool.
    """

    slip_m: np.ndarray
    slip_counts: np.ndarray
    lowest_m: np.ndarray
    stands: np.ndarray


def root_moves(
    pulls: Pulls, time_s: np.ndarray, from_camera_m: np.ndarray, focal_px: float, config: PathConfig
) -> np.ndarray:
    """(T, 3) by how much the root is moved, metres in the world's axes.

    The least squares of what the picture and what standing feet say; one banded system for the whole stretch.

    Args:
        pulls: of the feet.
        time_s: (T,).
        from_camera_m: (T, 3) from the camera to the root, in the world's axes.
        focal_px: of the camera.
        config: the weights.
    """
    frames = len(time_s)
    distance = np.linalg.norm(from_camera_m, axis=1)
    rays = from_camera_m / distance[:, None]
    px_m = focal_px / distance
    along = np.einsum("ti,tj->tij", rays, rays)
    across = np.eye(3) - along
    size = px_m * REACH_M / distance / config.size_px
    system = _Banded(frames)
    system.add((1,), across * (px_m / config.across_px)[:, None, None] ** 2)
    system.add((1,), along * size[:, None, None] ** 2)
    vertical = np.diag((0.0, 1.0, 0.0))
    for side in (0, 1):
        weight = pulls.stands[:, side] / config.height_m**2
        system.add((1,), vertical * weight[:, None, None])
        system.right[:, 1] -= weight * pulls.lowest_m[:, side]
    if frames > 1:
        step_s = np.maximum(np.diff(time_s), 1e-3)
        for side in (0, 1):
            weight = pulls.slip_counts[:, side] / (config.slip_m_s * step_s) ** 2
            system.add((1, -1), np.eye(3) * weight[:, None, None])
            pull = weight[:, None] * pulls.slip_m[:, side]
            system.right[1:] -= pull
            system.right[:-1] += pull
    if frames > 2:
        spans_s = np.maximum((time_s[2:] - time_s[:-2]) / 2, 1e-3)
        weight = 1 / (config.acceleration_m_s2 * spans_s**2) ** 2
        system.add((1, -2, 1), np.eye(3) * weight[:, None, None])
    return system.solved()


class _Banded:
    """A symmetric system of T blocks of three with neighbours up to two frames away, as SciPy's lower bands."""

    def __init__(self, frames: int) -> None:
        self._bands = np.zeros((9, 3 * frames))
        self.right = np.zeros((frames, 3))

    def add(self, factors: tuple[int, ...], weights: np.ndarray) -> None:
        """Add the square of sum_i factors[i] x[t + i], weighed with (N, 3, 3), for the first N frames t."""
        count = len(weights)
        for i, first in enumerate(factors):
            for j, second in enumerate(factors[: i + 1]):
                for row in range(3):
                    for column in range(3):
                        band = 3 * (i - j) + row - column
                        if band < 0:
                            continue
                        columns = 3 * (np.arange(count) + j) + column
                        self._bands[band, columns] += first * second * weights[:, row, column]

    def solved(self) -> np.ndarray:
        """(T, 3)."""
        return solveh_banded(self._bands, self.right.reshape(-1), lower=True).reshape(-1, 3)
