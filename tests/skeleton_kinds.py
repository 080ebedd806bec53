"""Writes one known motion as other programs would: their names, their joints, their zero poses, axes and units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from motion_files import PERSON, walking_clip
from scipy.spatial.transform import Rotation

from pointlight.motion import MotionClip
from pointlight.motion.turns import frames_along


@dataclass(frozen=True)
class Kind:
    """How a program names a person's joints; "{}" stands for the side.

    Attributes:
        name: of the program.
        pelvis: the joint that moves in the world; above it `root`, if that is not "".
        spine: from below; the last carries arms and neck.
        neck: from below.
        head: with its end, where that has a name of its own.
        leg: hip, knee, ankle, toes; toes may be missing.
        arm: collar, shoulder, elbow, wrist; the collar may be "".
        sides: how left and right are written.
        hip_joint: a joint at the pelvis' place before the hip.
        twists: name of a twist joint -> which bone it splits: "hip", "knee", "shoulder", "elbow".
        fingers: thumb, then index, middle and so on; first joints.
        extra: (name, parent, offset in metres) of props, faces, helpers.
    """

    name: str
    pelvis: str
    spine: tuple[str, ...]
    neck: tuple[str, ...]
    head: tuple[str, ...]
    leg: tuple[str, ...]
    arm: tuple[str, ...]
    sides: tuple[str, str] = ("Left", "Right")
    root: str = ""
    hip_joint: str = ""
    twists: dict[str, str] = field(default_factory=dict)
    fingers: tuple[str, ...] = ()
    extra: tuple[tuple[str, str, tuple[float, float, float]], ...] = ()


_HUMANIK = {
    "pelvis": "Hips",
    "spine": ("Spine", "Spine1", "Spine2"),
    "neck": ("Neck",),
    "head": ("Head",),
    "leg": ("{}UpLeg", "{}Leg", "{}Foot", "{}ToeBase"),
    "arm": ("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand"),
}
_HANDS = ("{}HandThumb1", "{}HandIndex1", "{}HandMiddle1", "{}HandRing1", "{}HandPinky1")


def _prefixed(kind: Kind, prefix: str) -> Kind:
    def put(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(prefix + name if name else "" for name in names)

    return replace(
        kind,
        pelvis=prefix + kind.pelvis,
        spine=put(kind.spine),
        neck=put(kind.neck),
        head=put(kind.head),
        leg=put(kind.leg),
        arm=put(kind.arm),
        fingers=put(kind.fingers),
        twists={prefix + name: bone for name, bone in kind.twists.items()},
    )


KINDS: tuple[Kind, ...] = (
    _prefixed(Kind("mixamo", **_HUMANIK | {"head": ("Head", "HeadTop_End")}, fingers=_HANDS), "mixamorig:"),
    Kind("lafan1", **_HUMANIK | {"leg": ("{}UpLeg", "{}Leg", "{}Foot", "{}Toe")}),
    Kind(
        "rokoko",
        **_HUMANIK
        | {
            "spine": ("Spine1", "Spine2", "Spine3", "Spine4"),
            "leg": ("{}Thigh", "{}Shin", "{}Foot", "{}Toe"),
        },
        root="Root",
        extra=(("LeftToeTip", "LeftToe", (0, 0, 0.05)), ("RightToeTip", "RightToe", (0, 0, 0.05))),
    ),
    Kind(
        "xsens",
        pelvis="Hips",
        spine=("Chest", "Chest2", "Chest3", "Chest4"),
        neck=("Neck",),
        head=("Head",),
        leg=("{}Hip", "{}Knee", "{}Ankle", "{}Toe"),
        arm=("{}Collar", "{}Shoulder", "{}Elbow", "{}Wrist"),
    ),
    _prefixed(
        Kind(
            "humanik",
            **_HUMANIK,
            root="Reference",
            twists={
                "{}UpLegRoll": "hip",
                "{}LegRoll": "knee",
                "{}ArmRoll": "shoulder",
                "{}ForeArmRoll": "elbow",
            },
        ),
        "Character1_",
    ),
    Kind(
        "cmu_asf",
        pelvis="root",
        spine=("lowerback", "upperback", "thorax"),
        neck=("lowerneck", "upperneck"),
        head=("head",),
        leg=("{}femur", "{}tibia", "{}foot", "{}toes"),
        arm=("{}clavicle", "{}humerus", "{}radius", "{}wrist"),
        sides=("l", "r"),
        hip_joint="{}hipjoint",
        fingers=("{}thumb", "{}fingers"),
    ),
    Kind(
        "cmu_cgspeed",
        pelvis="Hips",
        spine=("LowerBack", "Spine", "Spine1"),
        neck=("Neck", "Neck1"),
        head=("Head",),
        leg=("{}UpLeg", "{}Leg", "{}Foot", "{}ToeBase"),
        arm=("{}Shoulder", "{}Arm", "{}ForeArm", "{}FingerBase"),
        hip_joint="{0:.1}HipJoint",
        fingers=("{0:.1}Thumb", "{}HandIndex1"),
    ),
    Kind(
        "cmu_cgspeed_other",
        pelvis="Hips",
        spine=("LowerBack", "Spine", "Spine1"),
        neck=("Neck", "Neck1"),
        head=("Head",),
        leg=("{}Hip", "{}Knee", "{}Ankle", "{}Toe"),
        arm=("{}Collar", "{}Shoulder", "{}Elbow", "{}Wrist"),
        hip_joint="{0:.1}HipJoint",
    ),
    Kind(
        "animated_drawings_fair",
        pelvis="Hips",
        spine=("Spine", "Spine1", "Spine2", "Spine3"),
        neck=("Neck",),
        head=("Head",),
        leg=("{}UpLeg", "{}Leg", "{}Foot"),
        arm=("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand"),
    ),
    Kind(
        "animated_drawings_joints",
        pelvis="hip",
        spine=("torso",),
        neck=("neck",),
        head=(),
        leg=("{}hip", "{}knee", "{}foot"),
        arm=("", "{}shoulder", "{}elbow", "{}hand"),
        sides=("left_", "right_"),
        root="root",
    ),
    Kind(
        "soma",
        pelvis="Hips",
        spine=("Spine1", "Spine2", "Chest"),
        neck=("Neck1", "Neck2"),
        head=("Head", "HeadEnd"),
        leg=("{}Leg", "{}Shin", "{}Foot", "{}ToeBase"),
        arm=("{}Shoulder", "{}Arm", "{}ForeArm", "{}Hand"),
        root="Root",
        fingers=_HANDS,
        extra=(
            ("Jaw", "Head", (0, 0.02, 0.05)),
            ("LeftEye", "Head", (0.03, 0.08, 0.08)),
            ("RightEye", "Head", (-0.03, 0.08, 0.08)),
        ),
    ),
    Kind(
        "makehuman",
        pelvis="root",
        spine=("spine05", "spine04", "spine03", "spine02", "spine01"),
        neck=("neck01", "neck02", "neck03"),
        head=("head",),
        leg=("upperleg01.{}", "lowerleg01.{}", "foot.{}", "toe1-1.{}"),
        arm=("clavicle.{}", "upperarm01.{}", "lowerarm01.{}", "wrist.{}"),
        sides=("L", "R"),
        hip_joint="pelvis.{}",
        twists={
            "upperleg02.{}": "hip",
            "lowerleg02.{}": "knee",
            "upperarm02.{}": "shoulder",
            "lowerarm02.{}": "elbow",
        },
        fingers=("finger1-1.{}", "finger2-1.{}", "finger3-1.{}", "finger4-1.{}", "finger5-1.{}"),
        extra=(("jaw", "head", (0, 0.02, 0.05)), ("oculi01.L", "head", (0.03, 0.08, 0.08))),
    ),
    Kind(
        "perception_neuron",
        **_HUMANIK
        | {"spine": ("Spine", "Spine1", "Spine2", "Spine3"), "leg": ("{}UpLeg", "{}Leg", "{}Foot")},
        fingers=("{}HandThumb1", "{}InHandIndex", "{}InHandMiddle", "{}InHandRing", "{}InHandPinky"),
    ),
    Kind(
        "six_spine_joints",
        **_HUMANIK | {"spine": ("Spine", "Spine1", "Spine2", "Spine3", "Spine4", "Spine5")},
    ),
    Kind(
        "unreal",
        pelvis="pelvis",
        spine=("spine_01", "spine_02", "spine_03"),
        neck=("neck_01",),
        head=("head",),
        leg=("thigh_{}", "calf_{}", "foot_{}", "ball_{}"),
        arm=("clavicle_{}", "upperarm_{}", "lowerarm_{}", "hand_{}"),
        sides=("l", "r"),
        root="root",
        fingers=("thumb_01_{}", "index_01_{}", "middle_01_{}", "ring_01_{}", "pinky_01_{}"),
        extra=(
            ("ik_foot_root", "root", (0, 0, 0)),
            ("ik_foot_l", "ik_foot_root", (0.1, 0, 0)),
            ("ik_foot_r", "ik_foot_root", (-0.1, 0, 0)),
            ("upperarm_twist_01_l", "upperarm_l", (0.14, 0, 0)),
            ("weapon", "hand_r", (0, -0.1, 0.2)),
            ("weapon_tip", "weapon", (0, 0, 1.2)),
        ),
    ),
    _prefixed(
        Kind(
            "max_biped",
            pelvis="Pelvis",
            spine=("Spine", "Spine1", "Spine2"),
            neck=("Neck",),
            head=("Head", "HeadNub"),
            leg=("{} Thigh", "{} Calf", "{} Foot", "{} Toe0"),
            arm=("{} Clavicle", "{} UpperArm", "{} Forearm", "{} Hand"),
            sides=("L", "R"),
            fingers=("{} Finger0", "{} Finger1", "{} Finger2", "{} Finger3", "{} Finger4"),
        ),
        "Bip01 ",
    ),
    Kind(
        "smpl",
        pelvis="Pelvis",
        spine=("Spine1", "Spine2", "Spine3"),
        neck=("Neck",),
        head=("Head",),
        leg=("{}_Hip", "{}_Knee", "{}_Ankle", "{}_Foot"),
        arm=("{}_Collar", "{}_Shoulder", "{}_Elbow", "{}_Wrist"),
        sides=("L", "R"),
    ),
    _prefixed(
        Kind(
            "vrm",
            pelvis="C_Hips",
            spine=("C_Spine", "C_Chest", "C_UpperChest"),
            neck=("C_Neck",),
            head=("C_Head",),
            leg=("{}_UpperLeg", "{}_LowerLeg", "{}_Foot", "{}_ToeBase"),
            arm=("{}_Shoulder", "{}_UpperArm", "{}_LowerArm", "{}_Hand"),
            sides=("L", "R"),
            fingers=("{}_Thumb1", "{}_Index1", "{}_Middle1", "{}_Ring1", "{}_Little1"),
        ),
        "J_Bip_",
    ),
    Kind(
        "words_in_japanese",
        pelvis="センター",
        spine=("上半身", "上半身2"),
        neck=("首",),
        head=("頭",),
        leg=("{}足", "{}ひざ", "{}足首", "{}つま先"),
        arm=("{}肩", "{}腕", "{}ひじ", "{}手首"),
        sides=("左", "右"),
    ),
    Kind(
        "nameless",
        pelvis="b0",
        spine=("b1", "b2", "b3"),
        neck=("b4",),
        head=("b5",),
        leg=("b{}10", "b{}11", "b{}12", "b{}13"),
        arm=("b{}20", "b{}21", "b{}22", "b{}23"),
        sides=("3", "7"),
    ),
)

BY_NAME = {kind.name: kind for kind in KINDS}

POSES = (
    "t",
    "a",
    "arms_down",
    "bones_along_x",
    "bones_down",
    "lying",
    "lying_on_side",
    "sitting",
    "looking_x",
    "looking_back",
)


def motion(frames: int = 90) -> MotionClip:
    """The known motion: a walk with bent trunk, elbows and knees, and a head that looks around."""
    clip = walking_clip(frames)
    names = clip.joint_names
    time_s = np.arange(frames) / clip.fps

    def turn(joint: str, axis: tuple[float, float, float], degrees: np.ndarray) -> None:
        index = names.index(joint)
        more = Rotation.from_rotvec(np.radians(degrees)[:, None] * np.array(axis)).as_matrix()
        clip.rotations[:, index] = clip.rotations[:, index] @ more

    turn("Spine", (0, 1, 0), 15 * np.sin(2 * time_s))
    turn("Spine1", (0, 0, 1), 8 * np.sin(3 * time_s))
    turn("LeftShoulder", (0, 0, 1), 6 * np.sin(4 * time_s))
    turn("LeftToeBase", (1, 0, 0), 10 * np.sin(4 * time_s))
    turn("Hips", (0, 1, 0), 40 * time_s)
    return clip


@dataclass
class _Joint:
    name: str
    parent: str
    part: str
    offset: np.ndarray
    twist: np.ndarray | None = None


def write_clip(
    kind: Kind,
    pose: str = "t",
    *,
    clip: MotionClip | None = None,
    ends: bool = True,
    mirrored: bool = False,
) -> MotionClip:
    """The known motion on a kind's skeleton, in a zero pose of `POSES`; metres, y up.

    Args:
        kind: names and joints.
        pose: the zero pose.
        clip: another motion of `PERSON`.
        ends: the last bones have ends.
        mirrored: written by a program with a left-handed world.
    """
    clip = motion() if clip is None else clip
    joints = _joints(kind, clip, ends)
    names = [joint.name for joint in joints]
    assert len(set(names)) == len(names), kind.name
    world = clip.rotations_world().astype(np.float64)
    zero = {part: _zero(part, pose) for part in {joint.part for joint in joints}}
    parents = tuple(names.index(joint.parent) if joint.parent else -1 for joint in joints)
    rotations = np.zeros((clip.frames, len(joints), 3, 3))
    turned = []
    for joint in joints:
        own = world[:, clip.joint_names.index(joint.part)]
        if joint.twist is not None:
            own = own @ joint.twist
        turned.append(own @ zero[joint.part].T)
    for index, parent in enumerate(parents):
        rotations[:, index] = turned[index] if parent < 0 else turned[parent].swapaxes(-1, -2) @ turned[index]
    # Bones without a rotation of their own are written unturned, as ends are.
    offsets = [
        np.zeros(3) if parent < 0 else zero[joints[parent].part] @ joint.offset
        for joint, parent in zip(joints, parents, strict=True)
    ]
    root = clip.root_translation_m.astype(np.float64)
    if kind.root:
        # The root lies on the ground and doesn't move; the pelvis does.
        rotations[:, 1] = rotations[:, 0] @ rotations[:, 1]
        rotations[:, 0] = np.eye(3)
    signs = np.array((-1.0, 1.0, 1.0)) if mirrored else np.ones(3)
    made = MotionClip(
        name=f"{kind.name}.bvh",
        joint_names=tuple(names),
        parents=parents,
        offsets_m=(np.array(offsets) * signs).astype(np.float32),
        rotations=(rotations * np.outer(signs, signs)).astype(np.float32),
        root_translation_m=((0 * root if kind.root else root) * signs).astype(np.float32),
        fps=clip.fps,
    )
    if not kind.root:
        return made
    places = np.tile(made.offsets_m, (clip.frames, 1, 1))
    places[:, 1] = root * signs
    return replace(made, translations_m=places.astype(np.float32))


def _joints(kind: Kind, clip: MotionClip, ends: bool) -> list[_Joint]:
    at = {name: np.array(offset, float) for name, _, offset in PERSON}
    found: list[_Joint] = []

    def add(
        name: str, parent: str, part: str, offset: Sequence[float], twist: np.ndarray | None = None
    ) -> str:
        found.append(_Joint(name, parent, part, np.array(offset, float), twist))
        return name

    if kind.root:
        add(kind.root, "", "Hips", (0, 0, 0))
    add(kind.pelvis, kind.root, "Hips", (0, 0, 0))
    chest, left_over = _add_spine(kind, add, at)
    top = chest
    neck_way = at["Neck"] - left_over
    for number, name in enumerate(kind.neck):
        part = "Neck" if number == 0 else "Neck1"
        step = neck_way if number == 0 else at["Neck1"] / max(1, len(kind.neck) - 1)
        # Further neck joints share the second one's bone.
        if number > 1:
            step = at["Neck1"] / (len(kind.neck) - 1)
        top = add(name, top, part if number < 2 else "Neck1", step)
    if kind.head:
        rest = at["Head"] + (at["Neck1"] if len(kind.neck) == 1 else 0 * at["Neck1"])
        top = add(kind.head[0], top, "Head", rest)
    if len(kind.head) > 1 or ends:
        add(
            kind.head[1] if len(kind.head) > 1 else f"{top}_end",
            top,
            "Head" if kind.head else "Neck",
            at["Head_end"],
        )
    for mark, side in zip(kind.sides, ("Left", "Right"), strict=True):
        _add_leg(kind, add, found, at, mark, side, clip, ends)
        _add_arm(kind, add, found, at, mark, side, chest, left_over, clip, ends)
    parts = {joint.name: joint.part for joint in found}
    for name, parent, offset in kind.extra:
        add(name, parent, parts[parent], offset)
        parts[name] = parts[parent]
    return _parents_first(found)


def _parents_first(joints: list[_Joint]) -> list[_Joint]:
    """Depth first, as files have them."""
    by_parent: dict[str, list[_Joint]] = {}
    for joint in joints:
        by_parent.setdefault(joint.parent, []).append(joint)
    found: list[_Joint] = []

    def walk(name: str) -> None:
        for joint in by_parent.get(name, []):
            found.append(joint)
            walk(joint.name)

    walk("")
    return found


def _add_spine(kind: Kind, add, at) -> tuple[str, np.ndarray]:
    """The spine's joints lie evenly on the three bones; the chest, and what of Spine1's bone is used up."""
    parts = ("LowerBack", "Spine", "Spine1")
    steps = {"LowerBack": at["LowerBack"], "Spine": at["Spine"], "Spine1": at["Spine1"]}
    count = len(kind.spine)
    groups = {1: (0, 0, 1), 2: (1, 0, 1), 3: (1, 1, 1), 4: (1, 1, 2), 5: (1, 2, 2), 6: (2, 2, 2)}[count]
    above, carried, number = kind.pelvis, np.zeros(3), 0
    way = np.zeros(3)
    for bone, many in zip(parts, groups, strict=True):
        way = way + steps[bone]
        after = at["Spine"] if bone == "LowerBack" else at["Spine1"] if bone == "Spine" else at["Neck"]
        for split in range(many):
            above = add(kind.spine[number], above, bone, way if split == 0 else after / many)
            number += 1
            carried = after * ((many - 1) / many)
            way = -carried
    return above, carried


def _twisted(
    kind: Kind, add, joints, mark, bone: str, joint: str, part: str, way: np.ndarray, clip
) -> tuple[str, np.ndarray]:
    """Puts a twist joint into the middle of a bone, if the kind has one; where to go on, and the way that is left."""
    for name, where in kind.twists.items():
        if where == bone:
            angles = 0.3 * np.sin(3 * np.arange(clip.frames) / clip.fps)
            axis = way / np.linalg.norm(way)
            twist = Rotation.from_rotvec(angles[:, None] * axis).as_matrix()
            if bone in ("hip", "shoulder"):  # the far end carries the knee's axis, the near end lags behind
                near = next(each for each in joints if each.name == joint)
                near.twist, twist = twist, None
            return add(name.format(mark), joint, part, 0.5 * way, twist), 0.5 * way
    return joint, way


def _add_leg(kind: Kind, add, joints, at, mark, side, clip, ends) -> None:
    names = [name.format(mark) for name in kind.leg]
    above = kind.pelvis
    if kind.hip_joint:
        above = add(kind.hip_joint.format(mark), above, "Hips", (0, 0, 0))
    joint = add(names[0], above, f"{side}UpLeg", at[f"{side}UpLeg"])
    joint, way = _twisted(kind, add, joints, mark, "hip", joint, f"{side}UpLeg", at[f"{side}Leg"], clip)
    joint = add(names[1], joint, f"{side}Leg", way)
    joint, way = _twisted(kind, add, joints, mark, "knee", joint, f"{side}Leg", at[f"{side}Foot"], clip)
    joint = add(names[2], joint, f"{side}Foot", way)
    if len(names) > 3:
        joint = add(names[3], joint, f"{side}ToeBase", at[f"{side}ToeBase"])
    if ends:
        part = f"{side}ToeBase" if len(names) > 3 else f"{side}Foot"
        add(f"{joint}_end", joint, part, at[f"{side}ToeBase_end"] if len(names) > 3 else at[f"{side}ToeBase"])


def _add_arm(kind: Kind, add, joints, at, mark, side, chest, used, clip, ends) -> None:
    names = [name.format(mark) for name in kind.arm]
    joint, way = chest, at[f"{side}Shoulder"] - used
    if names[0]:
        joint, way = add(names[0], joint, f"{side}Shoulder", way), np.zeros(3)
    joint = add(names[1], joint, f"{side}Arm", way + at[f"{side}Arm"])
    joint, way = _twisted(
        kind, add, joints, mark, "shoulder", joint, f"{side}Arm", at[f"{side}ForeArm"], clip
    )
    joint = add(names[2], joint, f"{side}ForeArm", way)
    joint, way = _twisted(kind, add, joints, mark, "elbow", joint, f"{side}ForeArm", at[f"{side}Hand"], clip)
    wrist = add(names[3], joint, f"{side}FingerBase", way)
    out = 1.0 if side == "Left" else -1.0
    for number, name in enumerate(kind.fingers):
        # The thumb goes ahead; index to little finger lie from front to back.
        spot = (0.03 * out, 0, 0.03) if number == 0 else (0.08 * out, 0, 0.03 - 0.02 * (number - 1))
        tip = add(name.format(mark), wrist, f"{side}FingerBase", spot)
        if ends:
            add(f"{tip}_end", tip, f"{side}FingerBase", (0.03 * out, 0, 0.02 if number == 0 else 0))
    if not kind.fingers and ends:
        add(f"{wrist}_end", wrist, f"{side}FingerBase", (0.1 * out, 0, 0))


def _zero(part: str, pose: str) -> np.ndarray:
    """(3, 3) how a bone of `PERSON` is turned in a zero pose."""
    turn = lambda axes, degrees: Rotation.from_euler(axes, degrees, degrees=True).as_matrix()  # noqa: E731
    out = 1.0 if part.startswith("L") and not part.startswith("Lower") else -1.0
    arm = any(word in part for word in ("Arm", "Hand", "Finger", "Thumb"))
    match pose:
        case "t":
            return np.eye(3)
        case "a":
            return turn("z", -45 * out) if arm else np.eye(3)
        case "arms_down":
            return turn("z", -88 * out) if arm else np.eye(3)
        case "lying":
            return turn("x", -90)
        case "lying_on_side":
            return turn("z", 90) @ turn("y", 20)
        case "sitting":
            return turn("x", -85) if "UpLeg" in part else np.eye(3)
        case "looking_x":
            return turn("y", 90)
        case "looking_back":
            return turn("y", 180)
        case "bones_along_x":
            return _aligned(part, out, np.array((1.0, 0, 0)), np.array((0, 0, 1.0)))
        case "bones_down":  # trunk up, all limbs and feet straight down
            limb = arm or "Leg" in part or "Foot" in part or "Toe" in part
            return _aligned(part, out, np.array((0, -1.0, 0)), np.array((1.0, 0, 0))) if limb else np.eye(3)
    raise AssertionError(pose)


def _aligned(part: str, out: float, along: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """A bone's direction laid along one axis of the file, its left (or the elbow's axis) along another."""
    offsets = {name: np.array(offset, float) for name, _, offset in PERSON}
    side = "Left" if out > 0 else "Right"
    arm = any(word in part for word in ("Arm", "Hand", "Finger", "Thumb"))
    if arm:
        return frames_along(along, axis) @ frames_along(np.array((out, 0, 0)), np.array((0, -out, 0))).T
    ends = {"UpLeg": "Leg", "Leg": "Foot", "Foot": "ToeBase", "ToeBase": "ToeBase_end"}
    for word, end in ends.items():
        if part == f"{side}{word}":
            return frames_along(along, axis) @ frames_along(offsets[f"{side}{end}"], np.array((1.0, 0, 0))).T
    return frames_along(along, axis) @ frames_along(np.array((0, 1.0, 0)), np.array((1.0, 0, 0))).T
