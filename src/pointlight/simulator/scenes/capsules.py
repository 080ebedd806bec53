"""The body's surface as capsules fixed to its joints: enough to tell what the body hides from a camera, and fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointlight.body import MEAN_ADULT_SHAPE, BodyModel, Person, mirrored_name

Offset = tuple[float, float, float]


@dataclass(frozen=True)
class Capsule:
    """All points within `radius_m` of a line between two points that are fixed to joints.

    Attributes:
        start: joint that the line's first end moves with.
        start_offset_m: the end's place from that joint on the mean adult at rest, body axes.
        end: joint of the other end.
        end_offset_m: from that joint.
        radius_m: on the mean adult.
        flesh: grows with muscle and weight; otherwise with the skeleton alone.
    """

    start: str
    start_offset_m: Offset
    end: str
    end_offset_m: Offset
    radius_m: float
    flesh: bool = True

    def mirrored(self) -> Capsule:
        """The same on the other side of the body."""
        (ax, ay, az), (bx, by, bz) = self.start_offset_m, self.end_offset_m
        start, end = mirrored_name(self.start), mirrored_name(self.end)
        return Capsule(start, (-ax, ay, az), end, (-bx, by, bz), self.radius_m, self.flesh)


_MIDDLE = (
    Capsule("pelvis", (0.071, 0.001, 0.006), "pelvis", (-0.071, 0.001, 0.006), 0.120),
    Capsule("spine1", (0.042, 0.015, 0.065), "spine1", (-0.042, 0.015, 0.065), 0.119),
    Capsule("spine2", (0.040, 0.002, 0.057), "spine2", (-0.040, 0.002, 0.057), 0.112),
    Capsule("spine2", (0.042, 0.097, 0.052), "spine2", (-0.042, 0.097, 0.052), 0.123),
    Capsule("spine3", (0.094, 0.056, 0.019), "spine3", (-0.094, 0.056, 0.019), 0.069),
    Capsule("neck", (0.0, -0.139, 0.010), "head", (0.0, -0.015, -0.009), 0.055, flesh=False),
    Capsule("head", (0.0, 0.082, -0.013), "head", (0.0, 0.071, 0.033), 0.072, flesh=False),
    Capsule("head", (0.0, 0.057, -0.021), "head", (0.0, -0.005, 0.040), 0.070, flesh=False),
)
"""The trunk is a pile of capsules that lie across it, since it is wider than deep; then neck, skull and face."""

_LEFT = (
    Capsule("left_collar", (0.030, 0.009, -0.031), "left_shoulder", (-0.012, -0.016, -0.005), 0.071),
    Capsule("left_shoulder", (0.022, -0.023, -0.013), "left_elbow", (-0.008, 0.001, 0.004), 0.043),
    Capsule("left_elbow", (0.004, 0.005, 0.005), "left_wrist", (-0.003, 0.0, -0.009), 0.032),
    Capsule("left_hip", (-0.004, -0.062, 0.016), "left_hip", (0.009, -0.223, 0.039), 0.086),
    Capsule("left_hip", (0.008, -0.093, 0.063), "left_knee", (-0.009, 0.001, -0.001), 0.065),
    Capsule("left_knee", (0.012, -0.067, -0.016), "left_knee", (0.031, -0.219, -0.033), 0.058),
    Capsule("left_knee", (0.027, -0.108, -0.050), "left_ankle", (0.002, 0.011, 0.004), 0.039),
    # Hand: along the thumb, the fore and the little finger. Foot: heel, inner and outer edge.
    Capsule("left_wrist", (-0.012, -0.006, 0.042), "left_wrist", (-0.033, -0.040, 0.113), 0.012, flesh=False),
    Capsule("left_wrist", (0.002, -0.008, 0.031), "left_wrist", (0.056, -0.109, 0.161), 0.020, flesh=False),
    Capsule("left_wrist", (0.016, -0.028, 0.010), "left_wrist", (0.094, -0.136, 0.109), 0.016, flesh=False),
    Capsule("left_ankle", (0.003, -0.026, 0.055), "left_ankle", (0.002, -0.048, -0.022), 0.031, flesh=False),
    Capsule("left_ankle", (0.001, -0.012, -0.028), "left_toes", (-0.031, -0.017, 0.026), 0.024, flesh=False),
    Capsule("left_ankle", (0.023, -0.049, 0.004), "left_toes", (0.019, -0.011, 0.001), 0.019, flesh=False),
)

CAPSULES: tuple[Capsule, ...] = (*_MIDDLE, *_LEFT, *(capsule.mirrored() for capsule in _LEFT))
"""Fitted to Anny's surface over 240 adults in captured poses: on average 7 mm from it (`benchmarks/self_occlusion.py`
measures what that means for visibility). Another body with the same joints is served less exactly."""

_GIRTH_OF_SIZE = 0.65
_GIRTH_OF = {"muscle": -0.23, "weight": 0.36}
"""How the logarithm of girth grows with that of size and with the shape's numbers. With muscle a body of one
weight has less fat, and Anny's becomes slimmer."""


@dataclass(frozen=True)
class PlacedCapsules:
    """The capsules of one body model as arrays; C of them.

    Attributes:
        joints: (C, 2) int64, which joints the ends move with.
        offsets_m: (C, 2, 3) float32.
        radii_m: (C,) float32.
        flesh: (C,) bool.
    """

    joints: np.ndarray
    offsets_m: np.ndarray
    radii_m: np.ndarray
    flesh: np.ndarray

    @classmethod
    def of(cls, joint_names: tuple[str, ...]) -> PlacedCapsules:
        """For joints in the order of `joint_names`."""
        return cls(
            np.array([(joint_names.index(c.start), joint_names.index(c.end)) for c in CAPSULES], np.int64),
            np.array([(c.start_offset_m, c.end_offset_m) for c in CAPSULES], np.float32),
            np.array([c.radius_m for c in CAPSULES], np.float32),
            np.array([c.flesh for c in CAPSULES]),
        )


def body_size(body: BodyModel, person: Person) -> Tensor:
    """(...) height from ankle to neck at rest, as a multiple of the mean adult's."""
    mean = body.person(torch.tensor(MEAN_ADULT_SHAPE)).joints
    neck, ankle = (body.joint_names.index(name) for name in ("neck", "left_ankle"))
    return (person.joints[..., neck, 1] - person.joints[..., ankle, 1]) / (mean[neck, 1] - mean[ankle, 1])


def girth_factor(shape: Tensor, shape_names: tuple[str, ...], size: Tensor) -> Tensor:
    """(...) how much thicker than the mean adult's a body's trunk and limbs are.

    Args:
        shape: (..., S).
        shape_names: of the S numbers; those that the table does not know have no say.
        size: (...) of `body_size`.
    """
    log_girth = _GIRTH_OF_SIZE * size.log()
    for name, mean in zip(shape_names, MEAN_ADULT_SHAPE, strict=True):
        log_girth = log_girth + _GIRTH_OF.get(name, 0.0) * (shape[..., shape_names.index(name)] - mean)
    return log_girth.exp()
