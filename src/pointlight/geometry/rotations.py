"""Rotations as matrices `(..., 3, 3)` acting on column vectors; other forms only where they enter or leave."""

from __future__ import annotations

from types import ModuleType

import torch
from jaxtyping import Float
from scipy.spatial.transform import Rotation
from torch import Tensor

from pointlight.geometry.loops import RotvecToRotmat, SixdToRotmat, has_loops
from pointlight.geometry.procrustes import nearest_rotation

_TINY = 1e-24
"""Squared lengths below are nothing."""
_PARALLEL = 1e-6
"""Squared sine of the angle below which two vectors count as parallel (0.06 degrees)."""


def _roma() -> ModuleType:
    """Loaded when it is needed: with it comes torch's compiler, a second and 60 MB of a process that makes clips."""
    import roma

    return roma


def rotvec_to_rotmat(rotvec: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotation vector (axis times angle in radians) to matrix."""
    if has_loops(rotvec):
        return RotvecToRotmat.apply(rotvec.reshape(-1, 3)).reshape(*rotvec.shape, 3)
    return _roma().rotvec_to_rotmat(rotvec)


def rotmat_to_rotvec(rotmat: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3"]:
    """Matrix to rotation vector in radians, of length at most pi."""
    return _roma().rotmat_to_rotvec(rotmat)


def sixd_to_rotmat(sixd: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 3 3"]:
    """Two 3-vectors to the rotation whose first two columns they become by Gram-Schmidt (Zhou et al. 2019).

    The six numbers are the two columns one after the other. Where they are parallel or zero, they define no
    rotation, and the identity is returned, with gradient 0.
    """
    if has_loops(sixd) and sixd.requires_grad and torch.is_grad_enabled():  # predictions keep their bits
        rows = sixd.reshape(-1, 6)
        rotations: Tensor = SixdToRotmat.apply(rows, _TINY, _PARALLEL)  # pyright: ignore[reportAssignmentType]
        return rotations.reshape(*sixd.shape[:-1], 3, 3)
    first, second = sixd.detach().unflatten(-1, (2, 3)).unbind(-2)
    squares = first.square().sum(-1) * second.square().sum(-1)
    sine = squares - (first * second).sum(-1).square()
    identity = sixd.new_tensor((1.0, 0, 0, 0, 1, 0))
    sixd = torch.where((sine <= _PARALLEL * squares)[..., None], identity, sixd)
    x = _normalized(sixd[..., :3])
    second = sixd[..., 3:]
    y = _normalized(second - (x * second).sum(-1, keepdim=True) * x)
    z = torch.cross(x, y, dim=-1)
    return torch.stack((x, y, z), dim=-1)


def rotmat_to_sixd(rotmat: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 6"]:
    """The first two columns of a rotation, one after the other."""
    return torch.cat((rotmat[..., :, 0], rotmat[..., :, 1]), dim=-1)


def axis_angle_rotmat(axis: Float[Tensor, "*#batch 3"], angle: Float[Tensor, "*#batch"]) -> Tensor:
    """Rotation by `angle` radians about the direction `axis`, right-handed, shape `(..., 3, 3)`."""
    return _roma().rotvec_to_rotmat(_normalized(axis) * angle[..., None])


def rotation_between(start: Float[Tensor, "*#batch 3"], end: Float[Tensor, "*#batch 3"]) -> Tensor:
    """The smallest rotation that takes the direction `start` to the direction `end`, shape `(..., 3, 3)`.

    For opposite directions any half turn would do; one about an axis perpendicular to `start` is returned. A zero
    vector has no direction and is not turned.
    """
    start, end = torch.broadcast_tensors(_normalized(start), _normalized(end))
    # The quaternion (start x end, 1 + cosine), by way of start + end, which is exact where they are nearly opposite.
    both = start + end
    w = 0.5 * both.square().sum(-1)
    skew = cross_matrix(torch.cross(start, both, dim=-1))
    opposite = w < 1e-12
    norm = w.square() + 0.5 * skew.square().sum((-1, -2))
    eye = torch.eye(3, dtype=start.dtype, device=start.device)
    factor = 2 / torch.where(opposite, 1.0, norm)[..., None, None]
    general = eye + factor * (w[..., None, None] * skew + skew @ skew)
    helper = torch.zeros_like(start)
    helper.scatter_(-1, start.abs().argmin(-1, keepdim=True), 1.0)
    perpendicular = _normalized(torch.cross(start, helper, dim=-1))
    half_turn = 2 * perpendicular[..., :, None] * perpendicular[..., None, :] - eye
    opposite = opposite & (start.square().sum(-1) > 0.5)  # two zero vectors are not opposite
    return torch.where(opposite[..., None, None], half_turn, general)


def cross_matrix(vector: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The matrix K with `K @ u = vector x u`."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).unflatten(-1, (3, 3))


def geodesic_angle(first: Float[Tensor, "*#batch 3 3"], second: Float[Tensor, "*#batch 3 3"]) -> Tensor:
    """Angle in radians of the rotation that leads from one to the other, shape `(...)`."""
    return _roma().rotmat_geodesic_distance(*torch.broadcast_tensors(first, second))


def average_rotations(
    rotations: Float[Tensor, "*batch count 3 3"], weights: Float[Tensor, "*#batch count"]
) -> Float[Tensor, "*batch 3 3"]:
    """The rotation nearest (in Frobenius norm) to the weighted mean of matrices; weights are at least 0."""
    total = (rotations * weights[..., None, None]).sum(-3)
    return nearest_rotation(total)


def interpolate_rotations(
    rotations: Float[Tensor, "times *rest 3 3"], times_s: Tensor, query_s: Tensor
) -> Float[Tensor, "queries *rest 3 3"]:
    """Spherical interpolation along time; outside the covered span the end values are held.

    Args:
        rotations: one set of rotations per time.
        times_s: (times,) strictly increasing seconds.
        query_s: (queries,) seconds.
    """
    if rotations.shape[0] == 1:
        return rotations.expand(len(query_s), *rotations.shape[1:]).clone()
    times_s, query_s = times_s.contiguous(), query_s.to(times_s.dtype).contiguous()
    right = torch.searchsorted(times_s, query_s).clamp(1, len(times_s) - 1)
    left = right - 1
    fraction = ((query_s - times_s[left]) / (times_s[right] - times_s[left])).clamp(0, 1).to(rotations.dtype)
    start, end = rotations[left], rotations[right]
    between = start.transpose(-1, -2) @ end
    turn = Rotation.from_matrix(between.reshape(-1, 3, 3).cpu().numpy()).as_rotvec()
    turn = torch.from_numpy(turn).to(start).reshape(between.shape[:-1])
    fraction = fraction.reshape(-1, *([1] * (turn.ndim - 1)))
    return start @ rotvec_to_rotmat(turn * fraction)


def _normalized(vector: Tensor) -> Tensor:
    """Unit vector; a zero vector stays zero, with a finite gradient."""
    square = vector.square().sum(-1, keepdim=True)
    return vector / torch.where(square > _TINY, square, 1.0).sqrt()
