"""The project's own files agree with each other."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import pointlight
from pointlight.capture import PredictOptions
from pointlight.training import load_checkpoint, shipped_models

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "pointlight"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


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


def folders_of_tree(page: str) -> set[str]:
    """The folders that a page's tree of `src/pointlight/` names, relative to it."""
    (block,) = re.findall(r"^```\nsrc/pointlight/\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    found, above = set(), [""]
    for line in block.splitlines():
        indent, name, words = re.fullmatch(r"( +)(\w+)/ +(.+)", line).groups()  # type: ignore[union-attr]
        above = [*above[: len(indent) // 2], f"{above[len(indent) // 2 - 1]}{name}/"]
        assert words and above[-1] not in found
        found.add(above[-1])
    return found


@pytest.mark.parametrize("page", ["README.md", "docs/development.md"])
def test_the_tree_shows_each_folder(page: str) -> None:
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    there = {f"{path.parent.relative_to(PACKAGE).as_posix()}/" for path in files if path.parent != PACKAGE}
    assert folders_of_tree((ROOT / page).read_text()) == there


def test_a_tree_is_read_by_its_indents() -> None:
    tree = "```\nsrc/pointlight/\n  a/     one\n    b/   two\n    c/   three\n  d/     four\n```\n"
    assert folders_of_tree(tree) == {"a/", "a/b/", "a/c/", "d/"}


def rows_where_to_go(page: str) -> dict[str, list[str]]:
    """What one wants to change -> the files to go to, from the table of `docs/development.md`."""
    table = page.partition("| if ... | go to |\n| --- | --- |\n")[2].partition("\n\n")[0]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if not line.startswith("| **")]
    words_like_files = re.compile(r"`([\w./-]+/[\w./-]*|[\w-]+\.\w+)`")
    return {wish.strip(): words_like_files.findall(place) for wish, place in rows}


def test_where_to_go_is_there() -> None:
    rows = rows_where_to_go((ROOT / "docs" / "development.md").read_text())
    assert len(rows) >= 24
    assert not [wish for wish, files in rows.items() if not files], "a row names no file"
    named = [(wish, file) for wish, files in rows.items() for file in files]
    missing = [
        f"{wish}: {file}"
        for wish, file in named
        if not (PACKAGE / file).exists() and not (ROOT / file).exists()
    ]
    assert not missing, missing


def test_files_that_pages_name_by_their_path_are_there() -> None:
    """Such as `simulator/clips/files.py`; names without a folder may be anywhere, and the log tells of the past."""
    path_like = re.compile(r"`((?:[\w-]+/)+[\w-]+\.(?:py|md|sh|json|toml|txt))[ `]")
    roots = (ROOT, PACKAGE, PACKAGE / "simulator")
    missing = [
        f"{page.name}: {file}"
        for page in PAGES
        if page.name != "log.md"
        for file in path_like.findall(page.read_text())
        if not any((root / file).exists() for root in roots)
    ]
    assert not missing, missing


def test_what_pages_import_can_be_imported() -> None:
    checked = 0
    for page in PAGES:
        for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pointlight"):
                    module = importlib.import_module(node.module or "")
                    lacking = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                    assert not lacking, f"{page.name}: {node.module} has no {lacking}"
                    checked += 1
    assert checked


def test_the_commands_of_the_development_page_are_targets() -> None:
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    told = re.findall(r"^\| `make ([a-z]+)`", (ROOT / "docs" / "development.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(set(targets) - {"help"})
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_shipped_models_are_small_and_fit_their_body() -> None:
    folder = PACKAGE / "weights"
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
