"""`--on multiview`: networks that see one camera, judged by what several calibrated cameras say in metres."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping, Sequence
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
from pointlight.capture import MediapipeDetector, read_detections, write_detections
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation.calibration import CalibratedSet, View, calibrated_folders, read_calibrated_set
from pointlight.evaluation.judge import constant_pose, named_checkpoints, peer_checkpoints
from pointlight.evaluation.metrics import pa_mpjpe_mm
from pointlight.evaluation.multiview import (
    LIMBS,
    MultiviewTruth,
    TruthConfig,
    Views2D,
    triangulate_person,
)
from pointlight.evaluation.other_tools import read_joints
from pointlight.evaluation.real_predictors import (
    network_joints,
    repaired_world_joints,
    scored_frames,
    with_points,
)
from pointlight.files import file_sha256
from pointlight.geometry import similarity_alignment
from pointlight.media import VideoReader
from pointlight.motion import default_cache
from pointlight.training import Checkpoint, training_bank

FULL_BODY_JOINTS = 10
"""A frame counts if so many of the 12 have truth; sets that seldom do, but have `PART_JOINTS`, are scored apart."""

PART_JOINTS = 6

BLOCK_S = 0.25
"""Frames this close together are drawn together in the bootstrap."""

INTERVAL_MEANS = "within this clip; says nothing of other people"

_TWELVE = list(indices_of(NETWORK_KEYPOINTS, EXTENDED_KEYPOINTS))
_HIPS = indices_of(("left_hip", "right_hip"), NETWORK_KEYPOINTS)
_SOURCE = "joints triangulated from all cameras"


@dataclass(frozen=True)
class Seen:
    """One camera's detections: keypoints, and the detector's own 3D of the 12 (T, 12, 3), which peers use."""

    keypoints: Keypoints2D
    world_m: np.ndarray


@dataclass(frozen=True)
class CameraTruth:
    """What one camera's predictions are held to.

    Attributes:
        joints_m: (T, 12, 3) in camera axes; NaN where not scored.
        extended_px: (T, 19, 2) the truth in the undistorted picture, which is what a perfect detector would say; NaN where
            not scored.
        frames: (T,) bool, scored: enough joints, and the detector sees the person.
        focal_px: of the calibration.
        left_out: share of scored joints whose truth was made without this camera.
        left_out_mm: by how much leaving it out moved them, median.
    """

    joints_m: np.ndarray
    extended_px: np.ndarray
    frames: np.ndarray
    focal_px: float
    left_out: float
    left_out_mm: float


@dataclass(frozen=True)
class Marks:
    """One prediction against one camera's truth; NaN in frames that are not scored or have no prediction.

    Attributes:
        pa_mm: (T,) PA-MPJPE over the scored joints.
        joints_mm: (T, 12) distance by joint after the alignment.
        scaled_mm: (T,) MPJPE relative to the hips, in camera axes, once the person's size is known.
        acceleration: (T,) error of the joints' acceleration in m/s^2, after the size is known.
        coverage: share of scored frames with a prediction.
    """

    pa_mm: np.ndarray
    joints_mm: np.ndarray
    scaled_mm: np.ndarray
    acceleration: np.ndarray
    coverage: float


def evaluate_multiview(
    models: Sequence[str],
    data: Path,
    *,
    motion: Path | None = None,
    predictions: Mapping[str, Path] | None = None,
    config: TruthConfig | None = None,
    cache: Path | None = None,
    watch: Callable[[str, float, float], None] = lambda stage, done, total: None,
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
        watch: told what is being worked on, how much is done and of how much.

    Raises:
        PointlightError: a model or the folder cannot be used.
    """
    config = config or TruthConfig()
    body = AnnyBody()
    checkpoints = named_checkpoints(models, body)
    rivals = peer_checkpoints(body)
    bank = training_bank(motion, body, cache, watch=lambda done, total: watch("motion", done, total))
    constant = constant_pose(bank, body)
    roles = _roles(data)
    folders = calibrated_folders(data)
    others = dict(predictions or {})
    known = {f"{each.name}/{view.name}" for each in map(read_calibrated_set, folders) for view in each.views}
    if unknown := sorted(set(others) - known):
        raise PointlightError(
            f"there is no camera {unknown[0]!r} in {data}; predictions are for {', '.join(sorted(known))}"
        )
    sets: dict[str, Any] = {}
    tables: dict[str, dict[str, list[dict[str, Marks]]]] = {"full": {}, "part": {}}
    for folder in folders:
        calibrated = read_calibrated_set(folder)
        seen = [see_camera(view, cache, watch) for view in calibrated.views]
        truth = truth_of(calibrated, seen, config)
        kind = _kind(truth)
        sets[calibrated.name] = quality(views_2d(calibrated, seen), truth, config) | {"scored_as": kind}
        if kind == "none":
            continue
        cameras = camera_truths(
            calibrated, seen, truth, config, FULL_BODY_JOINTS if kind == "full" else PART_JOINTS
        )
        for camera in cameras:
            sets[calibrated.name].setdefault("left_out_mm", []).append(_rounded(camera.left_out_mm))
        rows: list[dict[str, Marks]] = []
        for number, (view, detections, camera) in enumerate(
            zip(calibrated.views, seen, cameras, strict=True)
        ):
            watch(f"judge {calibrated.name}", number, len(cameras))
            joints = _everybody(detections, camera, checkpoints, rivals, constant, body)
            if others:
                file = others.get(f"{calibrated.name}/{view.name}")
                frames = len(detections.keypoints)
                nothing = np.full((frames, len(_TWELVE), 3), np.nan)
                joints["predictions"] = read_joints(file, frames) if file else nothing
            time_s = detections.keypoints.time_s
            rows.append({name: mark(found, camera, time_s) for name, found in joints.items()})
        watch(f"judge {calibrated.name}", len(cameras), len(cameras))
        tables[kind][calibrated.name] = rows
        sets[calibrated.name]["cameras"] = [view.name for view in calibrated.views]
        sets[calibrated.name]["roles"] = [
            roles.get(f"{calibrated.name}/{view.video.name}", "") for view in calibrated.views
        ]
        sets[calibrated.name]["time_s"] = truth.time_s
    result = {
        "sets": sets,
        "config": {"truth": asdict(config), "block_s": BLOCK_S, "interval": INTERVAL_MEANS},
    }
    names = [*checkpoints, *_variants(checkpoints), *(["predictions"] if others else [])]
    for kind, key in (("full", ""), ("part", "part_body_")):
        scores = _scores(tables[kind], sets)
        result[f"{key}models"] = {name: scores[name] for name in names if name in scores}
        result[f"{key}peers"] = {name: score for name, score in scores.items() if name not in names}
    for entry in sets.values():
        entry.pop("time_s", None)
    return result


