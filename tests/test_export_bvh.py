"""BVH on every rig: a tree with all names, a rest pose that stands, joints where ours are, and our own pose read back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from posed_people import turn, wandering
from scipy.spatial.transform import Rotation

from pointlight.body import MEAN_ADULT_SHAPE, AnnyBody
from pointlight.export import RIGS, export_result, world_motions
from pointlight.export.bvh import euler_zxy
from pointlight.export.gmr import gmr_offset
from pointlight.motion import DRIVEN_JOINTS, BodyRig
from pointlight.motion.bvh import read_bvh
from pointlight.motion.retarget import retarget

COUNTS = {"pointlight": 22, "cmu": 31, "mixamo": 22, "lafan1": 22, "soma": 77}
SHAPE = np.array([0.9, 0.6, 0.4, 0.6, 0.7, 0.3], np.float32)


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def written(body: AnnyBody, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A BVH of one motion for every rig, and "pointlight_t"."""
    folder, capture = tmp_path_factory.mktemp("bvh"), wandering(body, shape=SHAPE)
    files = {rig: export_result(capture, "bvh", folder / rig, rig=rig).files[0] for rig in RIGS}
    files["pointlight_t"] = export_result(capture, "bvh", folder / "t", t_pose=True).files[0]
    return files


def joints_of(path: Path) -> tuple[list[str], list[str]]:
    """Names of ROOT and JOINT lines, and the CHANNELS lines, as they stand in the file."""
    words = [line.split() for line in path.read_text().splitlines()]
    names = [line[1] for line in words if line and line[0] in ("ROOT", "JOINT")]
    return names, [" ".join(line) for line in words if line and line[0] == "CHANNELS"]


@pytest.mark.parametrize("name", RIGS)
def test_names_tree_and_channels(written: dict[str, Path], name: str) -> None:
    rig = RIGS[name]
    names, channels = joints_of(written[name])
    above = [rig.above] if rig.above else []
    assert sorted(names) == sorted([*above, *(joint.name for joint in rig.joints)])
    assert len(set(names)) == len(names) == COUNTS[name] + len(above)
    known = {""}
    for joint in rig.joints:  # parents before children, one root
        assert joint.parent in known
        known.add(joint.name)
    assert [joint.parent for joint in rig.joints].count("") == 1
    childless = {joint.name for joint in rig.joints} - {joint.parent for joint in rig.joints}
    assert childless == set(rig.ends)
    moving = [line for line in channels if "position" in line]
    assert moving == ["CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"] * (
        1 + len(above)
    )
    assert {line for line in channels if "position" not in line} == {
        "CHANNELS 3 Zrotation Xrotation Yrotation"
    }
    assert written[name].read_text().splitlines()[3].split() == ["OFFSET", *["0.000000"] * 3] or rig.above


@pytest.mark.parametrize("name", [*RIGS, "pointlight_t"])
def test_the_rest_pose_stands_and_looks_along_z(written: dict[str, Path], name: str) -> None:
    clip, rig = read_bvh(written[name]), RIGS[name.removesuffix("_t")]
    rest = clip.rest_positions_m().astype(np.float64)
    place = {
        joint.landmark: rest[clip.joint_names.index(joint.name)]
        - rest[clip.joint_names.index(rig.joints[0].name)]
        for joint in rig.joints
    }
    height = {landmark: where[1] for landmark, where in place.items()}
    assert height["head"] > height["neck"] > height["spine3"] > height["spine1"] > 0
    assert height["left_hip"] > height["left_knee"] > height["left_ankle"] > height["left_toes"]
    for side, sign in (("left", 1), ("right", -1)):
        assert all(sign * where[0] > 0 for mark, where in place.items() if mark.startswith(side))
        assert place[f"{side}_toes"][2] > place[f"{side}_ankle"][2] + 0.05
        arm = place[f"{side}_wrist"] - place[f"{side}_shoulder"]
        if name == "pointlight":
            assert -0.8 < arm[1] / np.linalg.norm(arm) < -0.4  # an A-pose
        else:
            np.testing.assert_allclose(arm / np.linalg.norm(arm), (sign, 0, 0), atol=1e-4)
            leg = place[f"{side}_ankle"] - place[f"{side}_hip"]
            np.testing.assert_allclose(leg / np.linalg.norm(leg), (0, -1, 0), atol=1e-4)


@pytest.mark.parametrize("name", [*RIGS, "pointlight_t"])
def test_joints_are_where_ours_are(body: AnnyBody, written: dict[str, Path], name: str) -> None:
    (motion,) = world_motions([wandering(body, shape=SHAPE)], body)
    clip, rig = read_bvh(written[name], scale_to_m=0.01, up="y"), RIGS[name.removesuffix("_t")]
    assert clip.fps == 30.0 and clip.frames == len(motion)
    places = clip.positions_world_m()
    for joint in rig.joints:
        if joint.landmark in DRIVEN_JOINTS:
            ours = motion.places_m[:, DRIVEN_JOINTS.index(joint.landmark)]
            np.testing.assert_allclose(places[:, clip.joint_names.index(joint.name)], ours, atol=2e-5)


