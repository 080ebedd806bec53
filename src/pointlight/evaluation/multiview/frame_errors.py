"""Per-frame errors of one prediction against the reference joints of one camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pointlight.body import NETWORK_KEYPOINTS, indices_of
from pointlight.evaluation.metrics import pa_mpjpe_mm
from pointlight.evaluation.multiview.truth import LIMBS
from pointlight.geometry import similarity_alignment
from pointlight.values import by_value

_HIPS = indices_of(("left_hip", "right_hip"), NETWORK_KEYPOINTS)


@by_value
@dataclass(frozen=True)
class CameraTruth:
    """Reference joints of one person in the axes of one camera, and the frames in which predictions are scored.

    Attributes:
        joints_m: (T, 12, 3) in camera axes; NaN where not scored.
        extended_px: (T, 19, 2) the reference in the undistorted picture, which is what a perfect detector would find; NaN
            where not scored.
        frames: (T,) bool, scored: enough joints, and the detector sees the person.
        focal_px: of the calibration.
        left_out: share of scored joints whose reference was made without this camera.
        left_out_mm: by how much leaving it out moved them, median.
        dropped_m: (T, 12, 3) joints whose reference is too poor to score by; NaN elsewhere. None where nobody asks.
    """

    joints_m: np.ndarray
    extended_px: np.ndarray
    frames: np.ndarray
    focal_px: float
    left_out: float
    left_out_mm: float
    dropped_m: np.ndarray | None = None


@by_value
@dataclass(frozen=True)
class FrameErrors:
    """Per-frame pose errors of one prediction against the reference joints of one camera.

    NaN stands in frames that are not scored or have no prediction.

    Attributes:
        pa_mm: (T,) PA-MPJPE over the scored joints.
        joints_mm: (T, 12) distance by joint after the alignment.
        scaled_mm: (T,) MPJPE relative to the hips, in camera axes, once the person's size is known.
        acceleration: (T,) error of the joints' acceleration in m/s^2, after the size is known.
        coverage: share of scored frames with a prediction.
        dropped_mm: (T, 12) distance of the joints that are not scored by, in scored frames, after the same alignment.
    """

    pa_mm: np.ndarray
    joints_mm: np.ndarray
    scaled_mm: np.ndarray
    acceleration: np.ndarray
    coverage: float
    dropped_mm: np.ndarray


def frame_errors(predicted_m: np.ndarray, camera: CameraTruth, time_s: np.ndarray) -> FrameErrors:
    """Compare a prediction with the reference joints of one camera.

    Args:
        predicted_m: (T, 12, 3); any scale and axes for `pa_mm`, camera axes for the other errors; NaN without a prediction.
        camera: the reference.
        time_s: (T,) of the frames.
    """
    frames = len(camera.frames)
    predicted = torch.from_numpy(predicted_m[:frames].astype(np.float64))
    scored = np.asarray(np.isfinite(camera.joints_m).all(-1))
    has = np.isfinite(predicted_m[:frames]).all((-1, -2))
    counted = camera.frames & has
    weights = torch.from_numpy((scored & counted[:, None]).astype(np.float64))
    target = torch.from_numpy(np.nan_to_num(camera.joints_m))
    predicted = torch.nan_to_num(predicted)
    aligned = similarity_alignment(predicted, target, weights).apply(predicted)
    dropped = np.full_like(camera.joints_m, np.nan) if camera.dropped_m is None else camera.dropped_m
    dropped_mm = 1000 * np.linalg.norm(aligned.numpy() - dropped, axis=-1)
    joints_mm = 1000 * (aligned - target).norm(dim=-1).numpy()
    sized = predicted.numpy() * _size_ratio(predicted.numpy(), camera.joints_m, counted)
    hips = scored[:, _HIPS[0]] & scored[:, _HIPS[1]] & counted
    error = _from_hips(sized) - _from_hips(target.numpy())
    scaled_mm = 1000 * (np.linalg.norm(error, axis=-1) * scored).sum(1) / np.maximum(scored.sum(1), 1)
    return FrameErrors(
        pa_mm=np.where(counted, pa_mpjpe_mm(predicted, target, weights).numpy(), np.nan),
        joints_mm=np.where(weights.numpy() > 0, joints_mm, np.nan),
        scaled_mm=np.where(hips, scaled_mm, np.nan),
        acceleration=_acceleration(sized, target.numpy(), scored & counted[:, None], time_s[:frames]),
        coverage=float(counted.sum() / max(camera.frames.sum(), 1)),
        dropped_mm=np.where(counted[:, None], dropped_mm, np.nan),
    )


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
