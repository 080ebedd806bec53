"""The truth of the literature: 14 joints by `J_regressor_h36m` from the surface of the person's SMPL body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pointlight.body import EVALUATION_JOINTS, BodyState, SmplBody
from pointlight.errors import PointlightError
from pointlight.evaluation.published.track import BenchmarkTrack

H36M_ROWS: dict[str, int] = {
    **{f"left_{part}": row for part, row in (("hip", 1), ("knee", 2), ("ankle", 3))},
    **{f"right_{part}": row for part, row in (("hip", 4), ("knee", 5), ("ankle", 6))},
    **{f"left_{part}": row for part, row in (("shoulder", 11), ("elbow", 12), ("wrist", 13))},
    **{f"right_{part}": row for part, row in (("shoulder", 14), ("elbow", 15), ("wrist", 16))},
    "neck": 8,
    "head_top": 10,
}
"""Rows of the 17 that SPIN's 14 are, by our names; its `head_top` is Human3.6M's head (SPIN's issue 61)."""

_ROWS = 17
_MARKS = {"female": ("female", "_f_"), "male": ("_male", "_m_"), "neutral": ("neutral",)}
"""What the files of each sex are recognised by; smplx's names and the official ones."""


class RegressedTruth:
    """Turns SMPL's parameters of a track into 14 joints; files are read when a person first needs them."""

    def __init__(self, smpl: Path, regressor: Path) -> None:
        """Find the files.

        Args:
            smpl: a file for everybody, or a folder with one for each sex.
            regressor: (17, V) .npy.

        Raises:
            PointlightError: a file is missing or the regressor has another form.
        """
        if not smpl.exists():
            raise PointlightError(
                f"there is no SMPL file or folder {smpl}; give one that was downloaded from SMPL's site"
            )
        self._smpl = smpl
        self._points = h36m_points(regressor)
        self._bodies: dict[Path, SmplBody] = {}

    def joints(self, track: BenchmarkTrack) -> Tensor:
        """(T, 14, 3) in the order of `EVALUATION_JOINTS`, metres, camera axes, relative to SMPL's pelvis.

        Raises:
            PointlightError: the track has no SMPL parameters, or the file for this person is missing or unfit.
        """
        motion = track.smpl
        if motion is None:
            raise PointlightError(f"{track.name} has no SMPL parameters; leave out the SMPL file")
        body = self._body(self._file(motion.gender))
        rotations = torch.from_numpy(np.nan_to_num(motion.rotations)).float()
        betas = torch.from_numpy(motion.betas).float()
        state = BodyState(rotations[:, 1:], betas, rotations[:, 0], torch.zeros(3))
        with torch.no_grad():
            return body.keypoints(state, tuple(f"h36m_{name}" for name in EVALUATION_JOINTS))

    def files(self) -> dict[str, str]:
        """Names and hashes of the SMPL files that were used."""
        return {path.name: body.sha256 for path, body in self._bodies.items()}

    def _file(self, gender: str) -> Path:
        if not self._smpl.is_dir():
            return self._smpl
        files = sorted(self._smpl.glob("*.pkl"))
        for file in files:
            name = file.name.lower()
            if any(mark in name for mark in _MARKS[gender]):
                return file
        raise PointlightError(
            f"the folder {self._smpl} has no {gender} SMPL file among {', '.join(f.name for f in files) or 'no .pkl'};"
            " give a folder with the official files, or one file for everybody"
        )

    def _body(self, file: Path) -> SmplBody:
        if file not in self._bodies:
            self._bodies[file] = SmplBody(file, self._points)
        return self._bodies[file]


def h36m_points(path: Path) -> dict[str, np.ndarray]:
    """The 14 joints as weights of SMPL's vertices (V,), by their name after "h36m_".

    Args:
        path: J_regressor_h36m.npy, (17, V).

    Raises:
        PointlightError: it is missing or has another form.
    """
    if not path.is_file():
        raise PointlightError(f"there is no regressor {path}; give J_regressor_h36m.npy")
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise PointlightError(f"{path} cannot be read as .npy; give J_regressor_h36m.npy") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or len(rows) != _ROWS or rows.dtype.kind != "f":
        raise PointlightError(f"{path} has no (17, vertices) real numbers; give J_regressor_h36m.npy")
    return {f"h36m_{name}": rows[row].astype(np.float64) for name, row in H36M_ROWS.items()}
