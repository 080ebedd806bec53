"""Motions made from nothing: walking to lying down, so that training and tests run with no data at all.

Every motion is a smooth curve through hand-set poses and cycles, with random speed, size and style; the root is put so
that the lowest point of the body touches the ground.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from pointlight.body import MEAN_ADULT_SHAPE, BodyModel, BodyState
from pointlight.motion.bank import MotionBank
from pointlight.motion.clip import BANK_FPS, DRIVEN_JOINTS, BodyMotion
from pointlight.randomness import stream

Angles = dict[str, np.ndarray]
"""Joint -> (T, 3) rotation vectors in degrees about body axes at rest (x left, y up, z forward); "root" too."""

PROCEDURAL_SEED = 2019
"""Of what is made from nothing where no folder of data is given: motions, and backgrounds of clips."""

_TRUNK_RADIUS_M = 0.11


@dataclass(frozen=True)
class _Draw:
    """What a maker draws from."""

    rng: np.random.Generator
    frames: int

    @property
    def time_s(self) -> np.ndarray:
        return np.arange(self.frames) / BANK_FPS

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def phase(self, rate_hz: float) -> np.ndarray:
        """(T,) radians of a cycle with a slightly uneven rate."""
        drift = 0.15 * np.sin(2 * np.pi * self.uniform(0.1, 0.3) * self.time_s + self.uniform(0, 6))
        return 2 * np.pi * rate_hz * (self.time_s + drift / max(rate_hz, 0.1) * 0.3) + self.uniform(
            0, 2 * np.pi
        )

    def bump(self, count: int | None = None) -> np.ndarray:
        """(T,) a curve between 0 and 1 that rises and falls, held at either end for a while."""
        knots = count or max(3, int(self.frames / BANK_FPS / self.uniform(0.7, 1.6)) + 2)
        values = (np.arange(knots) + self.rng.integers(2)) % 2 * self.rng.uniform(0.6, 1.0, knots)
        place = np.sort(self.rng.uniform(0, self.frames - 1, knots))
        place[0], place[-1] = 0, self.frames - 1
        place = np.maximum.accumulate(place + np.arange(knots) * 1e-3)
        return _through(place, values, self.frames)


def _standing(draw: _Draw) -> Angles:
    """Arms down from the A-pose, a little sway; every motion begins here."""
    down = draw.uniform(28, 42)
    sway = _wobble(draw, 3.0)
    pose: Angles = {
        "root": np.zeros((draw.frames, 3)),
        "spine1": sway[:, :3] * 0.6,
        "spine2": np.zeros((draw.frames, 3)),
        "spine3": _wobble(draw, 2.0),
        "neck": _wobble(draw, 5.0),
        "head": _wobble(draw, 6.0),
    }
    for side, sign in (("left", 1), ("right", -1)):
        pose[f"{side}_shoulder"] = np.array([0, 0, -sign * down]) + _wobble(draw, 4.0)
        pose[f"{side}_elbow"] = np.array([-draw.uniform(0, 25), 0, 0]) + _wobble(draw, 4.0)
        pose[f"{side}_hip"] = np.array([0, 0, -sign * draw.uniform(0, 4)]) + np.zeros((draw.frames, 3))
        pose[f"{side}_knee"] = np.zeros((draw.frames, 3))
        pose[f"{side}_ankle"] = np.zeros((draw.frames, 3))
    return pose


def _wobble(draw: _Draw, degrees: float) -> np.ndarray:
    """(T, 3) slow noise of so many degrees."""
    noise = gaussian_filter1d(draw.rng.standard_normal((draw.frames + 60, 3)), 12, axis=0)[30:-30]
    return degrees * noise / max(float(noise.std()), 1e-6) * 0.5


def _leg(pose: Angles, side: str, hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray | None = None) -> None:
    """Bend a leg forward at the hip and back at the knee by (T,) degrees; the sole stays level if nothing is said."""
    pose[f"{side}_hip"] = pose[f"{side}_hip"] + np.stack((-hip, 0 * hip, 0 * hip), axis=-1)
    pose[f"{side}_knee"] = pose[f"{side}_knee"] + np.stack((knee, 0 * knee, 0 * knee), axis=-1)
    ankle = hip - knee if ankle is None else ankle
    pose[f"{side}_ankle"] = pose[f"{side}_ankle"] + np.stack((ankle, 0 * ankle, 0 * ankle), axis=-1)


def _gait(
    draw: _Draw, rate: float, stride: float, lift: float, arms: float, lean: float
) -> tuple[Angles, np.ndarray]:
    pose = _standing(draw)
    phase = draw.phase(rate)
    for side, shift in (("left", 0.0), ("right", np.pi)):
        swing = np.sin(phase + shift)
        hip = stride * swing + 0.25 * stride
        knee = 6 + lift * np.clip(np.sin(phase + shift + 0.9), 0, None) ** 2
        _leg(pose, side, hip, knee, 0.6 * (hip - knee) - 4)
        back = arms * np.sin(phase + shift)
        pose[f"{side}_shoulder"] = pose[f"{side}_shoulder"] + np.stack((back, 0 * back, 0 * back), axis=-1)
        bend = -0.5 * arms * (1 - np.sin(phase + shift)) * 0.5 - 0.3 * arms
        pose[f"{side}_elbow"] = pose[f"{side}_elbow"] + np.stack((bend, 0 * bend, 0 * bend), axis=-1)
    twist = 6 * np.sin(phase)
    pose["spine1"] = pose["spine1"] + np.stack((0 * twist + lean, twist, 0 * twist), axis=-1)
    pose["root"] = pose["root"] + np.stack((0 * twist, -0.5 * twist, 3 * np.sin(phase)), axis=-1)
    speed = 2.0 * rate * 0.8 * np.sin(np.radians(stride)) * 2
    return pose, np.full(draw.frames, speed)


def _walk(draw: _Draw) -> tuple[Angles, np.ndarray]:
    return _gait(
        draw,
        draw.uniform(0.7, 1.1),
        draw.uniform(16, 28),
        draw.uniform(45, 65),
        draw.uniform(8, 30),
        draw.uniform(0, 6),
    )


def _run(draw: _Draw) -> tuple[Angles, np.ndarray]:
    return _gait(
        draw,
        draw.uniform(1.2, 1.6),
        draw.uniform(28, 45),
        draw.uniform(80, 110),
        draw.uniform(35, 60),
        draw.uniform(5, 15),
    )


def _still(draw: _Draw) -> np.ndarray:
    return np.zeros(draw.frames)


def _squat(draw: _Draw) -> tuple[Angles, np.ndarray]:
    pose, depth = _standing(draw), draw.bump()
    deep = draw.uniform(50, 110)
    for side in ("left", "right"):
        _leg(pose, side, deep * depth, 1.15 * deep * depth)
        pose[f"{side}_shoulder"] = pose[f"{side}_shoulder"] + np.outer(depth, [-draw.uniform(20, 90), 0, 0])
    pose["root"] = pose["root"] + np.outer(depth, [draw.uniform(10, 35), 0, 0])
    return pose, _still(draw)


def _reach(draw: _Draw) -> tuple[Angles, np.ndarray]:
    pose = _standing(draw)
    for side, sign in (("left", 1), ("right", -1)):
        if draw.rng.random() < 0.75:
            curve = draw.bump()
            goal = [-draw.uniform(20, 150), sign * draw.uniform(-40, 60), sign * draw.uniform(-20, 90)]
            pose[f"{side}_shoulder"] = pose[f"{side}_shoulder"] + np.outer(curve, goal)
            pose[f"{side}_elbow"] = pose[f"{side}_elbow"] + np.outer(
                draw.bump(), [-draw.uniform(0, 90), 0, 0]
            )
    curve = draw.bump()
    pose["spine1"] = pose["spine1"] + np.outer(
        curve, [draw.uniform(-5, 35), draw.uniform(-25, 25), draw.uniform(-12, 12)]
    )
    pose["spine2"] = pose["spine2"] + np.outer(curve, [draw.uniform(0, 20), draw.uniform(-15, 15), 0])
    return pose, _still(draw)


def _wave(draw: _Draw) -> tuple[Angles, np.ndarray]:
    pose = _standing(draw)
    phase = draw.phase(draw.uniform(0.8, 2.2))
    both = draw.rng.random() < 0.3
    for side, sign in (("left", 1), ("right", -1)):
        if both or draw.rng.random() < 0.6:
            raised = draw.uniform(60, 130)
            pose[f"{side}_shoulder"] = pose[f"{side}_shoulder"] + np.array([0, 0, sign * raised])
            swing = draw.uniform(10, 35) * np.sin(phase)
            pose[f"{side}_elbow"] = pose[f"{side}_elbow"] + np.stack(
                (swing * 0 - 30, 0 * swing, sign * swing), axis=-1
            )
    return pose, _still(draw)


def _turn(draw: _Draw) -> tuple[Angles, np.ndarray]:
    pose, speed = _gait(draw, draw.uniform(0.6, 1.0), draw.uniform(6, 14), draw.uniform(25, 45), 12, 2)
    yaw = draw.uniform(60, 400) * draw.rng.choice([-1, 1]) * draw.time_s / max(draw.time_s[-1], 1)
    pose["root"] = pose["root"] + np.stack((0 * yaw, yaw, 0 * yaw), axis=-1)
    return pose, 0.3 * speed


def _sit(draw: _Draw) -> tuple[Angles, np.ndarray]:
    """Down onto a chair that is not there and up again."""
    pose, curve = _standing(draw), draw.bump(4)
    for side in ("left", "right"):
        _leg(pose, side, draw.uniform(80, 95) * curve, draw.uniform(80, 100) * curve)
        pose[f"{side}_shoulder"] = pose[f"{side}_shoulder"] + np.outer(curve, [-draw.uniform(10, 40), 0, 0])
        pose[f"{side}_elbow"] = pose[f"{side}_elbow"] + np.outer(curve, [-draw.uniform(20, 70), 0, 0])
    bow = curve * (1 - curve) * 4
    pose["root"] = pose["root"] + np.outer(bow, [draw.uniform(20, 45), 0, 0])
    return pose, _still(draw)


def _kneel(draw: _Draw) -> tuple[Angles, np.ndarray]:
    pose, curve = _standing(draw), draw.bump(4)
    one = draw.rng.random() < 0.5
    _leg(pose, "left", draw.uniform(-5, 20) * curve, draw.uniform(85, 110) * curve, -20 * curve)
    if one:
        _leg(pose, "right", draw.uniform(80, 95) * curve, draw.uniform(80, 95) * curve)
    else:
        _leg(pose, "right", draw.uniform(-5, 20) * curve, draw.uniform(85, 110) * curve, -20 * curve)
    return pose, _still(draw)


def _lie(draw: _Draw) -> tuple[Angles, np.ndarray]:
    """On the back, the front or a side, limbs moving, rolling a little."""
    pose = _standing(draw)
    kind = draw.rng.integers(3)
    tilt = -90.0 if kind == 0 else 90.0 if kind == 1 else -90.0
    roll = draw.uniform(60, 100) * draw.rng.choice([-1, 1]) if kind == 2 else draw.uniform(-20, 20)
    lay = Rotation.from_euler("xy", [tilt, 0], degrees=True) * Rotation.from_euler("y", roll, degrees=True)
    pose["root"] = pose["root"] + np.degrees(lay.as_rotvec())
    for side, sign in (("left", 1), ("right", -1)):
        bend = draw.uniform(0, 90) * draw.bump()
        _leg(pose, side, 0.6 * bend, bend, 0.2 * bend)
        lift = draw.bump()
        pose[f"{side}_shoulder"] = pose[f"{side}_shoulder"] + np.outer(
            lift, [-draw.uniform(0, 60), 0, sign * draw.uniform(0, 110)]
        )
        pose[f"{side}_elbow"] = pose[f"{side}_elbow"] + np.outer(draw.bump(), [-draw.uniform(0, 90), 0, 0])
    return pose, _still(draw)


def _floor(draw: _Draw) -> tuple[Angles, np.ndarray]:
    """On all fours, in a press-up, or sitting on the ground."""
    pose = _standing(draw)
    kind = draw.rng.integers(3)
    curve = draw.bump()
    for side in ("left", "right"):
        if kind == 0:
            _leg(
                pose,
                side,
                90 + 15 * _wobble(draw, 1.0)[:, 0],
                np.full(draw.frames, 95.0),
                np.full(draw.frames, -30.0),
            )
            arm = -80.0
        elif kind == 1:
            _leg(pose, side, np.full(draw.frames, 5.0), np.full(draw.frames, 3.0), np.full(draw.frames, 15.0))
            arm = -75.0
        else:
            bend = draw.uniform(0, 90) * curve
            _leg(pose, side, 85 + 0.5 * bend, bend + 5, 0.3 * bend)
            arm = draw.uniform(-40, 20)
        pose[f"{side}_shoulder"] = pose[f"{side}_shoulder"] + np.array([arm, 0, 0])
        pose[f"{side}_elbow"] = pose[f"{side}_elbow"] + np.outer(curve, [-draw.uniform(5, 60), 0, 0])
    tilt = {0: 85.0, 1: 72.0, 2: -15.0}[int(kind)]
    pose["root"] = pose["root"] + np.array([tilt, 0, 0]) + _wobble(draw, 4.0)
    if kind < 2:
        pose["neck"] = pose["neck"] + np.array([-draw.uniform(0, 30), 0, 0])
    return pose, _still(draw)


def _anything(draw: _Draw) -> tuple[Angles, np.ndarray]:
    """Random but plausible: smooth curves through poses drawn within a person's limits."""
    pose = _standing(draw)
    knots = max(3, int(draw.frames / BANK_FPS * draw.uniform(0.8, 2.0)))
    place = np.linspace(0, draw.frames - 1, knots)
    reach = {
        "shoulder": ([-120, -50, -40], [30, 50, 90]),
        "elbow": ([-110, -10, -20], [0, 10, 20]),
        "spine1": ([-10, -25, -15], [40, 25, 15]),
        "spine2": ([-5, -15, -8], [20, 15, 8]),
        "neck": ([-20, -35, -12], [25, 35, 12]),
    }
    for joint in ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "spine1", "spine2", "neck"):
        low, high = reach[joint.split("_")[-1]]
        values = draw.rng.uniform(low, high, (knots, 3)) * draw.uniform(0.3, 1.0)
        if joint.startswith("right"):
            values[:, 1:] *= -1
        pose[joint] = pose[joint] + _through(place, values, draw.frames)
    for side in ("left", "right"):
        hip = _through(place, draw.rng.uniform(-15, 75, knots) * draw.uniform(0.2, 1.0), draw.frames)
        knee = _through(place, draw.rng.uniform(0, 100, knots) * draw.uniform(0.2, 1.0), draw.frames)
        _leg(pose, side, hip, knee, 0.5 * (hip - knee))
    yaw = np.cumsum(_wobble(draw, 2.0)[:, 1])
    pose["root"] = pose["root"] + np.stack((_wobble(draw, 5.0)[:, 0], yaw, _wobble(draw, 4.0)[:, 2]), axis=-1)
    return pose, _still(draw)


