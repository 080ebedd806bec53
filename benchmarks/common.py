"""What every benchmark shares: what it prints first, how it takes times, and how it is held to another checkout.

`python benchmarks/NAME.py [...] --against CHECKOUT [--pairs 5]` runs the benchmark here and the one of the same name in
another checkout, with its own `.venv`, in turn; it prints the medians of both, their spread, and the ratio pair by pair.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import torch

import pointlight

FORMER_NAMES = {"appearance.py": "looks.py"}
"""Of scripts that older checkouts have under another name."""

PAIRS = 5


def header(what: str) -> None:
    """Machine and versions."""
    print(f"# {what}")
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}, "
        f"numpy {np.__version__}, numba {numba.__version__}, pointlight {pointlight.__version__}"
    )


def seconds(call: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of a call, after one that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def run(main: Callable[[], None]) -> None:
    """Run a benchmark, or with `--against CHECKOUT` hold it to the one of another checkout."""
    arguments = sys.argv[1:]
    other, pairs = _taken(arguments, "--against"), _taken(arguments, "--pairs")
    if other is None:
        sys.argv[1:] = arguments
        main()
        return
    script = Path(sys.argv[0]).resolve()
    commands = [[sys.executable, str(script)], _other_command(Path(other).resolve(), script.name)]
    compare([[*command, *arguments] for command in commands], int(pairs or PAIRS))


def compare(commands: list[list[str]], pairs: int) -> None:
    """Run two commands in turn and print, row by row, what their tables say.

    Args:
        commands: here and there; each prints Markdown tables.
        pairs: how often each is run.
    """
    runs: list[list[dict[str, float]]] = [[], []]
    for number in range(pairs):
        for command, figures in zip(commands, runs, strict=True):
            figures.append(figures_of(_output(command)))
        print(f"pair {number + 1} of {pairs}", file=sys.stderr)
    here, there = runs
    print(
        "| figure | here: median (min to max) | there: median (min to max) | here / there, median of pairs |"
    )
    print("| --- | --- | --- | --- |")
    unmatched = []
    for name in here[0]:
        if name not in there[0]:
            unmatched.append(name)
            continue
        mine, its = ([figures[name] for figures in each] for each in (here, there))
        ratio = statistics.median(a / b if b else float("nan") for a, b in zip(mine, its, strict=True))
        print(f"| {name} | {_spread(mine)} | {_spread(its)} | {ratio:.2f} |")
    unmatched += [f"{name} (there)" for name in there[0] if name not in here[0]]
    if unmatched:
        print(f"\nwithout a counterpart: {'; '.join(unmatched)}")


def figures_of(output: str) -> dict[str, float]:
    """The first number of every cell of Markdown tables, by 'row' where a table has one column of them, or 'row: column'."""
    figures: dict[str, float] = {}
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in _table_lines(output)]
    head: list[str] = []
    for above, row in zip([[], *rows], rows, strict=False):
        if set("".join(row)) <= set("-: "):
            head = above
        elif head and len(row) == len(head) and row is not head:
            for column, cell in zip(head[1:], row[1:], strict=True):
                number = re.search(r"-?\d+(?:\.\d+)?", cell)
                if number:
                    name = row[0] if len(head) == 2 else f"{row[0]}: {column}"
                    figures[name] = float(number.group())
    return figures


def _table_lines(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.lstrip().startswith("|")]


def _taken(arguments: list[str], option: str) -> str | None:
    """An option's value, which is taken out of the arguments."""
    if option not in arguments:
        return None
    place = arguments.index(option)
    if place + 1 == len(arguments):
        sys.exit(f"{option} needs a value")
    value = arguments[place + 1]
    del arguments[place : place + 2]
    return value


def _other_command(checkout: Path, name: str) -> list[str]:
    python = checkout / ".venv" / "bin" / "python"
    scripts = [checkout / "benchmarks" / each for each in (name, FORMER_NAMES.get(name, name))]
    script = next((path for path in scripts if path.is_file()), None)
    if script is None or not python.exists():
        sys.exit(
            f"{checkout} has no {name} among its benchmarks, or no .venv; give a checkout after `make test`"
        )
    return [str(python), str(script)]


def _output(command: list[str]) -> str:
    folder = Path(command[1]).parents[1]
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = alone if command[0] != sys.executable else dict(os.environ)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):g} ({min(values):g} to {max(values):g})"
