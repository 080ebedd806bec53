"""A quick evaluation during training: fixed people of the validation split, simulated, from shards or from a bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from pointlight.body import NETWORK_KEYPOINTS, BodyModel
from pointlight.cues import Cue, FrameSource, totally_occluded
from pointlight.geometry import geodesic_angle, procrustes_error
from pointlight.motion import MotionBank
from pointlight.network import EVALUATION_INDICES, PoseNetwork, WindowConfig
from pointlight.simulator import EVAL_V1, EVAL_V1_PERFECT, SceneSampler, TrackMaker, Tracks, VideoClip
from pointlight.simulator.clips import tracks_of_clips
from pointlight.training.data import as_predict_reads, observation_of, targets_of
from pointlight.training.picture_clips import PictureClip
from pointlight.training.picture_data import joined, redrawn
from pointlight.training.recipes import Recipe

VALIDATION_SEED = 1001
CLIPS_PER_GROUP = 48
_CLIPS_AT_ONCE = 16
"""Of those with pictures, which take memory."""


class Validation:
    """Scores networks on the same tracks every time; each group of motions counts alike."""

    def __init__(
        self,
        tracks: Tracks | Sequence[Tracks],
        groups: Sequence[str],
        pictures: Sequence[tuple[FrameSource, ...]] = (),
        window: int | None = None,
    ) -> None:
        """Keep what is scored.

        Args:
            tracks: of B clips; or several such batches, that are scored one after another.
            groups: (B) the groups of their motions, of all batches.
            pictures: of each batch, where there are some.
            window: frames that a network sees at once; whole tracks if not given.
        """
        self._batches = [tracks] if isinstance(tracks, Tracks) else list(tracks)
        self._groups = tuple(groups)
        self._pictures = pictures or [()] * len(self._batches)
        self._window = window

    @staticmethod
    def of_scenes(recipe: Recipe, bank: MotionBank, body: BodyModel) -> Validation:
        """Scenes with the noise of `eval-v1`, with none for who learns from exact keypoints, or the recipe's own.

        Each group has as many.
        """
        perfect = EVAL_V1_PERFECT
        exact = recipe.scenes.noises == perfect.noises and recipe.scenes.masking == perfect.masking
        scenes = replace(
            recipe.scenes if recipe.own_validation else perfect if exact else EVAL_V1,
            name="validation-v1",
            split="validation",
            group_power=0.0,
            frames=recipe.scenes.frames,
        )
        sampler = SceneSampler(scenes, bank, body)
        groups = {bank.clips[i].group for i in bank.indices("validation")}
        drawn = [sampler.sample(VALIDATION_SEED, i) for i in range(CLIPS_PER_GROUP * len(groups))]
        tracks = as_predict_reads(TrackMaker(scenes, body).make(drawn), scenes)
        return Validation(tracks, [scene.motion.group for scene in drawn])

    @staticmethod
    def of_clips(clips: Sequence[VideoClip], groups: Sequence[str], body: BodyModel) -> Validation:
        """Stored clips, of equal length; all of the validation split.

        Raises:
            PointlightError: a clip is of another split.
        """
        for clip in clips:
            clip.provenance.check_split("validation")
        return Validation(tracks_of_clips(clips, body), groups)

    @staticmethod
    def of_pictures(recipe: Recipe, clips: Sequence[PictureClip]) -> Validation:
        """Clips with pictures of the validation split, with the recipe's own masking and noise."""
        scenes = recipe.scenes
        tracks = [redrawn(clip, scenes, VALIDATION_SEED, number) for number, clip in enumerate(clips)]
        starts = range(0, len(clips), _CLIPS_AT_ONCE)
        return Validation(
            [as_predict_reads(joined(tracks[i : i + _CLIPS_AT_ONCE]), scenes) for i in starts],
            [clip.group for clip in clips],
            [tuple(clip.frames for clip in clips[i : i + _CLIPS_AT_ONCE]) for i in starts],
            recipe.clip_frames,
        )

    @torch.no_grad()
    def score(
        self, network: PoseNetwork | Tensor, body: BodyModel, *, without: Cue | None = None
    ) -> dict[str, float]:
        """PA-MPJPE in mm over the 14 joints of seen frames: the mean over groups, and by group.

        Args:
            network: in evaluation mode; or a constant pose (14, 3).
            body: that it moves.
            without: a cue that is set to zero, to see what a network that sees pictures makes of it.
        """
        error, counts, angles = self.errors(network, body, without=without)
        by_group: dict[str, float] = {}
        for group in sorted(set(self._groups)):
            rows = torch.tensor([g == group for g in self._groups])
            by_group[f"pa_mpjpe_mm/{group}"] = float(error[rows][counts[rows]].mean())
        scores = {"pa_mpjpe_mm": sum(by_group.values()) / len(by_group), **by_group}
        if angles is not None:
            scores["root_deg_median"] = float(angles[counts].median())
        return scores

    @torch.no_grad()
    def errors(
        self, network: PoseNetwork | Tensor, body: BodyModel, *, without: Cue | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Frame by frame; arguments as `score`.

        Returns:
            (B, T) PA-MPJPE in mm, (B, T) bool whether a frame counts, and (B, T) the root's errors in degrees, None for a
            model without one.
        """
        errors, scored, angles = [], [], []
        for tracks, pictures in zip(self._batches, self._pictures, strict=True):
            error, counts, angle = _errors(network, body, tracks, pictures, without, self._window)
            errors.append(error)
            scored.append(counts)
            angles += [] if angle is None else [angle]
        return torch.cat(errors), torch.cat(scored), torch.cat(angles) if angles else None


def _errors(
    network: PoseNetwork | Tensor,
    body: BodyModel,
    tracks: Tracks,
    pictures: tuple[FrameSource, ...],
    without: Cue | None,
    window: int | None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Errors in mm (B, T), which frames count (B, T), and the root's errors in degrees (B, T) where there are some."""
    chosen = list(EVALUATION_INDICES)
    seen = replace(observation_of(tracks), pictures=pictures)
    known = None if tracks.known is None else tracks.known[..., chosen].float()
    if isinstance(network, Tensor):
        truth = tracks.points_camera_m[..., chosen, :]
        error = 1000 * procrustes_error(network.expand_as(truth), truth, known)
        twelve = seen.of(NETWORK_KEYPOINTS).visible
        return error, _counted(totally_occluded(twelve), known), None
    cues = network.observe(seen)
    if without is not None:
        cues = replace(cues, inputs=network.config.cues.without(cues.inputs, without))
    frames = cues.occluded.shape[1]
    found = network.over_frames(cues.to(network.device), body, WindowConfig(window or frames))
    # Every frame by its own pair, the last one by the last pair's second head.
    targets = targets_of(tracks, cues)
    truth = torch.cat((targets.points_ray_m[:, :, 0], targets.points_ray_m[:, -1:, 1]), dim=1)
    turn = cues.R_ray_of_pairs
    points = (found.points_m.cpu() @ turn.transpose(-1, -2))[..., chosen, :]
    error = 1000 * procrustes_error(points, truth[..., chosen, :], known)
    if found.bodies is None:
        return error, _counted(cues.occluded, known), None
    true_root = torch.cat((targets.root_ray[:, :, 0], targets.root_ray[:, -1:, 1]), dim=1)
    angle = torch.rad2deg(geodesic_angle(turn @ found.bodies.root.cpu(), true_root))
    return error, _counted(cues.occluded, known), angle


def _counted(occluded: Tensor, known: Tensor | None) -> Tensor:
    return ~occluded if known is None else ~occluded & known.bool().any(-1)
