"""Engines: this process, a pool of processes, or a Ray cluster; each names the items as they are staged."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pointlight.engines.job import Job
from pointlight.engines.local_pool import staged_by_processes
from pointlight.engines.ray_pool import find_ray, staged_by_ray
from pointlight.errors import PointlightError

ENGINES = ("local", "ray")


def find_engine(name: str) -> str:
    """The name, if there is such an engine.

    Raises:
        PointlightError: there is none, or its package is missing.
    """
    if name not in ENGINES:
        raise PointlightError(f"there is no engine {name!r}; there are: {', '.join(ENGINES)}")
    if name == "ray":
        find_ray()
    return name


def staged(
    engine: str, job: Job, missing: Sequence[int], workers: int, maker: Any = None
) -> Generator[int, None, None]:
    """Make items; close the generator to stop, and no process works on.

    Args:
        engine: one of `ENGINES`.
        job: what is made.
        missing: numbers of the items.
        workers: processes; 0 is this one, or with Ray as many as the cluster has CPUs.
        maker: of this process, for its own work.

    Yields:
        Each number once, when its item is staged.

    Raises:
        PointlightError: there is no room, sources cannot be used, or processes die again and again.
    """
    if not missing:
        return
    if engine == "ray":
        yield from staged_by_ray(job, missing, workers)
    elif workers:
        yield from staged_by_processes(job, missing, min(workers, len(missing)))
    else:
        for index in missing:
            job.stage(index, job.made(maker, index))
            yield index
