"""People, background and occluder laid over one another: a clip of video with its whole truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, no_type_check

import numba
import numpy as np

from pointlight.body import EXTENDED_KEYPOINTS, BodyState
from pointlight.errors import PointlightError
from pointlight.simulator.clips.occluders import Occluder, occluded
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.scenes.cameras import CameraPath, middle_of
from pointlight.simulator.scenes.detector_noise import DetectorNoise, detector_errors
from pointlight.simulator.scenes.keypoint_masking import (
    KeypointMaskingConfig,
    KeypointMaskingDraws,
    apply_masking,
    leg_mask,
)
from pointlight.simulator.scenes.visibility import surface_at
from pointlight.values import by_value


@dataclass(frozen=True)
class CompositeConfig:
    """How layers become a clip.

    Attributes:
        masking: appendix B.
        noise: errors of the detector, beyond the paper.
        totally_occluded: what a totally occluded frame looks like. "kept" leaves its picture alone: the paper sets
            "all feature channels to 0", which is done to cues, and a flag says where. "absent", beyond the paper,
            shows the background without people.
    """

    masking: KeypointMaskingConfig = field(default_factory=KeypointMaskingConfig)
    noise: DetectorNoise = field(default_factory=DetectorNoise)
    totally_occluded: Literal["kept", "absent"] = "kept"


@dataclass(frozen=True)
class Provenance:
    """Where a clip comes from: enough to make it again, and to keep splits apart.

    Attributes:
        recipe: name of the configuration.
        seed: with `index`, what all draws come from.
        index: number of the sample.
        sources: what was drawn by kind, such as {"motion": "cmu/01_01.bvh 120-151", "background": ...}.
        splits: of the sources that have one, by kind.
        versions: of the code and of formats, by name.
    """

    recipe: str
    seed: int
    index: int
    sources: dict[str, str] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def check_split(self, wanted: str) -> None:
        """See that nothing in the clip is of another split.

        Raises:
            PointlightError: something is.
        """
        for kind, split in self.splits.items():
            if split != wanted:
                raise PointlightError(
                    f"clip {self.index} of {self.recipe} (seed {self.seed}) has a {kind} of the split {split!r},"
                    f" where only {wanted!r} may be used; make the clips anew from that split"
                )


SPLIT_KINDS = ("motion", "background", "textures")
"""Every clip says the split of each of these."""


def check_training_clip(provenance: Provenance, split: str = "train") -> None:
    """See that a clip may be trained on: it says the split of everything in it, and each is the one wanted.

    Raises:
        PointlightError: something is of another split, or nobody said of which.
    """
    if unsaid := [kind for kind in SPLIT_KINDS if kind not in provenance.splits]:
        raise PointlightError(
            f"clip {provenance.index} of {provenance.recipe} (seed {provenance.seed}) does not say of which split its "
            f"{unsaid[0]} is, and cannot be trained on; make it anew"
        )
    provenance.check_split(split)


@by_value
@dataclass(frozen=True)
class VideoClip:
    """T frames of H x W pixels with every layer of truth about one person. Pixels are continuous.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        mask: (T, H, W) bool, pixels that show the person.
        amodal_mask: (T, H, W) bool, the same were nothing before the person.
        occluder: (T, H, W) bool, where the drawn occluder is, whether or not it covers the person.
        others: (T, H, W) bool, pixels that show other people.
        depth_m: (T, H, W) float32 z of the whole person; inf elsewhere.
        parts: (T, H, W) uint8 of the whole person, 1 + the index in `part_names`; 0 elsewhere.
        part_names: of the parts.
        flow_forward_px: (T-1, H, W, 2) float32, where the whole person's surface in frame t goes until t+1; NaN
            elsewhere and where it is not known.
        flow_backward_px: (T-1, H, W, 2) float32, where the surface in frame t+1 was in t, less where it is.
        joint_names: of the J joints.
        joints_px: (T, J, 2) float32 the truth.
        joints_camera_m: (T, J, 3) float32.
        out_of_frame: (T, J) bool, outside the picture.
        self_occluded: (T, J) bool, behind the person's own surface.
        occluded: (T, J) bool, under the occluder or behind other people.
        keypoint_names: of the K keypoints that a network may see.
        detections_px: (T, K, 2) float32 as a detector gives them; exact unless noise is asked for.
        visible: (T, K) bool, shown to the network, by appendix B's rules.
        totally_occluded: (T,) bool, frames of which the network sees nothing.
        camera: of the person.
        assumed_focal_px: the focal length that a network is told; the camera's unless the scene says otherwise.
        state: the body in camera axes, if known.
        provenance: where it all comes from.

    Example:
        >>> import pointlight
        >>> (clip,) = pointlight.read_clips("clips")
        >>> bool((clip.mask & ~clip.amodal_mask).any())  # what is seen of a person is part of the person
        False
    """

    frames: np.ndarray
    mask: np.ndarray
    amodal_mask: np.ndarray
    occluder: np.ndarray
    others: np.ndarray
    depth_m: np.ndarray
    parts: np.ndarray
    part_names: tuple[str, ...]
    flow_forward_px: np.ndarray
    flow_backward_px: np.ndarray
    joint_names: tuple[str, ...]
    joints_px: np.ndarray
    joints_camera_m: np.ndarray
    out_of_frame: np.ndarray
    self_occluded: np.ndarray
    occluded: np.ndarray
    keypoint_names: tuple[str, ...]
    detections_px: np.ndarray
    visible: np.ndarray
    totally_occluded: np.ndarray
    camera: CameraPath
    assumed_focal_px: float
    state: BodyState | None
    provenance: Provenance

    @property
    def assumed_principal_px(self) -> tuple[float, float]:
        """(x, y) the principal point that a network is told: the picture's middle, wherever the camera's own is."""
        return middle_of(self.camera.image_size)


def composite(
    people: Sequence[PersonLayer],
    background: np.ndarray,
    occluder: Occluder | None,
    draws: KeypointMaskingDraws,
    config: CompositeConfig,
    provenance: Provenance,
) -> VideoClip:
    """Lay people over a background, an occluder over them, and say what can be seen.

    Masks are hard: "we use hard binary masks derived from the ground-truth segmentation" (appendix A).

    Args:
        people: the first is the one whom the clip is about; further ones (beyond the paper) stand before or behind
            by their depth, in the same camera.
        background: (T, H, W, 3) uint8 RGB.
        occluder: covers everybody; None for none.
        draws: what chance hides, for the 19 `EXTENDED_KEYPOINTS`.
        config: how.
        provenance: kept with the clip; its seed and index feed the detector's errors.
    """
    person = people[0]
    _check_sizes(people, background, occluder, draws)
    owner = _in_order(people)
    cover = np.zeros(background.shape[:3], bool) if occluder is None else occluder.mask
    absent = (
        draws.totally_occluded if config.totally_occluded == "absent" else np.zeros(len(background), bool)
    )
    frames = background.copy()
    mask, others = np.zeros_like(cover), np.zeros_like(cover)
    for number, layer in enumerate(people):
        shown = mask if number == 0 else others
        _lay_over(frames, np.ascontiguousarray(layer.colour), owner, number, cover, absent, shown)
    if occluder is not None and occluder.colour is not None:
        frames[cover] = occluder.colour[cover]

    hidden = occluded(cover, person.joints_px)
    if len(people) > 1:
        hidden |= _behind_others(person, people[1:])
    detections, visible = _detect(person, hidden, draws, config, provenance)
    return VideoClip(
        frames=frames,
        mask=mask,
        amodal_mask=person.mask,
        occluder=cover,
        others=others,
        depth_m=person.depth_m,
        parts=person.parts,
        part_names=person.part_names,
        flow_forward_px=person.flow_forward_px,
        flow_backward_px=person.flow_backward_px,
        joint_names=person.joint_names,
        joints_px=person.joints_px,
        joints_camera_m=person.joints_camera_m,
        out_of_frame=person.out_of_frame,
        self_occluded=person.self_occluded,
        occluded=hidden,
        keypoint_names=EXTENDED_KEYPOINTS,
        detections_px=detections,
        visible=visible,
        totally_occluded=draws.totally_occluded,
        camera=person.camera,
        assumed_focal_px=person.camera.focal_px,
        state=person.state,
        provenance=provenance,
    )


def _check_sizes(
    people: Sequence[PersonLayer],
    background: np.ndarray,
    occluder: Occluder | None,
    draws: KeypointMaskingDraws,
) -> None:
    volume = background.shape[:3]
    for layer in people:
        if layer.mask.shape != volume:
            raise ValueError(f"a person of {layer.mask.shape} pixels does not fit a background of {volume}")
    if occluder is not None and occluder.mask.shape != volume:
        raise ValueError(f"an occluder of {occluder.mask.shape} pixels does not fit a background of {volume}")
    if draws.flip.shape != (volume[0], len(EXTENDED_KEYPOINTS)):
        raise ValueError(f"draws for {draws.flip.shape} keypoints do not fit a clip of {volume[0]} frames")


def _in_order(people: Sequence[PersonLayer]) -> np.ndarray:
    """(T, H, W) int8 who is nearest; -1 for nobody."""
    owner = people[0].mask.view(np.int8) - np.int8(1)
    if len(people) > 1:
        nearest = people[0].depth_m.copy()
        for number, layer in enumerate(people[1:], start=1):
            _claim(owner, nearest, layer.mask, layer.depth_m, number)
    return owner


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _claim(owner: np.ndarray, nearest: np.ndarray, mask: np.ndarray, depth: np.ndarray, number: int) -> None:
    """Give person `number` the pixels where it is nearer than all before it."""
    for t in range(mask.shape[0]):
        for row in range(mask.shape[1]):
            if not _any_is(mask[t, row], True):
                continue
            for column in range(mask.shape[2]):
                if mask[t, row, column] and depth[t, row, column] < nearest[t, row, column]:
                    nearest[t, row, column], owner[t, row, column] = depth[t, row, column], number


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _any_is(values: np.ndarray, wanted: int) -> bool:
    """Whether a row has a value; all are counted, which is faster than to stop at the first."""
    count = 0
    for n in range(len(values)):
        count += values[n] == wanted
    return count > 0


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _lay_over(
    frames: np.ndarray,
    colour: np.ndarray,
    owner: np.ndarray,
    number: int,
    cover: np.ndarray,
    absent: np.ndarray,
    shown: np.ndarray,
) -> None:
    """Show person `number` where it is nearest, under no cover and in no frame (T,) from which people are absent."""
    times, height, width = owner.shape
    for t in range(times):
        if absent[t]:
            continue
        for row in range(height):
            own, covered = owner[t, row], cover[t, row]
            if not _any_is(own, number):
                continue
            for column in range(width):
                if own[column] == number and not covered[column]:
                    shown[t, row, column] = True
                    for k in range(3):
                        frames[t, row, column, k] = colour[t, row, column, k]


def _behind_others(person: PersonLayer, others: Sequence[PersonLayer]) -> np.ndarray:
    """(T, J) joints before which some other person stands."""
    nearest = np.min([surface_at(person.joints_px, layer.depth_m) for layer in others], axis=0)
    return nearest < person.joints_camera_m[..., 2]


def _detect(
    person: PersonLayer,
    hidden: np.ndarray,
    draws: KeypointMaskingDraws,
    config: CompositeConfig,
    provenance: Provenance,
) -> tuple[np.ndarray, np.ndarray]:
    """Detections (T, K, 2) and whether the network sees them (T, K), as `TrackMaker` says of tracks."""
    chosen = [person.joint_names.index(name) for name in EXTENDED_KEYPOINTS]
    points = person.joints_px[:, chosen]
    visible = apply_masking(
        person.out_of_frame[:, chosen],
        person.self_occluded[:, chosen],
        replace(draws, block=draws.block | hidden[:, chosen]),
        config.masking,
        leg_mask(EXTENDED_KEYPOINTS),
    )
    # What a source of people does not know stays hidden, whatever chance says.
    known = np.asarray(np.isfinite(points).all(-1))
    detections, visible = detector_errors(
        np.where(known[..., None], points, 0.0),
        visible & known,
        EXTENDED_KEYPOINTS,
        config.noise,
        provenance.seed,
        provenance.index,
    )
    return detections, visible & known
