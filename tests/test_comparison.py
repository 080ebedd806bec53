"""How benchmarks are held to another checkout: what is read from tables, and what runs where."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
OUTPUT = """# speed
x86_64, 2 cores
| stage | clips/s |
| --- | --- |
| data alone | 336 |
| both | 94.5 clips (12 %) |

words between
| stage | ms | frames/s |
| --- | --- | --- |
| network | 12.5 | 80 |
| mesh | - | 4 |
"""


@pytest.fixture
def common(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import common  # pyright: ignore[reportMissingImports]

    return common


def test_figures_are_read_from_tables_alone(common: object) -> None:
    assert common.figures_of(OUTPUT) == {  # type: ignore[attr-defined]
        "data alone": 336.0,
        "both": 94.5,
        "network: ms": 12.5,
        "network: frames/s": 80.0,
        "mesh: frames/s": 4.0,
    }


def script(folder: Path, name: str, figure: float, row: str) -> Path:
    """A checkout with one benchmark, which adds to a file that both share each time it runs."""
    path = folder / "benchmarks" / name
    path.parent.mkdir(parents=True)
    (folder / ".venv" / "bin").mkdir(parents=True)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    told = folder.parent / "order.txt"
    path.write_text(
        f"import sys\nsys.path.insert(0, {str(BENCHMARKS)!r})\nfrom common import run\n"
        f"def main():\n    open({str(told)!r}, 'a').write({folder.name[0]!r} + ''.join(sys.argv[1:]))\n"
        f"    print('| what | clips/s |\\n| --- | --- |\\n| both | {figure} |\\n| {row} | 1 |')\n"
        "run(main)\n"
    )
    return path


def test_two_checkouts_run_in_turn_and_are_compared_in_pairs(tmp_path: Path) -> None:
    mine = script(tmp_path / "mine", "appearance.py", 150, "new row")
    script(tmp_path / "theirs", "looks.py", 100, "old row")
    command = [sys.executable, str(mine), "x", "--against", str(tmp_path / "theirs"), "--pairs", "2"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "| both | 150 (150 to 150) | 100 (100 to 100) | 1.50 |" in done.stdout
    assert "without a counterpart: new row; old row (there)" in done.stdout
    assert (tmp_path / "order.txt").read_text() == "mxtx" * 2


def test_a_checkout_without_the_benchmark_is_one_sentence(tmp_path: Path) -> None:
    mine = script(tmp_path / "mine", "speed.py", 150, "row")
    done = subprocess.run(
        [sys.executable, str(mine), "--against", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "has no speed.py among its benchmarks, or no .venv" in done.stderr
