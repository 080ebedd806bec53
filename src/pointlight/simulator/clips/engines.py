"""Engines that make clips: this process, a pool of processes, or a Ray cluster; each names the clips as they are staged."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence

from pointlight.errors import PointlightError
from pointlight.simulator.clips.clip_job import ClipJob
from pointlight.simulator.clips.local_pool import clips_from_processes
from pointlight.simulator.clips.ray_pool import clips_from_ray, find_ray
from pointlight.simulator.clips.synthesis import ClipMaker

ENGINES = ("local", "ray")


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
        find_ray()
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
        yield from clips_from_ray(job, missing, workers)
    elif workers:
        yield from clips_from_processes(job, missing, min(workers, len(missing)))
    else:
        for index in missing:
            job.stage(index, job.made(maker, index))
            yield index
