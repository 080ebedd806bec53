"""The losses: the paper's two, and named additions that the paper's recipes switch off."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor, nn

from pointlight.body import EVALUATION_JOINTS, BodyModel, BodyState, Posed
from pointlight.configuration import added
from pointlight.geometry import MIN_DEPTH_M, procrustes_loss, safe_norm, similarity_alignment
from pointlight.network.parts_of_batches import is_part, weight_of_a_part
from pointlight.network.regressor import Prediction
from pointlight.simulator import TRACK_POINTS
from pointlight.values import by_value

EVALUATION_INDICES = tuple(TRACK_POINTS.index(name) for name in EVALUATION_JOINTS)
_HIPS = slice(TRACK_POINTS.index("left_hip"), TRACK_POINTS.index("right_hip") + 1)
"""Both hips, which are neighbours."""


@dataclass(frozen=True)
class LossConfig:
    """Weights. The paper's loss is `aligned` and `reprojection` alone; it states neither norm nor weights.

    Attributes:
        aligned: mean distance in metres of the 14 joints after Procrustes alignment.
        reprojection: mean absolute 2D error in half crops.
        perspective: reproject by full perspective (depth = focal / scale) in place of weak perspective.
        surface_points: align and reproject nose, ears, heels and toes as well.
        fit_on_metric: fit the alignment on the 14 joints that the metric has, whatever else is aligned with them.
        unaligned: mean distance in metres of the joints relative to the hips, without alignment.
        rotation: mean squared error of the joints' rotation matrices.
        turn: mean squared error of the joints' rotation matrices in the crop-ray frame, not against the parent.
        root: mean squared error of the root's rotation matrix.
        shape: mean absolute error of the shape's numbers.
        velocity: mean distance in metres between predicted and true motion from frame to frame.
        pairs: on so many of a clip's 30 pairs, drawn anew each step, the loss is taken; None takes all, as the paper
            does. Neighbouring frames say nearly the same, and the memory sees every pair.
    """

    aligned: float = 1.0
    reprojection: float = 1.0
    perspective: bool = False
    surface_points: bool = False
    fit_on_metric: bool = added(False)
    unaligned: float = 0.0
    rotation: float = 0.0
    turn: float = 0.0
    root: float = 0.0
    shape: float = 0.0
    velocity: float = 0.0
    pairs: int | None = None


@by_value
@dataclass(frozen=True)
class Targets:
    """The truth for both frames of every pair, in the crop-ray frame of the pair's first frame.

    Attributes:
        points_ray_m: (B, T-1, 2, N, 3) of `TRACK_POINTS`, metres.
        points_crop: (B, T-1, 2, N, 2) their true places in the crop, half crops.
        pose: (B, T-1, 2, J-1, 3, 3).
        root_ray: (B, T-1, 2, 3, 3).
        shape: (B, 1, 1, S).
        focal_crop: (B, T-1) as the network is told, half crops.
        known: (B, T-1, 2, N) bool, points of which the source has a truth; the others have any place, NaN too, and no
            weight. None: all of them.
        body_known: (B,) bool, clips of which the source has pose, root and shape; the others' are as little heeded. None:
            all of them.
    """

    points_ray_m: Tensor
    points_crop: Tensor
    pose: Tensor
    root_ray: Tensor
    shape: Tensor
    focal_crop: Tensor
    known: Tensor | None = None
    body_known: Tensor | None = None

    def of_pairs(self, pairs: Tensor) -> Targets:
        """The truth of some pairs (P,) of every clip."""
        by_pair = ("points_ray_m", "points_crop", "pose", "root_ray", "focal_crop", "known")
        values = {name: getattr(self, name) for name in by_pair}
        return replace(self, **{name: v[:, pairs] for name, v in values.items() if v is not None})

    def marked(self) -> Targets:
        """The same with what is not finite said to be unknown."""
        there = self.points_ray_m.isfinite().all(-1) & self.points_crop.isfinite().all(-1)
        of_body = [value.isfinite().flatten(1).all(-1) for value in (self.pose, self.root_ray, self.shape)]
        body = of_body[0] & of_body[1] & of_body[2]
        return replace(
            self,
            known=_both_known(self.known, there),
            body_known=_both_known(self.body_known, body),
        )

    def cleared(self) -> Targets:
        """The same with zeros for whatever is unknown, so that nothing of it enters a sum, be it NaN."""
        cleared: dict[str, Tensor] = {}
        if self.known is not None:
            known = self.known[..., None]
            cleared |= {
                name: torch.where(known, getattr(self, name), 0.0) for name in ("points_ray_m", "points_crop")
            }
        if self.body_known is not None:
            for name in ("pose", "root_ray", "shape"):
                value = getattr(self, name)
                cleared[name] = torch.where(self.body_known.reshape(-1, *[1] * (value.ndim - 1)), value, 0.0)
        return replace(self, **cleared)

    def to(self, device: str) -> Targets:
        """The same on a device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: v.to(device) for name, v in values.items() if v is not None})


