"""Joints that other programs found: our own NPZ, TRC files, and any NPZ of (T, J, 3) with names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture import read_npz
from pointlight.errors import PointlightError
from pointlight.evaluation.multiview.units import METRES

_WANTED = "give a poses.npz of predict, a .trc file, or an .npz with joints (T, J, 3) and names (J,)"

_MIDDLES = {
    "hip": "Hip",
    "knee": "Knee",
    "ankle": "Ankle",
    "shoulder": "Shoulder",
    "elbow": "Elbow",
    "wrist": "Wrist",
}

TRC_MARKERS: dict[str, str] = {
    f"{side[0].upper()}{_MIDDLES[part]}": f"{side}_{part}" for side in ("left", "right") for part in _MIDDLES
}
"""Names that OpenPose's family of tools (Pose2Sim, Sports2D, OpenCap's video keypoints) gives the 12 in TRC files."""

_SAME_RATE = 0.01
"""Rates that differ by less, in parts, are one."""
_APART_STEPS = 1.5
"""Numbers and times that differ by more frames contradict each other; some writers give the first frame a step's time."""
_ROUNDED_S = 0.002
"""Times in files are often rounded to milliseconds."""


@dataclass(frozen=True)
class _Joints:
    """What a file says.

    Attributes:
        names: of the J joints.
        joints_m: (T, J, 3); NaN is absent.
        index: (T,) numbers of the video's frames from 0, or None where the file does not say.
        time_s: (T,) or None.
    """

    names: tuple[str, ...]
    joints_m: np.ndarray
    index: np.ndarray | None
    time_s: np.ndarray | None


def read_joints(path: Path | str, time_s: np.ndarray) -> np.ndarray:
    """(F, 12, 3) the paper's keypoints in metres and the file's own axes; NaN where the file has none.

    Frames are taken by the file's numbers if its rate is the video's, and by its times otherwise: between two of them that
    are no farther apart than the video's frames, joints are interpolated.

    Args:
        path: see above.
        time_s: (F,) of the video's frames.

    Raises:
        PointlightError: the file is something else, lacks one of the 12, or does not say which frames it is of.
    """
    path = Path(path)
    if not path.is_file():
        raise PointlightError(f"there is no file {path}; {_WANTED}")
    found = _read_trc(path) if path.suffix.lower() == ".trc" else _read_arrays(path)
    missing = [name for name in NETWORK_KEYPOINTS if name not in found.names]
    if missing:
        raise PointlightError(f"{path} lacks {', '.join(missing)}; it has {', '.join(found.names)}")
    chosen = found.joints_m[:, [found.names.index(name) for name in NETWORK_KEYPOINTS]]
    video_s = np.asarray(time_s, np.float64) - float(time_s[0])
    if found.time_s is not None and (found.index is None or not _has_rate_of(found, video_s)):
        return _at_times(chosen, found.time_s, video_s)
    index = _frames_of(found, len(video_s), path)
    _check_start(found, index, video_s, path)
    result = np.full((len(video_s), len(NETWORK_KEYPOINTS), 3), np.nan)
    result[index] = chosen
    return result


def _has_rate_of(found: _Joints, video_s: np.ndarray) -> bool:
    """Whether the file's numbers go as fast as the video's frames; True where one of the two has a single one."""
    assert found.time_s is not None and found.index is not None
    if len(found.index) < 2 or len(video_s) < 2:
        return True
    own_step_s = np.ptp(found.time_s) / np.ptp(found.index)
    return abs(own_step_s / (np.ptp(video_s) / (len(video_s) - 1)) - 1) <= _SAME_RATE


def _frames_of(found: _Joints, frames: int, path: Path) -> np.ndarray:
    """(T,) which of the video's frames a file's are."""
    if found.index is None:
        if len(found.joints_m) != frames:
            raise PointlightError(
                f"{path} holds {len(found.joints_m)} frames, the video has {frames}; add frame_index (T,), their"
                " numbers in the video from 0, or time_s (T,)"
            )
        return np.arange(frames)
    beyond = found.index[(found.index < 0) | (found.index >= frames)]
    if len(beyond):
        raise PointlightError(
            f"{path} has joints for frame {beyond[-1]}, but the video's frames are 0 to {frames - 1}; give the joints"
            " of this video"
        )
    return found.index


def _check_start(found: _Joints, index: np.ndarray, video_s: np.ndarray, path: Path) -> None:
    """See that number and time of a file's first frame say the same; from the first frame on, any clock will do."""
    if found.time_s is None or index[0] == 0 or len(video_s) < 2:
        return
    step_s = np.ptp(video_s) / (len(video_s) - 1)
    apart = abs(float(found.time_s[0] - video_s[index[0]])) / step_s
    if apart > _APART_STEPS:
        raise PointlightError(
            f"{path} contradicts itself: its first frame's number means {video_s[index[0]]:.3f} s of the video, its time"
            f" is {found.time_s[0]:.3f} s; count both from the video's first frame"
        )


