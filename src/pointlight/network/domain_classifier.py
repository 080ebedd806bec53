"""The adversary of domain-adversarial training (Ganin et al. 2016), which tells simulated people from real ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pointlight.network.encoders import he_linear


@dataclass(frozen=True)
class DomainConfig:
    """The adversary, and how much the encoder minds it.

    Attributes:
        layers: hidden ones (paper: "a 2-layer (1024 hidden units) adversary").
        hidden: units of each.
        weight: of the reversed gradient at the end of the run; the paper tried 0.2 to 5 and took the best of five seeds.
        rise: how fast the weight grows from 0, see `weight_at`; 10 as in Ganin et al., 0 is the whole weight throughout.
        rate: the adversary's learning rate, in those of the network.
    """

    layers: int = 2
    hidden: int = 1024
    weight: float = 1.0
    rise: float = 10.0
    rate: float = 1.0

    def weight_at(self, progress: float) -> float:
        """The weight at a share of the run: "2 / (1 + exp(-10 p)) - 1" of the whole one (Ganin et al., section 5.2.2)."""
        if not self.rise:
            return self.weight
        return self.weight * (2 / (1 + math.exp(-self.rise * progress)) - 1)


class DomainClassifier(nn.Module):
    """From a pair's feature to the logarithm of the odds that it is a real person's.

    Attributes:
        accuracy: how often it was right of late, both domains counting alike; 0.5 is chance.
    """

    accuracy: Tensor

    def __init__(self, features: int, config: DomainConfig) -> None:
        super().__init__()
        widths = [features, *[config.hidden] * config.layers]
        self.hidden = nn.ModuleList(map(he_linear, widths[:-1], widths[1:]))
        self.output = nn.Linear(widths[-1], 1)
        self.register_buffer("accuracy", torch.tensor(0.5))

    def forward(self, features: Tensor) -> Tensor:
        """(N, features) to (N,)."""
        for layer in self.hidden:
            features = torch.relu(layer(features))
        return self.output(features)[..., 0]


def reversed_gradient(values: Tensor, weight: float) -> Tensor:
    """The same values; what flows back through them is turned round and weighted."""
    result: Tensor = _Reversed.apply(values, weight)  # pyright: ignore[reportAssignmentType]
    return result


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor, weight: float) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        context.weight = weight
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return -context.weight * gradient, None
