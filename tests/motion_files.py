"""Makes motion files and clips for the tests, with nothing of the readers in it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from pointlight.motion import MotionClip

# A person of 1.65 m like cgspeed's BVH (name, parent, offset in metres): T-pose, legs apart by 20 degrees.
PERSON: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    ("Hips", "", (0, 0, 0)),
    ("LHipJoint", "Hips", (0, 0, 0)),
    ("LeftUpLeg", "LHipJoint", (0.1, -0.1, 0.02)),
    ("LeftLeg", "LeftUpLeg", (0.145, -0.399, 0)),
    ("LeftFoot", "LeftLeg", (0.148, -0.406, 0)),
    ("LeftToeBase", "LeftFoot", (0.012, -0.033, 0.125)),
    ("LeftToeBase_end", "LeftToeBase", (0, 0, 0.06)),
    ("RHipJoint", "Hips", (0, 0, 0)),
    ("RightUpLeg", "RHipJoint", (-0.1, -0.1, 0.02)),
    ("RightLeg", "RightUpLeg", (-0.145, -0.399, 0)),
    ("RightFoot", "RightLeg", (-0.148, -0.406, 0)),
    ("RightToeBase", "RightFoot", (-0.012, -0.033, 0.125)),
    ("RightToeBase_end", "RightToeBase", (0, 0, 0.06)),
    ("LowerBack", "Hips", (0, 0, 0)),
    ("Spine", "LowerBack", (0, 0.115, -0.012)),
    ("Spine1", "Spine", (0, 0.115, 0)),
    ("Neck", "Spine1", (0, 0.115, 0.006)),
    ("Neck1", "Neck", (0, 0.097, 0.012)),
    ("Head", "Neck1", (0, 0.098, -0.012)),
    ("Head_end", "Head", (0, 0.098, -0.006)),
    ("LeftShoulder", "Spine1", (0, 0.115, 0.006)),
    ("LeftArm", "LeftShoulder", (0.19, 0.05, -0.02)),
    ("LeftForeArm", "LeftArm", (0.286, 0, 0)),
    ("LeftHand", "LeftForeArm", (0.203, 0, 0)),
    ("LeftFingerBase", "LeftHand", (0, 0, 0)),
    ("LeftHandIndex1", "LeftFingerBase", (0.03, 0, 0)),
    ("LThumb", "LeftHand", (0, 0, 0)),
    ("LThumb_end", "LThumb", (0.03, 0, 0.03)),
    ("RightShoulder", "Spine1", (0, 0.115, 0.006)),
    ("RightArm", "RightShoulder", (-0.19, 0.05, -0.02)),
    ("RightForeArm", "RightArm", (-0.286, 0, 0)),
    ("RightHand", "RightForeArm", (-0.203, 0, 0)),
    ("RightFingerBase", "RightHand", (0, 0, 0)),
    ("RightHandIndex1", "RightFingerBase", (-0.03, 0, 0)),
    ("RThumb", "RightHand", (0, 0, 0)),
    ("RThumb_end", "RThumb", (-0.03, 0, 0.03)),
)


def walking_clip(frames: int = 90, fps: float = 30.0, name: str = "walk.bvh") -> MotionClip:
    """Something like walking along +z: swinging legs and arms, knees and elbows as true hinges."""
    names = tuple(joint for joint, _, _ in PERSON)
    time_s = np.arange(frames) / fps
    rotations = np.tile(np.eye(3, dtype=np.float32), (frames, len(names), 1, 1))

    def turn(joint: str, axis: tuple[float, float, float], degrees: np.ndarray | float) -> None:
        vector = np.broadcast_to(np.radians(degrees), (frames,))[:, None] * np.array(axis)
        index = names.index(joint)
        rotations[:, index] = rotations[:, index] @ Rotation.from_rotvec(vector).as_matrix()

    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        swing = np.sin(2 * np.pi * time_s + (0 if sign > 0 else np.pi))
        knee = (np.cos(np.radians(20)), sign * np.sin(np.radians(20)), 0.0)
        turn(f"{side}UpLeg", (0, 0, 1), -sign * 18.0)
        turn(f"{side}UpLeg", knee, -10 - 20 * swing)
        turn(f"{side}Leg", knee, 20 + 15 * np.clip(-swing, 0, 1))
        turn(f"{side}Foot", knee, -8.0)
        turn(f"{side}Arm", (0, 0, 1), -sign * 75.0)
        turn(f"{side}Arm", (0, 1, 0), sign * 25 * swing)
        turn(f"{side}ForeArm", (0, -sign * 0.8660254, sign * 0.5), 40 + 10 * swing)
        turn(f"{side}FingerBase", (1, 0, 0), 20 * sign)
    turn("LowerBack", (1, 0, 0), 6.0)
    turn("Head", (0, 1, 0), 20 * np.sin(time_s))
    offsets = np.array([offset for _, _, offset in PERSON], np.float32)
    parents = tuple(names.index(parent) if parent else -1 for _, parent, _ in PERSON)
    root = np.stack((0 * time_s, 0.95 + 0.01 * np.cos(4 * np.pi * time_s), 1.1 * time_s), axis=-1)
    return MotionClip(
        name=name,
        joint_names=names,
        parents=parents,
        offsets_m=offsets,
        rotations=rotations,
        root_translation_m=root.astype(np.float32),
        fps=fps,
    )


def bvh_text(clip: MotionClip, scale_to_m: float = 1.0, orders: dict[str, str] | None = None) -> str:
    """A clip as BVH, joints with channels in their own `orders` (else "zyx"); "_end" joints as end sites."""
    orders = orders or {}
    moved = clip.translations_m
    moving = set() if moved is None else set(np.flatnonzero(np.ptp(moved, axis=0).max(-1)))
    lines = ["HIERARCHY"]
    sequence: list[int] = []

    def write(joint: int, depth: int) -> None:
        name = clip.joint_names[joint]
        children = [i for i, parent in enumerate(clip.parents) if parent == joint]
        word = "End Site" if name.endswith("_end") else f"{'ROOT' if joint == 0 else 'JOINT'} {name}"
        offset = " ".join(f"{value / scale_to_m:.9g}" for value in clip.offsets_m[joint])
        lines.extend(["\t" * depth + word, "\t" * depth + "{", "\t" * depth + f"\tOFFSET {offset}"])
        if not name.endswith("_end"):
            sequence.append(joint)
            channels = [f"{axis.upper()}rotation" for axis in orders.get(name, "zyx")]
            if joint == 0 or joint in moving:
                channels = ["Xposition", "Yposition", "Zposition", *channels]
            lines.append("\t" * depth + f"\tCHANNELS {len(channels)} {' '.join(channels)}")
        for child in children:
            write(child, depth + 1)
        lines.append("\t" * depth + "}")

    write(0, 0)
    columns = [clip.root_translation_m / scale_to_m]
    for joint in sequence:
        if joint in moving:
            columns.append(clip.translations_m[:, joint] / scale_to_m)
        order = orders.get(clip.joint_names[joint], "zyx")
        turns = Rotation.from_matrix(clip.rotations[:, joint])
        columns.append(turns.as_euler(order.upper(), degrees=True))
    lines += ["MOTION", f"Frames: {clip.frames}", f"Frame Time: {1 / clip.fps:.7f}"]
    rows = np.concatenate(columns, axis=1)
    lines += [" ".join(f"{value:.6f}" for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def write_gzip(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))
    return path


ASF = """# made for a test
:version 1.10
:units
  mass 1.0
  length 0.45
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name leg
     direction 0 -1 0
     length 15
     axis 40 50 20 XYZ
     dof rx ry rz
     limits (-160.0 20.0)
            (-70.0 70.0)
            (-60.0 70.0)
  end
  begin
     id 2
     name trunk
     direction 0 1 0
     length 14
     axis 90 0 0 XYZ
     dof rx rz
  end
  begin
     id 3
     name shin
     direction 0 0 1
     length 4
     axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root leg trunk
    leg shin
  end
"""

AMC = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 1 16 2 0 90 0
leg 10 20 30
trunk 30 40
2
root 1 16 3 0 0 90
leg 0 0 0
trunk 1e-3 0
"""
