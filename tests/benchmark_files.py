"""Small files in the exact layouts of 3DPW, MPI-INF-3DHP's test set and SURREAL: one moving body of SMPL's form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from old_pickles import write_old_pickle
from scipy.io import savemat
from scipy.spatial.transform import Rotation
from smpl_files import PARENTS, rest_joints

from pointlight.body import SMPL_JOINTS

OPENPOSE = {
    "nose": "head",
    "neck": "neck",
    **{f"right_{part}": f"right_{part}" for part in ("shoulder", "elbow", "wrist")},
    **{f"left_{part}": f"left_{part}" for part in ("shoulder", "elbow", "wrist")},
    **{f"right_{part}": f"right_{part}" for part in ("hip", "knee", "ankle")},
    **{f"left_{part}": f"left_{part}" for part in ("hip", "knee", "ankle")},
    **{name: "head" for name in ("right_eye", "left_eye", "right_ear", "left_ear")},
}
"""3DPW's 18 in its order, and where we put them."""

FOCAL_3DPW = (1961.0, 1969.0)


def moving(frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rotation vectors (T, 24, 3) with the root at rest, and joints (T, 24, 3) about the pelvis in body axes."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames)[:, None, None] if frames > 1 else np.zeros((1, 1, 1))
    rotvec = 0.3 * np.sin(6 * time + rng.uniform(0, 6, (24, 3))) * rng.uniform(0, 1, (24, 3))
    rotvec[:, 0] = 0
    turns = Rotation.from_rotvec(rotvec.reshape(-1, 3)).as_matrix().reshape(frames, 24, 3, 3)
    rest = rest_joints()
    joints, total = np.zeros((frames, 24, 3)), turns.copy()
    for joint, parent in enumerate(PARENTS[1:], start=1):
        total[:, joint] = total[:, parent] @ turns[:, joint]
        joints[:, joint] = joints[:, parent] + total[:, parent] @ (rest[joint] - rest[parent])
    return rotvec, joints


def rotvec_of(matrix: np.ndarray) -> np.ndarray:
    return Rotation.from_matrix(matrix).as_rotvec()


# 3DPW


def threedpw_content(frames: int = 6, actors: int = 2, portrait: bool = False) -> dict[str, Any]:
    """A sequence file's dictionary; the actors walk beside each other before a moving camera."""
    cx, cy = (540.0, 960.0) if portrait else (960.0, 540.0)
    intrinsics = np.array([[FOCAL_3DPW[0], 0, cx], [0, FOCAL_3DPW[1], cy], [0, 0, 1]])
    cameras = np.tile(np.eye(4), (frames, 1, 1))
    angle = np.linspace(0, 0.2, frames)
    cameras[:, :3, :3] = Rotation.from_rotvec(angle[:, None] * (0.3, 1, 0)).as_matrix() @ np.diag(
        (1.0, -1, -1)
    )
    cameras[:, :3, 3] = np.stack((0 * angle, 0.9 + angle, 4.5 + 0 * angle), axis=-1)
    content: dict[str, Any] = {
        "sequence": "made_00",
        "genders": ["m", "f", "m"][:actors],
        "betas": [np.linspace(-1, 1, 10) for _ in range(actors)],
        "cam_poses": cameras,
        "cam_intrinsics": intrinsics,
        "img_frame_ids": np.arange(frames),
        "campose_valid": [np.ones(frames, bool) for _ in range(actors)],
        "texture_maps": [],
        "trans_60Hz": [np.zeros((2 * frames, 3)) for _ in range(actors)],
    }
    for key in ("poses", "trans", "jointPositions", "poses2d"):
        content[key] = []
    for actor in range(actors):
        rotvec, joints = moving(frames, actor)
        world_root = Rotation.from_rotvec((0, 0.4 + actor, 0))
        place = np.array([0.6 * actor - 0.3, 0.95, 0.0])
        joints = world_root.apply(joints.reshape(-1, 3)).reshape(joints.shape) + place
        rotvec[:, 0] = world_root.as_rotvec()
        content["poses"].append(rotvec.reshape(frames, 72))
        content["trans"].append(np.tile(place - rest_joints()[0], (frames, 1)))
        content["jointPositions"].append(joints.reshape(frames, 72))
        set_poses2d(content, actor)
    return content


def set_poses2d(content: dict[str, Any], actor: int) -> None:
    """Detections where the joints of the file appear; whole numbers are the middles of pixels."""
    frames = len(content["cam_poses"])
    turn, shift = content["cam_poses"][:, :3, :3], content["cam_poses"][:, :3, 3]
    joints = content["jointPositions"][actor].reshape(frames, 24, 3)
    camera = np.einsum("tab,tjb->tja", turn, joints) + shift[:, None]
    flat = camera / camera[..., 2:] @ content["cam_intrinsics"].T
    points = flat[:, [SMPL_JOINTS.index(name) for name in OPENPOSE.values()], :2] - 0.5
    poses = np.concatenate((points, np.full((frames, 18, 1), 0.9)), axis=-1).transpose(0, 2, 1)
    if len(content["poses2d"]) > actor:
        content["poses2d"][actor] = poses
    else:
        content["poses2d"].append(poses)


def write_3dpw(folder: Path, content: dict[str, Any], name: str = "made_00", split: str = "test") -> Path:
    return write_old_pickle(folder / "sequenceFiles" / split / f"{name}.pkl", content)


# SURREAL


def surreal_content(frames: int = 6) -> dict[str, Any]:
    """An `_info.mat`'s variables: somebody who faces the camera, in SURREAL's world with y down."""
    rotvec, joints = moving(frames)
    world = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])  # left is +Z, up is -Y, forward is +X
    zrot = 0.7
    upright = Rotation.from_euler("x", 90, degrees=True) * Rotation.from_euler("z", zrot)
    rotvec[:, 0] = rotvec_of(upright.inv().as_matrix() @ world)
    places = joints @ world.T + (0.3, -0.9, 0.2)
    camera = np.array([7.0, -1.0, 0.0])
    flat = np.stack(
        (
            160 + 600 * (camera[2] - places[..., 2]) / (camera[0] - places[..., 0]),
            120 + 600 * (places[..., 1] - camera[1]) / (camera[0] - places[..., 0]),
        )
    )
    return {
        "sequence": "made_c0001",
        "clipNo": np.array([[1]]),
        "gender": np.zeros((frames, 1), np.uint8),
        "stride": np.array([[50]], np.uint8),
        "camDist": np.array([[8.0]], np.float32),
        "camLoc": camera[:, None].astype(np.float32),
        "zrot": np.full((frames, 1), zrot, np.float32),
        "shape": np.tile(np.linspace(-1, 1, 10)[:, None], (1, frames)).astype(np.float32),
        "pose": rotvec.reshape(frames, 72).T.astype(np.float32),
        "joints2D": flat.transpose(0, 2, 1).round().astype(np.float32),
        "joints3D": places.transpose(2, 1, 0).astype(np.float32),
    }


