"""Clips a second of training alone, of data alone, and of both: `python benchmarks/training.py [--recipe points-fast]`.

Seed 0, procedural motions, one thread, but for the last row: there another process keeps a core busy, and training takes
the threads that it takes of itself. Beside wall time stands how long the training process was on a core, and how much of
the wall time training waited for data. A recipe that sees pictures makes clips on the spot before procedural scenes; with
`--pictures FOLDER` of `pointlight prepare` it learns from those, and making them is a row of its own.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from common import busy_process, header, run

from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.simulator.clips import Sources
from pointlight.training import BatchSource, Recipe, Trainer, batches, beside_workers, find_training_recipe

CLIPS = 1024
"""Clips a row, after a batch that is not counted."""
FEWER, PART = 8, 4
"""Of clips with pictures that are made on the spot, which takes long, so many in parts of batches."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="points-fast")
    parser.add_argument("--pictures", type=Path, help="prepared, for recipes that see some")
    parser.add_argument("--clips", type=int, default=CLIPS, help="a row")
    options = parser.parse_args()
    recipe = find_training_recipe(options.recipe)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    header(f"training, recipe {recipe.name}")
    body = AnnyBody()
    bank = procedural_bank(body, 1)
    size = recipe.optimiser.batch
    made = None if recipe.pictures is None else Sources(motion=None, backgrounds=None, cache=None)
    with tempfile.TemporaryDirectory() as folder:

        def trainer_of(recipe: Recipe, pictures: Path | Sources | None) -> Trainer:
            return Trainer(recipe, Path(folder), bank, body=body, workers=0, pictures=pictures)

        trainer = trainer_of(recipe, options.pictures or made)
        source = trainer._batch_source()
        batch = source.make(0)
        print(
            f"{sum(p.numel() for p in trainer.model.parameters()) / 1e6:.2f} M parameters, batches of {size} clips"
        )
        print("| what | clips/s | ms of a core a clip | % waiting |")
        print("| --- | --- | --- | --- |")
        report("training alone", size, options.clips, lambda: trainer.step_on(batch))
        kind = "from prepared pictures" if options.pictures else "made on the spot"
        clips = options.clips if recipe.pictures is None or options.pictures else FEWER
        if recipe.pictures is None or options.pictures:
            numbers = itertools.count(1)
            report(f"data alone, {kind}", size, clips, lambda: source.make(next(numbers)))
        report_both("both, 0 workers", trainer, source, 0, clips)
        report_both("both, 1 workers", trainer, source, 1, clips)
        torch.set_num_threads(threads)
        with busy_process(), beside_workers(1):
            report_both("both, 1 workers, beside a busy process", trainer, source, 1, clips)
        torch.set_num_threads(1)
        if recipe.pictures is not None:
            fresh = trainer_of(recipe, made)._batch_source(range(PART))
            report("data alone, made on the spot", PART, FEWER, lambda: fresh.make(1))
            settings = replace(recipe.optimiser, precision="bf16")
            lower = trainer_of(replace(recipe, optimiser=settings), options.pictures or made)
            report("training alone, encoder in bf16", size, 2 * size, lambda: lower.step_on(batch))
    for who, whose in (("this process", resource.RUSAGE_SELF), ("a worker", resource.RUSAGE_CHILDREN)):
        print(f"most memory of {who}: {resource.getrusage(whose).ru_maxrss / 1024:.0f} MB")


@dataclass
class Watch:
    """Seconds spent within."""

    seconds: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts the block."""
        started = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - started


def report_both(what: str, trainer: Trainer, source: BatchSource, workers: int, clips: int) -> None:
    """A row of training on batches as they come."""
    stream, waiting = batches(source, 0, workers=workers), Watch()

    def step() -> None:
        with waiting.running():
            batch = next(stream)
        trainer.step_on(batch)

    report(what, trainer.recipe.optimiser.batch, clips, step, waiting if workers else None)


def report(
    what: str, size: int, clips: int, step: Callable[[], object], waiting: Watch | None = None
) -> None:
    """One row: a step is made once, then for some clips against the clock."""
    step()
    steps = max(1, clips // size)
    before = waiting.seconds if waiting else 0.0
    wall, spent = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    wall, spent = time.perf_counter() - wall, time.process_time() - spent
    waited = f"{100 * (waiting.seconds - before) / wall:.1f}" if waiting else ""
    print(
        f"| {what} | {steps * size / wall:.1f} | {1000 * spent / (steps * size):.2f} | {waited} |", flush=True
    )


if __name__ == "__main__":
    run(main, new_options=("--recipe", "--pictures", "--clips"))