def see_camera(
    view: View,
    cache: Path | None = None,
    watch: Callable[[str, float, float], None] = lambda stage, done, total: None,
) -> Seen:
    """One camera's detections, from the cache where it holds them.

    Args:
        view: the camera.
        cache: where detections are kept; `default_cache()` if not given.
        watch: told of progress.

    Raises:
        PointlightError: the video cannot be read, or has another size than its calibration.
    """
    digest = hashlib.sha256(f"{MediapipeDetector.source} {file_sha256(view.video)}".encode()).hexdigest()[:24]
    path = (cache or default_cache()) / f"seen-{digest}.npz"
    stage = f"detect {view.video.parent.name}/{view.video.name}"
    if path.is_file():
        keypoints, world_m = read_detections(path)
        watch(stage, 1, 1)
    else:
        reader = VideoReader(view.video)
        total = reader.frame_count or 0
        keypoints, world_m = MediapipeDetector().track_with_world(
            reader, progress=lambda done: watch(stage, done, total)
        )
        write_detections(path, keypoints, world_m)
    if keypoints.image_size != view.image_size:
        raise PointlightError(
            f"{view.video} is {keypoints.image_size} pixels, its calibration is for {view.image_size}"
        )
    return Seen(
        keypoints, world_m[:, list(indices_of(NETWORK_KEYPOINTS, keypoints.names))].astype(np.float64)
    )


def truth_of(calibrated: CalibratedSet, seen: Sequence[Seen], config: TruthConfig) -> MultiviewTruth:
    """The set's truth from the detections of all its cameras."""
    return triangulate_person(views_2d(calibrated, seen), config)


