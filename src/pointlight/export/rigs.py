"""Skeletons that other programs know: their names, their tree, and where on our body their joints lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from pointlight.errors import PointlightError
from pointlight.motion import DRIVEN_JOINTS

FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


@dataclass(frozen=True)
class RigJoint:
    """A joint of a rig.

    Attributes:
        name: what the rig calls it.
        parent: name of the joint above; "" for the root.
        landmark: where it lies: one of our joints, whose rotation it has, or a landmark of `landmarks.py`, which moves
            with the joint that carries it.
    """

    name: str
    parent: str
    landmark: str


@dataclass(frozen=True)
class Rig:
    """A skeleton of other programs.

    Attributes:
        name: as `--rig` knows it.
        joints: parents before children; the first is the pelvis.
        ends: of joints without children where the bone ends, a landmark by the joint's name.
        rest: arms at rest: "a", our body's own A-pose, or "t".
        above: a joint at the world's origin that stays there and holds the pelvis; "" where there is none.
    """

    name: str
    joints: tuple[RigJoint, ...]
    ends: dict[str, str]
    rest: str
    above: str = ""


def find_rig(name: str) -> Rig:
    """The rig of that name.

    Raises:
        PointlightError: there is none.
    """
    if name in RIGS:
        return RIGS[name]
    near = get_close_matches(name, RIGS, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise PointlightError(f"there is no rig {name!r}, only {', '.join(RIGS)}{meant}")


def _pointlight() -> Rig:
    parents = {"left_hip": "pelvis", "spine1": "pelvis", "neck": "spine3", "left_collar": "spine3"}
    chains = (
        ("hip", "knee", "ankle", "toes"),
        ("collar", "shoulder", "elbow", "wrist"),
        ("spine1", "spine2", "spine3", "neck", "head"),
    )
    for chain in chains:
        for above, below in pairwise(chain):
            for side in ("left_", "right_") if chain[0] in ("hip", "collar") else ("",):
                parents[side + below] = side + above
    parents |= {"right_hip": "pelvis", "right_collar": "spine3"}
    joints = tuple(RigJoint(name, parents.get(name, ""), name) for name in DRIVEN_JOINTS)
    return Rig("pointlight", joints, _ends("{side}_toes", "{side}_wrist", "head", ("left", "right")), "a")


def _ends(toes: str, hand: str, head: str, sides: tuple[str, str]) -> dict[str, str]:
    """Ends of feet, hands and head; the rig's words for the sides stand in its names."""
    ends = {head: "head_top"}
    for ours, side in zip(("left", "right"), sides, strict=True):
        ends |= {toes.format(side=side): f"{ours}_toe_end", hand.format(side=side): f"{ours}_hand_end"}
    return ends


def _chain(parent: str, *pairs: tuple[str, str]) -> Iterator[RigJoint]:
    """Joints one below the other, as (name, landmark)."""
    for name, landmark in pairs:
        yield RigJoint(name, parent, landmark)
        parent = name


def _humanik(prefix: str, toes: str) -> Iterator[RigJoint]:
    """The names that Mixamo and LAFAN1 share."""
    p = prefix
    yield RigJoint(f"{p}Hips", "", "pelvis")
    for side, ours in (("Left", "left"), ("Right", "right")):
        yield from _chain(
            f"{p}Hips",
            (f"{p}{side}UpLeg", f"{ours}_hip"),
            (f"{p}{side}Leg", f"{ours}_knee"),
            (f"{p}{side}Foot", f"{ours}_ankle"),
            (f"{p}{side}{toes}", f"{ours}_toes"),
        )
    yield from _chain(
        f"{p}Hips",
        (f"{p}Spine", "spine1"),
        (f"{p}Spine1", "spine2"),
        (f"{p}Spine2", "spine3"),
        (f"{p}Neck", "neck"),
        (f"{p}Head", "head"),
    )
    for side, ours in (("Left", "left"), ("Right", "right")):
        yield from _chain(
            f"{p}Spine2",
            (f"{p}{side}Shoulder", f"{ours}_collar"),
            (f"{p}{side}Arm", f"{ours}_shoulder"),
            (f"{p}{side}ForeArm", f"{ours}_elbow"),
            (f"{p}{side}Hand", f"{ours}_wrist"),
        )


