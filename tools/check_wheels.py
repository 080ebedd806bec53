"""Ask pip which packages have a wheel for each Python and system: `check_wheels.py [NAME...]`; prints a table in Markdown.

Asked are the versions in `constraints.txt`, and what those for use bring along, in the versions that are installed here.
Nothing is downloaded or installed. A wheel that is found was not run. Exit code 1 if one that `predict` needs is missing.
"""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux x86-64": [f"manylinux_2_{minor}_x86_64" for minor in range(5, 29)],
    "Linux aarch64": [f"manylinux_2_{minor}_aarch64" for minor in range(17, 29)],
    "macOS arm64": ["macosx_14_0_arm64"],
    "Windows x86-64": ["win_amd64"],
}
"""Tags that pip takes there: glibc 2.28 and macOS 14, or later ones."""

_OLD_TAGS = {
    "Linux x86-64": ["manylinux1", "manylinux2010", "manylinux2014"],
    "Linux aarch64": ["manylinux2014"],
}
"""Names from before the tags had glibc's version."""

FOR_USE = "at run time"
BROUGHT = "brought by these"
CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"
_ASKED_AT_ONCE = 4


@dataclass(frozen=True)
class Pin:
    """A package in one version, and what it is for."""

    name: str
    version: str
    purpose: str


def main() -> int:
    """Ask for all, or for those named, and print."""
    pins = read_pins(CONSTRAINTS.read_text(encoding="utf-8"))
    brought = brought_by([pin for pin in pins if pin.purpose == FOR_USE])
    pins += [pin for pin in brought if pin.name not in {other.name for other in pins}]
    if named := {_plain(name) for name in sys.argv[1:]}:
        if unknown := named - {pin.name for pin in pins}:
            sys.exit(
                f"{', '.join(sorted(unknown))} is neither pinned in constraints.txt nor brought by a pin"
            )
        pins = [pin for pin in pins if pin.name in named]
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        answers = list(pool.map(lacking, pins))
    print("\n".join(table(pins, answers)))
    return int(
        any(gaps for pin, gaps in zip(pins, answers, strict=True) if pin.purpose in (FOR_USE, BROUGHT))
    )


def read_pins(text: str) -> list[Pin]:
    """Lines `name==version`; a comment above some says what they are for."""
    pins, purpose = [], ""
    for line in text.splitlines():
        if line.startswith("#"):
            purpose = line.lstrip("# ").split(".")[0]
        elif found := re.match(r"([\w.-]+)==([\w.+]+)", line):
            pins.append(Pin(_plain(found[1]), found[2], purpose))
    return pins


def brought_by(pins: list[Pin]) -> list[Pin]:
    """What they need, and what that needs, as installed here."""
    found: dict[str, Pin] = {}
    waiting = [pin.name for pin in pins]
    while waiting:
        name = waiting.pop()
        try:
            needed = requires(name) or []
            found.setdefault(name, Pin(name, version(name), BROUGHT))
        except PackageNotFoundError:
            continue  # needed on other systems or Pythons only
        names = (_plain(re.split(r"[^\w.-]", line)[0]) for line in needed if "extra ==" not in line)
        waiting += [other for other in names if other not in found]
    return sorted(found.values(), key=lambda pin: pin.name)


def lacking(pin: Pin) -> dict[str, list[str]]:
    """Python -> systems for which there is no wheel."""
    pure = ["--implementation", "py", "--abi", "none", "--platform", "any"]
    if all(_is_listed(pin, ["--python-version", python, *pure]) for python in (PYTHONS[0], PYTHONS[-1])):
        return {}
    gaps = {
        python: [system for system in SYSTEMS if not has_wheel(pin, python, system)] for python in PYTHONS
    }
    return {python: systems for python, systems in gaps.items() if systems}


def has_wheel(pin: Pin, python: str, system: str) -> bool:
    """Whether pip finds a wheel of that version there."""
    machine = SYSTEMS[system][0].split("_", 3)[-1]
    tags = [*SYSTEMS[system], *(f"{old}_{machine}" for old in _OLD_TAGS.get(system, ()))]
    return _is_listed(
        pin, ["--python-version", python, *(word for tag in tags for word in ("--platform", tag))]
    )


def _is_listed(pin: Pin, target: list[str]) -> bool:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "index", "versions", pin.name]
    done = subprocess.run(
        [*command, "--only-binary=:all:", *target], capture_output=True, text=True, check=False
    )
    if silent := re.search(
        r"^.*(Retrying|No module named pip|unknown command).*$", done.stderr, re.MULTILINE
    ):
        sys.exit(f"pip cannot be asked: {silent[0]}")
    listed = re.search(r"^Available versions: (.*)$", done.stdout, re.MULTILINE)
    versions = listed[1].split(", ") if listed else []
    return pin.version in {each.split("+")[0] for each in versions} | set(versions)


def table(pins: list[Pin], answers: list[dict[str, list[str]]]) -> list[str]:
    """Rows of packages, columns of Pythons."""
    lines = [
        f"yes: a wheel for each of {', '.join(SYSTEMS)}, found by pip at its index here; it was not run.",
        "Otherwise the systems are named for which none was found at this index.",
        "",
        f"| package | for | {' | '.join(PYTHONS)} |",
        "| --- " * (2 + len(PYTHONS)) + "|",
    ]
    for pin, gaps in zip(pins, answers, strict=True):
        cells = (f"none for {', '.join(gaps[python])}" if python in gaps else "yes" for python in PYTHONS)
        lines.append(f"| {pin.name} {pin.version} | {pin.purpose} | {' | '.join(cells)} |")
    return lines


def _plain(name: str) -> str:
    """A package's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
