"""One person, ready to be written: the capture, its motion in the world, the same on the wanted rig."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from pointlight.body import AnnyBody
from pointlight.capture import Capture
from pointlight.export.landmarks import landmarks
from pointlight.export.rigged import Rigged, rigged
from pointlight.export.rigs import Rig
from pointlight.export.surface import Surface
from pointlight.export.world_motion import WorldMotion
from pointlight.motion import BodyRig
from pointlight.values import by_value

UNITS = {"m": 1.0, "cm": 100.0, "mm": 1000.0}
"""Units per metre."""


@by_value
@dataclass(frozen=True)
class Person:
    """One person of a result.

    Attributes:
        capture: as predict made it.
        motion: in the world, at even times, without gaps.
        body: what both were made with.
        hinges: of the body.
        rig: the skeleton that is written.
        t_pose: at rest it stands in a T-pose even if the rig's rest is another.
        unit: "m", "cm" or "mm" where the format leaves it open; None for the format's habit.
        video: path of the video, "" where it is not known.
        figure: what the surface looks like.
    """

    capture: Capture
    motion: WorldMotion
    body: AnnyBody
    hinges: BodyRig
    rig: Rig
    t_pose: bool
    unit: str | None
    video: str = ""
    figure: str = "neutral"

    @property
    def shape(self) -> torch.Tensor:
        """(S,) of the body."""
        return torch.from_numpy(self.motion.shape)

    @cached_property
    def rigged(self) -> Rigged:
        """The motion on the rig."""
        marks = landmarks(self.body, self.hinges, self.shape)
        return rigged(self.motion, self.rig, marks, self.hinges, self.t_pose)

    @cached_property
    def surface(self) -> Surface:
        """The person's skin at rest."""
        return Surface.of(self.body, self.shape, self.figure)

    def unit_or(self, usual: str) -> str:
        """The wanted unit, or the usual one."""
        return self.unit or usual
