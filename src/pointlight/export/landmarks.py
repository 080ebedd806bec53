"""Places on a body at rest beyond its joints: ends of head, feet and hands, fingers, eyes; and who carries each."""

from __future__ import annotations

import numpy as np
import torch

from pointlight.body import AnnyBody, BodyState
from pointlight.export.rigs import FINGERS
from pointlight.motion import DRIVEN_JOINTS, BodyRig, frames_along

_SIDES = ("left", "right")

_FINGER_REACH = {"Thumb": (0.15, 0.35, 0.50, 0.65)} | {
    finger: (0.18, 0.48 * reach + 0.06, 0.72 * reach, 0.87 * reach, reach)
    for finger, reach in (("Index", 0.95), ("Middle", 1.0), ("Ring", 0.96), ("Pinky", 0.85))
}
"""Where joints of stretched fingers and their tips lie along the hand, as shares of its length from the wrist."""
_FINGER_SIDE = {"Thumb": 0.22, "Index": 0.13, "Middle": 0.02, "Ring": -0.08, "Pinky": -0.18}
"""How far a finger lies to the thumb's side, as a share of the hand's length."""
_FINGERS_SPREAD = 0.35
"""At the wrist they lie that much closer."""
_BEYOND = 1.06
"""A bone of some length behind every end, for programs that need one."""

Landmarks = dict[str, tuple[str, np.ndarray]]


def landmarks(body: AnnyBody, rig: BodyRig, shape: torch.Tensor) -> Landmarks:
    """The joint that carries each landmark, and the landmark (3,) at rest, body axes, metres.

    Joints carry themselves.
    """
    rest = body.person(shape).joints
    eye = torch.eye(3)
    state = BodyState(eye.expand(len(DRIVEN_JOINTS) - 1, 3, 3), shape, eye, rest[0])
    names = ("head_top", "nose", "left_eye", "right_eye", "left_big_toe", "right_big_toe")
    point: dict[str, np.ndarray] = dict(
        zip(names, body.keypoints(state, names).double().numpy(), strict=True)
    )
    place = dict(zip(DRIVEN_JOINTS, rest.double().numpy(), strict=True))
    surface, carriers = body.rest_vertices(shape).double().numpy(), body.main_joints()
    found: Landmarks = {name: (name, where) for name, where in place.items()}

    def put(carrier: str, **places: np.ndarray) -> None:
        found.update({name: (carrier, where) for name, where in places.items()})

    crown = np.array([place["head"][0], surface[:, 1].max(), point["head_top"][2]])
    put("neck", neck_middle=0.5 * (place["neck"] + place["head"]))
    put(
        "head",
        head_top=crown,
        above_head=crown + np.array([0.0, 0.05, 0.0]),
        head_middle=place["head"] + 0.5 * (crown - place["head"]),
        left_eye=point["left_eye"],
        right_eye=point["right_eye"],
        jaw=0.5 * (place["head"] + point["nose"]) - np.array([0.0, 0.03, 0.0]),
        face=point["nose"] + np.array([0.0, 0.0, 0.02]),
    )
    for side in _SIDES:
        toes, toe = place[f"{side}_toes"], surface[carriers == DRIVEN_JOINTS.index(f"{side}_toes")]
        end = np.array([point[f"{side}_big_toe"][0], toes[1], toe[:, 2].max()])
        before = end + np.array([0.0, 0.0, 0.03])
        put(f"{side}_toes", **{f"{side}_toe_end": end, f"{side}_before_toes": before})
        put("pelvis", **{f"{side}_hip_socket": 0.5 * (place["pelvis"] + place[f"{side}_hip"])})
        hand = surface[carriers == DRIVEN_JOINTS.index(f"{side}_wrist")]
        put(f"{side}_wrist", **_hand(side, place[f"{side}_wrist"], hand, rig))
    return found


def _hand(side: str, wrist: np.ndarray, surface: np.ndarray, rig: BodyRig) -> dict[str, np.ndarray]:
    """Stretched fingers in the plane of the palm."""
    palm = rig.palms[side]
    along, _, across = frames_along(palm.along, palm.normal).T
    to_thumb = across if across[2] > 0 else -across  # at rest thumbs look forward
    length = float(((surface - wrist) @ along).max())
    places = {f"{side}_hand_end": wrist + length * along}
    for finger in FINGERS:
        parts = ("1", "2", "3", "End") if finger == "Thumb" else ("1", "2", "3", "4", "End")
        reaches = (*_FINGER_REACH[finger], _FINGER_REACH[finger][-1] * _BEYOND)
        for part, reach in zip((*parts, "Beyond"), reaches, strict=True):
            spread = _FINGERS_SPREAD + (1 - _FINGERS_SPREAD) * min(reach / 0.5, 1.0)
            aside = _FINGER_SIDE[finger] * spread
            places[f"{side}_{finger}{part}"] = wrist + length * (reach * along + aside * to_thumb)
    return places
