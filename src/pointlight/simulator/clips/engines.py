"""Who makes clips: this process, a pool of processes, or a Ray cluster; each names the clips as they are staged."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import socket
import tempfile
import warnings
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.simulator.clips.files import encode_clip
from pointlight.simulator.clips.shards import packed_clip
from pointlight.simulator.clips.synthesis import ClipMaker
from pointlight.worker_processes import THREAD_VARIABLES, begin_process, one_thread_each

ENGINES = ("local", "ray")
LARGEST_LOSSES = 3
"""So often a clip may take its worker with it, and so many workers in a row may be lost while they open their sources."""

_QUEUED = 2
"""Clips that a Ray worker has before it, so that it does not wait for the driver."""


@dataclass(frozen=True)
class ClipJob:
    """What an engine is given to do, in a form that every process can take.

    Attributes:
        open: opens the maker; a function of a module with its arguments (`functools.partial`).
        versions: that every maker must have, so that clips of unlike sources never stand in one run.
        seed: of all clips.
        staging: local folder of whole clips.
    """

    open: Callable[[], ClipMaker]
    versions: dict[str, str]
    seed: int
    staging: Path

    def path(self, index: int) -> Path:
        """Where a clip is staged."""
        return self.staging / f"{index:08d}.tar"

    def opened(self) -> ClipMaker:
        """The maker.

        Raises:
            PointlightError: the sources cannot be used here, or are others than where the run was begun.
        """
        maker = self.open()
        unlike = [name for name, version in self.versions.items() if maker.versions.get(name) != version]
        if unlike:
            raise PointlightError(
                f"there is another {', '.join(unlike)} here than where the run was begun; all processes need the same "
                "files and the same Pointlight"
            )
        return maker

    def made(self, maker: ClipMaker, index: int) -> bytes:
        """A clip's tar."""
        return packed_clip(index, encode_clip(maker.clip(self.seed, index)))

    def stage(self, index: int, content: bytes) -> None:
        """Put a clip's tar where it belongs, whole or not at all."""
        with atomic_path(self.path(index)) as temporary:
            temporary.write_bytes(content)


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find_engine(name: str) -> str:
    """The name, if there is such an engine.

    Raises:
        PointlightError: there is none, or its package is missing.
    """
    if name not in ENGINES:
        raise PointlightError(f"there is no engine {name!r}; there are: {', '.join(ENGINES)}")
    if name == "ray":
        _ray()
    return name


def staged_clips(
    engine: str, job: ClipJob, missing: Sequence[int], workers: int, maker: ClipMaker
) -> Generator[int, None, None]:
    """Make clips; close the generator to stop, and no process works on.

    Args:
        engine: one of `ENGINES`.
        job: what is made.
        missing: numbers of the clips.
        workers: processes; 0 is this one, or with Ray as many as the cluster has CPUs.
        maker: of this process.

    Yields:
        Each number once, when its clip is whole in the staging folder.

    Raises:
        PointlightError: there is no room, sources cannot be used, or processes die again and again.
    """
    if not missing:
        return
    if engine == "ray":
        yield from _made_on_ray(job, missing, workers)
    elif workers:
        yield from _made_by_processes(job, missing, min(workers, len(missing)))
    else:
        for index in missing:
            job.stage(index, job.made(maker, index))
            yield index


# Processes of this machine. They stage their clips themselves, so that a run that is killed loses only what is being made.


