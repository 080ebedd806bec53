"""From one person's 2D track to a moving body: the 30 frames/s grid, windows, averaging, and back to the video's times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pointlight.body import NETWORK_KEYPOINTS, BodyModel
from pointlight.cues import Observation, VideoFrames, totally_occluded
from pointlight.geometry import interpolate_rotations
from pointlight.media import Frame
from pointlight.network import PoseNetwork, WindowConfig
from pointlight.simulator import FRAMES_PER_SECOND
from pointlight.values import by_value

LONGEST_GAP_S = 0.2
"""Keypoints are interpolated only between real frames at most this far apart; otherwise they are hidden between them. At 6
frames/s that is nearer to the truth than to hide four of five times of the grid (`benchmarks/frame_rates.py`)."""

NEAREST_S = 0.5 / FRAMES_PER_SECOND
"""A keypoint that can't be interpolated is taken as it is from a frame that is this near to a time of the grid."""

LONGEST_OCCLUSION_FRAMES = 15
"""Of the 30 frames/s grid: the longest total occlusion that the networks were trained on. A body in a longer one, or
before the person is first seen or after the last time, would be invented."""


@by_value
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


@by_value
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
    names: tuple[str, ...],
    network: PoseNetwork,
    body: BodyModel,
    windows: WindowConfig,
    frames: Iterable[Frame] = (),
) -> LiftedTrack:
    """Run a network that gives bodies over a track.

    Args:
        track: keypoints.
        names: of the track's keypoints.
        network: in evaluation mode.
        body: whose pose it predicts.
        windows: how the network sees the track.
        frames: the video's, for networks that see pictures.
    """
    grid_s = grid_times(track.time_s, windows.frames)
    seen = observation_of(track, names, grid_s)
    if network.config.cues.sees_pictures:
        seen = replace(seen, pictures=(VideoFrames(frames, grid_s),))
    cues = network.observe(seen, later=True).alone()
    bodies = network.over_frames(cues.to(network.device), body, windows).bodies
    if bodies is None:
        raise ValueError("this network gives points, not bodies")
    merged = _Merged(
        *(values[0].cpu() for values in (bodies.pose, bodies.root, bodies.track_shape, bodies.place_m))
    )
    return _at_video_times(track, names, grid_s, merged)


def observation_of(track: Track2D, names: tuple[str, ...], grid_s: np.ndarray) -> Observation:
    """What is seen of a track at the grid's times, without a batch's dimension."""
    points, visible = on_the_grid(track, grid_s)
    return Observation(
        torch.from_numpy(points),
        torch.from_numpy(visible),
        names,
        torch.tensor(track.focal_px, dtype=torch.float32),
        torch.from_numpy(track.principal_px.astype(np.float32)),
    )


def grid_times(time_s: np.ndarray, least: int) -> np.ndarray:
    """(G,) t0 + k/30 up to the last frame, at least so many."""
    span = float(time_s[-1] - time_s[0])
    count = max(int(np.ceil(span * FRAMES_PER_SECOND - 1e-6)) + 1, least)
    return time_s[0] + np.arange(count) / FRAMES_PER_SECOND


def on_the_grid(track: Track2D, grid_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (G, K, 2) float32 and visibility (G, K) at the grid's times; after its end the last frame stands still.

    A keypoint is interpolated where both frames around a time show it and are near each other. Otherwise it is taken as
    it is from the frame that is nearest, if that is within half a step of the grid: so every frame is used.
    """
    query = np.minimum(grid_s, track.time_s[-1])
    right = np.clip(np.searchsorted(track.time_s, query, side="left"), 0, len(track.time_s) - 1)
    left = np.where(track.time_s[right] <= query + 1e-9, right, np.maximum(right - 1, 0))
    gap = track.time_s[right] - track.time_s[left]
    share = np.where(gap > 0, (query - track.time_s[left]) / np.where(gap > 0, gap, 1), 0.0)
    weight = share[:, None, None]
    between = (1 - weight) * track.points_px[left] + weight * track.points_px[right]
    visible = (gap <= LONGEST_GAP_S + 1e-9)[:, None] & track.visible[left] & track.visible[right]
    points = np.where(visible[..., None], between, 0.0)
    for frame in (np.where(share < 0.5, left, right), np.where(share < 0.5, right, left)):
        near = np.abs(track.time_s[frame] - query) <= NEAREST_S + 1e-9
        alone = ~visible & near[:, None] & track.visible[frame]
        points = np.where(alone[..., None], track.points_px[frame], points)
        visible = visible | alone
    return points.astype(np.float32), visible


@dataclass(frozen=True)
class _Merged:
    """One track's body on the grid, in camera axes: pose (G, J-1, 3, 3), root, shape (S,), translation (G, 3)."""

    pose: Tensor
    root: Tensor
    shape: Tensor
    translation: Tensor


def _at_video_times(
    track: Track2D, names: tuple[str, ...], grid_s: np.ndarray, merged: _Merged
) -> LiftedTrack:
    start = grid_s[0]
    times = torch.from_numpy(grid_s - start)
    query = torch.from_numpy(track.time_s - start)
    place = np.stack(
        [np.interp(track.time_s, grid_s, merged.translation[:, i].numpy()) for i in range(3)], axis=-1
    )
    twelve = track.visible[:, [names.index(name) for name in NETWORK_KEYPOINTS]]
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
