"""From real video to one person's moving body: options, the way from video to `Capture`, the picture of it.

Rooms: detection (video to keypoints), fitting (keypoints to a body), world (a body before a camera to one that stands).
"""

from pointlight.capture.angles import ANGLE_NAMES, JointAngles, joint_angles
from pointlight.capture.archive import read_npz
from pointlight.capture.capture import Capture, World
from pointlight.capture.detection.detector import MediapipeDetector
from pointlight.capture.detection.person_box import PersonBox
from pointlight.capture.guessed import guessed_limbs
from pointlight.capture.many import ManyResult, VideoResult, predict_many
from pointlight.capture.options import PredictOptions
from pointlight.capture.overlay import write_overlay
from pointlight.capture.painting import PALETTES, BodyPainter, Palette
from pointlight.capture.predict import (
    lift_keypoints,
    predict,
    predict_to_folder,
    predict_with_diagnostics,
)
from pointlight.capture.quality import Quality
from pointlight.capture.results import Diagnostics, FolderResult, PredictResult
from pointlight.capture.states import body_states, stretches, world_states
from pointlight.capture.steps import place_track, seen_keypoints, track_of
from pointlight.capture.summary import REPORT, Summary, VideoFile
from pointlight.capture.targets import TargetConfig, prepare_targets

__all__ = [
    "ANGLE_NAMES",
    "PALETTES",
    "REPORT",
    "BodyPainter",
    "Capture",
    "Diagnostics",
    "FolderResult",
    "JointAngles",
    "ManyResult",
    "MediapipeDetector",
    "Palette",
    "PersonBox",
    "PredictOptions",
    "PredictResult",
    "Quality",
    "Summary",
    "TargetConfig",
    "VideoFile",
    "VideoResult",
    "World",
    "body_states",
    "guessed_limbs",
    "joint_angles",
    "lift_keypoints",
    "place_track",
    "predict",
    "predict_many",
    "predict_to_folder",
    "predict_with_diagnostics",
    "prepare_targets",
    "read_npz",
    "seen_keypoints",
    "stretches",
    "track_of",
    "world_states",
    "write_overlay",
]
