"""What training, capture and evaluation ask of a network, whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from pointlight.body import BodyModel
from pointlight.cues import CueConfig, Cues, Observation
from pointlight.network.losses import LossConfig, Targets
from pointlight.values import by_value


@dataclass(frozen=True)
class WindowConfig:
    """How a network of clips sees a longer track.

    Attributes:
        frames: of a window, as many as the clips that the network was trained on.
        overlap: average windows that overlap by half, weighted towards their middle; otherwise windows follow one another
            and know nothing of each other (the paper).
        mirror: average what the network says of a window and of its mirror image; beyond the paper.
    """

    frames: int
    overlap: bool = False
    mirror: bool = False


@by_value
@dataclass(frozen=True)
class FrameBodies:
    """Bodies at every frame, in camera axes.

    Attributes:
        pose: (B, T, J-1, 3, 3) parent-relative rotations.
        root: (B, T, 3, 3) body axes to camera axes.
        shape: (B, T, S) the mean of what was said of each frame.
        track_shape: (B, S) one for the track, weighted by the frames that show the person.
        place_m: (B, T, 3) the root joint's place as the network sees it.
    """

    pose: Tensor
    root: Tensor
    shape: Tensor
    track_shape: Tensor
    place_m: Tensor


@by_value
@dataclass(frozen=True)
class FramePoints:
    """What a network says of every frame, in camera axes, where it ran.

    Attributes:
        points_m: (B, T, N, 3) `TRACK_POINTS`, metres, the root or the middle of the hips at the origin.
        bodies: None for a network of points alone.
    """

    points_m: Tensor
    bodies: FrameBodies | None


@runtime_checkable
class NetworkConfig(Protocol):
    """A frozen dataclass that says which network, its sizes and its input."""

    @property
    def cues(self) -> CueConfig:
        """The input."""
        ...

    def build(self, body: BodyModel, mean_pose: Tensor | None = None) -> PoseNetwork:
        """The network with fresh weights.

        Args:
            body: whose joints and shape it predicts.
            mean_pose: (J-1, 3, 3) where it starts; the rest pose if not given.
        """
        ...


class PoseNetwork(nn.Module, ABC):
    """A network from cues to people.

    Attributes:
        gives_bodies: it says pose and shape; otherwise points alone.
        every_frame: it takes single frames, so that its input has an entry for each; otherwise one for each pair.
        encodes_in_bf16: while it learns, its encoder's products are made in bfloat16; without an encoder it takes no notice.
    """

    gives_bodies: ClassVar[bool]
    every_frame: ClassVar[bool] = False
    encodes_in_bf16: bool = False

    @property
    @abstractmethod
    def config(self) -> NetworkConfig:
        """What it was built from."""

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.parameters()).device

    def observe(self, seen: Observation, *, later: bool = False) -> Cues:
        """Its own input of an observation; `later` as in `CueConfig.make`, for networks of windows."""
        return self.config.cues.make(seen, every_frame=self.every_frame, later=later)

    @abstractmethod
    def loss(
        self, inputs: Tensor, targets: Targets, body: BodyModel, config: LossConfig, pairs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch and its unweighted parts.

        Args:
            inputs: (B, T-1, *shape) of every pair.
            targets: the truth of the chosen pairs.
            body: whose joints the targets are.
            config: weights.
            pairs: (P,) the chosen ones.
        """

    @abstractmethod
    def over_frames(self, cues: Cues, body: BodyModel, windows: WindowConfig) -> FramePoints:
        """Every frame of tracks (B, T) of any length; in evaluation mode, without gradients.

        Args:
            cues: by `observe`.
            body: that it moves.
            windows: how long tracks are seen; networks of single frames take no notice.
        """

    def begin(self, first_targets: Callable[[], Targets]) -> None:
        """Take from the first batch's truth what the network needs to know before it learns; most need nothing."""

    def after_step(self) -> None:
        """Keep the weights within bounds after an optimiser's step; most have none."""
