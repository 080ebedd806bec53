"""Per-frame encoders: from one pair's cue to a feature. The paper's is a ResNet-50; `points` has no picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class PointsEncoderConfig:
    """The encoder of inputs that are plain numbers, such as keypoints without pictures.

    Attributes:
        hidden: width of its residual layers.
        blocks: number of residual blocks.
        features: width of the feature.
        dropout: within the blocks.
    """

    hidden: int = 384
    blocks: int = 1
    features: int = 256
    dropout: float = 0.0


class PointsEncoder(nn.Module):
    """A residual MLP on one pair's numbers.

    Layer norms and He initialisation keep the signal alive on its way through: with torch's default linear layers
    the keypoints' small differences drown in the biases, and training does not leave the mean pose for long.
    """

    def __init__(self, inputs: int, config: PointsEncoderConfig) -> None:
        super().__init__()
        self.input = he_linear(inputs, config.hidden)
        self.norm = nn.LayerNorm(config.hidden)
        self.blocks = nn.ModuleList(_Residual(config.hidden, config.dropout) for _ in range(config.blocks))
        self.output = he_linear(config.hidden, config.features)
        self.output_norm = nn.LayerNorm(config.features)

    def forward(self, cues: Tensor) -> Tensor:
        """(..., F) -> (..., features)."""
        hidden = torch.relu(self.norm(self.input(cues)))
        for block in self.blocks:
            hidden = block(hidden)
        return self.output_norm(self.output(hidden))


def he_linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer for ReLUs: weights by He et al. 2015, no bias at the start."""
    layer = nn.Linear(inputs, outputs)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


class _Residual(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = he_linear(width, width)
        self.second = he_linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor) -> Tensor:
        hidden = torch.relu(self.first(self.norm(values)))
        return values + self.second(self.dropout(hidden))
