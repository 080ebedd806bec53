"""Figure 5: real people with the bodies that flow + keypoints (blue) and RGB alone (red) give them, as seen and turned."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pointlight.body import NETWORK_KEYPOINTS, AnnyBody, BodyState
from pointlight.capture import BodyPainter, Capture, Palette, PredictOptions, body_states, lift_keypoints
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation.metrics import pa_mpjpe_mm
from pointlight.evaluation.multiview import detect_video
from pointlight.evaluation.reproduce.material import Given, Material
from pointlight.evaluation.reproduce.rows import find_size, rows_of
from pointlight.evaluation.reproduce.runs import BEST, Run, Runs
from pointlight.files import ensure_folder
from pointlight.geometry import rotvec_to_rotmat
from pointlight.media import VideoReader, write_png
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.training import Checkpoint, load_checkpoint
from pointlight.values import by_value

TURN_DEG = 60.0
"""As in the paper, about the vertical."""

_SIDE_PX = 280
_MARGIN = 1.75
_MOST_KEYPOINTS = 10
_FRAME_PX = 4
_MAGENTA, _BLUE, _RED = (255, 0, 255), (60, 110, 230), (215, 50, 45)
_PALETTES = {
    "flow_keypoints": (Palette((120, 165, 240), (35, 80, 195), (175, 195, 230)), _BLUE),
    "rgb": (Palette((245, 150, 140), (190, 40, 40), (230, 185, 180)), _RED),
}
"""Ours and the baseline, as in the paper."""


@by_value
@dataclass(frozen=True)
class Subject:
    """A clip that may be shown, with what both networks say of it.

    Attributes:
        video: the file.
        keypoints: of its person.
        captures: by row.
    """

    video: Path
    keypoints: Keypoints2D
    captures: dict[str, Capture]


def draw_figure5(
    out: Path,
    given: Given,
    *,
    size: str = "small",
    clips: int | None = None,
    progress: ProgressCallback = silent,
) -> list[Path]:
    """Draw the figure from rows of Table 1 that are trained.

    Args:
        out: folder of the tables; gets figure5.png.
        given: with the folder of filmed people; where its `index.csv` says which clips are permissive, only those are shown.
        size: of the networks.
        clips: that the rows saw; the size's if not given.
        progress: told of every clip.

    Returns:
        The files.

    Raises:
        PointlightError: there are no filmed people, nobody is seen, or the rows are not trained.
    """
    if given.real is None:
        raise PointlightError("figure5 shows filmed people; give a folder of videos with --real")
    of = find_size(size)
    runs = Runs(out / "runs", Material(out, of, given))
    rows = {row.name: row for row in rows_of("table1", of)}
    checkpoints: dict[str, Checkpoint] = {}
    for name in _PALETTES:
        run = Run("table1", rows[name], 0, clips or of.clips_per_row["table1"])
        weights = runs.place(run) / BEST
        if not weights.exists():
            raise PointlightError(
                f"{weights} is not there; run `pointlight reproduce table1 --out {out}` first"
            )
        checkpoints[name] = load_checkpoint(str(weights))
    files = shown_clips(given.real)
    body, lines = AnnyBody(), []
    constant = runs.material.constant
    for number, file in enumerate(files):
        progress(Progress("figure5", number, len(files), file.stem, unit="clip"))
        keypoints, _ = detect_video(file, given.cache, progress)
        if np.median(_seen(keypoints)) < _MOST_KEYPOINTS:
            continue  # a part of a body has no pose to compare
        try:
            captures = {name: _lifted(file, keypoints, one, body) for name, one in checkpoints.items()}
        except PointlightError as error:
            warnings.warn(f"{file.name} is left out: {error}", stacklevel=2)
            continue
        subject = Subject(file, keypoints, captures)
        lines += [line_of(subject, frame, body) for frame in telling_frames(subject, constant)]
    progress(Progress("figure5", len(files), len(files), unit="clip"))
    if not lines:
        raise PointlightError(f"nobody is seen in the {len(files)} videos that may be shown in {given.real}")
    path = ensure_folder(out) / "figure5.png"
    write_png(path, np.concatenate(lines))
    return [path]


def shown_clips(folder: Path) -> list[Path]:
    """The videos of a folder and its folders that may be shown: all, or those that `index.csv` calls permissive.

    Raises:
        PointlightError: there is none.
    """
    index = folder / "index.csv"
    if index.is_file():
        with open(index, newline="", encoding="utf-8-sig") as lines:
            rows = [row for row in csv.DictReader(lines) if row.get("permissive", "yes") == "yes"]
        files = [folder / row["file"] for row in rows if row.get("role") == "development"]
    else:
        files = sorted(folder.rglob("*.mp4"))
    files = [file for file in files if file.is_file()]
    if not files:
        raise PointlightError(
            f"no video in {folder} may be shown; give clips of your own, or mark them in index.csv"
        )
    return files


def telling_frames(subject: Subject, constant: torch.Tensor) -> list[int]:
    """Two frames of a clip: the most unusual pose, and the one in which most keypoints are hidden.

    Args:
        subject: with our body in it.
        constant: (14, 3) the best constant pose.
    """
    ours = subject.captures["flow_keypoints"]
    counted = ours.valid & ~ours.occluded
    if not counted.any():
        return []
    unusual = pa_mpjpe_mm(
        torch.from_numpy(np.nan_to_num(ours.joints_camera_m)), constant.expand(len(ours), -1, -1)
    )
    first = int(np.argmax(np.where(counted, unusual.numpy(), -1)))
    second = int(np.argmin(np.where(counted, _seen(subject.keypoints), len(NETWORK_KEYPOINTS) + 1)))
    return [first] if second == first else [first, second]


def _seen(keypoints: Keypoints2D) -> np.ndarray:
    """(T,) how many of the 12 keypoints are clearly seen."""
    return (keypoints.select(NETWORK_KEYPOINTS)[..., 2] >= 0.5).sum(1)


def line_of(subject: Subject, frame: int, body: AnnyBody) -> np.ndarray:
    """(S, 5 S, 3) uint8: the picture with its box, then each network's body on it and turned."""
    picture = _picture(subject.video, frame)
    points = subject.keypoints.select(NETWORK_KEYPOINTS)[frame]
    seen = points[points[:, 2] >= 0.3][:, :2]
    centre, half = (seen.max(0) + seen.min(0)) / 2, _MARGIN * float(np.ptp(seen, axis=0).max()) / 2
    cells = [_framed(_cut(picture, centre, half), _MAGENTA)]
    for name, (palette, colour) in _PALETTES.items():
        capture = subject.captures[name]
        for turned in (False, True):
            shown = picture.copy() if not turned else np.full_like(picture, 245)
            if capture.valid[frame]:
                _paint(shown, capture, frame, body, palette, turned=turned)
            cells.append(_framed(_cut(shown, centre, half), colour))
    return np.concatenate(cells, axis=1)


