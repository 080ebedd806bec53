"""2D keypoints from files: COCO-17 and OpenPose JSON, and our own NPZ. `docs/output.md` describes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.body import COCO_KEYPOINTS
from pointlight.capture.archive import read_npz, write_npz
from pointlight.capture.detection.people import choose_person
from pointlight.capture.detection.person_box import PersonBox
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.media import FrameTimes, VideoReader


def _sided(*parts: str) -> tuple[str, ...]:
    """All parts of the right side, then all of the left, as OpenPose orders limbs."""
    return tuple(f"{side}_{part}" for side in ("right", "left") for part in parts)


_ARMS = _sided("shoulder", "elbow", "wrist")
_LEGS = _sided("hip", "knee", "ankle")
_FACE = (*_sided("eye"), *_sided("ear"))
_FEET = tuple(f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel"))

OPENPOSE_BODY_25: tuple[str, ...] = ("nose", "neck", *_ARMS, "mid_hip", *_LEGS, *_FACE, *_FEET)
"""OpenPose's BODY_25, in its order."""

OPENPOSE_COCO_18: tuple[str, ...] = ("nose", "neck", *_ARMS, *_LEGS, *_FACE)
"""OpenPose's COCO model, in its order."""

_FORMATS = (
    "give COCO-17 JSON, OpenPose JSON (file or folder) or NPZ with names and points, see docs/output.md"
)
_PIXEL_CENTRE = 0.5


@dataclass(frozen=True)
class _People:
    """Everybody in a file: poses (K, 3) by frame number, in continuous pixels."""

    format: str
    names: tuple[str, ...]
    by_frame: dict[int, list[np.ndarray]]


def read_keypoints(path: Path | str, video: VideoReader, box: PersonBox | None = None) -> Keypoints2D:
    """One person's keypoints from a file, with an entry for every frame of the video.

    Args:
        path: a JSON or NPZ file, or a folder of OpenPose files.
        video: what the keypoints belong to; frames that the file does not have get absent keypoints.
        box: which person; without it the largest over the video.

    Raises:
        PointlightError: the file is missing, of another form, or does not belong to the video.
    """
    path = Path(path)
    if not path.exists():
        raise PointlightError(f"there is no keypoint file {path}; {_FORMATS}")
    if box is not None:
        box.check(video.size)
    frames = video.times()
    people = _read_people(path, frames, video.size)
    _check_frames(people, frames, video, path)
    _check_places(people, video.size, path)
    times_s = dict(zip(frames.index.tolist(), frames.time_s.tolist(), strict=True))
    inside = {frame: poses for frame, poses in people.by_frame.items() if frame in times_s}
    chosen = choose_person(inside, times_s, box, str(path)) if any(inside.values()) else {}
    points = np.zeros((len(frames.index), len(people.names), 3), np.float32)
    for position, frame in enumerate(frames.index.tolist()):
        if frame in chosen:
            points[position] = chosen[frame]
    return Keypoints2D(
        names=people.names,
        time_s=frames.time_s,
        frame_index=frames.index,
        points=points,
        image_size=video.size,
        source=f"{people.format} file {path.name}",
    )


def write_keypoints(path: Path | str, keypoints: Keypoints2D) -> None:
    """Write our NPZ form, whole or not at all."""
    write_npz(Path(path), _arrays(keypoints))


def write_detections(path: Path, keypoints: Keypoints2D, world_m: np.ndarray) -> None:
    """Write our NPZ form with the detector's own 3D (T, K, 3) beside it."""
    write_npz(path, _arrays(keypoints) | {"world_m": world_m.astype(np.float32)})


def read_detections(path: Path) -> tuple[Keypoints2D, np.ndarray]:
    """What `write_detections` wrote.

    Raises:
        PointlightError: the file is something else.
    """
    arrays = read_npz(path, "a file of detections")
    width, height = arrays["image_size"]
    keypoints = Keypoints2D(
        names=tuple(str(name) for name in arrays["names"]),
        time_s=arrays["time_s"],
        frame_index=arrays["frame_index"],
        points=arrays["points"],
        image_size=(int(width), int(height)),
        source=str(arrays["source"]),
    )
    return keypoints, arrays["world_m"]


def _arrays(keypoints: Keypoints2D) -> dict[str, np.ndarray]:
    return {
        "names": np.array(keypoints.names),
        "points": keypoints.points,
        "frame_index": keypoints.frame_index,
        "time_s": keypoints.time_s,
        "image_size": np.array(keypoints.image_size),
        "source": np.array(keypoints.source),
    }


