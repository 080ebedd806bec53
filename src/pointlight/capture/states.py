"""From a capture to states of its body, before the camera and in the world."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from pointlight.body import BodyModel, BodyState
from pointlight.capture.capture import Capture
from pointlight.errors import PointlightError

_HIPS = ("left_hip", "right_hip")


def body_states(capture: Capture, body: BodyModel) -> BodyState:
    """The body in the camera's frame for all T frames; frames without a body hold NaN.

    Args:
        capture: a result of `predict`.
        body: the body that it was made with.

    Returns:
        Pose, shape, root and translation, each (T, ...), in camera axes and metres.

    Raises:
        PointlightError: the capture was made with another body.

    Example:
        >>> import pointlight
        >>> capture, body = pointlight.Capture.load("poses.npz"), pointlight.AnnyBody()
        >>> state = pointlight.body_states(capture, body)
        >>> body.vertices(state).shape  # frames, vertices, xyz in metres before the camera
        torch.Size([15, 13718, 3])
    """
    check_body(capture, body)
    rotations = torch.from_numpy(capture.pose_rotmat)
    shape = torch.from_numpy(capture.shot_shapes[capture.shot])
    origin = BodyState(rotations[:, 1:], shape, rotations[:, 0], torch.zeros(len(capture), 3))
    # One person's rest pose is made once for a whole shot.
    hips = torch.cat(
        [
            body.keypoints(_part(origin, frames), _HIPS, body.person(shape[frames.start])).mean(-2)
            for frames in shot_slices(capture.shot)
        ]
    )
    return BodyState(origin.pose, shape, origin.root, torch.from_numpy(capture.translation_camera_m) - hips)


def shot_slices(shot: np.ndarray) -> list[slice]:
    """The stretches of frames (T,) that have one number."""
    edges = [0, *(np.flatnonzero(np.diff(shot)) + 1).tolist(), len(shot)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def stretches(chosen: np.ndarray) -> list[tuple[int, int]]:
    """The stretches (start, stop) in which a row (T,) of bool is true."""
    edges = np.diff(np.concatenate(([False], chosen, [False])).astype(int))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def world_states(capture: Capture, body: BodyModel) -> BodyState:
    """The body in the world for all T frames; frames without a body hold NaN.

    Args:
        capture: a result of `predict`.
        body: the body that it was made with.

    Returns:
        Pose, shape, root and translation, each (T, ...), in the world's axes (see `World`) and metres.

    Raises:
        PointlightError: the capture has no world, or was made with another body.
    """
    if capture.world is None:
        raise PointlightError(
            "the capture has no world, as files before version 0.2 have none; predict again with this version"
        )
    check_body(capture, body)
    rotations = torch.from_numpy(capture.world.pose_world_rotmat)
    shape = torch.from_numpy(capture.shot_shapes[capture.shot])
    return BodyState(rotations[:, 1:], shape, rotations[:, 0], torch.from_numpy(capture.world.root_world_m))


def check_body(capture: Capture, body: BodyModel) -> None:
    """See that the body is the one the capture was made with, or say so."""
    if capture.body_model != body.name or capture.body_joint_names != body.joint_names:
        raise PointlightError(
            f"the capture was made with the body {capture.body_model}, it cannot be shown with {body.name}"
        )


def _part(state: BodyState, frames: slice) -> BodyState:
    return BodyState(state.pose[frames], state.shape[frames], state.root[frames], state.translation[frames])
