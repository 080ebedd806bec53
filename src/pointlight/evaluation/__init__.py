"""The judge: metrics and protocols. May import `capture`, never the reverse."""

from pointlight.evaluation.calibration import CalibratedSet, View, calibrated_folders, read_calibrated_set
from pointlight.evaluation.judge import CONFIGURATIONS, constant_pose, evaluate_synthetic
from pointlight.evaluation.marks import CameraTruth, Marks, mark
from pointlight.evaluation.metrics import (
    Interval,
    PerFile,
    acceleration_error,
    angle_deg,
    mpjpe_mm,
    pa_mpjpe_mm,
)
from pointlight.evaluation.multiview import MultiviewTruth, TruthConfig, Views2D, triangulate_person
from pointlight.evaluation.multiview_judge import (
    FULL_BODY_JOINTS,
    Seen,
    camera_truths,
    evaluate_multiview,
    left_out_truths,
    see_camera,
    truth_of,
    views_2d,
)
from pointlight.evaluation.other_tools import read_joints
from pointlight.evaluation.picture import compare_skeletons, draw_skeleton
from pointlight.evaluation.predictors import Predicted, Predictor, Windows, predictor_of
from pointlight.evaluation.published import BENCHMARKS, SKELETON_JOINTS, evaluate_published
from pointlight.evaluation.regressed import h36m_points
from pointlight.evaluation.report import multiview_table, published_table, table
from pointlight.evaluation.synthetic import EVALUATION_SEED, Score, SyntheticTest

__all__ = [
    "BENCHMARKS",
    "CONFIGURATIONS",
    "EVALUATION_SEED",
    "FULL_BODY_JOINTS",
    "SKELETON_JOINTS",
    "CalibratedSet",
    "CameraTruth",
    "Interval",
    "Marks",
    "MultiviewTruth",
    "PerFile",
    "Predicted",
    "Predictor",
    "Score",
    "Seen",
    "SyntheticTest",
    "TruthConfig",
    "View",
    "Views2D",
    "Windows",
    "acceleration_error",
    "angle_deg",
    "calibrated_folders",
    "camera_truths",
    "compare_skeletons",
    "constant_pose",
    "draw_skeleton",
    "evaluate_multiview",
    "evaluate_published",
    "evaluate_synthetic",
    "h36m_points",
    "left_out_truths",
    "mark",
    "mpjpe_mm",
    "multiview_table",
    "pa_mpjpe_mm",
    "predictor_of",
    "published_table",
    "read_calibrated_set",
    "read_joints",
    "see_camera",
    "table",
    "triangulate_person",
    "truth_of",
    "views_2d",
]
