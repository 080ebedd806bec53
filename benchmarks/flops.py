"""What a clip of 31 frames costs to learn from, counted: `python benchmarks/flops.py`. Nothing is timed or computed.

FLOPs are those of products of matrices and convolutions (a multiplication and an addition are two), of the network's
forward and backward pass; bodies and losses are loops that these do not count. Bytes are what the backward pass finds
kept of the forward pass, each piece of memory once, in float32. A card's hours are clips * FLOPs / (its peak * `SHARE`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import torch
from common import run
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from pointlight.body import AnnyBody
from pointlight.cues import PictureCueConfig
from pointlight.network import MotionHMR, Prediction
from pointlight.simulator import CLIP_FRAMES
from pointlight.training import Recipe, find_training_recipe
from pointlight.training.recipes import RECIPES

SHARE = 0.3
"""Of a card's peak; assumed, nothing here was run on one."""
CARDS = {
    "H100 SXM, bf16": 989.4e12,
    "H100 SXM, TF32": 494.7e12,
    "RTX 4090, bf16": 165.2e12,
    "RTX 4090, TF32": 82.6e12,
}
"""Dense peaks in FLOP/s: NVIDIA's data sheet of the H100 (halved, it counts sparsity), its Ada whitepaper, appendix A."""
OTHERS = ("points", "points-paper")


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"One clip of {CLIP_FRAMES} frames, as the recipe sees it")
    print("| recipe | parameters, M | GFLOP forward | GFLOP both | kept, MB | input, MB | encoder's share |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    names = [*OTHERS, *(name for name in RECIPES if name.startswith(("small-", "paper-")))]
    costs = {name: cost(find_training_recipe(name)) for name in names}
    for name, (parameters, forward, both, kept, given, encoder) in costs.items():
        print(
            f"| {name} | {parameters / 1e6:.2f} | {forward / 1e9:.2f} | {both / 1e9:.2f} | {kept / 1e6:.1f} "
            f"| {given / 1e6:.2f} | {100 * encoder / forward:.0f} % |"
        )
    print(f"\nHours of a whole run at {100 * SHARE:.0f} % of the peak, data apart")
    print(f"| recipe | clips | PFLOP | {' | '.join(CARDS)} |")
    print(f"| --- | --- | --- |{' --- |' * len(CARDS)}")
    for name in names:
        optimiser = find_training_recipe(name).optimiser
        clips = optimiser.batch * optimiser.steps
        whole = clips * costs[name][2]
        hours = (f"{whole / (peak * SHARE) / 3600:.3g}" for peak in CARDS.values())
        print(f"| {name} | {clips:,} | {whole / 1e15:.3g} | {' | '.join(hours)} |")


def cost(recipe: Recipe) -> tuple[int, int, int, int, int, int]:
    """Parameters; FLOPs forward, and with backward; bytes kept; bytes of the input; FLOPs of the encoder forward."""
    network = recipe.network.build(AnnyBody()).to("meta").train()
    assert isinstance(network, MotionHMR)
    cues = network.config.cues
    stride = recipe.pictures.stride if recipe.pictures else 1
    pairs = len(range(0, CLIP_FRAMES - 1, stride))
    inputs = torch.empty(1, pairs, *cues.input_shape, device="meta")
    chosen = None if recipe.loss.pairs is None else torch.arange(recipe.loss.pairs, device="meta")
    with FlopCounterMode(display=False) as encoder, torch.no_grad():
        network.encoder(inputs)
    with FlopCounterMode(display=False) as forward, kept_memory() as kept:
        predicted = network(inputs, chosen)
    with FlopCounterMode(display=False) as backward:
        summed(predicted).backward()
    both = forward.get_total_flops() + backward.get_total_flops()
    parameters = [p for p in network.parameters()]
    own = {p.untyped_storage()._cdata for p in parameters}
    kept_bytes = sum(size for storage, size in kept.items() if storage not in own)
    given = inputs.numel() * inputs.element_size()
    assert isinstance(cues, PictureCueConfig) or stride == 1
    return (
        sum(p.numel() for p in parameters),
        forward.get_total_flops(),
        both,
        kept_bytes,
        given,
        encoder.get_total_flops(),
    )


def summed(predicted: Prediction) -> Tensor:
    """One number that needs all of a prediction."""
    return torch.stack([getattr(predicted, entry.name).sum() for entry in fields(predicted)]).sum()


@contextmanager
def kept_memory() -> Iterator[dict[int, int]]:
    """Bytes of every piece of memory that is kept for the backward pass within the block."""
    kept: dict[int, int] = {}

    def note(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        kept[storage._cdata] = storage.nbytes()
        return value

    with saved_tensors_hooks(note, lambda value: value):
        yield kept


if __name__ == "__main__":
    run(main)
