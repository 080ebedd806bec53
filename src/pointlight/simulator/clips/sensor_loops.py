"""What the sensor's effects do to every pixel, in numba loops. Pictures are uint8 sRGB, light between is linear."""

from __future__ import annotations

from functools import lru_cache
from typing import no_type_check

import numba
import numpy as np
from scipy import special

LINEAR = np.array(
    [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.arange(256) / 255], np.float32
)
"""(256,) linear light of sRGB's levels (IEC 61966-2-1)."""

_STEPS = 1 << 14  # a fifth of a level where levels are closest
_SHARES = np.arange(_STEPS + 1) / _STEPS
_LEVELS = (
    255 * np.where(_SHARES <= 0.0031308, 12.92 * _SHARES, 1.055 * _SHARES ** (1 / 2.4) - 0.055) + 0.5
).astype(np.uint8)

_MOST_STEPS = 9
"""Along a way; one to two a pixel, as long as that is enough."""

_PIECE = 1 << 10
_GRAINS = 1 << 20
_GRAIN_STEPS = 28
"""Steps of the stored noise in its standard deviation; it ends at 4.5 of them."""


@lru_cache(maxsize=1)
def stored_grain() -> np.ndarray:
    """(_GRAINS + _PIECE,) int8 normal noise in a fixed random order, of a mean of 0."""
    normal = _GRAIN_STEPS * special.ndtri((np.arange(_GRAINS) + 0.5) / _GRAINS)
    levels = np.clip(np.rint(normal), -127, 127).astype(np.int8)
    _shuffle(levels)
    return np.concatenate((levels, levels[:_PIECE]))


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _hashed(word: int) -> int:
    """A word of chance of a uint64 (Steele et al. 2014)."""
    word = word * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _shuffle(values: np.ndarray) -> None:
    for n in range(len(values) - 1, 0, -1):
        other = np.int64(_hashed(np.uint64(n)) % np.uint64(n + 1))
        values[n], values[other] = values[other], values[n]


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _level(light: float) -> int:
    """The sRGB level of linear light, held between black and white."""
    held = min(max(light, np.float32(0)), np.float32(1))
    return _LEVELS[int(held * np.float32(_STEPS) + np.float32(0.5))]


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def levels_of(light: np.ndarray) -> np.ndarray:
    """(N,) uint8 sRGB levels of (N,) float32 linear light."""
    levels = np.empty(light.shape, np.uint8)
    for n in range(len(light)):
        levels[n] = _level(light[n])
    return levels


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def shown_motion(forward: np.ndarray, backward: np.ndarray, mask: np.ndarray, motion: np.ndarray) -> None:
    """Fill motion (T, H, W, 2): forward (T-1, H, W, 2) where the mask (T, H, W) is, at last minus backward; else NaN."""
    frames, height, width = mask.shape
    for t in range(frames):
        is_last = t == frames - 1
        flow, sign = (backward[t - 1], np.float32(-1)) if is_last else (forward[t], np.float32(1))
        for row in range(height):
            for column in range(width):
                is_shown = mask[t, row, column]
                for axis in range(2):
                    motion[t, row, column, axis] = (
                        sign * flow[row, column, axis] if is_shown else np.float32(np.nan)
                    )


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def blur_along(image: np.ndarray, motion: np.ndarray, shutter: float, result: np.ndarray) -> None:
    """One frame's motion blur; what lies near the person moves as the person's nearest pixel does.

    Args:
        image: (H, W, 3) uint8.
        motion: (H, W, 2) float32, NaN where the person is not.
        shutter: share of the motion during which light falls in.
        result: (H, W, 3) uint8, a copy of the image; changed where something moves.
    """
    top, bottom, left, right, fastest = _moving_box(motion)
    reach = np.float32(0.5 * shutter * fastest)
    if reach < 0.25:
        return
    height, width = motion.shape[:2]
    around = int(np.ceil(2 * reach)) + 2
    top, bottom = max(top - around, 0), min(bottom + around + 1, height)
    left, right = max(left - around, 0), min(right + around + 1, width)
    light = np.empty((bottom - top, right - left, 3), np.float32)
    for row in range(bottom - top):
        for column in range(right - left):
            for k in range(3):
                light[row, column, k] = LINEAR[image[top + row, left + column, k]]
    window = motion[top:bottom, left:right]
    above = _nearest_in_column(window)
    mean = np.empty(3, np.float32)
    for row in range(bottom - top):
        for column in range(right - left):
            r, c = _nearest(above, row, column, reach + 1)
            if r < 0:
                continue
            dx, dy = window[r, c, 0] * np.float32(shutter), window[r, c, 1] * np.float32(shutter)
            if abs(dx) + abs(dy) >= 0.5:
                _mean_along(light, row, column, dx, dy, mean)
                for k in range(3):
                    result[top + row, left + column, k] = _level(mean[k])


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _moving_box(motion: np.ndarray) -> tuple[int, int, int, int, float]:
    """First and last row, first and last column of known motion, and its largest component; 0 without any."""
    height, width = motion.shape[:2]
    top, bottom, left, right, fastest = height, -1, width, -1, np.float32(0)
    for row in range(height):
        for column in range(width):
            dx, dy = motion[row, column, 0], motion[row, column, 1]
            if dx == dx and dy == dy:
                top, bottom = min(top, row), row
                left, right = min(left, column), max(right, column)
                fastest = max(fastest, abs(dx), abs(dy))
    return top, bottom, left, right, fastest


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _nearest_in_column(motion: np.ndarray) -> np.ndarray:
    """(H, W) int32 the nearest row of known motion in every pixel's own column; -1 where its column has none."""
    height, width = motion.shape[:2]
    nearest = np.empty((height, width), np.int32)
    last = np.full(width, -1, np.int32)
    for row in range(height):
        for column in range(width):
            if motion[row, column, 0] == motion[row, column, 0]:
                last[column] = row
            nearest[row, column] = last[column]
    last[:] = -1
    for row in range(height - 1, -1, -1):
        for column in range(width):
            upper = nearest[row, column]
            if upper == row:
                last[column] = row
            elif last[column] >= 0 and (upper < 0 or last[column] - row < row - upper):
                nearest[row, column] = last[column]
    return nearest


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _nearest(nearest_row: np.ndarray, row: int, column: int, reach: float) -> tuple[int, int]:
    """Row and column of the nearest known pixel within reach; -1 where there is none."""
    found, column_found, best = -1, -1, reach * reach
    for away in range(int(reach) + 1):
        if away * away > best:
            break
        for side in (column - away, column + away):
            if 0 <= side < nearest_row.shape[1] and nearest_row[row, side] >= 0:
                down = nearest_row[row, side] - row
                square = np.float32(away * away + down * down)
                if square < best or (found < 0 and square == best):
                    found, column_found, best = nearest_row[row, side], side, square
    return found, column_found


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _mean_along(light: np.ndarray, row: int, column: int, dx: float, dy: float, mean: np.ndarray) -> None:
    """The mean (3,) of (H, W, 3) along a way centred on a pixel, bilinear, held at the border."""
    last_x, last_y = np.float32(light.shape[1] - 1.001), np.float32(light.shape[0] - 1.001)
    one, half, none = np.float32(1), np.float32(0.5), np.float32(0)
    steps = min(int(1.5 * max(abs(dx), abs(dy))) + 2, _MOST_STEPS)
    red = green = blue = none
    for step in range(steps):
        s = (np.float32(step) + half) / np.float32(steps) - half
        x = min(max(np.float32(column) + s * dx, none), last_x)
        y = min(max(np.float32(row) + s * dy, none), last_y)
        c, r = int(x), int(y)
        fx, fy = x - np.float32(c), y - np.float32(r)
        a, b = (one - fx) * (one - fy), fx * (one - fy)
        d, e = (one - fx) * fy, fx * fy
        red += (
            a * light[r, c, 0] + b * light[r, c + 1, 0] + d * light[r + 1, c, 0] + e * light[r + 1, c + 1, 0]
        )
        green += (
            a * light[r, c, 1] + b * light[r, c + 1, 1] + d * light[r + 1, c, 1] + e * light[r + 1, c + 1, 1]
        )
        blue += (
            a * light[r, c, 2] + b * light[r, c + 1, 2] + d * light[r + 1, c, 2] + e * light[r + 1, c + 1, 2]
        )
    mean[0], mean[1], mean[2] = red / np.float32(steps), green / np.float32(steps), blue / np.float32(steps)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def smear(image: np.ndarray, weights: np.ndarray, gain: np.ndarray, result: np.ndarray) -> None:
    """A symmetric filter along rows and columns, in linear light, and a gain; pictures are mirrored at their border.

    Args:
        image: (H, W, 3) uint8.
        weights: (R + 1,) float32 of a pixel itself and of those 1 to R pixels away.
        gain: (3,) float32 of red, green and blue.
        result: (H, W, 3) uint8, filled.
    """
    height, width = image.shape[:2]
    reach = len(weights) - 1
    light = np.empty((height, 3 * width), np.float32)
    for row in range(height):
        for column in range(width):
            for k in range(3):
                light[row, 3 * column + k] = LINEAR[image[row, column, k]]
    wide = np.empty(3 * (width + 2 * reach), np.float32)
    mean = np.empty(3 * width, np.float32)
    for row in range(height):
        middle = wide[3 * reach : 3 * (reach + width)]
        own, weight = light[row], weights[0]
        for i in range(3 * width):
            middle[i] = weight * own[i]
        for d in range(1, reach + 1):
            above, below = light[_mirrored(row - d, height)], light[_mirrored(row + d, height)]
            weight = weights[d]
            for i in range(3 * width):
                middle[i] += weight * (above[i] + below[i])
        for d in range(1, reach + 1):
            before, behind = 3 * (reach - d), 3 * (reach + width + d - 1)
            inner, outer = _mirrored(-d, width), _mirrored(width + d - 1, width)
            for k in range(3):
                wide[before + k] = middle[3 * inner + k]
                wide[behind + k] = middle[3 * outer + k]
        weight = weights[0]
        for i in range(3 * width):
            mean[i] = weight * middle[i]
        for d in range(1, reach + 1):
            ahead, past = wide[3 * (reach - d) :], wide[3 * (reach + d) :]
            weight = weights[d]
            for i in range(3 * width):
                mean[i] += weight * (ahead[i] + past[i])
        for column in range(width):
            for k in range(3):
                result[row, column, k] = _level(gain[k] * mean[3 * column + k])


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _mirrored(place: int, size: int) -> int:
    """Where a place beyond the border is found: ... 1 0 | 0 1 2 ..., as often as needed."""
    place = place % (2 * size)
    return min(place, 2 * size - 1 - place)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def look_up(frames: np.ndarray, tables: np.ndarray, result: np.ndarray) -> None:
    """Levels (T, H, W, 3) by each frame's own table (T, 256, 3)."""
    times, height, width, _ = frames.shape
    for t in range(times):
        table = tables[t]
        for row in range(height):
            for column in range(width):
                for k in range(3):
                    result[t, row, column, k] = table[frames[t, row, column, k], k]


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def sprinkle(
    levels: np.ndarray, grain: np.ndarray, black: float, slope: float, key: int, result: np.ndarray
) -> None:
    """Add independent normal noise of a standard deviation of black + slope * level, in levels.

    Each piece of the picture has a piece of the stored noise that chance chooses.

    Args:
        levels: (N,) uint8.
        grain: of `stored_grain`.
        black: float32.
        slope: float32.
        key: uint64, of this noise.
        result: (N,) uint8, filled.
    """
    share, half = np.float32(1 / _GRAIN_STEPS), np.float32(0.5)
    black, slope = black * share, slope * share
    for piece in range((len(levels) + _PIECE - 1) // _PIECE):
        first = piece * _PIECE
        start = np.int64(_hashed(key + np.uint64(piece)) & np.uint64(_GRAINS - 1))
        own, noisy = levels[first : first + _PIECE], result[first : first + _PIECE]
        noise = grain[start : start + _PIECE]
        for n in range(len(own)):
            level = np.float32(own[n])
            value = level + (black + slope * level) * np.float32(noise[n]) + half
            noisy[n] = np.uint8(np.int32(min(max(value, np.float32(0)), np.float32(255))))
