"""Per-frame metrics of predictions against the truth of simulated scenes, and the frames in which each counts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pointlight.body import EVALUATION_JOINTS, BodyModel, BodyState
from pointlight.cues import Cues
from pointlight.evaluation.metrics import (
    FACING_WRONG_DEG,
    acceleration_error,
    angle_deg,
    mpjpe_mm,
    pa_mpjpe_mm,
)
from pointlight.evaluation.synthetic.predictors import Predicted
from pointlight.geometry import safe_norm
from pointlight.network import EVALUATION_INDICES
from pointlight.simulator import Tracks
from pointlight.training import targets_of

DISTANCES_M = {"2-4 m": (2.0, 4.0), "6-10 m": (6.0, 10.0)}
"""Near and far persons, by the distance from the camera to the hips."""

PVE_EVERY = 5
"""PVE is measured on every 5th frame: skinning is by far the dearest part of the evaluation."""

_SURFACES_AT_ONCE = 64
"""A surface has 14000 vertices; so many fit well into memory and share the costs of a call."""

_HIPS = (EVALUATION_JOINTS.index("left_hip"), EVALUATION_JOINTS.index("right_hip"))


@dataclass(frozen=True)
class Counted:
    """A metric's values on a batch of scenes.

    Attributes:
        values: (B, N) of N frames.
        counts: (B, N) bool, whether they are scored.
    """

    values: Tensor
    counts: Tensor


@dataclass(frozen=True)
class Truth:
    """The truth of a batch of scenes in each frame's crop-ray frame; the last one's is its neighbour's.

    Attributes:
        joints: (B, T, 14, 3) metres.
        root: (B, T, 3, 3).
        pose: (B, T, J-1, 3, 3).
        shape: (B, 1, S).
        distance_m: (B, T) from the camera to the root.
        occluded: (B, T) bool, frames of which the detector sees too little to be scored.
    """

    joints: Tensor
    root: Tensor
    pose: Tensor
    shape: Tensor
    distance_m: Tensor
    occluded: Tensor

    @staticmethod
    def of(tracks: Tracks, cues: Cues, occluded: Tensor | None = None) -> Truth:
        """Every frame by its own pair, the last one by the last pair's second head.

        Args:
            tracks: of the scenes.
            cues: in whose frames of reference the truth is told.
            occluded: (B, T) bool, frames that are not scored; those that entered as total occlusions if not given.
        """
        targets = targets_of(tracks, cues)
        points, root = targets.points_ray_m, targets.root_ray
        return Truth(
            torch.cat((points[:, :, 0], points[:, -1:, 1]), dim=1)[..., list(EVALUATION_INDICES), :],
            torch.cat((root[:, :, 0], root[:, -1:, 1]), dim=1),
            tracks.state.pose,
            tracks.state.shape,
            tracks.state.translation.norm(dim=-1),
            cues.occluded if occluded is None else occluded,
        )


@torch.no_grad()
def compare(predicted: Predicted, truth: Truth, body: BodyModel) -> dict[str, Counted]:
    """All metrics by name; 'a/b' is entry b of metric a. Models of joints only have fewer."""
    scored = ~truth.occluded
    error = pa_mpjpe_mm(predicted.joints, truth.joints)
    result = {
        "pa_mpjpe_mm": Counted(error, scored),
        "occluded_pa_mpjpe_mm": Counted(error, truth.occluded),
        "mpjpe_mm": Counted(mpjpe_mm(predicted.joints, truth.joints, _HIPS), scored),
        "acceleration_mm": acceleration(predicted, truth),
    }
    for name, (low, high) in DISTANCES_M.items():
        within = (truth.distance_m >= low) & (truth.distance_m <= high)
        result[f"pa_mpjpe_mm_by_distance/{name}"] = Counted(error, scored & within)
    if predicted.pose is None or predicted.root is None or predicted.shape is None:
        return result
    result["root_deg"] = Counted(angle_deg(predicted.root, truth.root), scored)
    angles = angle_deg(predicted.pose, truth.pose)
    result["joint_deg"] = Counted(angles.mean(-1), scored)
    for index, name in enumerate(body.joint_names[1:]):
        result[f"joint_deg_by_joint/{name}"] = Counted(angles[..., index], scored)
    ours = BodyState(predicted.pose, predicted.shape, predicted.root, torch.zeros(3))
    theirs = BodyState(truth.pose, truth.shape, truth.root, torch.zeros(3))
    wrong = _chest_deg(ours, theirs, body) > FACING_WRONG_DEG
    result["facing_wrong"] = Counted(wrong.float(), scored)
    result["pve_mm"] = Counted(_pve_mm(ours, theirs, body), scored[:, ::PVE_EVERY])
    return result


def acceleration(predicted: Predicted, truth: Truth) -> Counted:
    """(B, T-2) acceleration error of the joints relative to the hips; all three frames must be scored."""
    ours, theirs = (x - x[..., _HIPS, :].mean(-2, keepdim=True) for x in (predicted.joints, truth.joints))
    scored = ~truth.occluded
    return Counted(acceleration_error(ours, theirs), scored[:, :-2] & scored[:, 1:-1] & scored[:, 2:])


def _chest_deg(ours: BodyState, theirs: BodyState, body: BodyModel) -> Tensor:
    """(B, T) angle between the chests' forward axes."""
    chest = body.joint_names.index("spine3")
    forward = [body.joint_rotations(state)[..., chest, :, 2] for state in (ours, theirs)]
    return torch.rad2deg(torch.arccos((forward[0] * forward[1]).sum(-1).clamp(-1, 1)))


def _pve_mm(ours: BodyState, theirs: BodyState, body: BodyModel) -> Tensor:
    """(B, N) mean distance of vertices with both roots put together, unaligned, of every 5th frame."""
    frames = ours.pose[:, ::PVE_EVERY].shape[1]
    at_once = max(1, _SURFACES_AT_ONCE // frames)
    result = []
    for first in range(0, len(ours.pose), at_once):
        chosen = slice(first, first + at_once), slice(None, None, PVE_EVERY)
        surfaces = [
            body.vertices(
                BodyState(state.pose[chosen], state.shape[chosen], state.root[chosen], state.translation)
            )
            for state in (ours, theirs)
        ]
        result.append(1000 * safe_norm(surfaces[0] - surfaces[1]).mean(-1))
    return torch.cat(result)
