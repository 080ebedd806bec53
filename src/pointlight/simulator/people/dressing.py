"""Puts an appearance on a body: paints its texture and moves its vertices out to where the clothes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import no_type_check

import numba
import numpy as np

from pointlight.simulator.drawing.lighting import vertex_normals
from pointlight.simulator.people.appearance import Appearance, Layer
from pointlight.simulator.people.surface import (
    BLOCK,
    FIELDS,
    TEXTURE_PX,
    BodySurface,
    Texels,
    towards_neighbours,
)

_LINEAR = np.array(
    [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.arange(256) / 255], np.float32
)
"""sRGB's transfer function (IEC 61966-2-1)."""

_EDGE_M = 0.014
"""Over which a garment's thickness rises from its edge."""
_EDGE_RATE = np.float32(0.4)
"""Edges wander more slowly than folds."""
_HEM_M = 0.006
_HOLLOW_M = 0.008
"""A point so far below its surroundings' mean is a full hollow."""
_SMOOTH_STEPS = 6
_SHOE_STEPS = 25
"""So many steps join the toes into one."""
_HOLLOW_STEPS = 8
_ARM, _DROP, _FOOT = (FIELDS.index(name) for name in ("arm", "drop", "foot"))


@dataclass(frozen=True)
class _Pattern:
    """The layers as arrays for the loops.

    Attributes:
        first: (L + 1,) where a layer's bounds begin.
        fields: (M,) which field; lows, highs: (M,) float32.
        numbers: (L, 10) float32 soft, wobble, hem, thickness, flare, flare_below, sleeve_flare, folds, smooth, tile_m.
        shifts: (L, 2) float32.
        waves: (L, 6, 4) float32.
    """

    first: np.ndarray
    fields: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    numbers: np.ndarray
    shifts: np.ndarray
    waves: np.ndarray

    @classmethod
    def of(cls, layers: tuple[Layer, ...]) -> _Pattern:
        bounds = [bound for layer in layers for bound in layer.bounds]
        waves = np.zeros((len(layers), 6, 4), np.float32)
        for row, layer in zip(waves, layers, strict=True):
            row[: len(layer.fold_waves)] = layer.fold_waves
        return cls(
            np.cumsum([0, *(len(layer.bounds) for layer in layers)]),
            np.array([FIELDS.index(name) for name, _, _ in bounds], np.int64),
            np.array([low for _, low, _ in bounds], np.float32),
            np.array([high for _, _, high in bounds], np.float32),
            np.array([_numbers(layer) for layer in layers], np.float32),
            np.array([layer.shift_m for layer in layers], np.float32),
            waves,
        )


def _numbers(layer: Layer) -> tuple[float, ...]:
    stands = (layer.thickness_m, layer.flare, layer.flare_below_m, layer.sleeve_flare, layer.folds_m)
    return (layer.soft_m, layer.wobble_m, layer.hem, *stands, layer.smooth, layer.tile_m)


def paint(appearance: Appearance, texels: Texels) -> np.ndarray:
    """(size, size, 3) float32 linear RGB of the appearance's layers on the UV map."""
    pattern = _Pattern.of(appearance.layers)
    tiles = linear_tile(np.stack([layer.tile for layer in appearance.layers]), texels.size)
    colours = _paint(
        *(texels.lowest, texels.highest, texels.fields),
        texels.cloth_m,
        texels.rest_m,
        tiles,
        pattern.first,
        pattern.fields,
        pattern.lows,
        pattern.highs,
        pattern.numbers,
        pattern.shifts,
        pattern.waves,
    )
    return _spread(colours, texels.of)


def linear_tile(tile: np.ndarray, size: int) -> np.ndarray:
    """(..., P, P, 3) float32 linear of sRGB tiles, at half their size for a texture of at most half the full one."""
    linear = _LINEAR.take(tile, mode="clip")  # which looks at no bounds
    return linear if size > TEXTURE_PX // 2 else halved(linear)


def halved(pictures: np.ndarray) -> np.ndarray:
    """Pictures (..., H, W, C) at half their size, each texel the mean of four."""
    rows = pictures[..., ::2, :, :] + pictures[..., 1::2, :, :]
    return np.float32(0.25) * (rows[..., ::2, :] + rows[..., 1::2, :])


