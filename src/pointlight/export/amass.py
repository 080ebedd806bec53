"""An archive laid out as AMASS has them for SMPL-X: rotation vectors about SMPL-X's joints, from its T-pose; z up.

No SMPL file is needed or used: only names, the tree, and in which direction the limbs of its T-pose point.
"""

from __future__ import annotations

import io

import numpy as np
from scipy.spatial.transform import Rotation

from pointlight import __version__
from pointlight.export.timeline import MARK_NAMES
from pointlight.export.world_motion import WorldMotion
from pointlight.motion import DRIVEN_JOINTS, BodyRig, smallest_turns, straight_limbs

SMPLX_JOINTS: tuple[str, ...] = (
    *("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle"),
    *("right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
)
SMPLX_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
"""SMPL-X's pelvis and 21 body joints, in its order."""

SMPLX_LIMBS: dict[str, tuple[float, float, float]] = {
    "left_hip": (0.14, -0.99, -0.02),
    "right_hip": (-0.12, -0.99, -0.05),
    "left_knee": (-0.11, -0.99, -0.08),
    "right_knee": (0.04, -1.00, -0.05),
    "left_shoulder": (0.95, -0.27, -0.16),
    "right_shoulder": (-0.99, -0.13, -0.10),
    "left_elbow": (1.00, 0.09, -0.01),
    "right_elbow": (-1.00, -0.02, -0.06),
}
"""Where the bone behind a joint points in the T-pose of SMPL-X's neutral mean body, to a hundredth; axes as ours."""
SMPLX_PELVIS_M = (0.003, -0.351, 0.012)
"""That body's pelvis in its own axes: `trans` moves the body's origin, not the pelvis."""

Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""From our world to one with z up: (x, -z, y)."""


def amass_bytes(motion: WorldMotion, hinges: BodyRig) -> bytes:
    """The whole archive.

    Args:
        motion: of one person.
        hinges: of the body, for a straight pose.
    """
    turns = smplx_rest(motion, hinges)
    names = [name.replace("foot", "toes") for name in SMPLX_JOINTS]
    order = [DRIVEN_JOINTS.index(name) for name in names]
    world = (motion.rotations @ turns.swapaxes(-1, -2))[:, order]
    local = np.empty_like(world)
    for joint, parent in enumerate(SMPLX_PARENTS):
        above = Z_UP if parent < 0 else world[:, parent].swapaxes(-1, -2)
        local[:, joint] = above @ world[:, joint]
    frames = len(motion)
    poses = np.zeros((frames, 165), np.float32)
    poses[:, :66] = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_rotvec().reshape(frames, 66)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        gender=np.array("neutral"),
        surface_model_type=np.array("smplx"),
        betas=np.zeros(16, np.float32),
        num_betas=np.array(16),
        mocap_frame_rate=np.array(motion.fps),
        mocap_time_length=np.array(frames / motion.fps),
        trans=(motion.places_m[:, 0] @ Z_UP.T - SMPLX_PELVIS_M).astype(np.float32),
        root_orient=poses[:, :3],
        pose_body=poses[:, 3:66],
        pose_jaw=poses[:, 66:69],
        pose_eye=poses[:, 69:75],
        pose_hand=poses[:, 75:],
        poses=poses,
        state=np.array(MARK_NAMES)[motion.marks],
        source=np.array(f"Pointlight {__version__}, not AMASS: {motion.source}"),
        world=np.array(
            "z up, metres, floor z = 0; betas are zero, the path is the person's. " + " ".join(motion.notes)
        ),
    )
    return content.getvalue()


def smplx_rest(motion: WorldMotion, hinges: BodyRig) -> np.ndarray:
    """(J, 3, 3) rotations of our joints from our rest pose to SMPL-X's T-pose, limb by limb."""
    turns = straight_limbs(motion.rest_m, hinges, "sideways")
    ends = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}
    for name, direction in SMPLX_LIMBS.items():
        side, part = name.split("_")
        joint, end = DRIVEN_JOINTS.index(name), DRIVEN_JOINTS.index(f"{side}_{ends[part]}")
        bone = turns[joint] @ (motion.rest_m[end] - motion.rest_m[joint])
        theirs = np.array(direction)
        turn = smallest_turns(bone / np.linalg.norm(bone), theirs / np.linalg.norm(theirs))
        turns[joint] = turn @ turns[joint]
    return turns
