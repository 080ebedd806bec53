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

NO_FACE = -1
_STEPS = 1024
_HALF = _STEPS // 2
_FARTHEST_PX = 1 << 19
"""Triangles with a corner beyond are left out, so that products fit into 64 bits."""


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
            np.zeros((height, width, 2), np.float32),
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


@numba.njit(cache=True)
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
    count = vertices.shape[0]
    px = np.empty(count, np.int64)
    py = np.empty(count, np.int64)
    inverse = np.empty(count, np.float64)
    for v in range(count):
        z = vertices[v, 2]
        if z >= near:
            inverse[v] = 1.0 / z
            px[v] = _on_grid(focal * vertices[v, 0] * inverse[v] + centre_x)
            py[v] = _on_grid(focal * vertices[v, 1] * inverse[v] + centre_y)
        else:
            inverse[v] = 0.0
    # Corners of the triangle being drawn: place on the grid, 1/z, weights of the face's first two vertices.
    x = np.empty(3, np.int64)
    y = np.empty(3, np.int64)
    iz = np.empty(3, np.float64)
    share = np.empty((3, 2), np.float64)
    cut = np.empty((4, 5), np.float64)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        inside = (inverse[a] > 0) + (inverse[b] > 0) + (inverse[c] > 0)
        if inside == 3:
            for i in range(3):
                v = faces[f, i]
                x[i], y[i], iz[i] = px[v], py[v], inverse[v]
                share[i, 0], share[i, 1] = 1.0 * (i == 0), 1.0 * (i == 1)
            _triangle(x, y, iz, share, cull, first_face + f, inverse_depth, face_of, barycentric)
        elif inside > 0:
            corners = _cut_at_near(vertices, a, b, c, near, cut)
            for k in range(1, corners - 1):
                for i in range(3):
                    corner = cut[0] if i == 0 else cut[k + i - 1]
                    iz[i] = 1.0 / corner[2]
                    x[i] = _on_grid(focal * corner[0] * iz[i] + centre_x)
                    y[i] = _on_grid(focal * corner[1] * iz[i] + centre_y)
                    share[i, 0], share[i, 1] = corner[3], corner[4]
                _triangle(x, y, iz, share, cull, first_face + f, inverse_depth, face_of, barycentric)


@numba.njit(cache=True, inline="always")
@no_type_check
def _on_grid(pixels: float) -> int:
    """A coordinate in 1/1024 pixel; far ones are held where `_triangle` leaves them out."""
    limit = 2.0 * _FARTHEST_PX
    return np.int64(np.floor(min(max(pixels, -limit), limit) * _STEPS + 0.5))


@numba.njit(cache=True)
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


@numba.njit(cache=True)
@no_type_check
def _triangle(
    x: np.ndarray,
    y: np.ndarray,
    iz: np.ndarray,
    share: np.ndarray,
    cull: bool,
    face: int,
    inverse_depth: np.ndarray,
    face_of: np.ndarray,
    barycentric: np.ndarray,
) -> None:
    """One triangle with corners on the grid."""
    height, width = inverse_depth.shape
    for i in range(3):
        if abs(x[i]) > _FARTHEST_PX * _STEPS or abs(y[i]) > _FARTHEST_PX * _STEPS:
            return
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    # y points down, so that a face seen from outside runs the negative way round.
    if area == 0 or (area > 0 and cull):
        return
    i0, i1, i2 = 0, 1, 2
    if area < 0:
        i1, i2, area = 2, 1, -area
    x0, x1, x2 = x[i0], x[i1], x[i2]
    y0, y1, y2 = y[i0], y[i1], y[i2]
    left = max((min(x0, x1, x2) + _HALF - 1) // _STEPS, 0)
    right = min((max(x0, x1, x2) - _HALF) // _STEPS, width - 1)
    top = max((min(y0, y1, y2) + _HALF - 1) // _STEPS, 0)
    bottom = min((max(y0, y1, y2) - _HALF) // _STEPS, height - 1)
    if left > right or top > bottom:
        return
    start_x, start_y = left * _STEPS + _HALF, top * _STEPS + _HALF
    # Twice the areas opposite to the corners; centres on an edge count if it is a top or a left one.
    row0 = (x2 - x1) * (start_y - y1) - (y2 - y1) * (start_x - x1)
    row1 = (x0 - x2) * (start_y - y2) - (y0 - y2) * (start_x - x2)
    row2 = (x1 - x0) * (start_y - y0) - (y1 - y0) * (start_x - x0)
    least0 = 0 if y2 < y1 or (y2 == y1 and x2 > x1) else 1
    least1 = 0 if y0 < y2 or (y0 == y2 and x0 > x2) else 1
    least2 = 0 if y1 < y0 or (y1 == y0 and x1 > x0) else 1
    right0, right1, right2 = (y1 - y2) * _STEPS, (y2 - y0) * _STEPS, (y0 - y1) * _STEPS
    down0, down1, down2 = (x2 - x1) * _STEPS, (x0 - x2) * _STEPS, (x1 - x0) * _STEPS
    z0, z1, z2 = iz[i0] / area, iz[i1] / area, iz[i2] / area
    for row in range(top, bottom + 1):
        e0, e1, e2 = row0, row1, row2
        for column in range(left, right + 1):
            if e0 >= least0 and e1 >= least1 and e2 >= least2:
                w0, w1, w2 = e0 * z0, e1 * z1, e2 * z2
                depth = w0 + w1 + w2
                if np.float32(depth) > inverse_depth[row, column]:
                    inverse_depth[row, column] = depth
                    face_of[row, column] = face
                    for k in range(2):
                        total = w0 * share[i0, k] + w1 * share[i1, k] + w2 * share[i2, k]
                        barycentric[row, column, k] = total / depth
            e0 += right0
            e1 += right1
            e2 += right2
        row0 += down0
        row1 += down1
        row2 += down2
