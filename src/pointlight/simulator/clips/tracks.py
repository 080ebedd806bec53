"""Stored clips as tracks of keypoints: the same type as scenes give without pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel, BodyState
from pointlight.errors import PointlightError
from pointlight.simulator.clips.composite import VideoClip
from pointlight.simulator.scenes.tracks import TRACK_POINTS, Tracks


def tracks_of_clips(clips: Sequence[VideoClip], body: BodyModel) -> Tracks:
    """What clips show of their people, and the truth about them; pictures are not needed.

    What a source of people does not know (SURREAL's crown, frames without a person, the pose of another body) is 0 and
    said to be unknown.

    Args:
        clips: of equal length.
        body: whose pose and shape are wanted.

    Raises:
        PointlightError: clips of several lengths, or with other keypoints than `EXTENDED_KEYPOINTS`.
    """
    lengths = sorted({len(clip.visible) for clip in clips})
    if len(lengths) != 1:
        raise PointlightError(f"clips of {lengths} frames cannot be in one batch; make them with one length")
    if odd := [clip for clip in clips if clip.keypoint_names != EXTENDED_KEYPOINTS]:
        raise PointlightError(
            f"clip {odd[0].provenance.index} has the keypoints {', '.join(odd[0].keypoint_names)}; make it again"
        )
    points, flat, known = (
        torch.from_numpy(np.stack(rows)) for rows in zip(*map(_points, clips), strict=True)
    )
    states = [_state(clip, body) for clip in clips]
    body_known = torch.tensor([state is not None for state in states])
    return Tracks(
        detections_px=_stacked([clip.detections_px for clip in clips]),
        visible=_stacked([clip.visible for clip in clips]),
        totally_occluded=_stacked([clip.totally_occluded for clip in clips]),
        assumed_focal_px=torch.tensor([clip.assumed_focal_px for clip in clips]),
        assumed_principal_px=torch.tensor([clip.assumed_principal_px for clip in clips]),
        principal_px=_stacked([clip.camera.principal_px for clip in clips]),
        points_px=flat,
        points_camera_m=points,
        focal_px=torch.tensor([clip.camera.focal_px for clip in clips]),
        state=_batched([_rest(body, lengths[0]) if state is None else state for state in states]),
        known=None if bool(known.all()) else known,
        body_known=None if bool(body_known.all()) else body_known,
    )


def _points(clip: VideoClip) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`TRACK_POINTS` in camera axes (T, N, 3), in the picture (T, N, 2), and which are known (T, N)."""
    frames = len(clip.visible)
    places = np.zeros((frames, len(TRACK_POINTS), 3), np.float32)
    flat = np.zeros((frames, len(TRACK_POINTS), 2), np.float32)
    there = [name for name in TRACK_POINTS if name in clip.joint_names]
    mine, its = [TRACK_POINTS.index(n) for n in there], [clip.joint_names.index(n) for n in there]
    places[:, mine], flat[:, mine] = clip.joints_camera_m[:, its], clip.joints_px[:, its]
    known = np.zeros(places.shape[:2], bool)
    known[:, mine] = np.isfinite(places[:, mine]).all(-1) & np.isfinite(flat[:, mine]).all(-1)
    return np.where(known[..., None], places, 0.0), np.where(known[..., None], flat, 0.0), known


def _state(clip: VideoClip, body: BodyModel) -> BodyState | None:
    """The clip's body where it is this one."""
    state = clip.state
    if state is None or state.pose.shape[-3] != len(body.joint_names) - 1:
        return None
    return state if state.shape.shape[-1] == len(body.shape_names) else None


def _rest(body: BodyModel, frames: int) -> BodyState:
    """The mean person at rest, for clips of which no pose is known."""
    eye = torch.eye(3)
    return BodyState(
        pose=eye.expand(frames, len(body.joint_names) - 1, 3, 3),
        shape=body.mean_shape[None],
        root=eye.expand(frames, 3, 3),
        translation=torch.zeros(frames, 3),
    )


def _batched(states: list[BodyState]) -> BodyState:
    """States (T, ...) of clips as one (B, T, ...); a shape of every frame is taken at the first."""
    return BodyState(
        pose=torch.stack([state.pose for state in states]),
        shape=torch.stack([state.shape.reshape(-1, state.shape.shape[-1])[:1] for state in states]),
        root=torch.stack([state.root for state in states]),
        translation=torch.stack([state.translation for state in states]),
    )


def _stacked(arrays: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
