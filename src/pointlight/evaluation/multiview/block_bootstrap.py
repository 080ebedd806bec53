"""Block bootstrap: per-frame errors of sets of cameras as figures with intervals.

Blocks of time are drawn for all cameras of a set at once, and the same blocks for every contender.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.evaluation.multiview.frame_errors import FrameErrors
from pointlight.evaluation.results import Bounds, MeanError, MultiviewRow, PairedRatio, SetScore, TruthScore
from pointlight.evaluation.variants import Contender

BLOCK_S = 0.25
"""Frames this close together are drawn together in the bootstrap."""

INTERVAL_MEANS = "within this clip; says nothing of other people"

DETECTORS_OWN = ("mediapipe_world", "mediapipe_world_repaired")
"""Baselines that the detector gives: its own 3D, and the same with our repair of swapped sides."""


@dataclass(frozen=True)
class ScoredSet:
    """All per-frame errors of one set.

    Attributes:
        cameras: their names.
        roles: one a camera, "" where none is known.
        time_s: (T,) of the frames.
        errors: one a camera, by contender.
        still: nobody moves; frames are one sample a camera.
        by_truth: errors against other truths by their names; contenders may lack there.
    """

    cameras: tuple[str, ...]
    roles: tuple[str, ...]
    time_s: np.ndarray
    errors: tuple[Mapping[Contender, FrameErrors], ...]
    still: bool = False
    by_truth: Mapping[str, tuple[Mapping[Contender, FrameErrors], ...]] = field(default_factory=dict)


def multiview_rows(sets: Mapping[str, ScoredSet], people: str) -> list[MultiviewRow]:
    """Every contender's figures over sets (each weighs the same) and cameras; none without a set.

    Args:
        sets: by name; the same contenders in each.
        people: what the sets show, see `MultiviewRow`.
    """
    contenders = list(next(iter(sets.values())).errors[0]) if sets else []
    return [_row(contender, sets, people) for contender in contenders]


def _row(contender: Contender, sets: Mapping[str, ScoredSet], people: str) -> MultiviewRow:
    by_set = {name: _set_score(contender, scored) for name, scored in sets.items()}
    means = [score.pa_mpjpe_mm for score in by_set.values() if score.pa_mpjpe_mm is not None]
    bounds = [score.ci95_mm for score in by_set.values() if score.pa_mpjpe_mm is not None]
    every = [camera[contender] for scored_set in sets.values() for camera in scored_set.errors]
    joints = [_over_cameras([one.joints_mm[:, k] for one in every]) for k in range(len(NETWORK_KEYPOINTS))]
    return MultiviewRow(
        **vars(contender),
        people=people,
        pa_mpjpe_mm=rounded(float(np.mean(means))) if means else None,
        ci95_mm=mean_interval(bounds) if bounds else None,
        scaled_mpjpe_mm=rounded(_over_cameras([one.scaled_mm for one in every])),
        acceleration_m_s2=rounded(_over_cameras([one.acceleration for one in every]), 2),
        coverage=round(float(np.mean([one.coverage for one in every])), 4),
        by_set=by_set,
        by_joint={joint: rounded(value) for joint, value in zip(NETWORK_KEYPOINTS, joints, strict=True)},
    )


def _set_score(contender: Contender, scored: ScoredSet) -> SetScore:
    own = [camera[contender] for camera in scored.errors]
    by_role = {
        role: [one for one, its in zip(own, scored.roles, strict=True) if its == role]
        for role in sorted(set(scored.roles) - {""})
    }
    mean = mean_error(own, scored.time_s, still=scored.still)
    return SetScore(
        pa_mpjpe_mm=mean.pa_mpjpe_mm,
        ci95_mm=mean.ci95_mm,
        by_camera={
            camera: mean_error([one], scored.time_s, still=scored.still)
            for camera, one in zip(scored.cameras, own, strict=True)
        },
        by_role={
            role: mean_error(those, scored.time_s, still=scored.still) for role, those in by_role.items()
        },
        against=_against(contender, scored.errors, scored),
        still=scored.still,
        by_truth={
            truth: _truth_score(contender, errors, scored)
            for truth, errors in scored.by_truth.items()
            if contender in errors[0]
        },
        dropped_mm=rounded(_over_cameras([one.dropped_mm.ravel() for one in own])),
        dropped_share=rounded(
            float(
                sum(np.isfinite(one.dropped_mm).sum() for one in own)
                / max(sum(np.isfinite((one.dropped_mm, one.joints_mm)).sum() for one in own), 1)
            ),
            3,
        ),
    )


def _truth_score(
    contender: Contender, errors: Sequence[Mapping[Contender, FrameErrors]], scored: ScoredSet
) -> TruthScore:
    own = [camera[contender] for camera in errors]
    mean = mean_error(own, scored.time_s, still=scored.still)
    frames = sum(int(np.isfinite(one.pa_mm).sum()) for one in own)
    return TruthScore(mean.pa_mpjpe_mm, mean.ci95_mm, _against(contender, errors, scored), frames)


def _against(
    contender: Contender, errors: Sequence[Mapping[Contender, FrameErrors]], scored: ScoredSet
) -> dict[str, PairedRatio]:
    """Paired comparisons with the detector's own rows, the contender's own one left out."""
    detectors = [Contender(name, baseline=True) for name in DETECTORS_OWN]
    own = [camera[contender] for camera in errors]
    return {
        other.model: paired_ratio(
            own, [camera[other] for camera in errors], scored.time_s, still=scored.still
        )
        for other in detectors
        if other in errors[0] and other != contender
    }


def mean_error(errors: Sequence[FrameErrors], time_s: np.ndarray, *, still: bool = False) -> MeanError:
    """Mean over cameras of the mean over frames, with a bootstrap over blocks of time drawn for all cameras at once.

    Args:
        errors: one a camera.
        time_s: (T,) of the frames.
        still: draw cameras instead of blocks of time, since all frames of a camera are one sample.
    """
    values = np.stack([one.pa_mm for one in errors])
    return MeanError(rounded(_over_cameras(values)), _bounds(_draws(values, time_s, still)))


def paired_ratio(
    own: Sequence[FrameErrors], other: Sequence[FrameErrors], time_s: np.ndarray, *, still: bool = False
) -> PairedRatio:
    """Difference and ratio of two contenders, paired: only frames that both have, and the same draws.

    Args:
        own: one a camera.
        other: of whom they are compared with, in the same order.
        time_s: (T,) of the frames.
        still: see `mean_error`.
    """
    first, second = np.stack([one.pa_mm for one in own]), np.stack([one.pa_mm for one in other])
    both = np.isfinite(first) & np.isfinite(second)
    first, second = np.where(both, first, np.nan), np.where(both, second, np.nan)
    means = [_over_cameras(values) for values in (first, second)]
    draws = [_draws(values, time_s, still) for values in (first, second)]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, ratios = np.float64(means[0]) / np.float64(means[1]), draws[0] / draws[1]
    return PairedRatio(
        difference_mm=rounded(means[0] - means[1]),
        ci95_mm=_bounds(draws[0] - draws[1]),
        ratio=rounded(float(ratio), 3),
        ratio_ci95=_bounds(ratios, 3),
    )


def _bounds(draws: np.ndarray, digits: int = 1) -> Bounds:
    low, high = np.percentile(draws, (2.5, 97.5))
    return rounded(float(low), digits), rounded(float(high), digits)


def _draws(values: np.ndarray, time_s: np.ndarray, still: bool, count: int = 1000) -> np.ndarray:
    """(count,) mean over cameras for each draw of blocks; a fixed seed, so that models get the same draws."""
    if still:
        return _draws_of_cameras(values, count)
    blocks = np.floor((time_s - time_s[0]) / BLOCK_S + 1e-9).astype(int)
    member = np.eye(blocks.max() + 1)[blocks]
    sums, counts = np.nan_to_num(values) @ member, np.isfinite(values).astype(float) @ member
    chosen = np.random.default_rng(0).integers(0, member.shape[1], (count, member.shape[1]))
    seen = counts.sum(1) > 0  # a camera without a scored frame has no say
    if (
        not seen.any() or len(np.flatnonzero(counts.sum(0))) < 2
    ):  # one block would give an interval of no width
        return np.full(count, np.nan)
    drawn = np.maximum(counts[seen][:, chosen].sum(-1), 1)
    return (sums[seen][:, chosen].sum(-1) / drawn).mean(0)


def _draws_of_cameras(values: np.ndarray, count: int) -> np.ndarray:
    """(count,) the same for draws of cameras; one camera is one sample, which has no interval."""
    means = np.array([row[np.isfinite(row)].mean() for row in values if np.isfinite(row).any()])
    if len(means) < 2:
        return np.full(count, np.nan)
    chosen = np.random.default_rng(0).integers(0, len(means), (count, len(means)))
    return means[chosen].mean(1)


def _over_cameras(values: Sequence[np.ndarray] | np.ndarray) -> float:
    """Mean over cameras of the mean over frames; NaN where nothing is scored."""
    rows = [row[np.isfinite(row)] for row in values]
    means = [row.mean() for row in rows if len(row)]
    return float(np.mean(means)) if means else float("nan")


def mean_interval(intervals: Sequence[Bounds]) -> Bounds:
    """Of several sets: their bounds' mean for one, and as of independent sets for more."""
    lows, highs = np.array(intervals, np.float64).T
    middle, half = (lows + highs) / 2, (highs - lows) / 2
    wide = float(np.sqrt((half**2).sum()) / len(half))
    return rounded(float(middle.mean()) - wide), rounded(float(middle.mean()) + wide)


def rounded(value: float, digits: int = 1) -> float | None:
    """For JSON, which knows no NaN."""
    return round(value, digits) if np.isfinite(value) else None
