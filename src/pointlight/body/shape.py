"""The body's shape: six numbers in [0, 1], drawn like a population of adults.

The numbers are Anny's phenotypes. Between Anny's anchors the body is linear in each of them, so it is
continuous and piecewise smooth; outside [0, 1] it is held.
"""

from __future__ import annotations

import numpy as np

SHAPE_NAMES: tuple[str, ...] = ("gender", "age", "muscle", "weight", "height", "proportions")
"""gender: 0 male, 1 female; age: 0 baby, 1/3 child, 2/3 young adult, 1 old; the others from least to most."""

ADULT_AGE: tuple[float, float] = (2 / 3, 0.95)

HEIGHT_BETA: dict[str, tuple[float, float]] = {"male": (16.5, 25.65), "female": (13.68, 25.75)}
"""Anny's Beta distributions of `height` for adults, calibrated by its authors to WHO's tables."""

WEIGHT_BETA = (2.2, 3.0)
MUSCLE_BETA = (3.0, 3.0)
PROPORTIONS_BETA = (1.2, 2.0)
"""Ours: Anny's own tables for these are U-shaped (most people at an extreme) or flat."""

MEAN_ADULT_SHAPE: tuple[float, ...] = (0.5, 0.75, 0.5, 0.42, 0.37, 0.35)
"""The middle of the distribution; 1.70 m tall."""


def sample_adult_shapes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw `count` adults, (count, 6) float32; half of them men, a body between the sexes now and then."""
    female = rng.random(count) < 0.5
    gender = np.abs(female - 0.5 * rng.random(count) ** 3)
    height = np.where(female, rng.beta(*HEIGHT_BETA["female"], count), rng.beta(*HEIGHT_BETA["male"], count))
    columns = (
        gender,
        rng.uniform(*ADULT_AGE, count),
        rng.beta(*MUSCLE_BETA, count),
        rng.beta(*WEIGHT_BETA, count),
        height,
        rng.beta(*PROPORTIONS_BETA, count),
    )
    return np.stack(columns, axis=-1).astype(np.float32)
