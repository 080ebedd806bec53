"""What camera and codec do to a pair of pictures; cheap, since a pair is seen once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from pointlight.randomness import stream
from pointlight.simulator.clips import SensorConfig, apply_sensor

Range = tuple[float, float]

_PLATE_PX = 1024
_LUMA = np.array((0.299, 0.587, 0.114), np.float32)


@dataclass(frozen=True)
class FilmConfig:
    """Shares of pairs, and ranges from which amounts are drawn evenly.

    Attributes:
        smeared: share blurred along the main motion, by up to 0.6 of it.
        defocus_px: standard deviation of the blur of both pictures.
        gain: natural logarithm of the brightness of both.
        tint: natural logarithm of the gain of red against blue.
        noise: standard deviation in a middle grey, of white; half of it in black.
        flashing: share whose second picture is brighter or darker than the first, by 10 % and 5 grey levels (1 sigma).
        jpeg: share through JPEG of some quality from 40 to 95.
        h264: share through H.264, which copies resting blocks with their noise.
        grey: share without colour, as the pose network's flow is found.
    """

    smeared: float = 0.3
    defocus_px: Range = (0.0, 0.8)
    gain: Range = (-0.5, 0.3)
    tint: Range = (-0.2, 0.2)
    noise: Range = (0.0, 0.025)
    flashing: float = 0.3
    jpeg: float = 0.3
    h264: float = 0.1
    grey: float = 0.5


def filmed(frames: np.ndarray, way_px: np.ndarray, config: FilmConfig, seed: int, index: int) -> np.ndarray:
    """Both pictures as they come out of a camera; what is where stays.

    Args:
        frames: (2, H, W, 3) uint8.
        way_px: (2,) the main motion between them.
        config: what happens.
        seed: of all pairs.
        index: of this pair.

    Returns:
        (2, H, W, 3) uint8.
    """
    rng = stream(seed, index, "flow film")
    smeared, flash, codec, grey = rng.random(4)
    sigma, gain, tint, noise = (
        rng.uniform(*limits) for limits in (config.defocus_px, config.gain, config.tint, config.noise)
    )
    if smeared < config.smeared:
        frames = _smeared(frames, way_px * rng.uniform(0, 0.6))
    if sigma > 0.1:
        frames = np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in frames])
    gains = np.exp(gain + tint * np.array((0.5, 0, -0.5)))[rng.permutation(3)]
    lift = np.zeros(2)
    flashes = np.ones(2)
    if flash < config.flashing:
        flashes[1], lift[1] = np.exp(rng.normal(0, 0.1)), rng.normal(0, 5)
    bright = np.empty(frames.shape, np.float32)
    for frame, result, flashed, lifted in zip(frames, bright, flashes, lift, strict=True):
        result[:] = frame * (gains * flashed).astype(np.float32) + np.float32(lifted)
        result += (noise * (128 + frame)).astype(np.float32) * _noise(frame.shape[:2], rng)
    frames = (bright + 0.5).clip(0, 255).astype(np.uint8)
    if codec < config.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))]
        coded = (cv2.imencode(".jpg", frame, quality)[1] for frame in frames)
        frames = np.stack([np.asarray(cv2.imdecode(frame, cv2.IMREAD_COLOR)) for frame in coded])
    elif codec < config.jpeg + config.h264:
        only_codec = SensorConfig(None, None, None, None, None, None, SensorConfig().compression)
        frames = apply_sensor(frames, only_codec, seed, index)
    if grey < config.grey:
        levels = (frames.astype(np.float32) @ _LUMA + 0.5).astype(np.uint8)
        frames = np.repeat(levels[..., None], 3, -1)
    return frames


def _noise(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) float32 of unit variance: a window of a plate, which is quicker than new numbers."""
    top, left = (int(rng.integers(_PLATE_PX - side + 1)) for side in size)
    sign = np.float32(1 if rng.random() < 0.5 else -1)
    return sign * _plate()[top : top + size[0], left : left + size[1], rng.permutation(3)]


@cache
def _plate() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((_PLATE_PX, _PLATE_PX, 3), np.float32)


def _smeared(frames: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Pictures blurred along a way (2,) pixels, centred, as by a camera that moves while the shutter is open."""
    length = float(np.hypot(*way))
    if length < 0.5:
        return frames
    half = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for share in np.linspace(-0.5, 0.5, 4 * half + 1):
        x, y = share * way + half
        kernel[round(float(y)), round(float(x))] += 1
    kernel /= kernel.sum()
    return np.stack([cv2.filter2D(frame, -1, kernel, borderType=cv2.BORDER_REFLECT_101) for frame in frames])
