"""From captures in camera axes to their worlds: gravity, floor, contacts, the root's path, legs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from pointlight.body import BodyModel
from pointlight.capture.capture import Capture, World
from pointlight.capture.states import body_states
from pointlight.capture.world.balance import balanced
from pointlight.capture.world.contacts import (
    ContactConfig,
    contact_heights,
    low_feet,
    speeds,
    standing,
    walking_floor,
)
from pointlight.capture.world.gravity import (
    KNOWN_RAD,
    LEVEL,
    GravityConfig,
    Known,
    Up,
    doubted,
    floor_through,
    up_of_poses,
)
from pointlight.capture.world.legs import LegConfig, bent_legs, foot_moves, slips
from pointlight.capture.world.moving import SIDES, Moving, Soles
from pointlight.capture.world.path import PathConfig, Pulls, root_moves
from pointlight.capture.world.sliding import LONGEST_STEP_S
from pointlight.capture.world.upright import up_in_root
from pointlight.capture.world.words import NOBODY, UNSURE_RAD, source_words

_ROUNDS = 3
"""Of contacts from a floor and the floor from contacts."""


@dataclass(frozen=True)
class WorldConfig:
    """How the world is found.

    Attributes:
        gravity: up and the floor.
        contacts: when a foot stands.
        path: how far the root may be moved.
        legs: how feet are set down.
        moving_path: the same as `path` where the camera moves, so that the picture says little of the root's path.
    """

    gravity: GravityConfig = field(default_factory=GravityConfig)
    contacts: ContactConfig = field(default_factory=ContactConfig)
    path: PathConfig = field(default_factory=PathConfig)
    legs: LegConfig = field(default_factory=LegConfig)
    moving_path: PathConfig = field(default_factory=lambda: PathConfig(across_px=100.0, size_px=100.0))


@dataclass(frozen=True)
class Solved:
    """One person's stretch of frames in the world.

    Attributes:
        moving: the body, legs solved.
        contacts: (T, 2).
    """

    moving: Moving
    contacts: np.ndarray


def settled_floor(body: Moving, up: Up, config: WorldConfig) -> tuple[np.ndarray, float]:
    """Up and the height of the camera above the floor, in camera axes, from a body whose camera stands still."""
    speed = speeds(body.soles_m, body.time_s, config.contacts.over_s)
    direction = up.direction
    lowest = (body.soles_m @ direction).min((1, 2))
    slow = speed.min((1, 2)) < config.contacts.speed_m_s
    height = -float(np.percentile(lowest[slow] if slow.any() else lowest, 30))
    measure = replace(config.contacts, height_m=2 * config.contacts.height_m)
    for _ in range(_ROUNDS):
        heights = body.soles_m @ direction + height
        contacts = standing(body, heights, measure)
        direction, height = floor_through(body, contacts, heights.argmin(-1), up, config.gravity)
        measure = config.contacts
    return direction, height


def solved(
    model: BodyModel,
    shape: np.ndarray,
    soles: Soles,
    body: Moving,
    contacts: np.ndarray,
    from_camera_m: np.ndarray,
    focal_px: float,
    moving: bool,
    config: WorldConfig,
) -> Solved:
    """The root's path and the legs.

    Args:
        model: of the body.
        shape: (S,) of the person.
        soles: of the person.
        body: in the world's axes, floor at y = 0.
        contacts: (T, 2) which foot stands.
        from_camera_m: (T, 3) from the camera to the root, in the world's axes.
        focal_px: of the camera.
        moving: whether the camera moves.
        config: the weights.
    """
    legs, path = config.legs, config.moving_path if moving else config.path
    breaks = np.diff(body.time_s) > LONGEST_STEP_S
    lowest, shares = contact_heights(body.soles_m[..., 1])
    goes_on = contacts[1:] & contacts[:-1] & ~breaks[:, None]
    pulls = Pulls(slips(body.soles_m, shares), goes_on, lowest, contacts)
    moves = root_moves(pulls, body.time_s, from_camera_m, focal_px, path)
    placed = body.turned(np.eye(3), moves)
    # Soles are so much lower than the root that their line of sight is another.
    rays = None if moving else from_camera_m + moves - (0, 1, 0) * placed.root_m
    slip = slips(placed.soles_m, shares)
    steps = foot_moves(lowest + moves[:, 1:2], slip, contacts, rays, body.time_s, breaks, legs)
    ankles = [model.joint_names.index(f"{side}_ankle") for side in SIDES]
    pose = bent_legs(model, placed, placed.joints_m[:, ankles] + steps, legs)
    return Solved(Moving.of(model, shape, soles, body.time_s, pose, placed.root_m), contacts)


def find_worlds(
    captures: Sequence[Capture],
    model: BodyModel,
    known: Known | None = None,
    moving: np.ndarray | None = None,
    config: WorldConfig | None = None,
) -> list[World]:
    """The worlds of people of one video; they share up, which the first one tells, its axes and its origin.

    Args:
        captures: one a person, at least one, of the same frames.
        model: the body that they were made with.
        known: what is known of the camera; nothing if not given.
        moving: (N,) bool, in which shots the camera moves; it is taken to stand still if not given.
        config: the weights.

    Raises:
        PointlightError: a capture was made with another body.
    """
    known, config = known or Known(), config or WorldConfig()
    bodies = [_by_shot(capture, model) for capture in captures]
    shots = len(captures[0].shot_shapes)
    moves = [None] * shots if moving is None else [bool(moves) for moves in moving]
    found = [
        _shot(model, [person[shot] for person in bodies], captures[0].focal_px, known, moves[shot], config)
        for shot in range(shots)
    ]
    return [_world(capture, [shot[number] for shot in found]) for number, capture in enumerate(captures)]


@dataclass(frozen=True)
class _Part:
    """One person in one shot.

    Attributes:
        rows: (T',) the frames with a body.
        shape: (S,).
        soles: of the person.
        body: in those frames, in camera axes.
    """

    rows: np.ndarray
    shape: np.ndarray
    soles: Soles
    body: Moving

    @property
    def empty(self) -> bool:
        """Whether there is no body."""
        return not len(self.rows)


def _by_shot(capture: Capture, model: BodyModel) -> list[_Part]:
    places = body_states(capture, model).translation.double().numpy()
    parts = []
    for shot, shape in enumerate(capture.shot_shapes):
        rows = np.flatnonzero(capture.valid & (capture.shot == shot))
        soles = Soles.of(model, torch.from_numpy(shape))
        pose = capture.pose_rotmat[rows].astype(np.float64)
        parts.append(
            _Part(
                rows, shape, soles, Moving.of(model, shape, soles, capture.time_s[rows], pose, places[rows])
            )
        )
    return parts


@dataclass(frozen=True)
class _Found:
    """One person's world in one shot: `solved` is None where there is no body."""

    rows: np.ndarray
    R_world_camera: np.ndarray
    camera_m: np.ndarray
    solved: Solved | None
    source: str


def _shot(
    model: BodyModel,
    people: Sequence[_Part],
    focal_px: float,
    known: Known,
    moving: bool | None,
    config: WorldConfig,
) -> list[_Found]:
    """Everybody's world in one shot."""
    there = [part.body for part in people if not part.empty]
    if not there:
        return [
            _Found(part.rows, np.diag((1.0, -1.0, -1.0)), np.full(3, np.nan), None, NOBODY) for part in people
        ]
    first = there[0]  # alone, so that a person's result doesn't change with who else is asked for
    ups, spreads = _ups(model, first)
    level = known.joined(Up(LEVEL, np.inf)).direction
    up = known.joined(up_of_poses(ups, spreads, config.gravity, level))
    up = known.joined(balanced(model, first, _contacts(first, up, moving, config), up, config.gravity))
    if not moving and up.spread_rad < UNSURE_RAD:  # feet of who lies say little of the floor
        up = known.joined(replace(up, direction=settled_floor(first, up, config)[0]))
    up = doubted(up, level, config.gravity)
    R = facing(first, up.direction)
    found, origin = [], None
    for part in people:
        if part.empty:
            found.append(_Found(part.rows, R, np.full(3, np.nan), None, NOBODY))
            continue
        done, camera = _person(model, part, R, focal_px, moving, config)
        origin = done.moving.root_m[0] * (1, 0, 1) if origin is None else origin
        done = replace(done, moving=done.moving.turned(np.eye(3), -origin))
        stands = bool(done.contacts.any())
        source = source_words(known, up, moving, stands)
        found.append(_Found(part.rows, R, camera - origin, done, source))
    return found


def _ups(model: BodyModel, body: Moving) -> tuple[np.ndarray, np.ndarray]:
    up, spread = up_in_root(model, body.pose[:, 1:])
    return np.einsum("tij,tj->ti", body.pose[:, 0], up), spread


def _contacts(body: Moving, up: Up, moving: bool | None, config: WorldConfig) -> np.ndarray:
    """(T, 2) which foot of a body in camera axes stands, as far as that is known when up is not quite."""
    if moving:
        level = body.turned(facing(body, up.direction), np.zeros(3))
        floor = walking_floor(level.soles_m[..., 1].min((1, 2)), body.time_s)
        return low_feet(level.turned(np.eye(3), np.outer(-floor, (0.0, 1.0, 0.0))), config.contacts)
    direction, height = settled_floor(body, up, config)
    return standing(body, body.soles_m @ direction + height, config.contacts)


def _person(
    model: BodyModel, part: _Part, R: np.ndarray, focal_px: float, moving: bool | None, config: WorldConfig
) -> tuple[Solved, np.ndarray]:
    """One person's body in the world's axes, and the place of the camera; both from the camera's horizontal place."""
    if moving:
        body = part.body.turned(R, np.zeros(3))
        camera = np.full(3, np.nan)
        floor = walking_floor(body.soles_m[..., 1].min((1, 2)), body.time_s)
        body = body.turned(np.eye(3), np.outer(-floor, (0.0, 1.0, 0.0)))
        contacts = low_feet(body, config.contacts)
        rays = part.body.root_m @ R.T
    else:
        _, height = settled_floor(part.body, Up(R[1], KNOWN_RAD), config)
        camera = np.array((0.0, height, 0.0))
        body = part.body.turned(R, camera)
        contacts = standing(body, body.soles_m[..., 1], config.contacts)
        rays = body.root_m - camera
    done = solved(model, part.shape, part.soles, body, contacts, rays, focal_px, bool(moving), config)
    return done, camera


def facing(body: Moving, up: np.ndarray) -> np.ndarray:
    """R_world_camera (3, 3): up to +y, and where the body faces in its first frame to +z."""
    root = body.pose[0, 0]
    ahead, left = (axis - (axis @ up) * up for axis in (root[:, 2], root[:, 0]))
    # Who lies on the back or on the face faces up or down; then the left side is to the left.
    z = ahead if np.linalg.norm(ahead) >= np.linalg.norm(left) / 2 else np.cross(left, up)
    z = z / np.linalg.norm(z)
    return np.stack((np.cross(up, z), up, z))


def _world(capture: Capture, shots: Sequence[_Found]) -> World:
    frames, joints = len(capture), len(capture.body_joint_names)
    pose = np.full((frames, joints, 3, 3), np.nan, np.float32)
    root = np.full((frames, 3), np.nan, np.float32)
    contacts = np.zeros((frames, 2), bool)
    for shot in shots:
        if shot.solved is not None:
            pose[shot.rows] = shot.solved.moving.pose
            root[shot.rows] = shot.solved.moving.root_m
            contacts[shot.rows] = shot.solved.contacts
    return World(
        R_world_camera=np.stack([shot.R_world_camera for shot in shots]),
        camera_world_m=np.stack([shot.camera_m for shot in shots]),
        pose_world_rotmat=pose,
        root_world_m=root,
        contacts=contacts,
        floor=np.stack([np.append(shot.R_world_camera[1], shot.camera_m[1]) for shot in shots]),
        world_source=tuple(shot.source for shot in shots),
    )
