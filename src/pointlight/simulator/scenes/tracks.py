"""A scene as tracks of keypoints, without pictures: fast enough to train on at hundreds of clips a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel, BodyState
from pointlight.geometry import project
from pointlight.simulator.scenes.detector_noise import detector_errors
from pointlight.simulator.scenes.keypoint_masking import apply_masking, leg_mask
from pointlight.simulator.scenes.scene import Scene, SceneConfig
from pointlight.simulator.scenes.visibility import SelfOcclusion
from pointlight.values import by_value

TRACK_POINTS: tuple[str, ...] = (*EXTENDED_KEYPOINTS, "neck", "head_top")
"""The points of which tracks hold the truth: all that a network may see, then what evaluation adds."""


@by_value
@dataclass(frozen=True)
class Tracks:
    """Keypoint tracks of B scenes over T frames, as a detector gives them, with the whole truth.

    Attributes:
        detections_px: (B, T, 19, 2) of `EXTENDED_KEYPOINTS`.
        visible: (B, T, 19) bool.
        totally_occluded: (B, T) bool.
        assumed_focal_px: (B,) the focal length that the network is told.
        assumed_principal_px: (B, 2) the principal point that the network is told.
        principal_px: (B, T, 2) the true one.
        points_px: (B, T, 21, 2) true projections of `TRACK_POINTS`.
        points_camera_m: (B, T, 21, 3) the same in camera axes.
        focal_px: (B,) the true focal length.
        state: the body in camera axes; pose (B, T, J-1, 3, 3), shape (B, 1, S), root (B, T, 3, 3), translation.
        known: (B, T, 21) bool, points of which there is a truth, the others are 0; None: all of them.
        body_known: (B,) bool, clips whose `state` is true; None: all of them.
    """

    detections_px: Tensor
    visible: Tensor
    totally_occluded: Tensor
    assumed_focal_px: Tensor
    assumed_principal_px: Tensor
    principal_px: Tensor
    points_px: Tensor
    points_camera_m: Tensor
    focal_px: Tensor
    state: BodyState
    known: Tensor | None = None
    body_known: Tensor | None = None


class TrackMaker:
    """Renders scenes as tracks with one body and one configuration."""

    def __init__(self, config: SceneConfig, body: BodyModel) -> None:
        self.config = config
        self.body = body
        self._self_occlusion = SelfOcclusion(body)
        self._legs = leg_mask(EXTENDED_KEYPOINTS)

    @torch.no_grad()
    def make(self, scenes: Sequence[Scene]) -> Tracks:
        """Render scenes of equal length."""
        state = states_in_camera(scenes)
        person = self.body.person(state.shape)
        points = self.body.keypoints(state, TRACK_POINTS, person)
        principal = torch.from_numpy(np.stack([scene.camera.principal_px for scene in scenes]))
        focal = torch.tensor([scene.camera.focal_px for scene in scenes])
        projected = project(points, focal[:, None, None], principal[:, :, None])
        shown = points[..., : len(EXTENDED_KEYPOINTS), :]
        self_occluded = self._self_occlusion.hidden(
            shown, self.body.posed(state, person), person, state.shape
        )
        detections, visible = self._detect(scenes, projected.numpy(), points[..., 2].numpy(), self_occluded)
        return Tracks(
            detections_px=detections,
            visible=visible,
            totally_occluded=torch.from_numpy(np.stack([scene.masking.totally_occluded for scene in scenes])),
            assumed_focal_px=torch.tensor([scene.assumed_focal_px for scene in scenes]),
            assumed_principal_px=torch.tensor([scene.assumed_principal_px for scene in scenes]),
            principal_px=principal,
            points_px=projected,
            points_camera_m=points,
            focal_px=focal,
            state=state,
        )

    def _detect(
        self, scenes: Sequence[Scene], projected: np.ndarray, depth: np.ndarray, self_occluded: np.ndarray
    ) -> tuple[Tensor, Tensor]:
        detections, visibles = [], []
        shown = len(EXTENDED_KEYPOINTS)
        for scene, pixels, z, hidden in zip(scenes, projected, depth, self_occluded, strict=True):
            pixels, z = pixels[:, :shown], z[:, :shown]
            out_of_frame = (pixels < 0).any(-1) | (pixels > scene.camera.image_size).any(-1) | (z < 0.1)
            visible = apply_masking(out_of_frame, hidden, scene.masking, self.config.masking, self._legs)
            detected, visible = detector_errors(
                pixels, visible, EXTENDED_KEYPOINTS, scene.noise, scene.seed, scene.index
            )
            detections.append(detected)
            visibles.append(visible)
        return torch.from_numpy(np.stack(detections)), torch.from_numpy(np.stack(visibles))


def states_in_camera(scenes: Sequence[Scene]) -> BodyState:
    """The bodies of scenes of equal length in camera axes: pose (B, T, J-1, 3, 3), shape (B, 1, S), root, translation."""
    R_camera_world = torch.from_numpy(np.stack([scene.camera.R_camera_world for scene in scenes]))
    shift = torch.from_numpy(np.stack([scene.camera.translation_m for scene in scenes]))
    root = torch.from_numpy(np.stack([scene.motion.root for scene in scenes]))
    place = torch.from_numpy(np.stack([scene.motion.translation_m for scene in scenes]))
    return BodyState(
        pose=torch.from_numpy(np.stack([scene.motion.pose for scene in scenes])),
        shape=torch.from_numpy(np.stack([scene.shape for scene in scenes]))[:, None],
        root=R_camera_world @ root,
        translation=(R_camera_world @ place[..., None])[..., 0] + shift,
    )
