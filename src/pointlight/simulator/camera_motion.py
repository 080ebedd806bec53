"""How a background's camera moves, from the median of dense flow, and the person who follows it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from pointlight.flow import FlowEstimator
from pointlight.simulator.cameras import CameraPath


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
    """The path of the same clip with left and right exchanged."""
    return path_px * np.array([-1, 1], path_px.dtype)


def reversed_path(path_px: np.ndarray) -> np.ndarray:
    """The path of the same clip played backwards; with an even number of frames the reference moves by one."""
    backwards = path_px[::-1]
    return backwards - backwards[len(path_px) // 2]


def follow(camera: CameraPath, path_px: np.ndarray) -> CameraPath:
    """A camera whose pictures move along with the background: its principal point takes the path.

    Args:
        camera: of the person.
        path_px: (T, 2), in pixels of the camera's picture.
    """
    if path_px.shape != camera.principal_px.shape:
        raise ValueError(f"a path of {len(path_px)} frames for a camera of {len(camera.principal_px)}")
    return replace(camera, principal_px=(camera.principal_px + path_px).astype(np.float32))
