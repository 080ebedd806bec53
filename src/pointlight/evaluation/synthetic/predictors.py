"""Everything that can be evaluated on simulated tracks, behind one interface: networks, lifters, a constant pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from pointlight.body import EVALUATION_JOINTS, BodyModel, BodyState
from pointlight.capture import place_track
from pointlight.capture.fitting import LiftedTrack, Track2D, lift, refine
from pointlight.cues import KEYPOINT_SETS, PointCues
from pointlight.errors import PointlightError
from pointlight.geometry import nearest_rotation
from pointlight.network import Martinez, MotionHMR, Prediction, frames_of_pairs, seen_both_ways
from pointlight.simulator import CLIP_FRAMES, FRAMES_PER_SECOND, Tracks
from pointlight.training import EVALUATION_INDICES, cues_of_tracks


@dataclass(frozen=True)
class Predicted:
    """What a model says about scenes, frame by frame, in each frame's crop-ray frame (the last one: its neighbour's).

    Attributes:
        joints: (B, T, 14, 3) metres, any origin.
        pose: (B, T, J-1, 3, 3), or None for models of joints only.
        root: (B, T, 3, 3), or None.
        shape: (B, T, S), or None.
    """

    joints: Tensor
    pose: Tensor | None = None
    root: Tensor | None = None
    shape: Tensor | None = None


class Predictor(Protocol):
    """What the evaluation asks of a model."""

    @property
    def keypoint_set(self) -> str:
        """Name of the input set that `cues` are made for."""
        ...

    @property
    def next_frame(self) -> bool:
        """Whether a pair's input holds both of its frames."""
        ...

    def __call__(self, tracks: Tracks, cues: PointCues) -> Predicted:
        """Predict every frame of the scenes."""
        ...


def predictor_of(
    model: nn.Module | Tensor, body: BodyModel, *, overlap: bool = False, mirror: bool = False
) -> Predictor:
    """The predictor of a network in evaluation mode, or of a constant pose (14, 3).

    Args:
        model: `MotionHMR`, `Martinez` or a tensor.
        body: that a network's pose and shape move.
        overlap: average windows that overlap by half; only a network with windows takes notice.
        mirror: average what it says of a window and of its mirror image; the same holds.

    Raises:
        PointlightError: the model is of another type.
    """
    if isinstance(model, Tensor):
        return ConstantPose(model)
    if isinstance(model, Martinez):
        return SingleFrame(model)
    if isinstance(model, MotionHMR):
        encoder = model.config.encoder
        network = seen_both_ways(model, body.joint_names) if mirror else model
        return Windows(network, body, encoder.keypoint_set, encoder.next_frame, overlap=overlap)
    raise PointlightError(
        f"a model of type {type(model).__name__} cannot be judged on keypoint tracks; give a MotionHMR or a Martinez"
    )


@dataclass(frozen=True)
class ConstantPose:
    """The same joints (14, 3) for every frame."""

    joints: Tensor
    keypoint_set: str = "paper12"
    next_frame: bool = False

    def __call__(self, tracks: Tracks, cues: PointCues) -> Predicted:
        """See `Predictor`."""
        return Predicted(self.joints.expand(*cues.occluded.shape, *self.joints.shape))


@dataclass(frozen=True)
class SingleFrame:
    """Martinez et al.: every frame by itself."""

    network: Martinez
    next_frame: bool = False

    @property
    def keypoint_set(self) -> str:
        """See `Predictor`."""
        return self.network.config.keypoint_set

    @torch.no_grad()
    def __call__(self, tracks: Tracks, cues: PointCues) -> Predicted:
        """See `Predictor`."""
        # Features come by pairs; with its last frame twice, a track has a pair for every frame.
        last = ("detections_px", "visible", "principal_px")
        longer = replace(
            tracks,
            **{name: torch.cat((getattr(tracks, name), getattr(tracks, name)[:, -1:]), 1) for name in last},
        )
        features = cues_of_tracks(longer, self.keypoint_set, self.next_frame).features
        return Predicted(self.network(features)[..., list(EVALUATION_INDICES), :])


