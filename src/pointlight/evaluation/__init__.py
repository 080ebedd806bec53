"""Metrics, baselines and tables; the protocols have rooms of their own: synthetic, multiview, published.

May import `capture`, never the reverse.
"""

from pointlight.evaluation.contenders import EVALUATION_SEED, constant_pose
from pointlight.evaluation.metrics import (
    Interval,
    PerFile,
    acceleration_error,
    angle_deg,
    mpjpe_mm,
    pa_mpjpe_mm,
)
from pointlight.evaluation.multiview.evaluator import evaluate_multiview
from pointlight.evaluation.published.evaluator import evaluate_published
from pointlight.evaluation.report import multiview_table, published_table, table
from pointlight.evaluation.synthetic.evaluator import evaluate_synthetic

__all__ = [
    "EVALUATION_SEED",
    "Interval",
    "PerFile",
    "acceleration_error",
    "angle_deg",
    "constant_pose",
    "evaluate_multiview",
    "evaluate_published",
    "evaluate_synthetic",
    "mpjpe_mm",
    "multiview_table",
    "pa_mpjpe_mm",
    "published_table",
    "table",
]
