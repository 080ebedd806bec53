"""Metrics on joints and rotations; millimetres and degrees out, metres and matrices in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointlight.geometry import geodesic_angle, procrustes_error, safe_norm
from pointlight.values import by_value

FACING_WRONG_DEG = 90.0
"""A chest that looks this far away from the truth faces the wrong way."""


def pa_mpjpe_mm(predicted: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """(...) mean joint distance after Procrustes alignment of each frame (rotation, scale, shift; no reflection).

    Args:
        predicted: (..., N, 3) metres.
        target: (..., N, 3) metres.
        weights: (..., N); joints of weight 0 do not count.
    """
    return 1000 * procrustes_error(predicted, target, weights)


def mpjpe_mm(predicted: Tensor, target: Tensor, root: tuple[int, int]) -> Tensor:
    """(...) mean joint distance relative to the middle of two joints (the hips), unaligned."""
    predicted = predicted - predicted[..., root, :].mean(-2, keepdim=True)
    target = target - target[..., root, :].mean(-2, keepdim=True)
    return 1000 * safe_norm(predicted - target).mean(-1)


def angle_deg(predicted: Tensor, target: Tensor) -> Tensor:
    """(...) geodesic angle between rotations."""
    return torch.rad2deg(geodesic_angle(predicted, target))


def acceleration_error(predicted: Tensor, target: Tensor) -> Tensor:
    """(..., T-2) mean over joints of the difference of second differences in time, mm per frame squared (HMMR)."""
    second = [x[..., 2:, :, :] - 2 * x[..., 1:-1, :, :] + x[..., :-2, :, :] for x in (predicted, target)]
    return 1000 * safe_norm(second[0] - second[1]).mean(-1)


@dataclass(frozen=True)
class Interval:
    """A mean over groups with a bootstrap over source files.

    Attributes:
        mean: unweighted mean over groups of the mean over frames.
        low: 2.5 % of the bootstrap.
        high: 97.5 %.
    """

    mean: float
    low: float
    high: float


@by_value
@dataclass(frozen=True)
class PerFile:
    """Sums of a metric by source file, all that an interval needs.

    Attributes:
        files: name of every file.
        groups: its group.
        sums: (files,) sum over its scored frames.
        counts: (files,) number of them.
    """

    files: tuple[str, ...]
    groups: tuple[str, ...]
    sums: np.ndarray
    counts: np.ndarray

    @staticmethod
    def collect(files: list[str], groups: list[str], values: list[np.ndarray]) -> PerFile:
        """Add up values of scored frames, given per scene with its file and group."""
        names = sorted(set(files))
        group_of = dict(zip(files, groups, strict=True))
        index = {name: i for i, name in enumerate(names)}
        sums, counts = np.zeros(len(names)), np.zeros(len(names))
        for file, scored in zip(files, values, strict=True):
            sums[index[file]] += scored.sum()
            counts[index[file]] += len(scored)
        return PerFile(tuple(names), tuple(group_of[name] for name in names), sums, counts)

    def by_group(self) -> dict[str, float]:
        """Mean over frames of every group."""
        return {
            group: float(self.sums[rows].sum() / max(self.counts[rows].sum(), 1))
            for group, rows in self._rows().items()
        }

    def overall(self) -> float:
        """Unweighted mean over groups that have any frame; NaN where none has."""
        means = list(self.by_group().values())
        return float(np.mean(means)) if means else float("nan")

    def interval(self, other: PerFile | None = None, draws: int = 1000) -> Interval:
        """95 % bootstrap over files within groups; of the paired difference self - other where one is given."""
        rng = np.random.default_rng(0)  # a fixed seed: the same scores give the same interval
        rows = list(self._rows().values())
        results = np.empty(draws)
        for draw in range(draws):
            total = []
            for group in rows:
                chosen = rng.choice(group, len(group))
                value = self.sums[chosen].sum() / max(self.counts[chosen].sum(), 1)
                if other is not None:
                    value -= other.sums[chosen].sum() / max(other.counts[chosen].sum(), 1)
                total.append(value)
            results[draw] = np.mean(total)
        mean = self.overall() - (other.overall() if other is not None else 0.0)
        low, high = np.percentile(results, (2.5, 97.5))
        return Interval(mean, float(low), float(high))

    def _rows(self) -> dict[str, np.ndarray]:
        scored = self.counts > 0
        names = sorted({group for group, used in zip(self.groups, scored, strict=True) if used})
        groups = np.array(self.groups)
        return {name: np.flatnonzero((groups == name) & scored) for name in names}
