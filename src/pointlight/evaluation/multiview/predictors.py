"""Joints that networks and the detector predict of one real person seen by one camera, over the video's frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS, BodyModel, mirror_order
from pointlight.capture import PredictOptions, lift_keypoints, seen_keypoints, track_of
from pointlight.capture.fitting import grid_times, on_the_grid
from pointlight.cues import KEYPOINT_SETS, MIN_VISIBLE, Keypoints2D, RepairConfig, point_cues, repair_sides
from pointlight.errors import PointlightError
from pointlight.network import Martinez, MotionHMR
from pointlight.training import EVALUATION_INDICES, Checkpoint

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
) -> np.ndarray:
    """(T, 12, 3) the paper's keypoints in camera axes, metres; NaN in frames without a body.

    Args:
        keypoints: one person's.
        checkpoint: a `points` network, or Martinez.
        body: the network's.
        focal_px: the camera's; assumed if not given.
        overlap: average overlapping windows.
        mirror: average with the mirror image.
        refine: fit to the keypoints afterwards.

    Raises:
        PointlightError: the model is of another kind.
    """
    if isinstance(checkpoint.model, MotionHMR):
        try:
            options = PredictOptions(focal_px=focal_px, refine=refine)
            capture = lift_keypoints(keypoints, checkpoint, body, options, overlap=overlap, mirror=mirror)
        except PointlightError:  # nobody is seen in any frame
            return np.full((len(keypoints), len(_TWELVE), 3), np.nan)
        return capture.joints_camera_m[:, _TWELVE].astype(np.float64)
    if isinstance(checkpoint.model, Martinez):
        return _single_frames(keypoints, checkpoint.model, focal_px)
    raise PointlightError(f"the model {checkpoint.name!r} cannot be judged on keypoints of a video")


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


@torch.no_grad()
def _single_frames(keypoints: Keypoints2D, network: Martinez, focal_px: float | None) -> np.ndarray:
    """Martinez on the 30 frames/s grid, then at the video's own times."""
    names = KEYPOINT_SETS[network.config.keypoint_set]
    track = track_of(keypoints, names, PredictOptions(focal_px=focal_px))[0]
    grid_s = grid_times(track.time_s)
    flat, seen = on_the_grid(track, grid_s)
    # Features come by pairs; with its last frame twice, a track has a pair for every frame.
    cues = point_cues(
        torch.from_numpy(np.concatenate((flat, flat[-1:]))),
        torch.from_numpy(np.concatenate((seen, seen[-1:]))),
        torch.tensor(track.focal_px, dtype=torch.float32),
        torch.from_numpy(track.principal_px.astype(np.float32)).expand(len(grid_s) + 1, 2),
        keypoint_set=network.config.keypoint_set,
        next_frame=False,
    )
    joints = network(cues.features)[:, list(EVALUATION_INDICES)][:, _TWELVE]
    turned = (joints @ cues.R_ray_camera[:-1]).double().numpy()  # back from the crop-ray frame
    turned[cues.occluded[:-1].numpy()] = np.nan
    columns = turned.reshape(len(grid_s), -1)
    at = np.stack([np.interp(keypoints.time_s, grid_s, column) for column in columns.T], axis=-1)
    return at.reshape(-1, *turned.shape[1:])


def with_points(
    keypoints: Keypoints2D, names: tuple[str, ...], points_px: np.ndarray, source: str
) -> Keypoints2D:
    """The same video's track with other keypoints (T, K, 2); NaN is absent."""
    known = np.asarray(np.isfinite(points_px).all(-1))
    flat = np.where(known[..., None], points_px, 0.0)
    points = np.concatenate((flat, known[..., None].astype(float)), axis=-1)
    return replace(keypoints, names=names, points=points, source=source)
