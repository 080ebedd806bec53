"""Marker formats: TRC (OpenSim's axes) and C3D (z up); the 14 joints and points of the skin, gaps left as gaps."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from pointlight import __version__
from pointlight.errors import PointlightError
from pointlight.export.timeline import FILLED
from pointlight.export.world_motion import POINT_NAMES, WorldMotion

OPENSIM_WORLD = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
"""From our world to OpenSim's axes: x forward (our z), y up, z to the right (our -x)."""
C3D_WORLD = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
"""From our world to axes with z up: x forward (our z), y to the left (our x), z up."""

_RATES = (
    *("DataRate", "CameraRate", "NumFrames", "NumMarkers"),
    *("Units", "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"),
)

MOST_C3D_FRAMES = 65534


def trc_text(motion: WorldMotion, unit: str, scale: float) -> str:
    """The whole file; frames without a body hold "nan", which OpenSim takes for a gap (a blank is none at the row's end).

    Args:
        motion: of one person.
        unit: as the header states it, "mm" or "m" or "cm".
        scale: units per metre.
    """
    frames, rate = len(motion), f"{motion.fps:.6f}"
    points = _points(motion) @ OPENSIM_WORLD.T * scale
    count = len(POINT_NAMES)
    header = [
        ["PathFileType", "4", "(X/Y/Z)", f"{motion.name}.trc"],
        list(_RATES),
        [rate, rate, str(frames), str(count), unit, rate, "1", str(frames)],
        ["Frame#", "Time", *(cell for name in POINT_NAMES for cell in (name, "", ""))],
        ["", "", *(f"{axis}{number}" for number in range(1, count + 1) for axis in "XYZ")],
        [],
    ]
    row = "\t".join(["%d", "%.6f", *["%.5f"] * (3 * count)])
    values = points.reshape(frames, -1).tolist()
    rows = [row % (k + 1, k / motion.fps, *each) for k, each in enumerate(values)]
    return "\n".join(["\t".join(cells) for cells in header] + rows) + "\n"


def check_c3d(motion: WorldMotion) -> None:
    """Refuse what C3D cannot hold.

    Raises:
        PointlightError: there are too many frames.
    """
    if len(motion) > MOST_C3D_FRAMES:
        slower = MOST_C3D_FRAMES / (len(motion) / motion.fps)
        raise PointlightError(
            f"{motion.name} has {len(motion)} frames and C3D holds {MOST_C3D_FRAMES}; give --fps {slower:.0f} or less,"
            " or predict parts with --start and --end"
        )


def c3d_bytes(motion: WorldMotion) -> bytes:
    """The whole file: millimetres, z up; points of frames without a body are marked as not measured (residual -1)."""
    import ezc3d

    points = _points(motion) @ C3D_WORLD.T * 1000.0
    missing = ~np.isfinite(points).all(-1)
    file = ezc3d.c3d()
    parameters = file["parameters"]
    parameters["POINT"]["RATE"]["value"] = [motion.fps]
    parameters["POINT"]["UNITS"]["value"] = ["mm"]
    parameters["POINT"]["LABELS"]["value"] = list(POINT_NAMES)
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Z"])
    file.add_parameter("MANUFACTURER", "COMPANY", ["Pointlight"])
    file.add_parameter("MANUFACTURER", "SOFTWARE", [f"Pointlight {__version__}"])
    file.add_parameter("POINTLIGHT", "SOURCE", [motion.source[:250]])
    axes = "x forward" + (" where the first frame faces" if motion.contacts is not None else "")
    file.add_parameter("POINTLIGHT", "AXES", [f"{axes}, y left, z up; floor z = 0"])
    file["data"]["points"] = np.concatenate((points, np.ones((*points.shape[:2], 1))), axis=-1).transpose(
        2, 1, 0
    )
    residuals = np.where(missing, -1.0, 0.0).T[None]
    file["data"]["meta_points"]["residuals"] = residuals
    cameras = np.zeros((7, len(POINT_NAMES), len(motion)), bool)
    file["data"]["meta_points"]["camera_masks"] = cameras
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "motion.c3d"
        file.write(str(path))
        return path.read_bytes()


def _points(motion: WorldMotion) -> np.ndarray:
    """(T, P, 3) float64 metres, NaN where there was no body: marker formats have gaps of their own."""
    return np.where((motion.marks == FILLED)[:, None, None], np.nan, motion.points_m.astype(np.float64))
