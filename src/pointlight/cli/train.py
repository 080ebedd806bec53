"""`pointlight train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli import clip_options as options
from pointlight.cli.progress import stage_bars, warnings_as_sentences


def train(
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    recipe: Annotated[
        str | None,
        typer.Argument(help="Name of a recipe, see docs/model.md; a run that is resumed knows its own."),
    ] = None,
    motion: Annotated[
        list[Path] | None,
        typer.Option(
            envvar="POINTLIGHT_MOTION",
            help="Folder of BVH or AMC files, repeatable; procedural if not given.",
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder of `pointlight prepare`, for recipes that see pictures."),
    ] = None,
    backgrounds: Annotated[
        Path | None,
        typer.Option(help="Folder of videos, for recipes that see pictures where none are prepared."),
    ] = None,
    shards: options.Shards = None,
    surreal: options.Surreal = None,
    surreal_depth: Annotated[
        bool | None,
        typer.Option(help="Read SURREAL's depth files, 82 GB in all; they are if nothing is said."),
    ] = None,
    smpl: options.Smpl = None,
    trunk: Annotated[
        Path | None,
        typer.Option(help="Weights for the encoder of pictures: of `pointlight pretrain`, or ImageNet's."),
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(help="Folder of `pointlight prepare --targets`, for recipes against real people."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="Change a field of the recipe, as loss.pairs=10; repeatable."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Length of the run; the recipe's if not given.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes; resume later.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out; nothing else need be given.")
    ] = False,
    extend_to: Annotated[
        int | None, typer.Option(help="With --resume: make the run so many steps long.")
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="Weights to start from: a shipped model or a file.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of scenes and weights; 0 if not given.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that make data.")] = 1,
    device: Annotated[str, typer.Option(help="Where the network learns: cpu, cuda, mps.")] = "cpu",
) -> None:
    """Train a network on simulated people."""
    from pointlight.training import train as run

    with stage_bars() as bars, warnings_as_sentences():
        trainer = run(
            recipe,
            out,
            changes=set_ or (),
            motion=motion or None,
            pictures=pictures,
            backgrounds=backgrounds,
            shards=shards or (),
            surreal=surreal,
            surreal_depth=surreal_depth,
            smpl=smpl,
            trunk=trunk,
            targets=targets,
            steps=steps,
            minutes=minutes,
            resume=resume,
            extend_to=extend_to,
            init=init,
            seed=seed,
            workers=workers,
            device=device,
            progress=bars,
        )
    if not trainer.processes.leads:
        return
    best = out / "best.safetensors"
    if not best.exists():
        typer.echo(f"{trainer.step} steps, none of them evaluated yet; go on with --resume and more steps")
        return
    typer.echo(f"{trainer.step} steps, best on validation {trainer.best_mm:.1f} mm PA-MPJPE")
    typer.echo(str(best))
