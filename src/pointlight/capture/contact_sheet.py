"""The contact sheet of an overlay: some of its frames in one picture, to see at a glance how a run went."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pointlight.media import draw_label, tile, write_png

_FRAMES = 8
_WIDTH_PX, _GAP_PX = 1280, 4


class ContactSheet:
    """Frames at even distances over a video, row by row, each with its time; taken while an overlay is drawn."""

    def __init__(self, frames: int, size: tuple[int, int]) -> None:
        """Choose which frames are kept, and how they are laid.

        Args:
            frames: how many there are.
            size: (width, height) of each in pixels.
        """
        count = min(_FRAMES, frames)
        self._wanted = {int((k + 0.5) * frames / count) for k in range(count)}
        # An overlay's frame is two of the video's side by side; of upright ones four fit in a row.
        self._columns = min(count, 2 if size[0] > 2 * size[1] else 4)
        width = min(size[0], (_WIDTH_PX - (self._columns + 1) * _GAP_PX) // self._columns)
        self._cell = (width, max(1, round(width * size[1] / size[0])))
        self._cells: list[np.ndarray] = []

    def add(self, number: int, picture: np.ndarray, time_s: float) -> None:
        """Keep a frame (H, W, 3) uint8 if it is one of those; frames come in their order."""
        if number in self._wanted:
            small = np.asarray(Image.fromarray(picture).resize(self._cell, Image.Resampling.BOX))
            self._cells.append(draw_label(small, f"{time_s:.2f} s", height_px=12, corner=(0, 0)))

    def save(self, path: Path) -> None:
        """Write the PNG, whole or not at all."""
        write_png(path, tile(self._cells, self._columns, gap_px=_GAP_PX), quick=True)
