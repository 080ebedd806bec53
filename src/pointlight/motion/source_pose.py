"""A clip by the names of our joints: by the family that it is of, or as any person's skeleton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.errors import PointlightError
from pointlight.motion.clip import DRIVEN_JOINTS, MotionClip
from pointlight.motion.humanoid import find_humanoid
from pointlight.motion.humanoid_pose import pose_humanoid
from pointlight.motion.joint_tree import JointTree
from pointlight.motion.pose_parts import HAND_POINTS, SourcePose, World
from pointlight.motion.skeletons import ANY_HUMANOID, SkeletonFamily, find_family, plain_names
from pointlight.motion.turns import halfway

SIDES = ("left", "right")


@dataclass(frozen=True)
class Source:
    """What retargeting needs of a clip.

    Attributes:
        pose: rotations and places by the names of our joints.
        family: how to read them.
        joints: indices of the clip's joints that count; props, faces and helpers do not.
        missing: what the skeleton has not of a person.
        guessed: what neither the file's names nor its rest pose said.
    """

    pose: SourcePose
    family: SkeletonFamily
    joints: tuple[int, ...]
    missing: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()


def read_source(clip: MotionClip, *, generic: bool = False) -> Source:
    """Look a clip up by the names of our joints.

    Args:
        clip: y up.
        generic: read it as any person's skeleton, though its family be known.

    Raises:
        PointlightError: it is no person's.
    """
    family = None if generic else find_family(clip)
    if family is not None:
        pose = _family_pose(clip, family)
        hands = [f"{side}_{point}" in pose.places for side in SIDES for point in HAND_POINTS]
        return Source(pose, family, tuple(range(len(clip.parents))), () if all(hands) else ("hands",))
    tree = JointTree.of(clip)
    try:
        found = find_humanoid(tree)
    except PointlightError as error:
        raise PointlightError(
            f"{clip.name} {error}, so it is mapped to no body (joints {', '.join(clip.joint_names[:6])}, ...)"
        ) from None
    posed = pose_humanoid(clip, found)
    return Source(posed.source, ANY_HUMANOID, found.mapped(), found.missing, (*found.guessed, *posed.guessed))


def _family_pose(clip: MotionClip, family: SkeletonFamily) -> SourcePose:
    world = clip.rotations_world().astype(np.float64)
    positions = clip.positions_world_m(world.astype(np.float32)).astype(np.float64)
    at_rest = clip.rest_positions_m().astype(np.float64)
    index = {name: i for i, name in enumerate(plain_names(clip))}
    rotations: World = {}
    places, rest = {}, {}
    hand_points = [f"{side}_{point}" for side in SIDES for point in HAND_POINTS]
    for joint in (*DRIVEN_JOINTS, *hand_points):
        sources = [world[:, index[source]] for source in family.sources(joint)]
        if sources:
            rotations[joint] = sources[0] if len(sources) == 1 else halfway(*sources)
        place = family.place(joint)
        if place in index:
            places[joint], rest[joint] = positions[:, index[place]], at_rest[index[place]]
    return SourcePose(rotations, places, rest)
