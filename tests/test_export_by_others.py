"""Exports as other programs read them: Khronos' validator, Blender, OpenSim, Pose2Sim, USD's own skinning.

Each lives in an environment of its own in the temporary folder, made once; tests skip where it cannot be had.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from posed_people import wandering

from pointlight.body import AnnyBody, BodyState
from pointlight.export import RIGS, WorldMotion, export_result, world_motions
from pointlight.motion import DRIVEN_JOINTS

pytestmark = pytest.mark.slow

TOOLS = Path(tempfile.gettempdir()) / "pointlight-export-tools"
FRAMES = (0, 1, 17, 38, 39)
SHAPE = np.array([0.9, 0.6, 0.4, 0.6, 0.7, 0.3], np.float32)

VALIDATE = """
const validator = require('gltf-validator'), fs = require('fs');
(async () => {
  const found = [];
  for (const path of process.argv.slice(2))
    found.push((await validator.validateBytes(new Uint8Array(fs.readFileSync(path)))).issues);
  console.log(JSON.stringify({version: validator.version(), found}));
})();
"""

OPENSIM = """
import json, sys, opensim
table = opensim.TimeSeriesTableVec3(sys.argv[1])
reference = opensim.MarkersReference(sys.argv[1], opensim.SetMarkerWeights(), opensim.Units("m"))
times = list(table.getIndependentColumn())
rows = [[[row[k][axis] for axis in range(3)] for k in range(table.getNumColumns())]
        for row in (table.getRowAtIndex(i) for i in range(table.getNumRows()))]
print(json.dumps({"version": opensim.GetVersion(), "names": list(table.getColumnLabels()), "times": times,
                  "units": table.getTableMetaDataString("Units"), "rate": reference.getSamplingFrequency(), "rows": rows}))
"""

POSE2SIM = """
import ast, json, sys, importlib.util
from importlib.metadata import version
import numpy as np, pandas as pd
# The reader alone: importing the package would import graphical libraries that it does not need.
path = importlib.util.find_spec("Pose2Sim").submodule_search_locations[0] + "/common.py"
tree = ast.parse(open(path).read())
reader = next(node for node in tree.body if getattr(node, "name", "") == "read_trc")
names = {"np": np, "pd": pd}
exec(compile(ast.Module([reader], []), path, "exec"), names)
data, frames, times, markers, header = names["read_trc"](sys.argv[1])
print(json.dumps({"version": version("pose2sim"), "names": markers, "times": times.tolist(), "header": header[2],
                  "rows": data.to_numpy().tolist()}))
