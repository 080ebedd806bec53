"""The truth about real people: joints triangulated from several calibrated cameras, and how good it is itself.

Every step works on 2D keypoints of all views at once, arrays (V, T, K, ...): V views, T frames, K joints.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pointlight.body import mirror_order
from pointlight.configuration import config_sha256
from pointlight.files import atomic_path
from pointlight.geometry import Lens, triangulate
from pointlight.values import by_value

_METHOD = 1
"""Counts up when the same keypoints would make another truth, so that cached ones are made anew."""

_SETTLED_PX = 0.05
"""Offsets that move less in a round are found."""

LIMBS: tuple[tuple[str, str], ...] = tuple(
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)
"""Whose length does not change while somebody moves."""


@dataclass(frozen=True)
class TruthConfig:
    """How the reference joints are made, and which of them are good enough to score by.

    Attributes:
        seen_score: 2D keypoints of lower score do not count.
        inlier_px: a view that sees a joint farther from the triangulated one disagrees and is left out.
        swap_cost: of one view changing between straight and swapped from frame to frame, in squared `inlier_px`.
        offsets: estimate and take out a constant image offset of every camera.
        smooth_s: half width of the local parabolas that are fitted over time; 0 for none.
        scored_views: a joint is scored if at least so many views agree,
        scored_px: to at most this mean distance,
        scored_limb: and no limb at it differs more than this share from its median length.
    """

    seen_score: float = 0.3
    inlier_px: float = 25.0
    swap_cost: float = 2.0
    offsets: bool = True
    smooth_s: float = 0.07
    scored_views: int = 2
    scored_px: float = 15.0
    scored_limb: float = 0.2


@by_value
@dataclass(frozen=True)
class Views2D:
    """What all cameras see of one person.

    Attributes:
        names: of the K joints.
        time_s: (T,) shared by all views.
        points_px: (V, T, K, 2) in each camera's own distorted pixels.
        scores: (V, T, K) 0 to 1.
        lenses: of the views.
    """

    names: tuple[str, ...]
    time_s: np.ndarray
    points_px: np.ndarray
    scores: np.ndarray
    lenses: tuple[Lens, ...]

    def without(self, view: int) -> Views2D:
        """As if one camera had seen nothing."""
        scores = self.scores.copy()
        scores[view] = 0.0
        return replace(self, scores=scores)


@by_value
@dataclass(frozen=True)
class MultiviewTruth:
    """Joints in space, and how far they can be trusted.

    Attributes:
        names: of the K joints.
        time_s: (T,).
        joints_world_m: (T, K, 3); NaN where fewer than two views agree.
        raw_world_m: (T, K, 3) before smoothing.
        inlier: (V, T, K) the views that agree.
        error_px: (T, K) mean distance of the agreeing views' keypoints from the unsmoothed joint.
        limb_deviation: (T, K) largest relative difference of a limb at this joint from its median length.
        scored: (T, K) good enough to score by.
        swapped: (V, T) left and right of the whole body were swapped in this view.
        offsets_px: (V, 2) constant image offsets that were taken out.
    """

    names: tuple[str, ...]
    time_s: np.ndarray
    joints_world_m: np.ndarray
    raw_world_m: np.ndarray
    inlier: np.ndarray
    error_px: np.ndarray
    limb_deviation: np.ndarray
    scored: np.ndarray
    swapped: np.ndarray
    offsets_px: np.ndarray

    def limb_lengths_m(self) -> dict[tuple[str, str], np.ndarray]:
        """(T,) of every limb, from unsmoothed joints that are scored; NaN elsewhere."""
        places = np.where(self.scored[..., None], self.raw_world_m, np.nan)
        return {limb: _limb_length(places, self.names, limb) for limb in _limbs_of(self.names)}


def triangulate_person(
    views: Views2D,
    config: TruthConfig | None = None,
    *,
    swapped: np.ndarray | None = None,
    offsets_px: np.ndarray | None = None,
) -> MultiviewTruth:
    """Triangulate one person.

    Args:
        views: what the cameras see.
        config: limits.
        swapped: (V, T) known swaps of left and right; found by the geometry if not given.
        offsets_px: (V, 2) known image offsets; estimated if not given and `config.offsets`.
    """
    config = config or TruthConfig()
    fixed = np.zeros((len(views.lenses), 2)) if offsets_px is None else offsets_px
    if swapped is None:
        swapped = find_swaps(views, config, fixed)
        if offsets_px is None and config.offsets:
            fixed = estimate_offsets(_straight(views, swapped), config)
            swapped = find_swaps(views, config, fixed)
    views = _straight(views, swapped)
    if offsets_px is None and config.offsets:
        fixed = estimate_offsets(views, config)
    points, inlier, errors = _robust(views, config, fixed)
    count = inlier.sum(0)
    error_px = np.where(count > 0, (errors * inlier).sum(0) / np.maximum(count, 1), np.nan)
    deviation = _limb_deviation(points, views.names)
    with np.errstate(invalid="ignore"):
        scored = (
            (count >= config.scored_views)
            & (error_px <= config.scored_px)
            & (deviation <= config.scored_limb)
            & np.isfinite(points).all(-1)
        )
    smooth = smooth_over_time(points, views.time_s, scored, config.smooth_s)
    return MultiviewTruth(
        names=views.names,
        time_s=views.time_s,
        joints_world_m=smooth,
        raw_world_m=points,
        inlier=inlier,
        error_px=error_px,
        limb_deviation=deviation,
        scored=scored,
        swapped=swapped,
        offsets_px=fixed,
    )


def cached_triangulation(
    views: Views2D,
    config: TruthConfig,
    cache: Path,
    *,
    swapped: np.ndarray | None = None,
    offsets_px: np.ndarray | None = None,
) -> MultiviewTruth:
    """`triangulate_person`, kept in a file that is named by the hash of all that it is made of."""
    arrays = [views.time_s, views.points_px, views.scores]
    for lens in views.lenses:
        arrays += [value.numpy() for value in vars(lens).values()]
    arrays += [array for array in (swapped, offsets_px) if array is not None]
    path = _truth_file(cache, config_sha256([_METHOD, config, views.names]), arrays)
    # What version 0.1.0 has made under its own rule is found for one release more.
    old = _truth_file(cache, f"{_METHOD} {config} {views.names}", arrays)
    arrays_of = [entry.name for entry in fields(MultiviewTruth) if entry.name != "names"]
    for found in (path, old):
        if found.is_file():
            with np.load(found) as stored:
                return MultiviewTruth(names=views.names, **{name: stored[name] for name in arrays_of})
    truth = triangulate_person(views, config, swapped=swapped, offsets_px=offsets_px)
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **{name: getattr(truth, name) for name in arrays_of})
    return truth


def _truth_file(cache: Path, settings: str, arrays: Sequence[np.ndarray]) -> Path:
    """Where the truth of these arrays is kept."""
    digest = hashlib.sha256(settings.encode())
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return cache / f"truth-{digest.hexdigest()[:24]}.npz"


def find_swaps(views: Views2D, config: TruthConfig, offsets_px: np.ndarray) -> np.ndarray:
    """(V, T) bool: views whose left and right are the other way round, by the cheapest labels over time.

    All views together could be the other way round in a frame as well; time and the rule that fewer labels are wrong
    than right decide.
    """
    count, frames = len(views.lenses), len(views.time_s)
    labels = np.array(list(itertools.product((False, True), repeat=count)))
    data = np.empty((len(labels), frames))
    known: dict[tuple[bool, ...], np.ndarray] = {}
    for i, label in enumerate(labels):
        relative = tuple(bool(x) for x in label ^ label[0])
        if relative not in known:
            straight = _straight(views, np.repeat(np.array(relative)[:, None], frames, axis=1))
            known[relative] = _best_pair(straight, config, offsets_px)[1].sum(-1)
        data[i] = known[relative] + 0.01 * label.sum()
    change = config.swap_cost * (labels[:, None] ^ labels[None]).sum(-1)
    cost, came_from = data[:, 0], np.zeros((frames, len(labels)), int)
    for t in range(1, frames):
        total = cost[:, None] + change
        came_from[t] = total.argmin(0)
        cost = total.min(0) + data[:, t]
    path = np.empty(frames, int)
    path[-1] = cost.argmin()
    for t in range(frames - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return labels[path].T


def estimate_offsets(views: Views2D, config: TruthConfig, rounds: int = 20) -> np.ndarray:
    """(V, 2) constant image offset of every camera in pixels: what its keypoints have in common that others deny.

    What all cameras could share by moving the person stays in the person: it starts from none and only follows residuals.
    """
    offsets = np.zeros((len(views.lenses), 2))
    agreeing = np.zeros(views.scores.shape, bool)
    for number in range(rounds):
        if number % 5 == 0:  # who agrees changes slowly, and costs most
            agreeing = _best_pair(views, config, offsets)[0]
        points, inlier, _ = _robust(views, config, offsets, agreeing)
        step = np.zeros_like(offsets)
        for v, lens in enumerate(views.lenses):
            residual = views.points_px[v] - offsets[v] - lens.project(torch.from_numpy(points)).numpy()
            chosen = residual[inlier[v]]
            if len(chosen) >= 20:
                step[v] = np.median(chosen, axis=0)
        offsets += step
        if np.abs(step).max() < _SETTLED_PX:
            break
    return offsets


def smooth_over_time(
    points: np.ndarray, time_s: np.ndarray, counted: np.ndarray, half_width_s: float
) -> np.ndarray:
    """Local parabolas over time through the counted frames, which bend with the motion instead of flattening it.

    Args:
        points: (T, K, 3).
        time_s: (T,).
        counted: (T, K) frames that the parabolas see; others stay what they are.
        half_width_s: frames farther away have no weight.
    """
    if half_width_s <= 0:
        return points
    lag = time_s[None, :] - time_s[:, None]
    kernel = np.clip(1 - np.abs(lag / half_width_s) ** 3, 0, None) ** 3
    mask = counted.astype(float)
    values = np.where(counted[..., None], points, 0.0)
    moments = [np.einsum("ts,sk->tk", kernel * lag**p, mask) for p in range(5)]
    sums = [np.einsum("ts,skc->tkc", kernel * lag**p, values) for p in range(3)]
    normal = np.stack([np.stack(moments[i : i + 3], -1) for i in range(3)], -2)
    enough = ((kernel > 0).astype(float) @ mask >= 5) & counted
    normal = np.where(enough[..., None, None], normal, np.eye(3))
    solved = np.linalg.solve(normal + 1e-12 * np.eye(3), np.stack(sums, -2))[..., 0, :]
    return np.where(enough[..., None], solved, points)


def _straight(views: Views2D, swapped: np.ndarray) -> Views2D:
    order = mirror_order(views.names)
    points = np.where(swapped[..., None, None], views.points_px[:, :, order], views.points_px)
    scores = np.where(swapped[..., None], views.scores[:, :, order], views.scores)
    return replace(views, points_px=points, scores=scores)


def _stack(lenses: tuple[Lens, ...]) -> tuple[Tensor, Tensor]:
    return torch.stack([x.R_camera_world for x in lenses]), torch.stack([x.t_camera_world_m for x in lenses])


def _rays(views: Views2D, config: TruthConfig, offsets_px: np.ndarray) -> tuple[Tensor, Tensor, np.ndarray]:
    """Slopes (T, K, V, 2), weights (T, K, V), and the pixels (V, T, K, 2) with offsets taken out."""
    pixels = views.points_px.astype(np.float64) - offsets_px[:, None, None]
    slopes = [lens.slopes(torch.from_numpy(px)) for lens, px in zip(views.lenses, pixels, strict=True)]
    weights = np.where(views.scores >= config.seen_score, views.scores, 0.0).astype(np.float64)
    return torch.stack(slopes, -2), torch.from_numpy(np.moveaxis(weights, 0, -1)), pixels


def _distances(points: Tensor, views: Views2D, pixels: np.ndarray) -> np.ndarray:
    """(V, T, K) pixels between points in space and what each view sees; infinite where there is no point."""
    flat = np.stack([lens.project(points).numpy() for lens in views.lenses])
    return np.nan_to_num(np.linalg.norm(flat - pixels, axis=-1), nan=np.inf)


def _best_pair(views: Views2D, config: TruthConfig, offsets_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every joint from the two views that most others agree with: agreeing views (V, T, K) and the cost (T, K).

    The cost is the score-weighted squared distance in `inlier_px` of all views, each at most 1.
    """
    slopes, weights, pixels = _rays(views, config, offsets_px)
    R, t = _stack(views.lenses)
    strength = np.moveaxis(weights.numpy(), -1, 0)
    agreeing = np.zeros(strength.shape, bool)
    best = strength.sum(0)  # nobody agrees with anybody
    for pair in itertools.combinations(range(len(views.lenses)), 2):
        chosen = list(pair)
        points = triangulate(slopes[..., chosen, :], R[chosen], t[chosen], weights[..., chosen])
        share = _distances(points, views, pixels) / config.inlier_px
        cost = (np.minimum(share, 1.0) ** 2 * strength).sum(0)
        better = cost < best
        best = np.where(better, cost, best)
        agreeing = np.where(better, (share < 1.0) & (strength > 0), agreeing)
    return agreeing, best


