"""The body's surface as a tailor sees it: where on an arm or a leg a point lies, and which texel shows it.

Everything is measured once on the mean adult at rest and then holds for every body, since the mesh is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, no_type_check

import numba
import numpy as np
import torch
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from pointlight.body import MEAN_ADULT_SHAPE, AnnyBody
from pointlight.simulator.drawing.raster import NO_FACE, Raster, rasterise
from pointlight.simulator.people.coarsening import CoarseMesh, coarse_meshes

TEXTURE_PX = 512
"""Side of the texture; about 3 mm a texel on trunk and limbs."""

PADDING_PX = 10
"""How far beyond the islands of the UV map the texture goes on, so that smaller copies stay clean at seams."""

FIELDS: tuple[str, ...] = (
    *("arm", "drop", "top", "neck", "vee", "front", "outer"),
    *("hairline", "behind", "eye", "eyeball", "foot", "across", "forward"),
)
"""Names of what is measured at every point, metres on the mean adult:

arm: along the arm from the shoulder joint, below 0 on the trunk. drop: height (y), the arms count as shoulders.
top: height, arms included. neck: distance from the neck's base. vee: height less 2.2 times the distance from the middle,
in front; -1 behind. front: distance from the middle in front; 0.5 behind. outer: along the surface from a leg's outermost
line; 0.5 elsewhere. hairline: above a plane from the forehead's hairline to the nape. behind: behind the ears. eye:
distance from an eye's middle. eyeball: 1 on eyeballs, else -1. foot: above the sole, 1 away from the feet. across: distance
from the body's middle plane. forward: z.
"""

BLOCK = 16
"""So many texels in a row, which lie near each other on the body, are looked at together."""

_ELSEWHERE_M = 0.5
_NECK_BASE = (0.600, 0.035)
_HAIRLINE = ((0.836, 0.130), (0.700, -0.030))
"""(y, z) of the forehead's hairline and of the nape on the mean adult."""
_EAR_Z = 0.045
_CAVITY_Z = 0.122
_MOUTH_TOP = 0.75
_SHOE_M = 0.075
_SMOOTHING = 0.6
"""Step of the smoothing towards the mean of the neighbours."""
_GROWING = 0.62


@dataclass(frozen=True)
class Texels:
    """What is painted of a texture of one size.

    Attributes:
        size: side of the texture.
        fields: (N, n) float32 of `FIELDS` at the texels that are painted.
        lowest: (N / BLOCK rounded up, n) float32 least of each field in every `BLOCK` texels.
        highest: the same, greatest.
        cloth_m: (N, 2) float32 where a texel lies on cloth: around the limb or trunk, and along it.
        rest_m: (N, 3) float32 place on the mean adult at rest.
        of: (size, size) int32 row of the N that fills a texel; -1 far from every island.
    """

    size: int
    fields: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    cloth_m: np.ndarray
    rest_m: np.ndarray
    of: np.ndarray


@dataclass(frozen=True)
class BodySurface:
    """What clothing needs to know of a body.

    Attributes:
        faces: (F, 3) int32 of all that can be seen.
        uv_px: (U, 2) float32 places of texture corners in a texture of `TEXTURE_PX`, (0, 0) its outer corner.
        uv_faces: (F, 3) int32 indices into it.
        fields: (V, n) float32 of `FIELDS` at the vertices.
        rest_m: (V, 3) float32 vertices of the mean adult at rest.
        parts: (V,) uint8, 1 + index of the joint that moves the vertex most.
        texels: of textures of `TEXTURE_PX` and of half of it.
        meshes: the faces again, then coarser and coarser ones.
        neighbours: (V, V) sparse, each vertex's mean of its neighbours.
        foot_vertices: (f,) int64, all that a low shoe covers.
        foot_neighbours: (f, f) sparse, the same among them alone.
    """

    faces: np.ndarray
    uv_px: np.ndarray
    uv_faces: np.ndarray
    fields: np.ndarray
    rest_m: np.ndarray
    parts: np.ndarray
    texels: tuple[Texels, Texels]
    meshes: tuple[CoarseMesh, ...]
    neighbours: sparse.csr_array
    foot_vertices: np.ndarray
    foot_neighbours: sparse.csr_array

    def smoothed(self, values: np.ndarray, steps: int, *, keeps_size: bool = False) -> np.ndarray:
        """Values (V, C) of the vertices after so many steps towards their neighbours' mean.

        Args:
            values: of the vertices.
            steps: how many.
            keeps_size: after each step a slightly larger one back, so that only what is small vanishes and limbs do not
                become thinner (Taubin 1995).
        """
        smooth = np.asarray(values, np.float32)
        for _ in range(steps):
            smooth = towards_neighbours(self.neighbours, smooth, _SMOOTHING)
            if keeps_size:
                smooth = towards_neighbours(self.neighbours, smooth, -_GROWING)
        return smooth


