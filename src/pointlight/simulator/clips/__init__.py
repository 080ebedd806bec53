"""A person on a background to a stored clip: occluder, compositing, sensor, files, shards, and the engines that make many.

The recipes of pictures are in `recipes.py`.
"""

from pointlight.simulator.clips.composite import (
    CompositeConfig,
    Provenance,
    VideoClip,
    check_training_clip,
    composite,
)
from pointlight.simulator.clips.files import decode_clip, encode_clip, provenance_of
from pointlight.simulator.clips.generate import RunSummary, open_maker, synthesize, synthesize_clip
from pointlight.simulator.clips.occluders import (
    Occluder,
    OccluderConfig,
    SuperpixelMap,
    draw_occluder,
    draw_superpixels,
    read_superpixels,
    write_superpixels,
)
from pointlight.simulator.clips.prepare import prepare_backgrounds
from pointlight.simulator.clips.preview import (
    clip_cell,
    draw_figure2,
    draw_keypoints,
    draw_stages,
    layer_sheet,
    occluded_parts,
    write_layer_video,
    write_preview,
)
from pointlight.simulator.clips.recipe_changes import with_set
from pointlight.simulator.clips.recipes import (
    SYNTHESIS_RECIPES,
    SynthesisConfig,
    find_synthesis_recipe,
    recipe_of,
    without_total_occlusions,
)
from pointlight.simulator.clips.sensor import SensorConfig, apply_sensor, motion_of
from pointlight.simulator.clips.settings import Sources
from pointlight.simulator.clips.shard_index import read_index
from pointlight.simulator.clips.shard_reader import read_clips, samples
from pointlight.simulator.clips.storage import Storage, open_storage
from pointlight.simulator.clips.superpixels import superpixels
from pointlight.simulator.clips.synthesis import ClipMaker, ClipParts, window_superpixels
from pointlight.simulator.clips.tracks import tracks_of_clips

__all__ = [
    "SYNTHESIS_RECIPES",
    "ClipMaker",
    "ClipParts",
    "CompositeConfig",
    "Occluder",
    "OccluderConfig",
    "Provenance",
    "RunSummary",
    "SensorConfig",
    "Sources",
    "Storage",
    "SuperpixelMap",
    "SynthesisConfig",
    "VideoClip",
    "apply_sensor",
    "check_training_clip",
    "clip_cell",
    "composite",
    "decode_clip",
    "draw_figure2",
    "draw_keypoints",
    "draw_occluder",
    "draw_stages",
    "draw_superpixels",
    "encode_clip",
    "find_synthesis_recipe",
    "layer_sheet",
    "motion_of",
    "occluded_parts",
    "open_maker",
    "open_storage",
    "prepare_backgrounds",
    "provenance_of",
    "read_clips",
    "read_index",
    "read_superpixels",
    "recipe_of",
    "samples",
    "superpixels",
    "synthesize",
    "synthesize_clip",
    "tracks_of_clips",
    "window_superpixels",
    "with_set",
    "without_total_occlusions",
    "write_layer_video",
    "write_preview",
    "write_superpixels",
]
