"""Cameras: perspective, HMR's weak perspective, the crop-ray frame, and the exact maps between them.

Camera axes: x right, y down, z away from the viewer (OpenCV). Pixels are continuous: (0, 0) is the outer corner of
the top-left pixel.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from pointlight.geometry.rotations import rotation_between

MIN_DEPTH_M = 0.05


def project(
    points_camera_m: Float[Tensor, "*batch 3"],
    focal_px: Float[Tensor, "*#batch"],
    principal_px: Float[Tensor, "*#batch 2"],
) -> Float[Tensor, "*batch 2"]:
    """Perspective projection to pixels; depths below 5 cm are held there, so that gradients stay finite."""
    depth = points_camera_m[..., 2].clamp_min(MIN_DEPTH_M)
    return points_camera_m[..., :2] * (focal_px / depth)[..., None] + principal_px


def pixel_rays(
    points_px: Float[Tensor, "*batch 2"],
    focal_px: Float[Tensor, "*#batch"],
    principal_px: Float[Tensor, "*#batch 2"],
) -> Float[Tensor, "*batch 3"]:
    """Viewing rays with z = 1 through pixels, in camera axes (not normalised)."""
    slope = (points_px - principal_px) / focal_px[..., None]
    return torch.cat((slope, torch.ones_like(slope[..., :1])), dim=-1)


def default_focal_px(width_px: float, height_px: float) -> float:
    """The focal length that is assumed where none is known: the picture's diagonal."""
    return math.hypot(width_px, height_px)


def focal_from_fov(fov_deg: float, width_px: float, height_px: float) -> float:
    """Focal length in px for a field of view in degrees along the picture's longer side."""
    return max(width_px, height_px) / 2 / math.tan(math.radians(fov_deg) / 2)


def crop_ray_rotation(ray_camera: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """R_ray_camera: the smallest rotation that brings a viewing ray onto +z.

    In the frame it leads to, a person in the middle of the crop stands straight ahead, wherever the crop lies in
    the picture.
    """
    forward = torch.zeros_like(ray_camera)
    forward[..., 2] = 1
    return rotation_between(ray_camera, forward)


def weak_to_perspective(
    scale: Float[Tensor, "*batch"], shift: Float[Tensor, "*batch 2"], focal: Float[Tensor, "*#batch"]
) -> Float[Tensor, "*batch 3"]:
    """Translation under perspective for which a point at the root's depth projects as under weak perspective.

    Weak perspective is HMR's `x = scale * (X_xy + shift)`, the translation added before the scale; `focal` is in
    the same unit of the picture as x. Then depth = focal / scale.
    """
    depth = focal / scale
    return torch.cat((shift, depth[..., None].expand(*shift.shape[:-1], 1)), dim=-1)


def perspective_to_weak(
    translation: Float[Tensor, "*batch 3"], focal: Float[Tensor, "*#batch"]
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch 2"]]:
    """Inverse of `weak_to_perspective`: scale and shift for a translation in metres."""
    return focal / translation[..., 2], translation[..., :2]


def weak_project(
    points: Float[Tensor, "*batch points 3"], scale: Float[Tensor, "*batch"], shift: Float[Tensor, "*batch 2"]
) -> Float[Tensor, "*batch points 2"]:
    """HMR's weak perspective: `scale * (X_xy + shift)`."""
    return scale[..., None, None] * (points[..., :2] + shift[..., None, :])
