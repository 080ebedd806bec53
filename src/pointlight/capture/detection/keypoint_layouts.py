"""In which order programs write a person's keypoints, and how to tell a wrong order by the limbs that it makes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointlight.body import COCO_KEYPOINTS, FOOT_KEYPOINTS
from pointlight.errors import PointlightError


def _sided(*parts: str) -> tuple[str, ...]:
    """All parts of the right side, then all of the left, as OpenPose orders limbs."""
    return tuple(f"{side}_{part}" for side in ("right", "left") for part in parts)


_ARMS = _sided("shoulder", "elbow", "wrist")
_LEGS = _sided("hip", "knee", "ankle")
_FACE = (*_sided("eye"), *_sided("ear"))

OPENPOSE_BODY_25: tuple[str, ...] = ("nose", "neck", *_ARMS, "mid_hip", *_LEGS, *_FACE, *FOOT_KEYPOINTS)
"""OpenPose's BODY_25, in its order."""

OPENPOSE_BODY_25B: tuple[str, ...] = (*COCO_KEYPOINTS, "neck", "head_top", *FOOT_KEYPOINTS)
"""OpenPose's BODY_25B: as many as BODY_25, in another order."""

OPENPOSE_COCO_18: tuple[str, ...] = ("nose", "neck", *_ARMS, *_LEGS, *_FACE)
"""OpenPose's COCO model, in its order."""

HALPE_26: tuple[str, ...] = (
    *COCO_KEYPOINTS,
    *("head_top", "neck", "mid_hip"),
    *(f"{side}_{part}" for part in ("big_toe", "small_toe", "heel") for side in ("left", "right")),
)
"""Halpe's body, in its order; AlphaPose writes it."""

