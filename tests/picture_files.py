"""Pictures for the made benchmark files: keypoints as discs of known colours before a texture of known speed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.media import VideoWriter

RADIUS_PX = 5
COLOURS = np.array(
    [[255 * (k % 2), 255 * (k // 2 % 2), (40, 130, 220)[k // 4 % 3]] for k in range(len(NETWORK_KEYPOINTS))]
)
"""(12, 3) of each of the paper's keypoints."""


def texture(size: tuple[int, int], shift_px: float) -> np.ndarray:
    """(H, W, 3) uint8 grey blobs, moved to the right."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    waves, phases = rng.normal(0, 0.12, (24, 2)), rng.uniform(0, 2 * np.pi, 24)
    grey = sum(
        np.sin(u * (x - shift_px) + v * y + phase) for (u, v), phase in zip(waves, phases, strict=True)
    )
    return np.repeat(np.clip(128 + 18 * np.asarray(grey), 0, 255)[..., None], 3, -1).astype(np.uint8)


def painted(points_px: np.ndarray, size: tuple[int, int], speed_px: float) -> list[np.ndarray]:
    """A picture for each frame of (T, 12, 2) keypoints; the texture moves so many pixels a frame to the right."""
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    pictures = []
    for frame, points in enumerate(points_px):
        picture = texture(size, frame * speed_px)
        for (u, v), colour in zip(points, COLOURS, strict=True):
            picture[np.hypot(x - u, y - v) < RADIUS_PX] = colour
        pictures.append(picture)
    return pictures


def write_pictures(pictures: list[np.ndarray], path_of: Callable[[int], Path]) -> None:
    """JPEG files by number from 0."""
    for number, picture in enumerate(pictures):
        path = path_of(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, quality=97, subsampling=0)


def write_video(path: Path, pictures: list[np.ndarray]) -> None:
    """SURREAL's mp4."""
    with VideoWriter(path, 30.0, (pictures[0].shape[1], pictures[0].shape[0])) as video:
        for frame, picture in enumerate(pictures):
            video.write(np.ascontiguousarray(picture), frame / 30)
