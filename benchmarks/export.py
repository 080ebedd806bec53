"""Export of a long capture: seconds, times real time, bytes and peak memory by format: `python benchmarks/export.py`.

The capture is a person of noise, whose joints turn smoothly all the time; no format is cheaper for somebody who moves.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from common import header, run
from scipy.spatial.transform import Rotation

from pointlight.body import EVALUATION_JOINTS, MEAN_ADULT_SHAPE, AnnyBody
from pointlight.capture import Capture
from pointlight.export import FORMATS, export_result

TOGETHER = "bvh,glb,trc"


def long_capture(minutes: float, fps: float) -> Capture:
    """Somebody who turns all joints about their rest and walks in circles before the camera."""
    body, frames = AnnyBody(), round(minutes * 60 * fps)
    rng = np.random.default_rng(0)
    seconds, joints = np.arange(frames) / fps, len(body.joint_names)
    rates, phases = rng.uniform(0.2, 1.0, (2, joints, 3))
    waves = np.sin(2 * np.pi * (seconds[:, None, None] * rates + phases)) * rng.normal(0, 0.3, (joints, 3))
    pose = Rotation.from_rotvec(waves.reshape(-1, 3)).as_matrix().reshape(frames, joints, 3, 3)
    pose[:, 0] = np.diag((1.0, -1.0, -1.0)) @ pose[:, 0]
    path = np.stack((np.sin(seconds), 0.02 * np.sin(7 * seconds), 5 + np.cos(seconds)), axis=1)
    return Capture(
        frame_index=np.arange(frames),
        time_s=seconds,
        valid=np.arange(frames) % 100 != 99,
        occluded=np.zeros(frames, bool),
        joints_camera_m=np.zeros((frames, len(EVALUATION_JOINTS), 3)),
        translation_camera_m=path,
        pose_rotmat=pose,
        body_joint_names=body.joint_names,
        shape=np.array(MEAN_ADULT_SHAPE),
        body_model=body.name,
        focal_source="assumed",
        track_id=0,
        keypoint_source="made",
        keypoints_px=rng.uniform(0, 1000, (frames, 12, 3)),
        keypoint_names=EVALUATION_JOINTS[:12],
        fps=fps,
        image_size=(1920, 1080),
        focal_px=2000.0,
        principal_px=(960.0, 540.0),
        model_sha256="0" * 64,
    )


def measured(path: Path, formats: str) -> tuple[float, float, float]:
    """Seconds after everything is loaded, MB written, and MB of peak memory, in a process of its own."""
    words = [sys.executable, __file__, "--one", formats, "--capture", str(path)]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    seconds, written, peak = (float(word) for word in said[-3:])
    return seconds, written, peak


def one(path: Path, formats: str) -> None:
    """In this process: export, after a short one that compiles and loads what is needed."""
    torch.set_num_threads(1)
    capture = Capture.load(path)
    with tempfile.TemporaryDirectory() as folder:
        export_result(long_capture(0.02, capture.fps), formats, Path(folder) / "first")
        started = time.perf_counter()
        files = export_result(capture, formats, Path(folder) / "out").files
        seconds = time.perf_counter() - started
        written = sum(file.stat().st_size for file in files) / 1e6
    print(seconds, written, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--capture", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.capture, options.one)
        return
    header(f"export of {options.minutes:g} minutes at {options.fps:g} frames/s, a core")
    there = [name for name, each in FORMATS.items() if not each.package or find_spec(each.package)]
    print("| format | s | times real time | MB | peak memory, MB |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "poses.npz"
        long_capture(options.minutes, options.fps).save(path)
        for formats in (TOGETHER, *there):
            seconds, written, peak = measured(path, formats)
            speed = options.minutes * 60 / seconds
            print(f"| {formats} | {seconds:.1f} | {speed:.0f} | {written:.1f} | {peak:.0f} |")


if __name__ == "__main__":
    run(main)
