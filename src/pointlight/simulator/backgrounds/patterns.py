"""Procedural textures that repeat without a seam, in families that belong to a split each."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from scipy.fft import irfft2
from scipy.spatial import KDTree

SIDE_PX = 512

Palette = np.ndarray


def make_texture(family: str, rng: np.random.Generator) -> np.ndarray:
    """A texture (512, 512, 3) uint8 RGB that repeats in both directions; `family` is a key of `TEXTURE_SPLITS`."""
    image = _FAMILIES[family](rng)
    # Nothing outdoors is evenly lit or clean: large soft shades and fine grain over everything.
    grain = rng.standard_normal((SIDE_PX, SIDE_PX), np.float32)
    shade = 1 + rng.uniform(0.03, 0.22) * _noise(rng, 1.8) + rng.uniform(0.01, 0.06) * grain
    return np.clip(image * shade[..., None], 0, 255).astype(np.uint8)


def periodic_curve(rng: np.random.Generator, roughness: float, steps: int = 0) -> np.ndarray:
    """A curve (512,) with unit variance whose ends meet.

    Args:
        rng: the generator.
        roughness: power of the spectrum's fall; 2 is a range of hills, 1 a ragged hedge.
        steps: if not 0, the curve is this many level pieces of varied width, like roofs.
    """
    if steps:
        edges = np.sort(rng.choice(SIDE_PX, steps, replace=False))
        heights = rng.normal(0, 1, steps)
        return heights[np.searchsorted(edges, np.arange(SIDE_PX)) % steps]
    frequency = np.arange(SIDE_PX // 2 + 1)
    spectrum = rng.normal(0, 1, (2, len(frequency))) / np.maximum(frequency, 1) ** roughness
    spectrum[:, 0] = 0
    curve = np.fft.irfft(spectrum[0] + 1j * spectrum[1], SIDE_PX)
    return curve / curve.std()


def _noise(rng: np.random.Generator, fall: float, stretch: tuple[float, float] = (1.0, 1.0)) -> np.ndarray:
    """(512, 512) noise with unit variance whose spectrum falls with a power of the frequency."""
    fy = np.fft.fftfreq(SIDE_PX)[:, None] * stretch[1]
    fx = np.fft.rfftfreq(SIDE_PX)[None] * stretch[0]
    weight = (np.maximum(np.hypot(fx, fy), 1 / SIDE_PX) ** -fall).astype(np.float32)
    weight[0, 0] = 0
    turn = 2 * np.pi * rng.random(weight.shape, np.float32)
    noise = np.asarray(irfft2(weight * (np.cos(turn) + 1j * np.sin(turn)), (SIDE_PX, SIDE_PX)))
    return noise / noise.std()


def _palette(rng: np.random.Generator, count: int) -> Palette:
    """(count, 3) colours 0..255 of one or two hues, mostly muted."""
    hues = rng.random() + rng.choice([0.0, 0.0, 0.5, 0.33]) * rng.integers(0, 2, count)
    hues = hues + rng.normal(0, 0.04, count)
    saturation = np.clip(0.8 * rng.beta(1.2, 3.0) + rng.normal(0, 0.08, count), 0, 0.95)
    value = np.clip(rng.uniform(0.25, 0.9) + rng.normal(0, 0.2, count), 0.08, 1)
    return 255 * np.array(
        [colorsys.hsv_to_rgb(h % 1, s, v) for h, s, v in zip(hues, saturation, value, strict=True)]
    )


def _graded(values: np.ndarray, palette: Palette) -> np.ndarray:
    """Colours along a palette; `values` from 0 to 1."""
    shades = np.linspace(0, len(palette) - 1, 256)
    table = np.stack([np.interp(shades, np.arange(len(palette)), c) for c in palette.T], -1).astype(
        np.float32
    )
    return table[(255 * np.clip(values, 0, 1)).astype(np.uint8)]


def _clouds(rng: np.random.Generator) -> np.ndarray:
    return _graded(0.5 + 0.28 * _noise(rng, rng.uniform(1.0, 1.9)), _palette(rng, 4))


def _grass(rng: np.random.Generator) -> np.ndarray:
    along = rng.uniform(3, 8)
    stretch = (along, 1.0) if rng.random() < 0.5 else (1.0, along)
    return _graded(0.5 + 0.25 * _noise(rng, rng.uniform(0.7, 1.3), stretch), _palette(rng, 3))


def _grain(rng: np.random.Generator) -> np.ndarray:
    """Bands like wood or rock: a wave whose phase is disturbed."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX
    turns = rng.integers(-14, 15, 2)
    wave = 2 * np.pi * (turns[0] * x + turns[1] * y) + rng.uniform(1, 5) * _noise(rng, 1.8)
    return _graded(0.5 + 0.5 * np.sin(wave), _palette(rng, 4))


