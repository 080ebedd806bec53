"""Which foot stands when: slow and low, with hysteresis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.capture.states import stretches
from pointlight.capture.world.moving import Moving


@dataclass(frozen=True)
class ContactConfig:
    """When a foot stands. Chosen on simulation (docs/log.md).

    Attributes:
        speed_m_s: of a sole's point at which, on the floor, it half stands.
        height_m: of a still point at which it half stands.
        leave: a foot that stands goes on standing until its evidence is so many times what begins it.
        over_s: a speed is taken over so much time.
        shortest_s: shorter stands, and shorter gaps between stands, are none.
        beside_m: before a moving camera, how much higher than the other a foot is that half stands.
    """

    speed_m_s: float = 0.5
    height_m: float = 0.1
    leave: float = 1.5
    over_s: float = 0.1
    shortest_s: float = 0.09
    beside_m: float = 0.03


SOLE_M = 0.01
"""A point of a sole that is so much higher than its lowest bears less by a factor of e."""

AROUND_S = 0.4
"""Before a moving camera the floor is what the soles come down to in so much time before and after."""


def speeds(points_m: np.ndarray, time_s: np.ndarray, over_s: float) -> np.ndarray:
    """(T, ...) speeds of points (T, ..., 3) over about so many seconds around each frame, m/s."""
    frames = len(time_s)
    if frames < 2:
        return np.zeros(points_m.shape[:-1])
    around = max(1, round(over_s / 2 / float(np.median(np.diff(time_s)))))
    before = np.maximum(np.arange(frames) - around, 0)
    after = np.minimum(np.arange(frames) + around, frames - 1)
    span_s = (time_s[after] - time_s[before]).reshape(-1, *([1] * (points_m.ndim - 2)))
    return np.linalg.norm(points_m[after] - points_m[before], axis=-1) / span_s


def standing(body: Moving, heights_m: np.ndarray, config: ContactConfig) -> np.ndarray:
    """(T, 2) which foot stands, from the soles' speeds and their heights (T, 2, 4) above the floor."""
    speed = speeds(body.soles_m, body.time_s, config.over_s) / config.speed_m_s
    evidence = speed**2 + (np.maximum(heights_m, 0) / config.height_m) ** 2
    return with_hysteresis(evidence.min(-1), body.time_s, config)


def contact_heights(heights_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the soles' points' heights (T, 2, 4) each sole's lowest (T, 2), and how much each point bears (T, 2, 4)."""
    lowest = heights_m.min(-1)
    shares = np.exp(-(heights_m - lowest[..., None]) / SOLE_M)
    return lowest, shares / shares.sum(-1, keepdims=True)


def walking_floor(lowest_m: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """(T,) height of the floor below somebody before a moving camera: what the lowest sole (T,) comes down to."""
    frames = np.searchsorted(time_s, time_s[:, None] + np.array((-AROUND_S, AROUND_S)))
    lowest = np.array([lowest_m[start : max(stop, start + 1)].min() for start, stop in frames])
    return np.array([lowest[start : max(stop, start + 1)].mean() for start, stop in frames])


def low_feet(body: Moving, config: ContactConfig) -> np.ndarray:
    """(T, 2) which foot stands before a moving camera: whose sole is on the floor, and of two the lower one for sure."""
    heights = body.soles_m[..., 1].min(-1)
    above = np.maximum(heights, 0) / config.height_m
    beside = (heights - heights.min(1, keepdims=True)) / config.beside_m
    return with_hysteresis(above**2 + beside**2, body.time_s, config)


def with_hysteresis(evidence: np.ndarray, time_s: np.ndarray, config: ContactConfig) -> np.ndarray:
    """(T, 2) bool, from evidence (T, 2) that is below 1 where a foot stands."""
    return np.stack([_one_foot(column, time_s, config) for column in evidence.T], axis=-1)


def _one_foot(evidence: np.ndarray, time_s: np.ndarray, config: ContactConfig) -> np.ndarray:
    surely, perhaps = evidence < 1, evidence < config.leave
    stands = np.zeros(len(evidence), bool)
    for start, stop in stretches(perhaps):
        stands[start:stop] = surely[start:stop].any()
    for value in (False, True):  # gaps are closed before short stands are dropped
        for start, stop in stretches(stands == value):
            inside = value or (start > 0 and stop < len(stands))
            if inside and _length_s(time_s, start, stop) < config.shortest_s:
                stands[start:stop] = not value
    return stands


def _length_s(time_s: np.ndarray, start: int, stop: int) -> float:
    step = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
    return float(time_s[stop - 1] - time_s[start]) + step
