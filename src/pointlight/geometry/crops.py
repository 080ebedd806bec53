"""The crop around a person: one rule for what the network is told and for what is drawn (appendix A, HMR)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

CROP_PX = 224
"""Side of the crop (appendix A: "Bounding boxes are cropped at a 224×224 resolution")."""

PERSON_PX = 150
"""What the diagonal of the visible keypoints' box becomes (appendix A: "roughly 150 pixels tall"; HMR's rule)."""


def keypoint_box(
    points_px: Float[Tensor, "*batch points 2"], visible: Bool[Tensor, "*batch points"]
) -> tuple[Float[Tensor, "*batch 2"], Float[Tensor, "*batch"]]:
    """Centre and diagonal, at least 1 pixel, of the box around visible keypoints; the origin where none is visible."""
    huge = torch.finfo(points_px.dtype).max / 4
    mask = visible[..., None]
    low = torch.where(mask, points_px, huge).amin(-2)
    high = torch.where(mask, points_px, -huge).amax(-2)
    return 0.5 * (low + high), (high - low).clamp(0, huge).norm(dim=-1).clamp_min(1.0)


def crop_side_px(diagonal_px: float) -> float:
    """Side of the crop in the picture's pixels, of a person whose keypoints' box has this diagonal."""
    return diagonal_px * CROP_PX / PERSON_PX
