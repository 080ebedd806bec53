"""Picture cues: RGB, optical flow and keypoints as channels of a crop, in the combinations of the paper's Table 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pointlight.cues.config import CropFrames, Cue, CueConfig, Observation
from pointlight.cues.crops import CropConfig, cut, picture_from_crop
from pointlight.cues.flow_channels import FlowOn, flow_channels, flow_of_pair, missing_in_video
from pointlight.cues.frames import PairPictures
from pointlight.cues.heatmaps import heatmaps
from pointlight.cues.points import PointCueConfig

_RGB, _FLOW = 3, 3


@dataclass(frozen=True)
class PictureCueConfig(CueConfig):
    """A crop's channels for each pair of frames, with the numbers that tell where the crop lies.

    Both frames of a pair are seen in the first one's box: "we use the box from frame t to crop both" (appendix B's way
    to flow). What a network is shown of a totally occluded frame is 0 throughout, but for the flag that says so.

    Attributes:
        side_px: of the crop (paper: 224).
        rgb: show the present frame.
        flow: the estimator of optical flow to the next frame, a name of `find_flow`; "" shows none; "exact" is what
            simulated clips know of their people, to see what estimators cost.
        heatmaps: show the keypoints of the present frame.
        turned: crops are what a camera turned to the person sees, so that they agree with all coordinates; the paper cuts
            plain squares.
        flow_on: find flow on the "picture" and cut it afterwards, or on the pair of "crops" as the paper does.
    """

    keypoint_set: str = "paper12"
    side_px: int = 64
    rgb: bool = False
    flow: str = ""
    heatmaps: bool = False
    turned: bool = True
    flow_on: FlowOn = "picture"

    @property
    def channels(self) -> int:
        """That are cut from pictures; heatmaps are made from the numbers, where the network runs."""
        return _RGB * self.rgb + _FLOW * bool(self.flow)

    @property
    def sees_pictures(self) -> bool:
        """See `CueConfig`; heatmaps need none."""
        return self.channels > 0

    @property
    def missing_in_video(self) -> str:
        """See `CueConfig`; nobody knows a real video's exact flow."""
        return missing_in_video(self.flow)

    @property
    def numbers(self) -> PointCueConfig:
        """The numbers beside the pictures: keypoints, the crop's place, the occluded flag."""
        return PointCueConfig(self.keypoint_set, next_frame=False)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """See `CueConfig`: numbers, then the channels' pixels."""
        (numbers,) = self.numbers.input_shape
        return (numbers + self.channels * self.side_px**2,)

    def inputs(self, seen: Observation, crops: CropFrames) -> Tensor:
        """See `CueConfig`."""
        return self.numbers.inputs(seen, crops)

    def pictured(self, inputs: Tensor, seen: Observation, crops: CropFrames, pairs: Tensor) -> Tensor:
        """See `CueConfig`.

        Raises:
            PointlightError: there are no pictures, or their flow was found by another estimator.
        """
        if not self.channels:
            return inputs
        batch = crops.occluded.shape[:-1]
        maps = self._maps(seen, crops)
        maps = maps.reshape(-1, *maps.shape[-3:]).numpy()
        shape = (len(maps), len(pairs), self.channels, self.side_px, self.side_px)
        channels = np.zeros(shape, np.float32)
        for at, pair, pictures in seen.shown_pairs(crops.occluded, pairs):
            self._draw(pictures, maps[at[0], pair], channels[at])
        flat = torch.from_numpy(channels).reshape(*batch, len(pairs), -1)
        return torch.cat((inputs, flat), dim=-1)

    def mirrored(self, inputs: Tensor) -> Tensor:
        """See `CueConfig`."""
        numbers, pictures = self.split(inputs)
        signs = pictures.new_ones(self.channels)
        if self.flow:
            signs[self.flow_channels.start] = -1  # flow to the right goes to the left
        flipped = pictures.flip(-1) * signs[:, None, None]
        return torch.cat((self.numbers.mirrored(numbers), flipped.flatten(-3)), dim=-1)

    def split(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers (..., N) and the channels cut from pictures (..., C, side, side)."""
        (numbers,) = self.numbers.input_shape
        pictures = inputs[..., numbers:].unflatten(-1, (self.channels, self.side_px, self.side_px))
        return inputs[..., :numbers], pictures

    def images(self, inputs: Tensor) -> Tensor:
        """Everything that is a picture, (..., C, side, side): RGB, flow, heatmaps, and last the occluded flag."""
        numbers, pictures = self.split(inputs)
        count = len(self.keypoints)
        parts = [pictures] if self.channels else []
        if self.heatmaps:
            places = numbers[..., : 2 * count].unflatten(-1, (count, 2))
            parts.append(heatmaps(places, numbers[..., 2 * count : 3 * count] > 0, self.side_px))
        flag = numbers[..., -1, None, None, None]
        parts.append(flag.expand(*flag.shape[:-2], self.side_px, self.side_px))
        return torch.cat(parts, dim=-3)

    @property
    def flow_channels(self) -> slice:
        """Where `images` have flow."""
        first = _RGB * self.rgb
        return slice(first, first + _FLOW * bool(self.flow))

    @property
    def image_channels(self) -> int:
        """Of `images`."""
        return self.channels + len(self.keypoints) * self.heatmaps + 1

    def place(self, inputs: Tensor) -> Tensor:
        """(..., 4) where the crop lies, and the occluded flag."""
        (numbers,) = self.numbers.input_shape
        return inputs[..., numbers - 4 : numbers]

    @property
    def shown(self) -> tuple[Cue, ...]:
        """What a network sees of people."""
        cues: tuple[tuple[Cue, bool], ...] = (
            ("rgb", self.rgb),
            ("flow", bool(self.flow)),
            ("keypoints", self.heatmaps),
        )
        return tuple(name for name, there in cues if there)

    def without(self, inputs: Tensor, cue: Cue) -> Tensor:
        """The inputs with one cue taken away, to see what a network makes of it."""
        inputs = inputs.clone()
        numbers, pictures = self.split(inputs)
        if cue == "keypoints":
            numbers[..., : 3 * len(self.keypoints)] = 0
        else:
            pictures[..., slice(_RGB) if cue == "rgb" else self.flow_channels, :, :] = 0
        return inputs

    def picture_from_crop(self, seen: Observation) -> Tensor:
        """(..., T, 3, 3) float64, from the pixels of each frame's crop to the whole picture's."""
        seen = seen.of(self.keypoints)
        return self._maps(seen, CropFrames.around(seen))

    def _maps(self, seen: Observation, crops: CropFrames) -> Tensor:
        return picture_from_crop(crops, seen.principal_px, CropConfig(self.side_px, self.turned))

    def _draw(self, pair: PairPictures, homography: np.ndarray, into: np.ndarray) -> None:
        """Fill the channels (C, side, side) of one pair; `homography` leads from the crop to the whole picture."""
        here = np.linalg.inv(pair.to_picture) @ homography
        if self.rgb:
            into[:_RGB] = cut(pair.first, here, self.side_px).transpose(2, 0, 1) / np.float32(127.5) - 1
        if self.flow:
            flow = flow_of_pair(pair, here, self.side_px, self.flow, self.flow_on)
            into[-_FLOW:] = flow_channels(flow, pair.step_s)