def _cmu() -> Rig:
    """The names of the CMU library's BVH conversions (cgspeed)."""
    joints = [RigJoint("Hips", "", "pelvis")]
    for side, ours in (("Left", "left"), ("Right", "right")):
        joints += _chain(
            "Hips",
            (f"{side[0]}HipJoint", f"{ours}_hip_socket"),
            (f"{side}UpLeg", f"{ours}_hip"),
            (f"{side}Leg", f"{ours}_knee"),
            (f"{side}Foot", f"{ours}_ankle"),
            (f"{side}ToeBase", f"{ours}_toes"),
        )
    joints += _chain(
        "Hips",
        ("LowerBack", "spine1"),
        ("Spine", "spine2"),
        ("Spine1", "spine3"),
        ("Neck", "neck"),
        ("Neck1", "head"),
        ("Head", "head_middle"),
    )
    ends = {"Head": "head_top"}
    for side, ours in (("Left", "left"), ("Right", "right")):
        joints += _chain(
            "Spine1",
            (f"{side}Shoulder", f"{ours}_collar"),
            (f"{side}Arm", f"{ours}_shoulder"),
            (f"{side}ForeArm", f"{ours}_elbow"),
            (f"{side}Hand", f"{ours}_wrist"),
            (f"{side}FingerBase", f"{ours}_Index1"),
            (f"{side}HandIndex1", f"{ours}_Index2"),
        )
        joints += [RigJoint(f"{side[0]}Thumb", f"{side}Hand", f"{ours}_Thumb1")]
        ends |= {
            f"{side}ToeBase": f"{ours}_toe_end",
            f"{side}HandIndex1": f"{ours}_IndexEnd",
            f"{side[0]}Thumb": f"{ours}_ThumbEnd",
        }
    return Rig("cmu", tuple(joints), ends, "t")


def _soma() -> Rig:
    """The 77 joints of NVIDIA's SOMA below their `Root`."""
    joints = [RigJoint("Hips", "", "pelvis")]
    joints += _chain(
        "Hips",
        *(("Spine1", "spine1"), ("Spine2", "spine2"), ("Chest", "spine3"), ("Neck1", "neck")),
        *(("Neck2", "neck_middle"), ("Head", "head"), ("HeadEnd", "head_top")),
    )
    joints += [
        RigJoint("Jaw", "Head", "jaw"),
        RigJoint("LeftEye", "Head", "left_eye"),
        RigJoint("RightEye", "Head", "right_eye"),
    ]
    ends = {name: "face" for name in ("Jaw", "LeftEye", "RightEye")} | {"HeadEnd": "above_head"}
    for side, ours in (("Left", "left"), ("Right", "right")):
        joints += _chain(
            "Chest",
            (f"{side}Shoulder", f"{ours}_collar"),
            (f"{side}Arm", f"{ours}_shoulder"),
            (f"{side}ForeArm", f"{ours}_elbow"),
            (f"{side}Hand", f"{ours}_wrist"),
        )
        for finger in FINGERS:
            parts = ("1", "2", "3", "End") if finger == "Thumb" else ("1", "2", "3", "4", "End")
            joints += _chain(
                f"{side}Hand", *((f"{side}Hand{finger}{part}", f"{ours}_{finger}{part}") for part in parts)
            )
            ends[f"{side}Hand{finger}End"] = f"{ours}_{finger}Beyond"
    for side, ours in (("Left", "left"), ("Right", "right")):
        joints += _chain(
            "Hips",
            (f"{side}Leg", f"{ours}_hip"),
            (f"{side}Shin", f"{ours}_knee"),
            (f"{side}Foot", f"{ours}_ankle"),
            (f"{side}ToeBase", f"{ours}_toes"),
            (f"{side}ToeEnd", f"{ours}_toe_end"),
        )
        ends[f"{side}ToeEnd"] = f"{ours}_before_toes"
    return Rig("soma", tuple(joints), ends, "t", above="Root")


def _named(name: str, prefix: str, toes: str) -> Rig:
    joints = tuple(_humanik(prefix, toes))
    ends = _ends(prefix + "{side}" + toes, prefix + "{side}Hand", prefix + "Head", ("Left", "Right"))
    return Rig(name, joints, ends, "t")


RIGS: dict[str, Rig] = {
    rig.name: rig
    for rig in (
        _pointlight(),
        _cmu(),
        _named("mixamo", "mixamorig:", "ToeBase"),
        _named("lafan1", "", "Toe"),
        _soma(),
    )
}
"""All rigs by name."""
