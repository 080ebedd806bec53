"""What every benchmark prints first, how it takes times, and how it is compared with another checkout.

Any benchmark takes `--against CHECKOUT`: a checkout of the project with a `.venv` of its own. The script of either checkout
is run by its own Python on its own sources, by turns, `--repeats` times each, with the same arguments; what is printed is,
for every number of their tables, the median and spread of each, and the median of the ratios pair by pair, which holds
when the machine's speed drifts. With `--busy` another process keeps a core busy meanwhile.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numba
import numpy as np
import torch

import pointlight

ROOT = Path(__file__).resolve().parents[1]
FORMER_NAMES = {"appearance.py": "looks.py"}
"""What scripts were called in older checkouts."""

Numbers = dict[str, float]
"""The numbers of a benchmark's tables by name of row and column."""


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


def run(main: Callable[[], None], *, new_options: Sequence[str] = ()) -> None:
    """Measure here, or with `--against` here and in another checkout by turns.

    Args:
        main: the benchmark; it reads `sys.argv` itself.
        new_options: options with one value each that older checkouts' scripts may not know; they are told only
            those that stand in their script.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--busy", action="store_true")
    given, own = parser.parse_known_args()
    if given.against is None:
        if {"-h", "--help"} & set(own):
            print("with --against CHECKOUT [--repeats 5] [--busy]: by turns with that checkout's script\n")
        main()
        return
    script = Path(sys.argv[0]).resolve()
    there = script_of(given.against.resolve(), script.name)
    commands = [
        [sys.executable, str(script), *own],
        [str(given.against / ".venv/bin/python"), str(there), *known_to(there, own, new_options)],
    ]
    header(f"{script.stem}, here against {given.against}")
    with busy_process(given.busy):
        pairs = list(measure_by_turns(commands, (ROOT, given.against.resolve()), given.repeats))
    print(comparison(pairs))


def script_of(checkout: Path, name: str) -> Path:
    """A checkout's script of that name, or of its former one; leaves the program where it can't be run."""
    names = [name, FORMER_NAMES.get(name, name)]
    found = [path for path in (checkout / "benchmarks" / each for each in names) if path.exists()]
    if not found:
        sys.exit(
            f"{checkout} has no benchmarks/{' or '.join(dict.fromkeys(names))}; name a checkout that has it"
        )
    if not (checkout / ".venv/bin/python").exists():
        sys.exit(f"{checkout} has no .venv/bin/python; install it there first")
    return found[0]


def known_to(script: Path, arguments: Sequence[str], new_options: Sequence[str]) -> list[str]:
    """The arguments without those options (and their values) that do not stand in the script."""
    text, kept, skip = script.read_text(), [], False
    for argument in arguments:
        option = argument.split("=")[0]
        if skip or (option in new_options and f'"{option}"' not in text):
            skip = not skip and "=" not in argument
            continue
        kept.append(argument)
    return kept


def measure_by_turns(
    commands: Sequence[list[str]], checkouts: Sequence[Path], repeats: int
) -> Iterator[list[Numbers]]:
    """Run the commands by turns, the first one first in every other round; gives each round's tables."""
    for repeat in range(repeats):
        order = range(len(commands)) if repeat % 2 == 0 else reversed(range(len(commands)))
        measured: dict[int, Numbers] = {}
        for which in order:
            # An installation may point to the sources of another checkout.
            environment = {**os.environ, "PYTHONPATH": str(checkouts[which] / "src")}
            done = subprocess.run(commands[which], capture_output=True, text=True, env=environment)
            if done.returncode:
                sys.exit(f"{' '.join(commands[which])} failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
            measured[which] = numbers_of(done.stdout)
            print(f"{repeat + 1}/{repeats} {checkouts[which]}", file=sys.stderr)
        yield [measured[which] for which in range(len(commands))]


def numbers_of(text: str) -> Numbers:
    """Every number of the Markdown tables in a text.

    A number's name is its row's first cell, with those after it that begin with no number, and its column's title; where
    a name comes again, a count is added.
    """
    numbers: Numbers = {}
    titles: list[str] = []
    lines = [line.strip() for line in text.splitlines()]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or _is_rule(line):
            continue
        if _is_rule(following):
            titles = cells
            continue
        values = {i: value for i, cell in enumerate(cells) if i and (value := _number(cell)) is not None}
        row = ", ".join(cell for i, cell in enumerate(cells) if i < min(values, default=0))
        for i, value in values.items():
            name = f"{row}: {titles[i]}" if i < len(titles) else row
            again = sum(key.split(" #")[0] == name for key in numbers)
            numbers[f"{name} #{again + 1}" if again else name] = value
    return numbers


def _is_rule(line: str) -> bool:
    """Whether it is the line under a table's titles."""
    return line.startswith("|") and "-" in line and not line.strip("|-: ")


def _number(cell: str) -> float | None:
    """What a cell begins with, as in "**1,410 clips/s**"."""
    word = cell.strip("* ").split(" ")[0].rstrip("%*").replace(",", "")
    try:
        return float(word)
    except ValueError:
        return None


def comparison(pairs: Sequence[Sequence[Numbers]]) -> str:
    """A table of medians, spreads and the median of the ratios of pairs (here, there); then what has no counterpart."""
    here, there = ([pair[which] for pair in pairs] for which in (0, 1))
    lines = [
        "| what | here: median (spread) | there: median (spread) | here / there, median of pairs |",
        "| --- | --- | --- | --- |",
    ]
    common = [name for name in here[0] if all(name in numbers for numbers in (*here, *there))]
    for name in common:
        ratios = [a[name] / b[name] for a, b in zip(here, there, strict=True) if b[name]]
        ratio = f"{statistics.median(ratios):.2f}" if ratios else "-"
        cells = (_spread([numbers[name] for numbers in side]) for side in (here, there))
        lines.append(f"| {name} | {' | '.join(cells)} | {ratio} |")
    for side, title in ((here, "here"), (there, "there")):
        alone = [name for name in side[0] if name not in common]
        if alone:
            lines.append(f"\nOnly {title}:\n\n| what | median (spread) |\n| --- | --- |")
            values = ([numbers[name] for numbers in side if name in numbers] for name in alone)
            lines += [f"| {name} | {_spread(of)} |" for name, of in zip(alone, values, strict=True)]
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


@contextmanager
def busy_process(wanted: bool = True) -> Iterator[None]:
    """Within the block another process keeps a core busy."""
    if not wanted:
        yield
        return
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()
