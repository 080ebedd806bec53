"""Skeletons of several origins in one picture, from the camera and from the side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.geometry import similarity_alignment
from pointlight.media import draw_label

_LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"))
_BONES = (
    *((f"{side}_{upper}", f"{side}_{lower}") for side in ("left", "right") for upper, lower in _LIMBS),
    ("left_hip", "right_hip"),
    ("left_shoulder", "right_shoulder"),
)

COLOURS = ((236, 236, 230), (245, 150, 60), (90, 160, 250), (120, 210, 120))
_BACKGROUND = (28, 29, 33)
_CELL_PX = 340
_REACH_M = 1.15
"""Half of what a cell shows."""


def compare_skeletons(
    truth_m: np.ndarray, others: Mapping[str, np.ndarray], frames: Sequence[int]
) -> np.ndarray:
    """(H, W, 3) uint8: a column a frame; above as the camera sees it, below from the person's side of the camera.

    Args:
        truth_m: (T, 12, 3) in camera axes; NaN where unknown.
        others: (T, 12, 3) each, drawn after Procrustes alignment to the truth.
        frames: which.
    """
    columns = []
    for frame in frames:
        truth = truth_m[frame]
        known = np.isfinite(truth).all(-1)
        centre = truth[known].mean(0)
        drawn = [(truth, COLOURS[0])]
        for joints, colour in zip(others.values(), COLOURS[1:], strict=False):
            drawn.append((_aligned(joints[frame], truth, known), colour))
        cells = []
        for axes in ((0, 1), (2, 1)):
            picture = Image.new("RGB", (_CELL_PX, _CELL_PX), _BACKGROUND)
            pen = ImageDraw.Draw(picture)
            for joints, colour in drawn:
                _draw(pen, (joints - centre)[:, axes], colour)
            cells.append(np.asarray(picture))
        columns.append(draw_label(np.concatenate(cells), f"frame {frame}"))
    picture = np.concatenate(columns, axis=1)
    words = ["truth", *others]
    for row, name in enumerate(words):
        picture = draw_label(picture, name, corner=(6, _CELL_PX - 30 * (len(words) - row))).copy()
        y = _CELL_PX - 30 * (len(words) - row) + 4
        picture[y : y + 14, 0:5] = COLOURS[row]
    return picture


def draw_skeleton(image: np.ndarray, joints_px: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """A copy of (H, W, 3) uint8 RGB with the 12 keypoints (12, 2) joined by lines; NaN is left out."""
    picture = Image.fromarray(image)
    _lines(ImageDraw.Draw(picture), joints_px, colour)
    return np.asarray(picture)


def _aligned(joints: np.ndarray, truth: np.ndarray, known: np.ndarray) -> np.ndarray:
    if not np.isfinite(joints).all():
        return np.full_like(truth, np.nan)
    source, target = torch.from_numpy(joints.astype(np.float64)), torch.from_numpy(np.nan_to_num(truth))
    return (
        similarity_alignment(source, target, torch.from_numpy(known.astype(np.float64))).apply(source).numpy()
    )


def _draw(pen: ImageDraw.ImageDraw, flat_m: np.ndarray, colour: tuple[int, int, int]) -> None:
    _lines(pen, (flat_m / _REACH_M + 1) * _CELL_PX / 2, colour)


def _lines(pen: ImageDraw.ImageDraw, places: np.ndarray, colour: tuple[int, int, int]) -> None:
    for bone in _BONES:
        ends = [places[NETWORK_KEYPOINTS.index(name)] for name in bone]
        if np.isfinite(ends).all():
            pen.line([tuple(end) for end in ends], fill=colour, width=3 if "left" in bone[0] else 2)
