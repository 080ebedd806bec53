"""What a report's page knows of a result, as plain values for JSON."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from typing import Any

import numpy as np

from pointlight.capture import ANGLE_NAMES, PALETTES, guessed_limbs, joint_angles, stretches
from pointlight.export import FORMATS, MARK_NAMES, Person

_MADE_OF = {
    "trunk": ("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
    "hip": ("{}_hip", "{}_knee"),
    "knee": ("{}_hip", "{}_knee", "{}_ankle"),
    "ankle": ("{}_knee", "{}_ankle"),
    "shoulder": ("{}_shoulder", "{}_elbow"),
    "elbow": ("{}_shoulder", "{}_elbow", "{}_wrist"),
}
"""The joints that an angle's segments lie between, of each side."""

DOWNLOADS = ("glb", "bvh", "angles")
"""Formats inside the page; the first is what it draws. Of several files of a format the first."""

SIDES = {"left": "#c2601d", "right": "#2a62b8"}
"""Colours of curves, as of the bodies."""

_FIRST = ("knee_flexion", "hip_flexion", "elbow_flexion", "shoulder_elevation")
"""Angles that are shown before anybody chooses."""


def contents(people: Sequence[Person]) -> dict[str, Any]:
    """The page's data: everybody with files, angles, contacts and marks, by frame of the first person's motion.

    Args:
        people: of one result, the first person first.
    """
    motion = people[0].motion
    frames = max(len(person.motion) for person in people)
    return {
        "frames": frames,
        "fps": motion.fps,
        "camera": _camera(people[0]),
        "angle_kinds": _angle_kinds(),
        "people": [_person(person, number) for number, person in enumerate(people)],
    }


def _person(person: Person, number: int) -> dict[str, Any]:
    motion, palette = person.motion, PALETTES[number % len(PALETTES)]
    contacts = motion.contacts
    return {
        "title": f"Person {person.capture.track_id}",  # as summary and files count
        "colour": _hex(palette.left),
        "palette": [_hex(colour) for colour in (palette.left, palette.right, palette.middle)],
        "files": _files(person),
        "angles": _angles(person),
        "guessed": _guessed(person),
        "limbs": _guessed_limbs(person),
        "repaired": spans(person.capture.sides_put_back[_nearest(person)]),
        "contacts": None
        if contacts is None
        else {side: spans(contacts[:, column]) for column, side in enumerate(SIDES)},
        "marks": [
            {**span, "kind": name}
            for mark, name in enumerate(MARK_NAMES)
            if mark
            for span in spans(motion.marks == mark)
        ],
    }


def _files(person: Person) -> dict[str, dict[str, str]]:
    found = {}
    for name in DOWNLOADS:
        file, content = next(iter(FORMATS[name].files(person)))
        packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
        found[name] = {"name": file, "data": packed}
    return found


def _angles(person: Person) -> dict[str, list[float | None]]:
    """Degrees of every angle at the motion's frames, each of the nearest frame of the video; None where there is none."""
    angles = joint_angles(person.capture, person.body)
    degrees = angles.degrees[_nearest(person)]
    return {
        name: [None if np.isnan(value) else round(value, 1) for value in column.tolist()]
        for name, column in zip(angles.names, degrees.T, strict=True)
    }


def _guessed(person: Person) -> dict[str, list[dict[str, int]]]:
    """Where an angle is a guess: stretches of the motion's frames in which one of its joints was not seen."""
    names, seen = person.capture.joint_names, person.capture.seen[_nearest(person)]
    found = {}
    for name in ANGLE_NAMES:
        side, _, rest = name.partition("_")
        joint = (rest if side in SIDES else name).partition("_")[0]
        columns = [names.index(each.format(side)) for each in _MADE_OF[joint]]
        found[name] = spans(np.logical_or.reduce(~seen[:, columns], axis=1))
    return found


def _guessed_limbs(person: Person) -> dict[str, list[dict[str, int]]]:
    """Where a limb is drawn faintly: stretches of the motion's frames by the body joint that moves it."""
    limbs = guessed_limbs(person.capture)[_nearest(person)]
    names = person.capture.body_joint_names
    return {name: spans(there) for name, there in zip(names, limbs.T, strict=True) if there.any()}


def _nearest(person: Person) -> np.ndarray:
    """(T,) the frame of the capture that is nearest in time to each of the motion."""
    since_s = person.capture.time_s - person.capture.time_s[0]
    edges = (since_s[1:] + since_s[:-1]) / 2
    return np.searchsorted(edges, person.motion.time_s, side="right")


def _angle_kinds() -> list[dict[str, Any]]:
    """The angles with both sides in one plot."""
    kinds: dict[str, list[dict[str, str]]] = {}
    for name in ANGLE_NAMES:
        side, _, rest = name.partition("_")
        kind, of = (rest, side) if side in SIDES else (name, "")
        kinds.setdefault(kind, []).append({"angle": name, "side": of, "colour": SIDES.get(of, "#6b7280")})
    return [
        {"name": kind, "title": kind.replace("_", " "), "first": kind in _FIRST, "curves": curves}
        for kind, curves in kinds.items()
    ]


def _camera(person: Person) -> dict[str, Any]:
    """The camera that filmed; whether it is known where it stood."""
    camera = person.motion.camera
    known = person.capture.world is not None and bool(np.isfinite(camera.place_m).all())
    return {
        "known": known,
        "rotation": np.round(camera.R_world_camera, 6).reshape(-1).tolist(),
        "place": np.round(camera.place_m if known else np.zeros(3), 4).tolist(),
        "size": list(camera.image_size),
        "focal": camera.focal_px,
        "principal": list(camera.principal_px),
    }


def spans(there: np.ndarray) -> list[dict[str, int]]:
    """The stretches of frames (T,) that are true, first and last frame of each."""
    return [{"from": start, "to": stop - 1} for start, stop in stretches(there)]


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
