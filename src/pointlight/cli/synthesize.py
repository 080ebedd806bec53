"""`pointlight synthesize`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli import clip_options as options
from pointlight.cli.figures import write_figures
from pointlight.cli.preview import preview_clips, preview_folder
from pointlight.cli.progress import stage_bars, warnings_as_sentences


def synthesize(
    count: Annotated[int, typer.Option(help="How many clips.")],
    out: Annotated[str, typer.Option(help="Folder, or an address such as s3://bucket/folder.")],
    seed: options.Seed = 0,
    recipe: options.Recipe = "full",
    split: options.Split = "train",
    engine: options.Engine = "local",
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes; one for each core, or CPU of the cluster, if not given. 0 makes all clips in this one.",
        ),
    ] = None,
    backgrounds: options.Backgrounds = None,
    motion: options.Motion = None,
    surreal: options.Surreal = None,
    surreal_depth: options.SurrealDepth = True,
    pictures: options.Pictures = None,
    people: options.People = True,
    flow: options.Flow = None,
    total_occlusions: options.TotalOcclusions = True,
    shard: Annotated[int, typer.Option(help="Clips in a shard.")] = 64,
    windows: options.Windows = 8,
    cache: options.Cache = None,
    preview: Annotated[bool, typer.Option("--preview", hidden=True)] = False,
    preview_to: Annotated[Path | None, typer.Option("--preview-folder", hidden=True)] = None,
    figure2: Annotated[Path | None, typer.Option(hidden=True)] = None,
    stages: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Make clips of simulated people with their whole truth, as WebDataset shards.

    After Ctrl-C the same command goes on where it was, and so does one with a larger count.
    """
    from pointlight.simulator import synthesize as run
    from pointlight.simulator.clips import Sources, find_synthesis_recipe

    config = find_synthesis_recipe(recipe).with_options(
        split=split, flow=flow, people=people, pictures=pictures, total_occlusions=total_occlusions
    )
    sources = Sources(
        motion=tuple(motion) if motion else None,
        backgrounds=backgrounds,
        surreal=surreal,
        surreal_depth=surreal_depth,
        cache=cache,
        windows_per_video=windows,
    )
    # Deprecated: said, and what cannot be meant refused, before the work.
    shown = preview_folder(out, preview_to) if preview else None
    if preview or preview_to is not None:
        _deprecated("--preview and --preview-folder", f"pointlight preview {out}")
    if figure2 is not None or stages is not None:
        _deprecated("--figure2 and --stages", "pointlight figures --out FOLDER")
    with stage_bars() as bars, warnings_as_sentences():
        summary = run(
            config,
            out,
            count,
            seed=seed,
            sources=sources,
            engine=engine,
            workers=workers,
            clips_per_shard=shard,
            progress=bars,
        )
        files = preview_clips(out, shown, split=split) if shown is not None else []
        files += write_figures(config, sources, seed, figure2=figure2, stages=stages, progress=bars)
    typer.echo(
        f"{summary.clips} clips ({summary.made} made now at {summary.frames_per_s:.0f} frames/s) in "
        f"{len(summary.shards)} shards, {summary.bytes / max(summary.clips, 1) / 1e6:.2f} MB a clip, "
        f"{summary.with_occluder:.0%} with an occluder"
    )
    for path in files:
        typer.echo(str(path))
    typer.echo(out)


def _deprecated(options: str, instead: str) -> None:
    typer.echo(f"pointlight: {options} of synthesize will go; take `{instead}` instead", err=True)
