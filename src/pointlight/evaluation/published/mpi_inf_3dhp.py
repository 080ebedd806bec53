"""The test set of MPI-INF-3DHP (Mehta et al. 2017) from its original files, `TS{1..6}/annot_data.mat`.

They are MATLAB 7.3, which is HDF5 with axes the other way round: `annot2` (F, 1, 17, 2) in pixels, `univ_annot3`
(F, 1, 17, 3) in millimetres, `valid_frame` (F, 1).
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.errors import PointlightError
from pointlight.evaluation.published.pictures import PictureFolder
from pointlight.evaluation.published.track import BenchmarkTrack, field_of, keypoint_track, shaped
from pointlight.geometry import default_focal_px
from pointlight.media import picture_size

MPI_INF_3DHP_JOINTS: tuple[str, ...] = (
    "head_top",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "pelvis",
    "spine",
    "head",
)
"""The 17 of the test set, in its order."""

FRAMES_PER_SECOND = 25.0
"""Of the test set's videos; its files do not say, so this is an assumption."""

_PICTURE = "img_{:06d}.jpg"
_KIND = "an annot_data.mat of MPI-INF-3DHP's test set"
_OUTDOOR = ("TS5", "TS6")
_SIZE, _OUTDOOR_SIZE = (2048, 2048), (1920, 1080)
_PLAUSIBLE_FOCAL = (0.3, 10.0)
"""Of the picture's width."""


def find_mpi_inf_3dhp(folder: Path) -> list[Path]:
    """The files of the test set's sequences.

    Args:
        folder: where the test set was unpacked.

    Raises:
        PointlightError: there are none.
    """
    for place in (folder / "mpi_inf_3dhp_test_set", folder):
        if files := sorted(place.glob("TS*/annot_data.mat")):
            return files
    raise PointlightError(
        f"{folder} has no TS*/annot_data.mat; give the folder mpi_inf_3dhp_test_set of MPI-INF-3DHP"
    )


def read_mpi_inf_3dhp(path: Path) -> list[BenchmarkTrack]:
    """The one person of a sequence.

    The 2D keypoints are `annot2`, the truth's own projection: there are no detections. The truth is `univ_annot3`,
    the person at a universal size, as in the published figures. As SPIN and VIBE do, frames count that the
    benchmark calls valid and in which all joints are inside the picture. The camera is the one that takes `annot3` to
    `annot2`.

    Raises:
        PointlightError: h5py is not installed, or the file is missing or of another form.
    """
    arrays = _arrays(path)
    points = shaped(arrays["annot2"], (-1, 17, 2), "annot2", path, _KIND)
    joints = shaped(arrays["univ_annot3"], (len(points), 17, 3), "univ_annot3", path, _KIND) / 1000
    places = shaped(arrays["annot3"], (len(points), 17, 3), "annot3", path, _KIND) / 1000
    said = shaped(arrays["valid_frame"], (len(points),), "valid_frame", path, _KIND) > 0
    size = _image_size(path)
    inside = ((points >= 0) & (points <= size)).all((1, 2))
    focal, principal = _camera(points[said & inside], places[said & inside], size)
    count = len(points)
    track = BenchmarkTrack(
        name=path.parent.name,
        keypoints=keypoint_track(
            MPI_INF_3DHP_JOINTS,
            points,
            np.ones(points.shape[:2]),
            size,
            FRAMES_PER_SECOND,
            f"MPI-INF-3DHP's annot2 of {path.parent.name} (the truth's projection)",
        ),
        focal_px=np.tile(focal, (count, 1)),
        principal_px=np.tile(principal, (count, 1)),
        R_camera_world=np.tile(np.eye(3), (count, 1, 1)),
        t_camera_world_m=np.zeros((count, 3)),
        camera_valid=np.ones(count, bool),
        valid=said & inside & np.isfinite(joints).all((1, 2)),
        joint_names=MPI_INF_3DHP_JOINTS,
        joints_camera_m=joints,
        pictures=PictureFolder(first_picture_mpi_inf_3dhp(path).parent, _PICTURE, 1, count),
    )
    return [track]


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        h5py: Any = import_module("h5py")
    except ImportError as error:
        raise PointlightError(
            "reading MPI-INF-3DHP needs the Python package h5py; install it with: pip install 'pointlight[benchmarks]'"
        ) from error
    if not path.is_file():
        raise PointlightError(f"there is no file {path}; give {_KIND}")
    names = ("annot2", "annot3", "univ_annot3", "valid_frame")
    try:
        with h5py.File(path, "r") as file:
            content = {name: np.asarray(file[name]) for name in names if name in file}
    except OSError as error:
        raise PointlightError(f"{path} cannot be read as HDF5 ({error}); give {_KIND}") from error
    return {name: field_of(content, name, path, _KIND) for name in names}


def first_picture_mpi_inf_3dhp(path: Path) -> Path:
    """Where the first picture of a sequence lies, if it was unpacked."""
    return path.parent / "imageSequence" / _PICTURE.format(1)


def _image_size(path: Path) -> tuple[int, int]:
    picture = first_picture_mpi_inf_3dhp(path)
    if picture.is_file():
        return picture_size(picture)
    return _OUTDOOR_SIZE if path.parent.name in _OUTDOOR else _SIZE


def _camera(points: np.ndarray, places_m: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Focal lengths and principal point that take places (T, 17, 3) to points (T, 17, 2), by least squares.

    Where these do not tell, the picture's diagonal and its middle.
    """
    focal = np.full(2, default_focal_px(*map(float, size)))
    principal = np.asarray(size, float) / 2
    usable = np.isfinite(points).all(-1) & np.isfinite(places_m).all(-1) & (places_m[..., 2] > 0.1)
    if usable.sum() < 17:
        return focal, principal
    slopes = places_m[usable][:, :2] / places_m[usable][:, 2:]
    fitted = [
        np.linalg.lstsq(
            np.stack((slopes[:, axis], np.ones(len(slopes))), 1), points[usable][:, axis], rcond=None
        )[0]
        for axis in (0, 1)
    ]
    low, high = (factor * size[0] for factor in _PLAUSIBLE_FOCAL)
    if all(low < length < high for length, _ in fitted):
        return np.array([length for length, _ in fitted]), np.array([middle for _, middle in fitted])
    return focal, principal
