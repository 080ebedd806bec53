"""Metrics on joints and rotations; millimetres and degrees out, metres and matrices in."""

from __future__ import annotations

from collections.abc import Mapping
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
    """A mean over groups with a bootstrap over people.

    Attributes:
        mean: unweighted mean over groups of the mean over frames.
        low: 2.5 % of the bootstrap; NaN where there is nothing to draw from.
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
        people: who moves in it, or the file itself where nobody knows.
        sums: (files,) sum over its scored frames.
        counts: (files,) number of them.
    """

    files: tuple[str, ...]
    groups: tuple[str, ...]
    people: tuple[str, ...]
    sums: np.ndarray
    counts: np.ndarray

    @staticmethod
    def collect(
        files: list[str],
        groups: list[str],
        values: list[np.ndarray],
        people: Mapping[str, str] | None = None,
    ) -> PerFile:
        """Add up values of scored frames, given per scene with its file and group; `people` says who moves in a file."""
        names = sorted(set(files))
        group_of = dict(zip(files, groups, strict=True))
        index = {name: i for i, name in enumerate(names)}
        sums, counts = np.zeros(len(names)), np.zeros(len(names))
        for file, scored in zip(files, values, strict=True):
            sums[index[file]] += scored.sum()
            counts[index[file]] += len(scored)
        who = tuple((people or {}).get(name) or name for name in names)
        return PerFile(tuple(names), tuple(group_of[name] for name in names), who, sums, counts)

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
        """95 % bootstrap over people; of the paired difference self - other where one is given.

        A draw weighs every person anew, the same in all groups, and each person's files within a group anew (Bayesian
        bootstrap, Rubin 1981: exponential weights), so that no draw loses a group. In a group of one person the weight
        of that person changes nothing: only the files differ, and how people differ is not in the interval.
        """
        mean = self.overall() - (other.overall() if other is not None else 0.0)
        rows = self._rows()
        if max(map(len, rows.values()), default=0) < 2:
            return Interval(mean, float("nan"), float("nan"))
        weights = self._weights(draws)
        results = np.zeros(draws)
        for group in rows.values():
            results += _weighted(self, weights, group)
            if other is not None:
                results -= _weighted(other, weights, group)
        low, high = np.percentile(results / len(rows), (2.5, 97.5))
        return Interval(mean, float(low), float(high))

    def _weights(self, draws: int) -> np.ndarray:
        """(draws, files) of all files; those of one person in one group share the person's weight."""
        rng = np.random.default_rng(0)  # a fixed seed: the same scores give the same interval
        _, person = np.unique(self.people, return_inverse=True)
        share = rng.standard_exponential((draws, len(self.files)))
        scored = self.counts > 0
        for group in self._rows().values():
            for one in np.unique(person[group]):
                own = group[person[group] == one]
                share[:, own] *= len(own) / share[:, own].sum(1, keepdims=True)
        weights = rng.standard_exponential((draws, person.max() + 1))[:, person] * share
        return np.where(scored, weights, 0.0)

    def _rows(self) -> dict[str, np.ndarray]:
        scored = self.counts > 0
        names = sorted({group for group, used in zip(self.groups, scored, strict=True) if used})
        groups = np.array(self.groups)
        return {name: np.flatnonzero((groups == name) & scored) for name in names}


def _weighted(scores: PerFile, weights: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(draws,) mean over a group's frames, its files weighted."""
    own = weights[:, group]
    return own @ scores.sums[group] / np.maximum(own @ scores.counts[group], 1e-12)
