"""Families of source skeletons: which of their joints drive ours, and how their rest pose differs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pointlight.motion.clip import MotionClip


@dataclass(frozen=True)
class SkeletonFamily:
    """How to read a source skeleton by the names of our driven joints. The left side stands for both.

    Attributes:
        name: of the family.
        sides: how the family writes left and right in its names.
        joints: driven joint (sides as "left_") -> source joint whose rotation it follows; of two, halfway.
        places: driven joint -> source joint at its place, where that is another one. "hand_tip",
            "thumb_root" and "thumb_tip" tell of the palm, if the family has hands.
        elbow_axis: the left elbow's axis of flexion at rest, world axes.
        loose_hinges: elbows bend in other planes than the rotations say; the plane is read off every frame.
        lean_deg: pitch (forward positive) that our trunk, head and pelvis need where the source is at rest,
            found from upright frames of many clips: there the mean pose shall be our rest pose.
        head_line: source joints at the neck's root and in the middle of the head, where no rotation tells
            where the head looks.
    """

    name: str
    sides: tuple[str, str]
    joints: dict[str, tuple[str, ...]]
    places: dict[str, str]
    elbow_axis: tuple[float, float, float]
    loose_hinges: bool = False
    lean_deg: dict[str, float] = field(default_factory=dict)
    head_line: tuple[str, str] | None = None

    def sources(self, joint: str) -> tuple[str, ...]:
        """Source joints whose rotation a driven joint follows; () if none does."""
        key, mark = self._sided(joint)
        return tuple(source.format(mark) for source in self.joints.get(key, ()))

    def place(self, joint: str) -> str | None:
        """Source joint that lies where a driven joint (or a point of the hand) lies."""
        key, mark = self._sided(joint)
        sources = self.joints.get(key)
        found = self.places.get(key, sources[-1] if sources else None)
        return found.format(mark) if found else None

    def needs(self) -> set[str]:
        """All source joints that must be there; those of the hand need not."""
        keys = {key.replace("left_", side) for key in self.joints for side in ("left_", "right_")}
        joints = {place for key in keys if (place := self.place(key))}
        return joints | {source for key in keys for source in self.sources(key)}

    def _sided(self, joint: str) -> tuple[str, str]:
        if joint.startswith("right_"):
            return "left_" + joint.removeprefix("right_"), self.sides[1]
        return joint, self.sides[0]


_CMU_ELBOW = (0.0, -0.8660254, 0.5)

CMU_ASF = SkeletonFamily(
    name="cmu_asf",
    sides=("l", "r"),
    joints={
        "pelvis": ("root",),
        "spine1": ("lowerback",),
        "spine2": ("upperback",),
        "spine3": ("thorax",),
        "head": ("head",),
        "left_hip": ("{}femur",),
        "left_knee": ("{}tibia",),
        "left_ankle": ("{}foot",),
        "left_toes": ("{}toes",),
        "left_collar": ("{}clavicle",),
        "left_shoulder": ("{}humerus",),
        "left_elbow": ("{}radius",),
        "left_wrist": ("{}hand",),
    },
    places={
        "head": "upperneck",
        "left_hand_tip": "{}fingers",
        "left_thumb_root": "{}thumb",
        "left_thumb_tip": "{}thumb_end",
    },
    elbow_axis=_CMU_ELBOW,
    lean_deg={"trunk": -6.0, "head": -9.0},
)

CMU_CGSPEED = SkeletonFamily(
    name="cmu_cgspeed",
    sides=("Left", "Right"),
    joints={
        "pelvis": ("Hips",),
        "spine1": ("LowerBack",),
        "spine2": ("Spine",),
        "spine3": ("Spine1",),
        "head": ("Head",),
        "left_hip": ("{}UpLeg",),
        "left_knee": ("{}Leg",),
        "left_ankle": ("{}Foot",),
        "left_toes": ("{}ToeBase",),
        "left_collar": ("{}Shoulder",),
        "left_shoulder": ("{}Arm",),
        "left_elbow": ("{}ForeArm",),
        "left_wrist": ("{}FingerBase",),
    },
    places={
        "head": "Neck1",
        "left_hand_tip": "{}HandIndex1",
        "left_thumb_root": "{0:.1}Thumb",
        "left_thumb_tip": "{0:.1}Thumb_end",
    },
    elbow_axis=_CMU_ELBOW,
    lean_deg={"trunk": -6.0, "head": -9.0},
)

CMU_DAZ = SkeletonFamily(
    name="cmu_daz",
    sides=("l", "r"),
    joints={
        "pelvis": ("hip",),
        "spine1": ("abdomen",),
        "spine2": ("abdomen", "chest"),
        "spine3": ("chest",),
        "head": ("head",),
        "left_hip": ("{}Thigh",),
        "left_knee": ("{}Shin",),
        "left_ankle": ("{}Foot",),
        "left_toes": ("{}Foot",),
        "left_collar": ("{}Collar",),
        "left_shoulder": ("{}Shldr",),
        "left_elbow": ("{}ForeArm",),
        "left_wrist": ("{}Hand",),
    },
    places={
        "left_toes": "{}Foot_end",
        "left_hand_tip": "{}Mid1",
        "left_thumb_root": "{}Pinky1",
        "left_thumb_tip": "{}Index1",
    },
    elbow_axis=(-0.061, -0.862, 0.503),
    lean_deg={"pelvis": -4.0},
)

REACTIDLE = SkeletonFamily(
    name="reactidle",
    sides=("L", "R"),
    joints={
        "pelvis": ("pelvis",),
        "spine1": ("spine",),
        "spine2": ("spine", "spine.001"),
        "spine3": ("spine.001",),
        "head": ("neck",),
        "left_hip": ("thigh.{}",),
        "left_knee": ("shin.{}",),
        "left_ankle": ("foot.{}",),
        "left_toes": ("foot.{}",),
        "left_collar": ("shoulder.{}",),
        "left_shoulder": ("upper_arm.{}",),
        "left_elbow": ("forearm.{}",),
        "left_wrist": ("forearm.{}",),
    },
    places={"left_toes": "foot.{}_end", "left_wrist": "forearm.{}_end", "head": "neck"},
    elbow_axis=(0.0, -0.75, -0.66),
    loose_hinges=True,
    lean_deg={"head": -19.0},  # at rest neck and head stand upright; in a person they lean 19 degrees forward
    head_line=("neck", "face"),
)

HUMANIK = SkeletonFamily(
    name="humanik",
    sides=("Left", "Right"),
    joints={
        "pelvis": ("Hips",),
        "spine1": ("Spine",),
        "spine2": ("Spine1",),
        "spine3": ("Spine2",),
        "head": ("Head",),
        "left_hip": ("{}UpLeg",),
        "left_knee": ("{}Leg",),
        "left_ankle": ("{}Foot",),
        "left_toes": ("{}ToeBase",),
        "left_collar": ("{}Shoulder",),
        "left_shoulder": ("{}Arm",),
        "left_elbow": ("{}ForeArm",),
        "left_wrist": ("{}Hand",),
    },
    places={
        "left_hand_tip": "{}HandMiddle1",
        "left_thumb_root": "{}HandThumb1",
        "left_thumb_tip": "{}HandThumb2",
    },
    elbow_axis=(0.0, -1.0, 0.0),
    loose_hinges=True,
)
"""The names that most programs export; none of the shared clips has them, so its leans are not calibrated."""

ANY_HUMANOID = SkeletonFamily(
    name="any",
    sides=("left", "right"),
    joints={},
    places={},
    elbow_axis=(0.0, -1.0, 0.0),
    loose_hinges=True,
)
"""How a skeleton is read whose joints were found by `humanoid.py`: at rest it is a T-pose that looks along z."""

FAMILIES: tuple[SkeletonFamily, ...] = (CMU_ASF, CMU_CGSPEED, CMU_DAZ, REACTIDLE, HUMANIK)
"""All that are understood, told apart by their joints' names."""

