"""A body as tall as its person is said to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pointlight.body import AnnyBody, BodyModel
from pointlight.capture.fitting.lifting import LiftedTrack

HEIGHT_TOLERANCE_M = 0.01


def of_height(
    body: BodyModel, lifted: LiftedTrack, height_m: float | None
) -> tuple[LiftedTrack, tuple[str, ...]]:
    """The track with its shape's `height` changed so that the body is as tall as is said, or as nearly as it can be.

    The body moves away as much as it grows, so that it looks the same. Behind it a warning where it cannot be so tall.
    """
    shape = torch.from_numpy(lifted.shape.astype(np.float32))
    if height_m is None or not isinstance(body, AnnyBody):
        return replace(lifted, shape=shape.numpy()), ()
    before_m = float(body.stature_m(shape))
    index = body.shape_names.index("height")
    low, high = 0.0, 1.0
    shape = shape.clone()
    for _ in range(20):
        shape[index] = 0.5 * (low + high)
        if float(body.stature_m(shape)) < height_m:
            low = float(shape[index])
        else:
            high = float(shape[index])
    reached_m = float(body.stature_m(shape))
    warnings: tuple[str, ...] = ()
    if abs(reached_m - height_m) > HEIGHT_TOLERANCE_M:
        warnings = (
            f"the body cannot be {height_m:g} m tall at this age and build; it has {reached_m:.2f} m",
        )
    translation_m = lifted.translation_m * (reached_m / before_m)
    return replace(lifted, shape=shape.numpy(), translation_m=translation_m), warnings
