"""Keypoints as pictures: a channel each, on whatever device the coordinates are."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pointlight.geometry import CROP_PX

DEVIATION_PX = 10
"""Section 3.2: "a Gaussian distribution with a standard deviation of 10 pixels", in a crop of 224."""


def heatmaps(
    points_crop: Float[Tensor, "*batch points 2"], visible: Bool[Tensor, "*batch points"], side_px: int
) -> Float[Tensor, "*batch points side side"]:
    """Gaussians of height 1 at keypoints ("they are 1 at the keypoint location"), nothing where one is hidden.

    Args:
        points_crop: in half crops, as `crop_coordinates` gives them.
        visible: which of them are shown.
        side_px: of the crop; the deviation goes with it.
    """
    centres = (torch.arange(side_px, device=points_crop.device, dtype=points_crop.dtype) + 0.5) * (
        2 / side_px
    ) - 1
    deviation = DEVIATION_PX / (CROP_PX / 2)
    bells = torch.exp(-0.5 * ((centres - points_crop[..., None]) / deviation) ** 2)  # (..., points, 2, side)
    bells = bells * visible[..., None, None]
    return bells[..., 1, :, None] * bells[..., 0, None, :]
