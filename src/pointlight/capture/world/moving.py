"""A moving body as plain numbers: rotations, places of joints and of the points of the soles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pointlight.body import BodyModel, BodyState, forward_kinematics

SIDES = ("left", "right")

_CARRIERS = {"heel": "ankle", "ball": "ankle", "big_toe": "toes", "small_toe": "toes"}
"""Which joint carries which point of a foot."""


@dataclass(frozen=True)
class Soles:
    """Points of the soles of one person, metres, as shifts from the joint that carries them, in body axes at rest.

    Attributes:
        joints: (2, 4) index of the carrying joint: left, right; heel, ball, big toe, small toe.
        shifts_m: (2, 4, 3).
    """

    joints: np.ndarray
    shifts_m: np.ndarray

    @staticmethod
    def of(body: BodyModel, shape: torch.Tensor) -> Soles:
        """Of a person's shape (S,): at rest a person stands on level soles, the lowest points of the body."""
        joints = body.person(shape).joints
        identity = torch.eye(3)
        state = BodyState(identity.expand(len(joints) - 1, 3, 3), shape, identity, joints[0])
        lowest = float(body.vertices(state)[:, 1].min())
        carriers, shifts = [], []
        for side in SIDES:
            for point, joint in _CARRIERS.items():
                carrier = body.joint_names.index(f"{side}_{joint}")
                if point == "ball":
                    place = joints[body.joint_names.index(f"{side}_toes")].clone()
                else:
                    place = body.keypoints(state, (f"{side}_{point}",))[0].clone()
                place[1] = lowest
                carriers.append(carrier)
                shifts.append((place - joints[carrier]).double().numpy())
        return Soles(np.array(carriers).reshape(2, 4), np.stack(shifts).reshape(2, 4, 3))


@dataclass(frozen=True)
class Moving:
    """A body over T frames in one frame of reference.

    Attributes:
        time_s: (T,) seconds, rising.
        pose: (T, J, 3, 3) rotation of each joint relative to its parent, the root's to the frame of reference.
        root_m: (T, 3) place of the root joint.
        rotations: (T, J, 3, 3) of the joints to the frame of reference.
        joints_m: (T, J, 3) their places.
        soles_m: (T, 2, 4, 3) places of the soles' points: left, right; heel, ball, big toe, small toe.
    """

    time_s: np.ndarray
    pose: np.ndarray
    root_m: np.ndarray
    rotations: np.ndarray
    joints_m: np.ndarray
    soles_m: np.ndarray

    @staticmethod
    def of(
        body: BodyModel,
        shape: np.ndarray,
        soles: Soles,
        time_s: np.ndarray,
        pose: np.ndarray,
        root_m: np.ndarray,
    ) -> Moving:
        """Put a person of a shape (S,) into poses (T, J, 3, 3) at places (T, 3)."""
        turns = torch.from_numpy(np.asarray(pose, np.float64))
        person = body.person(torch.from_numpy(shape))
        rest = person.joints.double()
        state = BodyState(
            turns[:, 1:], torch.zeros(1, dtype=torch.float64), turns[:, 0], torch.from_numpy(root_m)
        )
        posed = forward_kinematics(state, rest, body.parents)
        rotations, joints = posed.rotations.numpy(), posed.joints.numpy()
        carried = (rotations[:, soles.joints] @ soles.shifts_m[..., None])[..., 0]
        return Moving(time_s, pose, root_m, rotations, joints, joints[:, soles.joints] + carried)

    def turned(self, R: np.ndarray, shift_m: np.ndarray) -> Moving:
        """The same in another frame of reference: x becomes R x + shift, (3,) or of every frame (T, 3)."""
        pose = self.pose.copy()
        pose[:, 0] = R @ pose[:, 0]
        shift_m = np.asarray(shift_m).reshape(-1, 1, 3)
        return Moving(
            self.time_s,
            pose,
            self.root_m @ R.T + shift_m[:, 0],
            R @ self.rotations,
            self.joints_m @ R.T + shift_m,
            self.soles_m @ R.T + shift_m[:, None],
        )
