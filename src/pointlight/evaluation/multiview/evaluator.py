"""`--on multiview`: networks that see one camera, judged by what several calibrated cameras say in metres."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pointlight.body import (
    EVALUATION_JOINTS,
    EXTENDED_KEYPOINTS,
    NETWORK_KEYPOINTS,
    AnnyBody,
    BodyModel,
    indices_of,
)
from pointlight.capture import MediapipeDetector
from pointlight.capture.detection import detector_source, read_detections, write_detections
from pointlight.configuration import config_sha256
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation.contenders import baseline_checkpoints, constant_pose, named_checkpoints
from pointlight.evaluation.multiview.block_bootstrap import (
    BLOCK_S,
    INTERVAL_MEANS,
    ScoredSet,
    rounded,
    scores_of,
)
from pointlight.evaluation.multiview.calibration import (
    CalibratedSet,
    View,
    calibrated_folders,
    read_calibrated_set,
)
from pointlight.evaluation.multiview.frame_errors import CameraTruth, FrameErrors, frame_errors
from pointlight.evaluation.multiview.other_tools import read_joints
from pointlight.evaluation.multiview.predictors import (
    network_joints,
    repaired_world_joints,
    scored_frames,
    with_points,
)
from pointlight.evaluation.multiview.truth import MultiviewTruth, TruthConfig, Views2D, cached_triangulation
from pointlight.files import file_sha256
from pointlight.media import VideoReader
from pointlight.motion import default_cache
from pointlight.progress import Progress, ProgressCallback, silent, under_name
from pointlight.training import Checkpoint, training_bank

FULL_BODY_JOINTS = 10
"""A frame counts if so many of the 12 have truth; sets that seldom do, but have `PART_JOINTS`, are scored apart."""

PART_JOINTS = 6

TRUE_2D = "true_2d"
"""The first model fed with the truth's projection instead of detections: the lifter's share of the error."""

_TWELVE = list(indices_of(NETWORK_KEYPOINTS, EXTENDED_KEYPOINTS))
_SOURCE = "joints triangulated from all cameras"


@dataclass(frozen=True)
class CameraDetections:
    """One camera's detections: keypoints, and the detector's own 3D of the 12 (T, 12, 3), which peers use."""

    keypoints: Keypoints2D
    world_m: np.ndarray


def evaluate_multiview(
    models: Sequence[str],
    data: Path,
    *,
    motion: Path | None = None,
    predictions: Mapping[str, Path] | None = None,
    config: TruthConfig | None = None,
    cache: Path | None = None,
    progress: ProgressCallback = silent,
) -> dict[str, Any]:
    """Judge models on people filmed by several cameras.

    Args:
        models: names of shipped models, paths of weights or folders of runs.
        data: a folder with `calibration.json` and videos, or a folder of such folders; an `index.csv` there may give each
            video a role, and roles are averaged apart.
        motion: motion capture that the constant pose is the mean of; procedural if not given.
        predictions: files of another program's joints (`other_tools.py`) by "set/camera"; a row of their own.
        config: how the truth is made.
        cache: where detections are kept.
        progress: told how far each stage is.

    Raises:
        PointlightError: a model or the folder cannot be used.
    """
    config = config or TruthConfig()
    body = AnnyBody()
    checkpoints = named_checkpoints(models, body)
    baselines = baseline_checkpoints(body)
    bank = training_bank(motion, body, cache, progress=progress)
    constant = constant_pose(bank, body)
    roles = _roles(data)
    calibrated_sets = [read_calibrated_set(folder) for folder in calibrated_folders(data)]
    others = dict(predictions or {})
    known = {f"{each.name}/{view.name}" for each in calibrated_sets for view in each.views}
    if unknown := sorted(set(others) - known):
        raise PointlightError(
            f"there is no camera {unknown[0]!r} in {data}; predictions are for {', '.join(sorted(known))}"
        )
    truths: dict[str, Any] = {}
    scored_sets: dict[str, dict[str, ScoredSet]] = {"full": {}, "part": {}}
    for calibrated in calibrated_sets:
        name = calibrated.name
        seen = [detect_camera(view, cache, progress) for view in calibrated.views]
        progress(Progress(f"truth {name}", 0, 1))
        truth = truth_of(calibrated, seen, config, cache)
        alone = left_out_truths(views_2d(calibrated, seen), truth, config, cache)
        progress(Progress(f"truth {name}", 1, 1))
        kind = _kind(truth)
        truths[name] = quality(truth, alone) | {"scored_as": kind}
        if kind == "none":
            continue
        least = FULL_BODY_JOINTS if kind == "full" else PART_JOINTS
        cameras = camera_truths(calibrated, seen, truth, alone, least)
        truths[name]["left_out_mm"] = [rounded(camera.left_out_mm) for camera in cameras]
        errors: list[dict[str, FrameErrors]] = []
        for view, detections, camera in zip(calibrated.views, seen, cameras, strict=True):
            progress(Progress(f"judge {name}", len(errors), len(cameras)))
            joints = _everybody(detections, camera, checkpoints, baselines, constant, body)
            if others:
                joints["predictions"] = _read(others.get(f"{name}/{view.name}"), len(detections.keypoints))
            errors.append({who: frame_errors(found, camera, truth.time_s) for who, found in joints.items()})
        progress(Progress(f"judge {name}", len(cameras), len(cameras)))
        scored_sets[kind][name] = ScoredSet(
            cameras=tuple(view.name for view in calibrated.views),
            roles=tuple(roles.get(f"{name}/{view.video.name}", "") for view in calibrated.views),
            time_s=truth.time_s,
            errors=tuple(errors),
        )
    result = {
        "truth": truths,
        "config": {"truth": asdict(config), "block_s": BLOCK_S, "interval": INTERVAL_MEANS},
    }
    ours = [*checkpoints, *_variants(checkpoints), *(["predictions"] if others else [])]
    for kind, key in (("full", ""), ("part", "part_body_")):
        scores = scores_of(scored_sets[kind])
        result[f"{key}models"] = {who: scores[who] for who in ours if who in scores}
        result[f"{key}peers"] = {who: score for who, score in scores.items() if who not in ours}
    return result


def _read(file: Path | None, frames: int) -> np.ndarray:
    """Another program's joints of one camera; NaN where no file was given for it."""
    return np.full((frames, len(_TWELVE), 3), np.nan) if file is None else read_joints(file, frames)


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
        size: of mediapipe's network, "full" or "heavy".

    Raises:
        PointlightError: the video cannot be read, or has another size than its calibration.
    """
    source = detector_source(size)
    path = _detections_file(cache or default_cache(), source, file_sha256(view.video))
    stage = f"detect {view.video.parent.name}/{view.video.name}"
    if path.is_file():
        keypoints, world_m = read_detections(path)
        progress(Progress(stage, 1, 1))
    else:
        reader = VideoReader(view.video)
        keypoints, world_m = MediapipeDetector(size=size).track_with_world(
            reader, progress=under_name(progress, stage)
        )
        write_detections(path, keypoints, world_m)
    if keypoints.image_size != view.image_size:
        raise PointlightError(
            f"{view.video} is {keypoints.image_size} pixels, its calibration is for {view.image_size}"
        )
    return CameraDetections(
        keypoints, world_m[:, list(indices_of(NETWORK_KEYPOINTS, keypoints.names))].astype(np.float64)
    )


def _detections_file(cache: Path, source: str, video_sha256: str) -> Path:
    """Where a video's detections are kept; what version 0.1.0 has kept is found for one release more."""
    path = cache / f"seen-{config_sha256([source, video_sha256])[:24]}.npz"
    old = cache / f"seen-{hashlib.sha256(f'{source} {video_sha256}'.encode()).hexdigest()[:24]}.npz"
    return old if old.is_file() and not path.is_file() else path


