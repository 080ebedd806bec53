"""The one exception that a person using Pointlight can cause, and what its sentences have in common."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PointlightError(Exception):
    """Something the user can mend, said in one sentence: what is wrong, where, and what would be right.

    Example:
        >>> import pointlight
        >>> try:
        ...     pointlight.predict("nowhere.mp4")
        ... except pointlight.PointlightError as error:
        ...     print(error)
        there is no file nowhere.mp4; give the path of a video
    """


class AnotherProcessError(PointlightError):
    """One of several processes that work together says what is wrong; the others end without a word."""


def did_you_mean(name: str, names: Iterable[str], most: int = 3) -> str:
    """The second half of a sentence on a name that is unknown: the nearest ones, or all where none is near."""
    there = list(names)
    near = difflib.get_close_matches(name, there, most, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(there)}"