KINDS: dict[str, Callable[[_Draw], tuple[Angles, np.ndarray]]] = {
    "walk": _walk,
    "run": _run,
    "squat": _squat,
    "reach": _reach,
    "wave": _wave,
    "turn": _turn,
    "sit": _sit,
    "kneel": _kneel,
    "lie": _lie,
    "floor": _floor,
    "anything": _anything,
}
"""Makers by the group's name."""

FLOOR_KINDS: tuple[str, ...] = ("lie", "floor", "kneel")
"""Poses that motion capture lacks: nobody lies on the ground there."""


def procedural_motion(
    kind: str, body: BodyModel, rng: np.random.Generator, frames: int, *, name: str, split: str
) -> BodyMotion:
    """One motion of a kind of `KINDS`, `frames` long, on the ground."""
    draw = _Draw(rng, frames)
    angles, speed = KINDS[kind](draw)
    pose = np.stack([_matrices(angles.get(joint), frames) for joint in DRIVEN_JOINTS[1:]], axis=1)
    heading = Rotation.from_euler("y", rng.uniform(0, 360), degrees=True)
    root = (heading * Rotation.from_rotvec(np.radians(angles["root"]))).as_matrix().astype(np.float32)
    forward = np.stack((root[:, 0, 2], 0 * speed, root[:, 2, 2]), axis=-1)
    translation = np.cumsum(forward * speed[:, None] / BANK_FPS, axis=0).astype(np.float32)
    height = _lowest(body, pose, root)
    translation[:, 1] = gaussian_filter1d(-height, 2.0)
    return BodyMotion(name, kind, split, pose, root, translation)


