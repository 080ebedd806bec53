"""The lifter of Martinez et al. 2017: one frame's 2D keypoints to 3D joints by a residual MLP.

Sizes, initialisation, dropout and max-norm follow the published configuration (`una-dinosauria/3d-pose-baseline`):
1024 units, two blocks, dropout 0.5, He initialisation, Frobenius norm of every weight matrix at most 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from pointlight.body import BodyModel
from pointlight.cues import CueConfig, Cues, PointCueConfig
from pointlight.network.losses import LossConfig, Targets, hip_centred, squared_loss
from pointlight.network.protocol import FramePoints, PoseNetwork, WindowConfig
from pointlight.simulator import TRACK_POINTS


@dataclass(frozen=True)
class MartinezConfig:
    """Sizes.

    Attributes:
        cues: the input, of a single frame.
        hidden: units a layer.
        blocks: residual blocks of two layers.
        dropout: after every layer.
        max_norm: bound on the Frobenius norm of every weight matrix.
    """

    cues: CueConfig = field(default_factory=lambda: PointCueConfig("paper12", next_frame=False))
    hidden: int = 1024
    blocks: int = 2
    dropout: float = 0.5
    max_norm: bool = True

    def build(self, body: BodyModel, mean_pose: Tensor | None = None) -> Martinez:
        """See `NetworkConfig`; joints alone have no use for body and pose."""
        (inputs,) = self.cues.input_shape
        targets = (len(TRACK_POINTS), 3)
        return Martinez(inputs, torch.zeros(targets), torch.ones(targets), self)


class Martinez(PoseNetwork):
    """Standardised 2D (hidden ones 0) to root-relative 3D joints; targets are standardised inside."""

    gives_bodies: ClassVar[bool] = False
    every_frame: ClassVar[bool] = True
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
        self._config = config
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

    @property
    def config(self) -> MartinezConfig:
        """See `PoseNetwork`."""
        return self._config

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., F) of one frame -> (..., N, 3) metres in the crop-ray frame, relative to the root."""
        return self.standardised(inputs) * self.deviation + self.mean

    def standardised(self, inputs: Tensor) -> Tensor:
        """The same before the targets' mean and deviation are put back; what the loss sees."""
        leading = inputs.shape[:-1]
        values = self.input(inputs.reshape(-1, inputs.shape[-1]))
        for block in self.blocks:
            values = values + block(values)
        return self.output(values).reshape(*leading, *self.mean.shape)

    def loss(
        self, inputs: Tensor, targets: Targets, body: BodyModel, config: LossConfig, pairs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `PoseNetwork`; its loss has no weights to set."""
        return squared_loss(self.standardised(inputs[:, pairs]), self.mean, self.deviation, targets)

    @torch.no_grad()
    def over_frames(self, cues: Cues, body: BodyModel, windows: WindowConfig) -> FramePoints:
        """See `PoseNetwork`."""
        return FramePoints(self(cues.inputs) @ cues.R_ray_camera, None)  # back from the crop-ray frames

    @torch.no_grad()
    def begin(self, first_targets: Callable[[], Targets]) -> None:
        """Take mean and deviation of the targets from the first batch."""
        points = hip_centred(first_targets().points_ray_m[:, :, 0])
        self.mean.copy_(points.mean((0, 1)))
        self.deviation.copy_(points.std((0, 1)).clamp_min(1e-2))

    @torch.no_grad()
    def after_step(self) -> None:
        """Scale weight matrices down to Frobenius norm 1."""
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
