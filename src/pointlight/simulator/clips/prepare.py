"""Where the windows of a folder of videos lie, and how they come there with all that clips need of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pointlight.configuration import config_sha256, repr_sha256
from pointlight.motion import default_cache
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator.backgrounds.files import BackgroundManifest, list_backgrounds
from pointlight.simulator.backgrounds.filling import fill_cache
from pointlight.simulator.backgrounds.windows import WindowCache, WindowConfig, read_window
from pointlight.simulator.clip import CLIP_FRAMES
from pointlight.simulator.clips.occluders import OccluderConfig, superpixels_file, superpixels_key
from pointlight.simulator.clips.recipes import SynthesisConfig
from pointlight.simulator.clips.synthesis import window_superpixels
from pointlight.worker_processes import Spread, spreading


def open_backgrounds(
    folder: Path,
    split: str,
    flow: str,
    windows_per_video: int,
    cache: Path | None,
    frames: int = CLIP_FRAMES,
    progress: ProgressCallback = silent,
    spread: Spread = map,
) -> WindowCache:
    """The windows of a folder of videos with their paths; what is not there yet is made.

    Args:
        folder: of videos, as `list_backgrounds` reads it.
        split: whose videos.
        flow: estimator of the paths.
        windows_per_video: how many windows are cut out of a video.
        cache: folder of caches; `default_cache()` if not given.
        frames: T of a window.
        progress: told how far it is.
        spread: who does the work, as for `fill_cache`.

    Raises:
        PointlightError: no video can be used, or the cache cannot be written.
    """
    manifest = list_backgrounds(folder, split)
    cutting = WindowConfig(per_video=windows_per_video, frames=frames)
    place = _place(cache or default_cache(), manifest, cutting)
    if (place / "windows.json").exists():
        windows = WindowCache(place, manifest.sha256)
    else:
        windows = fill_cache(place, manifest, cutting, progress, spread)
    if flow not in windows.config.flow:
        windows.add_paths(flow, None, progress, spread)
    return windows


def window_frames(config: SynthesisConfig) -> int:
    """T of the windows that clips need; those shorter than usual are cut out of the usual ones."""
    return max(CLIP_FRAMES, config.scenes.frames)


def _place(cache: Path, manifest: BackgroundManifest, cutting: WindowConfig) -> Path:
    """The folder of these windows: its name says all that they depend on, so that a change makes another.

    A folder that version 0.1.0 has begun under its own rule is used on, for one release.
    """
    place = cache / f"windows-{manifest.split}-{config_sha256([manifest.sha256, cutting])[:16]}"
    old = cache / f"windows-{manifest.split}-{repr_sha256((manifest.old_sha256, cutting))[:16]}"
    as_before = cutting.frames == CLIP_FRAMES and old.is_dir()
    return old if as_before and not place.is_dir() else place


def prepare_backgrounds(
    config: SynthesisConfig,
    folder: Path,
    *,
    windows_per_video: int = 8,
    cache: Path | None = None,
    workers: int = 0,
    progress: ProgressCallback = silent,
) -> WindowCache:
    """Fill the cache with all that the clips of a recipe need of a folder of videos: windows, paths, superpixels.

    What is there is kept, so that it may be interrupted at any time and goes on where it was. Clips find the same files,
    and make those that are missing.

    Args:
        config: of the clips; its split chooses the videos.
        folder: of videos.
        windows_per_video: as in `Sources`.
        cache: as in `Sources`.
        workers: processes; 0 does all in this one.
        progress: told how far it is.

    Raises:
        PointlightError: no video can be used, the cache cannot be written, a window is damaged or a process died.
    """
    flow = config.backgrounds.flow
    with spreading(workers) as spread:
        frames = window_frames(config)
        windows = open_backgrounds(
            folder, config.split, flow, windows_per_video, cache, frames, progress, spread
        )
        if config.occluders.superpixel:
            shown = "none" if config.backgrounds.static else flow
            folders = [windows.window_folder(number) for number in range(len(windows))]
            for done, _ in enumerate(spread(_MapMaker(shown, config.occluders), folders), 1):
                progress(Progress("superpixels", done, len(folders), unit="window"))
    return windows


@dataclass(frozen=True)
class _MapMaker:
    """Sees that a window has its superpixels."""

    flow: str
    config: OccluderConfig

    def __call__(self, folder: Path) -> None:
        # To look is not to read: what was done before an interruption is passed over quickly.
        if not superpixels_file(folder, superpixels_key(self.flow, self.config)).exists():
            window_superpixels(read_window(folder), self.flow, self.config)
