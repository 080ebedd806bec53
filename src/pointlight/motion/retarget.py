"""From a source skeleton to a body: bones keep their directions, hinges their axes, the trunk its orientation.

Every driven joint follows one source joint (or a mixture of two): its world rotation is the source's times a fixed
rotation that maps the body's rest frame of the limb onto the source's. Limb directions then agree exactly, whatever
the two rest poses are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation, Slerp

from pointlight.body import MEAN_ADULT_SHAPE, AnnyBody
from pointlight.errors import PointlightError
from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion, MotionClip

_BENT_RAD = np.radians(30)
_DOWN = np.array([0.0, -1.0, 0.0])
_UP = np.array([0.0, 1.0, 0.0])
_LEFT = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True)
class SkeletonMap:
    """Which source joint each driven joint follows, for one family of skeletons.

    Attributes:
        joints: driven joint -> source joint; two source joints are mixed half and half.
        ends: source joints that only mark where a limb ends: wrist, and toes, of each side.
        elbow_axis: flexion axis of the left elbow at rest, where a clip never bends it; mirrored for the right.
    """

    joints: dict[str, tuple[str, ...]]
    ends: dict[str, str]
    elbow_axis: tuple[float, float, float]


def _sided(pattern: dict[str, str], left: str, right: str) -> dict[str, tuple[str, ...]]:
    sides = (("left", left), ("right", right))
    return {
        f"{side}_{name}": (source.format(mark),) for side, mark in sides for name, source in pattern.items()
    }


SKELETONS: dict[str, SkeletonMap] = {
    "cmu_asf": SkeletonMap(
        {
            "pelvis": ("root",),
            "spine1": ("lowerback",),
            "spine2": ("upperback",),
            "spine3": ("thorax",),
            "neck": ("lowerneck",),
            "head": ("head",),
            **_sided(
                {
                    "hip": "{}femur",
                    "knee": "{}tibia",
                    "ankle": "{}foot",
                    "toes": "{}toes",
                    "collar": "{}clavicle",
                    "shoulder": "{}humerus",
                    "elbow": "{}radius",
                    "wrist": "{}hand",
                },
                "l",
                "r",
            ),
        },
        {
            "left_wrist": "lwrist",
            "right_wrist": "rwrist",
            "left_toes": "ltoes",
            "right_toes": "rtoes",
        },
        (0.0, -0.866, 0.5),
    ),
    "cmu_cgspeed": SkeletonMap(
        {
            "pelvis": ("Hips",),
            "spine1": ("LowerBack",),
            "spine2": ("Spine",),
            "spine3": ("Spine1",),
            "neck": ("Neck",),
            "head": ("Head",),
            **_sided(
                {
                    "hip": "{}UpLeg",
                    "knee": "{}Leg",
                    "ankle": "{}Foot",
                    "toes": "{}ToeBase",
                    "collar": "{}Shoulder",
                    "shoulder": "{}Arm",
                    "elbow": "{}ForeArm",
                    "wrist": "{}Hand",
                },
                "Left",
                "Right",
            ),
        },
        {
            "left_wrist": "LeftHand",
            "right_wrist": "RightHand",
            "left_toes": "LeftToeBase",
            "right_toes": "RightToeBase",
        },
        (0.0, -0.866, 0.5),
    ),
    "daz": SkeletonMap(
        {
            "pelvis": ("hip",),
            "spine1": ("abdomen",),
            "spine2": ("abdomen", "chest"),
            "spine3": ("chest",),
            "neck": ("neck",),
            "head": ("head",),
            **_sided(
                {
                    "hip": "{}Thigh",
                    "knee": "{}Shin",
                    "ankle": "{}Foot",
                    "toes": "{}Foot",
                    "collar": "{}Collar",
                    "shoulder": "{}Shldr",
                    "elbow": "{}ForeArm",
                    "wrist": "{}Hand",
                },
                "l",
                "r",
            ),
        },
        {
            "left_wrist": "lHand",
            "right_wrist": "rHand",
            "left_toes": "lFoot_end",
            "right_toes": "rFoot_end",
        },
        (0.0, -1.0, 0.0),
    ),
    "reactidle": SkeletonMap(
        {
            "pelvis": ("pelvis",),
            "spine1": ("spine",),
            "spine2": ("spine", "spine.001"),
            "spine3": ("spine.001",),
            "neck": ("neck",),
            "head": ("neck",),
            **_sided(
                {
                    "hip": "thigh.{}",
                    "knee": "shin.{}",
                    "ankle": "foot.{}",
                    "toes": "foot.{}",
                    "collar": "shoulder.{}",
                    "shoulder": "upper_arm.{}",
                    "elbow": "forearm.{}",
                    "wrist": "forearm.{}",
                },
                "L",
                "R",
            ),
        },
        {
            "left_wrist": "forearm.L_end",
            "right_wrist": "forearm.R_end",
            "left_toes": "foot.L_end",
            "right_toes": "foot.R_end",
        },
        (0.0, -1.0, 0.0),
    ),
}
"""Families of skeletons that are understood, told apart by their joints' names."""


