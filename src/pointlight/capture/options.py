"""What a user may say about a video."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypedDict

from pointlight.body import find_figure
from pointlight.capture.detection.keypoint_layouts import find_layout
from pointlight.capture.detection.network_files import READERS
from pointlight.capture.detection.person_box import BoxLike, PersonBox
from pointlight.capture.world import Known
from pointlight.errors import PointlightError, did_you_mean

SMALLEST_OVERLAY_PX = 64

_NUMBERS = (
    *("start_s", "end_s", "fov_deg", "focal_px", "height_m", "weight_kg", "overlay_size_px"),
    *("camera_pitch_deg", "camera_roll_deg"),
)
CAMERAS = ("auto", "static", "moving")
_SWITCHES = ("refine", "overlay")


@dataclass(frozen=True)
class PredictOptions:
    """Options of `predict`.

    Attributes:
        model: name of a shipped model or path of weights.
        detector: size of the detector's network, "full", "heavy" (slower, better) or "lite" (faster, worse).
        keypoints: file with 2D keypoints in place of the detector.
        keypoint_format: the order of that file's keypoints where it can't tell, a key of `LAYOUTS` such as "body25b".
        start_s: first second of the video to use, from its first frame on.
        end_s: last second.
        fov_deg: field of view along the picture's longer side, degrees.
        focal_px: focal length in pixels; excludes `fov_deg`.
        height_m: the person's height in metres, which sets the scale.
        weight_kg: the person's weight in kilogrammes, which sets the build.
        box: which person: a `PersonBox`, text such as "400,120,200,460@1.5" (x, y, width, height in pixels, and the
            second of the video), or these numbers; always a `PersonBox` once the options are made.
        people: how many are wanted, or "all"; 1 means the largest person, or the one in the box. The first of several is
            the one whom 1 gives, the others follow by how large and how long they are seen.
        refine: fit the network's body to the keypoints over time.
        camera: "static" or "moving", or "auto": as the background moves.
        up: up in camera axes (x right, y down, z away), such as (0, -1, 0) of a level camera, or text "0,-1,0"; for the
            world, as the next two.
        camera_pitch_deg: by how many degrees the camera looks down.
        camera_roll_deg: by how many degrees upright things lean to the right in the picture.
        overlay_size_px: longest side of the overlay in pixels; None as large as the video allows.
        figure: what the body looks like in the overlay: "neutral", a mannequin; "female"; "male"; or "estimated", whose sex
            is a guess. Joints are the same.
        overlay: whether `predict_to_folder` draws it.

    Raises:
        PointlightError: a value that cannot be meant; it says what could be.

    Example:
        >>> import pointlight
        >>> options = pointlight.PredictOptions(end_s=0.5, box=(400, 120, 200, 460))
        >>> options.box
        PersonBox(x=400.0, y=120.0, width=200.0, height=460.0, time_s=None)
    """

    model: Path | str = "points"
    detector: str = "full"
    keypoints: Path | str | None = None
    keypoint_format: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    fov_deg: float | None = None
    focal_px: float | None = None
    height_m: float | None = None
    weight_kg: float | None = None
    box: BoxLike | None = None
    people: int | str = 1
    refine: bool = True
    camera: str = "auto"
    up: str | tuple[float, float, float] | None = None
    camera_pitch_deg: float | None = None
    camera_roll_deg: float | None = None
    overlay_size_px: int | None = 1280
    figure: str = "neutral"
    overlay: bool = True

    def __post_init__(self) -> None:
        """Bring values to their types and refuse what cannot be meant."""
        for name in _NUMBERS:
            _check_number(name, getattr(self, name))
        for name in _SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise PointlightError(f"{name} is {getattr(self, name)!r}; give True or False")
        object.__setattr__(self, "model", str(self.model))
        if self.keypoints is not None:
            object.__setattr__(self, "keypoints", _path("keypoints", self.keypoints))
        if self.box is not None:
            object.__setattr__(self, "box", PersonBox.of(self.box))
        if self.keypoint_format is not None:
            find_layout(self.keypoint_format)
            if self.keypoints is None:
                raise PointlightError(
                    "a keypoint format is given without a file of keypoints; give both or neither"
                )
        object.__setattr__(self, "people", _people(self.people))
        if self.people != 1 and self.box is not None:
            raise PointlightError(f"a box names one person, and people is {self.people}; give one of the two")
        if self.people != 1 and self.keypoints is not None:
            raise PointlightError(
                f"people is {self.people}, but from a file of keypoints one person is taken; leave out people, and say"
                " who it is with a box"
            )
        if self.detector not in READERS:
            raise PointlightError(f"there is no detector {self.detector!r}; it is {', '.join(READERS)}")
        if self.keypoints is not None and self.detector != "full":
            raise PointlightError(
                f"keypoints from a file need no detector, and {self.detector!r} is named; give one of the two"
            )
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
        if self.camera not in CAMERAS:
            raise PointlightError(f"there is no camera {self.camera!r}; it is {', '.join(CAMERAS)}")
        object.__setattr__(self, "up", _direction(self.up))
        if self.up is not None and (self.camera_pitch_deg, self.camera_roll_deg) != (None, None):
            raise PointlightError("both up and the camera's pitch or roll are given; give one of the two")
        if self.camera_pitch_deg is not None and not -90 <= self.camera_pitch_deg <= 90:
            raise PointlightError(
                f"a pitch of {self.camera_pitch_deg:g} degrees is not a camera's; give -90 (up) to 90 (down)"
            )
        if self.camera_roll_deg is not None and not -180 <= self.camera_roll_deg <= 180:
            raise PointlightError(
                f"a roll of {self.camera_roll_deg:g} degrees is not a camera's; give -180 to 180"
            )
        if self.height_m is not None and not 0.5 < self.height_m < 2.6:
            raise PointlightError(f"a height of {self.height_m:g} m is not a person's; give 0.5 to 2.6")
        if self.weight_kg is not None and not 5 < self.weight_kg < 300:
            raise PointlightError(f"a weight of {self.weight_kg:g} kg is not a person's; give 5 to 300")
        if not all(math.isfinite(time_s) for time_s in (self.start_s or 0.0, self.end_s or 0.0)):
            raise PointlightError("the start or the end is not a number; give seconds of the video")
        find_figure(self.figure)
        if self.overlay_size_px is not None and self.overlay_size_px < SMALLEST_OVERLAY_PX:
            raise PointlightError(
                f"an overlay of {self.overlay_size_px} px is too small to see anything; give"
                f" {SMALLEST_OVERLAY_PX} or more, or 0 for the size of the video"
            )

    @property
    def most_people(self) -> int | None:
        """The number of people; None: all."""
        return None if isinstance(self.people, str) else self.people

    @property
    def person(self) -> PersonBox | None:
        """The box, typed as what it is once the options are made."""
        return None if self.box is None else PersonBox.of(self.box)

    @property
    def known_of_camera(self) -> Known:
        """What is known of how the camera is held."""
        return Known(_direction(self.up), self.camera_pitch_deg, self.camera_roll_deg)


class OnePersonKeywords(TypedDict, total=False):
    """The options but for the number of people as keywords of `predict`."""

    model: Path | str
    detector: str
    keypoints: Path | str | None
    keypoint_format: str | None
    start_s: float | None
    end_s: float | None
    fov_deg: float | None
    focal_px: float | None
    height_m: float | None
    weight_kg: float | None
    box: BoxLike | None
    refine: bool
    camera: str
    up: str | tuple[float, float, float] | None
    camera_pitch_deg: float | None
    camera_roll_deg: float | None
    overlay_size_px: int | None
    figure: str
    overlay: bool


class PredictKeywords(OnePersonKeywords, total=False):
    """The same options as keywords of `predict`."""

    people: int | str


def options_with(options: PredictOptions | None, keywords: PredictKeywords) -> PredictOptions:
    """Options with what keywords say in place of their values.

    Raises:
        PointlightError: a keyword is no option, or a value cannot be meant.
    """
    if options is not None and not isinstance(options, PredictOptions):
        raise PointlightError(
            f"the options are {options!r}; give PredictOptions(...), or options by their names, such as end_s=2.0"
        )
    names = [field.name for field in fields(PredictOptions)]
    for name in keywords:
        if name not in names:
            raise PointlightError(f"there is no option {name!r}; {did_you_mean(name, names)}")
    return replace(options or PredictOptions(), **keywords)


def _people(value: Any) -> int | str:
    """A number from 1, or "all"; from a command line both come as text."""
    if isinstance(value, str):
        value = value.strip()
        if value == "all":
            return value
        value = int(value) if value.isdecimal() else value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise PointlightError(f"people is {value!r}; give how many are wanted, from 1, or 'all'")
    return value


def _direction(value: Any) -> tuple[float, float, float] | None:
    """Three numbers that are not all 0; from a command line they come as text."""
    if value is None:
        return None
    try:
        parts = value.split(",") if isinstance(value, str) else value
        x, y, z = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise PointlightError(
            f"up is {value!r}; give three numbers, such as 0,-1,0 of a level camera"
        ) from None
    if not math.isfinite(x + y + z) or x * x + y * y + z * z < 1e-12:
        raise PointlightError(f"up is {value!r}, which is no direction; give 0,-1,0 for a level camera")
    return x, y, z


def _check_number(name: str, value: Any) -> None:
    """Booleans are numbers to Python, and not what is meant."""
    try:
        sound = value is None or (not isinstance(value, bool | str) and float(value) is not None)
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise PointlightError(f"{name} is {value!r}; give a number")


def _path(name: str, value: Any) -> Path:
    if not isinstance(value, str | os.PathLike):
        raise PointlightError(f"{name} is {value!r}; give the path of a file")
    return Path(value)
