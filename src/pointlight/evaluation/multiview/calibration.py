"""People filmed by several calibrated cameras: a folder with `calibration.json` and one video a camera."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pointlight.errors import PointlightError
from pointlight.evaluation.multiview.units import METRES
from pointlight.geometry import Lens
from pointlight.values import by_value

CALIBRATION_FILE = "calibration.json"
_WANTED = "give {cameras: [{name, video, image_size, K, dist, R, t}]} in metres, x_camera = R x_world + t, synchronised"


@by_value
@dataclass(frozen=True)
class View:
    """One camera of a set.

    Attributes:
        name: of the camera.
        video: its file.
        image_size: (width, height) in pixels.
        lens: where it stands and how it sees.
    """

    name: str
    video: Path
    image_size: tuple[int, int]
    lens: Lens


@by_value
@dataclass(frozen=True)
class CalibratedSet:
    """The cameras that filmed one scene at the same time; frames of equal number belong together.

    Attributes:
        name: of the folder.
        views: two or more.
    """

    name: str
    views: tuple[View, ...]


def read_calibrated_set(folder: Path | str) -> CalibratedSet:
    """The set in a folder.

    Raises:
        PointlightError: no calibration, a video that is missing, or a calibration that makes no sense.
    """
    folder = Path(folder)
    path = folder / CALIBRATION_FILE
    if not path.is_file():
        raise PointlightError(f"there is no {path}; {_WANTED}")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        cameras = content["cameras"]
        if content.get("units", "metres") not in METRES or not content.get("synchronised", True):
            raise ValueError("it is in none of m, cm, mm, or its cameras are not synchronised")
        size_m = METRES[content.get("units", "metres")]
        views = tuple(_view(folder, camera, size_m) for camera in cameras)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PointlightError(f"{path} cannot be used ({error}); {_WANTED}") from error
    if len(views) < 2 or len({view.name for view in views}) != len(views):
        raise PointlightError(f"{path} has {len(views)} cameras; give two or more, each with its own name")
    for view in views:
        if not view.video.is_file():
            raise PointlightError(f"{path} names the video {view.video}, which is not there")
    return CalibratedSet(folder.name, views)


def calibrated_folders(folder: Path | str) -> tuple[Path, ...]:
    """The folder itself if it holds a calibrated set, otherwise those of its folders that do, in order.

    Raises:
        PointlightError: there is none.
    """
    folder = Path(folder)
    if (folder / CALIBRATION_FILE).is_file():
        return (folder,)
    found = tuple(sorted(path.parent for path in folder.glob(f"*/{CALIBRATION_FILE}")))
    if not found:
        raise PointlightError(f"there is no {CALIBRATION_FILE} in {folder} or in its folders; {_WANTED}")
    return found


def _view(folder: Path, camera: dict[str, Any], size_m: float) -> View:
    values = {
        name: np.asarray(camera[name], np.float64).reshape(shape)
        for name, shape in (("K", (3, 3)), ("dist", -1), ("R", (3, 3)), ("t", (3,)))
    }
    distortion = values["dist"]
    if len(distortion) not in (4, 5) or not all(np.isfinite(value).all() for value in values.values()):
        raise ValueError(f"the camera {camera['name']!r} needs finite numbers and 4 or 5 of distortion")
    if np.abs(values["R"] @ values["R"].T - np.eye(3)).max() > 1e-3 or np.linalg.det(values["R"]) < 0:
        raise ValueError(f"the R of camera {camera['name']!r} is not a rotation")
    width, height = camera["image_size"]
    lens = Lens(
        torch.from_numpy(values["K"]),
        torch.from_numpy(np.pad(distortion, (0, 5 - len(distortion)))),
        torch.from_numpy(values["R"]),
        torch.from_numpy(values["t"] * size_m),
    )
    return View(str(camera["name"]), folder / camera["video"], (int(width), int(height)), lens)
