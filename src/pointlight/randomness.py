"""Random streams: every purpose of every sample draws from its own, so that a new draw changes no old one."""

from __future__ import annotations

import hashlib
from functools import cache

import numba
import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike


def stream(seed: int, index: int, purpose: str) -> np.random.Generator:
    """Make the generator for one purpose of one sample, a pure function of the three arguments.

    Args:
        seed: the configuration's seed.
        index: the sample's number.
        purpose: what is drawn, such as "camera" or "shape".
    """
    digest = hashlib.blake2b(f"{seed}/{index}/{purpose}".encode(), digest_size=16).digest()
    words = np.frombuffer(digest, "<u4")  # the digest as a little-endian number
    return np.random.Generator(np.random.PCG64(_Seeds(words)))  # pyright: ignore[reportArgumentType]


class _Seeds(ISeedSequence):
    """What `numpy.random.SeedSequence` makes of four words, for the one question that PCG64 asks.

    A clip has ten streams, and NumPy's own takes twenty microseconds for each.
    """

    def __init__(self, words: np.ndarray) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint64) -> np.ndarray:
        """(4,) uint64."""
        return _spread(self._words).view(np.uint64)


@numba.njit(cache=True)
def _spread(words: np.ndarray) -> np.ndarray:
    """Eight words (8,) uint32 out of four by M. E. O'Neill's seed sequence (2015), as NumPy has it."""
    low = np.uint64(0xFFFFFFFF)
    pool, result = np.empty(4, np.uint64), np.empty(8, np.uint32)
    constant = np.uint64(0x43B0D7E5)
    for i in range(4):
        value = np.uint64(words[i]) ^ constant
        constant = (constant * np.uint64(0x931E8875)) & low
        value = (value * constant) & low
        pool[i] = value ^ (value >> np.uint64(16))
    for source in range(4):
        for target in range(4):
            if source == target:
                continue
            value = pool[source] ^ constant
            constant = (constant * np.uint64(0x931E8875)) & low
            value = (value * constant) & low
            value ^= value >> np.uint64(16)
            mixed = (np.uint64(0xCA01F9DD) * pool[target] - np.uint64(0x4973F715) * value) & low
            pool[target] = mixed ^ (mixed >> np.uint64(16))
    constant = np.uint64(0x8B51F9DD)
    for i in range(8):
        value = pool[i % 4] ^ constant
        constant = (constant * np.uint64(0x58F38DED)) & low
        value = (value * constant) & low
        result[i] = value ^ (value >> np.uint64(16))
    return result


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