def truth_of(
    calibrated: CalibratedSet,
    seen: Sequence[CameraDetections],
    config: TruthConfig,
    cache: Path | None = None,
) -> MultiviewTruth:
    """The set's truth from the detections of all its cameras, from the cache where it holds it."""
    return cached_triangulation(views_2d(calibrated, seen), config, cache or default_cache())


def views_2d(calibrated: CalibratedSet, seen: Sequence[CameraDetections]) -> Views2D:
    """All cameras' keypoints side by side; frames of equal number belong together, and the shortest video ends all."""
    frames = min(len(each.keypoints) for each in seen)
    points = np.stack([each.keypoints.select(EXTENDED_KEYPOINTS)[:frames] for each in seen])
    return Views2D(
        EXTENDED_KEYPOINTS,
        seen[0].keypoints.time_s[:frames],
        points[..., :2].astype(np.float64),
        points[..., 2],
        tuple(view.lens for view in calibrated.views),
    )


def camera_truths(
    calibrated: CalibratedSet,
    seen: Sequence[CameraDetections],
    truth: MultiviewTruth,
    left_out: Sequence[MultiviewTruth],
    least_joints: int,
) -> list[CameraTruth]:
    """The truth for every camera: without it where three or more others see a joint, with it where two do.

    Args:
        calibrated: the set.
        seen: by each camera.
        truth: from all of them.
        left_out: from all but one, `left_out_truths`.
        least_joints: of the 12 that a frame must have to be scored.
    """
    result = []
    for v, (view, alone) in enumerate(zip(calibrated.views, left_out, strict=True)):
        others = np.delete(truth.inlier, v, axis=0).sum(0)
        without = alone.scored & (others >= 3)
        scored = without | (truth.scored & (others >= 2))
        places = np.where(without[..., None], alone.joints_world_m, truth.joints_world_m)
        in_camera = view.lens.to_camera(torch.from_numpy(places)).numpy()
        in_camera = np.where(scored[..., None], in_camera, np.nan)
        K = view.lens.K.numpy()
        flat = in_camera[..., :2] / in_camera[..., 2:] * (K[0, 0], K[1, 1]) + K[:2, 2]
        twelve = scored[:, _TWELVE]
        sees = scored_frames(seen[v].keypoints)[: len(twelve)]
        result.append(
            CameraTruth(
                joints_m=in_camera[:, _TWELVE],
                extended_px=flat,
                frames=(twelve.sum(1) >= least_joints) & sees,
                focal_px=float((K[0, 0] + K[1, 1]) / 2),
                left_out=float(without[:, _TWELVE].sum() / max(twelve.sum(), 1)),
                left_out_mm=_moved_mm(truth, alone, without),
            )
        )
    return result


