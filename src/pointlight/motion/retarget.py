"""From a source skeleton to a body: limbs keep directions, hinges their axes, trunk and head their posture.

Every driven joint follows one source joint: its world rotation is the source's times a fixed one, which maps
the body's rest frame of that limb (its direction and a second axis) onto the source's. Limb directions then
agree in every frame, whatever the two rest poses are.
"""

from __future__ import annotations

import numpy as np

from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion, MotionClip
from pointlight.motion.grounding import calibrated_feet, floor_heights_m
from pointlight.motion.own_skeleton import own_rotations
from pointlight.motion.pose_parts import HAND_POINTS, SourcePose, World
from pointlight.motion.rig import SIDES, BodyRig
from pointlight.motion.skeletons import SkeletonFamily
from pointlight.motion.source_pose import Source, read_source
from pointlight.motion.turns import (
    axis_turns,
    frames_along,
    halfway,
    nearest_rotations,
    pitch,
    smallest_turns,
    transposed,
    twist_angles,
    unit,
)

_LEFT = np.array([1.0, 0.0, 0.0])
_LOOSE_BEND_RAD = (np.radians(15), np.radians(30))
"""Between these bends a loose hinge goes over from what the rotations say to the plane of the limb."""

_LARGEST_TWIST_RAD = np.radians(100)


def retarget(clip: MotionClip, rig: BodyRig, group: str = "all", split: str = "train") -> BodyMotion:
    """Let the mean adult perform a clip, on a floor at y = 0; a pure function of its arguments.

    Raises:
        PointlightError: the skeleton is no person's.
    """
    return retarget_source(clip, read_source(clip), rig, group, split)


def retarget_source(
    clip: MotionClip, read: Source, rig: BodyRig, group: str = "all", split: str = "train"
) -> BodyMotion:
    """`retarget` of a clip that was looked up already."""
    source, family = read.pose, read.family
    own = own_rotations(clip, rig)
    world = own or world_rotations(source, family, rig)
    places = joint_places(world, _pelvis_path(source, rig, world["pelvis"]), rig)
    if own is None:
        feet, toe_places = calibrated_feet(world, places, rig, clip.fps)
        world, places = world | feet, places | toe_places
    floor = floor_heights_m(world, places, rig, clip.fps)
    pose = np.empty((clip.frames, len(DRIVEN_JOINTS) - 1, 3, 3), np.float32)
    for j, joint in enumerate(DRIVEN_JOINTS[1:], start=1):
        pose[:, j - 1] = transposed(world[DRIVEN_JOINTS[rig.parents[j]]]) @ world[joint]
    translation = places["pelvis"] - floor[:, None] * np.array((0.0, 1.0, 0.0))
    return BodyMotion(
        name=clip.name,
        group=group,
        split=split,
        pose=nearest_rotations(pose),
        root=world["pelvis"].astype(np.float32),
        translation_m=translation.astype(np.float32),
        fps=clip.fps,
    )


def world_rotations(source: SourcePose, family: SkeletonFamily, rig: BodyRig) -> World:
    """World rotations of all driven joints."""
    world = _trunk(source, family, rig)
    for side in SIDES:
        world |= _leg(side, source, rig) | _arm(side, source, family, rig)
    return world


def joint_places(world: World, pelvis: np.ndarray, rig: BodyRig) -> dict[str, np.ndarray]:
    """Driven joint -> (T, 3) places, metres, from world rotations and the pelvis' path."""
    places = {"pelvis": pelvis}
    for j, joint in enumerate(DRIVEN_JOINTS[1:], start=1):
        parent = DRIVEN_JOINTS[rig.parents[j]]
        places[joint] = places[parent] + world[parent] @ (rig.rest[joint] - rig.rest[parent])
    return places


