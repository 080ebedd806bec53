"""Networks: the per-pair encoder, the biLSTM, HMR's iterative regressor, and Martinez et al.'s lifter.

How they are trained and what their input means lives elsewhere.
"""

from pointlight.network.encoders import PointsEncoder, PointsEncoderConfig
from pointlight.network.martinez import Martinez, MartinezConfig
from pointlight.network.mirroring import mirrored_prediction, seen_both_ways
from pointlight.network.motion_hmr import HEADS, MotionHMR, MotionHMRConfig, frames_of_pairs
from pointlight.network.regressor import ITERATIONS, IterativeRegressor, Prediction, RegressorConfig

__all__ = [
    "HEADS",
    "ITERATIONS",
    "IterativeRegressor",
    "Martinez",
    "MartinezConfig",
    "MotionHMR",
    "MotionHMRConfig",
    "PointsEncoder",
    "PointsEncoderConfig",
    "Prediction",
    "RegressorConfig",
    "frames_of_pairs",
    "mirrored_prediction",
    "seen_both_ways",
]
