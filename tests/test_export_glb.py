"""GLB, read by the standard's words: joints and skin where ours are, at the right time; what it says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from glb_files import Glb
from posed_people import wandering

from pointlight.body import AnnyBody, BodyState
from pointlight.export import RIGS, WorldMotion, export_result, world_motions
from pointlight.motion import DRIVEN_JOINTS

pytest.importorskip("pygltflib", reason="pygltflib is not installed")

SHAPE = np.array([0.9, 0.6, 0.4, 0.6, 0.7, 0.3], np.float32)


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def motion(body: AnnyBody) -> WorldMotion:
    return world_motions([wandering(body, shape=SHAPE)], body)[0]


@pytest.fixture(scope="module")
def glbs(body: AnnyBody, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Glb]:
    folder, capture = tmp_path_factory.mktemp("glb"), wandering(body, shape=SHAPE)
    return {
        rig: Glb.read(export_result(capture, "glb", folder / rig, rig=rig, figure="estimated").files[0])
        for rig in ("pointlight", "mixamo", "soma")
    }


@pytest.mark.parametrize("name", ["pointlight", "mixamo", "soma"])
def test_joints_and_skin_are_where_ours_are(
    body: AnnyBody, motion: WorldMotion, glbs: dict[str, Glb], name: str
) -> None:
    glb, rig = glbs[name], RIGS[name]
    used = np.unique(body.faces[body.face_is_outside].numpy())
    for frame in (0, 13, 39):
        world = glb.world(frame / 30)
        for joint in rig.joints:
            if joint.landmark in DRIVEN_JOINTS:
                ours = motion.places_m[frame, DRIVEN_JOINTS.index(joint.landmark)]
                np.testing.assert_allclose(world[glb.names().index(joint.name), :3, 3], ours, atol=2e-5)
        pose = torch.from_numpy(motion.pose[frame].astype(np.float32))
        root = torch.from_numpy(motion.places_m[frame, 0].astype(np.float32))
        ours = body.vertices(BodyState(pose[1:], torch.from_numpy(SHAPE), pose[0], root)).numpy()[used]
        apart = np.linalg.norm(glb.skin(frame / 30) - ours, axis=1)
        assert np.quantile(apart, 0.99) < 0.002 and apart.max() < 0.01  # four bones of at most six


@pytest.mark.parametrize("name", ["pointlight", "mixamo", "soma"])
def test_at_rest_it_stands_on_the_floor(glbs: dict[str, Glb], name: str) -> None:
    skin = glbs[name].skin(None)
    assert abs(skin[:, 1].min()) < 0.02
    wide = np.ptp(skin[:, 0])
    assert (1.4 < wide < 2.2) if name != "pointlight" else (0.9 < wide < 1.4)  # a T-pose, our A-pose
    if name == "pointlight":
        vertices = glbs[name].array(
            glbs[name].document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
        )
        np.testing.assert_allclose(np.ptp(skin, axis=0), np.ptp(vertices, axis=0), atol=1e-5)


def test_what_validators_and_viewers_stumble_over(glbs: dict[str, Glb]) -> None:
    for glb in glbs.values():
        document = glb.document
        attributes = document["meshes"][0]["primitives"][0]["attributes"]
        weights, joints = glb.array(attributes["WEIGHTS_0"]), glb.array(attributes["JOINTS_0"])
        assert np.abs(weights.astype(np.float64).sum(1) - 1).max() < 2e-7 and weights.min() >= 0
        assert not joints[weights == 0].any()
        np.testing.assert_allclose(np.linalg.norm(glb.array(attributes["NORMAL"]), axis=1), 1, atol=1e-6)
        for accessor in document["accessors"]:
            if "min" in accessor:
                found = glb.array(document["accessors"].index(accessor))
                assert [float(x) for x in found.min(0)] == accessor["min"]
        targets = [(c["target"]["node"], c["target"]["path"]) for c in document["animations"][0]["channels"]]
        assert len(set(targets)) == len(targets)
        for sampler in document["animations"][0]["samplers"]:
            assert sampler["interpolation"] == "LINEAR"
            keys = glb.array(sampler["output"]).astype(np.float64)
            if keys.shape[1] == 4:
                np.testing.assert_allclose(np.linalg.norm(keys, axis=1), 1, atol=1e-6)
                assert ((keys[1:] * keys[:-1]).sum(1) > 0).all()
        mesh_node = next(node for node in document["nodes"] if "mesh" in node)
        assert "translation" not in mesh_node and "rotation" not in mesh_node
        times = glb.array(document["animations"][0]["samplers"][0]["input"])[:, 0]
        np.testing.assert_array_equal(times, (np.arange(40) / 30).astype(np.float32))


def test_surfaces_look_outwards_and_sides_are_told_apart(glbs: dict[str, Glb]) -> None:
    glb = glbs["pointlight"]
    vertices = glb.array(glb.document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]).astype(
        np.float64
    )
    volume = 0.0
    for name, faces in glb.faces():
        a, b, c = vertices[faces].swapaxes(0, 1)
        volume += float((a * np.cross(b, c)).sum() / 6)
        if name != "middle":
            assert np.sign(vertices[faces, 0].mean()) == (1 if name == "left" else -1)
    assert 0.04 < volume < 0.12  # cubic metres of a person


def test_it_says_what_it_is(body: AnnyBody, tmp_path: Path) -> None:
    valid = np.ones(12, bool)
    valid[4:6] = False
    path = export_result(wandering(body, frames=12, valid=valid), "glb", tmp_path, fps=30).files[0]
    facts = Glb.read(path).document["asset"]["extras"]
    assert facts["frames_filled"] == 2 and facts["filled_frames_from_0"] == "4-5"
    assert facts["frames_inferred"] == 0 and "inferred_frames_from_0" not in facts
    assert facts["frames_per_s"] == 30 and facts["units"] == "metres"
