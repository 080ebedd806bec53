"""Real people: whole bodies before several calibrated cameras, of which a network sees one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, BodyModel, indices_of
from pointlight.capture import PredictOptions, track_of
from pointlight.capture.fitting import grid_times, observation_of
from pointlight.cues import (
    CropFrames,
    Cue,
    FrameSource,
    Keypoints2D,
    Observation,
    VideoFrames,
    flow_channels,
)
from pointlight.errors import PointlightError
from pointlight.evaluation.multiview import (
    CameraTruth,
    FrameErrors,
    TruthConfig,
    calibrated_folders,
    detect_camera,
    frame_errors,
    mean_error,
    read_calibrated_set,
    reference_of,
    video_roles,
)
from pointlight.evaluation.results import WHOLE_PEOPLE, MeanError
from pointlight.files import atomic_path, ensure_folder, file_sha256
from pointlight.media import VideoReader
from pointlight.network import EVALUATION_INDICES, WindowConfig
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.training import BankFrames, Checkpoint, PictureBankConfig, cut_pairs, maps_around
from pointlight.values import by_value

_TWELVE = list(indices_of(NETWORK_KEYPOINTS, EVALUATION_JOINTS))

PART_OF_ROLE = {"development": "development", "test": "test", "": "test"}
"""Which part of the data a video's role in `index.csv` makes it; those without one are for tables alone."""


@by_value
@dataclass(frozen=True)
class FilmedPerson:
    """One person seen by one camera, as networks are shown them.

    Attributes:
        name: of the video, such as "set/camera".
        video: the file.
        time_s: (T,) of its frames.
        grid_s: (G,) of what networks see.
        seen: keypoints on the grid, without pictures.
        kept: (G-1) pairs cut around the person; None where networks look at the video itself.
    """

    name: str
    video: Path
    time_s: np.ndarray
    grid_s: np.ndarray
    seen: Observation
    kept: BankFrames | None

    @property
    def pictures(self) -> FrameSource:
        """Of the grid's pairs."""
        return self.kept or VideoFrames(VideoReader(self.video), self.grid_s)

    def hidden(self, keypoints: np.ndarray) -> FilmedPerson:
        """The same with more keypoints hidden from networks, (G, K) bool."""
        visible = self.seen.visible & ~torch.from_numpy(keypoints)
        return replace(self, seen=replace(self.seen, visible=visible))


@by_value
@dataclass(frozen=True)
class FilmedSet:
    """A calibrated set.

    Attributes:
        name: of its folder.
        time_s: (T,) of the frames that all cameras have.
        people: what each camera sees.
        truths: the reference in each camera's axes.
        parts: of each camera, "development" or "test".
    """

    name: str
    time_s: np.ndarray
    people: tuple[FilmedPerson, ...]
    truths: tuple[CameraTruth, ...]
    parts: tuple[str, ...]


def filmed_person(
    name: str, video: Path, keypoints: Keypoints2D, cache: Path | None, flow: str = "dis"
) -> FilmedPerson:
    """A track as networks are shown it; what is around the person is cut once where there is a cache.

    Args:
        name: for people.
        video: the file.
        keypoints: of all its frames.
        cache: folder; None lets networks look at the video itself, as large ones do.
        flow: the optical flow that is kept.
    """
    track = track_of(keypoints, EXTENDED_KEYPOINTS, PredictOptions())[0]
    grid_s = grid_times(track.time_s, 2)
    seen = observation_of(track, EXTENDED_KEYPOINTS, grid_s)
    kept = None if cache is None else _cut_once(video, seen, grid_s, cache, flow)
    return FilmedPerson(name, video, keypoints.time_s, grid_s, seen, kept)


def _cut_once(video: Path, seen: Observation, grid_s: np.ndarray, cache: Path, flow: str) -> BankFrames:
    path = ensure_folder(cache) / f"{video.parent.name}-{video.stem}-{file_sha256(video)[:16]}-{flow}.npz"
    if not path.exists():
        config = PictureBankConfig(flow=flow)
        crops = CropFrames.of(
            seen.points_px[None], seen.visible[None], seen.focal_px[None], seen.principal_px[None]
        )
        maps = maps_around(crops, seen.principal_px[None], config)[0].numpy()
        frames = VideoFrames(VideoReader(video), grid_s)
        cut = cut_pairs((frames.pair(number) for number in range(len(grid_s) - 1)), maps, config)
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, rgb=cut["rgb"], flow=cut["flow"], to_picture=maps[:-1])
    with np.load(path, allow_pickle=False) as arrays:
        return BankFrames(arrays["rgb"], arrays["flow"], arrays["to_picture"], flow)


