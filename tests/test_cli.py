"""The command line: quick help, one sentence and exit code 2 for what a person can mend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointlight.cli.main import app
from pointlight.errors import PointlightError

RUNNER = CliRunner()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from pointlight.cli.main import main; main()", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"}
    )


@pytest.mark.parametrize("command", ["predict", "train", "evaluate", "doctor"])
def test_every_command_explains_itself(command: str) -> None:
    result = RUNNER.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_help_does_not_load_torch() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from pointlight.cli.main import app; "
        "CliRunner().invoke(app, ['predict', '--help']); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_users_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = run("predict", str(tmp_path / "none.mp4"), "--out", str(tmp_path / "out"), "--fov", "400")
    assert done.returncode == 2
    assert "a field of view of 400 degrees is not a camera's" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_judge(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["evaluate", "points", "--on", "moon"])
    assert isinstance(result.exception, PointlightError)
    assert "there is no judge 'moon'" in str(result.exception)


def test_unknown_recipe(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["train", "pints", "--out", str(tmp_path)])
    assert isinstance(result.exception, PointlightError)
    assert "there is no recipe 'pints'" in str(result.exception)


def test_doctor_says_whether_predict_can_run() -> None:
    result = RUNNER.invoke(app, ["doctor"])
    assert "Python 3.11" in result.output
    assert result.output.strip().endswith("predict can run here") == (result.exit_code == 0)
