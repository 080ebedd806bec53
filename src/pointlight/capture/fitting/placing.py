"""Where the body stands before the camera: the translation for which its joints fall onto the detections."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

DEPTH_SMOOTHING_S = 0.15
"""Standard deviation of the filter on the logarithm of depth: a person's distance changes slowly, noise does not."""

PRIOR = 0.02
"""Weight of the network's own depth against the detections' (per keypoint, squared metres)."""


ROUNDS = 4
"""Of reweighting: keypoints that no place of the body explains lose their say."""

TRUSTED = 0.05
"""Distance from its keypoint, in person sizes, at which a joint has a quarter of its say left."""


def place_body(
    joints_m: np.ndarray,
    rays: np.ndarray,
    weights: np.ndarray,
    prior_m: np.ndarray,
    time_s: np.ndarray,
) -> np.ndarray:
    """Translation (T, 3) in metres that puts joints onto viewing rays, by robust linear least squares in each frame.

    Args:
        joints_m: (T, K, 3) joints in camera axes relative to the root.
        rays: (T, K, 2) slopes x/z, y/z of the detections.
        weights: (T, K), 0 where there is no detection.
        prior_m: (T, 3) the network's translation, which decides where nothing is seen.
        time_s: (T,).
    """
    for _ in range(ROUNDS - 1):
        place = _solve(joints_m, rays, weights, prior_m)
        places = joints_m + place[:, None]
        off = np.linalg.norm(places[..., :2] / np.maximum(places[..., 2:], 0.3) - rays, axis=-1)
        weights = (weights > 0) / (1 + (off / (TRUSTED * _size(rays, weights > 0)[:, None])) ** 2) ** 2
    depth = _solve(joints_m, rays, weights, prior_m)[:, 2]
    depth = np.clip(depth, 0.3, None)
    if len(time_s) > 1:
        step = float(np.median(np.diff(time_s)))
        depth = np.exp(gaussian_filter1d(np.log(depth), DEPTH_SMOOTHING_S / max(step, 1e-3), mode="nearest"))
    total = weights.sum(1)
    share = weights / np.maximum(total, 1e-9)[:, None]
    distance = joints_m[..., 2] + depth[:, None]
    sideways = (share[..., None] * (rays * distance[..., None] - joints_m[..., :2])).sum(1)
    unseen = total < 1e-6
    slope = prior_m[:, :2] / np.maximum(prior_m[:, 2:], 0.3)
    sideways[unseen] = slope[unseen] * depth[unseen, None]
    return np.concatenate((sideways, depth[:, None]), axis=1).astype(np.float32)


def _size(rays: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(T,) diagonal of the box around the keypoints that are seen, in slopes; small where there are none."""
    low = np.where(seen[..., None], rays, np.inf).min(1)
    high = np.where(seen[..., None], rays, -np.inf).max(1)
    return np.maximum(np.linalg.norm(np.where(high > low, high - low, 0.0), axis=-1), 1e-3)


def _solve(joints_m: np.ndarray, rays: np.ndarray, weights: np.ndarray, prior_m: np.ndarray) -> np.ndarray:
    """Least squares of X + t - ray * (Z + t_z) over keypoints, with a weak pull of depth to the prior."""
    frames, count, _ = joints_m.shape
    rows = np.zeros((frames, count, 2, 3))
    rows[..., 0, 0] = rows[..., 1, 1] = 1
    rows[..., 2] = -rays
    right = rays * joints_m[..., 2:] - joints_m[..., :2]
    normal = np.einsum("tk,tkia,tkib->tab", weights, rows, rows)
    vector = np.einsum("tk,tkia,tki->ta", weights, rows, right)
    # The rays' spread measures how well depth is seen; the prior's weight is in the same unit.
    pull = PRIOR * (rays.var(1).sum(-1) + 1e-4)
    normal[:, 2, 2] += pull
    vector[:, 2] += pull * prior_m[:, 2]
    normal += 1e-6 * np.eye(3)
    vector += 1e-6 * prior_m
    return np.linalg.solve(normal, vector[..., None])[..., 0]
