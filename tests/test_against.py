"""The comparison of benchmarks: what is read out of tables, and two made-up checkouts measured by turns."""

from __future__ import annotations

import importlib.util
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = """
import sys
from pathlib import Path
calls = Path(__file__).with_name("calls")
number = len(calls.read_text().splitlines()) if calls.exists() else 0
with open(calls, "a") as file:
    print(*sys.argv[1:], file=file)
print("# made up")
print("| what | clips/s |")
print("| --- | --- |")
print(f"| both | {{VALUES[number]}} |")
print(f"| {{ONLY}} | 7 |")
"""


@pytest.fixture(scope="module")
def common() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "benchmarks" / "common.py"
    spec = importlib.util.spec_from_file_location("benchmarks_common", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_checkout(folder: Path, script: str, values: list[int], only: str, more: str = "") -> Path:
    """A checkout whose one benchmark prints these values, one a call."""
    (folder / "benchmarks").mkdir(parents=True)
    (folder / "src").mkdir()
    code = f"VALUES, ONLY = {values!r}, {only!r}\n{SCRIPT}{more}".replace("{{", "{").replace("}}", "}")
    (folder / "benchmarks" / script).write_text(code)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return folder


def call(
    common: ModuleType, monkeypatch: pytest.MonkeyPatch, script: Path, *arguments: object, **options: object
) -> None:
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, arguments)])
    common.run(lambda: print("measured here"), **options)


def test_numbers_of_tables(common: ModuleType) -> None:
    text = """# heading
| what | clips/s |
| --- | --- |
| training alone | **1,116** |
| both, 0 workers | 97.5 clips/s |

| camera | joint | off by | hits |
| --- | --- | :-: | --- |
| cam02 | left_knee | 0.46 % | - |
| 60 | 12 | 3 | 4 |
| mean | - | 5 | 6 |
| mean | - | 7 | 8 |
not | a | table
"""
    assert common.numbers_of(text) == {
        "training alone: clips/s": 1116.0,
        "both, 0 workers: clips/s": 97.5,
        "cam02, left_knee: off by": 0.46,
        "60: joint": 12.0,
        "60: off by": 3.0,
        "60: hits": 4.0,
        "mean, -: off by": 5.0,
        "mean, -: hits": 6.0,
        "mean, -: off by #2": 7.0,
        "mean, -: hits #2": 8.0,
    }


def test_ratios_are_taken_pair_by_pair(common: ModuleType) -> None:
    """The machine slows down from pair to pair; the ratio of medians would be another."""
    pairs = [
        ({"a": here, "new": 1.0}, {"a": there, "old": 2.0}) for here, there in ((90, 30), (8, 4), (3, 3))
    ]
    table = common.comparison(pairs)
    assert "| a | 8 (3 to 90) | 4 (3 to 30) | 2.00 |" in table
    here, there = table.split("Only there:")
    assert "| new | 1 (1 to 1) |" in here.split("Only here:")[1]
    assert "| old | 2 (2 to 2) |" in there
    assert "| nothing | 1 (1 to 1) | 0 (0 to 0) | - |" in common.comparison(
        [({"nothing": 1.0}, {"nothing": 0.0})]
    )


def test_two_checkouts_by_turns(
    common: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = make_checkout(tmp_path / "here", "appearance.py", [10, 30, 20], "new row")
    there = make_checkout(tmp_path / "there", "looks.py", [5, 10, 5], "old row", "# knows '--count'")
    script = here / "benchmarks" / "appearance.py"
    arguments = ("--against", there, "--repeats", 3, "--recipe", "fast", "--count", 4, "VIDEO")
    call(common, monkeypatch, script, *arguments, new_options=("--recipe",))
    printed = capsys.readouterr()
    assert "| both: clips/s | 20 (10 to 30) | 5 (5 to 10) | 3.00 |" in printed.out
    assert (
        "| new row: clips/s | 7 (7 to 7) |" in printed.out
        and "| old row: clips/s | 7 (7 to 7) |" in printed.out
    )
    assert "measured here" not in printed.out
    turns = [Path(line.split(" ", 1)[1]) == there for line in printed.err.splitlines()]
    assert turns == [False, True, True, False, False, True]  # neither is always the first
    # Each script is told the same, but for what an older one can't know.
    assert (here / "benchmarks/calls").read_text().splitlines() == ["--recipe fast --count 4 VIDEO"] * 3
    assert (there / "benchmarks/calls").read_text().splitlines() == ["--count 4 VIDEO"] * 3


def test_without_another_checkout_it_is_measured_here(
    common: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(common, monkeypatch, Path("tracks.py"), "VIDEO")
    assert capsys.readouterr().out == "measured here\n"


def test_what_stands_in_the_way_is_said(
    common: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = make_checkout(tmp_path / "here", "tracks.py", [1] * 9, "row")
    script = here / "benchmarks" / "tracks.py"
    other = make_checkout(tmp_path / "other", "inference.py", [1], "row")
    with pytest.raises(SystemExit, match=r"has no benchmarks/tracks.py"):
        call(common, monkeypatch, script, "--against", other)
    bare = make_checkout(tmp_path / "bare", "tracks.py", [1], "row")
    (bare / ".venv/bin/python").unlink()
    with pytest.raises(SystemExit, match=r"has no .venv/bin/python"):
        call(common, monkeypatch, script, "--against", bare)
    broken = make_checkout(tmp_path / "broken", "tracks.py", [1], "row", "raise ValueError('no such motion')")
    with pytest.raises(SystemExit, match="no such motion"):
        call(common, monkeypatch, script, "--against", broken)


def test_the_busy_process_ends_with_its_block(common: ModuleType) -> None:
    started = []
    original = common.subprocess.Popen

    class Watched(original):
        def __init__(self, *given: object, **options: object) -> None:
            super().__init__(*given, **options)
            started.append(self)

    common.subprocess.Popen = Watched
    try:
        with common.busy_process():
            assert started[0].poll() is None
        with common.busy_process(wanted=False):
            pass
    finally:
        common.subprocess.Popen = original
    assert [process.poll() is not None for process in started] == [True]