def towards_neighbours(neighbours: sparse.csr_array, values: np.ndarray, step: float) -> np.ndarray:
    """Values (V, C) float32 of vertices, moved by a share of the way to their neighbours' mean (V, V)."""
    graph = (neighbours.indptr, neighbours.indices, neighbours.data)
    return _towards_neighbours(*graph, np.ascontiguousarray(values, np.float32), np.float32(step))


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _towards_neighbours(
    first: np.ndarray, others: np.ndarray, weights: np.ndarray, values: np.ndarray, step: float
) -> np.ndarray:
    moved = np.empty_like(values)
    if values.shape[1] == 3:  # written out, it takes a third of the time
        for v in range(values.shape[0]):
            x = y = z = np.float32(0)
            for n in range(first[v], first[v + 1]):
                weight, other = weights[n], np.uintp(others[n])
                x += weight * values[other, 0]
                y += weight * values[other, 1]
                z += weight * values[other, 2]
            moved[v, 0] = values[v, 0] + step * (x - values[v, 0])
            moved[v, 1] = values[v, 1] + step * (y - values[v, 1])
            moved[v, 2] = values[v, 2] + step * (z - values[v, 2])
        return moved
    for v in range(values.shape[0]):
        for k in range(values.shape[1]):
            mean = np.float32(0)
            for n in range(first[v], first[v + 1]):
                mean += weights[n] * values[others[n], k]
            moved[v, k] = values[v, k] + step * (mean - values[v, k])
    return moved


