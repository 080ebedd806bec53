"""The one type for what a network sees, and the one way to make it: `CueConfig.make`, for simulated and for real people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS
from pointlight.cues.boxes import Boxes, totally_occluded, track_boxes
from pointlight.cues.frames import FrameSource, PairPictures
from pointlight.errors import PointlightError
from pointlight.geometry import CROP_PX, PERSON_PX, crop_ray_rotation, pixel_rays
from pointlight.values import by_value

Cue = Literal["rgb", "flow", "keypoints"]
"""What Table 1 of the paper tells apart."""

KEYPOINT_SETS: dict[str, tuple[str, ...]] = {"paper12": NETWORK_KEYPOINTS, "extended19": EXTENDED_KEYPOINTS}
"""Input sets by the name that a checkpoint carries; the first 12 are always the paper's."""


@by_value
@dataclass(frozen=True)
class Observation:
    """What may be known of people filmed over T frames of the 30 frames/s grid. No truth is in it.

    Attributes:
        points_px: (..., T, K, 2) 2D keypoints; values of those that are not seen are ignored.
        visible: (..., T, K) bool.
        names: of the K keypoints.
        focal_px: (...) the focal length, known or assumed.
        principal_px: (..., 2) the principal point, assumed in the middle of the picture.
        pictures: a source for each track, in the order of the flattened leading dimensions; none where nobody needs one.
        box_moves: (..., 3) by how much crops are off on purpose, in training alone: x and y in box sizes, and the
            logarithm of the size. None: not at all.
    """

    points_px: Tensor
    visible: Tensor
    names: tuple[str, ...]
    focal_px: Tensor
    principal_px: Tensor
    pictures: tuple[FrameSource, ...] = ()
    box_moves: Tensor | None = None

    def of(self, names: tuple[str, ...]) -> Observation:
        """The same with the named keypoints alone, in that order.

        Raises:
            ValueError: one of them is not there.
        """
        if names == self.names:
            return self
        if missing := [name for name in names if name not in self.names]:
            raise ValueError(f"the keypoints {', '.join(missing)} are not among {', '.join(self.names)}")
        order = [self.names.index(name) for name in names]
        return replace(
            self, points_px=self.points_px[..., order, :], visible=self.visible[..., order], names=names
        )

    def shown_pairs(
        self, occluded: Tensor, pairs: Tensor
    ) -> Iterator[tuple[tuple[int, int], int, PairPictures]]:
        """Of every track, and of those of the pairs (P,) that show the person: (track, place in P), pair, its pictures.

        Args:
            occluded: (..., T) bool, frames that enter as total occlusions.
            pairs: increasing.

        Raises:
            PointlightError: there are not as many sources of pictures as tracks.
        """
        hidden = occluded.reshape(-1, occluded.shape[-1]).numpy()
        if len(self.pictures) != len(hidden):
            raise PointlightError(
                f"this model sees pictures, and there are those of {len(self.pictures)} of {len(hidden)} people; "
                "give a video, or use a model of keypoints alone"
            )
        for track, source in enumerate(self.pictures):
            for place, pair in enumerate(pairs.tolist()):
                if not hidden[track, pair]:
                    yield (track, place), pair, source.pair(pair)

    def with_last_frame_twice(self) -> Observation:
        """One frame longer, in which nothing moves; so every frame has a pair."""
        return replace(
            self,
            points_px=torch.cat((self.points_px, self.points_px[..., -1:, :, :]), dim=-3),
            visible=torch.cat((self.visible, self.visible[..., -1:, :]), dim=-2),
        )


