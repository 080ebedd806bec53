"""Names of keypoints and joints; everything is indexed by name, left and right are the person's own."""

from __future__ import annotations

COCO_KEYPOINTS: tuple[str, ...] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""COCO's 17, in COCO's order."""

FOOT_KEYPOINTS: tuple[str, ...] = (
    "left_big_toe",
    "left_small_toe",
    "left_heel",
    "right_big_toe",
    "right_small_toe",
    "right_heel",
)
"""The six foot points of the COCO foot set, in its order."""

NETWORK_KEYPOINTS: tuple[str, ...] = (
    "left_ankle",
    "right_ankle",
    "left_knee",
    "right_knee",
    "left_hip",
    "right_hip",
    "left_wrist",
    "right_wrist",
    "left_elbow",
    "right_elbow",
    "left_shoulder",
    "right_shoulder",
)
"""The 12 input keypoints: ankles, knees, hips, shoulders, elbows, wrists (paper, section 3.2)."""

EXTENDED_KEYPOINTS: tuple[str, ...] = (
    *NETWORK_KEYPOINTS,
    "nose",
    "left_ear",
    "right_ear",
    "left_heel",
    "right_heel",
    "left_big_toe",
    "right_big_toe",
)
"""Beyond the paper: the 12 with what tells of head and feet."""

EVALUATION_JOINTS: tuple[str, ...] = (*NETWORK_KEYPOINTS, "neck", "head_top")
"""The 14 joints of evaluation; `head_top` is the crown."""


def mirrored_name(name: str) -> str:
    """The name of the same point on the other side of the body."""
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


def mirror_order(names: tuple[str, ...]) -> tuple[int, ...]:
    """Index of each name's mirror image, so that indexing with it exchanges left and right."""
    return tuple(names.index(mirrored_name(name)) for name in names)


def indices_of(wanted: tuple[str, ...], names: tuple[str, ...]) -> tuple[int, ...]:
    """Where each of `wanted` stands in `names`."""
    return tuple(names.index(name) for name in wanted)
