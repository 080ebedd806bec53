"""A source clip by the names of our joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HAND_POINTS = ("hand_tip", "thumb_root", "thumb_tip")
"""What a source must have of a hand for its palm to be followed."""

World = dict[str, np.ndarray]
"""Driven joint -> (T, 3, 3) rotation from rest to world axes."""


@dataclass(frozen=True)
class SourcePose:
    """A clip by the names of our joints.

    Attributes:
        rotations: driven joint -> (T, 3, 3) world rotation of the source joint that it follows.
        places: driven joint or point of the hand -> (T, 3), metres.
        rest: the same points -> (3,) at rest, metres.
    """

    rotations: World
    places: dict[str, np.ndarray]
    rest: dict[str, np.ndarray]