_UPRIGHT_COSINE = 0.87
"""Rest poses may be turned by 30 degrees from standing upright and looking along z."""

_ALONG_COSINE = 0.75


def plain_names(clip: MotionClip) -> tuple[str, ...]:
    """A clip's joint names without what some programs put before them ("mixamorig:Hips")."""
    return tuple(name.rpartition(":")[2] for name in clip.joint_names)


def find_family(clip: MotionClip) -> SkeletonFamily | None:
    """The family whose joints the clip has, arms on the chest, and whose rest pose stands and looks along z; else None."""
    names = plain_names(clip)
    for family in FAMILIES:
        if family.needs() <= set(names) and _arms_on_chest(clip, family):
            return family if _stands(clip, family) else None
    return None


def _arms_on_chest(clip: MotionClip, family: SkeletonFamily) -> bool:
    """A longer spine of the same names has its chest elsewhere."""
    names = plain_names(clip)
    collar, chest = (family.sources(joint)[0] for joint in ("left_collar", "spine3"))
    return names[clip.parents[names.index(collar)]] == chest


def _stands(clip: MotionClip, family: SkeletonFamily) -> bool:
    """Upright, looking along z, with arms that do not lie along the family's axis of the elbow."""
    index = {name: i for i, name in enumerate(plain_names(clip))}
    at_rest = clip.rest_positions_m()

    def place(joint: str) -> np.ndarray:
        return at_rest[index[family.place(joint) or ""]]

    across = place("left_hip") - place("right_hip")
    up = place("left_shoulder") + place("right_shoulder") - place("left_hip") - place("right_hip")
    arm = place("left_wrist") - place("left_shoulder")
    upright = all(
        direction[axis] >= _UPRIGHT_COSINE * np.linalg.norm(direction)
        for direction, axis in ((across, 0), (up, 1))
    )
    return bool(upright and abs(arm @ family.elbow_axis) <= _ALONG_COSINE * np.linalg.norm(arm))
