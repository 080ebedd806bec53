"""One `Scene` (who, how they move, camera, what hides them), its rendering as tracks of keypoints and as clips of video.

The rooms in their order: drawing, scenes, backgrounds and people, clips. Here are the names most asked for.
"""

from pointlight.simulator.clip import CLIP_FRAMES, FRAMES_PER_SECOND
from pointlight.simulator.clips.composite import VideoClip
from pointlight.simulator.clips.files import decode_clip, encode_clip
from pointlight.simulator.clips.generate import synthesize, synthesize_clip
from pointlight.simulator.clips.recipes import SYNTHESIS_RECIPES, SynthesisConfig
from pointlight.simulator.clips.shard_reader import read_clips
from pointlight.simulator.clips.synthesis import ClipMaker
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.scenes.cameras import CameraConfig
from pointlight.simulator.scenes.detector_noise import MEDIAPIPE_V1, DetectorNoise
from pointlight.simulator.scenes.keypoint_masking import KeypointMaskingConfig
from pointlight.simulator.scenes.scene import (
    EVAL_MEDIAPIPE_V1,
    EVAL_V1,
    EVAL_V1_PERFECT,
    Scene,
    SceneConfig,
    SceneSampler,
)
from pointlight.simulator.scenes.tracks import TRACK_POINTS, TrackMaker, Tracks

__all__ = [
    "CLIP_FRAMES",
    "EVAL_MEDIAPIPE_V1",
    "EVAL_V1",
    "EVAL_V1_PERFECT",
    "FRAMES_PER_SECOND",
    "MEDIAPIPE_V1",
    "SYNTHESIS_RECIPES",
    "TRACK_POINTS",
    "CameraConfig",
    "ClipMaker",
    "DetectorNoise",
    "KeypointMaskingConfig",
    "PersonLayer",
    "Scene",
    "SceneConfig",
    "SceneSampler",
    "SynthesisConfig",
    "TrackMaker",
    "Tracks",
    "VideoClip",
    "decode_clip",
    "encode_clip",
    "read_clips",
    "synthesize",
    "synthesize_clip",
]
