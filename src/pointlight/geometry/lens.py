"""Calibrated cameras with lens distortion, and points in space from several of them.

OpenCV's model: `x_camera = R @ x_world + t`, slopes `x/z, y/z` are distorted by (k1, k2, p1, p2, k3), then `K` makes
pixels. Everything is float64: triangulation is judged in fractions of a millimetre.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pointlight.geometry.cameras import MIN_DEPTH_M
from pointlight.values import by_value

_NEWTON_STEPS = 12
_DEPTH_ROUNDS = 6


@by_value
@dataclass(frozen=True)
class Lens:
    """One calibrated camera.

    Attributes:
        K: (3, 3) focal lengths and principal point in pixels.
        distortion: (5,) k1, k2, p1, p2, k3.
        R_camera_world: (3, 3).
        t_camera_world_m: (3,).
    """

    K: Tensor
    distortion: Tensor
    R_camera_world: Tensor
    t_camera_world_m: Tensor

    def to_camera(self, points_world_m: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """From world axes to the camera's."""
        return points_world_m @ self.R_camera_world.T + self.t_camera_world_m

    def project(self, points_world_m: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 2"]:
        """Pixels of points, distortion included; NaN for points behind the camera."""
        places = self.to_camera(points_world_m)
        depth = torch.where(places[..., 2:] > MIN_DEPTH_M, places[..., 2:], torch.nan)
        return self.pixels(places[..., :2] / depth)

    def pixels(self, slopes: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Pixels of the rays with slopes x/z and y/z."""
        bent = distort(slopes, self.distortion)
        return bent @ self.K[:2, :2].T + self.K[:2, 2]

    def slopes(self, points_px: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Slopes x/z, y/z of the rays through pixels, distortion taken out."""
        bent = torch.linalg.solve(self.K[:2, :2], (points_px - self.K[:2, 2])[..., None])[..., 0]
        return undistort(bent, self.distortion)


def distort(slopes: Float[Tensor, "*batch 2"], distortion: Float[Tensor, 5]) -> Float[Tensor, "*batch 2"]:
    """Slopes as the lens bends them."""
    k1, k2, p1, p2, k3 = distortion
    x, y = slopes[..., 0], slopes[..., 1]
    square = x * x + y * y
    radial = 1 + square * (k1 + square * (k2 + square * k3))
    return torch.stack(
        (
            x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
            y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
        ),
        dim=-1,
    )


def undistort(bent: Float[Tensor, "*batch 2"], distortion: Float[Tensor, 5]) -> Float[Tensor, "*batch 2"]:
    """Inverse of `distort` by Newton's method, from the bent slopes."""
    k1, k2, p1, p2, k3 = distortion
    slopes = bent.clone()
    for _ in range(_NEWTON_STEPS):
        x, y = slopes[..., 0], slopes[..., 1]
        square = x * x + y * y
        radial = 1 + square * (k1 + square * (k2 + square * k3))
        slope = k1 + square * (2 * k2 + 3 * square * k3)
        across = 2 * x * y * slope + 2 * p1 * x + 2 * p2 * y
        jacobian = torch.stack(
            (
                torch.stack((radial + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x, across), dim=-1),
                torch.stack((across, radial + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x), dim=-1),
            ),
            dim=-2,
        )
        error = distort(slopes, distortion) - bent
        slopes = slopes - torch.linalg.solve(jacobian, error[..., None])[..., 0]
    return slopes


def triangulate(
    slopes: Float[Tensor, "*batch views 2"],
    R_camera_world: Float[Tensor, "views 3 3"],
    t_camera_world_m: Float[Tensor, "views 3"],
    weights: Float[Tensor, "*batch views"],
) -> Float[Tensor, "*batch 3"]:
    """The point whose slopes differ least from those seen, in weighted squares; NaN where fewer than two views count.

    Linear equations whose rows are divided by the depth found in the round before, so that they measure slopes.

    Args:
        slopes: x/z, y/z in every view, undistorted; not looked at where the weight is 0.
        R_camera_world: of the views.
        t_camera_world_m: of the views.
        weights: not negative.
    """
    counted = weights > 0
    seen = torch.where(counted[..., None], slopes, 0.0)
    rows = seen[..., :, None] * R_camera_world[:, 2:3] - R_camera_world[:, :2]
    right = t_camera_world_m[:, :2] - seen * t_camera_world_m[:, 2:]
    scale = weights
    enough = counted.sum(-1) >= 2
    identity = torch.eye(3, dtype=slopes.dtype)
    point = slopes.new_zeros(*weights.shape[:-1], 3)
    for _ in range(_DEPTH_ROUNDS):
        normal = torch.einsum("...v,...vij,...vik->...jk", scale, rows, rows)
        target = torch.einsum("...v,...vij,...vi->...j", scale, rows, right)
        normal = torch.where(enough[..., None, None], normal, identity)
        point = torch.linalg.solve(normal + 1e-12 * identity, target[..., None])[..., 0]
        depth = torch.einsum("vj,...j->...v", R_camera_world[:, 2], point) + t_camera_world_m[:, 2]
        scale = weights / depth.abs().clamp_min(MIN_DEPTH_M).square()
    return torch.where(enough[..., None], point, torch.nan)
