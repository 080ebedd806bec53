"""Still pictures: PNG files and contact sheets of videos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.media.video import VideoReader

_GAP_PX = 6
_BACKGROUND = (24, 24, 26)


def read_picture(path: Path | str) -> np.ndarray:
    """(H, W, 3) uint8 RGB from a file that Pillow can read.

    Raises:
        PointlightError: there is no such picture.
    """
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise PointlightError(f"{path} is not a picture that can be read; give a PNG or JPEG file") from error


def picture_size(path: Path | str) -> tuple[int, int]:
    """(width, height) of a picture file, without decoding it.

    Raises:
        PointlightError: there is no such picture.
    """
    try:
        with Image.open(path) as picture:
            return picture.size
    except OSError as error:
        raise PointlightError(f"{path} is not a picture that can be read; give a PNG or JPEG file") from error


def write_png(path: Path | str, image: np.ndarray, *, quick: bool = False) -> None:
    """Write (H, W, 3) uint8 RGB as PNG, whole or not at all; `quick` makes a larger file in a sixth of the time."""
    packing = {"compress_level": 1} if quick else {"optimize": True}
    with atomic_path(Path(path)) as temporary:
        Image.fromarray(image).save(temporary, format="PNG", **packing)


def draw_label(
    image: np.ndarray, text: str, *, height_px: int = 16, corner: tuple[int, int] = (6, 6)
) -> np.ndarray:
    """A copy of (H, W, 3) uint8 RGB with light words on a dark bar.

    Args:
        image: the picture.
        text: one line.
        height_px: of the letters.
        corner: (x, y) of the bar's upper left corner.
    """
    picture = Image.fromarray(image)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(height_px)
    pad = max(2, height_px // 4)
    box = pen.textbbox((corner[0] + pad, corner[1] + pad), text, font=font)
    pen.rectangle((corner[0], corner[1], box[2] + pad, box[3] + pad), fill=(20, 20, 22))
    pen.text((corner[0] + pad, corner[1] + pad), text, font=font, fill=(240, 240, 236))
    return np.asarray(picture)


def tile(images: Sequence[np.ndarray], columns: int, *, gap_px: int = _GAP_PX) -> np.ndarray:
    """Pictures (H, W, 3) of one size, row by row on a dark ground that shows `gap_px` around each."""
    if not images:
        raise ValueError("no pictures to tile")
    height, width = images[0].shape[:2]
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    sheet = np.empty((rows * (height + gap_px) + gap_px, columns * (width + gap_px) + gap_px, 3), np.uint8)
    sheet[:] = _BACKGROUND
    for number, image in enumerate(images):
        top = gap_px + (number // columns) * (height + gap_px)
        left = gap_px + (number % columns) * (width + gap_px)
        sheet[top : top + height, left : left + width] = image
    return sheet


def contact_sheet(
    video_path: Path | str, every: int = 20, columns: int = 4, cell_width_px: int = 480
) -> np.ndarray:
    """Every n-th frame of a video side by side, with its number and time.

    Args:
        video_path: the video.
        every: a picture for frames 0, every, 2 every, ...
        columns: pictures in a row.
        cell_width_px: width that pictures are scaled to, if they are wider.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if every < 1 or columns < 1:
        raise PointlightError(
            f"a contact sheet of every {every} frames in {columns} columns cannot be made; use 1 or more"
        )
    width, height = VideoReader(video_path).size
    scale = min(1.0, cell_width_px / width)
    video = VideoReader(video_path, size=(max(1, round(width * scale)), max(1, round(height * scale))))
    cells = [
        draw_label(frame.image, f"{frame.index}   {frame.time_s:.2f} s", height_px=14)
        for frame in video
        if frame.index % every == 0
    ]
    return tile(cells, columns)
