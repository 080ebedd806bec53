"""Rotations over time as NumPy stacks, for retargeting (the differentiable ones are in `geometry`)."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation


def unit(vectors: np.ndarray) -> np.ndarray:
    """(..., 3) scaled to length 1; zero stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def transposed(rotations: np.ndarray) -> np.ndarray:
    """(..., 3, 3) inverse rotations."""
    return rotations.swapaxes(-1, -2)


def frames_along(primary: np.ndarray, secondary: np.ndarray) -> np.ndarray:
    """(..., 3, 3) right-handed axes as columns: `primary`, then `secondary` made perpendicular to it.

    Where they say no direction (bones without length, or on one line), one is chosen: spoilt files have such frames, and
    what comes out are rotations all the same.
    """
    primary, secondary = np.broadcast_arrays(primary, secondary)
    first = unit(np.where(_short(primary), (1.0, 0.0, 0.0), primary))
    across = secondary - first * (secondary * first).sum(-1, keepdims=True)
    # The axis that `first` is least along.
    other = np.eye(3)[np.abs(first).argmin(-1)]
    other = other - first * (other * first).sum(-1, keepdims=True)
    second = unit(np.where(_short(across), other, across))
    return np.stack((first, second, np.cross(first, second)), axis=-1)


def _short(vectors: np.ndarray) -> np.ndarray:
    """(..., 1) bool, vectors (..., 3) too short to have a direction."""
    return np.linalg.norm(vectors, axis=-1, keepdims=True) < 1e-9


def smallest_turns(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(..., 3, 3) smallest rotations that take unit vectors to unit vectors, none of them opposite."""
    start, end = np.broadcast_arrays(start, end)
    axis = np.cross(start, end)
    skew = np.zeros((*axis.shape, 3))
    skew[..., 0, 1], skew[..., 0, 2], skew[..., 1, 2] = -axis[..., 2], axis[..., 1], -axis[..., 0]
    skew = skew - transposed(skew)
    cosine = (start * end).sum(-1)[..., None, None]
    return np.eye(3) + skew + skew @ skew / np.maximum(1 + cosine, 1e-6)


def pitch(angle_rad: float) -> np.ndarray:
    """(3, 3) rotation that leans forward (y towards z)."""
    return axis_turns(np.array((1.0, 0.0, 0.0)), np.array(angle_rad))


def axis_turns(axis: np.ndarray, angles_rad: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations about one unit axis."""
    rotvec = np.asarray(angles_rad)[..., None] * axis
    return Rotation.from_rotvec(rotvec.reshape(-1, 3)).as_matrix().reshape(*rotvec.shape, 3)


def halfway(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations in the middle of the shortest way."""
    turn = Rotation.from_matrix(transposed(first) @ second).as_rotvec()
    return first @ Rotation.from_rotvec(0.5 * turn).as_matrix()


def twist_angles(rotations: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(T,) the part of each rotation (T, 3, 3) about a unit axis, radians from -pi to pi."""
    quaternions = Rotation.from_matrix(rotations).as_quat()
    angles = 2 * np.arctan2(quaternions[:, :3] @ axis, quaternions[:, 3])
    return (angles + np.pi) % (2 * np.pi) - np.pi


def nearest_rotations(matrices: np.ndarray) -> np.ndarray:
    """(..., 3, 3) float32 with the rounding of long products removed (one Newton step)."""
    wide = matrices.astype(np.float64)
    return (1.5 * wide - 0.5 * wide @ transposed(wide) @ wide).astype(np.float32)


def rotations_to_quaternions(rotations: np.ndarray) -> np.ndarray:
    """(..., 3, 3) to (..., 4) float32 unit quaternions (x, y, z, w)."""
    quaternions = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_quat()
    return quaternions.reshape(*rotations.shape[:-2], 4).astype(np.float32)


def quaternions_to_rotations(quaternions: np.ndarray) -> np.ndarray:
    """(..., 4) (x, y, z, w) to (..., 3, 3) float32."""
    matrices = Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix()
    return matrices.reshape(*quaternions.shape[:-1], 3, 3).astype(np.float32)
