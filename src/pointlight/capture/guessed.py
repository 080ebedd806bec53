"""Which parts of a body are a guess in a frame, since the detector did not see the joints at their ends."""

from __future__ import annotations

import numpy as np

from pointlight.capture.capture import Capture

_RESTS_ON = {
    "hip": ("hip", "knee"),
    "knee": ("knee", "ankle"),
    "ankle": ("ankle",),
    "toes": ("ankle",),
    "shoulder": ("shoulder", "elbow"),
    "elbow": ("elbow", "wrist"),
    "wrist": ("wrist",),
}
"""Joints of evaluation at the ends of what a body joint moves, of each side; trunk and head rest on many joints."""


def guessed_limbs(capture: Capture) -> np.ndarray:
    """(T, J) bool, what each body joint moves is a limb of which an end was not seen: the thigh is `left_hip`'s.

    Trunk and head are never said to be guessed, nor are joints that the keypoints don't know at all, nor frames without
    a body.

    Args:
        capture: one person's.

    Example:
        >>> import pointlight
        >>> from pointlight.capture import guessed_limbs
        >>> capture = pointlight.Capture.load("poses.npz")
        >>> guessed_limbs(capture).shape
        (15, 22)
    """
    guessed = np.zeros((len(capture), len(capture.body_joint_names)), bool)
    for column, name in enumerate(capture.body_joint_names):
        side, _, part = name.partition("_")
        ends = [f"{side}_{end}" for end in _RESTS_ON.get(part, ())]
        known = [capture.joint_names.index(end) for end in ends if end in capture.keypoint_names]
        guessed[:, column] = capture.valid & ~capture.seen[:, known].all(1)
    return guessed
