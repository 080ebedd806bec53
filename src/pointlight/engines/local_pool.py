"""A pool of processes of this machine; a process that is lost costs no item.

The processes stage their items themselves, so that a run that is killed loses only what is being made.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import warnings
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing.synchronize import Event
from typing import Any

import torch

from pointlight.engines.job import Job
from pointlight.worker_processes import begin_process, one_thread_each


def staged_by_processes(job: Job, missing: Sequence[int], workers: int) -> Generator[int, None, None]:
    """Make items with so many processes of this machine; close the generator to stop them.

    A pool that lost a process is replaced by a smaller one: the likely reason is lack of memory. A process that is
    alone and lost before it made anything shows which item is to blame; that one is given up. So it comes to an end.

    Args:
        job: what is made.
        missing: numbers of the items.
        workers: processes, at least one.

    Yields:
        Each number once, when its item is staged.

    Raises:
        PointlightError: sources cannot be used, or the job does not do without an item that kills its process.
    """
    left = dict.fromkeys(missing)
    wanted = workers
    while left:
        before = len(left)
        try:
            with closing(_staged_by_pool(job, tuple(left), workers)) as indices:
                for index in indices:
                    del left[index]
                    yield index
        except BrokenProcessPool:
            for index in [index for index in left if job.is_staged(index)]:
                del left[index]
                yield index
            if workers == 1 and len(left) == before:
                blamed = next(iter(left))
                job.give_up(
                    blamed,
                    f"a process that makes {job.item}s was killed, perhaps for lack of memory; what is whole has been "
                    "kept, the same command goes on, with fewer --workers if need be",
                )
                del left[blamed]
                yield blamed
                workers = wanted
                continue
            workers = max(1, workers - 1)
            warnings.warn(
                f"a process that makes {job.item}s was killed, perhaps for lack of memory; "
                f"the run goes on with {workers} of them",
                stacklevel=2,
            )


def _staged_by_pool(job: Job, missing: Iterable[int], workers: int) -> Generator[int, None, None]:
    context = multiprocessing.get_context("spawn")
    dropped = context.Event()
    with one_thread_each():
        pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_start_worker, initargs=(job, dropped)
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
        except BaseException:
            if not job.waited_for:
                dropped.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_job: Job | None = None
_maker: Any = None
_open = False


def _start_worker(job: Job, dropped: Event) -> None:
    """Ctrl-C is the parent's business, and its death is the worker's."""
    global _job  # a pool gives its initialiser no other place
    begin_process()
    torch.set_num_threads(1)
    threading.Thread(target=_end_when, args=(dropped,), daemon=True).start()
    _job = job


def _end_when(dropped: Event) -> None:
    dropped.wait()
    os._exit(1)


def _work(index: int) -> int:
    global _maker, _open
    assert _job is not None
    if not _open:  # not in the initialiser, whose errors a pool does not hand on
        _maker, _open = _job.opened(), True
    _job.stage(index, _job.made(_maker, index))
    return index
