"""What pixels show of rasterised faces: colour, depth, parts and flow, in numba loops.

The raster has a sample at every pixel's centre, and one half-way to each of its neighbours: sample (2 r + 1, 2 c + 1) is
the centre of pixel (r, c). Centres alone decide what a pixel belongs to; its colour is a mean over nine samples.
"""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np

from pointlight.simulator.drawing.raster import NO_FACE

_SRGB_STEPS = 4096
_SRGB = np.array(
    [
        round(255 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055))
        for c in (np.arange(_SRGB_STEPS + 1) / _SRGB_STEPS).tolist()
    ],
    np.uint8,
)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def shade_samples(
    face: np.ndarray,
    bary: np.ndarray,
    faces: np.ndarray,
    uv_faces: np.ndarray,
    uv: np.ndarray,
    normals: np.ndarray,
    shade: np.ndarray,
    light: np.ndarray,
    texture: np.ndarray,
) -> np.ndarray:
    """Linear colour of every covered sample: texture times light.

    Args:
        face: (h, w) int32 of the raster.
        bary: (h, w, 2) float32.
        faces: (F, 3) int32.
        uv_faces: (F, 3) int32 into `uv`.
        uv: (U, 2) float32 in texels.
        normals: (V, 3) float32 of the vertices.
        shade: (V,) float32 share of the light that reaches them.
        light: (3, 4, 4) float32 of `irradiance_matrix`, in the normals' axes.
        texture: (h, w, 3) float32 linear.

    Returns:
        (h, w, 3) float32; undefined where nothing is.
    """
    height, width = face.shape
    colours = np.empty((height, width, 3), np.float32)
    last_u, last_v = np.float32(texture.shape[1] - 1.001), np.float32(texture.shape[0] - 1.001)
    one, half, two, none = np.float32(1), np.float32(0.5), np.float32(2), np.float32(0)
    for row in range(height):
        for column in range(width):
            f = face[row, column]
            if f == NO_FACE:
                continue
            b0, b1 = bary[row, column, 0], bary[row, column, 1]
            b2 = one - b0 - b1
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            x = b0 * normals[a, 0] + b1 * normals[b, 0] + b2 * normals[c, 0]
            y = b0 * normals[a, 1] + b1 * normals[b, 1] + b2 * normals[c, 1]
            z = b0 * normals[a, 2] + b1 * normals[b, 2] + b2 * normals[c, 2]
            length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-12)
            x, y, z = x / length, y / length, z / length
            reach = b0 * shade[a] + b1 * shade[b] + b2 * shade[c]
            p, q, s = uv_faces[f, 0], uv_faces[f, 1], uv_faces[f, 2]
            u = min(max(b0 * uv[p, 0] + b1 * uv[q, 0] + b2 * uv[s, 0] - half, none), last_u)
            v = min(max(b0 * uv[p, 1] + b1 * uv[q, 1] + b2 * uv[s, 1] - half, none), last_v)
            c0, r0 = int(u), int(v)
            fu, fv = u - np.float32(c0), v - np.float32(r0)
            for i in range(3):
                m = light[i]
                cross = m[0, 1] * x * y + m[0, 2] * x * z + m[1, 2] * y * z
                linear = m[0, 3] * x + m[1, 3] * y + m[2, 3] * z
                glow = m[0, 0] * x * x + m[1, 1] * y * y + m[2, 2] * z * z + m[3, 3]
                glow = max(glow + two * (cross + linear), none)
                upper = texture[r0, c0, i] * (one - fu) + texture[r0, c0 + 1, i] * fu
                lower = texture[r0 + 1, c0, i] * (one - fu) + texture[r0 + 1, c0 + 1, i] * fu
                colours[row, column, i] = glow * reach * (upper * (one - fv) + lower * fv)
    return colours


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def show_pixels(
    face: np.ndarray,
    bary: np.ndarray,
    inverse_depth: np.ndarray,
    samples: np.ndarray,
    faces: np.ndarray,
    vertex_parts: np.ndarray,
    corner: tuple[int, int],
    colour: np.ndarray,
    mask: np.ndarray,
    depth: np.ndarray,
    parts: np.ndarray,
) -> None:
    """Fill a frame's layers from a raster whose pixel (0, 0) is at `corner` (left, top) of the picture.

    Colour is the tent-weighted mean of the covered ones of a pixel's nine samples, so that nothing of what is not the
    body mixes into its edge.
    """
    left, top = corner
    total = np.zeros(3, np.float32)
    for r in range((face.shape[0] - 1) // 2):
        for c in range((face.shape[1] - 1) // 2):
            f = face[2 * r + 1, 2 * c + 1]
            if f == NO_FACE:
                continue
            row, column = top + r, left + c
            mask[row, column] = True
            depth[row, column] = 1 / inverse_depth[2 * r + 1, 2 * c + 1]
            b0, b1 = bary[2 * r + 1, 2 * c + 1, 0], bary[2 * r + 1, 2 * c + 1, 1]
            b2 = 1 - b0 - b1
            nearest = 0 if b0 >= b1 and b0 >= b2 else (1 if b1 >= b2 else 2)
            parts[row, column] = vertex_parts[faces[f, nearest]]
            total[:] = 0
            weights = np.float32(0)
            for i in range(3):
                for j in range(3):
                    if face[2 * r + i, 2 * c + j] != NO_FACE:
                        weight = np.float32((1 + (i == 1)) * (1 + (j == 1)))
                        weights += weight
                        for k in range(3):
                            total[k] += weight * samples[2 * r + i, 2 * c + j, k]
            for k in range(3):
                value = min(max(total[k] / weights, np.float32(0)), np.float32(1))
                colour[row, column, k] = _SRGB[int(value * np.float32(_SRGB_STEPS) + np.float32(0.5))]


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def flow_pixels(
    face: np.ndarray,
    bary: np.ndarray,
    faces: np.ndarray,
    vertices: np.ndarray,
    lens: tuple[float, float, float],
    corner: tuple[int, int],
    flow: np.ndarray,
) -> None:
    """Where what a pixel's centre sees is in another frame, less the centre; it stays NaN behind that camera.

    Args:
        face: of the raster, as in `show_pixels`.
        bary: of the raster.
        faces: (F, 3) int32.
        vertices: (V, 3) in the other frame's camera axes.
        lens: the other frame's focal length and principal point in pixels.
        corner: left and top of the raster in the picture.
        flow: (H, W, 2) float32, filled.
    """
    focal, centre_x, centre_y = lens
    left, top = corner
    for r in range((face.shape[0] - 1) // 2):
        for c in range((face.shape[1] - 1) // 2):
            f = face[2 * r + 1, 2 * c + 1]
            if f == NO_FACE:
                continue
            b0, b1 = np.float64(bary[2 * r + 1, 2 * c + 1, 0]), np.float64(bary[2 * r + 1, 2 * c + 1, 1])
            b2 = 1 - b0 - b1
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            x = b0 * vertices[i, 0] + b1 * vertices[j, 0] + b2 * vertices[k, 0]
            y = b0 * vertices[i, 1] + b1 * vertices[j, 1] + b2 * vertices[k, 1]
            z = b0 * vertices[i, 2] + b1 * vertices[j, 2] + b2 * vertices[k, 2]
            if z > 1e-3:
                flow[top + r, left + c, 0] = focal * x / z + centre_x - (left + c + 0.5)
                flow[top + r, left + c, 1] = focal * y / z + centre_y - (top + r + 0.5)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def covered_box(
    vertices: np.ndarray, focal: float, centre_x: float, centre_y: float, near: float, width: int, height: int
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in whole pixels of what a mesh may cover in the picture; empty if it is all outside."""
    low_x, low_y, high_x, high_y = 1e9, 1e9, -1e9, -1e9
    before = 0
    for v in range(vertices.shape[0]):
        z = vertices[v, 2]
        if z < near:
            continue
        before += 1
        x, y = focal * vertices[v, 0] / z + centre_x, focal * vertices[v, 1] / z + centre_y
        low_x, high_x, low_y, high_y = min(low_x, x), max(high_x, x), min(low_y, y), max(high_y, y)
    if before == 0:
        return 0, 0, 0, 0
    if before < vertices.shape[0]:  # what is cut at the near plane may be anywhere
        return 0, 0, width, height
    left, top = min(max(int(low_x) - 1, 0), width), min(max(int(low_y) - 1, 0), height)
    right, bottom = max(min(int(high_x) + 2, width), 0), max(min(int(high_y) + 2, height), 0)
    return left, top, right, bottom
