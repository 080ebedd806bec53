"""Feet that stand and stay above the floor, and legs that follow them: knees bend, hips turn, the root stays."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from pointlight.body import BodyModel
from pointlight.capture.states import stretches
from pointlight.capture.world.moving import SIDES, Moving
from pointlight.geometry import rotation_between

_UP = np.array((0.0, 1.0, 0.0))


@dataclass(frozen=True)
class LegConfig:
    """How feet are set down. Chosen on simulation (docs/log.md).

    Attributes:
        fade_s: how long before and after a foot stands it is led to and from where it stands.
        straightest: share of its length to which a leg may be stretched.
        across_m: by how much a standing foot may seem to go across the line of sight, and
        along: along it, over the distance; one that goes farther slides.
    """

    fade_s: float = 0.25
    straightest: float = 0.999
    across_m: float = 0.03
    along: float = 0.015


def slips(soles_m: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(T-1, 2, 3) by how much what bears goes from a frame to the next, of soles' points (T, 2, 4, 3) and their shares."""
    return ((soles_m[1:] - soles_m[:-1]) * shares[:-1, ..., None]).sum(-2)


def foot_moves(
    lowest_m: np.ndarray,
    slip_m: np.ndarray,
    contacts: np.ndarray,
    from_camera_m: np.ndarray | None,
    time_s: np.ndarray,
    breaks: np.ndarray,
    config: LegConfig,
) -> np.ndarray:
    """(T, 2, 3) by how much each foot is moved, so that it stands where it stands and is never below the floor.

    Args:
        lowest_m: (T, 2) height of each sole's lowest point.
        slip_m: (T-1, 2, 3) of `slips`.
        contacts: (T, 2).
        from_camera_m: (T, 3) from the camera to the body; None if nobody knows.
        time_s: (T,).
        breaks: (T-1,) bool, gaps in time.
        config: the measures.
    """
    moves = np.zeros((len(time_s), 2, 3))
    rays, along_m = _lines_of_sight(from_camera_m, len(time_s), config)
    for side in (0, 1):
        stands, low = contacts[:, side], lowest_m[:, side]
        gone = np.concatenate((np.zeros((1, 3)), np.cumsum(slip_m[:, side], axis=0)))
        aside = _to_floor(low, rays, along_m, config)
        for start, stop in whole_stretches(stands, breaks):
            part = slice(start, stop)
            held = _held(gone[part] + aside[part], rays[part], along_m[part], config)
            moves[part, side] = held - gone[part]
        moves[stands, side, 1] = -low[stands]
        moves[:, side] = faded(moves[:, side], stands, time_s, breaks, config.fade_s)
        moves[:, side, 1] = np.maximum(moves[:, side, 1], -low)
    return moves


def _lines_of_sight(
    from_camera_m: np.ndarray | None, frames: int, config: LegConfig
) -> tuple[np.ndarray, np.ndarray]:
    """(T, 3) unit vectors from the camera, and (T,) by how much a standing foot may seem to go along them, metres."""
    if from_camera_m is None:
        return np.tile((0.0, 0.0, 1.0), (frames, 1)), np.full(frames, config.across_m)
    distance = np.linalg.norm(from_camera_m, axis=1)
    return from_camera_m / distance[:, None], np.maximum(config.along * distance, config.across_m)


def _held(places: np.ndarray, rays: np.ndarray, along_m: np.ndarray, config: LegConfig) -> np.ndarray:
    """(T, 3) where a foot stands that is seen at places (T, 3): in one place, as long as they do not go too far from it.

    One that goes farther is followed, forwards and backwards in time, and the mean of both is taken.
    """
    middle = places.mean(0)
    if (_off(places - middle, rays, along_m, config) <= 1).all():
        return np.broadcast_to(middle, places.shape)
    there = _followed(places, rays, along_m, config)
    back = _followed(places[::-1], rays[::-1], along_m[::-1], config)[::-1]
    return (there + back) / 2


def _off(away: np.ndarray, rays: np.ndarray, along_m: np.ndarray, config: LegConfig) -> np.ndarray:
    """(...) how far off vectors (..., 3) are, in what is allowed."""
    along = (away * rays).sum(-1)
    square = np.maximum((away**2).sum(-1) - along**2, 0)
    return np.sqrt(square / config.across_m**2 + (along / along_m) ** 2)


def _followed(places: np.ndarray, rays: np.ndarray, along_m: np.ndarray, config: LegConfig) -> np.ndarray:
    """(T, 3) a place that stays until what it follows is too far off, and is then dragged along (play, as of a gear)."""
    held = np.empty_like(places)
    place = places[0]
    for t in range(len(places)):
        away = places[t] - place
        off = float(_off(away, rays[t], along_m[t], config))
        if off > 1:
            place = place + away * (1 - 1 / off)
        held[t] = place
    return held


def _to_floor(low: np.ndarray, rays: np.ndarray, along_m: np.ndarray, config: LegConfig) -> np.ndarray:
    """(T, 3) the likeliest move of feet whose heights (T,) should be 0: partly along the line of sight."""
    across = config.across_m**2
    spread = across * _UP + ((along_m**2 - across) * rays[:, 1])[:, None] * rays
    return spread / spread[:, 1:2] * -low[:, None]


