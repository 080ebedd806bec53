"""The examples run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from posed_people import wandering

from pointlight.body import NETWORK_KEYPOINTS, AnnyBody

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


def test_a_result_goes_on_to_blender_and_tells_its_knee(tmp_path: Path) -> None:
    wandering(AnnyBody()).save(tmp_path / "poses.npz")
    said = run("04_to_blender.py", str(tmp_path), str(tmp_path / "files"))
    for name in ("poses.glb", "poses_blender.py", "poses.bvh", "README.txt"):
        assert str(tmp_path / "files" / name) in said
    said = run("05_squat.py", str(tmp_path / "poses.npz"))
    assert re.fullmatch(r"the left knee bends to \d+ degrees at \d\.\d\d s\n", said)


@pytest.mark.slow
def test_a_folder_of_motions_is_learnt_from(shared_data: Path, tmp_path: Path) -> None:
    assert "predict with it" in run(
        "06_my_motions.py", str(shared_data / "motion"), str(tmp_path / "run"), "tiny"
    )


@pytest.mark.slow
def test_another_program_is_judged(shared_data: Path, tmp_path: Path) -> None:
    cameras = shared_data / "real" / "pose2sim_balance"
    np.savez(
        tmp_path / "theirs.npz",
        joints=np.random.default_rng(0).normal(size=(100, 12, 3)),
        names=NETWORK_KEYPOINTS,
    )
    said = run("07_judge_another.py", str(cameras), f"pose2sim_balance/cam01={tmp_path / 'theirs.npz'}")
    assert "predictions" in said


@pytest.mark.slow
def test_train_and_evaluate() -> None:
    output = run("03_train_and_evaluate.py")
    assert "step 8: loss" in output
    assert "after 8 steps: PA-MPJPE" in output
