"""The `points` cue: keypoints in the crop, their visibility, and the crop's place; no picture.

The same function makes the network's input from simulated and from real tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, mirror_order
from pointlight.cues.boxes import CROP_PX, PERSON_PX, Boxes, totally_occluded, track_boxes
from pointlight.geometry import MIN_DEPTH_M, crop_ray_rotation, pixel_rays

KEYPOINT_SETS: dict[str, tuple[str, ...]] = {"paper12": NETWORK_KEYPOINTS, "extended19": EXTENDED_KEYPOINTS}
"""Input sets by the name that a checkpoint carries."""


@dataclass(frozen=True)
class PointCues:
    """What a `points` network sees of tracks of T frames; one entry of `features` per pair of frames.

    Attributes:
        features: (..., T-1, F).
        occluded: (..., T) bool, frames that entered as total occlusions.
        boxes: the crops, in picture pixels.
        R_ray_camera: (..., T, 3, 3) rotation from camera axes to the crop-ray frame of each frame.
        focal_crop: (..., T) focal length in units of half the crop, as the network is told.
    """

    features: Tensor
    occluded: Tensor
    boxes: Boxes
    R_ray_camera: Tensor
    focal_crop: Tensor


def point_cues(
    points_px: Float[Tensor, "*batch frames points 2"],
    visible: Bool[Tensor, "*batch frames points"],
    focal_px: Float[Tensor, "*batch"],
    principal_px: Float[Tensor, "*batch frames 2"],
    *,
    keypoint_set: str,
    next_frame: bool,
) -> PointCues:
    """Make the network's input of keypoint tracks on the 30 frames/s grid.

    A pair's keypoints are given in the crop of its first frame, as seen by a camera that is turned to that crop
    (crop-ray frame), in units of half the crop. The crop's place and size are divided by the focal length.

    Args:
        points_px: keypoints in the order of the set; values of invisible ones are ignored.
        visible: which are seen.
        focal_px: the focal length, true or assumed.
        principal_px: the principal point of every frame.
        keypoint_set: a name of `KEYPOINT_SETS`; the first 12 are always the paper's.
        next_frame: give each pair the keypoints of both of its frames; otherwise the present frame's alone,
            as the paper's keypoint channels.
    """
    names = KEYPOINT_SETS[keypoint_set]
    if points_px.shape[-2] != len(names):
        raise ValueError(f"{points_px.shape[-2]} keypoints given, {keypoint_set} has {len(names)}")
    twelve = visible[..., : len(NETWORK_KEYPOINTS)]
    occluded = totally_occluded(twelve)
    boxes = track_boxes(points_px[..., : len(NETWORK_KEYPOINTS), :], twelve)
    visible = visible & ~occluded[..., None]
    focal = focal_px[..., None].expand(occluded.shape)
    centre_ray = pixel_rays(boxes.centre_px, focal, principal_px)
    turn = crop_ray_rotation(centre_ray)
    focal_crop = focal * crop_scale(boxes)

    rays = pixel_rays(points_px, focal[..., None], principal_px[..., None, :])
    present = _visible_coordinates(rays, turn, focal_crop, visible)
    place = torch.cat((centre_ray[..., :2], (boxes.size_px / focal).log()[..., None]), dim=-1)
    place = torch.where(occluded[..., None], 0.0, place)
    flag = occluded[..., None].to(points_px.dtype)
    parts = [part[..., :-1, :] for part in (present, place, flag)]
    if next_frame:
        blind = occluded[..., :-1, None] | ~visible[..., 1:, :]
        parts.append(
            _visible_coordinates(rays[..., 1:, :, :], turn[..., :-1, :, :], focal_crop[..., :-1], ~blind)
        )
    return PointCues(torch.cat(parts, dim=-1), occluded, boxes, turn, focal_crop)


def point_feature_count(keypoint_set: str, next_frame: bool) -> int:
    """F of `PointCues.features`."""
    return 3 * len(KEYPOINT_SETS[keypoint_set]) * (2 if next_frame else 1) + 4


def mirrored_features(
    features: Float[Tensor, "*batch pairs numbers"], keypoint_set: str, *, next_frame: bool
) -> Float[Tensor, "*batch pairs numbers"]:
    """What `PointCues.features` would be of the same person in a mirror: x negated, left and right exchanged."""
    names = KEYPOINT_SETS[keypoint_set]
    order = torch.tensor(mirror_order(names))
    count = len(names)

    def block(values: Tensor) -> Tensor:
        flat = values[..., : 2 * count].unflatten(-1, (count, 2))[..., order, :] * flat_signs
        return torch.cat((flat.flatten(-2), values[..., 2 * count :][..., order]), dim=-1)

    flat_signs = features.new_tensor((-1.0, 1.0))
    place = features[..., 3 * count : 3 * count + 4] * features.new_tensor((-1.0, 1.0, 1.0, 1.0))
    parts = [block(features[..., : 3 * count]), place]
    if next_frame:
        parts.append(block(features[..., 3 * count + 4 :]))
    return torch.cat(parts, dim=-1)


def crop_scale(boxes: Boxes) -> Tensor:
    """Half crops per picture pixel, (..., T)."""
    return PERSON_PX / boxes.size_px / (CROP_PX / 2)


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
