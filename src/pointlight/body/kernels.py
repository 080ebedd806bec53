"""Numba loops of the body for the CPU: skeleton and collapsed keypoints with their gradients, skinning, shape.

One pass over each body instead of dozens of small tensor operations; `kinematics.py` holds the same in torch.
`no_type_check` keeps run-time shape checks, which numba cannot compile, out of the loops.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numba
import numpy as np
import torch
from torch import Tensor


class Skeleton(torch.autograd.Function):
    """Forward kinematics of N bodies: global rotations (N, J, 3, 3) and places (N, J, 3) of the joints."""

    @staticmethod
    def forward(
        ctx: Any,
        pose: Tensor,
        root: Tensor,
        translation: Tensor,
        rest: Tensor,
        person: np.ndarray,
        parents: np.ndarray,
    ) -> tuple[Tensor, Tensor]:
        """Pose (N, J-1, 3, 3), root (N, 3, 3), translation (N, 3), rest (M, J, 3), its row per body (N,)."""
        rotations = torch.empty(len(pose), rest.shape[1], 3, 3, dtype=pose.dtype)
        places = torch.empty(len(pose), rest.shape[1], 3, dtype=pose.dtype)
        arrays = (_array(pose), _array(root), _array(translation), _array(rest))
        _skeleton(*arrays, person, parents, rotations.numpy(), places.numpy())
        ctx.save_for_backward(pose, rest, rotations)
        ctx.person, ctx.parents = person, parents
        return rotations, places

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Gradients of the four tensors."""
        pose, rest, rotations = ctx.saved_tensors
        to_pose, to_rest = torch.empty_like(pose), torch.zeros_like(rest)
        to_rotations = gradients[0].clone(memory_format=torch.contiguous_format)
        to_places = gradients[1].clone(memory_format=torch.contiguous_format)
        _skeleton_backward(
            *(_array(pose), _array(rest), _array(rotations), ctx.person, ctx.parents),
            *(_array(to_rotations), _array(to_places), _array(to_pose), _array(to_rest)),
        )
        return to_pose, to_rotations[:, 0], to_places[:, 0], to_rest, None, None


