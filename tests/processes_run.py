"""Run by `torchrun` in tests: twenty steps of a recipe, whose losses are written down by the first process."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.network import MotionHMRConfig, PictureEncoderConfig, PointsEncoderConfig
from pointlight.training import Recipe, Trainer, batches, find_training_recipe
from pointlight.training.processes import joined

STEPS = 20


def points() -> Recipe:
    """`points` in small, with its own optimiser, losses and noise; a clip's truth is known in parts, see `blinded`."""
    recipe = find_training_recipe("points")
    network = MotionHMRConfig(encoder=PointsEncoderConfig(hidden=32, features=32), lstm=16, head=32)
    return replace(recipe, network=network)


def small(frames: int) -> Recipe:
    """`small-flow_keypoints` at 32 px."""
    recipe = find_training_recipe("small-flow_keypoints")
    assert isinstance(recipe.network, MotionHMRConfig)
    cues = replace(recipe.network.cues, side_px=32)
    encoder = PictureEncoderConfig(widths=(8, 16), features=16, flow_gain=20.0)
    network = replace(recipe.network, cues=cues, encoder=encoder, lstm=16, head=32)
    optimiser = replace(recipe.optimiser, batch=4)
    return replace(recipe, network=network, optimiser=optimiser, scenes=replace(recipe.scenes, frames=frames))


def losses(recipe: Recipe, out: Path, pictures: Path | None) -> list[float]:
    """Of the first steps; the even batches' first clip has no known body."""
    torch.set_num_threads(1)
    body = AnnyBody()
    bank = procedural_bank(body, 5, clips_per_kind=5, frames=62, kinds=("walk",))
    found = []
    with joined("cpu") as processes:
        trainer = Trainer(recipe, out, bank, body=body, workers=0, pictures=pictures, processes=processes)
        upcoming = batches(trainer._batch_source(trainer._rows), 0, workers=0)
        for step in range(STEPS):
            batch = next(upcoming)
            if processes.leads and step % 2 == 0:
                count = len(batch.inputs)
                body_known = torch.arange(count) > 0
                known = torch.ones(batch.targets.points_ray_m.shape[:-1], dtype=torch.bool)
                known[0, :, :, ::2] = False
                batch = replace(batch, targets=replace(batch.targets, body_known=body_known, known=known))
            found.append(trainer.step_on(batch, STEPS)[0])
            trainer.step += 1
    return found


if __name__ == "__main__":
    which, folder, frames, given = sys.argv[1:]
    recipe = points() if which == "points" else small(int(frames))
    found = losses(recipe, Path(folder), Path(given) if given else None)
    written = Path(folder) / "losses.json"
    if not written.exists():
        written.write_text(json.dumps(found))
