"""Cutting windows out of videos into a cache, which may be interrupted at any time and goes on where it was."""

from __future__ import annotations

import shutil
import time
import uuid
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pointlight.configuration import differences, told
from pointlight.errors import PointlightError
from pointlight.files import ensure_folder
from pointlight.flow import find_flow
from pointlight.media import VideoReader
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.randomness import stream
from pointlight.simulator.backgrounds.camera_motion import estimate_path
from pointlight.simulator.backgrounds.files import BackgroundFile, BackgroundManifest
from pointlight.simulator.backgrounds.scan import VideoFacts, scan_video
from pointlight.simulator.backgrounds.stored_pictures import STORES, read_frames, write_frames
from pointlight.simulator.backgrounds.windows import (
    INDEX,
    VIDEO,
    WINDOW,
    CachedVideo,
    WindowCache,
    WindowConfig,
    Windows,
    WindowSource,
    read_json,
    save_path,
    video_folder,
    window_settings,
    windows_sha256,
    write_json,
)
from pointlight.simulator.clip import HEIGHT, WIDTH
from pointlight.worker_processes import Spread

_ABANDONED_S = 3600.0
"""A video takes minutes at most; what is half-made and older was left by an interruption."""


def fill_cache(
    folder: Path | str,
    manifest: BackgroundManifest,
    config: WindowConfig,
    progress: ProgressCallback = silent,
    spread: Spread = map,
) -> WindowCache:
    """Cut windows out of all videos of a manifest; call it again after an interruption and it goes on.

    Each video appears in the cache whole or not at all, so that several processes may fill one cache, though each looks
    at all the videos that are not yet there. Videos that cannot be used are named in one warning each.

    Args:
        folder: of the cache.
        manifest: the videos.
        config: how windows are drawn.
        progress: told how many videos are cut.
        spread: who does the work; `map` itself or its like over several processes.

    Raises:
        PointlightError: the folder holds windows of another configuration or split, or no video can be used.
    """
    folder = Path(folder)
    settings = _begin(folder, manifest.split, config)
    for file in manifest.missing:
        _warn(f"{manifest.folder / file} is listed but not there; it is left out")
    videos = []
    for video in spread(_Cutter(folder, manifest.folder, config), manifest.files):
        if video.left_out:
            _warn(f"{video.left_out}; this background is left out")
        videos.append(video)
        progress(Progress("backgrounds", len(videos), len(manifest.files), unit="video"))
    if not any(video.windows for video in videos):
        raise PointlightError(f"none of the {len(videos)} videos of {manifest.folder} can be a background")
    return _finish(folder, settings, manifest.sha256, videos)


@dataclass(frozen=True)
class _Cutter:
    """Puts one video into a cache, unless it is there; small enough to be sent to another process."""

    cache: Path
    folder: Path
    config: WindowConfig

    def __call__(self, entry: BackgroundFile) -> CachedVideo:
        place = video_folder(self.cache, entry.fingerprint)
        known = read_json(place / VIDEO)
        return CachedVideo(**known) if known else _cut_video(place, self.folder, entry, self.config)


def fill_cache_with(
    folder: Path | str,
    windows: Windows,
    config: WindowConfig,
    progress: ProgressCallback = silent,
) -> WindowCache:
    """Store windows that are made anew at every reading, such as procedural ones, so that reading is fast.

    Args:
        folder: of the cache; one process fills it at a time.
        windows: of one split; all are stored, with their own paths and those of `config.flow`.
        config: only its `flow` and `store` matter.
        progress: told how many windows are stored.
    """
    folder = Path(folder)
    settings = _begin(folder, windows.split, config)
    videos = []
    for done in range(1, len(windows) + 1):
        key = f"{done - 1:06d}-{windows.sha256[:16]}"
        place = video_folder(folder, key)
        known = read_json(place / VIDEO)
        if known is None:
            window = windows.read(done - 1)
            source = window.source
            video = CachedVideo(source.file, key, 1, "", fps=source.source_fps, has_people=source.has_people)
            _store(place, video, [(window.frames, source)], config, window.paths_px)
        else:
            video = CachedVideo(**known)
        videos.append(video)
        progress(Progress("backgrounds", done, len(windows), unit="window"))
    return _finish(folder, settings, windows.sha256, videos)