def _trunk(source: SourcePose, family: SkeletonFamily, rig: BodyRig) -> World:
    """Pelvis by the line of the hips, chest by that of the shoulders; neck, head and collars."""
    lean = {key: pitch(np.radians(family.lean_deg.get(key, 0.0))) for key in ("pelvis", "trunk", "head")}
    hip_line = smallest_turns(_LEFT, _line(source.rest, "hip"))
    shoulder_line = smallest_turns(_LEFT, _line(source.rest, "shoulder"))
    pelvis = source.rotations["pelvis"] @ hip_line @ lean["pelvis"]
    spine1, spine2, chest = (
        source.rotations[joint] @ shoulder_line @ lean["trunk"] for joint in ("spine1", "spine2", "spine3")
    )
    spine1, spine2 = _aimed_spine(spine1, spine2, chest, pelvis, source, rig)
    head = source.rotations["head"] @ lean["head"]
    collars = {}
    for side in SIDES:
        # The rotation of the source's collar relative to its chest, from our rest.
        shrug = transposed(source.rotations["spine3"]) @ source.rotations[f"{side}_collar"]
        collars[f"{side}_collar"] = chest @ shrug
    return {
        "pelvis": pelvis,
        "spine1": spine1,
        "spine2": spine2,
        "spine3": chest,
        "neck": halfway(chest, head),
        "head": head,
        **collars,
    }


def _aimed_spine(
    spine1: np.ndarray,
    spine2: np.ndarray,
    chest: np.ndarray,
    pelvis: np.ndarray,
    source: SourcePose,
    rig: BodyRig,
) -> tuple[np.ndarray, np.ndarray]:
    """The lower spine (T, 3, 3 each), turned so that the shoulders lie over the hips as the source's do.

    The chest does not turn with it, so that it keeps the line of the shoulders.
    """
    aim = unit(_middle(source.places, "shoulder") - _middle(source.places, "hip"))
    above = chest @ (_middle(rig.rest, "shoulder") - rig.rest["spine3"])
    fixed = above + pelvis @ (rig.rest["spine1"] - _middle(rig.rest, "hip"))
    lower, upper = rig.rest["spine2"] - rig.rest["spine1"], rig.rest["spine3"] - rig.rest["spine2"]
    for _ in range(6):
        spine = spine1 @ lower + spine2 @ upper
        length = np.linalg.norm(fixed + spine, axis=-1, keepdims=True)
        turn = smallest_turns(unit(spine), unit(aim * length - fixed))
        spine1, spine2 = turn @ spine1, turn @ spine2
    return spine1, spine2


def _leg(side: str, source: SourcePose, rig: BodyRig) -> World:
    """Hip, knee, ankle and toes of one side."""
    hip, knee, ankle, toes = (f"{side}_{part}" for part in ("hip", "knee", "ankle", "toes"))
    limbs = {
        start: source.rotations[start] @ _alignment(source, start, end, _LEFT, rig, rig.hinges[knee])
        for start, end in ((hip, knee), (knee, ankle))
    }
    # The foot's side-to-side axis is the knee's: both lie level where the shin stands upright.
    turn = _alignment(source, ankle, toes, _knee_axis(source, side), rig, _LEFT)
    return limbs | {joint: source.rotations[joint] @ turn for joint in (ankle, toes)}


def _knee_axis(source: SourcePose, side: str) -> np.ndarray:
    shin = unit(source.rest[f"{side}_ankle"] - source.rest[f"{side}_knee"])
    return unit(_LEFT - shin * (_LEFT @ shin))


def _arm(side: str, source: SourcePose, family: SkeletonFamily, rig: BodyRig) -> World:
    """Shoulder, elbow and wrist of one side."""
    shoulder, elbow, wrist = (f"{side}_{part}" for part in ("shoulder", "elbow", "wrist"))
    axis = np.array(family.elbow_axis) * (1 if side == "left" else np.array((1, -1, -1)))
    if family.loose_hinges:
        arm = _loose_arm(side, axis, source, rig)
    else:
        arm = {
            start: source.rotations[start] @ _alignment(source, start, end, axis, rig, rig.hinges[elbow])
            for start, end in ((shoulder, elbow), (elbow, wrist))
        }
    if any(f"{side}_{point}" not in source.rest for point in HAND_POINTS):
        return arm | {wrist: arm[elbow]}
    palm = rig.palms[side]
    along, normal = source_palm(source, side)
    hand = (
        source.rotations[wrist]
        @ frames_along(along, normal)
        @ frames_along(palm.along, palm.normal).swapaxes(-1, -2)
    )
    bone = unit(rig.rest[wrist] - rig.rest[elbow])
    return arm | {elbow: _twisted_forearm(arm[elbow], hand, bone), wrist: hand}


