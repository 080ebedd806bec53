"""From one person's 2D track to a moving body: the 30 frames/s grid, windows, averaging, and back to the video's times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointlight.body import BodyModel
from pointlight.cues import KEYPOINT_SETS, PointCues, point_cues, totally_occluded
from pointlight.geometry import interpolate_rotations, nearest_rotation
from pointlight.network import MotionHMR, Prediction, frames_of_pairs, seen_both_ways
from pointlight.simulator import CLIP_FRAMES, FRAMES_PER_SECOND

LONGEST_GAP_S = 0.1
"""Keypoints are interpolated only between real frames at most this far apart; otherwise they are hidden."""

LONGEST_OCCLUSION_FRAMES = 15
"""Of the 30 frames/s grid: the longest total occlusion that the networks were trained on. A body in a longer one, or
before the person is first seen or after the last time, would be invented."""


@dataclass(frozen=True)
class Track2D:
    """One person's keypoints in a video, as a network wants them.

    Attributes:
        time_s: (T,) strictly increasing.
        points_px: (T, K, 2).
        visible: (T, K) bool.
        focal_px: known or assumed.
        principal_px: (2,).
    """

    time_s: np.ndarray
    points_px: np.ndarray
    visible: np.ndarray
    focal_px: float
    principal_px: np.ndarray


@dataclass(frozen=True)
class LiftedTrack:
    """A body at given times, in camera axes.

    Attributes:
        pose: (T, J-1, 3, 3) parent-relative rotations.
        root: (T, 3, 3) body axes to camera axes.
        shape: (S,) one for the track.
        translation_m: (T, 3) the root joint's place as the network sees it.
        occluded: (T,) bool, fewer than 7 of the 12 keypoints seen.
        valid: (T,) bool, the person is seen, or hidden for a short while between frames that show them.
    """

    pose: np.ndarray
    root: np.ndarray
    shape: np.ndarray
    translation_m: np.ndarray
    occluded: np.ndarray
    valid: np.ndarray


def lift(
    track: Track2D,
    model: MotionHMR,
    body: BodyModel,
    *,
    overlap: bool = True,
    mirror: bool = True,
    device: str = "cpu",
) -> LiftedTrack:
    """Run a `points` network over a track.

    Args:
        track: keypoints in the order of the network's input set.
        model: in evaluation mode.
        body: whose pose it predicts.
        overlap: average windows that overlap by half; otherwise windows follow one another (the paper).
        mirror: average what the network says of a window and of its mirror image; otherwise of the window alone.
        device: where the network runs.
    """
    encoder = model.config.encoder
    grid_s = grid_times(track.time_s)
    points, visible = on_the_grid(track, grid_s)
    cues = point_cues(
        torch.from_numpy(points),
        torch.from_numpy(visible),
        torch.tensor(track.focal_px, dtype=torch.float32),
        torch.from_numpy(track.principal_px.astype(np.float32)).expand(len(grid_s), 2),
        keypoint_set=encoder.keypoint_set,
        next_frame=encoder.next_frame,
    )
    model = model.to(device)
    network = seen_both_ways(model, body.joint_names) if mirror else model
    merged = _over_windows(cues, network, overlap=overlap, device=device)
    return _at_video_times(track, grid_s, cues, merged)


def grid_times(time_s: np.ndarray) -> np.ndarray:
    """(G,) t0 + k/30 up to the last frame, at least one window."""
    span = float(time_s[-1] - time_s[0])
    count = max(int(np.ceil(span * FRAMES_PER_SECOND - 1e-6)) + 1, CLIP_FRAMES)
    return time_s[0] + np.arange(count) / FRAMES_PER_SECOND


def on_the_grid(track: Track2D, grid_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (G, K, 2) float32 and visibility (G, K) at the grid's times; after its end the last frame stands still."""
    query = np.minimum(grid_s, track.time_s[-1])
    right = np.clip(np.searchsorted(track.time_s, query, side="left"), 0, len(track.time_s) - 1)
    left = np.where(track.time_s[right] <= query + 1e-9, right, np.maximum(right - 1, 0))
    gap = track.time_s[right] - track.time_s[left]
    share = np.where(gap > 0, (query - track.time_s[left]) / np.where(gap > 0, gap, 1), 0.0)
    weight = share[:, None, None]
    points = (1 - weight) * track.points_px[left] + weight * track.points_px[right]
    near = (gap <= LONGEST_GAP_S + 1e-9)[:, None]
    visible = near & track.visible[left] & track.visible[right]
    return np.where(visible[..., None], points, 0.0).astype(np.float32), visible


@dataclass(frozen=True)
class _Merged:
    """Averages on the grid, in camera axes."""

    pose: Tensor
    root: Tensor
    shape: Tensor
    translation: Tensor


