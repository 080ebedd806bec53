"""People filmed by several calibrated cameras: the truth triangulated from all, and networks that see one of them.

No label of a published benchmark is read here.
"""

from pointlight.evaluation.multiview.calibration import (
    CalibratedSet,
    View,
    calibrated_folders,
    read_calibrated_set,
)
from pointlight.evaluation.multiview.evaluator import (
    FULL_BODY_JOINTS,
    Seen,
    camera_truths,
    evaluate_multiview,
    left_out_truths,
    see_camera,
    truth_of,
    views_2d,
)
from pointlight.evaluation.multiview.frame_errors import CameraTruth, Marks, mark
from pointlight.evaluation.multiview.other_tools import read_joints
from pointlight.evaluation.multiview.picture import compare_skeletons, draw_skeleton
from pointlight.evaluation.multiview.truth import MultiviewTruth, TruthConfig, Views2D, triangulate_person

__all__ = [
    "FULL_BODY_JOINTS",
    "CalibratedSet",
    "CameraTruth",
    "Marks",
    "MultiviewTruth",
    "Seen",
    "TruthConfig",
    "View",
    "Views2D",
    "calibrated_folders",
    "camera_truths",
    "compare_skeletons",
    "draw_skeleton",
    "evaluate_multiview",
    "left_out_truths",
    "mark",
    "read_calibrated_set",
    "read_joints",
    "see_camera",
    "triangulate_person",
    "truth_of",
    "views_2d",
]
