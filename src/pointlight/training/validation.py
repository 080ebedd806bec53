"""A quick judgement during training: fixed scenes of the validation split, with the noise of `eval-v1` or with none."""

from __future__ import annotations

from dataclasses import replace

import torch

from pointlight.body import BodyModel, BodyState
from pointlight.cues import PointCues
from pointlight.geometry import geodesic_angle, procrustes_error
from pointlight.motion import MotionBank
from pointlight.network import Martinez, MotionHMR, MotionHMRConfig, Prediction, frames_of_pairs
from pointlight.simulator import EVAL_V1, EVAL_V1_PERFECT, TRACK_POINTS, SceneSampler, TrackMaker
from pointlight.training.data import cues_of_tracks, targets_of_tracks
from pointlight.training.losses import EVALUATION_INDICES
from pointlight.training.recipes import Recipe

VALIDATION_SEED = 1001
CLIPS_PER_GROUP = 48


class Validation:
    """Scores networks on the same scenes every time; each group of motions has as many."""

    def __init__(self, recipe: Recipe, bank: MotionBank, body: BodyModel) -> None:
        self._body = body
        network = recipe.network
        hmr = isinstance(network, MotionHMRConfig)
        keypoint_set = network.encoder.keypoint_set if hmr else network.keypoint_set
        # Who learns from perfect keypoints is judged on them.
        perfect = EVAL_V1_PERFECT
        exact = recipe.scenes.noises == perfect.noises and recipe.scenes.masking == perfect.masking
        scenes = replace(
            perfect if exact else EVAL_V1, name="validation-v1", split="validation", group_power=0.0
        )
        sampler = SceneSampler(scenes, bank, body)
        groups = {bank.clips[i].group for i in bank.indices("validation")}
        drawn = [sampler.sample(VALIDATION_SEED, i) for i in range(CLIPS_PER_GROUP * len(groups))]
        self._groups = [scene.motion.group for scene in drawn]
        tracks = TrackMaker(scenes, body).make(drawn)
        self._cues: PointCues = cues_of_tracks(tracks, keypoint_set, hmr and network.encoder.next_frame)
        targets = targets_of_tracks(tracks, self._cues)
        # Every frame by its own pair, the last one by the last pair's second head.
        self._truth = torch.cat((targets.points_ray_m[:, :, 0], targets.points_ray_m[:, -1:, 1]), dim=1)
        self._root = torch.cat((targets.root_ray[:, :, 0], targets.root_ray[:, -1:, 1]), dim=1)

    @torch.no_grad()
    def score(self, network: MotionHMR | Martinez) -> dict[str, float]:
        """PA-MPJPE in mm over the 14 joints of seen frames: the mean over groups, and by group."""
        if isinstance(network, Martinez):
            points, root = network(self._cues.features), None
            scored = ~self._cues.occluded[:, :-1]
        else:
            frames = frames_of_pairs(network(self._cues.features))
            points, root = body_points(self._body, frames), frames.root
            scored = ~self._cues.occluded
        chosen = list(EVALUATION_INDICES)
        truth = self._truth[:, : points.shape[1]]
        error = 1000 * procrustes_error(points[..., chosen, :], truth[..., chosen, :])
        by_group = {}
        for group in sorted(set(self._groups)):
            rows = torch.tensor([g == group for g in self._groups])
            by_group[f"pa_mpjpe_mm/{group}"] = float(error[rows][scored[rows]].mean())
        scores = {"pa_mpjpe_mm": sum(by_group.values()) / len(by_group), **by_group}
        if root is not None:
            angle = torch.rad2deg(geodesic_angle(root, self._root))[scored]
            scores["root_deg_median"] = float(angle.median())
        return scores


def body_points(body: BodyModel, prediction: Prediction) -> torch.Tensor:
    """(..., N, 3) `TRACK_POINTS` of predicted bodies in the crop-ray frame, root at the origin."""
    origin = torch.zeros(*prediction.shift.shape[:-1], 3)
    state = BodyState(prediction.pose, prediction.shape, prediction.root, origin)
    return body.keypoints(state, TRACK_POINTS)
