"""The judge: metrics and protocols. May import `capture`, never the reverse."""

from pointlight.evaluation.judge import CONFIGURATIONS, constant_pose, evaluate_synthetic
from pointlight.evaluation.metrics import (
    Interval,
    PerFile,
    acceleration_error,
    angle_deg,
    mpjpe_mm,
    pa_mpjpe_mm,
)
from pointlight.evaluation.predictors import Predicted, Predictor, Windows, predictor_of
from pointlight.evaluation.published import BENCHMARKS, SKELETON_JOINTS, evaluate_published
from pointlight.evaluation.regressed import h36m_points
from pointlight.evaluation.report import published_table, table
from pointlight.evaluation.synthetic import EVALUATION_SEED, Score, SyntheticTest

__all__ = [
    "BENCHMARKS",
    "CONFIGURATIONS",
    "EVALUATION_SEED",
    "SKELETON_JOINTS",
    "Interval",
    "PerFile",
    "Predicted",
    "Predictor",
    "Score",
    "SyntheticTest",
    "Windows",
    "acceleration_error",
    "angle_deg",
    "constant_pose",
    "evaluate_published",
    "evaluate_synthetic",
    "h36m_points",
    "mpjpe_mm",
    "pa_mpjpe_mm",
    "predictor_of",
    "published_table",
    "table",
]
