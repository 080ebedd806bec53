"""What the network is allowed to see, made by the same code for simulated and for real tracks.

Boxes, repair of left-right swaps, and the inputs themselves; nothing here learns.
"""

from pointlight.cues.boxes import CROP_PX, MIN_VISIBLE, PERSON_PX, Boxes, totally_occluded, track_boxes
from pointlight.cues.config import KEYPOINT_SETS, CropFrames, CueConfig, Cues, Observation, crop_scale
from pointlight.cues.points import PointCueConfig, crop_coordinates
from pointlight.cues.repair import RepairConfig, Repaired, repair_sides
from pointlight.cues.tracks import Keypoints2D

__all__ = [
    "CROP_PX",
    "KEYPOINT_SETS",
    "MIN_VISIBLE",
    "PERSON_PX",
    "Boxes",
    "CropFrames",
    "CueConfig",
    "Cues",
    "Keypoints2D",
    "Observation",
    "PointCueConfig",
    "RepairConfig",
    "Repaired",
    "crop_coordinates",
    "crop_scale",
    "repair_sides",
    "totally_occluded",
    "track_boxes",
]
