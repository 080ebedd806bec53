"""Numba loops for the CPU: six numbers or three to rotations, and the aligned error, with their gradients.

One pass over the numbers in place of dozens of small tensor operations; `rotations.py` and `procrustes.py` hold the same
in torch. `no_type_check` keeps run-time shape checks, which numba cannot compile, out of the loops.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numba
import numpy as np
import torch
from torch import Tensor


class SixdToRotmat(torch.autograd.Function):
    """Six numbers (N, 6) to rotations (N, 3, 3) by Gram-Schmidt."""

    @staticmethod
    def forward(ctx: Any, sixd: Tensor, tiny: float, parallel: float) -> Tensor:
        """Squared lengths of at most `tiny` and squared sines of at most `parallel` define no rotation."""
        rotations = torch.empty(len(sixd), 3, 3, dtype=sixd.dtype)
        limits = np.array((tiny, parallel)).astype(_array(sixd).dtype)
        _gram_schmidt(_array(sixd), limits, rotations.numpy())
        ctx.save_for_backward(sixd)
        ctx.limits = limits
        return rotations

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        """The gradient of the six numbers."""
        (sixd,) = ctx.saved_tensors
        to_sixd = torch.empty_like(sixd)
        _gram_schmidt_backward(_array(sixd), ctx.limits, _array(gradients[0]), to_sixd.numpy())
        return to_sixd, None, None


class RotvecToRotmat(torch.autograd.Function):
    """Rotation vectors (N, 3) to rotations (N, 3, 3) by Rodrigues' formula."""

    @staticmethod
    def forward(ctx: Any, rotvec: Tensor) -> Tensor:
        """Of any length; near 0 by series."""
        rotations = torch.empty(len(rotvec), 3, 3, dtype=rotvec.dtype)
        _rodrigues(_array(rotvec), rotations.numpy())
        ctx.save_for_backward(rotvec)
        return rotations

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> Tensor:
        """The gradient of the vectors."""
        (rotvec,) = ctx.saved_tensors
        to_rotvec = torch.empty_like(rotvec)
        _rodrigues_backward(_array(rotvec), _array(gradients[0]), to_rotvec.numpy())
        return to_rotvec


class AlignedError(torch.autograd.Function):
    """Weighted mean distance (N,) of points (N, K, 3) after the best similarity, which the gradient holds fixed."""

    @staticmethod
    def forward(ctx: Any, predicted: Tensor, target: Tensor, weights: Tensor, tiny: float) -> Tensor:
        """Weights are (N, K), or (1, K) for all; sums of weights and spreads below `tiny` are nothing."""
        errors = torch.empty(len(predicted), dtype=predicted.dtype)
        slope = torch.empty_like(predicted)
        _aligned_error(
            *(_array(predicted), _array(target), _array(weights), tiny), *(errors.numpy(), slope.numpy())
        )
        ctx.save_for_backward(slope)
        return errors

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        """The gradient of the predicted points."""
        (slope,) = ctx.saved_tensors
        return slope * gradients[0][:, None, None], None, None, None


