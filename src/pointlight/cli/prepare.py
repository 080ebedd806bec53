"""`pointlight prepare` and `pointlight pretrain`: what networks that see pictures are trained on and begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli import clip_options as options
from pointlight.cli.progress import stage_bars, warnings_as_sentences
from pointlight.errors import PointlightError

_TARGETS = 4000
"""Tracks of real people at most, if nothing is said."""


def prepare(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="Folder for the pictures; gets train and validation.")],
    recipe: Annotated[
        str | None, typer.Option(help="Of clips, see docs/synthesis.md; full if not given.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Clips to train on; 4000 or all of --shards if not given.")
    ] = None,
    validation: Annotated[
        int | None, typer.Option(min=1, help="Clips to watch training on; 128 or all if not given.")
    ] = None,
    motion: Annotated[
        list[Path] | None,
        typer.Option(envvar="POINTLIGHT_MOTION", help="Folder of BVH or AMC files, repeatable."),
    ] = None,
    backgrounds: Annotated[
        Path | None, typer.Option(help="Folder of videos; procedural scenes if not given.")
    ] = None,
    shards: options.Shards = None,
    surreal: options.Surreal = None,
    surreal_depth: options.SurrealDepth = True,
    smpl: options.Smpl = None,
    flow: Annotated[
        str,
        typer.Option(
            help="Optical flow that is kept: dis, dis-fast, tvl1, farneback or learned; exact is the simulator's own."
        ),
    ] = "dis",
    seed: Annotated[int, typer.Option(help="Of the clips.")] = 0,
    targets: Annotated[
        bool,
        typer.Option(
            "--targets",
            help="Instead find tracks of real people in --backgrounds, --count at most, for `train --targets`.",
        ),
    ] = False,
) -> None:
    """Make clips and keep what is around their people, ready to train on; a folder that is there is made larger."""
    if targets:
        _prepare_targets(context, out, backgrounds, count=count, flow=flow, seed=seed)
        return
    from pointlight.training import prepare_banks

    with stage_bars() as bars, warnings_as_sentences():
        banks = prepare_banks(
            out,
            recipe=recipe,
            count=count,
            validation=validation,
            motion=motion or None,
            backgrounds=backgrounds,
            shards=shards or (),
            surreal=surreal,
            surreal_depth=surreal_depth,
            smpl=smpl,
            flow=flow,
            seed=seed,
            progress=bars,
        )
    trained, watched = len(banks["train"]), len(banks["validation"])
    typer.echo(f"{trained} clips to train on and {watched} to watch, in {out}")


def _prepare_targets(
    context: typer.Context, out: Path, backgrounds: Path | None, *, count: int | None, flow: str, seed: int
) -> None:
    if backgrounds is None:
        raise PointlightError("real people are found in videos; give a folder of some with --backgrounds")
    for name in ("recipe", "validation", "motion", "shards", "surreal", "smpl"):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise PointlightError(f"--targets finds real people in videos; leave --{name} out")
    from pointlight.capture import prepare_targets

    with stage_bars() as bars, warnings_as_sentences():
        tracks = prepare_targets(
            out, backgrounds, count=count or _TARGETS, flow=flow, seed=seed, progress=bars
        )
    typer.echo(f"{len(tracks)} tracks of real people, in {out}")


def pretrain(
    recipe: Annotated[str, typer.Argument(help="Whose encoder, see docs/model.md.")],
    pictures: Annotated[Path, typer.Option(help="Folder of `pointlight prepare`.")],
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Length of the run.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    seed: Annotated[int, typer.Option(help="Of weights and draws.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that make data.")] = 1,
) -> None:
    """Teach an encoder of pictures where keypoints and body parts are, before it learns poses."""
    from pointlight.training import pretrain as run

    with stage_bars() as bars, warnings_as_sentences():
        trunk = run(
            recipe,
            out,
            pictures=pictures,
            steps=steps,
            resume=resume,
            seed=seed,
            workers=workers,
            progress=bars,
        )
    typer.echo(str(trunk))
