"""What every estimator asks of a pair of pictures."""

from __future__ import annotations

import numpy as np

SMALLEST_PX = 16
"""A shorter side leaves DIS no patch, and TV-L1 and the network no pyramid."""


def check_pair(first: np.ndarray, second: np.ndarray) -> None:
    """See that two pictures (H, W, 3) or (H, W) are fit for flow.

    Raises:
        ValueError: they are not uint8, of two sizes, or too small.
    """
    if first.shape != second.shape or first.dtype != np.uint8 or second.dtype != np.uint8:
        raise ValueError(
            f"flow takes two uint8 pictures of one size, not {first.shape} {first.dtype} and "
            f"{second.shape} {second.dtype}"
        )
    if min(first.shape[:2]) < SMALLEST_PX:
        raise ValueError(f"pictures of {first.shape[:2]} are too small for flow; {SMALLEST_PX} is the least")
