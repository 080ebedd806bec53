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
        lit: (V, C) float32 of `light_vertices`.
        texture: (h, w, 3) float32 linear.
        colours: (4 w,) float32, filled with red, green, blue and 1 where a face is, 0 elsewhere.
    """
    last_u, last_v = np.float32(texture.shape[1] - 1.001), np.float32(texture.shape[0] - 1.001)
    one, half, none = np.float32(1), np.float32(0.5), np.float32(0)
    texels, pitch = texture.reshape(-1), np.uintp(3 * texture.shape[1])
    numbers, weights, is_coloured = face[row], bary[row], lit.shape[1] == 3
    colours[:] = none
    for column in range(len(numbers)):
        if numbers[column] == NO_FACE:
            continue
        f = np.uintp(numbers[column])  # indices that may be negative are looked at twice
        a, b, c = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
        b0, b1 = weights[column, 0], weights[column, 1]
        b2 = one - b0 - b1
        u = b0 * uv_corners[f, 0] + b1 * uv_corners[f, 2] + b2 * uv_corners[f, 4] - half
        v = b0 * uv_corners[f, 1] + b1 * uv_corners[f, 3] + b2 * uv_corners[f, 5] - half
        u, v = min(max(u, none), last_u), min(max(v, none), last_v)
        c0, r0 = np.int32(u), np.int32(v)
        fu, fv = u - np.float32(c0), v - np.float32(r0)
        w11 = fu * fv
        w01, w10 = fu - w11, fv - w11
        w00 = one - fu - w10
        at = np.uintp(r0) * pitch + np.uintp(3) * np.uintp(c0)
        below = at + pitch
        first = np.uintp(4) * np.uintp(column)
        colours[first + np.uintp(3)] = one
        for i in range(3):
            k = np.uintp(i)
            if i == 0 or is_coloured:
                white = b0 * lit[a, k] + b1 * lit[b, k] + b2 * lit[c, k]
            upper = w00 * texels[at + k] + w01 * texels[at + k + np.uintp(3)]
            lower = w10 * texels[below + k] + w11 * texels[below + k + np.uintp(3)]
            colours[first + k] = white * (upper + lower)


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
    samples = face.shape[1]
    # Three rows of samples at a time stay near the processor; a pixel's last row is the next one's first.
    rows = np.empty((3, 4 * samples), np.float32)
    sums = np.empty(4 * samples, np.float32)
    one, two = np.float32(1), np.float32(2)
    shade_samples(0, face, bary, faces, uv_corners, lit, texture, rows[0])
    for r in range((face.shape[0] - 1) // 2):
        first, last = 2 * (r % 2), 2 - 2 * (r % 2)
        shade_samples(2 * r + 1, face, bary, faces, uv_corners, lit, texture, rows[1])
        shade_samples(2 * r + 2, face, bary, faces, uv_corners, lit, texture, rows[last])
        upper, middle, lower = rows[first], rows[1], rows[last]
        for i in range(4 * samples):
            sums[i] = upper[i] + two * middle[i] + lower[i]
        numbers, weights, inverse = face[2 * r + 1], bary[2 * r + 1], inverse_depth[2 * r + 1]
        row = top + r
        colours, covered, depths, labels = colour[row], mask[row], depth[row], parts[row]
        for c in range((samples - 1) // 2):
            sample = np.uintp(2 * c + 1)
            if numbers[sample] == NO_FACE:
                continue
            f, column = np.uintp(numbers[sample]), np.uintp(left + c)
            covered[column] = True
            depths[column] = one / inverse[sample]
            b0, b1 = weights[sample, 0], weights[sample, 1]
            b2 = one - b0 - b1
            nearest = 0 if b0 >= b1 and b0 >= b2 else (1 if b1 >= b2 else 2)
            labels[column] = vertex_parts[np.uintp(faces[f, nearest])]
            i = np.uintp(8 * c)
            share = one / (sums[i + np.uintp(3)] + two * sums[i + np.uintp(7)] + sums[i + np.uintp(11)])
            for k in range(3):
                j = i + np.uintp(k)
                total = sums[j] + two * sums[j + np.uintp(4)] + sums[j + np.uintp(8)]
                value = min(max(total * share, np.float32(0)), one)
                level = np.uintp(np.int32(value * np.float32(_SRGB_STEPS) + np.float32(0.5)))
                colours[column, np.uintp(k)] = _SRGB[level]


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
    for other in (t + 1, t - 1):
        if other < 0 or other >= len(vertices):
            continue
        there, x0, y0 = vertices[other], principal[other, 0] - 0.5, principal[other, 1] - 0.5
        flow = forward[t] if other > t else backward[other]
        for r in range((face.shape[0] - 1) // 2):
            numbers, weights, row = face[2 * r + 1], bary[2 * r + 1], flow[top + r]
            for c in range((face.shape[1] - 1) // 2):
                sample = np.uintp(2 * c + 1)
                if numbers[sample] == NO_FACE:
                    continue
                f = np.uintp(numbers[sample])
                b0, b1 = np.float64(weights[sample, 0]), np.float64(weights[sample, 1])
                b2 = 1 - b0 - b1
                i, j, k = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
                z = b0 * there[i, 2] + b1 * there[j, 2] + b2 * there[k, 2]
                if z <= 1e-3:
                    continue
                x = b0 * there[i, 0] + b1 * there[j, 0] + b2 * there[k, 0]
                y = b0 * there[i, 1] + b1 * there[j, 1] + b2 * there[k, 1]
                scale, column = focal / z, np.uintp(left + c)
                row[column, 0] = scale * x + x0 - (left + c)
                row[column, 1] = scale * y + y0 - (top + r)


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
