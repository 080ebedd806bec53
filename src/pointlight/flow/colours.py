"""Flow as colours: the hue is the direction, the strength the length."""

from __future__ import annotations

import numpy as np


def flow_colours(flow_px: np.ndarray, largest_px: float) -> np.ndarray:
    """Direction as hue, length as strength, on black where there is no flow; (H, W, 3) uint8."""
    unknown = np.asarray(~np.isfinite(flow_px).all(-1))
    x, y = np.moveaxis(np.where(unknown[..., None], 0, flow_px), -1, 0)
    strength = np.clip(np.hypot(x, y) / max(largest_px, 1e-6), 0, 1)
    hue = (np.arctan2(y, x) / (2 * np.pi)) % 1
    sextant = (hue[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    pure = np.clip(np.abs(sextant - 3) - 1, 0, 1)
    colour = 255 * (1 - strength[..., None] * (1 - pure))
    colour[unknown] = 0
    return np.rint(colour).astype(np.uint8)