def find_skeleton(clip: MotionClip) -> SkeletonMap:
    """The family whose joints the clip has.

    Raises:
        PointlightError: none.
    """
    names = set(clip.joint_names)
    for skeleton in SKELETONS.values():
        needed = {source for sources in skeleton.joints.values() for source in sources}
        if needed | set(skeleton.ends.values()) <= names:
            return skeleton
    raise PointlightError(
        f"{clip.name} has a skeleton that is not known (joints {', '.join(clip.joint_names[:6])}, ...); known are "
        f"{', '.join(SKELETONS)}"
    )


@dataclass(frozen=True)
class SourcePose:
    """What retargeting and its judges look at in a source clip.

    Attributes:
        places: driven joint -> (T, 3) in the world, metres; for trunk joints where their source joint is.
        rotations: driven joint -> (T, 3, 3), world.
        rest: driven joint -> (3,) at rest.
    """

    places: dict[str, np.ndarray]
    rotations: dict[str, np.ndarray]
    rest: dict[str, np.ndarray]


def source_pose(clip: MotionClip, skeleton: SkeletonMap) -> SourcePose:
    """Look up a clip by the driven joints' names."""
    world = clip.rotations_world()
    positions = clip.positions_world_m(world)
    at_rest = clip.rest_positions_m()
    index = {name: i for i, name in enumerate(clip.joint_names)}
    places, rotations, rest = {}, {}, {}
    for joint, sources in skeleton.joints.items():
        place = index[skeleton.ends.get(joint, sources[-1])]
        places[joint], rest[joint] = positions[:, place], at_rest[place]
        turns = [world[:, index[source]] for source in sources]
        rotations[joint] = turns[0] if len(turns) == 1 else _halfway(*turns)
    return SourcePose(places, rotations, rest)


def retarget(clip: MotionClip, body: AnnyBody, *, group: str, split: str) -> BodyMotion:
    """Let the mean adult body perform a clip; a pure function of its arguments.

    The ground is set to y = 0 under the lowest the soles come (2nd percentile over the clip).

    Raises:
        PointlightError: the skeleton is not known.
    """
    source = source_pose(clip, find_skeleton(clip))
    skeleton = find_skeleton(clip)
    rest = _body_rest(body)
    world = {
        joint: source.rotations[joint] @ turn
        for joint, turn in _rest_alignments(source, skeleton, rest, body).items()
    }
    pose = np.empty((clip.frames, len(DRIVEN_JOINTS) - 1, 3, 3), np.float32)
    for j, joint in enumerate(DRIVEN_JOINTS[1:]):
        parent = DRIVEN_JOINTS[body.parents[j + 1]]
        pose[:, j] = np.swapaxes(world[parent], -1, -2) @ world[joint]
    root = world["pelvis"].astype(np.float32)
    translation = _pelvis_path(source, rest, root)
    motion = BodyMotion(clip.name, group, split, pose, root, translation, clip.fps)
    return _on_the_ground(motion, body)


