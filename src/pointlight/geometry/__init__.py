"""Rotations, cameras and Procrustes alignment: pure functions on tensors of any leading dimensions.

Nothing here knows a body, a picture or a file.
"""

from pointlight.geometry.cameras import (
    MIN_DEPTH_M,
    crop_ray_rotation,
    default_focal_px,
    focal_from_fov,
    perspective_to_weak,
    pixel_rays,
    project,
    weak_project,
    weak_to_perspective,
)
from pointlight.geometry.crops import CROP_PX, PERSON_PX, crop_side_px, keypoint_box
from pointlight.geometry.lens import Lens, distort, triangulate, undistort
from pointlight.geometry.procrustes import (
    Similarity,
    nearest_rotation,
    procrustes_error,
    procrustes_loss,
    safe_norm,
    similarity_alignment,
)
from pointlight.geometry.rotations import (
    average_rotations,
    axis_angle_rotmat,
    cross_matrix,
    geodesic_angle,
    interpolate_rotations,
    rotation_between,
    rotmat_to_rotvec,
    rotmat_to_sixd,
    rotvec_to_rotmat,
    sixd_to_rotmat,
)

__all__ = [
    "CROP_PX",
    "MIN_DEPTH_M",
    "PERSON_PX",
    "Lens",
    "Similarity",
    "average_rotations",
    "axis_angle_rotmat",
    "crop_ray_rotation",
    "crop_side_px",
    "cross_matrix",
    "default_focal_px",
    "distort",
    "focal_from_fov",
    "geodesic_angle",
    "interpolate_rotations",
    "keypoint_box",
    "nearest_rotation",
    "perspective_to_weak",
    "pixel_rays",
    "procrustes_error",
    "procrustes_loss",
    "project",
    "rotation_between",
    "rotmat_to_rotvec",
    "rotmat_to_sixd",
    "rotvec_to_rotmat",
    "safe_norm",
    "similarity_alignment",
    "sixd_to_rotmat",
    "triangulate",
    "undistort",
    "weak_project",
    "weak_to_perspective",
]
