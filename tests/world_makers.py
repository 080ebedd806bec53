"""Made people whose world is known: a walk by a plan of its footsteps, somebody who stands, and cameras that see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from pointlight.body import EVALUATION_JOINTS, AnnyBody, BodyState
from pointlight.capture import Capture, world_states
from pointlight.capture.world.legs import LegConfig, bent_legs, smooth_step
from pointlight.capture.world.moving import Moving, Soles
from pointlight.motion import procedural_motion

FPS = 30.0
FOCAL_PX = 900.0
SIDES = ("left", "right")


@dataclass(frozen=True)
class Person:
    """A body in the world, y up, floor at 0.

    Attributes:
        pose: (T, J, 3, 3), the root's to the world's axes.
        root_m: (T, 3).
        contacts: (T, 2) which foot stands.
    """

    pose: np.ndarray
    root_m: np.ndarray
    contacts: np.ndarray


def walker(body: AnnyBody, frames: int = 90, speed_m_s: float = 1.0, cycle_s: float = 1.1) -> Person:
    """Somebody who walks along +z: each foot stands for 0.6 of a cycle, flat, and is lifted by 12 cm in between."""
    time_s = np.arange(frames) / FPS
    above = procedural_motion("walk", body, np.random.default_rng(0), frames, name="w", split="train")
    pose = np.tile(np.eye(3), (frames, len(body.joint_names), 1, 1))
    for name in (
        "spine1",
        "spine2",
        "spine3",
        "neck",
        "head",
        *(f"{s}_{j}" for s in SIDES for j in ("shoulder", "elbow")),
    ):
        joint = body.joint_names.index(name)
        pose[:, joint] = above.pose[:, joint - 1]
    soles = Soles.of(body, body.mean_shape)
    still = Moving.of(body, body.mean_shape.numpy(), soles, time_s, pose, np.zeros((frames, 3)))
    upright_m = -float(still.soles_m[..., 1].min())
    hips_m = 0.92 * upright_m
    root = np.column_stack((np.zeros(frames), np.full(frames, hips_m), speed_m_s * time_s))
    rest = Moving.of(body, body.mean_shape.numpy(), soles, time_s, pose, root)
    ankles = [body.joint_names.index(f"{side}_ankle") for side in SIDES]
    wanted, contacts = rest.joints_m[:, ankles].copy(), np.zeros((frames, 2), bool)
    forward = still.joints_m[0, ankles, 2]
    for side, shift in enumerate((0.0, 0.5)):
        cycles = time_s / cycle_s + shift
        phase, begun = cycles % 1, np.floor(cycles) - shift
        contacts[:, side] = phase < 0.6
        stands_m = speed_m_s * cycle_s * (begun + 0.3)
        going = np.clip((phase - 0.6) / 0.4, 0, 1)
        place = stands_m + speed_m_s * cycle_s * smooth_step(going)
        wanted[:, side, 2] = forward[side] + place
        wanted[:, side, 1] += upright_m - hips_m + 0.12 * np.sin(np.pi * going) ** 2
    solved = bent_legs(body, rest, wanted, LegConfig())
    return Person(solved, root, contacts)


def stander(body: AnnyBody, frames: int = 60, kind: str = "wave") -> Person:
    """Somebody of a kind of procedural motion, with both feet on the floor where they are level with it."""
    motion = procedural_motion(kind, body, np.random.default_rng(1), frames, name=kind, split="train")
    pose = np.concatenate((motion.root[:, None], motion.pose), axis=1).astype(float)
    root = motion.translation_m.astype(float)
    return Person(pose, root, np.ones((frames, 2), bool))


def camera(pitch_deg: float, roll_deg: float, azimuth_deg: float = 30.0) -> np.ndarray:
    """R_camera_world (3, 3) of a camera that looks down by `pitch_deg`; upright things lean to the right by `roll_deg`."""
    level = np.diag((-1.0, -1.0, 1.0)) @ Rotation.from_euler("y", azimuth_deg, degrees=True).as_matrix()
    down = Rotation.from_euler("x", pitch_deg, degrees=True).as_matrix()
    rolled = Rotation.from_euler("z", roll_deg, degrees=True).as_matrix()
    return rolled @ down @ level


def seen_by(
    body: AnnyBody,
    person: Person,
    R_camera_world: np.ndarray,
    distance_m: float = 5.0,
    depth_wave: float = 0.0,
) -> Capture:
    """What an ideal prediction says of a person; `depth_wave` moves it to and fro along the line of sight by that share."""
    frames = len(person.root_m)
    time_s = np.arange(frames) / FPS
    middle = person.root_m.mean(0)
    place = (person.root_m - middle) @ R_camera_world.T + (0, 0, distance_m)
    place = place * (1 + depth_wave * np.sin(2 * np.pi * 0.8 * time_s))[:, None]
    pose = person.pose.copy()
    pose[:, 0] = R_camera_world @ pose[:, 0]
    rotations = torch.from_numpy(pose.astype(np.float32))
    shape = body.mean_shape
    state = BodyState(
        rotations[:, 1:], shape.expand(frames, -1), rotations[:, 0], torch.from_numpy(place).float()
    )
    joints = body.keypoints(state, EVALUATION_JOINTS, body.person(shape))
    hips = body.keypoints(state, ("left_hip", "right_hip"), body.person(shape)).mean(-2)
    return Capture(
        frame_index=np.arange(frames),
        time_s=time_s,
        valid=np.ones(frames, bool),
        occluded=np.zeros(frames, bool),
        joints_camera_m=(joints - hips[:, None]).numpy(),
        translation_camera_m=hips.numpy(),
        pose_rotmat=rotations.numpy(),
        body_joint_names=body.joint_names,
        shape=shape.numpy(),
        shot=np.zeros(frames, int),
        shot_shapes=shape.numpy()[None],
        body_model=body.name,
        focal_source="given",
        track_id=0,
        keypoint_source="made",
        keypoints_px=np.ones((frames, 0, 3)),
        keypoint_names=(),
        fps=FPS,
        image_size=(1280, 720),
        focal_px=FOCAL_PX,
        principal_px=(640.0, 360.0),
        model_sha256="0" * 64,
    )


def sole_heights(body: AnnyBody, capture: Capture) -> np.ndarray:
    """(T, 2) height of each sole's lowest point in a capture's world; NaN where there is no body."""
    assert capture.world is not None
    root = world_states(capture, body).translation.double().numpy()
    pose = capture.world.pose_world_rotmat.astype(float)
    soles = Soles.of(body, torch.from_numpy(capture.shape))
    return Moving.of(body, capture.shape, soles, capture.time_s, pose, root).soles_m[..., 1].min(-1)
