"""Writes `report.html`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from pointlight import __version__
from pointlight.body import find_figure
from pointlight.capture import REPORT, Capture, Summary
from pointlight.errors import PointlightError
from pointlight.export import Person, find_rig, people_of
from pointlight.files import atomic_path, check_folder, ensure_folder
from pointlight.report.contents import contents

_VIDEO = "overlay.mp4"
_SHOWN = """\
<figure><video id="video" src="{video}" muted playsinline preload="auto" aria-label="The video with the body on it"></video>
<figcaption>The video is not beside this page; everything else is in it.</figcaption></figure>"""
_ABSENT = (
    '<figure class="absent"><figcaption>There was no overlay.mp4 beside the result.</figcaption></figure>'
)


def write_report(
    result: Path | str | Capture | Sequence[Capture],
    out: Path | str | None = None,
    *,
    figure: str = "neutral",
) -> Path:
    """Write a page that any browser opens from disk, without a network: the body to turn, the video, joint angles, files.

    Everything is inside it but for the video, the `overlay.mp4` beside the result; without that it shows the body alone.

    Args:
        result: the folder that predict wrote, a `poses.npz`, a capture, or several of one video.
        out: the folder for `report.html`; the result's own if not given.
        figure: what bodies look like, as in `export_result`.

    Returns:
        The page.

    Raises:
        PointlightError: nobody has a body, or the folder cannot be written to; captures are given without a folder.

    Example:
        >>> import pointlight
        >>> pointlight.write_report("poses.npz", "result").name
        'report.html'
    """
    beside = None
    if isinstance(result, Path | str):
        beside = Path(result) if Path(result).is_dir() else Path(result).parent
    folder = Path(out) if out is not None else beside
    if folder is None:
        raise PointlightError("captures lie in no folder; say where the report is written, out=FOLDER")
    check_folder(folder)
    people, left_out = people_of(result, find_rig("pointlight"), figure=find_figure(figure))
    summary = Summary.load(beside) if beside else None
    page = _page(people, summary, left_out, _video(beside, folder))
    path = ensure_folder(folder) / REPORT
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _video(beside: Path | None, folder: Path) -> str:
    """Where the page finds the video, as an address relative to it; "" if there is none."""
    video = beside / _VIDEO if beside else None
    if video is None or not video.is_file():
        return ""
    try:
        return quote(Path(os.path.relpath(video, folder)).as_posix())
    except ValueError:  # on another drive
        return video.resolve().as_uri()


def _page(people: Sequence[Person], summary: Summary | None, left_out: Sequence[str], video: str) -> str:
    motion = people[0].motion
    title = Path(summary.video.path).name if summary else motion.name
    who = "one person" if len(people) == 1 else f"{len(people)} people"
    words = f"{who}, {len(motion)} frames at {motion.fps:.4g} a second"
    shown = _SHOWN.format(video=escape(video)) if video else _ABSENT
    inside = contents(people)
    data = json.dumps(inside, separators=(",", ":"), allow_nan=False)
    return filled(
        _own("page.html"),
        {
            "title": escape(title),
            "words": escape(words),
            "style": _own("style.css"),
            "video": shown,
            "film": "" if inside["camera"]["known"] else " disabled",
            "notes": _list(_notes(people, summary, left_out)),
            "version": escape(__version__),
            "data": data.replace("<", "\\u003c"),
            "viewer": _own("viewer.js"),
        },
    )


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its {{names}} replaced, once: what is put in is not looked at again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], template)


def _notes(people: Sequence[Person], summary: Summary | None, left_out: Sequence[str]) -> list[str]:
    notes = [note for person in people for note in person.motion.notes]
    notes += [f"{person.motion.name}: {person.motion.words_of_marks()}" for person in people]
    if summary:
        notes += [*summary.words(), *summary.hints, *summary.warnings]
    return list(dict.fromkeys((*notes, *left_out)))


def _list(lines: Sequence[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>"


def _own(name: str) -> str:
    return files("pointlight.report").joinpath(name).read_text(encoding="utf-8")
