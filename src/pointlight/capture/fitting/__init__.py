"""One person's 2D track to a moving body: windows of the network, the body's place, the fit to the keypoints.

No video is read here.
"""

from pointlight.capture.fitting.lifting import (
    LiftedTrack,
    Track2D,
    grid_times,
    lift,
    observation_of,
    on_the_grid,
)
from pointlight.capture.fitting.placing import place_body
from pointlight.capture.fitting.refine import RefineConfig, refine

__all__ = [
    "LiftedTrack",
    "RefineConfig",
    "Track2D",
    "grid_times",
    "lift",
    "observation_of",
    "on_the_grid",
    "place_body",
    "refine",
]
