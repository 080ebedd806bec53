"""What real detections look like against the reprojected truth: `python benchmarks/detector_noise.py SET CAMERA [...]`.

SET is a folder with `calibration.json`; only development cameras are to be named. All lengths are shares of the person's
size (diagonal of the box around the 12 keypoints): what a simulated detector's noise is given in.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from common import header, run

from pointlight.body import NETWORK_KEYPOINTS, mirror_order
from pointlight.evaluation.multiview import TruthConfig, detect_camera, read_calibrated_set, truth_of


def main() -> None:
    if len(sys.argv) < 3:
        print("skipped: python benchmarks/detector_noise.py SET CAMERA [...]")
        return
    header("detector_noise")
    views = read_calibrated_set(Path(sys.argv[1]))
    seen = [detect_camera(view) for view in views.views]
    truth = truth_of(views, seen, TruthConfig())
    columns = [truth.names.index(name) for name in NETWORK_KEYPOINTS]
    order = list(mirror_order(NETWORK_KEYPOINTS))
    places = torch.from_numpy(truth.joints_world_m[:, columns])
    print("| camera | joint | bias | drift (std) | white (std) | correlation at 1/30 s | off by over 5 % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in sys.argv[2:]:
        v = [view.name for view in views.views].index(name)
        there = views.views[v].lens.project(places).numpy() + truth.offsets_px[v]
        points = seen[v].keypoints.select(NETWORK_KEYPOINTS)[: len(there)]
        found = np.where(truth.swapped[v][:, None, None], points[:, order, :2], points[..., :2])
        size = np.linalg.norm(np.nanmax(there, 1) - np.nanmin(there, 1), axis=-1)
        error = (found - there) / size[:, None, None]
        error[~truth.scored[:, columns]] = np.nan
        dt = float(np.median(np.diff(truth.time_s)))
        lag = max(1, round(1 / 30 / dt))
        rows = []
        for k, joint in enumerate(NETWORK_KEYPOINTS):
            e = error[:, k]
            wild = np.linalg.norm(e, axis=-1) > 0.05
            e = np.where(wild[:, None], np.nan, e)
            bias = np.nanmean(e, 0)
            rest = e - bias
            # A second difference holds six times the variance of white noise, and little of a slow drift.
            second = rest[2:] - 2 * rest[1:-1] + rest[:-2]
            white = np.sqrt(np.nanmean(second**2) / 6)
            whole = np.sqrt(np.nanmean(rest**2))
            drift = np.sqrt(max(whole**2 - white**2, 0.0))
            both = np.isfinite(rest[lag:]).all(-1) & np.isfinite(rest[:-lag]).all(-1)
            related = np.mean(rest[lag:][both] * rest[:-lag][both]) / whole**2
            known = np.isfinite(error[:, k]).all(-1)
            rows.append((np.linalg.norm(bias), drift, white, related, wild[known].mean()))
            cells = " | ".join(f"{100 * x:.2f} %" if i != 3 else f"{x:.2f}" for i, x in enumerate(rows[-1]))
            print(f"| {name} | {joint} | {cells} |")
        mean = np.mean(rows, 0)
        cells = " | ".join(f"{100 * x:.2f} %" if i != 3 else f"{x:.2f}" for i, x in enumerate(mean))
        print(f"| {name} | mean of 12 | {cells} |")
        speed = np.linalg.norm(np.diff(there, axis=0), axis=-1) / size[1:, None] / dt
        amount = np.linalg.norm(error[1:] - np.nanmean(error, 0), axis=-1)
        use = np.isfinite(speed) & np.isfinite(amount) & (amount < 0.05)
        edges = np.quantile(speed[use], (0.0, 0.5, 0.9, 1.0))
        slow = [
            np.sqrt((amount[use & (speed >= a) & (speed <= b)] ** 2).mean() / 2) for a, b in pairwise(edges)
        ]
        words = ", ".join(f"{100 * x:.2f} %" for x in slow)
        print(
            f"{name}: sides exchanged in {truth.swapped[v].mean():.0%} of frames; error (std a coordinate) of the"
            f" slower half, the next 40 % and the fastest 10 %: {words} (up to {edges[1]:.2f}, {edges[2]:.2f},"
            f" {edges[3]:.2f} sizes a second)"
        )


if __name__ == "__main__":
    run(main)
