"""A chest without a bust: what lies between breastbone, collar bones, sides and ribs is spanned between them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from scipy.interpolate import RBFInterpolator
from torch import Tensor

from pointlight.body.anny import AnnyBody

_ACROSS_M = (0.02, 0.145)
_UP_M = (0.31, 0.50)
_FRONT_M = 0.05
"""What is moved of the mean body at rest: between these distances from the middle, above and before the pelvis."""
_BORDER_M = 0.03
"""How wide the border is that stays and that the new surface passes through."""


def flat_chested(body: AnnyBody, vertices: Float[Tensor, "vertices 3"]) -> Float[Tensor, "vertices 3"]:
    """(V, 3) a surface at rest without a bust; its depth alone changes.

    Args:
        body: whose mesh it is.
        vertices: (V, 3) at rest, metres.
    """
    mean = body.rest_vertices(body.mean_shape)
    across, up, front = mean[:, 0].abs(), mean[:, 1], mean[:, 2] > _FRONT_M

    def within(margin: float) -> Tensor:
        sideways = (across > _ACROSS_M[0] - margin) & (across < _ACROSS_M[1] + margin)
        return sideways & (up > _UP_M[0] - margin) & (up < _UP_M[1] + margin) & front

    moved = within(0.0)
    border = within(_BORDER_M) & ~moved
    # Distance as the kernel: a thin plate goes on with the slope of belly and collar bones, and bulges by 3 cm.
    flat, points = vertices.clone(), vertices.double().cpu().numpy()
    spanned = RBFInterpolator(points[border][:, :2], points[border][:, 2], kernel="linear")
    flat[moved, 2] = torch.from_numpy(spanned(points[moved][:, :2])).to(vertices)
    return flat
