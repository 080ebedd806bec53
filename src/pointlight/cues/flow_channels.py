"""Optical flow as a network sees it: in a crop's pixels, the same numbers for the same motion at any size and rate."""

from __future__ import annotations

import numpy as np

from pointlight.cues.crops import mapped, pixel_grid, samples_a_side
from pointlight.flow import FlowEstimator
from pointlight.geometry import CROP_PX

FLOW_UNIT_PX = 20
"""Appendix B: "Optical flow estimates are divided by 20 to put them in the same range as RGB pixels"."""

FRAME_S = 1 / 30
"""The time between a pair's frames on the grid."""

_LUMA = (0.299, 0.587, 0.114)
_DARKEST, _BRIGHTEST = 1, 99
_MOST_GAIN = 16.0


def stretched(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures (H, W, 3) uint8 as grey (H, W) uint8 that uses the whole range, both by the same rule.

    Estimators weigh differences of grey levels against smoothness, so that dim people would move less.
    """
    grey = [picture.astype(np.float32) @ np.array(_LUMA, np.float32) for picture in (first, second)]
    low, high = np.percentile(np.stack(grey), (_DARKEST, _BRIGHTEST))
    gain = min(255 / max(high - low, 1e-6), _MOST_GAIN)
    one, other = (np.clip((values - low) * gain + 0.5, 0, 255).astype(np.uint8) for values in grey)
    return one, other


def flow_on_pictures(
    first: np.ndarray, second: np.ndarray, homography: np.ndarray, side_px: int, estimator: FlowEstimator
) -> np.ndarray:
    """Flow found on whole pictures and cut afterwards: what moves far for a small crop is found all the same.

    Args:
        first: (H, W, 3) uint8, the pair's present picture.
        second: the next one.
        homography: (3, 3) from the crop's pixels to the picture's, the same for both.
        side_px: of the crop.
        estimator: of the whole pictures' flow.

    Returns:
        (side, side, 2) float32, crop pixels.
    """
    return flow_in_crop(estimator.flow(*stretched(first, second)), homography, side_px)


def flow_on_crops(first: np.ndarray, second: np.ndarray, estimator: FlowEstimator) -> np.ndarray:
    """Flow found on a pair of crops (S, S, 3) uint8 "at the level of bounding boxes" (appendix B); (S, S, 2) crop pixels."""
    return estimator.flow(*stretched(first, second))


def flow_in_crop(flow_px: np.ndarray, homography: np.ndarray, side_px: int) -> np.ndarray:
    """A picture's flow as it appears in a crop that both frames share.

    Args:
        flow_px: (H, W, 2) float32, picture pixels.
        homography: (3, 3) from the crop's pixels to the picture's.
        side_px: of the crop.

    Returns:
        (side, side, 2) float32, crop pixels; the mean over each pixel's area.
    """
    import cv2  # slow to load, and only pictures need it

    samples = samples_a_side(homography, side_px)
    start = pixel_grid(side_px * samples) / samples
    places = mapped(homography, start)
    column, row = (places - 0.5).astype(np.float32).transpose(2, 0, 1)
    found = cv2.remap(flow_px, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = mapped(np.linalg.inv(homography), places + found) - start
    return moved.reshape(side_px, samples, side_px, samples, 2).mean((1, 3)).astype(np.float32)


def flow_channels(flow_crop_px: np.ndarray, step_s: float = FRAME_S) -> np.ndarray:
    """x, y and magnitude as input channels.

    Args:
        flow_crop_px: (..., side, side, 2) in pixels of the crop.
        step_s: time between the two pictures; motion is given as of 1/30 s.

    Returns:
        (..., 3, side, side) float32, in units of 20 pixels of a crop of 224.
    """
    scale = CROP_PX / flow_crop_px.shape[-2] * (FRAME_S / step_s) / FLOW_UNIT_PX
    x, y = flow_crop_px[..., 0] * scale, flow_crop_px[..., 1] * scale
    return np.stack((x, y, np.hypot(x, y)), axis=-3).astype(np.float32)