def _read_people(path: Path, frames: FrameTimes, size: tuple[int, int]) -> _People:
    if path.is_dir():
        return _read_openpose_folder(path)
    if path.suffix.lower() == ".npz":
        return _read_own(path, frames, size)
    content = _load_json(path)
    if isinstance(content, dict) and "people" in content:
        number = _number_in_name(path.stem.removesuffix("_keypoints"))
        return _openpose(path, [(path, int(frames.index[0]) if number is None else number, content)])
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        images = content.get("images")
        return _coco(path, content["annotations"], images if isinstance(images, list) else [])
    if isinstance(content, list) and content and all(isinstance(entry, dict) for entry in content):
        if all("people" in entry for entry in content):
            return _openpose(path, [(path, number, entry) for number, entry in enumerate(content)])
        if any("keypoints" in entry for entry in content):
            return _coco(path, content, [])
    raise PointlightError(f"{path} holds no keypoints in a known form; {_FORMATS}")


def _load_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise PointlightError(f"{path} cannot be read as JSON ({error}); {_FORMATS}") from error


def _read_openpose_folder(path: Path) -> _People:
    files = sorted(path.glob("*.json"))
    if not files:
        raise PointlightError(f"the folder {path} has no .json files; {_FORMATS}")
    entries = []
    for position, file in enumerate(files):
        number = _number_in_name(file.stem.removesuffix("_keypoints"))
        entries.append((file, position if number is None else number, _load_json(file)))
    return _openpose(path, entries)


def _openpose(path: Path, entries: list[tuple[Path, int, Any]]) -> _People:
    """Frames of OpenPose; all must have the same model."""
    models = {len(names) * 3: names for names in (OPENPOSE_BODY_25, OPENPOSE_COCO_18)}
    by_frame: dict[int, list[np.ndarray]] = {}
    found: tuple[str, ...] | None = None
    for file, number, content in entries:
        if not isinstance(content, dict) or not isinstance(content.get("people"), list):
            raise PointlightError(f"{file} has no list of people as OpenPose writes it; {_FORMATS}")
        poses = by_frame.setdefault(number, [])
        for person in content["people"]:
            values = _values(person, "pose_keypoints_2d", file, number)
            names = models.get(values.size)
            if names is None or found not in (None, names):
                raise PointlightError(
                    f"{file} has {values.size} numbers a person in frame {number}; OpenPose's BODY_25 has 75,"
                    " its COCO model 54, and one file may not mix them"
                )
            found = names
            poses.append(_pose(values, names, file, number, _clipped))
    names = found or OPENPOSE_BODY_25
    return _People("OpenPose BODY_25" if len(names) == 25 else "OpenPose COCO-18", names, by_frame)


def _coco(path: Path, entries: list[Any], images: list[Any]) -> _People:
    names_of = {
        image["id"]: image.get("file_name")
        for image in images
        if isinstance(image, dict) and isinstance(image.get("id"), int | float | str)
    }
    collected: list[tuple[int, np.ndarray]] = []
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise PointlightError(f"{path}: entry {position} is not an object with image_id and keypoints")
        number = _frame_of(entry, names_of)
        if number is None:
            raise PointlightError(
                f"{path}: entry {position} does not say its frame; give image_id as the frame's number from 0"
            )
        values = _values(entry, "keypoints", path, number)
        if values.size != 3 * len(COCO_KEYPOINTS):
            raise PointlightError(
                f"{path} has {values.size} numbers a person in frame {number}; COCO's 17 keypoints have 51"
            )
        collected.append((number, values))
    scores = np.concatenate([values.reshape(-1, 3)[:, 2] for _, values in collected] or [np.zeros(1)])
    flags = np.isin(scores, (0, 1, 2)).all() and (scores == 2).any()
    by_frame: dict[int, list[np.ndarray]] = {}
    for number, values in collected:
        pose = _pose(values, COCO_KEYPOINTS, path, number, _from_flags if flags else _clipped)
        by_frame.setdefault(number, []).append(pose)
    return _People("COCO-17", COCO_KEYPOINTS, by_frame)


