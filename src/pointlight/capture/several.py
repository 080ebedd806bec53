"""Several people of one video: their keypoints, one result of all, their files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture.capture import Capture
from pointlight.capture.detection.detector import MediapipeDetector
from pointlight.capture.detection.keypoint_files import read_keypoints
from pointlight.capture.options import PredictOptions
from pointlight.capture.results import PredictResult, Seconds
from pointlight.capture.steps import seen_keypoints
from pointlight.cues import Keypoints2D
from pointlight.media import VideoReader
from pointlight.progress import ProgressCallback

_LEAST_SEEN = 7
"""Of the 12 keypoints, in some frame, or there is no body."""
_FURTHER = re.compile(r"poses_\d+\.npz")


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


def save_people(captures: Sequence[Capture], folder: Path) -> tuple[Path, ...]:
    """Write `poses.npz`, `poses_1.npz` and so on; further ones that lie there are removed."""
    for path in folder.iterdir():
        if _FURTHER.fullmatch(path.name) and path.is_file():
            path.unlink()
    files = [folder / (f"poses_{number}.npz" if number else "poses.npz") for number in range(len(captures))]
    for capture, file in zip(captures, files, strict=True):
        capture.save(file)
    return tuple(files)
