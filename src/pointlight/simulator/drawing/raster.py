"""A triangle rasteriser for the CPU: which face each pixel sees, where on it, and how far away.

From its three pictures follow colour, depth, labels and motion of each pixel. A pixel belongs to the triangle
that its centre lies in; a centre on an edge that two triangles share belongs to exactly one of them (top-left
rule on a grid of 1/1024 pixel, in whole numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import no_type_check

import numba
import numpy as np

from pointlight.values import by_value

NO_FACE = -1
_STEPS = 1024
_SHIFT = 10
_HALF = _STEPS // 2
_WHOLE = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
"""Shares of a face's first and second vertex in the corners of the triangle that is all of it."""

_FARTHEST_PX = 1 << 19
"""Triangles with a corner beyond are left out, so that products fit into 64 bits."""


@by_value
@dataclass(frozen=True)
class Raster:
    """What every pixel sees; the arrays are drawn into.

    Attributes:
        inverse_depth: (H, W) float32, 1 / z in 1/m, z the depth along the camera's axis; 0 where nothing is.
        face: (H, W) int32 number of the face; -1 where nothing is.
        barycentric: (H, W, 2) float32 weights of the face's first and second vertex at the point, true on
            the surface (perspective-correct); the third is 1 minus both. Undefined where nothing is.
    """

    inverse_depth: np.ndarray
    face: np.ndarray
    barycentric: np.ndarray

    @classmethod
    def blank(cls, width: int, height: int) -> Raster:
        """Buffers in which nothing is drawn."""
        return cls(
            np.zeros((height, width), np.float32),
            np.full((height, width), NO_FACE, np.int32),
            np.empty((height, width, 2), np.float32),
        )

    def clear(self) -> None:
        """Forget what was drawn."""
        self.inverse_depth.fill(0)
        self.face.fill(NO_FACE)

    def depth_m(self) -> np.ndarray:
        """(H, W) float32 depth along the camera's axis, infinite where nothing is."""
        seen = self.face != NO_FACE
        return np.where(seen, 1 / np.where(seen, self.inverse_depth, 1), np.inf).astype(np.float32)

    def interpolate(self, faces: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values of vertices at every pixel; 0 where nothing is.

        Args:
            faces: (F, 3) as drawn.
            values: (V, C) of the vertices.

        Returns:
            (H, W, C) of the values' type.
        """
        result = np.zeros((*self.face.shape, values.shape[1]), values.dtype)
        seen = self.face != NO_FACE
        first = self.barycentric[seen]
        weights = np.concatenate((first, 1 - first.sum(-1, keepdims=True)), axis=-1)
        result[seen] = (values[faces[self.face[seen]]] * weights[..., None]).sum(1)
        return result


def rasterise(
    vertices_camera_m: np.ndarray,
    faces: np.ndarray,
    focal_px: float,
    principal_px: tuple[float, float],
    raster: Raster,
    *,
    near_m: float = 0.05,
    cull_back: bool = True,
    first_face: int = 0,
) -> Raster:
    """Draw triangles into a raster, in front of or behind what it already shows.

    Args:
        vertices_camera_m: (V, 3) places in camera axes (x right, y down, z away), metres.
        faces: (F, 3) vertex numbers, counter-clockwise seen from outside.
        focal_px: focal length in pixels.
        principal_px: (x, y) of the principal point; (0, 0) is the outer corner of the top-left pixel.
        raster: of the picture's size; changed and returned.
        near_m: what lies nearer to the camera's plane is cut off.
        cull_back: leave out faces that are seen from inside.
        first_face: number of the first face in `raster.face`, to tell several meshes apart.
    """
    _draw(
        np.ascontiguousarray(vertices_camera_m, np.float32),
        np.ascontiguousarray(faces, np.int32),
        float(focal_px),
        float(principal_px[0]),
        float(principal_px[1]),
        float(near_m),
        cull_back,
        first_face,
        raster.inverse_depth,
        raster.face,
        raster.barycentric,
    )
    return raster


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _on_grid(pixels: float) -> int:
    """A coordinate in 1/1024 pixel; far ones are held where `_triangle` leaves them out."""
    limit = 2.0 * _FARTHEST_PX
    return np.int64(np.floor(min(max(pixels, -limit), limit) * _STEPS + 0.5))


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _triangle(
    corners: tuple[int, int, float, int, int, float, int, int, float],
    shares: tuple[float, float, float, float, float, float],
    cull: bool,
    face: int,
    canvas: tuple[np.ndarray, np.ndarray, np.ndarray, int, int],
) -> None:
    """One triangle: x and y on the grid and 1/z of its corners; in each, shares of the face's first and second vertex.

    The canvas is a raster's inverse depths, faces and weights in one row each, its width and its height.
    """
    x0, y0, z0, x1, y1, z1, x2, y2, z2 = corners
    p0, q0, p1, q1, p2, q2 = shares
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    # y points down, so that a face seen from outside runs the negative way round.
    if area == 0 or (area > 0 and cull):
        return
    inverse_depth, face_of, barycentric, width, height = canvas
    # Shifts divide by 1024 and round down; the first and last centres that can lie inside. Most faces miss every one.
    low_x, high_x = min(x0, x1, x2), max(x0, x1, x2)
    left = max((low_x + _HALF - 1) >> _SHIFT, 0)
    right = min((high_x - _HALF) >> _SHIFT, width - 1)
    if left > right:
        return
    low_y, high_y = min(y0, y1, y2), max(y0, y1, y2)
    top = max((low_y + _HALF - 1) >> _SHIFT, 0)
    bottom = min((high_y - _HALF) >> _SHIFT, height - 1)
    if top > bottom:
        return
    if min(low_x, low_y) < -_FARTHEST_PX * _STEPS or max(high_x, high_y) > _FARTHEST_PX * _STEPS:
        return
    if area < 0:
        area = -area
        x1, y1, z1, x2, y2, z2 = x2, y2, z2, x1, y1, z1
        p1, q1, p2, q2 = p2, q2, p1, q1
    start_x, start_y = left * _STEPS + _HALF, top * _STEPS + _HALF
    # Twice the areas opposite to the corners, less 1 where an edge is no top or left one: centres on it do not count.
    least0 = np.int64((y2 > y1) | ((y2 == y1) & (x2 <= x1)))
    least1 = np.int64((y0 > y2) | ((y0 == y2) & (x0 <= x2)))
    least2 = np.int64((y1 > y0) | ((y1 == y0) & (x1 <= x0)))
    row0 = (x2 - x1) * (start_y - y1) - (y2 - y1) * (start_x - x1) - least0
    row1 = (x0 - x2) * (start_y - y2) - (y0 - y2) * (start_x - x2) - least1
    row2 = (x1 - x0) * (start_y - y0) - (y1 - y0) * (start_x - x0) - least2
    right0, right1, right2 = (y1 - y2) * _STEPS, (y2 - y0) * _STEPS, (y0 - y1) * _STEPS
    down0, down1, down2 = (x2 - x1) * _STEPS, (x0 - x2) * _STEPS, (x1 - x0) * _STEPS
    share = 1.0 / area
    z0, z1, z2 = z0 * share, z1 * share, z2 * share
    for row in range(top, bottom + 1):
        e0, e1, e2 = row0, row1, row2
        at = np.uintp(row * width + left)
        for _ in range(left, right + 1):
            if (e0 | e1 | e2) >= 0:  # none is negative
                w0, w1, w2 = (e0 + least0) * z0, (e1 + least1) * z1, (e2 + least2) * z2
                depth = w0 + w1 + w2
                if np.float32(depth) > inverse_depth[at]:
                    inverse_depth[at] = depth
                    face_of[at] = face
                    metres = 1.0 / depth
                    twice = at + at
                    barycentric[twice] = (w0 * p0 + w1 * p1 + w2 * p2) * metres
                    barycentric[twice + np.uintp(1)] = (w0 * q0 + w1 * q1 + w2 * q2) * metres
            at += np.uintp(1)
            e0 += right0
            e1 += right1
            e2 += right2
        row0 += down0
        row1 += down1
        row2 += down2


@numba.njit(cache=True, error_model="numpy", nogil=True)
@no_type_check
def _draw(
    vertices: np.ndarray,
    faces: np.ndarray,
    focal: float,
    centre_x: float,
    centre_y: float,
    near: float,
    cull: bool,
    first_face: int,
    inverse_depth: np.ndarray,
    face_of: np.ndarray,
    barycentric: np.ndarray,
) -> None:
    """All faces in order; equal depths keep the earlier face."""
    height, width = face_of.shape
    canvas = (inverse_depth.reshape(-1), face_of.reshape(-1), barycentric.reshape(-1), width, height)
    count = vertices.shape[0]
    place = np.empty((count, 2), np.int32)
    inverse = np.empty(count, np.float64)
    for v in range(count):
        z = vertices[v, 2]
        if z >= near:
            inverse[v] = 1.0 / z
            place[v, 0] = _on_grid(focal * vertices[v, 0] * inverse[v] + centre_x)
            place[v, 1] = _on_grid(focal * vertices[v, 1] * inverse[v] + centre_y)
        else:
            inverse[v] = 0.0
    for f in range(faces.shape[0]):
        # Indices that may be negative are looked at twice.
        a, b, c = np.uintp(faces[f, 0]), np.uintp(faces[f, 1]), np.uintp(faces[f, 2])
        inside = (inverse[a] > 0) + (inverse[b] > 0) + (inverse[c] > 0)
        if inside == 3:
            first = (np.int64(place[a, 0]), np.int64(place[a, 1]), inverse[a])
            second = (np.int64(place[b, 0]), np.int64(place[b, 1]), inverse[b])
            third = (np.int64(place[c, 0]), np.int64(place[c, 1]), inverse[c])
            corners = first + second + third
            _triangle(corners, _WHOLE, cull, first_face + f, canvas)
        elif inside > 0:
            lens = (focal, centre_x, centre_y, near)
            _cut_triangle(vertices, (a, b, c), lens, cull, first_face + f, canvas)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _cut_triangle(
    vertices: np.ndarray,
    face: tuple[int, int, int],
    lens: tuple[float, float, float, float],
    cull: bool,
    number: int,
    canvas: tuple[np.ndarray, np.ndarray, np.ndarray, int, int],
) -> None:
    """Draw what of a face lies beyond the near plane: one or two triangles."""
    focal, centre_x, centre_y, near = lens
    cut = np.empty((4, 5), np.float64)
    count = _cut_at_near(vertices, face[0], face[1], face[2], near, cut)
    for row in range(count):
        cut[row, 2] = 1 / cut[row, 2]
        cut[row, 0] = focal * cut[row, 0] * cut[row, 2] + centre_x
        cut[row, 1] = focal * cut[row, 1] * cut[row, 2] + centre_y
    for k in range(1, count - 1):
        p, q, r = cut[0], cut[k], cut[k + 1]
        shares = (p[3], p[4], q[3], q[4], r[3], r[4])
        first = (_on_grid(p[0]), _on_grid(p[1]), p[2])
        second = (_on_grid(q[0]), _on_grid(q[1]), q[2])
        third = (_on_grid(r[0]), _on_grid(r[1]), r[2])
        _triangle(first + second + third, shares, cull, number, canvas)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _cut_at_near(vertices: np.ndarray, a: int, b: int, c: int, near: float, cut: np.ndarray) -> int:
    """Cut a triangle at the near plane: corners (n, 5) x, y, z and two weights into `cut`; n is 3 or 4."""
    corners = 0
    order = (a, b, c)
    for i in range(3):
        v, w = order[i], order[(i + 1) % 3]
        z, other_z = vertices[v, 2], vertices[w, 2]
        if z >= near:
            for k in range(3):
                cut[corners, k] = vertices[v, k]
            cut[corners, 3], cut[corners, 4] = 1.0 * (i == 0), 1.0 * (i == 1)
            corners += 1
        if (z >= near) != (other_z >= near):
            t = (near - z) / (np.float64(other_z) - z)
            for k in range(2):
                cut[corners, k] = vertices[v, k] + t * (vertices[w, k] - vertices[v, k])
            cut[corners, 2] = near
            j = (i + 1) % 3
            cut[corners, 3] = (1 - t) * (i == 0) + t * (j == 0)
            cut[corners, 4] = (1 - t) * (i == 1) + t * (j == 1)
            corners += 1
    return corners
