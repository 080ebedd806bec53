"""Who is in the scenes: the shapes of adults, or of people of all ages."""

from __future__ import annotations

import numpy as np
import torch

from pointlight.body import SHAPE_NAMES, AnnyBody, BodyModel, sample_adult_shapes
from pointlight.errors import PointlightError

AGES = ("adults", "all")

CHILD_SHARE, OLD_SHARE = 0.35, 0.05
"""Of people of all ages, those of 3 to 17 years and of 80 to 90; the others are drawn as adults are."""

CHILD_YEARS = (3.0, 18.0)
OLD_YEARS = (80.0, 90.0)

GROWTH: dict[str, tuple[tuple[float, float, float], ...]] = {
    "male": (
        (3, 0.961, 0.037),
        (5, 1.100, 0.046),
        (8, 1.273, 0.058),
        (10, 1.378, 0.063),
        (12, 1.491, 0.070),
        (15, 1.690, 0.077),
        (18, 1.761, 0.074),
    ),
    "female": (
        (3, 0.951, 0.038),
        (5, 1.094, 0.048),
        (8, 1.266, 0.058),
        (10, 1.386, 0.064),
        (12, 1.512, 0.068),
        (15, 1.617, 0.066),
        (18, 1.631, 0.065),
    ),
}
"""Years, median stature and its standard deviation in metres: WHO's growth standards (2006, to 5 years) and reference
(2007, from 5 years)."""

AGE_OF_YEARS: tuple[tuple[float, float], ...] = (
    (1, 0.0),
    (10, 1 / 3),
    (14, 0.46),
    (18, 0.62),
    (25, 2 / 3),
    (90, 1.0),
)
"""MakeHuman's scale has anchors at 1, 10 (our reading of its child), 25 and 90 years; between 10 and 25 ours runs ahead,
since people have grown up at 18."""

_CHILD_BETAS = {"muscle": (1.6, 4.0), "weight": (3.0, 3.0), "proportions": (1.2, 2.0)}
_CHILD_WEIGHT = {"male": (0.42, 0.05), "female": (0.55, 0.15)}
"""Least weight at 3 and at 18 years, to which up to 0.5 are added: for mass indices of 15 to 21 kg/m2."""
_SHAPE = {name: i for i, name in enumerate(SHAPE_NAMES)}


def draw_shape(ages: str, body: BodyModel, rng: np.random.Generator) -> np.ndarray:
    """(S,) float32, one person's shape.

    Args:
        ages: "adults" (25 to 80 years) or "all" (3 to 90).
        body: Anny, whose stature follows from all six numbers together.
        rng: of this purpose.

    Raises:
        PointlightError: ages that do not exist.
    """
    if ages not in AGES:
        raise PointlightError(f"there are no people of the ages {ages!r}; choose one of {', '.join(AGES)}")
    adult = sample_adult_shapes(rng, 1)[0]
    if ages == "adults":
        return adult
    if not isinstance(body, AnnyBody):
        raise PointlightError(f"the body {body.name!r} has adults only; use the body 'anny' or ages='adults'")
    kind = rng.random()
    if kind < CHILD_SHARE:
        return _child(body, adult[_SHAPE["gender"]], rng)
    if kind > 1 - OLD_SHARE:
        adult[_SHAPE["age"]] = age_number(rng.uniform(*OLD_YEARS))
    return adult


def age_number(years: float) -> float:
    """Anny's number of an age in years."""
    known = np.array(AGE_OF_YEARS)
    return float(np.interp(years, known[:, 0], known[:, 1]))


def _child(body: AnnyBody, gender: float, rng: np.random.Generator) -> np.ndarray:
    """A child whose stature is drawn from WHO's distribution for its age and sex."""
    years = rng.uniform(*CHILD_YEARS)
    sex = "female" if gender > 0.5 else "male"
    table = np.array(GROWTH[sex])
    median, spread = (np.interp(years, table[:, 0], table[:, i]) for i in (1, 2))
    stature = median + spread * np.clip(rng.standard_normal(), -2.5, 2.5)
    shape = np.zeros((2, len(SHAPE_NAMES)), np.float32)
    shape[:, _SHAPE["gender"]] = gender
    shape[:, _SHAPE["age"]] = age_number(years)
    for name, betas in _CHILD_BETAS.items():
        shape[:, _SHAPE[name]] = rng.beta(*betas)
    least = np.interp(years, CHILD_YEARS, _CHILD_WEIGHT[sex])
    shape[:, _SHAPE["weight"]] = least + 0.5 * shape[:, _SHAPE["weight"]]
    # The body is linear in its height between the least and the greatest.
    shape[:, _SHAPE["height"]] = (0, 1)
    low, high = body.stature_m(torch.from_numpy(shape)).numpy()
    shape[0, _SHAPE["height"]] = np.clip((stature - low) / (high - low), 0, 1)
    return shape[0]
