"""How fast standing feet slide, before and after they were set down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pointlight.body import BodyModel
from pointlight.capture.capture import Capture
from pointlight.capture.states import body_states, world_states
from pointlight.capture.world.contacts import contact_heights
from pointlight.capture.world.legs import slips
from pointlight.capture.world.moving import Moving, Soles
from pointlight.errors import PointlightError

LONGEST_STEP_S = 0.2
"""Frames farther apart are not taken to go on from one another."""


@dataclass(frozen=True)
class FootSlide:
    """Mean speed along the floor of what bears standing feet, m/s; None where no foot stands in two frames in a row.

    Attributes:
        seen_m_s: of the camera's result, by the same contacts; None also where the camera moves.
        world_m_s: of the world's.
    """

    seen_m_s: float | None
    world_m_s: float | None


def foot_slide(capture: Capture, model: BodyModel) -> FootSlide:
    """How fast a capture's standing feet slide.

    Args:
        capture: with a world.
        model: the body that it was made with.

    Raises:
        PointlightError: the capture has no world, or was made with another body.
    """
    world = capture.world
    if world is None:
        raise PointlightError(
            "the capture has no world, so that nobody knows which foot stands; predict again"
        )
    seen_m = body_states(capture, model).translation.double().numpy()
    world_m = world_states(capture, model).translation.double().numpy()
    before, after = [], []
    for shot, shape in enumerate(capture.shot_shapes):
        rows = np.flatnonzero(capture.valid & (capture.shot == shot))
        soles, time_s, contacts = (
            Soles.of(model, torch.from_numpy(shape)),
            capture.time_s[rows],
            world.contacts[rows],
        )
        R, camera_m = (part[shot].astype(np.float64) for part in (world.R_world_camera, world.camera_world_m))
        seen = Moving.of(
            model, shape, soles, time_s, capture.pose_rotmat[rows].astype(np.float64), seen_m[rows]
        )
        before.append(_speeds(seen.turned(R, camera_m), contacts))
        pose = world.pose_world_rotmat[rows].astype(np.float64)
        after.append(_speeds(Moving.of(model, shape, soles, time_s, pose, world_m[rows]), contacts))
    return FootSlide(_mean(before), _mean(after))


def _speeds(body: Moving, contacts: np.ndarray) -> np.ndarray:
    """(N,) horizontal speeds of what bears the feet that stand in two frames in a row."""
    if len(body.time_s) < 2:
        return np.zeros(0)
    step_s = np.diff(body.time_s)
    slip = slips(body.soles_m, contact_heights(body.soles_m[..., 1])[1])
    speed = np.linalg.norm(slip[..., (0, 2)], axis=-1) / np.maximum(step_s, 1e-3)[:, None]
    return speed[contacts[1:] & contacts[:-1] & (step_s <= LONGEST_STEP_S)[:, None]]


def _mean(parts: list[np.ndarray]) -> float | None:
    speeds = np.concatenate(parts)
    speeds = speeds[np.isfinite(speeds)]
    return float(speeds.mean()) if len(speeds) else None
