"""What 2D detectors get wrong, drawn per clip and applied to true keypoints; beyond the paper, whose keypoints are exact."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.randomness import smooth_noise, stream
from pointlight.simulator.clip import CLIP_FRAMES


@dataclass(frozen=True)
class DetectorNoise:
    """Errors of a 2D detector, beyond the paper. Lengths are shares of the person's size (box diagonal).

    Attributes:
        white: standard deviation of independent noise, a coordinate.
        bias: standard deviation of an offset that a joint keeps for the clip, a coordinate.
        correlated: standard deviation of slowly changing noise, a coordinate.
        motion: extra white noise, as a share of the joint's motion between frames.
        outlier: share of joint-frames that land far away.
        swap: share of clips in which left and right are swapped, for up to half of the clip: what lasts longer
            is only told from the video around the clip.
        limb_swap: share of clips in which one pair of limbs is swapped for a while.
        wrong_hidden: share of hidden joints that are shown all the same, at a wrong place.
        drift: standard deviation of noise that changes within about a tenth of a second, a coordinate.
        stray: share of a limb's frames in stretches in which the detector reads the limb somewhere else.
        stray_size: how far off its end is in the middle of such a stretch, standard deviation of a coordinate.
    """

    white: float = 0.0
    bias: float = 0.0
    correlated: float = 0.0
    motion: float = 0.0
    outlier: float = 0.0
    swap: float = 0.0
    limb_swap: float = 0.0
    wrong_hidden: float = 0.0
    drift: float = 0.0
    stray: float = 0.0
    stray_size: float = 0.0


MEDIAPIPE_V1 = DetectorNoise(
    white=0.0035, bias=0.006, drift=0.008, stray=0.07, stray_size=0.08, swap=0.1, wrong_hidden=0.3
)
"""What mediapipe's keypoints are like on the development cameras (`benchmarks/detector_noise.py`, docs/log.md)."""

STRAY_FRAMES = (4, 20)
"""Lengths of the stretches of `DetectorNoise.stray`."""

_DRIFT_CYCLES = (1.0, 8.0)
"""Of the curves that drift is made of, in a clip."""

_LIMB_ENDS = (("wrist", "elbow"), ("ankle", "knee", "heel", "big_toe"))
"""The end first; the joint after it is off by half as much, what hangs on the end as much as the end."""


def detector_errors(
    points_px: np.ndarray,
    visible: np.ndarray,
    names: tuple[str, ...],
    config: DetectorNoise,
    seed: int,
    index: int,
) -> tuple[np.ndarray, np.ndarray]:
    """What a detector makes of true keypoints.

    Args:
        points_px: (T, K, 2) true keypoints.
        visible: (T, K) bool.
        names: of the K keypoints.
        config: kinds and amounts of error.
        seed: of the configuration.
        index: of the clip.

    Returns:
        (T, K, 2) detections and (T, K) bool, visible after confident mistakes.
    """
    rng = stream(seed, index, "detector")
    frames, count, _ = points_px.shape
    size = person_size_px(points_px, names)[:, None, None]
    noise = config.white * rng.standard_normal((frames, count, 2))
    noise += config.bias * rng.standard_normal((1, count, 2))
    if config.correlated:
        curves = smooth_noise(frames, count * 2, rng, cycles=(0.5, 4.0))
        noise += config.correlated * curves.reshape(frames, count, 2)
    detections = points_px + size * noise
    if config.motion:
        speed = _change_a_frame(points_px)
        detections += config.motion * speed * rng.standard_normal((frames, count, 1))
    if config.outlier:
        wild = (rng.random((frames, count)) < config.outlier)[..., None]
        detections = np.where(
            wild, detections + 0.15 * size * rng.standard_normal(detections.shape), detections
        )
    if config.drift:
        clips = frames / CLIP_FRAMES
        curves = smooth_noise(
            frames, count * 2, rng, cycles=(clips * _DRIFT_CYCLES[0], clips * _DRIFT_CYCLES[1])
        )
        detections += config.drift * size * curves.reshape(frames, count, 2)
    if config.stray:
        detections = detections + size * _strays(names, frames, config, rng)
    if config.wrong_hidden:
        wrong = ~visible & (rng.random((1, count)) < config.wrong_hidden)
        offset = 0.06 * size * rng.standard_normal((1, count, 2))
        detections = np.where(wrong[..., None], detections + offset, detections)
        blank = ~visible.any(-1, keepdims=True)
        visible = visible | (wrong & ~blank)
    if config.swap or config.limb_swap:
        detections, visible = _swap(detections, visible, names, config, rng)
    return detections.astype(np.float32), visible


