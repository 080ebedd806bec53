"""SURREAL's files (Varol et al. 2017), turned from the mirror image that they are.

Its released frames are mirrored while its 3D is not: the matrix from its world to its camera has the determinant -1,
and in the picture of somebody seen from behind the left hip lies right of the right one (compare issues 10, 29 and 49
of gulvarol/surreal). Here everything is given as if each frame had been mirrored back, x' = 320 - x. Names, pose and
shape stay SMPL's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pointlight.body import SMPL_SHAPES
from pointlight.errors import PointlightError
from pointlight.geometry import rotvec_to_rotmat
from pointlight.media import VideoReader
from pointlight.values import by_value

SURREAL_SIZE = (320, 240)
SURREAL_FOCAL_PX = 600.0
"""60 mm on a sensor 32 mm wide."""

R_SURREAL_CAMERA_WORLD = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Of the mirrored-back camera, which looks along the world's -x; SURREAL's world has y down."""

_KIND = "an _info.mat of SURREAL"
_NOWHERE = (0.0, 238.0)
"""Where SURREAL puts all joints in frames without a person (its official loader)."""
_FAR_M = 1e3
"""The official code takes more for background, whose depth is written as 1e10."""

SPLITS = ("train", "val", "test")
"""Folders of the official tree."""


@by_value
@dataclass(frozen=True)
class SurrealInfo:
    """A clip's `_info.mat`, mirrored back. Camera axes: x right, y down, z away.

    Attributes:
        joints2d_px: (T, 24, 2) `joints2D`, in whole pixels.
        joints_camera_m: (T, 24, 3) float64 of `SMPL_JOINTS`.
        valid: (T,) bool, there is a person.
        rotations: (T, 24, 3, 3) float64 relative to the parent; the root's maps body axes to camera axes.
        betas: (10,) float64.
        gender: "female" or "male".
        camera_world_m: (3,) where the camera stands, in SURREAL's world.
    """

    joints2d_px: np.ndarray
    joints_camera_m: np.ndarray
    valid: np.ndarray
    rotations: np.ndarray
    betas: np.ndarray
    gender: str
    camera_world_m: np.ndarray

    @property
    def frames(self) -> int:
        """T; up to 100, sometimes 1."""
        return len(self.valid)


def find_surreal(folder: Path, split: str = "test") -> list[Path]:
    """The clips' `_info.mat` files: of the split where the folder has the official tree, else all beneath it.

    Raises:
        PointlightError: there are none, or none of that split.
    """
    for tree in (folder / "data" / "cmu", folder / "cmu", folder):
        if any((tree / name).is_dir() for name in SPLITS):
            if files := sorted((tree / split).rglob("*_info.mat")):
                return files
            raise PointlightError(
                f"{tree} has no *_info.mat of the split {split!r}; get that part of SURREAL"
            )
    if files := sorted(folder.rglob("*_info.mat")):
        return files
    raise PointlightError(f"{folder} has no *_info.mat beneath it; give SURREAL's folder")


def surreal_name(path: Path) -> str:
    """A clip's name with its run's folder, since the runs' clips have the same names."""
    return f"{path.parents[1].name}/{path.name.removesuffix('_info.mat')}"


def read_surreal_info(path: Path) -> SurrealInfo:
    """Read an `_info.mat`.

    Raises:
        PointlightError: the file is missing or of another form.
    """
    content = _content(path, _KIND)
    # MATLAB drops a last axis of length 1, so a clip of one frame has joints2D (2, 24).
    flat, joints, pose, shape = (
        _shaped(content, key, size, path)
        for key, size in (
            ("joints2D", (2, 24, -1)),
            ("joints3D", (3, 24, -1)),
            ("pose", (24, 3, -1)),
            ("shape", (10, -1)),
        )
    )
    points, places = flat.transpose(2, 1, 0), joints.transpose(2, 1, 0)  # (T, 24, 2), (T, 24, 3)
    count = len(points)
    camera_m = _shaped(content, "camLoc", (3,), path)
    turn_of_clip = np.ravel(_shaped(content, "zrot", (-1,), path))[0]
    gender = np.ravel(np.asarray(_field(content, "gender", path)))[0]
    if not len(places) == count == pose.shape[-1]:
        raise PointlightError(
            f"{path} has {count} frames of joints2D, {len(places)} of joints3D and {pose.shape[-1]} of pose; give {_KIND}"
        )
    valid = ~(points == _NOWHERE).all((1, 2)) & ~(places == 0).all((1, 2)) & np.isfinite(places).all((1, 2))
    rotations = rotvec_to_rotmat(torch.from_numpy(np.ascontiguousarray(pose.transpose(2, 0, 1)))).numpy()
    rotations[:, 0] = R_SURREAL_CAMERA_WORLD @ _upright(turn_of_clip) @ rotations[:, 0]
    return SurrealInfo(
        joints2d_px=np.stack((SURREAL_SIZE[0] - points[..., 0], points[..., 1]), axis=-1),
        joints_camera_m=(places - camera_m) @ R_SURREAL_CAMERA_WORLD.T,
        valid=valid,
        rotations=rotations,
        betas=shape[:SMPL_SHAPES, 0],
        gender="male" if gender else "female",
        camera_world_m=camera_m,
    )


