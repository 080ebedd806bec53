"""Random streams: every purpose of every sample draws from its own, so that a new draw changes no old one."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, index: int, purpose: str) -> np.random.Generator:
    """Make the generator for one purpose of one sample, a pure function of the three arguments.

    Args:
        seed: the configuration's seed.
        index: the sample's number.
        purpose: what is drawn, such as "camera" or "shape".
    """
    digest = hashlib.blake2b(f"{seed}/{index}/{purpose}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def smooth_noise(
    frames: int, channels: int, rng: np.random.Generator, cycles: tuple[float, float] = (0.2, 2.5)
) -> np.ndarray:
    """(frames, channels) of smooth curves with about unit variance: three sinusoids of random phase and rate."""
    phase = rng.uniform(0, 2 * np.pi, (3, 1, channels))
    rate = rng.uniform(*cycles, (3, 1, channels))
    time = np.linspace(0, 2 * np.pi, frames)[None, :, None]
    return np.sqrt(2 / 3) * np.sin(rate * time + phase).sum(0)
