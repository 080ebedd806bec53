"""The `points` cue: keypoints in the crop, their visibility, and the crop's place; no picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pointlight.body import mirror_order
from pointlight.cues.config import CropFrames, Cue, CueConfig, Observation
from pointlight.geometry import MIN_DEPTH_M, pixel_rays


@dataclass(frozen=True)
class PointCueConfig(CueConfig):
    """Keypoints of a pair of frames as numbers.

    They are given in the crop of the pair's first frame, as seen by a camera that is turned to that crop (crop-ray
    frame), in units of half the crop. The crop's place and size are divided by the focal length.

    Attributes:
        next_frame: give each pair the keypoints of both of its frames; otherwise the present frame's alone, as the paper's
            keypoint channels.
    """

    next_frame: bool = True

    @property
    def input_shape(self) -> tuple[int, ...]:
        """See `CueConfig`."""
        return (3 * len(self.keypoints) * (2 if self.next_frame else 1) + 4,)

    def inputs(self, seen: Observation, crops: CropFrames) -> Tensor:
        """See `CueConfig`."""
        occluded, turn, focal_crop = crops.occluded, crops.R_ray_camera, crops.focal_crop
        visible = seen.visible & ~occluded[..., None]
        focal = seen.focal_px[..., None].expand(occluded.shape)
        rays = pixel_rays(seen.points_px, focal[..., None], seen.principal_px[..., None, None, :])
        present = _visible_coordinates(rays, turn, focal_crop, visible)
        size = (crops.boxes.size_px / focal).log()[..., None]
        place = torch.cat((crops.centre_ray[..., :2], size), dim=-1)
        place = torch.where(occluded[..., None], 0.0, place)
        flag = occluded[..., None].to(seen.points_px.dtype)
        parts = [part[..., :-1, :] for part in (present, place, flag)]
        if self.next_frame:
            blind = occluded[..., :-1, None] | ~visible[..., 1:, :]
            parts.append(
                _visible_coordinates(rays[..., 1:, :, :], turn[..., :-1, :, :], focal_crop[..., :-1], ~blind)
            )
        return torch.cat(parts, dim=-1)

    @property
    def shown(self) -> tuple[Cue, ...]:
        """See `CueConfig`."""
        return ("keypoints",)

    def without(self, inputs: Tensor, cue: Cue) -> Tensor:
        """See `CueConfig`; the crop's place stays."""
        if cue not in self.shown:
            return super().without(inputs, cue)
        inputs, count = inputs.clone(), 3 * len(self.keypoints)
        inputs[..., :count] = 0
        if self.next_frame:
            inputs[..., count + 4 : 2 * count + 4] = 0
        return inputs

    def mirrored(self, inputs: Tensor) -> Tensor:
        """See `CueConfig`."""
        order = torch.tensor(mirror_order(self.keypoints))
        count = len(order)
        signs = inputs.new_tensor((-1.0, 1.0))

        def block(values: Tensor) -> Tensor:
            flat = values[..., : 2 * count].unflatten(-1, (count, 2))[..., order, :] * signs
            return torch.cat((flat.flatten(-2), values[..., 2 * count :][..., order]), dim=-1)

        place = inputs[..., 3 * count : 3 * count + 4] * inputs.new_tensor((-1.0, 1.0, 1.0, 1.0))
        parts = [block(inputs[..., : 3 * count]), place]
        if self.next_frame:
            parts.append(block(inputs[..., 3 * count + 4 :]))
        return torch.cat(parts, dim=-1)


def _visible_coordinates(rays: Tensor, turn: Tensor, focal_crop: Tensor, visible: Tensor) -> Tensor:
    """(..., T, 3 K): x and y in half crops, then visibility; all 0 where invisible."""
    flat = crop_coordinates(rays, turn, focal_crop)
    flat = torch.where(visible[..., None], flat, 0.0)
    return torch.cat((flat.flatten(-2), visible.to(flat.dtype)), dim=-1)


def crop_coordinates(rays: Tensor, R_ray_camera: Tensor, focal_crop: Tensor) -> Tensor:
    """Where directions (..., K, 3) of the camera frame appear in the crop, (..., K, 2), in half crops; at most 4."""
    turned = rays @ R_ray_camera.transpose(-1, -2)
    flat = turned[..., :2] / turned[..., 2:].clamp_min(MIN_DEPTH_M) * focal_crop[..., None, None]
    return flat.clamp(-4, 4)
