"""Clips a second of training alone, of data alone, and of both: `python benchmarks/training.py [--recipe points-fast]`.

Seed 0, procedural motions, one thread, but for the last row: there another process keeps a core busy, and training takes
the threads that it takes of itself. Beside wall time stands how long the training process was on a core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from common import busy_process, header, run

from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.training import BatchMaker, Trainer, batches, beside_workers, find_training_recipe

CLIPS = 1024
"""Clips a row, after a batch that is not counted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="points-fast")
    recipe = find_training_recipe(parser.parse_args().recipe)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    header(f"training, recipe {recipe.name}")
    body = AnnyBody()
    bank = procedural_bank(body, 1)
    size = recipe.optimiser.batch
    maker = BatchMaker(
        recipe.scenes,
        bank,
        body,
        recipe.network.cues,
        seed=0,
        size=size,
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(recipe, Path(folder), bank, body=body, workers=0)
        batch = maker.make(0)
        print(
            f"{sum(p.numel() for p in trainer.model.parameters()) / 1e6:.2f} M parameters, batches of {size} clips"
        )
        print("| what | clips/s | ms of a core a clip |")
        print("| --- | --- | --- |")

        def both(workers: int) -> Callable[[], object]:
            stream = batches(maker, 0, workers=workers)
            return lambda: trainer.step_on(next(stream))

        report("training alone", size, lambda: trainer.step_on(batch))
        report("data alone, one process", size, lambda: maker.make(1))
        report("both, 0 workers", size, both(0))
        report("both, 1 workers", size, both(1))
        torch.set_num_threads(threads)
        with busy_process(), beside_workers(1):
            report("both, 1 workers, beside a busy process", size, both(1))


def report(what: str, size: int, step: Callable[[], object]) -> None:
    """One row: a step is made once, then for `CLIPS` clips against the clock."""
    step()
    wall, spent = time.perf_counter(), time.process_time()
    for _ in range(CLIPS // size):
        step()
    wall, spent = time.perf_counter() - wall, time.process_time() - spent
    clips = CLIPS // size * size
    print(f"| {what} | {clips / wall:.1f} | {1000 * spent / clips:.2f} |", flush=True)


if __name__ == "__main__":
    run(main, new_options=("--recipe",))
