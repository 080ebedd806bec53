"""What a camera and a codec do to finished frames; every effect beyond the paper and a switch of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.randomness import stream
from pointlight.simulator.clips.codec import decode_frames, encode_frames
from pointlight.simulator.clips.sensor_loops import (
    LINEAR,
    blur_along,
    levels_of,
    look_up,
    shown_motion,
    smear,
    sprinkle,
    stored_grain,
)

Range = tuple[float, float]


def codec_options(rate_factor: int) -> dict[str, str]:
    """x264's, of the sensor's codec; a clip has no cuts, and how many frames in a row are B-frames is not searched for."""
    return {"preset": "superfast", "crf": str(rate_factor), "x264-params": "b-adapt=0:scenecut=0"}


@dataclass(frozen=True)
class SensorConfig:
    """Ranges from which a clip's effects are drawn evenly; None switches one off.

    Attributes:
        shutter: share of the frame's time that the shutter is open; the person is blurred by its own motion.
        defocus_px: standard deviation of the blur of the whole picture.
        exposure_stops: brightness, in powers of two.
        exposure_drift_stops: how far it wanders during the clip.
        white_balance: natural logarithm of the gain of red against blue.
        noise: standard deviation of the noise of a middle grey, share of white; half of it in black.
        compression: x264's constant rate factor, of a real round trip through H.264.
    """

    shutter: Range | None = (0.0, 0.6)
    defocus_px: Range | None = (0.0, 0.6)
    exposure_stops: Range | None = (-0.8, 0.5)
    exposure_drift_stops: Range | None = (0.0, 0.15)
    white_balance: Range | None = (-0.2, 0.2)
    noise: Range | None = (0.0, 0.02)
    compression: Range | None = (16.0, 28.0)

    @staticmethod
    def none() -> SensorConfig:
        """The paper's: frames as they were drawn."""
        return SensorConfig(None, None, None, None, None, None, None)


def apply_sensor(
    frames: np.ndarray,
    config: SensorConfig,
    seed: int,
    index: int,
    motion_px: np.ndarray | None = None,
) -> np.ndarray:
    """Frames as a camera and a codec give them.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        config: which effects, and how strong.
        seed: of the configuration.
        index: of the clip.
        motion_px: (T, H, W, 2) float32 of `motion_of`: the person's motion to the next frame, NaN elsewhere; without it
            nothing is blurred by motion.

    Returns:
        (T, H, W, 3) uint8 RGB; the same array if every effect is off.
    """
    frames = apply_camera(frames, config, seed, index, motion_px)
    rate_factor = draw_rate_factor(config, seed, index)
    return frames if rate_factor is None else compress(frames, rate_factor)


def apply_camera(
    frames: np.ndarray,
    config: SensorConfig,
    seed: int,
    index: int,
    motion_px: np.ndarray | None = None,
) -> np.ndarray:
    """`apply_sensor` without the codec."""
    draws = {
        name: stream(seed, index, f"sensor {name}") for name in ("shutter", "defocus", "exposure", "noise")
    }
    if config.shutter is not None and motion_px is not None:
        frames = motion_blur(frames, motion_px, draws["shutter"].uniform(*config.shutter))
    gains = _gains(config, len(frames), draws["exposure"])
    if config.defocus_px is not None:
        frames = defocus(frames, draws["defocus"].uniform(*config.defocus_px), gains)
    elif gains is not None:
        frames = expose(frames, gains)
    if config.noise is not None:
        frames = add_noise(frames, draws["noise"].uniform(*config.noise), draws["noise"])
    return frames


def draw_rate_factor(config: SensorConfig, seed: int, index: int) -> int | None:
    """x264's constant rate factor of clip `index`; None where nothing is compressed."""
    if config.compression is None:
        return None
    return round(stream(seed, index, "sensor codec").uniform(*config.compression))


