"""Where a run's pictures come from: a prepared folder, or clips made on the spot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pointlight.body import BodyModel
from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.progress import ProgressCallback, silent
from pointlight.simulator.clips import Sources, SynthesisConfig, find_synthesis_recipe, open_maker
from pointlight.training.picture_bank import PictureBank
from pointlight.training.picture_clips import ClipSupply, MadeClips, PictureClip
from pointlight.training.recipes import Recipe

_WATCHED = 16
"""Clips that training is watched on, of those that are made on the spot."""

_MADE_SEED = 0


@dataclass(frozen=True)
class PictureSources:
    """What a network that sees pictures is trained and watched on.

    Attributes:
        train: clips of the training split.
        validation: of the validation split.
        watched: how many of those.
        where: folder of prepared pictures; "" for clips made on the spot.
        backgrounds: of clips made on the spot; "" for procedural scenes.
    """

    train: ClipSupply
    validation: ClipSupply
    watched: int
    where: str = ""
    backgrounds: str = ""

    @property
    def sha256(self) -> str:
        """Of both."""
        return config_sha256({"train": self.train.sha256, "validation": self.validation.sha256})

    def validation_clips(self) -> list[PictureClip]:
        """Those that are watched."""
        return [self.validation.clip(number) for number in range(self.watched)]


def open_pictures(
    given: Path | Sources | None, recipe: Recipe, body: BodyModel, progress: ProgressCallback = silent
) -> PictureSources | None:
    """The pictures of a run; None where its network sees none.

    Args:
        given: the folder of `prepare_banks`, or what clips are made from.
        recipe: whose network it is, and of which recipe clips are made.
        body: whose pose and shape are the truth.
        progress: told how far the sources are read.

    Raises:
        PointlightError: pictures are wanted and not given, given and not wanted, or cannot be used.
    """
    if recipe.pictures is None:
        if given is not None:
            raise PointlightError("this recipe sees no pictures; leave --pictures and --backgrounds out")
        return None
    if given is None:
        raise PointlightError(
            "this recipe sees pictures; prepare some with `pointlight prepare` and give the folder with --pictures"
        )
    if isinstance(given, Sources):
        train, validation = (
            MadeClips(
                open_maker(_clips_of(recipe, split), given, progress, warn=False), body, _MADE_SEED, split
            )
            for split in ("train", "validation")
        )
        backgrounds = "" if given.backgrounds is None else str(given.backgrounds.resolve())
        return PictureSources(train, validation, _WATCHED, backgrounds=backgrounds)
    folder = Path(given)
    train, validation = (PictureBank(folder / split, split) for split in ("train", "validation"))
    return PictureSources(train, validation, len(validation), where=str(folder.resolve()))


def _clips_of(recipe: Recipe, split: str) -> SynthesisConfig:
    """The recipe's clips, as long as its network sees them."""
    assert recipe.pictures is not None
    config = find_synthesis_recipe(recipe.pictures.clips).with_options(split=split)
    return replace(config, scenes=replace(config.scenes, frames=recipe.scenes.frames))
