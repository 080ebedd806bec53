"""Train a recipe with one thing changed at a time, briefly, and compare on the validation split.

`tools/ablations.py --motion FOLDER --out DIR [--recipe points] [--steps N] [--seed S] [--init WEIGHTS] [NAME ...]`: each
variant is a run in DIR/NAME that goes on where it stood. Short runs say which way a change points, not what hours would
give; from WEIGHTS on they say what a change is worth to a network that has learned already, where the change leaves its
size alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from pointlight.body import AnnyBody
from pointlight.cues import CueConfig, PointCueConfig
from pointlight.motion import VarietyConfig
from pointlight.network import LossConfig
from pointlight.simulator import MEDIAPIPE_V1, CameraConfig, DetectorNoise
from pointlight.training import Recipe, Trainer, find_training_recipe, training_bank


def _variety(**switches: float) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(
        recipe, scenes=replace(recipe.scenes, variety=replace(recipe.scenes.variety, **switches))
    )


def _scenes(**fields: object) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, scenes=replace(recipe.scenes, **fields))  # pyright: ignore[reportArgumentType]


def _loss(**weights: float | bool) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, loss=replace(recipe.loss, **weights))


def _cues(cues: CueConfig) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, network=replace(recipe.network, cues=cues))  # pyright: ignore[reportArgumentType]


def _papers_loss(recipe: Recipe) -> Recipe:
    return replace(
        recipe, loss=LossConfig(aligned=recipe.loss.aligned, reprojection=recipe.loss.reprojection)
    )


VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    "unchanged": lambda recipe: recipe,
    "no-variety": _scenes(variety=VarietyConfig.none()),
    "no-mix": _variety(mix=0.0),
    "no-warp": _variety(warp=0.0),
    "no-bend": _variety(bend=0.0),
    "no-swing": _variety(swing=0.0),
    "no-arms": _variety(arms=0.0),
    "no-seats": _variety(seats=0.0),
    "paper12": _cues(PointCueConfig("paper12")),
    "present-frame": _cues(PointCueConfig(next_frame=False)),
    "no-surface-points": _loss(surface_points=False),
    "no-rotations": _loss(rotation=0.0, turn=0.0, root=0.0),
    "no-velocity": _loss(velocity=0.0),
    "no-unaligned": _loss(unaligned=0.0),
    "fit-on-metric": _loss(fit_on_metric=True),
    "paper-loss": _papers_loss,
    "weak": _loss(perspective=False),
    "no-noise": _scenes(noise=DetectorNoise(), other_noises=()),
    "our-noise": _scenes(other_noises=()),
    "mediapipe-noise": _scenes(noise=MEDIAPIPE_V1, other_noises=()),
    "even-groups": _scenes(group_power=0.0),
    "level-camera": _scenes(camera=CameraConfig(elevation_deg=(5.0, 8.0), roll_deg=4.0)),
    "no-floor": lambda recipe: replace(recipe, floor=False),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(VARIANTS)}; all if none is named")
    parser.add_argument("--motion", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="points")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--init", help="weights to start from")
    given = parser.parse_args()
    torch.set_num_threads(1)
    body = AnnyBody()
    print("| variant | PA-MPJPE mm, validation | root deg (median) |")
    print("| --- | --- | --- |")
    for name in given.names or VARIANTS:
        recipe = VARIANTS[name](find_training_recipe(given.recipe))
        every = given.steps // 2
        recipe = replace(recipe, optimiser=replace(recipe.optimiser, evaluate_every=every))
        bank = training_bank(given.motion, body, floor=recipe.floor)
        trainer = Trainer(recipe, given.out / name, bank, body=body, seed=given.seed, init=given.init)
        if (given.out / name / "last.safetensors").exists():
            trainer.resume()
        trainer.run(steps=given.steps)
        last = json.loads((given.out / name / "validation.jsonl").read_text().splitlines()[-1])
        print(f"| {name} | {last['pa_mpjpe_mm']:.1f} | {last['root_deg_median']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
