"""A bar for every stage of long work, with the time that is left; lines where the output is not a terminal."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich import progress as rich_progress
from rich.console import Console

from pointlight.progress import Progress, ProgressCallback

SECONDS_BETWEEN_LINES = 20.0
"""In a log file, a stage says at most so often where it stands."""


class StageBars:
    """One bar a stage; it appears when the stage is first heard of."""

    def __init__(self, bars: rich_progress.Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, rich_progress.TaskID] = {}

    def __call__(self, progress: Progress) -> None:
        """Move the stage's bar."""
        stage, total, note = progress.stage, progress.total or None, progress.note
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total, note=note, count=progress.count)
        self._bars.update(
            self._tasks[stage], completed=progress.done, total=total, note=note, count=progress.count
        )


class StageLines:
    """A line now and then, and one when a stage is done, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: dict[str, tuple[float, float]] = {}
        self._said_at: dict[str, float] = {}
        self._finished: set[str] = set()

    def __call__(self, progress: Progress) -> None:
        """Write a line, if it is time for one."""
        stage, done, total = progress.stage, progress.done, progress.total
        now = time.monotonic()
        began, begun = self._began.setdefault(stage, (now, done))
        # A file may claim fewer frames than it has, so that a stage goes on when it seems finished.
        finished = bool(total) and done >= total and stage not in self._finished
        if not finished and now - self._said_at.setdefault(stage, now) < SECONDS_BETWEEN_LINES:
            return
        self._said_at[stage] = now
        count = progress.count
        if finished:
            self._finished.add(stage)
        elif begun < done < total:
            count += f", about {_in_words((now - began) * (total - done) / (done - begun))} left"
        words = ", ".join(part for part in (stage, count, progress.note) if part)
        self._console.print(words, highlight=False, soft_wrap=True)


def _in_words(seconds: float) -> str:
    """A time in the unit that a person would say it in."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


@contextmanager
def stage_bars() -> Iterator[ProgressCallback]:
    """Bars, or lines, on standard error while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield StageLines(console)
        return
    columns = (
        rich_progress.TextColumn("{task.description:>8}"),
        rich_progress.BarColumn(),
        rich_progress.TextColumn("{task.fields[count]}"),
        rich_progress.TimeRemainingColumn(),
        rich_progress.TextColumn("{task.fields[note]}"),
    )
    with rich_progress.Progress(*columns, console=console) as bars:
        yield StageBars(bars)


@contextmanager
def warnings_as_sentences() -> Iterator[None]:
    """Warnings are sentences for a person, who does not look for them in the source."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _say
        yield


def _say(message: Warning | str, *_: object, **__: object) -> None:
    typer.echo(f"pointlight: {message}", err=True)
