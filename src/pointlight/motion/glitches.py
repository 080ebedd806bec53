"""Finding where a recording jumps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from pointlight.motion.clip import MotionClip

GLITCH_M_S = 15.0
"""No joint of these recordings truly moves faster (0.5 m in 1/30 s); fast hands and feet are lost with it."""


def glitch_frames(clip: MotionClip) -> tuple[int, ...]:
    """Frames that some joint reaches from the frame before with more than `GLITCH_M_S`."""
    if clip.frames < 2:
        return ()
    steps_m = np.linalg.norm(np.diff(clip.positions_world_m(), axis=0), axis=-1)
    return tuple((np.flatnonzero((steps_m * clip.fps > GLITCH_M_S).any(-1)) + 1).tolist())


def whole_spans(frames: int, glitches: tuple[int, ...], shortest: int) -> tuple[tuple[int, int], ...]:
    """(start, stop) of the pieces between glitches that have at least `shortest` frames."""
    edges = (0, *glitches, frames)
    spans = pairwise(edges)
    return tuple((start, stop) for start, stop in spans if stop - start >= shortest)