def views_2d(calibrated: CalibratedSet, seen: Sequence[Seen]) -> Views2D:
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
    seen: Sequence[Seen],
    truth: MultiviewTruth,
    config: TruthConfig,
    least_joints: int,
) -> list[CameraTruth]:
    """The truth for every camera: without it where three or more others see a joint, with it where two do."""
    views = views_2d(calibrated, seen)
    result = []
    for v, view in enumerate(calibrated.views):
        others = np.delete(truth.inlier, v, axis=0).sum(0)
        alone = triangulate_person(
            views.without(v), config, exchanged=truth.exchanged, offsets_px=truth.offsets_px
        )
        without = alone.scored & (others >= 3)
        scored = without | (truth.scored & (others >= 2))
        places = np.where(without[..., None], alone.joints_world_m, truth.joints_world_m)
        moved = 1000 * np.linalg.norm(alone.joints_world_m - truth.joints_world_m, axis=-1)
        in_camera = view.lens.to_camera(torch.from_numpy(places)).numpy()
        in_camera = np.where(scored[..., None], in_camera, np.nan)
        K = view.lens.K.numpy()
        flat = in_camera[..., :2] / in_camera[..., 2:] * (K[0, 0], K[1, 1]) + K[:2, 2]
        twelve = scored[:, _TWELVE]
        sees = scored_frames(seen[v].keypoints)[: len(twelve)]
        both = (without & truth.scored)[:, _TWELVE]
        result.append(
            CameraTruth(
                joints_m=in_camera[:, _TWELVE],
                extended_px=flat,
                frames=(twelve.sum(1) >= least_joints) & sees,
                focal_px=float((K[0, 0] + K[1, 1]) / 2),
                left_out=float(without[:, _TWELVE].sum() / max(twelve.sum(), 1)),
                left_out_mm=float(np.median(moved[:, _TWELVE][both])) if both.any() else float("nan"),
            )
        )
    return result


def mark(predicted_m: np.ndarray, camera: CameraTruth, time_s: np.ndarray) -> Marks:
    """Hold a prediction (T, 12, 3) to the truth; any scale and frame for `pa_mm`, camera axes for the others."""
    frames = len(camera.frames)
    predicted = torch.from_numpy(predicted_m[:frames].astype(np.float64))
    scored = np.asarray(np.isfinite(camera.joints_m).all(-1))
    has = np.isfinite(predicted_m[:frames]).all((-1, -2))
    counted = camera.frames & has
    weights = torch.from_numpy((scored & counted[:, None]).astype(np.float64))
    target = torch.from_numpy(np.nan_to_num(camera.joints_m))
    predicted = torch.nan_to_num(predicted)
    aligned = similarity_alignment(predicted, target, weights).apply(predicted)
    joints_mm = 1000 * (aligned - target).norm(dim=-1).numpy()
    sized = predicted.numpy() * _size_ratio(predicted.numpy(), camera.joints_m, counted)
    hips = scored[:, _HIPS[0]] & scored[:, _HIPS[1]] & counted
    error = _from_hips(sized) - _from_hips(target.numpy())
    scaled_mm = 1000 * (np.linalg.norm(error, axis=-1) * scored).sum(1) / np.maximum(scored.sum(1), 1)
    return Marks(
        pa_mm=np.where(counted, pa_mpjpe_mm(predicted, target, weights).numpy(), np.nan),
        joints_mm=np.where(weights.numpy() > 0, joints_mm, np.nan),
        scaled_mm=np.where(hips, scaled_mm, np.nan),
        acceleration=_acceleration(sized, target.numpy(), scored & counted[:, None], time_s[:frames]),
        coverage=float(counted.sum() / max(camera.frames.sum(), 1)),
    )


