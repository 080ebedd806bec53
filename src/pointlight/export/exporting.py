"""From a result of predict to files of other formats, each whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pointlight.body import AnnyBody, find_figure
from pointlight.capture import Capture
from pointlight.errors import PointlightError
from pointlight.export.formats import Format, find_formats
from pointlight.export.person import UNITS, Person
from pointlight.export.readme import readme_text
from pointlight.export.rigs import Rig, find_rig
from pointlight.export.world_motion import world_motions
from pointlight.files import atomic_path, check_folder
from pointlight.motion import BodyRig

_PEOPLE = re.compile(r"poses(_(\d+))?\.npz")
_FASTEST_FPS = 1000.0


@dataclass(frozen=True)
class ExportResult:
    """What `export_result` wrote.

    Attributes:
        files: in the order of people and formats; README.txt last.
        warnings: sentences on what was left out.

    Example:
        >>> import pointlight
        >>> pointlight.export_result("poses.npz", "trc", "exported").warnings
        ()
    """

    files: tuple[Path, ...]
    warnings: tuple[str, ...]


def export_result(
    result: Path | str | Capture | Sequence[Capture],
    formats: str | Sequence[str],
    out: Path | str,
    *,
    rig: str = "pointlight",
    t_pose: bool = False,
    units: str | None = None,
    fps: float | None = None,
    figure: str = "neutral",
) -> ExportResult:
    """Write a result in other formats.

    Nothing is computed anew: gaps are filled and marked, so that time goes on; times count from the first frame.

    Args:
        result: a `poses.npz`, the folder that predict wrote (everybody in it), a capture, or several of one video.
        formats: names such as "bvh,glb", or a list of them; `pointlight.export.FORMATS` has all.
        out: the folder; one file of each format for each person, and README.txt.
        rig: the skeleton of formats that have one, of `pointlight.export.RIGS`.
        t_pose: let the skeleton stand in a T-pose at rest; rigs of other programs do anyway.
        units: "m", "cm" or "mm" for BVH and TRC; the format's habit if not given.
        fps: frames per second; the video's if not given.
        figure: what GLB and USD look like: "neutral", a mannequin; "female", "male" or "estimated". Joints are the same.

    Returns:
        The files, and what was left out.

    Raises:
        PointlightError: a name is unknown, a package is missing, nobody has a body, or the folder cannot be written to.

    Example:
        >>> import pointlight
        >>> [file.name for file in pointlight.export_result("poses.npz", "bvh", "exported").files]
        ['poses.bvh', 'README.txt']
    """
    wanted, skeleton = check_wanted(formats, rig)
    find_figure(figure)
    if units is not None and units not in UNITS:
        raise PointlightError(f"units are {units!r}; give one of {', '.join(UNITS)}")
    if fps is not None and not 0 < fps <= _FASTEST_FPS:
        raise PointlightError(f"fps is {fps:g}; give frames per second between 0 and {_FASTEST_FPS:g}")
    folder = check_folder(Path(out))
    people, warnings = people_of(result, skeleton, t_pose=t_pose, units=units, fps=fps, figure=figure)
    for each in wanted:
        for person in people:
            each.check(person)
    written: dict[str, list[str]] = {each.name: [] for each in wanted}
    for person in people:
        for each in wanted:
            for name, content in each.files(person):
                _write(folder / name, content)
                written[each.name].append(name)
    words = {each.name: each.words for each in wanted}
    _write(folder / "README.txt", readme_text(people, written, words).encode())
    names = [name for each in written.values() for name in each]
    return ExportResult(tuple(folder / name for name in (*names, "README.txt")), warnings)


def people_of(
    result: Path | str | Capture | Sequence[Capture],
    rig: Rig,
    *,
    t_pose: bool = False,
    units: str | None = None,
    fps: float | None = None,
    figure: str = "neutral",
) -> tuple[list[Person], tuple[str, ...]]:
    """Everybody of a result who has a body, in one world, and a sentence on each other.

    Args:
        result: as in `export_result`.
        rig: the skeleton of formats that have one.
        t_pose: as in `export_result`.
        units: as in `export_result`.
        fps: as in `export_result`.
        figure: as in `export_result`.

    Raises:
        PointlightError: there is no result, or nobody has a body.
    """
    names, captures = _captures(result)
    there = [number for number, capture in enumerate(captures) if capture.valid.any()]
    if not there:
        raise PointlightError("no frame of this result has a body; there is nothing to export")
    warnings = tuple(
        f"{names[number]} has no body in any frame and is left out"
        for number in range(len(captures))
        if number not in there
    )
    body = AnnyBody()
    hinges = BodyRig.of(body)
    names, captures = [names[number] for number in there], [captures[number] for number in there]
    motions = world_motions(captures, body, names, fps)
    people = [
        Person(capture, motion, body, hinges, rig, t_pose, units, _video_of(result), figure)
        for capture, motion in zip(captures, motions, strict=True)
    ]
    return people, warnings


def check_wanted(formats: str | Sequence[str], rig: str = "pointlight") -> tuple[tuple[Format, ...], Rig]:
    """The formats and the rig of these names, if they can be written here.

    Raises:
        PointlightError: a name is unknown, or a package is missing.
    """
    wanted = find_formats(formats.split(",") if isinstance(formats, str) else formats)
    for each in wanted:
        _check_package(each)
    return wanted, find_rig(rig)


def _captures(result: Path | str | Capture | Sequence[Capture]) -> tuple[list[str], list[Capture]]:
    """Names of the files without their ending, and what is in them, the first person first."""
    if isinstance(result, Capture):
        return ["poses"], [result]
    if not isinstance(result, Path | str):
        return [f"poses_{number}" if number else "poses" for number in range(len(result))], list(result)
    path = Path(result)
    if not path.is_dir():
        return [path.stem], [Capture.load(path)]
    found = {int(match[2] or 0): file for file in path.iterdir() if (match := _PEOPLE.fullmatch(file.name))}
    if not found:
        raise PointlightError(
            f"{path} has no poses.npz; give a folder that `pointlight predict` wrote, or a poses.npz"
        )
    files = [found[number] for number in sorted(found)]
    return [file.stem for file in files], [Capture.load(file) for file in files]


def _video_of(result: object) -> str:
    """The video that `summary.json` beside the result names, if that is still there."""
    if not isinstance(result, Path | str):
        return ""
    folder = Path(result) if Path(result).is_dir() else Path(result).parent
    try:
        path = Path(json.loads((folder / "summary.json").read_text(encoding="utf-8"))["video"]["path"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(path.absolute()) if path.is_file() else ""


def _check_package(wanted: Format) -> None:
    if wanted.package and find_spec(wanted.package) is None:
        install = (
            f"pip install 'pointlight[{wanted.extra}]'" if wanted.extra else f"pip install {wanted.package}"
        )
        raise PointlightError(
            f"the format {wanted.name} needs the package {wanted.package}, which is not installed; {install}"
        )


def _write(path: Path, content: bytes) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
