"""What a user may say about a video."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from pointlight.capture.detection.person_box import PersonBox
from pointlight.errors import PointlightError

SMALLEST_OVERLAY_PX = 64


@dataclass(frozen=True)
class PredictOptions:
    """Options of `predict`.

    Attributes:
        model: name of a shipped model or path of weights.
        keypoints: file with 2D keypoints in place of the detector.
        start_s: first second of the video to use, from its first frame on.
        end_s: last second.
        fov_deg: field of view along the picture's longer side.
        focal_px: focal length in pixels; excludes `fov_deg`.
        height_m: the person's height, which sets the scale.
        box: which person.
        refine: fit the network's body to the keypoints over time.
        overlay_size_px: longest side of the overlay; None as large as the video allows.
        overlay: whether to draw it.
    """

    model: str = "points"
    keypoints: Path | None = None
    start_s: float | None = None
    end_s: float | None = None
    fov_deg: float | None = None
    focal_px: float | None = None
    height_m: float | None = None
    box: PersonBox | None = None
    refine: bool = True
    overlay_size_px: int | None = 1280
    overlay: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.fov_deg is not None and self.focal_px is not None:
            raise PointlightError("both a field of view and a focal length are given; give one of them")
        if self.fov_deg is not None and not 1 < self.fov_deg < 170:
            raise PointlightError(
                f"a field of view of {self.fov_deg:g} degrees is not a camera's; give 1 to 170"
            )
        if self.focal_px is not None and not 0 < self.focal_px < math.inf:
            raise PointlightError(
                f"a focal length of {self.focal_px:g} px is not a camera's; give more than 0"
            )
        if self.height_m is not None and not 0.5 < self.height_m < 2.6:
            raise PointlightError(f"a height of {self.height_m:g} m is not a person's; give 0.5 to 2.6")
        if not all(math.isfinite(time_s) for time_s in (self.start_s or 0.0, self.end_s or 0.0)):
            raise PointlightError("the start or the end is not a number; give seconds of the video")
        if self.overlay_size_px is not None and self.overlay_size_px < SMALLEST_OVERLAY_PX:
            raise PointlightError(
                f"an overlay of {self.overlay_size_px} px is too small to see anything; give"
                f" {SMALLEST_OVERLAY_PX} or more, or 0 for the size of the video"
            )
