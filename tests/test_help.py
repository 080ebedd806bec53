"""The help of every command: examples that are legal, and the recipes, whose words are those of the code and the pages."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pointlight.cli.main import app
from pointlight.cli.recipe_words import CLIPS, TRAINING, as_table
from pointlight.simulator.clips import SYNTHESIS_RECIPES
from pointlight.training import RECIPES

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def help_of(command: str, columns: int = 80) -> str:
    return CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": str(columns)}).output


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_an_example_that_is_legal(command: str) -> None:
    said = help_of(command)
    examples = re.findall(rf"^ +(pointlight {command}\b.*)$", said, re.MULTILINE)
    assert examples and all(len(line) <= 100 for line in said.splitlines())
    for example in examples:
        name, *words = shlex.split(example)[1:]
        assert name == command
        context = COMMANDS[name].make_context(name, words)
        assert not context.args


@pytest.mark.parametrize(("command", "words"), [("train", TRAINING), ("synthesize", CLIPS)])
def test_help_lists_every_recipe(command: str, words: dict[str, tuple[str, str]]) -> None:
    lines = [" ".join(line.split()) for line in help_of(command).splitlines()]
    for name, (purpose, paper) in words.items():
        assert f"{name} {purpose}" in lines
        assert paper == "-" or paper in lines


def test_every_recipe_has_words_and_a_row_in_the_docs() -> None:
    """Whoever adds a recipe says what it is for; the page's table is made of the same words."""
    assert list(TRAINING) == list(RECIPES)
    assert list(CLIPS) == list(SYNTHESIS_RECIPES)
    assert as_table(TRAINING) in (ROOT / "docs" / "model.md").read_text()
    page = (ROOT / "docs" / "synthesis.md").read_text()
    for name, (_, paper) in CLIPS.items():
        row = paper.removeprefix("Table 2, ") if paper != "-" else "ours"
        assert f"| `{name}` | {row} |" in page


def test_a_row_of_the_paper_is_named_as_the_paper_names_it() -> None:
    papers = [paper for _, paper in (*TRAINING.values(), *CLIPS.values()) if paper != "-"]
    assert all(re.match(r"Table [12], \w", paper) for paper in papers)
    assert sum("Table 2" in paper for paper in papers) == 4
