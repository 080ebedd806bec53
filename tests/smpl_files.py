"""A small body in the form of an official SMPL file, made from nothing: a box of skin around every joint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from old_pickles import Foreign, write_old_pickle
from scipy import sparse

from pointlight.body import SMPL_JOINTS

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
CENTRE_M = {
    "pelvis": (0.0, -0.24, 0.0),
    "spine1": (0.0, -0.12, 0.0),
    "spine2": (0.0, 0.02, 0.0),
    "spine3": (0.0, 0.08, 0.0),
    "neck": (0.0, 0.29, -0.02),
    "head": (0.0, 0.37, 0.02),
}
LEFT_M = {
    "hip": (0.07, -0.33, 0.0),
    "knee": (0.1, -0.71, 0.0),
    "ankle": (0.09, -1.11, -0.03),
    "foot": (0.11, -1.17, 0.09),
    "collar": (0.08, 0.19, 0.0),
    "shoulder": (0.2, 0.22, 0.0),
    "elbow": (0.45, 0.21, -0.02),
    "wrist": (0.7, 0.22, -0.02),
    "hand": (0.79, 0.21, -0.02),
}
CORNERS = np.array(np.meshgrid((-1, 1), (-1, 1), (-1, 1))).reshape(3, 8).T
BOX_FACES = np.array([(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)])
H36M_17 = 17


def rest_joints() -> np.ndarray:
    """(24, 3) metres."""
    places = dict(CENTRE_M)
    for part, (x, y, z) in LEFT_M.items():
        places |= {f"left_{part}": (x, y, z), f"right_{part}": (-x, y, z)}
    return np.array([places[name] for name in SMPL_JOINTS])


def smpl_arrays(seed: int = 0, betas: int = 10) -> dict[str, np.ndarray]:
    """The arrays of the file, dense."""
    rng = np.random.default_rng(seed)
    joints = rest_joints()
    template = (joints[:, None] + 0.04 * CORNERS * rng.uniform(0.5, 1.5, (24, 1, 3))).reshape(-1, 3)
    weights = np.zeros((len(template), 24))
    own = np.repeat(np.arange(24), 8)
    share = rng.uniform(0.5, 1, len(template))
    weights[np.arange(len(template)), own] = share
    weights[np.arange(len(template)), np.maximum(np.array(PARENTS), 0)[own]] += 1 - share
    regressor = np.zeros((24, len(template)))
    regressor[own, np.arange(len(template))] = 1 / 8
    table = np.array([PARENTS, range(24)], np.int64).astype(np.uint32)  # the root's parent becomes 4294967295
    return {
        "v_template": template,
        "posedirs": 0.01 * rng.normal(size=(len(template), 3, 207)),
        "shapedirs": 0.01 * rng.normal(size=(len(template), 3, betas)),
        "J_regressor": regressor,
        "weights": weights,
        "kintree_table": table,
        "f": (8 * np.arange(24)[:, None, None] + BOX_FACES).reshape(-1, 3).astype(np.uint32),
    }


def write_smpl(path: Path, arrays: dict[str, np.ndarray] | None = None, **changes: Any) -> Path:
    """As the official files are: Python 2, chumpy's arrays, a sparse regressor, and more than is needed."""
    arrays = arrays or smpl_arrays()
    matrix = sparse.csc_matrix(arrays["J_regressor"])
    parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "_shape": matrix.shape}
    shapes = arrays["shapedirs"]
    whole = Foreign("chumpy.ch", "Ch", {"x": shapes, "_dirty_vars": set()})
    chosen = {"a": whole, "idxs": np.arange(shapes.size), "preferred_shape": shapes.shape}
    content: dict[str, Any] = {
        **arrays,
        "v_template": Foreign("chumpy.ch", "Ch", {"x": arrays["v_template"], "_dirty_vars": {"x"}}),
        "shapedirs": Foreign("chumpy.reordering", "Select", chosen),
        "J_regressor": Foreign("scipy.sparse.csc", "csc_matrix", parts),
        "J": rest_joints(),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }
    content |= changes
    return write_old_pickle(path, {key: value for key, value in content.items() if value is not None})


def h36m_regressor(seed: int = 3) -> np.ndarray:
    """(17, V) rows that add up to 1, in the order of `J_regressor_h36m`: each near its joint of SMPL."""
    of_smpl = ("pelvis", "left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle")
    of_smpl += ("spine2", "neck", "head", "head", "left_shoulder", "left_elbow", "left_wrist")
    of_smpl += ("right_shoulder", "right_elbow", "right_wrist")
    rng = np.random.default_rng(seed)
    rows = np.zeros((H36M_17, 24 * 8))
    for row, name in zip(rows, of_smpl, strict=True):
        joint = SMPL_JOINTS.index(name)
        row[8 * joint : 8 * joint + 8] = rng.dirichlet(np.ones(8))
    return rows
