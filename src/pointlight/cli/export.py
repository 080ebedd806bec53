"""`pointlight export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pointlight.export import ExportResult

EXPORT_FOLDER = "export"
MOST_NAMED = 20


def export(
    result: Annotated[
        Path,
        typer.Argument(
            help="A poses.npz, or the folder that predict wrote: everybody in it.", show_default=False
        ),
    ],
    to: Annotated[
        str,
        typer.Option(help="bvh, glb, usd, trc, c3d, csv, angles, amass, openpose; several with commas."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the files and their README.txt.")],
    rig: Annotated[
        str, typer.Option(help="Skeleton of bvh, glb, usd: pointlight, cmu, mixamo, lafan1, soma.")
    ] = "pointlight",
    t_pose: Annotated[
        bool, typer.Option("--t-pose", help="A T-pose at rest; all rigs but pointlight have it anyway.")
    ] = False,
    units: Annotated[str | None, typer.Option(help="m, cm or mm; usually bvh cm, trc mm.")] = None,
    body: Annotated[
        str, typer.Option(help="What glb and usd look like: neutral, female, male, estimated.")
    ] = "neutral",
    fps: Annotated[float | None, typer.Option(help="Frames per second; the video's if not given.")] = None,
) -> None:
    """Write a result in formats that other programs open."""
    from pointlight.export import export_result

    say_export(export_result(result, to, out, rig=rig, t_pose=t_pose, units=units, fps=fps, figure=body))


def export_folder(folder: Path, formats: str, rig: str, body: str) -> None:
    """Write what predict left in a folder into `export` there."""
    from pointlight.export import export_result

    say_export(export_result(folder, formats, folder / EXPORT_FOLDER, rig=rig, figure=body))


def say_export(done: ExportResult) -> None:
    """Name the files, and what was left out."""
    for warning in done.warnings:
        typer.echo(f"warning: {warning}", err=True)
    many = len(done.files) > MOST_NAMED
    for path in (*done.files[:10], done.files[-1]) if many else done.files:
        typer.echo(str(path))
    if many:
        typer.echo(f"{len(done.files)} files in all")