@lru_cache(maxsize=4)
def surface_of(body: AnnyBody) -> BodySurface:
    """Measure a body; takes about a second, once a process."""
    rest = body.rest_vertices(torch.tensor(MEAN_ADULT_SHAPE)).numpy().astype(np.float64)
    joints = dict(
        zip(
            body.joint_names, body.person(torch.tensor(MEAN_ADULT_SHAPE)).joints.double().numpy(), strict=True
        )
    )
    weights = body.skin_weights.double().numpy()
    # Between lips and eyelids one sees the front of the cavities behind them.
    in_front = (rest[body.faces.numpy()] > (-1, 0.6, _CAVITY_Z)).all((1, 2))
    outside = body.face_is_outside.numpy() | in_front
    faces = body.faces.numpy()[outside].astype(np.int32)
    uv_faces = body.uv_faces.numpy()[outside].astype(np.int32)
    uv = body.uv.double().numpy()
    uv_px = np.stack((uv[:, 0], 1 - uv[:, 1]), axis=-1) * TEXTURE_PX
    fields = _fields(rest, joints, weights, body.joint_names, _eyeballs(faces, rest))
    main = body.main_joints()

    def texels(size: int) -> Texels:
        face, where, rows = _texels(uv_px * (size / TEXTURE_PX), uv_faces, size)
        corners = faces[face]
        place = (rest[corners] * where[..., None]).sum(1)
        part = main[corners[np.arange(len(corners)), where.argmax(1)]]
        own = np.ascontiguousarray((fields[corners] * where[..., None]).sum(1), np.float32)
        starts = np.arange(0, len(own), BLOCK)
        return Texels(
            size,
            own,
            np.minimum.reduceat(own, starts),
            np.maximum.reduceat(own, starts),
            _cloth(place, part, joints, body.joint_names),
            np.ascontiguousarray(place, np.float32),
            rows,
        )

    feet = np.flatnonzero(fields[:, FIELDS.index("foot")] < _SHOE_M)
    return BodySurface(
        faces=faces,
        uv_px=uv_px.astype(np.float32),
        uv_faces=uv_faces,
        fields=fields.astype(np.float32),
        rest_m=rest.astype(np.float32),
        parts=(1 + main).astype(np.uint8),
        texels=(texels(TEXTURE_PX), texels(TEXTURE_PX // 2)),
        meshes=coarse_meshes(rest, faces, uv_faces),
        neighbours=_neighbours(faces, len(rest)),
        foot_vertices=feet,
        foot_neighbours=_neighbours_among(feet, faces, len(rest)),
    )


def _eyeballs(faces: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(V,) bool: the small connected pieces of the mesh that lie as high as eyes."""
    ends = np.concatenate((faces[:, :2], faces[:, 1:]))
    count = len(rest)
    graph = sparse.coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (count, count))
    pieces, label = csgraph.connected_components(graph, directed=False)
    sizes = np.bincount(label, minlength=pieces)
    small = np.flatnonzero((sizes > 1) & (sizes < 1000))
    return np.isin(label, small) & (rest[:, 1] > _MOUTH_TOP)


def _fields(
    rest: np.ndarray,
    joints: dict[str, np.ndarray],
    weights: np.ndarray,
    names: tuple[str, ...],
    eyeballs: np.ndarray,
) -> np.ndarray:
    """(V, n) of `FIELDS`."""
    x, y, z = rest.T
    arm_share = _share(weights, names, ("shoulder", "elbow", "wrist"))
    leg_share = _share(weights, names, ("hip", "knee", "ankle", "toes"))
    in_front = _ramp(z, -0.01, 0.05)
    (front_y, front_z), (nape_y, nape_z) = _HAIRLINE
    normal = np.array([front_z - nape_z, nape_y - front_y])
    normal /= np.linalg.norm(normal)
    eye = joints["head"] + (0.0300, 0.0425, 0.0)
    sole = rest[:, 1].min()
    foot_share = _share(weights, names, ("ankle", "toes"))
    columns = {
        "arm": arm_share * _along_arm(rest, joints) - 0.3 * (1 - arm_share),
        "drop": y + arm_share * (joints["left_shoulder"][1] - y),
        "top": y,
        "neck": np.sqrt(x**2 + (z - _NECK_BASE[1]) ** 2 + (0.8 * (y - _NECK_BASE[0])) ** 2),
        "vee": in_front * (y - 2.2 * np.abs(x)) - (1 - in_front),
        "front": in_front * np.abs(x) + (1 - in_front) * _ELSEWHERE_M,
        "outer": np.where(leg_share > 0.5, _from_outermost(rest, joints), _ELSEWHERE_M),
        "hairline": normal[0] * (y - front_y) + normal[1] * (z - front_z),
        "behind": _EAR_Z - z,
        "eye": np.hypot(np.abs(x) - eye[0], y - eye[1]) + np.where(z > 0.09, 0, _ELSEWHERE_M),
        "eyeball": np.where(eyeballs, 1.0, -1.0),
        "foot": np.where(foot_share > 0.3, y - sole, 1.0),
        "across": np.abs(x),
        "forward": z,
    }
    return np.stack([columns[name] for name in FIELDS], axis=-1)


def _share(weights: np.ndarray, names: tuple[str, ...], parts: tuple[str, ...]) -> np.ndarray:
    """(V,) how much of a vertex these joints of both sides move."""
    columns = [i for i, name in enumerate(names) if name.split("_")[-1] in parts and "_" in name]
    return weights[:, columns].sum(1)


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    t = ((values - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def _along_arm(rest: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    """(V,) metres from the shoulder joint along the nearer arm's bones, to the finger tips."""
    along = []
    for side in ("left", "right"):
        shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        upper = np.linalg.norm(elbow - shoulder)
        first = (rest - shoulder) @ (elbow - shoulder) / upper
        second = upper + (rest - elbow) @ (wrist - elbow) / np.linalg.norm(wrist - elbow)
        along.append(np.maximum(np.minimum(first, upper), second))
    return np.where(rest[:, 0] > 0, along[0], along[1])


def _leg_axis(rest: np.ndarray, joints: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (V,) outwards and forward from the nearer leg's bones at a point's height."""
    heights = [joints[f"left_{name}"][1] for name in ("ankle", "knee", "hip")]
    middle_x = np.interp(rest[:, 1], heights, [joints[f"left_{n}"][0] for n in ("ankle", "knee", "hip")])
    middle_z = np.interp(rest[:, 1], heights, [joints[f"left_{n}"][2] for n in ("ankle", "knee", "hip")])
    return np.abs(rest[:, 0]) - middle_x, rest[:, 2] - middle_z


def _from_outermost(rest: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    outwards, forward = _leg_axis(rest, joints)
    return np.abs(np.arctan2(forward, outwards)) * np.hypot(outwards, forward)


def _cloth(
    rest: np.ndarray, part: np.ndarray, joints: dict[str, np.ndarray], names: tuple[str, ...]
) -> np.ndarray:
    """(N, 2) metres around and along what a point lies on; front and back are two panels, sewn at the sides."""
    x, y, z = rest.T
    label = np.array([name.split("_")[-1] for name in names])[part]
    arm = np.isin(label, ("shoulder", "elbow", "wrist"))
    leg = np.isin(label, ("hip", "knee", "ankle", "toes")) & (y < joints["left_hip"][1] - 0.06)
    outwards, forward = _leg_axis(rest, joints)
    side = np.where(x >= 0, 1.0, -1.0)
    wide, middle, deep = _cross_sections(rest[~arm & ~leg], y)
    around, along = _panel(x / wide, (z - middle) / deep, 0.16), y.copy()
    around = np.where(leg, side * 0.5 + _panel(side * outwards, forward, 0.075), around)
    start, end = joints["left_shoulder"], joints["left_wrist"]
    bone = (end - start) / np.linalg.norm(end - start)
    mirrored = np.stack((np.abs(x), y, z), axis=-1) - start
    across = np.cross(bone, (0.0, 0.0, 1.0))
    across /= np.linalg.norm(across)
    # The elbow is bent at rest, so that the axis is taken where the arm is.
    bend = mirrored @ np.cross(across, bone)
    arm_around = side + _panel(mirrored @ across, bend - np.median(bend[arm]), 0.045)
    around = np.where(arm, arm_around, around)
    along = np.where(arm, _along_arm(rest, joints), along)
    return np.stack((around, along), axis=-1).astype(np.float32)


def _cross_sections(trunk: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half width, middle (z) and half depth of trunk and head at some heights, so that no pattern is drawn out at flanks."""
    step = 0.02
    row = np.floor((trunk[:, 1] - trunk[:, 1].min()) / step).astype(int)
    count = row.max() + 1
    wide, front, back = np.zeros(count), np.full(count, -1.0), np.full(count, 1.0)
    np.maximum.at(wide, row, np.abs(trunk[:, 0]))
    np.maximum.at(front, row, trunk[:, 2])
    np.minimum.at(back, row, trunk[:, 2])
    at = trunk[:, 1].min() + step * (np.arange(count) + 0.5)
    sizes = (wide, (front + back) / 2, np.maximum((front - back) / 2, 0.02))
    smooth = [ndimage.gaussian_filter1d(size, 2.0, mode="nearest") for size in sizes]
    return (
        np.interp(heights, at, np.maximum(smooth[0], 0.02)),
        np.interp(heights, at, smooth[1]),
        np.interp(heights, at, smooth[2]),
    )


def _panel(sideways: np.ndarray, forward: np.ndarray, radius: float) -> np.ndarray:
    """Metres around a tube from the middle of its front; its back half is a second piece."""
    front = radius * np.arctan2(sideways, forward)
    back = radius * np.arctan2(sideways, -forward) + 0.37
    return np.where(forward >= 0, front, back)


def _texels(uv_px: np.ndarray, uv_faces: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces (N,) and weights (N, 3) of the painted texels, and the map (size, size) from texels to these."""
    flat = np.column_stack((uv_px, np.ones(len(uv_px))))
    raster = Raster.blank(size, size)
    rasterise(flat, uv_faces, 1.0, (0.0, 0.0), raster, cull_back=False)
    inside = raster.face != NO_FACE
    weights = raster.barycentric[inside].astype(np.float64)
    weights = np.column_stack((weights, 1 - weights.sum(1)))
    row = np.full(inside.shape, -1, np.int32)
    row[inside] = np.arange(inside.sum(), dtype=np.int32)
    found: Any = ndimage.distance_transform_edt(~inside, return_indices=True)
    distance, nearest = found
    texel_of = np.where(distance <= PADDING_PX, row[tuple(nearest)], -1).astype(np.int32)
    return raster.face[inside], weights, texel_of


def _neighbours_among(chosen: np.ndarray, faces: np.ndarray, count: int) -> sparse.csr_array:
    """`_neighbours` of a piece of the mesh; its rim stays where it is."""
    row = np.full(count, -1)
    row[chosen] = np.arange(len(chosen))
    own = row[faces]
    inside = (own >= 0).all(1)
    rim = np.unique(own[(own >= 0).any(1) & ~inside])
    rim = rim[rim >= 0]
    graph = _neighbours(own[inside], len(chosen)).tolil()
    for vertex in rim:
        graph.rows[vertex], graph.data[vertex] = [int(vertex)], [1.0]
    return sparse.csr_array(graph.tocsr(), dtype=np.float32)


def _neighbours(faces: np.ndarray, count: int) -> sparse.csr_array:
    ends = np.concatenate((faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]))
    ends = np.concatenate((ends, ends[:, ::-1]))
    graph = sparse.coo_array(
        (np.ones(len(ends), np.float32), (ends[:, 0], ends[:, 1])), (count, count)
    ).tocsr()
    graph.data[:] = 1
    degree = np.asarray(graph.sum(1)).ravel()
    # What has no neighbours is no part of the outside and stays where it is.
    alone = sparse.diags_array((degree == 0).astype(np.float32))
    scale = sparse.diags_array((1 / np.maximum(degree, 1)).astype(np.float32))
    return sparse.csr_array(scale @ graph + alone, dtype=np.float32)
