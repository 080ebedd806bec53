"""What a user may say about a video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pointlight.errors import PointlightError

Watch = Callable[[str, float, float], None]
"""Told of progress: the stage's name, how much is done, how much there is (0 where that is not known)."""


@dataclass(frozen=True)
class BoxAt:
    """Which person is meant: a box in pixels of the upright picture at a time of the video.

    Attributes:
        x: left edge.
        y: upper edge.
        width: of the box.
        height: of the box.
        time_s: when; the first frame if not said.
    """

    x: float
    y: float
    width: float
    height: float
    time_s: float | None = None

    @staticmethod
    def parse(text: str) -> BoxAt:
        """Read `X,Y,W,H` or `X,Y,W,H@S`.

        Raises:
            PointlightError: the text is something else.
        """
        place, _, time = text.partition("@")
        try:
            x, y, width, height = (float(part) for part in place.split(","))
            at = float(time) if time else None
        except ValueError as error:
            raise PointlightError(
                f"--box {text!r} is not X,Y,W,H or X,Y,W,H@S; give four numbers in pixels and a time in seconds"
            ) from error
        if width <= 0 or height <= 0:
            raise PointlightError(f"--box {text!r} is empty; its width and height are to be above 0")
        return BoxAt(x, y, width, height, at)


@dataclass(frozen=True)
class PredictOptions:
    """Options of `predict`.

    Attributes:
        model: name of a shipped model or path of weights.
        keypoints: file with 2D keypoints in place of the detector.
        start_s: first second of the video to use.
        end_s: last second.
        fov_deg: field of view along the picture's longer side.
        focal_px: focal length in pixels; excludes `fov_deg`.
        height_m: the person's height, which sets the scale.
        box: which person.
        overlay_size_px: longest side of the overlay.
        overlay: whether to draw it.
    """

    model: str = "points"
    keypoints: Path | None = None
    start_s: float | None = None
    end_s: float | None = None
    fov_deg: float | None = None
    focal_px: float | None = None
    height_m: float | None = None
    box: BoxAt | None = None
    overlay_size_px: int | None = 1280
    overlay: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.fov_deg is not None and self.focal_px is not None:
            raise PointlightError("both a field of view and a focal length are given; give one of them")
        if self.fov_deg is not None and not 1 < self.fov_deg < 170:
            raise PointlightError(f"a field of view of {self.fov_deg:g} degrees is not a camera's; give 1 to 170")
        if self.focal_px is not None and not self.focal_px > 0:
            raise PointlightError(f"a focal length of {self.focal_px:g} px is not a camera's; give more than 0")
        if self.height_m is not None and not 0.5 < self.height_m < 2.6:
            raise PointlightError(f"a height of {self.height_m:g} m is not a person's; give 0.5 to 2.6")
        if self.start_s is not None and self.end_s is not None and self.end_s <= self.start_s:
            raise PointlightError(f"the end ({self.end_s:g} s) is not after the start ({self.start_s:g} s)")
