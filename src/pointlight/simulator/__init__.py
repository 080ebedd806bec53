"""One `Scene` (who, how they move, camera, occlusions) and its rendering as tracks of keypoints."""

from pointlight.simulator.cameras import SURREAL_CAMERA, CameraConfig, CameraPath, look_at, sample_camera
from pointlight.simulator.capsules import CAPSULES, Capsule
from pointlight.simulator.composite import CompositeConfig, Provenance, VideoClip, composite
from pointlight.simulator.hiding import CLIP_FRAMES, MEDIAPIPE_V1, DetectorNoise, HidingConfig, HidingDraws
from pointlight.simulator.layers import PersonLayer
from pointlight.simulator.occluders import (
    Occluder,
    OccluderConfig,
    SuperpixelMap,
    draw_occluder,
    draw_superpixels,
    read_superpixels,
    turned,
    write_superpixels,
)
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
from pointlight.simulator.superpixels import superpixels
from pointlight.simulator.surreal import SURREAL_POINTS, SurrealConfig, SurrealPeople, surreal_person
from pointlight.simulator.surreal_files import (
    R_SURREAL_CAMERA_WORLD,
    SURREAL_FOCAL_PX,
    SURREAL_SIZE,
    SurrealInfo,
    find_surreal,
    read_surreal_info,
    surreal_name,
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
    "R_SURREAL_CAMERA_WORLD",
    "SURREAL_CAMERA",
    "SURREAL_FOCAL_PX",
    "SURREAL_POINTS",
    "SURREAL_SIZE",
    "TRACK_POINTS",
    "CameraConfig",
    "CameraPath",
    "Capsule",
    "CompositeConfig",
    "DetectorNoise",
    "HidingConfig",
    "HidingDraws",
    "Occluder",
    "OccluderConfig",
    "PersonLayer",
    "Provenance",
    "Raster",
    "Scene",
    "SceneConfig",
    "SceneSampler",
    "SelfOcclusion",
    "SuperpixelMap",
    "SurrealConfig",
    "SurrealInfo",
    "SurrealPeople",
    "TrackMaker",
    "Tracks",
    "VideoClip",
    "composite",
    "draw_occluder",
    "draw_superpixels",
    "find_surreal",
    "hidden_behind_mesh",
    "look_at",
    "rasterise",
    "read_superpixels",
    "read_surreal_info",
    "sample_camera",
    "superpixels",
    "surreal_name",
    "surreal_person",
    "surreal_scenes",
    "turned",
    "write_superpixels",
]
