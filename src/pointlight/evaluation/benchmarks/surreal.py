"""SURREAL (Varol et al. 2017) from its original `*_info.mat` files, turned from the mirror image that they are.

Its released frames are mirrored while its 3D is not: the matrix from its world to its camera has the determinant -1,
and in the picture of somebody seen from behind the left hip lies right of the right one (compare issues 10, 29 and 49
of gulvarol/surreal). Here everything is given as if each frame had been mirrored back, x' = 320 - x; whoever uses the
frames beside these tracks must mirror them too. Names, pose and shape stay SMPL's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.io import loadmat

from pointlight.body import SMPL_JOINTS, SMPL_SHAPES
from pointlight.errors import PointlightError
from pointlight.evaluation.benchmarks.track import (
    BenchmarkTrack,
    SmplMotion,
    field_of,
    keypoint_track,
    shaped,
)
from pointlight.geometry import rotvec_to_rotmat

FRAMES_PER_SECOND = 30.0
IMAGE_SIZE = (320, 240)
FOCAL_PX = 600.0
"""60 mm on a sensor 32 mm wide."""

R_CAMERA_WORLD = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Of the mirrored-back camera, which looks along the world's -x; SURREAL's world has y down."""

_KIND = "an _info.mat of SURREAL"
_NOWHERE = (0.0, 238.0)
"""Where SURREAL puts all joints in frames without a person (its official loader)."""


def find_surreal(folder: Path, split: str = "test") -> list[Path]:
    """The clips' `_info.mat` files: of the split where the folder has the official tree, else all beneath it.

    Raises:
        PointlightError: there are none.
    """
    for place in (folder / "data" / "cmu" / split, folder / "cmu" / split, folder / split, folder):
        if files := sorted(place.rglob("*_info.mat")):
            return files
    raise PointlightError(f"{folder} has no *_info.mat beneath it; give SURREAL's folder")


def read_surreal(path: Path) -> list[BenchmarkTrack]:
    """The one person of a clip.

    The 2D keypoints are `joints2D`, the truth's projection in whole pixels: there are no detections. Frames whose
    joints are all at one place are not valid, and their keypoints absent.

    Raises:
        PointlightError: the file is missing or of another form.
    """
    content = _content(path)
    # MATLAB drops a last axis of length 1, so a clip of one frame has joints2D (2, 24).
    flat, joints, pose, shape = (
        shaped(field_of(content, key, path, _KIND), size, key, path, _KIND)
        for key, size in (
            ("joints2D", (2, 24, -1)),
            ("joints3D", (3, 24, -1)),
            ("pose", (24, 3, -1)),
            ("shape", (10, -1)),
        )
    )
    points, places = flat.transpose(2, 1, 0), joints.transpose(2, 1, 0)  # (T, 24, 2), (T, 24, 3)
    count = len(points)
    camera_m = shaped(field_of(content, "camLoc", path, _KIND), (3,), "camLoc", path, _KIND)
    turn_of_clip = np.ravel(shaped(field_of(content, "zrot", path, _KIND), (-1,), "zrot", path, _KIND))[0]
    gender = np.ravel(np.asarray(field_of(content, "gender", path, _KIND)))[0]
    if not len(places) == count == pose.shape[-1]:
        raise PointlightError(
            f"{path} has {count} frames of joints2D, {len(places)} of joints3D and {pose.shape[-1]} of pose; give {_KIND}"
        )
    valid = ~(points == _NOWHERE).all((1, 2)) & ~(places == 0).all((1, 2)) & np.isfinite(places).all((1, 2))
    rotations = rotvec_to_rotmat(torch.from_numpy(np.ascontiguousarray(pose.transpose(2, 0, 1)))).numpy()
    rotations[:, 0] = R_CAMERA_WORLD @ _upright(turn_of_clip) @ rotations[:, 0]
    width, height = IMAGE_SIZE
    track = BenchmarkTrack(
        name=f"{path.parents[1].name}/{path.name.removesuffix('_info.mat')}",  # the runs' clips have the same names
        keypoints=keypoint_track(
            SMPL_JOINTS,
            np.stack((width - points[..., 0], points[..., 1]), axis=-1),
            np.tile(valid[:, None], (1, 24)).astype(float),
            IMAGE_SIZE,
            FRAMES_PER_SECOND,
            "SURREAL's joints2D (the truth's projection), mirrored back",
        ),
        focal_px=np.full((count, 2), FOCAL_PX),
        principal_px=np.tile((width / 2, height / 2), (count, 1)),
        R_camera_world=np.tile(R_CAMERA_WORLD, (count, 1, 1)),
        t_camera_world_m=np.tile(-R_CAMERA_WORLD @ camera_m, (count, 1)),
        camera_valid=np.ones(count, bool),
        valid=valid,
        joint_names=SMPL_JOINTS,
        joints_camera_m=(places - camera_m) @ R_CAMERA_WORLD.T,
        smpl=SmplMotion("male" if gender else "female", rotations, shape[:SMPL_SHAPES, 0]),
    )
    return [track]


def _upright(angle: float) -> np.ndarray:
    """From SMPL's axes to SURREAL's world: a turn about z by `zrot`, then by 90 degrees about x."""
    cosine, sine = np.cos(angle), np.sin(angle)
    about_z = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    about_x = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    return about_x @ about_z


def _content(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise PointlightError(f"there is no file {path}; give {_KIND}")
    try:
        return loadmat(path)
    except Exception as error:  # whatever scipy says of a broken file
        raise PointlightError(f"{path} cannot be read as a MATLAB file ({error}); give {_KIND}") from error
