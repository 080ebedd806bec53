"""3DPW (von Marcard et al. 2018) from its original sequence files, `sequenceFiles/{train,validation,test}/*.pkl`.

The layout is that of the official `readme_and_demo`; its traps were collected from users: poses2d has 18 points in
OpenPose's COCO order (VIBE's issue 152), absent and failed detections are all zeros (3dpw-eval), some coordinates are
absurd (PoseAug's issue 23), betas may be longer than 10.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pointlight.body import SMPL_JOINTS, SMPL_SHAPES
from pointlight.capture.detection import OPENPOSE_COCO_18
from pointlight.errors import PointlightError
from pointlight.evaluation.published.pictures import PictureFolder
from pointlight.evaluation.published.track import BenchmarkTrack, SmplMotion, field_of, keypoint_track, shaped
from pointlight.geometry import rotvec_to_rotmat
from pointlight.media import picture_size
from pointlight.pickles import read_pickle

FRAMES_PER_SECOND = 30.0
_PICTURE = "image_{:05d}.jpg"
_KIND = "a sequence file of 3DPW (sequenceFiles/*/*.pkl)"
_GENDERS = {"f": "female", "m": "male"}
_PIXEL_CENTRE = 0.5
_NOT_A_ROTATION = 1e-2


def find_3dpw(folder: Path, split: str = "test") -> list[Path]:
    """The sequence files of a split; the folders decide which split a sequence belongs to.

    Args:
        folder: where 3DPW's archives were unpacked, or its `sequenceFiles`.
        split: "train", "validation" or "test".

    Raises:
        PointlightError: there are none.
    """
    for place in (folder / "sequenceFiles" / split, folder / split):
        if files := sorted(place.glob("*.pkl")):
            return files
    raise PointlightError(
        f"{folder} has no sequenceFiles/{split}/*.pkl; give the folder in which 3DPW's archives were unpacked"
    )


def read_3dpw(path: Path) -> list[BenchmarkTrack]:
    """The persons of a sequence file.

    The picture's size is that of `imageFiles/SEQUENCE/image_00000.jpg` where that is beside it, and else twice the
    principal point; portrait pictures are as they are. Joints are the 24 of SMPL (`jointPositions`).

    Raises:
        PointlightError: the file is missing, of another form, or asks for more than arrays and plain types.
    """
    content = read_pickle(path, _KIND)
    actors = field_of(content, "poses2d", path, _KIND)
    name = path.stem
    intrinsics = shaped(
        field_of(content, "cam_intrinsics", path, _KIND), (3, 3), "cam_intrinsics", path, _KIND
    )
    poses = shaped(field_of(content, "cam_poses", path, _KIND), (-1, 4, 4), "cam_poses", path, _KIND)
    size = _image_size(path, intrinsics)
    tracks = []
    for actor in range(len(actors)):
        numbers = {
            key: shaped(_of_actor(content, key, actor, path), (len(poses), *shape), key, path, _KIND)
            for key, shape in (("poses2d", (3, 18)), ("jointPositions", (24, 3)), ("poses", (24, 3)))
        }
        known = shaped(
            _of_actor(content, "campose_valid", actor, path), (len(poses),), "campose_valid", path, _KIND
        )
        turn, shift, camera_valid = _extrinsics(poses, known > 0)
        joints = np.einsum("tab,tjb->tja", turn, numbers["jointPositions"]) + shift[:, None]
        rotations = rotvec_to_rotmat(torch.from_numpy(numbers["poses"])).numpy()
        rotations[:, 0] = turn @ rotations[:, 0]
        betas = np.ravel(np.asarray(_of_actor(content, "betas", actor, path), np.float64))[:SMPL_SHAPES]
        gender = str(_of_actor(content, "genders", actor, path))
        points = numbers["poses2d"].transpose(0, 2, 1)  # (T, 18, 3)
        tracks.append(
            BenchmarkTrack(
                name=f"{name}/{actor}",
                keypoints=keypoint_track(
                    OPENPOSE_COCO_18,
                    points[..., :2] + _PIXEL_CENTRE,
                    points[..., 2],
                    size,
                    FRAMES_PER_SECOND,
                    f"3DPW's own detections of {name}, person {actor}",
                ),
                focal_px=np.tile(intrinsics[(0, 1), (0, 1)], (len(poses), 1)),
                principal_px=np.tile(intrinsics[:2, 2], (len(poses), 1)),
                R_camera_world=turn,
                t_camera_world_m=shift,
                camera_valid=camera_valid,
                valid=np.isfinite(joints).all((1, 2)) & np.isfinite(rotations).all((1, 2, 3)),
                joint_names=SMPL_JOINTS,
                joints_camera_m=joints,
                smpl=SmplMotion(_GENDERS.get(gender, "neutral"), rotations, betas),
                pictures=PictureFolder(first_picture_3dpw(path).parent, _PICTURE, 0, len(poses)),
            )
        )
    return tracks


def _of_actor(content: dict[str, object], key: str, actor: int, path: Path) -> object:
    entries = field_of(content, key, path, _KIND)
    if not isinstance(entries, list | tuple | np.ndarray) or len(entries) <= actor:
        raise PointlightError(f"{path} has no {key!r} for person {actor}; give {_KIND}")
    return entries[actor]


def _extrinsics(poses: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotations (T, 3, 3), shifts (T, 3) and whether they are known; the identity where they are not."""
    turn, shift = poses[:, :3, :3], poses[:, :3, 3]
    finite = np.asarray(np.isfinite(poses).all((1, 2)))
    safe = np.where(finite[:, None, None], turn, 0.0)
    error = np.abs(safe @ safe.transpose(0, 2, 1) - np.eye(3)).max((1, 2))
    valid = np.asarray(known & finite & (error < _NOT_A_ROTATION) & (np.linalg.det(safe) > 0))
    return np.where(valid[:, None, None], turn, np.eye(3)), np.where(valid[:, None], shift, 0.0), valid


def first_picture_3dpw(path: Path) -> Path:
    """Where the first picture of a sequence file lies, if it was unpacked."""
    return path.parents[2] / "imageFiles" / path.stem / _PICTURE.format(0)


def _image_size(path: Path, intrinsics: np.ndarray) -> tuple[int, int]:
    picture = first_picture_3dpw(path)
    if picture.is_file():
        return picture_size(picture)
    return round(2 * intrinsics[0, 2]), round(2 * intrinsics[1, 2])
