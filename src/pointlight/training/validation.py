"""A quick evaluation during training: fixed people of the validation split, simulated or from shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from pointlight.body import BodyModel
from pointlight.geometry import geodesic_angle, procrustes_error
from pointlight.motion import MotionBank
from pointlight.network import EVALUATION_INDICES, PoseNetwork, WindowConfig
from pointlight.simulator import EVAL_V1, EVAL_V1_PERFECT, SceneSampler, TrackMaker, Tracks, VideoClip
from pointlight.simulator.clips import tracks_of_clips
from pointlight.training.data import as_predict_reads, observation_of, targets_of
from pointlight.training.recipes import Recipe

VALIDATION_SEED = 1001
CLIPS_PER_GROUP = 48


class Validation:
    """Scores networks on the same tracks every time; each group of motions counts alike."""

    def __init__(self, tracks: Tracks, groups: Sequence[str]) -> None:
        """Keep what is scored.

        Args:
            tracks: of B clips.
            groups: (B) the groups of their motions.
        """
        self._tracks, self._groups = tracks, tuple(groups)

    @staticmethod
    def of_scenes(recipe: Recipe, bank: MotionBank, body: BodyModel) -> Validation:
        """Scenes with the noise of `eval-v1`; with none for who learns from exact keypoints. Each group has as many."""
        perfect = EVAL_V1_PERFECT
        exact = recipe.scenes.noises == perfect.noises and recipe.scenes.masking == perfect.masking
        scenes = replace(
            perfect if exact else EVAL_V1,
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

    @torch.no_grad()
    def score(self, network: PoseNetwork, body: BodyModel) -> dict[str, float]:
        """PA-MPJPE in mm over the 14 joints of seen frames: the mean over groups, and by group.

        Args:
            network: in evaluation mode.
            body: that it moves.
        """
        cues = network.observe(observation_of(self._tracks))
        frames = cues.occluded.shape[1]
        found = network.over_frames(cues.to(network.device), body, WindowConfig(frames))
        # Every frame by its own pair, the last one by the last pair's second head.
        targets = targets_of(self._tracks, cues)
        truth = torch.cat((targets.points_ray_m[:, :, 0], targets.points_ray_m[:, -1:, 1]), dim=1)
        turn = cues.R_ray_of_pairs
        chosen = list(EVALUATION_INDICES)
        points = (found.points_m.cpu() @ turn.transpose(-1, -2))[..., chosen, :]
        known = None if self._tracks.known is None else self._tracks.known[..., chosen].to(points.dtype)
        error = 1000 * procrustes_error(points, truth[..., chosen, :], known)
        scored = ~cues.occluded
        if known is not None:
            scored = scored & known.any(-1)
        by_group = {}
        for group in sorted(set(self._groups)):
            rows = torch.tensor([g == group for g in self._groups])
            by_group[f"pa_mpjpe_mm/{group}"] = float(error[rows][scored[rows]].mean())
        scores = {"pa_mpjpe_mm": sum(by_group.values()) / len(by_group), **by_group}
        if found.bodies is not None:
            true_root = torch.cat((targets.root_ray[:, :, 0], targets.root_ray[:, -1:, 1]), dim=1)
            angle = torch.rad2deg(geodesic_angle(turn @ found.bodies.root.cpu(), true_root))[scored]
            scores["root_deg_median"] = float(angle.median())
        return scores
