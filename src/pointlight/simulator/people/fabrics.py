"""Fabrics: small pictures that repeat, made by rule or cut from a folder of pictures, in families with a split."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from pointlight.errors import PointlightError
from pointlight.media import picture_size, read_picture
from pointlight.randomness import stream

TILE_PX = 96
"""Side of a fabric's picture, which repeats without a seam."""

FABRICS_SEED = 20190726
"""Families are numbered patterns; their structure follows from this seed and the number alone."""

FAMILIES_PER_KIND = 60
HELDOUT_KIND = "chevrons"
"""A kind of pattern of which training sees no family at all."""

_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_X, _Y = np.meshgrid((np.arange(TILE_PX) + 0.5) / TILE_PX, (np.arange(TILE_PX) + 0.5) / TILE_PX)


@dataclass(frozen=True)
class Fabric:
    """A family of patterns.

    Attributes:
        name: "kind/number" or "picture/file".
        split: "train", "validation" or "heldout"; nothing mixes splits.
        path: of the picture, if it is one.
    """

    name: str
    split: str
    path: Path | None = None

    def tile(self, colours: np.ndarray) -> np.ndarray:
        """(TILE_PX, TILE_PX, 3) uint8 sRGB of this pattern in three colours (3, 3); pictures keep their own."""
        if self.path is not None:
            return _picture_tile(self.path)
        shares = _pattern(self.name)  # (P, P, 3), adding up to 1
        return (shares @ np.asarray(colours, np.float64)).clip(0, 255).round().astype(np.uint8)


def split_of(name: str) -> str:
    """The split of a family, by its name alone: 80 % train, 10 % validation, 10 % heldout."""
    if name.split("/")[0] == HELDOUT_KIND:
        return "heldout"
    tenth = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little") % 10
    return {0: "heldout", 1: "validation"}.get(tenth, "train")


@lru_cache(maxsize=64)
def procedural_fabrics(split: str, kinds: tuple[str, ...] | None = None) -> tuple[Fabric, ...]:
    """All families of a split made by rule, of these kinds or of all, in order."""
    names = [f"{kind}/{number}" for kind in kinds or tuple(_KINDS) for number in range(FAMILIES_PER_KIND)]
    return tuple(Fabric(name, split) for name in names if split_of(name) == split)


@lru_cache(maxsize=16)
def picture_fabrics(folder: Path, split: str) -> tuple[Fabric, ...]:
    """The pictures of a folder that belong to a split; the split follows from a picture's content.

    A folder is read once a process. What is no picture inside is left out, with a warning.

    Raises:
        PointlightError: the folder holds no picture, or none of this split.
    """
    paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in _PICTURE_SUFFIXES)
    if not paths:
        raise PointlightError(
            f"{folder} holds no picture to make clothes of; give a folder with {', '.join(_PICTURE_SUFFIXES)} files"
        )
    found = []
    for path in paths:
        try:
            picture_size(path)
        except PointlightError as error:
            warnings.warn(f"{error}; it is left out", stacklevel=2)
            continue
        content = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
        if split_of(f"picture/{content}") == split:
            found.append(Fabric(f"picture/{path.relative_to(folder).as_posix()}@{content}", split, path))
    if not found:
        raise PointlightError(
            f"{folder} holds {len(paths)} pictures, none of which falls to the split {split!r}; give more of them"
        )
    return tuple(found)


@lru_cache(maxsize=256)
def _picture_tile(path: Path) -> np.ndarray:
    """A picture's middle square beside its mirror images, so that it repeats without a seam."""
    picture = read_picture(path)
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    half = TILE_PX // 2
    square = Image.fromarray(picture[top : top + side, left : left + side]).resize(
        (half, half), Image.Resampling.BOX
    )
    quarter = np.asarray(square)
    upper = np.concatenate((quarter, quarter[:, ::-1]), axis=1)
    return np.concatenate((upper, upper[::-1]), axis=0)


@lru_cache(maxsize=1024)
def _pattern(name: str) -> np.ndarray:
    """(P, P, 3) float32 shares of three colours."""
    kind, _, number = name.partition("/")
    rng = stream(FABRICS_SEED, int(number), f"fabric {kind}")
    shares = _KINDS[kind](rng)
    return np.stack((1 - shares.sum(-1), shares[..., 0], shares[..., 1]), axis=-1).astype(np.float32)


def _two(second: np.ndarray, third: np.ndarray | float = 0.0) -> np.ndarray:
    third = np.broadcast_to(np.asarray(third, float), second.shape)
    return np.stack((second * (1 - third), third), axis=-1)


def _square_wave(phase: np.ndarray, duty: float, soft: float = 0.04) -> np.ndarray:
    """1 in a share `duty` of each period, with soft edges."""
    distance = np.abs((phase % 1.0) - 0.5)
    return ((duty / 2 - distance) / soft + 0.5).clip(0, 1)


def _noise(rng: np.random.Generator, cycles: float) -> np.ndarray:
    """(P, P) smooth noise that repeats, about unit variance."""
    spectrum = np.fft.fft2(rng.standard_normal((TILE_PX, TILE_PX)))
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(TILE_PX) * TILE_PX, np.fft.fftfreq(TILE_PX) * TILE_PX))
    field = np.fft.ifft2(spectrum * np.exp(-((f / cycles) ** 2))).real
    return field / field.std()


def _plain(rng: np.random.Generator) -> np.ndarray:
    return _two(0.12 * rng.random() * _noise(rng, rng.uniform(2, 30)).clip(-2, 2))


def _melange(rng: np.random.Generator) -> np.ndarray:
    grain = ndimage.gaussian_filter(rng.standard_normal((TILE_PX, TILE_PX)), (0.3, 1.5), mode="wrap")
    return _two((0.5 + rng.uniform(0.3, 0.9) * grain).clip(0, 1) * rng.uniform(0.3, 0.8))


