"""The state of a run on disk, so that a killed run goes on bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pointlight.errors import PointlightError
from pointlight.files import atomic_path

STATE = "last.safetensors"
"""Its file in a run's folder."""


class Learner(Protocol):
    """Something beside the network that learns."""

    @property
    def classifier(self) -> nn.Module:
        """What learns."""
        ...

    @property
    def optimiser(self) -> torch.optim.Optimizer:
        """How."""
        ...


def has_state(folder: Path) -> bool:
    """Whether a run can be resumed there."""
    return (folder / STATE).is_file()


def save_state(
    folder: Path,
    model: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    numbers: dict[str, Any],
    adversary: Learner | None = None,
) -> None:
    """Write everything that the next step depends on, in one file, at once."""
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average/{name}": value for name, value in average.items()}
    tensors["random"] = torch.get_rng_state()
    plain = _without_tensors(optimiser.state_dict(), "optimiser", tensors)
    beside = {}
    if adversary is not None:
        weights = adversary.classifier.state_dict()
        tensors |= {f"adversary/{name}": value for name, value in weights.items()}
        left = _without_tensors(adversary.optimiser.state_dict(), "adversary's optimiser", tensors)
        beside["adversary"] = json.dumps(left)
    with atomic_path(folder / STATE) as temporary:
        save_file(
            {name: value.detach().contiguous().clone() for name, value in tensors.items()},
            temporary,
            metadata={
                "numbers": json.dumps(numbers, sort_keys=True),
                "optimiser": json.dumps(plain),
                **beside,
            },
        )


def load_state(
    folder: Path,
    model: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    adversary: Learner | None = None,
) -> dict[str, Any]:
    """Put back what `save_state` wrote, in place; the numbers are returned.

    Raises:
        PointlightError: there is nothing to resume, or it belongs to another network.
    """
    path = folder / STATE
    if not path.exists():
        raise PointlightError(f"there is no run to resume in {folder}; start one without --resume")
    try:
        with safe_open(path, framework="pt") as reader:
            metadata = reader.metadata() or {}
            numbers, plain = json.loads(metadata["numbers"]), json.loads(metadata["optimiser"])
            tensors = {name: reader.get_tensor(name) for name in reader.keys()}  # noqa: SIM118
        model.load_state_dict(_under(tensors, "model/"))
        if adversary is not None:
            adversary.classifier.load_state_dict(_under(tensors, "adversary/"))
            _put_back(adversary.optimiser, json.loads(metadata["adversary"]), tensors)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise PointlightError(
            f"{path} cannot be resumed from, it is damaged or of another recipe; use another --out"
        ) from error
    for name, value in _under(tensors, "average/").items():
        average[name].copy_(value)
    _put_back(optimiser, plain, tensors)
    torch.set_rng_state(tensors["random"])
    return numbers


def _put_back(optimiser: torch.optim.Optimizer, plain: Any, tensors: dict[str, Tensor]) -> None:
    state = _with_tensors(plain, tensors)
    state["state"] = {int(index): entry for index, entry in state["state"].items()}
    optimiser.load_state_dict(state)


_TENSOR = "tensor:"


def _without_tensors(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """A tree of dictionaries and lists for JSON; its tensors go to `tensors` and leave their names behind."""
    if isinstance(value, Tensor):
        tensors[name] = value
        return _TENSOR + name
    if isinstance(value, dict):
        return {str(key): _without_tensors(item, f"{name}/{key}", tensors) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_tensors(item, f"{name}/{place}", tensors) for place, item in enumerate(value)]
    return value


def _with_tensors(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Inverse of `_without_tensors`."""
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensors[value.removeprefix(_TENSOR)]
    if isinstance(value, dict):
        return {key: _with_tensors(item, tensors) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_tensors(item, tensors) for item in value]
    return value


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
