"""The rows of the paper's tables as recipes, at three sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pointlight.errors import PointlightError
from pointlight.network import MotionHMRConfig
from pointlight.simulator import CLIP_FRAMES, MEDIAPIPE_V1, SYNTHESIS_RECIPES
from pointlight.training import RECIPES, PictureUseConfig, Recipe

CLIPS = "full"
"""The clips that every row learns from, but for those of Table 2 which are about others."""

LONGEST = 56
"""Frames of the clips that those of Table 3 are cut from."""


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        name: in files.
        title: in tables.
        recipe: what is trained: a recipe's name, without its size where there are several.
        paper_mm: in the paper; None for rows of ours.
        clips: recipe of the clips that it learns from.
        frames: that it sees at once.
        cut: these are cut from clips of `LONGEST` frames.
        paper_batch: clips a step in the paper.
    """

    name: str
    title: str
    recipe: str
    paper_mm: float | None = None
    clips: str = CLIPS
    frames: int = CLIP_FRAMES
    cut: bool = False
    paper_batch: int = 3


TABLES: dict[str, tuple[Row, ...]] = {
    "table1": (
        Row("martinez", "Martinez et al.", "martinez", 157.0),
        Row("rgb", "RGB Only", "rgb", 105.6),
        Row("rgb_dann", "RGB + DANN", "rgb_dann", 103.0),
        Row("flow", "Flow Only", "flow", 100.1),
        Row("rgb_keypoints", "RGB + Keypoints", "rgb_keypoints", 82.4),
        Row("keypoints", "Keypoints Only", "keypoints", 77.6),
        Row("flow_keypoints", "Flow + Keypoints", "flow_keypoints", 74.7),
        Row("rgb_imagenet", "RGB, ImageNet's encoder (ours)", "rgb_imagenet"),
        Row("rgb_scratch", "RGB, fresh encoder (ours)", "rgb_scratch"),
        Row("points_paper", "Keypoints as numbers (ours)", "points-paper"),
        Row("points_flow", "Keypoints as numbers, flow at limbs (ours)", "points-flow"),
    ),
    "table2": (
        Row("full", "Full Model", "flow_keypoints", 74.7),
        Row("no_occlusions", "No occlusions", "flow_keypoints", 77.2, clips="no_occlusions"),
        Row(
            "no_tracking_no_occlusions",
            "No background tracking, no occlusions",
            "flow_keypoints",
            80.3,
            clips="no_tracking_no_occlusions",
        ),
        Row(
            "static_no_occlusions",
            "Static background, no occlusions",
            "flow_keypoints",
            88.9,
            clips="static_no_occlusions",
        ),
    ),
    "table3": (
        Row("8", "8", "flow_keypoints", 79.0, frames=8, cut=True, paper_batch=6),
        Row("16", "16", "flow_keypoints", 77.8, frames=16, cut=True, paper_batch=6),
        Row("31", "31", "flow_keypoints", 74.7, frames=31, cut=True, paper_batch=3),
        Row("56", "56", "flow_keypoints", 76.2, frames=56, cut=True, paper_batch=2),
    ),
}
"""Titles as in the paper."""


@dataclass(frozen=True)
class Size:
    """How large networks are and how much they see.

    Attributes:
        name: of the size.
        family: which recipes: those of 64 px that a CPU trains, or the paper's.
        clips_per_row: that a row of each table learns from, counting each use.
        bank: different clips that these are drawn from, by table; clips are made on the spot where it is 0.
        scored: simulated clips that each row is scored on.
        trunk_steps: of dense pretraining, which stands in for ImageNet; 0 for none.
        targets: tracks of real people that DANN learns against.
        batch: clips a step; the recipe's if not given.
        dann_weights: of the adversary, that are tried on a sixth of the clips; the best on (b) of development is the row's.
    """

    name: str
    family: Literal["small", "paper"]
    clips_per_row: Mapping[str, int]
    bank: Mapping[str, int]
    scored: int = 128
    trunk_steps: int = 0
    targets: int = 2000
    batch: int | None = None
    dann_weights: tuple[float, ...] = (0.2, 1.0, 5.0)


