"""SMPL from the user's own official file, behind the interface of every body.

No such file is shipped, and no chumpy is needed. SMPL (Loper et al. 2015) may be used for research only, under a
licence that its users accept themselves; what is derived from its files must not be handed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pointlight.body.kinematics import BodyState, KeypointRule, collapsed_keypoints
from pointlight.body.model import BodyModel, Person
from pointlight.body.smpl_points import surface_points as found_points
from pointlight.errors import PointlightError
from pointlight.files import file_sha256
from pointlight.pickles import read_pickle

SMPL_JOINTS: tuple[str, ...] = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hand",
    "right_hand",
)
"""SMPL's 24, in its order."""

SMPL_SHAPES = 10
"""The betas in use; files of version 1.1.0 have 300."""

_WIDEST_BETA = 5.0
"""Standard deviations beyond which nobody is."""

_KIND = "an official SMPL file such as basicModel_neutral_lbs_10_207_0_v1.0.0.pkl"
_ROOT_PARENT = 4294967295
_CROWN_VERTICES = 8
_HINGES = {"left_knee": (1.0, 0.0, 0.0), "right_knee": (1.0, 0.0, 0.0)} | {
    "left_elbow": (0.0, -1.0, 0.0),
    "right_elbow": (0.0, 1.0, 0.0),
}
"""In SMPL's rest pose legs hang straight down and arms are stretched out to the sides."""


