"""One person of a benchmark's sequence: 2D keypoints in, 3D truth to compare with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.values import by_value

FAR_OUTSIDE = 0.5
"""Detections farther outside the picture than this share of its size are no detections (PoseAug's issue 23 met
absurd coordinates in 3DPW)."""


@by_value
@dataclass(frozen=True)
class SmplMotion:
    """SMPL's parameters of a track of T frames.

    Attributes:
        gender: of the model that they belong to: "female", "male" or "neutral".
        rotations: (T, 24, 3, 3) float64 relative to the parent; the root's maps body axes to camera axes.
        betas: (10,) float64 shape, one for the track.
    """

    gender: str
    rotations: np.ndarray
    betas: np.ndarray


@by_value
@dataclass(frozen=True)
class BenchmarkTrack:
    """One person over T frames. Camera axes: x right, y down, z away; metres.

    Attributes:
        name: of the sequence and the person in it.
        keypoints: the benchmark's own 2D keypoints, an entry for every frame.
        focal_px: (T, 2) focal lengths in x and y.
        principal_px: (T, 2) principal points.
        R_camera_world: (T, 3, 3) rotations from world to camera axes.
        t_camera_world_m: (T, 3) `x_camera = R x_world + t`.
        camera_valid: (T,) bool, extrinsics are known. Where they are not, they are the identity, so that joints
            are in world axes there: good for errors after alignment only.
        valid: (T,) bool, the benchmark has a truth for this frame.
        joint_names: of the J joints.
        joints_camera_m: (T, J, 3) float64 the truth; anything where not valid.
        smpl: SMPL's parameters where the benchmark has them.
        pictures: (H, W, 3) uint8 RGB of each frame, read from the files whenever they are asked for.
    """

    name: str
    keypoints: Keypoints2D
    focal_px: np.ndarray
    principal_px: np.ndarray
    R_camera_world: np.ndarray
    t_camera_world_m: np.ndarray
    camera_valid: np.ndarray
    valid: np.ndarray
    joint_names: tuple[str, ...]
    joints_camera_m: np.ndarray
    smpl: SmplMotion | None = None
    pictures: Iterable[np.ndarray] = ()

    def joints(self, names: tuple[str, ...]) -> np.ndarray:
        """(T, len(names), 3) the named joints, metres, camera axes."""
        return self.joints_camera_m[:, [self.joint_names.index(name) for name in names]]


def checked_points(
    points_px: np.ndarray, scores: np.ndarray, image_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Points (T, K, 2) and scores (T, K) in which whatever is no place in or near the picture is absent (all 0)."""
    size = np.asarray(image_size, float)
    with np.errstate(invalid="ignore"):
        near = (points_px >= -FAR_OUTSIDE * size) & (points_px <= (1 + FAR_OUTSIDE) * size)
    there = near.all(-1) & np.isfinite(scores) & (scores > 0)
    return np.where(there[..., None], points_px, 0.0), np.where(there, np.clip(scores, 0, 1), 0.0)


def keypoint_track(
    names: tuple[str, ...],
    points_px: np.ndarray,
    scores: np.ndarray,
    image_size: tuple[int, int],
    frames_per_second: float,
    source: str,
) -> Keypoints2D:
    """`Keypoints2D` of evenly timed frames from points (T, K, 2) and scores (T, K)."""
    points, scores = checked_points(points_px, scores, image_size)
    frames = np.arange(len(points))
    return Keypoints2D(
        names=names,
        time_s=frames / frames_per_second,
        frame_index=frames,
        points=np.concatenate((points, scores[..., None]), axis=-1).astype(np.float32),
        image_size=image_size,
        source=source,
    )


def field_of(content: Any, key: str, path: Path, kind: str) -> Any:
    """An entry of a file's dictionary.

    Raises:
        PointlightError: it is not there.
    """
    if not isinstance(content, dict) or key not in content:
        raise PointlightError(f"{path} has no {key!r}; give {kind}")
    return content[key]


def shaped(value: Any, shape: tuple[int, ...], what: str, path: Path, kind: str) -> np.ndarray:
    """Numbers as float64 of a shape; -1 stands for any length, and axes of length 1 may be missing.

    Raises:
        PointlightError: they do not fit.
    """
    try:
        return np.asarray(value, np.float64).reshape(shape)
    except (TypeError, ValueError) as error:
        raise PointlightError(
            f"{path} has {what} of the shape {np.shape(value)}, where {shape} is expected; give {kind}"
        ) from error
