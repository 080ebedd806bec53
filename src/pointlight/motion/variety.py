"""Variety: new motions from the ones there are. Every change is a switch; nothing crosses a split."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from pointlight.configuration import added
from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion
from pointlight.motion.sitting import fold_elbow, rest_arms, sit_down

_UPPER = np.array(
    [
        i
        for i, name in enumerate(DRIVEN_JOINTS[1:])
        if not any(part in name for part in ("hip", "knee", "ankle", "toes"))
    ]
)
_BEND_DEG: dict[str, float] = {
    "spine": 4,
    "neck": 6,
    "head": 6,
    "shoulder": 14,
    "elbow": 10,
    "wrist": 10,
    "hip": 7,
}
"""Standard deviation of added bends; knees and ankles are left alone, or feet would float."""

_BENT = [
    (joint, deviation)
    for joint, name in enumerate(DRIVEN_JOINTS[1:])
    for part, deviation in _BEND_DEG.items()
    if part in name
]
_BENT_JOINTS = np.array([joint for joint, _ in _BENT])
_BENT_RAD = np.radians([deviation for _, deviation in _BENT])[None, :, None]

_SWING_DEG = 25.0
"""Standard deviation of a swung hip's turn about each axis."""

_FOLD_DEG = 60.0
"""A swung leg's knee is folded by up to as much more."""

_ARM_SWING_DEG = 30.0
"""Standard deviation of a swung shoulder's turn about each axis."""

_ARM_FOLD_DEG = 80.0
"""A swung arm's elbow is folded by up to as much more."""


@dataclass(frozen=True)
class VarietyConfig:
    """Shares of windows that are changed.

    Attributes:
        mix: the trunk above the pelvis and the arms come from another window of the same split.
        warp: time runs 0.7 to 1.4 times as fast.
        bend: joints are turned a little further, by slowly changing angles.
        swing: one leg is swung from the hip and its knee folded; the other stands as it stood.
        arms: one arm is the other window's, or is swung from the shoulder and folded; or both are held, in the lap, on the
            hips, at the face and so on.
        seats: the person sits.
    """

    mix: float = 0.25
    warp: float = 0.3
    bend: float = 0.4
    swing: float = 0.3
    arms: float = added(0.0)
    seats: float = added(0.0)

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return bool(self.mix or self.warp or self.bend or self.swing or self.arms or self.seats)

    @staticmethod
    def none() -> VarietyConfig:
        """Motions as they are (the paper)."""
        return VarietyConfig(0.0, 0.0, 0.0, 0.0)


def vary(
    window: BodyMotion, donor: BodyMotion, config: VarietyConfig, rng: np.random.Generator
) -> BodyMotion:
    """Change a window by chance; its name, group and length stay.

    Args:
        window: what is changed.
        donor: another window of the same length and split, for mixing.
        config: shares.
        rng: draws.
    """
    mix, warp, bend = rng.random(3)
    if mix < config.mix:
        window = mix_bodies(window, donor)
    if warp < config.warp:
        window = warp_time(window, float(rng.uniform(0.7, 1.0)))
    if bend < config.bend:
        window = bend_joints(window, rng)
    # A draw of its own after the others, which a share of 0 must leave as they are.
    if config.swing and rng.random() < config.swing:
        window = swing_leg(window, rng)
    if config.seats and rng.random() < config.seats:
        window = sit_down(window, rng)
    if config.arms and rng.random() < config.arms:
        window = move_arms(window, donor, rng)
    return window


def mix_bodies(lower: BodyMotion, upper: BodyMotion) -> BodyMotion:
    """Legs and root of one motion, trunk and arms of another.

    Raises:
        ValueError: the motions are of different splits or lengths.
    """
    if lower.split != upper.split or lower.frames != upper.frames:
        raise ValueError(f"{lower.name} and {upper.name} differ in split or length")
    pose = lower.pose.copy()
    pose[:, _UPPER] = upper.pose[:, _UPPER]
    return replace(lower, pose=pose)


def warp_time(window: BodyMotion, speed: float) -> BodyMotion:
    """The window's beginning at another speed (at most 1), stretched to the window's length.

    Neighbouring frames are blended linearly and made rotations again; at 30 frames/s they differ little.
    """
    place = np.arange(window.frames) * speed
    left = np.minimum(place.astype(int), window.frames - 2)
    share = (place - left).astype(np.float32)

    def blend(values: np.ndarray) -> np.ndarray:
        weight = share.reshape(-1, *([1] * (values.ndim - 1)))
        return (1 - weight) * values[left] + weight * values[left + 1]

    return replace(
        window,
        pose=_orthonormal(blend(window.pose)),
        root=_orthonormal(blend(window.root)),
        translation_m=blend(window.translation_m).astype(np.float32),
    )


