"""What clips with pictures cost: `python benchmarks/synthesis.py [--backgrounds FOLDER] [--motion FOLDER] [--clips 24]`.

One process makes clips of the paper's recipe and of ours, and writes them as they go into shards. Times are process
time, so that other work on the machine counts less: frames/s are those of a core that does nothing else.

With `--scaling`, `synthesize` itself makes the clips with one and with two processes by turns, and what counts is wall
time: from the moment that a quarter of the clips is there, when all processes have long been at work, to the last one.
Shards are assembled meanwhile, as always. Only a machine that does nothing else gives a true ratio; the share of a core
that the processes got is printed beside it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from common import header, run
from processes import memory_after_mb, memory_mb, processor_s, workers_of

from pointlight.progress import Progress
from pointlight.simulator import ClipMaker, SynthesisConfig, decode_clip, synthesize
from pointlight.simulator.clips import (
    Sources,
    find_synthesis_recipe,
    open_maker,
    open_storage,
    prepare_backgrounds,
)
from pointlight.simulator.clips.codec import decode_frames
from pointlight.simulator.clips.shard_writer import assemble_shard, packed_clip


def stages(maker: ClipMaker, indices: range, folder: Path) -> tuple[dict[str, float], float]:
    """Seconds of each stage for all clips together, and bytes a clip."""
    spent: dict[str, float] = defaultdict(float)
    clock = time.process_time()

    def stopwatch(ended: Progress) -> None:
        nonlocal clock
        now = time.process_time()
        spent[ended.stage] += now - clock
        clock = now

    size, paths = 0, []
    for index in indices:
        clock = time.process_time()
        files = maker.files(0, index, stopwatch)
        paths.append(folder / f"{index:08d}.tar")
        paths[-1].write_bytes(packed_clip(index, files))
        size += sum(map(len, files.values()))
        stopwatch(Progress("write", 1, 1))
        decode_frames(files["frames.mp4"])
        stopwatch(Progress("(H.264 decoding)", 1, 1))
        decode_clip(files)
        stopwatch(Progress("(reading back)", 1, 1))
    clock = time.process_time()
    assemble_shard(open_storage(folder / "out"), folder, 0, paths)
    stopwatch(Progress("write", 1, 1))
    return spent, size / len(indices)


def report(name: str, spent: dict[str, float], size: float, clips: int) -> None:
    making = {stage: value for stage, value in spent.items() if not stage.startswith("(")}
    frames = 31 * clips
    print(f"\n{name}: {frames / sum(making.values()):.0f} frames/s a core, {size / 1e6:.2f} MB a clip")
    print("| stage | ms a clip |\n| --- | --- |")
    for stage, value in spent.items():
        print(f"| {stage} | {1000 * value / clips:.1f} |")


@dataclass(frozen=True)
class _Mark:
    """Where a run stands: clips, wall time, and processor time of the workers and of the process that packs shards."""

    clips: float
    wall_s: float
    workers_s: float
    parent_s: float


class _Steady:
    """Watches a run from a quarter of the clips to all, and looks at memory shortly before the end."""

    def __init__(self) -> None:
        self.memory: list[dict[str, float]] = []
        self._marks: list[_Mark] = []

    def __call__(self, progress: Progress) -> None:
        if progress.stage != "clips":
            return
        done, total = progress.done, progress.total
        if done in (total // 4, total):
            spent = sum(map(processor_s, workers_of(os.getpid())))
            self._marks.append(_Mark(done, time.perf_counter(), spent, processor_s(os.getpid())))
        if done == max(total - 8, total // 4 + 1):
            self.memory = [memory_mb(worker) for worker in workers_of(os.getpid())]

    def rates(self) -> dict[str, float]:
        """Clips a second of all processes together, processor seconds a clip of workers and parent, cores in use."""
        began, ended = self._marks
        clips, wall_s = ended.clips - began.clips, ended.wall_s - began.wall_s
        workers_s, parent_s = ended.workers_s - began.workers_s, ended.parent_s - began.parent_s
        return {
            "clips_per_s": clips / wall_s,
            "worker_s": workers_s / clips,
            "parent_s": parent_s / clips,
            "cores": (workers_s + parent_s) / wall_s,
        }


def scaling(config: SynthesisConfig, sources: Sources, clips: int, rounds: int) -> None:
    """One process against two, by turns."""
    if sources.backgrounds is not None:
        prepare_backgrounds(
            config, sources.backgrounds, windows_per_video=sources.windows_per_video, cache=sources.cache
        )
    open_maker(config, sources)  # the motions too are there before anything counts
    rates: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    memory: list[dict[str, float]] = []
    print(f"\n{config.name}, {clips} clips a run")
    print("| round | processes | frames/s | ms of processor a clip | of the parent | cores |")
    print("| --- | --- | --- | --- | --- | --- |")
    for number in range(rounds):
        for workers in (1, 2) if number % 2 == 0 else (2, 1):
            steady = _Steady()
            with tempfile.TemporaryDirectory() as folder:
                synthesize(
                    config,
                    folder,
                    clips,
                    seed=0,
                    sources=sources,
                    workers=workers,
                    clips_per_shard=32,
                    progress=steady,
                )
            found = steady.rates()
            rates[workers].append(found)
            memory += steady.memory
            print(
                f"| {number + 1} | {workers} | {31 * found['clips_per_s']:.0f} | {1000 * found['worker_s']:.0f} | "
                f"{1000 * found['parent_s']:.1f} | {found['cores']:.2f} |",
                flush=True,
            )
    one, two = (
        {kind: statistics.median(found[kind] for found in rates[workers]) for kind in rates[workers][0]}
        for workers in (1, 2)
    )
    pairs = zip(rates[1], rates[2], strict=True)
    ratio = statistics.median(second["clips_per_s"] / first["clips_per_s"] for first, second in pairs)
    # One process has a core for itself while the parent has the other; two share both cores with the parent.
    limit = 2 * one["worker_s"] / (two["worker_s"] + two["parent_s"])
    print(
        f"\n2 processes make {ratio:.2f} times as many (median of {rounds} rounds); by their processor time it would be "
        f"{limit:.2f} on a machine that does nothing else"
    )
    bare, imported = memory_after_mb("pass"), memory_after_mb("import pointlight.simulator")
    print(
        f"an interpreter takes {bare:.0f} MB, with what clips need imported {imported:.0f} MB; a process of clips:"
    )
    largest = {kind: max(process[kind] for process in memory) for kind in memory[0]}
    print(
        f"{largest['rss']:.0f} MB resident ({largest['pss']:.0f} with shared pages divided among their users, "
        f"{largest['uss']:.0f} alone), at most {largest['peak']:.0f}, which is {largest['peak'] - imported:.0f} MB more "
        "than imported"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--cache", type=Path, help="of motions and windows; the usual one if not given")
    parser.add_argument("--per-video", type=int, default=8)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--scaling", action="store_true", help="one process against two, --clips each time")
    parser.add_argument("--rounds", type=int, default=3, help="of --scaling")
    parser.add_argument("--recipes", nargs="+", default=["full", "pointlight"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    header("synthesis")
    sources = Sources(
        motion=arguments.motion,
        backgrounds=arguments.backgrounds,
        cache=arguments.cache,
        windows_per_video=arguments.per_video,
    )
    for recipe in arguments.recipes:
        config = find_synthesis_recipe(recipe)
        if arguments.backgrounds is not None:
            config = replace(config, backgrounds=replace(config.backgrounds, flow="dis"))
        if arguments.scaling:
            scaling(config, sources, arguments.clips, arguments.rounds)
            continue
        maker = open_maker(config, sources)
        with tempfile.TemporaryDirectory() as folder:
            stages(maker, range(1000, 1002), Path(folder))  # compiles what has to be compiled
            for cached in ("first time over these windows", "superpixels from the cache"):
                spent, size = stages(maker, range(arguments.clips), Path(folder))
                report(f"{recipe}, {cached}", spent, size, arguments.clips)
                if arguments.backgrounds is None:
                    break  # made scenes are made anew each time
    if not arguments.scaling:
        print(f"\nlargest resident size {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    run(main)
