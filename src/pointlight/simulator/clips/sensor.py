"""What a camera and a codec do to finished frames; every effect beyond the paper and a switch of its own."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, no_type_check

import av
import numba
import numpy as np
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from scipy import ndimage

from pointlight.randomness import stream

Range = tuple[float, float]

_BT709 = 1
_BLUR_STEPS = 9
_LINEAR = np.array(
    [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.arange(256) / 255], np.float32
)


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
    draws = {
        name: stream(seed, index, f"sensor {name}")
        for name in ("shutter", "defocus", "exposure", "noise", "codec")
    }
    if config.shutter is not None and motion_px is not None:
        frames = motion_blur(frames, motion_px, draws["shutter"].uniform(*config.shutter))
    if config.defocus_px is not None:
        frames = defocus(frames, draws["defocus"].uniform(*config.defocus_px))
    gains = _gains(config, len(frames), draws["exposure"])
    if gains is not None:
        frames = expose(frames, gains)
    if config.noise is not None:
        frames = add_noise(frames, draws["noise"].uniform(*config.noise), draws["noise"])
    if config.compression is not None:
        frames = compress(frames, round(draws["codec"].uniform(*config.compression)))
    return frames


def motion_of(flow_forward_px: np.ndarray, flow_backward_px: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(T, H, W, 2) motion to the next frame of what is shown; the last frame's is that from the frame before it.

    Args:
        flow_forward_px: (T-1, H, W, 2) of a `PersonLayer`.
        flow_backward_px: (T-1, H, W, 2).
        mask: (T, H, W) bool, where the person is to be seen in the composite.
    """
    if len(mask) == 1:
        return np.full((*mask.shape, 2), np.nan, np.float32)
    motion = np.concatenate((flow_forward_px, -flow_backward_px[-1:]))
    return np.where(mask[..., None], motion, np.float32(np.nan))


def motion_blur(frames: np.ndarray, motion_px: np.ndarray, shutter: float) -> np.ndarray:
    """Every pixel the mean, in linear light, along the motion of the person in it or near it, centred in time.

    Args:
        frames: (T, H, W, 3) uint8.
        motion_px: (T, H, W, 2), NaN where the person is not.
        shutter: share of the motion to the next frame.
    """
    blurred = frames.copy()
    for image, result, motion in zip(frames, blurred, motion_px, strict=True):
        known = np.isfinite(motion).all(-1)
        if not known.any():
            continue
        reach = 0.5 * shutter * float(np.abs(motion[known]).max())
        if reach < 0.25:
            continue
        rows, columns = (np.flatnonzero(known.any(axis)) for axis in (1, 0))
        around = int(np.ceil(2 * reach)) + 2
        window = tuple(slice(max(int(n[0]) - around, 0), int(n[-1]) + around + 1) for n in (rows, columns))
        found: Any = ndimage.distance_transform_edt(~known[window], return_indices=True)
        distance, nearest = found
        near = distance <= reach + 1
        spread = np.where(near[..., None], motion[window][tuple(nearest)], 0).astype(np.float32)
        result[window] = _encoded(_along(_LINEAR[image[window]], spread * np.float32(shutter)))
    return blurred


def defocus(frames: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian blur in linear light; none below a tenth of a pixel."""
    if sigma_px < 0.1:
        return frames
    return np.stack([_encoded(ndimage.gaussian_filter(_LINEAR[f], (sigma_px, sigma_px, 0))) for f in frames])


def expose(frames: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Gains (T, 3) of red, green and blue in linear light."""
    levels = _encoded(_LINEAR[None, :, None] * gains[:, None].astype(np.float32))  # (T, 256, 3)
    result = np.empty_like(frames)
    for t, table in enumerate(levels):
        for colour in range(3):
            result[t, ..., colour] = table[frames[t, ..., colour], colour]
    return result


def add_noise(frames: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Independent noise, of a standard deviation of `amount` of white in a middle grey and half of it in black."""
    result = np.empty_like(frames)
    for image, noisy in zip(frames, result, strict=True):
        level = image.astype(np.float32)
        spread = 255 * amount * (0.5 + level / 255)
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        noisy[:] = (level + spread * noise + 0.5).clip(0, 255)
    return result


def compress(frames: np.ndarray, rate_factor: int) -> np.ndarray:
    """Through x264 and back, on one thread, so that every machine makes the same.

    Args:
        frames: (T, H, W, 3) uint8; an odd side is doubled at its end for the codec and cut again.
        rate_factor: x264's constant rate factor.
    """
    count, height, width, _ = frames.shape
    padded = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    memory = io.BytesIO()
    reformatter = VideoReformatter()
    with av.open(memory, "w", format="mp4") as container:
        options = {"crf": str(rate_factor), "preset": "veryfast"}
        output: VideoStream = container.add_stream("libx264", rate=Fraction(30), options=options)
        output.width, output.height, output.pix_fmt = padded.shape[2], padded.shape[1], "yuv420p"
        output.codec_context.thread_count = 1
        for field in ("colorspace", "color_primaries", "color_trc", "color_range"):
            setattr(output.codec_context, field, _BT709)
        for t, image in enumerate(padded):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            picture = reformatter.reformat(
                picture, format="yuv420p", dst_colorspace=_BT709, dst_color_range="MPEG"
            )
            picture.pts, picture.time_base = t, Fraction(1, 30)
            for packet in output.encode(picture):
                container.mux(packet)
        for packet in output.encode(None):
            container.mux(packet)
    memory.seek(0)
    with av.open(memory, "r") as source:
        source.streams.video[0].codec_context.thread_count = 1
        decoded = [
            reformatter.reformat(picture, format="rgb24").to_ndarray() for picture in source.decode(video=0)
        ]
    if len(decoded) != count:
        raise RuntimeError(f"{count} frames went into the codec and {len(decoded)} came out")
    return np.ascontiguousarray(np.stack(decoded)[:, :height, :width])


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


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Linear light 0..1 to uint8 sRGB."""
    linear = linear.clip(0, 1)
    return (
        255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) + 0.5
    ).astype(np.uint8)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _along(image: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Means of (H, W, 3) along ways (H, W, 2) centred on each pixel, bilinear, held at the border."""
    height, width = image.shape[:2]
    result = image.copy()
    for row in range(height):
        for column in range(width):
            dx, dy = way[row, column, 0], way[row, column, 1]
            if abs(dx) + abs(dy) < 0.5:
                continue
            for k in range(3):
                result[row, column, k] = 0
            for step in range(_BLUR_STEPS):
                s = (step + 0.5) / _BLUR_STEPS - 0.5
                x = min(max(column + s * dx, 0.0), width - 1.001)
                y = min(max(row + s * dy, 0.0), height - 1.001)
                c, r = int(x), int(y)
                fx, fy = x - c, y - r
                for k in range(3):
                    upper = image[r, c, k] * (1 - fx) + image[r, c + 1, k] * fx
                    lower = image[r + 1, c, k] * (1 - fx) + image[r + 1, c + 1, k] * fx
                    result[row, column, k] += (upper * (1 - fy) + lower * fy) / _BLUR_STEPS
    return result
