"""Cached windows: 31 frames of a background video, cut out once, with the camera's path beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.flow import find_flow
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator.backgrounds.camera_motion import estimate_path
from pointlight.simulator.backgrounds.stored_pictures import read_frames
from pointlight.simulator.clip import CLIP_FRAMES
from pointlight.worker_processes import Spread

FORMAT_VERSION = 1

INDEX = "windows.json"
VIDEO = "video.json"
WINDOW = "window.json"


@dataclass(frozen=True)
class WindowConfig:
    """How windows are drawn and stored; a cache has one.

    Attributes:
        per_video: windows of each video.
        seed: of their starts and crops.
        zoom: uniform; at 1 the picture is resized so that one of its sides matches, "potentially resizing so that one
            dimension exactly matches" (appendix A), larger values crop more tightly.
        largest_enlargement: videos that would have to be enlarged more than this are left out.
        flow: estimators of the paths that are stored, by `find_flow`'s names.
        store: "planes" (3.6 MB a window) or "jpeg" (about a fifth, slower to read).
    """

    per_video: int = 8
    seed: int = 0
    zoom: tuple[float, float] = (1.0, 1.0)
    largest_enlargement: float = 2.0
    flow: tuple[str, ...] = ("dis",)
    store: str = "planes"


@dataclass(frozen=True)
class WindowSource:
    """Where a window comes from.

    Attributes:
        file: of the folder, or the name of a procedural scene.
        group: its class.
        split: one of `SPLITS`.
        fingerprint: of the file.
        number: of the window in its video.
        start_s: time of the first frame.
        source_fps: of the video, repeated frames left out.
        thinned: every how many-th frame is played.
        crop_px: (left, top, width, height) in the file's pixels; the window shows it at 320x240.
        size: (width, height) of the file's pictures.
        has_people: None if nobody said.
        camera_moves: None if nobody said.
        permissive: whether the licence allows publication.
    """

    file: str
    group: str
    split: str
    fingerprint: str
    number: int
    start_s: float
    source_fps: float
    thinned: int
    crop_px: tuple[float, float, float, float]
    size: tuple[int, int]
    has_people: bool | None
    camera_moves: bool | None
    permissive: bool


@dataclass(frozen=True)
class Window:
    """31 frames and their paths.

    Attributes:
        frames: (31, 240, 320, 3) uint8 RGB.
        paths_px: (31, 2) float32 by the estimator's name, "exact" where the scene is made.
        source: where they come from.
        folder: of the cache, where others may put what they derive from the frames; None without a cache.
    """

    frames: np.ndarray
    paths_px: dict[str, np.ndarray]
    source: WindowSource
    folder: Path | None


class Windows(Protocol):
    """Windows of one split by number: a cache or made scenes."""

    @property
    def split(self) -> str:
        """One of `SPLITS`."""
        ...

    @property
    def sha256(self) -> str:
        """Of what the windows depend on."""
        ...

    def __len__(self) -> int: ...

    def has_people(self, number: int) -> bool | None:
        """Whether window `number` shows people; None if nobody said."""
        ...

    def read(self, number: int) -> Window:
        """Window `number`."""
        ...


@dataclass(frozen=True)
class CachedVideo:
    """What a cache holds of one video.

    Attributes:
        file: relative to the folder of videos.
        fingerprint: names its folder in the cache.
        windows: how many there are; 0 if it was left out.
        left_out: why, in one sentence; "" if it was not.
        fps: of the frames as they differ.
        thinned: every how many-th frame is played.
        repeated: frames dropped for repeating the one before.
        cuts: cuts and gaps found.
        barred: whether it has black bars.
        has_people: None if nobody said.
    """

    file: str
    fingerprint: str
    windows: int
    left_out: str
    fps: float = 0.0
    thinned: int = 1
    repeated: int = 0
    cuts: int = 0
    barred: bool = False
    has_people: bool | None = None


class WindowCache:
    """The windows in a folder that `fill_cache` has filled.

    Attributes:
        folder: the cache.
        split: of all its videos.
        config: how the windows were drawn.
        videos: sorted by name.
        sha256: of the manifest and the configuration.
    """

    def __init__(self, folder: Path | str, origin: str | None = None) -> None:
        """Read the list of windows.

        Args:
            folder: the cache.
            origin: the manifest's hash, for a cache of version 0.1.0, whose own hash followed another rule.

        Raises:
            PointlightError: the folder holds no finished cache.
        """
        self.folder = Path(folder)
        index = read_json(self.folder / INDEX)
        if index is None or index.get("format_version") != FORMAT_VERSION:
            raise PointlightError(
                f"{self.folder} is not a finished cache of backgrounds; fill it with fill_cache"
            )
        self.split: str = index["split"]
        self.sha256: str = index["sha256"] if origin is None else windows_sha256(origin, index)
        self.config = WindowConfig(**{name: _tuples(value) for name, value in index["config"].items()})
        self.videos = tuple(CachedVideo(**video) for video in index["videos"])
        self._places = [(video, number) for video in self.videos for number in range(video.windows)]

    def __len__(self) -> int:
        return len(self._places)

    def has_people(self, number: int) -> bool | None:
        """As in `Windows`."""
        return self._places[number][0].has_people

    def window_folder(self, number: int) -> Path:
        """Where window `number` lies; what is derived from its frames may be put beside them."""
        video, window = self._places[number]
        return video_folder(self.folder, video.fingerprint) / str(window)

    def read(self, number: int) -> Window:
        """Window `number`.

        Raises:
            PointlightError: its files are damaged or gone.
        """
        return read_window(self.window_folder(number))

    def add_paths(
        self,
        flow: str,
        numbers: Sequence[int] | None = None,
        progress: ProgressCallback = silent,
        spread: Spread = map,
    ) -> None:
        """Estimate and keep paths with a further estimator; what is there stays, so that it may be interrupted.

        Args:
            flow: a name of `find_flow`.
            numbers: windows; all if not given.
            progress: told how many windows have their path.
            spread: who does the work, as for `fill_cache`.
        """
        find_flow(flow)
        folders = [self.window_folder(n) for n in (range(len(self)) if numbers is None else numbers)]
        for done, _ in enumerate(spread(_PathAdder(flow), folders), 1):
            progress(Progress("camera", done, len(folders), flow))


@dataclass(frozen=True)
class _PathAdder:
    """Puts a path beside a window's frames, unless it is there."""

    flow: str

    def __call__(self, folder: Path) -> None:
        target = folder / f"path_{self.flow}.npy"
        if not target.exists():
            save_path(target, estimate_path(read_window(folder).frames, find_flow(self.flow)))


