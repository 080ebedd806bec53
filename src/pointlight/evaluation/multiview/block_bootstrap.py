"""Marks of one or more sets of cameras as figures with intervals, from blocks of time drawn for all cameras at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.evaluation.multiview.frame_errors import FrameErrors

BLOCK_S = 0.25
"""Frames this close together are drawn together in the bootstrap."""

INTERVAL_MEANS = "within this clip; says nothing of other people"


@dataclass(frozen=True)
class ScoredSet:
    """All per-frame errors of one set.

    Attributes:
        cameras: their names.
        roles: one a camera, "" where none is known.
        time_s: (T,) of the frames.
        errors: one a camera, by who predicted.
    """

    cameras: tuple[str, ...]
    roles: tuple[str, ...]
    time_s: np.ndarray
    errors: tuple[Mapping[str, FrameErrors], ...]


def scores_of(sets: Mapping[str, ScoredSet]) -> dict[str, Any]:
    """Everybody's figures over sets (each weighs the same) and cameras, with intervals; nothing without a set."""
    names = list(next(iter(sets.values())).errors[0]) if sets else []
    return {name: _score(name, sets) for name in names}


def _score(name: str, sets: Mapping[str, ScoredSet]) -> dict[str, Any]:
    by_set: dict[str, Any] = {}
    for set_name, scored in sets.items():
        own = [camera[name] for camera in scored.errors]
        by_role = {
            role: [one for one, its in zip(own, scored.roles, strict=True) if its == role]
            for role in sorted(set(scored.roles) - {""})
        }
        baselines = [other for other in scored.errors[0] if other != name and other.startswith("mediapipe")]
        by_set[set_name] = {
            **_interval(own, scored.time_s),
            "by_camera": {
                camera: _interval([one], scored.time_s)
                for camera, one in zip(scored.cameras, own, strict=True)
            },
            "by_role": {role: _interval(those, scored.time_s) for role, those in by_role.items()},
            "against": {
                other: _difference(own, [camera[other] for camera in scored.errors], scored.time_s)
                for other in baselines
            },
        }
    scored = [entry for entry in by_set.values() if entry["pa_mpjpe_mm"] is not None]
    every = [camera[name] for scored in sets.values() for camera in scored.errors]
    joints = [_over_cameras([one.joints_mm[:, k] for one in every]) for k in range(len(NETWORK_KEYPOINTS))]
    return {
        "pa_mpjpe_mm": rounded(float(np.mean([entry["pa_mpjpe_mm"] for entry in scored])))
        if scored
        else None,
        "ci95_mm": _mean_interval([entry["ci95_mm"] for entry in scored]) if scored else None,
        "scaled_mpjpe_mm": rounded(_over_cameras([one.scaled_mm for one in every])),
        "acceleration_m_s2": rounded(_over_cameras([one.acceleration for one in every]), 2),
        "coverage": round(float(np.mean([one.coverage for one in every])), 4),
        "by_set": by_set,
        "by_joint": {joint: rounded(value) for joint, value in zip(NETWORK_KEYPOINTS, joints, strict=True)},
    }


def _interval(errors: Sequence[FrameErrors], time_s: np.ndarray) -> dict[str, Any]:
    """Mean over cameras of the mean over frames, with a bootstrap over blocks of time drawn for all cameras at once."""
    values = np.stack([one.pa_mm for one in errors])
    low, high = np.percentile(_draws(values, time_s), (2.5, 97.5))
    return {
        "pa_mpjpe_mm": rounded(_over_cameras(values)),
        "ci95_mm": [rounded(float(low)), rounded(float(high))],
    }


def _difference(
    own: Sequence[FrameErrors], other: Sequence[FrameErrors], time_s: np.ndarray
) -> dict[str, Any]:
    """Paired: only frames that both have, and the same blocks of time."""
    first, second = np.stack([one.pa_mm for one in own]), np.stack([one.pa_mm for one in other])
    both = np.isfinite(first) & np.isfinite(second)
    first, second = np.where(both, first, np.nan), np.where(both, second, np.nan)
    low, high = np.percentile(_draws(first, time_s) - _draws(second, time_s), (2.5, 97.5))
    means = [_over_cameras(values) for values in (first, second)]
    return {
        "difference_mm": rounded(means[0] - means[1]),
        "ci95_mm": [rounded(float(low)), rounded(float(high))],
        "ratio": rounded(means[0] / means[1], 3),
    }


def _draws(values: np.ndarray, time_s: np.ndarray, count: int = 1000) -> np.ndarray:
    """(count,) mean over cameras for each draw of blocks; a fixed seed, so that models get the same draws."""
    blocks = np.floor((time_s - time_s[0]) / BLOCK_S + 1e-9).astype(int)
    member = np.eye(blocks.max() + 1)[blocks]
    sums, counts = np.nan_to_num(values) @ member, np.isfinite(values).astype(float) @ member
    chosen = np.random.default_rng(0).integers(0, member.shape[1], (count, member.shape[1]))
    seen = counts.sum(1) > 0  # a camera without a scored frame has no say
    if not seen.any():
        return np.full(count, np.nan)
    drawn = np.maximum(counts[seen][:, chosen].sum(-1), 1)
    return (sums[seen][:, chosen].sum(-1) / drawn).mean(0)


def _over_cameras(values: Sequence[np.ndarray] | np.ndarray) -> float:
    """Mean over cameras of the mean over frames; NaN where nothing is scored."""
    rows = [row[np.isfinite(row)] for row in values]
    means = [row.mean() for row in rows if len(row)]
    return float(np.mean(means)) if means else float("nan")


def _mean_interval(intervals: Sequence[Sequence[float]]) -> list[float | None]:
    """Of several sets: their bounds' mean for one, and as of independent sets for more."""
    lows, highs = np.array(intervals).T
    middle, half = (lows + highs) / 2, (highs - lows) / 2
    wide = float(np.sqrt((half**2).sum()) / len(half))
    return [rounded(float(middle.mean()) - wide), rounded(float(middle.mean()) + wide)]


def rounded(value: float, digits: int = 1) -> float | None:
    """For JSON, which knows no NaN."""
    return round(value, digits) if np.isfinite(value) else None
