"""`pointlight`: one command a file; arguments, progress and words, no logic."""

from __future__ import annotations

import sys

import typer

from pointlight.cli.backgrounds import backgrounds
from pointlight.cli.doctor import doctor
from pointlight.cli.evaluate import evaluate
from pointlight.cli.predict import predict
from pointlight.cli.synthesize import synthesize
from pointlight.cli.train import train
from pointlight.errors import PointlightError

INTERRUPTED = 130

app = typer.Typer(
    name="pointlight",
    help="From ordinary video to a moving 3D body, with networks that have only seen simulated people.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(predict)
app.command()(train)
app.command()(backgrounds)
app.command()(synthesize)
app.command()(evaluate)
app.command()(doctor)


def main() -> None:
    """Run; a user's error is one sentence and exit code 2, Ctrl-C one line and 130."""
    try:
        app()
    except PointlightError as error:
        print(f"pointlight: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as end:
        # typer turns Ctrl-C into this exit without a word.
        if end.code == INTERRUPTED:
            print("pointlight: interrupted; what is whole has been kept", file=sys.stderr)
        raise
