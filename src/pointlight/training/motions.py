"""The motions that networks are trained and evaluated on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pointlight.body import AnnyBody, BodyModel, SmplBody
from pointlight.geometry import nearest_rotation
from pointlight.motion import (
    FLOOR_KINDS,
    PROCEDURAL_SEED,
    MotionBank,
    compile_motion_bank,
    procedural_bank,
    warn_of_skipped,
)
from pointlight.progress import ProgressCallback, silent


def learnt_body(smpl: Path | str | None) -> BodyModel:
    """Whose pose and shape a network learns: Anny's, or those of the user's SMPL file.

    Raises:
        PointlightError: the file is missing or no SMPL.
    """
    return AnnyBody() if smpl is None else SmplBody(Path(smpl), face_and_feet=True)


def training_bank(
    folder: Path | Sequence[Path] | None,
    body: BodyModel,
    cache: Path | None = None,
    *,
    floor: bool = False,
    progress: ProgressCallback = silent,
) -> MotionBank:
    """The motions to train on: a folder of motion capture, or procedural ones where none is given.

    Args:
        folder: of motion capture, or several.
        body: that moves.
        cache: where compiled banks lie.
        floor: add procedural floor poses to the training split; nobody lies on the ground in motion capture.
        progress: told how many files are read.
    """
    if folder is None:
        return procedural_bank(body, PROCEDURAL_SEED)
    bank = compile_motion_bank(folder, body, cache, progress)
    warn_of_skipped(bank)
    if floor:
        bank = bank.joined(procedural_bank(body, PROCEDURAL_SEED, kinds=FLOOR_KINDS).only("train"))
    return bank


def mean_pose(bank: MotionBank, split: str, body: BodyModel) -> Tensor | None:
    """(J-1, 3, 3) mean joint rotations of a split, every 15th frame; None where another body moves than is learnt."""
    if isinstance(body, SmplBody):
        return None
    indices = bank.indices(split)
    total = sum(torch.from_numpy(bank.motion(i).pose[::15]).double().sum(0) for i in indices)
    return nearest_rotation(torch.as_tensor(total)).float()