def left_out_truths(
    views: Views2D, truth: MultiviewTruth, config: TruthConfig, cache: Path | None = None
) -> list[MultiviewTruth]:
    """The truth as it would be without each camera; exchanges and offsets stay those that all cameras found."""
    known = {"swapped": truth.swapped, "offsets_px": truth.offsets_px}
    return [
        cached_triangulation(views.without(v), config, cache or default_cache(), **known)
        for v in range(len(views.lenses))
    ]


def _moved_mm(truth: MultiviewTruth, other: MultiviewTruth, counted: np.ndarray) -> float:
    """By how much the counted joints (T, K) of the 12 differ, median; NaN where none is scored in both."""
    both = (counted & truth.scored)[:, _TWELVE]
    apart = 1000 * np.linalg.norm(other.joints_world_m - truth.joints_world_m, axis=-1)[:, _TWELVE]
    return float(np.median(apart[both])) if both.any() else float("nan")


def quality(truth: MultiviewTruth, left_out: Sequence[MultiviewTruth]) -> dict[str, Any]:
    """How good the truth of a set is itself: `floor_mm` says how far it moves when a camera is left out."""
    twelve = truth.scored[:, _TWELVE]
    floors = [_moved_mm(truth, alone, alone.scored) for alone in left_out]
    spread = {
        f"{upper} to {lower}": float(1000 * np.subtract(*np.nanpercentile(lengths, (75, 25))))
        for (upper, lower), lengths in truth.limb_lengths_m().items()
        if np.isfinite(lengths).sum() >= 5
    }
    error = truth.error_px[:, _TWELVE][twelve]
    return {
        "frames": len(truth.time_s),
        "scored_joints": round(float(twelve.mean()), 3),
        "reprojection_px": rounded(float(np.median(error))) if len(error) else None,
        "limb_spread_mm": {limb: rounded(value) for limb, value in spread.items()},
        "floor_mm": [rounded(value) for value in floors],
        "offsets_px": np.round(truth.offsets_px, 1).tolist(),
        "exchanged": [rounded(float(x), 3) for x in truth.swapped.mean(1)],
    }


