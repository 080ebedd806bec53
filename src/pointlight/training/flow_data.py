"""Pairs of pictures whose flow is known at every pixel: layers moved by homographies and smooth warps, and people.

The picture of the second frame is looked up at b(q), where b leads from a pixel of the second frame to that of the
first; the forward flow solves b(p + flow) = p, so that it is exact wherever the layer is in front.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import no_type_check

import cv2
import numba
import numpy as np

from pointlight.randomness import stream
from pointlight.training.flow_film import FilmConfig, filmed
from pointlight.training.flow_shapes import draw_shape
from pointlight.training.flow_sources import FlowSources, PersonPair
from pointlight.values import by_value

MARGIN_PX = 64
"""Layers are known so far beyond the picture, for what moves in from outside."""

_INVERSIONS = 6
"""Steps of the fixed point; each leaves a quarter of the error or less, since warps are no steeper than that."""

_STEEPEST = 0.25
_FINEST_TEXELS = 1.6


@dataclass(frozen=True)
class FlowDataConfig:
    """The distribution of pairs. Lengths are in pixels, speeds in pixels a frame, as at 240x320 and 30 frames/s.

    Attributes:
        size: (height, width) of the pictures.
        layers: least and most layers before the backdrop.
        people: share of layers that are people.
        still: share of pairs whose camera stands; of their layers as many stand too as `resting` says.
        resting: share of layers that move with the backdrop.
        pan_px: mean length of the camera's motion, exponentially distributed.
        own_px: mean length of a layer's own motion.
        fast: share of motions that are four times as long.
        turn_deg: standard deviation of turns, twice as much for layers.
        zoom: standard deviation of the logarithm of the change of size, twice as much for layers.
        tilt: standard deviation of the homography's perspective, of the change over the picture's height.
        warp_px: mean amplitude of smooth warps.
        film: what camera and codec do to both pictures.
    """

    size: tuple[int, int] = (96, 128)
    layers: tuple[int, int] = (1, 5)
    people: float = 0.4
    still: float = 0.2
    resting: float = 0.25
    pan_px: float = 3.0
    own_px: float = 3.5
    fast: float = 0.12
    turn_deg: float = 0.5
    zoom: float = 0.008
    tilt: float = 0.006
    warp_px: float = 0.4
    film: FilmConfig = field(default_factory=FilmConfig)


@by_value
@dataclass(frozen=True)
class FlowPair:
    """Two pictures and the flow between them.

    Attributes:
        first: (H, W, 3) uint8 RGB.
        second: (H, W, 3) uint8 RGB.
        flow_px: (H, W, 2) float32 of what is in front in the first picture; 0 where it is not known.
        known: (H, W) bool, everywhere but at some pixels of people's outlines.
        visible: (H, W) bool, what is still to be seen in the second picture.
    """

    first: np.ndarray
    second: np.ndarray
    flow_px: np.ndarray
    known: np.ndarray
    visible: np.ndarray


class FlowPairs:
    """Pairs by number; each is a pure function of (sources, config, seed, index)."""

    def __init__(self, sources: FlowSources, seed: int, config: FlowDataConfig | None = None) -> None:
        """Choose the distribution.

        Args:
            sources: what layers show.
            seed: of all pairs.
            config: their distribution.
        """
        if not sources.pictures:
            raise ValueError("pairs are made of pictures, and there are none")
        self.sources = sources
        self.seed = seed
        self.config = config or FlowDataConfig()

    def pair(self, index: int) -> FlowPair:
        """Pair `index`."""
        config, rng = self.config, stream(self.seed, index, "flow layers")
        height, width = config.size
        still = rng.random() < config.still
        pan = np.zeros(2) if still else _push(config.pan_px, config.fast, rng)
        camera = _homography(config, pan, 0.0 if still else 1.0, np.array([width, height]) / 2, rng)
        canvas = _Canvas(config.size)
        canvas.add(_Layer.of(camera, _warp(config, rng) * (not still), None), self._texture(rng))
        for _ in range(int(rng.integers(config.layers[0], config.layers[1] + 1))):
            if self.sources.people and rng.random() < config.people:
                person = self.sources.people[int(rng.integers(len(self.sources.people)))]
                canvas.add_person(person, np.rint(pan).astype(int), rng)
                continue
            centre = rng.uniform(0, 1, 2) * (width, height)
            shape = draw_shape((height + 2 * MARGIN_PX, width + 2 * MARGIN_PX), centre + MARGIN_PX, rng)
            moved, warp = camera, np.zeros((*shape.shape, 2), np.float32)
            if rng.random() >= config.resting:
                own = pan * rng.uniform(0, 0.5) + _push(config.own_px, config.fast, rng)
                moved = _homography(config, own, 2.0, centre, rng) @ camera
                warp = _warp(config, rng)
            canvas.add(_Layer.of(moved, warp, shape), self._texture(rng))
        pair = canvas.pair()
        way = np.median(pair.flow_px, axis=(0, 1))
        frames = filmed(np.stack((pair.first, pair.second)), way, config.film, self.seed, index)
        return _mirrored(replace(pair, first=frames[0], second=frames[1]), rng)

    def _texture(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A picture, and the (2, 3) map from the pair's pixels to its own."""
        picture = self.sources.pictures[int(rng.integers(len(self.sources.pictures)))]
        finer = np.exp(rng.uniform(np.log(0.4), np.log(_FINEST_TEXELS)))
        angle = np.radians(rng.normal(0, 12) + 90 * rng.integers(4) * (rng.random() < 0.3))
        cos, sin = finer * np.cos(angle), finer * np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        middle = rng.uniform(0.2, 0.8, 2) * (picture.shape[1], picture.shape[0])
        height, width = self.config.size
        return picture, np.column_stack((turn, middle - turn @ np.array([width / 2, height / 2])))


