"""From real video to one person's moving body: keypoints, windows, the result, and the picture of it."""

from pointlight.capture.archive import read_npz
from pointlight.capture.capture import Capture, body_states
from pointlight.capture.detector import DetectorConfig, MediapipeDetector, detector_source
from pointlight.capture.keypoint_files import (
    OPENPOSE_COCO_18,
    read_detections,
    read_keypoints,
    write_detections,
    write_keypoints,
)
from pointlight.capture.lifting import LiftedTrack, Track2D, grid_times, lift, on_the_grid
from pointlight.capture.options import PredictOptions
from pointlight.capture.overlay import BodyPainter, write_overlay
from pointlight.capture.person_box import PersonBox
from pointlight.capture.predict import (
    Summary,
    lift_keypoints,
    place_track,
    predict,
    predict_to_folder,
    seen_keypoints,
    track_of,
)
from pointlight.capture.refine import RefineConfig, refine

__all__ = [
    "OPENPOSE_COCO_18",
    "BodyPainter",
    "Capture",
    "DetectorConfig",
    "LiftedTrack",
    "MediapipeDetector",
    "PersonBox",
    "PredictOptions",
    "RefineConfig",
    "Summary",
    "Track2D",
    "body_states",
    "detector_source",
    "grid_times",
    "lift",
    "lift_keypoints",
    "on_the_grid",
    "place_track",
    "predict",
    "predict_to_folder",
    "read_detections",
    "read_keypoints",
    "read_npz",
    "refine",
    "seen_keypoints",
    "track_of",
    "write_detections",
    "write_keypoints",
    "write_overlay",
]
