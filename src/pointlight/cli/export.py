"""`pointlight export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
    fps: Annotated[float | None, typer.Option(help="Frames per second; the video's if not given.")] = None,
) -> None:
    """Write a result in formats that other programs open."""
    from pointlight.export import export_result

    done = export_result(result, to, out, rig=rig, t_pose=t_pose, units=units, fps=fps)
    for warning in done.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for path in done.files if len(done.files) <= 20 else (*done.files[:10], done.files[-1]):
        typer.echo(str(path))
    if len(done.files) > 20:
        typer.echo(f"{len(done.files)} files in all")
