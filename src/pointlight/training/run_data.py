"""What a run learns from and is watched on: scenes on the fly, or clips with pictures."""

from __future__ import annotations

from pointlight.body import BodyModel
from pointlight.motion import MotionBank
from pointlight.training.data import BatchMaker, BatchSource
from pointlight.training.picture_data import PictureBatches
from pointlight.training.picture_sources import PictureSources
from pointlight.training.recipes import Recipe
from pointlight.training.validation import Validation


def batch_source(
    recipe: Recipe,
    bank: MotionBank,
    body: BodyModel,
    pictures: PictureSources | None,
    *,
    seed: int,
    rows: range | None = None,
) -> BatchSource:
    """Batches of a recipe by number.

    Args:
        recipe: what is trained on what.
        bank: motions of scenes on the fly.
        body: whose pose is the truth.
        pictures: clips, for a network that sees some.
        seed: of all draws.
        rows: clips of each batch that are made; all if not given.
    """
    cues, size = recipe.network.cues, recipe.optimiser.batch
    if pictures is not None and recipe.pictures is not None:
        use = recipe.pictures
        return PictureBatches(pictures.train, recipe.scenes, use, cues, body, seed=seed, size=size, rows=rows)
    return BatchMaker(recipe.scenes, bank, body, cues, seed=seed, size=size, rows=rows)


def validation_of(
    recipe: Recipe, bank: MotionBank, body: BodyModel, pictures: PictureSources | None
) -> Validation:
    """Clips of the validation split, of the same kind."""
    if pictures is not None:
        return Validation.of_pictures(recipe, pictures.validation_clips())
    return Validation.of_scenes(recipe, bank, body)
