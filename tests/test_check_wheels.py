"""`tools/check_wheels.py` asks pip, here for made wheels in a folder."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_wheels", ROOT / "tools" / "check_wheels.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which alone pip looks."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    return tmp_path


def test_pip_is_asked_for_each_python_and_system(tool: ModuleType, wheels: Path) -> None:
    for tag in (
        "cp311-cp311-manylinux_2_27_x86_64",
        "cp312-cp312-win_amd64",
        "cp313-cp313-macosx_11_0_arm64",
    ):
        (wheels / f"made-1.0-{tag}.whl").touch()
    (wheels / "made-2.0-cp311-cp311-manylinux2014_aarch64.whl").touch()
    asked = {
        ("3.11", "Linux x86-64"): True,
        ("3.12", "Linux x86-64"): False,
        ("3.11", "Linux aarch64"): False,  # of another version
        ("3.12", "Windows x86-64"): True,
        ("3.13", "macOS arm64"): True,
    }
    pin = tool.Pin("made", "1.0", "")
    assert {key: tool.has_wheel(pin, *key) for key in asked} == asked
    assert tool.has_wheel(tool.Pin("made", "2.0", ""), "3.11", "Linux aarch64")


def test_a_wheel_for_any_system_is_one_for_all(tool: ModuleType, wheels: Path) -> None:
    (wheels / "plain-1.0-py3-none-any.whl").touch()
    assert tool.lacking(tool.Pin("plain", "1.0", "")) == {}


def test_a_pip_that_cannot_be_asked_is_no_answer(
    tool: ModuleType, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(SystemExit, match=r"pip cannot be asked: .*Retrying"):
        tool.has_wheel(tool.Pin("made", "1.0", ""), "3.11", "macOS arm64")


def test_the_table(tool: ModuleType) -> None:
    pins = tool.read_pins("# at run time. More\nnumpy==2.4.6\n\n# extra s3\nBoto_Core==1.0+cpu\n")
    assert pins == [tool.Pin("numpy", "2.4.6", "at run time"), tool.Pin("boto-core", "1.0+cpu", "extra s3")]
    rows = tool.table(pins, [{}, {"3.14": ["macOS arm64", "Windows x86-64"]}])[-2:]
    assert rows == [
        "| numpy 2.4.6 | at run time | yes | yes | yes | yes |",
        "| boto-core 1.0+cpu | extra s3 | yes | yes | yes | none for macOS arm64, Windows x86-64 |",
    ]


def test_what_packages_bring_is_found(tool: ModuleType) -> None:
    names = {pin.name for pin in tool.brought_by([tool.Pin("numba", "0", "at run time")])}
    assert {"numba", "llvmlite", "numpy"} <= names
