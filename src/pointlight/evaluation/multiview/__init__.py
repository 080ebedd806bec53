"""People filmed by several calibrated cameras: the truth triangulated from all, and networks that see one of them.

No label of a published benchmark is read here.
"""

from pointlight.evaluation.multiview.calibration import (
    CalibratedSet,
    View,
    calibrated_folders,
    read_calibrated_set,
)
from pointlight.evaluation.multiview.evaluator import detect_camera, evaluate_multiview
from pointlight.evaluation.multiview.frame_errors import CameraTruth, FrameErrors, frame_errors
from pointlight.evaluation.multiview.other_tools import read_joints
from pointlight.evaluation.multiview.picture import compare_skeletons, draw_skeleton
from pointlight.evaluation.multiview.reference import (
    FULL_BODY_JOINTS,
    CameraDetections,
    camera_truths,
    left_out_truths,
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
    "draw_skeleton",
    "evaluate_multiview",
    "frame_errors",
    "left_out_truths",
    "read_calibrated_set",
    "read_joints",
    "triangulate_person",
    "truth_of",
    "views_2d",
]
