"""`pointlight`: one command a file; arguments, progress and words, no logic."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from pointlight import __version__
from pointlight.cli.backgrounds import backgrounds
from pointlight.cli.doctor import doctor
from pointlight.cli.evaluate import evaluate
from pointlight.cli.figures import figures
from pointlight.cli.motion import motion
from pointlight.cli.predict import predict
from pointlight.cli.prepare import prepare, pretrain
from pointlight.cli.preview import preview
from pointlight.cli.recipe_words import CLIPS, TRAINING, example, recipes
from pointlight.cli.reproduce import reproduce
from pointlight.cli.synthesize import synthesize
from pointlight.cli.train import train
from pointlight.errors import AnotherProcessError, PointlightError

INTERRUPTED = 130

app = typer.Typer(
    name="pointlight",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pointlight {__version__}")
        raise typer.Exit


# Summaries are short enough that the list of commands cuts none of them in a terminal of 80 columns.
for command, summary, behind in (
    (
        predict,
        "Find one person's moving 3D body in a video.",
        example(
            "pointlight predict video.mp4 --out result",
            "pointlight predict video.mp4 --out result --box 400,120,200,460@1.5 --height 1.75",
            "pointlight predict VIDEOS --out results --workers 4",
        ),
    ),
    (
        train,
        "Train a network on simulated people.",
        example(
            "pointlight train points --out runs/mine --motion FOLDER",
            "pointlight train points --out runs/wide --set network.lstm=1024 --set loss.pairs=10",
            "pointlight train --out runs/mine --resume",
        )
        + recipes(TRAINING),
    ),
    (
        prepare,
        "Prepare pictures of simulated people to train on.",
        example(
            "pointlight prepare PICTURES --motion FOLDER --backgrounds VIDEOS",
            "pointlight prepare PICTURES --targets --backgrounds VIDEOS",
        ),
    ),
    (
        pretrain,
        "Pretrain the part of a network that sees pictures.",
        example("pointlight pretrain small-flow --pictures PICTURES --out runs/trunk"),
    ),
    (
        evaluate,
        "Evaluate models on simulated, filmed or published data.",
        example(
            "pointlight evaluate points runs/mine --motion FOLDER --json result.json",
            "pointlight evaluate points --on multiview --data FOLDER",
        ),
    ),
    (
        reproduce,
        "Train and score the paper's tables, draw its figures.",
        example(
            "pointlight reproduce table1 --out tables --motion FOLDER --backgrounds VIDEOS --real PEOPLE",
            "pointlight reproduce figure5 --out tables --real PEOPLE",
        ),
    ),
    (
        motion,
        "Say what motion files are taken for.",
        example("pointlight motion FOLDER --sheet poses.png"),
    ),
    (
        backgrounds,
        "Prepare background videos for synthesize.",
        example("pointlight backgrounds VIDEOS --workers 2"),
    ),
    (
        synthesize,
        "Make clips of simulated people with their whole truth.",
        example(
            "pointlight synthesize --count 1000 --out clips --motion FOLDER --backgrounds VIDEOS",
            "pointlight synthesize --count 48 --out near --set scenes.camera.distance_m=2,4",
        )
        + recipes(CLIPS),
    ),
    (
        preview,
        "Draw stored clips for people to look at.",
        example("pointlight preview clips --count 12"),
    ),
    (
        figures,
        "Draw the paper's Figure 2 and how a clip comes about.",
        example("pointlight figures --out figures --backgrounds VIDEOS"),
    ),
    (doctor, "Say whether this machine can run predict.", example("pointlight doctor")),
):
    app.command(short_help=summary, epilog=behind)(command)


@app.callback()
def pointlight(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """From ordinary video to a moving 3D body, with networks that have only seen simulated people."""


def main() -> None:
    """Run; a user's error is one sentence and exit code 2, Ctrl-C one line and 130."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files need not be text; what a terminal cannot show is written with backslashes, as in errors.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except AnotherProcessError:
        sys.exit(2)
    except PointlightError as error:
        print(f"pointlight: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as end:
        # typer turns Ctrl-C into this exit without a word.
        if end.code == INTERRUPTED:
            print("pointlight: interrupted; what is whole has been kept", file=sys.stderr)
        raise
