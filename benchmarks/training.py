"""Clips a second of training alone, of data alone, and of both: `python benchmarks/training.py`. Recipe points, seed 0."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch
from common import header, seconds

from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.training import BatchMaker, Trainer, batches, find_training_recipe

STEPS = 12


def main() -> None:
    torch.set_num_threads(1)
    header("training")
    body = AnnyBody()
    bank = procedural_bank(body, 1)
    recipe = find_training_recipe("points")
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
            stream = batches(maker, 0, workers=workers)
            trainer.step_on(next(stream))
            started = time.perf_counter()
            for _ in range(STEPS):
                trainer.step_on(next(stream))
            both = STEPS * size / (time.perf_counter() - started)
            print(f"| both, {workers} workers | {both:.0f} |")


if __name__ == "__main__":
    main()
