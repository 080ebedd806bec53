"""Joints that networks and the detector predict of one real person seen by one camera, over the video's frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS, BodyModel, mirror_order
from pointlight.capture import PredictOptions, lift_keypoints, seen_keypoints, track_of
from pointlight.capture.fitting import grid_times, observation_of
from pointlight.cues import MIN_VISIBLE, Keypoints2D, RepairConfig, repair_sides
from pointlight.errors import PointlightError
from pointlight.media import Frame
from pointlight.network import EVALUATION_INDICES, WindowConfig
from pointlight.training import Checkpoint

_TWELVE = [EVALUATION_JOINTS.index(name) for name in NETWORK_KEYPOINTS]


def network_joints(
    keypoints: Keypoints2D,
    checkpoint: Checkpoint,
    body: BodyModel,
    *,
    focal_px: float | None = None,
    overlap: bool = False,
    mirror: bool = False,
    refine: bool = False,
    frames: Iterable[Frame] = (),
) -> np.ndarray:
    """(T, 12, 3) the paper's keypoints in camera axes, metres; NaN in frames without a body.

    Args:
        keypoints: one person's.
        checkpoint: any network of keypoints.
        body: the network's.
        focal_px: the camera's; assumed if not given.
        overlap: average overlapping windows.
        mirror: average with the mirror image.
        refine: fit to the keypoints afterwards.
        frames: the video's, for networks that see pictures.
    """
    if not checkpoint.model.gives_bodies:
        return _points_alone(keypoints, checkpoint, body, focal_px)
    try:
        options = PredictOptions(focal_px=focal_px, refine=refine)
        capture = lift_keypoints(
            keypoints, checkpoint, body, options, overlap=overlap, mirror=mirror, frames=frames
        )
    except PointlightError:  # nobody is seen in any frame
        return np.full((len(keypoints), len(_TWELVE), 3), np.nan)
    return capture.joints_camera_m[:, _TWELVE].astype(np.float64)


def repaired_world_joints(keypoints: Keypoints2D, world_m: np.ndarray) -> np.ndarray:
    """(T, 12, 3) the detector's own 3D with our repair of swapped sides; world_m is (T, 12, 3)."""
    points = keypoints.select(NETWORK_KEYPOINTS)
    repaired = repair_sides(points, keypoints.time_s, NETWORK_KEYPOINTS, RepairConfig())
    mirrored = world_m[:, list(mirror_order(NETWORK_KEYPOINTS))]
    return np.where(repaired.swapped[:, None, None], mirrored, world_m)


def scored_frames(keypoints: Keypoints2D) -> np.ndarray:
    """(T,) bool: the detector sees at least 7 of the 12 keypoints, before any repair."""
    seen = seen_keypoints(keypoints.select(NETWORK_KEYPOINTS), *keypoints.image_size)
    return seen.sum(1) >= MIN_VISIBLE


def _points_alone(
    keypoints: Keypoints2D, checkpoint: Checkpoint, body: BodyModel, focal_px: float | None
) -> np.ndarray:
    """A network of points on the 30 frames/s grid, then at the video's own times."""
    network, names = checkpoint.model, checkpoint.config.cues.keypoints
    track = track_of(keypoints, names, PredictOptions(focal_px=focal_px))[0]
    grid_s = grid_times(track.time_s, checkpoint.clip_frames)
    cues = network.observe(observation_of(track, names, grid_s)).alone()
    found = network.over_frames(cues.to(network.device), body, WindowConfig(checkpoint.clip_frames))
    joints = found.points_m[0].cpu()[:, list(EVALUATION_INDICES)][:, _TWELVE].double().numpy()
    joints[cues.occluded[0].numpy()] = np.nan
    columns = joints.reshape(len(grid_s), -1)
    at = np.stack([np.interp(keypoints.time_s, grid_s, column) for column in columns.T], axis=-1)
    return at.reshape(-1, *joints.shape[1:])


def with_points(
    keypoints: Keypoints2D, names: tuple[str, ...], points_px: np.ndarray, source: str
) -> Keypoints2D:
    """The same video's track with other keypoints (T, K, 2); NaN is absent."""
    known = np.asarray(np.isfinite(points_px).all(-1))
    flat = np.where(known[..., None], points_px, 0.0)
    points = np.concatenate((flat, known[..., None].astype(float)), axis=-1)
    return replace(keypoints, names=names, points=points, source=source)
