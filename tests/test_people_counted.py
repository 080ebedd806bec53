"""What `benchmarks/people.py` counts: crossings of boxes, changes of whom a track is of, whom a reading is of."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.cues import Keypoints2D
from pointlight.simulator import TRACK_POINTS


@pytest.fixture(scope="module")
def people() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
        return importlib.import_module("people")


def boxes(x: np.ndarray) -> np.ndarray:
    """(T, 4) of width 20."""
    return np.stack((x, np.zeros_like(x), x + 20, np.full_like(x, 50)), axis=1)


def test_a_crossing_overlaps_and_parts(people: ModuleType) -> None:
    there = np.linspace(0, 100, 60)
    back = np.concatenate((there, there[::-1]))
    still = np.full(60, 50.0)
    assert people.crossings(np.stack((boxes(there), boxes(still)))) == 1
    assert people.crossings(np.stack((boxes(back), boxes(np.full(120, 50.0))))) == 2
    assert people.crossings(np.stack((boxes(there[:30]), boxes(still[:30])))) == 0, "they do not part again"
    assert people.crossings(np.stack((boxes(there), boxes(still + 500)))) == 0
    gone = boxes(there)
    gone[20:40] = np.nan
    assert people.crossings(np.stack((gone, boxes(still)))) == 0


@pytest.mark.parametrize(
    ("person", "count"),
    [
        ([0] * 20, 0),
        ([0] * 20 + [1] * 20, 1),
        ([0] * 20 + [1] * 4 + [0] * 20, 0),
        ([0] * 20 + [-1] * 9 + [1] * 20 + [0] * 6, 2),
        ([-1] * 5, 0),
    ],
)
def test_switches(people: ModuleType, person: list[int], count: int) -> None:
    assert people.switches(np.array(person)) == count


def test_whom_a_reading_is_of(people: ModuleType) -> None:
    """The nearest person's, unless that one is too far; nobody's where nothing was read or nobody is."""
    rng = np.random.default_rng(0)
    figure = rng.uniform(0, 100, (len(TRACK_POINTS), 2))
    points = np.stack((figure, figure + np.array((300, 0))))[:, None].repeat(4, axis=1)
    seen = np.ones(points.shape[:3], bool)
    sides = np.concatenate((points.min(2), points.max(2)), axis=-1)
    clip = people.CrossingClip(Path("none.mp4"), points, seen, sides)
    twelve = [TRACK_POINTS.index(name) for name in NETWORK_KEYPOINTS]
    read = np.ones((4, 12, 3))
    read[..., :2] = points[1][:, twelve] + (3, 4)
    read[1, :, 0] -= 300
    read[2, :, 0] -= 150
    read[3] = 0
    track = Keypoints2D(NETWORK_KEYPOINTS, np.arange(4) / 30, np.arange(4), read, (640, 480), "made")
    found = people.attributed(track, clip)
    assert found.person.tolist() == [1, 0, -1, -1]
    assert found.error_px[:2] == pytest.approx([5, 5])
