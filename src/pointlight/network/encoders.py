"""Per-frame encoders: from one pair's cue to a feature. The paper's is a ResNet-50; `points` has no picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class PointsEncoderConfig:
    """The encoder of keypoints without pictures.

    Attributes:
        keypoint_set: input set, a name of `pointlight.cues.KEYPOINT_SETS`.
        next_frame: see both frames of a pair (ours) or the present one (the paper's keypoints-only row).
        hidden: width of its residual layers.
        blocks: number of residual blocks.
        features: width of the feature.
        dropout: within the blocks.
    """

    keypoint_set: str = "extended19"
    next_frame: bool = True
    hidden: int = 384
    blocks: int = 1
    features: int = 256
    dropout: float = 0.0


class PointsEncoder(nn.Module):
    """A residual MLP on one pair's keypoints."""

    def __init__(self, inputs: int, config: PointsEncoderConfig) -> None:
        super().__init__()
        self.input = nn.Linear(inputs, config.hidden)
        self.blocks = nn.ModuleList(_Residual(config.hidden, config.dropout) for _ in range(config.blocks))
        self.output = nn.Linear(config.hidden, config.features)

    def forward(self, cues: Tensor) -> Tensor:
        """(..., F) -> (..., features)."""
        hidden = torch.relu(self.input(cues))
        for block in self.blocks:
            hidden = block(hidden)
        return torch.relu(self.output(hidden))


class _Residual(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor) -> Tensor:
        hidden = torch.relu(self.first(self.norm(values)))
        return values + self.second(self.dropout(hidden))
