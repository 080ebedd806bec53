"""What networks that see pictures reach on prepared pictures, and what each makes of each cue.

`python benchmarks/picture_models.py PICTURES MODEL... [--motion FOLDER]`: PICTURES is a folder of `pointlight prepare`, of
which the validation split is scored; a MODEL is a run or a file of weights. Beside each error stand its share of the best
constant pose's and what it becomes when a cue is set to zero: a cue that changes nothing is dead weight.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from common import run

from pointlight.body import AnnyBody
from pointlight.evaluation import constant_pose
from pointlight.training import PictureBank, Validation, load_checkpoint, training_bank
from pointlight.training.recipes import find_training_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path, nargs="?")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--recipe", default="small-keypoints", help="whose masking and noise hold")
    options = parser.parse_args()
    if options.pictures is None:
        print("skipped: python benchmarks/picture_models.py PICTURES MODEL...")
        return
    body = AnnyBody()
    bank = training_bank(options.motion, body)
    recipe = find_training_recipe(options.recipe)
    pictures = PictureBank(options.pictures / "validation", "validation")
    validation = Validation.of_pictures(recipe, [pictures.clip(number) for number in range(len(pictures))])
    constant = validation.score(constant_pose(bank, body), body)["pa_mpjpe_mm"]
    print("| model | PA-MPJPE mm | of constant | without rgb | without flow | without keypoints |")
    print("| --- | --- | --- | --- | --- | --- |")
    print(f"| best constant pose | {constant:.1f} | 1.00 | | | |")
    for name in options.models:
        checkpoint = load_checkpoint(name, body)
        cues = checkpoint.config.cues
        whole = validation.score(checkpoint.model, body)["pa_mpjpe_mm"]
        cells = []
        for cue in ("rgb", "flow", "keypoints"):
            there = cue in cues.shown
            without = validation.score(checkpoint.model, body, without=cue)["pa_mpjpe_mm"] if there else None
            cells.append("" if without is None else f"{without:.1f}")
        print(f"| {name} | {whole:.1f} | {whole / constant:.2f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    run(main)
