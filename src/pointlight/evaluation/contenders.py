"""Who is scored: the models that a user names, the shipped networks beside which they stand, and the best constant pose."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from pointlight.body import BodyModel
from pointlight.errors import PointlightError
from pointlight.geometry import similarity_alignment
from pointlight.motion import MotionBank
from pointlight.network import EVALUATION_INDICES
from pointlight.simulator import EVAL_V1, SceneSampler, TrackMaker
from pointlight.training import Checkpoint, load_checkpoint, shipped_models

EVALUATION_SEED = 7
_BASELINES = {"martinez": "martinez", "memoryless": "points-memoryless"}
_CONSTANT_CLIPS = 512


def baseline_checkpoints(body: BodyModel, device: str = "cpu") -> dict[str, Checkpoint]:
    """The shipped networks that others are compared with, by the name that tables give them."""
    shipped = shipped_models()
    return {
        baseline: load_checkpoint(name, body).on(device)
        for baseline, name in _BASELINES.items()
        if name in shipped
    }


def names_of(models: Sequence[str] | str) -> Sequence[str]:
    """Models as a list; a single name is one of them."""
    return [models] if isinstance(models, str) else models


def named_checkpoints(models: Sequence[str], body: BodyModel, device: str = "cpu") -> dict[str, Checkpoint]:
    """Loaded models by a name for each: a run's folder gives its own, since its file is always called best."""
    checkpoints: dict[str, Checkpoint] = {}
    for given in models:
        path = Path(given)
        if path.is_dir() and not (path / "best.safetensors").is_file():
            raise PointlightError(
                f"the folder {path} holds no best.safetensors; give a run's folder or a file"
            )
        checkpoint = load_checkpoint(given, body).on(device)
        name = path.resolve().name if path.is_dir() else checkpoint.name
        if name in checkpoints:
            name = str(given)
        if name in checkpoints:
            raise PointlightError(f"{given} is given twice; name every model once")
        checkpoints[name] = checkpoint
    return checkpoints


@torch.no_grad()
def constant_pose(bank: MotionBank, body: BodyModel) -> Tensor:
    """(14, 3) the best constant pose: the Procrustes mean of training scenes, so that nothing held out decides it."""
    split = "train" if bank.indices("train") else bank.clips[0].split
    config = replace(EVAL_V1, split=split)
    sampler = SceneSampler(config, bank, body)
    scenes = [sampler.sample(EVALUATION_SEED, index) for index in range(_CONSTANT_CLIPS)]
    points = TrackMaker(config, body).make(scenes).points_camera_m[:, ::5, list(EVALUATION_INDICES)]
    flat = points.reshape(-1, *points.shape[-2:])
    flat = flat - flat.mean(-2, keepdim=True)
    mean = flat[0]
    for _ in range(20):
        # Pull every pose onto the mean; each by its own size, so that large people do not decide.
        alignment = similarity_alignment(flat, mean.expand_as(flat))
        mean = alignment.apply(flat).mean(0)
        mean = mean - mean.mean(0)
    return mean


def weights_sha256(checkpoints: Mapping[str, Checkpoint]) -> dict[str, str]:
    """SHA-256 of each model's file by name."""
    return {name: checkpoint.sha256 for name, checkpoint in checkpoints.items()}


def command(models: Sequence[str], **options: Path | str | int | bool | Sequence[str | Path] | None) -> str:
    """The command line of an evaluation: options by their names, without those that are None, False or empty.

    Args:
        models: as they were given.
        options: True is a bare option, a list repeats it.
    """
    words = ["pointlight", "evaluate", *map(str, models)]
    for name, value in options.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is None or one is False:
                continue
            words += [f"--{name}"] if one is True else [f"--{name}", str(one)]
    return shlex.join(words)
