"""Variety of motions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.motion.clip import BodyMotion


@dataclass(frozen=True)
class VarietyConfig:
    """Shares of windows that are changed."""

    mix: float = 0.0
    warp: float = 0.0
    bend: float = 0.0

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return bool(self.mix or self.warp or self.bend)

    @staticmethod
    def none() -> VarietyConfig:
        """Nothing is changed."""
        return VarietyConfig(0.0, 0.0, 0.0)


def vary(
    window: BodyMotion, donor: BodyMotion, config: VarietyConfig, rng: np.random.Generator
) -> BodyMotion:
    """Change a window."""
    return window
