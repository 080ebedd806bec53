"""Which keypoints the body itself hides: the paper's 20 cm rule, by the mesh's depth map or, fast, by capsules."""

from __future__ import annotations

import numba
import numpy as np
from torch import Tensor

from pointlight.body import BodyModel, Person, Posed
from pointlight.simulator.drawing.raster import Raster, rasterise
from pointlight.simulator.scenes.capsules import PlacedCapsules, body_size, girth_factor

HIDDEN_BEHIND_M = 0.20
"""Appendix B: "keypoints that are at least 20cm behind the depth map of the mesh in 3D are considered hidden"."""

_MARGIN_PX = 4


def hidden_behind_mesh(
    points_camera_m: np.ndarray, vertices_camera_m: np.ndarray, faces: np.ndarray, tall_px: int = 400
) -> np.ndarray:
    """The rule itself: points at least 20 cm behind the mesh's depth map. Slow; capsules are held to it.

    Args:
        points_camera_m: (K, 3) points in camera axes.
        vertices_camera_m: (V, 3) of the mesh, all before the camera.
        faces: (F, 3) counter-clockwise seen from outside.
        tall_px: longer side of the depth map, which is drawn around the mesh.

    Returns:
        (K,) bool.
    """
    flat = vertices_camera_m[:, :2] / vertices_camera_m[:, 2:]
    low, high = flat.min(0), flat.max(0)
    focal = tall_px / float((high - low).max())
    principal = _MARGIN_PX - low * focal
    width, height = (int(side) for side in np.ceil((high - low) * focal) + 2 * _MARGIN_PX)
    blank = Raster.blank(width, height)
    centre = (float(principal[0]), float(principal[1]))
    depth = rasterise(vertices_camera_m, faces, focal, centre, blank).depth_m()
    points_px = focal * points_camera_m[:, :2] / points_camera_m[:, 2:] + principal
    return behind_surface(points_px[None], points_camera_m[None, :, 2], depth[None])[0]


