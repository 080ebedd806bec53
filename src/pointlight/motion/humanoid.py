"""A person in any skeleton: which joints are the pelvis, the limbs, the spine and the head, by names and by the tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

import numpy as np

from pointlight.errors import PointlightError
from pointlight.motion.joint_names import LEFT, RIGHT
from pointlight.motion.joint_tree import ARM_PARTS, LEG_PARTS, JointTree
from pointlight.motion.limbs import Limb, find_arm, find_leg
from pointlight.motion.turns import unit

SIDES = (LEFT, RIGHT)

_FINGERS = ("index", "middle", "ring", "pinky")

_PROPORTIONS = {
    "thigh and shin": (0.5, 2.0),
    "upper arm and forearm": (0.5, 2.0),
    "arm and leg": (0.4, 1.5),
    "trunk and leg": (0.25, 1.3),
    "foot and shin": (0.0, 0.95),
}
"""Between which ratios a person's parts lie; wide enough for drawn figures and children."""

_ON_ALL_FOURS_COSINE = 0.5


@dataclass(frozen=True)
class Humanoid:
    """Which joints of a skeleton are what of a person, by the names of our driven joints.

    Attributes:
        turns: driven joint -> index of the joint whose rotation it follows ("spine1" and the like are in `spine`).
        places: driven joint or point of a hand or foot -> indices of joints whose mean place is its place.
        spine: joints between the pelvis and the chest, from below; the last is the chest. Empty for a stiff trunk.
        missing: what the skeleton has not.
        guessed: what names didn't say.
        mirrored: its left lies at the right of where it looks.
    """

    turns: dict[str, int]
    places: dict[str, tuple[int, ...]]
    spine: tuple[int, ...]
    missing: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    mirrored: bool = False

    def place(self, point: str, positions: np.ndarray) -> np.ndarray:
        """(..., 3) where a point is, by the places (..., J, 3) of all joints."""
        return positions[..., list(self.places[point]), :].mean(-2)

    def middle(self, joint: str, positions: np.ndarray) -> np.ndarray:
        """(..., 3) between the left and the right one of a pair."""
        return 0.5 * (self.place(f"left_{joint}", positions) + self.place(f"right_{joint}", positions))

    def mapped(self) -> tuple[int, ...]:
        """All joints that count."""
        used = {joint for joints in self.places.values() for joint in joints}
        return tuple(sorted(used | set(self.turns.values()) | set(self.spine)))

    def size(self, positions: np.ndarray) -> float:
        """Length of a leg and of the trunk, in the unit of the places (S, J, 3)."""
        legs = [
            np.linalg.norm(self.place(f"{side}_{end}", positions) - self.place(f"{side}_{start}", positions), axis=-1)
            for side in SIDES
            for start, end in (("hip", "knee"), ("knee", "ankle"))
        ]  # fmt: skip
        trunk = np.linalg.norm(self.middle("shoulder", positions) - self.middle("hip", positions), axis=-1)
        return float(sum(np.median(length) for length in legs) / 2 + np.median(trunk))


@dataclass
class _Draft:
    turns: dict[str, int] = field(default_factory=dict)
    places: dict[str, tuple[int, ...]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)

    def add(self, driven: str, turn: int, place: int | None = None) -> None:
        self.turns[driven] = turn
        self.places[driven] = (turn if place is None else place,)

    def miss(self, what: str) -> None:
        if what not in self.missing:
            self.missing.append(what)


def find_humanoid(tree: JointTree) -> Humanoid:
    """The person in a skeleton.

    Raises:
        PointlightError: there is none; what is missing or unlike a person is said, as the rest of a sentence.
    """
    legs, arms = _limb_pairs(tree)
    draft = _Draft()
    for branches, find, add in ((legs, find_leg, _add_leg), (arms, find_arm, _add_arm)):
        for side, branch in zip(SIDES, branches, strict=True):
            limb = find(tree, branch)
            assert limb is not None  # _limb_pairs has looked
            add(tree, draft, side, limb)
            if not limb.by_names and "joints by their lengths" not in draft.guessed:
                draft.guessed.append("joints by their lengths")
    fork, chest = tree.parents[legs[0]], tree.parents[arms[0]]
    draft.add("pelvis", fork)
    spine = _spine(tree, fork, chest)
    if not spine:
        draft.miss("spine")
    _add_head(tree, draft, spine[-1] if spine else fork, fork, (*legs, *arms))
    found = Humanoid(draft.turns, draft.places, spine, tuple(draft.missing), tuple(draft.guessed))
    found = _with_true_sides(tree, found, (*legs, *arms))
    _check(tree, found)
    return found


