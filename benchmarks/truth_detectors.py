"""How far the truth moves with another detector: `python benchmarks/truth_detectors.py SET`.

SET is a folder with `calibration.json`. The truth from mediapipe's heavy network against that from its full one, joints
that are scored in both. The heavy network is not in mediapipe's wheel; the error says where it is to be had.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from common import header, run

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.evaluation.multiview import TruthConfig, detect_camera, read_calibrated_set, truth_of
from pointlight.geometry import similarity_alignment


def main() -> None:
    if len(sys.argv) != 2:
        print("skipped: python benchmarks/truth_detectors.py SET")
        return
    header("truth_detectors")
    calibrated = read_calibrated_set(Path(sys.argv[1]))
    full, heavy = (
        truth_of(calibrated, [detect_camera(view, size=size) for view in calibrated.views], TruthConfig())
        for size in ("full", "heavy")
    )
    columns = [full.names.index(name) for name in NETWORK_KEYPOINTS]
    both = (full.scored & heavy.scored)[:, columns]
    a, b = (np.nan_to_num(truth.joints_world_m[:, columns]) for truth in (heavy, full))
    apart = 1000 * np.linalg.norm(a - b, axis=-1)
    there, here = torch.from_numpy(a), torch.from_numpy(b)
    fit = similarity_alignment(there, here, torch.from_numpy(both.astype(float)))
    aligned = 1000 * (fit.apply(there) - here).norm(dim=-1).numpy()
    print("| detector | joints with truth | from the detections, px | sides exchanged |")
    print("| --- | --- | --- | --- |")
    for name, truth in (("full", full), ("heavy", heavy)):
        scored = truth.scored[:, columns]
        cells = (f"{scored.mean():.0%}", f"{np.median(truth.error_px[:, columns][scored]):.1f}")
        swapped = ", ".join(f"{share:.0%}" for share in truth.swapped.mean(1))
        print(f"| {name} | {' | '.join(cells)} | {swapped} |")
    print()
    print("| joint | apart, mm (median) | after alignment of each frame, mm (mean) |")
    print("| --- | --- | --- |")
    for k, joint in enumerate(NETWORK_KEYPOINTS):
        if both[:, k].any():
            print(
                f"| {joint} | {np.median(apart[both[:, k], k]):.1f} | {aligned[both[:, k], k].mean():.1f} |"
            )
    print(f"| all | {np.median(apart[both]):.1f} | {aligned[both].mean():.1f} |")


if __name__ == "__main__":
    run(main)
