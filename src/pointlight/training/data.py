"""Batches made on the fly: scenes -> tracks -> cues and targets. Batch `n` is a pure function of (recipe, seed, n)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel
from pointlight.cues import (
    CueConfig,
    Cues,
    FrameSource,
    Observation,
    RepairConfig,
    crop_coordinates,
    repair_sides,
)
from pointlight.geometry import crop_ray_rotation, pixel_rays
from pointlight.motion import MotionBank
from pointlight.network import Targets
from pointlight.simulator import FRAMES_PER_SECOND, SceneConfig, SceneSampler, TrackMaker, Tracks
from pointlight.values import by_value


@by_value
@dataclass(frozen=True)
class Batch:
    """What one step sees.

    Attributes:
        inputs: (B, T-1, *shape) the network's input.
        targets: the truth.
    """

    inputs: Tensor
    targets: Targets

    def to(self, device: str) -> Batch:
        """The same on a device."""
        return Batch(self.inputs.to(device), self.targets.to(device))


Made = TypeVar("Made", covariant=True)


class Source(Protocol[Made]):
    """Whatever makes something by number."""

    def make(self, number: int) -> Made:
        """Number `number`, the same whenever it is asked for."""
        ...


BatchSource = Source[Batch]
"""Batches: of scenes on the fly, of clips from shards, of a prepared bank."""


def observation_of(tracks: Tracks) -> Observation:
    """What a network may know of simulated tracks, as of real ones: the lens is assumed, the camera's motion unknown."""
    return Observation(
        tracks.detections_px,
        tracks.visible,
        EXTENDED_KEYPOINTS,
        tracks.assumed_focal_px,
        tracks.assumed_principal_px,
    )


def as_predict_reads(tracks: Tracks, scenes: SceneConfig) -> Tracks:
    """Tracks of scenes as `predict` takes them from a detector: repaired, if one of the detectors exchanges sides.

    Training, validation and evaluation all see tracks this way. Exact sides need no repair, which costs as much as drawing.
    """
    return repaired_tracks(tracks) if any(noise.swap for noise in scenes.noises) else tracks


def repaired_tracks(tracks: Tracks) -> Tracks:
    """Tracks after the repair of left-right swaps that real tracks go through before their cues are made."""
    seen = torch.cat((tracks.detections_px, tracks.visible[..., None].float()), dim=-1).numpy()
    times = np.arange(seen.shape[1]) / FRAMES_PER_SECOND
    repaired = [repair_sides(clip, times, EXTENDED_KEYPOINTS, RepairConfig()).points for clip in seen]
    points = torch.from_numpy(np.stack(repaired))
    return replace(tracks, detections_px=points[..., :2], visible=points[..., 2] > 0)


def targets_of(tracks: Tracks, cues: Cues) -> Targets:
    """The truth in the crop-ray frames of `cues`.

    Bodies are turned by the true viewing ray of the crop: that is how the person looks in it. The places in the
    crop are those that the network can know, by the lens that it is told.
    """
    true_ray = pixel_rays(
        cues.boxes.centre_px, tracks.focal_px[:, None].expand(cues.occluded.shape), tracks.principal_px
    )
    turn = crop_ray_rotation(true_ray)[:, :-1, None]  # (B, T-1, 1, 3, 3)
    focal = tracks.assumed_focal_px[:, None, None].expand(tracks.points_px.shape[:3])
    rays = pixel_rays(tracks.points_px, focal, tracks.assumed_principal_px[:, None, None])
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
        known=None if tracks.known is None else _both_frames(tracks.known),
        body_known=tracks.body_known,
    ).marked()


def _both_frames(values: Tensor) -> Tensor:
    """(B, T, ...) -> (B, T-1, 2, ...): the present and the next frame of every pair."""
    return torch.stack((values[:, :-1], values[:, 1:]), dim=2)


class BatchMaker:
    """Makes batch `n` from scenes, for any cue."""

    def __init__(
        self,
        scenes: SceneConfig,
        bank: MotionBank,
        body: BodyModel,
        cues: CueConfig,
        *,
        seed: int,
        size: int,
        rows: range | None = None,
    ) -> None:
        """Bring together what batches are made of.

        Args:
            scenes: that are drawn.
            bank: their motions.
            body: whose pose is the truth.
            cues: what the network sees.
            seed: of all draws.
            size: clips a batch.
            rows: those of them that are made; all if not given.
        """
        self._sampler = SceneSampler(scenes, bank, body)
        self._maker = TrackMaker(scenes, body)
        self._cues = cues
        self._seed = seed
        self._size = size
        self._rows = range(size) if rows is None else rows

    def make(self, number: int, pictures: tuple[FrameSource, ...] = ()) -> Batch:
        """Batch `number`: scenes number * size, ... of the seed; with pictures of each, for cues that see some."""
        first = number * self._size
        scenes = [self._sampler.sample(self._seed, first + row) for row in self._rows]
        tracks = as_predict_reads(self._maker.make(scenes), self._maker.config)
        cues = self._cues.make(replace(observation_of(tracks), pictures=pictures))
        return Batch(cues.inputs, targets_of(tracks, cues))


def batches(source: Source[Made], first: int, *, workers: int) -> Iterator[Made]:
    """Batches `first`, `first + 1`, ... without end, in order, whatever the number of worker processes."""
    dataset = _BatchStream(source, first)
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


class _BatchStream(IterableDataset[Any]):
    def __init__(self, source: Source[Any], first: int) -> None:
        self._source = source
        self._first = first

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        offset, stride = (0, 1) if info is None else (info.id, info.num_workers)
        number = self._first + offset
        while True:
            yield self._source.make(number)
            number += stride
