"""Motion HMR (paper, section 3.2 and appendix B): encoder per pair, biLSTM over time, two regressed bodies a pair."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor, nn

from pointlight.cues import point_feature_count
from pointlight.network.bilstm import BiLSTM
from pointlight.network.encoders import PointsEncoder, PointsEncoderConfig, he_linear
from pointlight.network.regressor import IterativeRegressor, Prediction, RegressorConfig

HEADS = 2
"""Appendix B: "we predict *two* poses from each pair of frames", the present frame's and the next one's."""


@dataclass(frozen=True)
class MotionHMRConfig:
    """Sizes of the network.

    Attributes:
        encoder: the per-pair encoder.
        memory: "bilstm", or "none" for the memory-less network of comparisons, which puts an MLP of as many
            parameters in its place.
        lstm: hidden units a direction (paper: 1024).
        layers: of the biLSTM (paper: 1).
        skip: give the heads the pair's own feature beside the memory's; beyond the paper.
        head: units of the layer on top of the memory, one layer a head (paper: 1024).
        one_shape: one shape a clip, the mean over its predictions; the paper has one a prediction.
        regressor: HMR's iterative regressor.
    """

    encoder: PointsEncoderConfig = field(default_factory=PointsEncoderConfig)
    memory: str = "bilstm"
    lstm: int = 320
    layers: int = 1
    skip: bool = True
    head: int = 320
    one_shape: bool = True
    regressor: RegressorConfig = field(default_factory=RegressorConfig)


class MotionHMR(nn.Module):
    """From the cues of 31 frames (30 pairs) to 60 bodies, of which 31 are used at test time."""

    def __init__(
        self, config: MotionHMRConfig, mean_pose: Tensor, mean_shape: Tensor, age_index: int
    ) -> None:
        super().__init__()
        self.config = config
        encoder = config.encoder
        inputs = point_feature_count(encoder.keypoint_set, encoder.next_frame)
        self.encoder = PointsEncoder(inputs, encoder)
        if config.memory == "bilstm":
            self.memory: nn.Module = BiLSTM(encoder.features, config.lstm, config.layers)
        elif config.memory == "none":
            self.memory = _no_memory(encoder.features, config.lstm, config.layers)
        else:
            raise ValueError(f"memory is {config.memory!r}; it is 'bilstm' or 'none'")
        width = 2 * config.lstm + (encoder.features if config.skip else 0)
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleList(he_linear(width, config.head) for _ in range(HEADS))
        self.regressor = IterativeRegressor(config.head, mean_pose, mean_shape, age_index, config.regressor)

    def forward(self, cues: Tensor, pairs: Tensor | None = None) -> Prediction:
        """Predict both bodies of every pair.

        Args:
            cues: (..., T-1, F).
            pairs: (P,) which pairs' bodies are wanted; all if not given. The memory sees every pair.

        Returns:
            Predictions with leading dimensions (..., P, 2); [..., 0] is the pair's present frame, [..., 1] the
            next one, both in the crop-ray frame of the present one. With one shape a clip its dimensions are
            (..., 1, 1).
        """
        if pairs is not None and self.config.memory == "none":
            cues, pairs = cues[..., pairs, :], None  # nobody remembers the others
        features = self.encoder(cues)
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


def frames_of_pairs(pairs: Prediction) -> Prediction:
    """Appendix B: "we throw out all 'future' predictions except the final one, in order to get 31 predictions".

    Args:
        pairs: leading dimensions (..., T-1, 2).

    Returns:
        Leading dimensions (..., T). The last frame is in the crop-ray frame of the frame before it.
    """
    tails = {"pose": 3, "root": 2, "shape": 1, "scale": 0, "shift": 1}
    values = {}
    for entry in fields(pairs):
        tensor = getattr(pairs, entry.name)
        axis = tensor.ndim - tails[entry.name] - 2  # the axis of pairs
        present = tensor.select(axis + 1, 0)
        if tensor.shape[axis + 1] == 1:  # one shape a clip
            values[entry.name] = present
            continue
        last = tensor.narrow(axis, tensor.shape[axis] - 1, 1).select(axis + 1, 1)
        values[entry.name] = torch.cat((present, last), dim=axis)
    return Prediction(**values)


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
