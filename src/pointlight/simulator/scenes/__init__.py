"""Who moves how before which camera, what hides them, and what a detector would see of it: tracks.

No picture is drawn here.
"""

from pointlight.simulator.scenes.cameras import (
    SURREAL_CAMERA,
    CameraConfig,
    CameraPath,
    follow,
    look_at,
    sample_camera,
)
from pointlight.simulator.scenes.capsules import CAPSULES, Capsule
from pointlight.simulator.scenes.detector_noise import MEDIAPIPE_V1, DetectorNoise, detector_errors
from pointlight.simulator.scenes.keypoint_masking import (
    KeypointMaskingConfig,
    KeypointMaskingDraws,
    apply_masking,
    draw_masking,
    leg_mask,
)
from pointlight.simulator.scenes.scene import (
    EVAL_MEDIAPIPE_V1,
    EVAL_V1,
    EVAL_V1_PERFECT,
    Scene,
    SceneConfig,
    SceneSampler,
    surreal_scenes,
)
from pointlight.simulator.scenes.tracks import TRACK_POINTS, TrackMaker, Tracks
from pointlight.simulator.scenes.visibility import HIDDEN_BEHIND_M, SelfOcclusion, hidden_behind_mesh

__all__ = [
    "CAPSULES",
    "EVAL_MEDIAPIPE_V1",
    "EVAL_V1",
    "EVAL_V1_PERFECT",
    "HIDDEN_BEHIND_M",
    "MEDIAPIPE_V1",
    "SURREAL_CAMERA",
    "TRACK_POINTS",
    "CameraConfig",
    "CameraPath",
    "Capsule",
    "DetectorNoise",
    "KeypointMaskingConfig",
    "KeypointMaskingDraws",
    "Scene",
    "SceneConfig",
    "SceneSampler",
    "SelfOcclusion",
    "TrackMaker",
    "Tracks",
    "apply_masking",
    "detector_errors",
    "draw_masking",
    "follow",
    "hidden_behind_mesh",
    "leg_mask",
    "look_at",
    "sample_camera",
    "surreal_scenes",
]
