"""How a container wants its pictures shown: turned, mirrored, of square pixels; one shape for a whole video."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import VideoReformatter

Size = tuple[int, int]


def _newer_side_data(kind: type[SideData], number: object) -> SideData:
    """A member for side data that FFmpeg knows and PyAV does not yet: EXIF, views of spatial video."""
    member = object.__new__(kind)
    member._name_, member._value_ = f"NEWER_{number}", number
    return member


# Without this PyAV refuses to list any side data of such a picture, its display matrix among them.
SideData._missing_ = classmethod(_newer_side_data)  # pyright: ignore[reportAttributeAccessIssue]

_SQUARE = 0.01
"""Pixels that differ less from a square, in parts of their side, are taken as square."""
_LONGEST_PIXEL = 4.0
"""Longer pixels are a damaged header's; the widest in use are 2.67 times as wide as high."""
_SAME_SHAPE = 0.01
_TWO_PICTURES = (1, 2)
"""FFmpeg's AV_STEREO3D_SIDEBYSIDE and AV_STEREO3D_TOPBOTTOM."""
_SLANT = 0.02
"""Sine of the largest angle that counts as none: a degree, as for FFmpeg."""


@dataclass(frozen=True)
class Orientation:
    """What is done to a stored picture before it is shown, in this order.

    Attributes:
        transposed: rows become columns.
        mirrored: left becomes right.
        flipped: top becomes bottom.
        slanted: the file asks for a turn that is none of 90 degrees; the nearest one of 90 degrees is taken.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False
    slanted: bool = False

    @staticmethod
    def of(picture: av.VideoFrame) -> Orientation:
        """By the display matrix that comes with a picture; none is upright."""
        data = picture.side_data.get("DISPLAYMATRIX")
        if data is None:
            return Orientation()
        return Orientation.of_matrix(np.frombuffer(data, np.int32)[[0, 1, 3, 4]].astype(np.float64))

    @staticmethod
    def of_matrix(turn: np.ndarray) -> Orientation:
        """By (a, b, c, d): a stored place (x, y) is shown at (a x + c y, b x + d y) and shifted into the picture.

        A matrix without a turn, all zeros, is upright.
        """
        a, b, c, d = turn
        straight, crossed = min(abs(a), abs(d)), min(abs(b), abs(c))
        if not straight and not crossed:
            return Orientation()
        slanted = min(straight, crossed) > _SLANT * max(straight, crossed)
        if crossed > straight:
            return Orientation(True, bool(c < 0), bool(b < 0), slanted)
        return Orientation(False, bool(a < 0), bool(d < 0), slanted)

    def size(self, size: Size) -> Size:
        """(width, height) as shown of a stored size, and the other way round."""
        return (size[1], size[0]) if self.transposed else size

    def apply(self, image: np.ndarray) -> np.ndarray:
        """A stored picture (H, W, 3) as it is shown."""
        if self.transposed:
            image = image.swapaxes(0, 1)
        return image[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]


@dataclass(frozen=True)
class Display:
    """How one stored picture is shown.

    Attributes:
        stored: (width, height) in the file.
        pixel_ratio: width over height of a stored pixel.
        orientation: what is done to it.
    """

    stored: Size
    pixel_ratio: float
    orientation: Orientation

    @staticmethod
    def of(picture: av.VideoFrame, pixel_ratio: float) -> Display:
        """Of a decoded picture."""
        return Display((picture.width, picture.height), pixel_ratio, Orientation.of(picture))

    @property
    def size(self) -> Size:
        """(width, height) upright, in square pixels."""
        width, height = self.stored
        return self.orientation.size((max(1, round(width * self.pixel_ratio)), height))

    @property
    def upright_size(self) -> Size:
        """(width, height) upright, in the file's own pixels."""
        return self.orientation.size(self.stored)


