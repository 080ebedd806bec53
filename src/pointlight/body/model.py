"""The interface of a body: pose, shape, root and translation go in; joints, keypoints and vertices come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class BodyState:
    """A posed body in some frame of reference; any leading dimensions, which must broadcast.

    Attributes:
        pose: (..., J-1, 3, 3) rotation of every joint but the root relative to its parent, identity = rest pose, in
            rest-aligned body axes carried by the parent.
        shape: (..., S), each number in [0, 1].
        root: (..., 3, 3) rotation from body axes (x to the person's left, y up, z forward) to the frame's axes.
        translation: (..., 3) place of the root joint in the frame, metres.
    """

    pose: Tensor
    shape: Tensor
    root: Tensor
    translation: Tensor


@dataclass(frozen=True)
class Person:
    """Everything of a body that depends on its shape alone.

    Attributes:
        joints: (..., J, 3) joints at rest, metres, body axes.
        keypoint_matrix: (..., 4 J, K) from the joints' rotations and places to all keypoints.
    """

    joints: Tensor
    keypoint_matrix: Tensor


@dataclass(frozen=True)
class Posed:
    """The skeleton of a state.

    Attributes:
        rotations: (..., J, 3, 3) global rotations, from rest-aligned axes to the state's frame.
        joints: (..., J, 3) places, metres.
    """

    rotations: Tensor
    joints: Tensor


class BodyModel(nn.Module, ABC):
    """A body with named joints. Differentiable, any leading dimensions, CPU or CUDA.

    Attributes:
        name: of the model, as recipes and files call it.
        sha256: of the asset.
        joint_names: the J driven joints, the root first, parents before children.
        parents: index of every joint's parent; -1 for the root.
        shape_names: the S numbers of the shape.
        keypoint_names: the K keypoints.
        faces: (F, 3) int64 triangles, counter-clockwise seen from outside.
    """

    name: str
    sha256: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    shape_names: tuple[str, ...]
    keypoint_names: tuple[str, ...]
    faces: Tensor

    @abstractmethod
    def person(self, shape: Tensor) -> Person:
        """What depends on shape (..., S) alone; reuse it for many poses."""

    @abstractmethod
    def vertices(self, state: BodyState) -> Tensor:
        """(..., V, 3) the skinned surface, metres."""

    def posed(self, state: BodyState, person: Person | None = None) -> Posed:
        """Forward kinematics."""
        person = self.person(state.shape) if person is None else person
        return forward_kinematics(state, person.joints, self.parents)

    def joints(self, state: BodyState, person: Person | None = None) -> Tensor:
        """(..., J, 3) places of the joints, metres."""
        return self.posed(state, person).joints

    def keypoints(
        self, state: BodyState, names: tuple[str, ...] | None = None, person: Person | None = None
    ) -> Tensor:
        """(..., K, 3) places of the named keypoints (all if none are named), metres.

        Exactly the fixed linear combinations of skinned vertices, collapsed to a few numbers a bone.
        """
        person = self.person(state.shape) if person is None else person
        posed = self.posed(state, person)
        matrix = person.keypoint_matrix
        if names is not None:
            matrix = matrix[..., [self.keypoint_names.index(name) for name in names]]
        frames = torch.cat((posed.rotations, posed.joints[..., None]), dim=-1)  # (..., J, 3, 4)
        rows = frames.transpose(-3, -2).flatten(-2)  # (..., 3, 4 J)
        return _rows_times_matrix(rows, matrix).transpose(-1, -2)


def forward_kinematics(state: BodyState, rest_joints: Tensor, parents: tuple[int, ...]) -> Posed:
    """Global rotations and joint places, one batched product per level of the tree."""
    leading = torch.broadcast_shapes(
        state.pose.shape[:-3], state.root.shape[:-2], state.translation.shape[:-1], rest_joints.shape[:-2]
    )
    pose = state.pose.expand(*leading, *state.pose.shape[-3:])
    rest = rest_joints.expand(*leading, *rest_joints.shape[-2:])
    offsets = rest[..., 1:, :] - rest[..., list(parents[1:]), :]
    rotations = [state.root.expand(*leading, 3, 3)[..., None, :, :]]
    places = [state.translation.expand(*leading, 3)[..., None, :]]
    order = [0]
    for level in _levels(parents):
        above = level_parents(level, parents, order)
        turn = rotations[-1][..., above, :, :]
        places.append(
            places[-1][..., above, :] + (turn @ offsets[..., [j - 1 for j in level], :, None])[..., 0]
        )
        rotations.append(turn @ pose[..., [j - 1 for j in level], :, :])
        order = level
    sequence = [0, *(joint for level in _levels(parents) for joint in level)]
    back = sorted(range(len(sequence)), key=sequence.__getitem__)
    return Posed(torch.cat(rotations, dim=-3)[..., back, :, :], torch.cat(places, dim=-2)[..., back, :])


def _levels(parents: tuple[int, ...]) -> list[list[int]]:
    """Joints by depth, the root's children first."""
    depth = [0] * len(parents)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            depth[joint] = depth[parent] + 1
    return [[j for j, d in enumerate(depth) if d == level] for level in range(1, max(depth) + 1)]


def level_parents(level: list[int], parents: tuple[int, ...], order: list[int]) -> list[int]:
    """Where the parents of a level's joints stand within the level above."""
    return [order.index(parents[joint]) for joint in level]


def _rows_times_matrix(rows: Tensor, matrix: Tensor) -> Tensor:
    """(..., 3, N) @ (..., N, K); where one matrix serves many rows they are multiplied together."""
    own = matrix.shape[:-2]
    shared = 0  # trailing leading-dimensions of size 1 in `matrix`
    while shared < len(own) and own[len(own) - 1 - shared] == 1:
        shared += 1
    lead = rows.ndim - 2
    if matrix.ndim == 2:
        return rows @ matrix
    if shared and len(own) == lead:
        merged = rows.flatten(lead - shared, lead)
        product = merged @ matrix.reshape(*own[: len(own) - shared], *matrix.shape[-2:])
        return product.unflatten(lead - shared, (*rows.shape[lead - shared : lead], 3))
    return rows @ matrix
