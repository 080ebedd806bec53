"""The body's shape: six numbers in [0, 1], drawn like a population of adults.

The numbers are Anny's phenotypes. Between Anny's anchors the body is linear in each of them, so it is
continuous and piecewise smooth; outside [0, 1] it is held.
"""

from __future__ import annotations

import numpy as np

SHAPE_NAMES: tuple[str, ...] = ("gender", "age", "muscle", "weight", "height", "proportions")
"""gender: 0 male, 1 female; age: 0 baby, 1/3 child, 2/3 young adult, 1 old; the others from least to most."""

ADULT_AGE: tuple[float, float] = (2 / 3, 0.95)
"""Young adults of 25 to people of 80 years on MakeHuman's scale, where 1 is 90."""

BETAS: dict[str, dict[str, tuple[float, float]]] = {
    "male": {"height": (16.5, 25.65), "weight": (2.6, 1.7), "muscle": (1.2, 3.0)},
    "female": {"height": (18.0, 31.4), "weight": (3.4, 1.1), "muscle": (1.1, 3.2)},
}
"""Beta distributions by sex. Men's height is Anny's own, calibrated by its authors to WHO's tables. Others
are ours, for a stature of 1.63 +- 0.08 m of women, 1.76 +- 0.08 m of men and a body mass index of 24 +- 4:
Anny's tables of weight and muscle put most adults at one extreme or the other. See docs/body.md."""

PROPORTIONS_BETA: tuple[float, float] = (1.2, 2.0)
"""1 is an artist's ideal figure; few people are."""

MEAN_ADULT_SHAPE: tuple[float, ...] = (0.5, 0.8, 0.28, 0.67, 0.381, 0.375)
"""The middle of the distribution: between the sexes, 1.70 m tall. (All 0.5 with age 2/3 is 1.84 m.)"""


def sample_adult_shapes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw `count` adults, (count, 6) float32; half of them men, a body between the sexes now and then."""
    female = rng.random(count) < 0.5
    columns = {
        "gender": np.abs(female - 0.5 * rng.random(count) ** 3),
        "age": rng.uniform(*ADULT_AGE, count),
        "proportions": rng.beta(*PROPORTIONS_BETA, count),
    }
    for name in ("height", "weight", "muscle"):
        of_men, of_women = rng.beta(*BETAS["male"][name], count), rng.beta(*BETAS["female"][name], count)
        columns[name] = np.where(female, of_women, of_men)
    return np.stack([columns[name] for name in SHAPE_NAMES], axis=-1).astype(np.float32)
