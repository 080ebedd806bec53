"""Score a demo's result against the truth from all calibrated cameras: `score_demo.py DEMO VIDEO`.

DEMO holds `poses.npz`; VIDEO's folder holds `calibration.json` and the other cameras' videos. Prints PA-MPJPE in mm of the
result and of mediapipe's own 3D, and draws `truth.png`. A video without calibration beside it is not scored.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS
from pointlight.capture import Capture
from pointlight.cli.progress import stage_bars
from pointlight.evaluation.multiview import (
    FULL_BODY_JOINTS,
    TruthConfig,
    camera_truths,
    compare_skeletons,
    detect_camera,
    frame_errors,
    left_out_truths,
    read_calibrated_set,
    truth_of,
    views_2d,
)
from pointlight.media import write_png


def main() -> None:
    demo, video = Path(sys.argv[1]), Path(sys.argv[2])
    if not (video.parent / "calibration.json").is_file():
        return
    views = read_calibrated_set(video.parent)
    number = [view.video.name for view in views.views].index(video.name)
    config = TruthConfig()
    with stage_bars() as bars:
        seen = [detect_camera(view, progress=bars) for view in views.views]
    whole = truth_of(views, seen, config)
    left_out = left_out_truths(views_2d(views, seen), whole, config)
    truth = camera_truths(views, seen, whole, left_out, FULL_BODY_JOINTS)[number]
    capture = Capture.load(demo / "poses.npz")
    ours = capture.joints_camera_m[:, [EVALUATION_JOINTS.index(name) for name in NETWORK_KEYPOINTS]]
    joints = {"Pointlight": ours.astype(np.float64), "mediapipe's own 3D": seen[number].world_m}
    time_s = seen[number].keypoints.time_s
    print(f"Against the truth from {len(views.views)} cameras ({int(truth.frames.sum())} frames, PA-MPJPE):")
    for name, places in joints.items():
        errors = frame_errors(places, truth, time_s)
        print(f"  {name}: {np.nanmean(errors.pa_mm):.0f} mm, a result in {errors.coverage:.0%} of frames")
    frames = np.flatnonzero(truth.frames)[np.linspace(0, truth.frames.sum() - 1, 4).astype(int)]
    write_png(demo / "truth.png", compare_skeletons(truth.joints_m, joints, [int(t) for t in frames]))
    print(f"  {demo / 'truth.png'} shows both beside it, from the camera and from the side")


if __name__ == "__main__":
    main()
