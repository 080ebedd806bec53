"""Which joints of a limb's chain are its three: hip, knee and ankle, or shoulder, elbow and wrist."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pointlight.motion.joint_tree import JointTree

_LEAST_COVERED = 0.55
"""Share of a chain's length that a limb's two bones make; where they make less, bones are split by twist joints."""

_LONGEST_UPPER_ARM = 1.7
"""Against the forearm; people have 1.1 to 1.2."""

_STRAIGHT_DEG = 6.0
"""A joint that never bends by more is a twist joint."""


@dataclass(frozen=True)
class Limb:
    """A leg or an arm, as indices of joints.

    Attributes:
        before: joints of the limb above its upper bone: collars, hip joints.
        upper: at the hip or shoulder.
        carrier: whose rotation the upper bone follows: the knee's or elbow's parent.
        lower: the knee or elbow.
        end: the ankle or wrist.
        after: the chain beyond the end.
        by_names: the names told.
    """

    before: tuple[int, ...]
    upper: int
    carrier: int
    lower: int
    end: int
    after: tuple[int, ...]
    by_names: bool


def find_leg(tree: JointTree, branch: int) -> Limb | None:
    """The leg that begins with a branch; None where the chain is none."""
    chain = tree.chain(branch)
    parts = [tree.said[joint].part for joint in chain]
    lower = _first(parts, ("shin",))
    upper = _first(parts, ("thigh",))
    if lower is None:
        lower = _first(parts, ("leg",), (upper or 0) + 1) if upper is not None else None
    elif upper is None:
        upper = _first(parts[:lower], ("leg",))
        upper = _last(parts[:lower], ("hip",)) if upper is None else upper
    end = None if lower is None else _first(parts, ("foot",), lower + 1)
    return _limb(tree, chain, upper, lower, end)


def find_arm(tree: JointTree, branch: int) -> Limb | None:
    """The arm that begins with a branch; None where the chain is none."""
    chain = tree.chain(branch)
    parts = [tree.said[joint].part for joint in chain]
    lower = _first(parts, ("forearm",))
    upper = end = None
    if lower is not None:
        upper = _first(parts[:lower], ("upper_arm",))
        upper = _first(parts[:lower], ("arm",)) if upper is None else upper
        upper = _last(parts[:lower], ("shoulder",)) if upper is None else upper
        end = _first(parts, ("wrist",), lower + 1)
    found = _limb(tree, chain, upper, lower, end)
    return None if found is None else _with_whole_forearm(tree, found)


def _with_whole_forearm(tree: JointTree, arm: Limb) -> Limb:
    """The same with its wrist one joint further where the forearm is too short without that.

    CMU's forearm is two bones, of which the second only twists and is called wrist, or ends in a finger's base.
    """

    def length(first: int, second: int) -> float:
        return float(np.median(np.linalg.norm(tree.places[:, second] - tree.places[:, first], axis=-1)))

    upper, fore = length(arm.upper, arm.lower), length(arm.lower, arm.end)
    if not arm.after or upper < _LONGEST_UPPER_ARM * fore:
        return arm
    whole = length(arm.lower, arm.after[0])
    if whole <= fore or upper < whole:
        return arm
    return replace(arm, end=arm.after[0], after=arm.after[1:])


def _first(parts: list[str], wanted: tuple[str, ...], start: int = 0) -> int | None:
    return next((i for i in range(start, len(parts)) if parts[i] in wanted), None)


def _last(parts: list[str], wanted: tuple[str, ...]) -> int | None:
    return next((i for i in reversed(range(len(parts))) if parts[i] in wanted), None)


def _limb(
    tree: JointTree, chain: tuple[int, ...], upper: int | None, lower: int | None, end: int | None
) -> Limb | None:
    """By names where they tell, by lengths where they don't."""
    by_names = upper is not None and lower is not None and upper < lower
    if not by_names:
        found = _by_lengths(tree, chain)
        if found is None:
            return None
        upper, lower, end = found
    assert upper is not None and lower is not None
    if end is None or end <= lower or tree.lengths[list(chain[lower + 1 : end + 1])].sum() <= 0:
        beyond = [i for i in range(lower + 1, len(chain)) if chain[i] in tree.distinct(chain[lower:])[1:]]
        if not beyond:
            return None
        end = beyond[0]
    return Limb(
        before=chain[:upper],
        upper=chain[upper],
        carrier=chain[lower - 1],
        lower=chain[lower],
        end=chain[end],
        after=chain[end + 1 :],
        by_names=by_names,
    )


def _by_lengths(tree: JointTree, chain: tuple[int, ...]) -> tuple[int, int, int] | None:
    """The two neighbouring bones of which the shorter is longest, as places in the chain."""
    points = tree.distinct(chain)
    found = _longest_neighbours(tree, points)
    whole = tree.lengths[list(points[1:])].sum()
    if found is not None and found[3] < _LEAST_COVERED * whole:
        bent = [points[0], *(b for a, b, c in _triples(points) if _bends(tree, a, b, c)), points[-1]]
        merged = _longest_neighbours(tree, bent)
        found = merged if merged is not None and merged[3] > found[3] else found
    if found is None:
        return None
    return chain.index(found[0]), chain.index(found[1]), chain.index(found[2])


def _triples(points: list[int]) -> list[tuple[int, int, int]]:
    return list(zip(points[:-2], points[1:-1], points[2:], strict=True))


def _longest_neighbours(tree: JointTree, points: list[int]) -> tuple[int, int, int, float] | None:
    """Three joints in a row, and the length of the two bones between them."""

    def length(first: int, second: int) -> float:
        return float(np.median(np.linalg.norm(tree.places[:, second] - tree.places[:, first], axis=-1)))

    rows = [(min(length(a, b), length(b, c)), a, b, c) for a, b, c in _triples(points)]
    if not rows:
        return None
    _, a, b, c = max(rows, key=lambda row: row[0])
    return a, b, c, length(a, b) + length(b, c)


def _bends(tree: JointTree, first: int, middle: int, last: int) -> bool:
    upper = tree.places[:, middle] - tree.places[:, first]
    lower = tree.places[:, last] - tree.places[:, middle]
    sine = np.linalg.norm(np.cross(upper, lower), axis=-1)
    return bool(np.degrees(np.arctan2(sine, (upper * lower).sum(-1))).max() > _STRAIGHT_DEG)
