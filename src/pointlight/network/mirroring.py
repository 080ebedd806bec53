"""The same clip seen in a mirror: what a network says of both is averaged (beyond the paper)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from pointlight.body import mirror_order
from pointlight.cues import mirrored_features
from pointlight.geometry import nearest_rotation
from pointlight.network.motion_hmr import MotionHMR
from pointlight.network.regressor import Prediction


def mirrored_prediction(prediction: Prediction, joint_names: tuple[str, ...]) -> Prediction:
    """The body that stands in the mirror x -> -x of the crop-ray frame: sides exchanged, everything reflected.

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


def seen_both_ways(model: MotionHMR, joint_names: tuple[str, ...]) -> Callable[[Tensor], Prediction]:
    """A network that looks at a clip and at its mirror image, and says the mean of both.

    Args:
        model: in evaluation mode.
        joint_names: of its body, the root first.
    """
    encoder = model.config.encoder

    def look(features: Tensor) -> Prediction:
        straight = model(features)
        other = model(mirrored_features(features, encoder.keypoint_set, next_frame=encoder.next_frame))
        back = mirrored_prediction(other, joint_names)
        return Prediction(
            pose=nearest_rotation(straight.pose + back.pose),
            root=nearest_rotation(straight.root + back.root),
            shape=(straight.shape + back.shape) / 2,
            scale=(straight.scale + back.scale) / 2,
            shift=(straight.shift + back.shift) / 2,
        )

    return look
