"""A turned square of a picture as a network's input, sampled as OpenCV's linear warp does."""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np

_STEPS = 32
"""Places between pixels that OpenCV tells apart."""


def cut_square(
    image: np.ndarray,
    corner: np.ndarray,
    across: np.ndarray,
    down: np.ndarray,
    side_px: int,
    beyond: int | None = None,
) -> np.ndarray:
    """The picture in a square.

    Args:
        image: (H, W, 3) uint8.
        corner: (2,) pixel coordinates of the square's first corner; a pixel's value stands at whole numbers.
        across: (2,) from there along the square's rows.
        down: (2,) along its columns.
        side_px: of the result.
        beyond: value outside of the picture; None: the edge goes on.

    Returns:
        (side, side, 3) float32 in [0, 1], values that 8 bits can hold.
    """
    result = np.empty((side_px, side_px, 3), np.float32)
    plane = -1 if beyond is None else beyond
    _cut(np.ascontiguousarray(image), corner, across / side_px, down / side_px, plane, result)
    return result


@numba.njit(cache=True, error_model="numpy", nogil=True)
@no_type_check
def _cut(
    image: np.ndarray,
    corner: np.ndarray,
    across: np.ndarray,
    down: np.ndarray,
    beyond: int,
    result: np.ndarray,
) -> None:
    height, width = image.shape[:2]
    side = result.shape[0]
    total = _STEPS * _STEPS
    for row in range(side):
        for column in range(side):
            x = round((corner[0] + column * across[0] + row * down[0]) * _STEPS)
            y = round((corner[1] + column * across[1] + row * down[1]) * _STEPS)
            left, top = int(x) >> 5, int(y) >> 5
            fx, fy = int(x) & 31, int(y) & 31
            weights = ((32 - fx) * (32 - fy), fx * (32 - fy), (32 - fx) * fy, fx * fy)
            inside = 0 <= left < width - 1 and 0 <= top < height - 1
            for channel in range(3):
                value = 0
                for corner_number in range(4):
                    at_x, at_y = left + (corner_number & 1), top + (corner_number >> 1)
                    if not inside:
                        if beyond >= 0 and not (0 <= at_x < width and 0 <= at_y < height):
                            value += weights[corner_number] * beyond
                            continue
                        at_x = min(max(at_x, 0), width - 1)
                        at_y = min(max(at_y, 0), height - 1)
                    value += weights[corner_number] * image[at_y, at_x, channel]
                result[row, column, channel] = ((value + total // 2) // total) / np.float32(255)
