"""What readers of motion files share: text of plain or gzip files, angles into rotations, axes and units."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import warnings
import zlib
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError

PLAUSIBLE_HEIGHT_M = (1.1, 2.3)
"""A skeleton at rest reaches this far; wide enough for children and for arms stretched up."""

UNITS_M = (1.0, 0.1, 0.056444, 0.0254, 0.01, 0.001)
"""Metre, decimetre, CMU's inch / 0.45, inch, centimetre, millimetre; no two of them fit a person."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: Path) -> str:
    r"""The whole text of a plain or gzip file (told by its first bytes, not by its name).

    Lines end with "\n" alone, whatever they end with in the file. Text is UTF-8, or what a byte order mark says, and
    Latin-1 where it is neither.

    Raises:
        PointlightError: the file is missing, is cut off, or holds no text.
    """
    try:
        data = Path(path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PointlightError(f"{path} is not a whole gzip file ({error}); get it again") from error
    except OSError as error:
        raise PointlightError(f"cannot read the motion file {path} ({error.strerror})") from error
    return _decoded(data).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table with a header, between commas, semicolons or tabs as its header has them.

    Raises:
        PointlightError: the file is missing or no table.
    """
    text = read_text(path)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise PointlightError(f"{path} is no table ({error}); write it as comma-separated values") from None
    return [{(name or "").strip(): (value or "") for name, value in row.items() if isinstance(value, str | None)}
            for row in rows]  # fmt: skip


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


def known_unit(length: float) -> float | None:
    """Metres per unit of a file in which a person is so tall; None where no unit in use makes that a person."""
    low, high = PLAUSIBLE_HEIGHT_M
    return next((unit for unit in UNITS_M if low <= length * unit <= high), None)


def check_height(path: Path, length_m: float, scale_to_m: float) -> None:
    """Refuse a stated unit that makes a giant or a dwarf of a skeleton."""
    if not 0.5 <= length_m <= 3.0:
        raise PointlightError(
            f"with scale_to_m = {scale_to_m:g} the skeleton of {path} is {length_m:.3g} m long; "
            "a person is 0.5 to 3 m"
        )