def bend_joints(window: BodyMotion, rng: np.random.Generator) -> BodyMotion:
    """Turn joints by smooth, small angles on top of what they do."""
    frames = window.frames
    count = len(_BENT_JOINTS)
    constant = rng.standard_normal((1, count, 3))
    slow = gaussian_filter1d(rng.standard_normal((frames, count, 3)), 8, axis=0, mode="reflect") * 4
    turn = Rotation.from_rotvec((_BENT_RAD * (0.8 * constant + 0.6 * slow)).reshape(-1, 3)).as_matrix()
    pose = window.pose.copy()
    pose[:, _BENT_JOINTS] = pose[:, _BENT_JOINTS] @ turn.reshape(frames, count, 3, 3).astype(np.float32)
    return replace(window, pose=pose)


def swing_leg(window: BodyMotion, rng: np.random.Generator) -> BodyMotion:
    """Swing one leg from the hip, by smooth and large angles, and fold its knee; nothing else moves."""
    frames = window.frames
    side = ("left", "right")[rng.integers(2)]
    hip, knee = (DRIVEN_JOINTS.index(f"{side}_{part}") - 1 for part in ("hip", "knee"))
    course = _swinging(frames, rng)
    swing = Rotation.from_rotvec(np.radians(_SWING_DEG) * course[:, :3]).as_matrix()
    # A knee folds one way: a positive turn about x (heel back).
    fold = np.radians(_FOLD_DEG) / (1 + np.exp(-2 * course[:, 3]))
    folds = Rotation.from_rotvec(np.outer(fold * rng.random(), (1.0, 0.0, 0.0))).as_matrix()
    pose = window.pose.copy()
    pose[:, hip] = pose[:, hip] @ swing.astype(np.float32)
    pose[:, knee] = pose[:, knee] @ folds.astype(np.float32)
    return replace(window, pose=pose)


def move_arms(window: BodyMotion, donor: BodyMotion, rng: np.random.Generator) -> BodyMotion:
    """One arm is the donor's, or swung by smooth and large angles; or both are held as people hold them.

    Raises:
        ValueError: the motions are of different splits or lengths.
    """
    if window.split != donor.split or window.frames != donor.frames:
        raise ValueError(f"{window.name} and {donor.name} differ in split or length")
    kind, side = rng.integers(3), ("left", "right")[rng.integers(2)]
    if kind == 0:
        return replace(window, pose=rest_arms(window.pose, rng))
    pose = window.pose.copy()
    if kind == 1:
        arm = [DRIVEN_JOINTS.index(f"{side}_{part}") - 1 for part in ("collar", "shoulder", "elbow", "wrist")]
        pose[:, arm] = donor.pose[:, arm]
        return replace(window, pose=pose)
    course = _swinging(window.frames, rng)
    shoulder, elbow = (DRIVEN_JOINTS.index(f"{side}_{part}") - 1 for part in ("shoulder", "elbow"))
    swing = Rotation.from_rotvec(np.radians(_ARM_SWING_DEG) * course[:, :3]).as_matrix()
    fold = _ARM_FOLD_DEG / (1 + np.exp(-2 * course[:, 3])) * rng.random()
    pose[:, shoulder] = pose[:, shoulder] @ swing.astype(np.float32)
    pose[:, elbow] = pose[:, elbow] @ fold_elbow(side, fold)
    return replace(window, pose=pose)


def _swinging(frames: int, rng: np.random.Generator) -> np.ndarray:
    """(T, 4) smooth courses of deviation near 1: a limb's turns about three axes, and how far it is folded."""
    slow = gaussian_filter1d(rng.standard_normal((frames, 4)), 6, axis=0, mode="reflect") * 4
    return 0.7 * rng.standard_normal((1, 4)) + 0.7 * slow


def _orthonormal(matrices: np.ndarray) -> np.ndarray:
    """Matrices near rotations to rotations, by Gram-Schmidt on their columns."""
    x = matrices[..., 0]
    x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    y = matrices[..., 1]
    y = y - (x * y).sum(-1, keepdims=True) * x
    y = y / np.linalg.norm(y, axis=-1, keepdims=True)
    rotations = np.empty(matrices.shape, np.float32)
    rotations[..., 0], rotations[..., 1] = x, y
    rotations[..., 0, 2] = x[..., 1] * y[..., 2] - x[..., 2] * y[..., 1]
    rotations[..., 1, 2] = x[..., 2] * y[..., 0] - x[..., 0] * y[..., 2]
    rotations[..., 2, 2] = x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
    return rotations
