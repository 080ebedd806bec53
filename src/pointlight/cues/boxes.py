"""The box of a person's track: where the crop lies and how large it is, from the keypoints the network gets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pointlight.geometry import keypoint_box
from pointlight.values import by_value

MIN_VISIBLE = 7
"""Frames with fewer visible keypoints of the 12 count as totally occluded (section 4, appendix A)."""


@by_value
@dataclass(frozen=True)
class Boxes:
    """Crops of a track; a crop belongs to the track, not to a window of it.

    Attributes:
        centre_px: (..., T, 2).
        size_px: (..., T) diagonal of the visible keypoints' box, which becomes `PERSON_PX` in the crop.
    """

    centre_px: Tensor
    size_px: Tensor

    def moved(self, moves: Float[Tensor, "*batch 3"]) -> Boxes:
        """All boxes of a track off by (x, y) box sizes and larger by the factor e^z."""
        shift = moves[..., None, :2] * self.size_px[..., None]
        return Boxes(self.centre_px + shift, self.size_px * moves[..., None, 2].exp())


def totally_occluded(visible: Bool[Tensor, "*batch points"]) -> Bool[Tensor, "*batch"]:
    """Which frames show fewer than 7 of the 12 keypoints."""
    return visible.sum(-1) < MIN_VISIBLE


def track_boxes(
    points_px: Float[Tensor, "*batch frames points 2"],
    visible: Bool[Tensor, "*batch frames points"],
    smooth_frames: float = 2.0,
) -> Boxes:
    """Boxes around visible keypoints, bridged over occluded frames and smoothed over time.

    Args:
        points_px: the 12 keypoints as the network gets them.
        visible: which of them are seen.
        smooth_frames: standard deviation in frames of the Gaussian that smooths place and log-size.

    Returns:
        Boxes for every frame. A track that is never seen gets boxes of size 1 at the origin.
    """
    seen = ~totally_occluded(visible)
    centre, size = keypoint_box(points_px, visible)
    values = torch.cat((centre, size.log()[..., None]), dim=-1)
    values = torch.where(seen[..., None], values, 0.0)
    values = _smooth(_bridge(values, seen), smooth_frames)
    return Boxes(values[..., :2], values[..., 2].exp())


def _bridge(values: Tensor, seen: Tensor) -> Tensor:
    """Linear interpolation over frames that are not seen; the ends are held. values (..., T, C), seen (..., T)."""
    frames = values.shape[-2]
    index = torch.arange(frames, device=values.device).expand(seen.shape)
    before = torch.where(seen, index, -1).cummax(-1).values
    after = torch.where(seen, index, frames).flip(-1).cummin(-1).values.flip(-1)
    left = torch.where(before < 0, after, before).clamp(0, frames - 1)
    right = torch.where(after >= frames, before, after).clamp(0, frames - 1)
    gap = (right - left).clamp_min(1)
    share = ((index - left).to(values.dtype) / gap).clamp(0, 1)[..., None]
    channels = values.shape[-1]
    start = values.gather(-2, left[..., None].expand(*left.shape, channels))
    end = values.gather(-2, right[..., None].expand(*right.shape, channels))
    return start + share * (end - start)


def _smooth(values: Tensor, deviation: float) -> Tensor:
    """Gaussian filter along time with held ends. values (..., T, C).

    Tap by tap: a product of matrices rounds otherwise for one track than for many.
    """
    if deviation <= 0 or values.shape[-2] == 1:
        return values
    reach = int(3 * deviation + 0.5)
    offsets = torch.arange(-reach, reach + 1, device=values.device)
    kernel = torch.exp(-0.5 * (offsets / deviation) ** 2).to(values.dtype)
    kernel = kernel / kernel.sum()
    frames = values.shape[-2]
    padded = torch.arange(-reach, frames + reach, device=values.device).clamp(0, frames - 1)
    held = values[..., padded, :]
    result = kernel[0] * held[..., :frames, :]
    for tap in range(1, len(kernel)):
        result = result + kernel[tap] * held[..., tap : tap + frames, :]
    return result
