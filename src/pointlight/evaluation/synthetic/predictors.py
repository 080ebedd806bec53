"""Everything that can be scored on simulated tracks, behind one interface: networks and a constant pose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from pointlight.body import EVALUATION_JOINTS, BodyModel, BodyState
from pointlight.capture import place_track
from pointlight.capture.fitting import LiftedTrack, Track2D, lift, refine
from pointlight.cues import Cues, Observation, PointCueConfig
from pointlight.errors import PointlightError
from pointlight.network import EVALUATION_INDICES, PoseNetwork, WindowConfig
from pointlight.simulator import FRAMES_PER_SECOND, Tracks
from pointlight.training import observation_of
from pointlight.values import by_value


@by_value
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
    """What the evaluator asks of a model."""

    def observe(self, seen: Observation) -> Cues:
        """Its own input of an observation."""
        ...

    def __call__(self, tracks: Tracks, cues: Cues) -> Predicted:
        """Predict every frame of the scenes."""
        ...


def predictor_of(model: PoseNetwork | Tensor, body: BodyModel, windows: WindowConfig) -> Predictor:
    """The predictor of a network in evaluation mode, or of a constant pose (14, 3).

    Args:
        model: any network, or a tensor.
        body: that a network's pose and shape move.
        windows: how long tracks are seen.

    Raises:
        PointlightError: the model is of another type.
    """
    if isinstance(model, Tensor):
        return ConstantPose(model)
    if not isinstance(model, PoseNetwork):
        raise PointlightError(
            f"a model of type {type(model).__name__} cannot be evaluated on keypoint tracks; give a PoseNetwork"
        )
    return NetworkPredictor(model, body, windows)


@dataclass(frozen=True)
class ConstantPose:
    """The same joints (14, 3) for every frame."""

    joints: Tensor

    def observe(self, seen: Observation) -> Cues:
        """See `Predictor`; what it sees does not matter, but where the crops lie does."""
        return PointCueConfig("paper12", next_frame=False).make(seen)

    def __call__(self, tracks: Tracks, cues: Cues) -> Predicted:
        """See `Predictor`."""
        return Predicted(self.joints.expand(*cues.occluded.shape, *self.joints.shape))


@dataclass(frozen=True)
class NetworkPredictor:
    """A network over windows of the scenes.

    Attributes:
        network: in evaluation mode.
        body: that its pose and shape move.
        windows: how long scenes are seen.
    """

    network: PoseNetwork
    body: BodyModel
    windows: WindowConfig

    def observe(self, seen: Observation) -> Cues:
        """See `Predictor`."""
        return self.network.observe(seen)

    def __call__(self, tracks: Tracks, cues: Cues) -> Predicted:
        """See `Predictor`."""
        found = self.network.over_frames(cues.to(self.network.device), self.body, self.windows)
        # The last frame of a scene is compared in the crop-ray frame of the one before it, as the truth is.
        turn = cues.R_ray_of_pairs
        joints = (found.points_m.cpu() @ turn.transpose(-1, -2))[..., list(EVALUATION_INDICES), :]
        if found.bodies is None:
            return Predicted(joints)
        bodies = found.bodies
        return Predicted(joints, bodies.pose.cpu(), turn @ bodies.root.cpu(), bodies.shape.cpu())


@dataclass(frozen=True)
class AsPredict:
    """What `predict` makes of a track: windows that overlap, looked at both ways, then refined on the keypoints.

    Attributes:
        network: in evaluation mode.
        body: that its pose and shape move.
        frames: of a window.
    """

    network: PoseNetwork
    body: BodyModel
    frames: int

    def observe(self, seen: Observation) -> Cues:
        """See `Predictor`."""
        return self.network.observe(seen)

    def __call__(self, tracks: Tracks, cues: Cues) -> Predicted:
        """See `Predictor`."""
        seen = observation_of(tracks).of(self.network.config.cues.keypoints)
        fits = [self._fit(seen, scene) for scene in range(len(cues.occluded))]
        pose, root, shape = (
            torch.stack([torch.from_numpy(getattr(fit, name)) for fit in fits])
            for name in ("pose", "root", "shape")
        )
        root, shape = cues.R_ray_of_pairs @ root, shape[:, None].expand(*root.shape[:2], -1)
        with torch.no_grad():
            joints = self.body.keypoints(BodyState(pose, shape, root, torch.zeros(3)), EVALUATION_JOINTS)
        return Predicted(joints, pose, root, shape)

    def _fit(self, seen: Observation, scene: int) -> LiftedTrack:
        track = Track2D(
            np.arange(seen.points_px.shape[1]) / FRAMES_PER_SECOND,
            seen.points_px[scene].double().numpy(),
            seen.visible[scene].numpy(),
            float(seen.focal_px[scene]),
            seen.principal_px[scene].double().numpy(),
        )
        windows = WindowConfig(self.frames, overlap=True, mirror=True)
        lifted = lift(track, seen.names, self.network, self.body, windows)
        placed = place_track(self.body, lifted, track, seen.names)
        return refine(track, placed, self.body, seen.names)
