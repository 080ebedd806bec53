"""`pointlight backgrounds`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli import clip_options as options
from pointlight.cli.progress import stage_bars

_SHARES = (
    ("people_share", "show people, of those of which it is known"),
    ("thinned_share", "are faster than 40 frames/s and play every n-th frame"),
    ("under_25_fps_share", "are slower than 25 frames/s and play as if at 30"),
    ("with_repeated_frames_share", "repeat frames, which are left out"),
    ("with_cuts_share", "have cuts, which no window crosses"),
    ("with_bars_share", "have black bars, which are cropped"),
)


def backgrounds(
    folder: Annotated[
        Path, typer.Argument(envvar="POINTLIGHT_BACKGROUNDS", help="Folder of videos, such as Kinetics'.")
    ],
    split: options.Split = "train",
    windows: Annotated[int, typer.Option(help="Cut out of each video; synthesize looks for 8.")] = 8,
    flow: options.Flow = None,
    recipe: options.Recipe = "full",
    workers: Annotated[int, typer.Option(help="Processes; 0 does all in this one.")] = 1,
    cache: options.Cache = None,
) -> None:
    """Cut windows out of background videos, find their cameras' paths and superpixels, and keep them for synthesize.

    It does all that the clips of a recipe need. After Ctrl-C the same command goes on where it was.
    """
    from pointlight.simulator.backgrounds import cache_report
    from pointlight.simulator.clips import find_synthesis_recipe, prepare_backgrounds

    config = find_synthesis_recipe(recipe).with_options(split=split, flow=flow)
    with warnings.catch_warnings(), stage_bars() as bars:
        # They are named below, with the rest.
        warnings.filterwarnings("ignore", message=".*this background is left out")
        filled = prepare_backgrounds(
            config, folder, windows_per_video=windows, cache=cache, workers=workers, progress=bars
        )
    report = cache_report(filled)
    typer.echo(f"{report['windows']:.0f} windows of {report['used']:.0f} videos; of these")
    for name, words in _SHARES:
        typer.echo(f"  {report[name]:4.0%} {words}")
    typer.echo(
        f"of all {report['videos']:.0f} videos {report['left_out_share']:.0%} are left out, "
        f"{report['too_short_share']:.0%} for too few frames"
    )
    for video in filled.videos:
        if video.left_out:
            typer.echo(f"  {video.left_out}")
    typer.echo(str(filled.folder))
