"""What mkdocs asks of the project: the help of each command, and docstrings' examples as examples."""

from __future__ import annotations

from typing import Any

import griffe
from typer.testing import CliRunner

PLACE = "<!-- commands -->"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """See mkdocs; other pages stay as they are."""
    return markdown.replace(PLACE, commands()) if PLACE in markdown else markdown


def commands() -> str:
    """The help of every command, each under its name."""
    from pointlight.cli.main import app

    names = [
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    ]
    helps = (
        (name, CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "100"}).output) for name in names
    )
    return "\n".join(f"## {name}\n\n```text\n{said.strip()}\n```\n" for name, said in helps)


class Examples(griffe.Extension):
    """Our docstrings say `Example:`; mkdocstrings knows `Examples:` as a section of code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """See griffe."""
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
