"""Joints that other programs found: our own NPZ, TRC files, and any NPZ of (T, J, 3) with names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture import read_npz
from pointlight.errors import PointlightError

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

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}


def read_joints(path: Path | str, frames: int) -> np.ndarray:
    """(frames, 12, 3) the paper's keypoints in metres and the file's own axes; NaN where the file has none.

    Args:
        path: see above; frames are the video's in order, except where the file says their numbers.
        frames: of the video.

    Raises:
        PointlightError: the file is something else, or lacks one of the 12.
    """
    path = Path(path)
    if not path.is_file():
        raise PointlightError(f"there is no file {path}; {_WANTED}")
    if path.suffix.lower() == ".trc":
        names, index, joints = _read_trc(path)
    else:
        names, index, joints = _read_arrays(path)
    missing = [name for name in NETWORK_KEYPOINTS if name not in names]
    if missing:
        raise PointlightError(f"{path} lacks {', '.join(missing)}; it has {', '.join(names)}")
    result = np.full((frames, len(NETWORK_KEYPOINTS), 3), np.nan)
    inside = (index >= 0) & (index < frames)
    chosen = joints[:, [names.index(name) for name in NETWORK_KEYPOINTS]]
    result[index[inside]] = chosen[inside]
    return result


def _read_arrays(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    arrays = read_npz(path, _WANTED.removeprefix("give "))
    if "joints_camera_m" in arrays:
        names, joints, index = arrays["joint_names"], arrays["joints_camera_m"], arrays["frame_index"]
    elif "joints" in arrays and "names" in arrays:
        names, joints = arrays["names"], arrays["joints"]
        index = np.asarray(arrays.get("frame_index", np.arange(len(joints))))
    else:
        raise PointlightError(f"{path} holds {', '.join(sorted(arrays))}; {_WANTED}")
    names = [str(name) for name in np.atleast_1d(names)]
    if joints.shape != (len(index), len(names), 3):
        raise PointlightError(
            f"{path} holds joints of shape {joints.shape}, where {len(index)} frames of {len(names)} names need"
            f" {(len(index), len(names), 3)}"
        )
    return names, index.astype(int), joints.astype(np.float64)


def _read_trc(path: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """OpenSim's TRC: five lines of header, then frame number, time, and x, y, z of every marker, tabs between."""
    lines = path.read_text(errors="replace").splitlines()
    try:
        keys, values = lines[1].split("\t"), lines[2].split("\t")
        scale = _METRES[values[keys.index("Units")].strip().lower()]
        markers = [name.strip() for name in lines[3].split("\t")[2:] if name.strip()]
        rows = [line.rstrip("\n").split("\t") for line in lines[5:] if line.strip()]
        numbers = np.array([int(float(row[0])) for row in rows])
        joints = np.array([[_number(cell) for cell in _padded(row[2:], 3 * len(markers))] for row in rows])
    except (IndexError, KeyError, ValueError) as error:
        raise PointlightError(f"{path} is not a whole TRC file ({error}); {_WANTED}") from error
    if not len(rows):
        raise PointlightError(f"{path} holds no frame; {_WANTED}")
    names = [TRC_MARKERS.get(marker, marker) for marker in markers]
    # TRC counts from 1, some writers from 0.
    first = 1 if numbers[0] >= 1 else 0
    return names, numbers - first, joints.reshape(len(rows), len(markers), 3) * scale


def _number(cell: str) -> float:
    return float(cell) if cell.strip() else float("nan")


def _padded(cells: list[str], count: int) -> list[str]:
    return [*cells, *[""] * count][:count]