def read_window(folder: Path) -> Window:
    """The window in a folder of a cache.

    Raises:
        PointlightError: its files are damaged or gone.
    """
    try:
        source = json.loads((folder / WINDOW).read_text())
        frames = read_frames(folder)
        paths = {path.stem.removeprefix("path_"): np.load(path) for path in folder.glob("path_*.npy")}
    except (OSError, EOFError, ValueError) as error:
        raise PointlightError(
            f"the cached background {folder} is damaged ({error}); delete its folder and fill the cache again"
        ) from error
    source = WindowSource(**{name: _tuples(value) for name, value in source.items()})
    return Window(frames, paths, source, folder)


_TOO_SHORT = re.compile(rf"fewer than the {CLIP_FRAMES} of a clip|no {CLIP_FRAMES} different frames")
"""What `scan_video` says of videos with too few frames."""


def cache_report(cache: WindowCache) -> dict[str, float]:
    """Counts and shares of a cache's videos: used, left out, shown by how they are played, with people."""
    used = [video for video in cache.videos if video.windows]
    known = [video.has_people for video in used if video.has_people is not None]
    count = max(1, len(used))
    return {
        "videos": len(cache.videos),
        "used": len(used),
        "windows": len(cache),
        "left_out_share": 1 - len(used) / max(1, len(cache.videos)),
        "too_short_share": sum(bool(_TOO_SHORT.search(video.left_out)) for video in cache.videos)
        / max(1, len(cache.videos)),
        "thinned_share": sum(video.thinned > 1 for video in used) / count,
        "under_25_fps_share": sum(video.fps < 24.5 for video in used) / count,
        "with_repeated_frames_share": sum(video.repeated > 0 for video in used) / count,
        "with_cuts_share": sum(video.cuts > 0 for video in used) / count,
        "with_bars_share": sum(video.barred for video in used) / count,
        "people_share": sum(known) / max(1, len(known)),
    }


def video_folder(cache: Path, fingerprint: str) -> Path:
    """Where a cache keeps a video's windows."""
    return cache / "videos" / fingerprint[:2] / fingerprint


def save_path(target: Path, path_px: np.ndarray) -> None:
    """Keep a camera's path, whole or not at all."""
    with atomic_path(target) as temporary:
        np.save(temporary, path_px)


def windows_sha256(origin: str, settings: dict) -> str:
    """What the windows of a cache are: where they were cut from and how.

    Args:
        origin: the hash of the manifest or of the windows that were stored.
        settings: of the cache; of an index, only these count.
    """
    return config_sha256([origin, {name: settings[name] for name in ("format_version", "split", "config")}])


def read_json(path: Path) -> dict | None:
    """The content of a cache's JSON file; None if there is none."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PointlightError(
            f"{path} cannot be read ({error}); delete it and fill the cache again"
        ) from error


def write_json(path: Path, value: object) -> None:
    """Keep plain values, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1))


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
