"""Tables of a result: columns as data, and two ways to lay them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column of a table.

    Attributes:
        title: its head.
        value: of a row; None, or a tuple that holds None, is an empty cell.
        format: of a value; a tuple fills several places.
    """

    title: str
    value: Callable[[R], Any]
    format: str = "{}"

    def cell(self, row: R) -> str:
        """The row's value in words."""
        value = self.value(row)
        values = value if isinstance(value, tuple) else (value,)
        return "" if None in values else self.format.format(*values)


@dataclass(frozen=True)
class ColumnFor(Generic[R]):
    """A column for each of some names that the rows bring with them: groups, cameras, baselines.

    Attributes:
        names: of a table's rows.
        title: of a column, with a place for its name.
        value: of a row and a name.
        format: see `Column`.
    """

    names: Callable[[Sequence[R]], Iterable[str]]
    title: str
    value: Callable[[R, str], Any]
    format: str = "{:.1f}"


Columns = Sequence[Column[R] | ColumnFor[R]]


def markdown(rows: Sequence[R], columns: Columns[R]) -> str:
    """A line a row in Markdown, as wide as it gets; a `ColumnFor` without names has no column."""
    every = _every(rows, columns)
    lines = [[column.title for column in every], ["---"] * len(every)]
    lines += [[column.cell(row) for column in every] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


WIDTH = 100
"""Letters in a line that a person reads."""


def upright(rows: Sequence[R], columns: Columns[R], width: int = WIDTH) -> str:
    """A column a row in Markdown, under what the first column calls it; several tables where one would be too wide.

    What no row of a table has is left out of it, and names that are too long lose their middles.

    Args:
        rows: what is compared.
        columns: the first names the rows, each other one is a line.
        width: letters in a line.
    """
    name, *figures = _every(rows, columns)
    titles = [_shortened(column.title, width // 2) for column in figures]
    label = max(map(len, (name.title, *titles)), default=0)
    most = width - label - len("|  |  |")
    cells = [
        [_shortened(text, most) for text in (name.cell(row), *(column.cell(row) for column in figures))]
        for row in rows
    ]
    blocks: list[list[list[str]]] = []
    used = 0
    for column in cells:
        needs = max(map(len, column)) + len("|  ")
        if not blocks or used + needs > width:
            blocks.append([])
            used = label + len("|  |")
        blocks[-1].append(column)
        used += needs
    return "\n\n".join(_block(name.title, titles, block) for block in blocks)


def _block(name: str, titles: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    """Some rows beside each other, padded so that a person can read them as they stand."""
    lines = [[name, *(column[0] for column in columns)]]
    for k, title in enumerate(titles, start=1):
        figures = [column[k] for column in columns]
        if any(figures):
            lines.append([title, *figures])
    widths = [max(3, *(len(line[k]) for line in lines)) for k in range(len(columns) + 1)]
    lines.insert(1, ["-" * wide for wide in widths])
    padded = ([text.ljust(wide) for text, wide in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in padded)


def _shortened(text: str, most: int) -> str:
    """Text of at most so many letters, the middle left out where it is longer."""
    if len(text) <= most:
        return text
    kept = max(most - 3, 2)
    return f"{text[: kept - kept // 2]}...{text[len(text) - kept // 2 :]}"


def _every(rows: Sequence[R], columns: Columns[R]) -> list[Column[R]]:
    every: list[Column[R]] = []
    for column in columns:
        every += [column] if isinstance(column, Column) else _spread(column, rows)
    return every


def _spread(column: ColumnFor[R], rows: Sequence[R]) -> list[Column[R]]:
    return [
        Column(column.title.format(name), lambda row, name=name: column.value(row, name), column.format)
        for name in column.names(rows)
    ]