def has_loops(*tensors: Tensor) -> bool:
    """Whether the loops take these: all on the CPU, of one floating type."""
    kinds = {(t.device.type, t.dtype) for t in tensors}
    return kinds in ({("cpu", torch.float32)}, {("cpu", torch.float64)})


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _gram_schmidt(sixd: np.ndarray, limits: np.ndarray, rotations: np.ndarray) -> None:
    one, nothing = sixd.dtype.type(1), sixd.dtype.type(0)
    for n in range(len(sixd)):
        a, b, c, p, q, r = sixd[n]
        first, second = a * a + b * b + c * c, p * p + q * q + r * r
        dot = a * p + b * q + c * r
        squares = first * second
        if squares - dot * dot <= limits[1] * squares:
            a, b, c, p, q, r = one, nothing, nothing, nothing, one, nothing
            first = one
        length = np.sqrt(first) if first > limits[0] else one
        a, b, c = a / length, b / length, c / length
        dot = a * p + b * q + c * r
        p, q, r = p - dot * a, q - dot * b, r - dot * c
        second = p * p + q * q + r * r
        length = np.sqrt(second) if second > limits[0] else one
        p, q, r = p / length, q / length, r / length
        turn = rotations[n]
        turn[0, 0], turn[1, 0], turn[2, 0] = a, b, c
        turn[0, 1], turn[1, 1], turn[2, 1] = p, q, r
        turn[0, 2], turn[1, 2], turn[2, 2] = b * r - c * q, c * p - a * r, a * q - b * p


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _gram_schmidt_backward(
    sixd: np.ndarray, limits: np.ndarray, gradient: np.ndarray, to_sixd: np.ndarray
) -> None:
    one = sixd.dtype.type(1)
    for n in range(len(sixd)):
        a, b, c, u, v, w = sixd[n]
        first, second = a * a + b * b + c * c, u * u + v * v + w * w
        dot = a * u + b * v + c * w
        squares = first * second
        if squares - dot * dot <= limits[1] * squares:
            to_sixd[n] = 0
            continue
        long = np.sqrt(first) if first > limits[0] else one
        a, b, c = a / long, b / long, c / long
        dot = a * u + b * v + c * w
        p, q, r = u - dot * a, v - dot * b, w - dot * c
        second = p * p + q * q + r * r
        short = np.sqrt(second) if second > limits[0] else one
        p, q, r = p / short, q / short, r / short
        g = gradient[n]
        xa, xb, xc, yp, yq, yr = g[0, 0], g[1, 0], g[2, 0], g[0, 1], g[1, 1], g[2, 1]
        zi, zj, zk = g[0, 2], g[1, 2], g[2, 2]
        # z = x cross y
        xa, xb, xc = xa + q * zk - r * zj, xb + r * zi - p * zk, xc + p * zj - q * zi
        yp, yq, yr = yp + zj * c - zk * b, yq + zk * a - zi * c, yr + zi * b - zj * a
        # y is of unit length
        along = yp * p + yq * q + yr * r
        yp, yq, yr = (yp - along * p) / short, (yq - along * q) / short, (yr - along * r) / short
        # and square to x
        along = yp * a + yq * b + yr * c
        to_sixd[n, 3], to_sixd[n, 4], to_sixd[n, 5] = yp - along * a, yq - along * b, yr - along * c
        xa, xb, xc = (
            xa - along * u - dot * yp,
            xb - along * v - dot * yq,
            xc - along * w - dot * yr,
        )
        # x is of unit length
        along = xa * a + xb * b + xc * c
        to_sixd[n, 0], to_sixd[n, 1], to_sixd[n, 2] = (
            (xa - along * a) / long,
            (xb - along * b) / long,
            (xc - along * c) / long,
        )


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _factors(square: float) -> tuple[float, float, float, float]:
    """With t the angle, of which the square is given: sin t / t, (1 - cos t) / t^2, and the slopes of both over t."""
    if square < 1e-4:
        return 1 - square / 6, 0.5 - square / 24, square / 30 - 1 / 3, square / 180 - 1 / 12
    angle = np.sqrt(square)
    sine, less = np.sin(angle), 2 * np.sin(angle / 2) ** 2
    to_sine = (angle * np.cos(angle) - sine) / (square * angle)
    return sine / angle, less / square, to_sine, (angle * sine - 2 * less) / (square * square)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _rodrigues(rotvec: np.ndarray, rotations: np.ndarray) -> None:
    """1 + a K + b (v v^T - |v|^2), K the cross product with v."""
    for n in range(rotvec.shape[0]):
        x, y, z = np.float64(rotvec[n, 0]), np.float64(rotvec[n, 1]), np.float64(rotvec[n, 2])
        a, b, _, _ = _factors(x * x + y * y + z * z)
        turn = rotations[n]
        turn[0, 0], turn[0, 1], turn[0, 2] = 1 - b * (y * y + z * z), b * x * y - a * z, b * x * z + a * y
        turn[1, 0], turn[1, 1], turn[1, 2] = b * x * y + a * z, 1 - b * (x * x + z * z), b * y * z - a * x
        turn[2, 0], turn[2, 1], turn[2, 2] = b * x * z - a * y, b * y * z + a * x, 1 - b * (x * x + y * y)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _rodrigues_backward(rotvec: np.ndarray, gain: np.ndarray, to_rotvec: np.ndarray) -> None:
    both = np.zeros(3)
    for n in range(rotvec.shape[0]):
        v, g = rotvec[n], gain[n]
        square = np.float64(v[0]) * v[0] + np.float64(v[1]) * v[1] + np.float64(v[2]) * v[2]
        a, b, to_a, to_b = _factors(square)
        crossed = (g[2, 1] - g[1, 2], g[0, 2] - g[2, 0], g[1, 0] - g[0, 1])
        trace = g[0, 0] + g[1, 1] + g[2, 2]
        for i in range(3):  # (G + G^T) v
            both[i] = 0.0
            for j in range(3):
                both[i] += (g[i, j] + g[j, i]) * v[j]
        along = crossed[0] * v[0] + crossed[1] * v[1] + crossed[2] * v[2]
        outer = (both[0] * v[0] + both[1] * v[1] + both[2] * v[2]) / 2 - square * trace
        for i in range(3):
            own = a * crossed[i] + b * (both[i] - 2 * v[i] * trace)
            to_rotvec[n, i] = own + v[i] * (to_a * along + to_b * outer)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _aligned_error(
    predicted: np.ndarray,
    target: np.ndarray,
    weights: np.ndarray,
    tiny: float,
    errors: np.ndarray,
    slope: np.ndarray,
) -> None:
    """The similarity by Horn 1987: the quaternion is the greatest eigenvector of a 4 x 4 matrix of the correlations."""
    count = predicted.shape[1]
    middle, goal = np.empty(3), np.empty(3)
    cross, form, turn = np.empty((3, 3)), np.empty((4, 4)), np.empty((3, 3))
    away = np.empty((count, 3))
    for n in range(len(predicted)):
        share = weights[min(n, len(weights) - 1)]
        total = 0.0
        middle[:], goal[:], cross[:] = 0.0, 0.0, 0.0
        for k in range(count):
            total += share[k]
            for i in range(3):
                middle[i] += share[k] * predicted[n, k, i]
                goal[i] += share[k] * target[n, k, i]
        total = max(total, tiny)
        middle /= total
        goal /= total
        spread = 0.0
        for k in range(count):
            weight = share[k] / total
            for i in range(3):
                x = predicted[n, k, i] - middle[i]
                spread += weight * x * x
                for j in range(3):
                    cross[i, j] += weight * x * (target[n, k, j] - goal[j])
        greatest = _best_turn(cross, form, turn)
        scale = greatest / max(spread, tiny)
        error = 0.0
        for k in range(count):
            square = 1e-16
            for i in range(3):
                moved = 0.0
                for j in range(3):
                    moved += turn[i, j] * (predicted[n, k, j] - middle[j])
                away[k, i] = scale * moved + goal[i] - target[n, k, i]
                square += away[k, i] * away[k, i]
            distance = np.sqrt(square)
            error += share[k] * distance
            factor = share[k] / total * scale / distance
            for j in range(3):
                slope[n, k, j] = factor * (
                    turn[0, j] * away[k, 0] + turn[1, j] * away[k, 1] + turn[2, j] * away[k, 2]
                )
        errors[n] = error / total


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _best_turn(s: np.ndarray, form: np.ndarray, turn: np.ndarray) -> float:
    """The rotation (3, 3) R that makes the sum of R_ij s_ji greatest, and that sum.

    Args:
        s: (3, 3) correlations, source by target.
        form: (4, 4) room for the work.
        turn: (3, 3) is filled.
    """
    form[0, 0] = s[0, 0] + s[1, 1] + s[2, 2]
    form[1, 1] = s[0, 0] - s[1, 1] - s[2, 2]
    form[2, 2] = s[1, 1] - s[0, 0] - s[2, 2]
    form[3, 3] = s[2, 2] - s[0, 0] - s[1, 1]
    form[0, 1] = form[1, 0] = s[1, 2] - s[2, 1]
    form[0, 2] = form[2, 0] = s[2, 0] - s[0, 2]
    form[0, 3] = form[3, 0] = s[0, 1] - s[1, 0]
    form[1, 2] = form[2, 1] = s[0, 1] + s[1, 0]
    form[1, 3] = form[3, 1] = s[2, 0] + s[0, 2]
    form[2, 3] = form[3, 2] = s[1, 2] + s[2, 1]
    vectors = np.eye(4)
    _jacobi(form, vectors)
    best = 0
    for i in range(1, 4):
        if form[i, i] > form[best, best]:
            best = i
    w, x, y, z = vectors[0, best], vectors[1, best], vectors[2, best], vectors[3, best]
    turn[0, 0], turn[0, 1], turn[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    turn[1, 0], turn[1, 1], turn[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    turn[2, 0], turn[2, 1], turn[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    return form[best, best]


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _jacobi(form: np.ndarray, vectors: np.ndarray) -> None:
    """Diagonalise a symmetric matrix in place by Jacobi's rotations; its eigenvectors become columns."""
    size = len(form)
    for _ in range(12):
        off = whole = 0.0
        for i in range(size):
            whole += form[i, i] * form[i, i]
            for j in range(i):
                off += form[i, j] * form[i, j]
        if off <= 1e-26 * whole:
            return
        for p in range(size - 1):
            for q in range(p + 1, size):
                if form[p, q] == 0.0:
                    continue
                ratio = (form[q, q] - form[p, p]) / (2 * form[p, q])
                tangent = 1.0 / (abs(ratio) + np.sqrt(ratio * ratio + 1.0))
                if ratio < 0:
                    tangent = -tangent
                cosine = 1.0 / np.sqrt(tangent * tangent + 1.0)
                sine = tangent * cosine
                for k in range(size):
                    a, b = form[k, p], form[k, q]
                    form[k, p], form[k, q] = cosine * a - sine * b, sine * a + cosine * b
                for k in range(size):
                    a, b = form[p, k], form[q, k]
                    form[p, k], form[q, k] = cosine * a - sine * b, sine * a + cosine * b
                    a, b = vectors[k, p], vectors[k, q]
                    vectors[k, p], vectors[k, q] = cosine * a - sine * b, sine * a + cosine * b
