"""The fabric of a drape: each sheet has a strip of the person's texture, below the square of the skin and clothes."""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np

from pointlight.simulator.people.drapes import Drape, SheetGrid

STRIP_SHARE = 0.375
"""Height of a drape's strip of texture against the texture's width."""

_MARGIN_PX = 8
"""Of the strip, at the full size, so that smaller copies stay clean at its edges."""
_HEM_M = 0.008


def paint_strip(drape: Drape, tile: np.ndarray, size: int, shape_m: tuple[float, float]) -> np.ndarray:
    """(STRIP_SHARE * size, size, 3) float32 linear RGB: the drape's fabric, unrolled.

    Args:
        drape: its tile's size and place.
        tile: (P, P, 3) float32 linear.
        size: width in texels.
        shape_m: its circumference and length.
    """
    height = int(STRIP_SHARE * size)
    u, v = (np.arange(size) + 0.5) / size, (np.arange(height) + 0.5) / height
    margin_u, margin_v = _MARGIN_PX / 512, _MARGIN_PX / (512 * STRIP_SHARE)
    around = ((u - margin_u) / (1 - 2 * margin_u)).clip(0, 1) * shape_m[0]
    along = ((v - margin_v) / (1 - 2 * margin_v)).clip(0, 1) * shape_m[1]
    strip = _repeat(
        np.ascontiguousarray(tile, np.float32),
        (around / drape.tile_m + drape.shift_m[0]).astype(np.float32),
        (-along / drape.tile_m + drape.shift_m[1]).astype(np.float32),
    )
    hem = 1 - 0.25 * np.exp(-(shape_m[1] - along) / _HEM_M)
    return strip * hem[:, None, None].astype(np.float32)


def strip_uv_px(grid: SheetGrid, size: int, number: int) -> np.ndarray:
    """(U, 2) places of a sheet's corners in a texture of that width; strip `number` below its square is the sheet's."""
    height = STRIP_SHARE * size
    margin = _MARGIN_PX * size / 512
    low = np.array([margin, size + number * height + margin])
    span = np.array([size - 2 * margin, height - 2 * margin])
    return (low + grid.uv * span).astype(np.float32)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _repeat(tile: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(len(v), len(u), 3) bilinear values of a tile that repeats, at u and v in tiles."""
    side = tile.shape[0]
    result = np.empty((len(v), len(u), 3), np.float32)
    for row in range(len(v)):
        y = v[row] * side
        r0 = np.floor(y)
        fy = y - r0
        r0 = int(r0) % side
        r1 = (r0 + 1) % side
        for column in range(len(u)):
            x = u[column] * side
            c0 = np.floor(x)
            fx = x - c0
            c0 = int(c0) % side
            c1 = (c0 + 1) % side
            for i in range(3):
                upper = tile[r0, c0, i] * (1 - fx) + tile[r0, c1, i] * fx
                lower = tile[r1, c0, i] * (1 - fx) + tile[r1, c1, i] * fx
                result[row, column, i] = upper * (1 - fy) + lower * fy
    return result