def whole_stretches(chosen: np.ndarray, breaks: np.ndarray) -> list[tuple[int, int]]:
    """Stretches (start, stop) in which a row (T,) is true, cut at gaps in time."""
    found = []
    for start, stop in stretches(chosen):
        edges = [start, *(start + 1 + np.flatnonzero(breaks[start : stop - 1])).tolist(), stop]
        found += list(itertools.pairwise(edges))
    return found


def faded(
    values: np.ndarray, known: np.ndarray, time_s: np.ndarray, breaks: np.ndarray, fade_s: float
) -> np.ndarray:
    """Values (T, 3) that hold where they are `known` (T,), and fade to 0 in between, or from one to the next.

    Args:
        values: what holds.
        known: where.
        time_s: (T,).
        breaks: (T-1,) bool, gaps in time, over which nothing fades.
        fade_s: how long fading takes.
    """
    result = np.where(known[:, None], values, 0.0)
    for start, stop in whole_stretches(~known, breaks):
        inside = slice(start, stop)
        before = start > 0 and known[start - 1] and not breaks[start - 1]
        after = stop < len(known) and known[stop] and not breaks[stop - 1]
        nothing = np.zeros(stop - start)
        left = 1 - smooth_step((time_s[inside] - time_s[start - 1]) / fade_s) if before else nothing
        right = 1 - smooth_step((time_s[stop] - time_s[inside]) / fade_s) if after else nothing
        both = np.maximum(left + right, 1)[:, None]
        if before:
            result[inside] += left[:, None] / both * values[start - 1]
        if after:
            result[inside] += right[:, None] / both * values[stop]
    return result


def smooth_step(share: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, without a kink between."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def bent_legs(body: BodyModel, moving: Moving, ankles_m: np.ndarray, config: LegConfig) -> np.ndarray:
    """(T, J, 3, 3) the pose with ankles elsewhere: knees bend, legs turn in the hips, feet keep their directions.

    Args:
        body: whose legs.
        moving: the body.
        ankles_m: (T, 2, 3) where the ankles shall be.
        config: the measures.
    """
    pose = moving.pose.copy()
    for side, name in enumerate(SIDES):
        hip, knee, ankle = (body.joint_names.index(f"{name}_{joint}") for joint in ("hip", "knee", "ankle"))
        hips, knees, ends = (moving.joints_m[:, joint] for joint in (hip, knee, ankle))
        thigh, shin = knees - hips, ends - knees
        lengths = np.linalg.norm(thigh, axis=-1), np.linalg.norm(shin, axis=-1)
        wanted = ankles_m[:, side] - hips
        reach = np.clip(
            np.linalg.norm(wanted, axis=-1),
            np.abs(lengths[0] - lengths[1]) + 0.05,
            config.straightest * (lengths[0] + lengths[1]),
        )
        hinge = moving.rotations[:, hip] @ np.array(body.hinge_axes[f"{name}_knee"])
        axis = _bending_axis(thigh, shin, hinge)
        bend = _inner_angle(lengths, np.linalg.norm(ends - hips, axis=-1)) - _inner_angle(lengths, reach)
        bending = Rotation.from_rotvec(axis * bend[:, None]).as_matrix()
        bent = thigh + (bending @ shin[..., None])[..., 0]
        turning = rotation_between(torch.from_numpy(bent), torch.from_numpy(wanted)).numpy()
        upper = turning @ moving.rotations[:, hip]
        lower = turning @ bending @ moving.rotations[:, knee]
        parent = moving.rotations[:, body.parents[hip]]
        pose[:, hip] = parent.swapaxes(-1, -2) @ upper
        pose[:, knee] = upper.swapaxes(-1, -2) @ lower
        pose[:, ankle] = lower.swapaxes(-1, -2) @ moving.rotations[:, ankle]
    return pose


def _bending_axis(thigh: np.ndarray, shin: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """(T, 3) unit axes about which shins turn to bend a knee further: across the leg's plane, or the hinge if straight."""
    normal = np.cross(thigh, shin)
    normal = normal * np.sign((normal * hinge).sum(-1, keepdims=True) + 1e-12)
    sine = np.linalg.norm(normal, axis=-1) / np.linalg.norm(thigh, axis=-1) / np.linalg.norm(shin, axis=-1)
    straight = 1 - smooth_step(sine / 0.1)[:, None]
    along = thigh / np.linalg.norm(thigh, axis=-1, keepdims=True)
    across = hinge - (hinge * along).sum(-1, keepdims=True) * along
    axis = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12) * (1 - straight)
    axis = axis + straight * across
    return axis / np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-12)


def _inner_angle(lengths: tuple[np.ndarray, np.ndarray], reach: np.ndarray) -> np.ndarray:
    """(T,) angle at the knee between thigh and shin of a leg that reaches so far, radians; a straight leg has pi."""
    upper, lower = lengths
    cosine = (upper**2 + lower**2 - reach**2) / (2 * upper * lower)
    return np.arccos(np.clip(cosine, -1, 1))
