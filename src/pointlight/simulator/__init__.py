"""One `Scene` (who, how they move, camera, occlusions) as tracks of keypoints and as people in pictures."""

from pointlight.simulator.appearance import PAPER_LOOKS, Layer, Looks, LooksConfig, draw_looks
from pointlight.simulator.cameras import SURREAL_CAMERA, CameraConfig, CameraPath, look_at, sample_camera
from pointlight.simulator.capsules import CAPSULES, Capsule
from pointlight.simulator.hiding import CLIP_FRAMES, MEDIAPIPE_V1, DetectorNoise, HidingConfig, HidingDraws
from pointlight.simulator.layers import PersonLayer
from pointlight.simulator.raster import NO_FACE, Raster, rasterise
from pointlight.simulator.render import behind_surface, camera_state, render_person
from pointlight.simulator.scene import (
    EVAL_MEDIAPIPE_V1,
    EVAL_V1,
    EVAL_V1_PERFECT,
    FRAMES_PER_SECOND,
    Scene,
    SceneConfig,
    SceneSampler,
    surreal_scenes,
)
from pointlight.simulator.sensor import SensorConfig, apply_sensor, motion_of
from pointlight.simulator.tracks import TRACK_POINTS, TrackMaker, Tracks
from pointlight.simulator.visibility import HIDDEN_BEHIND_M, SelfOcclusion, hidden_behind_mesh

__all__ = [
    "CAPSULES",
    "CLIP_FRAMES",
    "EVAL_MEDIAPIPE_V1",
    "EVAL_V1",
    "EVAL_V1_PERFECT",
    "FRAMES_PER_SECOND",
    "HIDDEN_BEHIND_M",
    "MEDIAPIPE_V1",
    "NO_FACE",
    "PAPER_LOOKS",
    "SURREAL_CAMERA",
    "TRACK_POINTS",
    "CameraConfig",
    "CameraPath",
    "Capsule",
    "DetectorNoise",
    "HidingConfig",
    "HidingDraws",
    "Layer",
    "Looks",
    "LooksConfig",
    "PersonLayer",
    "Raster",
    "Scene",
    "SceneConfig",
    "SceneSampler",
    "SelfOcclusion",
    "SensorConfig",
    "TrackMaker",
    "Tracks",
    "apply_sensor",
    "behind_surface",
    "camera_state",
    "draw_looks",
    "hidden_behind_mesh",
    "look_at",
    "motion_of",
    "rasterise",
    "render_person",
    "sample_camera",
    "surreal_scenes",
]
