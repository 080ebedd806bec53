"""The body's mesh with less detail, for people who are small in the picture: hands and faces have most of its faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import no_type_check

import numba
import numpy as np

DETAILS_M = (0.008, 0.011, 0.016, 0.022, 0.032)
"""Of the coarser meshes: no edge that is new in them is longer."""

_SAME_WAY = 0.6
"""Cosine by which a face may turn."""
_APART = 0.1
"""Of the longest edge; so far at most lies the surface from what it was, so that finger tips stay where they are."""
_GO_ON = 0.98
"""A round that leaves more of the faces is the last one."""


@dataclass(frozen=True)
class CoarseMesh:
    """Some of the body's vertices, and faces among them.

    Attributes:
        detail_m: about so long are the edges where the body has shorter ones; 0 for the body's own mesh.
        vertices: (v,) int64 numbers of the body's vertices that are left, increasing.
        faces: (f, 3) int32 indices into them.
        uv_faces: (f, 3) int32 indices into the body's texture corners.
    """

    detail_m: float
    vertices: np.ndarray
    faces: np.ndarray
    uv_faces: np.ndarray


def coarse_meshes(rest_m: np.ndarray, faces: np.ndarray, uv_faces: np.ndarray) -> tuple[CoarseMesh, ...]:
    """The body's mesh, then one of each of `DETAILS_M`, each made from the one before.

    Args:
        rest_m: (V, 3) vertices of the mean adult at rest.
        faces: (F, 3).
        uv_faces: (F, 3) indices into texture corners.
    """
    rest_m = np.asarray(rest_m, np.float64)
    faces, uv_faces = np.asarray(faces, np.int64), np.asarray(uv_faces, np.int64)
    stays = _on_seams(faces, uv_faces, len(rest_m)) | _on_borders(faces, len(rest_m))
    apart = np.zeros(len(rest_m))
    meshes = [_mesh(0.0, faces, uv_faces)]
    for detail_m in DETAILS_M:
        count = 2 * len(faces)
        while len(faces) < _GO_ON * count:
            count = len(faces)
            faces, uv_faces = _thinned(rest_m, faces, uv_faces, stays, apart, detail_m)
        meshes.append(_mesh(detail_m, faces, uv_faces))
    return tuple(meshes)


def _mesh(detail_m: float, faces: np.ndarray, uv_faces: np.ndarray) -> CoarseMesh:
    vertices, own = np.unique(faces, return_inverse=True)
    return CoarseMesh(
        detail_m, vertices, own.reshape(faces.shape).astype(np.int32), uv_faces.astype(np.int32)
    )


def _on_seams(faces: np.ndarray, uv_faces: np.ndarray, count: int) -> np.ndarray:
    """(V,) bool: vertices with several places in the texture."""
    pairs = np.unique(np.stack((faces.ravel(), uv_faces.ravel()), axis=-1), axis=0)
    return np.bincount(pairs[:, 0], minlength=count) > 1


def _on_borders(faces: np.ndarray, count: int) -> np.ndarray:
    """(V,) bool: vertices of edges that have not two faces."""
    ends = np.sort(np.concatenate((faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]])), axis=1)
    edges, uses = np.unique(ends, axis=0, return_counts=True)
    borders = np.zeros(count, bool)
    borders[edges[uses != 2]] = True
    return borders


def _thinned(
    rest_m: np.ndarray,
    faces: np.ndarray,
    uv_faces: np.ndarray,
    stays: np.ndarray,
    apart: np.ndarray,
    longest_m: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Faces after vertices that are no neighbours of one another went over into a neighbour each, nearest ones first."""
    flat = faces.ravel()
    order = np.argsort(flat, kind="stable")
    first = np.concatenate(([0], np.cumsum(np.bincount(flat, minlength=len(rest_m)))))
    ahead = np.roll(faces, -1, axis=1)
    length = np.linalg.norm(rest_m[faces] - rest_m[ahead], axis=-1).ravel()
    nearest = np.full(len(rest_m), np.inf)
    np.minimum.at(nearest, flat, length)
    nearest[stays] = np.inf
    turn = np.argsort(nearest, kind="stable")
    turn = turn[nearest[turn] <= longest_m]
    thin, thin_uv = faces.copy(), uv_faces.copy()
    _thin(rest_m, thin, thin_uv, first, order // 3, turn, apart, longest_m)
    left = thin[:, 0] >= 0
    return thin[left], thin_uv[left]


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _thin(
    rest_m: np.ndarray,
    faces: np.ndarray,
    uv_faces: np.ndarray,
    first: np.ndarray,
    around: np.ndarray,
    turn: np.ndarray,
    apart: np.ndarray,
    longest_m: float,
) -> None:
    """Change faces and uv_faces (F, 3), those that vanish to -1; faces around vertex v are around[first[v]:first[v + 1]]."""
    touched = np.zeros(len(rest_m), np.bool_)
    for v in turn:
        if touched[v]:
            continue
        own = around[first[v] : first[v + 1]]
        best, least = -1, _APART * longest_m - apart[v]
        for f in own:
            for k in range(3):
                w = faces[f, k]
                # Each neighbour comes once as the one that follows v.
                if faces[f, (k + 2) % 3] != v or touched[w]:
                    continue
                there = around[first[w] : first[w + 1]]
                if _one_place(faces, uv_faces, own, w) and _shared(faces, own, there, v, w) == 2:
                    away = _away(rest_m, faces, own, v, w, longest_m)
                    if away < least:
                        best, least = w, away
        if best < 0:
            continue
        # How far it is at v holds for all that v stood for, and from now on for the corners of the faces that changed.
        away = apart[v] + least
        place = -1
        for f in own:
            for k in range(3):
                touched[faces[f, k]] = True
                apart[faces[f, k]] = max(apart[faces[f, k]], away)
                if faces[f, k] == best:
                    place = uv_faces[f, k]
        for f in own:
            if faces[f, 0] == best or faces[f, 1] == best or faces[f, 2] == best:
                faces[f] = -1
                continue
            for k in range(3):
                if faces[f, k] == v:
                    faces[f, k], uv_faces[f, k] = best, place


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _one_place(faces: np.ndarray, uv_faces: np.ndarray, own: np.ndarray, w: int) -> bool:
    """Whether vertex w has one place in the texture of these faces."""
    place = -1
    for f in own:
        for k in range(3):
            if faces[f, k] == w:
                if place >= 0 and uv_faces[f, k] != place:
                    return False
                place = uv_faces[f, k]
    return True


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _shared(faces: np.ndarray, own: np.ndarray, there: np.ndarray, v: int, w: int) -> int:
    """How many neighbours v and w, which have these faces, have in common; with more than 2 the surface would fold."""
    count = 0
    for f in own:
        for k in range(3):
            if faces[f, (k + 2) % 3] != v or faces[f, k] == w:
                continue
            for g in there:
                if (
                    faces[g, 0] == faces[f, k] or faces[g, 1] == faces[f, k] or faces[g, 2] == faces[f, k]
                ) and not (faces[g, 0] == v or faces[g, 1] == v or faces[g, 2] == v):
                    count += 1
                    break
    return count


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _away(rest_m: np.ndarray, faces: np.ndarray, own: np.ndarray, v: int, w: int, longest_m: float) -> float:
    """How far vertex v lies from the faces around it after it went over into w; infinite where it must not."""
    away, limit = np.inf, longest_m * longest_m
    p, q = _place(rest_m, v), _place(rest_m, w)
    for f in own:
        if faces[f, 0] == w or faces[f, 1] == w or faces[f, 2] == w:
            continue
        k = 0 if faces[f, 0] == v else (1 if faces[f, 1] == v else 2)
        a, b = _place(rest_m, faces[f, (k + 1) % 3]), _place(rest_m, faces[f, (k + 2) % 3])
        side, new_side = _minus(b, a), _minus(q, a)
        if _dot(new_side, new_side) > limit or _dot(_minus(q, b), _minus(q, b)) > limit:
            return np.inf
        old, new = _cross(side, _minus(p, a)), _cross(side, new_side)
        size = np.sqrt(_dot(old, old) * _dot(new, new))
        if size == 0 or _dot(old, new) < _SAME_WAY * size:
            return np.inf
        away = min(away, _from_triangle(p, a, b, q, new))
    return away


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _from_triangle(
    p: tuple[float, float, float],
    a: tuple[float, float, float],
    b: tuple[float, float, float],
    c: tuple[float, float, float],
    normal: tuple[float, float, float],
) -> float:
    """The distance of a point from a triangle with that normal, of any length."""
    is_above = True
    nearest = np.inf
    for start, end in ((a, b), (b, c), (c, a)):
        side, way = _minus(end, start), _minus(p, start)
        is_above = is_above and _dot(_cross(side, way), normal) >= 0
        share = min(max(_dot(way, side) / _dot(side, side), 0.0), 1.0)
        gap = (way[0] - share * side[0], way[1] - share * side[1], way[2] - share * side[2])
        nearest = min(nearest, _dot(gap, gap))
    if is_above:
        return abs(_dot(_minus(p, a), normal)) / np.sqrt(_dot(normal, normal))
    return np.sqrt(nearest)


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _place(places: np.ndarray, v: int) -> tuple[float, float, float]:
    return places[v, 0], places[v, 1], places[v, 2]


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _minus(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _dot(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _cross(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
