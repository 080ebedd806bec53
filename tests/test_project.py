"""The project's own files agree with each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

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


def test_shipped_models_are_small_and_fit_their_body() -> None:
    folder = ROOT / "src" / "pointlight" / "weights"
    for name in shipped_models():
        assert (folder / f"{name}.safetensors").stat().st_size <= 12 * 2**20
        checkpoint = load_checkpoint(name)
        assert "mocap.cs.cmu.edu" in checkpoint.metadata["acknowledgement"]
        assert checkpoint.metadata["command"].startswith("pointlight train")


def test_the_default_model_is_shipped() -> None:
    assert PredictOptions().model in shipped_models()
