"""Batches with pictures: each use of a clip has its own crops, masking, noise and flip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, BodyModel, BodyState
from pointlight.configuration import added
from pointlight.cues import CueConfig, Observation, PictureCueConfig
from pointlight.network import draw_pairs, mirrored_targets
from pointlight.randomness import stream
from pointlight.simulator import SceneConfig, Tracks
from pointlight.simulator.scenes import apply_masking, detector_errors, draw_masking, leg_mask
from pointlight.training.data import Batch, as_predict_reads, observation_of, targets_of
from pointlight.training.picture_clips import ClipSupply, PictureClip
from pointlight.values import by_value


@dataclass(frozen=True)
class PictureUseConfig:
    """How clips with pictures are used.

    Attributes:
        clips: the recipe of `pointlight synthesize` that they are of.
        stride: every so many pairs of a clip are seen, from a first one that is drawn; neighbours are nearly one sample.
        shift: crops are off by up to so many box sizes (HMR: 20 of 224 px).
        scale: their sizes by a factor of up to 1 + scale, or its inverse.
        mirror: half of the clips are seen in a mirror; beyond the paper.
        window: frames that are seen of a clip, from a first one that is drawn; 0 is the whole clip.
    """

    clips: str = "full"
    stride: int = 3
    shift: float = 20 / 150
    scale: float = 0.2
    mirror: bool = True
    window: int = added(0)


@by_value
@dataclass(frozen=True)
class DenseBatch:
    """Single pairs with the truth about their crops.

    Attributes:
        inputs: (N, F).
        points_crop: (N, 12, 2) of the paper's keypoints, in half crops, hidden or not.
        parts: (N, S, S) int64, at a `PARTS_STEP`-th of the crop's size: 0 is not the person, then 1 + the part.
        shown: (N,) bool, pairs that show anything.
    """

    inputs: Tensor
    points_crop: Tensor
    parts: Tensor
    shown: Tensor


PARTS_STEP = 4
"""Crop pixels along a pixel of what dense pretraining asks for."""


class PictureBatches:
    """Makes batch `n` of clips, a pure function of (clips, configuration, seed, n)."""

    def __init__(
        self,
        clips: ClipSupply,
        scenes: SceneConfig,
        use: PictureUseConfig,
        cues: CueConfig,
        body: BodyModel,
        *,
        seed: int,
        size: int,
        rows: range | None = None,
    ) -> None:
        """Bring together what batches are made of.

        Args:
            clips: prepared, or made on the spot.
            scenes: whose masking and noise hold; the clips' own draws are not used.
            use: of the clips.
            cues: what the network sees.
            body: whose pose is the truth.
            seed: of all draws.
            size: clips a batch.
            rows: those of them that are made; all if not given.
        """
        self._clips, self._scenes, self._use, self._cues = clips, scenes, use, cues
        self._joint_names = body.joint_names
        self._seed, self._size = seed, size
        self._rows = range(size) if rows is None else rows

    def make(self, number: int) -> Batch:
        """See `Source`."""
        clips, tracks = self._drawn(number)
        rng = stream(self._seed, number, "crops and flips")
        phase = int(rng.integers(self._use.stride))
        pairs = torch.arange(phase, tracks.visible.shape[1] - 1, self._use.stride)
        cues = self._cues.make(self._seen(clips, tracks, rng), pairs=pairs)
        targets = targets_of(tracks, cues).of_pairs(pairs)
        flips = torch.from_numpy(rng.random(self._size) < 0.5 * self._use.mirror)[list(self._rows)]
        if not flips.any():
            return Batch(cues.inputs, targets)
        inputs = cues.inputs.clone()
        inputs[flips] = self._cues.mirrored(cues.inputs[flips])
        return Batch(inputs, mirrored_targets(targets, flips, self._joint_names))

    def dense(self, number: int, pairs: int) -> DenseBatch:
        """What dense pretraining sees: single pairs, so many of each clip, with where everything is in their crops."""
        assert isinstance(self._cues, PictureCueConfig)
        clips, tracks = self._drawn(number)
        rng = stream(self._seed, number, "dense crops")
        chosen = draw_pairs(tracks.visible.shape[1] - 1, pairs, rng)
        seen = self._seen(clips, tracks, rng)
        cues = self._cues.make(seen, pairs=chosen)
        points = targets_of(tracks, cues).points_crop[:, chosen, 0, : len(NETWORK_KEYPOINTS)]
        smaller = np.diag((PARTS_STEP, PARTS_STEP, 1))
        maps = self._cues.picture_from_crop(seen)[:, chosen].numpy() @ smaller
        side = self._cues.side_px // PARTS_STEP
        parts = [
            clip.parts_in(int(pair), maps[row, place], side)
            for row, clip in enumerate(clips)
            for place, pair in enumerate(chosen)
        ]
        return DenseBatch(
            cues.inputs.flatten(0, 1),
            points.flatten(0, 1),
            torch.from_numpy(np.stack(parts).astype(np.int64)),
            ~cues.occluded[:, chosen].flatten(),
        )

    def _drawn(self, number: int) -> tuple[list[PictureClip], Tracks]:
        """The clips of a batch, and their tracks as a detector gives them this time."""
        uses = [number * self._size + row for row in self._rows]
        clips = [
            self._window_of(self._clips.clip(self._clips.number_of(use, self._seed)), use) for use in uses
        ]
        drawn = [redrawn(clip, self._scenes, self._seed, use) for clip, use in zip(clips, uses, strict=True)]
        return clips, as_predict_reads(joined(drawn), self._scenes)

    def _window_of(self, clip: PictureClip, use: int) -> PictureClip:
        """As much of a clip as is seen this time."""
        frames = self._use.window
        if not frames:
            return clip
        first = stream(self._seed, use, "window of the clip").integers(len(clip.out_of_frame) - frames + 1)
        return clip.window(int(first), frames)

    def _seen(self, clips: Sequence[PictureClip], tracks: Tracks, rng: np.random.Generator) -> Observation:
        frames = tuple(clip.frames for clip in clips)
        return replace(observation_of(tracks), pictures=frames, box_moves=self._moves(rng))

    def _moves(self, rng: np.random.Generator) -> Tensor:
        """(B, 3) of the boxes; drawn for the whole batch, whichever rows are made."""
        return box_moves(self._use, self._size, rng)[list(self._rows)]


def box_moves(use: PictureUseConfig, count: int, rng: np.random.Generator) -> Tensor:
    """(count, 3) by how much the crops of so many clips are off, see `Observation.box_moves`."""
    shift = rng.uniform(-use.shift, use.shift, (count, 2))
    reach = np.log1p(use.scale)
    size = rng.uniform(-reach, reach, (count, 1))
    return torch.from_numpy(np.concatenate((shift, size), axis=1).astype(np.float32))


def redrawn(clip: PictureClip, scenes: SceneConfig, seed: int, use: int) -> Tracks:
    """The clip's keypoints as a detector gives them this time: masking and noise drawn anew."""
    frames = clip.out_of_frame.shape[0]
    draws = draw_masking(scenes.masking, seed, use, frames, EXTENDED_KEYPOINTS)
    visible = apply_masking(
        clip.out_of_frame,
        clip.self_occluded,
        replace(draws, block=draws.block | clip.occluded),
        scenes.masking,
        leg_mask(EXTENDED_KEYPOINTS),
    )
    noises = scenes.noises
    noise = noises[int(stream(seed, use, "detector of the use").integers(len(noises)))]
    exact = clip.tracks.detections_px[0].numpy()
    detections, visible = detector_errors(exact, visible, EXTENDED_KEYPOINTS, noise, seed, use)
    return replace(
        clip.tracks,
        detections_px=torch.from_numpy(detections)[None],
        visible=torch.from_numpy(visible)[None],
        totally_occluded=torch.from_numpy(draws.totally_occluded)[None],
    )


def joined(tracks: Sequence[Tracks]) -> Tracks:
    """Tracks of equal length as one batch."""
    values = {
        entry.name: torch.cat([getattr(one, entry.name) for one in tracks])
        for entry in fields(Tracks)
        if entry.name not in ("state", "known", "body_known")
    }
    names = ("pose", "shape", "root", "translation")
    state = BodyState(*(torch.cat([getattr(one.state, name) for one in tracks]) for name in names))
    return Tracks(
        **values,
        state=state,
        known=_joined_known([(one.known, one.points_px.shape[:-1]) for one in tracks]),
        body_known=_joined_known([(one.body_known, one.points_px.shape[:1]) for one in tracks]),
    )


def _joined_known(said: Sequence[tuple[Tensor | None, torch.Size]]) -> Tensor | None:
    """What is known of all, each given with its shape; None where all is."""
    if all(known is None for known, _ in said):
        return None
    return torch.cat(
        [torch.ones(shape, dtype=torch.bool) if known is None else known for known, shape in said]
    )
