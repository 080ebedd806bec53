"""Many clips to shards, on one core or many machines; may be interrupted at any time and goes on where it was."""

from __future__ import annotations

import json
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from pointlight.body import AnnyBody
from pointlight.configuration import config_sha256
from pointlight.engines import find_engine, staged
from pointlight.errors import PointlightError
from pointlight.files import ensure_folder, only_run
from pointlight.motion import (
    PROCEDURAL_SEED,
    MotionBank,
    compile_motion_bank,
    default_cache,
    procedural_bank,
    warn_of_skipped,
)
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator.backgrounds.procedural import ProceduralWindows
from pointlight.simulator.backgrounds.windows import Windows
from pointlight.simulator.clips.clip_job import ClipJob
from pointlight.simulator.clips.composite import VideoClip
from pointlight.simulator.clips.prepare import open_backgrounds, window_frames
from pointlight.simulator.clips.recipes import SynthesisConfig, find_synthesis_recipe
from pointlight.simulator.clips.settings import Sources, count_before, note_settings, places_of, settings_of
from pointlight.simulator.clips.shard_index import INDEX, ShardEntry, shard_name
from pointlight.simulator.clips.shard_writer import assemble_shard, unpack_shard
from pointlight.simulator.clips.storage import Storage, open_storage
from pointlight.simulator.clips.synthesis import ClipMaker
from pointlight.simulator.people.sources import SURREAL_SPLITS, People, RenderedPeople, SurrealPeopleSource
from pointlight.simulator.people.surreal import SurrealConfig, SurrealPeople
from pointlight.threads import usable_cores
from pointlight.worker_processes import keep_freed_memory

_LOCK = "lock"


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


def open_maker(
    config: SynthesisConfig, sources: Sources, progress: ProgressCallback = silent, *, warn: bool = True
) -> ClipMaker:
    """The maker of a configuration's clips; caches that are not there are filled first.

    The process is told to keep the memory that it frees, see `keep_freed_memory`.

    Args:
        config: of the clips.
        sources: what they are drawn from.
        progress: told how far the caches are.
        warn: of motion files that are left out.

    Raises:
        PointlightError: a source that cannot be used.
    """
    keep_freed_memory()
    return ClipMaker(
        config, _open_people(config, sources, progress, warn), _open_windows(config, sources, progress)
    )


def _open_people(config: SynthesisConfig, sources: Sources, progress: ProgressCallback, warn: bool) -> People:
    if sources.surreal is not None:
        split = SURREAL_SPLITS[config.split]
        part = SurrealConfig(split, depth=sources.surreal_depth, frames=config.scenes.frames)
        return SurrealPeopleSource(config.scenes, SurrealPeople(sources.surreal, part))
    body = _our_body()
    if sources.motion is None:
        bank = _procedural_motions(sources.procedural_motions)
    else:
        bank = compile_motion_bank(sources.motion, body, sources.cache, progress)
        if warn:
            warn_of_skipped(bank)
    return RenderedPeople(config.scenes, config.appearance, bank, body)


@lru_cache(maxsize=1)
def _our_body() -> AnnyBody:
    """One for all makers of a process: what is measured on a body is kept by it."""
    return AnnyBody()


@lru_cache(maxsize=2)
def _procedural_motions(clips_per_kind: int) -> MotionBank:
    return procedural_bank(_our_body(), PROCEDURAL_SEED, clips_per_kind=clips_per_kind)


