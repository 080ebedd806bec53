"""Which way is up, said by how people hold themselves: a small network from a pose to up in the root's axes.

It knows that who sits, bends or stands on one leg still has gravity pull one way. `tools/fit_upright.py` fits it to the
motion bank; nothing but recorded motions enter it.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch

from pointlight.body import BodyModel, BodyState
from pointlight.capture.archive import read_npz

ASSET = "upright.npz"
LEAST_SPREAD_RAD = 0.05
"""No pose says more surely than so where up is."""


def pose_features(body: BodyModel, pose: np.ndarray) -> np.ndarray:
    """(T, 3 (J-1)) places of the joints about the root, of the mean person, metres.

    Args:
        body: whose pose it is.
        pose: (T, J-1, 3, 3) of all joints but the root.
    """
    turns = torch.from_numpy(np.asarray(pose, np.float32))
    state = BodyState(turns, body.mean_shape, torch.eye(3), torch.zeros(3))
    with torch.no_grad():
        joints = body.joints(state, body.person(body.mean_shape))
    return joints[:, 1:].flatten(1).double().numpy()


def up_in_root(body: BodyModel, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Up in the root's axes as poses (T, J-1, 3, 3) tell it.

    Returns:
        (T, 3) unit vectors, and (T,) how far off they may be, radians.
    """
    layers = _layers()
    values = (pose_features(body, pose) - layers["mean"]) / layers["spread"]
    for number in (1, 2):
        values = np.maximum(values @ layers[f"weight{number}"].T + layers[f"bias{number}"], 0)
    values = values @ layers["weight3"].T + layers["bias3"]
    up = values[:, :3] + (0.0, 1.0, 0.0)
    up = up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-9)
    return up, LEAST_SPREAD_RAD + np.exp(np.clip(values[:, 3], -4, 1))


@lru_cache(maxsize=1)
def _layers() -> dict[str, np.ndarray]:
    path = Path(str(files("pointlight"))) / "capture" / "world" / ASSET
    arrays = read_npz(path, "the file that comes with Pointlight")
    return {name: array.astype(np.float64) for name, array in arrays.items()}