class DisplayWatch:
    """How the pictures of one pass are shown, one after the other.

    Side data is looked at only where size or turn change: PyAV's view of it and the picture hold each other, so that every
    picture that was asked for it stays in memory until Python collects its garbage.
    """

    def __init__(self, pixel_ratio: float) -> None:
        """Begin; `pixel_ratio` is width over height of a stored pixel."""
        self._pixel_ratio = pixel_ratio
        self._kind: tuple[int, int, int] | None = None
        self._display: Display | None = None

    def of(self, picture: av.VideoFrame) -> Display:
        """Of the next decoded picture."""
        kind = (picture.width, picture.height, picture.rotation)
        if self._display is None or kind != self._kind:
            self._kind, self._display = kind, Display.of(picture, self._pixel_ratio)
        return self._display


def kind_warnings(picture: av.VideoFrame, path: Path) -> list[str]:
    """Sentences on pictures that are no plain ones: slanted, for two eyes, or all around."""
    sentences = []
    if Orientation.of(picture).slanted:
        sentences.append(
            f"{path} asks to be shown slanted; it is shown turned by the nearest quarter of a turn instead"
        )
    stereo = picture.side_data.get("STEREO3D")
    if stereo is not None and np.frombuffer(stereo, np.int32)[0] in _TWO_PICTURES:
        sentences.append(
            f"{path} shows a picture for each eye side by side, so every person in it is there twice"
        )
    if picture.side_data.get("SPHERICAL") is not None:
        sentences.append(
            f"{path} looks all around (360 degrees); people in it are bent, and so will the body be"
        )
    return sentences


def square_warning(display: Display, path: Path) -> list[str]:
    """A sentence where programs that do not make pixels square see other pictures."""
    if display.size == display.upright_size:
        return []
    (width, height), (stored_width, stored_height) = display.size, display.upright_size
    return [
        f"{path} has pixels that are not square; its pictures are taken as {width} x {height}, not {stored_width} x"
        f" {stored_height}, and keypoints from a file must be places in those"
    ]


def pixel_ratio(stated: Fraction | None) -> float:
    """Width over height of a stored pixel, 1 where a file states none or none that can be."""
    ratio = float(stated) if stated and stated > 0 else 1.0
    if abs(ratio - 1) < _SQUARE or not 1 / _LONGEST_PIXEL <= ratio <= _LONGEST_PIXEL:
        return 1.0
    return ratio


def place_within(shown: Size, whole: Size, canvas: Size) -> tuple[int, int, int, int]:
    """Where a picture of another size than the video's lies, in its own shape, in the middle of what is delivered.

    Args:
        shown: its size.
        whole: the video's.
        canvas: of the pictures delivered, `whole` scaled.

    Returns:
        (left, top, width, height) in the canvas; all of it where the shapes are equal.
    """
    if same_shape(shown, whole):
        return 0, 0, *canvas
    scale = min(whole[0] / shown[0], whole[1] / shown[1])
    width, height = (
        max(1, round(side * scale * out / full)) for side, out, full in zip(shown, canvas, whole, strict=True)
    )
    return (canvas[0] - width) // 2, (canvas[1] - height) // 2, width, height


def same_shape(one: Size, other: Size) -> bool:
    """Whether two sizes have one ratio of width and height, but for rounding."""
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) < _SAME_SHAPE


class Converter:
    """Makes upright RGB pictures of one size of decoded ones."""

    def __init__(self, whole: Size, canvas: Size) -> None:
        """Prepare.

        Args:
            whole: the video's upright size.
            canvas: the size that is delivered.
        """
        self._whole, self._canvas = whole, canvas
        self._reformatter = VideoReformatter()

    def image(self, picture: av.VideoFrame, display: Display) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        left, top, *shown = place_within(display.size, self._whole, self._canvas)
        width, height = display.orientation.size((shown[0], shown[1]))
        smaller = width * height < display.stored[0] * display.stored[1]
        flat = self._reformatter.reformat(
            picture,
            width=width,
            height=height,
            format="rgb24",
            interpolation="AREA" if smaller else "BILINEAR",
        )
        image = display.orientation.apply(flat.to_ndarray())
        if (shown[0], shown[1]) == self._canvas:
            return np.ascontiguousarray(image)
        canvas = np.zeros((self._canvas[1], self._canvas[0], 3), np.uint8)
        canvas[top : top + shown[1], left : left + shown[0]] = image
        return canvas