@by_value
@dataclass(frozen=True)
class CropFrames:
    """Where a track's crops lie and which way their cameras look.

    Attributes:
        occluded: (..., T) bool, frames that enter as total occlusions.
        boxes: the crops, in picture pixels.
        centre_ray: (..., T, 3) direction of the crop's centre in camera axes, z = 1.
        R_ray_camera: (..., T, 3, 3) rotation from camera axes to the crop-ray frame of each frame.
        focal_crop: (..., T) focal length in units of half the crop, as the network is told.
    """

    occluded: Tensor
    boxes: Boxes
    centre_ray: Tensor
    R_ray_camera: Tensor
    focal_crop: Tensor

    @staticmethod
    def around(seen: Observation) -> CropFrames:
        """Crops around the people of an observation, moved where it says so."""
        return CropFrames.of(seen.points_px, seen.visible, seen.focal_px, seen.principal_px, seen.box_moves)

    @staticmethod
    def of(
        points_px: Float[Tensor, "*batch frames points 2"],
        visible: Bool[Tensor, "*batch frames points"],
        focal_px: Float[Tensor, "*batch"],
        principal_px: Float[Tensor, "*batch 2"],
        box_moves: Float[Tensor, "*batch 3"] | None = None,
    ) -> CropFrames:
        """Crops around the paper's 12 keypoints, which come first."""
        twelve = visible[..., : len(NETWORK_KEYPOINTS)]
        occluded = totally_occluded(twelve)
        boxes = track_boxes(points_px[..., : len(NETWORK_KEYPOINTS), :], twelve)
        if box_moves is not None:
            boxes = boxes.moved(box_moves)
        focal = focal_px[..., None].expand(occluded.shape)
        centre_ray = pixel_rays(boxes.centre_px, focal, principal_px[..., None, :])
        return CropFrames(
            occluded, boxes, centre_ray, crop_ray_rotation(centre_ray), focal * crop_scale(boxes)
        )


class LaterInputs:
    """Whole inputs of one track's pairs, made when they are asked for; so a long video's pictures need not lie in memory."""

    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        """Make nothing yet.

        Args:
            make: from numbers of pairs (P,), in order, to their inputs (P, F).
        """
        self._make = make
        self._first = 0
        self._held: list[Tensor] = []

    def of(self, first: int, last: int) -> Tensor:
        """(last - first, F) of the pairs from `first` up to `last`; neither may be less than before."""
        del self._held[: first - self._first]
        self._first = first
        missing = torch.arange(first + len(self._held), last)
        if len(missing):
            self._held += self._make(missing).unbind()
        return torch.stack(self._held[: last - first])


@by_value
@dataclass(frozen=True)
class Cues:
    """What a network sees of tracks of T frames.

    Attributes:
        inputs: (..., T-1, *shape) an entry for each pair of frames; (..., T, *shape) where every frame was asked for. Of
            pictures that are `later` made, the numbers beside them alone.
        occluded: (..., T) bool, frames that entered as total occlusions.
        boxes: the crops, in picture pixels.
        R_ray_camera: (..., T, 3, 3) rotation from camera axes to the crop-ray frame of each frame.
        focal_crop: (..., T) focal length in units of half the crop, as the network is told.
        later: makes the whole inputs of one track piece by piece; None where they are there.
    """

    inputs: Tensor
    occluded: Tensor
    boxes: Boxes
    R_ray_camera: Tensor
    focal_crop: Tensor
    later: LaterInputs | None = None

    def to(self, device: torch.device | str) -> Cues:
        """The same on a device; the boxes, which no network sees, stay."""
        return replace(
            self,
            inputs=self.inputs.to(device),
            occluded=self.occluded.to(device),
            R_ray_camera=self.R_ray_camera.to(device),
            focal_crop=self.focal_crop.to(device),
        )

    def alone(self) -> Cues:
        """One track (T, ...) as a batch of one."""
        return replace(
            self,
            inputs=self.inputs[None],
            occluded=self.occluded[None],
            boxes=Boxes(self.boxes.centre_px[None], self.boxes.size_px[None]),
            R_ray_camera=self.R_ray_camera[None],
            focal_crop=self.focal_crop[None],
        )

    @property
    def R_ray_of_pairs(self) -> Tensor:
        """(..., T, 3, 3) the frame in which a network speaks of each frame: its own, of the last one its neighbour's."""
        turn = self.R_ray_camera
        return torch.cat((turn[..., :-1, :, :], turn[..., -2:-1, :, :]), dim=-3)