SIZES: dict[str, Size] = {
    size.name: size
    for size in (
        Size(
            "tiny",
            "small",
            dict.fromkeys(TABLES, 4),
            dict.fromkeys(TABLES, 2),
            scored=1,
            targets=2,
            batch=2,
            dann_weights=(1.0,),
        ),
        Size(
            "small",
            "small",
            {"table1": 60_000, "table2": 20_000, "table3": 20_000},
            {"table1": 4000, "table2": 1008, "table3": 1008},
            trunk_steps=1000,
        ),
        # The paper names no length of its training; this is the guess of the recipes `paper-...`.
        Size("paper", "paper", dict.fromkeys(TABLES, 300_000), dict.fromkeys(TABLES, 0)),
    )
}


def rows_of(table: str, size: Size) -> tuple[Row, ...]:
    """The rows of a table that there are at a size.

    Raises:
        PointlightError: there is no such table.
    """
    if table not in TABLES:
        raise PointlightError(f"there is no {table!r} to reproduce; there are {', '.join(TABLES)}")
    return tuple(row for row in TABLES[table] if {row.recipe, f"{size.family}-{row.recipe}"} & RECIPES.keys())


def find_size(name: str) -> Size:
    """The size of that name.

    Raises:
        PointlightError: there is none.
    """
    if name not in SIZES:
        raise PointlightError(f"there is no size {name!r}; there are {', '.join(SIZES)}")
    return SIZES[name]


def recipe_of(
    row: Row, size: Size, clips: int, *, noise: bool = False, dann_weight: float | None = None
) -> Recipe:
    """What a row trains.

    Args:
        row: of a table.
        size: of networks.
        clips: of 31 frames that are seen, counting each use; of shorter ones as many more.
        noise: keypoints have a detector's errors; the paper's are exact.
        dann_weight: of the adversary, where the row has one.
    """
    known = row.recipe in RECIPES
    recipe = RECIPES[row.recipe if known else f"{size.family}-{row.recipe}"]
    if known:
        recipe = _on_the_same_people(recipe, size)
    if row.cut:
        use = replace(recipe.pictures or PictureUseConfig(), window=row.frames)
        recipe = replace(recipe, scenes=replace(recipe.scenes, frames=LONGEST), pictures=use)
    assert recipe.pictures is not None
    recipe = replace(recipe, pictures=replace(recipe.pictures, clips=row.clips))
    if noise:
        recipe = replace(recipe, scenes=replace(recipe.scenes, noise=MEDIAPIPE_V1, other_noises=()))
    if dann_weight is not None and recipe.domains is not None:
        recipe = replace(recipe, domains=replace(recipe.domains, weight=dann_weight))
    batch = _batch(row, size, recipe)
    steps = max(1, round(clips * CLIP_FRAMES / row.frames) // batch)  # equally many frames
    often = max(1, steps // 10)
    optimiser = replace(
        recipe.optimiser,
        batch=batch,
        steps=steps,
        warmup=min(recipe.optimiser.warmup, often),
        evaluate_every=often,
        save_every=often,
    )
    return replace(recipe, optimiser=optimiser)


def _on_the_same_people(recipe: Recipe, size: Size) -> Recipe:
    """A recipe of keypoints on the clips that the other rows learn from, its widths those of the size."""
    stride = 1 if isinstance(recipe.network, MotionHMRConfig) else PictureUseConfig().stride
    if size.family == "small" and recipe.name == "points-paper":
        ours = RECIPES["points"].network
        assert isinstance(recipe.network, MotionHMRConfig) and isinstance(ours, MotionHMRConfig)
        network = replace(recipe.network, lstm=ours.lstm, head=ours.head, regressor=ours.regressor)
        recipe = replace(recipe, network=network)
    return replace(
        recipe,
        scenes=SYNTHESIS_RECIPES[CLIPS].scenes,
        pictures=PictureUseConfig(stride=stride, mirror=size.family != "paper"),
        own_validation=True,
        floor=False,
    )


def _batch(row: Row, size: Size, recipe: Recipe) -> int:
    """Clips a step: as many frames whatever their length, or as in the paper."""
    if size.batch:
        return size.batch
    if size.family == "paper":
        return row.paper_batch
    if row.frames == CLIP_FRAMES:
        return recipe.optimiser.batch
    return max(1, round(recipe.optimiser.batch * CLIP_FRAMES / row.frames))
