"""Training of the flow network on made pairs: loss, loop, state; a killed run goes on with the same draws."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pointlight.configuration import config_sha256, to_plain
from pointlight.errors import PointlightError
from pointlight.files import atomic_path, ensure_folder
from pointlight.flow import FlowNetwork, FlowNetworkConfig, save_flow_network
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.provenance import commit
from pointlight.training.flow_data import FlowDataConfig, FlowPair, FlowPairs
from pointlight.training.flow_sources import FlowSources
from pointlight.training.optimisers import OptimiserConfig, follow_weights, learning_rate, make_optimiser
from pointlight.training.run_state import STATE, load_state, save_state

WEIGHTS = "flow.safetensors"
"""The averaged weights in a run's folder, as they would ship."""

_RUN = "run.json"
_CURVE = "curve.jsonl"


@dataclass(frozen=True)
class FlowTrainingConfig:
    """What is trained, on what, and how.

    Attributes:
        network: sizes.
        data: distribution of pairs.
        optimiser: schedule; a batch is of pairs.
        full_weight: of the loss at full size; the levels' weights follow from the finest.
        level_weights: from the quarter to the coarsest level.
        power: of the error's length; below 1 small errors count more and outliers less (Sun et al. 2018).
        softness_px: added inside the power, so that its slope stays finite.
        validation_pairs: looked at whenever it is evaluated.
    """

    network: FlowNetworkConfig = field(default_factory=FlowNetworkConfig)
    data: FlowDataConfig = field(default_factory=FlowDataConfig)
    optimiser: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(
            batch=6,
            learning_rate=1e-3,
            warmup=200,
            steps=8000,
            cooldown=0.6,
            clip=1.0,
            average=0.998,
            evaluate_every=250,
            save_every=100,
        )
    )
    full_weight: float = 1.0
    level_weights: tuple[float, ...] = (0.3, 0.2, 0.1, 0.1)
    power: float = 0.7
    softness_px: float = 0.05
    validation_pairs: int = 48


