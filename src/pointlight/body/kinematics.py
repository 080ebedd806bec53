"""Forward kinematics and collapsed keypoints in torch; on the CPU numba loops do the same faster."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pointlight.body.kernels import Keypoints, Skeleton
from pointlight.errors import PointlightError
from pointlight.values import by_value


@by_value
@dataclass(frozen=True)
class BodyState:
    """A posed body in some frame of reference; any leading dimensions, which must broadcast.

    Attributes:
        pose: (..., J-1, 3, 3) rotation of every joint but the root relative to its parent, identity = rest
            pose, in rest-aligned body axes carried by the parent.
        shape: (..., S), each number in [0, 1].
        root: (..., 3, 3) rotation from body axes (x to the person's left, y up, z forward) to the frame's.
        translation: (..., 3) place of the root joint in the frame, metres.

    Example:
        >>> import torch, pointlight
        >>> body = pointlight.AnnyBody()
        >>> state = pointlight.BodyState(
        ...     pose=torch.eye(3).expand(21, 3, 3),
        ...     shape=torch.tensor(pointlight.MEAN_ADULT_SHAPE),
        ...     root=torch.eye(3),
        ...     translation=torch.zeros(3),
        ... )
        >>> body.joints(state).shape
        torch.Size([22, 3])
    """

    pose: Float[Tensor, "*#batch moved 3 3"]
    shape: Float[Tensor, "*#batch numbers"]
    root: Float[Tensor, "*#batch 3 3"]
    translation: Float[Tensor, "*#batch 3"]


@by_value
@dataclass(frozen=True)
class Posed:
    """The skeleton of a state.

    Attributes:
        rotations: (..., J, 3, 3) global rotations, from rest-aligned axes to the state's frame.
        joints: (..., J, 3) places, metres.
    """

    rotations: Float[Tensor, "*batch joints 3 3"]
    joints: Float[Tensor, "*batch joints 3"]


@by_value
@dataclass(frozen=True)
class KeypointRule:
    """How keypoints follow from joints: keypoint k is the sum over its pairs (k, j, i) of R_j a_i + m p_j.

    Attributes:
        names: the K keypoints.
        pairs: (Q, 3) int64 keypoint, joint, and which of a person's terms is a.
        masses: (Q,) float32 m; they add up to 1 for each keypoint.
    """

    names: tuple[str, ...]
    pairs: np.ndarray
    masses: np.ndarray

    def of(self, names: tuple[str, ...]) -> KeypointRule:
        """The rule of these keypoints alone, in this order, on the same terms.

        Raises:
            PointlightError: a name is none of the body's keypoints.
        """
        missing = [name for name in names if name not in self.names]
        if missing:
            raise PointlightError(
                f"the body has no keypoint {missing[0]!r}; a recipe may use only {', '.join(self.names)}"
            )
        rows = [np.flatnonzero(self.pairs[:, 0] == self.names.index(name)) for name in names]
        pairs = self.pairs[np.concatenate(rows)]
        pairs[:, 0] = np.repeat(np.arange(len(names)), [len(row) for row in rows])
        return KeypointRule(names, pairs, self.masses[np.concatenate(rows)])


def forward_kinematics(
    state: BodyState, rest_joints: Float[Tensor, "*#batch joints 3"], parents: tuple[int, ...]
) -> Posed:
    """R[j] = R[parent] pose[j]; p[j] = p[parent] + R[parent] (rest[j] - rest[parent]); the root is given.

    Args:
        state: any leading dimensions.
        rest_joints: (..., J, 3), broadcasts against the state.
        parents: of the joints, parents first.
    """
    given = (state.pose, state.root, state.translation, rest_joints)
    leading = torch.Size(
        np.broadcast_shapes(*(t.shape[:-n] for t, n in zip(given, (3, 2, 1, 2), strict=True)))
    )
    pose = state.pose.expand(*leading, *state.pose.shape[-3:])
    root = state.root.expand(*leading, 3, 3)
    translation = state.translation.expand(*leading, 3)
    if not _has_loops(*given):
        return _skeleton(
            pose, root, translation, rest_joints.expand(*leading, *rest_joints.shape[-2:]), parents
        )
    rotations, joints = Skeleton.apply(
        _rows(pose, 3),
        _rows(root, 2),
        _rows(translation, 1),
        _rows(rest_joints, 2),
        _owners(rest_joints.shape[:-2], leading),
        np.asarray(parents, np.int64),
    )
    count = len(parents)
    return Posed(rotations.reshape(*leading, count, 3, 3), joints.reshape(*leading, count, 3))


def collapsed_keypoints(
    posed: Posed, terms: Float[Tensor, "*#batch terms 3"], rule: KeypointRule
) -> Float[Tensor, "*batch points 3"]:
    """(..., K, 3) keypoints of a posed skeleton; terms (..., P, 3) are the rule's a, in rest-aligned axes."""
    leading = torch.Size(np.broadcast_shapes(posed.joints.shape[:-2], terms.shape[:-2]))
    rotations = posed.rotations.expand(*leading, *posed.rotations.shape[-3:])
    joints = posed.joints.expand(*leading, *posed.joints.shape[-2:])
    if not _has_loops(rotations, joints, terms):
        return _keypoints(rotations, joints, terms, rule)
    points = Keypoints.apply(
        _rows(rotations, 3),
        _rows(joints, 2),
        _rows(terms, 2),
        _owners(terms.shape[:-2], leading),
        rule.pairs,
        rule.masses,
        len(rule.names),
    )
    return points.reshape(*leading, len(rule.names), 3)


def _skeleton(
    pose: Tensor, root: Tensor, translation: Tensor, rest: Tensor, parents: tuple[int, ...]
) -> Posed:
    """In torch, one batched product for all joints of equal depth."""
    offsets = rest[..., 1:, :] - rest[..., list(parents[1:]), :]
    rotations, places = [root[..., None, :, :]], [translation[..., None, :]]
    order = above = [0]
    for level in _levels(parents):
        place = [above.index(parents[joint]) for joint in level]
        turn, rows = rotations[-1][..., place, :, :], [joint - 1 for joint in level]
        places.append(places[-1][..., place, :] + (turn @ offsets[..., rows, :, None])[..., 0])
        rotations.append(turn @ pose[..., rows, :, :])
        order, above = order + level, level
    back = sorted(range(len(order)), key=order.__getitem__)
    return Posed(torch.cat(rotations, dim=-3)[..., back, :, :], torch.cat(places, dim=-2)[..., back, :])


def _keypoints(rotations: Tensor, joints: Tensor, terms: Tensor, rule: KeypointRule) -> Tensor:
    """In torch."""
    pairs = torch.from_numpy(rule.pairs).to(joints.device)
    masses = torch.from_numpy(rule.masses).to(joints)
    parts = (rotations[..., pairs[:, 1], :, :] @ terms[..., pairs[:, 2], :, None])[..., 0]
    parts = parts + masses[:, None] * joints[..., pairs[:, 1], :]
    empty = parts.new_zeros(*parts.shape[:-2], len(rule.names), 3)
    return empty.index_add(-2, pairs[:, 0], parts)


def _levels(parents: tuple[int, ...]) -> list[list[int]]:
    """Joints by depth, the root's children first."""
    depth = [0] * len(parents)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            depth[joint] = depth[parent] + 1
    return [[j for j, d in enumerate(depth) if d == level] for level in range(1, max(depth) + 1)]


def _has_loops(*tensors: Tensor) -> bool:
    """Whether the numba loops take these: all on the CPU, of one floating type."""
    kinds = {(t.device.type, t.dtype) for t in tensors}
    return kinds in ({("cpu", torch.float32)}, {("cpu", torch.float64)})


def _rows(tensor: Tensor, own: int) -> Tensor:
    """Flatten all but the last `own` dimensions into one, contiguous."""
    return tensor.reshape(-1, *tensor.shape[tensor.ndim - own :]).contiguous()


def _owners(shape: torch.Size, leading: torch.Size) -> np.ndarray:
    """(N,) for every flattened body of `leading` its row of a tensor of leading `shape` that broadcasts."""
    rows = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
    return np.broadcast_to(rows, leading).reshape(-1)
