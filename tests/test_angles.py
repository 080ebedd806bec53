"""Joint angles: zero where a person stands straight, each with its sign, and what anybody measures between bones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from posed_people import straight_capture, turn, wandering

from pointlight.body import AnnyBody
from pointlight.capture import ANGLE_NAMES, Capture, body_states, joint_angles
from pointlight.motion import DRIVEN_JOINTS


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


def test_standing_straight_is_zero(body: AnnyBody) -> None:
    angles = straight_capture(body, {}).joint_angles()
    assert angles.names == ANGLE_NAMES
    assert np.abs(angles.degrees).max() < 0.01


@pytest.mark.parametrize(
    ("segment", "turned", "angle", "degrees"),
    [
        ("spine3", turn("x", 25), "trunk_flexion", 25),
        ("spine3", turn("z", 10), "trunk_bend", 10),  # up goes to the person's right
        ("spine3", turn("y", 30), "trunk_rotation", 30),  # the face goes to the left
        ("left_hip", turn("x", -40), "left_hip_flexion", 40),  # the knee comes forward
        ("right_hip", turn("x", 20), "right_hip_flexion", -20),
        ("left_hip", turn("z", 15), "left_hip_abduction", 15),
        ("right_hip", turn("z", -15), "right_hip_abduction", 15),
        ("left_hip", turn("y", -12), "left_hip_rotation", 12),  # toes in
        ("right_hip", turn("y", 12), "right_hip_rotation", 12),
        ("left_knee", turn("x", 70), "left_knee_flexion", 70),
        ("right_knee", turn("x", -4), "right_knee_flexion", -4),
        ("left_ankle", turn("x", -10), "left_ankle_dorsiflexion", 10),  # toes up
        ("left_shoulder", turn("x", -150), "left_shoulder_flexion", 150),
        ("right_shoulder", turn("x", 30), "right_shoulder_flexion", -30),
        ("left_shoulder", turn("z", 80), "left_shoulder_abduction", 80),
        ("right_shoulder", turn("z", -80), "right_shoulder_abduction", 80),
        ("right_shoulder", turn("z", -80), "right_shoulder_elevation", 80),
        (
            "left_shoulder",
            turn("y", -20),
            "left_shoulder_rotation",
            20,
        ),  # a bent forearm goes before the belly
        ("right_shoulder", turn("y", 20), "right_shoulder_rotation", 20),
        ("left_elbow", turn("x", -130), "left_elbow_flexion", 130),
        ("right_elbow", turn("x", -90), "right_elbow_flexion", 90),
    ],
)
def test_sign_and_size(body: AnnyBody, segment: str, turned: np.ndarray, angle: str, degrees: float) -> None:
    angles = joint_angles(straight_capture(body, {segment: turned}), body)
    assert float(angles.of(angle)[0]) == pytest.approx(degrees, abs=0.01)
    joint = "trunk" if segment == "spine3" else segment
    others = [name for name in ANGLE_NAMES if not name.startswith(joint)]
    rest = [abs(float(angles.of(name)[0])) for name in others]
    assert max(rest) < 0.01, dict(zip(others, rest, strict=True))


def test_an_arm_to_the_side_has_no_flexion(body: AnnyBody) -> None:
    angles = joint_angles(straight_capture(body, {"left_shoulder": turn("z", 90)}), body)
    assert np.isnan(angles.of("left_shoulder_flexion")).all()
    assert float(angles.of("left_shoulder_abduction")[0]) == pytest.approx(90, abs=0.01)


def test_knees_and_elbows_are_the_angle_between_bones(body: AnnyBody) -> None:
    capture = wandering(body)
    angles = joint_angles(capture, body)
    joints = body.joints(body_states(capture, body)).double()
    place = dict(zip(DRIVEN_JOINTS, joints.unbind(1), strict=True))
    for side in ("left", "right"):
        for start, hinge, end in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            upper = torch.nn.functional.normalize(place[f"{side}_{hinge}"] - place[f"{side}_{start}"], dim=-1)
            lower = torch.nn.functional.normalize(place[f"{side}_{end}"] - place[f"{side}_{hinge}"], dim=-1)
            measured = torch.rad2deg(torch.arccos((upper * lower).sum(-1))).numpy()
            ours = angles.of(f"{side}_{hinge}_flexion")
            np.testing.assert_allclose(np.abs(ours), measured, atol=0.02)


def test_gaps_and_whole_turns(body: AnnyBody) -> None:
    valid = np.ones(40, bool)
    valid[10:14] = False
    angles = joint_angles(wandering(body, valid=valid), body)
    assert np.isnan(angles.degrees[~valid]).all()
    turning = [name for name in ANGLE_NAMES if not name.endswith(("shoulder_flexion", "shoulder_abduction"))]
    steps = np.diff(np.stack([angles.of(name) for name in turning], -1)[valid], axis=0)
    assert np.abs(steps).max() < 90


def test_nobody_at_all_has_no_angles(body: AnnyBody) -> None:
    capture: Capture = wandering(body, frames=3, valid=np.zeros(3, bool))
    assert np.isnan(joint_angles(capture, body).degrees).all()