def _begin(folder: Path, split: str, config: WindowConfig) -> dict:
    """Make sure that a cache is filled with one configuration only, and sweep up what an interruption left."""
    ensure_folder(folder)
    for name in config.flow:
        find_flow(name)
    if config.store not in STORES:
        raise PointlightError(
            f"frames cannot be stored as {config.store!r}; choose one of {', '.join(STORES)}"
        )
    settings = window_settings(split, config)
    before = read_json(folder / "settings.json")
    if before is None:
        write_json(folder / "settings.json", settings)
    elif before != settings:
        raise PointlightError(
            f"the cache {folder} was begun with other settings ({told(differences(before, settings), 'it')}); "
            "give those, choose another folder, or delete it"
        )
    for rest in (folder / "videos").glob("*/.*.partial"):
        if _age_s(rest) > _ABANDONED_S:  # a younger one may be another process's
            shutil.rmtree(rest, ignore_errors=True)
    return settings


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:  # finished meanwhile
        return 0.0


def _finish(folder: Path, settings: dict, origin: str, videos: Sequence[CachedVideo]) -> WindowCache:
    digest = windows_sha256(origin, settings)
    write_json(folder / INDEX, {**settings, "sha256": digest, "videos": [asdict(video) for video in videos]})
    return WindowCache(folder)


@dataclass(frozen=True)
class _Plan:
    """One window before it is cut: position of its first frame in `VideoFacts.played`, and its crop."""

    start: int
    crop_px: tuple[float, float, float, float]


def draw_crop(
    size: tuple[int, int], zoom: float, place: tuple[float, float]
) -> tuple[float, float, float, float]:
    """The part of a picture that fills 320x240.

    Args:
        size: (width, height) of the picture.
        zoom: 1 takes one side whole.
        place: 0 to 1, how far right and down the crop lies.

    Returns:
        (left, top, width, height) in the picture's pixels.
    """
    scale = zoom * max(WIDTH / size[0], HEIGHT / size[1])
    width, height = WIDTH / scale, HEIGHT / scale
    left, top = place[0] * (size[0] - width), place[1] * (size[1] - height)
    if scale == 1:  # whole pixels need no interpolation
        left, top = float(round(left)), float(round(top))
    return left, top, width, height


def cut_out(image: np.ndarray, crop_px: tuple[float, float, float, float]) -> np.ndarray:
    """The crop of a picture (H, W, 3) at 240x320: a point p of the picture lands at (p - corner) * scale."""
    left, top, width, height = crop_px
    if width == WIDTH and height == HEIGHT and left.is_integer() and top.is_integer():
        return image[int(top) : int(top) + HEIGHT, int(left) : int(left) + WIDTH]
    # Pillow's boxes are in continuous pixels, and its filters widen where pictures are made smaller.
    right = min(left + width, image.shape[1])
    bottom = min(top + height, image.shape[0])
    box = (max(left, 0.0), max(top, 0.0), right, bottom)
    return np.asarray(Image.fromarray(image).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box))


def _cut_video(place: Path, folder: Path, entry: BackgroundFile, config: WindowConfig) -> CachedVideo:
    """Scan a video, cut its windows and put all into the cache at once."""
    try:
        facts = scan_video(folder / entry.file, config.frames)
        plans = _draw(entry.file, facts, config, entry.fingerprint)
        pictures = _decode(folder / entry.file, facts, plans, config.frames)
    except (PointlightError, OSError, ValueError) as error:  # whatever a decoder may think of
        reason = (
            str(error) if isinstance(error, PointlightError) else f"{entry.file} cannot be decoded ({error})"
        )
        video = CachedVideo(entry.file, entry.fingerprint, 0, reason, has_people=entry.has_people)
        ensure_folder(place)
        write_json(place / VIDEO, asdict(video))
        return video
    video = CachedVideo(
        file=entry.file,
        fingerprint=entry.fingerprint,
        windows=len(plans),
        left_out="",
        fps=facts.fps,
        thinned=facts.thinned,
        repeated=facts.repeated,
        cuts=len(facts.cuts),
        barred=facts.content != (0, 0, *facts.size),
        has_people=entry.has_people,
    )
    sources = [
        WindowSource(
            file=entry.file,
            group=entry.group,
            split=entry.split,
            fingerprint=entry.fingerprint,
            number=number,
            start_s=float(facts.times_s[plan.start]),
            source_fps=facts.fps,
            thinned=facts.thinned,
            crop_px=plan.crop_px,
            size=facts.size,
            has_people=entry.has_people,
            camera_moves=entry.camera_moves,
            permissive=entry.permissive,
        )
        for number, plan in enumerate(plans)
    ]
    _store(place, video, list(zip(pictures, sources, strict=True)), config, {})
    return video


