"""Light from everywhere in nine spherical-harmonics coefficients a colour, and what it leaves on a surface."""

from __future__ import annotations

import numpy as np

from pointlight.errors import PointlightError

LIGHTINGS = ("varied", "surreal")

_C1, _C2, _C3, _C4, _C5 = 0.429043, 0.511664, 0.743125, 0.886227, 0.247708
"""Irradiance from the coefficients (Ramamoorthi and Hanrahan 2001), as in SURREAL's shader sh.osl."""


def draw_light(lighting: str, rng: np.random.Generator) -> np.ndarray:
    """(9, 3) float32 coefficients in world axes, y up.

    Raises:
        PointlightError: a lighting that does not exist.
    """
    if lighting == "surreal":
        return _surreal(rng)
    if lighting == "varied":
        return _varied(rng)
    raise PointlightError(f"there is no lighting {lighting!r}; choose one of {', '.join(LIGHTINGS)}")


def _surreal(rng: np.random.Generator) -> np.ndarray:
    """As main_part1.py of gulvarol/surreal draws them: uniform in +-0.7, the first in 0.5..1.4.

    The second, of y, is drawn from -0.7..0 there, since y points down in its world; here y points up.
    """
    light = 0.7 * (2 * rng.random(9) - 1)
    light[0] = 0.5 + 0.9 * rng.random()
    light[1] = 0.7 * rng.random()
    return np.repeat(light[:, None], 3, axis=1).astype(np.float32)


def _varied(rng: np.random.Generator) -> np.ndarray:
    """A sky that is brighter above, one main light, a weaker one, each with a colour."""
    sky = rng.uniform(0.35, 0.9)
    light = np.zeros((9, 3))
    light[0] = sky / _C4 * _tint(rng, 0.06)
    light[1] = sky / _C4 * rng.uniform(0.0, 0.35) * _tint(rng, 0.05)
    height = np.radians(rng.uniform(15, 85))
    turn = rng.uniform(0, 2 * np.pi)
    main = np.array([np.cos(height) * np.sin(turn), np.sin(height), np.cos(height) * np.cos(turn)])
    strength = rng.uniform(0.1, 1.3)
    light += np.outer(harmonics(main), strength * _tint(rng, 0.08))
    turn += rng.uniform(1.5, 4.8)
    fill = np.array([np.cos(0.3) * np.sin(turn), np.sin(0.3), np.cos(0.3) * np.cos(turn)])
    light += np.outer(harmonics(fill), rng.uniform(0, 0.35) * _tint(rng, 0.1))
    return light.astype(np.float32)


def _tint(rng: np.random.Generator, spread: float) -> np.ndarray:
    """(3,) about 1: warmer or colder, a little green or magenta."""
    warm, green = spread * rng.standard_normal(), 0.3 * spread * rng.standard_normal()
    return np.array([1 + warm, 1 + green, 1 - warm])


def harmonics(direction: np.ndarray) -> np.ndarray:
    """(9,) real spherical harmonics of a unit vector (x, y, z): a far light that gives 1.06 to a surface facing it."""
    x, y, z = direction
    return np.array(
        [
            0.282095,
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ]
    )


def irradiance_matrix(light: np.ndarray) -> np.ndarray:
    """(3, 4, 4) float64 symmetric: the irradiance on a surface with normal n is (n, 1) M (n, 1), per colour."""
    matrices = np.zeros((3, 4, 4))
    for colour in range(3):
        l00, l1y, l1z, l1x, l2xy, l2yz, l20, l2xz, l22 = light[:, colour].astype(float)
        matrices[colour] = [
            [_C1 * l22, _C1 * l2xy, _C1 * l2xz, _C2 * l1x],
            [_C1 * l2xy, -_C1 * l22, _C1 * l2yz, _C2 * l1y],
            [_C1 * l2xz, _C1 * l2yz, _C3 * l20, _C2 * l1z],
            [_C2 * l1x, _C2 * l1y, _C2 * l1z, _C4 * l00 - _C5 * l20],
        ]
    return matrices


def turned(matrices: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """The matrices (..., 3, 4, 4) for normals in other axes.

    Args:
        matrices: (3, 4, 4) of `irradiance_matrix`.
        rotation: (..., 3, 3) takes vectors from the light's axes to those.
    """
    full = np.zeros((*rotation.shape[:-2], 1, 4, 4))
    full[..., 0, :3, :3] = rotation
    full[..., 3, 3] = 1
    return full @ matrices @ np.swapaxes(full, -1, -2)
