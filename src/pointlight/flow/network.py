"""A compact network for flow: a pyramid of features, and one estimator that refines from coarse to fine.

The plan is PWC-Net's (Sun et al. 2018): features of the second picture are warped by the coarser flow and correlated
with the first's. The estimator is shared by all levels, the cost volume is made of normalised features (Jonschkowski
et al. 2020), and full size is reached by learned convex weights (Teed and Deng 2020), which keeps outlines sharp.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pointlight.configuration import from_plain, to_plain
from pointlight.errors import PointlightError
from pointlight.files import atomic_path

FORMAT_VERSION = 1
_KEY = "pointlight flow"

_LEAST_CONTRAST = 2.0
"""Grey levels; a pair of less is not stretched further, so that noise does not become a pattern."""

_FINEST = 4
"""The finest level is so many times smaller than the picture."""


@dataclass(frozen=True)
class FlowNetworkConfig:
    """Sizes.

    Attributes:
        pyramid: channels of the levels, each half the size of the one before; the first is half the picture's and
            has no flow of its own.
        radius: of the search about the coarser flow, in pixels of a level.
        projected: channels of the first picture's features that the estimator sees.
        estimator: channels of its layers.
        context: channels of the layers that look around, with growing dilation.
        upsampling: channels before the convex weights.
    """

    pyramid: tuple[int, ...] = (16, 24, 32, 48, 64)
    radius: int = 3
    projected: int = 24
    estimator: tuple[int, ...] = (48, 48, 32)
    context: tuple[int, ...] = (32, 32, 32)
    upsampling: int = 32

    @property
    def multiple(self) -> int:
        """What the sides of a picture must be a multiple of."""
        return 2 ** len(self.pyramid)


class FlowNetwork(nn.Module):
    """Flow from the first picture to the second.

    Attributes:
        config: its sizes.
    """

    def __init__(self, config: FlowNetworkConfig | None = None) -> None:
        """Fresh weights; the flow of a fresh network is zero."""
        super().__init__()
        self.config = config = config or FlowNetworkConfig()
        self.levels = nn.ModuleList(
            nn.Sequential(*_layer(before, after, stride=2), *_layer(after, after))
            for before, after in pairwise((3, *config.pyramid))
        )
        self.projections = nn.ModuleList(nn.Conv2d(c, config.projected, 1) for c in config.pyramid[1:])
        searched = (2 * config.radius + 1) ** 2
        self.estimator = _chain((searched + config.projected + 2, *config.estimator))
        seen = config.estimator[-1]
        self.step = _flow_head(seen)
        self.context = nn.Sequential(
            *_chain((seen + 2, *config.context), dilations=True), _flow_head(config.context[-1])
        )
        self.weights = nn.Sequential(
            *_layer(seen + config.pyramid[1], config.upsampling),
            nn.Conv2d(config.upsampling, 9 * _FINEST**2, 1),
        )

    def forward(self, first: Tensor, second: Tensor) -> list[Tensor]:
        """Flow at full size and at every level.

        Args:
            first: (N, 3, H, W) float, 0 to 255; sides are multiples of `config.multiple`.
            second: of the same shape.

        Returns:
            Flows (N, 2, h, w) in pixels of the full size: of the whole picture, then of the levels from the finest,
            a quarter, to the coarsest.
        """
        pyramids = self._pyramids(torch.cat(_normalised(first, second)))
        coarsest = pyramids[-1]
        count, _, height, width = coarsest.shape
        flow = coarsest.new_zeros(count // 2, 2, height, width)
        flows: list[Tensor] = []
        hidden = flow
        for features, projection in zip(reversed(pyramids), reversed(list(self.projections)), strict=True):
            flow = 2 * _resized(flow, features)
            one, other = _alike(features).chunk(2)
            cost = cost_volume(one, warped(other, flow), self.config.radius)
            own = projection(features[: count // 2])
            hidden = self.estimator(torch.cat((cost, F.leaky_relu(own, 0.1), flow), 1))
            flow = flow + self.step(hidden)
            flow = flow + self.context(torch.cat((hidden, flow), 1))
            flows.append(flow)
        seen = torch.cat((hidden, pyramids[0][: count // 2]), 1)
        full = _FINEST * _convex(flow, self.weights(seen))
        scales = [_FINEST * 2**level for level in range(len(flows))]
        return [full, *(scale * flow for scale, flow in zip(scales, reversed(flows), strict=True))]

    def _pyramids(self, pictures: Tensor) -> list[Tensor]:
        """Features at a quarter, an eighth, ... of the size."""
        found = []
        for level in self.levels:
            pictures = level(pictures)
            found.append(pictures)
        return found[1:]


def warped(features: Tensor, flow: Tensor) -> Tensor:
    """What lies at p + flow, for every pixel p; zero outside.

    Args:
        features: (N, C, h, w).
        flow: (N, 2, h, w) in their pixels.
    """
    height, width = features.shape[-2:]
    x = torch.arange(width, dtype=flow.dtype, device=flow.device)
    y = torch.arange(height, dtype=flow.dtype, device=flow.device)[:, None]
    # Pixel centres, as the sampler counts: -1 and 1 are the outer edges of the picture.
    grid = torch.stack(
        (2 * (x + flow[:, 0] + 0.5) / width - 1, 2 * (y + flow[:, 1] + 0.5) / height - 1), dim=-1
    )
    return F.grid_sample(features, grid, align_corners=False)


def cost_volume(one: Tensor, other: Tensor, radius: int) -> Tensor:
    """(N, (2 radius + 1)^2, h, w) mean products of features (N, C, h, w) with those of the pixels around, by rows."""
    return cast(Tensor, _Products.apply(one, F.pad(other, (radius,) * 4), radius))


class _Products(torch.autograd.Function):
    """All shifts in one step of the graph, which takes half of the time of one step each."""

    @staticmethod
    def forward(ctx: Any, one: Tensor, padded: Tensor, radius: int) -> Tensor:
        """Of features (N, C, h, w) with those that are wider by the radius on every side."""
        ctx.save_for_backward(one, padded)
        ctx.radius = radius
        products = one.new_empty(len(one), (2 * radius + 1) ** 2, *one.shape[2:])
        product = torch.empty_like(one)
        for number, shifted in enumerate(_shifted(padded, radius)):
            torch.mul(one, shifted, out=product)
            torch.mean(product, 1, out=products[:, number])
        return products

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        """To both kinds of features."""
        one, padded = ctx.saved_tensors
        shares = gradients[0] / one.shape[1]
        to_one, to_padded = torch.zeros_like(one), torch.zeros_like(padded)
        for number, (value, slope) in enumerate(
            zip(_shifted(padded, ctx.radius), _shifted(to_padded, ctx.radius), strict=True)
        ):
            share = shares[:, number, None]
            to_one.addcmul_(value, share)
            slope.addcmul_(one, share)
        return to_one, to_padded, None


def _shifted(padded: Tensor, radius: int) -> Iterator[Tensor]:
    """Views of all windows that leave out twice the radius, by rows."""
    height, width = (side - 2 * radius for side in padded.shape[2:])
    span = range(2 * radius + 1)
    for y in span:
        for x in span:
            yield padded[:, :, y : y + height, x : x + width]


def save_flow_network(path: Path, network: FlowNetwork, **metadata: Any) -> None:
    """Write weights as fp16 safetensors, with sizes and metadata in the header."""
    header = {"format_version": FORMAT_VERSION, "config": to_plain(network.config), **metadata}
    weights = {name: value.detach().half().contiguous() for name, value in network.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(weights, temporary, metadata={_KEY: json.dumps(header, sort_keys=True)})


def load_flow_network(path: Path) -> FlowNetwork:
    """The network of a file, in evaluation mode, its weights in float32 and frozen.

    Raises:
        PointlightError: the file is missing, broken, or none of `save_flow_network`.
    """
    try:
        with safe_open(path, framework="pt") as reader:
            header = json.loads((reader.metadata() or {})[_KEY])
            weights = {name: reader.get_tensor(name).float() for name in reader.keys()}  # noqa: SIM118
        if header["format_version"] != FORMAT_VERSION:
            raise PointlightError(
                f"{path} is a flow network of format {header['format_version']}, not {FORMAT_VERSION}; train it again"
            )
        network = FlowNetwork(from_plain(FlowNetworkConfig, header["config"], str(path)))
        network.load_state_dict(weights)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise PointlightError(f"{path} is no flow network of Pointlight ({error})") from error
    return network.eval().requires_grad_(False)


def _layer(before: int, after: int, *, stride: int = 1, dilation: int = 1) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(before, after, 3, stride, padding=dilation, dilation=dilation)
    nn.init.kaiming_normal_(convolution.weight, a=0.1)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution, nn.LeakyReLU(0.1)


def _chain(channels: tuple[int, ...], dilations: bool = False) -> nn.Sequential:
    """Layers one after the other; with dilations of 1, 2, 4, ..."""
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(channels)):
        layers += _layer(before, after, dilation=2**number if dilations else 1)
    return nn.Sequential(*layers)


def _flow_head(channels: int) -> nn.Conv2d:
    """To a flow, which is zero before it has learned anything."""
    head = nn.Conv2d(channels, 2, 3, padding=1)
    nn.init.zeros_(head.weight)
    assert head.bias is not None
    nn.init.zeros_(head.bias)
    return head


def _normalised(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Both pictures with the pair's mean 0 and standard deviation 1, so that dim and bright ones look alike."""
    every = (1, 2, 3, 4)
    both = torch.stack((first, second), 1)
    both = both - both.mean(every, keepdim=True)
    spread = both.square().mean(every, keepdim=True).sqrt().clamp(min=_LEAST_CONTRAST)
    first, second = (both / spread).unbind(1)
    return first, second


def _alike(features: Tensor) -> Tensor:
    """Features (2N, C, h, w) of firsts, then seconds, brought to mean 0 and deviation 1 over each pair."""
    pairs = features.unflatten(0, (2, -1))
    mean = pairs.mean((0, 2, 3, 4), keepdim=True)
    variance = (pairs - mean).square().mean((0, 2, 3, 4), keepdim=True)
    return ((pairs - mean) * torch.rsqrt(variance + 1e-6)).flatten(0, 1)


def _resized(flow: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(flow, like.shape[-2:], mode="bilinear", align_corners=False)


def _convex(flow: Tensor, weights: Tensor) -> Tensor:
    """(N, 2, 4h, 4w): every fine pixel a weighted mean of the 3x3 coarse ones around it."""
    count, _, height, width = flow.shape
    share = weights.view(count, 9, _FINEST**2, height, width).softmax(1)
    around = F.unfold(F.pad(flow, (1, 1, 1, 1), mode="replicate"), 3).view(count, 2, 9, height, width)
    fine = (share[:, None] * around[:, :, :, None]).sum(2)
    return F.pixel_shuffle(fine.flatten(1, 2), _FINEST)