class Keypoints(torch.autograd.Function):
    """Keypoints (N, K, 3): for every keypoint k the sum of R_j a_i + m p_j over its pairs (k, j, i)."""

    @staticmethod
    def forward(
        ctx: Any,
        rotations: Tensor,
        places: Tensor,
        terms: Tensor,
        person: np.ndarray,
        pairs: np.ndarray,
        masses: np.ndarray,
        count: int,
    ) -> Tensor:
        """Rotations (N, J, 3, 3), places (N, J, 3), terms (M, P, 3), their row per body (N,)."""
        points = torch.zeros(len(rotations), count, 3, dtype=rotations.dtype)
        arrays = (_array(rotations), _array(places), _array(terms))
        _keypoints(*arrays, person, pairs, masses, points.numpy())
        ctx.save_for_backward(rotations, terms)
        ctx.person, ctx.pairs, ctx.masses = person, pairs, masses
        return points

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Gradients of the three tensors."""
        rotations, terms = ctx.saved_tensors
        to_rotations, to_terms = torch.zeros_like(rotations), torch.zeros_like(terms)
        to_places = torch.zeros(*rotations.shape[:-1], dtype=rotations.dtype)
        _keypoints_backward(
            *(_array(rotations), _array(terms), ctx.person, ctx.pairs, ctx.masses),
            *(_array(gradients[0]), _array(to_rotations), _array(to_places), _array(to_terms)),
        )
        return to_rotations, to_places, to_terms, None, None, None, None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


@numba.njit(cache=True)
@no_type_check
def _skeleton(
    pose: np.ndarray,
    root: np.ndarray,
    translation: np.ndarray,
    rest: np.ndarray,
    person: np.ndarray,
    parents: np.ndarray,
    rotations: np.ndarray,
    places: np.ndarray,
) -> None:
    for n in range(pose.shape[0]):
        bones = rest[person[n]]
        rotations[n, 0] = root[n]
        places[n, 0] = translation[n]
        for j in range(1, bones.shape[0]):
            q = parents[j]
            turn, own = rotations[n, q], pose[n, j - 1]
            x, y, z = bones[j, 0] - bones[q, 0], bones[j, 1] - bones[q, 1], bones[j, 2] - bones[q, 2]
            for a in range(3):
                u, v, w = turn[a, 0], turn[a, 1], turn[a, 2]
                places[n, j, a] = places[n, q, a] + (u * x + v * y + w * z)
                for b in range(3):
                    rotations[n, j, a, b] = u * own[0, b] + v * own[1, b] + w * own[2, b]


@numba.njit(cache=True)
@no_type_check
def _skeleton_backward(
    pose: np.ndarray,
    rest: np.ndarray,
    rotations: np.ndarray,
    person: np.ndarray,
    parents: np.ndarray,
    to_rotations: np.ndarray,
    to_places: np.ndarray,
    to_pose: np.ndarray,
    to_rest: np.ndarray,
) -> None:
    """From the leaves to the root; a joint hands what it received on to its parent, in place."""
    for n in range(pose.shape[0]):
        bones, to_bones = rest[person[n]], to_rest[person[n]]
        for j in range(bones.shape[0] - 1, 0, -1):
            q = parents[j]
            turn, own, gain = rotations[n, q], pose[n, j - 1], to_rotations[n, j]
            u, v, w = to_places[n, j, 0], to_places[n, j, 1], to_places[n, j, 2]
            for b in range(3):
                offset = bones[j, b] - bones[q, b]
                to_rotations[n, q, 0, b] += u * offset
                to_rotations[n, q, 1, b] += v * offset
                to_rotations[n, q, 2, b] += w * offset
                pull = turn[0, b] * u + turn[1, b] * v + turn[2, b] * w
                to_bones[j, b] += pull
                to_bones[q, b] -= pull
                to_places[n, q, b] += to_places[n, j, b]
            for a in range(3):
                for b in range(3):
                    to_pose[n, j - 1, a, b] = (
                        turn[0, a] * gain[0, b] + turn[1, a] * gain[1, b] + turn[2, a] * gain[2, b]
                    )
                    to_rotations[n, q, a, b] += (
                        gain[a, 0] * own[b, 0] + gain[a, 1] * own[b, 1] + gain[a, 2] * own[b, 2]
                    )


@numba.njit(cache=True)
@no_type_check
def _keypoints(
    rotations: np.ndarray,
    places: np.ndarray,
    terms: np.ndarray,
    person: np.ndarray,
    pairs: np.ndarray,
    masses: np.ndarray,
    points: np.ndarray,
) -> None:
    for n in range(rotations.shape[0]):
        own = terms[person[n]]
        for i in range(pairs.shape[0]):
            k, j, t = pairs[i, 0], pairs[i, 1], pairs[i, 2]
            x, y, z = own[t, 0], own[t, 1], own[t, 2]
            turn = rotations[n, j]
            for a in range(3):
                points[n, k, a] += masses[i] * places[n, j, a] + (
                    turn[a, 0] * x + turn[a, 1] * y + turn[a, 2] * z
                )


@numba.njit(cache=True)
@no_type_check
def _keypoints_backward(
    rotations: np.ndarray,
    terms: np.ndarray,
    person: np.ndarray,
    pairs: np.ndarray,
    masses: np.ndarray,
    gradient: np.ndarray,
    to_rotations: np.ndarray,
    to_places: np.ndarray,
    to_terms: np.ndarray,
) -> None:
    for n in range(rotations.shape[0]):
        own, to_own = terms[person[n]], to_terms[person[n]]
        for i in range(pairs.shape[0]):
            k, j, t = pairs[i, 0], pairs[i, 1], pairs[i, 2]
            u, v, w = gradient[n, k, 0], gradient[n, k, 1], gradient[n, k, 2]
            turn, m = rotations[n, j], masses[i]
            to_places[n, j, 0] += m * u
            to_places[n, j, 1] += m * v
            to_places[n, j, 2] += m * w
            for b in range(3):
                to_own[t, b] += turn[0, b] * u + turn[1, b] * v + turn[2, b] * w
                to_rotations[n, j, 0, b] += u * own[t, b]
                to_rotations[n, j, 1, b] += v * own[t, b]
                to_rotations[n, j, 2, b] += w * own[t, b]


@numba.njit(cache=True, nogil=True)
@no_type_check
def skin(
    rest: np.ndarray, joints: np.ndarray, weights: np.ndarray, transforms: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """Skinned rest (V, 3)[chosen] by joints and weights (V, n), greatest weight first; transforms (T, J, 3, 4)."""
    result = np.empty((transforms.shape[0], chosen.shape[0], 3), rest.dtype)
    for frame in range(transforms.shape[0]):
        for row in range(chosen.shape[0]):
            v = chosen[row]
            x, y, z = rest[v, 0], rest[v, 1], rest[v, 2]
            p = q = s = rest.dtype.type(0)
            for n in range(joints.shape[1]):
                w = weights[v, n]
                if w == 0:
                    break
                t = transforms[frame, joints[v, n]]
                p += w * (t[0, 0] * x + t[0, 1] * y + t[0, 2] * z + t[0, 3])
                q += w * (t[1, 0] * x + t[1, 1] * y + t[1, 2] * z + t[1, 3])
                s += w * (t[2, 0] * x + t[2, 1] * y + t[2, 2] * z + t[2, 3])
            result[frame, row, 0], result[frame, row, 1], result[frame, row, 2] = p, q, s
    return result


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def add_scaled(start: np.ndarray, shares: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(N,) sums start (N,) + shares (K,) @ steps (K, N), of which the first two are of one type, steps whole numbers."""
    result = start.copy()
    block = 4096  # stays near the processor while all steps are added
    for begin in range(0, len(start), block):
        part = result[begin : begin + block]
        for k in range(len(shares)):
            share, step = shares[k], steps[k, begin : begin + block]
            for n in range(len(part)):
                part[n] += share * start.dtype.type(step[n])
    return result


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def corner_weights(shape: np.ndarray, anchors: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Share (N, C) of every corner of the grid of anchors in six-number shapes (N, 6): products of hat functions.

    Args:
        shape: (N, 6).
        anchors: (6, A) of each number, increasing; only the first few count.
        counts: (6,) how many.
    """
    hats = np.zeros(anchors.shape, shape.dtype)
    one, nothing = shape.dtype.type(1), shape.dtype.type(0)
    c = counts
    result = np.empty((len(shape), c.prod()), shape.dtype)
    for n in range(len(shape)):
        for i in range(6):
            before = one
            for k in range(c[i] - 1):
                rise = (shape[n, i] - anchors[i, k]) / (anchors[i, k + 1] - anchors[i, k])
                rise = min(max(rise, nothing), one)
                hats[i, k] = before - rise
                before = rise
            hats[i, c[i] - 1] = before
        corner = 0
        for g in range(c[0]):
            for a in range(c[1]):
                first = hats[0, g] * hats[1, a]
                for m in range(c[2]):
                    for w in range(c[3]):
                        build = first * (hats[2, m] * hats[3, w])
                        for h in range(c[4]):
                            for p in range(c[5]):
                                result[n, corner] = build * (hats[4, h] * hats[5, p])
                                corner += 1
    return result
