"""How sure a result is: within which distance of its place each joint likely lies, as simulated people taught."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pointlight.body import EVALUATION_JOINTS
from pointlight.capture.archive import read_npz
from pointlight.errors import PointlightError

if TYPE_CHECKING:
    from pointlight.capture.capture import Capture

CERTAINTY_ASSET = "certainty.npz"
"""Among the weights; `tools/fit_certainty.py` writes it."""

SHARES = (0.5, 0.8, 0.95)
"""Of true joints that lie within a distance."""

_OFF_LIMIT = 0.5
"""Distances in the picture count up to so many person sizes."""
_NEAR_FRAMES = 7


def joint_errors_m(capture: Capture, share: float = 0.8) -> np.ndarray:
    """(T, 14) float32 metres from each joint's place within which the true one lies in so many of 100 frames.

    Places are relative to the middle of the hips, in the camera's axes, so that the person's size counts too. Learned from
    simulated people before a detector's noise: a small network that sees the pose, which joints were seen, and how far
    they are from their keypoints. NaN in frames without a body. What it is on real people: docs/output.md.

    Args:
        capture: a result.
        share: 0.5, 0.8 or 0.95 of the frames.

    Raises:
        PointlightError: another share is asked for.
    """
    if share not in SHARES:
        raise PointlightError(f"errors are known for shares of {', '.join(map(str, SHARES))}, not {share}")
    errors = np.full((len(capture), len(EVALUATION_JOINTS)), np.nan, np.float32)
    if capture.valid.any():
        errors[capture.valid] = network_errors_m(features(capture))[..., SHARES.index(share)]
    return errors


def features(capture: Capture) -> np.ndarray:
    """(V, F) what is known of each frame with a body: the pose, seen joints now and around, distances in the picture."""
    there = capture.valid
    places = capture.joints_camera_m[there].astype(np.float64)
    around = _around(capture)[there]
    seen = capture.seen[there].astype(np.float64)
    depth = capture.translation_camera_m[there, 2:].astype(np.float64)
    towards = capture.translation_camera_m[there, :2] / np.maximum(depth, 0.1)
    return np.concatenate(
        (
            places.reshape(len(places), -1),
            seen,
            around,
            _off(capture)[there],
            np.log(np.maximum(depth, 0.1)),
            towards,
        ),
        axis=1,
    )


def _around(capture: Capture) -> np.ndarray:
    """(T, 14) share of the frames around, of the same shot, in which a joint was seen."""
    seen = capture.seen.astype(np.float64)
    shares = np.zeros_like(seen)
    for number in np.unique(capture.shot):
        part = np.flatnonzero(capture.shot == number)
        total = np.concatenate((np.zeros((1, seen.shape[1])), np.cumsum(seen[part], axis=0)))
        low = np.maximum(np.arange(len(part)) - _NEAR_FRAMES, 0)
        high = np.minimum(np.arange(len(part)) + _NEAR_FRAMES + 1, len(part))
        shares[part] = (total[high] - total[low]) / (high - low)[:, None]
    return shares


def _off(capture: Capture) -> np.ndarray:
    """(T, 14) how far joints lie from their keypoints in the picture, in person sizes; 0 where there is none."""
    joints = np.nan_to_num(capture.joints_px().astype(np.float64))
    off = np.zeros(joints.shape[:2])
    size = np.maximum(np.linalg.norm(np.ptp(joints, axis=1), axis=-1), 1.0)
    for column, name in enumerate(capture.joint_names):
        if name in capture.keypoint_names:
            point = capture.keypoints_px[:, capture.keypoint_names.index(name)]
            away = np.linalg.norm(joints[:, column] - point[:, :2], axis=-1) / size
            off[:, column] = np.where(capture.seen[:, column], np.minimum(away, _OFF_LIMIT), 0.0)
    return off


def network_errors_m(values: np.ndarray) -> np.ndarray:
    """(V, 14, 3) metres by share, growing with it, from features (V, F)."""
    layers = _layers()
    now = (values - layers["mean"]) / layers["spread"]
    for number in (1, 2):
        now = np.maximum(now @ layers[f"weight{number}"].T + layers[f"bias{number}"], 0)
    now = now @ layers["weight3"].T + layers["bias3"]
    steps = np.exp(np.clip(now, -9, 2)).reshape(len(values), -1, len(SHARES))
    return np.cumsum(steps, axis=-1) * layers["factor"]


@lru_cache(maxsize=1)
def _layers() -> dict[str, np.ndarray]:
    path = Path(str(files("pointlight"))) / "weights" / CERTAINTY_ASSET
    arrays = read_npz(path, "the file that comes with Pointlight")
    return {name: array.astype(np.float64) for name, array in arrays.items()}