"""


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def motion(body: AnnyBody) -> WorldMotion:
    return world_motions([wandering(body, shape=SHAPE)], body)[0]


def python_with(name: str, *requirements: str) -> Path:
    """The Python of an environment of its own with these packages, made once."""
    folder = TOOLS / name
    done, python = folder / "whole", folder / "bin" / "python"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        for requirement in requirements:
            made = subprocess.run(
                [str(python), "-m", "pip", "install", "-q", *requirement.split()],
                capture_output=True,
                text=True,
            )
            if made.returncode:
                pytest.skip(f"{requirement} cannot be had here: {made.stderr.strip().splitlines()[-1:]}")
        done.touch()
    return python


def say(capsys: pytest.CaptureFixture[str], words: str) -> None:
    with capsys.disabled():
        print(f"\n  {words}")


def run_json(*command: str, **options: Any) -> Any:
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_khronos_finds_nothing(body: AnnyBody, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pygltflib")
    folder = TOOLS / "gltf-validator"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules").is_dir():
        try:
            command = ["npm", "install", "--no-audit", "--no-fund", "gltf-validator@2.0.0-dev.3.10"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("npm is not here, or cannot fetch gltf-validator")
    (folder / "validate.js").write_text(VALIDATE)
    gone = np.arange(40) % 7 != 3
    files = [
        str(export_result(wandering(body, valid=valid), "glb", tmp_path / f"{rig}{gap}", rig=rig).files[0])
        for rig in RIGS
        for gap, valid in enumerate((None, gone))
    ]
    said = run_json("node", str(folder / "validate.js"), *files, cwd=folder)
    say(capsys, f"gltf-validator {said['version']}")
    for path, issues in zip(files, said["found"], strict=True):
        assert not issues["messages"], (path, issues["messages"][:3])


def test_blender_has_every_joint_within_a_millimetre_at_the_right_time(
    body: AnnyBody, motion: WorldMotion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pygltflib")
    formats = ["bvh", "glb"]
    try:
        import pxr  # noqa: F401

        formats.append("usd")
    except ImportError:
        say(capsys, "without USD, whose package is not installed")
    python = python_with("bpy-5.0.1", "bpy==5.0.1")
    wanted, rigs = [], []
    for rig in RIGS:
        for file in export_result(
            wandering(body, shape=SHAPE), formats, tmp_path / rig, rig=rig, figure="estimated"
        ).files:
            if file.suffix in (".bvh", ".glb", ".usdc"):
                wanted.append([str(file), 30.0, list(FRAMES)])
                rigs.append(rig)
    out = tmp_path / "found.json"
    script = Path(__file__).with_name("blender_reads.py")
    done = subprocess.run(
        [str(python), str(script), json.dumps(wanted), str(out)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads(out.read_text())
    say(capsys, f"bpy {results[0]['version']}")
    turn = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    for (path, *_), rig, found in zip(wanted, rigs, results, strict=True):
        kind = Path(path).suffix
        first = 1.0 if kind == ".bvh" else 0.0
        assert found["ranges"] in ([[first, first + 39]], []) or kind == ".usdc", (path, found["ranges"])
        names = {joint.name: joint.landmark for joint in RIGS[rig].joints}
        if kind == ".usdc":
            names = {name.replace(":", "_"): landmark for name, landmark in names.items()}
        assert set(names) <= set(found["rest"]), path
        for frame, places in zip(FRAMES, found["places"], strict=True):
            for name, landmark in names.items():
                if landmark in DRIVEN_JOINTS:
                    ours = turn @ motion.places_m[frame, DRIVEN_JOINTS.index(landmark)]
                    np.testing.assert_allclose(
                        places[name], ours, atol=1e-3, err_msg=f"{path} {name} {frame}"
                    )
        if kind == ".bvh":  # the rest pose stands, at Blender's own origin
            rest = {landmark: np.array(found["rest"][name]) for name, landmark in names.items()}
            assert rest["head"][2] > rest["spine1"][2] > rest["left_knee"][2] > rest["left_toes"][2]
        else:
            _, low, high = found["mesh"]
            pose, root = motion.pose[0].astype(np.float32), motion.places_m[0, 0].astype(np.float32)
            parts = (torch.from_numpy(each) for each in (pose[1:], SHAPE, pose[0], root))
            skin = body.vertices(BodyState(*parts)).numpy() @ turn.T
            used = np.unique(body.faces[body.face_is_outside].numpy())
            np.testing.assert_allclose([low, high], [skin[used].min(0), skin[used].max(0)], atol=2e-3)


@pytest.mark.parametrize(
    ("name", "requirements", "script"),
    [
        ("opensim-4.6", ("opensim==4.6",), OPENSIM),
        ("pose2sim-0.10.49", ("--no-deps pose2sim==0.10.49", "pandas"), POSE2SIM),
    ],
)
def test_readers_of_trc(
    body: AnnyBody,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    requirements: tuple[str, ...],
    script: str,
) -> None:
    python = python_with(name, *requirements)
    valid = np.ones(40, bool)
    valid[[10, 39]] = False
    capture = wandering(body, shape=SHAPE, valid=valid)
    path, (motion,) = export_result(capture, "trc", tmp_path).files[0], world_motions([capture], body)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    said = run_json(str(python), "-c", script, str(path), env=environment, cwd=tmp_path)
    say(capsys, f"{name}: {said['version']}")
    assert len(said["names"]) == 23 and said["names"][0] == "left_ankle"
    np.testing.assert_allclose(said["times"], np.arange(40) / 30, atol=1e-6)
    rows = np.array(said["rows"], float).reshape(40, 23, 3)
    x, y, z = 1000 * motion.points_m.astype(np.float64).transpose(2, 0, 1)
    np.testing.assert_allclose(rows[valid], np.stack((z, y, -x), axis=-1)[valid], atol=0.01)
    assert np.isnan(rows[~valid]).all()
    if "rate" in said:
        assert said["rate"] == pytest.approx(30) and said["units"] == "mm"


def test_usd_skins_as_we_do(
    body: AnnyBody, motion: WorldMotion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pxr", reason="usd-core is not installed; it comes with the extra usd")
    from pxr import Usd, UsdGeom, UsdSkel

    say(capsys, f"usd-core {'.'.join(map(str, Usd.GetVersion()[1:]))}")
    for rig in ("pointlight", "mixamo", "soma"):
        path = export_result(
            wandering(body, shape=SHAPE), "usd", tmp_path / rig, rig=rig, figure="estimated"
        ).files[0]
        stage = Usd.Stage.Open(str(path))
        assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, 39)
        assert stage.GetTimeCodesPerSecond() == 30 and UsdGeom.GetStageMetersPerUnit(stage) == 1
        root = UsdSkel.Root(stage.GetDefaultPrim())
        assert UsdSkel.BakeSkinning(root)
        points = UsdGeom.Mesh(stage.GetPrimAtPath(f"{root.GetPath()}/body")).GetPointsAttr()
        assert points.GetNumTimeSamples() == 40
        used = np.unique(body.faces[body.face_is_outside].numpy())
        for frame in FRAMES:
            pose, place = motion.pose[frame].astype(np.float32), motion.places_m[frame, 0].astype(np.float32)
            state = BodyState(*(torch.from_numpy(each) for each in (pose[1:], SHAPE, pose[0], place)))
            apart = np.linalg.norm(np.array(points.Get(frame)) - body.vertices(state).numpy()[used], axis=1)
            assert np.quantile(apart, 0.99) < 0.002 and apart.max() < 0.01


def test_the_blender_script_runs(body: AnnyBody, motion: WorldMotion, tmp_path: Path) -> None:
    pytest.importorskip("pygltflib")
    python = python_with("bpy-5.0.1", "bpy==5.0.1")
    files = export_result(wandering(body, shape=SHAPE), "glb", tmp_path, rig="mixamo").files
    assert files[1].name == "poses_blender.py"
    check = tmp_path / "check.py"
    check.write_text(
        "import bpy, json, runpy, addon_utils\n"
        "bpy.ops.wm.read_factory_settings(use_empty=True)\n"
        "addon_utils.enable('io_scene_gltf2')\n"
        f"runpy.run_path({str(files[1])!r})\n"
        "from bpy_extras.object_utils import world_to_camera_view\n"
        "scene = bpy.context.scene\n"
        "armature = next(each for each in bpy.data.objects if each.type == 'ARMATURE')\n"
        "rest = armature.data.bones['mixamorig:LeftForeArm'].head_local\n"
        "shoulder = armature.data.bones['mixamorig:LeftArm'].head_local\n"
        "scene.frame_set(17)\n"
        "bpy.context.view_layer.update()\n"
        "elbow = armature.matrix_world @ armature.pose.bones['mixamorig:LeftForeArm'].head\n"
        "seen = world_to_camera_view(scene, scene.camera, elbow)\n"
        "print(json.dumps([scene.render.fps / scene.render.fps_base, scene.frame_start, scene.frame_end,\n"
        "    [seen.x * 640, (1 - seen.y) * 480], list(rest - shoulder)]))\n"
    )
    fps, start, end, pixel, arm = run_json(str(python), str(check))
    assert (fps, start, end) == (30, 0, 39)
    assert abs(arm[0]) > 10 * max(abs(arm[1]), abs(arm[2]))  # the rig's T-pose is the rest pose
    from pointlight.capture import body_states

    capture = wandering(body, shape=SHAPE)
    joint = body.joints(body_states(capture, body))[17, DRIVEN_JOINTS.index("left_elbow")].numpy()
    np.testing.assert_allclose(pixel, joint[:2] / joint[2] * 800 + (320, 240), atol=0.05)
