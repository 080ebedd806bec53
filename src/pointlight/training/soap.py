"""SOAP (Vyas et al. 2024: Adam in the eigenbases of Shampoo's preconditioners) with its costly work spread over steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor, nn

_SIDES = ("left", "right")


class Soap(torch.optim.Optimizer):
    """SOAP at about half the products of matrices that the plain one takes a step.

    The covariances of a gradient's rows and columns change slowly, so they take up one step in `covariance_every`;
    the mean gradient is kept in the eigenbases, so that it is not turned into them every step. Vectors, and sides
    of matrices wider than `widest`, go without a basis, which makes them Adam's.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float = 0.0,
        betas: tuple[float, float] = (0.95, 0.95),
        covariance_decay: float = 0.9,
        covariance_every: int = 2,
        basis_every: int = 10,
        widest: int = 500,
        eps: float = 1e-8,
    ) -> None:
        """Set up.

        Args:
            parameters: vectors and matrices.
            lr: rate.
            weight_decay: decoupled.
            betas: decay of the mean gradient and of its mean square.
            covariance_decay: decay of the covariances, at each of their updates.
            covariance_every: steps between updates of the covariances.
            basis_every: steps between updates of the bases; a multiple of `covariance_every`.
            widest: sides wider than this have no basis.
            eps: added to the root of the mean square.
        """
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "betas": betas,
            "covariance_decay": covariance_decay,
            "covariance_every": covariance_every,
            "basis_every": basis_every,
            "widest": widest,
            "eps": eps,
            "step": 0,
        }
        super().__init__(parameters, defaults)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take a step; the first one only looks at the gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state.update(_first_state(parameter.grad, group))
                if group["step"]:
                    _move(parameter, state, group)
                    _look(parameter.grad, state, group)
            group["step"] += 1
        return loss


def _first_state(gradient: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
    """Mean and mean square in the eigenbases, and for each side with a basis its covariance and basis."""
    state = {"mean": torch.zeros_like(gradient), "square": torch.zeros_like(gradient)}
    for axis, side in enumerate(_SIDES if gradient.ndim == 2 else ()):
        if gradient.shape[axis] <= group["widest"]:
            covariance = (1 - group["covariance_decay"]) * _outer(gradient, axis)
            state[f"{side}_covariance"] = covariance
            state[f"{side}_basis"] = torch.linalg.eigh(covariance).eigenvectors.flip(1).contiguous()
    return state


def _move(parameter: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    """Adam's step in the eigenbases."""
    fast, slow = group["betas"]
    left, right = state.get("left_basis"), state.get("right_basis")
    gradient = parameter.grad
    assert gradient is not None
    gradient = gradient if right is None else gradient @ right
    gradient = gradient if left is None else left.T @ gradient
    mean = state["mean"].lerp_(gradient, 1 - fast)
    square = state["square"].mul_(slow).addcmul_(gradient, gradient, value=1 - slow)
    change = mean / square.sqrt().add_(group["eps"])
    change = change if right is None else change @ right.T
    change = change if left is None else left @ change
    # Mean and square begin at 0: Adam's correction.
    correction = math.sqrt(1 - slow ** group["step"]) / (1 - fast ** group["step"])
    parameter.add_(change, alpha=-group["lr"] * correction)
    parameter.mul_(1 - group["lr"] * group["weight_decay"])


def _look(gradient: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    """Bring covariances and bases up to date, if it is their turn."""
    if group["step"] % group["covariance_every"]:
        return
    refresh = group["step"] % group["basis_every"] == 0
    for axis, side in enumerate(_SIDES):
        covariance = state.get(f"{side}_covariance")
        if covariance is not None:
            covariance.lerp_(_outer(gradient, axis), 1 - group["covariance_decay"])
            if refresh:
                _turn_basis(state, axis, side)


def _turn_basis(state: dict[str, Tensor], axis: int, side: str) -> None:
    """One power iteration of a side's basis, greatest eigenvalue first; mean and square are brought along."""
    basis = state[f"{side}_basis"]
    product = state[f"{side}_covariance"] @ basis
    order = (basis * product).sum(0).argsort(descending=True)
    turned = torch.linalg.qr(product[:, order]).Q
    between = turned.T @ basis
    mean = state["mean"]
    state["mean"] = between @ mean if axis == 0 else mean @ between.T
    state["square"] = state["square"].index_select(axis, order)
    state[f"{side}_basis"] = turned.contiguous()


def _outer(gradient: Tensor, axis: int) -> Tensor:
    """The covariance of a matrix's rows (axis 0) or columns."""
    return gradient @ gradient.T if axis == 0 else gradient.T @ gradient
