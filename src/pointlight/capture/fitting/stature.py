"""A body as tall and as heavy as its person is said to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pointlight.body import AnnyBody, BodyModel, mass_kg
from pointlight.capture.fitting.lifting import LiftedTrack

HEIGHT_TOLERANCE_M = 0.01
MASS_TOLERANCE_KG = 1.0
_ROUNDS = 3
"""Stature and mass depend on each other a little."""


def of_size(
    body: BodyModel, lifted: LiftedTrack, height_m: float | None, weight_kg: float | None = None
) -> tuple[LiftedTrack, tuple[str, ...]]:
    """The track with its shape's `height` and `weight` changed so that the body is as tall and heavy as is said.

    Or as nearly as it can be. Where `weight` is not enough, `muscle` becomes less, without which bodies are heaviest and
    lightest. The body moves away as much as it grows, so that it looks the same. Of a weight alone the stature stays.
    Behind it a warning where it cannot be so tall or so heavy.
    """
    shape = torch.from_numpy(lifted.shape.astype(np.float32))
    if (height_m is None and weight_kg is None) or not isinstance(body, AnnyBody):
        return replace(lifted, shape=shape.numpy()), ()
    before_m = float(body.stature_m(shape))
    wanted_m = before_m if height_m is None else height_m
    for _ in range(1 if weight_kg is None else _ROUNDS):
        if weight_kg is not None:
            shape = _as_heavy(body, shape, weight_kg)
        height = body.shape_names.index("height")
        shape = _solved(shape, height, lambda one: float(body.stature_m(one)), wanted_m, steps=20)
    reached_m, warnings = float(body.stature_m(shape)), list[str]()
    if height_m is not None and abs(reached_m - height_m) > HEIGHT_TOLERANCE_M:
        warnings.append(
            f"the body cannot be {height_m:g} m tall at this age and build; it has {reached_m:.2f} m"
        )
    if weight_kg is not None:
        reached_kg = mass_kg(body, shape)
        if abs(reached_kg - weight_kg) > MASS_TOLERANCE_KG:
            warnings.append(
                f"the body cannot weigh {weight_kg:g} kg at {reached_m:.2f} m and this age; it has {reached_kg:.0f} kg"
            )
    translation_m = lifted.translation_m * (reached_m / before_m)
    return replace(lifted, shape=shape.numpy(), translation_m=translation_m), tuple(warnings)


def _as_heavy(body: AnnyBody, shape: Tensor, weight_kg: float) -> Tensor:
    weight, muscle = (body.shape_names.index(name) for name in ("weight", "muscle"))
    shape = _solved(shape, weight, lambda one: mass_kg(body, one), weight_kg, steps=12)
    lacking_kg = weight_kg - mass_kg(body, shape)
    if abs(lacking_kg) <= MASS_TOLERANCE_KG:
        return shape
    # The heaviest bodies are those without muscle, and so are the lightest.
    sign = -1.0 if lacking_kg > 0 else 1.0
    most = float(shape[muscle])
    return _solved(
        shape, muscle, lambda one: sign * mass_kg(body, one), sign * weight_kg, steps=12, most=most
    )


def _solved(
    shape: Tensor,
    index: int,
    measure: Callable[[Tensor], float],
    wanted: float,
    *,
    steps: int,
    most: float = 1.0,
) -> Tensor:
    """The shape (S,) with one of its numbers, which `measure` grows with, bisected in 0..`most`."""
    shape, low, high = shape.clone(), 0.0, most
    for _ in range(steps):
        shape[index] = 0.5 * (low + high)
        if measure(shape) < wanted:
            low = float(shape[index])
        else:
            high = float(shape[index])
    return shape
