"""`train --set PATH=VALUE`: a recipe with single fields changed, and what has to be said about them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from pointlight.body import BodyModel
from pointlight.cues import EXACT_FLOW, PairPictures
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank
from pointlight.network import MartinezConfig, draw_pairs
from pointlight.overrides import changes_between, field_paths, paths_of, remarks, with_changes
from pointlight.randomness import stream
from pointlight.training.data import BatchMaker
from pointlight.training.recipes import RECIPES, Recipe

_FIXED = {
    "name": "it is how the recipe is called",
    "scenes.split": "training is on the motions of the split train alone",
}

_TRIAL_CLIPS = 2
_BLANK_PX = (240, 320)


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


class _Blank:
    """Pictures that show nothing, to try a network on."""

    def pair(self, number: int) -> PairPictures:
        black, still = np.zeros((*_BLANK_PX, 3), np.uint8), np.zeros((*_BLANK_PX, 2), np.float32)
        return PairPictures(black, black, flow_px=still, flow_name=EXACT_FLOW)


def try_changed(recipe: Recipe, changes: Sequence[str], bank: MotionBank, body: BodyModel) -> None:
    """See that a changed recipe makes a batch and a loss, before a run is begun with it.

    Raises:
        PointlightError: it does not.
    """
    try:
        network = recipe.network.build(body)
        cues = recipe.network.cues
        maker = BatchMaker(recipe.scenes, bank, body, cues, seed=0, size=_TRIAL_CLIPS)
        batch = maker.make(0, (_Blank(),) * _TRIAL_CLIPS if cues.sees_pictures else ())
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
    if isinstance(recipe.network, MartinezConfig) and path == "optimiser.precision":
        return "the network of Martinez et al. has no encoder"
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
