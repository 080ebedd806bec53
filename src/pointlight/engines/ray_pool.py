"""A pool of workers on a Ray cluster; a worker that is lost costs no item.

A worker gives an item's bytes (a clip has 0.7 MB) to the driver, which stages them: the machines need no folder in common
for them, and a driver that must read every item anyway finds it on its own disk.
"""

from __future__ import annotations

import importlib
import os
import socket
import tempfile
import warnings
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from pointlight.engines.job import Job
from pointlight.errors import PointlightError
from pointlight.worker_processes import THREAD_VARIABLES

LARGEST_LOSSES = 3
"""So often an item may take its worker with it, and so many workers in a row may be lost while they open their sources."""

_QUEUED = 2
"""Items that a Ray worker has before it, so that it does not wait for the driver."""


def find_ray() -> Any:
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


def staged_by_ray(job: Job, missing: Sequence[int], workers: int) -> Generator[int, None, None]:
    """Make items on a Ray cluster; close the generator to stop its workers.

    Args:
        job: what is made.
        missing: numbers of the items.
        workers: how many; 0 is as many as the cluster has CPUs.

    Yields:
        Each number once, when its item is staged by the driver.

    Raises:
        PointlightError: no cluster, sources that cannot be used, or workers that are lost again and again.
    """
    ray = find_ray()
    with _cluster(ray):
        cpus = int(ray.cluster_resources().get("CPU", 1))
        pool = _WorkerPool(ray, job, min(workers or cpus, len(missing)))
        try:
            yield from pool.made(missing)
        finally:
            pool.stop()


class _RayWorker:
    """An actor with an open maker."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._maker: Any = None

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

    def item(self, index: int) -> bytes:
        """An item's bytes."""
        return self._job.made(self._maker, index)


def _opened_in_turn(job: Job) -> Any:
    """One process of a machine fills its caches; the others wait for it, and then open them at the same time."""
    import fcntl  # not everywhere, like Ray on many machines

    run = job.identity
    with open(Path(tempfile.gettempdir()) / f"pointlight-{os.getuid()}.lock", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if file.read() != run:
            maker = job.opened()
            file.truncate(0)
            file.write(run)
            return maker
    return job.opened()


class _WorkerPool:
    """The actors of a run: each is given items when it is open, and replaced when it is lost."""

    def __init__(self, ray: Any, job: Job, workers: int) -> None:
        self._ray = ray
        self._job = job
        # Lost items are given out again here and not by Ray, which would do so for ever or not often enough.
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
        self._given_up: list[int] = []
        for _ in range(workers):
            self._start()

    def made(self, missing: Sequence[int]) -> Iterator[int]:
        """Items as they are staged."""
        self._waiting.extend(missing)
        left = len(missing)
        while left:
            (ref,), _ = self._ray.wait(list(self._pending), num_returns=1)
            actor, index = self._pending.pop(ref)
            content = self._result(ref, actor, index)
            self._assign()
            ended = self._given_up
            self._given_up = []
            if content is not None and index is not None:
                self._job.stage(index, content)
                ended.append(index)
            left -= len(ended)
            yield from ended

    def stop(self) -> None:
        """End all actors."""
        for actor in [*self._opening, *self._load]:
            self._kill(actor)

    def _start(self) -> None:
        actor = self._class.remote(self._job_ref)
        self._opening.add(actor)
        self._pending[actor.open.remote()] = (actor, None)

    def _assign(self) -> None:
        """Give waiting items to those with the shortest queue."""
        while self._waiting and self._load:
            actor = min(self._load, key=lambda actor: self._load[actor])
            if self._load[actor] >= _QUEUED:
                return
            index = self._waiting.popleft()
            self._pending[actor.item.remote(index)] = (actor, index)
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
        """Put the item back and find another worker; each item may take a few with it, and no more."""
        self._losses[index] += 1
        if self._losses[index] > LARGEST_LOSSES:
            what = f"made {self._job.item} {index}" if index is not None else "opened their sources"
            reason = (
                f"{self._losses[index]} Ray workers were lost while they {what} ({_one_line(error)}); see that the cluster "
                "runs and has the memory, what is whole has been kept and the same command goes on"
            )
            if index is None:
                raise PointlightError(reason) from error
            self._job.give_up(index, reason)
            self._given_up.append(index)
        elif index is not None:
            self._waiting.appendleft(index)
        # Each of its calls fails, but a worker is replaced once.
        if actor in self._opening or actor in self._load:
            self._opening.discard(actor)
            self._load.pop(actor, None)
            self._kill(actor)
            self._start()

    def _kill(self, actor: Any) -> None:
        with suppress(Exception):  # dead, out of reach, or the cluster is gone: Ray raises many kinds
            self._ray.kill(actor)


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
