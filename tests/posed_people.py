"""Captures of one person in poses that are said by segments, for tests of angles and exports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from pointlight.body import EVALUATION_JOINTS, MEAN_ADULT_SHAPE, AnnyBody, BodyState
from pointlight.capture import Capture, World, body_states
from pointlight.motion import DRIVEN_JOINTS, BodyRig, straight_limbs

CAMERA = np.diag((1.0, -1.0, -1.0))
"""From axes with y up to those of a camera that stands level."""


def turn(axis: str, degrees: float) -> np.ndarray:
    """(3, 3) about one of the axes x (left), y (up), z (forward)."""
    return Rotation.from_euler(axis.upper(), degrees, degrees=True).as_matrix()


def capture_of(
    body: AnnyBody,
    world: np.ndarray,
    pelvis_m: np.ndarray,
    *,
    fps: float = 30.0,
    valid: np.ndarray | None = None,
    shape: np.ndarray | None = None,
    time_s: np.ndarray | None = None,
) -> Capture:
    """A capture from rotations from rest to an upright world (T, J, 3, 3) and places of the pelvis (T, 3) in it."""
    frames = len(world)
    valid = np.ones(frames, bool) if valid is None else valid
    shape = np.asarray(MEAN_ADULT_SHAPE if shape is None else shape, np.float32)
    seen = CAMERA @ world
    local = seen.copy()
    for joint, parent in enumerate(body.parents[1:], start=1):
        local[:, joint] = seen[:, parent].swapaxes(-1, -2) @ seen[:, joint]
    pose = torch.from_numpy(local.astype(np.float32))
    places = torch.from_numpy((pelvis_m @ CAMERA.T).astype(np.float32))
    state = BodyState(pose[:, 1:], torch.from_numpy(shape), pose[:, 0], places)
    joints = body.keypoints(state, EVALUATION_JOINTS).numpy()
    middle = body.keypoints(state, ("left_hip", "right_hip")).mean(-2).numpy()
    gone = np.where(valid, 1.0, np.nan).astype(np.float32)
    focal, size = 800.0, (640, 480)
    flat = joints[..., :2] / joints[..., 2:] * focal + np.array(size) / 2
    points = np.concatenate((flat, np.ones((*flat.shape[:2], 1))), axis=-1)[:, :12]
    return Capture(
        frame_index=np.arange(frames),
        time_s=np.arange(frames) / fps if time_s is None else time_s,
        valid=valid,
        occluded=np.zeros(frames, bool),
        joints_camera_m=(joints - middle[:, None]) * gone[:, None, None],
        translation_camera_m=middle * gone[:, None],
        pose_rotmat=pose.numpy() * gone[:, None, None, None],
        body_joint_names=body.joint_names,
        shape=shape,
        body_model=body.name,
        focal_source="assumed",
        track_id=0,
        keypoint_source="made",
        keypoints_px=points * valid[:, None, None],
        keypoint_names=EVALUATION_JOINTS[:12],
        fps=fps,
        image_size=size,
        focal_px=focal,
        principal_px=(size[0] / 2, size[1] / 2),
        model_sha256="ab" * 32,
    )


def straight_capture(body: AnnyBody, segments: dict[str, np.ndarray], arms: str = "hanging") -> Capture:
    """One frame: the straight pose, with some segments turned ((3, 3) each); what hangs on them turns with them."""
    rest = body.person(torch.tensor(MEAN_ADULT_SHAPE)).joints.double().numpy()
    straight = straight_limbs(rest, BodyRig.of(body), arms)  # pyright: ignore[reportArgumentType]
    turned = np.tile(np.eye(3), (len(DRIVEN_JOINTS), 1, 1))
    for joint, parent in enumerate(body.parents):
        own = segments.get(DRIVEN_JOINTS[joint], np.eye(3))
        turned[joint] = own if parent < 0 else turned[parent] @ own
    return capture_of(body, (turned @ straight)[None], np.array([[0.0, 1.0, -4.0]]))


def wandering(body: AnnyBody, frames: int = 40, seed: int = 5, **options: object) -> Capture:
    """Somebody whose joints all turn smoothly and who walks about."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None] / 30
    swing = rng.normal(0, 0.35, (1, 22, 3)) * np.sin(2 * np.pi * time * rng.uniform(0.3, 0.9, (1, 22, 3)))
    local = Rotation.from_rotvec(swing.reshape(-1, 3)).as_matrix().reshape(frames, 22, 3, 3)
    world = local.copy()
    for joint, parent in enumerate(body.parents[1:], start=1):
        world[:, joint] = world[:, parent] @ local[:, joint]
    path = np.stack(
        (0.3 * np.sin(time[:, 0, 0]), 0.95 + 0.02 * np.sin(9 * time[:, 0, 0]), -4 + time[:, 0, 0]), -1
    )
    return capture_of(body, world, path, **options)  # pyright: ignore[reportArgumentType]


def in_world(capture: Capture, R_world_camera: np.ndarray, height_m: float) -> Capture:
    """The same seen by a camera that is turned so and stands at a height; in the world the left knee is bent by 10 degrees.

    What an export has to take is told from the camera's result by that knee.
    """
    hips = body_states(capture, AnnyBody()).translation.double().numpy()
    pose = capture.pose_rotmat.astype(np.float64)
    pose[:, 0] = R_world_camera @ pose[:, 0]
    knee = DRIVEN_JOINTS.index("left_knee")
    pose[:, knee] = pose[:, knee] @ turn("x", 10)
    camera_m = np.array([0.4, height_m, 3.0])
    shots = len(capture.shot_shapes)
    world = World(
        R_world_camera=np.tile(R_world_camera, (shots, 1, 1)),
        camera_world_m=np.tile(camera_m, (shots, 1)),
        pose_world_rotmat=pose,
        root_world_m=hips @ R_world_camera.T + camera_m,
        contacts=np.stack((np.arange(len(capture)) % 2 == 0, np.zeros(len(capture), bool)), axis=1)
        & capture.valid[:, None],
        floor=np.tile((*R_world_camera[1], height_m), (shots, 1)),
        world_source=("The world is known to a test.",) * shots,
    )
    return replace(capture, world=world)
