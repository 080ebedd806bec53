"""A clip as its file has it, brought to metres and y up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError
from pointlight.motion.clip import MotionClip
from pointlight.motion.humanoid import find_humanoid
from pointlight.motion.joint_tree import JointTree
from pointlight.motion.source_text import UNITS_M, check_height, known_unit
from pointlight.motion.world_axes import TURNS, find_up, stature

_PERSON_M = 1.7
_UNIT_NAMES = dict(zip(UNITS_M, ("m", "dm", "inch / 0.45", "inch", "cm", "mm"), strict=True))


def in_metres(clip: MotionClip, path: Path, scale_to_m: float | None) -> tuple[MotionClip, float]:
    """A clip in units of its file to metres, and the metres per unit.

    Args:
        clip: in units of the file, as float64.
        path: named in the error.
        scale_to_m: metres per unit; None finds the unit by the person's stature, or by the skeleton's length if it is no
            person's. Where no unit in use fits a person, the person becomes one of 1.7 m.

    Raises:
        PointlightError: the skeleton is a giant's or a dwarf's, or no person's and of no known unit.
    """
    guessed, why_no_person = clip.guessed, ""
    try:
        tree = JointTree.of(clip)
        length = stature(find_humanoid(tree), tree.places)
    except PointlightError as error:
        why_no_person = str(error)
        length = float(np.ptp(clip.rest_positions_m(), axis=0).max())
    if scale_to_m is None:
        scale_to_m = known_unit(length)
        if scale_to_m is not None:
            guessed = (*guessed, f"unit {_UNIT_NAMES[scale_to_m]}")
        elif why_no_person:
            raise PointlightError(
                f"the skeleton of {path} is {length:g} units long, which is no person in metres, inches, centimetres "
                f"or millimetres, and it {why_no_person}; say how long a unit is (scale_to_m)"
            )
        else:
            scale_to_m = _PERSON_M / length
            guessed = (*guessed, f"unit {scale_to_m:.3g} m, for a person of {_PERSON_M} m")
    check_height(path, length * scale_to_m, scale_to_m)
    moved = clip.translations_m
    return replace(
        clip,
        offsets_m=(clip.offsets_m * scale_to_m).astype(np.float32),
        root_translation_m=(clip.root_translation_m * scale_to_m).astype(np.float32),
        translations_m=None if moved is None else (moved * scale_to_m).astype(np.float32),
        guessed=guessed,
    ), scale_to_m


def known_person(clip: MotionClip, scale_to_m: float) -> bool:
    """Whether a unit makes no giant and no dwarf of the person of a clip in units of its file; True where it is none's."""
    tree = JointTree.of(clip)
    try:
        return 0.5 <= stature(find_humanoid(tree), tree.places) * scale_to_m <= 3.0
    except PointlightError:
        return True


def upright(clip: MotionClip, path: Path, up: str | None) -> tuple[MotionClip, np.ndarray]:
    """A clip turned so that y points up, and the rotation (3, 3) that did it.

    Args:
        clip: in metres.
        path: named in the error.
        up: axis of the file that points up; None finds it.

    Raises:
        PointlightError: `up` is no axis.
    """
    guessed = clip.guessed
    if up is None:
        up = _up(clip)
        guessed = guessed if up == "y" else (*guessed, f"{up} is up")
    if up not in TURNS:
        raise PointlightError(f"{path}: the up axis {up!r} is none; give one of {', '.join(TURNS)}")
    turn = TURNS[up]
    if up == "y":
        return replace(clip, guessed=guessed), turn
    return replace(clip.turned(turn), guessed=guessed), turn


def _up(clip: MotionClip) -> str:
    tree = JointTree.of(clip)
    try:
        return find_up(tree, find_humanoid(tree))
    except PointlightError:
        return "y"
