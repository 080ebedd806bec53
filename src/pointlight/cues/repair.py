"""Repair of what detectors do to whole tracks: left and right exchanged for a while, single wild points.

Works on tracks alone, so that it serves real video and, in recipes that simulate exchanges, training.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import no_type_check

import numba
import numpy as np

from pointlight.body import mirror_order
from pointlight.values import by_value


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


@by_value
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
    order, sided = _sides(names)
    seen = points[..., 2] > 0
    frames = np.flatnonzero((seen & sided).sum(1) >= 4)
    swapped, torn = np.zeros(len(points), bool), np.zeros(len(points), bool)
    if len(frames) < 2:
        return Repaired(points, swapped, torn)
    times = np.asarray(time_s)[frames].astype(np.float64)
    chosen = np.ascontiguousarray(points[frames, :, :2]), np.ascontiguousarray(seen[frames])
    labels, left_out = _search(
        *chosen, times, order, config.switch_cost, config.tear_s, config.tear_cost, _lags(times, config)
    )
    if not labels.any():  # nothing was exchanged; frames are only left out at an exchange
        return Repaired(points.copy(), swapped, torn)
    labels = _choose_minority(labels, times, config.longest_s)
    swapped[frames] = labels & ~left_out
    torn[frames] = left_out & _between_labels(labels, left_out)
    repaired = points.copy()
    repaired[swapped] = points[swapped][:, order]
    repaired[torn, :, 2] = 0
    return Repaired(repaired, swapped, torn)


@cache
def _sides(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Order (K,) of the mirrored keypoints, and (K,) bool, which of them have a side."""
    order = np.array(mirror_order(names))
    return order, order != np.arange(len(names))


def _lags(time_s: np.ndarray, config: RepairConfig) -> int:
    """How many frames a change of label may take at most."""
    lag = 1
    while lag + 1 < len(time_s) and (time_s[lag + 1 :] - time_s[: -lag - 1]).min() <= config.tear_s:
        lag += 1
    return lag


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _search(
    points: np.ndarray,
    seen: np.ndarray,
    time_s: np.ndarray,
    order: np.ndarray,
    switch_cost: float,
    tear_s: float,
    tear_cost: float,
    lags: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest labels: (T,) bool, exchanged relative to the last frame's label; (T,) bool, left out.

    Both labels of a frame cost the same, since exchanging all of them changes nothing.

    Args:
        points: (T, K, 2) pixels.
        seen: (T, K) bool.
        time_s: (T,).
        order: (K,) of the mirrored keypoints.
        switch_cost: as in `RepairConfig`, like the two after it.
        tear_s: longest change.
        tear_cost: of a second of it.
        lags: a change takes at most so many frames.
    """
    count = len(points)
    places = points / _person_size(points, seen)
    straight = np.arange(len(order))
    cost = np.zeros(count)
    came_from = np.zeros(count, np.int64)  # how many frames back; negative where the label changed
    way = np.empty(len(order), points.dtype)
    for t in range(1, count):
        best, step = cost[t - 1] + _movement(places, seen, t - 1, t, straight, order, way), 1
        for lag in range(1, min(lags, t) + 1):
            took_s = time_s[t] - time_s[t - lag]
            if lag > 1 and took_s > tear_s:
                break
            late_s = took_s - (time_s[t] - time_s[t - 1])
            crossing = _movement(places, seen, t - lag, t, order, order, way)
            total = cost[t - lag] + crossing + switch_cost + tear_cost * late_s
            if total < best:
                best, step = total, -lag
        cost[t], came_from[t] = best, step
    labels, left_out = np.zeros(count, np.bool_), np.ones(count, np.bool_)
    t, label = count - 1, False
    while t >= 0:
        labels[t], left_out[t] = label, False
        step = came_from[t] if t else 1
        labels[t - abs(step) + 1 : t] = label
        t, label = t - abs(step), label != (step < 0)
    return labels, left_out


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _person_size(points: np.ndarray, seen: np.ndarray) -> float:
    """Median diagonal of the box around seen keypoints, in pixels; at least 1."""
    sizes = np.empty(len(points), points.dtype)
    for t in range(len(points)):
        first = np.argmax(seen[t])
        left, top = right, bottom = points[t, first, 0], points[t, first, 1]
        for k in range(first + 1, points.shape[1]):
            if seen[t, k]:
                left, right = min(left, points[t, k, 0]), max(right, points[t, k, 0])
                top, bottom = min(top, points[t, k, 1]), max(bottom, points[t, k, 1])
        sizes[t] = np.sqrt((right - left) * (right - left) + (bottom - top) * (bottom - top))
    sizes.sort()
    middle = len(sizes) // 2
    one = sizes.dtype.type(1)
    if len(sizes) % 2:
        return max(sizes[middle], one)
    return max((sizes[middle - 1] + sizes[middle]) / sizes.dtype.type(2), one)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _movement(
    places: np.ndarray,
    seen: np.ndarray,
    before: int,
    now: int,
    taken_as: np.ndarray,
    order: np.ndarray,
    way: np.ndarray,
) -> float:
    """Summed way of the sided keypoints from one frame to another; those not seen twice move like the others.

    Args:
        places: (T, K, 2) in person sizes.
        seen: (T, K) bool.
        before: first frame.
        now: second frame.
        taken_as: (K,) which keypoint of the second frame each one of the first has become.
        order: (K,) of the mirrored keypoints.
        way: (K,) room for the work.
    """
    sided = common = 0
    for k in range(len(order)):
        way[k] = 0
        if order[k] != k:
            sided += 1
            other = taken_as[k]
            if seen[before, k] and seen[now, other]:
                common += 1
                x = places[now, other, 0] - places[before, k, 0]
                y = places[now, other, 1] - places[before, k, 1]
                way[k] = np.sqrt(x * x + y * y)
    return np.float64(_sum(way)) * sided / max(common, 1)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _sum(values: np.ndarray) -> float:
    """Sum in NumPy's order (eight running sums), so that costs are the same to the bit in all versions of this code."""
    parts = np.zeros(8, values.dtype)
    whole = len(values) - len(values) % 8
    for k in range(whole):
        parts[k % 8] += values[k]
    total = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]))
    for k in range(whole, len(values)):
        total += values[k]
    return total


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
