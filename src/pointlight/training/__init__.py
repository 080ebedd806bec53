"""Training: recipes, losses, batches by number, the trainer, checkpoints.

A run is a folder; what it was made from stands in its `run.json`.
"""

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
from pointlight.training.losses import (
    EVALUATION_INDICES,
    LossConfig,
    Targets,
    draw_pairs,
    motion_hmr_loss,
    reproject,
)
from pointlight.training.motions import PROCEDURAL_SEED, training_bank
from pointlight.training.optimisers import OptimiserConfig, learning_rate
from pointlight.training.recipes import RECIPES, Recipe, find_recipe
from pointlight.training.shards import ClipShards
from pointlight.training.threads import beside_workers, training_threads
from pointlight.training.trainer import Progress, Trainer, train
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
    "beside_workers",
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
    "training_threads",
]
