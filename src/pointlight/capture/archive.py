"""NPZ files: equal arrays give equal bytes, and reading takes no pickles."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError
from pointlight.files import atomic_path

_NO_DATE = (1980, 1, 1, 0, 0, 0)


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name, whole or not at all; no date or platform enters the bytes."""
    with atomic_path(Path(path)) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(
                content, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False
            )
            entry = zipfile.ZipInfo(f"{name}.npy", _NO_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content.getvalue(), compresslevel=6)


def read_npz(path: Path, kind: str) -> dict[str, np.ndarray]:
    """All arrays of an NPZ file.

    Args:
        path: the file.
        kind: what it should be, for the sentence that says it is not.

    Raises:
        PointlightError: there is no such file, or it is no NPZ file of plain arrays.
    """
    path = Path(path)
    if not path.is_file():
        raise PointlightError(f"there is no file {path}; give {kind}")
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("no archive")
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError, zlib.error) as error:
        raise PointlightError(f"{path} is not a whole NPZ file of arrays; give {kind}") from error
