"""What the network is allowed to see, made by the same code for simulated and for real tracks.

Boxes, repair of left-right swaps, and the inputs themselves; nothing here learns.
"""

from pointlight.cues.boxes import MIN_VISIBLE, Boxes, totally_occluded, track_boxes
from pointlight.cues.channels import PictureCueConfig
from pointlight.cues.config import (
    KEYPOINT_SETS,
    CropFrames,
    Cue,
    CueConfig,
    Cues,
    LaterInputs,
    Observation,
    crop_scale,
)
from pointlight.cues.crops import CropConfig, cut, cut_labels, mapped, picture_from_crop
from pointlight.cues.drawing import draw_inputs, flow_magnitudes
from pointlight.cues.flow_channels import (
    flow_channels,
    flow_in_crop,
    flow_of_pair,
    flow_on_crops,
    flow_on_pictures,
)
from pointlight.cues.frames import (
    EXACT_FLOW,
    FRAME_S,
    ArrayFrames,
    FrameSource,
    PairPictures,
    ShotFrames,
    VideoFrames,
)
from pointlight.cues.heatmaps import heatmaps
from pointlight.cues.point_flow import PointFlowCueConfig
from pointlight.cues.points import PointCueConfig, crop_coordinates
from pointlight.cues.repair import RepairConfig, Repaired, repair_sides
from pointlight.cues.tracks import Keypoints2D

__all__ = [
    "EXACT_FLOW",
    "FRAME_S",
    "KEYPOINT_SETS",
    "MIN_VISIBLE",
    "ArrayFrames",
    "Boxes",
    "CropConfig",
    "CropFrames",
    "Cue",
    "CueConfig",
    "Cues",
    "FrameSource",
    "Keypoints2D",
    "LaterInputs",
    "Observation",
    "PairPictures",
    "PictureCueConfig",
    "PointCueConfig",
    "PointFlowCueConfig",
    "RepairConfig",
    "Repaired",
    "ShotFrames",
    "VideoFrames",
    "crop_coordinates",
    "crop_scale",
    "cut",
    "cut_labels",
    "draw_inputs",
    "flow_channels",
    "flow_in_crop",
    "flow_magnitudes",
    "flow_of_pair",
    "flow_on_crops",
    "flow_on_pictures",
    "heatmaps",
    "mapped",
    "picture_from_crop",
    "repair_sides",
    "totally_occluded",
    "track_boxes",
]
