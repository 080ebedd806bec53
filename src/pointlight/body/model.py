"""The interface of a body: pose, shape, root, translation in; joints, keypoints and vertices out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pointlight.body.kinematics import (
    BodyState,
    KeypointRule,
    Posed,
    collapsed_keypoints,
    forward_kinematics,
)
from pointlight.values import by_value

LEG_ENDS = ("left_hip", "left_ankle")


@by_value
@dataclass(frozen=True)
class Person:
    """Everything of a body that depends on its shape alone.

    Attributes:
        joints: (..., J, 3) joints at rest, metres, body axes.
        keypoint_terms: (..., P, 3) the vectors a of the body's `keypoint_rule`, metres, body axes.
    """

    joints: Float[Tensor, "*batch joints 3"]
    keypoint_terms: Float[Tensor, "*batch terms 3"]


class BodyModel(nn.Module, ABC):
    """A body with named joints. Differentiable, any leading dimensions, CPU or CUDA.

    Attributes:
        name: of the model, as recipes and files call it.
        sha256: of the asset.
        joint_names: the J driven joints, the root first, parents before children.
        parents: index of every joint's parent; -1 for the root.
        shape_names: the S numbers of the shape.
        keypoint_names: the K keypoints.
        keypoint_rule: how they follow from the joints.
        faces: (F, 3) int64 triangles, counter-clockwise seen from outside.
        mean_shape: (S,) the middle of its distribution of people.
        hinge_axes: for knees and elbows the axis, a unit vector in body axes at rest, about which a positive
            rotation (right-hand rule) of the lower limb bends the joint further.

    Example:
        >>> import pointlight
        >>> body: pointlight.BodyModel = pointlight.AnnyBody()
        >>> len(body.joint_names), body.joint_names[0], body.parents[0]
        (22, 'pelvis', -1)
    """

    name: str
    sha256: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    shape_names: tuple[str, ...]
    mean_shape: Tensor
    keypoint_rule: KeypointRule
    faces: Tensor
    hinge_axes: dict[str, tuple[float, float, float]]

    def on(self, device: torch.device | str) -> BodyModel:
        """This body where its buffers lie there already, else a copy of it there."""
        there = self.mean_shape.device if not (buffers := list(self.buffers())) else buffers[0].device
        return self if there == torch.device(device) else deepcopy(self).to(device)

    @property
    def keypoint_names(self) -> tuple[str, ...]:
        """The K keypoints, in the order of `keypoints`."""
        return self.keypoint_rule.names

    @abstractmethod
    def shape_range(self, *, adults: bool = False) -> tuple[Tensor, Tensor]:
        """(S,) and (S,): the least and the largest that the shape's numbers may be, of all people or of adults."""

    @abstractmethod
    def person(self, shape: Float[Tensor, "*batch numbers"]) -> Person:
        """What depends on shape (..., S) alone; reuse it for many poses."""

    def leg_length_m(self, shape: Float[Tensor, "*batch numbers"]) -> Float[Tensor, "*batch"]:
        """(...) hip to ankle at rest, metres."""
        joints = self.person(shape).joints
        hip, ankle = (self.joint_names.index(name) for name in LEG_ENDS)
        return joints[..., hip, 1] - joints[..., ankle, 1]

    @abstractmethod
    def vertices(self, state: BodyState) -> Float[Tensor, "*batch vertices 3"]:
        """(..., V, 3) the skinned surface, metres."""

    def posed(self, state: BodyState, person: Person | None = None) -> Posed:
        """Forward kinematics."""
        person = self.person(state.shape) if person is None else person
        return forward_kinematics(state, person.joints, self.parents)

    def joints(self, state: BodyState, person: Person | None = None) -> Float[Tensor, "*batch joints 3"]:
        """(..., J, 3) places of the joints, metres."""
        return self.posed(state, person).joints

    def joint_rotations(self, state: BodyState) -> Float[Tensor, "*batch joints 3 3"]:
        """(..., J, 3, 3) global rotations of the joints, from rest-aligned body axes to the state's frame."""
        anyone = state.pose.new_zeros(len(self.joint_names), 3)  # rotations do not depend on shape
        return forward_kinematics(state, anyone, self.parents).rotations

    def bone_transforms(self, posed: Posed, person: Person) -> Float[Tensor, "*batch joints 3 4"]:
        """(..., J, 3, 4) rotation and shift that take a point at rest, fixed to a joint, to its place."""
        shifts = posed.joints - (posed.rotations @ person.joints[..., None])[..., 0]
        return torch.cat((posed.rotations, shifts[..., None]), dim=-1)

    def keypoints(
        self, state: BodyState, names: tuple[str, ...] | None = None, person: Person | None = None
    ) -> Float[Tensor, "*batch points 3"]:
        """(..., K, 3) places of the named keypoints (all if none are named), metres.

        Exactly the fixed linear combinations of skinned vertices, collapsed to a few numbers a bone.
        """
        person = self.person(state.shape) if person is None else person
        return self.keypoints_of(self.posed(state, person), person, names)

    def keypoints_of(
        self, posed: Posed, person: Person, names: tuple[str, ...] | None = None
    ) -> Float[Tensor, "*batch points 3"]:
        """The same of a skeleton that is posed already."""
        rule = self.keypoint_rule if names is None else self.keypoint_rule.of(tuple(names))
        return collapsed_keypoints(posed, person.keypoint_terms, rule)
