"""Repair of what detectors do to whole tracks: left and right exchanged for a while, single wild points.

Works on tracks alone, so that it serves real video and, in recipes that simulate exchanges, training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.body import mirror_order


@dataclass(frozen=True)
class RepairConfig:
    """How exchanges are found.

    Attributes:
        longest_s: exchanges longer than this are not undone; nobody could tell them from a person who turned.
        switch_cost: what a change between straight and exchanged costs, in person sizes summed over the keypoints.
    """

    longest_s: float = 1.0
    switch_cost: float = 0.6


@dataclass(frozen=True)
class Repaired:
    """A track after repair.

    Attributes:
        points: (T, K, 3) x, y, score.
        exchanged: (T,) bool, frames whose sides were put back.
    """

    points: np.ndarray
    exchanged: np.ndarray


def repair_sides(
    points: np.ndarray, time_s: np.ndarray, names: tuple[str, ...], config: RepairConfig
) -> Repaired:
    """Undo exchanges of left and right of the whole body that last up to a second.

    A two-state Viterbi search labels every frame straight or exchanged, so that keypoints move least from frame
    to frame. Of the two labellings that remain (everything could be the other way round) each stretch between
    switches keeps the label of the longer neighbouring frames; stretches longer than `longest_s` are left alone.

    Args:
        points: (T, K, 3) x, y in pixels, score; 0 = absent.
        time_s: (T,) seconds.
        names: the K names.
        config: costs.
    """
    order = np.array(mirror_order(names))
    sided = order != np.arange(len(names))
    seen = points[..., 2] > 0
    frames = np.flatnonzero((seen & sided).sum(1) >= 4)
    exchanged = np.zeros(len(points), bool)
    if len(frames) < 2:
        return Repaired(points, exchanged)
    size = _person_size(points[frames], seen[frames])
    labels = _viterbi(points[frames], seen[frames], order, sided, size, config.switch_cost)
    labels = _choose_minority(labels, time_s[frames], config.longest_s)
    exchanged[frames] = labels
    repaired = points.copy()
    repaired[exchanged] = points[exchanged][:, order]
    return Repaired(repaired, exchanged)


def _person_size(points: np.ndarray, seen: np.ndarray) -> float:
    """Median diagonal of the box around seen keypoints, in pixels."""
    low = np.where(seen[..., None], points[..., :2], np.inf).min(1)
    high = np.where(seen[..., None], points[..., :2], -np.inf).max(1)
    return max(float(np.median(np.linalg.norm(high - low, axis=-1))), 1.0)


def _viterbi(
    points: np.ndarray,
    seen: np.ndarray,
    order: np.ndarray,
    sided: np.ndarray,
    size: float,
    switch_cost: float,
) -> np.ndarray:
    """(T,) bool labels; label 1 = exchanged relative to the first frame's label."""
    both = np.stack((points, points[:, order]))  # (2, T, K, 3)
    both_seen = np.stack((seen, seen[:, order]))
    count = len(points)
    cost = np.zeros(2)
    back = np.zeros((count, 2), int)
    for t in range(1, count):
        stay = _distance(both, both_seen, t, 0, 0, sided) / size
        cross = _distance(both, both_seen, t, 0, 1, sided) / size + switch_cost
        step = np.array([[stay, cross], [cross, stay]])  # [previous, present]
        total = cost[:, None] + step
        back[t] = total.argmin(0)
        cost = total.min(0)
    labels = np.zeros(count, int)
    labels[-1] = int(cost.argmin())
    for t in range(count - 1, 0, -1):
        labels[t - 1] = back[t, labels[t]]
    return labels.astype(bool)


def _distance(both: np.ndarray, seen: np.ndarray, t: int, before: int, now: int, sided: np.ndarray) -> float:
    """Summed displacement in pixels of sided keypoints seen in both frames, per keypoint capped."""
    common = seen[before, t - 1] & seen[now, t] & sided
    step = np.linalg.norm(both[now, t, common, :2] - both[before, t - 1, common, :2], axis=-1)
    return float(step.sum() * sided.sum() / max(common.sum(), 1))


def _choose_minority(labels: np.ndarray, time_s: np.ndarray, longest_s: float) -> np.ndarray:
    """Labels are relative; the more frequent is taken as right, and long stretches are left as they are."""
    if labels.mean() > 0.5:
        labels = ~labels
    result = labels.copy()
    edges = np.flatnonzero(np.diff(labels.astype(int))) + 1
    for stretch in np.split(np.arange(len(labels)), edges):
        if labels[stretch[0]] and time_s[stretch[-1]] - time_s[stretch[0]] > longest_s:
            result[stretch] = False
    return result
