"""Domain-adversarial training (Ganin et al. 2016; the paper, section 4): features that simulated and real people share.

An adversary learns to tell them apart by what the encoder says of a pair, "right before the LSTM". Its gradient reaches
the encoder turned round. Real people pass the encoder by themselves, and batch norms see them by the running statistics
of simulated ones, as in use, which they leave alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pointlight.cues import PictureCueConfig
from pointlight.errors import PointlightError
from pointlight.network import DomainClassifier, DomainConfig, MotionHMRConfig, PoseNetwork, reversed_gradient
from pointlight.randomness import stream
from pointlight.training.data import Batch, BatchSource
from pointlight.training.optimisers import OptimiserConfig, make_optimiser
from pointlight.training.recipes import Recipe
from pointlight.training.target_bank import TargetBank, TargetBatches
from pointlight.training.trunks import picture_encoder
from pointlight.values import by_value

_RECENT = 0.98
"""How much of the accuracy that is told is that of the step before."""


@by_value
@dataclass(frozen=True)
class DomainBatch(Batch):
    """Simulated people, and real ones beside them.

    Attributes:
        real: (B, P, F) inputs of real people; nothing is known of their poses.
    """

    real: Tensor

    def to(self, device: str) -> DomainBatch:
        """See `Batch`."""
        return DomainBatch(self.inputs.to(device), self.targets.to(device), self.real.to(device))


class DomainBatches:
    """Makes batch `n` of both domains."""

    def __init__(self, simulated: BatchSource, real: TargetBatches) -> None:
        self._simulated, self._real = simulated, real

    def make(self, number: int) -> DomainBatch:
        """See `Source`."""
        batch = self._simulated.make(number)
        return DomainBatch(batch.inputs, batch.targets, self._real.make(number))


def open_targets(folder: Path | None, recipe: Recipe) -> TargetBank | None:
    """The real people of a run; None where its recipe wants none.

    Raises:
        PointlightError: they are wanted and not given, given and not wanted, or cannot be used.
    """
    if recipe.domains is None:
        if folder is not None:
            raise PointlightError(f"{recipe.name} learns from simulated people alone; leave --targets out")
        return None
    if folder is None:
        raise PointlightError(
            f"{recipe.name} learns against real people; make tracks of some with `pointlight prepare DIR --targets "
            "--backgrounds VIDEOS` and give them with --targets DIR"
        )
    return TargetBank(folder)


def with_targets(source: BatchSource, targets: TargetBank | None, recipe: Recipe, seed: int) -> BatchSource:
    """Batches with real people beside them, where there are some."""
    if targets is None:
        return source
    cues, use = recipe.network.cues, recipe.pictures
    assert use is not None and isinstance(cues, PictureCueConfig)
    real = TargetBatches(targets, use, cues, seed=seed, size=recipe.optimiser.batch)
    return DomainBatches(source, real)


class Adversary:
    """The classifier of domains, how it learns, and what the encoder is told of it.

    Attributes:
        classifier: of features.
        optimiser: of its own.
    """

    def __init__(
        self, config: DomainConfig, network: PoseNetwork, settings: OptimiserConfig, seed: int
    ) -> None:
        """With fresh weights, drawn beside everything else that chance decides on in a run.

        Args:
            config: sizes and weights.
            network: with an encoder of pictures; where it lies the adversary lies too.
            settings: of the network's optimiser.
            seed: of the weights.
        """
        assert isinstance(network.config, MotionHMRConfig)
        cues = network.config.cues
        assert isinstance(cues, PictureCueConfig)
        self._config, self._settings, self._cues = config, settings, cues
        self._encoder = picture_encoder(network, Path())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(stream(seed, 0, "classifier of domains").integers(2**62)))
            classifier = DomainClassifier(network.config.encoder.features, config)
        self.classifier = classifier.to(network.device)
        self.optimiser = make_optimiser(self.classifier, settings)

    @staticmethod
    def of(recipe: Recipe, network: PoseNetwork, seed: int) -> Adversary | None:
        """That of a recipe; None where it has none."""
        return recipe.domains and Adversary(recipe.domains, network, recipe.optimiser, seed)

    @property
    def accuracy(self) -> float:
        """How often it was right of late; 0.5 is chance."""
        return float(self.classifier.accuracy)

    @contextmanager
    def listening(self) -> Iterator[list[tuple[Tensor, Tensor]]]:
        """What goes into the encoder and what comes out, of every pass within the block."""
        noted: list[tuple[Tensor, Tensor]] = []

        def note(_: nn.Module, given: tuple[Tensor, ...], said: Tensor) -> None:
            noted.append((given[0], said))

        hook = self._encoder.register_forward_hook(note)
        try:
            yield noted
        finally:
            hook.remove()

    def loss(
        self, noted: list[tuple[Tensor, Tensor]], batch: Batch, progress: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The adversary's loss, whose gradient reaches the encoder turned round.

        Args:
            noted: of the pass of simulated people, by `listening`.
            batch: with real people.
            progress: share of the run that is done.

        Returns:
            The mean of both domains' cross entropies; and for the record that and the accuracy.
        """
        assert isinstance(batch, DomainBatch)
        ((inputs, features),) = noted
        with _statistics_left_alone(self._encoder):
            real = self._encoder(batch.real)
        weight = self._config.weight_at(progress)
        losses, right = [], []
        for seen, said, is_real in ((inputs, features, False), (batch.real, real, True)):
            shown = self._cues.place(seen)[..., -1] == 0  # a total occlusion is of no domain
            odds = self.classifier(reversed_gradient(said[shown], weight))
            wanted = torch.full_like(odds, float(is_real))
            error = nn.functional.binary_cross_entropy_with_logits(odds, wanted, reduction="sum")
            losses.append(error / max(len(odds), 1))
            right.append(((odds > 0) == is_real).float().sum() / max(len(odds), 1))
        loss, accuracy = torch.stack(losses).mean(), torch.stack(right).mean()
        self.classifier.accuracy.lerp_(accuracy, 1 - _RECENT)
        return loss, {"domains": loss, "domain_accuracy": accuracy}

    def step(self, learning_rate: float) -> None:
        """Learn from the gradients that are there.

        Args:
            learning_rate: of the network.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self._config.rate * learning_rate
        nn.utils.clip_grad_norm_(self.classifier.parameters(), self._settings.clip)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)


def listening(adversary: Adversary | None) -> AbstractContextManager[list[tuple[Tensor, Tensor]]]:
    """See `Adversary.listening`; without one nothing is noted."""
    return nullcontext([]) if adversary is None else adversary.listening()


@contextmanager
def _statistics_left_alone(module: nn.Module) -> Iterator[None]:
    """Within the block batch norms are as in use."""
    norms = [each for each in module.modules() if isinstance(each, _BatchNorm) and each.training]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()