def motion_of(flow_forward_px: np.ndarray, flow_backward_px: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(T, H, W, 2) motion to the next frame of what is shown; the last frame's is that from the frame before it.

    Args:
        flow_forward_px: (T-1, H, W, 2) of a `PersonLayer`.
        flow_backward_px: (T-1, H, W, 2).
        mask: (T, H, W) bool, where the person is to be seen in the composite.
    """
    if len(mask) == 1:
        return np.full((*mask.shape, 2), np.nan, np.float32)
    motion = np.empty((*mask.shape, 2), np.float32)
    shown_motion(flow_forward_px, flow_backward_px, mask, motion)
    return motion


def motion_blur(frames: np.ndarray, motion_px: np.ndarray, shutter: float) -> np.ndarray:
    """Every pixel the mean, in linear light, along the motion of the person in it or near it, centred in time.

    Args:
        frames: (T, H, W, 3) uint8.
        motion_px: (T, H, W, 2) float32, NaN where the person is not.
        shutter: share of the motion to the next frame.
    """
    blurred = frames.copy()
    for image, motion, result in zip(frames, motion_px, blurred, strict=True):
        blur_along(image, motion, shutter, result)
    return blurred


def defocus(frames: np.ndarray, sigma_px: float, gains: np.ndarray | None = None) -> np.ndarray:
    """Gaussian blur in linear light, up to four standard deviations wide, with the gains of `expose` in the same loop.

    There is no blur below a tenth of a pixel.
    """
    if sigma_px < 0.1:
        return frames if gains is None else expose(frames, gains)
    gains = np.ones((len(frames), 3)) if gains is None else gains
    reach = np.arange(int(4 * sigma_px + 0.5) + 1)
    weights = np.exp(-0.5 * (reach / sigma_px) ** 2)
    weights /= weights[0] + 2 * weights[1:].sum()
    result = np.empty_like(frames)
    for image, gain, smeared in zip(frames, gains.astype(np.float32), result, strict=True):
        smear(image, weights.astype(np.float32), gain, smeared)
    return result


def expose(frames: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Gains (T, 3) of red, green and blue in linear light."""
    light = LINEAR[None, :, None] * gains[:, None].astype(np.float32)  # (T, 256, 3)
    result = np.empty_like(frames)
    look_up(frames, levels_of(light.ravel()).reshape(light.shape), result)
    return result


def add_noise(frames: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Independent noise, of a standard deviation of `amount` of white in a middle grey and half of it in black."""
    result = np.empty_like(frames)
    key = rng.integers(1 << 64, dtype=np.uint64)
    strength = (np.float32(127.5 * amount), np.float32(amount))
    sprinkle(frames.reshape(-1), stored_grain(), *strength, key, result.reshape(-1))
    return result


def compress(frames: np.ndarray, rate_factor: int) -> np.ndarray:
    """Through x264 and back.

    Args:
        frames: (T, H, W, 3) uint8; where sides do not suit the codec their ends are doubled for it and cut again.
        rate_factor: x264's constant rate factor.
    """
    _, height, width, _ = frames.shape
    if height % 4 or width % 2:
        frames = np.pad(frames, ((0, 0), (0, -height % 4), (0, width % 2), (0, 0)), mode="edge")
    decoded = decode_frames(encode_frames(frames, codec_options(rate_factor)))
    return np.ascontiguousarray(decoded[:, :height, :width])


def _gains(config: SensorConfig, frames: int, rng: np.random.Generator) -> np.ndarray | None:
    """(T, 3) of exposure and white balance; every draw is made, whatever is switched on."""
    stops, drift, warm, phase, rate = rng.random(5)
    if config.exposure_stops is None and config.exposure_drift_stops is None and config.white_balance is None:
        return None
    log_gain = np.zeros((frames, 3))
    if config.exposure_stops is not None:
        log_gain += np.log(2) * _between(config.exposure_stops, stops)
    if config.exposure_drift_stops is not None:
        wave = np.sin(2 * np.pi * (phase + (0.2 + 0.8 * rate) * np.arange(frames) / 31))
        log_gain += np.log(2) * _between(config.exposure_drift_stops, drift) * wave[:, None]
    if config.white_balance is not None:
        log_gain += 0.5 * _between(config.white_balance, warm) * np.array([1.0, 0.0, -1.0])
    return np.exp(log_gain)


def _between(limits: Range, share: float) -> float:
    return limits[0] + share * (limits[1] - limits[0])
