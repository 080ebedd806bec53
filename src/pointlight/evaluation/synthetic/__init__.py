"""Held-out simulation: scenes under fixed noise and seeds, predictors on tracks, every metric.

People are simulated here and nowhere else in the evaluation.
"""

from pointlight.evaluation.synthetic.evaluator import CONFIGURATIONS, evaluate_synthetic
from pointlight.evaluation.synthetic.predictors import NetworkPredictor, Predicted, Predictor, predictor_of
from pointlight.evaluation.synthetic.scenes import Score, SyntheticTest

__all__ = [
    "CONFIGURATIONS",
    "NetworkPredictor",
    "Predicted",
    "Predictor",
    "Score",
    "SyntheticTest",
    "evaluate_synthetic",
    "predictor_of",
]