def _limb_pairs(tree: JointTree) -> tuple[tuple[int, int], tuple[int, int]]:
    """The branches that begin legs and arms; of each two, left and right as names say, or in any order."""
    pairs = list(tree.pairs())
    legs = [pair for pair in pairs if all(find_leg(tree, branch) for branch in pair)]
    arms = [pair for pair in pairs if all(find_arm(tree, branch) for branch in pair)]
    best, found = -np.inf, None
    for first, second in ((leg, arm) for leg in legs for arm in arms if leg != arm):
        inside = {joint for branch in first for joint in tree.below(branch)}
        inside_arms = {joint for branch in second for joint in tree.below(branch)}
        if inside & inside_arms:
            continue
        if (score := _likeness(tree, first, second)) > best:
            best, found = score, (first, second)
    if found is None:
        count = len({frozenset(pair) for pair in pairs})
        lacking = "two legs and two arms" if count == 0 else "a second pair of limbs"
        raise PointlightError(f"has not {lacking} of a person")
    return _by_side(tree, found[0]), _by_side(tree, found[1])


def _likeness(tree: JointTree, legs: tuple[int, int], arms: tuple[int, int]) -> float:
    """How much two pairs of branches are legs and arms."""
    score = 0.0
    for pair, sign in ((legs, 1), (arms, -1)):
        chain = [joint for branch in pair for joint in tree.chain(branch)]
        told = tree.count(chain, LEG_PARTS) - tree.count(chain, ARM_PARTS)
        score += 3 * sign * told / len(chain)
        score += sum(tree.reach[branch] for branch in pair) / tree.reach.max() / 2
    above = tree.above(tree.parents[arms[0]])
    score += 1.0 if tree.parents[legs[0]] in above[1:] else 0.0
    score += 0.5 if tree.reach[legs[0]] > tree.reach[arms[0]] else 0.0
    # A head sits where the arms are.
    others = [child for child in tree.children[tree.parents[arms[0]]] if child not in (*arms, *legs)]
    return score + (0.5 if others else 0.0)


def _by_side(tree: JointTree, pair: tuple[int, int]) -> tuple[int, int]:
    first, second = pair
    return (second, first) if tree.side(tree.chain(first)) == RIGHT else pair


def _add_leg(tree: JointTree, draft: _Draft, side: str, leg: Limb) -> None:
    draft.add(f"{side}_hip", leg.carrier, leg.upper)
    draft.add(f"{side}_knee", leg.lower)
    ankle = leg.end if tree.said[leg.end].part != "end" else leg.lower
    draft.add(f"{side}_ankle", ankle, leg.end)
    ahead = tree.distinct((leg.end, *leg.after))[1:]
    toes = [joint for joint in ahead if tree.said[joint].part == "toe"] or ahead
    if not toes:
        draft.miss("toes")
        return
    # Of many toes at one foot the middle counts.
    beside = [
        j for j in tree.children[tree.parents[toes[0]]] if tree.said[j].part == "toe" and tree.lengths[j] > 0
    ]
    draft.places[f"{side}_toes"] = tuple(beside) or (toes[0],)
    draft.turns[f"{side}_toes"] = toes[0] if tree.said[toes[0]].part != "end" and len(beside) < 2 else ankle


def _add_arm(tree: JointTree, draft: _Draft, side: str, arm: Limb) -> None:
    if arm.before:
        draft.add(f"{side}_collar", arm.before[-1])
    else:
        draft.miss("collars")
    draft.add(f"{side}_shoulder", arm.carrier, arm.upper)
    draft.add(f"{side}_elbow", arm.lower)
    wrist = arm.end if tree.said[arm.end].part != "end" else arm.lower
    for joint in arm.after:  # the hand turns with the last joint before its fingers
        if tree.said[joint].part not in ("wrist", "finger", ""):
            break
        if tree.said[joint].part != "wrist" and not _same_place(tree, joint, arm.end):
            break
        wrist = joint
    draft.add(f"{side}_wrist", wrist, arm.end)
    _add_hand(tree, draft, side, arm.end)


