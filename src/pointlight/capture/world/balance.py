"""Up as the direction from what bears a body to its centre of mass: over time a body that stands is balanced."""

from __future__ import annotations

import numpy as np

from pointlight.body import BodyModel
from pointlight.capture.world.contacts import contact_heights
from pointlight.capture.world.gravity import GravityConfig, Up, unit
from pointlight.capture.world.moving import SIDES, Moving

LEAST_FRAMES = 5

_TRUNK = {"pelvis": 0.15, "spine1": 0.08, "spine2": 0.09, "spine3": 0.115, "head": 0.069}
_LIMBS = (
    ("hip", "knee", 0.142, 0.43),
    ("knee", "ankle", 0.043, 0.45),
    ("ankle", "toes", 0.014, 0.5),
    ("shoulder", "elbow", 0.027, 0.5),
    ("elbow", "wrist", 0.022, 0.65),
)
"""From joint, to joint, share of the body's mass, and where between them it is (after Winter 2009; hands with forearms)."""


def masses(joint_names: tuple[str, ...]) -> np.ndarray:
    """(J,) shares of a body's mass, put at its joints; they add up to 1."""
    shares = np.zeros(len(joint_names))
    for name, mass in _TRUNK.items():
        shares[joint_names.index(name)] += mass
    for side in SIDES:
        for start, end, mass, place in _LIMBS:
            shares[joint_names.index(f"{side}_{start}")] += mass * (1 - place)
            shares[joint_names.index(f"{side}_{end}")] += mass * place
    return shares / shares.sum()


def balanced(model: BodyModel, body: Moving, contacts: np.ndarray, up: Up, config: GravityConfig) -> Up:
    """Up with what balance says of it, where the body stands on straight enough legs; who sits is borne by a chair.

    Args:
        model: whose body it is.
        body: in the axes of `up`.
        contacts: (T, 2) which foot stands.
        up: of the poses.
        config: the weights.
    """
    names = model.joint_names
    heights, bears = contact_heights(body.soles_m @ up.direction)
    feet = (body.soles_m * bears[..., None]).sum(2)
    lower = np.exp(-(heights - heights.min(1, keepdims=True)) / config.foot_m) * contacts
    hips = body.joints_m[:, [names.index(f"{side}_hip") for side in SIDES]].mean(1)
    legs_m = np.linalg.norm(
        np.diff(
            body.joints_m[0, [names.index(f"left_{joint}") for joint in ("hip", "knee", "ankle")]], axis=0
        ),
        axis=-1,
    ).sum()
    stands = contacts.any(1) & (hips @ up.direction - heights.min(1) > config.standing_legs * legs_m)
    if stands.sum() < LEAST_FRAMES:
        return up
    middle = masses(names) @ body.joints_m
    borne = (feet * lower[..., None]).sum(1)[stands] / lower.sum(1)[stands, None]
    found = unit((middle[stands] - borne).mean(0))
    off = np.arccos(np.clip(found @ up.direction, -1, 1)) / np.radians(config.balance_robust_deg)
    precision = 1 / np.radians(config.balance_deg) ** 2 / (1 + off**2)
    known = 1 / up.spread_rad**2
    return Up(unit(known * up.direction + precision * found), float(1 / np.sqrt(known + precision)))
