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
def light_vertices(
    face: np.ndarray, vertices: np.ndarray, faces: np.ndarray, shade: np.ndarray, light: np.ndarray
) -> np.ndarray:
    """The light that vertices of seen faces give back where they are white.

    Triangles are hardly larger than samples and light is smooth, so that it need not be found in every sample.

    Args:
        face: (h, w) int32 of the raster.
        vertices: (V, 3) float32.
        faces: (F, 3) int32.
        shade: (V,) float32 share of the light that reaches them.
        light: (3, 4, 4) float32 of `irradiance_matrix`, in the vertices' axes.

    Returns:
        (V, 3) float32 red, green, blue; undefined where no seen face is.
    """
    seen = np.zeros(len(vertices), np.bool_)
    last = NO_FACE
    for row in range(face.shape[0]):
        for column in range(face.shape[1]):
            f = face[row, column]
            if f != NO_FACE and f != last:
                last = f
                for k in range(3):
                    seen[faces[f, k]] = True
    lit = np.zeros_like(vertices)  # normals at first: the faces' weighted by area
    for f in range(len(faces)):
        a, b, c = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
        if not (seen[a] or seen[b] or seen[c]):
            continue
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
            lit[v, 0] += x
            lit[v, 1] += y
            lit[v, 2] += z
    two, none = np.float32(2), np.float32(0)
    for v in range(len(vertices)):
        if not seen[v]:
            continue
        x, y, z = lit[v, 0], lit[v, 1], lit[v, 2]
        length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-12)
        x, y, z = x / length, y / length, z / length
        for i in range(3):
            m = light[i]
            cross = m[0, 1] * x * y + m[0, 2] * x * z + m[1, 2] * y * z
            linear = m[0, 3] * x + m[1, 3] * y + m[2, 3] * z
            glow = m[0, 0] * x * x + m[1, 1] * y * y + m[2, 2] * z * z + m[3, 3]
            lit[v, i] = shade[v] * max(glow + two * (cross + linear), none)
    return lit


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def shade_samples(
    row: int,
    face: np.ndarray,
    bary: np.ndarray,
    faces: np.ndarray,
    uv_corners: np.ndarray,
    lit: np.ndarray,
    texture: np.ndarray,
    colours: np.ndarray,
) -> None:
    """Linear colour of every covered sample of a row: texture times light.

    Args:
        row: of the raster.
        face: (h, w) int32 of the raster.
        bary: (h, w, 2) float32.
        faces: (F, 3) int32.
        uv_corners: (F, 6) float32 u and v of the faces' three corners in texels.
        lit: (V, 3) float32 of `light_vertices`.
        texture: (h, w, 3) float32 linear.
        colours: (w, 4) float32, filled with red, green, blue and 1 where a face is, 0 elsewhere.
    """
    last_u, last_v = np.float32(texture.shape[1] - 1.001), np.float32(texture.shape[0] - 1.001)
    one, half, none = np.float32(1), np.float32(0.5), np.float32(0)
    texels, pitch = texture.reshape(-1), 3 * texture.shape[1]
    for column in range(face.shape[1]):
        if face[row, column] == NO_FACE:
            colours[column] = none
            continue
        f = np.uintp(face[row, column])  # indices that may be negative are looked at twice
        a, b, c = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
        b0, b1 = bary[row, column, 0], bary[row, column, 1]
        b2 = one - b0 - b1
        u = b0 * uv_corners[f, 0] + b1 * uv_corners[f, 2] + b2 * uv_corners[f, 4] - half
        v = b0 * uv_corners[f, 1] + b1 * uv_corners[f, 3] + b2 * uv_corners[f, 5] - half
        u, v = min(max(u, none), last_u), min(max(v, none), last_v)
        c0, r0 = int(u), int(v)
        fu, fv = u - np.float32(c0), v - np.float32(r0)
        w00, w01, w10, w11 = (one - fu) * (one - fv), fu * (one - fv), (one - fu) * fv, fu * fv
        colours[column, 3] = one
        for i in range(3):
            at = np.uintp(r0 * pitch + 3 * c0 + i)
            right, below = at + np.uintp(3), at + np.uintp(pitch)
            across = below + np.uintp(3)
            white = b0 * lit[a, i] + b1 * lit[b, i] + b2 * lit[c, i]
            cloth = w00 * texels[at] + w01 * texels[right] + w10 * texels[below] + w11 * texels[across]
            colours[column, i] = white * cloth


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def show_pixels(
    face: np.ndarray,
    bary: np.ndarray,
    inverse_depth: np.ndarray,
    faces: np.ndarray,
    uv_corners: np.ndarray,
    vertex_parts: np.ndarray,
    lit: np.ndarray,
    texture: np.ndarray,
    corner: tuple[int, int],
    colour: np.ndarray,
    mask: np.ndarray,
    depth: np.ndarray,
    parts: np.ndarray,
) -> None:
    """Fill a frame's layers from a raster whose pixel (0, 0) is at `corner` (left, top) of the picture.

    Colour is the tent-weighted mean of the covered ones of a pixel's nine samples, so that nothing of what is not the
    body mixes into its edge.

    Args:
        face: of the raster, as in `shade_samples`, bary, faces, uv_corners, lit and texture too.
        bary: of the raster.
        inverse_depth: of the raster.
        faces: of the mesh.
        uv_corners: of the mesh.
        vertex_parts: (V,) uint8.
        lit: of `light_vertices`.
        texture: of the person.
        corner: left and top of the raster in the picture.
        colour: (H, W, 3) uint8, filled.
        mask: (H, W) bool, filled.
        depth: (H, W) float32, filled.
        parts: (H, W) uint8, filled.
    """
    left, top = corner
    # Three rows of samples at a time stay near the processor; a pixel's last row is the next one's first.
    rows = np.zeros((3, face.shape[1], 4), np.float32)
    columns = np.empty((face.shape[1], 4), np.float32)
    two = np.float32(2)
    shade_samples(0, face, bary, faces, uv_corners, lit, texture, rows[2])
    for r in range((face.shape[0] - 1) // 2):
        rows[0] = rows[2]
        shade_samples(2 * r + 1, face, bary, faces, uv_corners, lit, texture, rows[1])
        shade_samples(2 * r + 2, face, bary, faces, uv_corners, lit, texture, rows[2])
        upper, middle, lower, sums = rows[0].ravel(), rows[1].ravel(), rows[2].ravel(), columns.ravel()
        for i in range(len(sums)):
            sums[i] = upper[i] + two * middle[i] + lower[i]
        for c in range((face.shape[1] - 1) // 2):
            f = face[2 * r + 1, 2 * c + 1]
            if f == NO_FACE:
                continue
            row, column = top + r, left + c
            mask[row, column] = True
            depth[row, column] = 1 / inverse_depth[2 * r + 1, 2 * c + 1]
            b0, b1 = bary[2 * r + 1, 2 * c + 1, 0], bary[2 * r + 1, 2 * c + 1, 1]
            b2 = np.float32(1) - b0 - b1
            nearest = 0 if b0 >= b1 and b0 >= b2 else (1 if b1 >= b2 else 2)
            parts[row, column] = vertex_parts[faces[f, nearest]]
            weight = columns[2 * c, 3] + two * columns[2 * c + 1, 3] + columns[2 * c + 2, 3]
            for k in range(3):
                total = columns[2 * c, k] + two * columns[2 * c + 1, k] + columns[2 * c + 2, k]
                value = min(max(total / weight, np.float32(0)), np.float32(1))
                colour[row, column, k] = _SRGB[int(value * np.float32(_SRGB_STEPS) + np.float32(0.5))]


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def flow_pixels(
    t: int,
    face: np.ndarray,
    bary: np.ndarray,
    faces: np.ndarray,
    vertices: np.ndarray,
    focal: float,
    principal: np.ndarray,
    corner: tuple[int, int],
    forward: np.ndarray,
    backward: np.ndarray,
) -> None:
    """Where what a pixel's centre sees is in the next and the last frame, less the centre; NaN behind their cameras.

    Args:
        t: the frame.
        face: of its raster, as in `show_pixels`.
        bary: of its raster.
        faces: (F, 3) int32.
        vertices: (T, V, 3) of all frames, each in its own camera's axes.
        focal: length in pixels.
        principal: (T, 2) points in pixels.
        corner: left and top of the raster in the picture.
        forward: (T-1, H, W, 2) float32, of which frame t is filled.
        backward: (T-1, H, W, 2) float32, of which frame t - 1 is filled.
    """
    left, top = corner
    for r in range((face.shape[0] - 1) // 2):
        for c in range((face.shape[1] - 1) // 2):
            f = face[2 * r + 1, 2 * c + 1]
            if f == NO_FACE:
                continue
            b0, b1 = np.float64(bary[2 * r + 1, 2 * c + 1, 0]), np.float64(bary[2 * r + 1, 2 * c + 1, 1])
            b2 = 1 - b0 - b1
            i, j, k = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
            for other in (t + 1, t - 1):
                if other < 0 or other >= len(vertices):
                    continue
                x = b0 * vertices[other, i, 0] + b1 * vertices[other, j, 0] + b2 * vertices[other, k, 0]
                y = b0 * vertices[other, i, 1] + b1 * vertices[other, j, 1] + b2 * vertices[other, k, 1]
                z = b0 * vertices[other, i, 2] + b1 * vertices[other, j, 2] + b2 * vertices[other, k, 2]
                if z <= 1e-3:
                    continue
                dx = focal * x / z + principal[other, 0] - (left + c + 0.5)
                dy = focal * y / z + principal[other, 1] - (top + r + 0.5)
                if other > t:
                    forward[t, top + r, left + c, 0], forward[t, top + r, left + c, 1] = dx, dy
                else:
                    backward[other, top + r, left + c, 0], backward[other, top + r, left + c, 1] = dx, dy


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
