"""The project's own files agree with each other."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import numpy as np

import pointlight
from pointlight.capture import PredictOptions
from pointlight.training import load_checkpoint, shipped_models

ROOT = Path(__file__).resolve().parents[1]


def names_of(requirements: list[str]) -> set[str]:
    names = {re.split(r"[<>=!\[;@ ]", requirement)[0].lower() for requirement in requirements}
    return names - {"pointlight", "pre-commit"}


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    pinned = names_of([line for line in lines if line])
    wanted = names_of(project["dependencies"])
    for extra, requirements in project["optional-dependencies"].items():
        if extra not in ("assets", "oracles"):
            wanted |= names_of(requirements)
    assert wanted <= pinned
    assert "torch==2.13.0" in lines


def test_the_version_is_the_same_everywhere() -> None:
    assert f"version: {pointlight.__version__}" in (ROOT / "CITATION.cff").read_text()


def test_no_path_of_the_workplace_in_the_product() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert "../shared" not in path.read_text(), path


def too_long(folder: Path, most: int = 400) -> list[str]:
    """Python files of more lines than one reads at a sitting."""
    counted = {path: len(path.read_text().splitlines()) for path in sorted(folder.rglob("*.py"))}
    return [f"{path.name} has {lines} lines" for path, lines in counted.items() if lines > most]


def test_no_file_of_the_package_is_over_400_lines(tmp_path: Path) -> None:
    assert too_long(ROOT / "src") == [], "split it by what its parts are about"
    (tmp_path / "long.py").write_text("pass\n" * 401)
    (tmp_path / "short.py").write_text("pass\n" * 400)
    assert too_long(tmp_path) == ["long.py has 401 lines"]


def test_shipped_models_are_small_and_fit_their_body() -> None:
    folder = ROOT / "src" / "pointlight" / "weights"
    for name in shipped_models():
        assert (folder / f"{name}.safetensors").stat().st_size <= 12 * 2**20
        checkpoint = load_checkpoint(name)
        assert "mocap.cs.cmu.edu" in checkpoint.metadata["acknowledgement"]
        command = checkpoint.metadata["command"]
        if command.startswith("python tools/average_weights.py"):  # its parts were trained
            parts = checkpoint.metadata["lineage"]
            assert len(parts) > 1 and all(
                part["command"].startswith("pointlight train") and part["sha256"] for part in parts
            )
        else:
            assert command.startswith("pointlight train")


def test_the_default_model_is_shipped() -> None:
    assert PredictOptions().model in shipped_models()


def test_the_samples_calibration_is_read_as_its_makers_mean_it() -> None:
    """Qualisys' cameras look along -z with y up; pixels are 64 times finer, places in mm."""
    spec = importlib.util.spec_from_file_location("sample_video", ROOT / "tools" / "sample_video.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    text = """<calibration><cameras><camera serial="cam01">
      <fov_video bottom="1919" left="0" right="1087" top="0"/>
      <transform r11="1" r12="0" r13="0" r21="0" r22="1" r23="0" r31="0" r32="0" r33="1" x="0" y="1000" z="3000"/>
      <intrinsic centerPointU="34560" centerPointV="61440" focalLengthU="107520" focalLengthV="107520"
        radialDistortion1="0.1" radialDistortion2="0.2" radialDistortion3="0.3" tangentalDistortion1="0.4"
        tangentalDistortion2="0.5"/></camera></cameras></calibration>"""
    (camera,) = tool.calibration_of(text)["cameras"]
    assert camera["image_size"] == [1080, 1920] and camera["dist"] == [0.1, 0.2, 0.4, 0.5, 0.3]
    R, t, K = (np.array(camera[name], float) for name in "RtK")
    for point, pixel in (((0, 1, 0), (540, 960)), ((1, 1, 0), (1100, 960)), ((0, 2, 0), (540, 400))):
        x = K @ (R @ np.array(point, float) + t)
        np.testing.assert_allclose(x[:2] / x[2], pixel)
        assert x[2] > 0