def _stripes(rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(2, 13))
    axis = _Y if rng.random() < 0.7 else _X
    second = _square_wave(count * axis, rng.uniform(0.15, 0.6))
    third = _square_wave(count * axis + 0.5, rng.uniform(0.1, 0.3)) if rng.random() < 0.4 else 0.0
    return _two(second, third)


def _pinstripes(rng: np.random.Generator) -> np.ndarray:
    return _two(rng.uniform(0.4, 1) * _square_wave(int(rng.integers(10, 20)) * _X, 0.14, 0.1))


def _diagonals(rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(2, 8)) * rng.choice((-1, 1))
    return _two(_square_wave(count * (_X + int(rng.integers(1, 3)) * _Y), rng.uniform(0.2, 0.6)))


def _checks(rng: np.random.Generator) -> np.ndarray:
    count, duty = int(rng.integers(2, 12)), rng.uniform(0.25, 0.6)
    down, across = _square_wave(count * _Y, duty), _square_wave(count * _X, duty)
    if rng.random() < 0.4:
        return _two(np.abs(down - across))
    return _two(0.5 * (down + across), 0.9 * _square_wave(count * _X + 0.4, 0.06) * rng.integers(0, 2))


def _tartan(rng: np.random.Generator) -> np.ndarray:
    bands = np.zeros(TILE_PX)
    thin = np.zeros(TILE_PX)
    for _ in range(int(rng.integers(2, 5))):
        phase, width = rng.random(), rng.uniform(0.05, 0.25)
        bands = np.maximum(bands, _square_wave(_Y[:, 0] + phase, width, 0.02) * rng.uniform(0.4, 1))
        thin = np.maximum(thin, _square_wave(_Y[:, 0] + phase + 0.2, 0.03, 0.02))
    return _two(0.5 * (bands[:, None] + bands[None]), 0.45 * (thin[:, None] + thin[None]))


def _dots(rng: np.random.Generator) -> np.ndarray:
    count, radius = int(rng.integers(2, 9)), rng.uniform(0.15, 0.4)
    shift = 0.5 * (np.floor(count * 2 * _Y) % 2) if rng.random() < 0.5 else 0.0
    rows = count * (2 if np.ndim(shift) else 1)
    across, down = (count * _X + shift) % 1 - 0.5, ((rows * _Y) % 1 - 0.5) * count / rows
    return _two(((radius - np.hypot(across, down)) / 0.08 + 0.5).clip(0, 1))


def _blobs(rng: np.random.Generator) -> np.ndarray:
    """Camouflage, tie-dye and flowers from far."""
    cycles = rng.uniform(2, 9)
    first, second = _noise(rng, cycles), _noise(rng, cycles)
    soft = rng.uniform(0.05, 0.8)
    return _two(
        (0.5 + (first - rng.uniform(-0.5, 0.8)) / soft).clip(0, 1),
        (0.5 + (second - rng.uniform(0.2, 1.2)) / soft).clip(0, 1),
    )


def _denim(rng: np.random.Generator) -> np.ndarray:
    twill = 0.5 + 0.5 * np.sin(2 * np.pi * 24 * (_X + _Y))
    worn = 0.5 + 0.35 * _noise(rng, 5) + 0.25 * rng.standard_normal((TILE_PX, TILE_PX))
    return _two((0.3 * twill + 0.5 * worn).clip(0, 1) * rng.uniform(0.3, 0.8))


def _motifs(rng: np.random.Generator) -> np.ndarray:
    """Scattered flowers, stars, leaves: a few petalled shapes."""
    second, third = np.zeros((TILE_PX, TILE_PX)), np.zeros((TILE_PX, TILE_PX))
    petals = int(rng.integers(2, 8))
    radius = rng.uniform(0.05, 0.14)
    for _ in range(int(rng.integers(4, 14))):
        x, y, turn = rng.random(), rng.random(), rng.uniform(0, 2 * np.pi)
        across, down = (_X - x + 0.5) % 1 - 0.5, (_Y - y + 0.5) % 1 - 0.5
        r, angle = np.hypot(across, down), np.arctan2(down, across)
        edge = radius * (0.65 + 0.35 * np.cos(petals * angle + turn))
        second = np.maximum(second, ((edge - r) / 0.015 + 0.5).clip(0, 1))
        third = np.maximum(third, ((0.3 * radius - r) / 0.015 + 0.5).clip(0, 1))
    return _two(second, third)


def _chevrons(rng: np.random.Generator) -> np.ndarray:
    count, high = int(rng.integers(2, 8)), rng.uniform(0.05, 0.2)
    zigzag = high * np.abs(2 * ((int(rng.integers(2, 8)) * _X) % 1) - 1)
    return _two(_square_wave(count * (_Y + zigzag), rng.uniform(0.25, 0.6)))


def _triangles(rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(2, 7))
    across, down = (count * _X) % 1, (count * _Y) % 1
    cell = np.floor(count * _X) * 7 + np.floor(count * _Y) * 13
    upper = ((across - down) / 0.06 + 0.5).clip(0, 1)
    return _two(upper, 0.8 * ((cell % int(rng.integers(2, 5))) == 0))


_KINDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "plain": _plain,
    "melange": _melange,
    "stripes": _stripes,
    "pinstripes": _pinstripes,
    "diagonals": _diagonals,
    "checks": _checks,
    "tartan": _tartan,
    "dots": _dots,
    "blobs": _blobs,
    "denim": _denim,
    "motifs": _motifs,
    "triangles": _triangles,
    "chevrons": _chevrons,
}

KINDS: tuple[str, ...] = tuple(_KINDS)
"""Kinds of pattern made by rule."""
