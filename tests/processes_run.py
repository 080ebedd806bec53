"""Run as two processes in tests: twenty steps of recipes in small, whose losses the first process writes down."""

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
from pointlight.training.processes import ALONE, Processes, joined

STEPS = 20
FRAMES = 7


def points() -> Recipe:
    """`points` with a small network; batches, losses, noise and schedule are its own."""
    recipe = find_training_recipe("points")
    network = MotionHMRConfig(encoder=PointsEncoderConfig(hidden=32, features=32), lstm=16, head=32)
    return replace(recipe, network=network)


def small(frames: int) -> Recipe:
    """`small-flow_keypoints` at 32 px, by AdamW: SOAP's first steps blow up roundings where gradients are near nothing."""
    recipe = find_training_recipe("small-flow_keypoints")
    assert isinstance(recipe.network, MotionHMRConfig)
    cues = replace(recipe.network.cues, side_px=32)
    encoder = PictureEncoderConfig(widths=(8, 16), features=16, flow_gain=20.0)
    network = replace(recipe.network, cues=cues, encoder=encoder, lstm=16, head=32)
    optimiser = replace(recipe.optimiser, kind="adamw", batch=4)
    assert recipe.pictures is not None
    use = replace(recipe.pictures, clips="no_tracking_no_occlusions")
    scenes = replace(recipe.scenes, frames=frames)
    return replace(recipe, network=network, optimiser=optimiser, scenes=scenes, pictures=use)


def recipes(frames: int) -> dict[str, Recipe]:
    """By name."""
    return {"points": points(), "small": small(frames)}


def losses(recipe: Recipe, out: Path, pictures: Path, processes: Processes = ALONE) -> list[float]:
    """Of the first steps; of the first clip of every other batch little is known."""
    torch.set_num_threads(1)
    body = AnnyBody()
    bank = procedural_bank(body, 5, clips_per_kind=5, frames=62, kinds=("walk",))
    seen = pictures if recipe.pictures else None
    trainer = Trainer(recipe, out, bank, body=body, workers=0, pictures=seen, processes=processes)
    upcoming = batches(trainer._batch_source(trainer._rows), 0, workers=0)
    found = []
    for step in range(STEPS):
        batch = next(upcoming)
        if processes.leads and step % 2 == 0:
            body_known = torch.arange(len(batch.inputs)) > 0
            known = torch.ones(batch.targets.points_ray_m.shape[:-1], dtype=torch.bool)
            known[0, :, :, ::2] = False
            batch = replace(batch, targets=replace(batch.targets, body_known=body_known, known=known))
        found.append(trainer.step_on(batch)[0])
        trainer.step += 1
    return found


if __name__ == "__main__":
    out, pictures = map(Path, sys.argv[1:])
    with joined("cpu") as processes:
        found = {
            name: losses(recipe, out / f"{name}{processes.rank}", pictures, processes)
            for name, recipe in recipes(FRAMES).items()
        }
    if processes.leads:
        (out / "losses.json").write_text(json.dumps(found))
