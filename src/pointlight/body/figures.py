"""What a person's surface looks like where it is drawn: a mannequin by default, since a network only guesses the sex."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pointlight.body.anny import AnnyBody
from pointlight.body.flat_chest import flat_chested
from pointlight.errors import PointlightError

_SEX = {"neutral": 0.2, "male": 0.0, "female": 1.0}
"""Anny's `gender` of each figure."""

FIGURES = (*_SEX, "estimated")
"""Names of figures; `estimated` is the surface as the network's shape has it."""


def find_figure(name: str) -> str:
    """The figure of that name.

    Raises:
        PointlightError: there is none.
    """
    if name not in FIGURES:
        raise PointlightError(f"there is no body {name!r} to draw; there are {', '.join(FIGURES)}")
    return name


def figure_vertices(
    body: AnnyBody, shape: Float[Tensor, " 6"], figure: str = "neutral"
) -> Float[Tensor, "vertices 3"]:
    """(V, 3) the surface at rest that is drawn for a person, on that person's own joints.

    Stature, build and the lengths of limbs are the shape's; a figure changes what lies between the joints alone, so that it
    is moved by the person's own `bone_transforms`.

    Args:
        body: the model.
        shape: (S,) the person's.
        figure: of `FIGURES`; "neutral" has a flat chest.

    Raises:
        PointlightError: there is no such figure.
    """
    if find_figure(figure) == "estimated":
        return body.rest_vertices(shape)
    other = _as_tall(body, shape, _SEX[figure])
    apart = body.person(shape).joints - body.person(other).joints
    surface = body.rest_vertices(other)
    if figure == "neutral":
        surface = flat_chested(body, surface)
    return surface + body.skin_weights @ apart


def _as_tall(body: AnnyBody, shape: Tensor, sex: float) -> Tensor:
    """A shape (S,) of another sex that is as tall, as far as there is one."""
    sexed, tall = shape.clone(), body.shape_names.index("height")
    sexed[body.shape_names.index("gender")] = sex
    ends = sexed.expand(2, -1).clone()
    ends[:, tall] = torch.tensor((0.0, 1.0))
    low, high = body.stature_m(ends)
    sexed[tall] = ((body.stature_m(shape) - low) / (high - low)).clamp(0, 1)
    return sexed
