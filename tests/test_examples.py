"""The examples run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=180).stdout


def test_predict(shared_data: Path) -> None:
    output = run("01_predict.py", str(shared_data / "real" / "football_juggle_park.mp4"))
    assert "48 frames, a body in 48" in output
    assert "focal length assumed" in output


def test_tracks() -> None:
    assert run("02_tracks.py").count("visible") == 8


@pytest.mark.slow
def test_train_and_evaluate() -> None:
    output = run("03_train_and_evaluate.py")
    assert "step 8: loss" in output
    assert "after 8 steps: PA-MPJPE" in output
