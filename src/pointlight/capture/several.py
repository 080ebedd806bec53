"""Several people of one video: their keypoints, one result of all, their files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS, BodyModel
from pointlight.capture.camera import WatchedReader, is_still, moving_shots
from pointlight.capture.capture import Capture
from pointlight.capture.detection.detector import MediapipeDetector
from pointlight.capture.detection.keypoint_files import read_keypoints
from pointlight.capture.options import PredictOptions
from pointlight.capture.results import PredictResult, Seconds, Stopwatch
from pointlight.capture.steps import seen_keypoints
from pointlight.capture.world import find_worlds, foot_slide, words_of_worlds
from pointlight.cues import Keypoints2D
from pointlight.media import VideoReader
from pointlight.progress import ProgressCallback

_LEAST_SEEN = 7
"""Of the 12 keypoints, in some frame, or there is no body."""
_FURTHER = re.compile(r"poses_\d+\.npz")

STILL = (
    "the video is a still picture: its frames show one pose, and what rests on motion, such as how far away somebody is"
    " and which foot stands, is a guess"
)


def find_people(
    reader: VideoReader, options: PredictOptions, progress: ProgressCallback
) -> list[Keypoints2D]:
    """Everybody's keypoints who was asked for, from a file or by the detector; the first person is there in any case."""
    if options.keypoints is not None:
        file = Path(options.keypoints)
        return [read_keypoints(file, reader, options.person, options.keypoint_format)]
    detector = MediapipeDetector(size=options.detector, progress=progress)
    if options.people == 1:
        return [detector.track(reader, options.person, progress)]
    return detector.track_people(reader, options.most_people, progress)


def is_seen(keypoints: Keypoints2D) -> bool:
    """Whether there can be a body in any frame."""
    seen = seen_keypoints(keypoints.select(NETWORK_KEYPOINTS), *keypoints.image_size)
    return bool((seen.sum(-1) >= _LEAST_SEEN).any())


def together(
    results: Sequence[PredictResult], options: PredictOptions, before: Seconds, warnings: Iterable[str]
) -> PredictResult:
    """One result of everybody's, the first person's with the others beside.

    Args:
        results: one a person.
        options: how many were asked for.
        before: what the stages took that all had in common.
        warnings: of the video.
    """
    captures = [replace(one.capture, track_id=number) for number, one in enumerate(results)]
    seconds: dict[str, float] = {}
    for one in results:
        for stage, taken in one.diagnostics.seconds:
            seconds[stage] = seconds.get(stage, 0.0) + taken
    told = [*warnings, *(text for one in results for text in one.diagnostics.warnings)]
    if options.most_people is not None and len(results) < options.most_people:
        told.append(f"{options.most_people} people were asked for, {len(results)} could be followed")
    diagnostics = replace(
        results[0].diagnostics,
        others=tuple(one.diagnostics for one in results[1:]),
        seconds=(*before, *seconds.items()),
        warnings=tuple(dict.fromkeys(told)),
    )
    return PredictResult(captures[0], diagnostics, tuple(captures[1:]))


def with_worlds(
    result: PredictResult,
    people: Sequence[Keypoints2D],
    reader: WatchedReader,
    body: BodyModel,
    options: PredictOptions,
) -> PredictResult:
    """The result with everybody's world, and a sentence on what could not be known of it.

    Args:
        result: everybody's.
        people: their keypoints, the first person's first, as far as they were followed.
        reader: of the video, after a pass.
        body: that everybody was made with.
        options: what is known of the camera.
    """
    stopwatch = Stopwatch()
    with stopwatch.stage("world"):
        if options.camera == "auto":
            moving = moving_shots(reader.pictures, people[0])
        else:
            moving = np.full(len(result.capture.shot_shapes), options.camera == "moving")
        worlds = find_worlds(result.captures, body, options.known_of_camera, moving)
        captures = [replace(one, world=world) for one, world in zip(result.captures, worlds, strict=True)]
        slides = [foot_slide(capture, body) for capture in captures]
    told = [
        *([STILL] if is_still(reader.pictures, len(result.capture)) else []),
        *result.diagnostics.warnings,
        *words_of_worlds(worlds, result.capture.time_s, result.capture.shot),
    ]
    others = zip(result.diagnostics.others, slides[1:], strict=True)
    diagnostics = replace(
        result.diagnostics,
        others=tuple(replace(one, foot_slide=slide) for one, slide in others),
        seconds=(*result.diagnostics.seconds, *stopwatch.seconds),
        warnings=tuple(dict.fromkeys(told)),
        foot_slide=slides[0],
    )
    return PredictResult(captures[0], diagnostics, tuple(captures[1:]))


def save_people(captures: Sequence[Capture], folder: Path) -> tuple[Path, ...]:
    """Write `poses.npz`, `poses_1.npz` and so on; further ones that lie there are removed."""
    for path in folder.iterdir():
        if _FURTHER.fullmatch(path.name) and path.is_file():
            path.unlink()
    files = [folder / (f"poses_{number}.npz" if number else "poses.npz") for number in range(len(captures))]
    for capture, file in zip(captures, files, strict=True):
        capture.save(file)
    return tuple(files)
