"""The `points` cue with motion: keypoints, and optical flow where they and the limbs between them are; no image network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from pointlight.cues.config import CropFrames, Cue, Observation
from pointlight.cues.crops import CropConfig, picture_from_crop
from pointlight.cues.flow_channels import flow_channels, flow_of_pair, missing_in_video
from pointlight.cues.points import PointCueConfig

_BONES = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"), ("shoulder", "hip"))
_SIDES = ("left", "right")
_LIMBS = (
    *((f"{side}_{start}", f"{side}_{end}") for side in _SIDES for start, end in _BONES),
    *((f"left_{joint}", f"right_{joint}") for joint in ("shoulder", "hip")),
)
_PARTS = 3
"""Flow is looked at where a limb is cut into so many parts."""

_Place = tuple[str, str, int]
"""Between two keypoints, so many parts of the way."""


@dataclass(frozen=True)
class PointFlowCueConfig(PointCueConfig):
    """Keypoints of a pair of frames, and how the picture moves there from the first to the second.

    Keypoints of both frames tell of motion what their errors leave of it; flow is found from pictures and has others. Told
    are the mean over the person, which a moving camera adds to, and what each place has beyond it: 0 where a keypoint is not
    seen, of a limb where one of its ends is not.

    Attributes:
        flow: the estimator of optical flow, a name of `find_flow`; "" shows none, to compare with.
        flow_px: side of the crop that flow is averaged to before it is looked up.
        flow_gain: flow f, in 20 px of a crop of 224, is given as sign(f) log(1 + gain |f|).
    """

    flow: str = "dis"
    flow_px: int = 32
    flow_gain: float = 0.5

    @property
    def sees_pictures(self) -> bool:
        """See `CueConfig`."""
        return bool(self.flow)

    @property
    def missing_in_video(self) -> str:
        """See `CueConfig`; nobody knows a real video's exact flow."""
        return missing_in_video(self.flow)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """See `CueConfig`: the numbers of `PointCueConfig`, then x and y of the mean flow and of that at each place."""
        (numbers,) = super().input_shape
        return (numbers + 2 * (1 + len(self._places)) * self.sees_pictures,)

    @property
    def shown(self) -> tuple[Cue, ...]:
        """See `CueConfig`."""
        return ("keypoints", "flow") if self.flow else ("keypoints",)

    def without(self, inputs: Tensor, cue: Cue) -> Tensor:
        """See `CueConfig`; without keypoints flow stays where they were."""
        if cue != "flow" or not self.flow:
            return super().without(inputs, cue)
        inputs = inputs.clone()
        inputs[..., self._first_flow :] = 0
        return inputs

    def pictured(self, inputs: Tensor, seen: Observation, crops: CropFrames, pairs: Tensor) -> Tensor:
        """See `CueConfig`."""
        if not self.flow:
            return inputs
        batch, tracks = inputs.shape[:-2], inputs.shape[:-2].numel()
        side = self.flow_px
        maps = picture_from_crop(crops, seen.principal_px, CropConfig(side))
        maps = maps.reshape(tracks, *maps.shape[-3:]).numpy()
        flow = np.zeros((tracks, len(pairs), 2, side, side), np.float32)
        for at, pair, pictures in seen.shown_pairs(crops.occluded, pairs):
            here = np.linalg.inv(pictures.to_picture) @ maps[at[0], pair]
            found = flow_of_pair(pictures, here, side, self.flow)
            flow[at] = flow_channels(found, pictures.step_s)[:2]
        places, there = self._looked_at(inputs)
        looked = grid_sample(
            torch.from_numpy(flow).flatten(0, 1),
            places.reshape(tracks * len(pairs), 1, -1, 2),
            padding_mode="border",
            align_corners=False,
        )
        looked = looked[:, :, 0].transpose(1, 2).reshape(*batch, len(pairs), -1, 2)
        looked, shown = torch.where(there[..., None], looked, 0.0), there[..., None].float()
        # One after another, so that one person and many are added up alike, to the last bit.
        mean = reduce(torch.add, looked.unbind(-2)) / reduce(torch.add, shown.unbind(-2)).clamp_min(1)
        told = torch.cat((mean[..., None, :], (looked - mean[..., None, :]) * shown), dim=-2)
        told = told.sign() * (self.flow_gain * told.abs()).log1p()
        return torch.cat((inputs, told.flatten(-2)), dim=-1)

    def mirrored(self, inputs: Tensor) -> Tensor:
        """See `CueConfig`."""
        numbers, flow = inputs[..., : self._first_flow], inputs[..., self._first_flow :]
        numbers = super().mirrored(numbers)
        if not self.flow:
            return numbers
        order = [0, *(1 + self._places.index(_in_the_mirror(place, self._places)) for place in self._places)]
        turned = flow.unflatten(-1, (len(order), 2))[..., order, :] * flow.new_tensor((-1.0, 1.0))
        return torch.cat((numbers, turned.flatten(-2)), dim=-1)

    @property
    def _first_flow(self) -> int:
        (numbers,) = super().input_shape
        return numbers

    @property
    def _places(self) -> tuple[_Place, ...]:
        between = tuple((start, end, part) for start, end in _LIMBS for part in range(1, _PARTS))
        return tuple((name, name, 0) for name in self.keypoints) + between

    def _looked_at(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Where flow is looked up: (..., N, 2) in half crops, and (..., N) bool, whether it is known to be the person."""
        count = len(self.keypoints)
        points = inputs[..., : 2 * count].unflatten(-1, (count, 2))
        visible = inputs[..., 2 * count : 3 * count] > 0
        starts = [self.keypoints.index(start) for start, _, _ in self._places]
        ends = [self.keypoints.index(end) for _, end, _ in self._places]
        share = inputs.new_tensor([part / _PARTS for _, _, part in self._places])[:, None]
        places = points[..., starts, :] * (1 - share) + points[..., ends, :] * share
        return places, visible[..., starts] & visible[..., ends]


def _in_the_mirror(place: _Place, places: tuple[_Place, ...]) -> _Place:
    """Which place another one becomes when sides are exchanged."""
    start, end, part = _other_side(place[0]), _other_side(place[1]), place[2]
    return (start, end, part) if (start, end, part) in places else (end, start, _PARTS - part)


def _other_side(name: str) -> str:
    for one, other in (_SIDES, _SIDES[::-1]):
        if name.startswith(f"{one}_"):
            return name.replace(one, other, 1)
    return name
