"""The contact sheet of an overlay: some of its frames in one picture, to see at a glance how a run went."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pointlight.files import atomic_path

_TILES = 8
_WIDTH_PX = 1280
_GAP_PX = 4
_INK, _PAPER = (240, 240, 240), (20, 21, 24)


class ContactSheet:
    """Frames at even distances over a video, row by row, each with its time."""

    def __init__(self, frames: int, size: tuple[int, int]) -> None:
        """Choose which frames are kept, and how they are laid.

        Args:
            frames: how many there are.
            size: (width, height) of each in pixels.
        """
        count = min(_TILES, frames)
        self._wanted = {int((k + 0.5) * frames / count) for k in range(count)}
        # An overlay's frame is two of the video's side by side; of upright ones four fit in a row.
        self._columns = min(count, 2 if size[0] > 2 * size[1] else 4)
        width = min(size[0], (_WIDTH_PX - (self._columns + 1) * _GAP_PX) // self._columns)
        self._tile = (width, max(1, round(width * size[1] / size[0])))
        self._tiles: list[Image.Image] = []

    def add(self, number: int, picture: np.ndarray, time_s: float) -> None:
        """Keep a frame (H, W, 3) uint8 if it is one of those; frames come in their order."""
        if number not in self._wanted:
            return
        tile = Image.fromarray(picture).resize(self._tile, Image.Resampling.BOX)
        pen = ImageDraw.Draw(tile)
        words = f"{time_s:.2f} s"
        pen.rectangle((0, 0, *(length + 6 for length in pen.textbbox((0, 0), words)[2:])), fill=_PAPER)
        pen.text((3, 3), words, fill=_INK)
        self._tiles.append(tile)

    def save(self, path: Path) -> None:
        """Write the PNG, whole or not at all."""
        width, height = self._tile[0] + _GAP_PX, self._tile[1] + _GAP_PX
        rows = math.ceil(len(self._tiles) / self._columns)
        sheet = Image.new("RGB", (self._columns * width + _GAP_PX, rows * height + _GAP_PX), _PAPER)
        for k, tile in enumerate(self._tiles):
            sheet.paste(tile, (_GAP_PX + k % self._columns * width, _GAP_PX + k // self._columns * height))
        with atomic_path(path) as temporary:
            sheet.save(temporary, "PNG", compress_level=1)
