"""`pointlight predict` with several videos: what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pointlight.cli.export import EXPORT_FOLDER, export_folder
from pointlight.cli.progress import stage_bars, warnings_as_sentences

if TYPE_CHECKING:
    from pointlight.capture import PredictOptions

SOME_FAILED = 1


def predict_several(
    videos: list[Path],
    out: Path,
    options: PredictOptions,
    workers: int | None,
    engine: str,
    again: bool,
    export: tuple[str | None, str],
    body: str,
    *,
    report: bool,
) -> None:
    """Make them, and say what became of them; the exit status is 1 if one could not be used.

    `export` has formats (None for none) and the rig, for what is made now, `body` what is drawn in it; `report` asks for a
    page of each.
    """
    from pointlight.capture import predict_many

    with warnings_as_sentences(), stage_bars() as bars:
        result = predict_many(
            videos, out, options, workers=workers, engine=engine, again=again, progress=bars
        )
    made = [video.made for video in result.videos]
    anew = "asked for again" if again else "since the video or the options changed"
    parts = [f"{len(made)} videos: {made.count('now') + made.count('anew')} made now"]
    if "anew" in made:
        parts.append(f"of these {made.count('anew')} anew, {anew}")
    if "before" in made:
        parts.append(f"{made.count('before')} were whole already (--again makes them anew)")
    typer.echo(", ".join(parts))
    typer.echo(str(result.table))
    formats, rig = export
    for video in result.videos:
        if not video.error:
            _write_beside(out / video.name, formats, rig, body, report, new=video.made != "before")
    for video in result.failed:
        named = video.error if video.video in video.error else f"{video.video}: {video.error}"
        typer.echo(f"pointlight: {named}", err=True)
    if result.failed:
        names = ", ".join(Path(video.video).name for video in result.failed)
        typer.echo(
            f"pointlight: {len(result.failed)} of {len(made)} videos could not be used ({names}); the others are"
            f" whole, and {result.table.name} says why",
            err=True,
        )
        raise typer.Exit(SOME_FAILED)


def _write_beside(folder: Path, formats: str | None, rig: str, body: str, report: bool, *, new: bool) -> None:
    """Exports and the page of one video, what is wanted and not there yet or old."""
    if formats and (new or not (folder / EXPORT_FOLDER).exists()):
        export_folder(folder, formats, rig, body)
    if not report:
        return
    from pointlight.capture import REPORT
    from pointlight.report import write_report

    if new or not (folder / REPORT).exists():
        typer.echo(str(write_report(folder, figure=body)))
