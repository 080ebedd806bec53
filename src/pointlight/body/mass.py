"""What a body weighs, by its volume."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pointlight.body.anny import AnnyBody

DENSITY_KG_M3 = 980.0
"""Of people with some air in their lungs, a little less than water."""


def mass_kg(body: AnnyBody, shape: Float[Tensor, " 6"]) -> float:
    """A person's mass in kilogrammes: the volume within the surface at rest, at the density of people.

    Args:
        body: the model.
        shape: (S,) the person's.

    Example:
        >>> import torch, pointlight
        >>> from pointlight.body import mass_kg
        >>> round(mass_kg(pointlight.AnnyBody(), torch.tensor(pointlight.MEAN_ADULT_SHAPE)))
        68
    """
    corners = body.rest_vertices(shape)[body.faces]  # (faces, 3 corners, xyz)
    volume_m3 = (torch.linalg.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6
    return DENSITY_KG_M3 * float(volume_m3)
