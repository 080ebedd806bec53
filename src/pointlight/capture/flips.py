"""Limbs whose depth was guessed the other way round in the middle of a video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.capture.capture import SEEN_SCORE, Capture

LIMBS = tuple(
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)
"""Upper and lower end of each."""

_NAMES = {"shoulder": "upper arm", "elbow": "forearm", "hip": "thigh", "knee": "shin"}

CLEARLY = 0.4
"""Share of its length by which a limb has to point away from the camera, and then towards it."""

LONGEST_S = 1.5
"""From one to the other."""

SHORT = 0.85
"""A limb that swings from one to the other is seen in its full length in between; shorter than this share it was not."""


@dataclass(frozen=True)
class DepthFlip:
    """A limb that is said to have swung to the other side in depth, while its picture says that it did not.

    Attributes:
        limb: such as "right thigh".
        time_s: when it passes the picture's plane, seconds since the video's first frame.
    """

    limb: str
    time_s: float


def depth_flips(capture: Capture) -> tuple[DepthFlip, ...]:
    """Likely flips, in the order of time.

    One view does not tell whether a limb points away from the camera or towards it. A limb that goes from one to the other
    passes through the picture's plane, where it is seen in its full length; where the detections never show that length, one
    of the two directions is likely wrong. Which one, nobody knows.

    Args:
        capture: of one person.
    """
    found = [
        DepthFlip(f"{upper.split('_')[0]} {_NAMES[upper.split('_')[1]]}", time_s)
        for upper, lower in LIMBS
        if {upper, lower} <= set(capture.keypoint_names)
        for time_s in _of_limb(capture, upper, lower)
    ]
    return tuple(sorted(found, key=lambda flip: flip.time_s))


def _of_limb(capture: Capture, upper: str, lower: str) -> list[float]:
    away, shown = _away_and_shown(capture, upper, lower)
    clear = np.flatnonzero(capture.valid & (np.abs(away) >= CLEARLY))
    times = []
    for before, after in zip(clear[:-1].tolist(), clear[1:].tolist(), strict=True):
        stretch = slice(before, after + 1)
        if away[before] * away[after] > 0 or capture.shot[before] != capture.shot[after]:
            continue
        if capture.time_s[after] - capture.time_s[before] > LONGEST_S or not capture.valid[stretch].all():
            continue
        lengths = shown[stretch]
        seen = np.isfinite(lengths)
        if seen.mean() >= 0.5 and lengths[seen].max() < SHORT:
            crossing = before + int(np.abs(away[stretch]).argmin())
            times.append(round(float(capture.time_s[crossing]), 3))
    return times


def _away_and_shown(capture: Capture, upper: str, lower: str) -> tuple[np.ndarray, np.ndarray]:
    """(T,) how far the limb points away from the camera, and how long its detections show it; both in its lengths."""
    ends = [capture.joint_names.index(name) for name in (upper, lower)]
    limb_m = np.diff(capture.joints_camera_m[:, ends].astype(np.float64), axis=1)[:, 0]
    length_m = np.linalg.norm(limb_m, axis=1)
    points = capture.keypoints_px[:, [capture.keypoint_names.index(name) for name in (upper, lower)]].astype(
        float
    )
    middle_m = capture.joints_camera_m[:, ends, 2].mean(1) + capture.translation_camera_m[:, 2]
    seen_m = np.linalg.norm(points[:, 1, :2] - points[:, 0, :2], axis=1) * middle_m / capture.focal_px
    with np.errstate(invalid="ignore", divide="ignore"):
        away, shown = limb_m[:, 2] / length_m, seen_m / length_m
    shown[(points[..., 2] < SEEN_SCORE).any(1)] = np.nan
    return np.nan_to_num(away), shown
