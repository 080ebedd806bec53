"""Which of several people in a keypoint file is meant: by the file's own ids, else by linking poses over time."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

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
_LIKE_SIZE = 0.5
"""Who comes back is as large as before, give or take this in the logarithm."""
_LIKE_SCORE = 0.5
"""Who comes back is seen at least this share as well: posters and shadows are not."""
_OWN_SHARE = 0.9
_JUMPS_SHARE = 0.02
"""Names of which more are given only once number the entries; those of which more steps jump number a frame's people."""
_MOST_PEOPLE = 20
"""So many people are pieced together from chains; whoever is less present is not meant."""
_STRAY_S = 0.25
"""Where a file has one pose a frame, one that is elsewhere for less than this is somebody else's."""

Chain = dict[int, np.ndarray]
"""Poses (K, 3) of one person by frame number, in order."""


@dataclass(frozen=True)
class SeenPose:
    """One person in one frame: pose (K, 3) x, y, score; who it is, if the file says so."""

    pose: np.ndarray
    identity: Hashable | None = None


@dataclass(frozen=True)
class Chosen:
    """One person a shot.

    Attributes:
        poses: by frame number.
        breaks: frames with which somebody else begins, though the picture goes on.
        warnings: sentences on what was left out.
    """

    poses: Chain
    breaks: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass
class _Person:
    """A chain of poses that grows."""

    poses: Chain = field(default_factory=dict)
    last_s: float = 0.0
    last: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))

    def add(self, frame: int, time_s: float, pose: np.ndarray) -> None:
        self.poses[frame], self.last_s, self.last = pose, time_s, pose


def choose_person(
    people: Mapping[int, Sequence[SeenPose]],
    times_s: Mapping[int, float],
    shots: Mapping[int, int],
    box: PersonBox | None,
    source: str,
) -> Chosen:
    """One person's poses: in every shot whom the file calls the same, else who is most present.

    That is size times score, summed over the frames.

    Args:
        people: everybody by frame number.
        times_s: the time of each frame.
        shots: the number of the shot that each frame belongs to.
        box: which person; the other shots then show the same only if the file says so.
        source: what to call the file in errors.

    Raises:
        PointlightError: nobody is in the box.
    """
    everybody = {
        frame: [seen for seen in poses if (seen.pose[:, 2] > 0).sum() >= 2] for frame, poses in people.items()
    }
    by_shot: dict[int, dict[int, Sequence[SeenPose]]] = {}
    for frame, poses in everybody.items():
        by_shot.setdefault(shots[frame], {})[frame] = poses
    if box is None and all(len(poses) <= 1 for poses in everybody.values()):
        parts = [_only_one(part, times_s, source) for part in by_shot.values()]
        return Chosen(
            {frame: pose for part in parts for frame, pose in part.poses.items()},
            tuple(frame for part in parts for frame in part.breaks),
            tuple(text for part in parts for text in part.warnings),
        )
    chains_of = {shot: _chains(part, times_s) for shot, part in by_shot.items()}
    identity: Hashable | None = None
    if box is not None:
        start_s = min(times_s.values()) if box.time_s is None else box.time_s
        main = _in_box([c for chains in chains_of.values() for c in chains], times_s, start_s, box, source)
        identity = _identity(main, everybody)
        wanted = {shots[next(iter(main))]: main}
    else:
        identity = _largest_identity(everybody)
        wanted = {}
    chosen: Chain = {}
    lost = 0
    for shot, chains in chains_of.items():
        same = [chain for chain in chains if identity is not None and _identity(chain, everybody) == identity]
        first = wanted.get(shot) or max(same, key=_weight, default=None)
        if first is not None:
            chosen |= _assembled(first, chains, times_s, anywhere=identity is None)
        elif box is None and chains:
            chosen |= max(_everybody(chains, times_s), key=_weight)
        else:
            lost += bool(chains)
    warnings = ()
    if lost:
        warnings = (
            f"{source}: the box names a person of one shot; {lost} other shots, in which nobody is known to be"
            " the same, are left without a body",
        )
    return Chosen(dict(sorted(chosen.items())), (), warnings)


