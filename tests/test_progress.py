"""One way to say how far work is."""

from __future__ import annotations

import ast
from pathlib import Path

from pointlight.progress import Progress, silent, under_name

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "pointlight"


def test_under_another_name_everything_else_is_kept() -> None:
    told: list[Progress] = []
    under_name(told.append, "points")(Progress("score", 2, 5, "half"))
    assert told == [Progress("points", 2, 5, "half")]


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