def filmed_sets(
    folder: Path,
    *,
    cut_in: Path | None,
    cache: Path | None = None,
    progress: ProgressCallback = silent,
) -> tuple[FilmedSet, ...]:
    """The sets of a folder that show whole people and have a good reference.

    Args:
        folder: as `evaluate_multiview` takes it.
        cut_in: where what is around people is kept; see `filmed_person`.
        cache: of detections and truths.
        progress: told of every set.

    Raises:
        PointlightError: there is none.
    """
    roles = video_roles(folder)
    sets = []
    folders = calibrated_folders(folder)
    for number, place in enumerate(folders):
        progress(Progress("filmed people", number, len(folders), place.name, unit="set"))
        calibrated = read_calibrated_set(place)
        detected = [detect_camera(view, cache, progress) for view in calibrated.views]
        quality, truth, truths = reference_of(calibrated, detected, TruthConfig(), cache)
        if quality.unscored_because or quality.scored_as != WHOLE_PEOPLE:
            continue
        people = [
            filmed_person(f"{calibrated.name}/{view.name}", view.video, seen.keypoints, cut_in)
            for view, seen in zip(calibrated.views, detected, strict=True)
        ]
        named = [roles.get(f"{calibrated.name}/{view.video.name}", "") for view in calibrated.views]
        parts = tuple(PART_OF_ROLE.get(role, "test") for role in named)
        sets.append(FilmedSet(calibrated.name, truth.time_s, tuple(people), tuple(truths), parts))
    progress(Progress("filmed people", len(folders), len(folders), unit="set"))
    if not sets:
        raise PointlightError(
            f"no set in {folder} shows a whole person before three or more cameras; give others"
        )
    return tuple(sets)


def joints_of(
    person: FilmedPerson, checkpoint: Checkpoint, body: BodyModel, *, without: Cue | None = None
) -> np.ndarray:
    """(T, 12, 3) the paper's keypoints in camera axes, metres from the root; NaN in frames without a body.

    Args:
        person: filmed.
        checkpoint: any network; it is asked on the grid of 30 frames/s, in windows of its own length.
        body: the network's.
        without: a cue that is set to zero.
    """
    network = checkpoint.model
    seen = person.seen
    if network.config.cues.sees_pictures:
        seen = replace(seen, pictures=(person.pictures,))
    cues = network.observe(seen).alone()
    if without is not None:
        cues = replace(cues, inputs=network.config.cues.without(cues.inputs, without))
    found = network.over_frames(cues.to(network.device), body, WindowConfig(checkpoint.clip_frames))
    joints = found.points_m[0].cpu()[:, list(EVALUATION_INDICES)][:, _TWELVE].double().numpy()
    joints[cues.occluded[0].numpy()] = np.nan
    columns = joints.reshape(len(joints), -1)
    at = np.stack([np.interp(person.time_s, person.grid_s, column) for column in columns.T], axis=-1)
    return at.reshape(-1, *joints.shape[1:])


def errors_of(one: FilmedSet, part: str, joints: Mapping[str, np.ndarray]) -> list[FrameErrors]:
    """Errors in the cameras of a part, from joints (T, 12, 3) by the name of each camera's person."""
    return [
        frame_errors(joints[person.name], truth, one.time_s)
        for person, truth, its in zip(one.people, one.truths, one.parts, strict=True)
        if its == part
    ]


def score_filmed(
    sets: Sequence[FilmedSet],
    part: str,
    checkpoint: Checkpoint,
    body: BodyModel,
    *,
    without: Cue | None = None,
) -> dict[str, MeanError]:
    """A network on each set that has cameras of a part: their mean, with an interval over blocks of time."""
    scores = {}
    for one in sets:
        if part not in one.parts:
            continue
        joints = {
            person.name: joints_of(person, checkpoint, body, without=without)
            for person, its in zip(one.people, one.parts, strict=True)
            if its == part
        }
        scores[one.name] = mean_error(errors_of(one, part, joints), one.time_s)
    return scores


def constant_on_filmed(sets: Sequence[FilmedSet], part: str, constant: torch.Tensor) -> dict[str, MeanError]:
    """The best constant pose (14, 3), scored the same way."""
    twelve = constant.numpy()[_TWELVE]
    scores = {}
    for one in sets:
        if part in one.parts:
            joints = {p.name: np.broadcast_to(twelve, (len(p.time_s), *twelve.shape)) for p in one.people}
            scores[one.name] = mean_error(errors_of(one, part, joints), one.time_s)
    return scores


def flow_at_keypoints(person: FilmedPerson) -> float:
    """How much a filmed person moves in the picture: median of the flow at seen keypoints, in 20 px of a crop of 224."""
    if person.kept is None:
        return float("nan")
    lengths = []
    side = person.kept.flow.shape[1]
    points, visible = person.seen.points_px.numpy(), person.seen.visible.numpy()
    for number in range(len(person.kept.rgb)):
        flow_px = person.kept.pair(number).flow_px
        assert flow_px is not None  # a bank's pairs have it
        flow = flow_channels(flow_px)[2] * PictureBankConfig().margin
        to_crop = np.linalg.inv(person.kept.to_picture[number])
        at = np.concatenate((points[number], np.ones_like(points[number, :, :1])), axis=-1) @ to_crop.T
        x, y = (at[:, :2] / at[:, 2:]).T.astype(int)
        inside = visible[number] & (x >= 0) & (y >= 0) & (x < side) & (y < side)
        lengths.append(flow[y[inside], x[inside]])
    return float(np.median(np.concatenate(lengths))) if lengths else float("nan")