def person_size_px(points_px: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(T,) diagonal of the box around the 12 keypoints, in pixels."""
    twelve = points_px[:, _twelve(names)]
    return np.linalg.norm(twelve.max(1) - twelve.min(1), axis=-1)


@cache
def _twelve(names: tuple[str, ...]) -> list[int]:
    return [names.index(name) for name in NETWORK_KEYPOINTS]


def _change_a_frame(values: np.ndarray) -> np.ndarray:
    """Central differences along the first axis, one-sided at the ends: `np.gradient` without its overhead."""
    change = np.empty_like(values)
    change[1:-1] = (values[2:] - values[:-2]) / 2
    change[0], change[-1] = values[1] - values[0], values[-1] - values[-2]
    return change


def _strays(
    names: tuple[str, ...], frames: int, config: DetectorNoise, rng: np.random.Generator
) -> np.ndarray:
    """(T, K, 2) offsets in person sizes of limbs that are read somewhere else for a while."""
    offsets = np.zeros((frames, len(names), 2))
    mean_frames = (STRAY_FRAMES[0] + STRAY_FRAMES[1]) / 2
    for side in ("left", "right"):
        for end, middle, *rest in _LIMB_ENDS:
            for _ in range(rng.poisson(config.stray * frames / mean_frames)):
                length = int(rng.integers(STRAY_FRAMES[0], STRAY_FRAMES[1] + 1))
                start = int(rng.integers(-length + 1, frames))
                place = config.stray_size * rng.standard_normal(2)
                # It leaves and comes back; detectors do not jump from one picture to the next.
                bump = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 0.5
                inside = slice(max(start, 0), max(start + length, 0))
                bump = bump[max(-start, 0) :][: frames - max(start, 0), None]
                for part, share in ((end, 1.0), (middle, 0.5), *((part, 1.0) for part in rest)):
                    offsets[inside, names.index(f"{side}_{part}")] += share * bump * place
    return offsets


def _swap(
    points: np.ndarray,
    visible: np.ndarray,
    names: tuple[str, ...],
    config: DetectorNoise,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Swap left and right, of the whole body or of one pair of limbs, for a stretch of frames."""
    frames = len(points)
    limbs = (("wrist", "elbow"), ("knee", "ankle", "heel", "toe"), ("wrist",), ("ankle", "heel", "toe"))
    plans = []
    whole, limb = rng.random(2)
    if whole < config.swap:
        plans.append(("",))
    if limb < config.limb_swap:
        plans.append(limbs[rng.integers(len(limbs))])
    for parts in plans:
        length = int(rng.integers(2, max(frames // 2, 2) + 1))
        start = int(rng.integers(0, frames - length + 1))
        order = np.array(
            [
                _other_side(names, k) if any(part in name for part in parts) else k
                for k, name in enumerate(names)
            ]
        )
        stretch = slice(start, start + length)
        points, visible = points.copy(), visible.copy()
        points[stretch] = points[stretch][:, order]
        visible[stretch] = visible[stretch][:, order]
    return points, visible


def _other_side(names: tuple[str, ...], index: int) -> int:
    name = names[index]
    if name.startswith("left_"):
        return names.index("right_" + name.removeprefix("left_"))
    if name.startswith("right_"):
        return names.index("left_" + name.removeprefix("right_"))
    return index
