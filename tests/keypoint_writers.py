"""Made people in 2D, and keypoint files of other programs with legal oddities in random combination."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.capture.detection.keypoint_layouts import LAYOUTS

SIZE = (320, 240)

_STANDING = {
    "head_top": (0.0, -0.50),
    "nose": (0.0, -0.42),
    "neck": (0.0, -0.33),
    "spine": (0.0, -0.17),
    "mid_hip": (0.0, 0.0),
    "eye": (0.02, -0.44),
    "ear": (0.045, -0.43),
    "shoulder": (0.11, -0.32),
    "elbow": (0.15, -0.15),
    "wrist": (0.17, 0.0),
    "hip": (0.07, 0.0),
    "knee": (0.075, 0.24),
    "ankle": (0.08, 0.46),
    "heel": (0.075, 0.485),
    "big_toe": (0.10, 0.5),
    "small_toe": (0.12, 0.49),
}
_MIDDLE = ("head_top", "nose", "neck", "spine", "mid_hip")

PLAIN: tuple[str, ...] = tuple(
    name for part in _STANDING for name in ((part,) if part in _MIDDLE else (f"left_{part}", f"right_{part}"))
)
"""Names of all points that a made person has."""


@dataclass(frozen=True)
class Person:
    """Somebody who stands upright, facing the camera, and sways.

    Attributes:
        x: middle of the hips in pixels; the walk goes on from there.
        y: middle of the hips.
        size: stature in pixels.
        sway: of the limbs, in statures.
        seed: of proportions.
    """

    x: float = 140.0
    y: float = 120.0
    size: float = 110.0
    sway: float = 0.03
    seed: int = 1

    def at(self, frame: int, names: tuple[str, ...] = LAYOUTS["coco17"].names) -> np.ndarray:
        """(K, 3) x, y, score in a frame; COCO's points unless told."""
        points = np.zeros((len(names), 3))
        for row, name in enumerate(names):
            side = -1 if name.startswith("right_") else 1
            across, down = _STANDING[name.removeprefix("left_").removeprefix("right_")]
            rng = np.random.default_rng([self.seed, *name.encode()])
            phase, own = rng.uniform(0, 6), rng.normal(0, 0.006, 2)
            swing = self.sway * np.sin(0.3 * frame + phase) * abs(down)
            points[row, 0] = self.x + self.sway * 20 * frame + self.size * (side * across + swing + own[0])
            points[row, 1] = self.y + self.size * (down + own[1])
            points[row, 2] = rng.uniform(0.6, 1.0)
        return points


def written(path: Path, content: Any) -> Path:
    """JSON as Python writes it."""
    path.write_text(json.dumps(content))
    return path


@dataclass(frozen=True)
class Wanted:
    """What reading an odd file must give.

    Attributes:
        poses: (T, len(PLAIN), 3) the person's points in other programs' pixels; score 0 = absent.
        layout: to be named on reading.
        refused: whether one sentence is right, and no result.
        warns: whether a warning has to come with the result.
        tolerance_px: of places.
        oddities: for messages.
    """

    poses: np.ndarray
    layout: str | None
    refused: bool
    warns: bool
    tolerance_px: float
    oddities: tuple[str, ...]


ABSENT_POINTS = (
    (0, 0, 0.42),
    (0, 0, 1),
    (0, 0, 0),
    (None, None, None),
    (float("nan"),) * 3,
    (-1, -1, -1),
    ("", "", ""),
)
ABSENT_PEOPLE = (None, {}, [])
FRAME_NAMES = (
    "{:06}.jpg",
    "{}.png",
    "frame_{:05}_cam1.jpg",
    "seq03/img{:04}.jpg",
    "clip 2024-05-01 {:03}.rf.{hash}.jpg",
    "{hash}-{:06}.jpg",
)


def plain_openpose(folder: Path, frames: int) -> tuple[Wanted, Path]:
    """Nothing odd: OpenPose's own folder."""
    path = folder / "plain"
    path.mkdir()
    for frame in range(frames):
        pose = Person().at(frame, LAYOUTS["body25"].names)
        content = {
            "version": 1.3,
            "people": [{"person_id": [-1], "pose_keypoints_2d": pose.reshape(-1).tolist()}],
        }
        written(path / f"clip_{frame:012}_keypoints.json", content)
    poses = np.stack(
        [_on_plain(Person().at(i, LAYOUTS["body25"].names), LAYOUTS["body25"].names) for i in range(frames)]
    )
    return Wanted(poses, None, False, False, 1e-3, ()), path


