"""Which of several people in a keypoint file is meant: links their poses over time and chooses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pointlight.capture.detection.person_box import PersonBox
from pointlight.errors import PointlightError

_LINK_WITHIN_S = 1.0
_SHIFT = 0.3
_SPEED_PER_S = 2.0
_FARTHEST = 1.0
"""Poses are linked if their keypoints lie this near, in diagonals of the person's box: within no time, per
second, and at most."""
_BOX_PATIENCE_S = 0.5

PeopleByFrame = Mapping[int, Sequence[np.ndarray]]
"""Frame number to poses (K, 3) of the people in it: x, y, score."""


@dataclass
class _Person:
    """A chain of poses."""

    poses: dict[int, np.ndarray] = field(default_factory=dict)
    last_s: float = 0.0
    last: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))

    def add(self, frame: int, time_s: float, pose: np.ndarray) -> None:
        self.poses[frame], self.last_s, self.last = pose, time_s, pose


def choose_person(
    people: PeopleByFrame, times_s: Mapping[int, float], box: PersonBox | None, source: str
) -> dict[int, np.ndarray]:
    """The poses of one person by frame number.

    Args:
        people: everybody.
        times_s: the time of each frame.
        box: which person; without it the one who is largest, summed over the frames.
        source: what to call the file in errors.

    Raises:
        PointlightError: nobody is in the box.
    """
    everybody = {
        frame: [pose for pose in poses if (pose[:, 2] > 0).sum() >= 2] for frame, poses in people.items()
    }
    chains = link(everybody, times_s)
    if box is not None:
        return _in_box(chains, times_s, box, source)
    if all(len(poses) <= 1 for poses in everybody.values()):
        return {frame: poses[0] for frame, poses in everybody.items() if poses}
    return max(chains, key=lambda chain: sum(_diagonal(pose) for pose in chain.values()))


def link(people: PeopleByFrame, times_s: Mapping[int, float]) -> list[dict[int, np.ndarray]]:
    """Chains of poses that can belong to one person each, nearest poses first."""
    chains: list[_Person] = []
    for frame in sorted(people):
        time_s = times_s[frame]
        awake = [chain for chain in chains if time_s - chain.last_s <= _LINK_WITHIN_S]
        offers = []
        for number, pose in enumerate(people[frame]):
            for place, chain in enumerate(awake):
                far = _distance(chain.last, pose)
                if far <= min(_SHIFT + _SPEED_PER_S * (time_s - chain.last_s), _FARTHEST):
                    offers.append((far, number, place))
        taken_poses: set[int] = set()
        taken_chains: set[int] = set()
        for _, number, place in sorted(offers):
            if number not in taken_poses and place not in taken_chains:
                awake[place].add(frame, time_s, people[frame][number])
                taken_poses.add(number)
                taken_chains.add(place)
        for number, pose in enumerate(people[frame]):
            if number not in taken_poses:
                chains.append(_Person())
                chains[-1].add(frame, time_s, pose)
    return [chain.poses for chain in chains]


def _in_box(
    chains: list[dict[int, np.ndarray]], times_s: Mapping[int, float], box: PersonBox, source: str
) -> dict[int, np.ndarray]:
    start_s = min(times_s.values()) if box.time_s is None else box.time_s
    fits = []
    for number, chain in enumerate(chains):
        for frame, pose in chain.items():
            late = times_s[frame] - start_s
            share = _share_inside(pose, box)
            if 0 <= late <= _BOX_PATIENCE_S and share > 0.5:
                fits.append((round(late, 6), -round(share, 2), -_diagonal(pose), number))
    if not fits:
        raise PointlightError(
            f"{source} has nobody in the box {box.x:g},{box.y:g},{box.width:g},{box.height:g}"
            f" at {start_s:g} s; give the box of a person in it, and the time after @"
        )
    return chains[min(fits)[-1]]


def _share_inside(pose: np.ndarray, box: PersonBox) -> float:
    seen = pose[pose[:, 2] > 0]
    inside = (
        (seen[:, 0] >= box.x)
        & (seen[:, 0] <= box.x + box.width)
        & (seen[:, 1] >= box.y)
        & (seen[:, 1] <= box.y + box.height)
    )
    return float(inside.mean())


def _diagonal(pose: np.ndarray) -> float:
    seen = pose[pose[:, 2] > 0, :2]
    return float(np.linalg.norm(seen.max(0) - seen.min(0)))


def _distance(before: np.ndarray, after: np.ndarray) -> float:
    """Median distance of common keypoints, in diagonals of the larger pose."""
    size = max(_diagonal(before), _diagonal(after), 1.0)
    both = (before[:, 2] > 0) & (after[:, 2] > 0)
    if not both.any():
        return float("inf")
    return float(np.median(np.linalg.norm(before[both, :2] - after[both, :2], axis=-1))) / size
