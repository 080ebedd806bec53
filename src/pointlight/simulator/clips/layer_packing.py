"""Layers of a clip as few bytes, fast: masks, labels, and smooth numbers as differences along the rows."""

from __future__ import annotations

import zlib
from typing import NamedTuple, no_type_check

import numba
import numpy as np

UNKNOWN = -32768
"""Of whole steps: nobody knows."""


class _Piece(NamedTuple):
    """Bytes, and how zlib is to pack them."""

    content: np.ndarray
    level: int
    strategy: int


def packed_mask(mask: np.ndarray) -> np.ndarray:
    """A mask's bits, deflated; nothing where nothing is."""
    bits = np.packbits(mask) if mask.any() else np.zeros(0, np.uint8)
    return _deflated(_Piece(bits, 1, zlib.Z_DEFAULT_STRATEGY))


def packed_labels(labels: np.ndarray) -> np.ndarray:
    """(N,) uint8 labels, deflated."""
    return _deflated(_runs(labels))


def packed_numbers(numbers: np.ndarray) -> np.ndarray:
    """(N,) 16-bit numbers as differences, deflated."""
    low, high = _bytes_of(_differences(numbers))
    return _deflated(_stored(low), _runs(high))


def packed_pairs(pairs: np.ndarray) -> np.ndarray:
    """(2, N) 16-bit numbers as differences, deflated.

    The four lowest bits of both are as good as chance and are one byte as it is; to look for their most frequent values,
    as zlib does, takes five times as long and saves a tenth.
    """
    x, y = _differences(pairs[0]), _differences(pairs[1])
    (low_x, high_x), (low_y, high_y) = _bytes_of(x), _bytes_of(y)
    lowest = (low_x & 15) | (low_y << 4)
    middle = (low_x >> 4) | (low_y & 240)
    return _deflated(_stored(lowest), _runs(middle), _runs(high_x), _runs(high_y))


def inflated(packed: np.ndarray) -> np.ndarray:
    """(N,) uint8 that was deflated.

    Raises:
        zlib.error: it is broken.
    """
    return np.frombuffer(zlib.decompress(packed.data), np.uint8)


def numbers_of(content: np.ndarray) -> np.ndarray:
    """(..., N) int16 of bytes (..., 2 N) in two planes: `packed_numbers`, inflated."""
    low, high = np.moveaxis(content.reshape(*content.shape[:-1], 2, -1), -2, 0).astype(np.uint16)
    return _summed(low | (high << 8))


def pairs_of(content: np.ndarray) -> np.ndarray:
    """(2, N) int16 of `packed_pairs`, inflated."""
    lowest, middle, high_x, high_y = content.reshape(4, -1).astype(np.uint16)
    x = (lowest & 15) | ((middle & 15) << 4) | (high_x << 8)
    y = (lowest >> 4) | (middle & 240) | (high_y << 8)
    return _summed(np.stack((x, y)))


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _differences(numbers: np.ndarray) -> np.ndarray:
    """(N,) uint16 differences of 16-bit numbers: on smooth surfaces they are small.

    They are modulo the type's range and alternate, 0, -1, 1, -2, ... becoming 0, 1, 2, 3, ...
    """
    result = np.empty(len(numbers), np.uint16)
    last = 0
    for n in range(len(numbers)):
        number = int(numbers[n])
        difference = ((number - last + 32768) & 65535) - 32768
        result[n] = ((difference << 1) ^ (difference >> 16)) & 65535
        last = number
    return result


def _summed(alternating: np.ndarray) -> np.ndarray:
    """(..., N) int16 numbers of their `_differences`."""
    signed = (alternating >> 1).view(np.int16) ^ -(alternating & 1).view(np.int16)
    return np.cumsum(signed, -1, np.int16)


def _bytes_of(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high bytes (N,) uint8 of (N,) uint16."""
    return (numbers & 255).astype(np.uint8), (numbers >> 8).astype(np.uint8)


def rows_of(pairs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(N, 2) some rows of (P, 2) float32; taken as one number each, which NumPy does at once."""
    return pairs.view(np.float64).ravel().take(rows).view(np.float32).reshape(-1, 2)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def largest_of(pairs: np.ndarray) -> float:
    """The largest finite number of (N, 2), regardless of sign."""
    largest = np.float32(0)
    for n in range(len(pairs)):
        for axis in range(2):
            size = abs(pairs[n, axis])
            if size > largest and size < np.inf:
                largest = size
    return largest


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def whole_steps(pairs: np.ndarray, step: float) -> np.ndarray:
    """(2, N) int16 of (N, 2) float32 in float32 steps; `UNKNOWN` where they are not finite."""
    whole = np.empty((2, len(pairs)), np.int16)
    for n in range(len(pairs)):
        for axis in range(2):
            value = pairs[n, axis]
            whole[axis, n] = np.int16(np.rint(value / step)) if np.isfinite(value) else UNKNOWN
    return whole


def _runs(content: np.ndarray) -> _Piece:
    """Bytes that are often the one before."""
    return _Piece(content, 1, zlib.Z_RLE)


def _stored(content: np.ndarray) -> _Piece:
    """Bytes that are as good as chance: packing the low ones of depth would save a fifteenth of them."""
    return _Piece(content, 0, zlib.Z_DEFAULT_STRATEGY)


def _deflated(*pieces: _Piece) -> np.ndarray:
    """(N,) uint8, one zlib stream (RFC 1950) of all pieces."""
    packed, checksum = [b"\x78\x01"], zlib.adler32(b"")
    for number, piece in enumerate(pieces, start=1):
        content = np.ascontiguousarray(piece.content).data
        deflater = zlib.compressobj(piece.level, wbits=-zlib.MAX_WBITS, strategy=piece.strategy)
        ends = zlib.Z_FINISH if number == len(pieces) else zlib.Z_SYNC_FLUSH
        packed += deflater.compress(content), deflater.flush(ends)
        checksum = zlib.adler32(content, checksum)
    return np.frombuffer(b"".join((*packed, checksum.to_bytes(4, "big"))), np.uint8)