def _at_times(joints_m: np.ndarray, own_s: np.ndarray, video_s: np.ndarray) -> np.ndarray:
    """(F, 12, 3) at the video's times: between neighbours that are no farther apart than the video's frames, else NaN."""
    step_s = np.ptp(video_s) / max(len(video_s) - 1, 1)
    after = np.searchsorted(own_s, video_s).clip(0, len(own_s) - 1)
    before = (after - 1).clip(0)
    wide = own_s[after] - own_s[before]
    share = np.divide(video_s - own_s[before], wide, out=np.zeros_like(video_s), where=wide > 0)
    between = joints_m[before] + share[:, None, None] * (joints_m[after] - joints_m[before])
    inside = (own_s[before] <= video_s) & (video_s <= own_s[after]) & (wide <= _APART_STEPS * step_s)
    later = np.abs(own_s[after] - video_s) < np.abs(own_s[before] - video_s)
    nearest = np.where(later, after, before)
    off_s = np.abs(own_s[nearest] - video_s)
    taken = (off_s <= _ROUNDED_S) | (~inside & (off_s <= step_s / 4))
    values = np.where(taken[:, None, None], joints_m[nearest], between)
    return np.where((taken | inside)[:, None, None], values, np.nan)


def _read_arrays(path: Path) -> _Joints:
    arrays = read_npz(path, _WANTED.removeprefix("give "))
    if "joints_camera_m" in arrays:
        names, joints, index = arrays["joint_names"], arrays["joints_camera_m"], arrays["frame_index"]
    elif "joints" in arrays and "names" in arrays:
        names, joints = arrays["names"], arrays["joints"]
        index = arrays.get("frame_index")
    else:
        raise PointlightError(f"{path} holds {', '.join(sorted(arrays))}; {_WANTED}")
    named = tuple(str(name) for name in np.atleast_1d(names))
    count = len(joints) if index is None else len(index)
    if joints.shape != (count, len(named), 3):
        raise PointlightError(
            f"{path} holds joints of shape {joints.shape}, where {count} frames of {len(named)} names need"
            f" {(count, len(named), 3)}"
        )
    time_s = arrays.get("time_s")
    if time_s is None and "fps" in arrays:
        numbers = np.arange(count) if index is None else index
        time_s = numbers / _number_of(arrays["fps"], "fps", path)
    numbers = None if index is None else _increasing(index, "frame_index", count, path).astype(np.int64)
    times = None if time_s is None else _increasing(time_s, "time_s", count, path)
    return _Joints(named, joints.astype(np.float64), numbers, times)


def _number_of(array: np.ndarray, name: str, path: Path) -> float:
    if array.size != 1 or array.dtype.kind not in "fiu" or not 0 < float(array.item()) < np.inf:
        raise PointlightError(f"{path} must have one number above 0 as {name}")
    return float(array.item())


def _increasing(values: Any, name: str, count: int, path: Path) -> np.ndarray:
    """(T,) float64, refused if it does not increase."""
    array = np.asarray(values)
    if array.shape != (count,) or array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise PointlightError(f"{path} must have {count} numbers as {name}, one a frame")
    if (np.diff(array) <= 0).any():
        raise PointlightError(f"{path}: {name} must increase from frame to frame")
    return array.astype(np.float64)


def _read_trc(path: Path) -> _Joints:
    """OpenSim's TRC: five lines of header, then frame number, time, and x, y, z of every marker, tabs between."""
    # Not splitlines, which takes letters of some names for line ends.
    lines = path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
    try:
        header = dict(zip(_cells(lines[1]), _cells(lines[2]), strict=False))
        scale = METRES[header["Units"].lower()]
        markers = [name for name in _cells(lines[3])[2:] if name]
        rows = [_cells(line) for line in lines[5:] if line.strip()]
        numbers = np.array([float(row[0]) for row in rows])
        times = np.array([float(row[1]) if len(row) > 1 and row[1] else np.nan for row in rows])
        joints = np.array([[_number(cell) for cell in _padded(row[2:], 3 * len(markers))] for row in rows])
        stated = int(float(header["NumFrames"])) if header.get("NumFrames") else len(rows)
    except (IndexError, KeyError, ValueError) as error:
        raise PointlightError(f"{path} is not a whole TRC file ({error}); {_WANTED}") from error
    if not rows:
        raise PointlightError(f"{path} holds no frame; {_WANTED}")
    if stated != len(rows):
        raise PointlightError(
            f"{path} says NumFrames {stated} and holds {len(rows)}; it was cut off, or its header has to be mended"
        )
    names = tuple(TRC_MARKERS.get(marker, marker) for marker in markers)
    numbers = _increasing(numbers, "Frame#", len(rows), path).astype(np.int64)
    time_s = _increasing(times, "Time", len(rows), path) if np.isfinite(times).any() else None
    # TRC counts from 1, some writers from 0.
    first = 1 if numbers[0] >= 1 else 0
    return _Joints(names, joints.reshape(len(rows), len(markers), 3) * scale, numbers - first, time_s)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.rstrip("\n").split("\t")]


def _number(cell: str) -> float:
    return float(cell) if cell else float("nan")


def _padded(cells: list[str], count: int) -> list[str]:
    """As many cells as markers need; blanks at a row's end may lack, more numbers than markers are an error."""
    if any(cells[count:]):
        raise ValueError(f"a row has {len(cells)} numbers for {count // 3} markers")
    return [*cells, *[""] * count][:count]
