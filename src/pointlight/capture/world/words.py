"""What a world rests on, in words, and the sentence that warns where something could not be known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pointlight.capture.capture import World
from pointlight.capture.world.gravity import Known, Up

UNSURE_RAD = np.radians(9.0)
"""Up that may be farther off is said to be unsure."""

FROM_POSES = "up and floor from how the body holds itself and where its feet stand"
STILL = "the camera stands still"
TAKEN_STILL = "the camera is taken to stand still, since no picture was looked at"
NOBODY = "nobody is in this shot"
UNSURE = "up is unsure, since the body is hardly ever upright"
MOVING = (
    "the camera moves: its tilt is taken as fixed, the path is put together from standing feet, and turns of the camera are"
    " not told from turns of the person"
)
NO_FEET = "no foot is seen to stand, so that the floor is put below the lowest sole"

_WHAT_HELPS = {
    UNSURE: "say it with --camera-pitch and --camera-roll, or --up",
    MOVING: "--camera static says that it stands still",
    NO_FEET: "",
}


def source_words(known: Known, up: Up, moving: bool | None, stands: bool) -> str:
    """What a world rests on.

    Args:
        known: what was given.
        up: what was found.
        moving: whether the camera moves; None if nobody has looked.
        stands: whether any foot ever does.
    """
    words = [known.words or FROM_POSES]
    if not known.whole and up.spread_rad > UNSURE_RAD:
        words.append(UNSURE)
    words.append(TAKEN_STILL if moving is None else MOVING if moving else STILL)
    if not stands:
        words.append(NO_FEET)
    return "; ".join(words)


def words_of_worlds(worlds: Sequence[World], time_s: np.ndarray, shot: np.ndarray) -> list[str]:
    """A sentence on everything that could not be known, of all people and shots.

    Args:
        worlds: of the people of one video.
        time_s: (T,) of its frames.
        shot: (T,) number of each frame's shot.
    """
    told = []
    shots = len(worlds[0].world_source)
    for what, helps in _WHAT_HELPS.items():
        there = [n for n in range(shots) if any(what in world.world_source[n] for world in worlds)]
        if not there:
            continue
        begins = ", ".join(f"{time_s[np.flatnonzero(shot == number)[0]]:.2f}" for number in there)
        where = f" (in the shots from {begins} s on)" if shots > 1 else ""
        told.append(f"the world: {what}{where}" + (f"; {helps}" if helps else ""))
    return told