def _twisted_forearm(forearm: np.ndarray, hand: np.ndarray, bone: np.ndarray) -> np.ndarray:
    """(T, 3, 3): the forearm makes half of the hand's twist about the bone (3,), as radius and ulna do.

    It makes less of what no arm can do, so that a hand that flips over does not flip the forearm.
    """
    twist = twist_angles(transposed(forearm) @ hand, bone)
    share = np.clip((np.pi - np.abs(twist)) / (np.pi - _LARGEST_TWIST_RAD), 0, 1)
    return forearm @ axis_turns(bone, 0.5 * share * np.clip(twist, -_LARGEST_TWIST_RAD, _LARGEST_TWIST_RAD))


def source_palm(source: SourcePose, side: str) -> tuple[np.ndarray, np.ndarray]:
    """The source's hand at rest, (3,) each: along the hand, and out of the palm."""
    along = unit(source.rest[f"{side}_hand_tip"] - source.rest[f"{side}_wrist"])
    thumb = source.rest[f"{side}_thumb_tip"] - source.rest[f"{side}_thumb_root"]
    normal = unit(np.cross(along, thumb))
    return along, normal if side == "left" else -normal


def _loose_arm(side: str, default: np.ndarray, source: SourcePose, rig: BodyRig) -> World:
    """Shoulder and elbow of an arm whose rotations say little of its hinge: where it is bent, its plane says it."""
    shoulder, elbow, wrist = (f"{side}_{part}" for part in ("shoulder", "elbow", "wrist"))
    upper = unit(source.places[elbow] - source.places[shoulder])
    lower = unit(source.places[wrist] - source.places[elbow])
    normal = np.cross(upper, lower)
    bend = np.arctan2(np.linalg.norm(normal, axis=-1), (upper * lower).sum(-1))
    low, high = _LOOSE_BEND_RAD
    share = np.clip((bend - low) / (high - low), 0, 1)[:, None]
    axis = unit((1 - share) * (source.rotations[shoulder] @ default) + share * unit(normal))
    return {
        joint: frames_along(direction, axis)
        @ frames_along(rig.rest[end] - rig.rest[joint], rig.hinges[elbow]).T
        for joint, direction, end in ((shoulder, upper, elbow), (elbow, lower, wrist))
    }


def _alignment(
    source: SourcePose, start: str, end: str, source_axis: np.ndarray, rig: BodyRig, axis: np.ndarray
) -> np.ndarray:
    """(3, 3) from our rest axes to the source's: limb onto limb, second axis onto second axis."""
    theirs = frames_along(source.rest[end] - source.rest[start], source_axis)
    return theirs @ frames_along(rig.rest[end] - rig.rest[start], axis).T


def _line(points: dict[str, np.ndarray], joint: str) -> np.ndarray:
    """Unit vector from the right to the left joint of a pair."""
    return unit(points[f"left_{joint}"] - points[f"right_{joint}"])


def _middle(points: dict[str, np.ndarray], joint: str) -> np.ndarray:
    return 0.5 * (points[f"left_{joint}"] + points[f"right_{joint}"])


def _pelvis_path(source: SourcePose, rig: BodyRig, pelvis: np.ndarray) -> np.ndarray:
    """(T, 3): the middle of the hips follows the source's, scaled by the length of the legs."""
    ratio = _leg_length(rig.rest) / _leg_length(source.rest)
    return _middle(source.places, "hip") * ratio - pelvis @ (_middle(rig.rest, "hip") - rig.rest["pelvis"])


def _leg_length(places: dict[str, np.ndarray]) -> float:
    upper = np.linalg.norm(places["left_knee"] - places["left_hip"])
    return float(upper + np.linalg.norm(places["left_ankle"] - places["left_knee"]))
