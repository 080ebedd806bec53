"""The same clip seen in a mirror: what a network says of both is averaged (beyond the paper)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from pointlight.body import mirror_order
from pointlight.cues import CueConfig
from pointlight.geometry import nearest_rotation
from pointlight.network.regressor import Prediction


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
