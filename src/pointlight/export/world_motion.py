"""What every format is written from: one person's motion in an upright world, at even times, without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pointlight.body import EVALUATION_JOINTS, FOOT_KEYPOINTS, AnnyBody, BodyState
from pointlight.capture import Capture, body_states, stretches, world_states
from pointlight.export.timeline import FILLED, INFERRED, Timeline
from pointlight.values import by_value

POINT_NAMES: tuple[str, ...] = (*EVALUATION_JOINTS, "nose", "left_ear", "right_ear", *FOOT_KEYPOINTS)
"""Points that marker formats have: the 14 joints of evaluation, and points of the skin of head and feet."""

_UPRIGHT = np.diag((1.0, -1.0, -1.0))
"""From camera axes to axes with y up, where nothing is known of how the camera stood."""

_NO_WORLD = (
    "The result says nothing of gravity: these are the camera's axes turned so that y is up (x right, y up, z towards the"
    " camera). If the camera was tilted, so is this motion. The lowest sole of the clip is at height 0."
)
_CARRIERS = {"heel": "ankle", "big_toe": "toes", "small_toe": "toes"}
"""Which joint carries which point of a foot."""


@by_value
@dataclass(frozen=True)
class Camera:
    """The camera of the first shot in the world.

    Attributes:
        R_world_camera: (3, 3) from camera axes (x right, y down, z away) to the world's.
        place_m: (3,) in the world.
        focal_px: focal length, pixels.
        principal_px: (x, y) of the principal point.
        image_size: (width, height).
    """

    R_world_camera: np.ndarray
    place_m: np.ndarray
    focal_px: float
    principal_px: tuple[float, float]
    image_size: tuple[int, int]


@by_value
@dataclass(frozen=True, kw_only=True)
class WorldMotion:
    """One person's motion; T frames at k / fps seconds, J joints. World: right-handed, y up, floor y = 0, metres.

    Attributes:
        name: of the result's file, such as "poses_1".
        person: number of the person.
        fps: frames per second.
        marks: (T,) uint8 what each frame rests on, see `timeline.MARK_NAMES`.
        start_s: when in the video the first frame is shown.
        joint_names: names of the J joints.
        parents: index of every joint's parent; -1 for the root.
        rest_m: (J, 3) joints at rest, body axes (x to the person's left, y up, z forward).
        pose: (T, J, 3, 3) rotations relative to the parent, identity = rest; the root's maps body axes to the world's.
        rotations: (T, J, 3, 3) rotations from rest to the world.
        places_m: (T, J, 3) joints in the world.
        points_m: (T, P, 3) `POINT_NAMES` in the world.
        contacts: (T, 2) bool, left and right foot stand, not in filled frames; None if nobody sought that.
        shape: (S,) float32 of the body.
        camera: of the first shot.
        source: what the result was made from, in words.
        notes: sentences on what the world rests on.
    """

    name: str
    person: int
    fps: float
    marks: np.ndarray
    start_s: float
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    rest_m: np.ndarray
    pose: np.ndarray
    rotations: np.ndarray
    places_m: np.ndarray
    points_m: np.ndarray
    contacts: np.ndarray | None
    shape: np.ndarray
    camera: Camera
    source: str
    notes: tuple[str, ...]

    def __len__(self) -> int:
        """Number of frames, T."""
        return len(self.marks)

    @property
    def time_s(self) -> np.ndarray:
        """(T,) float64 seconds from the first frame."""
        return np.arange(len(self)) / self.fps

    def spans(self, mark: int) -> str:
        """The frames of one mark as "3-7, 12", counted from 0; "" if there are none."""
        there = stretches(self.marks == mark)
        return ", ".join(str(a) if b - a == 1 else f"{a}-{b - 1}" for a, b in there)

    def words_of_marks(self) -> str:
        """What is filled and inferred, in one line."""
        filled, inferred = self.spans(FILLED), self.spans(INFERRED)
        return (
            f"{(self.marks == FILLED).sum()} frames filled{f' ({filled})' if filled else ''},"
            f" {(self.marks == INFERRED).sum()} inferred{f' ({inferred})' if inferred else ''}"
        )


def world_motions(
    captures: Sequence[Capture],
    body: AnnyBody,
    names: Sequence[str] | None = None,
    fps: float | None = None,
) -> list[WorldMotion]:
    """Everybody of a result in one world.

    Args:
        captures: of one video, the first person first.
        body: that they were made with.
        names: of their files; "poses", "poses_1" and so on if not given.
        fps: of the motion; the captures' own if not given.

    Raises:
        PointlightError: somebody has no body in any frame, or was made with another body.
    """
    names = names or [f"poses_{number}" if number else "poses" for number in range(len(captures))]
    lines = [Timeline.of(capture, fps) for capture in captures]
    if all(capture.world is not None for capture in captures):
        return [_in_known_world(*each, body) for each in zip(captures, lines, names, strict=True)]
    states = [body_states(capture, body) for capture in captures]
    roots = [state.translation.double().numpy() @ _UPRIGHT.T for state in states]
    turned = []
    for state in states:
        root = _UPRIGHT @ state.root.double().numpy()
        turned.append(np.concatenate((root[:, None], state.pose.double().numpy()), axis=1))
    # One world for all: the camera is level above the floor that nobody sinks below.
    origin = np.array([1.0, 0.0, 1.0]) * roots[0][captures[0].valid][0]
    floor = min(
        lowest_sole_m(capture, pose, root, body)
        for capture, pose, root in zip(captures, turned, roots, strict=True)
    )
    shift = origin + np.array([0.0, floor, 0.0])
    return [
        _motion(capture, line, name, body, pose, root - shift, _UPRIGHT, -shift, None, (_NO_WORLD,))
        for capture, line, name, pose, root in zip(captures, lines, names, turned, roots, strict=True)
    ]


def lowest_sole_m(capture: Capture, pose: np.ndarray, root_m: np.ndarray, body: AnnyBody) -> float:
    """Height of the lowest point of the soles in all frames with a body; pose (T, J, 3, 3) and root (T, 3), y up."""
    there = np.flatnonzero(capture.valid)
    lowest = np.inf
    for shot in np.unique(capture.shot[there]):
        frames = there[capture.shot[there] == shot]
        shape = torch.from_numpy(capture.shot_shapes[shot])
        rest = body.person(shape).joints.double().numpy()
        rotations, places = kinematics(pose[frames], root_m[frames], rest, body.parents)
        for name, sole in soles_m(body, shape).items():
            side, point = name.split("_", 1)
            carrier = body.joint_names.index(f"{side}_{_CARRIERS[point]}")
            heights = places[:, carrier, 1] + rotations[:, carrier, 1] @ (sole - rest[carrier])
            lowest = min(lowest, float(heights.min()))
    return lowest


def soles_m(body: AnnyBody, shape: torch.Tensor) -> dict[str, np.ndarray]:
    """The point of the sole (3,) below each of `FOOT_KEYPOINTS` at rest, body axes."""
    eye = torch.eye(3)
    rest = body.person(shape).joints
    state = BodyState(eye.expand(len(body.parents) - 1, 3, 3), shape, eye, rest[0])
    points = body.keypoints(state, FOOT_KEYPOINTS).double().numpy()
    points[:, 1] = float(body.rest_vertices(shape)[:, 1].min())
    return dict(zip(FOOT_KEYPOINTS, points, strict=True))


def kinematics(
    pose: np.ndarray, root_m: np.ndarray, rest_m: np.ndarray, parents: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (T, J, 3, 3) from rest and places (T, J, 3), from rotations relative to parents (T, J, 3, 3); float64."""
    rotations, places = np.empty_like(pose), np.empty((*pose.shape[:2], 3))
    rotations[:, 0], places[:, 0] = pose[:, 0], root_m
    for joint, parent in enumerate(parents[1:], start=1):
        rotations[:, joint] = rotations[:, parent] @ pose[:, joint]
        places[:, joint] = places[:, parent] + rotations[:, parent] @ (rest_m[joint] - rest_m[parent])
    return rotations, places


def _in_known_world(capture: Capture, line: Timeline, name: str, body: AnnyBody) -> WorldMotion:
    world, state = capture.world, world_states(capture, body)
    assert world is not None
    pose = torch.cat((state.root[:, None], state.pose), dim=1).double().numpy()
    root_m = state.translation.double().numpy()
    contacts = world.contacts[np.where(line.share < 0.5, line.left, line.right)]
    contacts &= (line.marks != FILLED)[:, None]
    camera = (world.R_world_camera[0].astype(np.float64), world.camera_world_m[0].astype(np.float64))
    return _motion(capture, line, name, body, pose, root_m, *camera, contacts, world.world_source)


def _motion(
    capture: Capture,
    line: Timeline,
    name: str,
    body: AnnyBody,
    pose: np.ndarray,
    root_m: np.ndarray,
    R_world_camera: np.ndarray,
    camera_m: np.ndarray,
    contacts: np.ndarray | None,
    notes: tuple[str, ...],
) -> WorldMotion:
    """On the file's frames, with one skeleton throughout."""
    shape = torch.from_numpy(capture.shape)
    rest = body.person(shape).joints.double().numpy()
    if len(capture.shot_shapes) > 1:
        # Other shots have legs of another length: who stood on the floor there shall stand on it here.
        stance = [_stance_m(body, torch.from_numpy(each)) for each in capture.shot_shapes]
        rise = _stance_m(body, shape) - np.array(stance)
        root_m = root_m + rise[capture.shot][:, None] * (0.0, 1.0, 0.0)
        notes = (*notes, "The video cuts; the skeleton is that of the shot with most bodies throughout.")
    pose, root_m = line.rotations(pose), line.places(root_m)
    rotations, places = kinematics(pose, root_m, rest, body.parents)
    local = torch.from_numpy(pose.astype(np.float32))
    state = BodyState(local[:, 1:], shape, local[:, 0], torch.from_numpy(root_m.astype(np.float32)))
    return WorldMotion(
        name=name,
        person=capture.track_id,
        fps=line.fps,
        marks=line.marks,
        start_s=float(capture.time_s[0]),
        joint_names=body.joint_names,
        parents=body.parents,
        rest_m=rest,
        pose=pose,
        rotations=rotations,
        places_m=places,
        points_m=body.keypoints(state, POINT_NAMES, body.person(shape)).numpy(),
        contacts=contacts,
        shape=capture.shape,
        camera=Camera(R_world_camera, camera_m, capture.focal_px, capture.principal_px, capture.image_size),
        source=(
            f"person {capture.track_id}, body {capture.body_model}, keypoints by {capture.keypoint_source},"
            f" network {capture.model_sha256[:12]}, focal length {capture.focal_px:.0f} px ({capture.focal_source})"
        ),
        notes=tuple(dict.fromkeys(notes)),
    )


def _stance_m(body: AnnyBody, shape: torch.Tensor) -> float:
    """Height of the root joint above the soles at rest."""
    return float(body.person(shape).joints[0, 1] - body.rest_vertices(shape)[:, 1].min())
