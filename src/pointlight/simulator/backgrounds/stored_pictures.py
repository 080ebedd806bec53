"""A window's frames on disk: as planes that are read in a few milliseconds, or as one tall JPEG, a fifth of the size."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
from PIL import Image

from pointlight.files import atomic_path

STORES = ("planes", "jpeg")
_FILES = {"planes": "frames.npy", "jpeg": "frames.jpg"}
_JPEG_QUALITY = 95


def write_frames(folder: Path, frames: np.ndarray, store: str) -> None:
    """Put frames (T, H, W, 3) uint8 RGB of even sides into a folder.

    Args:
        folder: of the window.
        frames: to keep.
        store: one of `STORES`; "planes" keeps brightness whole and colour at half the size, as video does; "jpeg"
            compresses that.
    """
    count, height, width = frames.shape[:3]
    tall = Image.fromarray(np.ascontiguousarray(frames).reshape(count * height, width, 3))
    with atomic_path(folder / _FILES[store]) as temporary:
        if store == "jpeg":
            tall.save(temporary, format="JPEG", quality=_JPEG_QUALITY)
            return
        light, blue, red = tall.convert("YCbCr").split()
        planes = np.empty((count, height + height // 2, width), np.uint8)
        planes[:, :height] = np.asarray(light).reshape(count, height, width)
        half = [np.asarray(plane.reduce(2)).reshape(count, -1, width // 2) for plane in (blue, red)]
        planes[:, height:] = np.concatenate(half, axis=2)
        np.save(temporary, planes)


def read_frames(folder: Path) -> np.ndarray:
    """The frames of a folder, (T, H, W, 3) uint8 RGB.

    Raises:
        OSError: there are none, or they are damaged.
        ValueError: they are damaged.
    """
    planes = folder / _FILES["planes"]
    if planes.exists():
        return _coloured(np.load(planes))
    with Image.open(folder / _FILES["jpeg"]) as tall:
        pictures = np.asarray(tall)
    return pictures.reshape(-1, pictures.shape[1] * 3 // 4, pictures.shape[1], 3)


@numba.njit(cache=True)
def _coloured(planes: np.ndarray) -> np.ndarray:
    """RGB of planes (T, 3 H / 2, W): brightness above, the two colours (JPEG's) side by side below."""
    count, rows, width = planes.shape
    height = rows * 2 // 3
    image = np.empty((count, height, width, 3), np.uint8)
    for t in range(count):
        for v in range(height):
            for half in range(width // 2):
                blue = np.int32(planes[t, height + v // 2, half]) - 128
                red = np.int32(planes[t, height + v // 2, width // 2 + half]) - 128
                # 16 binary places.
                to_red = (91881 * red + 32768) >> 16
                to_green = (-22554 * blue - 46802 * red + 32768) >> 16
                to_blue = (116130 * blue + 32768) >> 16
                for u in (2 * half, 2 * half + 1):
                    light = np.int32(planes[t, v, u])
                    image[t, v, u, 0] = min(max(light + to_red, 0), 255)
                    image[t, v, u, 1] = min(max(light + to_green, 0), 255)
                    image[t, v, u, 2] = min(max(light + to_blue, 0), 255)
    return image
