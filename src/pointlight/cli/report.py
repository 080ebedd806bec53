"""`pointlight report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    result: Annotated[
        Path,
        typer.Argument(
            help="A poses.npz, or the folder that predict wrote: everybody in it.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html; the result's own if not given.")
    ] = None,
    body: Annotated[
        str, typer.Option(help="What it looks like: neutral, female, male, estimated.")
    ] = "neutral",
) -> None:
    """Write a result as a page for any browser: video, body to turn, joint angles, files."""
    from pointlight.report import write_report

    typer.echo(str(write_report(result, out, figure=body)))
