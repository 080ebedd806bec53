"""`--on synthetic`: held-out motions, `eval-v1` noise, fixed seeds, against simple peers in the same run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointlight.body import EVALUATION_JOINTS, BodyModel, BodyState
from pointlight.cues import PointCues
from pointlight.evaluation.metrics import (
    FACING_WRONG_DEG,
    PerFile,
    acceleration_error,
    angle_deg,
    mpjpe_mm,
    pa_mpjpe_mm,
)
from pointlight.geometry import nearest_rotation, safe_norm
from pointlight.motion import BodyMotion, MotionBank, window
from pointlight.network import Martinez, MotionHMR, frames_of_pairs
from pointlight.simulator import CLIP_FRAMES, SceneConfig, SceneSampler, TrackMaker, Tracks
from pointlight.training import EVALUATION_INDICES, Targets, cues_of_tracks, targets_of_tracks

EVALUATION_SEED = 7
WINDOWS_PER_SCENE = 4
"""Scenes are this many windows long, so that windows can overlap where that is asked for."""

_HIPS = (4, 5)  # within EVALUATION_JOINTS
_VERTEX_STRIDE = 7
"""PVE is measured on every 7th vertex; over a whole body that changes it by far less than its interval."""


@dataclass(frozen=True)
class Predicted:
    """What a model says about scenes, frame by frame, in the crop-ray frame.

    Attributes:
        joints: (B, T, 14, 3) metres, any origin.
        pose: (B, T, J-1, 3, 3), or None for models of joints only.
        root: (B, T, 3, 3), or None.
        shape: (B, 1, S), or None.
    """

    joints: Tensor
    pose: Tensor | None = None
    root: Tensor | None = None
    shape: Tensor | None = None


@dataclass(frozen=True)
class Score:
    """One model's scores on one set of scenes.

    Attributes:
        metrics: per-file sums by metric.
        root_median_deg: mean over groups of the median root orientation error; NaN for models of joints only.
        frames: scored.
    """

    metrics: dict[str, PerFile]
    root_median_deg: float
    frames: int

    def plain(self) -> dict[str, Any]:
        """For JSON: every metric's mean over groups, PA-MPJPE with interval and groups."""
        error = self.metrics["pa_mpjpe_mm"]
        interval = error.interval()
        values = {name: round(values.overall(), 3) for name, values in self.metrics.items()}
        if np.isfinite(self.root_median_deg):
            values["root_median_deg"] = round(self.root_median_deg, 2)
        return values | {
            "ci95_mm": [round(interval.low, 2), round(interval.high, 2)],
            "by_group": {group: round(value, 2) for group, value in error.by_group().items()},
        }