def write_surreal(folder: Path, content: dict[str, Any], run: str = "run0", split: str = "test") -> Path:
    """As MATLAB writes it: last axes of length 1 are dropped."""
    path = folder / "data" / "cmu" / split / run / "made" / "made_c0001_info.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {key: value for key, value in content.items() if value is not None}
    for key in ("joints2D", "joints3D"):
        if key in arrays and arrays[key].shape[-1] == 1:
            arrays[key] = arrays[key][..., 0]
    savemat(path, arrays)
    return path


# MPI-INF-3DHP

MPI_OF_SMPL = ("head", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow")
MPI_OF_SMPL += ("left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle")
MPI_OF_SMPL += ("pelvis", "spine3", "head")


def mpi_content(
    frames: int = 6, focal: float = 1500.0, middle: tuple[float, float] = (1024, 1024)
) -> dict[str, Any]:
    """An `annot_data.mat`'s arrays as h5py sees them, in millimetres."""
    _, joints = moving(frames)
    places = joints[:, [SMPL_JOINTS.index(name) for name in MPI_OF_SMPL]] * (1, -1, -1) + (0.2, 0.1, 3.5)
    places[:, 0, 1] -= 0.2  # the crown lies above the head
    flat = focal * places[..., :2] / places[..., 2:] + middle
    return {
        "annot2": flat[:, None],
        "annot3": 1000 * places[:, None],
        "univ_annot3": 950 * places[:, None],
        "valid_frame": np.ones((frames, 1)),
    }


def write_mpi(folder: Path, content: dict[str, Any], name: str = "TS1") -> Path:
    import h5py

    path = folder / "mpi_inf_3dhp_test_set" / name / "annot_data.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for key, value in content.items():
            if value is not None:
                file[key] = value
    return path
