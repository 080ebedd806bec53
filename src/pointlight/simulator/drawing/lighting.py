"""Light from everywhere in nine spherical-harmonics coefficients a colour, and what it leaves on a surface."""

from __future__ import annotations

from typing import no_type_check

import numba
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


@numba.njit(cache=True, error_model="numpy", nogil=True)
@no_type_check
def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) float32 unit normals, outwards: the faces' normals weighted by area; 0 where no face is."""
    normals = np.zeros_like(vertices)
    for f in range(faces.shape[0]):
        # Indices that may be negative are looked at twice.
        a, b, c = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for v in (a, b, c):
            normals[v, 0] += x
            normals[v, 1] += y
            normals[v, 2] += z
    for v in range(normals.shape[0]):
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        length = np.sqrt(x * x + y * y + z * z)
        if length > 0:
            normals[v, 0], normals[v, 1], normals[v, 2] = x / length, y / length, z / length
    return normals


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def light_vertices(normals: np.ndarray, shade: np.ndarray, light: np.ndarray) -> np.ndarray:
    """The light that white vertices give back.

    Triangles are hardly larger than samples and light is smooth, so that it need not be found in every sample.

    Args:
        normals: (V, 3) float32 of `vertex_normals`.
        shade: (V,) float32 share of the light that reaches them.
        light: (C, 4, 4) float32 of `irradiance_matrix`, in the normals' axes; one for all colours, or three.

    Returns:
        (V, C) float32 grey, or red, green, blue.
    """
    lit = np.empty((normals.shape[0], light.shape[0]), np.float32)
    two, none = np.float32(2), np.float32(0)
    for v in range(normals.shape[0]):
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        for i in range(3):  # a number that is known is faster
            if i == light.shape[0]:
                break
            m = light[i]
            cross = m[0, 1] * x * y + m[0, 2] * x * z + m[1, 2] * y * z
            linear = m[0, 3] * x + m[1, 3] * y + m[2, 3] * z
            glow = m[0, 0] * x * x + m[1, 1] * y * y + m[2, 2] * z * z + m[3, 3]
            lit[v, i] = shade[v] * max(glow + two * (cross + linear), none)
    return lit
