"""Motion HMR (paper, section 3.2 and appendix B): encoder per pair, biLSTM over time, two regressed bodies a pair."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from pointlight.body import BodyModel, BodyState
from pointlight.configuration import added
from pointlight.cues import CueConfig, Cues, PictureCueConfig, PointCueConfig
from pointlight.errors import PointlightError
from pointlight.network.bilstm import BiLSTM
from pointlight.network.encoders import PointsEncoder, PointsEncoderConfig, he_linear
from pointlight.network.losses import LossConfig, Targets, motion_hmr_loss
from pointlight.network.mirroring import seen_both_ways
from pointlight.network.pictures import PictureEncoder, PictureEncoderConfig
from pointlight.network.protocol import FramePoints, PoseNetwork, WindowConfig
from pointlight.network.regressor import IterativeRegressor, Prediction, RegressorConfig
from pointlight.network.windows import in_phases, over_windows
from pointlight.simulator import TRACK_POINTS

HEADS = 2
"""Appendix B: "we predict *two* poses from each pair of frames", the present frame's and the next one's."""


@dataclass(frozen=True)
class MotionHMRConfig:
    """Sizes of the network.

    Attributes:
        cues: the input.
        encoder: the per-pair encoder, of plain numbers or of pictures.
        memory: "bilstm", or "none" for the memory-less network of comparisons, which puts an MLP of as many
            parameters in its place.
        lstm: hidden units a direction (paper: 1024).
        layers: of the biLSTM (paper: 1).
        skip: give the heads the pair's own feature beside the memory's; beyond the paper.
        head: units of the layer on top of the memory, one layer a head (paper: 1024).
        one_shape: one shape a clip, the mean over its predictions; the paper has one a prediction.
        regressor: HMR's iterative regressor.
        stride: the memory's steps, in pairs (paper: 1). A network that learned from every third pair sees the others in
            two passes more.
    """

    cues: CueConfig = field(default_factory=PointCueConfig)
    encoder: PointsEncoderConfig | PictureEncoderConfig = field(default_factory=PointsEncoderConfig)
    memory: Literal["bilstm", "none"] = "bilstm"
    lstm: int = 320
    layers: int = 1
    skip: bool = True
    head: int = 320
    one_shape: bool = True
    regressor: RegressorConfig = field(default_factory=RegressorConfig)
    stride: int = added(1)

    def build(self, body: BodyModel, mean_pose: Tensor | None = None) -> MotionHMR:
        """See `NetworkConfig`."""
        if mean_pose is None:
            mean_pose = torch.eye(3).expand(len(body.joint_names) - 1, 3, 3)
        return MotionHMR(self, mean_pose, body)


class MotionHMR(PoseNetwork):
    """From the cues of 31 frames (30 pairs) to 60 bodies, of which 31 are used at test time."""

    gives_bodies: ClassVar[bool] = True

    def __init__(self, config: MotionHMRConfig, mean_pose: Tensor, body: BodyModel) -> None:
        super().__init__()
        self._config = config
        encoder = config.encoder
        self.encoder = _encoder(config.cues, encoder)
        if config.memory == "bilstm":
            self.memory: nn.Module = BiLSTM(encoder.features, config.lstm, config.layers)
        elif config.memory == "none":
            self.memory = _no_memory(encoder.features, config.lstm, config.layers)
        else:
            raise ValueError(f"memory is {config.memory!r}; it is 'bilstm' or 'none'")
        width = 2 * config.lstm + (encoder.features if config.skip else 0)
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleList(he_linear(width, config.head) for _ in range(HEADS))
        self.regressor = IterativeRegressor(config.head, mean_pose, body, config.regressor)

    @property
    def config(self) -> MotionHMRConfig:
        """See `PoseNetwork`."""
        return self._config

    def forward(self, inputs: Tensor, pairs: Tensor | None = None) -> Prediction:
        """Predict both bodies of every pair.

        Args:
            inputs: (..., T-1, F).
            pairs: (P,) which pairs' bodies are wanted; all if not given. The memory sees every pair.

        Returns:
            Predictions with leading dimensions (..., P, 2); [..., 0] is the pair's present frame, [..., 1] the
            next one, both in the crop-ray frame of the present one. With one shape a clip its dimensions are
            (..., 1, 1).
        """
        if pairs is not None and self.config.memory == "none":
            inputs, pairs = inputs[..., pairs, :], None  # nobody remembers the others
        features = self._encoded(inputs)
        memory = self.memory(features)
        if pairs is not None:
            memory, features = memory.index_select(-2, pairs), features.index_select(-2, pairs)
        if self.config.skip:
            memory = torch.cat((memory, features), dim=-1)
        memory = self.norm(memory)
        above = torch.stack([torch.relu(head(memory)) for head in self.heads], dim=-2)
        prediction = self.regressor(above)
        if self.config.one_shape:
            prediction = replace(prediction, shape=prediction.shape.mean((-3, -2), keepdim=True))
        return prediction

    def _encoded(self, inputs: Tensor) -> Tensor:
        """(..., T-1, features) in float32."""
        if not (self.encodes_in_bf16 and self.training):
            return self.encoder(inputs)
        with torch.autocast(inputs.device.type, torch.bfloat16):
            return self.encoder(inputs).float()

    def loss(
        self, inputs: Tensor, targets: Targets, body: BodyModel, config: LossConfig, pairs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See `PoseNetwork`."""
        return motion_hmr_loss(self(inputs, pairs), targets, body, config)

    @torch.no_grad()
    def over_frames(self, cues: Cues, body: BodyModel, windows: WindowConfig) -> FramePoints:
        """See `PoseNetwork`."""
        predict = in_phases(self, self.config.stride)
        if windows.mirror:
            predict = seen_both_ways(predict, self.config.cues, body.joint_names)
        bodies = over_windows(predict, cues, windows.frames, overlap=windows.overlap)
        body = body.on(self.device)
        state = BodyState(bodies.pose, bodies.shape, bodies.root, bodies.root.new_zeros(3))
        return FramePoints(body.keypoints(state, TRACK_POINTS), bodies)


def _encoder(cues: CueConfig, config: PointsEncoderConfig | PictureEncoderConfig) -> nn.Module:
    if isinstance(config, PointsEncoderConfig):
        (inputs,) = cues.input_shape
        return PointsEncoder(inputs, config)
    if not isinstance(cues, PictureCueConfig):
        raise PointlightError(f"an encoder of pictures needs a cue of pictures, not {type(cues).__name__}")
    return PictureEncoder(cues, config)


def _no_memory(inputs: int, hidden: int, layers: int) -> nn.Module:
    """An MLP on each pair alone, with about as many parameters as the biLSTM in whose place it stands."""
    lstm = sum(p.numel() for p in nn.LSTM(inputs, hidden, layers, bidirectional=True).parameters())
    # inputs*w + w + w*w + w + w*2h + 2h = lstm, solved for w
    b = inputs + 2 + 2 * hidden
    width = int((-b + (b * b + 4 * (lstm - 2 * hidden)) ** 0.5) / 2)
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.ReLU(),
        nn.Linear(width, 2 * hidden),
        nn.ReLU(),
    )
