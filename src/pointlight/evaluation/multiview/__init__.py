"""People filmed by several calibrated cameras: the truth triangulated from all, and networks that see one of them.

No label of a published benchmark is read here.
"""

from pointlight.evaluation.multiview.block_bootstrap import mean_error, mean_interval
from pointlight.evaluation.multiview.calibration import (
    CalibratedSet,
    View,
    calibrated_folders,
    read_calibrated_set,
)
from pointlight.evaluation.multiview.detections import detect_camera, detect_video, video_roles
from pointlight.evaluation.multiview.evaluator import evaluate_multiview
from pointlight.evaluation.multiview.frame_errors import CameraTruth, FrameErrors, frame_errors
from pointlight.evaluation.multiview.other_tools import read_joints
from pointlight.evaluation.multiview.other_truths import write_detections_of_cameras
from pointlight.evaluation.multiview.picture import compare_skeletons, draw_skeleton
from pointlight.evaluation.multiview.reference import (
    FULL_BODY_JOINTS,
    CameraDetections,
    camera_truths,
    left_out_truths,
    reference_of,
    truth_of,
    views_2d,
)
from pointlight.evaluation.multiview.truth import MultiviewTruth, TruthConfig, Views2D, triangulate_person

__all__ = [
    "FULL_BODY_JOINTS",
    "CalibratedSet",
    "CameraDetections",
    "CameraTruth",
    "FrameErrors",
    "MultiviewTruth",
    "TruthConfig",
    "View",
    "Views2D",
    "calibrated_folders",
    "camera_truths",
    "compare_skeletons",
    "detect_camera",
    "detect_video",
    "draw_skeleton",
    "evaluate_multiview",
    "frame_errors",
    "left_out_truths",
    "mean_error",
    "mean_interval",
    "read_calibrated_set",
    "read_joints",
    "reference_of",
    "triangulate_person",
    "truth_of",
    "video_roles",
    "views_2d",
    "write_detections_of_cameras",
]
