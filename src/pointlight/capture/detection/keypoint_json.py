"""JSON of other programs to sightings: OpenPose and what writes like it, COCO and AlphaPose, MMPose."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.capture.detection.sightings import (
    KeypointContent,
    Label,
    Sighting,
    absent,
    ids_of,
    pose_of,
    stated_rate,
    stated_size,
)
from pointlight.errors import PointlightError

FORMATS = (
    "give COCO, OpenPose or MMPose JSON (file or folder) or NPZ with names and points, see docs/output.md"
)
_OPENPOSE_KEYS = ("pose_keypoints_2d", "pose_keypoints")
_FRAME_KEYS = ("frame", "frame_index", "frame_id")


def read_json(path: Path) -> KeypointContent:
    """A JSON file, or a folder of OpenPose's files.

    Raises:
        PointlightError: it holds no keypoints in a known form.
    """
    if path.is_dir():
        return _folder(path)
    content = _loaded(path)
    if isinstance(content, dict):
        if "people" in content:
            return _openpose(path, [(path.stem, content)])
        if isinstance(content.get("annotations"), list):
            return _coco(path, content["annotations"], content)
        if isinstance(content.get("instance_info"), list):
            return _mmpose(path, content["instance_info"], content.get("meta_info"))
    entries = [entry for entry in content if isinstance(entry, dict)] if isinstance(content, list) else []
    if entries and isinstance(content, list):
        # A frame in which nothing is seen may be null, {} or [] here.
        if any("people" in entry for entry in entries):
            return _openpose(path, [(_own_label(entry, place), entry) for place, entry in enumerate(content)])
        if any("instances" in entry for entry in entries):
            return _mmpose(path, content, None)
        if any("keypoints" in entry for entry in entries):
            return _coco(path, content, {})
    raise PointlightError(f"{path} holds no keypoints in a known form; {FORMATS}")


def _loaded(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise PointlightError(f"{path} cannot be read as JSON ({error}); {FORMATS}") from error


def _folder(path: Path) -> KeypointContent:
    files = sorted(
        file for file in path.iterdir() if file.suffix.lower() == ".json" and not file.name.startswith(".")
    )
    if not files:
        raise PointlightError(f"the folder {path} has no .json files; {FORMATS}")
    entries: list[tuple[Label, Any]] = []
    broken: list[str] = []
    other: list[str] = []
    for file in files:
        try:
            content = _loaded(file)
        except PointlightError:
            broken.append(file.name)
            continue
        if absent(content) or (isinstance(content, dict) and "people" in content):
            entries.append((file.stem.removesuffix("_keypoints"), content))
        else:
            other.append(file.name)
    if not entries:
        what = "cannot be read as JSON" if broken else "has no list of people as OpenPose writes it"
        raise PointlightError(f"{path / (broken or other)[0]} {what}; {FORMATS}")
    warnings = [
        f"{path}: {_counted(names)} {what}; left out"
        for names, what in ((broken, "cannot be read as JSON"), (other, "has no list of people"))
        if names
    ]
    return _openpose(path, entries, tuple(warnings))


def _counted(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"each of {len(names)} files, such as {names[0]},"


def _openpose(
    path: Path, entries: list[tuple[Label, Any]], warnings: tuple[str, ...] = ()
) -> KeypointContent:
    sightings: list[Sighting] = []
    sizes: dict[Label, tuple[float, float]] = {}
    for label, content in entries:
        if absent(content):
            continue
        if not isinstance(content, dict) or not isinstance(content.get("people") or [], list | dict):
            raise PointlightError(f"{path} has no list of people as OpenPose writes it; {FORMATS}")
        if size := stated_size(content):
            sizes[label] = size
        for person in content.get("people") or []:
            if not _is_entry(person, path, label):
                continue
            key = next((key for key in _OPENPOSE_KEYS if key in person), None)
            if key is not None and (pose := _pose(person[key], None, key, path, label)) is not None:
                sightings.append(Sighting(label, pose, ids_of(person)))
    objects = [content for _, content in entries]
    return KeypointContent(
        kind="OpenPose",
        sightings=tuple(sightings),
        labels=tuple(label for label, _ in entries),
        sizes=sizes,
        fps=stated_rate(*objects),
        warnings=warnings,
    )


def _coco(path: Path, entries: list[Any], content: Mapping[str, Any]) -> KeypointContent:
    images = (
        [image for image in content.get("images") or [] if isinstance(image, dict)]
        if isinstance(content.get("images"), list)
        else []
    )
    label_of = {image["id"]: _image_label(image) for image in images if _is_key(image.get("id"))}
    sizes = {
        label_of[image["id"]]: size
        for image in images
        if _is_key(image.get("id")) and (size := stated_size(image))
    }
    labels: list[Label] = list(label_of.values())
    known = set(labels)
    sightings: list[Sighting] = []
    for position, entry in enumerate(entries):
        if not _is_entry(entry, path, position):
            continue
        label = _entry_label(entry, label_of)
        if label_of and label not in known and not set(_FRAME_KEYS) & set(entry):
            raise PointlightError(
                f"{path}: entry {position} belongs to image {entry.get('image_id')!r}, which is not among the images"
            )
        if label is None:
            raise PointlightError(
                f"{path}: entry {position} does not say its frame; give image_id as the frame's number from 0"
            )
        labels.append(label)
        pose = _pose(entry.get("keypoints"), entry.get("keypoint_scores"), "keypoints", path, label)
        if pose is not None:
            sightings.append(Sighting(label, pose, ids_of(entry)))
    return KeypointContent(
        kind="COCO",
        sightings=tuple(sightings),
        labels=tuple(dict.fromkeys(labels)),
        sizes=sizes or _same_size(labels, stated_size(content, content.get("info"))),
        fps=stated_rate(content, content.get("info")),
        names=_stated_names(content),
    )


def _mmpose(path: Path, entries: list[Any], about: Any) -> KeypointContent:
    sightings: list[Sighting] = []
    labels: list[Label] = []
    for position, entry in enumerate(entries):
        if absent(entry):
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("instances") or [], list):
            raise PointlightError(f"{path}: entry {position} has no list of instances; {FORMATS}")
        label = _own_label(entry, position)
        labels.append(label)
        for person in entry.get("instances") or []:
            if not _is_entry(person, path, label):
                continue
            pose = _pose(person.get("keypoints"), person.get("keypoint_scores"), "keypoints", path, label)
            if pose is not None:
                sightings.append(Sighting(label, pose, ids_of(person)))
    names = about.get("keypoint_id2name") if isinstance(about, dict) else None
    return KeypointContent(
        kind="MMPose",
        sightings=tuple(sightings),
        labels=tuple(labels),
        sizes=_same_size(labels, stated_size(about)),
        fps=stated_rate(about),
        names=tuple(map(str, names.values())) if isinstance(names, dict) and names else None,
    )


def _is_entry(entry: Any, path: Path, label: Label) -> bool:
    """Whether there is something to read; refuses what is neither an object nor a mark of absence."""
    if absent(entry):
        return False
    if not isinstance(entry, dict):
        raise PointlightError(f"{path}: the entry of frame {label} is no object with keypoints; {FORMATS}")
    return True


def _pose(values: Any, scores: Any, key: str, path: Path, label: Label) -> np.ndarray | None:
    try:
        return pose_of(values, scores)
    except (TypeError, ValueError, OverflowError) as error:
        raise PointlightError(
            f"{path}: the person in frame {label} has no {key} made of numbers ({error}); {FORMATS}"
        ) from error


def _same_size(labels: list[Label], size: tuple[float, float] | None) -> dict[Label, tuple[float, float]]:
    return dict.fromkeys(labels, size) if size else {}


def _is_key(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _stated_names(content: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The keypoints of the only category that has any."""
    categories = content.get("categories")
    found = [
        category["keypoints"]
        for category in (categories if isinstance(categories, list) else [])
        if isinstance(category, dict)
        and isinstance(category.get("keypoints"), list)
        and category["keypoints"]
    ]
    return tuple(map(str, found[0])) if len(found) == 1 else None


def _image_label(image: Mapping[str, Any]) -> Label:
    """What COCO says of a picture: its frame where that is said, else its name, else its number."""
    found = next((_label(image[key]) for key in (*_FRAME_KEYS, "file_name") if key in image), None)
    return _label(image["id"]) or 0 if found is None else found


def _entry_label(entry: Mapping[str, Any], label_of: Mapping[Any, Label]) -> Label | None:
    value = next((entry[key] for key in (*_FRAME_KEYS, "image_id") if key in entry), None)
    if _is_key(value) and value in label_of:
        return label_of[value]
    return _label(value)


def _own_label(entry: Any, position: int) -> Label:
    """The frame that an entry of a list states itself, else its place in the list."""
    label = _entry_label(entry, {}) if isinstance(entry, dict) else None
    return position if label is None else label


def _label(value: Any) -> Label | None:
    """A whole number or a name; None for anything else."""
    if isinstance(value, str):
        return (int(value) if value.isdecimal() else value) if any(c.isdigit() for c in value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None
