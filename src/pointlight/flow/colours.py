"""Flow as colours: the hue is the direction, the strength the length."""

from __future__ import annotations

import numpy as np

_UNKNOWN = 0.35
"""The grey of pixels whose flow is not known."""


def flow_picture(flow_px: np.ndarray, longest_px: float) -> np.ndarray:
    """A picture of flow: white where nothing moves, red to the right, and on round the circle through green.

    Args:
        flow_px: (H, W, 2); NaN is shown grey.
        longest_px: what has the full colour; longer flow has it too.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    known = np.all(np.isfinite(flow_px), axis=-1)
    x, y = np.where(known, flow_px[..., 0], 0), np.where(known, flow_px[..., 1], 0)
    strength = np.clip(np.hypot(x, y) / longest_px, 0, 1)[..., None]
    turns = np.arctan2(y, x)[..., None] / (2 * np.pi) - np.array([0, 1 / 3, 2 / 3])
    # Three waves a third of a turn apart; a pure colour where one is at its top.
    hue = np.clip(0.5 + np.cos(2 * np.pi * turns), 0, 1)
    shown = np.where(known[..., None], 1 - strength * (1 - hue), _UNKNOWN)
    return (255 * shown + 0.5).astype(np.uint8)