def _paint(
    picture: np.ndarray, capture: Capture, frame: int, body: AnnyBody, palette: Palette, *, turned: bool
) -> None:
    states = body_states(capture, body)
    painter = BodyPainter(body, capture.shot_shapes[capture.shot[frame]], palette)
    vertices = painter.vertices(
        BodyState(states.pose[frame], states.shape[frame], states.root[frame], states.translation[frame])
    )
    if turned:
        turn = rotvec_to_rotmat(torch.tensor((0.0, np.radians(TURN_DEG), 0.0))).numpy()
        middle = (vertices.max(0) + vertices.min(0)) / 2
        vertices = (vertices - middle) @ turn.T + middle
    painter.draw(picture, vertices, capture.focal_px, capture.principal_px, opacity=1.0 if turned else 0.85)


def _lifted(video: Path, keypoints: Keypoints2D, checkpoint: Checkpoint, body: AnnyBody) -> Capture:
    """What a network says by itself, without refinement, as in the tables."""
    options = PredictOptions(refine=False)
    return lift_keypoints(
        keypoints, checkpoint, body, options, overlap=False, mirror=False, frames=VideoReader(video)
    )


def _picture(video: Path, frame: int) -> np.ndarray:
    for number, shown in enumerate(VideoReader(video)):
        if number == frame:
            return shown.image
    raise PointlightError(f"{video} has no frame {frame}")


def _cut(picture: np.ndarray, centre: np.ndarray, half: float) -> np.ndarray:
    """(S, S, 3) of a square around a person, grey beyond the picture."""
    at = (np.arange(_SIDE_PX) + 0.5) / _SIDE_PX * 2 * half - half
    x, y = (np.floor(at + middle).astype(int) for middle in centre)
    inside = ((y >= 0) & (y < picture.shape[0]))[:, None] & ((x >= 0) & (x < picture.shape[1]))[None]
    rows, columns = np.clip(y, 0, picture.shape[0] - 1), np.clip(x, 0, picture.shape[1] - 1)
    return np.where(inside[..., None], picture[rows[:, None], columns[None]], 200).astype(np.uint8)


def _framed(cell: np.ndarray, colour: Sequence[int]) -> np.ndarray:
    framed = np.empty_like(cell)
    framed[:] = colour
    inner = slice(_FRAME_PX, -_FRAME_PX)
    framed[inner, inner] = cell[inner, inner]
    return framed
