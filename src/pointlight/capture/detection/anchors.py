"""From the finder's numbers to people: anchors, candidates, and candidates of one person merged by their scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

_SIDE_PX = 224
_STRIDES_PX, _ANCHORS_A_CELL = (8, 16, 32), (2, 2, 6)
"""Of mediapipe's grid: two anchors a cell, on the coarsest grid three times two."""

_MIN_SCORE, _MIN_OVERLAP = 0.5, 0.3
_POINTS = 4
"""That come with each box: hips' middle, a point on the circle around the person, the same of the upper body."""

_MOST_LOGIT = 100.0


@dataclass(frozen=True)
class Candidates:
    """What the network says at each anchor.

    Attributes:
        numbers: (2254, 12) float32: centre, width and height, four points, in pixels from the anchor.
        logits: (2254,) float32.
    """

    numbers: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class Person:
    """Somebody who was found.

    Attributes:
        box: (4,) left, top, right, bottom in shares of the square.
        points: (4, 2) in shares of the square.
        score: in [0, 1].
    """

    box: np.ndarray
    points: np.ndarray
    score: float


@cache
def _anchors() -> np.ndarray:
    """(2254, 2) centres in shares of the square."""
    grids = []
    for stride, count in zip(_STRIDES_PX, _ANCHORS_A_CELL, strict=True):
        cells = _SIDE_PX // stride
        y, x = np.mgrid[:cells, :cells]
        centres = np.stack((x, y), -1).reshape(-1, 2) + 0.5
        grids.append(np.repeat(centres / cells, count, axis=0))
    return np.concatenate(grids)


def people_of(candidates: Candidates) -> list[Person]:
    """Candidates that are likely people, the likeliest first."""
    likely = 1 / (1 + np.exp(-candidates.logits.astype(np.float64).clip(-_MOST_LOGIT, _MOST_LOGIT)))
    found = []
    for number in np.flatnonzero(likely >= _MIN_SCORE):
        values = candidates.numbers[number].astype(np.float64).reshape(-1, 2) / _SIDE_PX
        centre, size, points = values[0], values[1], values[2 : 2 + _POINTS]
        if not (size >= 0).all():
            continue
        centre = centre + _anchors()[number]
        box = np.concatenate((centre - size / 2, centre + size / 2))
        found.append(Person(box, points + _anchors()[number], float(likely[number])))
    return sorted(found, key=lambda person: -person.score)


def merged(people: list[Person]) -> list[Person]:
    """Those whose boxes overlap as one: the mean by their scores, with the best one's score."""
    result = []
    while people:
        best = people[0]
        alike = [person is best or _overlap(person.box, best.box) > _MIN_OVERLAP for person in people]
        same = [person for person, here in zip(people, alike, strict=True) if here]
        people = [person for person, here in zip(people[1:], alike[1:], strict=True) if not here]
        weights = np.array([person.score for person in same])[:, None] / sum(person.score for person in same)
        box = (weights * [person.box for person in same]).sum(0)
        points = (weights[..., None] * [person.points for person in same]).sum(0)
        result.append(Person(box, points, best.score))
    return result


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    common = np.prod(np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None))
    both = np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])
    return float(common / (both - common)) if both > common else 0.0
