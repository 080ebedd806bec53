"""`pointlight figures`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointlight.cli import clip_options as options
from pointlight.cli.progress import stage_bars, warnings_as_sentences
from pointlight.progress import ProgressCallback

if TYPE_CHECKING:
    from pointlight.simulator import SynthesisConfig
    from pointlight.simulator.clips import Sources


def figures(
    out: Annotated[Path, typer.Option(help="Folder for figure2.png and stages.png.")],
    seed: options.Seed = 0,
    recipe: options.Recipe = "full",
    split: options.Split = "train",
    backgrounds: options.Backgrounds = None,
    motion: options.Motion = None,
    surreal: options.Surreal = None,
    surreal_depth: options.SurrealDepth = True,
    pictures: options.Pictures = None,
    people: options.People = True,
    flow: options.Flow = None,
    total_occlusions: options.TotalOcclusions = True,
    windows: options.Windows = 8,
    cache: options.Cache = None,
) -> None:
    """Draw the paper's Figure 2 and the stages of a clip, from the first clip whose person is seen to be occluded."""
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
    files = {"figure2": out / "figure2.png", "stages": out / "stages.png"}
    with stage_bars() as bars, warnings_as_sentences():
        for path in write_figures(config, sources, seed, **files, progress=bars):
            typer.echo(str(path))


def write_figures(
    config: SynthesisConfig,
    sources: Sources,
    seed: int,
    *,
    figure2: Path | None,
    stages: Path | None,
    progress: ProgressCallback,
) -> list[Path]:
    """Draw what has a path; the files written."""
    from pointlight.media import write_png
    from pointlight.simulator.clips import draw_figure2, draw_stages, occluded_parts, open_maker

    wanted = [(path, draw) for path, draw in ((figure2, draw_figure2), (stages, draw_stages)) if path]
    if wanted:
        parts = occluded_parts(open_maker(config, sources, progress), seed)
        for path, draw in wanted:
            write_png(path, draw(parts))
    return [path for path, _ in wanted]
