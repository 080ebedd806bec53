"""Batches made on the fly: scenes -> tracks -> cues and targets. Batch `n` is a pure function of (recipe, seed, n)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel
from pointlight.cues import (
    KEYPOINT_SETS,
    PointCues,
    RepairConfig,
    crop_coordinates,
    point_cues,
    repair_sides,
)
from pointlight.geometry import crop_ray_rotation, pixel_rays
from pointlight.motion import MotionBank
from pointlight.simulator import FRAMES_PER_SECOND, SceneConfig, SceneSampler, TrackMaker, Tracks
from pointlight.training.losses import Targets


@dataclass(frozen=True)
class Batch:
    """What one step sees.

    Attributes:
        features: (B, T-1, F) the network's input.
        targets: the truth.
    """

    features: Tensor
    targets: Targets


def cues_of_tracks(tracks: Tracks, keypoint_set: str, next_frame: bool) -> PointCues:
    """The network's input of simulated tracks, by the same function as for real video."""
    count = len(KEYPOINT_SETS[keypoint_set])
    return point_cues(
        tracks.detections_px[..., :count, :],
        tracks.visible[..., :count],
        tracks.assumed_focal_px,
        tracks.principal_px,
        keypoint_set=keypoint_set,
        next_frame=next_frame,
    )


def repaired_tracks(tracks: Tracks) -> Tracks:
    """Tracks after the repair of exchanged sides that real tracks go through before their cues are made."""
    seen = torch.cat((tracks.detections_px, tracks.visible[..., None].float()), dim=-1).numpy()
    times = np.arange(seen.shape[1]) / FRAMES_PER_SECOND
    repaired = [repair_sides(clip, times, EXTENDED_KEYPOINTS, RepairConfig()).points for clip in seen]
    points = torch.from_numpy(np.stack(repaired))
    return replace(tracks, detections_px=points[..., :2], visible=points[..., 2] > 0)


def targets_of_tracks(tracks: Tracks, cues: PointCues) -> Targets:
    """The truth in the crop-ray frames of `cues`.

    Bodies are turned by the true viewing ray of the crop: that is how the person looks in it. The places in the
    crop are those that the network can know, by the focal length that it is told.
    """
    true_ray = pixel_rays(
        cues.boxes.centre_px, tracks.focal_px[:, None].expand(cues.occluded.shape), tracks.principal_px
    )
    turn = crop_ray_rotation(true_ray)[:, :-1, None]  # (B, T-1, 1, 3, 3)
    focal = tracks.assumed_focal_px[:, None, None].expand(tracks.points_px.shape[:3])
    rays = pixel_rays(tracks.points_px, focal, tracks.principal_px[:, :, None])
    points = _both_frames(tracks.points_camera_m)
    return Targets(
        points_ray_m=points @ turn.transpose(-1, -2),
        points_crop=crop_coordinates(
            _both_frames(rays), cues.R_ray_camera[:, :-1, None], cues.focal_crop[:, :-1, None]
        ),
        pose=_both_frames(tracks.state.pose),
        root_ray=turn @ _both_frames(tracks.state.root),
        shape=tracks.state.shape[:, :, None],
        focal_crop=cues.focal_crop[:, :-1],
    )


def _both_frames(values: Tensor) -> Tensor:
    """(B, T, ...) -> (B, T-1, 2, ...): the present and the next frame of every pair."""
    return torch.stack((values[:, :-1], values[:, 1:]), dim=2)


class BatchMaker:
    """Makes batch `n` for a recipe's input."""

    def __init__(
        self,
        scenes: SceneConfig,
        bank: MotionBank,
        body: BodyModel,
        *,
        keypoint_set: str,
        next_frame: bool,
        seed: int,
        size: int,
    ) -> None:
        self._sampler = SceneSampler(scenes, bank, body)
        self._maker = TrackMaker(scenes, body)
        self._keypoint_set = keypoint_set
        self._next_frame = next_frame
        self._seed = seed
        self._size = size

    def make(self, number: int) -> Batch:
        """Batch `number`: scenes number * size, ... of the seed."""
        first = number * self._size
        scenes = [self._sampler.sample(self._seed, index) for index in range(first, first + self._size)]
        tracks = self._maker.make(scenes)
        if any(noise.swap for noise in self._maker.config.noises):
            tracks = repaired_tracks(tracks)
        cues = cues_of_tracks(tracks, self._keypoint_set, self._next_frame)
        return Batch(cues.features, targets_of_tracks(tracks, cues))


def batches(maker: BatchMaker, first: int, *, workers: int) -> Iterator[Batch]:
    """Batches `first`, `first + 1`, ... without end, in order, whatever the number of worker processes."""
    dataset = _BatchStream(maker, first)
    context = "fork" if workers else None
    loader = DataLoader(
        dataset,
        batch_size=None,
        num_workers=workers,
        multiprocessing_context=context,
        prefetch_factor=4 if workers else None,
        generator=torch.Generator(),  # else every new iterator draws from the global one
    )
    return iter(loader)


class _BatchStream(IterableDataset[Batch]):
    def __init__(self, maker: BatchMaker, first: int) -> None:
        self._maker = maker
        self._first = first

    def __iter__(self) -> Iterator[Batch]:
        info = get_worker_info()
        offset, stride = (0, 1) if info is None else (info.id, info.num_workers)
        number = self._first + offset
        while True:
            yield self._maker.make(number)
            number += stride