def quality(views: Views2D, truth: MultiviewTruth, config: TruthConfig) -> dict[str, Any]:
    """How good the truth of a set is itself: `floor_mm` says how far it moves when a camera is left out."""
    twelve = truth.scored[:, _TWELVE]
    floors = []
    for v in range(len(views.lenses)):
        without = triangulate_person(
            views.without(v), config, exchanged=truth.exchanged, offsets_px=truth.offsets_px
        )
        both = (without.scored & truth.scored)[:, _TWELVE]
        moved = 1000 * np.linalg.norm(without.joints_world_m - truth.joints_world_m, axis=-1)[:, _TWELVE]
        floors.append(float(np.median(moved[both])) if both.any() else float("nan"))
    spread = {
        f"{upper} to {lower}": float(1000 * np.subtract(*np.nanpercentile(lengths, (75, 25))))
        for (upper, lower), lengths in truth.limb_lengths_m().items()
        if np.isfinite(lengths).sum() >= 5
    }
    error = truth.error_px[:, _TWELVE][twelve]
    return {
        "frames": len(truth.time_s),
        "scored_joints": round(float(twelve.mean()), 3),
        "reprojection_px": _rounded(float(np.median(error))) if len(error) else None,
        "limb_spread_mm": {limb: _rounded(value) for limb, value in spread.items()},
        "floor_mm": [_rounded(value) for value in floors],
        "offsets_px": np.round(truth.offsets_px, 1).tolist(),
        "exchanged": [_rounded(float(x), 3) for x in truth.exchanged.mean(1)],
    }


