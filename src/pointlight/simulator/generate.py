"""Many clips to shards by a pool of processes, which may be interrupted at any time and goes on where it was."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from pointlight.body import AnnyBody
from pointlight.errors import PointlightError
from pointlight.files import ensure_folder
from pointlight.motion import compile_motion_bank, default_cache, procedural_bank
from pointlight.simulator.background_cache import open_backgrounds
from pointlight.simulator.clip_files import encode_clip
from pointlight.simulator.composite import VideoClip
from pointlight.simulator.procedural_backgrounds import ProceduralWindows
from pointlight.simulator.shards import (
    INDEX,
    SHARDS_FORMAT_VERSION,
    Place,
    ShardEntry,
    assemble_shard,
    pack_clip,
    shard_name,
)
from pointlight.simulator.synthesis import ClipMaker, SynthesisConfig, find_recipe
from pointlight.simulator.worker_processes import keep_freed_memory

PROCEDURAL_SEED = 2019
_SETTINGS = "settings.json"
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)

Watch = Callable[[str, float, float, str], None]
"""Told a stage, how much is done, how much there is, and a note."""


@dataclass(frozen=True)
class Sources:
    """What clips are drawn from, as places that every process can open for itself.

    Attributes:
        motion: folder of motion capture; None for procedural motions.
        backgrounds: folder of videos; None for made scenes.
        cache: folder of compiled motions and of windows of the videos; None for the usual one.
        windows_per_video: how many windows are cut out of a video.
        made_backgrounds: how many made scenes there are.
        made_motions: procedural motions of each kind; of every five one is held out.
    """

    motion: Path | None = None
    backgrounds: Path | None = None
    cache: Path | None = None
    windows_per_video: int = 8
    made_backgrounds: int = 4096
    made_motions: int = 20


@dataclass(frozen=True)
class RunSummary:
    """What a run has done.

    Attributes:
        clips: in the shards.
        made: of these, made now; the others were there.
        frames_per_s: of those made now, all processes together.
        seconds: the run took.
        shards: names.
        bytes: of all shards.
        with_occluder: share of clips that have one.
    """

    clips: int
    made: int
    frames_per_s: float
    seconds: float
    shards: tuple[str, ...]
    bytes: int
    with_occluder: float


def open_maker(config: SynthesisConfig, sources: Sources, watch: Watch | None = None) -> ClipMaker:
    """The maker of a configuration's clips; caches that are not there are filled first.

    The process is told to keep the memory that it frees, see `keep_freed_memory`.

    Args:
        config: of the clips.
        sources: what they are drawn from.
        watch: told how far the caches are.

    Raises:
        PointlightError: a source that cannot be used.
    """
    tell = watch or _silent
    keep_freed_memory()
    body = AnnyBody()
    if sources.motion is None:
        bank = procedural_bank(body, PROCEDURAL_SEED, clips_per_kind=sources.made_motions)
    else:
        bank = compile_motion_bank(
            sources.motion, body, sources.cache, lambda done, total: tell("motion", done, total, "")
        )
    if sources.backgrounds is None:
        windows = ProceduralWindows(sources.made_backgrounds, PROCEDURAL_SEED, config.split)
        return ClipMaker(config, bank, windows, body)
    cache = open_backgrounds(
        sources.backgrounds,
        config.split,
        config.backgrounds.flow,
        sources.windows_per_video,
        sources.cache,
        tell,
    )
    return ClipMaker(config, bank, cache, body)


@lru_cache(maxsize=2)
def _known_maker(config: SynthesisConfig, sources: Sources) -> ClipMaker:
    return open_maker(config, sources)


def synthesize_clip(
    config: SynthesisConfig | str, seed: int, index: int, sources: Sources | None = None
) -> VideoClip:
    """Clip `index`, a pure function of the arguments and of what the sources hold.

    Args:
        config: or the name of a recipe.
        seed: of all clips.
        index: of this one.
        sources: made ones if not given. What was opened once stays open.
    """
    config = find_recipe(config) if isinstance(config, str) else config
    return _known_maker(config, sources or Sources()).clip(seed, index)


def synthesize(
    config: SynthesisConfig,
    out: Path | str,
    count: int,
    *,
    seed: int,
    sources: Sources,
    workers: int = 0,
    clips_per_shard: int = 64,
    watch: Watch | None = None,
) -> RunSummary:
    """Make clips 0 to `count` and put them into shards; call it again after an interruption and it goes on.

    Args:
        config: of the clips.
        out: folder or address of fsspec.
        count: of clips.
        seed: of all clips.
        sources: what they are drawn from.
        workers: processes; 0 makes clips in this one.
        clips_per_shard: how many clips a shard holds, but for the last.
        watch: told how far it is.

    Raises:
        PointlightError: `out` holds other clips, there is no room, or a process died.
    """
    if count < 1 or clips_per_shard < 1 or workers < 0:
        raise PointlightError(
            f"{count} clips in shards of {clips_per_shard} with {workers} workers cannot be made; ask for 1 or more"
        )
    began = time.monotonic()
    tell = watch or _silent
    place = Place(out)
    maker = open_maker(config, sources, watch)
    settings = _settings(config, maker, seed, count, clips_per_shard)
    staging = _staging(place, settings)
    done = _finished_shards(place, settings)
    todo = _Work(staging, count, clips_per_shard, set(done))
    made = 0
    making = time.monotonic()
    tell("clips", todo.finished, count, "")
    for number in todo.ready():
        done[number] = _finish(place, staging, number, todo)
    # Closed at once, so that no process works on when something goes wrong here.
    with closing(_made(config, sources, seed, staging, todo.missing(), workers, maker)) as indices:
        for index in indices:
            made += 1
            rate = made * config.scenes.frames / max(time.monotonic() - making, 1e-9)
            for number in todo.staged(index):
                done[number] = _finish(place, staging, number, todo)
            tell("clips", todo.finished, count, f"{rate:.0f} frames/s")
    shards = [done[number] for number in sorted(done)]
    index_json = {**settings, "shards": [entry.as_json() for entry in shards]}
    place.put(INDEX, _json(index_json))
    shutil.rmtree(staging, ignore_errors=True)
    spent = time.monotonic() - making
    clips = [clip for entry in shards for clip in entry.clips]
    return RunSummary(
        clips=len(clips),
        made=made,
        frames_per_s=made * config.scenes.frames / max(spent, 1e-9),
        seconds=time.monotonic() - began,
        shards=tuple(entry.file for entry in shards),
        bytes=sum(entry.bytes for entry in shards),
        with_occluder=sum(clip["has_occluder"] for clip in clips) / max(len(clips), 1),
    )


class _Work:
    """Which clips are staged, and which shards can be assembled."""

    def __init__(self, staging: Path, count: int, per_shard: int, done: set[int]) -> None:
        self._staging = staging
        self._spans = {
            number: range(first, min(first + per_shard, count))
            for number, first in enumerate(range(0, count, per_shard))
        }
        self._per_shard = per_shard
        self._missing = {
            number: {index for index in span if not self.path(index).exists()}
            for number, span in self._spans.items()
            if number not in done
        }
        self._count = count

    def path(self, index: int) -> Path:
        """Where a clip is staged."""
        return self._staging / f"{index:08d}.tar"

    def paths(self, number: int) -> list[Path]:
        """The clips of a shard."""
        return [self.path(index) for index in self._spans[number]]

    def ready(self) -> list[int]:
        """Shards of which all clips are staged."""
        return [number for number, missing in self._missing.items() if not missing]

    def missing(self) -> list[int]:
        """Clips to be made."""
        return sorted(index for missing in self._missing.values() for index in missing)

    def staged(self, index: int) -> list[int]:
        """Note that a clip is there; the shard that became ready, if one did."""
        number = index // self._per_shard
        self._missing[number].discard(index)
        return [] if self._missing[number] else [number]

    @property
    def finished(self) -> int:
        """Clips that are there, staged or in shards."""
        return self._count - sum(map(len, self._missing.values()))


def _finish(place: Place, staging: Path, number: int, work: _Work) -> ShardEntry:
    """Assemble a shard, note it, and drop its staged clips; in this order, so that nothing is ever lost."""
    entry = assemble_shard(place, staging, number, work.paths(number))
    place.put(f"{shard_name(number)}.json", _json(entry.as_json()))
    for path in work.paths(number):
        path.unlink()
    return entry


def _finished_shards(place: Place, settings: dict) -> dict[int, ShardEntry]:
    found = {}
    for number in range(-(-settings["count"] // settings["clips_per_shard"])):
        note = place.read(f"{shard_name(number)}.json")
        if note is not None:
            entry = json.loads(note)
            found[number] = ShardEntry(entry["file"], entry["bytes"], entry["sha256"], tuple(entry["clips"]))
    return found


def _settings(config: SynthesisConfig, maker: ClipMaker, seed: int, count: int, clips_per_shard: int) -> dict:
    return {
        "format_version": SHARDS_FORMAT_VERSION,
        "recipe": config.name,
        "split": config.split,
        "config": repr(config),
        "seed": seed,
        "count": count,
        "clips_per_shard": clips_per_shard,
        "versions": maker.versions,
    }


def _staging(place: Place, settings: dict) -> Path:
    """The local folder of unfinished clips; what an interruption left half-written is swept up."""
    before = place.read(_SETTINGS)
    if before is None:
        if place.local is not None:
            ensure_folder(place.local)
        place.put(_SETTINGS, _json(settings))
    elif json.loads(before) != settings:
        there = json.loads(before)
        unlike = [name for name in settings if there.get(name) != settings[name]]
        raise PointlightError(
            f"{place.address} was begun with another {', '.join(unlike)}; choose another place or delete it"
        )
    if place.local is not None:
        folder = place.local / ".staging"
        for rest in place.local.glob(".*.partial*"):
            rest.unlink()
    else:
        key = hashlib.sha256(place.address.encode() + _json(settings)).hexdigest()[:16]
        folder = default_cache() / f"staging-{key}"
    ensure_folder(folder)
    for rest in folder.glob(".*"):
        rest.unlink()
    for staged in folder.glob("*.tar"):
        if staged.name.startswith("shard-") or not _whole(staged):
            staged.unlink()
    return folder


def _whole(path: Path) -> bool:
    """Whether a staged tar can be read to its end."""
    try:
        with tarfile.open(path) as archive:
            return len(archive.getmembers()) > 0
    except (tarfile.TarError, OSError):
        return False


def _made(
    config: SynthesisConfig,
    sources: Sources,
    seed: int,
    staging: Path,
    missing: list[int],
    workers: int,
    maker: ClipMaker,
) -> Generator[int, None, None]:
    """Numbers of clips as they are staged."""
    if workers == 0 or not missing:
        for index in missing:
            _stage(maker, seed, index, staging)
            yield index
        return
    with _one_thread_each():
        pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
            initargs=(config, sources),
        )
        waiting = iter(missing)
        running: set[Future[int]] = set()
        try:
            # A few more than are running, so that no process waits for this one.
            for index in waiting:
                running.add(pool.submit(_work, seed, index, staging))
                if len(running) >= 3 * workers:
                    break
            while running:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield future.result()
                    if (index := next(waiting, None)) is not None:
                        running.add(pool.submit(_work, seed, index, staging))
        except BrokenProcessPool as error:
            raise PointlightError(
                "a process that makes clips was killed, perhaps for lack of memory; what is whole has been kept, "
                "the same command goes on, with fewer --workers if need be"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_worker: ClipMaker | None = None


def _begin_worker(config: SynthesisConfig, sources: Sources) -> None:
    """Open the sources once a process; Ctrl-C is the parent's business, and its death is the worker's."""
    global _worker  # a pool gives its initialiser no other place
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _worker = open_maker(config, sources)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(seed: int, index: int, staging: Path) -> int:
    assert _worker is not None
    _stage(_worker, seed, index, staging)
    return index


def _stage(maker: ClipMaker, seed: int, index: int, staging: Path) -> None:
    pack_clip(staging / f"{index:08d}.tar", index, encode_clip(maker.clip(seed, index)))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes begun in the block have one thread each; libraries read these variables when they are loaded."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _json(value: dict) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def _silent(stage: str, done: float, total: float, note: str) -> None:
    """Nobody watches."""
