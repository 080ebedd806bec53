"""Real and procedural video to put people on: files, windows of them, their cache, the camera's motion.

Nobody is put on them here.
"""

from pointlight.simulator.backgrounds.camera_motion import (
    estimate_path,
    flipped_path,
    integrated,
    reversed_path,
)
from pointlight.simulator.backgrounds.files import BackgroundFile, BackgroundManifest, list_backgrounds
from pointlight.simulator.backgrounds.filling import fill_cache, fill_cache_with
from pointlight.simulator.backgrounds.procedural import ProceduralConfig, ProceduralWindows
from pointlight.simulator.backgrounds.sampler import (
    VARIED_BACKGROUNDS,
    BackgroundClip,
    BackgroundConfig,
    BackgroundProvenance,
    BackgroundSampler,
)
from pointlight.simulator.backgrounds.windows import (
    Window,
    WindowCache,
    WindowConfig,
    Windows,
    WindowSource,
    cache_report,
)

__all__ = [
    "VARIED_BACKGROUNDS",
    "BackgroundClip",
    "BackgroundConfig",
    "BackgroundFile",
    "BackgroundManifest",
    "BackgroundProvenance",
    "BackgroundSampler",
    "ProceduralConfig",
    "ProceduralWindows",
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
    "integrated",
    "list_backgrounds",
    "reversed_path",
]
