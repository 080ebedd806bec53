"""What readers of motion files share: text of plain or gzip files, angles into rotations, axes and units."""

from __future__ import annotations

import gzip
import warnings
import zlib
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError

PLAUSIBLE_HEIGHT_M = (1.1, 2.3)
"""A skeleton at rest reaches this far; wide enough for children and for arms stretched up."""

UNITS_M = (1.0, 0.1, 0.056444, 0.0254, 0.01, 0.001)
"""Metre, decimetre, CMU's inch / 0.45, inch, centimetre, millimetre; no two of them fit a person."""

Z_UP_TO_Y_UP = np.array(((1, 0, 0), (0, 0, 1), (0, -1, 0)), np.float64)


def read_text(path: Path) -> str:
    """The whole text of a plain or gzip file (told by its first bytes, not by its name).

    Raises:
        PointlightError: the file is missing, is cut off, or holds no text.
    """
    try:
        data = Path(path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("latin-1")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PointlightError(f"{path} is not a whole gzip file ({error}); get it again") from error
    except OSError as error:
        raise PointlightError(f"cannot read the motion file {path} ({error.strerror})") from error


def parse_numbers(text: str) -> np.ndarray | None:
    """All white-space separated numbers of `text` as float64, or None where something is no finite number."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            values = np.fromstring(text, sep=" ")
        except (DeprecationWarning, ValueError):
            return None
    return values if np.isfinite(values).all() else None


def axis_rotations(axis: str, angles_rad: np.ndarray) -> np.ndarray:
    """(..., 3, 3) float64 rotations about one of the axes "x", "y", "z", right-handed."""
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    cosine, sine = np.cos(angles_rad), np.sin(angles_rad)
    result = np.zeros((*angles_rad.shape, 3, 3))
    result[...] = np.eye(3)
    result[..., first, first] = cosine
    result[..., second, second] = cosine
    result[..., first, second] = -sine
    result[..., second, first] = sine
    return result


def euler_rotations(order: str, angles_rad: np.ndarray) -> np.ndarray:
    """Product of axis rotations, left to right as in `order`: "zyx" is Rz @ Ry @ Rx.

    Args:
        order: axes, such as "zxy".
        angles_rad: (..., len(order)), in the same order.

    Returns:
        (..., 3, 3) float64.
    """
    result = np.broadcast_to(np.eye(3), (*angles_rad.shape[:-1], 3, 3))
    for column, axis in enumerate(order):
        turn = axis_rotations(axis, angles_rad[..., column])
        result = turn if column == 0 else result @ turn
    return result


def detect_scale(path: Path, rest: np.ndarray) -> float:
    """Metres per unit of the file, from the skeleton's extent at rest (the longer of height and span).

    Args:
        path: named in the error.
        rest: (J, 3) joints at rest, in units of the file.
    """
    extent = float(np.ptp(rest, axis=0).max())
    low, high = PLAUSIBLE_HEIGHT_M
    for unit in UNITS_M:
        if low <= extent * unit <= high:
            return unit
    raise PointlightError(
        f"the skeleton of {path} is {extent:g} units long, which is no person in metres, inches, centimetres "
        "or millimetres; say how long a unit is (scale_to_m)"
    )


def check_height(path: Path, rest_m: np.ndarray, scale_to_m: float) -> None:
    """Refuse a stated unit that makes a giant or a dwarf."""
    extent = float(np.ptp(rest_m, axis=0).max())
    if not 0.5 <= extent <= 3.0:
        raise PointlightError(
            f"with scale_to_m = {scale_to_m:g} the skeleton of {path} is {extent:.3g} m long; "
            "a person is 0.5 to 3 m"
        )


def detect_up(names: tuple[str, ...], positions: np.ndarray) -> str:
    """The axis ("y" or "z") along which the head is above the feet on average; "y" where names do not tell.

    Args:
        names: of the joints.
        positions: (T, J, 3).
    """
    heads = [i for i, name in enumerate(names) if "head" in name.lower()]
    feet = [i for i, name in enumerate(names) if any(part in name.lower() for part in ("foot", "ankle"))]
    if not heads or not feet:
        return "y"
    rise = (positions[:, heads].mean(1) - positions[:, feet].mean(1)).mean(0)
    return "z" if rise[2] > abs(rise[1]) else "y"
