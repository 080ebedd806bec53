"""Networks: Motion HMR and Martinez et al.'s lifter behind one protocol, their losses, and windows over long tracks.

How they are trained and what their input means lives elsewhere.
"""

from pointlight.network.devices import find_device
from pointlight.network.domain_classifier import DomainClassifier, DomainConfig, reversed_gradient
from pointlight.network.efficientnet import IMAGENET_PACKAGE, EfficientNetLite0
from pointlight.network.encoders import PointsEncoder, PointsEncoderConfig
from pointlight.network.losses import (
    EVALUATION_INDICES,
    LossConfig,
    Targets,
    draw_pairs,
    hip_centred,
    motion_hmr_loss,
    reproject,
)
from pointlight.network.martinez import Martinez, MartinezConfig
from pointlight.network.mirroring import mirrored_prediction, mirrored_targets, seen_both_ways
from pointlight.network.motion_hmr import HEADS, MotionHMR, MotionHMRConfig
from pointlight.network.parts_of_batches import part_of_a_batch
from pointlight.network.pictures import PictureEncoder, PictureEncoderConfig
from pointlight.network.protocol import FrameBodies, FramePoints, NetworkConfig, PoseNetwork, WindowConfig
from pointlight.network.regressor import (
    ITERATIONS,
    IterativeRegressor,
    Prediction,
    RegressorConfig,
    frames_of_pairs,
)
from pointlight.network.resnet import ResNet50
from pointlight.network.windows import over_windows, window_starts

__all__ = [
    "EVALUATION_INDICES",
    "HEADS",
    "IMAGENET_PACKAGE",
    "ITERATIONS",
    "DomainClassifier",
    "DomainConfig",
    "EfficientNetLite0",
    "FrameBodies",
    "FramePoints",
    "IterativeRegressor",
    "LossConfig",
    "Martinez",
    "MartinezConfig",
    "MotionHMR",
    "MotionHMRConfig",
    "NetworkConfig",
    "PictureEncoder",
    "PictureEncoderConfig",
    "PointsEncoder",
    "PointsEncoderConfig",
    "PoseNetwork",
    "Prediction",
    "RegressorConfig",
    "ResNet50",
    "Targets",
    "WindowConfig",
    "draw_pairs",
    "find_device",
    "frames_of_pairs",
    "hip_centred",
    "mirrored_prediction",
    "mirrored_targets",
    "motion_hmr_loss",
    "over_windows",
    "part_of_a_batch",
    "reproject",
    "reversed_gradient",
    "seen_both_ways",
    "window_starts",
]
