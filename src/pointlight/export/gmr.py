"""An IK configuration for GMR (General Motion Retargeting) that fits our `lafan1` BVH, whose rest is a T-pose.

GMR's own configurations for LAFAN1 are tuned to that data set's rest pose, in which every bone lies along x.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from pointlight.export.rigged import Rigged

GMR_HEIGHT_M = 1.75
"""The stature that GMR's loader of LAFAN1 files states for everybody."""

_LOADED = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""What that loader does to places and rotations: y up to z up."""

_FACING = Rotation.from_euler("z", -90, degrees=True)
"""Our rest pose looks along z, so along -y once loaded; the robot looks along x where its links are unturned."""

_G1_HEIGHT_ASSUMPTION_M = 1.8
_BODY_SCALE, _ARM_SCALE = 0.9, 0.75
"""Lengths of the robot to those of a person, and the weights below, are those that GMR uses for LAFAN1."""


def g1_ik_config(motion: Rigged, stature_m: float) -> str:
    """JSON of an IK configuration for the Unitree G1 (29 joints).

    A link's goal is the rotation of the person's joint times the offset given here: the rotation that the link has when
    the robot stands in the person's T-pose. The robot's arms hang when its joints are 0, its forearms then point forward.

    Args:
        motion: on the rig `lafan1`.
        stature_m: of the person; lengths are scaled by it.
    """
    if motion.rig.name != "lafan1":
        raise ValueError(f"GMR's configuration is for the rig lafan1, not {motion.rig.name}")
    level = Rotation.identity()
    raised = {
        "left": Rotation.from_euler("x", 90, degrees=True),
        "right": Rotation.from_euler("x", -90, degrees=True),
    }
    stretched = Rotation.from_euler("y", 90, degrees=True)
    rows: list[tuple[str, str, Rotation, tuple[float, float], tuple[float, float]]] = [
        ("pelvis", "Hips", level, (0, 10), (100, 5)),
        ("torso_link", "Spine2", level, (0, 100), (0, 10)),
    ]
    for side, ours in (("left", "Left"), ("right", "Right")):
        upper, lower = raised[side], raised[side] * stretched
        rows += [
            (f"{side}_hip_yaw_link", f"{ours}UpLeg", level, (0, 10), (10, 5)),
            (f"{side}_knee_link", f"{ours}Leg", level, (0, 10), (10, 5)),
            (f"{side}_ankle_roll_link", f"{ours}FootMod", level, (50, 10), (50, 10)),
            (f"{side}_shoulder_yaw_link", f"{ours}Arm", upper, (0, 100), (5, 100)),
            (f"{side}_elbow_link", f"{ours}ForeArm", lower, (0, 10), (10, 5)),
            (f"{side}_wrist_yaw_link", f"{ours}Hand", lower, (0, 10), (10, 5)),
        ]
    tables: list[dict[str, Any]] = [{}, {}]
    for link, human, turned, *weights in rows:
        offset = gmr_offset(turned)
        for table, (place, rotation) in zip(tables, weights, strict=True):
            table[link] = [human, place, rotation, [0.0, 0.0, 0.0], offset]
    arms = ("Arm", "ForeArm", "Hand")
    scale = {human: _ARM_SCALE if human.endswith(arms) else _BODY_SCALE for _, human, *_ in rows}
    config = {
        "robot_root_name": "pelvis",
        "human_root_name": "Hips",
        "ground_height": 0.0,
        # The loader states 1.75 m for everybody; with this, lengths are scaled by the person's own stature.
        "human_height_assumption": round(_G1_HEIGHT_ASSUMPTION_M * stature_m / GMR_HEIGHT_M, 4),
        "use_ik_match_table1": True,
        "use_ik_match_table2": True,
        "human_scale_table": scale,
        "ik_match_table1": tables[0],
        "ik_match_table2": tables[1],
    }
    return json.dumps(config, indent=2) + "\n"


def gmr_offset(link: Rotation) -> list[float]:
    """Quaternion (w, x, y, z) from a joint of our T-pose, loaded, to a link turned by `link` where the robot stands so."""
    offset = Rotation.from_matrix(_LOADED).inv() * _FACING * link
    x, y, z, w = offset.as_quat(canonical=True).round(9).tolist()
    return [w + 0.0, x + 0.0, y + 0.0, z + 0.0]