HUMAN36M_17: tuple[str, ...] = (
    *("mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("spine", "neck", "nose", "head_top"),
    *("left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
)
"""Human3.6M's 17 as lifting networks take them: as many as COCO's, in another order."""


@dataclass(frozen=True)
class Layout:
    """An order of keypoints.

    Attributes:
        key: what `--keypoint-format` calls it.
        title: its usual name.
        names: of its points; behind them may stand more that nobody asks for.
        count: how many points it has with those.
    """

    key: str
    title: str
    names: tuple[str, ...]
    count: int


def _layout(key: str, title: str, names: tuple[str, ...], count: int | None = None) -> Layout:
    return Layout(key, title, names, count or len(names))


LAYOUTS: dict[str, Layout] = {
    layout.key: layout
    for layout in (
        _layout("coco17", "COCO-17", COCO_KEYPOINTS),
        _layout("coco18", "COCO-17 with the neck last", (*COCO_KEYPOINTS, "neck")),
        _layout("openpose18", "OpenPose COCO-18", OPENPOSE_COCO_18),
        _layout("body25", "OpenPose BODY_25", OPENPOSE_BODY_25),
        _layout("body25b", "OpenPose BODY_25B", OPENPOSE_BODY_25B),
        _layout("halpe26", "Halpe-26", HALPE_26),
        _layout("halpe136", "Halpe-136", HALPE_26, 136),
        _layout("wholebody133", "COCO-WholeBody", (*COCO_KEYPOINTS, *FOOT_KEYPOINTS), 133),
        _layout("h36m17", "Human3.6M-17", HUMAN36M_17),
    )
}
"""By their keys."""

_USUAL: dict[str, tuple[str, ...]] = {
    "OpenPose": ("body25", "openpose18"),
    "COCO": ("coco17", "halpe26", "halpe136", "wholebody133"),
    "MMPose": ("coco17", "halpe26", "wholebody133"),
}
"""What a kind of file holds unless somebody says otherwise."""

_LIMBS: dict[tuple[str, str], float] = {
    ("left_shoulder", "right_shoulder"): 0.85,
    ("left_hip", "right_hip"): 0.55,
    **{
        (f"{side}_{near}", f"{side}_{far}"): length
        for side in ("left", "right")
        for (near, far), length in {
            ("shoulder", "elbow"): 0.7,
            ("elbow", "wrist"): 0.62,
            ("hip", "knee"): 1.0,
            ("knee", "ankle"): 0.95,
        }.items()
    },
}
"""Lengths of limbs in thighs, roughly."""
_FEWEST_POSES = 0.1
_FEWEST_LIMBS = 6
_ODD = 0.3
_ODDER = 2.5
"""Limbs are no person's if they differ so much in the logarithm from what limbs are, and so many times as much as those
that another order makes: a wrong order joins points across the body."""


def find_layout(key: str) -> Layout:
    """The layout of a key.

    Raises:
        PointlightError: there is none.
    """
    if key not in LAYOUTS:
        raise PointlightError(f"there is no keypoint format {key!r}; give one of {', '.join(LAYOUTS)}")
    return LAYOUTS[key]


def layout_for(kind: str, count: int, path: Path) -> Layout:
    """What a file of that kind holds that has so many keypoints a person.

    Raises:
        PointlightError: that can't be told from the count.
    """
    usual = [LAYOUTS[key] for key in _USUAL[kind]]
    for layout in usual:
        if layout.count == count:
            return layout
    known = ", ".join(f"{layout.title} with {layout.count}" for layout in usual)
    other = [layout.key for layout in LAYOUTS.values() if layout.count == count]
    remedy = f"say their order with --keypoint-format {' or '.join(other)}" if other else "give one of these"
    raise PointlightError(
        f"{path} has {count} keypoints a person, and {kind} files are read with {known}; {remedy}"
    )


def named_layout(names: Sequence[str]) -> Layout:
    """A layout that a file states itself, in whatever spelling."""
    return _layout("stated", "stated", tuple(_plain(name) for name in names))


def check_order(layout: Layout, poses: Sequence[np.ndarray], path: Path) -> None:
    """See that the order makes a person, where another one with as many points is known.

    Args:
        layout: the order that is supposed.
        poses: (N, 3) each: x, y, score.
        path: the file, for the sentence.

    Raises:
        PointlightError: another order makes much shorter limbs.
    """
    others = [other for other in LAYOUTS.values() if other.count == layout.count and other != layout]
    if not others:
        return
    stacked = np.stack(poses)
    own = _oddness(layout, stacked)
    for other in others:
        its = _oddness(other, stacked)
        if own is not None and its is not None and own > max(_ODD, _ODDER * its):
            raise PointlightError(
                f"{path} looks like {other.title} and not like {layout.title}, which has as many keypoints:"
                f" its limbs would be no person's; give --keypoint-format {other.key}, or {layout.key} if it is"
            )


def _oddness(layout: Layout, poses: np.ndarray) -> float | None:
    """How far the lengths of limbs (P, N, 3) are from a person's, root mean square of logarithms; None if few are seen."""
    ends = np.array([[layout.names.index(name) for name in limb] for limb in _LIMBS])
    near, far = poses[:, ends[:, 0]], poses[:, ends[:, 1]]
    seen = (near[..., 2] > 0) & (far[..., 2] > 0)
    known = seen.mean(0) >= _FEWEST_POSES
    if known.sum() < _FEWEST_LIMBS:
        return None
    lengths = np.where(seen, np.linalg.norm(near[..., :2] - far[..., :2], axis=-1), np.nan)[:, known]
    # People turn and bend: a limb is as long as it is often enough seen.
    longest = np.nanquantile(lengths, 0.8, axis=0)
    return float(np.log(np.maximum(longest, 1e-6) / np.array(list(_LIMBS.values()))[known]).std())


_MIDDLES = {"head": "head_top", "hip": "mid_hip", "pelvis": "mid_hip", "root": "mid_hip", "thorax": "neck"}


def _plain(name: str) -> str:
    """A keypoint's name in our spelling: "L-Shoulder", "leftShoulder" and "LShoulder" are `left_shoulder`."""
    word = (
        name
        if name.isupper()
        else re.sub(r"(?<=[a-z])(?=[A-Z])|^(?=[LR][A-Z])|(?<=^[LR])(?=[A-Z])", "_", name)
    )
    parts = [part for part in re.split(r"[\W_]+", word.lower()) if part]
    sides = {"l": "left", "r": "right", "left": "left", "right": "right"}
    side = next((sides[part] for part in (*parts[:1], *parts[-1:]) if part in sides), None)
    rest = "_".join(part for part in parts if side is None or part not in sides)
    rest = re.sub("^(big|small)toe$", r"\1_toe", rest)
    return f"{side}_{rest}" if side else _MIDDLES.get(rest, rest)
