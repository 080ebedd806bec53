"""Similarity alignment of point sets (Procrustes) and the error that is left after it.

Rotations only, never a reflection. Everything is defined, finite and has finite gradients on degenerate input
(equal points, collinear points, a single weighted point).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from pointlight.geometry.loops import AlignedError, has_loops

_TINY = 1e-12
"""Sums of weights and mean squared distances (points within a micrometre, in metres) below are nothing."""


class Similarity(NamedTuple):
    """`x -> scale * rotation @ x + translation`.

    Attributes:
        scale: (...), positive or zero.
        rotation: (..., 3, 3).
        translation: (..., 3).
    """

    scale: Tensor
    rotation: Tensor
    translation: Tensor

    def apply(self, points: Float[Tensor, "*batch points 3"]) -> Float[Tensor, "*batch points 3"]:
        """Map points given in the source's frame."""
        turned = points @ self.rotation.transpose(-1, -2)
        return self.scale[..., None, None] * turned + self.translation[..., None, :]


def similarity_alignment(
    source: Float[Tensor, "*batch points 3"],
    target: Float[Tensor, "*batch points 3"],
    weights: Float[Tensor, "*#batch points"] | None = None,
) -> Similarity:
    """Least-squares similarity that takes `source` onto `target` (Umeyama 1991; HMR's evaluation).

    Args:
        source: points to move.
        target: points to reach.
        weights: at least 0; a point of weight 0 has no say. None counts all alike.

    Returns:
        The similarity. Where all (weighted) source points coincide, scale is 0 and the rotation arbitrary.
    """
    if weights is None:
        weights = torch.ones(source.shape[:-1], dtype=source.dtype, device=source.device)
    share = (weights / weights.sum(-1, keepdim=True).clamp_min(_TINY))[..., None]
    source_mean = (share * source).sum(-2)
    target_mean = (share * target).sum(-2)
    centred_source = source - source_mean[..., None, :]
    centred_target = target - target_mean[..., None, :]
    correlation = (share * centred_target).transpose(-1, -2) @ centred_source
    rotation = nearest_rotation(correlation)
    spread = (share * centred_source.square()).sum((-1, -2))
    scale = (rotation * correlation).sum((-1, -2)) / spread.clamp_min(_TINY)
    translation = target_mean - scale[..., None] * (rotation @ source_mean[..., None])[..., 0]
    return Similarity(scale, rotation, translation)


def procrustes_error(
    predicted: Float[Tensor, "*batch points 3"],
    target: Float[Tensor, "*batch points 3"],
    weights: Float[Tensor, "*#batch points"] | None = None,
    *,
    through_alignment: bool = False,
) -> Float[Tensor, "*batch"]:
    """Weighted mean distance of the points after aligning `predicted` onto `target`.

    Args:
        predicted: points to be scored, any scale and frame.
        target: the truth; the error is in its unit.
        weights: at least 0, as in `similarity_alignment`.
        through_alignment: let gradients flow through the alignment too. Without it, the similarity is held
            fixed, which at the optimum changes the gradient little and is cheaper.
    """
    if through_alignment:
        alignment = similarity_alignment(predicted, target, weights)
    else:
        with torch.no_grad():
            alignment = similarity_alignment(predicted, target, weights)
    distance = safe_norm(alignment.apply(predicted) - target)
    if weights is None:
        return distance.mean(-1)
    return (distance * weights).sum(-1) / weights.sum(-1).clamp_min(_TINY)


def procrustes_loss(
    predicted: Float[Tensor, "*batch points 3"],
    target: Float[Tensor, "*batch points 3"],
    weights: Float[Tensor, "*#batch points"] | None = None,
) -> Float[Tensor, "*batch"]:
    """`procrustes_error` with the similarity held fixed, several times faster on the CPU; for training.

    Args:
        predicted: points to be scored; they alone receive a gradient.
        target: the truth.
        weights: at least 0. None counts all alike.
    """
    if not has_loops(predicted, target):
        return procrustes_error(predicted, target.detach(), weights)
    leading, count = predicted.shape[:-2], predicted.shape[-2]
    if weights is None:
        weights = torch.ones(1, count, dtype=predicted.dtype)
    else:
        weights = weights.to(predicted.dtype).expand(*leading, count).reshape(-1, count)
    rows = predicted.reshape(-1, count, 3), target.expand(predicted.shape).reshape(-1, count, 3), weights
    errors: Tensor = AlignedError.apply(*rows, _TINY)  # pyright: ignore[reportAssignmentType]
    return errors.reshape(leading)


def safe_norm(vector: Float[Tensor, "*batch dims"]) -> Float[Tensor, "*batch"]:
    """Euclidean length over the last axis with gradient 0, not NaN, at 0."""
    return (vector.square().sum(-1) + 1e-16).sqrt()


def nearest_rotation(matrix: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The rotation R that maximises trace(R^T M); arbitrary but valid where that is not unique."""
    rotation: Tensor = _NearestRotation.apply(matrix)  # pyright: ignore[reportAssignmentType]
    return rotation


class _NearestRotation(torch.autograd.Function):
    """SVD's own gradient is infinite at equal singular values, though the rotation is smooth there."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, matrix: Tensor) -> Tensor:
        u, s, vh = torch.linalg.svd(matrix)
        sign = torch.where(torch.linalg.det(u) * torch.linalg.det(vh) < 0, -1.0, 1.0).to(matrix.dtype)
        flip = torch.ones_like(s)
        flip[..., 2] = sign
        rotation = (u * flip[..., None, :]) @ vh
        ctx.save_for_backward(u, s * flip, vh, flip)
        return rotation

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor
    ) -> Tensor:
        # With M = U S V^T (S signed) and R = U V'^T: dR = U W V'^T, W_ij = (A - A^T)_ij / (s_i + s_j),
        # A = U^T dM V'. Small denominators are damped, not inverted.
        (gradient,) = gradients
        u, s, vh, flip = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        right = (vh.transpose(-1, -2)) * flip[..., None, :]
        pairs = s[..., :, None] + s[..., None, :]
        largest = s[..., :1, None].clamp_min(1e-9)
        damped = pairs / (pairs.square() + (1e-6 * largest).square())
        inner = u.transpose(-1, -2) @ gradient @ right
        weighted = (inner - inner.transpose(-1, -2)) * damped
        return u @ weighted @ right.transpose(-1, -2)