def _halfway(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    turn = Rotation.from_matrix(np.swapaxes(first, -1, -2) @ second).as_rotvec()
    return (first @ Rotation.from_rotvec(0.5 * turn).as_matrix()).astype(np.float32)


def _body_rest(body: AnnyBody) -> dict[str, np.ndarray]:
    joints = body.person(torch.tensor(MEAN_ADULT_SHAPE)).joints.double().numpy()
    return dict(zip(body.joint_names, joints, strict=True))


def _rest_alignments(
    source: SourcePose, skeleton: SkeletonMap, rest: dict[str, np.ndarray], body: AnnyBody
) -> dict[str, np.ndarray]:
    """Driven joint -> rotation from the body's rest axes to the source's, (3, 3).

    Both stand upright and look along +z at rest, so the trunk needs none.
    """
    turns = {joint: np.eye(3) for joint in DRIVEN_JOINTS}
    for side in ("left", "right"):
        axis = np.array(skeleton.elbow_axis) * ((1, 1, 1) if side == "left" else (1, -1, -1))
        limbs = (
            ("hip", "knee", "ankle", _LEFT, _LEFT),
            ("shoulder", "elbow", "wrist", axis, np.array(body.hinge_axes[f"{side}_elbow"])),
        )
        for upper, lower, end, default, body_axis in limbs:
            names = [f"{side}_{part}" for part in (upper, lower, end)]
            hinge = _hinge_axis(source, *names, default)
            for start, stop in ((names[0], names[1]), (names[1], names[2])):
                ours = _frame(rest[stop] - rest[start], body_axis)
                theirs = _frame(source.rest[stop] - source.rest[start], hinge)
                turns[start] = theirs @ ours.T
        turns[names[2]] = turns[names[1]]  # the hand goes on as the forearm does
        heading = _frame(_UP, source.rest[f"{side}_toes"] - source.rest[f"{side}_ankle"])
        ours = _frame(_UP, rest[f"{side}_toes"] - rest[f"{side}_ankle"])
        turns[f"{side}_ankle"] = turns[f"{side}_toes"] = heading @ ours.T
    return turns


def _frame(primary: np.ndarray, secondary: np.ndarray) -> np.ndarray:
    """Right-handed axes as columns: along `primary`, then `secondary` made perpendicular to it."""
    first = primary / np.linalg.norm(primary)
    second = secondary - first * (secondary @ first)
    second = second / np.linalg.norm(second)
    return np.stack((first, second, np.cross(first, second)), axis=1)


def _hinge_axis(source: SourcePose, upper: str, lower: str, end: str, default: np.ndarray) -> np.ndarray:
    """Flexion axis in the source's rest axes, as the clip itself shows it where the limb is bent; else `default`."""
    first = source.places[lower] - source.places[upper]
    second = source.places[end] - source.places[lower]
    normal = np.cross(first, second)
    sine = np.linalg.norm(normal, axis=-1) / np.maximum(
        np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1), 1e-9
    )
    angle = np.arctan2(sine, (first * second).sum(-1))
    bent = angle > _BENT_RAD
    if bent.sum() < 10:
        return default
    axes = np.einsum("tji,tj->ti", source.rotations[upper][bent], normal[bent])
    axes /= np.linalg.norm(axes, axis=-1, keepdims=True)
    mean = axes.mean(0)
    # A limb that bends in any direction has no hinge that could be read off.
    return mean if np.linalg.norm(mean) > 0.6 else default


def _pelvis_path(source: SourcePose, rest: dict[str, np.ndarray], root: np.ndarray) -> np.ndarray:
    """(T, 3) float32: the middle of the hips follows the source's, scaled by the length of the legs."""
    ratio = _leg_length(rest) / _leg_length(source.rest)
    hips = 0.5 * (source.places["left_hip"] + source.places["right_hip"]) * ratio
    offset = 0.5 * (rest["left_hip"] + rest["right_hip"]) - rest["pelvis"]
    return (hips - root @ offset).astype(np.float32)


def _leg_length(places: dict[str, np.ndarray]) -> float:
    upper = np.linalg.norm(places["left_knee"] - places["left_hip"])
    return float(upper + np.linalg.norm(places["left_ankle"] - places["left_knee"]))


def _on_the_ground(motion: BodyMotion, body: AnnyBody) -> BodyMotion:
    from dataclasses import replace

    lowest = sole_heights(motion, body).min(-1)
    drop = np.array([0.0, np.percentile(lowest, 2), 0.0], np.float32)
    return replace(motion, translation_m=motion.translation_m - drop)


def sole_heights(motion: BodyMotion, body: AnnyBody) -> np.ndarray:
    """(T, 4) heights above the ground of left heel, left big toe, right heel, right big toe, metres."""
    from pointlight.body import BodyState

    state = BodyState(
        torch.from_numpy(motion.pose),
        torch.tensor(MEAN_ADULT_SHAPE),
        torch.from_numpy(motion.root),
        torch.from_numpy(motion.translation_m),
    )
    names = ("left_heel", "left_big_toe", "right_heel", "right_big_toe")
    with torch.no_grad():
        return body.keypoints(state, names)[..., 1].numpy()


def resample(motion: BodyMotion, fps: float) -> BodyMotion:
    """The motion at another frame rate; rotations by spherical interpolation, places linearly."""
    from dataclasses import replace

    if abs(motion.fps - fps) < 1e-6:
        return motion
    times = np.arange(motion.frames) / motion.fps
    query = np.arange(int(times[-1] * fps + 1e-6) + 1) / fps
    turns = np.concatenate((motion.root[:, None], motion.pose), axis=1)
    resampled = np.empty((len(query), *turns.shape[1:]), np.float32)
    for joint in range(turns.shape[1]):
        resampled[:, joint] = Slerp(times, Rotation.from_matrix(turns[:, joint]))(query).as_matrix()
    places = np.stack([np.interp(query, times, motion.translation_m[:, i]) for i in range(3)], axis=-1)
    return replace(
        motion,
        pose=resampled[:, 1:],
        root=resampled[:, 0],
        translation_m=places.astype(np.float32),
        fps=fps,
    )
