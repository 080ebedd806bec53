"""The memory: a bidirectional LSTM, torch's own where it predicts, and where it learns on the CPU a faster one.

Torch's LSTM of today spends a third of its time on the CPU outside of products of matrices; with a hundred clips at once
these are large, so that plain products and one numba loop a time step are faster. `no_type_check` keeps run-time shape
checks, which numba cannot compile, out of the loops.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numba
import numpy as np
import torch
from torch import Tensor, nn


class BiLSTM(nn.Module):
    """Features (..., T, F) to memories (..., T, 2 * hidden), the forward direction's first."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, layers, batch_first=True, bidirectional=True)

    def forward(self, features: Tensor) -> Tensor:
        """Remember."""
        flat = features.reshape(-1, *features.shape[-2:])
        learns = torch.is_grad_enabled() and self.training
        if learns and self.lstm.num_layers == 1 and (flat.device.type, flat.dtype) == ("cpu", torch.float32):
            steps = flat.transpose(0, 1).contiguous()
            both = [self._direction(steps, back) for back in (False, True)]
            output = torch.cat(both, dim=-1).transpose(0, 1)
        else:
            output, _ = self.lstm(flat)
        return output.reshape(*features.shape[:-1], output.shape[-1])

    def _direction(self, inputs: Tensor, back: bool) -> Tensor:
        """(T, B, hidden) of inputs (T, B, F)."""
        suffix = "_l0_reverse" if back else "_l0"
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weights = [getattr(self.lstm, name + suffix) for name in names]
        output: Tensor = _Direction.apply(inputs, *weights, back)  # pyright: ignore[reportAssignmentType]
        return output


class _Direction(torch.autograd.Function):
    """One direction over inputs (T, B, F); gates in torch's order: input, forget, candidate, output."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        from_input: Tensor,
        from_hidden: Tensor,
        bias: Tensor,
        bias_too: Tensor,
        back: bool,
    ) -> Tensor:
        """(T, B, H) hidden states of every step."""
        times, batch, width = inputs.shape
        hidden = from_hidden.shape[1]
        gates = torch.addmm(bias + bias_too, inputs.view(-1, width), from_input.T).view(times, batch, -1)
        output = inputs.new_empty(times, batch, hidden)
        cells = inputs.new_zeros(
            times + 1, batch, hidden
        )  # the last one is what there is before the first step
        for step in range(times):
            now, before = (times - 1 - step, times - step) if back else (step, step - 1)
            if step:
                gates[now].addmm_(output[before], from_hidden.T)
            _step(gates.numpy(), cells.numpy(), output.numpy(), now, before)
        ctx.save_for_backward(inputs, from_input, from_hidden, gates, cells, output)
        ctx.back = back
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Gradients of inputs, weights and biases."""
        inputs, from_input, from_hidden, gates, cells, output = ctx.saved_tensors
        times, batch, width = inputs.shape
        to_output = gradients[0].contiguous()
        to_gates, to_hidden = torch.empty_like(gates), torch.zeros_like(output[0])
        to_cell = torch.zeros_like(to_hidden)
        arrays = [tensor.numpy() for tensor in (gates, cells, to_output, to_hidden, to_cell, to_gates)]
        for step in reversed(range(times)):
            now, before = (times - 1 - step, times - step) if ctx.back else (step, step - 1)
            _step_backward(arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5], now, before)
            if step:
                torch.mm(to_gates[now], from_hidden, out=to_hidden)
        rows = to_gates.view(times * batch, -1)
        later, earlier = (to_gates[:-1], output[1:]) if ctx.back else (to_gates[1:], output[:-1])
        to_from_hidden = later.flatten(0, 1).T @ earlier.flatten(0, 1)
        to_bias = rows.sum(0)
        to_inputs = (rows @ from_input).view(inputs.shape) if ctx.needs_input_grad[0] else None
        return to_inputs, rows.T @ inputs.view(-1, width), to_from_hidden, to_bias, to_bias, None


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _tanh(x: float) -> float:
    """The hyperbolic tangent in float32 to 4e-7: its continued fraction's quotient of polynomials, fitted to +-7.9."""
    x = min(max(x, np.float32(-7.9053111)), np.float32(7.9053111))
    s = x * x
    upper = np.float32(-2.76076847742355e-16)
    upper = upper * s + np.float32(2.00018790482477e-13)
    upper = upper * s + np.float32(-8.60467152213735e-11)
    upper = upper * s + np.float32(5.12229709037114e-08)
    upper = upper * s + np.float32(1.48572235717979e-05)
    upper = upper * s + np.float32(6.37261928875436e-04)
    upper = upper * s + np.float32(4.89352455891786e-03)
    lower = np.float32(1.19825839466702e-06)
    lower = lower * s + np.float32(1.18534705686654e-04)
    lower = lower * s + np.float32(2.26843463243900e-03)
    lower = lower * s + np.float32(4.89352518554385e-03)
    return x * upper / lower


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _sigmoid(x: float) -> float:
    return np.float32(0.5) * _tanh(np.float32(0.5) * x) + np.float32(0.5)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _step(gates: np.ndarray, cells: np.ndarray, output: np.ndarray, now: int, before: int) -> None:
    """One step: gates (T, B, 4 H) are opened in place; cells (T + 1, B, H) and output (T, B, H) of `now` are filled."""
    batch, hidden = output.shape[1:]
    for n in range(batch):
        gate = gates[now, n]
        i, f, g, o = (
            gate[:hidden],
            gate[hidden : 2 * hidden],
            gate[2 * hidden : 3 * hidden],
            gate[3 * hidden :],
        )
        old, new, shown = cells[before, n], cells[now, n], output[now, n]
        for k in range(hidden):
            enter, keep, candidate, leave = _sigmoid(i[k]), _sigmoid(f[k]), _tanh(g[k]), _sigmoid(o[k])
            cell = keep * old[k] + enter * candidate
            i[k], f[k], g[k], o[k] = enter, keep, candidate, leave
            new[k], shown[k] = cell, leave * _tanh(cell)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _step_backward(
    gates: np.ndarray,
    cells: np.ndarray,
    to_output: np.ndarray,
    to_hidden: np.ndarray,
    to_cell: np.ndarray,
    to_gates: np.ndarray,
    now: int,
    before: int,
) -> None:
    """Gradients of one step: `to_gates` of `now` is filled, `to_cell` (B, H) handed on to the step before."""
    one = np.float32(1)
    batch, hidden = to_hidden.shape
    for n in range(batch):
        gate, to_gate = gates[now, n], to_gates[now, n]
        i, f, g, o = (
            gate[:hidden],
            gate[hidden : 2 * hidden],
            gate[2 * hidden : 3 * hidden],
            gate[3 * hidden :],
        )
        to_i, to_f = to_gate[:hidden], to_gate[hidden : 2 * hidden]
        to_g, to_o = to_gate[2 * hidden : 3 * hidden], to_gate[3 * hidden :]
        old, new, to_new = cells[before, n], cells[now, n], to_cell[n]
        from_above, from_later = to_output[now, n], to_hidden[n]
        for k in range(hidden):
            enter, keep, candidate, leave = i[k], f[k], g[k], o[k]
            shown, to_shown = _tanh(new[k]), from_later[k] + from_above[k]
            to = to_new[k] + to_shown * leave * (one - shown * shown)
            to_i[k] = to * candidate * enter * (one - enter)
            to_f[k] = to * old[k] * keep * (one - keep)
            to_g[k] = to * enter * (one - candidate * candidate)
            to_o[k] = to_shown * shown * leave * (one - leave)
            to_new[k] = to * keep
