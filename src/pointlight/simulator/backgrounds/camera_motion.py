"""How a background's camera moves, from the median of dense flow, and the person who follows it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pointlight.flow import FlowEstimator


def median_flow(frames: np.ndarray, estimator: FlowEstimator) -> np.ndarray:
    """Median x and y of the flow between neighbouring frames (appendix A).

    Args:
        frames: (T, H, W, 3) uint8.
        estimator: of dense flow.

    Returns:
        (T - 1, 2) float32, pixels a frame.
    """
    flows = [estimator.flow(first, second) for first, second in pairwise(frames)]
    return np.array([np.median(flow.reshape(-1, 2), axis=0) for flow in flows], np.float32).reshape(-1, 2)


def integrated(median_px: np.ndarray) -> np.ndarray:
    """Where the scene stands in each frame against the centre frame, "the center frame of the clip as a reference".

    Args:
        median_px: (T - 1, 2) motion from each frame to the next.

    Returns:
        (T, 2) float32 pixels, 0 at frame T // 2 (15 of 31).
    """
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(median_px, axis=0, dtype=np.float64)])
    return (path - path[len(path) // 2]).astype(np.float32)


def estimate_path(frames: np.ndarray, estimator: FlowEstimator) -> np.ndarray:
    """The path (T, 2) float32 of the scene over `frames` (T, H, W, 3), 0 at the centre frame."""
    return integrated(median_flow(frames, estimator))


def flipped_path(path_px: np.ndarray) -> np.ndarray:
    """The path of the same clip with left and right swapped."""
    return path_px * np.array([-1, 1], path_px.dtype)


def reversed_path(path_px: np.ndarray) -> np.ndarray:
    """The path of the same clip played backwards; with an even number of frames the reference moves by one."""
    backwards = path_px[::-1]
    return backwards - backwards[len(path_px) // 2]
