"""`pointlight evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli.progress import stage_bars, warnings_as_sentences
from pointlight.errors import PointlightError

PUBLISHED = ("3dpw", "mpi-inf-3dhp", "surreal")


def evaluate(
    models: Annotated[
        list[str], typer.Argument(help="Names of shipped models, .safetensors files or run folders.")
    ],
    on: Annotated[
        str, typer.Option(help="What to evaluate on: synthetic, multiview, 3dpw, mpi-inf-3dhp, surreal.")
    ] = "synthetic",
    motion: Annotated[
        list[Path] | None,
        typer.Option(
            envvar="POINTLIGHT_MOTION", help="Folder of motion capture, repeatable; procedural if not given."
        ),
    ] = None,
    clips: Annotated[int | None, typer.Option(help="At most so many windows of 31 frames.")] = None,
    seed: Annotated[int, typer.Option(help="Of people, cameras and noise.")] = 7,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Report averaged overlapping windows beside.")
    ] = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Report averaging with the mirror image beside.")
    ] = False,
    refine: Annotated[
        bool, typer.Option("--refine", help="Report what predict makes of the tracks beside.")
    ] = False,
    configuration: Annotated[
        str, typer.Option(help="eval-v1, eval-v1-perfect or eval-mediapipe-v1.")
    ] = "eval-v1",
    split: Annotated[str, typer.Option(help="heldout for tables, validation for choices.")] = "heldout",
    data: Annotated[Path | None, typer.Option(help="Folder of the data to evaluate on.")] = None,
    predictions: Annotated[
        list[str] | None,
        typer.Option(help="multiview: SET/CAMERA=FILE, another program's joints (npz or TRC); repeatable."),
    ] = None,
    truth: Annotated[
        list[str] | None,
        typer.Option(
            help="multiview: hold rows against this detector's truth too: heavy, or a FILE of keypoints; repeatable."
        ),
    ] = None,
    roles: Annotated[
        list[str] | None,
        typer.Option(help="multiview: score only cameras of this role in index.csv; repeatable."),
    ] = None,
    smpl: Annotated[
        Path | None, typer.Option(help="Your own SMPL file, or a folder with those of women and men.")
    ] = None,
    regressor: Annotated[Path | None, typer.Option(help="J_regressor_h36m.npy, with --smpl.")] = None,
    device: Annotated[str, typer.Option(help="Where networks run: cpu, cuda, mps.")] = "cpu",
    wide: Annotated[
        bool, typer.Option("--wide", help="A line a model, as wide as it gets, for pages.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Evaluate models on simulated people, on people filmed by several cameras, or on a published benchmark."""
    protocols = ("synthetic", "multiview", *PUBLISHED)
    if on not in protocols:
        raise PointlightError(f"there is no evaluation on {on!r}; there are: {', '.join(protocols)}")
    if on in PUBLISHED and data is None:
        raise PointlightError(f"{on} is not shipped; give the folder of your own copy with --data")
    if on == "multiview" and data is None:
        raise PointlightError(
            "multiview needs --data: a folder with calibration.json and videos, or one of such"
        )
    files = _predictions(predictions or [])
    if files and on != "multiview":
        raise PointlightError("--predictions goes with --on multiview")
    if (truth or roles) and on != "multiview":
        raise PointlightError("--truth and --roles go with --on multiview")
    from pointlight.evaluation import (
        evaluate_multiview,
        evaluate_published,
        evaluate_synthetic,
        tables,
        write_result,
    )
    from pointlight.files import ensure_folder

    if json_file is not None:
        ensure_folder(json_file.parent)  # said before the work, not after it
    with stage_bars() as bars, warnings_as_sentences():
        if data is not None and on in PUBLISHED:
            result = evaluate_published(
                models,
                benchmark=on,
                folder=data,
                smpl=smpl,
                regressor=regressor,
                device=device,
                progress=bars,
            )
        elif data is not None and on == "multiview":
            result = evaluate_multiview(
                models,
                data,
                motion=motion or None,
                predictions=files,
                roles=roles or (),
                truths=truth or (),
                device=device,
                progress=bars,
            )
        else:
            result = evaluate_synthetic(
                models,
                motion=motion or None,
                clips=clips,
                seed=seed,
                overlap=overlap,
                mirror=mirror,
                refine=refine,
                configuration=configuration,
                split=split,
                device=device,
                progress=bars,
            )
    if json_file is not None:
        write_result(json_file, result)
    typer.echo(tables(result, wide=wide))


def _predictions(given: list[str]) -> dict[str, Path]:
    files = {}
    for entry in given:
        camera, equals, file = entry.partition("=")
        if not equals or camera.count("/") != 1:
            raise PointlightError(f"--predictions {entry} is not SET/CAMERA=FILE")
        files[camera] = Path(file)
    return files
