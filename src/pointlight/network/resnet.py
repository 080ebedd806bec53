"""ResNet-50 (He et al. 2016) with torchvision's parameter names, so that its ImageNet weights load; any input channels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from pointlight.errors import PointlightError

_EXPANSION = 4
_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Width, blocks and stride of each."""

_CLASSIFIER = "fc."


class ResNet50(nn.Module):
    """Everything up to the last map; what follows pools it."""

    features: ClassVar[int] = 2048
    step: ClassVar[int] = 32
    """Pixels of the picture along one of the last map."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        before = 64
        for number, (width, blocks, stride) in enumerate(_STAGES, 1):
            stage = [_Bottleneck(before, width, stride)]
            before = width * _EXPANSION
            stage += [_Bottleneck(before, width, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*stage))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, C, H, W) to the maps of the four stages, 1/4 to 1/32 of the size."""
        values = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        maps = []
        for number in range(1, len(_STAGES) + 1):
            values = self.get_submodule(f"layer{number}")(values)
            maps.append(values)
        return maps

    @torch.no_grad()
    def take(self, weights: dict[str, Tensor], where: str) -> None:
        """ImageNet's weights; channels beyond the first three keep what chance gave them (appendix B).

        Args:
            weights: torchvision's `resnet50` state dictionary.
            where: the file, for errors.

        Raises:
            PointlightError: they are those of another network.
        """
        own = self.state_dict()
        given = {name: value for name, value in weights.items() if not name.startswith(_CLASSIFIER)}
        # Files older than torch 0.4.1 lack the counters.
        missing = [n for n in own if n not in given and not n.endswith("num_batches_tracked")]
        odd = [
            n for n, v in given.items() if n not in own or (n != "conv1.weight" and v.shape != own[n].shape)
        ]
        first = given.get("conv1.weight")
        if missing or odd or first is None or first.shape != (64, 3, 7, 7):
            what = f"lacks {missing[0]}" if missing else f"has another {odd[0] if odd else 'conv1.weight'}"
            raise PointlightError(f"{where} {what}; give the weights of torchvision's resnet50")
        shared = min(3, self.conv1.in_channels)
        widened = own["conv1.weight"].clone()
        widened[:, :shared] = first[:, :shared]
        self.load_state_dict({**own, **given, "conv1.weight": widened})


class _Bottleneck(nn.Module):
    """Stride in the 3x3 convolution, as torchvision's weights want it."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        after = width * _EXPANSION
        self.conv1 = nn.Conv2d(before, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.downsample: nn.Module | None = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, values: Tensor) -> Tensor:
        hidden = torch.relu(self.bn1(self.conv1(values)))
        hidden = torch.relu(self.bn2(self.conv2(hidden)))
        hidden = self.bn3(self.conv3(hidden))
        return torch.relu(hidden + (values if self.downsample is None else self.downsample(values)))
