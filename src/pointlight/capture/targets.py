"""Tracks of real people for domain-adversarial training: found in videos by the detector, cut as simulated people are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS
from pointlight.capture.detection.detector import MediapipeDetector
from pointlight.capture.fitting.lifting import observation_of
from pointlight.capture.options import PredictOptions
from pointlight.capture.steps import track_of
from pointlight.configuration import to_plain
from pointlight.cues import CropFrames, Keypoints2D, Observation, ShotFrames, VideoFrames, totally_occluded
from pointlight.errors import PointlightError
from pointlight.geometry import keypoint_box
from pointlight.media import VideoReader
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.randomness import stream
from pointlight.simulator import CLIP_FRAMES, FRAMES_PER_SECOND
from pointlight.simulator.backgrounds import BackgroundManifest, list_backgrounds
from pointlight.training import PictureBankConfig, TargetBank, TargetWriter, cut_pairs, maps_around


@dataclass(frozen=True)
class TargetConfig:
    """Which pieces of a track show a whole person.

    Attributes:
        frames: of a piece on the grid of 30 frames/s; none of them is a total occlusion.
        seen: share of the 12 keypoints that must be seen over the piece.
        each: share of the frames in which each of them must be seen; who is cut off at the knees never shows ankles.
        least_px: the median diagonal of the keypoints' box in the picture; smaller people are a blur in a crop.
        step: frames until the next piece is tried where one is none; pieces don't overlap.
    """

    frames: int = CLIP_FRAMES
    seen: float = 0.9
    each: float = 0.5
    least_px: float = 48.0
    step: int = 5


class PersonDetector(Protocol):
    """What finds people, such as `MediapipeDetector`."""

    @property
    def source(self) -> str:
        """What its keypoints are said to come from."""
        ...

    def track(self, video: VideoReader) -> Keypoints2D:
        """One person's keypoints in every frame, in every shot anew."""
        ...


def prepare_targets(
    out: Path | str,
    backgrounds: Path | str,
    *,
    count: int = 4000,
    flow: str = "dis",
    seed: int = 0,
    detector: PersonDetector | None = None,
    config: TargetConfig | None = None,
    kept: PictureBankConfig | None = None,
    progress: ProgressCallback = silent,
) -> TargetBank:
    """Find tracks of real people in the training videos of a folder; videos that are done stay. The command line calls it.

    Args:
        out: folder, which may hold prepared pictures too; `train(targets=...)` takes it.
        backgrounds: folder of videos, as for clips; those that are known to show nobody are left out.
        count: tracks at most; further videos are not looked at.
        flow: the optical flow that is kept.
        seed: of the order of the videos.
        detector: that finds people; mediapipe's if not given.
        config: which pieces of their tracks are kept.
        kept: what is kept of pictures.
        progress: told of every video.

    Raises:
        PointlightError: the folder of videos or mediapipe can't be used, nobody is seen, or `out` has others' tracks.
    """
    detector, config = detector or MediapipeDetector(), config or TargetConfig()
    kept = replace(kept or PictureBankConfig(), flow=flow)
    videos = list_backgrounds(backgrounds, TargetWriter.split)
    files = [entry.file for entry in videos.files if entry.has_people is not False]
    if not files:
        raise PointlightError(f"no video in {backgrounds} shows people; give a folder with some that do")
    writer = _writer(Path(out), kept, config, detector, videos, seed)
    order = stream(seed, 0, "order of videos with real people").permutation(len(files))
    found = 0
    for done, number in enumerate(order.tolist()):
        if found >= count:
            break
        progress(Progress("people", done, len(files), f"{found} tracks", unit="video"))
        if not writer.has(number):
            try:
                tracks = [*_tracks_of(videos.folder / files[number], detector, config, kept)]
            except PointlightError as error:
                warnings.warn(f"{files[number]} is left out: {error}", stacklevel=2)
                continue
            writer.write(number, files[number], tracks)
        found += writer.count(number)
    progress(Progress("people", len(files), len(files), f"{found} tracks", unit="video"))
    if not found:
        raise PointlightError(
            f"in no video of {backgrounds} a whole person is seen for {config.frames / FRAMES_PER_SECOND:.1f} s; give others"
        )
    return TargetBank(out)


def _writer(
    out: Path,
    kept: PictureBankConfig,
    config: TargetConfig,
    detector: PersonDetector,
    videos: BackgroundManifest,
    seed: int,
) -> TargetWriter:
    made_by = {
        "videos": videos.sha256,
        "detector": detector.source,
        "seed": seed,
        "pieces": to_plain(config),
    }
    return TargetWriter(out, kept, config.frames, made_by)


def _tracks_of(
    video: Path, detector: PersonDetector, config: TargetConfig, kept: PictureBankConfig
) -> Iterator[dict[str, np.ndarray]]:
    """What is kept of each piece of a video that shows a whole person, see `TargetWriter.write`."""
    reader = VideoReader(video)
    coming = ShotFrames(reader)
    for part in detector.track(reader).shots():
        track, _, _ = track_of(part, EXTENDED_KEYPOINTS, PredictOptions())
        last_s = float(track.time_s[-1])
        count = int((last_s - track.time_s[0]) * FRAMES_PER_SECOND + 1e-6) + 1
        grid_s = track.time_s[0] + np.arange(count) / FRAMES_PER_SECOND
        seen = observation_of(track, EXTENDED_KEYPOINTS, grid_s)
        frames, at = VideoFrames(coming.until(last_s), grid_s), 0
        for first in whole_pieces(seen, config):
            for number in range(at, first):
                frames.pair(number)  # lets go of the frames before
            stop = first + config.frames
            piece = replace(seen, points_px=seen.points_px[first:stop], visible=seen.visible[first:stop])
            maps = maps_around(CropFrames.around(piece), piece.principal_px, kept)[:-1].numpy()
            yield {
                **cut_pairs(map(frames.pair, range(first, stop - 1)), maps, kept),
                "to_picture": maps,
                "points_px": piece.points_px.numpy(),
                "visible": piece.visible.numpy(),
                "focal_px": piece.focal_px.numpy(),
                "principal_px": piece.principal_px.numpy(),
            }
            at = stop - 1


def whole_pieces(seen: Observation, config: TargetConfig) -> Iterator[int]:
    """First frames of the pieces of a track (T) that show a whole person all the time."""
    count = len(NETWORK_KEYPOINTS)
    visible = seen.visible[:, :count].numpy()
    occluded = totally_occluded(seen.visible[:, :count]).numpy()
    _, size_px = keypoint_box(seen.points_px[:, :count], seen.visible[:, :count])
    first = 0
    while first + config.frames <= len(visible):
        here = slice(first, first + config.frames)
        shown = visible[here]
        whole = (
            not occluded[here].any()
            and shown.mean() >= config.seen
            and shown.mean(0).min() >= config.each
            and float(size_px[here].median()) >= config.least_px
        )
        if whole:
            yield first
        first += config.frames if whole else config.step