def procedural_bank(
    body: BodyModel,
    seed: int,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    clips_per_kind: int = 20,
    frames: int = 124,
) -> MotionBank:
    """A bank of procedural motions; of every five clips one is held out and one is for validation."""
    splits = ("train", "train", "validation", "train", "heldout")
    motions = [
        procedural_motion(
            kind,
            body,
            stream(seed, index, f"procedural {kind}"),
            frames,
            name=f"procedural/{kind}_{index:03d}",
            split=splits[index % len(splits)],
        )
        for kind in kinds
        for index in range(clips_per_kind)
    ]
    return MotionBank.from_motions(motions)


def _matrices(degrees: np.ndarray | None, frames: int) -> np.ndarray:
    if degrees is None:
        return np.tile(np.eye(3, dtype=np.float32), (frames, 1, 1))
    return Rotation.from_rotvec(np.radians(degrees)).as_matrix().astype(np.float32)


def _lowest(body: BodyModel, pose: np.ndarray, root: np.ndarray) -> np.ndarray:
    """(T,) height of the body's lowest point when the pelvis is at 0; the trunk has flesh around its joints."""
    state = BodyState(
        torch.from_numpy(pose), torch.tensor(MEAN_ADULT_SHAPE), torch.from_numpy(root), torch.zeros(3)
    )
    trunk = [DRIVEN_JOINTS.index(name) for name in ("pelvis", "spine2", "spine3")]
    with torch.no_grad():
        surface = body.keypoints(state)[..., 1].numpy().min(1)
        inner = body.joints(state)[:, trunk, 1].numpy().min(1) - _TRUNK_RADIUS_M
    return np.minimum(surface, inner)


def _through(place: np.ndarray, values: np.ndarray, frames: int) -> np.ndarray:
    """(T, ...) at whole frames, a curve through values at places that overshoots nowhere (PCHIP)."""
    from scipy.interpolate import PchipInterpolator  # brings scipy's optimisers, which nothing else needs

    return PchipInterpolator(place, values)(np.arange(frames))
