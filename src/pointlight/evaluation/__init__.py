"""Metrics, baselines, typed results and tables; the protocols have rooms: synthetic, multiview, published.

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
from pointlight.evaluation.report import tables
from pointlight.evaluation.reproduce import Given, reproduce_table
from pointlight.evaluation.results import (
    EvaluationResult,
    EvaluationSpec,
    MultiviewRow,
    PublishedRow,
    ReferenceQuality,
    ScoredData,
    SyntheticRow,
)
from pointlight.evaluation.results_json import from_json, read_result, to_json, write_result
from pointlight.evaluation.synthetic.evaluator import evaluate_synthetic
from pointlight.evaluation.variants import VARIANTS, Contender, Variant

__all__ = [
    "EVALUATION_SEED",
    "VARIANTS",
    "Contender",
    "EvaluationResult",
    "EvaluationSpec",
    "Given",
    "Interval",
    "MultiviewRow",
    "PerFile",
    "PublishedRow",
    "ReferenceQuality",
    "ScoredData",
    "SyntheticRow",
    "Variant",
    "acceleration_error",
    "angle_deg",
    "constant_pose",
    "evaluate_multiview",
    "evaluate_published",
    "evaluate_synthetic",
    "from_json",
    "mpjpe_mm",
    "pa_mpjpe_mm",
    "read_result",
    "reproduce_table",
    "tables",
    "to_json",
    "write_result",
]
