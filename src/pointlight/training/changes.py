"""`train --set PATH=VALUE`: a recipe with single fields changed, and what has to be said about them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch

from pointlight.body import BodyModel
from pointlight.cues import PictureCueConfig
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank
from pointlight.network import MartinezConfig, draw_pairs
from pointlight.overrides import changes_between, field_paths, paths_of, remarks, with_changes
from pointlight.randomness import stream
from pointlight.training.data import Batch, BatchMaker
from pointlight.training.recipes import RECIPES, Recipe

_FIXED = {
    "name": "it is how the recipe is called",
    "scenes.split": "training is on the motions of the split train alone",
}

_TRIAL_CLIPS = 2
_TRIAL_PAIRS = 3


def changed_recipe(
    recipe: Recipe, changes: Sequence[str], *, steps: int | None = None, procedural: bool = False
) -> Recipe:
    """The recipe with fields changed; a warning for each that the recipe sets itself, and for each without effect.

    Args:
        recipe: to change.
        changes: each "path=value", see `with_changes`.
        steps: length of the run that is asked for beside.
        procedural: the run is on procedural motions.

    Raises:
        PointlightError: a path that is not there, a value that cannot stand there, or a field that is not to be changed.
    """
    changed = with_changes(recipe, changes)
    for path in paths_of(changes):
        if path in _FIXED:
            raise PointlightError(f"{path} cannot be changed: {_FIXED[path]}")
    beside = {}
    if steps is not None:
        beside["optimiser.steps"] = f"--steps {steps} goes before it"
    if procedural:
        beside["floor"] = "floor poses are added to motion capture alone, and the motions here are procedural"

    def ignored(path: str) -> str:
        return beside.get(path) or ignored_because(changed, path)

    for sentence in remarks(recipe.name, recipe, changed, changes, ignored):
        warnings.warn(sentence, stacklevel=3)
    return changed


def changes_of(recipe: Recipe) -> tuple[str, ...]:
    """What `--set` is given to make this recipe of the one of its name; nothing for a recipe of another name."""
    return changes_between(RECIPES[recipe.name], recipe) if recipe.name in RECIPES else ()


def try_changed(recipe: Recipe, changes: Sequence[str], bank: MotionBank, body: BodyModel) -> None:
    """See that a changed recipe makes a batch and a loss, before a run is begun with it.

    Raises:
        PointlightError: it does not.
    """
    try:
        network = recipe.network.build(body)
        batch = _trial_batch(recipe, bank, body)
        pairs = draw_pairs(batch.inputs.shape[1], recipe.loss.pairs, stream(0, 0, "pairs"))
        network.loss(batch.inputs, batch.targets.of_pairs(pairs), body, recipe.loss, pairs)
        unsound = [
            path for path, value in field_paths(recipe.optimiser) if path in _COUNTS and value < _COUNTS[path]
        ]
        if unsound:
            raise ValueError(f"optimiser.{unsound[0]} is less than {_COUNTS[unsound[0]]}")
    except Exception as error:  # whatever a value breaks, the person who gave it wants to read it here
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise PointlightError(
            f"recipe {recipe.name!r} cannot be trained with --set {' --set '.join(changes)} ({reason}); give other values"
        ) from error


def _trial_batch(recipe: Recipe, bank: MotionBank, body: BodyModel) -> Batch:
    """A small one; networks that see pictures are shown few pairs, and grey ones."""
    cues = recipe.network.cues
    pictured = isinstance(cues, PictureCueConfig)
    numbers = cues.numbers if pictured else cues
    batch = BatchMaker(recipe.scenes, bank, body, numbers, seed=0, size=_TRIAL_CLIPS).make(0)
    if not pictured:
        return batch
    inputs = batch.inputs[:, :_TRIAL_PAIRS]
    grey = inputs.new_zeros(*inputs.shape[:-1], cues.input_shape[0] - inputs.shape[-1])
    return Batch(torch.cat((inputs, grey), dim=-1), batch.targets.of_pairs(torch.arange(inputs.shape[1])))


_COUNTS = {"batch": 1, "steps": 1, "evaluate_every": 1, "save_every": 1, "warmup": 0}
"""The least of the optimiser's whole numbers."""


def ignored_because(recipe: Recipe, path: str) -> str:
    """Why a field of a recipe has no effect; empty where it has one.

    Args:
        recipe: with the field as it is used.
        path: of the field.
    """
    if isinstance(recipe.network, MartinezConfig) and path.startswith("loss.") and path != "loss.pairs":
        return "the network of Martinez et al. has a loss of its own, without weights"
    values = dict(field_paths(recipe))
    gate = _GATES.get(path, "")
    if gate and not values.get(gate, True):
        return f"{gate} is {values[gate]}"
    return ""


_GATES = {
    "loss.fit_on_metric": "loss.surface_points",
    "loss.perspective": "loss.reprojection",
    "scenes.masking.block_frames": "scenes.masking.block",
    "scenes.noise.stray_size": "scenes.noise.stray",
    "scenes.masking.total_occlusion_frames": "scenes.masking.total_occlusion",
}
"""Fields that have no effect as long as another one is 0 or false."""
