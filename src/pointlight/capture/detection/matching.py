"""What another program's file says, matched with a video: which frames, which points, where in the video's pixels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture.detection.frame_names import numbers_of_names
from pointlight.capture.detection.keypoint_json import FORMATS
from pointlight.capture.detection.keypoint_layouts import (
    LAYOUTS,
    Layout,
    check_order,
    layout_for,
    named_layout,
)
from pointlight.capture.detection.sightings import KeypointContent, Label, without_absent
from pointlight.cues import MIN_VISIBLE
from pointlight.errors import PointlightError
from pointlight.media import FrameTimes, VideoReader

_PIXEL_CENTRE = 0.5
_SAME_SHAPE = 0.015
"""Pictures have one shape if their width over height agrees so well; sizes are rounded to whole pixels."""
_SAME_RATE = 0.05
_PERCENT_FROM = 20.0
"""No detector's score that is meant to end at 1 goes so far beyond it."""


@dataclass(frozen=True)
class FilePeople:
    """Everybody in a file, by frame number.

    Attributes:
        format: what the file is.
        names: of the K keypoints.
        poses: (K, 3) each, in continuous pixels of the video.
        ids: what the file calls each of them.
        spoken_of: the frames that the file has an entry for.
        warnings: sentences on what was done.
    """

    format: str
    names: tuple[str, ...]
    poses: dict[int, list[np.ndarray]]
    ids: dict[int, list[Mapping[str, Hashable]]]
    spoken_of: frozenset[int]
    warnings: tuple[str, ...] = ()


def matched(
    path: Path, content: KeypointContent, frames: FrameTimes, video: VideoReader, order: Layout | None
) -> FilePeople:
    """Other programs' keypoints as ours: frames by number, absent points marked, pixels of the video.

    Args:
        path: the file, for sentences.
        content: what it says.
        frames: of the video, or of the part that is asked for.
        video: their source.
        order: of the keypoints where the user says it.

    Raises:
        PointlightError: they do not belong together, or the file can't tell what it means.
    """
    if not content.sightings:
        raise PointlightError(f"nobody in {path} has keypoints; {FORMATS}")
    if content.fps and abs(content.fps / video.fps - 1) > _SAME_RATE:
        raise PointlightError(
            f"{path} is for a video of {content.fps:g} frames/s, {video.path.name} has {video.fps:g};"
            " give the keypoints of this video"
        )
    number_of, warnings = _numbered(content, frames, video, path)
    poses = [without_absent(one.pose) for one in content.sightings]
    _check_numbers(poses, content, path)
    layout = order or _order_of(content, path)
    _check_counts(poses, content, layout, path)
    scores, told = _scores(poses, content.kind, path)
    relative = _are_relative(poses, video.size)
    if relative and not content.sizes:
        raise PointlightError(f"{path} has coordinates from 0 to 1; give pixels of the upright picture")
    factors = {label: pixel_factor(size, video.size, path) for label, size in content.sizes.items()}
    stated = set(content.sizes.values())
    elsewhere = pixel_factor(next(iter(stated)), video.size, path) if len(stated) == 1 else np.ones(2)
    by_frame: dict[int, list[np.ndarray]] = {}
    ids: dict[int, list[Mapping[str, Hashable]]] = {}
    scaled: list[np.ndarray] = []
    for one, pose, score in zip(content.sightings, poses, scores, strict=True):
        factor = factors.get(one.label, elsewhere)
        place = pose[:, :2] * video.size if relative else (pose[:, :2] + _PIXEL_CENTRE) * factor
        known = np.where(score[:, None] > 0, np.concatenate((place, score[:, None]), axis=1), 0.0)
        scaled.append(known)
        frame = number_of[one.label]
        by_frame.setdefault(frame, []).append(known[: len(layout.names)].astype(np.float32))
        ids.setdefault(frame, []).append(one.ids)
    if order is None and layout.key in LAYOUTS:
        check_order(layout, scaled, path)
    others = [size for size in stated if tuple(size) != tuple(video.size)]
    if others and not relative:
        width, height = min(others)
        warnings.append(
            f"{path} is for pictures of {width:g} x {height:g} pixels; its keypoints are scaled to"
            f" {video.size[0]} x {video.size[1]}"
        )
    title = layout.title if layout.key in LAYOUTS else content.kind
    spoken_of = frozenset(number_of[label] for label in content.labels)
    return FilePeople(title, layout.names, by_frame, ids, spoken_of, (*content.warnings, *warnings, *told))