@dataclass(frozen=True)
class _Layer:
    """Where one layer is.

    Attributes:
        to_first: (H, W, 2) float32, for each pixel of the second picture the place in the first.
        flow_px: (H, W, 2) float32 forward, were nothing before the layer.
        first: (H, W) float32 how much it covers in the first picture.
        second: (H, W) float32 the same in the second.
    """

    to_first: np.ndarray
    flow_px: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, forward: np.ndarray, warp: np.ndarray, shape: np.ndarray | None) -> _Layer:
        """A layer by its motion.

        Args:
            forward: (3, 3) homography.
            warp: (H + 2 margins, W + 2 margins, 2) what is added to its inverse.
            shape: (H + 2 margins, W + 2 margins) float32 cover in the first picture; everywhere if None.
        """
        to_first, flow = _moves(forward, np.linalg.inv(forward), warp, MARGIN_PX)
        if shape is None:
            whole = np.ones(flow.shape[:2], np.float32)
            return cls(to_first, flow, whole, whole)
        place = to_first + np.float32(MARGIN_PX)
        second = cv2.remap(shape, place[..., 0], place[..., 1], cv2.INTER_LINEAR)
        return cls(to_first, flow, shape[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX], second)


class _Canvas:
    """Layers laid over one another, in both pictures."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._pictures = [np.zeros((*size, 3), np.float32) for _ in range(2)]
        self._owner = [np.zeros(size, np.int16) for _ in range(2)]
        self._flow = np.zeros((*size, 2), np.float32)
        self._count = 0
        self._size = size
        self._place = np.stack(np.meshgrid(np.arange(size[1]), np.arange(size[0])), -1).astype(np.float32)

    def add(self, layer: _Layer, texture: tuple[np.ndarray, np.ndarray]) -> None:
        """Lay one layer over the others."""
        picture, matrix = texture
        places, covers = (self._place, layer.to_first), (layer.first, layer.second)
        for canvas, place, cover in zip(self._pictures, places, covers, strict=True):
            at = cv2.transform(place, matrix)
            colour = cv2.remap(
                picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
            )
            _lay(canvas, colour, cover)
        self._own(layer.first > 0.5, layer.second > 0.5, layer.flow_px)

    def add_person(self, person: PersonPair, shift: np.ndarray, rng: np.random.Generator) -> None:
        """Lay a person over the others, somewhere, moved by whole pixels more than they move themselves."""
        height, width = self._size
        flip = rng.random() < 0.5
        colour, mask, flow = person.colour, person.mask, person.flow_px
        if flip:
            colour, mask, flow = (
                colour[:, :, ::-1],
                mask[:, :, ::-1],
                flow[:, ::-1] * np.array((-1, 1), np.float32),
            )
        rows, columns = np.nonzero(mask[0])
        chosen = int(rng.integers(len(rows)))
        corner = np.array([columns[chosen], rows[chosen]]) - rng.integers(0, (width, height))
        soft = rng.uniform(0.3, 0.8)
        owned = []
        for number in range(2):
            window = corner - number * shift
            shown = _cut_out(mask[number], window, self._size).astype(np.float32)
            painted = _cut_out(colour[number], window, self._size).astype(np.float32)
            cover = cv2.GaussianBlur(shown, (0, 0), soft)[..., None]
            smooth = cv2.GaussianBlur(painted * shown[..., None], (0, 0), soft)
            self._pictures[number] = self._pictures[number] * (1 - cover) + smooth
            owned.append(shown > 0)
        there = _cut_out(np.nan_to_num(flow, nan=np.inf), corner, self._size, np.inf)
        self._own(owned[0], owned[1], there + shift.astype(np.float32))

    def _own(self, first: np.ndarray, second: np.ndarray, flow_px: np.ndarray) -> None:
        self._count += 1
        self._owner[0][first] = self._count
        self._owner[1][second] = self._count
        self._flow[first] = flow_px[first]

    def pair(self) -> FlowPair:
        """What was laid."""
        height, width = self._size
        known = np.all(np.isfinite(self._flow), axis=-1)
        flow = np.where(known[..., None], self._flow, 0).astype(np.float32)
        row, column = np.mgrid[:height, :width]
        x, y = np.rint(column + flow[..., 0]).astype(int), np.rint(row + flow[..., 1]).astype(int)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        owner = self._owner[1][y.clip(0, height - 1), x.clip(0, width - 1)]
        first, second = ((picture + 0.5).clip(0, 255).astype(np.uint8) for picture in self._pictures)
        return FlowPair(first, second, flow, known, known & inside & (owner == self._owner[0]))


def _push(mean_px: float, fast: float, rng: np.random.Generator) -> np.ndarray:
    """A motion (2,) in any direction, more often along x."""
    angle = rng.uniform(0, 2 * np.pi)
    length = rng.exponential(mean_px) * (4 if rng.random() < fast else 1)
    return length * np.array([np.cos(angle), rng.uniform(0.3, 1.0) * np.sin(angle)])


def _homography(
    config: FlowDataConfig, push: np.ndarray, amount: float, about: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(3, 3) turn, zoom, tilt and push about a place; all draws are made, whatever the amount."""
    turn, grow, *tilt = rng.normal(0, 1, 4) * amount
    angle, size = np.radians(config.turn_deg * turn), np.exp(config.zoom * grow)
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    to = np.array([[1, 0, -about[0]], [0, 1, -about[1]], [0, 0, 1]])
    back = np.array([[1, 0, about[0] + push[0]], [0, 1, about[1] + push[1]], [0, 0, 1]])
    tilted = np.array([*(config.tilt / config.size[0] * np.array(tilt)), 1.0])
    return back @ np.array([[cos, -sin, 0], [sin, cos, 0], tilted]) @ to