@dataclass(frozen=True)
class Windows:
    """Motion HMR in windows of 31 frames, 31 of 60 predictions used.

    Attributes:
        network: features (B, 30, F) -> predictions of pairs, as `MotionHMR`.
        body: that its pose and shape move.
        keypoint_set: of its input.
        next_frame: whether a pair's input holds both of its frames.
        overlap: average windows that overlap by half, weighted towards their middle; otherwise windows follow
            one another and know nothing of each other.
    """

    network: Callable[[Tensor], Prediction]
    body: BodyModel
    keypoint_set: str
    next_frame: bool
    overlap: bool = False

    @torch.no_grad()
    def __call__(self, tracks: Tracks, cues: PointCues) -> Predicted:
        """See `Predictor`."""
        frames = cues.occluded.shape[1]
        weight = 1.0 - (torch.arange(CLIP_FRAMES) - CLIP_FRAMES // 2).abs() / (CLIP_FRAMES // 2 + 1)
        # The last frame of the scene is scored in the crop-ray frame of the one before it, as the truth is.
        turn = torch.cat((cues.R_ray_camera[:, :-1], cues.R_ray_camera[:, -2:-1]), dim=1)
        sums: list[Tensor | float] = [0.0, 0.0, 0.0, 0.0]
        for start in self._starts(frames):
            span = slice(start, start + CLIP_FRAMES)
            predicted = frames_of_pairs(self.network(cues.features[:, start : start + CLIP_FRAMES - 1]))
            seen_from = turn[:, span].clone()
            seen_from[:, -1] = seen_from[:, -2]
            root = turn[:, span] @ seen_from.transpose(-1, -2) @ predicted.root
            shape = predicted.shape.expand(*root.shape[:2], -1)
            parts = (predicted.pose, root, shape, torch.ones(*root.shape[:2], 1))
            for i, values in enumerate(parts):
                sums[i] = sums[i] + _spread(values, weight, start, frames)
        pose, root, shape, total = (torch.as_tensor(value) for value in sums)
        pose, root, shape = nearest_rotation(pose), nearest_rotation(root), shape / total
        joints = self.body.keypoints(BodyState(pose, shape, root, torch.zeros(3)), EVALUATION_JOINTS)
        return Predicted(joints, pose, root, shape)

    def _starts(self, frames: int) -> list[int]:
        """First frames of the windows; the last window ends where the scene does."""
        starts = list(range(0, frames - CLIP_FRAMES + 1, CLIP_FRAMES // 2 if self.overlap else CLIP_FRAMES))
        end = frames - CLIP_FRAMES
        return starts if starts[-1] == end else [*starts, end]


@dataclass(frozen=True)
class AsPredict:
    """What `predict` makes of a track: windows that overlap, looked at both ways, then refined on the keypoints.

    Attributes:
        network: in evaluation mode.
        body: that its pose and shape move.
    """

    network: MotionHMR
    body: BodyModel

    @property
    def keypoint_set(self) -> str:
        """See `Predictor`."""
        return self.network.config.encoder.keypoint_set

    @property
    def next_frame(self) -> bool:
        """See `Predictor`."""
        return self.network.config.encoder.next_frame

    def __call__(self, tracks: Tracks, cues: PointCues) -> Predicted:
        """See `Predictor`."""
        fits = [self._scene(tracks, scene) for scene in range(len(cues.occluded))]
        pose, root, shape = (
            torch.stack([torch.from_numpy(getattr(fit, name)) for fit in fits])
            for name in ("pose", "root", "shape")
        )
        turn = torch.cat((cues.R_ray_camera[:, :-1], cues.R_ray_camera[:, -2:-1]), dim=1)
        root, shape = turn @ root, shape[:, None].expand(*root.shape[:2], -1)
        with torch.no_grad():
            joints = self.body.keypoints(BodyState(pose, shape, root, torch.zeros(3)), EVALUATION_JOINTS)
        return Predicted(joints, pose, root, shape)

    def _scene(self, tracks: Tracks, scene: int) -> LiftedTrack:
        names = KEYPOINT_SETS[self.keypoint_set]
        principal = tracks.principal_px[scene].double()
        # A track has one principal point; where the picture was shifted, its keypoints are shifted back.
        points = tracks.detections_px[scene, :, : len(names)] - (principal - principal[0])[:, None]
        visible = tracks.visible[scene, :, : len(names)]
        track = Track2D(
            np.arange(len(points)) / FRAMES_PER_SECOND,
            points.numpy(),
            visible.numpy(),
            float(tracks.assumed_focal_px[scene]),
            principal[0].numpy(),
        )
        lifted = lift(track, self.network, self.body)
        placed = place_track(self.body, lifted, track, names)
        return refine(track, placed, self.body, names)


def _spread(values: Tensor, weight: Tensor, start: int, frames: int) -> Tensor:
    """A window's values (B, 31, ...) times weight (31,), 0 elsewhere: (B, T, ...)."""
    whole = values.new_zeros(len(values), frames, *values.shape[2:])
    whole[:, start : start + CLIP_FRAMES] = values * weight.reshape(1, -1, *([1] * (values.ndim - 2)))
    return whole