def _add_hand(tree: JointTree, draft: _Draft, side: str, wrist: int) -> None:
    """The hand's end, and two points across it: from the little finger to the index finger, or to the thumb."""
    roots: dict[str, int] = {}
    before = tree.parents[wrist]  # a thumb may begin beside the hand, on the bone that twists the forearm
    for joint in tree.below(before if tree.said[before].part == "wrist" else wrist)[1:]:
        part = tree.said[joint].part
        if part == "thumb" or (part in (*_FINGERS, "finger") and not _same_place(tree, joint, wrist)):
            roots.setdefault(part, joint)
    fingers = [roots[part] for part in _FINGERS if part in roots]
    fingers = fingers if len(fingers) >= 2 else _numbered_fingers(tree, wrist) or fingers
    if len(fingers) >= 2:
        draft.places[f"{side}_hand_tip"] = tuple(fingers)
        draft.places[f"{side}_thumb_root"], draft.places[f"{side}_thumb_tip"] = (fingers[-1],), (fingers[0],)
        return
    tip = fingers or ([roots["finger"]] if "finger" in roots else [])
    if not tip or "thumb" not in roots:
        draft.miss("hands")
        return
    thumb = tree.below(roots["thumb"])
    draft.places[f"{side}_hand_tip"] = (tip[0],)
    draft.places[f"{side}_thumb_root"] = (wrist,)
    draft.places[f"{side}_thumb_tip"] = (thumb[min(1, len(thumb) - 1)],)


def _same_place(tree: JointTree, first: int, second: int) -> bool:
    return bool(np.linalg.norm(tree.places[0, first] - tree.places[0, second]) <= 1e-6 * tree.reach.max())


def _numbered_fingers(tree: JointTree, wrist: int) -> list[int]:
    """Fingers that are only counted, without the thumb, which is the first of five."""
    below = [joint for joint in tree.below(wrist)[1:] if tree.said[joint].part == "finger"]
    roots = [joint for joint in below if tree.said[tree.parents[joint]].part != "finger"]
    palm = [joint for joint in roots if "carp" in tree.names[joint].lower()]
    roots = sorted(palm if len(palm) >= 2 else roots, key=lambda joint: tree.names[joint])
    if palm and len(palm) >= 2:
        return roots
    return roots[1:] if len(roots) == 5 else []


def _spine(tree: JointTree, fork: int, chest: int) -> tuple[int, ...]:
    """The joints above the pelvis up to the chest."""
    below = set(tree.above(fork))
    way = [joint for joint in tree.above(chest) if joint not in below]
    return tuple(joint for joint in reversed(way))


def _add_head(tree: JointTree, draft: _Draft, chest: int, fork: int, limbs: Sequence[int]) -> None:
    """The head by its name, or as the end of what else is on the chest."""
    taken = {joint for limb in limbs for joint in tree.below(limb)} | set(tree.above(chest)) | {fork}
    free = [joint for joint in tree.below(chest) if joint not in taken and tree.said[joint].side == ""]
    named = [joint for joint in free if tree.said[joint].part == "head"]
    if not named:
        starts = [
            j
            for j in tree.children[chest]
            if j in free and tree.real[j] and tree.lengths[j] + tree.reach[j] > 0
        ]
        chain = tree.chain(max(starts, key=lambda j: tree.lengths[j] + tree.reach[j])) if starts else ()
        chain = tuple(joint for joint in chain if tree.said[joint].part != "end")
        named = [joint for joint in chain if tree.said[joint].part == "neck"][-1:] or list(
            chain[1:2] or chain
        )
        if not named:
            draft.miss("head")
            return
        if not chain or tree.said[named[0]].part != "neck":
            draft.guessed.append("head by the tree")
        else:
            draft.miss("head above the neck")
    draft.add("head", named[0])
    above = [joint for joint in tree.children[named[0]] if tree.lengths[joint] > 0]
    ends = [joint for joint in above if tree.said[joint].part == "end"] or above
    if ends:
        draft.places["head_end"] = (max(ends, key=lambda joint: tree.lengths[joint]),)


