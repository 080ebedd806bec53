"""The same clip seen in a mirror: what a network says of both is averaged (beyond the paper)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from pointlight.body import mirror_order
from pointlight.cues import CueConfig
from pointlight.geometry import nearest_rotation
from pointlight.network.losses import Targets
from pointlight.network.regressor import Prediction
from pointlight.simulator import TRACK_POINTS


def mirrored_prediction(prediction: Prediction, joint_names: tuple[str, ...]) -> Prediction:
    """The body that stands in the mirror x -> -x of the crop-ray frame: sides swapped, everything reflected.

    Args:
        prediction: of any leading dimensions.
        joint_names: the body's, the root first.
    """
    signs = prediction.root.new_tensor((-1.0, 1.0, 1.0))
    reflect = signs[:, None] * signs
    order = [j - 1 for j in mirror_order(joint_names)[1:]]
    return Prediction(
        pose=prediction.pose[..., order, :, :] * reflect,
        root=prediction.root * reflect,
        shape=prediction.shape,
        scale=prediction.scale,
        shift=prediction.shift * signs[:2],
    )


def seen_both_ways(
    predict: Callable[[Tensor], Prediction], cues: CueConfig, joint_names: tuple[str, ...]
) -> Callable[[Tensor], Prediction]:
    """A network that looks at a clip and at its mirror image, and says the mean of both.

    Args:
        predict: the network, in evaluation mode.
        cues: its input.
        joint_names: of its body, the root first.
    """

    def look(inputs: Tensor) -> Prediction:
        straight = predict(inputs)
        other = predict(cues.mirrored(inputs))
        back = mirrored_prediction(other, joint_names)
        return Prediction(
            pose=nearest_rotation(straight.pose + back.pose),
            root=nearest_rotation(straight.root + back.root),
            shape=(straight.shape + back.shape) / 2,
            scale=(straight.scale + back.scale) / 2,
            shift=(straight.shift + back.shift) / 2,
        )

    return look


def mirrored_targets(targets: Targets, rows: Tensor, joint_names: tuple[str, ...]) -> Targets:
    """The truth of the same people in a mirror, where `rows` says so: what `CueConfig.mirrored` is for inputs.

    Args:
        targets: of B clips.
        rows: (B,) bool.
        joint_names: the body's, the root first.
    """
    signs = targets.root_ray.new_tensor((-1.0, 1.0, 1.0))
    reflect = signs[:, None] * signs
    points = torch.tensor(mirror_order(TRACK_POINTS))
    joints = torch.tensor([j - 1 for j in mirror_order(joint_names)[1:]])

    def chosen(straight: Tensor, mirrored: Tensor) -> Tensor:
        return torch.where(rows.reshape(-1, *[1] * (straight.ndim - 1)), mirrored, straight)

    known = targets.known
    return replace(
        targets,
        points_ray_m=chosen(targets.points_ray_m, targets.points_ray_m[..., points, :] * signs),
        points_crop=chosen(targets.points_crop, targets.points_crop[..., points, :] * signs[:2]),
        pose=chosen(targets.pose, targets.pose[..., joints, :, :] * reflect),
        root_ray=chosen(targets.root_ray, targets.root_ray * reflect),
        known=None if known is None else chosen(known, known[..., points]),
    )