def _warp(config: FlowDataConfig, rng: np.random.Generator) -> np.ndarray:
    """A smooth field (H + 2 margins, W + 2 margins, 2) float32 that is nowhere steep."""
    height, width = (side + 2 * MARGIN_PX for side in config.size)
    wave = rng.uniform(25, 90)
    amplitude = min(rng.exponential(config.warp_px), 0.5 * _STEEPEST * wave / 3)
    coarse = rng.uniform(-1, 1, (int(height / wave) + 2, int(width / wave) + 2, 2)).astype(np.float32)
    return cv2.resize(np.float32(amplitude) * coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _moves(
    forward: np.ndarray, inverse: np.ndarray, warp: np.ndarray, margin: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where every pixel of the second picture was, and the flow of every pixel of the first, (H, W, 2) float32 each.

    A pixel q was at b(q) = inverse(q) + warp(q); the flow's end solves q = forward(p - warp(q)).
    """
    height, width = warp.shape[0] - 2 * margin, warp.shape[1] - 2 * margin
    was = np.empty((height, width, 2), np.float32)
    flow = np.empty((height, width, 2), np.float32)
    for v in range(height):
        for u in range(width):
            depth = inverse[2, 0] * u + inverse[2, 1] * v + inverse[2, 2]
            was[v, u, 0] = (inverse[0, 0] * u + inverse[0, 1] * v + inverse[0, 2]) / depth + warp[
                v + margin, u + margin, 0
            ]
            was[v, u, 1] = (inverse[1, 0] * u + inverse[1, 1] * v + inverse[1, 2]) / depth + warp[
                v + margin, u + margin, 1
            ]
            dx, dy, x, y = 0.0, 0.0, 0.0, 0.0
            for step in range(_INVERSIONS):
                px, py = u - dx, v - dy
                depth = forward[2, 0] * px + forward[2, 1] * py + forward[2, 2]
                nx = (forward[0, 0] * px + forward[0, 1] * py + forward[0, 2]) / depth
                ny = (forward[1, 0] * px + forward[1, 1] * py + forward[1, 2]) / depth
                moved = abs(nx - x) + abs(ny - y)
                x, y = nx, ny
                if step > 0 and moved < 1e-4:
                    break
                c = min(max(x + margin, 0.0), warp.shape[1] - 1.001)
                r = min(max(y + margin, 0.0), warp.shape[0] - 1.001)
                i, j = int(r), int(c)
                fy, fx = r - i, c - j
                w00, w01, w10, w11 = (1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx
                dx = w00 * warp[i, j, 0] + w01 * warp[i, j + 1, 0]
                dx += w10 * warp[i + 1, j, 0] + w11 * warp[i + 1, j + 1, 0]
                dy = w00 * warp[i, j, 1] + w01 * warp[i, j + 1, 1]
                dy += w10 * warp[i + 1, j, 1] + w11 * warp[i + 1, j + 1, 1]
            flow[v, u, 0], flow[v, u, 1] = x - u, y - v
    return was, flow


@numba.njit(cache=True)
@no_type_check
def _lay(canvas: np.ndarray, colour: np.ndarray, cover: np.ndarray) -> None:
    """Colours (H, W, 3) over a canvas of floats, as far as they cover (H, W), in place."""
    for v in range(canvas.shape[0]):
        for u in range(canvas.shape[1]):
            share = cover[v, u]
            if share > 0:
                for k in range(3):
                    canvas[v, u, k] += share * (np.float32(colour[v, u, k]) - canvas[v, u, k])


def _cut_out(picture: np.ndarray, corner: np.ndarray, size: tuple[int, int], fill: float = 0) -> np.ndarray:
    """The window (H, W, ...) of a picture that begins at `corner` (x, y); `fill` outside."""
    (x, y), (height, width) = (int(value) for value in corner), size
    result = np.full((height, width, *picture.shape[2:]), fill, picture.dtype)
    top, left = max(y, 0), max(x, 0)
    part = picture[top : max(y + height, 0), left : max(x + width, 0)]
    result[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]] = part
    return result


def _mirrored(pair: FlowPair, rng: np.random.Generator) -> FlowPair:
    """Half of the pairs left-right, a tenth upside down."""
    sideways, upside = rng.random(2) < (0.5, 0.1)
    step = (-1 if upside else 1, -1 if sideways else 1)
    turned = (np.ascontiguousarray(part[:: step[0], :: step[1]]) for part in vars(pair).values())
    first, second, flow, known, visible = turned
    return FlowPair(first, second, flow * np.array(step[::-1], np.float32), known, visible)