def dress(appearance: Appearance, surface: BodySurface, rest_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The body at rest in its clothes.

    Args:
        appearance: the layers.
        surface: of the body.
        rest_m: (V, 3) its vertices at rest, naked.

    Returns:
        (V, 3) float32 vertices at rest, and (V,) float32 how much of the light from around reaches them.
    """
    rest_m = np.asarray(rest_m, np.float32)
    outer = rest_m
    if appearance.offset:
        pattern = _Pattern.of(appearance.layers)
        stands, smooth = _thickness(
            surface.fields,
            surface.rest_m,
            pattern.first,
            pattern.fields,
            pattern.lows,
            pattern.highs,
            pattern.numbers,
            pattern.waves,
        )
        under = surface.smoothed(rest_m, _SMOOTH_STEPS, keeps_size=True)
        feet = surface.foot_vertices
        soft = under[feet]
        for _ in range(_SHOE_STEPS):
            soft = towards_neighbours(surface.foot_neighbours, soft, 0.6)
        under[feet] = soft
        normals = vertex_normals(under, surface.faces)
        stands = surface.smoothed(stands[:, None], 2)
        outer = rest_m + smooth[:, None] * (under - rest_m) + stands * normals
    shade = np.ones(len(rest_m), np.float32)
    if appearance.occlusion_shade:
        hollow = (
            (surface.smoothed(outer, _HOLLOW_STEPS) - outer) * vertex_normals(outer, surface.faces)
        ).sum(1)
        shade = 1 - np.float32(appearance.occlusion_shade) * (hollow / _HOLLOW_M).clip(-0.15, 1)
    return outer.astype(np.float32), shade.astype(np.float32)


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _inside(
    own: np.ndarray,
    n: int,
    first: int,
    last: int,
    fields: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    give_up: float,
) -> float:
    """How far inside all bounds point n is, metres; negative outside."""
    depth = np.float32(1.0)
    for m in range(first, last):
        value = own[n, fields[m]]
        depth = min(depth, value - lows[m], highs[m] - value)
        if depth < give_up:
            break
    return depth


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _ripple(waves: np.ndarray, layer: int, places: np.ndarray, n: int, count: int, rate: float) -> float:
    """A smooth random function of the place of point n, about -1 to 1."""
    total = np.float32(0.0)
    for w in range(count):
        phase = waves[layer, w, 0] * places[n, 0] + waves[layer, w, 1] * places[n, 1]
        phase += waves[layer, w, 2] * places[n, 2]
        total += np.sin(rate * phase + waves[layer, w, 3])
    return total / np.sqrt(np.float32(count))


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _on_tile(shares: float, side: int) -> tuple[int, int, float]:
    """Two neighbouring texels of a tile that repeats, and the second one's weight, at a place in tiles."""
    place = (shares - np.floor(shares)) * np.float32(side)
    first = min(int(place), side - 1)
    return first, first + 1 if first + 1 < side else 0, place - np.float32(first)


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _layers_of_block(
    lowest: np.ndarray,
    highest: np.ndarray,
    block: int,
    first: np.ndarray,
    fields: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    numbers: np.ndarray,
    chosen: np.ndarray,
) -> int:
    """Choose the layers that may be seen somewhere in a block of texels, from the outermost inwards; says how many."""
    count = 0
    for layer in range(numbers.shape[0] - 1, -1, -1):
        edge = numbers[layer, 0] + np.float32(2) * numbers[layer, 1]
        outermost, innermost = np.float32(1), np.float32(1)
        for m in range(first[layer], first[layer + 1]):
            low, high = lowest[block, fields[m]], highest[block, fields[m]]
            outermost = min(outermost, low - lows[m], highs[m] - high)
            innermost = min(innermost, high - lows[m], highs[m] - low)
        if innermost >= -edge:
            chosen[count] = layer
            count += 1
            if outermost > edge:
                break  # it hides what lies under it
    return count


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _paint(
    lowest: np.ndarray,
    highest: np.ndarray,
    own_fields: np.ndarray,
    cloth: np.ndarray,
    places: np.ndarray,
    tiles: np.ndarray,
    first: np.ndarray,
    fields: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    numbers: np.ndarray,
    shifts: np.ndarray,
    waves: np.ndarray,
) -> np.ndarray:
    """(N + 1, 3) colours of texels, the last one black: layers from the outermost inwards until nothing shines through."""
    count, side = own_fields.shape[0], tiles.shape[1]
    colours = np.zeros((count + 1, 3), np.float32)
    one, two = np.float32(1), np.float32(2)
    chosen = np.empty(numbers.shape[0], np.int64)
    layers = 0
    for n in range(count):
        if n % BLOCK == 0:
            layers = _layers_of_block(
                lowest, highest, n // BLOCK, first, fields, lows, highs, numbers, chosen
            )
        left = one
        for number in range(layers):
            layer = chosen[number]
            soft, wobble, hem = numbers[layer, 0], numbers[layer, 1], numbers[layer, 2]
            beyond = -soft - two * wobble
            depth = _inside(own_fields, n, first[layer], first[layer + 1], fields, lows, highs, beyond)
            if depth < beyond:
                continue
            if wobble > 0 and depth < soft + two * wobble + np.float32(4 * _HEM_M):
                depth += wobble * _ripple(waves, layer, places, n, 3, _EDGE_RATE)
            alpha = min(max(depth / soft + np.float32(0.5), np.float32(0.0)), one)
            if alpha == 0:
                continue
            c0, c1, fu = _on_tile(cloth[n, 0] / numbers[layer, 9] + shifts[layer, 0], side)
            r0, r1, fv = _on_tile(cloth[n, 1] / numbers[layer, 9] + shifts[layer, 1], side)
            shade = left * alpha
            if hem > 0 and depth < np.float32(4 * _HEM_M):
                shade *= one - hem * np.exp(-max(depth, np.float32(0)) / np.float32(_HEM_M))
            for i in range(3):
                upper = tiles[layer, r0, c0, i] * (one - fu) + tiles[layer, r0, c1, i] * fu
                lower = tiles[layer, r1, c0, i] * (one - fu) + tiles[layer, r1, c1, i] * fu
                colours[n, i] += shade * (upper * (one - fv) + lower * fv)
            left *= one - alpha
            if left < 0.004:
                break
    return colours


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _spread(colours: np.ndarray, of: np.ndarray) -> np.ndarray:
    """(H, W, 3) of colours (N + 1, 3) by number (H, W); -1, far from every island, is the last one."""
    height, width = of.shape
    texture = np.empty((height, width, 3), np.float32)
    for row in range(height):
        for column in range(width):
            n = of[row, column]
            for k in range(3):
                texture[row, column, k] = colours[n, k]
    return texture


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _thickness(
    own_fields: np.ndarray,
    places: np.ndarray,
    first: np.ndarray,
    fields: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    numbers: np.ndarray,
    waves: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(V,) how far the outermost clothes stand off, and (V,) how much of the body's own form they level."""
    count = own_fields.shape[0]
    stands, smooth = np.zeros(count, np.float32), np.zeros(count, np.float32)
    for v in range(count):
        for layer in range(numbers.shape[0]):
            if numbers[layer, 3] == 0 and numbers[layer, 8] == 0:
                continue
            depth = _inside(own_fields, v, first[layer], first[layer + 1], fields, lows, highs, -0.02)
            if depth < -0.02:
                continue
            depth += numbers[layer, 1] * _ripple(waves, layer, places, v, 3, _EDGE_RATE)
            rise = min(max(depth / _EDGE_M + 0.3, 0.0), 1.0)
            rise = rise * rise * (3 - 2 * rise)
            off = numbers[layer, 3]
            off += numbers[layer, 4] * max(numbers[layer, 5] - own_fields[v, _DROP], 0.0)
            off += numbers[layer, 6] * max(own_fields[v, _ARM], 0.0)
            if numbers[layer, 7] > 0:
                off += numbers[layer, 7] * _ripple(waves, layer, places, v, 6, np.float32(1.0))
            stands[v] = max(stands[v], rise * off)
            smooth[v] = max(smooth[v], rise * numbers[layer, 8])
    return stands, smooth