class SmplBody(BodyModel):
    """SMPL of one file: female, male or neutral.

    The rest pose is SMPL's T-pose, whose axes are ours: x to the person's left, y up, z forward. The state's
    shape is the ten betas, which are not bound to [0, 1]; its translation is the place of the pelvis, so SMPL's
    `trans` is that minus the pelvis at rest, `person(shape).joints[..., 0, :]`.

    Keypoints are the 24 joints, `head_top` (the eight highest vertices of the template, as on our own body), and
    given combinations of vertices.
    """

    template: Tensor
    shape_directions: Tensor
    pose_directions: Tensor
    skin_weights: Tensor
    rest_joints: Tensor
    joint_directions: Tensor
    terms: Tensor
    shape_terms: Tensor
    pose_terms: Tensor

    def __init__(
        self,
        path: Path,
        surface_points: Mapping[str, np.ndarray] | None = None,
        *,
        face_and_feet: bool = False,
    ) -> None:
        """Read a file.

        Args:
            path: SMPL's .pkl as it is downloaded, or as the library smplx names it.
            surface_points: further keypoints by name, each (V,) weights of the vertices, such as a row of a
                regressor.
            face_and_feet: give it nose, ears, heels and big toes too, so that it has all `EXTENDED_KEYPOINTS`.

        Raises:
            PointlightError: the file is missing, no SMPL file, or asks for more than arrays; or weights do not
                fit its vertices.
        """
        super().__init__()
        arrays = _read(Path(path))
        self.name = "smpl"
        self.path = Path(path)
        self.sha256 = file_sha256(Path(path))
        self.joint_names = SMPL_JOINTS
        self.parents = _parents(arrays["kintree_table"], Path(path))
        self.shape_names = tuple(f"beta{number}" for number in range(SMPL_SHAPES))
        self.mean_shape = torch.zeros(SMPL_SHAPES)
        self.hinge_axes = dict(_HINGES)
        template, directions = arrays["v_template"], arrays["shapedirs"][..., :SMPL_SHAPES]
        joints = arrays["J_regressor"] @ template
        joint_directions = np.tensordot(arrays["J_regressor"], directions, 1)
        crown = np.zeros(len(template))
        crown[np.argsort(template[:, 1])[-_CROWN_VERTICES:]] = 1 / _CROWN_VERTICES
        points = {"head_top": crown} | dict(surface_points or {})
        if face_and_feet:
            points |= found_points(template, arrays["weights"], joints, SMPL_JOINTS)
        _check_points(points, len(template), Path(path))
        self.keypoint_rule, shares = _rule(points, arrays["weights"])
        owners = self.keypoint_rule.pairs[len(SMPL_JOINTS) :, 1]
        masses = shares.sum(1)
        # The joints' own vector, 0, is the first term.
        terms = shares @ template - masses[:, None] * joints[owners]
        shape_terms = np.tensordot(shares, directions, 1)
        shape_terms -= masses[:, None, None] * joint_directions[owners]
        pose_terms = np.tensordot(shares, arrays["posedirs"], 1)
        self._buffer("terms", _after_zero(terms))
        self._buffer("shape_terms", _flat(_after_zero(shape_terms)))
        self._buffer("pose_terms", _flat(_after_zero(pose_terms)))
        self._buffer("template", template)
        self._buffer("shape_directions", _flat(directions))
        self._buffer("pose_directions", _flat(arrays["posedirs"]))
        self._buffer("skin_weights", arrays["weights"])
        self._buffer("rest_joints", joints)
        self._buffer("joint_directions", _flat(joint_directions))
        self.register_buffer("faces", torch.from_numpy(arrays["f"].astype(np.int64)), persistent=False)

    def shape_range(self, *, adults: bool = False) -> tuple[Tensor, Tensor]:
        """See `BodyModel`; betas are standard deviations, of adults alone."""
        return torch.full((SMPL_SHAPES,), -_WIDEST_BETA), torch.full((SMPL_SHAPES,), _WIDEST_BETA)

    def person(self, shape: Float[Tensor, "*batch 10"]) -> Person:
        """What depends on the betas (..., 10) alone."""
        joints = self.rest_joints + (shape @ self.joint_directions).unflatten(-1, (-1, 3))
        return Person(joints, self.terms + (shape @ self.shape_terms).unflatten(-1, (-1, 3)))

    def vertices(self, state: BodyState) -> Float[Tensor, "*batch vertices 3"]:
        """(..., V, 3) with SMPL's corrections for shape and pose, by linear blend skinning."""
        person = self.person(state.shape)
        transforms = self.bone_transforms(self.posed(state, person), person)  # (..., J, 3, 4)
        blended = (self.skin_weights @ transforms.flatten(-2)).unflatten(-1, (3, 4))
        shaped = self.template + (state.shape @ self.shape_directions).unflatten(-1, (-1, 3))
        rest = shaped + (_bends(state.pose) @ self.pose_directions).unflatten(-1, (-1, 3))
        return (blended[..., :3] @ rest[..., None])[..., 0] + blended[..., 3]

    def keypoints(
        self, state: BodyState, names: tuple[str, ...] | None = None, person: Person | None = None
    ) -> Float[Tensor, "*batch points 3"]:
        """(..., K, 3) as `BodyModel.keypoints`; exact, since the corrections for the pose are linear too."""
        person = self.person(state.shape) if person is None else person
        posed = self.posed(state, person)
        rule = self.keypoint_rule if names is None else self.keypoint_rule.of(tuple(names))
        terms = person.keypoint_terms + (_bends(state.pose) @ self.pose_terms).unflatten(-1, (-1, 3))
        return collapsed_keypoints(posed, terms, rule)

    def _buffer(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(
            name, torch.from_numpy(np.ascontiguousarray(array, np.float32)), persistent=False
        )


def _read(path: Path) -> dict[str, np.ndarray]:
    """The file's arrays, float64, of checked shapes."""
    content: Any = read_pickle(path, _KIND)
    if not isinstance(content, dict):
        raise PointlightError(f"{path} holds a {type(content).__name__} and no SMPL model; give {_KIND}")
    count = len(SMPL_JOINTS)
    vertices = np.shape(content.get("v_template", ()))[:1] or (0,)
    shapes = {
        "v_template": (*vertices, 3),
        "shapedirs": (*vertices, 3, SMPL_SHAPES),
        "posedirs": (*vertices, 3, 9 * (count - 1)),
        "J_regressor": (count, *vertices),
        "weights": (*vertices, count),
        "kintree_table": (2, count),
        "f": (np.shape(content.get("f", ()))[:1] or (0,)) + (3,),
    }
    arrays = {}
    for key, shape in shapes.items():
        if key not in content:
            raise PointlightError(f"{path} has no {key}, so it is no SMPL model; give {_KIND}")
        array = np.asarray(content[key])
        fits = array.shape == shape or (
            key == "shapedirs" and array.shape[:2] == shape[:2] and array.ndim == 3
        )
        if not fits or array.dtype.kind not in "iuf" or (key == "shapedirs" and array.shape[2] < SMPL_SHAPES):
            raise PointlightError(
                f"{path} has {key} of the shape {array.shape} instead of {shape}; give {_KIND}"
            )
        arrays[key] = array if array.dtype.kind in "iu" else array.astype(np.float64)
    return arrays


def _parents(table: np.ndarray, path: Path) -> tuple[int, ...]:
    """Parents of the joints; SMPL writes the root's as -1 in uint32."""
    place = {int(joint): index for index, joint in enumerate(table[1])} | {_ROOT_PARENT: -1, -1: -1}
    parents = tuple(place.get(int(parent), len(SMPL_JOINTS)) for parent in table[0])
    if any(parent >= joint for joint, parent in enumerate(parents)) or parents.count(-1) != 1:
        raise PointlightError(f"{path} has a kintree_table with children before their parents; give {_KIND}")
    return parents


def _check_points(points: Mapping[str, np.ndarray], vertices: int, path: Path) -> None:
    for name, weights in points.items():
        if weights.shape != (vertices,):
            raise PointlightError(
                f"the keypoint {name} has {weights.shape} weights, {path} has {vertices} vertices; give a regressor"
                " made for this body"
            )
        if name in SMPL_JOINTS:
            raise PointlightError(f"the keypoint {name} has the name of a joint of SMPL; give it another")


def _rule(points: Mapping[str, np.ndarray], skin: np.ndarray) -> tuple[KeypointRule, np.ndarray]:
    """The rule, and (P, V) what each vertex gives to each of its pairs but the joints' own."""
    count = len(SMPL_JOINTS)
    rows, pairs = [], []
    for position, weights in enumerate(points.values()):
        for joint in np.flatnonzero(np.abs(weights) @ (skin != 0)):
            pairs.append((count + position, joint, len(pairs) + 1))
            rows.append(weights * skin[:, joint])
    own = [(joint, joint, 0) for joint in range(count)]
    shares = np.array(rows)
    masses = np.concatenate((np.ones(count), shares.sum(1))).astype(np.float32)
    return KeypointRule((*SMPL_JOINTS, *points), np.array([*own, *pairs], np.int64), masses), shares


def _after_zero(terms: np.ndarray) -> np.ndarray:
    return np.concatenate((np.zeros_like(terms[:1]), terms))


def _flat(directions: np.ndarray) -> np.ndarray:
    """(N, 3, Q) directions as a matrix (Q, 3 N)."""
    return directions.reshape(-1, directions.shape[-1]).T


def _bends(pose: Tensor) -> Tensor:
    """(..., 207) what the corrections for the pose are multiplied with: rotations less the identity, by rows."""
    return (pose - torch.eye(3, dtype=pose.dtype, device=pose.device)).flatten(-3)
