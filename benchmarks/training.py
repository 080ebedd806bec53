"""Clips a second of training alone, of data alone, and of both: `python benchmarks/training.py [RECIPE]`. Seed 0.

The last row is taken while another process keeps a core busy.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from common import header, run, seconds

from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.training import BatchMaker, Trainer, batches, find_training_recipe

STEPS = 20
"""In which the optimiser's bases are brought up to date once."""


def main() -> None:
    torch.set_num_threads(1)
    header("training")
    body = AnnyBody()
    bank = procedural_bank(body, 1)
    recipe = find_training_recipe(sys.argv[1] if len(sys.argv) > 1 else "points-fast")
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
        alone = seconds(lambda: trainer.step_on(batch))
        data = seconds(lambda: maker.make(1))
        print(
            f"{sum(p.numel() for p in trainer.model.parameters()) / 1e6:.2f} M parameters, batches of {size} clips"
        )
        print("| what | clips/s |")
        print("| --- | --- |")
        print(f"| training alone | {size / alone:.0f} |")
        print(f"| data alone, one process | {size / data:.0f} |")
        for workers in (0, 1):
            print(f"| both, {workers} workers | {_both(trainer, maker, workers, size):.0f} |")
        with _busy_process():
            print(f"| both, 1 workers, beside a busy process | {_both(trainer, maker, 1, size):.0f} |")


def _both(trainer: Trainer, maker: BatchMaker, workers: int, size: int) -> float:
    """Clips a second of data and training together."""
    stream = batches(maker, 0, workers=workers)
    trainer.step_on(next(stream))
    started = time.perf_counter()
    for _ in range(STEPS):
        trainer.step_on(next(stream))
    return STEPS * size / (time.perf_counter() - started)


@contextmanager
def _busy_process() -> Iterator[None]:
    """Another program that wants a core for itself."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


if __name__ == "__main__":
    run(main)
