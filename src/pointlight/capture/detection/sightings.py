"""What a keypoint file says before it is matched with a video: who is seen in which frame, and what it states of itself."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Label = int | str
"""A frame's number, or a name that holds it."""

PERSON_KEYS = ("track_id", "person_id", "idx", "id")
"""Where files say who somebody is, the most telling first; COCO's `id` may as well number the entries."""

_SIZE_KEYS = (
    ("canvas_width", "canvas_height"),
    ("image_width", "image_height"),
    ("img_width", "img_height"),
    ("frame_width", "frame_height"),
    ("video_width", "video_height"),
    ("width", "height"),
)
_RATE_KEYS = ("fps", "frame_rate", "framerate", "frames_per_second", "video_fps")
_ABSENT_WORDS = ("", "-", "nan", "null", "none", "n/a")
_ABSENT_MARKS = ((0.0, 0.0), (-1.0, -1.0))


@dataclass(frozen=True)
class Sighting:
    """One person in one frame.

    Attributes:
        label: of the frame.
        pose: (N, 3) x, y and score as they stand in the file; NaN where something is absent.
        ids: what the file calls the person, by key.
    """

    label: Label
    pose: np.ndarray
    ids: Mapping[str, Hashable] = field(default_factory=dict)


@dataclass(frozen=True)
class KeypointContent:
    """A whole file or folder.

    Attributes:
        kind: "OpenPose", "COCO" or "MMPose".
        sightings: everybody who is seen.
        labels: of all frames that are spoken of, also those that show nobody.
        sizes: (width, height) of the pictures by frame where they are stated.
        fps: where it is stated.
        names: of the keypoints where they are stated.
        warnings: sentences on what was left out.
    """

    kind: str
    sightings: tuple[Sighting, ...]
    labels: tuple[Label, ...]
    sizes: Mapping[Label, tuple[float, float]] = field(default_factory=dict)
    fps: float | None = None
    names: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()


def absent(value: Any) -> bool:
    """Whether a value says that nothing is there: null, [], {} or an empty word."""
    if isinstance(value, str):
        return value.strip().lower() in _ABSENT_WORDS
    return value is None or (isinstance(value, list | dict) and not value)


def pose_of(values: Any, scores: Any = None) -> np.ndarray | None:
    """(N, 3) of a person's keypoints in any nesting, None where there are none.

    Args:
        values: x, y, score of each point, or x, y where `scores` has the third; absent ones may be null, [], NaN or words
            that say so.
        scores: (N,).

    Raises:
        ValueError: they are no numbers, or not so many.
    """
    if absent(values):
        return None
    width = 3 if absent(scores) else 2
    flat = _numbers(values, width)
    if flat.size % width:
        raise ValueError(f"{flat.size} numbers are no multiple of {width}")
    pose = flat.reshape(-1, width)
    if width == 2:
        third = _numbers(scores, 1)
        if third.size != len(pose):
            raise ValueError(f"{third.size} scores for {len(pose)} keypoints")
        pose = np.concatenate((pose, third.reshape(-1, 1)), axis=1)
    return None if np.isnan(pose).all() else pose


def _numbers(values: Any, width: int) -> np.ndarray:
    """Flat numbers; whatever says that it is absent is NaN, `width` of them where a whole point is absent."""
    try:
        return np.asarray(values, np.float64).reshape(-1)
    except (TypeError, ValueError):
        return np.array(list(_flattened(values, width)), np.float64)


def _flattened(values: Any, width: int) -> Sequence[float]:
    if not isinstance(values, list):
        return [float("nan") if absent(values) else float(values)]
    if not any(isinstance(value, list | dict) for value in values):
        return [number for value in values for number in _flattened(value, 1)]
    found: list[float] = []
    for value in values:
        found += [float("nan")] * width if absent(value) else _flattened(value, width)
    return found


def without_absent(pose: np.ndarray) -> np.ndarray:
    """The pose with score 0 and place 0 wherever another program's mark says that nothing was seen."""
    marked = ~np.isfinite(pose).all(-1) | (pose[:, 2] == -1)
    for mark in _ABSENT_MARKS:
        marked |= (pose[:, :2] == mark).all(-1)
    return np.where(marked[:, None], 0.0, pose)


def ids_of(entry: Mapping[str, Any]) -> dict[str, Hashable]:
    """Whatever an entry calls its person; -1 and null are nobody's names, [7] is 7."""
    found: dict[str, Hashable] = {}
    for key in PERSON_KEYS:
        value = entry.get(key)
        while isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, float) and not math.isfinite(value):
            continue
        if isinstance(value, int | float | str) and not absent(value) and value not in (-1, "-1"):
            found[key] = value
    return found


def stated_size(*entries: Any) -> tuple[float, float] | None:
    """(width, height) of the pictures that the first of these objects states which states one."""
    for entry in entries:
        for keys in _SIZE_KEYS if isinstance(entry, Mapping) else ():
            width, height = (_positive(entry.get(key)) for key in keys)
            if width and height:
                return width, height
    return None


def stated_rate(*entries: Any) -> float | None:
    """Frames/s that the first of these objects states which states them."""
    for entry in entries:
        for key in _RATE_KEYS if isinstance(entry, Mapping) else ():
            if rate := _positive(entry.get(key)):
                return rate
    return None


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 < number < 1e9 and not isinstance(value, bool) else None
