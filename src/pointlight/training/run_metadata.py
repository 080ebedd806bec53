"""What stands in a run's weights beside the numbers: what they were made from, and the command that makes them again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from pointlight.body import SmplBody
from pointlight.configuration import config_sha256, to_plain
from pointlight.training.changes import changes_of

if TYPE_CHECKING:
    from pointlight.training.trainer import Trainer


def metadata_of(trainer: Trainer) -> dict[str, Any]:
    """Of the weights that a run has now."""
    run, pictures = trainer.run_file, trainer.pictures
    return {
        "recipe_name": trainer.recipe.name,
        "recipe": to_plain(trainer.recipe),
        "recipe_sha256": config_sha256(trainer.recipe),
        "commit": run.sessions[-1].commit if run else "",
        "steps": trainer.step,
        "seconds": round(trainer.seconds),
        "seed": trainer.seed,
        "motion_sha256": trainer.bank.sha256,
        **({"pictures_sha256": pictures.sha256} if pictures else {}),
        **({} if run is None else run.begun_with),
        "lineage": trainer.lineage,
        "command": command_of(trainer),
    }


def command_of(trainer: Trainer) -> str:
    """What makes such weights again; the lineage has the sha256 of WEIGHTS, `motion_sha256` is FOLDER's."""
    run, pictures = trainer.run_file, trainer.pictures
    given = {
        "--init WEIGHTS": trainer.lineage,
        "--motion FOLDER": any(not clip.name.startswith("procedural/") for clip in trainer.bank.clips),
        " ".join(pictures.words if pictures else ()): pictures,
        "--smpl FILE": isinstance(trainer.body, SmplBody),
        "--trunk FILE": run and run.trunk_sha256,
        "--targets FOLDER": trainer.targets,
    }
    length = f"--steps {trainer.steps}" if run is None else run.command()
    changes = [f"--set {shlex.quote(change)}" for change in changes_of(trainer.recipe)]
    words = [f"pointlight train {trainer.recipe.name} --seed {trainer.seed}", length, *changes]
    return " ".join([*words, *(option for option, there in given.items() if there and option)])
