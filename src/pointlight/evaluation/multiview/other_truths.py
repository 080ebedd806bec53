"""Other truths to hold every row against: of another detector, and of the other cameras alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture import read_npz
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation.multiview.calibration import CalibratedSet
from pointlight.evaluation.multiview.detections import detect_camera
from pointlight.evaluation.multiview.frame_errors import CameraTruth
from pointlight.evaluation.multiview.reference import (
    CameraDetections,
    least_joints,
    other_cameras_truths,
    reference_of,
)
from pointlight.evaluation.multiview.truth import TruthConfig
from pointlight.evaluation.results import MAIN_TRUTH
from pointlight.files import atomic_path
from pointlight.progress import ProgressCallback, silent

NETWORK_TRUTHS = (MAIN_TRUTH, "heavy")

OTHERS_ONLY = "other cameras only"

_WANTED = "what write_detections_of_cameras wrote (names, and an array of (T, K, 3) for each SET/CAMERA)"


def checked_truths(truths: Sequence[str]) -> tuple[str, ...]:
    """What to hold rows against, the main truth first and each once.

    Raises:
        PointlightError: one is neither a detector's name nor a file.
    """
    for truth in truths:
        if truth not in NETWORK_TRUTHS and not Path(truth).is_file():
            raise PointlightError(
                f"there is no truth {truth!r}; give full, heavy or a file of another detector's keypoints"
            )
    return tuple(dict.fromkeys((MAIN_TRUTH, *truths)))


def truth_title(truth: str) -> str:
    """What tables call a truth: the detector's name, or the file's without its ending."""
    return truth if truth in NETWORK_TRUTHS else Path(truth).stem


def other_truths(
    truths: Sequence[str],
    calibrated: CalibratedSet,
    seen: Sequence[CameraDetections],
    config: TruthConfig,
    cache: Path | None = None,
    progress: ProgressCallback = silent,
) -> Iterator[tuple[str, list[CameraTruth]]]:
    """All truths beside the main one by their titles, each with what every camera is scored on.

    Args:
        truths: see `checked_truths`.
        calibrated: the set.
        seen: by each camera with the main detector; decides which frames are scored.
        config: how references are made.
        cache: where detections and references are kept.
        progress: told how far detections are.

    Raises:
        PointlightError: a file lacks a camera of the set, or has other frames than its video.
    """
    for truth in truths:
        if truth == MAIN_TRUTH:
            sources = list(seen)
        elif truth in NETWORK_TRUTHS:
            sources = [detect_camera(view, cache, progress, size=truth) for view in calibrated.views]
        else:
            sources = read_detections_of_cameras(Path(truth), calibrated, seen)
        _, reference, cameras = reference_of(calibrated, seen, config, cache, sources)
        if truth != MAIN_TRUTH:
            yield truth_title(truth), cameras
        least = least_joints(reference)
        yield (
            f"{truth_title(truth)}, {OTHERS_ONLY}",
            other_cameras_truths(calibrated, seen, sources, config, least, cache),
        )


def write_detections_of_cameras(
    path: Path, names: Sequence[str], cameras: dict[str, np.ndarray], source: str
) -> None:
    """Keep another detector's keypoints for `--truth FILE`.

    Args:
        path: of the `.npz`.
        names: of the K keypoints; Pointlight's, such as "left_hip".
        cameras: (T, K, 3) x, y in the video's own distorted pixels, and score 0 to 1, by "set/camera".
        source: says in words which detector it was.
    """
    arrays: dict[str, Any] = {camera: points.astype(np.float32) for camera, points in cameras.items()}
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, names=np.array(names), source=np.array(source), **arrays)


def read_detections_of_cameras(
    path: Path, calibrated: CalibratedSet, seen: Sequence[CameraDetections]
) -> list[CameraDetections]:
    """A set's keypoints from such a file, at the times of the videos' own frames; without any 3D.

    Raises:
        PointlightError: see `other_truths`.
    """
    arrays = read_npz(path, _WANTED)
    if "names" not in arrays:
        raise PointlightError(f"{path} has no names; give {_WANTED}")
    names = tuple(str(name) for name in arrays["names"])
    missing = [name for name in NETWORK_KEYPOINTS if name not in names]
    if missing:
        raise PointlightError(f"{path} lacks {', '.join(missing)}; it has {', '.join(names)}")
    found = []
    for view, each in zip(calibrated.views, seen, strict=True):
        key, own = f"{calibrated.name}/{view.name}", each.keypoints
        if key not in arrays:
            raise PointlightError(f"{path} has no keypoints of {key}; write it with all cameras of the set")
        points = arrays[key]
        if points.shape != (len(own), len(names), 3):
            raise PointlightError(
                f"{path} has {key} of shape {points.shape}, where its video needs {(len(own), len(names), 3)}"
            )
        keypoints = Keypoints2D(names, own.time_s, own.frame_index, points, own.image_size, path.name)
        found.append(CameraDetections(keypoints, np.full_like(each.world_m, np.nan)))
    return found
