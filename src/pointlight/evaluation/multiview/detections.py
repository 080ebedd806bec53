"""What the detector sees in a camera's video, kept in the cache; and the cameras' roles."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS, indices_of
from pointlight.capture import MediapipeDetector
from pointlight.capture.detection import detector_source, read_detections, write_detections
from pointlight.configuration import config_sha256
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation.multiview.calibration import View
from pointlight.evaluation.multiview.reference import CameraDetections
from pointlight.files import file_sha256
from pointlight.media import VideoReader
from pointlight.motion import default_cache
from pointlight.progress import Progress, ProgressCallback, silent, under_name


def detect_camera(
    view: View,
    cache: Path | None = None,
    progress: ProgressCallback = silent,
    size: str = "full",
) -> CameraDetections:
    """One camera's detections, from the cache where it holds them.

    Args:
        view: the camera.
        cache: where detections are kept; `default_cache()` if not given.
        progress: told how many frames are read.
        size: of mediapipe's network, "full", "heavy" or "lite".

    Raises:
        PointlightError: the video cannot be read, or has another size than its calibration.
    """
    keypoints, world_m = detect_video(view.video, cache, progress, size)
    if keypoints.image_size != view.image_size:
        raise PointlightError(
            f"{view.video} is {keypoints.image_size} pixels, its calibration is for {view.image_size}"
        )
    return CameraDetections(
        keypoints, world_m[:, list(indices_of(NETWORK_KEYPOINTS, keypoints.names))].astype(np.float64)
    )


def detect_video(
    video: Path, cache: Path | None = None, progress: ProgressCallback = silent, size: str = "full"
) -> tuple[Keypoints2D, np.ndarray]:
    """The keypoints of a video's person and the detector's own 3D, from the cache where it holds them.

    Args:
        video: the file.
        cache: where detections are kept; `default_cache()` if not given.
        progress: told how many frames are read.
        size: of mediapipe's network, "full", "heavy" or "lite".

    Raises:
        PointlightError: the video cannot be read.
    """
    source = detector_source(size)
    path = _detections_file(cache or default_cache(), source, file_sha256(video))
    stage = f"detect {video.parent.name}/{video.name}"
    if path.is_file():
        progress(Progress(stage, 1, 1))
        return read_detections(path)
    keypoints, world_m = MediapipeDetector(size=size).track_with_world(
        VideoReader(video), progress=under_name(progress, stage)
    )
    write_detections(path, keypoints, world_m)
    return keypoints, world_m


def _detections_file(cache: Path, source: str, video_sha256: str) -> Path:
    """Where a video's detections are kept; what version 0.1.0 has kept is found for one release more."""
    path = cache / f"seen-{config_sha256([source, video_sha256])[:24]}.npz"
    old = cache / f"seen-{hashlib.sha256(f'{source} {video_sha256}'.encode()).hexdigest()[:24]}.npz"
    return old if old.is_file() and not path.is_file() else path


def video_roles(data: Path) -> dict[str, str]:
    """Roles of videos by their path below the folder, from its `index.csv` or that of the folder above."""
    for folder in (Path(data), Path(data).resolve().parent):
        if (folder / "index.csv").is_file():
            with open(
                folder / "index.csv", newline="", encoding="utf-8-sig", errors="surrogateescape"
            ) as rows:
                return {row["file"]: row.get("role") or "" for row in csv.DictReader(rows) if row.get("file")}
    return {}
