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
        tear_s: a detector may take so long to change its mind; what it says meanwhile is neither.
        tear_cost: what a change costs more for each second that it takes; people turn too, but not so fast.
    """

    longest_s: float = 1.0
    switch_cost: float = 0.6
    tear_s: float = 0.12
    tear_cost: float = 16.0


@dataclass(frozen=True)
class Repaired:
    """A track after repair.

    Attributes:
        points: (T, K, 3) x, y, score.
        swapped: (T,) bool, frames whose sides were put back.
        torn: (T,) bool, frames in the middle of a change; all their keypoints are absent now.
    """

    points: np.ndarray
    swapped: np.ndarray
    torn: np.ndarray


def repair_sides(
    points: np.ndarray, time_s: np.ndarray, names: tuple[str, ...], config: RepairConfig
) -> Repaired:
    """Undo exchanges of left and right of the whole body that last up to a second.

    A search over time labels every frame straight or exchanged, so that keypoints move least; between the two
    labels it may leave out a few frames. Of the two labellings that remain (everything could be the other way
    round) the one with fewer exchanged frames is taken; exchanges longer than `longest_s` are left alone.

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
    swapped, torn = np.zeros(len(points), bool), np.zeros(len(points), bool)
    if len(frames) < 2:
        return Repaired(points, swapped, torn)
    size = _person_size(points[frames], seen[frames])
    labels, left_out = _search(points[frames, :, :2] / size, seen[frames], time_s[frames], order, config)
    labels = _choose_minority(labels, time_s[frames], config.longest_s)
    swapped[frames] = labels & ~left_out
    torn[frames] = left_out & _between_labels(labels, left_out)
    repaired = points.copy()
    repaired[swapped] = points[swapped][:, order]
    repaired[torn, :, 2] = 0
    return Repaired(repaired, swapped, torn)


def _person_size(points: np.ndarray, seen: np.ndarray) -> float:
    """Median diagonal of the box around seen keypoints, in pixels."""
    low = np.where(seen[..., None], points[..., :2], np.inf).min(1)
    high = np.where(seen[..., None], points[..., :2], -np.inf).max(1)
    return max(float(np.median(np.linalg.norm(high - low, axis=-1))), 1.0)


def _search(
    places: np.ndarray, seen: np.ndarray, time_s: np.ndarray, order: np.ndarray, config: RepairConfig
) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest labels: (T,) bool, exchanged relative to the first frame's label; (T,) bool, left out.

    Args:
        places: (T, K, 2) in person sizes.
        seen: (T, K) bool.
        time_s: (T,).
        order: of the mirrored keypoints.
        config: costs.
    """
    count = len(places)
    lags = [1]
    while lags[-1] + 1 < count and (time_s[lags[-1] + 1 :] - time_s[: -lags[-1] - 1]).min() <= config.tear_s:
        lags.append(lags[-1] + 1)
    stay = _movement(places, seen, places, seen, order, 1)
    cross = [_movement(places, seen, places[:, order], seen[:, order], order, lag) for lag in lags]
    cost = np.zeros((count, 2))
    came_from = np.zeros((count, 2), int)  # how many frames back; negative where the label changed
    for t in range(1, count):
        for label in (0, 1):
            best, step = cost[t - 1, label] + stay[t - 1], 1
            for lag, crossing in zip(lags, cross, strict=True):
                took_s = time_s[t] - time_s[t - lag] if lag <= t else np.inf
                if lag > 1 and took_s > config.tear_s:
                    break
                late_s = took_s - (time_s[t] - time_s[t - 1])
                total = (
                    cost[t - lag, 1 - label]
                    + crossing[t - lag]
                    + config.switch_cost
                    + config.tear_cost * late_s
                )
                if total < best:
                    best, step = total, -lag
            cost[t, label], came_from[t, label] = best, step
    labels, left_out = np.zeros(count, bool), np.ones(count, bool)
    t, label = count - 1, int(cost[-1].argmin())
    while t >= 0:
        labels[t], left_out[t] = bool(label), False
        step = came_from[t, label] if t else 1
        labels[t - abs(step) + 1 : t] = bool(label)
        t, label = t - abs(step), 1 - label if step < 0 else label
    return labels, left_out


def _movement(
    before: np.ndarray,
    seen_before: np.ndarray,
    now: np.ndarray,
    seen_now: np.ndarray,
    order: np.ndarray,
    lag: int,
) -> np.ndarray:
    """(T - lag,) summed way of the sided keypoints over `lag` frames; those not seen twice move like the others."""
    sided = order != np.arange(len(order))
    common = seen_before[:-lag] & seen_now[lag:] & sided
    way = np.linalg.norm(now[lag:] - before[:-lag], axis=-1)
    return (way * common).sum(1) * sided.sum() / np.maximum(common.sum(1), 1)


def _between_labels(labels: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """(T,) bool: left-out frames whose kept neighbours still have different labels."""
    kept = np.flatnonzero(~left_out)
    after = np.searchsorted(kept, np.arange(len(labels)))
    inside = (after > 0) & (after < len(kept))
    previous, following = kept[np.maximum(after - 1, 0)], kept[np.minimum(after, len(kept) - 1)]
    return inside & (labels[previous] != labels[following])


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