def behind_surface(points_px: np.ndarray, depth_of_points_m: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
    """The rule on a depth map that is there.

    Args:
        points_px: (T, K, 2).
        depth_of_points_m: (T, K) z in the camera.
        depth_m: (T, H, W), infinite where nothing is, NaN where it is not known.

    Returns:
        (T, K) bool, at least 20 cm behind the surface in their pixel; never for points outside the picture.
    """
    with np.errstate(invalid="ignore"):
        return depth_of_points_m - surface_at(points_px, depth_m) >= HIDDEN_BEHIND_M


def surface_at(points_px: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
    """The depth (T, K) of a map (T, H, W) in the pixels of points (T, K, 2); infinite outside the picture."""
    inside, row, column = pixel_of(points_px, *depth_m.shape[1:])
    return np.where(inside, depth_m[np.arange(len(depth_m))[:, None], row, column], np.inf)


def pixel_of(points_px: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether points (..., 2) lie in the picture, and row and column of their pixels; the nearest where they do not."""
    place = np.floor(np.where(np.isfinite(points_px), points_px, -1.0))
    inside = np.asarray(((place >= 0) & (place < (width, height))).all(-1))
    column, row = np.moveaxis(place.clip(0, (width - 1, height - 1)).astype(np.int64), -1, 0)
    return inside, row, column


class SelfOcclusion:
    """The rule on capsules, for whole tracks of one body model."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body
        self._capsules = PlacedCapsules.of(body.joint_names)

    def hidden(self, points_camera_m: Tensor, posed: Posed, person: Person, shape: Tensor) -> np.ndarray:
        """Which points the body hides.

        Args:
            points_camera_m: (..., K, 3).
            posed: joints (..., J, 3) and rotations (..., J, 3, 3) in camera axes.
            person: of the shapes.
            shape: (..., S), of leading dimensions that broadcast to the points'.

        Returns:
            (..., K) bool.
        """
        leading = points_camera_m.shape[:-2]
        size = body_size(self._body, person)
        girth = girth_factor(shape, self._body.shape_names, size)
        capsules = self._capsules
        hidden = self_hidden(
            _rows(points_camera_m, 2),
            _rows(posed.joints, 2),
            _rows(posed.rotations, 3),
            capsules.joints,
            capsules.offsets_m,
            capsules.radii_m,
            capsules.flesh,
            _rows(size.expand(leading), 0),
            _rows(girth.expand(leading), 0),
            HIDDEN_BEHIND_M,
        )
        return hidden.reshape(*leading, -1)


def _rows(values: Tensor, kept: int) -> np.ndarray:
    """Leading dimensions made one; the last `kept` stay."""
    return np.ascontiguousarray(values.detach().reshape(-1, *values.shape[values.ndim - kept :]).numpy())


@numba.njit(cache=True, error_model="numpy")
def self_hidden(
    points: np.ndarray,
    joints: np.ndarray,
    rotations: np.ndarray,
    attached: np.ndarray,
    offsets: np.ndarray,
    radii: np.ndarray,
    flesh: np.ndarray,
    size: np.ndarray,
    girth: np.ndarray,
    behind_m: float,
) -> np.ndarray:
    """Say which points lie at least `behind_m` behind the surface of a body of capsules, seen from the origin.

    Args:
        points: (N, K, 3) points in camera axes, metres.
        joints: (N, J, 3) in camera axes, metres.
        rotations: (N, J, 3, 3) from body to camera axes.
        attached: (C, 2) which joints the capsules' ends move with.
        offsets: (C, 2, 3) of the ends from these joints.
        radii: (C,) capsule radii.
        flesh: (C,) whether a capsule grows with girth, not with size.
        size: (N,) factor on offsets and radii.
        girth: (N,) factor on radii.
        behind_m: least depth behind the surface.

    Returns:
        (N, K) bool.
    """
    bodies, count, capsules = points.shape[0], points.shape[1], attached.shape[0]
    hidden = np.zeros((bodies, count), np.bool_)
    ends = np.empty((capsules, 2, 3), np.float32)
    radius = np.empty(capsules, np.float32)
    nearest = np.empty(capsules, np.float32)
    for n in range(bodies):
        for c in range(capsules):
            for e in range(2):
                j = attached[c, e]
                x, y, z = offsets[c, e, 0] * size[n], offsets[c, e, 1] * size[n], offsets[c, e, 2] * size[n]
                for i in range(3):
                    turn = rotations[n, j, i]
                    ends[c, e, i] = joints[n, j, i] + turn[0] * x + turn[1] * y + turn[2] * z
            radius[c] = radii[c] * (girth[n] if flesh[c] else size[n])
            nearest[c] = min(ends[c, 0, 2], ends[c, 1, 2]) - radius[c]
        for k in range(count):
            px, py, pz = points[n, k, 0], points[n, k, 1], points[n, k, 2]
            # The ray is s * (px, py, pz); s = 1 is the point, so depth is s * pz.
            front = pz - behind_m
            if front <= 0.05:
                continue
            for c in range(capsules):
                if nearest[c] > front:
                    continue
                if _capsule_entry(px, py, pz, ends[c, 0], ends[c, 1], radius[c]) * pz <= front:
                    hidden[n, k] = True
                    break
    return hidden


@numba.njit(cache=True, error_model="numpy", inline="always")
def _capsule_entry(px: float, py: float, pz: float, a: np.ndarray, b: np.ndarray, radius: float) -> float:
    """Smallest s > 0 at which s * p enters the capsule from a to b; a large number where it does not."""
    far = 1e9
    bax, bay, baz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    baba = bax * bax + bay * bay + baz * baz
    pp = px * px + py * py + pz * pz
    bap = bax * px + bay * py + baz * pz
    baa = -(bax * a[0] + bay * a[1] + baz * a[2])
    pa = -(px * a[0] + py * a[1] + pz * a[2])
    aa = a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
    # The infinite cylinder first.
    qa = baba * pp - bap * bap
    qb = baba * pa - baa * bap
    qc = baba * aa - baa * baa - radius * radius * baba
    disc = qb * qb - qa * qc
    if disc < 0.0:
        return far
    if qa > 1e-12:
        s = (-qb - np.sqrt(disc)) / qa
        along = baa + s * bap
        if 0.0 < along < baba and s > 0.0:
            return s
        first = along <= 0.0
    else:
        first = bap > 0.0
    # Then the ball at the nearer end.
    ox, oy, oz = (-a[0], -a[1], -a[2]) if first else (-b[0], -b[1], -b[2])
    half = px * ox + py * oy + pz * oz
    disc = half * half - pp * (ox * ox + oy * oy + oz * oz - radius * radius)
    if disc < 0.0:
        return far
    s = (-half - np.sqrt(disc)) / pp
    return s if s > 0.0 else far
