"""The steps from one person's keypoints to a `Capture` that need no network: what is seen, and where the body is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS, BodyModel, BodyState
from pointlight.capture.capture import SEEN_SCORE
from pointlight.capture.fitting.lifting import LiftedTrack, Track2D
from pointlight.capture.fitting.placing import place_body
from pointlight.capture.options import PredictOptions
from pointlight.cues import Keypoints2D, RepairConfig, Repaired, repair_sides
from pointlight.geometry import default_focal_px, focal_from_fov

_HIPS = (EVALUATION_JOINTS.index("left_hip"), EVALUATION_JOINTS.index("right_hip"))


def track_of(
    keypoints: Keypoints2D, names: tuple[str, ...], options: PredictOptions
) -> tuple[Track2D, Repaired, str]:
    """Named keypoints as a network wants them, with what was repaired, and where the focal length comes from."""
    repaired = repair_sides(keypoints.select(names), keypoints.time_s, names, RepairConfig())
    width, height = keypoints.image_size
    focal, source = _focal(options, width, height)
    track = Track2D(
        keypoints.time_s,
        repaired.points[..., :2].astype(np.float64),
        seen_keypoints(repaired.points, width, height),
        focal,
        np.array([width / 2, height / 2]),
    )
    return track, repaired, source


def _focal(options: PredictOptions, width: int, height: int) -> tuple[float, str]:
    """Focal length in px and where it comes from."""
    if options.focal_px is not None:
        return options.focal_px, "given"
    if options.fov_deg is not None:
        return focal_from_fov(float(options.fov_deg), float(width), float(height)), "given"
    return default_focal_px(float(width), float(height)), "assumed"


def seen_keypoints(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """(T, K) bool: scored well enough and inside the picture, where the paper's keypoints are."""
    inside = (points[..., :2] >= 0).all(-1) & (points[..., 0] <= width) & (points[..., 1] <= height)
    return inside & (points[..., 2] >= SEEN_SCORE)


def place_track(body: BodyModel, lifted: LiftedTrack, track: Track2D, names: tuple[str, ...]) -> LiftedTrack:
    """The track with the body where its keypoints are; `names` are the keypoints'."""
    state = BodyState(*_tensors(lifted), torch.zeros(3))
    with torch.no_grad():
        joints = body.keypoints(state, NETWORK_KEYPOINTS, body.person(state.shape)).numpy()
    rays = (track.points_px - track.principal_px) / track.focal_px
    twelve = [names.index(name) for name in NETWORK_KEYPOINTS]
    weights = track.visible[:, twelve] & ~lifted.occluded[:, None]
    place = place_body(joints, rays[:, twelve], weights.astype(float), lifted.translation_m, track.time_s)
    return replace(lifted, translation_m=place)


def joints_in_camera(body: BodyModel, lifted: LiftedTrack) -> tuple[np.ndarray, np.ndarray]:
    """Joints (T, 14, 3) relative to the middle of the hips and its place (T, 3), in camera axes."""
    state = BodyState(*_tensors(lifted), torch.zeros(3))
    with torch.no_grad():
        joints = body.keypoints(state, EVALUATION_JOINTS, body.person(state.shape)).numpy()
    hips = joints[:, _HIPS].mean(1)
    return joints - hips[:, None], lifted.translation_m + hips


def _tensors(lifted: LiftedTrack) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.from_numpy(lifted.pose), torch.from_numpy(lifted.shape), torch.from_numpy(lifted.root)


def only_valid(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Values as float32, NaN in frames without a body."""
    result = values.astype(np.float32)
    result[~valid] = np.nan
    return result


def average_rate(time_s: np.ndarray) -> float:
    """Frames/s by their times."""
    return float((len(time_s) - 1) / (time_s[-1] - time_s[0])) if len(time_s) > 1 else 30.0
