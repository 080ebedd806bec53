"""Optimisers by name, the schedule of the rate, and the moving average of the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pointlight.configuration import added
from pointlight.errors import PointlightError
from pointlight.training.soap import Soap


@dataclass(frozen=True)
class OptimiserConfig:
    """The optimiser, its schedule, and how often things happen.

    Attributes:
        kind: "adamw"; "soap" (Vyas et al. 2024: Adam in the eigenbases of Shampoo's preconditioners), which needs
            fewer, dearer steps; or "lean-soap", the same with its work spread over steps.
        batch: clips a step.
        learning_rate: after the warm-up.
        warmup: steps of linear rise.
        steps: length of the run; the rate falls to 1 % by a half cosine over the last `cooldown` share of it.
        cooldown: share of the run with falling rate.
        weight_decay: decoupled.
        clip: bound on the gradient's norm.
        average: decay of the moving average of the weights, which is what is evaluated and shipped.
        evaluate_every: steps between evaluations on the validation split.
        save_every: steps between checkpoints.
        precision: of the encoder's products while it learns; everything behind it, rotations and losses, is in float32.
            "bf16" is for GPUs: a processor without units for it takes several times as long.
    """

    kind: Literal["adamw", "soap", "lean-soap"] = "adamw"
    batch: int = 32
    learning_rate: float = 7e-4
    warmup: int = 500
    steps: int = 12000
    cooldown: float = 0.7
    weight_decay: float = 1e-4
    clip: float = 1.0
    average: float = 0.998
    evaluate_every: int = 500
    save_every: int = 250
    precision: Literal["fp32", "bf16"] = added("fp32")


def make_optimiser(model: nn.Module, settings: OptimiserConfig) -> torch.optim.Optimizer:
    """The optimiser of a configuration.

    Raises:
        PointlightError: SOAP is asked for and not installed.
    """
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.kind == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    if settings.kind == "lean-soap":
        return Soap(model.parameters(), lr=rate, weight_decay=decay)
    if settings.kind != "soap":
        raise ValueError(f"the optimiser is {settings.kind!r}; it is 'adamw', 'soap' or 'lean-soap'")
    try:
        from pytorch_optimizer import SOAP
    except ImportError as error:
        raise PointlightError(
            'this recipe trains with SOAP, which is not installed; pip install "pointlight[train]"'
        ) from error
    # Wider sides than this cost more than they bring; bases change slowly.
    return SOAP(
        model.parameters(), lr=rate, weight_decay=decay, max_precondition_dim=500, precondition_frequency=20
    )


def learning_rate(settings: OptimiserConfig, step: int, last: int) -> float:
    """The rate of `step`: linear warm-up, plateau, half cosine down to 1 %."""
    rise = min(1.0, (step + 1) / max(settings.warmup, 1))
    start = last * (1 - settings.cooldown)
    fall = min(max((step - start) / max(last - start, 1), 0.0), 1.0)
    return settings.learning_rate * rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))


@torch.no_grad()
def follow_weights(average: dict[str, Tensor], model: nn.Module, decay: float) -> None:
    """Draw the moving average a step nearer to the weights, in place."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)