@dataclass(frozen=True)
class CueConfig(ABC):
    """One kind of input. A new one is a subclass that says its shape, makes it, and mirrors it.

    Attributes:
        keypoint_set: the 2D keypoints that it needs, a name of `KEYPOINT_SETS`.
    """

    keypoint_set: str = "extended19"

    @property
    def keypoints(self) -> tuple[str, ...]:
        """The names of the set."""
        if self.keypoint_set not in KEYPOINT_SETS:
            raise PointlightError(
                f"there is no set of keypoints {self.keypoint_set!r}; there are {', '.join(KEYPOINT_SETS)}"
            )
        return KEYPOINT_SETS[self.keypoint_set]

    @property
    def sees_pictures(self) -> bool:
        """Whether observations must have pictures."""
        return False

    @property
    def shown(self) -> tuple[Cue, ...]:
        """What a network sees of people that `without` can take away."""
        return ()

    def without(self, inputs: Tensor, cue: Cue) -> Tensor:
        """The inputs with one cue of `shown` taken away, to see what a network makes of it."""
        raise ValueError(f"{type(self).__name__} does not show {cue}")

    @property
    def missing_in_video(self) -> str:
        """What no real video has of all this, a sentence; "" where nothing is missing."""
        return ""

    def check_filmed(self) -> None:
        """See that people in a real video can be seen this way.

        Raises:
            PointlightError: they cannot.
        """
        if self.missing_in_video:
            raise PointlightError(self.missing_in_video)

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one pair's whole input."""

    @abstractmethod
    def inputs(self, seen: Observation, crops: CropFrames) -> Tensor:
        """(..., T-1, numbers) of an observation of `keypoints` in these crops, without what pictures say."""

    @abstractmethod
    def mirrored(self, inputs: Tensor) -> Tensor:
        """What `inputs` would be of the same people in a mirror: x negated, left and right the other way round."""

    def pictured(self, inputs: Tensor, seen: Observation, crops: CropFrames, pairs: Tensor) -> Tensor:
        """The inputs (..., P, numbers) of some pairs with what pictures say of them; cues without pictures leave it out.

        Args:
            inputs: what `inputs` says of the pairs.
            seen: with a source of pictures for each track.
            crops: where they are cut.
            pairs: (P,) which ones.
        """
        return inputs

    def make(
        self,
        seen: Observation,
        *,
        every_frame: bool = False,
        pairs: Tensor | None = None,
        later: bool = False,
    ) -> Cues:
        """The network's input of people who were simulated or filmed.

        Args:
            seen: of at least `keypoints`, in any order.
            every_frame: give the last frame an entry too, as if it stood still afterwards; for networks of single frames.
            pairs: (P,) make the inputs of these alone; boxes and all else are of every frame.
            later: of one track, without a batch's dimension: what pictures say is made when the network asks for it.
        """
        frames = seen.points_px.shape[-3]
        seen = seen.of(self.keypoints)
        if every_frame:
            seen = seen.with_last_frame_twice()
        crops = CropFrames.around(seen)
        inputs = self.inputs(seen, crops)
        coming = None
        if later and self.sees_pictures:
            numbers = inputs
            coming = LaterInputs(lambda some: self.pictured(numbers[some], seen, crops, some))
        elif pairs is None:
            inputs = self.pictured(inputs, seen, crops, torch.arange(inputs.shape[-2]))
        else:
            inputs = self.pictured(inputs[..., pairs, :], seen, crops, pairs)
        boxes = Boxes(crops.boxes.centre_px[..., :frames, :], crops.boxes.size_px[..., :frames])
        return Cues(
            inputs,
            crops.occluded[..., :frames],
            boxes,
            crops.R_ray_camera[..., :frames, :, :],
            crops.focal_crop[..., :frames],
            coming,
        )


def crop_scale(boxes: Boxes) -> Tensor:
    """Half crops per picture pixel, (..., T)."""
    return PERSON_PX / boxes.size_px / (CROP_PX / 2)