@pytest.mark.parametrize("name", ["pointlight", "pointlight_t", "mixamo", "lafan1", "soma"])
def test_our_reader_gives_the_pose_back(body: AnnyBody, written: dict[str, Path], name: str) -> None:
    """All 22 rotations from our own rest pose; from T-poses, made of people of another shape, the limbs' directions."""
    (motion,) = world_motions([wandering(body, shape=SHAPE)], body)
    back = retarget(read_bvh(written[name]), BodyRig.of(body))
    rotations = back.root[:, None].astype(np.float64).repeat(len(DRIVEN_JOINTS), 1)
    for joint, parent in enumerate(body.parents[1:], start=1):
        rotations[:, joint] = rotations[:, parent] @ back.pose[:, joint - 1]
    if name == "pointlight":
        between = (rotations.swapaxes(-1, -2) @ motion.rotations).reshape(-1, 3, 3)
        assert np.degrees(Rotation.from_matrix(between).magnitude()).max() < 1.0
        return
    rest = body.person(torch.tensor(MEAN_ADULT_SHAPE)).joints.double().numpy()
    for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
        for side in ("left", "right"):
            a, b = (DRIVEN_JOINTS.index(f"{side}_{joint}") for joint in (start, end))
            ours, theirs = (
                motion.places_m[:, b] - motion.places_m[:, a],
                rotations[:, a] @ (rest[b] - rest[a]),
            )
            cosine = (ours * theirs).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(theirs, axis=-1)
            assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < 1.0


def test_angles_run_on_over_whole_turns() -> None:
    spin = np.stack([turn("y", 25.0 * k) @ turn("x", 20 * np.sin(k / 3)) for k in range(40)])[:, None]
    angles = euler_zxy(spin)
    assert np.degrees(np.abs(np.diff(angles[:, 0], axis=0))).max() < 45
    assert np.degrees(angles[-1, 0, 2]) == pytest.approx(25 * 39, abs=30)
    back = Rotation.from_euler("ZXY", angles[:, 0]).as_matrix()
    np.testing.assert_allclose(back, spin[:, 0], atol=1e-12)


def test_units(body: AnnyBody, tmp_path: Path) -> None:
    capture = wandering(body, frames=5)
    clips = [
        read_bvh(
            export_result(capture, "bvh", tmp_path / unit, units=unit).files[0], scale_to_m=scale, up="y"
        )
        for unit, scale in (("m", 1.0), ("cm", 0.01), ("mm", 0.001))
    ]
    for clip in clips[1:]:
        np.testing.assert_allclose(clip.offsets_m, clips[0].offsets_m, atol=2e-6)
        np.testing.assert_allclose(clip.root_translation_m, clips[0].root_translation_m, atol=2e-6)


def test_numbers_of_gmr(body: AnnyBody, tmp_path: Path) -> None:
    """GMR turns y up to z up, and gives a link the rotation of its joint times the offset, quaternions w first."""
    files = export_result(wandering(body, frames=3, shape=SHAPE), "bvh", tmp_path, rig="lafan1").files
    config = json.loads(files[1].read_text())
    assert files[1].name == "poses_gmr_g1.json"
    names, _ = joints_of(files[0])
    humans = [row[0].replace("FootMod", "Foot") for row in config["ik_match_table1"].values()]
    assert set(humans) <= set(names) and len(humans) == 14
    assert set(config["human_scale_table"]) == {row[0] for row in config["ik_match_table2"].values()}
    loaded = Rotation.from_matrix([[1, 0, 0], [0, 0, -1], [0, 1, 0]])

    def link(name: str) -> Rotation:
        return loaded * Rotation.from_quat(config["ik_match_table1"][name][4], scalar_first=True)

    # The person of the T-pose looks along -y then, the left hand points along x.
    for name in ("pelvis", "torso_link", "left_knee_link", "right_ankle_roll_link"):
        np.testing.assert_allclose(link(name).apply([1, 0, 0]), [0, -1, 0], atol=1e-8)
        np.testing.assert_allclose(link(name).apply([0, 0, 1]), [0, 0, 1], atol=1e-8)
    for side, sign in (("left", 1), ("right", -1)):
        # The robot's upper arms hang along -z of their links, its forearms point along x of theirs.
        np.testing.assert_allclose(
            link(f"{side}_shoulder_yaw_link").apply([0, 0, -1]), [sign, 0, 0], atol=1e-8
        )
        np.testing.assert_allclose(link(f"{side}_elbow_link").apply([1, 0, 0]), [sign, 0, 0], atol=1e-8)
    assert gmr_offset(Rotation.identity()) == [0.5, -0.5, -0.5, -0.5]


def test_another_program_s_skeleton_of_our_names_is_not_taken_for_ours(
    written: dict[str, Path], body: AnnyBody
) -> None:
    from pointlight.motion.own_skeleton import own_rotations

    clip, rig = read_bvh(written["pointlight"]), BodyRig.of(body)
    assert own_rotations(clip, rig) is not None
    offsets = clip.offsets_m.copy()
    elbow = clip.joint_names.index("left_elbow")
    offsets[elbow] = np.linalg.norm(offsets[elbow]) * np.array([0, -1, 0])
    assert own_rotations(replace(clip, offsets_m=offsets), rig) is None