def _everybody(
    detections: Seen,
    camera: CameraTruth,
    checkpoints: Mapping[str, Checkpoint],
    rivals: Mapping[str, Checkpoint],
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
        joints[f"{name}, true 2D"] = network_joints(true_2d, checkpoint, body)
    for name, rival in rivals.items():
        joints[name] = network_joints(keypoints, rival, body)
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
        "true 2D",
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


def _scores(tables: dict[str, list[dict[str, Marks]]], sets: dict[str, Any]) -> dict[str, Any]:
    """Every model's figures over sets (each weighs the same) and cameras, with intervals."""
    if not tables:
        return {}
    names = list(next(iter(tables.values()))[0])
    return {name: _score(name, tables, sets) for name in names}


def _score(name: str, tables: dict[str, list[dict[str, Marks]]], sets: dict[str, Any]) -> dict[str, Any]:
    by_set: dict[str, Any] = {}
    for set_name, cameras in tables.items():
        marks = [camera[name] for camera in cameras]
        roles, time_s = sets[set_name]["roles"], sets[set_name]["time_s"]
        by_set[set_name] = {
            **_interval(marks, time_s),
            "by_camera": {
                camera: _interval([one], time_s)
                for camera, one in zip(sets[set_name]["cameras"], marks, strict=True)
            },
            "by_role": {
                role: _interval([one for one, its in zip(marks, roles, strict=True) if its == role], time_s)
                for role in sorted(set(roles) - {""})
            },
            "against": {
                other: _difference(marks, [camera[other] for camera in cameras], time_s)
                for other in cameras[0]
                if other != name and other.startswith("mediapipe")
            },
        }
    scored = [entry for entry in by_set.values() if entry["pa_mpjpe_mm"] is not None]
    every = [camera[name] for cameras in tables.values() for camera in cameras]
    joints = [_over_cameras([one.joints_mm[:, k] for one in every]) for k in range(len(_TWELVE))]
    return {
        "pa_mpjpe_mm": _rounded(float(np.mean([entry["pa_mpjpe_mm"] for entry in scored])))
        if scored
        else None,
        "ci95_mm": _mean_interval([entry["ci95_mm"] for entry in scored]) if scored else None,
        "scaled_mpjpe_mm": _rounded(_over_cameras([one.scaled_mm for one in every])),
        "acceleration_m_s2": _rounded(_over_cameras([one.acceleration for one in every]), 2),
        "coverage": round(float(np.mean([one.coverage for one in every])), 4),
        "by_set": by_set,
        "by_joint": {joint: _rounded(value) for joint, value in zip(NETWORK_KEYPOINTS, joints, strict=True)},
    }


def _interval(marks: Sequence[Marks], time_s: np.ndarray) -> dict[str, Any]:
    """Mean over cameras of the mean over frames, with a bootstrap over blocks of time drawn for all cameras at once."""
    values = np.stack([one.pa_mm for one in marks])
    low, high = np.percentile(_draws(values, time_s), (2.5, 97.5))
    return {
        "pa_mpjpe_mm": _rounded(_over_cameras(values)),
        "ci95_mm": [_rounded(float(low)), _rounded(float(high))],
    }


def _difference(own: Sequence[Marks], other: Sequence[Marks], time_s: np.ndarray) -> dict[str, Any]:
    """Paired: only frames that both have, and the same blocks of time."""
    first, second = np.stack([one.pa_mm for one in own]), np.stack([one.pa_mm for one in other])
    both = np.isfinite(first) & np.isfinite(second)
    first, second = np.where(both, first, np.nan), np.where(both, second, np.nan)
    low, high = np.percentile(_draws(first, time_s) - _draws(second, time_s), (2.5, 97.5))
    means = [_over_cameras(values) for values in (first, second)]
    return {
        "difference_mm": _rounded(means[0] - means[1]),
        "ci95_mm": [_rounded(float(low)), _rounded(float(high))],
        "ratio": _rounded(means[0] / means[1], 3),
    }


def _draws(values: np.ndarray, time_s: np.ndarray, count: int = 1000) -> np.ndarray:
    """(count,) mean over cameras for each draw of blocks; a fixed seed, so that models get the same draws."""
    blocks = np.floor((time_s - time_s[0]) / BLOCK_S + 1e-9).astype(int)
    member = np.eye(blocks.max() + 1)[blocks]
    sums, counts = np.nan_to_num(values) @ member, np.isfinite(values).astype(float) @ member
    chosen = np.random.default_rng(0).integers(0, member.shape[1], (count, member.shape[1]))
    seen = counts.sum(1) > 0  # a camera without a scored frame has no say
    if not seen.any():
        return np.full(count, np.nan)
    drawn = np.maximum(counts[seen][:, chosen].sum(-1), 1)
    return (sums[seen][:, chosen].sum(-1) / drawn).mean(0)


def _over_cameras(values: Sequence[np.ndarray] | np.ndarray) -> float:
    """Mean over cameras of the mean over frames; NaN where nothing is scored."""
    rows = [row[np.isfinite(row)] for row in values]
    means = [row.mean() for row in rows if len(row)]
    return float(np.mean(means)) if means else float("nan")


def _mean_interval(intervals: Sequence[Sequence[float]]) -> list[float | None]:
    """Of several sets: their bounds' mean for one, and as of independent sets for more."""
    lows, highs = np.array(intervals).T
    middle, half = (lows + highs) / 2, (highs - lows) / 2
    wide = float(np.sqrt((half**2).sum()) / len(half))
    return [_rounded(float(middle.mean()) - wide), _rounded(float(middle.mean()) + wide)]


def _size_ratio(predicted: np.ndarray, truth: np.ndarray, counted: np.ndarray) -> float:
    """What makes the prediction's limbs as long as the truth's, one number for the clip; 1 without limbs."""
    ratios = []
    for upper, lower in LIMBS:
        pair = [NETWORK_KEYPOINTS.index(upper), NETWORK_KEYPOINTS.index(lower)]
        true, own = (
            np.linalg.norm(x[:, pair[0]] - x[:, pair[1]], axis=-1)[counted] for x in (truth, predicted)
        )
        both = np.isfinite(true) & (own > 0)
        if both.any():
            ratios.append((np.median(true[both]), np.median(own[both])))
    return float(np.sum([r[0] for r in ratios]) / np.sum([r[1] for r in ratios])) if ratios else 1.0


def _from_hips(joints: np.ndarray) -> np.ndarray:
    return joints - joints[:, list(_HIPS)].mean(1, keepdims=True)


def _acceleration(
    predicted: np.ndarray, truth: np.ndarray, scored: np.ndarray, time_s: np.ndarray
) -> np.ndarray:
    """(T,) mean over joints of the difference of second differences over steps of about 1/30 s, m/s^2."""
    result = np.full(len(time_s), np.nan)
    if len(time_s) < 3:
        return result
    step = max(1, round(float(1 / 30 / np.median(np.diff(time_s)))))
    if len(time_s) <= 2 * step:
        return result
    error = _from_hips(predicted) - _from_hips(truth)
    second = error[2 * step :] - 2 * error[step:-step] + error[: -2 * step]
    took_s = (time_s[2 * step :] - time_s[: -2 * step]) / 2
    size = np.linalg.norm(second, axis=-1) / took_s[:, None] ** 2
    known = scored[2 * step :] & scored[step:-step] & scored[: -2 * step]
    with np.errstate(invalid="ignore", divide="ignore"):
        result[step:-step] = (size * known).sum(1) / known.sum(1)
    return result


def _rounded(value: float, digits: int = 1) -> float | None:
    """For JSON, which knows no NaN."""
    return round(value, digits) if np.isfinite(value) else None
