"""What the name of a joint says: its side, and which part of a person it is.

Programs write "mixamorig:LeftUpLeg", "Bip01 L Thigh", "thigh.L", "upperleg01.L", "lfemur" or "J_Bip_L_UpperLeg".
Some words mean two things ("LeftShoulder" is the collar bone where a "LeftArm" follows); these stay open here, and the
tree decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LEFT, RIGHT = "left", "right"

_SIDES = {
    **dict.fromkeys(("l", "left", "lft", "lt", "links", "izq", "gauche", "左"), LEFT),
    **dict.fromkeys(("r", "right", "rgt", "rt", "rechts", "der", "droite", "右"), RIGHT),
}

_WORDS: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hips", "root", "cog", "reference"),
    "spine": (
        *("spine", "chest", "torso", "abdomen", "waist", "lowerback", "upperback", "thorax", "ribcage", "back", "lumbar"),
        *("trunk", "stomach", "belly", "body", "vertebra", "lowerspine", "upperspine", "middlespine", "spinelower"),
        *("spineupper", "spinemiddle", "upperchest", "lowerchest", "abdomenlower", "abdomenupper", "chestlower"),
        *("chestupper", "sternum"),
    ),
    "neck": ("neck", "lowerneck", "upperneck", "necklower", "neckupper"),
    "head": ("head", "skull"),
    "hip": ("hip",),
    "before_hip": ("hipjoint", "buttock", "buttocks", "butt", "glute"),
    "thigh": ("thigh", "femur", "upleg", "upperleg", "legup", "legupper", "upperlimb", "thighbend", "uppleg"),
    "leg": ("leg",),
    "shin": ("shin", "calf", "tibia", "knee", "lowerleg", "lowleg", "leglower", "leglow", "shank", "crus", "downleg"),
    "foot": ("foot", "ankle", "feet"),
    "toe": ("toe", "toes", "toebase", "ball", "football", "toeball", "forefoot", "foottoe", "bigtoe"),
    "collar": ("collar", "clavicle", "clav", "scapula", "collarbone", "shoulderblade", "clavicula", "scap"),
    "shoulder": ("shoulder",),
    "arm": ("arm",),
    "upper_arm": ("upperarm", "uparm", "armup", "armupper", "humerus", "shldr", "bicep", "shldrbend", "upparm"),
    "forearm": (
        *("forearm", "lowerarm", "lowarm", "elbow", "radius", "ulna", "armlower", "armlow", "forearmbend", "downarm"),
        "armfore",
    ),
    "wrist": ("wrist", "hand", "handwrist", "palm"),
    "thumb": ("thumb", "handthumb", "fingerthumb", "thumbfinger"),
    "index": ("index", "handindex", "indexfinger", "fingerindex", "pointer", "forefinger"),
    "middle": ("middle", "mid", "handmiddle", "middlefinger", "fingermiddle", "handmid"),
    "ring": ("ring", "handring", "ringfinger", "fingerring"),
    "pinky": ("pinky", "little", "handpinky", "pinkyfinger", "littlefinger", "pinkie", "handlittle", "fingerpinky"),
    "finger": ("finger", "fingers", "fingerbase", "handfinger", "metacarpal", "carpal", "knuckle"),
}  # fmt: skip

_PARTS = {word: part for part, words in _WORDS.items() for word in words}

_ASIDE = re.compile(
    r"twist|roll|^adj|corrective|helper|^ik|ik$|pole|target|ctrl|control|effector|locator|nub|prop|weapon|sword|gun|"
    r"attach|socket|camera|light|breast|pec|hair|eye|jaw|tongue|brow|lip|cheek|teeth|tooth|^lid|^ear$|nose|chin|fac|"
    r"skirt|cloth|tail|wing|mouth|hat$|bag|shield|stick|ball_?joint|muscle|marker|dummy|heel|helmet|cape|scarf|belt"
)
"""Words of joints that are no link of a limb: helpers, face, clothes, things that are held."""

_END = re.compile(r"^(end|nub|tip|site|top|null|leaf)$")

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]")
_FILLERS = frozenset(
    (
        "joint",
        "jnt",
        "jt",
        "jo",
        "bone",
        "bn",
        "skeleton",
        "skel",
        "sk",
        "def",
        "org",
        "bind",
        "rig",
        "base",
        "part",
        "seg",
    )
)
_COMMON_SHARE = 0.6
"""A word that so many joints have is a prefix of the program, whatever it means."""


@dataclass(frozen=True)
class JointName:
    """What a name says.

    Attributes:
        side: "left", "right" or "".
        part: a key of the vocabulary, "aside" for joints that are no link of a limb, "end" for ends, "" where nobody knows.
    """

    side: str
    part: str


def read_names(names: Sequence[str]) -> tuple[JointName, ...]:
    """What the names of one skeleton say; words that most of its names have are left out."""
    tokens = [_tokens(name) for name in names]
    counts = Counter(token for found in tokens for token in set(found) if token not in _SIDES)
    common = {
        token for token, count in counts.items() if len(names) > 4 and count >= _COMMON_SHARE * len(names)
    }
    return tuple(_read([token for token in found if token not in common] or found) for found in tokens)


def _tokens(name: str) -> list[str]:
    own = re.split(r"[:|]", name)[-1]
    return [token.lower() for token in _TOKEN.findall(own)]


def _read(tokens: list[str]) -> JointName:
    side, words = "", []
    for token in tokens:
        if token in _SIDES and not side:
            side = _SIDES[token]
        elif not token.isdigit():
            words.append(token)
    if words and _END.match(words[-1]) and len(words) > 1:
        return JointName(side or _read(words[:-1]).side, "end")
    kept = [word for word in words if word not in _FILLERS]
    part = _PARTS.get("".join(words)) or _part(kept or words)
    if part is None and not side:
        side, part = _glued(kept or words)
    if part == "hip" and not side:
        part = "pelvis"
    return JointName(side, part or "")


def _part(words: list[str]) -> str | None:
    """The part that words name together, or the most telling one of them; None for unknown words."""
    joined = "".join(words)
    if joined in _PARTS:
        return _PARTS[joined]
    if any(_ASIDE.search(word) for word in words):
        return "aside"
    for length in (3, 2, 1):  # the last words say most: "hand thumb", "toe base"
        for start in range(len(words) - length, -1, -1):
            if (part := _PARTS.get("".join(words[start : start + length]))) is not None:
                return part
    return None


def _glued(words: list[str]) -> tuple[str, str]:
    """Side and part of names without a gap: "lfemur", "leftupleg", "footl"."""
    joined = "".join(words)
    for mark, side in (("left", LEFT), ("right", RIGHT), ("l", LEFT), ("r", RIGHT)):
        for rest in (joined.removeprefix(mark), joined.removesuffix(mark)):
            if rest != joined and rest in _PARTS:
                return side, _PARTS[rest]
            if rest != joined and len(mark) > 1 and _ASIDE.search(rest):
                return side, "aside"
    return "", ""
