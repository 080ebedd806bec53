"""One `Scene` (who, how they move, camera, occlusions) and its rendering as tracks of keypoints."""

from pointlight.simulator.background_files import BackgroundFile, BackgroundManifest, list_backgrounds
from pointlight.simulator.background_windows import (
    Window,
    WindowCache,
    WindowConfig,
    Windows,
    WindowSource,
    cache_report,
    fill_cache,
    fill_cache_with,
)
from pointlight.simulator.backgrounds import (
    VARIED_BACKGROUNDS,
    BackgroundClip,
    BackgroundConfig,
    BackgroundProvenance,
    BackgroundSampler,
)
from pointlight.simulator.camera_motion import estimate_path, flipped_path, follow, integrated, reversed_path
from pointlight.simulator.cameras import SURREAL_CAMERA, CameraConfig, CameraPath, look_at, sample_camera
from pointlight.simulator.capsules import CAPSULES, Capsule
from pointlight.simulator.hiding import CLIP_FRAMES, MEDIAPIPE_V1, DetectorNoise, HidingConfig, HidingDraws
from pointlight.simulator.procedural_backgrounds import ProceduralConfig, ProceduralWindows
from pointlight.simulator.raster import NO_FACE, Raster, rasterise
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
    "SURREAL_CAMERA",
    "TRACK_POINTS",
    "VARIED_BACKGROUNDS",
    "BackgroundClip",
    "BackgroundConfig",
    "BackgroundFile",
    "BackgroundManifest",
    "BackgroundProvenance",
    "BackgroundSampler",
    "CameraConfig",
    "CameraPath",
    "Capsule",
    "DetectorNoise",
    "HidingConfig",
    "HidingDraws",
    "ProceduralConfig",
    "ProceduralWindows",
    "Raster",
    "Scene",
    "SceneConfig",
    "SceneSampler",
    "SelfOcclusion",
    "TrackMaker",
    "Tracks",
    "Window",
    "WindowCache",
    "WindowConfig",
    "WindowSource",
    "Windows",
    "cache_report",
    "estimate_path",
    "fill_cache",
    "fill_cache_with",
    "flipped_path",
    "follow",
    "hidden_behind_mesh",
    "integrated",
    "list_backgrounds",
    "look_at",
    "rasterise",
    "reversed_path",
    "sample_camera",
    "surreal_scenes",
]
