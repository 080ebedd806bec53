"""Joint angles of a capture as clinicians count them: degrees, 0 = standing straight with hanging arms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from pointlight.body import AnnyBody
from pointlight.capture.capture import Capture
from pointlight.capture.states import check_body, shot_slices
from pointlight.motion import DRIVEN_JOINTS, BodyRig, straight_limbs, twist_angles
from pointlight.values import by_value

_SIDES = ("left", "right")
_UNCLEAR_SINE = np.sin(np.radians(20))
"""An arm that points within 20 degrees of an axis has no angle about it."""

_IN_A_PLANE = ("shoulder_flexion", "shoulder_abduction")

ANGLE_NAMES: tuple[str, ...] = (
    *("trunk_flexion", "trunk_bend", "trunk_rotation"),
    *(
        f"{side}_{angle}"
        for side in _SIDES
        for angle in (
            *("hip_flexion", "hip_abduction", "hip_rotation", "knee_flexion", "ankle_dorsiflexion"),
            *("shoulder_flexion", "shoulder_abduction", "shoulder_elevation", "shoulder_rotation"),
            "elbow_flexion",
        )
    ),
)
"""All angles, in the order of `JointAngles.degrees`."""


@by_value
@dataclass(frozen=True)
class JointAngles:
    """Joint angles over time.

    Attributes:
        names: the A angles, such as "left_knee_flexion".
        degrees: (T, A) float32, NaN where there is no body, or no such angle (see `joint_angles`); unwrapped over time.
        time_s: (T,) float64, as the capture's.
    """

    names: tuple[str, ...]
    degrees: np.ndarray
    time_s: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """(T,) one angle, degrees."""
        return self.degrees[:, self.names.index(name)]


def joint_angles(capture: Capture, body: AnnyBody | None = None) -> JointAngles:
    """The angles between the body's segments, from the skeleton's joints (not from keypoints, which lie on the skin).

    All are 0 in one pose: upright, legs straight, feet at right angles to the shins, arms hanging straight with the palms
    to the thighs. A segment's axes follow its bone and, about the bone, the axis of its hinge (knee, elbow). The body's
    own rest pose is none of zeros: its knees are bent by about 9 degrees.

    - Trunk (chest against pelvis), hip (thigh against pelvis): flexion, then ab- or adduction, then rotation about the
      segment: the joint coordinate system of Grood and Suntay (1983) in the order that the ISB recommends (Wu et al. 2002).
      Positive: flexion (forward), bend to the right, rotation to the left; of hips flexion, abduction, internal rotation.
    - Knee, elbow: the angle between the two bones, positive in the joint's own direction of bending; the small angle beyond
      straight is negative. Ankle: first angle of the same system, foot against shin; dorsiflexion (toes up) is positive.
    - Shoulder (upper arm against chest): elevation is the angle from hanging, 0 to 180; flexion (forward) and abduction
      (away from the body) are its angles in the chest's sagittal and frontal plane, from -90 to 270, NaN where the arm
      points within 20 degrees of that plane's normal. Rotation is the twist about the upper arm after the smallest turn
      that takes the hanging arm there, internal positive; Cardan angles would break down in one of the arm's usual places.

    They are of the camera's result: in the world, where standing feet are set down, legs differ a little.

    Args:
        capture: a result of `predict`.
        body: the body that it was made with, if at hand.

    Raises:
        PointlightError: the capture was made with another body.
    """
    body = AnnyBody() if body is None else body
    check_body(capture, body)
    rig = BodyRig.of(body)
    degrees = np.full((len(capture), len(ANGLE_NAMES)), np.nan)
    for frames in shot_slices(capture.shot):
        shape = torch.from_numpy(capture.shot_shapes[capture.shot[frames.start]])
        rest = body.person(shape).joints.double().numpy()
        there = np.flatnonzero(capture.valid[frames]) + frames.start
        found = _angles(capture.pose_rotmat[there].astype(np.float64), rest, rig, body.parents)
        degrees[there] = np.degrees(found)
        degrees[frames] = _unwrapped(degrees[frames])
    return JointAngles(ANGLE_NAMES, degrees.astype(np.float32), capture.time_s)


def _angles(pose: np.ndarray, rest: np.ndarray, rig: BodyRig, parents: tuple[int, ...]) -> np.ndarray:
    """(T, A) radians from rotations relative to parents (T, J, 3, 3)."""
    turned = np.empty_like(pose)  # in the pelvis' axes: the root's own rotation is no angle of a joint
    turned[:, 0] = np.eye(3)
    for joint, parent in enumerate(parents[1:], start=1):
        turned[:, joint] = turned[:, parent] @ pose[:, joint]
    straight = straight_limbs(rest, rig, "hanging")
    segments = turned @ straight.swapaxes(-1, -2)

    def between(lower: str, upper: str) -> np.ndarray:
        first, second = (segments[:, DRIVEN_JOINTS.index(joint)] for joint in (upper, lower))
        return first.swapaxes(-1, -2) @ second

    flexion, bend, rotation = _cardan(between("spine3", "pelvis"))
    angles = [flexion, bend, rotation]
    for side in _SIDES:
        outward = 1.0 if side == "left" else -1.0
        flexion, abduction, rotation = _cardan(between(f"{side}_hip", "pelvis"))
        angles += [-flexion, outward * abduction, -outward * rotation]
        angles.append(_bend(between(f"{side}_knee", f"{side}_hip"), 1.0))
        angles.append(-_cardan(between(f"{side}_ankle", f"{side}_knee"))[0])
        angles += _shoulder(between(f"{side}_shoulder", "spine3"), outward)
        angles.append(_bend(between(f"{side}_elbow", f"{side}_shoulder"), -1.0))
    return np.stack(angles, axis=-1)


def _cardan(rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T,) each: about the upper segment's x, the floating z, the lower segment's y; radians."""
    if not len(rotations):
        return np.zeros(0), np.zeros(0), np.zeros(0)
    x, z, y = Rotation.from_matrix(rotations).as_euler("XZY").T
    return x, z, y


