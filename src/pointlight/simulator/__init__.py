"""One `Scene` (who, how they move, camera, occlusions), its rendering as tracks of keypoints, and as clips with pictures."""

from pointlight.simulator.appearance import PAPER_LOOKS, Layer, Looks, LooksConfig, draw_looks
from pointlight.simulator.background_cache import prepare_backgrounds
from pointlight.simulator.background_files import BackgroundFile, BackgroundManifest, list_backgrounds
from pointlight.simulator.background_filling import fill_cache, fill_cache_with
from pointlight.simulator.background_windows import (
    Window,
    WindowCache,
    WindowConfig,
    Windows,
    WindowSource,
    cache_report,
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
from pointlight.simulator.clip_files import decode_clip, encode_clip, provenance_of
from pointlight.simulator.composite import CompositeConfig, Provenance, VideoClip, composite
from pointlight.simulator.drapes import Drape
from pointlight.simulator.dressing import vertex_normals
from pointlight.simulator.engines import ENGINES, usable_cores
from pointlight.simulator.generate import RunSummary, Sources, open_maker, synthesize, synthesize_clip
from pointlight.simulator.hiding import CLIP_FRAMES, MEDIAPIPE_V1, DetectorNoise, HidingConfig, HidingDraws
from pointlight.simulator.layers import PersonLayer
from pointlight.simulator.occluders import (
    Occluder,
    OccluderConfig,
    SuperpixelMap,
    draw_occluder,
    draw_superpixels,
    read_superpixels,
    write_superpixels,
)
from pointlight.simulator.people import SURREAL_SPLITS, FilmedPeople, People, RenderedPeople, Subject
from pointlight.simulator.preview import (
    clip_cell,
    draw_figure2,
    draw_keypoints,
    draw_stages,
    layer_sheet,
    occluded_parts,
    write_layer_video,
    write_preview,
)
from pointlight.simulator.procedural_backgrounds import ProceduralConfig, ProceduralWindows
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
from pointlight.simulator.shards import Place, read_clips, read_index
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
from pointlight.simulator.synthesis import (
    SYNTHESIS_RECIPES,
    ClipMaker,
    ClipParts,
    SynthesisConfig,
    check_training_clip,
    find_recipe,
    window_superpixels,
    without_total_occlusions,
)
from pointlight.simulator.tracks import TRACK_POINTS, TrackMaker, Tracks
from pointlight.simulator.visibility import HIDDEN_BEHIND_M, SelfOcclusion, hidden_behind_mesh

__all__ = [
    "CAPSULES",
    "CLIP_FRAMES",
    "ENGINES",
    "EVAL_MEDIAPIPE_V1",
    "EVAL_V1",
    "EVAL_V1_PERFECT",
    "FRAMES_PER_SECOND",
    "HIDDEN_BEHIND_M",
    "MEDIAPIPE_V1",
    "NO_FACE",
    "PAPER_LOOKS",
    "R_SURREAL_CAMERA_WORLD",
    "SURREAL_CAMERA",
    "SURREAL_FOCAL_PX",
    "SURREAL_POINTS",
    "SURREAL_SIZE",
    "SURREAL_SPLITS",
    "SYNTHESIS_RECIPES",
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
    "ClipMaker",
    "ClipParts",
    "CompositeConfig",
    "DetectorNoise",
    "Drape",
    "FilmedPeople",
    "HidingConfig",
    "HidingDraws",
    "Layer",
    "Looks",
    "LooksConfig",
    "Occluder",
    "OccluderConfig",
    "People",
    "PersonLayer",
    "Place",
    "ProceduralConfig",
    "ProceduralWindows",
    "Provenance",
    "Raster",
    "RenderedPeople",
    "RunSummary",
    "Scene",
    "SceneConfig",
    "SceneSampler",
    "SelfOcclusion",
    "SensorConfig",
    "Sources",
    "Subject",
    "SuperpixelMap",
    "SurrealConfig",
    "SurrealInfo",
    "SurrealPeople",
    "SynthesisConfig",
    "TrackMaker",
    "Tracks",
    "VideoClip",
    "Window",
    "WindowCache",
    "WindowConfig",
    "WindowSource",
    "Windows",
    "apply_sensor",
    "behind_surface",
    "cache_report",
    "camera_state",
    "check_training_clip",
    "clip_cell",
    "composite",
    "decode_clip",
    "draw_figure2",
    "draw_keypoints",
    "draw_looks",
    "draw_occluder",
    "draw_stages",
    "draw_superpixels",
    "encode_clip",
    "estimate_path",
    "fill_cache",
    "fill_cache_with",
    "find_recipe",
    "find_surreal",
    "flipped_path",
    "follow",
    "hidden_behind_mesh",
    "integrated",
    "layer_sheet",
    "list_backgrounds",
    "look_at",
    "motion_of",
    "occluded_parts",
    "open_maker",
    "prepare_backgrounds",
    "provenance_of",
    "rasterise",
    "read_clips",
    "read_index",
    "read_superpixels",
    "read_surreal_info",
    "render_person",
    "reversed_path",
    "sample_camera",
    "superpixels",
    "surreal_name",
    "surreal_person",
    "surreal_scenes",
    "synthesize",
    "synthesize_clip",
    "usable_cores",
    "vertex_normals",
    "window_superpixels",
    "without_total_occlusions",
    "write_layer_video",
    "write_preview",
    "write_superpixels",
]
