"""Which keypoints the network is not shown (the paper's appendix B): drawn per clip, applied to true keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from pointlight.randomness import stream
from pointlight.simulator.clip import CLIP_FRAMES
from pointlight.values import by_value

LEG_PARTS = ("hip", "knee", "ankle", "heel", "toe")


@dataclass(frozen=True)
class KeypointMaskingConfig:
    """Appendix B's masking of keypoints.

    Attributes:
        self_occlusion: hide what lies at least 20 cm behind the body's own surface.
        frame_edge: "All keypoints outside the frame of the kinetics video are considered hidden."
        unhide_legs: "We then unhide all leg keypoints with a 50% probability"; drawn once a clip.
        flip: "randomly unhide hidden keypoints and hide un-hidden keypoints with a 5% probability".
        total_occlusion: share of clips with a total occlusion (the paper: "for some videos").
        total_occlusion_frames: "The 'total occlusions' are up to 15 frames long".
        block: share of joint-frames hidden in blocks; beyond the paper, stands for the superpixel occluders of
            rendered clips where there are no pictures.
        block_frames: length of such a block.
    """

    self_occlusion: bool = True
    frame_edge: bool = True
    unhide_legs: float = 0.5
    flip: float = 0.05
    total_occlusion: float = 0.15
    total_occlusion_frames: tuple[int, int] = (3, 15)
    block: float = 0.08
    block_frames: tuple[int, int] = (5, 31)


@by_value
@dataclass(frozen=True)
class KeypointMaskingDraws:
    """One clip's draws for K keypoints over T frames; everything that chance decides.

    Attributes:
        totally_occluded: (T,) bool.
        block: (T, K) bool, hidden in blocks.
        unhide_legs: whether this clip's leg keypoints are shown even where hidden.
        flip: (T, K) bool.
    """

    totally_occluded: np.ndarray
    block: np.ndarray
    unhide_legs: bool
    flip: np.ndarray


def draw_masking(
    config: KeypointMaskingConfig, seed: int, index: int, frames: int, names: tuple[str, ...]
) -> KeypointMaskingDraws:
    """Draw what is hidden in clip `index`; the total occlusion has a stream of its own."""
    rng = stream(seed, index, "total occlusion")
    occluded = np.zeros(frames, bool)
    low, high = config.total_occlusion_frames
    for first in range(0, frames, CLIP_FRAMES):
        if rng.random() < config.total_occlusion:
            span = min(CLIP_FRAMES, frames - first)
            length = min(int(rng.integers(low, high + 1)), span - 1)
            start = first + int(rng.integers(0, span - length + 1))
            occluded[start : start + length] = True
    rng = stream(seed, index, "hiding")
    block = np.zeros((frames, len(names)), bool)
    for joint in np.flatnonzero(rng.random(len(names)) < _block_chance(config, frames)):
        length = int(rng.integers(config.block_frames[0], config.block_frames[1] + 1))
        start = int(rng.integers(-length + 1, frames))
        block[max(start, 0) : start + length, joint] = True
    unhide = bool(rng.random() < config.unhide_legs)
    flip = rng.random((frames, len(names))) < config.flip
    return KeypointMaskingDraws(occluded, block, unhide, flip)


@cache
def _block_chance(config: KeypointMaskingConfig, frames: int) -> float:
    """The chance that a keypoint has a block in a clip, so that `config.block` of all are hidden.

    A block may begin before the clip and end after it: of length L it hides L / (T + L - 1) of it on average.
    """
    lengths = np.arange(config.block_frames[0], config.block_frames[1] + 1)
    return min(1.0, config.block / float((lengths / (frames + lengths - 1)).mean()))


def leg_mask(names: tuple[str, ...]) -> np.ndarray:
    """(K,) bool: which keypoints belong to the legs."""
    return np.array([any(part in name for part in LEG_PARTS) for name in names])


def apply_masking(
    out_of_frame: np.ndarray,
    self_occluded: np.ndarray,
    draws: KeypointMaskingDraws,
    config: KeypointMaskingConfig,
    legs: np.ndarray,
) -> np.ndarray:
    """Appendix B in its order: hide, unhide the legs, flip; a total occlusion wins over everything.

    Args:
        out_of_frame: (T, K) bool, outside the picture.
        self_occluded: (T, K) bool, behind the body.
        draws: the clip's draws.
        config: which rules hold.
        legs: (K,) bool.

    Returns:
        (T, K) bool, visible to the network.
    """
    hidden = draws.block.copy()
    if config.frame_edge:
        hidden |= out_of_frame
    if config.self_occlusion:
        hidden |= self_occluded
    if draws.unhide_legs:
        hidden &= ~legs
    hidden ^= draws.flip
    return ~hidden & ~draws.totally_occluded[:, None]
