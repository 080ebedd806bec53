"""A skeleton as a tree of named joints with lengths, and the pairs of branches in it that may be a person's limbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from pointlight.motion.clip import MotionClip
from pointlight.motion.joint_names import JointName, read_names

LEG_PARTS = frozenset(("before_hip", "hip", "thigh", "leg", "shin", "foot", "toe"))
ARM_PARTS = frozenset(
    (
        *("collar", "shoulder", "arm", "upper_arm", "forearm", "wrist"),
        *("thumb", "index", "middle", "ring", "pinky", "finger"),
    )
)

_SAME_PLACE = 0.01
"""Joints nearer to each other than this share of the longest limb lie in one place."""

_SHORTEST_LIMB = 0.3
"""Of the longest one."""

_MOST_UNEVEN = 1.3
"""A limb may be so much longer than the other side's."""


@dataclass(frozen=True)
class JointTree:
    """Joints, what their names say, and where they were in some moments.

    Attributes:
        names: as the file has them.
        parents: index of every joint's parent; -1 for the root.
        places: (S, J, 3) in the world, any unit; the moments that are looked at.
        rest: (J, 3) at rest.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    places: np.ndarray
    rest: np.ndarray

    @staticmethod
    def of(clip: MotionClip, moments: int = 120) -> JointTree:
        """The tree of a clip, looked at in so many moments."""
        few = clip.thinned(moments)
        places = few.positions_world_m().astype(np.float64)
        return JointTree(clip.joint_names, clip.parents, places, clip.rest_positions_m().astype(np.float64))

    @cached_property
    def said(self) -> tuple[JointName, ...]:
        """What every joint's name says."""
        return read_names(self.names)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Indices of every joint's children."""
        found: list[list[int]] = [[] for _ in self.parents]
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(joint)
        return tuple(map(tuple, found))

    @cached_property
    def lengths(self) -> np.ndarray:
        """(J,) from every joint's parent to it."""
        parents = np.maximum(self.parents, 0)
        steps = np.linalg.norm(self.places - self.places[:, parents], axis=-1)
        return np.median(steps, axis=0) * (np.asarray(self.parents) >= 0)

    @cached_property
    def real(self) -> tuple[bool, ...]:
        """Whether a joint is, or leads to, more than a helper, a face, clothes or what is held."""
        real = [name.part != "aside" for name in self.said]
        for joint in reversed(range(1, len(self.parents))):
            if real[joint] and self.said[joint].part != "end":
                real[self.parents[joint]] = True
        return tuple(real)

    @cached_property
    def reach(self) -> np.ndarray:
        """(J,) the longest real way down from every joint."""
        reach = np.zeros(len(self.parents))
        for joint in reversed(range(1, len(self.parents))):
            if self.real[joint]:
                parent = self.parents[joint]
                reach[parent] = max(reach[parent], self.lengths[joint] + reach[joint])
        return reach

    def chain(self, joint: int) -> tuple[int, ...]:
        """The longest real way down from a joint, itself the first."""
        found = [joint]
        while self.reach[found[-1]] > 0:
            ahead = [child for child in self.children[found[-1]] if self.real[child]]
            found.append(max(ahead, key=lambda child: self.lengths[child] + self.reach[child]))
        return tuple(found)

    def below(self, joint: int) -> list[int]:
        """A joint and all that hang on it."""
        found = [joint]
        for one in found:  # grows while it is walked
            found.extend(self.children[one])
        return found

    def above(self, joint: int) -> list[int]:
        """The way from a joint to the root, both of them in it."""
        found = [joint]
        while self.parents[found[-1]] >= 0:
            found.append(self.parents[found[-1]])
        return found

    def distinct(self, chain: Sequence[int]) -> list[int]:
        """A chain without the joints that lie where the one before lies."""
        small = _SAME_PLACE * float(self.reach.max())
        return [chain[0], *(joint for joint in chain[1:] if self.lengths[joint] > small)]

    def count(self, joints: Sequence[int], parts: frozenset[str]) -> int:
        """How many of some joints have names of such parts."""
        return sum(self.said[joint].part in parts for joint in joints)

    def side(self, joints: Sequence[int]) -> str:
        """The side that most of some joints' names say; "" where they say none."""
        sides = [self.said[joint].side for joint in joints if self.said[joint].side]
        return max(set(sides), key=sides.count) if sides else ""

    def pairs(self) -> list[tuple[int, int]]:
        """Pairs of branches from one joint that are long enough and like enough to be limbs."""
        alike = [
            (first, second)
            for children in self.children
            for first, second in combinations(children, 2)
            if all(len(self.distinct(self.chain(branch))) >= 3 for branch in (first, second))
            and max(self.reach[[first, second]]) <= _MOST_UNEVEN * min(self.reach[[first, second]])
            and self._sides_differ(first, second)
        ]
        longest = max((self.reach[first] for first, _ in alike), default=0.0)
        return [pair for pair in alike if min(self.reach[list(pair)]) >= _SHORTEST_LIMB * longest]

    def _sides_differ(self, first: int, second: int) -> bool:
        sides = {self.side(self.chain(branch)) for branch in (first, second)}
        return len(sides) == 2 or sides == {""}