def _made_by_processes(job: ClipJob, missing: Sequence[int], workers: int) -> Generator[int, None, None]:
    """A pool that lost a process is replaced by a smaller one: the likely reason is lack of memory.

    It comes to an end, since every new pool is smaller or the one before it has made a clip.
    """
    left = dict.fromkeys(missing)
    while left:
        before = len(left)
        try:
            with closing(_made_by_pool(job, tuple(left), workers)) as indices:
                for index in indices:
                    del left[index]
                    yield index
        except BrokenProcessPool as error:
            for index in [index for index in left if job.path(index).exists()]:
                del left[index]
                yield index
            if workers == 1 and len(left) == before:
                raise PointlightError(
                    "a process that makes clips was killed, perhaps for lack of memory; what is whole has been kept, "
                    "the same command goes on, with fewer --workers if need be"
                ) from error
            workers = max(1, workers - 1)
            warnings.warn(
                "a process that makes clips was killed, perhaps for lack of memory; "
                f"the run goes on with {workers} of them",
                stacklevel=2,
            )


def _made_by_pool(job: ClipJob, missing: Iterable[int], workers: int) -> Generator[int, None, None]:
    with one_thread_each():
        pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_worker,
            initargs=(job,),
        )
        waiting = iter(missing)
        running: set[Future[int]] = set()
        try:
            # A few more than are running, so that no process waits for this one.
            for index in waiting:
                running.add(pool.submit(_work, index))
                if len(running) >= 3 * workers:
                    break
            while running:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield future.result()
                    if (index := next(waiting, None)) is not None:
                        running.add(pool.submit(_work, index))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_job: ClipJob | None = None
_maker: ClipMaker | None = None


def _begin_worker(job: ClipJob) -> None:
    """Ctrl-C is the parent's business, and its death is the worker's."""
    global _job  # a pool gives its initialiser no other place
    begin_process()
    torch.set_num_threads(1)
    _job = job


def _work(index: int) -> int:
    global _maker
    assert _job is not None
    if _maker is None:  # not in the initialiser, whose errors a pool does not hand on
        _maker = _job.opened()
    _job.stage(index, _job.made(_maker, index))
    return index


# A Ray cluster. A worker gives the clip's bytes (0.7 MB) to the driver, which stages them: the machines need no folder in
# common, and the driver, which must read every clip anyway to put it into a shard, finds it on its own disk.