def _both_known(said: Tensor | None, finite: Tensor) -> Tensor | None:
    """What is known and finite; None for all."""
    if bool(finite.all()):
        return said
    return finite if said is None else said & finite


def draw_pairs(count: int, wanted: int | None, rng: np.random.Generator) -> Tensor:
    """(P,) one pair out of each of `wanted` equal stretches of a clip of `count` pairs; all where None."""
    if wanted is None or wanted >= count:
        return torch.arange(count)
    edges = np.linspace(0, count, wanted + 1)
    return torch.from_numpy(np.floor(rng.uniform(edges[:-1], edges[1:])).astype(np.int64).clip(0, count - 1))


def motion_hmr_loss(
    predicted: Prediction, targets: Targets, body: BodyModel, config: LossConfig
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum and its unweighted parts, over both heads, every joint, every frame.

    Totally occluded frames count like all others: "visibility masks inputs, never targets". What the source of the clips
    does not know has no weight.
    """
    targets = targets.cleared()
    zero = torch.zeros_like(predicted.shift[..., :1]).expand(*predicted.shift.shape[:-1], 3)
    state = BodyState(predicted.pose, predicted.shape, predicted.root, zero)
    person = body.person(state.shape)
    posed = body.posed(state, person)
    points = hip_centred(body.keypoints_of(posed, person, TRACK_POINTS))
    truth, seen_crop, known = hip_centred(targets.points_ray_m), targets.points_crop, targets.known
    fit = EVALUATION_INDICES if config.fit_on_metric else None
    if not config.surface_points:
        chosen, fit = list(EVALUATION_INDICES), None
        points, truth, seen_crop = (of[..., chosen, :] for of in (points, truth, seen_crop))
        known = None if known is None else known[..., chosen]
    weights = None if known is None else known.to(points.dtype)
    # Without both hips nobody knows where the others are relative to them.
    centred = None if weights is None else weights * _hips_known(targets)

    parts = {"aligned": _aligned(points, truth, weights, fit)}
    seen = reproject(points, predicted, targets.focal_crop, perspective=config.perspective)
    parts["reprojection"] = _mean((seen - seen_crop).abs(), weights)
    error = points - truth
    if config.unaligned:
        parts["unaligned"] = _mean(safe_norm(error), centred)
    if config.velocity:
        # The two heads of a pair share a frame of reference, neighbouring pairs do not quite.
        both = None if centred is None else centred[:, :, 1] * centred[:, :, 0]
        parts["velocity"] = _mean(safe_norm(error[:, :, 1] - error[:, :, 0]), both)
    parts |= _body_parts(predicted, posed, targets, body, config)
    total = sum(getattr(config, name) * parts[name] for name in _ORDER if name in parts)
    return torch.as_tensor(total), parts


_ORDER = ("aligned", "reprojection", "unaligned", "rotation", "turn", "root", "shape", "velocity")
"""In which the terms are added; floating-point sums depend on it."""


def _body_parts(
    predicted: Prediction, posed: Posed, targets: Targets, body: BodyModel, config: LossConfig
) -> dict[str, Tensor]:
    """The terms on rotations and shape that the configuration asks for."""
    known = None if targets.body_known is None else targets.body_known.to(predicted.pose.dtype)
    parts = {}
    if config.rotation:
        parts["rotation"] = _matrix_error(predicted.pose, targets.pose, known)
    if config.turn:
        zero = targets.root_ray.new_zeros(3)
        true = BodyState(targets.pose, targets.shape, targets.root_ray, zero)
        parts["turn"] = _matrix_error(posed.rotations, body.joint_rotations(true), known)
    if config.root:
        parts["root"] = _matrix_error(predicted.root, targets.root_ray, known)
    if config.shape:
        parts["shape"] = _mean((predicted.shape - targets.shape).abs(), known)
    return parts


def hip_centred(points: Tensor) -> Tensor:
    """`TRACK_POINTS` (..., N, 3) relative to the middle of the hips."""
    return points - points[..., _HIPS, :].mean(-2, keepdim=True)


def squared_loss(
    standardised: Tensor, mean: Tensor, deviation: Tensor, targets: Targets
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean squared error on standardised, root-relative targets (Martinez et al. 2017).

    Args:
        standardised: (B, P, N, 3) what the network says of the present frames.
        mean: (N, 3) of the targets.
        deviation: (N, 3) of the targets.
        targets: of the P pairs.
    """
    targets = targets.cleared()
    points = hip_centred(targets.points_ray_m[:, :, 0])
    weights = (
        None if targets.known is None else (targets.known * _hips_known(targets).bool())[:, :, 0].to(points)
    )
    loss = _mean((standardised - (points - mean) / deviation).square(), weights)
    with torch.no_grad():
        found = standardised * deviation + mean
        aligned = _aligned(found, points, weights, None)
    return loss, {"squared": loss.detach(), "aligned": aligned}


def _hips_known(targets: Targets) -> Tensor:
    """(B, P, 2, 1) 1 where both hips have a truth."""
    assert targets.known is not None
    return targets.known[..., _HIPS].all(-1, keepdim=True).to(targets.points_ray_m.dtype)


def _aligned(points: Tensor, truth: Tensor, weights: Tensor | None, fit: tuple[int, ...] | None) -> Tensor:
    """Mean distance after alignment, which is fitted on all points, or on the joints that the metric has."""
    if fit is None:
        error = procrustes_loss(points, truth, weights)
        return _mean(error, None if weights is None else weights.amax(-1))
    chosen = list(fit)
    with torch.no_grad():
        fit_weights = None if weights is None else weights[..., chosen]
        alignment = similarity_alignment(points[..., chosen, :], truth[..., chosen, :], fit_weights)
    return _mean(safe_norm(alignment.apply(points) - truth), weights)


def _matrix_error(predicted: Tensor, true: Tensor, known: Tensor | None) -> Tensor:
    """Mean over matrices (..., 3, 3) of the summed squared error of their numbers."""
    if known is None and not is_part():
        return 9 * nn.functional.mse_loss(predicted, true)
    return _mean((predicted - true).square().sum((-1, -2)), known)


def _mean(values: Tensor, weights: Tensor | None) -> Tensor:
    """The mean, weighted over the leading dimensions that `weights` has; 0 where nothing has weight.

    Of a part of a batch it is the part's share, see `part_of_a_batch`.
    """
    if weights is None:
        if not is_part():
            return values.mean()
        weights = values.new_ones(1)  # another part may have weights
    spread = weights.reshape(*weights.shape, *([1] * (values.ndim - weights.ndim))).expand_as(values)
    return (values * spread).sum() / weight_of_a_part(spread.sum()).clamp_min(1e-9)


def reproject(points_m: Tensor, predicted: Prediction, focal_crop: Tensor, *, perspective: bool) -> Tensor:
    """Hip-centred points (B, T-1, 2, N, 3) in the crop-ray frame to crop coordinates in half crops.

    Weak perspective is HMR's; full perspective puts the hips at depth focal / scale.
    """
    shifted = points_m[..., :2] + predicted.shift[..., None, :]
    if not perspective:
        return predicted.scale[..., None, None] * shifted
    focal = focal_crop[..., None, None]
    depth = points_m[..., 2] + focal / predicted.scale[..., None]
    return (shifted * (focal / depth.clamp_min(4 * MIN_DEPTH_M))[..., None]).clamp(-8, 8)
