"""HMR's iterative regressor: a feature and the present estimate give a correction, three times over."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from pointlight.body import BodyModel
from pointlight.geometry import rotmat_to_sixd, sixd_to_rotmat
from pointlight.network.encoders import he_linear
from pointlight.values import by_value

ITERATIONS = 3
"""Corrections per prediction (Kanazawa et al. 2018; the paper, section 3.2: "iterative refinement algorithm")."""

_MEAN_SCALE = 0.8
"""Half crops per metre at the start: a body that fills HMR's crop."""


@dataclass(frozen=True)
class RegressorConfig:
    """Sizes of the regressor.

    Attributes:
        hidden: width of its two layers (HMR: 1024).
        dropout: after each of them (HMR: 0.5).
        adult: keep the shape within the body's range of adults.
    """

    hidden: int = 256
    dropout: float = 0.0
    adult: bool = True


@by_value
@dataclass(frozen=True)
class Prediction:
    """A body in the crop-ray frame, as the network sees it.

    Attributes:
        pose: (..., J-1, 3, 3) parent-relative rotations.
        root: (..., 3, 3) rotation from body axes to the crop-ray frame.
        shape: (..., S) within the body's range.
        scale: (...) weak perspective, half crops per metre at the root's depth.
        shift: (..., 2) metres, added before the scale.
    """

    pose: Tensor
    root: Tensor
    shape: Tensor
    scale: Tensor
    shift: Tensor


class IterativeRegressor(nn.Module):
    """From a feature to pose, shape and camera, starting at the mean.

    Rotations are six numbers inside (Zhou et al. 2019), matrices outside.
    """

    mean_theta: Tensor
    shape_low: Tensor
    shape_span: Tensor

    def __init__(self, features: int, mean_pose: Tensor, body: BodyModel, config: RegressorConfig) -> None:
        """Build around the mean.

        Args:
            features: width of the incoming feature.
            mean_pose: (J-1, 3, 3) mean parent-relative rotations.
            body: whose shape it predicts; its mean shape is where it starts.
            config: sizes.
        """
        super().__init__()
        self.config = config
        self._joints = mean_pose.shape[0]
        self._theta_size = 6 * (self._joints + 1) + len(body.shape_names) + 3
        low, high = body.shape_range(adults=config.adult)
        self.register_buffer("shape_low", low, persistent=False)
        self.register_buffer("shape_span", high - low, persistent=False)
        self.register_buffer("mean_theta", self._mean_theta(mean_pose, body.mean_shape))
        self.input = he_linear(features + self._theta_size, config.hidden)
        self.middle = he_linear(config.hidden, config.hidden)
        self.output = nn.Linear(config.hidden, self._theta_size)
        nn.init.xavier_uniform_(self.output.weight, gain=0.01)  # HMR: small first corrections
        nn.init.zeros_(self.output.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, feature: Tensor) -> Prediction:
        """Predict from features (..., F)."""
        # The feature's share of the first layer is the same in every iteration.
        width = feature.shape[-1]
        from_feature = nn.functional.linear(feature, self.input.weight[:, :width], self.input.bias)
        theta = self.mean_theta.expand(*feature.shape[:-1], self._theta_size)
        for _ in range(ITERATIONS):
            hidden = from_feature + nn.functional.linear(theta, self.input.weight[:, width:])
            hidden = self.dropout(torch.relu(hidden))
            hidden = self.dropout(torch.relu(self.middle(hidden)))
            theta = theta + self.output(hidden)
        return self._decode(theta)

    def _mean_theta(self, mean_pose: Tensor, mean_shape: Tensor) -> Tensor:
        facing = torch.diag(torch.tensor([1.0, -1.0, -1.0]))  # upright, towards the camera
        rotations = rotmat_to_sixd(torch.cat((facing[None], mean_pose)))
        share = (mean_shape.to(self.shape_low) - self.shape_low) / self.shape_span
        logits = torch.logit(share.clamp(0.02, 0.98))
        return torch.cat((rotations.flatten(), logits, torch.zeros(3)))

    def _decode(self, theta: Tensor) -> Prediction:
        count = 6 * (self._joints + 1)
        rotations = sixd_to_rotmat(theta[..., :count].unflatten(-1, (self._joints + 1, 6)))
        logits, camera = theta[..., count:-3], theta[..., -3:]
        return Prediction(
            pose=rotations[..., 1:, :, :],
            root=rotations[..., 0, :, :],
            shape=self.shape_low + self.shape_span * torch.sigmoid(logits),
            scale=_MEAN_SCALE * camera[..., 0].clamp(-3, 3).exp(),
            shift=camera[..., 1:],
        )


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