def link(people: Mapping[int, Sequence[np.ndarray]], times_s: Mapping[int, float]) -> list[Chain]:
    """Chains of poses that can belong to one person each, nearest poses first."""
    chains: list[_Person] = []
    for frame in sorted(people):
        time_s = times_s[frame]
        awake = [chain for chain in chains if time_s - chain.last_s <= _LINK_WITHIN_S]
        offers = []
        for number, pose in enumerate(people[frame]):
            for place, chain in enumerate(awake):
                far = _distance(chain.last, pose)
                if far <= _reach(time_s - chain.last_s):
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


def trusted_identities(
    ids: Mapping[int, Sequence[Mapping[str, Hashable]]],
    poses: Mapping[int, Sequence[np.ndarray]],
    times_s: Mapping[int, float],
    shots: Mapping[int, int],
    keys: Iterable[str],
) -> str | None:
    """The key under which a file names people so that each name stays with one person; None if no key does.

    A name is nobody's if two people of a frame share it, if every entry has its own, or if it jumps between people.

    Args:
        ids: of everybody, by frame number.
        poses: theirs.
        times_s: the time of each frame.
        shots: the number of each frame's shot.
        keys: the most telling first.
    """
    for key in keys:
        of_frame = {frame: [one.get(key) for one in everybody] for frame, everybody in ids.items()}
        known = {frame: [name for name in names if name is not None] for frame, names in of_frame.items()}
        count, named = sum(map(len, of_frame.values())), sum(map(len, known.values()))
        if not named or 2 * named < count or any(len(set(names)) < len(names) for names in known.values()):
            continue
        if len({name for names in known.values() for name in names}) > _OWN_SHARE * named:
            continue
        if _jumps_share(of_frame, poses, times_s, shots) <= _JUMPS_SHARE:
            return key
    return None


def _jumps_share(
    names: Mapping[int, Sequence[Hashable | None]],
    poses: Mapping[int, Sequence[np.ndarray]],
    times_s: Mapping[int, float],
    shots: Mapping[int, int],
) -> float:
    """Of the steps that names make from frame to frame, the share that no person can make."""
    last: dict[Hashable, tuple[int, np.ndarray]] = {}
    steps = jumps = 0
    for frame in sorted(names):
        for name, pose in zip(names[frame], poses[frame], strict=True):
            if name is None:
                continue
            if name in last:
                before, other = last[name]
                gap_s = times_s[frame] - times_s[before]
                if gap_s <= _LINK_WITHIN_S and shots[frame] == shots[before]:
                    far = _distance(other, pose)
                    steps += bool(np.isfinite(far))
                    jumps += bool(np.isfinite(far)) and far > _reach(gap_s)
            last[name] = (frame, pose)
    return jumps / max(steps, 1)


def _chains(people: Mapping[int, Sequence[SeenPose]], times_s: Mapping[int, float]) -> list[Chain]:
    """Everybody of a shot: one chain a name, and linked poses of those who have none."""
    named: dict[Hashable, Chain] = {}
    for frame in sorted(people):
        for seen in people[frame]:
            if seen.identity is not None:
                named.setdefault(seen.identity, {})[frame] = seen.pose
    nameless = {
        frame: [seen.pose for seen in poses if seen.identity is None] for frame, poses in people.items()
    }
    return [*named.values(), *link(nameless, times_s)]


def _identity(chain: Chain, people: Mapping[int, Sequence[SeenPose]]) -> Hashable | None:
    frame, pose = next(iter(chain.items()))
    return next((seen.identity for seen in people[frame] if seen.pose is pose), None)


def _largest_identity(people: Mapping[int, Sequence[SeenPose]]) -> Hashable | None:
    sums: dict[Hashable, float] = {}
    for poses in people.values():
        for seen in poses:
            if seen.identity is not None:
                sums[seen.identity] = sums.get(seen.identity, 0.0) + _presence(seen.pose)
    return max(sums, key=lambda name: sums[name], default=None)