def _read_own(path: Path, frames: FrameTimes, size: tuple[int, int]) -> _People:
    arrays = read_npz(path, "an NPZ with names (K,) and points (T, K, 3), or a poses.npz")
    names = arrays.get("names", arrays.get("keypoint_names"))
    points = arrays.get("points", arrays.get("keypoints_px"))
    if names is None or points is None or names.ndim != 1 or points.shape[1:] != (len(names), 3):
        raise PointlightError(f"{path} does not have names (K,) and points (T, K, 3); {_FORMATS}")
    index = arrays.get("frame_index", frames.index)
    if index.ndim != 1 or index.dtype.kind not in "iu" or points.dtype.kind not in "fiu":
        raise PointlightError(f"{path} must have whole numbers as frame_index (T,) and real ones as points")
    if len(index) != len(points):
        raise PointlightError(
            f"{path} has points for {len(points)} frames, but the video has {len(index)};"
            " add frame_index (T,)"
        )
    made_for = tuple(np.asarray(arrays.get("image_size", size)).reshape(-1).tolist())
    if made_for != tuple(size):
        raise PointlightError(
            f"{path} was made for pictures of {' x '.join(map(str, made_for))} pixels, the video has"
            f" {size[0]} x {size[1]}; give the keypoints of this video"
        )
    words = tuple(str(name) for name in names.tolist())
    known = Keypoints2D(words, np.arange(len(index), dtype=np.float64), index, points, size, str(path))
    by_frame = {int(frame): [pose] for frame, pose in zip(known.frame_index, known.points, strict=True)}
    return _People("keypoint", words, by_frame)


def _values(entry: Any, key: str, path: Path, frame: int) -> np.ndarray:
    try:
        return np.asarray(entry[key], np.float64).reshape(-1)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise PointlightError(
            f"{path}: the person in frame {frame} has no {key} made of numbers; {_FORMATS}"
        ) from error


def _pose(
    values: np.ndarray,
    names: tuple[str, ...],
    path: Path,
    frame: int,
    score: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """(K, 3) in continuous pixels with scores from 0 to 1."""
    pose = values.reshape(-1, 3)
    broken = np.flatnonzero(~(np.abs(pose) < np.finfo(np.float32).max).all(-1))
    if len(broken):
        raise PointlightError(
            f"{path}: {names[broken[0]]} in frame {frame} is not a number;"
            " give an absent keypoint the score 0 and any place"
        )
    if (pose[:, 2] < 0).any():
        raise PointlightError(f"{path}: a score in frame {frame} is negative; scores run from 0 to 1")
    return np.concatenate((pose[:, :2] + _PIXEL_CENTRE, score(pose[:, 2:])), axis=-1).astype(np.float32)


def _clipped(scores: np.ndarray) -> np.ndarray:
    return scores.clip(0, 1)


def _from_flags(flags: np.ndarray) -> np.ndarray:
    """COCO's hand labels: 2 is visible, 1 is labelled though hidden."""
    return np.where(flags == 2, 1.0, np.where(flags == 1, 0.25, 0.0))


def _frame_of(entry: dict[str, Any], names_of: dict[Any, str | None]) -> int | None:
    """The frame's number that an entry of a COCO file gives."""
    value = next((entry[key] for key in ("frame", "frame_index", "image_id") if key in entry), None)
    try:
        value = names_of.get(value) or value
    except TypeError:
        return None
    if isinstance(value, str):
        return _number_in_name(Path(value).stem)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None


def _number_in_name(stem: str) -> int | None:
    digits = re.findall(r"\d+", stem)
    return int(digits[-1]) if digits else None


def _check_frames(people: _People, frames: FrameTimes, video: VideoReader, path: Path) -> None:
    last = int(frames.index[-1])
    beyond = [frame for frame in people.by_frame if frame < 0 or (video.end_s is None and frame > last)]
    if beyond:
        raise PointlightError(
            f"{path} has keypoints for frame {max(beyond, key=abs)}, but the video's frames are 0 to {last};"
            " frames are counted from 0"
        )
    if not set(people.by_frame) & set(frames.index.tolist()):
        raise PointlightError(
            f"{path} has no keypoints for the frames {frames.index[0]} to {last} that are asked for"
        )


def _check_places(people: _People, size: tuple[int, int], path: Path) -> None:
    """Refuse keypoints of another picture size, and relative coordinates."""
    poses = [pose for poses in people.by_frame.values() for pose in poses]
    if not poses:
        return
    points = np.concatenate(poses)
    points = points[points[:, 2] > 0, :2]
    if not len(points):
        return
    if np.abs(points).max() <= 1 + _PIXEL_CENTRE and min(size) > 16:
        raise PointlightError(f"{path} has coordinates from 0 to 1; give pixels of the upright picture")
    if ((points < 0) | (points > size)).any(-1).mean() > 0.5:
        raise PointlightError(
            f"{path} has most keypoints outside the picture of {size[0]} x {size[1]} pixels;"
            " give the keypoints of this video in pixels"
        )
