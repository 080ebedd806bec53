"""A motion on another program's skeleton: rest pose, offsets, and rotations that put its joints where ours are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.export.landmarks import Landmarks
from pointlight.export.rigs import Rig
from pointlight.export.world_motion import WorldMotion
from pointlight.motion import DRIVEN_JOINTS, BodyRig, straight_limbs


@dataclass(frozen=True)
class Rigged:
    """A motion on a rig; N joints, T frames, world axes (y up), metres. At rest all rotations are the identity.

    Attributes:
        rig: the skeleton.
        t_pose: at rest it stands in a T-pose, otherwise in the body's own A-pose.
        parents: index of every joint's parent; -1 for the root.
        follows: (N,) index of the body's joint that each moves with.
        rest_m: (N, 3) joints at rest, relative to the root, x to the person's left, z forward.
        end_m: end of the bone (3,) relative to the joint, of joints without children, by index.
        rotations: (T, N, 3, 3) rotations relative to the parent.
        root_m: (T, 3) place of the root.
        bind_m: (N, 3) the joints where the body is at its own rest, body axes: what its skin is bound to.
        straightened: (J, 3, 3) rotations of the body's joints from the body's rest pose to the rig's, body axes.
    """

    rig: Rig
    t_pose: bool
    parents: tuple[int, ...]
    follows: np.ndarray
    rest_m: np.ndarray
    end_m: dict[int, np.ndarray]
    rotations: np.ndarray
    root_m: np.ndarray
    bind_m: np.ndarray
    straightened: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the N joints."""
        return tuple(joint.name for joint in self.rig.joints)

    def joint_of(self, body_joint: int) -> int:
        """Index of the rig's joint that lies where one of the body's joints does."""
        names = [joint.landmark for joint in self.rig.joints]
        return names.index(DRIVEN_JOINTS[body_joint])

    def bind_inverses(self) -> np.ndarray:
        """(N, 4, 4) from body axes, the body at its own rest, to the axes of each joint there."""
        turns = self.straightened[self.follows]
        matrices = np.tile(np.eye(4), (len(self.follows), 1, 1))
        matrices[:, :3, :3] = turns
        matrices[:, :3, 3] = -(turns @ self.bind_m[..., None])[..., 0]
        return matrices

    def standing_m(self, sole_m: float) -> float:
        """Height of the root above the floor at rest, from that of the soles (body axes, the body at its own rest)."""
        ankle = self.joint_of(DRIVEN_JOINTS.index("left_ankle"))
        return float(self.bind_m[ankle, 1] - sole_m - self.rest_m[ankle, 1])

    @property
    def offsets_m(self) -> np.ndarray:
        """(N, 3) of each joint from its parent at rest; of the root 0."""
        above = self.rest_m[np.maximum(self.parents, 0)]
        return np.where(np.array(self.parents)[:, None] < 0, 0.0, self.rest_m - above)


def rigged(motion: WorldMotion, rig: Rig, marks: Landmarks, hinges: BodyRig, t_pose: bool = False) -> Rigged:
    """Put a motion on a rig; every joint of the rig that is one of ours goes exactly where ours goes.

    Args:
        motion: of one person.
        rig: the skeleton.
        marks: the person's landmarks.
        hinges: of the body, for a straight T-pose.
        t_pose: a T-pose at rest also for a rig whose rest is an A-pose.
    """
    t_pose = t_pose or rig.rest == "t"
    eye = np.tile(np.eye(3), (len(DRIVEN_JOINTS), 1, 1))
    turns = straight_limbs(motion.rest_m, hinges, "sideways") if t_pose else eye
    stands = _placed(motion, turns)
    names = [joint.name for joint in rig.joints]
    carriers = {name: DRIVEN_JOINTS.index(carrier) for name, (carrier, _) in marks.items()}

    def at_rest(landmark: str) -> np.ndarray:
        carrier, place = carriers[landmark], marks[landmark][1]
        return stands[carrier] + turns[carrier] @ (place - motion.rest_m[carrier])

    rest = np.stack([at_rest(joint.landmark) for joint in rig.joints])
    parents = tuple(names.index(joint.parent) if joint.parent else -1 for joint in rig.joints)
    follows = np.array([carriers[joint.landmark] for joint in rig.joints])
    world = motion.rotations[:, follows] @ turns[follows].swapaxes(-1, -2)
    local = world.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            same = follows[joint] == follows[parent]
            local[:, joint] = np.eye(3) if same else world[:, parent].swapaxes(-1, -2) @ world[:, joint]
    ends = {names.index(name): at_rest(end) - rest[names.index(name)] for name, end in rig.ends.items()}
    return Rigged(
        rig=rig,
        t_pose=t_pose,
        parents=parents,
        follows=follows,
        rest_m=rest - rest[0],
        end_m=ends,
        rotations=local,
        root_m=motion.places_m[:, 0],
        bind_m=np.stack([marks[joint.landmark][1] for joint in rig.joints]),
        straightened=turns,
    )


def _placed(motion: WorldMotion, turns: np.ndarray) -> np.ndarray:
    """(J, 3) the body's joints where each bone is turned from rest by its joint's rotation (J, 3, 3)."""
    places = motion.rest_m.copy()
    for joint, parent in enumerate(motion.parents):
        if parent >= 0:
            places[joint] = places[parent] + turns[parent] @ (motion.rest_m[joint] - motion.rest_m[parent])
    return places
