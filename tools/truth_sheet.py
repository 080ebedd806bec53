"""Draw a set's truth into every view: `truth_sheet.py SET OUT.jpg`, a row a camera, a column every fifth of the clip.

White is the truth with the camera's offset put back, green the detections with left-right swaps repaired.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pointlight.body import NETWORK_KEYPOINTS, mirror_order
from pointlight.evaluation.multiview import (
    TruthConfig,
    detect_camera,
    draw_skeleton,
    read_calibrated_set,
    truth_of,
)
from pointlight.media import VideoReader, draw_label

HEIGHT_PX = 420
COLUMNS = 5


def main() -> None:
    views = read_calibrated_set(Path(sys.argv[1]))
    seen = [detect_camera(view) for view in views.views]
    truth = truth_of(views, seen, TruthConfig())
    columns = [truth.names.index(name) for name in NETWORK_KEYPOINTS]
    places = np.where(truth.scored[..., None], truth.joints_world_m, np.nan)[:, columns]
    chosen = np.linspace(0, len(places) - 1, COLUMNS).round().astype(int)
    order = list(mirror_order(NETWORK_KEYPOINTS))
    rows = []
    for v, (view, detections) in enumerate(zip(views.views, seen, strict=True)):
        scale = HEIGHT_PX / view.image_size[1]
        size = (round(view.image_size[0] * scale), HEIGHT_PX)
        there = view.lens.project(torch.from_numpy(places)).numpy() + truth.offsets_px[v]
        found = detections.keypoints.select(NETWORK_KEYPOINTS)[..., :2]
        cells = []
        for t, frame in enumerate(VideoReader(view.video, size=size)):
            if t in chosen:
                own = found[t][order] if truth.swapped[v, t] else found[t]
                picture = draw_skeleton(frame.image, own * scale, (90, 220, 110))
                picture = draw_skeleton(picture, there[t] * scale, (255, 255, 255))
                cells.append(draw_label(picture, f"{view.name} {t}", height_px=13))
        rows.append(np.concatenate(cells, axis=1))
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    Image.fromarray(np.concatenate(padded)).save(sys.argv[2], quality=80)


if __name__ == "__main__":
    main()
