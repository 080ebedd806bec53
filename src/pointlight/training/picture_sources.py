"""Where a run's pictures come from: a prepared folder, clips of shards, or clips made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pointlight.body import BodyModel
from pointlight.configuration import config_sha256
from pointlight.cues import EXACT_FLOW, PictureCueConfig
from pointlight.errors import PointlightError
from pointlight.progress import ProgressCallback, silent
from pointlight.simulator.clips import Sources, SynthesisConfig, find_synthesis_recipe, open_maker
from pointlight.training.picture_bank import PictureBank
from pointlight.training.picture_clips import ClipSupply, MadeClips, PictureClip
from pointlight.training.recipes import Recipe
from pointlight.training.stored_clips import ShardClips, StoredClips, absolute

PicturesGiven = Path | Sources | tuple[str, ...]
"""A folder of `prepare_banks`; what clips are made from; addresses of shards."""

_WATCHED = 16
"""Clips that training is watched on, of those that are made on the spot; at most twice as many of shards."""

_MADE_SEED = 0
_SPLITS = ("train", "validation")


@dataclass(frozen=True)
class PictureSources:
    """What a network that sees pictures is trained and watched on.

    Attributes:
        train: clips of the training split.
        validation: of the validation split.
        watched: how many of those.
        where: folder of prepared pictures; "" for others.
        backgrounds: of clips made on the spot; "" for procedural scenes.
        surreal: whose people are in those; "" for rendered ones.
        surreal_depth: whether SURREAL's depth is read.
        shards: addresses; none for others.
    """

    train: ClipSupply
    validation: ClipSupply
    watched: int
    where: str = ""
    backgrounds: str = ""
    surreal: str = ""
    surreal_depth: bool = True
    shards: tuple[str, ...] = ()

    @property
    def places(self) -> dict[str, Any]:
        """Where they lay, by the fields of `RunFile`."""
        names = ("backgrounds", "surreal", "surreal_depth", "shards")
        return {"pictures": self.where, **{name: getattr(self, name) for name in names}}

    @property
    def words(self) -> list[str]:
        """Options of `pointlight train` that give such pictures."""
        said = {
            "--pictures FOLDER": self.where,
            "--backgrounds FOLDER": self.backgrounds,
            "--surreal FOLDER": self.surreal,
            "--no-surreal-depth": not self.surreal_depth,
            "--shards ADDRESS": self.shards,
        }
        return [option for option, given in said.items() if given]

    @property
    def sha256(self) -> str:
        """Of both."""
        return config_sha256({"train": self.train.sha256, "validation": self.validation.sha256})

    def check_clips(self, recipe: Recipe) -> None:
        """See that the clips are of the recipe that a training recipe asks for.

        Raises:
            PointlightError: they are of another.
        """
        assert recipe.pictures is not None
        wanted, where = recipe.pictures.clips, self.where or ", ".join(self.shards)
        for clips in (self.train, self.validation):
            if clips.recipe != wanted:
                raise PointlightError(
                    f"the pictures in {where} are clips of the recipe {clips.recipe!r}, and {recipe.name!r} is trained on "
                    f"{wanted!r}; give such, or say --set pictures.clips={clips.recipe}"
                )

    def validation_clips(self) -> list[PictureClip]:
        """Those that are watched."""
        return [self.validation.clip(number) for number in range(self.watched)]


def open_pictures(
    given: PicturesGiven | None, recipe: Recipe, body: BodyModel, progress: ProgressCallback = silent
) -> PictureSources | None:
    """The pictures of a run; None where its network sees none.

    Args:
        given: the folder of `prepare_banks`, what clips are made from, or where their shards are.
        recipe: whose network it is, and of which recipe clips are made.
        body: whose pose and shape are the truth.
        progress: told how far the sources are read.

    Raises:
        PointlightError: pictures are wanted and not given, given and not wanted, or cannot be used.
    """
    if recipe.pictures is None:
        if given is not None:
            raise PointlightError(
                "this recipe sees no pictures; leave --pictures, --shards, --surreal and --backgrounds out"
            )
        return None
    if given is None:
        raise PointlightError(
            "this recipe sees pictures; prepare some with `pointlight prepare` and give the folder with --pictures"
        )
    cues = recipe.network.cues
    exact = isinstance(cues, PictureCueConfig) and cues.flow == EXACT_FLOW
    if isinstance(given, Sources):
        train, validation = (
            MadeClips(
                open_maker(_clips_of(recipe, split), given, progress, warn=False),
                body,
                _MADE_SEED,
                split,
                exact=exact,
            )
            for split in _SPLITS
        )
        backgrounds, surreal = (
            "" if place is None else str(place.resolve()) for place in (given.backgrounds, given.surreal)
        )
        depth = given.surreal_depth or not surreal
        return PictureSources(
            train, validation, _WATCHED, backgrounds=backgrounds, surreal=surreal, surreal_depth=depth
        )
    if isinstance(given, tuple):
        addresses = absolute(given)
        stored = [StoredClips(addresses, split, exact=exact) for split in _SPLITS]
        if odd := [clips.frames for clips in stored if clips.frames != recipe.scenes.frames]:
            raise PointlightError(
                f"the clips of {', '.join(addresses)} have {odd[0]} frames, recipe {recipe.name!r} is trained on "
                f"{recipe.scenes.frames}; give such, or say --set scenes.frames={odd[0]}"
            )
        train, validation = (ShardClips(clips, body) for clips in stored)
        return PictureSources(train, validation, min(len(validation), 2 * _WATCHED), shards=addresses)
    folder = Path(given)
    train, validation = (PictureBank(folder / split, split) for split in _SPLITS)
    for bank in (train, validation):
        bank.check_body(body)
    return PictureSources(train, validation, len(validation), where=str(folder.resolve()))


def _clips_of(recipe: Recipe, split: str) -> SynthesisConfig:
    """The recipe's clips, as long as its network sees them."""
    assert recipe.pictures is not None
    config = find_synthesis_recipe(recipe.pictures.clips).with_options(split=split)
    return replace(config, scenes=replace(config.scenes, frames=recipe.scenes.frames))


def sources_of(
    motion: Path | str | Sequence[Path] | None,
    backgrounds: Path | str | None,
    surreal: Path | str | None,
    surreal_depth: bool | None,
    cache: Path | None,
) -> Sources:
    """What clips are made from, each as `Sources` has it; None is the usual."""
    several = motion if motion is None or isinstance(motion, str | Path) else tuple(map(Path, motion))
    return Sources(
        motion=Path(several) if isinstance(several, str) else several,
        backgrounds=None if backgrounds is None else Path(backgrounds),
        cache=cache,
        surreal=None if surreal is None else Path(surreal),
        surreal_depth=surreal_depth is not False,
    )
