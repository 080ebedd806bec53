"""`pointlight reproduce`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli import clip_options as options
from pointlight.cli.progress import stage_bars, warnings_as_sentences
from pointlight.errors import PointlightError

FIGURES = ("figure2", "figure5")


def reproduce(
    what: Annotated[str, typer.Argument(help="table1, table2, table3, figure2 or figure5.")],
    out: Annotated[Path, typer.Option(help="Folder of everything; the same command goes on in it.")],
    size: Annotated[str, typer.Option(help="tiny, small (a CPU) or paper (a GPU).")] = "small",
    clips_per_row: Annotated[
        int | None, typer.Option(min=1, help="Clips that each row sees, counting each use.")
    ] = None,
    bank: Annotated[
        int | None, typer.Option(min=2, help="Different clips that these are drawn from.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="So many runs of every row.")] = 1,
    row: Annotated[list[str] | None, typer.Option(help="Only this row; repeatable.")] = None,
    noise: Annotated[
        bool, typer.Option("--noise", help="Keypoints with a detector's errors in training, in all rows.")
    ] = False,
    development: Annotated[
        bool, typer.Option("--development", help="Look at development data alone, by which choices are made.")
    ] = False,
    real: Annotated[
        Path | None, typer.Option(help="Folder of filmed people for (c), see docs/reproduce.md.")
    ] = None,
    benchmark: Annotated[
        list[str] | None, typer.Option(help="NAME=FOLDER for (d), such as 3dpw=FOLDER; repeatable.")
    ] = None,
    motion: options.Motion = None,
    backgrounds: options.Backgrounds = None,
    shards: options.Shards = None,
    surreal: options.Surreal = None,
    smpl: options.Smpl = None,
    regressor: Annotated[Path | None, typer.Option(help="J_regressor_h36m.npy, with --smpl.")] = None,
    trunk: Annotated[
        Path | None,
        typer.Option(help="ImageNet's weights: of an EfficientNet-lite0 at small, of a ResNet-50 at paper."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where networks run: cpu, cuda, mps.")] = "cpu",
    workers: Annotated[int, typer.Option(min=0, help="Rows that are trained side by side.")] = 0,
) -> None:
    """Train, score and draw what the paper shows, ours beside the paper's."""
    from pointlight.evaluation.reproduce import Given, draw_figure5, reproduce_table

    given = Given(
        motion=tuple(motion) if motion else None,
        backgrounds=backgrounds,
        shards=tuple(map(str, shards or ())),
        surreal=surreal,
        smpl=smpl,
        regressor=regressor,
        trunk=trunk,
        real=real,
        benchmarks=tuple(_benchmark(entry) for entry in benchmark or []),
        device=device,
    )
    if what == "figure2":
        from pointlight.cli.figures import figures

        figures(out, motion=motion, backgrounds=backgrounds, surreal=surreal)
        return
    with stage_bars() as bars, warnings_as_sentences():
        if what == "figure5":
            for path in draw_figure5(out, given, size=size, clips=clips_per_row, progress=bars):
                typer.echo(str(path))
            return
        reproduce_table(
            what,
            out,
            size=size,
            given=given,
            clips=clips_per_row,
            bank_clips=bank,
            seeds=seeds,
            rows=row or (),
            noise=noise,
            test=not development,
            workers=workers,
            command=shlex.join(["pointlight", *sys.argv[1:]]),
            progress=bars,
        )
    name = f"{what}-noise" if noise else what
    typer.echo((out / f"{name}.md").read_text())
    typer.echo(str(out / f"{name}.json"))


def _benchmark(given: str) -> tuple[str, Path]:
    name, equals, folder = given.partition("=")
    if not equals:
        raise PointlightError(f"--benchmark {given} is not NAME=FOLDER; write such as 3dpw=FOLDER")
    return name, Path(folder)