def _masonry(rng: np.random.Generator) -> np.ndarray:
    """Bricks or tiles, each with its own colour, and joints."""
    rows = int(rng.choice([8, 16, 32]))
    columns = int(rng.choice([4, 8, 16]))
    offset = rng.choice([0.0, 0.5]) * (SIDE_PX / columns)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    row = y * rows // SIDE_PX
    x = (x + (row % 2) * offset) % SIDE_PX
    column = (x * columns // SIDE_PX).astype(int)
    stones = _graded(rng.random((rows, columns)), _palette(rng, 3)) + rng.normal(0, 8, (rows, columns, 1))
    joint_px = rng.uniform(1.5, 5)
    inside = np.minimum(y % (SIDE_PX / rows), x % (SIDE_PX / columns))
    joint = np.clip(joint_px - inside, 0, 1)[..., None]
    return stones[row, column] * (1 - joint) + _palette(rng, 1)[0] * joint


def _pebbles(rng: np.random.Generator) -> np.ndarray:
    """Cells about random centres, darker towards their edges."""
    centres = rng.uniform(0, SIDE_PX, (int(rng.integers(60, 900)), 2))
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    points = np.stack((x, y), -1).reshape(-1, 2) + 0.5
    distance, nearest = map(np.asarray, KDTree(centres, boxsize=SIDE_PX).query(points, k=2))
    rim = np.clip((distance[:, 1] - distance[:, 0]) / rng.uniform(3, 9), 0, 1)
    colours = _graded(rng.random(len(centres)), _palette(rng, 4))
    flat = colours[nearest[:, 0]] * (rng.uniform(0.2, 0.7) * (1 - rim) + rim)[:, None]
    return flat.reshape(SIDE_PX, SIDE_PX, 3)


def _leaves(rng: np.random.Generator) -> np.ndarray:
    """Many small pointed shapes one over the other."""
    palette = _palette(rng, 4)
    palette[0] *= 0.4
    length, slim = rng.uniform(8, 34), rng.uniform(0.2, 0.6)

    def draw(pen: ImageDraw.ImageDraw, place: np.ndarray) -> None:
        angle, size = rng.uniform(0, 2 * np.pi), length * rng.uniform(0.5, 1.4)
        along = size * np.array([np.cos(angle), np.sin(angle)])
        across = slim * along[::-1] * np.array([-1, 1])
        colour = _colour(rng, palette)
        points = (along, 0.3 * across, -along, -0.3 * across)
        for shift in _wrapped(place, 1.5 * size):
            pen.polygon([tuple(shift + 0.5 * point) for point in points], fill=colour)

    return _stamped(rng, palette[0], int(7e5 / length**1.7 / slim**0.5), draw)


def _shapes(rng: np.random.Generator) -> np.ndarray:
    """Large flat pieces: boxes, discs, corners, as in rooms and on posters."""
    palette = _palette(rng, 5)
    size = rng.uniform(20, 90)

    def draw(pen: ImageDraw.ImageDraw, place: np.ndarray) -> None:
        half = size * rng.uniform(0.2, 1.2, 2)
        colour, round_ = _colour(rng, palette), rng.random() < 0.3
        for shift in _wrapped(place, float(half.max())):
            box = [*(shift - half), *(shift + half)]
            pen.ellipse(box, fill=colour) if round_ else pen.rectangle(box, fill=colour)

    return _stamped(rng, palette[0], int(4e5 / size**1.7), draw)


def _windows(rng: np.random.Generator) -> np.ndarray:
    """A front with rows of openings, some lit."""
    rows, columns = int(rng.choice([4, 8, 16])), int(rng.choice([4, 8, 16]))
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    high, wide = SIDE_PX / rows, SIDE_PX / columns
    margin = rng.uniform(0.12, 0.35, 2)
    inside = (np.abs((y % high) / high - 0.5) < 0.5 - margin[0]) & (
        np.abs((x % wide) / wide - 0.5) < 0.5 - margin[1]
    )
    panes = _graded(rng.random((rows, columns)) ** 2, _palette(rng, 2))
    pane = panes[(y * rows // SIDE_PX), (x * columns // SIDE_PX)]
    return np.where(inside[..., None], pane, _palette(rng, 1)[0])


def _stripes(rng: np.random.Generator) -> np.ndarray:
    """Bands of varied width, straight or a little bent, in one direction or as checks."""
    palette = _palette(rng, 4)
    line = palette[rng.integers(0, 4, int(rng.choice([8, 16, 32])))].repeat(SIDE_PX, 0)
    line = line[:: len(line) // SIDE_PX][:SIDE_PX]
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    bend = rng.choice([0.0, 8.0]) * _noise(rng, 2.5)
    down = line[((y + bend) % SIDE_PX).astype(int)]
    if rng.random() < 0.5:
        return 0.5 * (down + line[((x + bend) % SIDE_PX).astype(int)])
    return down


def _stamped(
    rng: np.random.Generator,
    ground: np.ndarray,
    count: int,
    draw: Callable[[ImageDraw.ImageDraw, np.ndarray], None],
) -> np.ndarray:
    """Draw shapes at random places at twice the size, then halve it: smooth edges."""
    picture = Image.new("RGB", (SIDE_PX, SIDE_PX), tuple(ground.astype(int)))
    pen = ImageDraw.Draw(picture)
    for place in rng.uniform(0, SIDE_PX, (min(count, 1500), 2)):
        draw(pen, place)
    image = np.asarray(picture, np.float32)
    # A small blur with wrapping in place of anti-aliasing.
    for axis in (0, 1):
        image = 0.5 * image + 0.25 * (np.roll(image, 1, axis) + np.roll(image, -1, axis))
    return image


def _colour(rng: np.random.Generator, palette: Palette) -> tuple[int, ...]:
    mixed = _graded(np.array(rng.random()), palette) * rng.uniform(0.8, 1.15)
    return tuple(int(value) for value in np.clip(mixed, 0, 255))


def _wrapped(place: np.ndarray, reach: float) -> list[np.ndarray]:
    """The places at which a shape must be drawn so that it goes on at the other side."""
    places = [place]
    for axis in (0, 1):
        step = np.eye(2)[axis] * SIDE_PX
        places += [p + step for p in places if p[axis] < reach] + [
            p - step for p in places if p[axis] > SIDE_PX - reach
        ]
    return places


_FAMILIES: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "clouds": _clouds,
    "grain": _grain,
    "grass": _grass,
    "leaves": _leaves,
    "masonry": _masonry,
    "pebbles": _pebbles,
    "shapes": _shapes,
    "stripes": _stripes,
    "windows": _windows,
}

TEXTURE_SPLITS: dict[str, str] = {
    "clouds": "train",
    "grain": "train",
    "grass": "train",
    "leaves": "train",
    "masonry": "train",
    "pebbles": "heldout",
    "shapes": "train",
    "stripes": "validation",
    "windows": "train",
}
"""Which families a split's scenes are painted with; no family is in two."""