def _robust(
    views: Views2D, config: TruthConfig, offsets_px: np.ndarray, agreeing: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints (T, K, 3), the views that agree (V, T, K), and the distances (V, T, K) in pixels.

    `agreeing` says where to start; the best pairs' if not given.
    """
    slopes, weights, pixels = _rays(views, config, offsets_px)
    R, t = _stack(views.lenses)
    if agreeing is None:
        agreeing = _best_pair(views, config, offsets_px)[0]
    seen = np.moveaxis(weights.numpy(), -1, 0) > 0
    for _ in range(3):
        kept = torch.from_numpy(np.moveaxis(agreeing, 0, -1))
        points = triangulate(slopes, R, t, weights * kept)
        distances = _distances(points, views, pixels)
        again = seen & (distances < config.inlier_px)
        # A joint that its own refinement would lose keeps the pair that found it.
        agreeing = np.where(again.sum(0) >= 2, again, agreeing)
    points = triangulate(slopes, R, t, weights * torch.from_numpy(np.moveaxis(agreeing, 0, -1)))
    distances = _distances(points, views, pixels)
    agreeing = agreeing & np.isfinite(distances)
    return points.numpy(), agreeing, np.where(agreeing, distances, 0.0)


def _limbs_of(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [limb for limb in LIMBS if limb[0] in names and limb[1] in names]


def _limb_length(points: np.ndarray, names: tuple[str, ...], limb: tuple[str, str]) -> np.ndarray:
    return np.linalg.norm(points[:, names.index(limb[0])] - points[:, names.index(limb[1])], axis=-1)


def _limb_deviation(points: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(T, K) see `MultiviewTruth`; 0 for joints without a known limb."""
    result = np.zeros(points.shape[:2])
    for limb in _limbs_of(names):
        length = _limb_length(points, names, limb)
        if not np.isfinite(length).any():
            continue
        share = np.abs(length / np.nanmedian(length) - 1)
        for joint in limb:
            column = names.index(joint)
            result[:, column] = np.fmax(result[:, column], share)
    return result
