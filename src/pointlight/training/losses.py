"""The losses: the paper's two, and named additions that the paper's recipes switch off."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor, nn

from pointlight.body import EVALUATION_JOINTS, BodyModel, BodyState
from pointlight.geometry import MIN_DEPTH_M, procrustes_error, procrustes_loss, safe_norm
from pointlight.network import Martinez, Prediction
from pointlight.simulator import TRACK_POINTS

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
    unaligned: float = 0.0
    rotation: float = 0.0
    turn: float = 0.0
    root: float = 0.0
    shape: float = 0.0
    velocity: float = 0.0
    pairs: int | None = None


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
    """

    points_ray_m: Tensor
    points_crop: Tensor
    pose: Tensor
    root_ray: Tensor
    shape: Tensor
    focal_crop: Tensor

    def of_pairs(self, pairs: Tensor) -> Targets:
        """The truth of some pairs (P,) of every clip."""
        cut = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "shape"}
        return replace(self, **{name: value[:, pairs] for name, value in cut.items()})


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

    Totally occluded frames count like all others: "visibility masks inputs, never targets".
    """
    zero = torch.zeros_like(predicted.shift[..., :1]).expand(*predicted.shift.shape[:-1], 3)
    state = BodyState(predicted.pose, predicted.shape, predicted.root, zero)
    person = body.person(state.shape)
    posed = body.posed(state, person)
    points = body.keypoints_of(posed, person, TRACK_POINTS)
    points = points - points[..., _HIPS, :].mean(-2, keepdim=True)
    truth = targets.points_ray_m - targets.points_ray_m[..., _HIPS, :].mean(-2, keepdim=True)
    seen_crop = targets.points_crop
    if not config.surface_points:
        chosen = list(EVALUATION_INDICES)
        points, truth, seen_crop = (of[..., chosen, :] for of in (points, truth, seen_crop))

    parts = {"aligned": procrustes_loss(points, truth).mean()}
    seen = reproject(points, predicted, targets.focal_crop, perspective=config.perspective)
    parts["reprojection"] = (seen - seen_crop).abs().mean()
    error = points - truth
    if config.unaligned:
        parts["unaligned"] = safe_norm(error).mean()
    if config.rotation:
        parts["rotation"] = _matrix_error(predicted.pose, targets.pose)
    if config.turn:
        true = BodyState(targets.pose, targets.shape, targets.root_ray, zero)
        parts["turn"] = _matrix_error(posed.rotations, body.joint_rotations(true))
    if config.root:
        parts["root"] = _matrix_error(predicted.root, targets.root_ray)
    if config.shape:
        parts["shape"] = (predicted.shape - targets.shape).abs().mean()
    if config.velocity:
        # The two heads of a pair share a frame of reference, neighbouring pairs do not quite.
        parts["velocity"] = safe_norm(error[:, :, 1] - error[:, :, 0]).mean()
    total = sum(getattr(config, name) * value for name, value in parts.items())
    return torch.as_tensor(total), parts


def _matrix_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean over matrices (..., 3, 3) of the summed squared error of their numbers."""
    return 9 * nn.functional.mse_loss(predicted, true)


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


def martinez_loss(model: Martinez, features: Tensor, targets: Targets) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean squared error on standardised, root-relative targets (Martinez et al. 2017)."""
    points = targets.points_ray_m[:, :, 0]
    points = points - points[..., EVALUATION_INDICES[4:6], :].mean(-2, keepdim=True)
    error = model.standardised(features) - (points - model.mean) / model.deviation
    loss = error.square().mean()
    with torch.no_grad():
        aligned = procrustes_error(model(features), points).mean()
    return loss, {"squared": loss.detach(), "aligned": aligned}