def _with_true_sides(tree: JointTree, found: Humanoid, branches: Sequence[int]) -> Humanoid:
    """Sides as names say them, else by where feet point and knees bend; a mirrored file is known by them too."""
    sides = [tree.side(tree.chain(branch)) for branch in branches]
    if not any(sides[:2]):
        if facing_vote(tree, found) < 0:
            found = _exchanged(found, ("hip", "knee", "ankle", "toes"))
        found = replace(found, guessed=(*found.guessed, "left and right by feet and knees"))
    elif facing_vote(tree, found) < -1.0:
        found = replace(
            found, mirrored=True, guessed=(*found.guessed, "mirrored: its left lies at the right")
        )
    if not any(sides[2:]):
        shoulders = found.place("left_shoulder", tree.places) - found.place("right_shoulder", tree.places)
        hips = found.place("left_hip", tree.places) - found.place("right_hip", tree.places)
        if (unit(shoulders) * unit(hips)).sum(-1).mean() < 0:
            names = ("collar", "shoulder", "elbow", "wrist", "hand_tip", "thumb_root", "thumb_tip")
            found = _exchanged(found, names)
    return found


def facing_vote(tree: JointTree, found: Humanoid) -> float:
    """How well left and right agree with where feet point and which way knees bend; from -2 to 2."""
    places = tree.places
    across = unit(found.place("left_hip", places) - found.place("right_hip", places))
    up = unit(found.middle("shoulder", places) - found.middle("hip", places))
    vote = 0.0
    for side in SIDES:
        hip, knee, ankle = (found.place(f"{side}_{joint}", places) for joint in ("hip", "knee", "ankle"))
        bend = np.cross(unit(knee - hip), unit(ankle - knee))
        vote += 0.5 * float(np.clip((bend * across).sum(-1).mean() / 0.15, -1, 1))
        if f"{side}_toes" in found.places:
            toes = unit(found.place(f"{side}_toes", places) - ankle)
            vote += 0.5 * float(np.clip((np.cross(up, toes) * across).sum(-1).mean() / 0.3, -1, 1))
    return vote


def _exchanged(found: Humanoid, joints: Sequence[str]) -> Humanoid:
    swap = {f"{a}_{joint}": f"{b}_{joint}" for a, b in permutations(SIDES) for joint in joints}
    return replace(
        found,
        turns={swap.get(name, name): joint for name, joint in found.turns.items()},
        places={swap.get(name, name): joints for name, joints in found.places.items()},
    )


def _check(tree: JointTree, found: Humanoid) -> None:
    """Refuse what has the limbs of a person and not its proportions, or goes on all fours at rest and always."""
    places = tree.places

    def length(start: str, end: str) -> float:
        across = found.place(f"left_{end}", places) - found.place(f"left_{start}", places)
        return float(np.median(np.linalg.norm(across, axis=-1)))

    thigh, shin, upper, fore = (
        length(*pair)
        for pair in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    )
    foot = length("ankle", "toes") if "left_toes" in found.places else 0.0
    trunk = float(np.median(np.linalg.norm(_trunk(found, places), axis=-1)))
    ratios = (
        *(thigh / max(shin, 1e-9), upper / max(fore, 1e-9)),
        *((upper + fore) / max(thigh + shin, 1e-9), trunk / max(thigh + shin, 1e-9), foot / max(shin, 1e-9)),
    )
    for (what, (low, high)), ratio in zip(_PROPORTIONS.items(), ratios, strict=True):
        if not low <= ratio <= high:
            raise PointlightError(f"has not a person's proportions ({what} as {ratio:.2f} to 1)")
    if all(_on_all_fours(found, where).mean() > 0.9 for where in (tree.rest[None], places)):
        raise PointlightError("goes on all fours at rest and in motion, as animals do")


def _trunk(found: Humanoid, places: np.ndarray) -> np.ndarray:
    return found.middle("shoulder", places) - found.middle("hip", places)


def _on_all_fours(found: Humanoid, places: np.ndarray) -> np.ndarray:
    """(S,) whether arms reach where the legs do, across the trunk."""
    trunk = unit(_trunk(found, places))
    legs = unit(found.middle("ankle", places) - found.middle("hip", places))
    arms = unit(found.middle("wrist", places) - found.middle("shoulder", places))
    across = np.abs((trunk * legs).sum(-1)) < _ON_ALL_FOURS_COSINE
    return across & ((arms * legs).sum(-1) > _ON_ALL_FOURS_COSINE)