def odd_file(folder: Path, seed: int, frames: int) -> tuple[Wanted, Path]:
    """A file or folder with a random choice of oddities, and what it must give."""
    rng = np.random.default_rng(seed)
    odd: list[str] = []

    def chance(name: str, share: float) -> bool:
        if rng.random() < share:
            odd.append(name)
            return True
        return False

    kind = str(rng.choice(["folder", "list", "results", "annotations", "mmpose"]))
    key = str(
        rng.choice(
            ["body25", "openpose18", "body25b"]
            if kind in ("folder", "list")
            else ["coco17", "halpe26", "wholebody133"]
        )
    )
    odd += [kind, key]
    layout = LAYOUTS[key]
    said = key == "body25b" and chance("said", 0.7)
    poses = np.stack([Person().at(frame, layout.names) for frame in range(frames)])
    filler = np.full((frames, layout.count - len(layout.names), 3), (9.0, 9.0, 0.9))
    poses = np.concatenate((poses, filler), axis=1)
    factor, stated, relative = 1.0, None, False
    if kind != "results" and chance("size stated", 0.4):
        factor = float(rng.choice([0.5, 1.0, 2.0]))
        stated = (round(SIZE[0] * factor), round(SIZE[1] * factor))
        relative = chance("relative", 0.25)
    other_shape = stated is not None and chance("other shape", 0.1)
    if other_shape:
        stated = (512, 512)
    wrong_rate = kind in ("annotations", "list") and chance("wrong rate", 0.05)
    percent = chance("percent", 0.15)
    whole = not relative and chance("whole pixels", 0.2)
    nested = kind == "mmpose" or (kind in ("results", "annotations") and chance("nested", 0.3))
    first = 1 if kind != "list" and chance("from one", 0.2) else 0
    stranger = chance("stranger", 0.4)
    with_ids = stranger and chance("ids", 0.5)
    gone = (rng.random(frames) < 0.1) if chance("absent people", 0.5) else np.zeros(frames, bool)
    gone[[0, frames - 1]] = False  # else a count from 1 can't be told
    marked = (
        (rng.random(poses.shape[:2]) < 0.1)
        if chance("absent points", 0.6)
        else np.zeros(poses.shape[:2], bool)
    )
    poses[marked] = 0
    name = str(rng.choice(FRAME_NAMES))
    labels = [name.format(i + first, hash=f"{int(rng.integers(1 << 40)):010x}c") for i in range(frames)]
    by_number = kind in ("list", "mmpose") or (kind == "results" and chance("numbers", 0.4))

    def entry(frame: int, pose: np.ndarray, number: int) -> dict[str, Any]:
        """A person as the file has it."""
        points = pose.copy()
        absent = points[:, 2] == 0
        if relative:
            points[:, :2] = (points[:, :2] + 0.5) / SIZE
        else:
            points[:, :2] = (points[:, :2] + 0.5) * factor - 0.5
        if whole:
            points[:, :2] = points[:, :2].round()
        points[:, 2] *= 100 if percent else 1
        values: list[Any] = points.tolist()
        for row in np.flatnonzero(absent):
            values[row] = list(ABSENT_POINTS[rng.integers(len(ABSENT_POINTS))])
        extra = {"track_id": number} if with_ids else {}
        if kind == "mmpose":
            return {"keypoints": [v[:2] for v in values], "keypoint_scores": [v[2] for v in values], **extra}
        flat = values if nested else [number for value in values for number in value]
        return {
            ("pose_keypoints_2d" if kind in ("folder", "list") else "keypoints"): flat,
            "score": 0.9,
            **extra,
        }

    def people(frame: int) -> list[Any]:
        found: list[Any] = [] if gone[frame] else [entry(frame, poses[frame], 4)]
        if gone[frame] and rng.random() < 0.7:
            found.append(ABSENT_PEOPLE[rng.integers(len(ABSENT_PEOPLE))])
        if stranger:
            small = Person(x=60, size=60, seed=2).at(frame, layout.names)
            small = np.concatenate((small, filler[frame]))
            found.insert(int(rng.integers(len(found) + 1)), entry(frame, small, 9))
        return found

    content: list[list[Any]] = [people(frame) for frame in range(frames)]
    path = _WRITERS[kind](
        folder, Made(content, labels, first, by_number, stated, 50 if wrong_rate else 24), rng
    )
    names = layout.names
    wanted = np.stack([_on_plain(pose[: len(names)], names) for pose in poses])
    wanted[gone] = 0
    unspoken = kind == "results" and not stranger and gone.any()
    return (
        Wanted(
            poses=wanted,
            layout=key if said else None,
            refused=other_shape or wrong_rate or (key == "body25b" and not said),
            warns=bool(unspoken or first or percent or (factor != 1 and not relative)),
            tolerance_px=0.5 / min(factor, 1) + 0.02 if whole else 0.01,
            oddities=(f"seed {seed}", *odd),
        ),
        path,
    )


