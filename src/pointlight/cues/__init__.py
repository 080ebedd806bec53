"""What the network is allowed to see, made by the same code for simulated and for real tracks.

Boxes, repair of sides, and the inputs themselves; nothing here learns.
"""

from pointlight.cues.boxes import CROP_PX, MIN_VISIBLE, PERSON_PX, Boxes, totally_occluded, track_boxes
from pointlight.cues.points import (
    KEYPOINT_SETS,
    PointCues,
    crop_coordinates,
    crop_scale,
    mirrored_features,
    point_cues,
    point_feature_count,
)
from pointlight.cues.repair import RepairConfig, Repaired, repair_sides
from pointlight.cues.tracks import Keypoints2D

__all__ = [
    "CROP_PX",
    "KEYPOINT_SETS",
    "MIN_VISIBLE",
    "PERSON_PX",
    "Boxes",
    "Keypoints2D",
    "PointCues",
    "RepairConfig",
    "Repaired",
    "crop_coordinates",
    "crop_scale",
    "mirrored_features",
    "point_cues",
    "point_feature_count",
    "repair_sides",
    "totally_occluded",
    "track_boxes",
]