class SyntheticTest:
    """The scenes of one configuration, walked through once; models are scored on them one after another."""

    def __init__(
        self,
        config: SceneConfig,
        bank: MotionBank,
        body: BodyModel,
        *,
        clips: int | None = None,
        seed: int = EVALUATION_SEED,
    ) -> None:
        """Draw the scenes.

        Args:
            config: `EVAL_V1` or a variant; its split is walked through.
            bank: motions.
            body: whose joints are scored.
            clips: at most so many 31-frame windows, taken evenly; all of the split if not given.
            seed: of cameras, people and noise.
        """
        self.config = config
        self.body = body
        sampler = SceneSampler(config, bank, body)
        motions = _walk(bank, config.split)
        if clips is not None and clips < sum(m.frames // CLIP_FRAMES for m in motions):
            motions = _thin(motions, clips)
        scenes = [sampler.scene_of(motion, seed, index) for index, motion in enumerate(motions)]
        maker = TrackMaker(config, body)
        # Scenes of equal length are rendered together.
        self._batches = []
        for length in sorted({scene.motion.frames for scene in scenes}):
            same = [scene for scene in scenes if scene.motion.frames == length]
            for first in range(0, len(same), 64):
                chosen = same[first : first + 64]
                self._batches.append((chosen, maker.make(chosen)))
        self.frames = sum(scene.motion.frames for scene in scenes)

    def score(self, model: MotionHMR | Martinez | Tensor, *, overlap: bool = False) -> Score:
        """Score a network, or a constant pose (14, 3).

        Args:
            model: in evaluation mode.
            overlap: average windows that overlap by half, in place of windows that follow one another.
        """
        collected: dict[str, tuple[list[str], list[str], list[np.ndarray]]] = {}
        for scenes, tracks in self._batches:
            keypoint_set, next_frame = _input_of(model)
            cues = cues_of_tracks(tracks, keypoint_set, next_frame)
            predicted = self._predict(model, tracks, cues, overlap=overlap)
            values = self._compare(predicted, _truth(targets_of_tracks(tracks, cues)), tracks.state)
            scored = ~cues.occluded
            for name, value in values.items():
                files, groups, rows = collected.setdefault(name, ([], [], []))
                mask = cues.occluded if name.startswith("occluded") else scored
                mask = mask[:, 1:-1] if name.startswith("acceleration") else mask
                for i, scene in enumerate(scenes):
                    files.append(scene.motion.name.partition("#")[0])
                    groups.append(scene.motion.group)
                    rows.append(value[i][mask[i]].double().numpy())
        metrics = {name: PerFile.collect(*lists) for name, lists in collected.items()}
        return Score(metrics, _median_over_groups(collected), int(metrics["pa_mpjpe_mm"].counts.sum()))

    @torch.no_grad()
    def _predict(
        self, model: MotionHMR | Martinez | Tensor, tracks: Tracks, cues: PointCues, *, overlap: bool
    ) -> Predicted:
        if isinstance(model, Tensor):
            return Predicted(model.expand(*cues.occluded.shape, *model.shape))
        if isinstance(model, Martinez):
            features = cues_of_tracks(_with_a_frame_more(tracks), *_input_of(model)).features
            return Predicted(model(features)[..., list(EVALUATION_INDICES), :])
        pose, root, shape = _in_windows(cues, model, overlap=overlap)
        state = BodyState(pose, shape, root, torch.zeros(3))
        return Predicted(self.body.keypoints(state, EVALUATION_JOINTS), pose, root, shape)

    def _compare(self, predicted: Predicted, truth: _Truth, state: BodyState) -> dict[str, Tensor]:
        joints = truth.points[..., list(EVALUATION_INDICES), :]
        error = pa_mpjpe_mm(predicted.joints, joints)
        values = {
            "pa_mpjpe_mm": error,
            "occluded_pa_mpjpe_mm": error,
            "mpjpe_mm": mpjpe_mm(predicted.joints, joints, _HIPS),
            "acceleration_mm": _acceleration(predicted.joints, joints),
        }
        if predicted.pose is None or predicted.root is None or predicted.shape is None:
            return values
        values["root_deg"] = angle_deg(predicted.root, truth.root)
        values["joint_deg"] = angle_deg(predicted.pose, state.pose).mean(-1)
        chest = self._chest_deg(predicted, truth, state)
        values["facing_wrong"] = (chest > FACING_WRONG_DEG).float()
        values["pve_mm"] = self._pve_mm(predicted, truth, state)
        return values

    def _chest_deg(self, predicted: Predicted, truth: _Truth, state: BodyState) -> Tensor:
        """Angle between the chests' forward axes."""
        assert predicted.pose is not None and predicted.root is not None
        chest = self.body.joint_names.index("spine3")
        forward = []
        for pose, root in ((predicted.pose, predicted.root), (state.pose, truth.root)):
            turn = root
            for joint in _path(self.body.parents, chest)[1:]:
                turn = turn @ pose[..., joint - 1, :, :]
            forward.append(turn[..., 2])
        cosine = (forward[0] * forward[1]).sum(-1).clamp(-1, 1)
        return torch.rad2deg(torch.arccos(cosine))

    def _pve_mm(self, predicted: Predicted, truth: _Truth, state: BodyState) -> Tensor:
        """Mean distance of vertices after both roots are put together, unaligned; every 7th vertex."""
        assert predicted.pose is not None and predicted.root is not None and predicted.shape is not None
        origin = torch.zeros(3)
        result = []
        for i in range(len(predicted.pose)):
            pairs = (
                (predicted.pose[i], predicted.shape[i], predicted.root[i]),
                (state.pose[i], state.shape[i], truth.root[i]),
            )
            surfaces = [
                self.body.vertices(BodyState(pose, shape, root, origin))[..., ::_VERTEX_STRIDE, :]
                for pose, shape, root in pairs
            ]
            result.append(1000 * safe_norm(surfaces[0] - surfaces[1]).mean(-1))
        return torch.stack(result)


@dataclass(frozen=True)
class _Truth:
    """Points (B, T, N, 3) and root (B, T, 3, 3) in each frame's crop-ray frame; the last one's is its neighbour's."""

    points: Tensor
    root: Tensor


def _truth(targets: Targets) -> _Truth:
    """Every frame by its own pair, the last one by the last pair's second head."""
    points, root = targets.points_ray_m, targets.root_ray
    return _Truth(
        torch.cat((points[:, :, 0], points[:, -1:, 1]), dim=1),
        torch.cat((root[:, :, 0], root[:, -1:, 1]), dim=1),
    )


def _median_over_groups(collected: dict[str, tuple[list[str], list[str], list[np.ndarray]]]) -> float:
    if "root_deg" not in collected:
        return float("nan")
    _, groups, rows = collected["root_deg"]
    by_group: dict[str, list[np.ndarray]] = {}
    for group, values in zip(groups, rows, strict=True):
        by_group.setdefault(group, []).append(values)
    return float(np.mean([np.median(np.concatenate(values)) for values in by_group.values()]))


def _input_of(model: MotionHMR | Martinez | Tensor) -> tuple[str, bool]:
    """Input set and whether pairs show both frames."""
    if isinstance(model, MotionHMR):
        return model.config.encoder.keypoint_set, model.config.encoder.next_frame
    return (model.config.keypoint_set if isinstance(model, Martinez) else "paper12"), False


def _with_a_frame_more(tracks: Tracks) -> Tracks:
    """Tracks whose last frame comes twice, so that single-frame models get an input for every frame."""
    last = ("detections_px", "visible", "principal_px")
    return replace(
        tracks,
        **{name: torch.cat((getattr(tracks, name), getattr(tracks, name)[:, -1:]), 1) for name in last},
    )


def _in_windows(cues: PointCues, model: MotionHMR, *, overlap: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Pose (B, T, J-1, 3, 3), root (B, T, 3, 3) in each frame's crop-ray frame, shape (B, 1, S)."""
    frames = cues.occluded.shape[1]
    starts = range(0, frames - CLIP_FRAMES + 1, CLIP_FRAMES // 2 if overlap else CLIP_FRAMES)
    weight = 1.0 - (torch.arange(CLIP_FRAMES) - CLIP_FRAMES // 2).abs() / (CLIP_FRAMES // 2 + 1)
    # The last frame of the scene is judged in the crop-ray frame of the one before it, as the truth is.
    turn = torch.cat((cues.R_ray_camera[:, :-1], cues.R_ray_camera[:, -2:-1]), dim=1)
    pose_sum, root_sum, shapes = 0.0, 0.0, []
    for start in starts:
        span = slice(start, start + CLIP_FRAMES)
        predicted = frames_of_pairs(model(cues.features[:, start : start + CLIP_FRAMES - 1]))
        seen_from = turn[:, span].clone()
        seen_from[:, -1] = seen_from[:, -2]
        root = turn[:, span] @ seen_from.transpose(-1, -2) @ predicted.root
        place = torch.zeros(frames)
        place[span] = weight
        pose_sum = pose_sum + _spread(predicted.pose, place, span)
        root_sum = root_sum + _spread(root, place, span)
        shapes.append(predicted.shape.mean(1, keepdim=True))
    assert isinstance(pose_sum, Tensor) and isinstance(root_sum, Tensor)
    return nearest_rotation(pose_sum), nearest_rotation(root_sum), torch.stack(shapes).mean(0)


def _spread(values: Tensor, weight: Tensor, span: slice) -> Tensor:
    """A window's values (B, 31, ...) times weight, 0 elsewhere: (B, T, ...)."""
    whole = values.new_zeros(len(values), len(weight), *values.shape[2:])
    whole[:, span] = values * weight[span].reshape(1, -1, *([1] * (values.ndim - 2)))
    return whole


def _path(parents: tuple[int, ...], joint: int) -> list[int]:
    """Joints from the root to `joint`."""
    path = [joint]
    while parents[path[0]] >= 0:
        path.insert(0, parents[path[0]])
    return path


def _acceleration(predicted: Tensor, target: Tensor) -> Tensor:
    hips = list(_HIPS)
    predicted = predicted - predicted[..., hips, :].mean(-2, keepdim=True)
    target = target - target[..., hips, :].mean(-2, keepdim=True)
    return acceleration_error(predicted, target)


def _walk(bank: MotionBank, split: str) -> list[BodyMotion]:
    """Every motion of a split in pieces of up to four windows; what is left over at a clip's end is not scored."""
    pieces = []
    for index in bank.indices(split):
        motion = bank.motion(index)
        whole = motion.frames // CLIP_FRAMES * CLIP_FRAMES
        longest = WINDOWS_PER_SCENE * CLIP_FRAMES
        for start in range(0, whole, longest):
            pieces.append(window(motion, start, min(longest, whole - start)))
    return pieces


def _thin(motions: list[BodyMotion], clips: int) -> list[BodyMotion]:
    """Single windows, evenly taken, so that quick runs see every kind of motion."""
    single = [
        window(motion, start, CLIP_FRAMES)
        for motion in motions
        for start in range(0, motion.frames, CLIP_FRAMES)
    ]
    chosen = np.linspace(0, len(single) - 1, clips).round().astype(int)
    return [single[i] for i in chosen]
