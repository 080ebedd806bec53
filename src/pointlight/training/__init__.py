"""Training: recipes, losses, batches by number, the trainer, checkpoints.

A run is a folder; what it was made from stands in its `run.json`.
"""

from pointlight.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
    shipped_models,
)
from pointlight.training.data import (
    Batch,
    BatchMaker,
    BatchSource,
    as_predict_reads,
    batches,
    observation_of,
    repaired_tracks,
    targets_of,
)
from pointlight.training.motions import learnt_body, training_bank
from pointlight.training.optimisers import OptimiserConfig, learning_rate
from pointlight.training.picture_bank import BankFrames, PictureBank, PictureBankConfig
from pointlight.training.picture_data import PictureUseConfig
from pointlight.training.picture_preparing import cut_pairs, maps_around, prepare_banks, prepare_pictures
from pointlight.training.picture_sources import PicturesGiven, sources_of
from pointlight.training.pretraining import PretrainingConfig, pretrain
from pointlight.training.recipes import RECIPES, Recipe, find_training_recipe
from pointlight.training.run_state import has_state
from pointlight.training.runs import train
from pointlight.training.shards import ClipShards
from pointlight.training.target_bank import TargetBank, TargetWriter
from pointlight.training.threads import beside_workers, training_threads
from pointlight.training.trainer import Trainer
from pointlight.training.validation import Validation

__all__ = [
    "RECIPES",
    "BankFrames",
    "Batch",
    "BatchMaker",
    "BatchSource",
    "Checkpoint",
    "ClipShards",
    "OptimiserConfig",
    "PictureBank",
    "PictureBankConfig",
    "PictureUseConfig",
    "PicturesGiven",
    "PretrainingConfig",
    "Recipe",
    "TargetBank",
    "TargetWriter",
    "Trainer",
    "Validation",
    "as_predict_reads",
    "batches",
    "beside_workers",
    "cut_pairs",
    "find_training_recipe",
    "has_state",
    "learning_rate",
    "learnt_body",
    "load_checkpoint",
    "maps_around",
    "observation_of",
    "prepare_banks",
    "prepare_pictures",
    "pretrain",
    "repaired_tracks",
    "save_checkpoint",
    "shipped_models",
    "sources_of",
    "targets_of",
    "train",
    "training_bank",
    "training_threads",
]