def _bend(rotations: np.ndarray, about_x: float) -> np.ndarray:
    """(T,) the angle between two bones that hang down where it is 0; negative where it goes against the hinge."""
    lower = rotations @ (0.0, -1.0, 0.0)
    angle = np.arctan2(np.hypot(lower[:, 0], lower[:, 2]), -lower[:, 1])
    against = about_x * lower[:, 2] > np.abs(lower[:, 0])
    return np.where(against, -angle, angle)


def _shoulder(rotations: np.ndarray, outward: float) -> list[np.ndarray]:
    """(T,) each: flexion, abduction, elevation, rotation of the upper arm in the chest's axes."""
    across, up, forward = (rotations @ (0.0, -1.0, 0.0)).T
    clear = np.hypot(np.stack((forward, across)), up) >= _UNCLEAR_SINE
    planes = np.stack((np.arctan2(forward, -up), np.arctan2(outward * across, -up)))
    # No arm reaches 90 degrees behind or across the body: there the circle is cut, not overhead.
    planes = np.where(clear, np.where(planes < -0.5 * np.pi, planes + 2 * np.pi, planes), np.nan)
    elevation = np.arctan2(np.hypot(across, forward), -up)
    twist = twist_angles(rotations, np.array([0.0, 1.0, 0.0])) if len(rotations) else np.zeros(0)
    return [*planes, elevation, -outward * twist]


def _unwrapped(degrees: np.ndarray) -> np.ndarray:
    """(T, A) without jumps by whole turns, over gaps too; angles in a plane have their range (see `_shoulder`)."""
    result = degrees.copy()
    for name, column in zip(ANGLE_NAMES, result.T, strict=True):
        if not name.endswith(_IN_A_PLANE):
            there = np.isfinite(column)
            column[there] = np.unwrap(column[there], period=360.0)
    return result
