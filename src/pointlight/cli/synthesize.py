"""`pointlight synthesize`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli.progress import stage_bars


def synthesize(
    count: Annotated[int, typer.Option(help="How many clips.")],
    out: Annotated[str, typer.Option(help="Folder, or an address such as s3://bucket/folder.")],
    seed: Annotated[int, typer.Option(help="Of all clips.")] = 0,
    recipe: Annotated[
        str,
        typer.Option(
            help="full, no_occlusions, no_tracking_no_occlusions, static_no_occlusions (Table 2), or pointlight."
        ),
    ] = "full",
    split: Annotated[str, typer.Option(help="train, validation or heldout.")] = "train",
    engine: Annotated[
        str,
        typer.Option(
            help="local, or ray: the cluster that RAY_ADDRESS names or that runs here, else one on this machine."
        ),
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes; one for each core, or CPU of the cluster, if not given. 0 makes all clips in this one.",
        ),
    ] = None,
    backgrounds: Annotated[
        Path | None,
        typer.Option(envvar="POINTLIGHT_BACKGROUNDS", help="Folder of videos; made scenes if not given."),
    ] = None,
    motion: Annotated[
        Path | None,
        typer.Option(envvar="POINTLIGHT_MOTION", help="Folder of BVH or AMC files; procedural if not given."),
    ] = None,
    surreal: Annotated[
        Path | None,
        typer.Option(help="Folder of SURREAL, whose people then take the place of rendered ones."),
    ] = None,
    surreal_depth: Annotated[bool, typer.Option(help="Read SURREAL's depth files, 82 GB in all.")] = True,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder of pictures to make clothes of, beside fabrics made by rule.")
    ] = None,
    people: Annotated[
        bool, typer.Option(help="Take background videos that are known to show people too.")
    ] = True,
    flow: Annotated[
        str | None, typer.Option(help="What finds the camera's path: dis, or tvl1 as in the paper (slow).")
    ] = None,
    total_occlusions: Annotated[
        bool, typer.Option(help="Take some clips' frames away as a whole for a while.")
    ] = True,
    shard: Annotated[int, typer.Option(help="Clips in a shard.")] = 64,
    windows: Annotated[int, typer.Option(help="Cut out of each background video.")] = 8,
    cache: Annotated[
        Path | None,
        typer.Option(envvar="POINTLIGHT_CACHE", help="Folder of caches; ~/.cache/pointlight if not given."),
    ] = None,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview", help="Write a video of layers for each of the first 48 clips, and a sheet."
        ),
    ] = False,
    preview_folder: Annotated[
        Path | None, typer.Option(help="Where the preview goes; OUT/preview if not given.")
    ] = None,
    figure2: Annotated[
        Path | None,
        typer.Option(help="Draw the paper's Figure 2 from the first clip with an occluder (PNG)."),
    ] = None,
    stages: Annotated[
        Path | None, typer.Option(help="Draw how that clip comes about, stage by stage (PNG).")
    ] = None,
) -> None:
    """Make clips of simulated people with their whole truth, as WebDataset shards."""
    import warnings
    from dataclasses import replace

    from pointlight.errors import PointlightError
    from pointlight.media import write_png
    from pointlight.simulator import read_clips
    from pointlight.simulator import synthesize as run
    from pointlight.simulator.clips import (
        Sources,
        draw_figure2,
        draw_stages,
        find_synthesis_recipe,
        occluded_parts,
        open_maker,
        usable_cores,
        without_total_occlusions,
        write_preview,
    )

    config = find_synthesis_recipe(recipe).of_split(split)
    shown = replace(config.backgrounds, flow=flow or config.backgrounds.flow, people=people)
    config = replace(config, backgrounds=shown, appearance=replace(config.appearance, pictures=pictures))
    if not total_occlusions:
        config = without_total_occlusions(config)
    if preview and preview_folder is None and "://" in out:
        raise PointlightError("a preview beside an address needs a folder; name one with --preview-folder")
    if workers is None:
        workers = 0 if engine == "ray" else usable_cores()
    sources = Sources(
        motion=motion,
        backgrounds=backgrounds,
        surreal=surreal,
        surreal_depth=surreal_depth,
        cache=cache,
        windows_per_video=windows,
    )
    with stage_bars() as bars, warnings.catch_warnings():
        warnings.showwarning = _say
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
        files = []
        if preview:
            folder = preview_folder or Path(out) / "preview"
            files += write_preview(islice(read_clips(out, split=split), 48), folder)
        if figure2 is not None or stages is not None:
            parts = occluded_parts(open_maker(config, sources, bars), seed)
            for path, draw in ((figure2, draw_figure2), (stages, draw_stages)):
                if path is not None:
                    write_png(path, draw(parts))
                    files.append(path)
    typer.echo(
        f"{summary.clips} clips ({summary.made} made now at {summary.frames_per_s:.0f} frames/s) in "
        f"{len(summary.shards)} shards, {summary.bytes / max(summary.clips, 1) / 1e6:.2f} MB a clip, "
        f"{summary.with_occluder:.0%} with an occluder"
    )
    for path in files:
        typer.echo(str(path))
    typer.echo(out)


def _say(message: Warning | str, *_: object, **__: object) -> None:
    """A warning is a sentence for a person, who does not look for it in the source."""
    typer.echo(f"pointlight: {message}", err=True)