def _open_windows(config: SynthesisConfig, sources: Sources, progress: ProgressCallback) -> Windows:
    frames = window_frames(config)
    if sources.backgrounds is None:
        return ProceduralWindows(sources.procedural_backgrounds, PROCEDURAL_SEED, config.split, frames=frames)
    return open_backgrounds(
        sources.backgrounds,
        config.split,
        config.backgrounds.flow,
        sources.windows_per_video,
        sources.cache,
        frames,
        progress,
    )


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
        sources: procedural ones if not given. What was opened once stays open.

    Returns:
        The clip with its whole truth; equal arguments give equal clips.

    Raises:
        PointlightError: there is no such recipe, or a source cannot be used.

    Example:
        >>> import pointlight
        >>> clip = pointlight.synthesize_clip("no_occlusions", seed=0, index=0)
        >>> clip.frames.shape  # frames, height, width, RGB
        (31, 240, 320, 3)
    """
    config = find_synthesis_recipe(config) if isinstance(config, str) else config
    return _known_maker(config, sources or Sources()).clip(seed, index)


def synthesize(
    config: SynthesisConfig,
    out: Path | str,
    count: int,
    *,
    seed: int,
    sources: Sources,
    engine: str = "local",
    workers: int | None = 0,
    clips_per_shard: int = 64,
    progress: ProgressCallback = silent,
) -> RunSummary:
    """Make clips 0 to `count` and put them into shards; call it again after an interruption and it goes on.

    A larger count for the same place goes on too; its clips are those of a run with that count from the start.

    Args:
        config: of the clips.
        out: folder or address of fsspec.
        count: of clips.
        seed: of all clips.
        sources: what they are drawn from. With Ray, every machine must find them under the same paths.
        engine: "local", processes of this machine, or "ray", workers of a cluster: the one that is connected, that
            RAY_ADDRESS names, that runs on this machine, or a new one on this machine alone, in this order.
        workers: processes; None takes one for each core. 0 makes clips in this one, with Ray on every CPU of the
            cluster, as None does there.
        clips_per_shard: how many clips a shard holds, but for the last.
        progress: told how far it is.

    Raises:
        PointlightError: `out` holds other or more clips, another run writes to it, there is no room, or processes died.
    """
    if workers is None:
        workers = 0 if engine == "ray" else usable_cores()
    if count < 1 or clips_per_shard < 1 or workers < 0:
        raise PointlightError(
            f"{count} clips in shards of {clips_per_shard} with {workers} workers cannot be made; ask for 1 or more"
        )
    engine = find_engine(engine)
    began = time.monotonic()
    storage = open_storage(out)
    maker = open_maker(config, sources, progress)
    settings = settings_of(config, maker.versions, seed, clips_per_shard)
    places = places_of(config, sources)
    before = count_before(storage, settings, places, count)
    with _staging(storage, settings) as staging:
        if before < count:
            storage.remove(INDEX)  # what has no index is not finished
        note_settings(storage, settings, places, count)
        storage.sweep()
        job = ClipJob(partial(open_maker, config, sources, warn=False), maker.versions, seed, staging)
        todo = _Work(job, storage, count, clips_per_shard)
        made = 0
        making = time.monotonic()
        progress(Progress("clips", todo.finished, count, unit="clip"))
        for number in todo.ready():
            todo.finish(number)
        # Closed at once, so that no process works on when something goes wrong here.
        with closing(staged(engine, job, todo.missing(), workers, maker)) as indices:
            for index in indices:
                made += 1
                rate = made * config.scenes.frames / max(time.monotonic() - making, 1e-9)
                if (number := todo.staged(index)) is not None:
                    todo.finish(number)
                progress(Progress("clips", todo.finished, count, f"{rate:.0f} frames/s", unit="clip"))
        spent = time.monotonic() - making
        shards = todo.shards
        made_from = {**settings, "count": count}
        listed = [entry.as_json() for entry in shards]
        storage.put(INDEX, _json({**made_from, "sha256": config_sha256(made_from), "shards": listed}))
        shutil.rmtree(staging, ignore_errors=True)
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
    """Which shards are finished, which clips are staged, and which shards can be assembled."""

    def __init__(self, job: ClipJob, storage: Storage, count: int, per_shard: int) -> None:
        self._job = job
        self._storage = storage
        self._count = count
        self._per_shard = per_shard
        self._done: dict[int, ShardEntry] = {}
        self._missing: dict[int, set[int]] = {}
        for number in range(-(-count // per_shard)):
            span = self._span(number)
            entry = self._noted(number)
            if entry is not None and len(entry.clips) == len(span):
                self._done[number] = entry
                continue
            if entry is not None:  # the last shard of a run that was to have fewer clips
                unpack_shard(storage, number, job.path)
            self._missing[number] = {index for index in span if not job.path(index).exists()}

    @property
    def shards(self) -> list[ShardEntry]:
        """The finished ones in order."""
        return [self._done[number] for number in sorted(self._done)]

    @property
    def finished(self) -> int:
        """Clips that are there, staged or in shards."""
        return self._count - sum(map(len, self._missing.values()))

    def ready(self) -> list[int]:
        """Shards of which all clips are staged."""
        return [number for number, missing in self._missing.items() if not missing]

    def missing(self) -> list[int]:
        """Clips to be made."""
        return sorted(index for missing in self._missing.values() for index in missing)

    def staged(self, index: int) -> int | None:
        """Note that a clip is there; the shard that became ready, if one did."""
        number = index // self._per_shard
        self._missing[number].discard(index)
        return None if self._missing[number] else number

    def finish(self, number: int) -> None:
        """Assemble a shard, note it, and drop its staged clips; in this order, so that nothing is ever lost."""
        staged = [self._job.path(index) for index in self._span(number)]
        entry = assemble_shard(self._storage, self._job.staging, number, staged)
        self._storage.put(_note(number), _json(entry.as_json()))
        for path in staged:
            path.unlink()
        self._done[number] = entry

    def _span(self, number: int) -> range:
        first = number * self._per_shard
        return range(first, min(first + self._per_shard, self._count))

    def _noted(self, number: int) -> ShardEntry | None:
        note = self._storage.read(_note(number))
        if note is None:
            return None
        return ShardEntry.from_json(json.loads(note))


def _note(number: int) -> str:
    """The file that says that a shard is whole, and what is in it."""
    return f"{shard_name(number)}.json"


@contextmanager
def _staging(storage: Storage, settings: dict) -> Iterator[Path]:
    """The local folder of unfinished clips, for one run at a time; only whole clips are in it."""
    folder = ensure_folder(storage.staging_folder(default_cache(), config_sha256(settings).encode()))
    with only_run(folder / _LOCK, storage.address):
        for rest in folder.glob(".*"):
            rest.unlink(missing_ok=True)
        for staged in folder.glob("*.tar"):
            if staged.name.startswith("shard-") or not _whole(staged):
                staged.unlink()
        yield folder


def _whole(path: Path) -> bool:
    """Whether a staged tar can be read to its end."""
    try:
        with tarfile.open(path) as archive:
            return len(archive.getmembers()) > 0
    except (tarfile.TarError, OSError):
        return False


def _json(value: dict) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()
