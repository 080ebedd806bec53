"""Clips with pictures to learn from, wherever they come from: prepared (`picture_bank.py`) or made on the spot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel, BodyState
from pointlight.configuration import config_sha256
from pointlight.cues import EXACT_FLOW, ArrayFrames, FrameSource, PairPictures, cut_labels
from pointlight.errors import PointlightError
from pointlight.simulator import Tracks, VideoClip
from pointlight.simulator.clips import ClipMaker, tracks_of_clips
from pointlight.simulator.people import RenderedPeople
from pointlight.values import by_value

_LIKE = {
    f"{side}_{part}": f"{side}_{like}"
    for side in ("left", "right")
    for part, like in (("hand", "wrist"), ("foot", "toes"), ("toes", "foot"))
}
"""Parts of bodies by what others call them, or where others have no more of them."""

HIDDEN = ("out_of_frame", "self_occluded", "occluded")
"""Fields of `VideoClip` and `PictureClip` that decide, with chance, which keypoints are seen."""


@by_value
@dataclass(frozen=True)
class PictureClip:
    """One clip of T frames.

    Attributes:
        frames: its pictures.
        parts: (T or T-1, P, Q) uint8 of the person as it is seen: 0 is not the person, then 1 + the part's number.
        parts_to_picture: (T or T-1, 3, 3) from their pixels to the picture's.
        tracks: the truth, of a batch of one, with exact keypoints; what is visible is not decided yet.
        out_of_frame: (T, 19) bool of `EXTENDED_KEYPOINTS`, as `VideoClip` has it.
        self_occluded: (T, 19) bool.
        occluded: (T, 19) bool.
        group: of its motion; "" if unknown.
    """

    frames: FrameSource
    parts: np.ndarray
    parts_to_picture: np.ndarray
    tracks: Tracks
    out_of_frame: np.ndarray
    self_occluded: np.ndarray
    occluded: np.ndarray
    group: str

    def parts_in(self, pair: int, to_picture: np.ndarray, side: int) -> np.ndarray:
        """(side, side) the parts that a crop shows, by the nearest pixel.

        Args:
            pair: of its pairs.
            to_picture: (3, 3) from the map's pixels to the whole picture's.
            side: of the map.
        """
        here = np.linalg.inv(self.parts_to_picture[pair]) @ to_picture
        return cut_labels(self.parts[pair], here, side)

    def window(self, first: int, frames: int) -> PictureClip:
        """So many frames of it, from frame `first` on."""
        some = slice(first, first + frames)
        tracks, state = self.tracks, self.tracks.state
        of_frames = (
            "detections_px",
            "visible",
            "totally_occluded",
            "principal_px",
            "points_px",
            "points_camera_m",
        )
        return replace(
            self,
            frames=LaterFrames(self.frames, first),
            parts=self.parts[some],
            parts_to_picture=self.parts_to_picture[some],
            tracks=replace(
                tracks,
                **{name: getattr(tracks, name)[:, some] for name in of_frames},
                state=BodyState(
                    state.pose[:, some], state.shape, state.root[:, some], state.translation[:, some]
                ),
                known=None if tracks.known is None else tracks.known[:, some],
            ),
            **{name: getattr(self, name)[some] for name in HIDDEN},
        )


@by_value
@dataclass(frozen=True)
class LaterFrames:
    """A source of pictures from a later frame on.

    Attributes:
        frames: the whole source.
        first: its frame that is number 0 here.
    """

    frames: FrameSource
    first: int

    def pair(self, number: int) -> PairPictures:
        """See `FrameSource`."""
        return self.frames.pair(self.first + number)


class ClipSupply(Protocol):
    """Clips of one split by number."""

    @property
    def recipe(self) -> str:
        """Of `pointlight synthesize`, its name."""
        ...

    @property
    def sha256(self) -> str:
        """What says which clips they are."""
        ...

    def number_of(self, use: int, seed: int) -> int:
        """Which clip is used for the `use`-th time that one is wanted."""
        ...

    def clip(self, number: int) -> PictureClip:
        """Clip `number`, the same whenever it is asked for."""
        ...


@by_value
@dataclass(frozen=True)
class ClipFrames:
    """A simulated clip's pictures with their exact flow, which no real video has.

    Attributes:
        clip: with frames, masks and flow.
    """

    clip: VideoClip

    def pair(self, number: int) -> PairPictures:
        """See `FrameSource`; after the last frame nothing moves."""
        frames = self.clip.frames
        following = min(number + 1, len(frames) - 1)
        flow = exact_flow(self.clip, number)
        return PairPictures(frames[number], frames[following], flow_px=flow, flow_name=EXACT_FLOW)


def exact_flow(clip: VideoClip, number: int) -> np.ndarray:
    """(H, W, 2) float32 pixels from frame `number` to the next: the person's as it was drawn, elsewhere the background's.

    The background's is the path that the person follows it by (appendix A); in recipes without that it counts as still.

    Raises:
        PointlightError: of this clip's person no flow is known.
    """
    flow = np.zeros((*clip.mask.shape[1:], 2), np.float32)
    if number + 1 >= len(clip.mask):
        return flow
    principal = clip.camera.principal_px
    flow += principal[number + 1] - principal[number]
    person = clip.mask[number]
    own = clip.flow_forward_px[number][person]
    known = np.isfinite(own).all(-1)
    if len(own) and not known.any():
        raise PointlightError(
            f"clip {clip.provenance.index} of {clip.provenance.recipe} does not say how its person moves in the picture, as "
            "those of SURREAL's files do not; find flow with an estimator"
        )
    if len(own):
        flow[person] = np.where(known[:, None], own, np.median(own[known], axis=0))
    return flow


class MadeClips:
    """Clips made on the spot, each used once; for whom has more processors than disks."""

    def __init__(
        self, maker: ClipMaker, body: BodyModel, seed: int, split: str, *, exact: bool = False
    ) -> None:
        """Check the split.

        Args:
            maker: of the clips.
            body: whose pose and shape are the truth.
            seed: of the clips.
            split: that everything in them must be of.
            exact: give their exact flow.

        Raises:
            PointlightError: the maker's is another.
        """
        if maker.config.split != split:
            raise PointlightError(
                f"the clips are of the split {maker.config.split!r}, where only {split!r} may be used"
            )
        self._maker, self._body, self._seed, self._exact = maker, body, seed, exact

    @property
    def recipe(self) -> str:
        """See `ClipSupply`."""
        return self._maker.config.name

    @property
    def sha256(self) -> str:
        """See `ClipSupply`."""
        return config_sha256({"versions": self._maker.versions, "seed": self._seed})

    def number_of(self, use: int, seed: int) -> int:
        """See `ClipSupply`."""
        return use

    def clip(self, number: int) -> PictureClip:
        """See `ClipSupply`."""
        made = self._maker.clip(self._seed, number)
        group = group_of(self._maker, self._seed, number)
        return whole_clip(made, self._body, group, exact=self._exact)


def whole_clip(clip: VideoClip, body: BodyModel, group: str = "", *, exact: bool = False) -> PictureClip:
    """A clip as it is, with its whole pictures, and if they are wanted with their exact flow."""
    chosen = [clip.joint_names.index(name) for name in EXTENDED_KEYPOINTS]
    tracks = tracks_of_clips([clip], body)
    points = tracks.points_px[..., : len(EXTENDED_KEYPOINTS), :]
    return PictureClip(
        frames=ClipFrames(clip) if exact else ArrayFrames(clip.frames),
        parts=parts_of(clip, body),
        parts_to_picture=np.broadcast_to(np.eye(3), (len(clip.frames), 3, 3)),
        tracks=replace(tracks, detections_px=points, visible=torch.ones(points.shape[:-1], dtype=torch.bool)),
        **{name: getattr(clip, name)[:, chosen] for name in HIDDEN},
        group=group,
    )


def parts_of(clip: VideoClip, body: BodyModel) -> np.ndarray:
    """(T, H, W) uint8 of the person as it is seen: 0, or 1 + the joint of `body` that the clip's part belongs to."""
    seen = np.where(clip.mask, clip.parts, 0).astype(np.uint8)
    if tuple(clip.part_names) == tuple(body.joint_names):
        return seen
    names = [_LIKE.get(name, name) if name not in body.joint_names else name for name in clip.part_names]
    return np.array([0, *(1 + body.joint_names.index(name) for name in names)], np.uint8)[seen]


def group_of(maker: ClipMaker, seed: int, index: int) -> str:
    """Of the clip's motion; people from files have none."""
    return maker.scene(seed, index).motion.group if isinstance(maker.people, RenderedPeople) else ""
