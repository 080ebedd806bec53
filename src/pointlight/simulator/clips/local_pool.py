"""A pool of processes of this machine that make clips; a process that is lost costs no clip.

The processes stage their clips themselves, so that a run that is killed loses only what is being made.
"""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

import torch

from pointlight.errors import PointlightError
from pointlight.simulator.clips.clip_job import ClipJob
from pointlight.simulator.clips.synthesis import ClipMaker
from pointlight.worker_processes import begin_process, one_thread_each


def clips_from_processes(job: ClipJob, missing: Sequence[int], workers: int) -> Generator[int, None, None]:
    """Make clips with so many processes of this machine; close the generator to stop them.

    A pool that lost a process is replaced by a smaller one: the likely reason is lack of memory. It comes to an end,
    since every new pool is smaller or the one before it has made a clip.

    Args:
        job: what is made.
        missing: numbers of the clips.
        workers: processes, at least one.

    Yields:
        Each number once, when its clip is whole in the staging folder.

    Raises:
        PointlightError: sources cannot be used, or the last process was killed before it made a clip.
    """
    left = dict.fromkeys(missing)
    while left:
        before = len(left)
        try:
            with closing(_clips_from_pool(job, tuple(left), workers)) as indices:
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


def _clips_from_pool(job: ClipJob, missing: Iterable[int], workers: int) -> Generator[int, None, None]:
    with one_thread_each():
        pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
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


def _start_worker(job: ClipJob) -> None:
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
