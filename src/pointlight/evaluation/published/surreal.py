"""SURREAL (Varol et al. 2017) as a benchmark, from its original `*_info.mat` files.

Everything is given as if each frame had been mirrored back (`pointlight.simulator.people.surreal_files` says why), the
pictures too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pointlight.body import SMPL_JOINTS
from pointlight.evaluation.published.pictures import SurrealVideo
from pointlight.evaluation.published.track import BenchmarkTrack, SmplMotion, keypoint_track
from pointlight.simulator import FRAMES_PER_SECOND
from pointlight.simulator.people import (
    R_SURREAL_CAMERA_WORLD,
    SURREAL_FOCAL_PX,
    SURREAL_SIZE,
    find_surreal,
    read_surreal_info,
    surreal_name,
)

__all__ = ["find_surreal", "read_surreal"]


def read_surreal(path: Path) -> list[BenchmarkTrack]:
    """The one person of a clip.

    The 2D keypoints are `joints2D`, the truth's projection in whole pixels: there are no detections. Frames whose
    joints are all at one place are not valid, and their keypoints absent.

    Raises:
        PointlightError: the file is missing or of another form.
    """
    info = read_surreal_info(path)
    count = info.frames
    width, height = SURREAL_SIZE
    track = BenchmarkTrack(
        name=surreal_name(path),
        keypoints=keypoint_track(
            SMPL_JOINTS,
            info.joints2d_px,
            np.tile(info.valid[:, None], (1, len(SMPL_JOINTS))).astype(float),
            SURREAL_SIZE,
            FRAMES_PER_SECOND,
            "SURREAL's joints2D (the truth's projection), mirrored back",
        ),
        focal_px=np.full((count, 2), SURREAL_FOCAL_PX),
        principal_px=np.tile((width / 2, height / 2), (count, 1)),
        R_camera_world=np.tile(R_SURREAL_CAMERA_WORLD, (count, 1, 1)),
        t_camera_world_m=np.tile(-R_SURREAL_CAMERA_WORLD @ info.camera_world_m, (count, 1)),
        camera_valid=np.ones(count, bool),
        valid=info.valid,
        joint_names=SMPL_JOINTS,
        joints_camera_m=info.joints_camera_m,
        smpl=SmplMotion(info.gender, info.rotations, info.betas),
        pictures=SurrealVideo(path, count),
    )
    return [track]