def _everybody(
    detections: CameraDetections,
    camera: CameraTruth,
    checkpoints: Mapping[str, Checkpoint],
    baselines: Mapping[str, Checkpoint],
    constant: torch.Tensor,
    body: BodyModel,
) -> dict[str, np.ndarray]:
    """Joints (T, 12, 3) of models, their variants and peers."""
    keypoints = detections.keypoints
    joints: dict[str, np.ndarray] = {}
    for name, checkpoint in checkpoints.items():
        joints[name] = network_joints(keypoints, checkpoint, body)
        joints[f"{name}, averaged windows"] = network_joints(keypoints, checkpoint, body, overlap=True)
        joints[f"{name}, averaged windows and mirror"] = network_joints(
            keypoints, checkpoint, body, overlap=True, mirror=True
        )
        joints[f"{name}, refined as well"] = network_joints(
            keypoints, checkpoint, body, overlap=True, mirror=True, refine=True
        )
        joints[f"{name}, true focal length"] = network_joints(
            keypoints, checkpoint, body, focal_px=camera.focal_px
        )
        true_points = np.full((len(keypoints), *camera.extended_px.shape[1:]), np.nan)
        true_points[: len(camera.extended_px)] = camera.extended_px
        true_2d = with_points(keypoints, EXTENDED_KEYPOINTS, true_points, _SOURCE)
        # The first model's share is the peer that everybody knows by this name.
        key = TRUE_2D if name == next(iter(checkpoints)) else f"{TRUE_2D}, {name}"
        joints[key] = network_joints(true_2d, checkpoint, body)
        joints[f"{key}, refined"] = network_joints(
            true_2d, checkpoint, body, overlap=True, mirror=True, refine=True
        )
    for name, baseline in baselines.items():
        joints[name] = network_joints(keypoints, baseline, body)
    joints["mediapipe_world"] = detections.world_m
    joints["mediapipe_world_repaired"] = repaired_world_joints(keypoints, detections.world_m)
    joints["constant"] = np.broadcast_to(
        constant.numpy()[list(indices_of(NETWORK_KEYPOINTS, EVALUATION_JOINTS))],
        (len(keypoints), len(_TWELVE), 3),
    )
    return joints


def _variants(checkpoints: Mapping[str, Checkpoint]) -> list[str]:
    kinds = (
        "averaged windows",
        "averaged windows and mirror",
        "refined as well",
        "true focal length",
    )
    return [f"{name}, {kind}" for name in checkpoints for kind in kinds]


def _roles(data: Path) -> dict[str, str]:
    """Roles of videos by their path below the folder, from its `index.csv` or that of the folder above."""
    for folder in (Path(data), Path(data).resolve().parent):
        if (folder / "index.csv").is_file():
            with open(folder / "index.csv") as rows:
                return {row["file"]: row.get("role", "") for row in csv.DictReader(rows) if row.get("file")}
    return {}


def _kind(truth: MultiviewTruth) -> str:
    """Whether a set's truth shows whole people ("full"), enough of them ("part"), or neither ("none")."""
    joints = truth.scored[:, _TWELVE].sum(1)
    if (joints >= FULL_BODY_JOINTS).mean() >= 0.5:
        return "full"
    return "part" if (joints >= PART_JOINTS).mean() >= 0.25 else "none"
