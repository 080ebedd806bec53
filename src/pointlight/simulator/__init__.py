"""One `Scene` (who, how they move, camera, occlusions) and its rendering as tracks of keypoints."""

from pointlight.simulator.cameras import SURREAL_CAMERA, CameraConfig, CameraPath, look_at, sample_camera
from pointlight.simulator.hiding import CLIP_FRAMES, DetectorNoise, HidingConfig, HidingDraws
from pointlight.simulator.raster import NO_FACE, Raster, rasterise
from pointlight.simulator.scene import (
    EVAL_V1,
    EVAL_V1_PERFECT,
    FRAMES_PER_SECOND,
    Scene,
    SceneConfig,
    SceneSampler,
    surreal_scenes,
)
from pointlight.simulator.tracks import TRACK_POINTS, TrackMaker, Tracks, girth_factor
from pointlight.simulator.visibility import (
    CAPSULES,
    HIDDEN_BEHIND_M,
    capsule_ends,
    capsule_radii,
    self_hidden,
)

__all__ = [
    "CAPSULES",
    "CLIP_FRAMES",
    "EVAL_V1",
    "EVAL_V1_PERFECT",
    "FRAMES_PER_SECOND",
    "HIDDEN_BEHIND_M",
    "NO_FACE",
    "SURREAL_CAMERA",
    "TRACK_POINTS",
    "CameraConfig",
    "CameraPath",
    "DetectorNoise",
    "HidingConfig",
    "HidingDraws",
    "Raster",
    "Scene",
    "SceneConfig",
    "SceneSampler",
    "TrackMaker",
    "Tracks",
    "capsule_ends",
    "capsule_radii",
    "girth_factor",
    "look_at",
    "rasterise",
    "sample_camera",
    "self_hidden",
    "surreal_scenes",
]
