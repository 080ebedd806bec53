"""Points on SMPL's surface that its joints lack: nose, ears, heels and big toes, found by where they stick out."""

from __future__ import annotations

import numpy as np

from pointlight.errors import PointlightError

_VERTICES = 4
"""Each point is the mean of so many."""

_INWARDS = 0.5
"""How much a toe's nearness to the other foot counts beside how far in front it is."""


def surface_points(
    template: np.ndarray, weights: np.ndarray, joints: np.ndarray, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Weights (V,) of the vertices by point.

    Args:
        template: (V, 3) the body at rest, x to the person's left, y up, z forward.
        weights: (V, J) of the skin.
        joints: (J, 3) at rest.
        names: of the joints.

    Raises:
        PointlightError: a joint has no skin.
    """
    owner = weights.argmax(1)

    def most(value: np.ndarray, *owners: str) -> np.ndarray:
        """The mean of the vertices with the highest value among those of some joints."""
        own = np.isin(owner, [names.index(joint) for joint in owners])
        ranked = np.where(own, value, -np.inf)
        chosen = np.argsort(ranked)[-_VERTICES:]
        chosen = chosen[np.isfinite(ranked[chosen])]
        if not len(chosen):
            raise PointlightError(f"this SMPL file has no skin at the {owners[0]}; give an official one")
        return np.isin(np.arange(len(template)), chosen) / len(chosen)

    x, y, z = template.T
    points = {"nose": most(z, "head")}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        ankle, foot = f"{side}_ankle", f"{side}_foot"
        below = y < joints[names.index(ankle), 1]
        points |= {
            f"{side}_ear": most(sign * x, "head"),
            f"{side}_heel": most(np.where(below, -z, -np.inf), ankle, foot),
            f"{side}_big_toe": most(z - _INWARDS * sign * x, foot),
        }
    return points
