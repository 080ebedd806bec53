"""Training: losses, data on the fly, the loop, checkpoints, recipes."""

from pointlight.training.checkpoint import (
    Checkpoint,
    build_network,
    load_checkpoint,
    save_checkpoint,
    shipped_models,
)
from pointlight.training.configuration import from_plain, to_plain
from pointlight.training.data import (
    Batch,
    BatchMaker,
    batches,
    cues_of_tracks,
    repaired_tracks,
    targets_of_tracks,
)
from pointlight.training.loop import (
    PROCEDURAL_SEED,
    Progress,
    Trainer,
    learning_rate,
    train,
    training_bank,
)
from pointlight.training.losses import (
    EVALUATION_INDICES,
    LossConfig,
    Targets,
    draw_pairs,
    motion_hmr_loss,
    reproject,
)
from pointlight.training.recipes import RECIPES, OptimiserConfig, Recipe, find_recipe
from pointlight.training.shards import ClipShards
from pointlight.training.validation import Validation, body_points

__all__ = [
    "EVALUATION_INDICES",
    "PROCEDURAL_SEED",
    "RECIPES",
    "Batch",
    "BatchMaker",
    "Checkpoint",
    "ClipShards",
    "LossConfig",
    "OptimiserConfig",
    "Progress",
    "Recipe",
    "Targets",
    "Trainer",
    "Validation",
    "batches",
    "body_points",
    "build_network",
    "cues_of_tracks",
    "draw_pairs",
    "find_recipe",
    "from_plain",
    "learning_rate",
    "load_checkpoint",
    "motion_hmr_loss",
    "repaired_tracks",
    "reproject",
    "save_checkpoint",
    "shipped_models",
    "targets_of_tracks",
    "to_plain",
    "train",
    "training_bank",
]