def surreal_video(info_path: Path) -> Path:
    """The clip's mp4, which lies beside its `_info.mat`."""
    return _beside(info_path, ".mp4")


def surreal_pictures(info_path: Path, start: int, count: int) -> Iterator[np.ndarray]:
    """So many pictures (240, 320, 3) uint8 of the clip's mp4 from frame `start` on, mirrored back, one at a time.

    Raises:
        PointlightError: the video is missing, broken, too short or of another size.
    """
    path = surreal_video(info_path)
    video = VideoReader(path)
    if video.size != SURREAL_SIZE:
        raise PointlightError(f"{path} has pictures of {video.size} where SURREAL's are {SURREAL_SIZE}")
    given = 0
    for frame in video:
        if frame.index >= start + count:
            break
        if frame.index >= start:
            yield np.ascontiguousarray(frame.image[:, ::-1])
            given += 1
    if given < count:
        raise PointlightError(
            f"{path} ends after frame {start + given}, where {start + count} are needed; get it again"
        )


def read_surreal_frames(info_path: Path, start: int, count: int) -> np.ndarray:
    """(count, 240, 320, 3) uint8, all of `surreal_pictures`."""
    return np.stack(list(surreal_pictures(info_path, start, count)))


def read_surreal_segmentation(info_path: Path, start: int, count: int) -> np.ndarray:
    """(count, 240, 320) uint8, 1 + the index in `SMPL_JOINTS` of the part, 0 for background; mirrored back.

    Raises:
        PointlightError: the file is missing or of another form.
    """
    return _maps(info_path, "segm", start, count).astype(np.uint8)


def read_surreal_depth(info_path: Path, start: int, count: int, *, along_ray: bool) -> np.ndarray:
    """(count, 240, 320) float32 z in metres, inf for background; mirrored back.

    Args:
        info_path: of the clip.
        start: first frame.
        count: of frames.
        along_ray: the file's numbers are distances from the camera's centre, not z. Cycles of SURREAL's time wrote
            such (`camera_distance` in its kernel_passes.h); no released file was at hand to see it.

    Raises:
        PointlightError: the file is missing or of another form.
    """
    depth = _maps(info_path, "depth", start, count).astype(np.float32)
    depth[(depth > _FAR_M) | ~np.isfinite(depth)] = np.inf
    if along_ray:
        width, height = SURREAL_SIZE
        x, y = np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2
        depth *= (SURREAL_FOCAL_PX / np.sqrt(SURREAL_FOCAL_PX**2 + x**2 + y[:, None] ** 2)).astype(np.float32)
    return depth


def _maps(info_path: Path, what: str, start: int, count: int) -> np.ndarray:
    """Pictures of a `_segm.mat` or `_depth.mat`, whose variables are numbered from 1; mirrored back."""
    path = _beside(info_path, f"_{what}.mat")
    kind = f"a _{what}.mat of SURREAL"
    names = [f"{what}_{number}" for number in range(start + 1, start + count + 1)]
    content = _content(path, kind, names)
    for name in names:
        if name not in content:
            raise PointlightError(f"{path} has no {name!r}; give {kind}")
        if np.shape(content[name]) != SURREAL_SIZE[::-1]:
            raise PointlightError(
                f"{path} has {name} of the shape {np.shape(content[name])}, where {SURREAL_SIZE[::-1]} is"
                f" expected; give {kind}"
            )
    return np.stack([content[name] for name in names])[:, :, ::-1].copy()


def _beside(info_path: Path, ending: str) -> Path:
    return info_path.with_name(info_path.name.removesuffix("_info.mat") + ending)


def _upright(angle: float) -> np.ndarray:
    """From SMPL's axes to SURREAL's world: a turn about z by `zrot`, then by 90 degrees about x."""
    cosine, sine = np.cos(angle), np.sin(angle)
    about_z = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    about_x = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    return about_x @ about_z


def _content(path: Path, kind: str, names: Sequence[str] | None = None) -> dict[str, Any]:
    if not path.is_file():
        raise PointlightError(f"there is no file {path}; give {kind}")
    try:
        from scipy.io import loadmat  # a third of a second that only SURREAL's files are worth

        return loadmat(path, variable_names=None if names is None else list(names))
    except Exception as error:  # whatever scipy says of a broken file
        raise PointlightError(f"{path} cannot be read as a MATLAB file ({error}); give {kind}") from error


def _field(content: dict[str, Any], key: str, path: Path) -> Any:
    if key not in content:
        raise PointlightError(f"{path} has no {key!r}; give {_KIND}")
    return content[key]


def _shaped(content: dict[str, Any], key: str, shape: tuple[int, ...], path: Path) -> np.ndarray:
    """Numbers as float64 of a shape; -1 stands for any length, and axes of length 1 may be missing."""
    value = _field(content, key, path)
    try:
        return np.asarray(value, np.float64).reshape(shape)
    except (TypeError, ValueError) as error:
        raise PointlightError(
            f"{path} has {key} of the shape {np.shape(value)}, where {shape} is expected; give {_KIND}"
        ) from error
