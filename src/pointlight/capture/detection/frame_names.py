"""The number of a frame in the names that programs give to its picture or its file: the digits that differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pointlight.errors import PointlightError

_OPENPOSE_DIGITS = 12
_MOST_DIGITS = 1000


def numbers_of_names(names: Iterable[str], source: Path) -> dict[str, int]:
    """The frame number in each of a file's names.

    The one number counts that differs from name to name and has the same words before it, or behind it, in all
    names. What else differs, a hash or a person's number, is no frame number. Of several such numbers the one that runs
    through with the fewest gaps is taken.

    Args:
        names: of pictures or files, with or without folders.
        source: where they stand, for the sentence.

    Raises:
        PointlightError: there is no such number, or several names have the same one.
    """
    known = sorted(set(names))
    if len(known) == 1:
        return {known[0]: _number_of_one(known[0], source)}
    found = {tuple(column) for column in _columns(known) if len(set(column)) == len(known)}
    spans = sorted((max(column) - min(column), column) for column in found)
    if not spans or (len(spans) > 1 and spans[0][0] == spans[1][0]):
        raise PointlightError(
            f"{source}: the names, such as {known[0]} and {known[1]}, do not tell which frame each belongs to;"
            " let one number in them run with the frames, from 0"
        )
    return dict(zip(known, spans[0][1], strict=True))


def _columns(names: Sequence[str]) -> Iterable[list[int]]:
    """Numbers at the same place of all names, counted from the left or from the right."""
    split = [re.split(r"(\d+)", name) for name in names]
    fewest = min(len(parts) for parts in split) // 2
    for parts in (split, [pieces[::-1] for pieces in split]):
        for place in range(fewest):
            if len({tuple(pieces[: 2 * place + 1 : 2]) for pieces in parts}) > 1:
                break
            yield [int(pieces[2 * place + 1][:_MOST_DIGITS]) for pieces in parts]


def _number_of_one(name: str, source: Path) -> int:
    digits = re.findall(r"\d+", Path(name).stem)
    openpose = [number for number in digits if len(number) == _OPENPOSE_DIGITS]
    if len(digits) != 1 and len(openpose) != 1:
        raise PointlightError(
            f"{source}: the name {name} does not tell which frame it belongs to; let it hold one number,"
            " the frame's, from 0"
        )
    return int((openpose if len(openpose) == 1 else digits)[0][:_MOST_DIGITS])
