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
