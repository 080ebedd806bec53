"""2D keypoints from files: other programs' JSON and our own NPZ, matched with a video. `docs/output.md` describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pointlight.capture.archive import read_npz, write_npz
from pointlight.capture.detection.keypoint_json import FORMATS, read_json
from pointlight.capture.detection.keypoint_layouts import find_layout
from pointlight.capture.detection.matching import FilePeople, matched, pixel_factor
from pointlight.capture.detection.people import SeenPose, choose_person, trusted_identities
from pointlight.capture.detection.person_box import PersonBox
from pointlight.capture.detection.sightings import PERSON_KEYS, without_absent
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.media import FrameTimes, VideoReader, numbered_shots, small_size


def read_keypoints(
    path: Path | str, video: VideoReader, box: PersonBox | None = None, layout: str | None = None
) -> Keypoints2D:
    """One person's keypoints from a file, with an entry for every frame of the video.

    Args:
        path: a JSON or NPZ file, or a folder of OpenPose files.
        video: what the keypoints belong to; frames that the file does not have get absent keypoints.
        box: which person; without it the largest over each shot of the video.
        layout: the order of the keypoints, a key of `LAYOUTS`, where the file can't tell.

    Raises:
        PointlightError: the file is missing, of another form, or does not belong to the video.
    """
    path = Path(path)
    order = find_layout(layout) if layout else None
    if not path.exists():
        raise PointlightError(f"there is no keypoint file {path}; {FORMATS}")
    if box is not None:
        box.check(video.size)
    own = path.suffix.lower() == ".npz" and not path.is_dir()
    if own and order is not None:
        raise PointlightError(f"{path} names its keypoints itself; leave out the keypoint format")
    content = None if own else read_json(path)
    frames, shots = _frames_and_shots(video)
    people = (
        _read_own(path, frames, video.size)
        if content is None
        else matched(path, content, frames, video, order)
    )
    _check_frames(people, frames, video, path)
    _check_places(people, video.size, path)
    return _one_person(people, frames, shots, video.size, box, path)


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
        shot=arrays.get("shot", np.zeros(len(arrays["points"]), np.int64)),
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
        "shot": keypoints.shot,
    }


def _frames_and_shots(video: VideoReader) -> tuple[FrameTimes, np.ndarray]:
    """Numbers and times of the frames, and (T,) the shot of each, by one pass over small pictures."""
    small = VideoReader(video.path, video.start_s, video.end_s, size=small_size(video.size))
    seen = [(frame.index, frame.time_s, shot) for frame, shot in numbered_shots(small)]
    video.warnings = list(small.warnings)  # of the pass that stands for the video's own
    index, time_s, shots = zip(*seen, strict=True)
    return FrameTimes(np.array(index, np.int64), np.array(time_s, np.float64)), np.array(shots, np.int64)


def _one_person(
    people: FilePeople,
    frames: FrameTimes,
    shots: np.ndarray,
    size: tuple[int, int],
    box: PersonBox | None,
    path: Path,
) -> Keypoints2D:
    numbers = frames.index.tolist()
    times_s = dict(zip(numbers, frames.time_s.tolist(), strict=True))
    shot_of = dict(zip(numbers, shots.tolist(), strict=True))
    inside = {frame: poses for frame, poses in people.poses.items() if frame in times_s}
    warnings = [*people.warnings, *_missing(people.spoken_of & set(numbers), numbers, path)]
    poses: dict[int, np.ndarray] = {}
    begins = np.zeros(len(numbers), np.int64)
    if any(inside.values()):
        key = trusted_identities(people.ids, inside, times_s, shot_of, PERSON_KEYS)
        seen = {
            frame: [
                SeenPose(pose, None if key is None else ids.get(key))
                for pose, ids in zip(inside[frame], people.ids[frame], strict=True)
            ]
            for frame in inside
        }
        chosen = choose_person(seen, times_s, shot_of, box, str(path))
        poses, warnings = chosen.poses, [*warnings, *chosen.warnings]
        begins[np.isin(frames.index, chosen.breaks)] = 1
    points = np.zeros((len(numbers), len(people.names), 3), np.float32)
    for position, frame in enumerate(numbers):
        if frame in poses:
            points[position] = poses[frame]
    return Keypoints2D(
        names=people.names,
        time_s=frames.time_s,
        frame_index=frames.index,
        points=points,
        image_size=size,
        source=f"{people.format} file {path.name}",
        shot=shots + begins.cumsum(),
        warnings=tuple(warnings),
    )


def _missing(spoken_of: frozenset[int], numbers: list[int], path: Path) -> list[str]:
    if len(spoken_of) == len(numbers):
        return []
    return [
        f"{path} has entries for {len(spoken_of)} of the {len(numbers)} frames (from {min(spoken_of)} to"
        f" {max(spoken_of)}); in the others nobody is seen"
    ]


def _read_own(path: Path, frames: FrameTimes, size: tuple[int, int]) -> FilePeople:
    arrays = read_npz(path, "an NPZ with names (K,) and points (T, K, 3), or a poses.npz")
    names = arrays.get("names", arrays.get("keypoint_names"))
    points = arrays.get("points", arrays.get("keypoints_px"))
    if names is None or points is None or names.ndim != 1 or points.shape[1:] != (len(names), 3):
        raise PointlightError(f"{path} does not have names (K,) and points (T, K, 3); {FORMATS}")
    index = arrays.get("frame_index", frames.index)
    if index.ndim != 1 or index.dtype.kind not in "iu" or points.dtype.kind not in "fiu":
        raise PointlightError(f"{path} must have whole numbers as frame_index (T,) and real ones as points")
    if len(index) != len(points):
        raise PointlightError(
            f"{path} has points for {len(points)} frames, but the video has {len(index)};"
            " add frame_index (T,)"
        )
    made_for = np.asarray(arrays.get("image_size", size)).reshape(-1).tolist()
    if len(made_for) != 2 or min(made_for) <= 0:
        raise PointlightError(
            f"{path} was made for pictures of {' x '.join(map(str, made_for))} pixels; give (width, height)"
        )
    factor = pixel_factor((made_for[0], made_for[1]), size, path)
    _check_times(arrays.get("time_s"), index, frames, path)
    marked = np.where(points[..., 2:] > 0, points, 0.0).astype(np.float32)
    marked = without_absent(marked.reshape(-1, 3)).reshape(points.shape)
    marked[..., :2] *= factor
    words = tuple(str(name) for name in names.tolist())
    known = Keypoints2D(words, np.arange(len(index), dtype=np.float64), index, marked, size, str(path))
    poses = {int(frame): [pose] for frame, pose in zip(known.frame_index, known.points, strict=True)}
    return FilePeople("keypoint", words, poses, {frame: [{}] for frame in poses}, frozenset(poses))


def _check_times(time_s: Any, index: np.ndarray, frames: FrameTimes, path: Path) -> None:
    """See that a file's times are those of the video's frames, give or take where the clock begins."""
    if time_s is None or np.shape(time_s) != index.shape or np.asarray(time_s).dtype.kind not in "fiu":
        return
    _, own, its = np.intersect1d(index, frames.index, return_indices=True)
    if len(own) < 2:
        return
    difference = np.asarray(time_s, np.float64)[own] - frames.time_s[its]
    step_s = float(np.median(np.diff(frames.time_s)))
    if np.ptp(difference) > max(step_s, 0.02):
        last = int(own[-1])
        raise PointlightError(
            f"{path} has frame {index[last]} at {float(time_s[last]):.3f} s, the video at"
            f" {frames.time_s[its[-1]]:.3f} s; give the keypoints of this video"
        )


def _check_frames(people: FilePeople, frames: FrameTimes, video: VideoReader, path: Path) -> None:
    last = int(frames.index[-1])
    beyond = [frame for frame in people.spoken_of if frame < 0 or (video.end_s is None and frame > last)]
    if beyond:
        raise PointlightError(
            f"{path} has keypoints for frame {max(beyond, key=abs)}, but the video's frames are 0 to {last};"
            " frames are counted from 0"
        )
    if not people.spoken_of & set(frames.index.tolist()):
        raise PointlightError(
            f"{path} has no keypoints for the frames {frames.index[0]} to {last} that are asked for"
        )


def _check_places(people: FilePeople, size: tuple[int, int], path: Path) -> None:
    """Refuse keypoints of another picture size."""
    poses = [pose for poses in people.poses.values() for pose in poses]
    points = np.concatenate(poses) if poses else np.zeros((0, 3))
    points = points[points[:, 2] > 0, :2]
    if len(points) and ((points < 0) | (points > size)).any(-1).mean() > 0.5:
        raise PointlightError(
            f"{path} has most keypoints outside the picture of {size[0]} x {size[1]} pixels;"
            " give the keypoints of this video in pixels"
        )
