"""What retargeting needs to know of a body: its mean adult at rest, as NumPy numbers, found once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pointlight.body import MEAN_ADULT_SHAPE, AnnyBody, BodyState
from pointlight.motion.clip import DRIVEN_JOINTS
from pointlight.values import by_value

SIDES = ("left", "right")

_SOLE_POINTS = {"heel": "ankle", "big_toe": "toes", "small_toe": "toes"}
"""Which joint carries which point of a foot."""


@dataclass(frozen=True)
class Palm:
    """A hand at rest, unit vectors in body axes.

    Attributes:
        along: from the wrist to the middle of the hand.
        normal: out of the palm.
    """

    along: np.ndarray
    normal: np.ndarray


@by_value
@dataclass(frozen=True)
class BodyRig:
    """The mean adult at rest, body axes, metres.

    Attributes:
        rest: driven joint -> (3,) its place.
        parents: index of every driven joint's parent; -1 for the root.
        hinges: "left_knee" ... "right_elbow" -> (3,) unit axis of flexion.
        palms: "left", "right" -> the hand.
        soles: "left_heel" ... "right_small_toe" -> (3,) the point of the sole below that keypoint.
        ears: (3,) the middle between the ears.
    """

    rest: dict[str, np.ndarray]
    parents: tuple[int, ...]
    hinges: dict[str, np.ndarray]
    palms: dict[str, Palm]
    soles: dict[str, np.ndarray]
    ears: np.ndarray

    @staticmethod
    def of(body: AnnyBody) -> BodyRig:
        """Measure a body."""
        if tuple(body.joint_names) != DRIVEN_JOINTS:
            raise ValueError(f"body {body.name!r} drives other joints than {DRIVEN_JOINTS}")
        shape = torch.tensor(MEAN_ADULT_SHAPE)
        joints = body.person(shape).joints.double().numpy()
        rest = dict(zip(body.joint_names, joints, strict=True))
        vertices = body.rest_vertices(shape).double().numpy()
        identity = torch.eye(3)
        state = BodyState(
            identity.expand(len(joints) - 1, 3, 3), shape, identity, torch.from_numpy(joints[0]).float()
        )
        names = tuple(f"{side}_{point}" for side in SIDES for point in _SOLE_POINTS)
        places = body.keypoints(state, names).double().numpy()
        ears = body.keypoints(state, ("left_ear", "right_ear")).double().numpy().mean(0)
        places[:, 1] = vertices[:, 1].min()
        hinges = {name: np.array(axis) for name, axis in body.hinge_axes.items()}
        palms = {side: _palm(side, rest, vertices, body.main_joints()) for side in SIDES}
        return BodyRig(rest, body.parents, hinges, palms, dict(zip(names, places, strict=True)), ears)

    def sole_heights(
        self, rotations_world: dict[str, np.ndarray], places: dict[str, np.ndarray]
    ) -> np.ndarray:
        """(T, 6) heights of the soles' points (heel, big toe, small toe; left, then right), metres.

        Args:
            rotations_world: driven joint -> (T, 3, 3), for ankles and toes.
            places: driven joint -> (T, 3), metres.
        """
        heights = []
        for side in SIDES:
            for point, joint in _SOLE_POINTS.items():
                carrier = f"{side}_{joint}"
                arm = self.soles[f"{side}_{point}"] - self.rest[carrier]
                heights.append(places[carrier][:, 1] + rotations_world[carrier][:, 1] @ arm)
        return np.stack(heights, axis=-1)


def _palm(side: str, rest: dict[str, np.ndarray], vertices: np.ndarray, main_joints: np.ndarray) -> Palm:
    """A hand is flat: its normal is where its vertices spread least; at rest the palm faces inwards."""
    hand = vertices[main_joints == DRIVEN_JOINTS.index(f"{side}_wrist")]
    middle = hand.mean(0)
    normal = np.linalg.svd(hand - middle, full_matrices=False)[2][-1]
    inwards = -1.0 if side == "left" else 1.0
    normal = normal * np.sign(normal[0] * inwards)
    along = middle - rest[f"{side}_wrist"]
    return Palm(along / np.linalg.norm(along), normal)