def _assembled(
    main: Chain, chains: Sequence[Chain], times_s: Mapping[int, float], *, anywhere: bool
) -> Chain:
    """A chain with others of the same person, before and behind it.

    Args:
        main: the chain.
        chains: everybody's in the shot.
        times_s: the time of each frame.
        anywhere: whether who was away for long may come back at any place; else only who was lost for a moment is joined.
    """
    person = [main]
    least = _LIKE_SCORE * _score(main)
    for chain in sorted((other for other in chains if other is not main), key=_weight, reverse=True):
        place = bisect([_first(part) for part in person], _first(chain))
        around = [*person[max(0, place - 1) : place], chain, *person[place : place + 1]]
        apart = all(_last(before) < _first(after) for before, after in pairwise(around))
        if (
            apart
            and _score(chain) >= least
            and all(_follows(before, after, times_s, anywhere=anywhere) for before, after in pairwise(around))
        ):
            person.insert(place, chain)
    return {frame: pose for part in person for frame, pose in part.items()}


def _everybody(chains: Sequence[Chain], times_s: Mapping[int, float]) -> list[Chain]:
    """The people whom chains without names make up, the most present first served."""
    left = sorted(chains, key=_weight, reverse=True)
    people: list[Chain] = []
    while left and len(people) < _MOST_PEOPLE:
        people.append(_assembled(left[0], left, times_s, anywhere=True))
        left = [chain for chain in left if not _holds(people[-1], chain)]
    return people


def _holds(person: Chain, chain: Chain) -> bool:
    return person.get(_first(chain)) is chain[_first(chain)]


def _only_one(people: Mapping[int, Sequence[SeenPose]], times_s: Mapping[int, float], source: str) -> Chosen:
    """A file that has one pose a frame means that one; where it jumps, it has become somebody else."""
    poses = {frame: [seen.pose for seen in seen_here] for frame, seen_here in people.items()}
    chains = sorted(link(poses, times_s), key=_first)
    main = max(chains, key=_weight, default={})
    kept: list[Chain] = []
    strays: list[Chain] = []
    breaks: list[int] = []
    for number, chain in enumerate(chains):
        following = chains[number + 1] if number + 1 < len(chains) else None
        weak = _score(chain) < _LIKE_SCORE * _score(main)
        if kept and not _follows(kept[-1], chain, times_s):
            short = times_s[_last(chain)] - times_s[_first(chain)] < _STRAY_S
            passing = short and (following is None or _follows(kept[-1], following, times_s))
            if passing or weak:
                strays.append(chain)
                continue
            breaks.append(_first(chain))
        elif not kept and weak and following is not None and not _follows(chain, following, times_s):
            strays.append(chain)
            continue
        kept.append(chain)
    warnings = ()
    if strays:
        first = _first(strays[0])
        warnings = (
            f"{source}: in {sum(map(len, strays))} frames, the first at {times_s[first]:.2f} s, the pose is"
            " elsewhere or hardly to be seen; it is left out",
        )
    merged = {frame: pose for chain in kept for frame, pose in chain.items()}
    return Chosen(dict(sorted(merged.items())), tuple(breaks), warnings)


def _follows(first: Chain, second: Chain, times_s: Mapping[int, float], *, anywhere: bool = True) -> bool:
    """Whether a chain can go on with another one; poses without common keypoints can."""
    before, after = first[_last(first)], second[_first(second)]
    gap_s = times_s[_first(second)] - times_s[_last(first)]
    both = (before[:, 2] > 0) & (after[:, 2] > 0)
    if both.sum() < 2:
        return True
    stretch = abs(np.log(_diagonal(after[both]) + 1.0) - np.log(_diagonal(before[both]) + 1.0))
    if gap_s <= _LINK_WITHIN_S:
        return _distance(before, after) <= _reach(gap_s)
    return anywhere and stretch <= _LIKE_SIZE


def _reach(gap_s: float) -> float:
    return min(_SHIFT + _SPEED_PER_S * gap_s, _FARTHEST)


def _first(chain: Chain) -> int:
    return next(iter(chain))


def _last(chain: Chain) -> int:
    return next(reversed(chain))


def _in_box(
    chains: Sequence[Chain], times_s: Mapping[int, float], start_s: float, box: PersonBox, source: str
) -> Chain:
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


def _weight(chain: Chain) -> float:
    return sum(_presence(pose) for pose in chain.values())


def _presence(pose: np.ndarray) -> float:
    """How large and how surely somebody is seen."""
    return _diagonal(pose) * float(pose[:, 2].mean())


def _score(chain: Chain) -> float:
    """Summed over keypoints, of the usual pose."""
    return float(np.median([pose[:, 2].sum() for pose in chain.values()]))


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