class _RayWorker:
    """An actor with an open maker."""

    def __init__(self, job: ClipJob) -> None:
        self._job = job
        self._maker: ClipMaker | None = None

    def open(self) -> None:
        """Open the sources; what the driver has warned of is not said again."""
        torch.set_num_threads(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._maker = _opened_in_turn(self._job)
            except PointlightError as error:
                raise PointlightError(
                    f"{error} (said by the Ray worker on {socket.gethostname()})"
                ) from error

    def clip(self, index: int) -> bytes:
        """A clip's tar."""
        assert self._maker is not None
        return self._job.made(self._maker, index)


def _opened_in_turn(job: ClipJob) -> ClipMaker:
    """One process of a machine fills its caches; the others wait for it, and then open them at the same time."""
    import fcntl  # not everywhere, like Ray on many machines

    run = config_sha256([job.versions, str(job.staging)])
    with open(Path(tempfile.gettempdir()) / f"pointlight-{os.getuid()}.lock", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if file.read() != run:
            maker = job.opened()
            file.truncate(0)
            file.write(run)
            return maker
    return job.opened()


def _made_on_ray(job: ClipJob, missing: Sequence[int], workers: int) -> Generator[int, None, None]:
    ray = _ray()
    with _cluster(ray):
        cpus = int(ray.cluster_resources().get("CPU", 1))
        hands = _WorkerPool(ray, job, min(workers or cpus, len(missing)))
        try:
            yield from hands.made(missing)
        finally:
            hands.dismiss()


class _WorkerPool:
    """The actors of a run: each is given clips when it is open, and replaced when it is lost."""

    def __init__(self, ray: Any, job: ClipJob, workers: int) -> None:
        self._ray = ray
        self._job = job
        # Lost clips are given out again here and not by Ray, which would do so for ever or not often enough.
        self._class = ray.remote(_RayWorker).options(
            num_cpus=1,
            max_restarts=0,
            max_task_retries=0,
            runtime_env={"env_vars": dict.fromkeys(THREAD_VARIABLES, "1")},
        )
        self._job_ref = ray.put(job)
        self._pending: dict[Any, tuple[Any, int | None]] = {}
        self._opening: set[Any] = set()
        self._load: dict[Any, int] = {}  # of those that are open
        self._waiting: deque[int] = deque()
        self._losses: Counter[int | None] = Counter()
        for _ in range(workers):
            self._start()

    def made(self, missing: Sequence[int]) -> Iterator[int]:
        """Clips as they are staged."""
        self._waiting.extend(missing)
        left = len(missing)
        while left:
            (ref,), _ = self._ray.wait(list(self._pending), num_returns=1)
            actor, index = self._pending.pop(ref)
            content = self._result(ref, actor, index)
            self._assign()
            if content is not None and index is not None:
                self._job.stage(index, content)
                left -= 1
                yield index

    def dismiss(self) -> None:
        """End all actors."""
        for actor in [*self._opening, *self._load]:
            with suppress(Exception):  # the cluster may be gone
                self._ray.kill(actor)

    def _start(self) -> None:
        actor = self._class.remote(self._job_ref)
        self._opening.add(actor)
        self._pending[actor.open.remote()] = (actor, None)

    def _assign(self) -> None:
        """Give waiting clips to those with the shortest queue."""
        while self._waiting and self._load:
            actor = min(self._load, key=lambda actor: self._load[actor])
            if self._load[actor] >= _QUEUED:
                return
            index = self._waiting.popleft()
            self._pending[actor.clip.remote(index)] = (actor, index)
            self._load[actor] += 1

    def _result(self, ref: Any, actor: Any, index: int | None) -> bytes | None:
        """What a worker has made; None if it was lost, or had only to open its sources."""
        errors = self._ray.exceptions
        try:
            content = self._ray.get(ref)
        except errors.RayTaskError as error:  # raised by our own code
            if isinstance(error.cause, PointlightError):
                raise PointlightError(str(error.cause)) from error
            raise
        except errors.RayError as error:
            self._lost(actor, index, error)
            return None
        if index is None:
            self._opening.discard(actor)
            self._load[actor] = 0
            self._losses.pop(None, None)
        elif actor in self._load:
            self._load[actor] -= 1
        return content

    def _lost(self, actor: Any, index: int | None, error: Exception) -> None:
        """Put the clip back and find another worker; each clip may take a few with it, and no more."""
        self._losses[index] += 1
        if self._losses[index] > LARGEST_LOSSES:
            what = "while they opened their sources" if index is None else f"while they made clip {index}"
            raise PointlightError(
                f"{self._losses[index]} Ray workers were lost {what} ({_one_line(error)}); see that the cluster runs "
                "and has the memory, what is whole has been kept and the same command goes on"
            ) from error
        if index is not None:
            self._waiting.appendleft(index)
        if (
            actor in self._opening or actor in self._load
        ):  # a worker is lost once, with all that it had before it
            self._opening.discard(actor)
            self._load.pop(actor, None)
            with suppress(Exception):  # it may be dead, or only out of reach
                self._ray.kill(actor)
            self._start()


@contextmanager
def _cluster(ray: Any) -> Iterator[None]:
    """The cluster that is connected already, that RAY_ADDRESS names, that runs on this machine, or one of our own."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(logging_level="ERROR", log_to_driver=False, include_dashboard=False)
    except Exception as error:  # Ray raises many kinds
        raise PointlightError(
            f"no Ray cluster can be used ({_one_line(error)}); see that RAY_ADDRESS names one that runs, or unset it"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _one_line(error: Exception) -> str:
    return " ".join((str(error).strip() or type(error).__name__).split("\n", 1)[0].split())


def _ray() -> Any:
    """The package, which is an extra.

    Raises:
        PointlightError: it is not installed.
    """
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise PointlightError(
            f"Ray is not there ({error}); install pointlight[ray], or use --engine local"
        ) from error
