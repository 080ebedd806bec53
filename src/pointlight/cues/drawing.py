"""What a network is shown, for people to look at: a row of pictures for each pair of frames."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from pointlight.cues.channels import PictureCueConfig
from pointlight.flow import flow_colours
from pointlight.media import tile

_SCALE = 2
_FULL_FLOW = 0.25
"""Of the network's units, as strong as colours get: 5 px of a crop of 224."""

_FLAG = np.array((230, 60, 60), np.uint8)
_HUES = np.array(((255, 140, 0), (60, 160, 255)), np.float32)
"""Of the left and the right side, as in overlays."""


def draw_inputs(cues: PictureCueConfig, inputs: Tensor) -> np.ndarray:
    """(H, W, 3) uint8: pairs side by side, below one another what each sees: RGB, flow as colours, keypoints' bells.

    A totally occluded pair has a red bar. Flow's hue is its direction, as in `flow_colours`.

    Args:
        cues: how the inputs were made.
        inputs: (P, F) of some pairs.
    """
    images = cues.images(inputs).numpy()
    columns = [_column(cues, image) for image in images]
    return np.repeat(np.repeat(tile(columns, len(columns)), _SCALE, 0), _SCALE, 1)


def _column(cues: PictureCueConfig, image: np.ndarray) -> np.ndarray:
    """One pair's channels (C, S, S), from above."""
    side, cells, first = cues.side_px, [], 0
    if cues.rgb:
        cells.append(np.clip((image[:3] + 1) * 127.5, 0, 255).astype(np.uint8).transpose(1, 2, 0))
        first = 3
    if cues.flow:
        cells.append(flow_colours(image[first : first + 2].transpose(1, 2, 0), _FULL_FLOW))
        first += 3
    if cues.heatmaps:
        bells = image[first : first + len(cues.keypoints)]
        sides = [int(name.startswith("right")) for name in cues.keypoints]
        tinted = (bells[..., None] * _HUES[sides][:, None, None]).max(0)
        cells.append(np.clip(tinted, 0, 255).astype(np.uint8))
    bar = np.zeros((4, side, 3), np.uint8)
    bar[:] = _FLAG if image[-1].max() > 0 else 0
    return np.concatenate([*cells, bar])


def flow_magnitudes(cues: PictureCueConfig, inputs: Tensor) -> np.ndarray:
    """Lengths of flow at the keypoints that are seen and in the crop, in the network's units, of inputs (P, F)."""
    numbers, pictures = cues.split(inputs)
    count, side = len(cues.keypoints), cues.side_px
    places = numbers[:, : 2 * count].unflatten(-1, (count, 2))
    seen = (numbers[:, 2 * count : 3 * count] > 0) & (places.abs() < 1).all(-1)
    at = ((places + 1) * side / 2).long().clamp(0, side - 1)
    lengths = pictures[:, -1]
    rows = np.arange(len(lengths))[:, None]
    return lengths.numpy()[rows, at[..., 1].numpy(), at[..., 0].numpy()][seen.numpy()]
