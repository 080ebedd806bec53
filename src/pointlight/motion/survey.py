"""What is in folders of motion capture: a line and a few stick figures for every file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pointlight.errors import PointlightError
from pointlight.media import draw_label, tile
from pointlight.motion.clip import BANK_FPS, BodyMotion, MotionClip
from pointlight.motion.fidelity import forward
from pointlight.motion.library import MotionFile, list_motions, motion_folders, printable, read_clip
from pointlight.motion.resample import resample
from pointlight.motion.retarget import retarget_source
from pointlight.motion.rig import SIDES, BodyRig
from pointlight.motion.skeletons import ANY_HUMANOID
from pointlight.motion.source_pose import Source, read_source
from pointlight.motion.turns import unit
from pointlight.motion.world_axes import STATURE_PER_SIZE
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.values import by_value

_LINES: tuple[tuple[str, str], ...] = (
    *(("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"), ("neck", "face")),
    *(
        (f"{side}_{start}", f"{side}_{end}")
        for side in SIDES
        for start, end in (
            *(("hip", "knee"), ("knee", "ankle"), ("ankle", "toes")),
            *(("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "shoulder")),
        )
    ),
)
_COLOURS = {"left": (215, 95, 40), "right": (40, 90, 200), "middle": (90, 90, 90)}
"""As in the overlay of `predict`."""
_NECK_TO_FACE_M = np.array((0.0, 0.18, 0.1))
"""Where a head without a turn would be drawn, above the middle of the shoulders and ahead."""

_SHARES = (0.1, 0.5, 0.9)
"""Moments that are drawn, as shares of a clip."""

_FIGURE_PX = (96, 150)
_MARGIN_PX = 3
_METRES_HIGH = 2.3


@by_value
@dataclass(frozen=True)
class MotionReport:
    """One file.

    Attributes:
        file: relative to its folder; with the folder's name where there are several.
        mapping: the family of its skeleton, "any" where joints were found by names and tree, "" where nothing was.
        frames: of the file.
        fps: of the file.
        stature_m: of the person, from legs and trunk.
        missing: what its skeleton has not.
        guessed: what it doesn't say.
        problem: why it cannot be used; "" if it can.
        figures: (M, 2, L, 2, 2) lines between joints in some moments, of the source and of our body, metres to the right
            and up, seen from before the person; None where it cannot be used.
    """

    file: str
    mapping: str = ""
    frames: int = 0
    fps: float = 0.0
    stature_m: float = 0.0
    missing: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    problem: str = ""
    figures: np.ndarray | None = None


def survey_motions(
    folder: Path | Sequence[Path], rig: BodyRig, progress: ProgressCallback = silent
) -> Iterator[MotionReport]:
    """Read every file of folders and say what it is taken for; nothing is cached.

    Args:
        folder: one or several, or single files, as `compile_motion_bank` takes them.
        rig: the body that performs them.
        progress: told how many files are read.

    Raises:
        PointlightError: a folder is not there or its tables are wrong.
    """
    folders = motion_folders(folder)
    files = [(each, entry) for each in folders for entry in list_motions(each)]
    for number, (each, entry) in enumerate(files, start=1):
        report = _report(each, entry, rig)
        above = f"{each.name}/" if len(folders) > 1 and each.is_dir() else ""
        yield replace(report, file=f"{printable(above)}{report.file}")
        progress(Progress("motion", number, len(files)))


def _report(folder: Path, entry: MotionFile, rig: BodyRig) -> MotionReport:
    name = printable(entry.file)
    try:
        clip = read_clip(folder, entry)
        slow = resample(clip, BANK_FPS)
        source = read_source(slow)
    except PointlightError as error:
        return MotionReport(name, problem=str(error))
    motion = retarget_source(slow, source, rig)
    return MotionReport(
        file=name,
        mapping=source.family.name,
        frames=clip.frames,
        fps=clip.fps,
        stature_m=_stature_m(source),
        missing=source.missing,
        guessed=(*clip.guessed, *source.guessed),
        figures=_figures(slow, source, motion, rig),
    )


def _stature_m(source: Source) -> float:
    places = source.pose.places

    def length(start: str, end: str) -> float:
        return float(np.median(np.linalg.norm(places[end] - places[start], axis=-1)))

    legs = [length(f"{side}_hip", f"{side}_knee") + length(f"{side}_knee", f"{side}_ankle") for side in SIDES]
    middles = [places[f"left_{joint}"] + places[f"right_{joint}"] for joint in ("hip", "shoulder")]
    trunk = float(np.median(np.linalg.norm(middles[1] - middles[0], axis=-1))) / 2
    return (sum(legs) / 2 + trunk) * STATURE_PER_SIZE


def _figures(clip: MotionClip, source: Source, motion: BodyMotion, rig: BodyRig) -> np.ndarray:
    """(M, 2, L, 2, 2) lines, the middle of the hips at 0, turned so that the person looks at the viewer's right."""
    world, ours = forward(motion, rig)
    moments = [min(clip.frames - 1, int(share * clip.frames)) for share in _SHARES]
    found = []
    for moment in moments:
        hips = ours["left_hip"][moment] - ours["right_hip"][moment]
        left = unit(hips * (1, 0, 1))
        view = np.stack((unit(left + np.cross(left, (0, 1, 0))), np.array((0.0, 1.0, 0.0))))
        pair = []
        for turns, places in ((source.pose.rotations, source.pose.places), (world, ours)):
            at = {joint: places[joint][moment] for joint in places}
            at["neck"] = (at["left_shoulder"] + at["right_shoulder"]) / 2
            at["face"] = at["neck"] + turns["head"][moment] @ _NECK_TO_FACE_M
            lines = np.array([[at[end] for end in line] for line in _LINES])
            pair.append((lines - (at["left_hip"] + at["right_hip"]) / 2) @ view.T)
        found.append(pair)
    return np.array(found)


