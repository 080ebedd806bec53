"""What a run that sees pictures looks at and says of it, drawn into its folder while it trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from pointlight.body import NETWORK_KEYPOINTS, BodyModel, BodyState
from pointlight.cues import PictureCueConfig, draw_inputs
from pointlight.media import tile
from pointlight.network import LossConfig, MotionHMR, hip_centred, reproject
from pointlight.simulator import TRACK_POINTS
from pointlight.training.data import Batch

FILE = "network_sees_and_says.png"

_BONES = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
_LIMBS = (
    *((f"{side}_{start}", f"{side}_{end}") for side in ("left", "right") for start, end in _BONES),
    *((f"left_{joint}", f"right_{joint}") for joint in ("hip", "shoulder")),
)
_SIDE_PX = 64
_LEFT, _RIGHT, _MIDDLE, _TRUE = (255, 140, 0), (60, 160, 255), (230, 230, 230), (90, 90, 90)


@torch.no_grad()
def draw_run(network: MotionHMR, batch: Batch, body: BodyModel, config: LossConfig) -> np.ndarray:
    """(H, W, 3) uint8: the pairs of a batch's first clip; above the crops, below limbs as predicted, grey as they are.

    Args:
        network: in evaluation mode.
        batch: of pictures.
        body: the network's.
        config: says by which perspective limbs are drawn.
    """
    cues = network.config.cues
    inputs = batch.inputs[:1]
    predicted = network(inputs.to(network.device))
    predicted = replace(predicted, **{name: value.cpu() for name, value in vars(predicted).items()})
    zero = torch.zeros(3)
    state = BodyState(predicted.pose, predicted.shape, predicted.root, zero)
    points = hip_centred(body.keypoints(state, TRACK_POINTS, body.person(state.shape)))
    said = reproject(points, predicted, batch.targets.focal_crop[:1], perspective=config.perspective)
    seen = draw_inputs(cues, inputs[0]) if isinstance(cues, PictureCueConfig) else None
    side = (
        _SIDE_PX if seen is None else seen.shape[1] // len(inputs[0]) - 2
    )  # as wide as a column of the input
    drawn = [
        _limbs(a, b, side) for a, b in zip(said[0, :, 0], batch.targets.points_crop[0, :, 0], strict=True)
    ]
    below = tile(drawn, len(drawn))
    if seen is None:
        return below
    width = max(seen.shape[1], below.shape[1])
    return np.concatenate([_widened(seen, width), _widened(below, width)])


def _limbs(said: Tensor, true: Tensor, side: int) -> np.ndarray:
    """A crop (side, side, 3) with `TRACK_POINTS` (N, 2) in half crops as limbs."""
    picture = Image.new("RGB", (side, side))
    pen = ImageDraw.Draw(picture)
    for points, width in ((true, 4), (said, 2)):
        at = {name: (points[TRACK_POINTS.index(name)] + 1) * side / 2 for name in NETWORK_KEYPOINTS}
        for start, end in _LIMBS:
            sides = {start.partition("_")[0], end.partition("_")[0]}
            colour = _MIDDLE if len(sides) > 1 else _LEFT if "left" in sides else _RIGHT
            line = [*at[start].tolist(), *at[end].tolist()]
            pen.line(line, fill=_TRUE if points is true else colour, width=width)
    return np.asarray(picture)


def _widened(image: np.ndarray, width: int) -> np.ndarray:
    return np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0)))