def _numbered(
    content: KeypointContent, frames: FrameTimes, video: VideoReader, path: Path
) -> tuple[dict[Label, int], list[str]]:
    """The frame number that each label means, and what was taken for granted."""
    labels = list(dict.fromkeys(content.labels))
    first = int(frames.index[0])
    if len(labels) == 1 and isinstance(labels[0], str):
        if len(frames.index) == 1:
            return {labels[0]: first}, []
        if not any(letter.isdigit() for letter in labels[0]):
            return {labels[0]: first}, [f"{path} names no frame; it is taken for frame {first}"]
    number_of: dict[Label, int] = {label: label for label in labels if isinstance(label, int)}
    if names := [label for label in labels if isinstance(label, str)]:
        number_of |= numbers_of_names(names, path)
    if len(set(number_of.values())) < len(number_of):
        raise PointlightError(
            f"{path} speaks of some frames by number and by name at once; give image_id as the frame's number from 0"
        )
    low, high = min(number_of.values()), max(number_of.values())
    total = _total_frames(frames, video)
    if low == 1 and total is not None and high == total:
        shifted: dict[Label, int] = {label: number - 1 for label, number in number_of.items()}
        return shifted, [f"{path} counts frames from 1 to {high}; they are taken for 0 to {high - 1}"]
    if low == 1 and len(number_of) > 1:
        return number_of, [f"{path} has no frame 0; its frames are taken as counted from 0 all the same"]
    return number_of, []


def _total_frames(frames: FrameTimes, video: VideoReader) -> int | None:
    """Of the whole video, of which a part may be asked for."""
    if video.end_s is None:
        return int(frames.index[-1]) + 1
    return VideoReader(video.path).frame_count


def _order_of(content: KeypointContent, path: Path) -> Layout:
    count = len(content.sightings[0].pose)
    if content.names is None:
        return layout_for(content.kind, count, path)
    layout = named_layout(content.names)
    if len(set(layout.names) & set(NETWORK_KEYPOINTS)) < MIN_VISIBLE:
        raise PointlightError(
            f"{path} names keypoints of which fewer than {MIN_VISIBLE} are known, such as"
            f" {', '.join(content.names[:3])}; give names such as left_shoulder"
        )
    if len(set(layout.names)) < len(layout.names):
        raise PointlightError(f"{path} names a keypoint twice among {', '.join(content.names)}")
    return layout


def _check_counts(poses: Sequence[np.ndarray], content: KeypointContent, layout: Layout, path: Path) -> None:
    for one, pose in zip(content.sightings, poses, strict=True):
        if len(pose) != layout.count:
            raise PointlightError(
                f"{path} has {len(pose)} keypoints a person in frame {one.label}, where {layout.title} has"
                f" {layout.count}; all must be of one kind"
            )


def _check_numbers(poses: Sequence[np.ndarray], content: KeypointContent, path: Path) -> None:
    for one, pose in zip(content.sightings, poses, strict=True):
        if (np.abs(pose) >= np.finfo(np.float32).max).any():
            raise PointlightError(f"{path}: a keypoint in frame {one.label} is no place in a picture")
        if (pose[:, 2] < 0).any():
            raise PointlightError(f"{path}: a score in frame {one.label} is negative; scores run from 0 to 1")


def _scores(poses: Sequence[np.ndarray], kind: str, path: Path) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """(N,) of each pose from 0 to 1, whether they are shares, percent or COCO's flags of labels by hand."""
    every = np.concatenate([pose[:, 2] for pose in poses])
    if kind == "COCO" and np.isin(every, (0, 1, 2)).all() and (every == 2).any():
        # 2 is visible, 1 is labelled though hidden.
        return [np.choose(pose[:, 2].astype(int), (0.0, 0.25, 1.0)) for pose in poses], ()
    if _PERCENT_FROM < every.max() <= 100:
        return [pose[:, 2] / 100 for pose in poses], (
            f"{path} has scores up to {every.max():g}; they are taken for percent",
        )
    return [pose[:, 2].clip(0, 1) for pose in poses], ()


def _are_relative(poses: Sequence[np.ndarray], size: tuple[int, int]) -> bool:
    """Whether places are shares of the picture: no person lies within two pixels of its corner."""
    places = np.concatenate([pose[pose[:, 2] > 0, :2] for pose in poses])
    return bool(len(places) and min(size) > 16 and np.quantile(np.abs(places), 0.95) <= 1.5)


def pixel_factor(stated: tuple[float, float], size: tuple[int, int], path: Path) -> np.ndarray:
    """(2,) pixels of the video per pixel of the pictures that a file is for.

    Raises:
        PointlightError: the pictures have another shape.
    """
    width, height = stated
    if abs(width * size[1] / (height * size[0]) - 1) > _SAME_SHAPE:
        raise PointlightError(
            f"{path} was made for pictures of {width:g} x {height:g} pixels, the video has"
            f" {size[0]} x {size[1]}, which is another shape; give the keypoints of this video"
        )
    return np.array([size[0] / width, size[1] / height])