def survey_table(reports: Sequence[MotionReport]) -> str:
    """The reports as lines of text."""
    head = ("file", "mapping", "frames", "fps", "stature", "missing", "guessed")
    rows = [
        (
            report.file,
            "by names and tree" if report.mapping == ANY_HUMANOID.name else report.mapping,
            str(report.frames),
            f"{report.fps:g}",
            f"{report.stature_m:.2f} m",
            ", ".join(report.missing) or "-",
            ", ".join(report.guessed) or "-",
        )
        for report in reports
        if not report.problem
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows) if rows else ():
        words = (word.ljust(width) for word, width in zip(row, widths, strict=True))
        lines.append("  ".join(words).rstrip())
    lines += [f"left out: {report.problem}" for report in reports if report.problem]
    return "\n".join(lines)


def draw_survey(reports: Sequence[MotionReport], most: int = 60) -> np.ndarray:
    """(H, W, 3) uint8 RGB: source and body beside each other in three moments of every file that can be used.

    Left limbs are orange, right ones blue, as in the overlay of `predict`.

    Args:
        reports: of the files.
        most: so many files are drawn, evenly taken.

    Raises:
        PointlightError: no file can be used.
    """
    drawn = [report for report in reports if report.figures is not None]
    if not drawn:
        raise PointlightError("no file can be drawn, since none can be used")
    chosen = drawn[:: -(-len(drawn) // most)]
    cells = [draw_label(_cell(report), report.file[-60:], height_px=12) for report in chosen]
    return tile(cells, columns=3 if len(cells) > 4 else 1)


def _cell(report: MotionReport) -> np.ndarray:
    assert report.figures is not None
    width, height = _FIGURE_PX
    picture = Image.new("RGB", (width * 2 * len(report.figures), height + 18), (250, 250, 250))
    pen = ImageDraw.Draw(picture)
    heights_m = (_METRES_HIGH * max(report.stature_m, 0.1) / 1.7, _METRES_HIGH)
    for moment, pair in enumerate(report.figures):
        zoom = _zoom(pair, heights_m)
        for column, lines in enumerate(pair):
            corner = np.array((width * (2 * moment + column + 0.5), 18 + height * 0.5))
            for (start, end), line in zip(_LINES, lines, strict=True):
                points = corner + line * (zoom * height / heights_m[column]) * (1, -1)
                sides = {name.partition("_")[0] for name in (start, end)}
                colour = _COLOURS[sides.pop() if len(sides) == 1 else "middle"]
                pen.line([tuple(point) for point in points], fill=colour, width=2)
        pen.line(
            [(2 * width * (moment + 1), 18), (2 * width * (moment + 1), height + 18)], fill=(220, 220, 220)
        )
    return np.asarray(picture)


def _zoom(pair: np.ndarray, heights_m: tuple[float, float]) -> float:
    """How much smaller than usual source and body (2, L, 2, 2) are drawn, so that who lies stays in the own column."""
    room = np.array(_FIGURE_PX) / 2 - _MARGIN_PX
    reach_px = [
        np.abs(lines).max((0, 1)) * _FIGURE_PX[1] / m for lines, m in zip(pair, heights_m, strict=True)
    ]
    return min(1.0, float((room / np.maximum(reach_px, 1e-6)).min()))