def _on_plain(pose: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    points = np.zeros((len(PLAIN), 3))
    for row, name in zip(pose, names, strict=True):
        points[PLAIN.index(name)] = row if row[2] > 0 else 0
    return points


def _dump(path: Path, content: Any, rng: np.random.Generator) -> Path:
    text = json.dumps(content, indent=[None, 2][rng.integers(2)])
    path.write_bytes((b"\xef\xbb\xbf" if rng.random() < 0.2 else b"") + text.encode())
    return path


def _canvas(stated: tuple[int, int] | None) -> dict[str, Any]:
    return {"canvas_width": stated[0], "canvas_height": stated[1]} if stated else {}


@dataclass(frozen=True)
class Made:
    """What a writer writes: people by frame, the frames' names and first number, what the file states of the video."""

    content: list[list[Any]]
    labels: list[str]
    first: int
    by_number: bool
    stated: tuple[int, int] | None
    fps: int


def _folder(folder: Path, made: Made, rng: np.random.Generator) -> Path:
    path = folder / "json"
    path.mkdir()
    for people, label in zip(made.content, made.labels, strict=True):
        stem = Path(label.replace("/", "_")).stem
        _dump(
            path / f"{stem}_keypoints.json", {"version": 1.3, "people": people, **_canvas(made.stated)}, rng
        )
    return path


def _list(folder: Path, made: Made, rng: np.random.Generator) -> Path:
    entries: list[Any] = [
        {"people": people, "fps": made.fps, **_canvas(made.stated)} for people in made.content
    ]
    return _dump(folder / "k.json", [entry if entry["people"] else None for entry in entries], rng)


def _results(folder: Path, made: Made, rng: np.random.Generator) -> Path:
    entries = [
        {"image_id": frame + made.first if made.by_number else made.labels[frame], "category_id": 1, **person}
        if person
        else person
        for frame, people in enumerate(made.content)
        for person in people
    ]
    return _dump(folder / "k.json", [entries[i] for i in rng.permutation(len(entries))], rng)


def _annotations(folder: Path, made: Made, rng: np.random.Generator) -> Path:
    numbers = rng.permutation(10 * len(made.content))[: len(made.content)].tolist()
    images = [
        {
            "id": number,
            "file_name": label,
            **({"width": made.stated[0], "height": made.stated[1]} if made.stated else {}),
        }
        for number, label in zip(numbers, made.labels, strict=True)
    ]
    entries: list[Any] = [
        {"id": 1000 + 50 * frame + place, "image_id": numbers[frame], "category_id": 1, **person}
        if person
        else person
        for frame, people in enumerate(made.content)
        for place, person in enumerate(people)
    ]
    entries += [{"id": 7, "image_id": numbers[0], "category_id": 1, "bbox": [1, 2, 3, 4]}]
    mixed = {
        "info": {"fps": made.fps, "year": 2024},
        "images": [images[i] for i in rng.permutation(len(images))],
        "annotations": [entries[i] for i in rng.permutation(len(entries))],
        "categories": [{"id": 1, "name": "person"}],
    }
    return _dump(folder / "k.json", mixed, rng)


def _mmpose(folder: Path, made: Made, rng: np.random.Generator) -> Path:
    entries = [
        {"frame_id": frame + made.first, "instances": people} for frame, people in enumerate(made.content)
    ]
    about: dict[str, Any] = {"dataset_name": "made"}
    if made.stated:
        about |= {"image_width": made.stated[0], "image_height": made.stated[1]}
    return _dump(folder / "k.json", {"meta_info": about, "instance_info": entries}, rng)


_WRITERS: dict[str, Callable[..., Path]] = {
    "folder": _folder,
    "list": _list,
    "results": _results,
    "annotations": _annotations,
    "mmpose": _mmpose,
}
