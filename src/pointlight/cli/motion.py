"""`pointlight motion`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli.progress import stage_bars


def motion(
    folders: Annotated[list[Path], typer.Argument(help="Folders of BVH and AMC files, or single files.")],
    sheet: Annotated[
        Path | None, typer.Option(help="Draw each file's poses, source beside body, into this PNG.")
    ] = None,
) -> None:
    """Say what motion files are taken for: skeleton, rate, stature, what is missing and what was guessed.

    Example: pointlight motion recordings --sheet poses.png
    """
    from pointlight.body import AnnyBody
    from pointlight.files import ensure_folder
    from pointlight.media import write_png
    from pointlight.motion import BodyRig, draw_survey, survey_motions, survey_table

    if sheet is not None:
        ensure_folder(sheet.parent)  # said before the work, not after it
    with stage_bars() as bars:
        reports = tuple(survey_motions(folders, BodyRig.of(AnnyBody()), bars))
    typer.echo(survey_table(reports))
    if sheet is not None:
        write_png(sheet, draw_survey(reports))
        typer.echo(str(sheet))
