"""One way to say how far work is."""

from __future__ import annotations

import ast
import io
import math
from dataclasses import replace
from pathlib import Path

from rich import progress as rich_progress
from rich.console import Console

from pointlight.cli.progress import StageBars, StageLines
from pointlight.progress import Progress, silent, under_name
from pointlight.training import OptimiserConfig, Trainer, find_training_recipe

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "pointlight"


def test_under_another_name_everything_else_is_kept() -> None:
    told: list[Progress] = []
    under_name(told.append, "points")(Progress("score", 2, 5, "half"))
    assert told == [Progress("points", 2, 5, "half")]


def test_a_count_is_said_in_words() -> None:
    assert Progress("refine", 80, 120, unit="step").count == "step 80 of 120"
    assert Progress("detect", 80, 0, unit="frame").count == "frame 80"
    assert Progress("read", 1234567, 9999999).count == "1234567/9999999"
    assert Progress("lift", 0, 1).count == "" and Progress("lift", 1, 1).count == "done"


def test_training_says_the_figures_that_are_there() -> None:
    """No nan before the first evaluation, and how long the warm-up takes."""
    trainer = Trainer.__new__(Trainer)
    trainer.recipe = replace(
        find_training_recipe("tiny"), optimiser=OptimiserConfig(warmup=500, evaluate_every=250)
    )
    trainer.adversary = None
    trainer.step, trainer.latest_loss, trainer.latest_mm = 20, 0.51234, math.nan
    assert trainer._note() == "loss 0.512, warm-up until step 500"
    trainer.step, trainer.latest_mm = 250, 71.26
    assert trainer._note() == "loss 0.512, warm-up until step 500, validation 71.3 mm"
    trainer.step = 500
    assert trainer._note() == "loss 0.512, validation 71.3 mm"


def test_bars_and_lines_say_the_same() -> None:
    written = io.StringIO()
    lines = StageLines(Console(file=written, width=200))
    lines(Progress("refine", 120, 120, "almost", unit="step"))
    lines(Progress("lift", 1, 1))
    assert written.getvalue() == "refine, step 120 of 120, almost\nlift, done\n"
    with rich_progress.Progress(
        rich_progress.TextColumn("{task.fields[count]}"), console=Console(file=io.StringIO())
    ) as bars:
        StageBars(bars)(Progress("refine", 80, 120, unit="step"))
        assert bars.tasks[0].fields["count"] == "step 80 of 120"


def test_nobody_has_to_listen() -> None:
    assert silent(Progress("score", 2, 0)) is None


def test_every_callback_is_called_progress() -> None:
    """Functions that take a callback take it by one name."""
    others = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.arg)
                and node.annotation
                and "ProgressCallback" in ast.unparse(node.annotation)
            ):
                others += [f"{path.name}:{node.lineno} {node.arg}"] if node.arg != "progress" else []
    assert not others