class FlowTraining:
    """One run in one folder.

    Attributes:
        step: steps done.
        seconds: they took.
        network: that learns.
        average: moving average of its weights.
    """

    def __init__(
        self, out: Path, sources: FlowSources, watched: FlowSources, config: FlowTrainingConfig, seed: int = 0
    ) -> None:
        """Begin a run, or go on with the one in the folder.

        A run may be made longer or shorter on the way; the learning rate follows the new length from there on.

        Args:
            out: the run's folder.
            sources: to learn from, of the split train.
            watched: to look at, of the split validation.
            config: of the run.
            seed: of pairs and weights.

        Raises:
            PointlightError: sources of other splits, or the folder holds another run.
        """
        if (sources.split, watched.split) != ("train", "validation"):
            raise PointlightError(
                f"a flow network learns from 'train' and is watched on 'validation', not {sources.split!r} and "
                f"{watched.split!r}"
            )
        self.out = ensure_folder(out)
        self.config = config
        self.seed = seed
        self._pairs = FlowPairs(sources, seed, config.data)
        watched_pairs = FlowPairs(watched, seed, config.data)
        self._watched = [watched_pairs.pair(index) for index in range(config.validation_pairs)]
        torch.manual_seed(seed)
        self.network = FlowNetwork(config.network)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self._optimiser = make_optimiser(self.network, config.optimiser)
        self.step, self.seconds = 0, 0.0
        any_length = replace(config, optimiser=replace(config.optimiser, steps=0))
        self._identity = config_sha256([any_length, seed])
        self._sources = config_sha256([sources.sha256, watched.sha256])
        if (self.out / STATE).exists():
            numbers = load_state(self.out, self.network, self.average, self._optimiser)
            if numbers["identity"] != self._identity:
                raise PointlightError(
                    f"{out} holds another run of flow, of other settings or another seed; choose another folder"
                )
            # Runs begun by earlier versions do not say what they were made from.
            if numbers.get("sources", self._sources) != self._sources:
                raise PointlightError(
                    f"the run of flow in {out} learns from other pictures and people; give those, or choose another folder"
                )
            self.step, self.seconds = numbers["step"], numbers["seconds"]

    def run(self, minutes: float = math.inf, progress: ProgressCallback = silent) -> None:
        """Train to the end, or for a step or more until so many minutes have passed; the state is saved on the way."""
        settings, began = self.config.optimiser, time.perf_counter()
        while self.step < settings.steps:
            started = time.perf_counter()
            loss = self._learn()
            self.step += 1
            self.seconds += time.perf_counter() - started
            last = self.step == settings.steps
            if self.step % settings.save_every == 0 or last:
                self._save()
            if self.step % settings.evaluate_every == 0 or last:
                self._note(
                    {"step": self.step, "seconds": round(self.seconds, 1), "loss": loss, **self.watch()}
                )
                self.write_weights()
            progress(Progress("flow", self.step, settings.steps, f"loss {loss:.3f}", unit="step"))
            if time.perf_counter() - began > 60 * minutes:
                break
        self._save()
        self.write_weights()

    def watch(self) -> dict[str, float]:
        """Mean endpoint errors in pixels on the validation pairs by the averaged weights."""
        network = self._averaged()
        errors, seen = [], []
        with torch.inference_mode():
            for pair in self._watched:
                first, second, flow, known = _batch([pair])
                found = network(first, second)[0]
                errors.append((found - flow).norm(dim=1)[known[:, 0]].numpy())
                seen.append(pair.visible[pair.known])
        error, visible = np.concatenate(errors), np.concatenate(seen)
        return {
            "epe_px": float(error.mean()),
            "epe_visible_px": float(error[visible].mean()),
            "above_1px": float((error > 1).mean()),
        }

    def write_weights(self) -> Path:
        """Write the averaged weights as they would ship; where."""
        path = self.out / WEIGHTS
        save_flow_network(path, self._averaged(), **self._metadata())
        return path

    def _learn(self) -> float:
        settings = self.config.optimiser
        numbers = range(self.step * settings.batch, (self.step + 1) * settings.batch)
        first, second, flow, known = _batch([self._pairs.pair(number) for number in numbers])
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate(settings, self.step, settings.steps)
        self._optimiser.zero_grad(set_to_none=True)
        loss = flow_loss(self.network(first, second), flow, known, self.config)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), settings.clip)
        self._optimiser.step()
        # At first the average follows closely, so that it does not remember fresh weights.
        follow_weights(self.average, self.network, min(settings.average, (self.step + 1) / (self.step + 10)))
        return float(loss.detach())

    def _averaged(self) -> FlowNetwork:
        network = FlowNetwork(self.config.network)
        network.load_state_dict(self.average)
        return network.eval()

    def _metadata(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "steps": self.step,
            "of_steps": self.config.optimiser.steps,
            "seconds": round(self.seconds),
            "training": to_plain(self.config),
            "commit": commit(),
        }

    def _note(self, row: dict[str, Any]) -> None:
        with open(self.out / _CURVE, "a") as file:
            file.write(json.dumps(row) + "\n")

    def _save(self) -> None:
        with atomic_path(self.out / _RUN) as temporary:
            temporary.write_text(json.dumps(self._metadata(), indent=1))
        numbers = {
            "step": self.step,
            "seconds": self.seconds,
            "identity": self._identity,
            "sources": self._sources,
        }
        save_state(self.out, self.network, self.average, self._optimiser, numbers)


def flow_loss(flows: list[Tensor], truth: Tensor, known: Tensor, config: FlowTrainingConfig) -> Tensor:
    """Weighted robust endpoint errors at full size and at every level.

    Pixels that are hidden or gone in the second picture count like all others: the network shall guess them.

    Args:
        flows: of `FlowNetwork`.
        truth: (N, 2, H, W) pixels.
        known: (N, 1, H, W) bool, where the truth is known.
        config: weights and power.
    """
    share = known.to(truth.dtype)
    total = truth.new_zeros(())
    for flow, weight in zip(flows, (config.full_weight, *config.level_weights), strict=True):
        factor = truth.shape[-1] // flow.shape[-1]
        area = F.avg_pool2d(share, factor)
        goal = F.avg_pool2d(truth * share, factor) / area.clamp(min=1e-6)
        squared = (flow - goal).square().sum(1, keepdim=True) + config.softness_px**2
        total = total + weight * (area * squared ** (config.power / 2)).sum() / area.sum().clamp(min=1)
    return total


def _batch(pairs: list[FlowPair]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """First and second pictures (N, 3, H, W) 0..255, flow (N, 2, H, W) and where it is known (N, 1, H, W)."""

    def stacked(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(pair, name) for pair in pairs]))

    def channels_first(name: str) -> Tensor:
        return stacked(name).permute(0, 3, 1, 2).float().contiguous()

    return (
        channels_first("first"),
        channels_first("second"),
        channels_first("flow_px"),
        stacked("known")[:, None],
    )
