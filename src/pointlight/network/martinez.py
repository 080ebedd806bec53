"""The lifter of Martinez et al. 2017: one frame's 2D keypoints to 3D joints by a residual MLP.

Sizes, initialisation, dropout and max-norm follow the published configuration (`una-dinosauria/3d-pose-baseline`):
1024 units, two blocks, dropout 0.5, He initialisation, Frobenius norm of every weight matrix at most 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class MartinezConfig:
    """Sizes.

    Attributes:
        keypoint_set: input set.
        hidden: units a layer.
        blocks: residual blocks of two layers.
        dropout: after every layer.
        max_norm: bound on the Frobenius norm of every weight matrix.
    """

    keypoint_set: str = "paper12"
    hidden: int = 1024
    blocks: int = 2
    dropout: float = 0.5
    max_norm: bool = True


class Martinez(nn.Module):
    """Standardised 2D (hidden ones 0) to root-relative 3D joints; targets are standardised inside."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: int, mean: Tensor, deviation: Tensor, config: MartinezConfig) -> None:
        """Build.

        Args:
            inputs: input numbers a frame.
            mean: (N, 3) of the targets, metres.
            deviation: (N, 3) of the targets.
            config: sizes.
        """
        super().__init__()
        self.config = config
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        width = config.hidden
        self.input = _layer(inputs, width, config.dropout)
        self.blocks = nn.ModuleList(
            nn.Sequential(_layer(width, width, config.dropout), _layer(width, width, config.dropout))
            for _ in range(config.blocks)
        )
        self.output = nn.Linear(width, mean.numel())
        for module in self.modules():
            if isinstance(module, nn.Linear):
                _he(module)

    def forward(self, cues: Tensor) -> Tensor:
        """(..., F) of one frame -> (..., N, 3) metres in the crop-ray frame, relative to the root."""
        return self.standardised(cues) * self.deviation + self.mean

    def standardised(self, cues: Tensor) -> Tensor:
        """The same before the targets' mean and deviation are put back; what the loss sees."""
        leading = cues.shape[:-1]
        values = self.input(cues.reshape(-1, cues.shape[-1]))
        for block in self.blocks:
            values = values + block(values)
        return self.output(values).reshape(*leading, *self.mean.shape)

    @torch.no_grad()
    def bound_norms(self) -> None:
        """Scale weight matrices down to Frobenius norm 1, after every step."""
        if not self.config.max_norm:
            return
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.weight.div_(module.weight.norm().clamp_min(1.0))


def _layer(inputs: int, outputs: int, dropout: float) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), nn.Dropout(dropout))


def _he(linear: nn.Linear) -> None:
    deviation = (2 / linear.in_features) ** 0.5
    nn.init.trunc_normal_(linear.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    nn.init.trunc_normal_(linear.bias, std=deviation, a=-2 * deviation, b=2 * deviation)