def _store(
    place: Path,
    video: CachedVideo,
    windows: Sequence[tuple[np.ndarray, WindowSource]],
    config: WindowConfig,
    paths_px: dict[str, np.ndarray],
) -> None:
    """Put a video's windows into the cache, all at once."""
    staged = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.partial")
    for number, (frames, source) in enumerate(windows):
        _write_window(staged / str(number), frames, source, config)
        for name, path_px in paths_px.items():
            save_path(staged / str(number) / f"path_{name}.npy", path_px)
    write_json(staged / VIDEO, asdict(video))
    if not (place / VIDEO).exists():
        shutil.rmtree(place, ignore_errors=True)  # windows without their video, of an older version
    try:
        staged.rename(place)
    except OSError:
        if not (place / VIDEO).exists():
            raise
        shutil.rmtree(staged, ignore_errors=True)  # another process was first, with the same windows


def _write_window(folder: Path, frames: np.ndarray, source: WindowSource, config: WindowConfig) -> None:
    """Store a window; its paths are measured on the frames as they will be read."""
    ensure_folder(folder)
    write_frames(folder, frames, config.store)
    shown = read_frames(folder)
    for name in config.flow:
        save_path(folder / f"path_{name}.npy", estimate_path(shown, find_flow(name)))
    write_json(folder / WINDOW, asdict(source))


def _draw(file: str, facts: VideoFacts, config: WindowConfig, fingerprint: str) -> list[_Plan]:
    """The windows of a video: starts uniform over all that cross no cut, crops uniform within the bars."""
    left, top, right, bottom = facts.content
    size = (right - left, bottom - top)
    enlargement = max(WIDTH / size[0], HEIGHT / size[1])
    if enlargement > config.largest_enlargement:
        raise PointlightError(
            f"{file} shows {size[0]}x{size[1]} pixels, which would be enlarged {enlargement:.1f} times;"
            f" {config.largest_enlargement:g} is the most"
        )
    runs = facts.runs(config.frames)
    starts = np.concatenate([np.arange(start, stop - config.frames + 1) for start, stop in runs])
    plans = []
    for number in range(config.per_video):
        rng = stream(config.seed, number, f"background window {fingerprint}")
        start = int(starts[rng.integers(len(starts))])
        x, y, width, height = draw_crop(size, rng.uniform(*config.zoom), (rng.random(), rng.random()))
        plans.append(_Plan(start, (left + x, top + y, width, height)))
    return plans


def _decode(path: Path, facts: VideoFacts, plans: Sequence[_Plan], length: int) -> list[np.ndarray]:
    """The plans' frames, (length, 240, 320, 3) each, by one pass over the video."""
    frames = [np.empty((length, HEIGHT, WIDTH, 3), np.uint8) for _ in plans]
    wanted: dict[int, list[tuple[int, int]]] = {}
    for window, plan in enumerate(plans):
        for offset in range(length):
            wanted.setdefault(int(facts.played[plan.start + offset]), []).append((window, offset))
    missing = len(wanted)
    for frame in VideoReader(path):
        for window, offset in wanted.get(frame.index, ()):
            frames[window][offset] = cut_out(frame.image, plans[window].crop_px)
        missing -= frame.index in wanted
    if missing:
        raise PointlightError(f"{path} gave other frames at the second reading")
    return frames


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=3)