@torch.no_grad()
def _over_windows(
    cues: PointCues, network: Callable[[Tensor], Prediction], *, overlap: bool, device: str
) -> _Merged:
    """Predict windows and average them by rotation."""
    count = len(cues.occluded)
    starts = window_starts(count, CLIP_FRAMES, CLIP_FRAMES // 2 if overlap else CLIP_FRAMES)
    index = starts[:, None] + torch.arange(CLIP_FRAMES)
    features = cues.features[index[:, :-1]].to(device)
    parts = [frames_of_pairs(network(chunk)) for chunk in features.split(64)]
    predicted = Prediction(
        *(torch.cat([getattr(p, name) for p in parts]).cpu() for name in Prediction.__dataclass_fields__)
    )
    # The last frame of a window is in the crop-ray frame of the frame before it.
    frame_of = index.clone()
    frame_of[:, -1] -= 1
    turn = cues.R_ray_camera[frame_of].transpose(-1, -2)
    depth = cues.focal_crop[frame_of] / predicted.scale
    place = (turn @ torch.cat((predicted.shift, depth[..., None]), dim=-1)[..., None])[..., 0]
    root = turn @ predicted.root
    weights = _window_weights(overlap).expand(len(starts), CLIP_FRAMES)
    seen = (~cues.occluded[index]).to(weights.dtype)

    def blend(values: Tensor) -> Tensor:
        total = values.new_zeros(count, *values.shape[2:])
        total.index_add_(0, index.flatten(), (values * _like(weights, values)).flatten(0, 1))
        norm = weights.new_zeros(count).index_add_(0, index.flatten(), weights.flatten())
        return total / _like(norm, total)

    shape_weight = seen.sum(1) + 1e-3
    shape = (predicted.shape[:, 0] * shape_weight[:, None]).sum(0) / shape_weight.sum()
    if predicted.shape.shape[1] > 1:
        shape = (predicted.shape * seen[..., None]).sum((0, 1)) / seen.sum().clamp_min(1)
    return _Merged(
        pose=nearest_rotation(blend(predicted.pose)),
        root=nearest_rotation(blend(root)),
        shape=shape,
        translation=blend(place),
    )


def window_starts(count: int, length: int, stride: int) -> Tensor:
    """First frames of windows that cover `count` frames; the last one ends with the last frame."""
    starts = list(range(0, max(count - length, 0) + 1, stride))
    if starts[-1] + length < count:
        starts.append(count - length)
    return torch.tensor(starts)


def _window_weights(overlap: bool) -> Tensor:
    """(31,) a triangle, since a window knows most about its middle; all alike where windows do not overlap."""
    if not overlap:
        return torch.ones(CLIP_FRAMES)
    return 1.0 - (torch.arange(CLIP_FRAMES) - CLIP_FRAMES // 2).abs() / (CLIP_FRAMES // 2 + 1)


def _like(weights: Tensor, values: Tensor) -> Tensor:
    return weights.reshape(*weights.shape, *([1] * (values.ndim - weights.ndim)))


def _at_video_times(track: Track2D, grid_s: np.ndarray, cues: PointCues, merged: _Merged) -> LiftedTrack:
    start = grid_s[0]
    times = torch.from_numpy(grid_s - start)
    query = torch.from_numpy(track.time_s - start)
    place = np.stack(
        [np.interp(track.time_s, grid_s, merged.translation[:, i].numpy()) for i in range(3)], axis=-1
    )
    twelve = track.visible[:, : len(KEYPOINT_SETS["paper12"])]
    occluded = totally_occluded(torch.from_numpy(twelve)).numpy()
    return LiftedTrack(
        pose=interpolate_rotations(merged.pose, times, query).numpy(),
        root=interpolate_rotations(merged.root, times, query).numpy(),
        shape=merged.shape.numpy(),
        translation_m=place.astype(np.float32),
        occluded=occluded,
        valid=seen_or_between(track.time_s, ~occluded, (LONGEST_OCCLUSION_FRAMES + 1) / FRAMES_PER_SECOND),
    )


def seen_or_between(time_s: np.ndarray, seen: np.ndarray, apart_s: float) -> np.ndarray:
    """(T,) bool: frames that are seen, or lie between seen frames at most so many seconds apart."""
    if not seen.any():
        return np.zeros(len(time_s), bool)
    times = time_s[seen]
    after = np.searchsorted(times, time_s)
    enclosed = (after > 0) & (after < len(times))
    gap_s = times[np.minimum(after, len(times) - 1)] - times[np.maximum(after - 1, 0)]
    return seen | (enclosed & (gap_s <= apart_s + 1e-9))
