"""Random streams: every purpose of every sample draws from its own, so that a new draw changes no old one."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np


def stream(seed: int, index: int, purpose: str) -> np.random.Generator:
    """Make the generator for one purpose of one sample, a pure function of the three arguments.

    Args:
        seed: the configuration's seed.
        index: the sample's number.
        purpose: what is drawn, such as "camera" or "shape".
    """
    digest = hashlib.blake2b(f"{seed}/{index}/{purpose}".encode(), digest_size=16).digest()
    words = np.frombuffer(
        digest, "<u4"
    )  # the digest as a little-endian number, in the form that is taken fastest
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))  # pyright: ignore[reportArgumentType]


def smooth_noise(
    frames: int, channels: int, rng: np.random.Generator, cycles: tuple[float, float] = (0.2, 2.5)
) -> np.ndarray:
    """(frames, channels) of smooth curves with about unit variance: three sinusoids of random phase and rate."""
    phase = rng.uniform(0, 2 * np.pi, (3, 1, channels))
    rate = rng.uniform(*cycles, (3, 1, channels))
    return _SQRT_2_3 * np.sin(rate * _turn_of(frames) + phase).sum(0)


_SQRT_2_3 = np.sqrt(2 / 3)


@cache
def _turn_of(frames: int) -> np.ndarray:
    """(1, frames, 1) from 0 to a full turn."""
    return np.linspace(0, 2 * np.pi, frames)[None, :, None]
