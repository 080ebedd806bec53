"""Encoders of pictures, one for each pair's crop: the paper's ResNet-50, and smaller ones that a CPU can train."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pointlight.configuration import added
from pointlight.cues import PictureCueConfig
from pointlight.errors import PointlightError
from pointlight.network.efficientnet import EfficientNetLite0
from pointlight.network.encoders import he_linear
from pointlight.network.resnet import ResNet50

_GROUP = 8
"""Channels that a group norm takes together."""


@dataclass(frozen=True)
class PictureEncoderConfig:
    """The encoder of crops.

    Attributes:
        kind: "small"; the paper's "resnet50"; or "efficientnet-lite0", which sees RGB alone.
        widths: channels of the small one's stages; each halves the picture, which its stem halved before.
        features: width of the feature; the ResNet's own is 2048, the EfficientNet's 1280.
        place: tell where the crop lies and the focal length beside the picture; beyond the paper.
        pooled: average the last map over the picture, as the paper; otherwise its places stay apart, and what comes out is
            normalised: a small network that averages is slow to learn where things are.
        flow_gain: show flow f as sign(f) log(1 + gain |f|), which keeps slow and very fast motion apart; 0 shows it as it
            is (the paper).
        frozen_stages: of the EfficientNet, from the first one on: they keep their weights and running statistics.
        magnified: how much larger than the crop the EfficientNet is shown it.
    """

    kind: Literal["small", "resnet50", "efficientnet-lite0"] = "small"
    widths: tuple[int, ...] = (16, 48, 96, 192)
    features: int = 192
    place: bool = True
    pooled: bool = False
    flow_gain: float = 0.0
    frozen_stages: int = added(0)
    magnified: float = added(1.0)


class PictureEncoder(nn.Module):
    """From a pair's input to a feature; `maps` are what dense pretraining looks at."""

    def __init__(self, cues: PictureCueConfig, config: PictureEncoderConfig) -> None:
        super().__init__()
        self.cues, self._place, self._flow_gain = cues, config.place, config.flow_gain
        self._magnified = config.magnified if config.kind == "efficientnet-lite0" else 1.0
        self.trunk: ResNet50 | EfficientNetLite0 | SmallTrunk
        if config.kind == "resnet50":
            self.trunk = ResNet50(cues.image_channels)
            width = ResNet50.features
        elif config.kind == "efficientnet-lite0":
            if cues.shown != ("rgb",):
                raise PointlightError(
                    f"an EfficientNet-lite0 sees RGB alone, and this network is shown {', '.join(cues.shown)}"
                )
            self.trunk = EfficientNetLite0(config.frozen_stages)
            width = EfficientNetLite0.features
        else:
            self.trunk = SmallTrunk(cues.image_channels, config.widths)
            width = config.widths[-1]
        self._pooled = config.pooled
        if not config.pooled:
            width *= self._places(cues.side_px) ** 2
        width += 4 if config.place else 0
        # The paper feeds the ResNet's pooled feature to the memory as it is.
        self.output = nn.Identity()
        if not (config.pooled and config.features == width):
            self.output = nn.Sequential(he_linear(width, config.features), nn.LayerNorm(config.features))

    def _places(self, side_px: int) -> int:
        """Along a side of the last map."""
        if isinstance(self.trunk, EfficientNetLite0):
            return math.ceil(int(self._magnified * side_px) / self.trunk.step)
        return side_px // self.trunk.step

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., F) -> (..., features)."""
        last = self.maps(inputs)[-1]
        feature = last.mean((-2, -1)) if self._pooled else last.flatten(1)
        if self._place:
            feature = torch.cat((feature, self.cues.place(inputs).reshape(len(feature), -1)), dim=-1)
        return self.output(feature).reshape(*inputs.shape[:-1], -1)

    def maps(self, inputs: Tensor) -> list[Tensor]:
        """What the trunk makes of the pictures (N, C, H, W), from fine to coarse; N are all leading dimensions."""
        images = self.cues.images(inputs).flatten(0, -4)
        if isinstance(self.trunk, EfficientNetLite0):
            images = images[:, : EfficientNetLite0.channels]  # the occluded flag has no place in ImageNet
            if self._magnified != 1:
                images = nn.functional.interpolate(images, scale_factor=self._magnified, mode="bilinear")
        if self._flow_gain and self.cues.flow:
            flow = images[:, self.cues.flow_channels]
            images[:, self.cues.flow_channels] = flow.sign() * (self._flow_gain * flow.abs()).log1p()
        return self.trunk(images.contiguous(memory_format=torch.channels_last))


class SmallTrunk(nn.Module):
    """A small residual network whose skips carry magnitudes: twice the flow is twice the signal.

    Normalisation stands in the branches alone. A network that normalises its stem can't tell fast from slow.
    """

    def __init__(self, channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, widths[0], 5, stride=2, padding=2)
        nn.init.kaiming_normal_(self.stem.weight, nonlinearity="relu")
        nn.init.zeros_(self.stem.bias)  # pyright: ignore[reportArgumentType]
        self.step = 2 ** (1 + len(widths))
        steps = zip(widths[:1] + widths[:-1], widths, strict=True)
        self.stages = nn.ModuleList(_Block(before, after) for before, after in steps)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, C, H, W) to maps at 1/4, 1/8, ... of the size."""
        values = torch.relu(self.stem(images))
        maps = []
        for stage in self.stages:
            values = stage(values)
            maps.append(values)
        return maps


class _Block(nn.Module):
    """Halves the picture: pooled and widened on the skip, two convolutions in the branch."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(before // _GROUP, before)
        self.first = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
        self.middle_norm = nn.GroupNorm(after // _GROUP, after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        self.pool = nn.AvgPool2d(2)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.kaiming_normal_(self.second.weight, nonlinearity="relu")
        with torch.no_grad():
            self.second.weight.mul_(0.5)  # the skip first, the branch as it learns

    def forward(self, values: Tensor) -> Tensor:
        hidden = self.first(torch.relu(self.norm(values)))
        hidden = self.second(torch.relu(self.middle_norm(hidden)))
        return self.skip(self.pool(values)) + hidden
