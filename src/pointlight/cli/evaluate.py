"""`pointlight evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli.progress import stage_bars
from pointlight.errors import PointlightError


def evaluate(
    models: Annotated[
        list[str], typer.Argument(help="Names of shipped models, .safetensors files or run folders.")
    ],
    on: Annotated[str, typer.Option(help="What to judge on: synthetic or multiview.")] = "synthetic",
    data: Annotated[
        Path | None,
        typer.Option(help="multiview: a folder with calibration.json and videos, or a folder of such."),
    ] = None,
    motion: Annotated[
        Path | None,
        typer.Option(envvar="POINTLIGHT_MOTION", help="Folder of motion capture; procedural if not given."),
    ] = None,
    clips: Annotated[int | None, typer.Option(help="At most so many windows of 31 frames.")] = None,
    seed: Annotated[int, typer.Option(help="Of people, cameras and noise.")] = 7,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Report averaged overlapping windows beside.")
    ] = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Report averaging with the mirror image beside.")
    ] = False,
    configuration: Annotated[str, typer.Option(help="eval-v1 or eval-v1-perfect.")] = "eval-v1",
    split: Annotated[str, typer.Option(help="heldout for tables, validation for choices.")] = "heldout",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Judge models on simulated people, or on real people filmed by several cameras, beside simple peers."""
    if on not in ("synthetic", "multiview"):
        raise PointlightError(f"there is no judge {on!r}; there are: synthetic, multiview")
    if (on == "multiview") != (data is not None):
        raise PointlightError("--data FOLDER goes with --on multiview, and --on multiview needs it")
    from pointlight.evaluation import evaluate_multiview, evaluate_synthetic, multiview_table, table
    from pointlight.files import atomic_path, ensure_folder

    if json_file is not None:
        ensure_folder(json_file.parent)  # said before the work, not after it
    with stage_bars() as bars:
        if data is not None:
            result = evaluate_multiview(models, data, motion=motion, watch=bars)
        else:
            result = evaluate_synthetic(
                models,
                motion=motion,
                clips=clips,
                seed=seed,
                overlap=overlap,
                mirror=mirror,
                configuration=configuration,
                split=split,
                watch=bars,
            )
    if json_file is not None:
        with atomic_path(json_file) as temporary:
            temporary.write_text(json.dumps(result, indent=1, allow_nan=False))
    typer.echo(table(result) if data is None else multiview_table(result))
