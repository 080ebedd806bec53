"""Outlines of layers: round, cornered, long and thin, or ragged like superpixels."""

from __future__ import annotations

import cv2
import numpy as np

_FINE_BITS = 3
"""Corners are drawn to an eighth of a pixel."""


def draw_shape(size: tuple[int, int], centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How much of every pixel a random shape covers, (height, width) float32 0..1.

    Args:
        size: (height, width).
        centre: (x, y) about which it lies.
        rng: the generator.
    """
    radius = np.exp(rng.uniform(np.log(6), np.log(70)))
    kind = int(rng.integers(5))
    if kind == 0:
        return _filled(size, centre + _ring(radius, 1.0, 0.0, 40, rng))
    if kind == 1:
        return _filled(size, centre + _ring(radius, 1.0, rng.uniform(0.1, 0.5), 40, rng))
    if kind == 2:
        return _filled(size, centre + _ring(radius, 1.0, 0.4, int(rng.integers(3, 9)), rng))
    if kind == 3:
        return _filled(size, centre + _ring(1.5 * radius, rng.uniform(0.04, 0.3), 0.0, 4, rng))
    return _ragged(size, centre, radius, rng)


def _ring(radius: float, slim: float, wobble: float, corners: int, rng: np.random.Generator) -> np.ndarray:
    """Corners (corners, 2) about the origin, stretched and turned."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    waves = np.arange(1, 6)
    phase, height = rng.uniform(0, 2 * np.pi, 5), rng.normal(0, 1, 5) / waves
    reach = np.clip(1 + wobble * (height @ np.sin(waves[:, None] * angle + phase[:, None])), 0.2, 2)
    x, y = radius * reach * np.cos(angle), radius * reach * np.sin(angle) * slim * rng.uniform(0.4, 1.0)
    turn = rng.uniform(0, np.pi)
    return np.column_stack((np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y))


def _filled(size: tuple[int, int], corners: np.ndarray) -> np.ndarray:
    picture = np.zeros(size, np.uint8)
    fine = np.rint(corners * 2**_FINE_BITS).astype(np.int32)
    cv2.fillPoly(picture, [fine], 255, lineType=cv2.LINE_AA, shift=_FINE_BITS)
    return picture.astype(np.float32) / 255


def _ragged(size: tuple[int, int], centre: np.ndarray, radius: float, rng: np.random.Generator) -> np.ndarray:
    """A hill of noise above a level: pieces and holes."""
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    hill = 1 - np.hypot(x - np.float32(centre[0]), y - np.float32(centre[1])) / np.float32(1.3 * radius)
    for wave, amount in ((24, 0.5), (9, 0.25)):
        coarse = rng.normal(0, amount, (height // wave + 2, width // wave + 2)).astype(np.float32)
        hill += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(0.5 + hill * np.float32(radius / 2), 0, 1)
