"""The two pose networks of mediapipe: one finds people in a picture, one reads the keypoints of one person.

mediapipe's own solution follows one person of its own choice. Its networks are called here one by one, so
that the person, the direction of time and the judgement of losses are ours.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.errors import PointlightError

VERSION = "0.10.14"
SIZES = {"full": 1, "heavy": 2}
"""mediapipe's number of a size of network; the wheel holds "full" only."""

LANDMARKS: dict[str, int] = {
    "nose": 0,
    "left_eye": 2,
    "right_eye": 5,
    "left_ear": 7,
    "right_ear": 8,
    "left_shoulder": 11,
    "right_shoulder": 12,
    "left_elbow": 13,
    "right_elbow": 14,
    "left_wrist": 15,
    "right_wrist": 16,
    "left_hip": 23,
    "right_hip": 24,
    "left_knee": 25,
    "right_knee": 26,
    "left_ankle": 27,
    "right_ankle": 28,
    "left_heel": 29,
    "right_heel": 30,
    "left_big_toe": 31,
    "right_big_toe": 32,
}
"""Where our keypoints stand among BlazePose's 33; small toes are not among them."""

_FIND = """
input_stream: "image"
output_stream: "people"
node {
  calculator: "PoseDetectionCpu"
  input_stream: "IMAGE:image"
  output_stream: "DETECTIONS:people"
}
"""
_READ = """
input_stream: "image"
input_stream: "region"
input_side_packet: "complexity"
input_side_packet: "segmentation"
output_stream: "points"
output_stream: "world"
output_stream: "helpers"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  input_side_packet: "ENABLE_SEGMENTATION:segmentation"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  output_stream: "LANDMARKS:points"
  output_stream: "WORLD_LANDMARKS:world"
  output_stream: "AUXILIARY_LANDMARKS:helpers"
}
"""
_MARGIN = 1.25
"""By how much mediapipe enlarges the circle around a person (its pose graphs' rectangle transformation)."""


@dataclass(frozen=True)
class Region:
    """A turned square around a person.

    Attributes:
        x: middle in pixels, between the hips.
        y: middle.
        size: side in pixels; about 1.2 times a standing person's height.
        angle: radians by which the person leans clockwise in the picture.
    """

    x: float
    y: float
    size: float
    angle: float

    @classmethod
    def from_circle(cls, middle: tuple[float, float], rim: tuple[float, float]) -> Region:
        """The square around the circle through `rim`, upright if `rim` lies above `middle`."""
        across, down = rim[0] - middle[0], rim[1] - middle[1]
        radius = float(np.hypot(across, down))
        return cls(middle[0], middle[1], max(2 * _MARGIN * radius, 2.0), float(np.arctan2(across, -down)))


@dataclass(frozen=True)
class Reading:
    """The keypoints of one person in one picture.

    Attributes:
        points: (21, 3) float32 in the order of `LANDMARKS`: x, y in pixels, visibility.
        region: where the person is, from the picture itself.
        world_m: (21, 3) float32 the detector's own guess of the places in metres, from the middle of the hips; camera-like
            axes. Only the evaluator looks at it.
    """

    points: np.ndarray
    region: Region
    world_m: np.ndarray


class BlazePose:
    """Both networks, loaded. Not for several threads at once."""

    def __init__(self, size: str = "full") -> None:
        """Load mediapipe.

        Args:
            size: of the network that reads keypoints, one of `SIZES`.

        Raises:
            PointlightError: it, or a library or network that it needs, is not installed.
        """
        if size not in SIZES:
            raise PointlightError(
                f"mediapipe has no network of size {size!r} here; it is {' or '.join(SIZES)}"
            )
        with _silence():
            base, self._rect = _load()
            _check_network(size)
            self._finder: Any = base(graph_config=_FIND, outputs=["people"])
            self._reader: Any = base(
                graph_config=_READ,
                side_inputs={"complexity": SIZES[size], "segmentation": False},
                outputs=["points", "world", "helpers"],
            )
            # The libraries talk once more when they first run.
            blank = np.zeros((64, 64, 3), np.uint8)
            self.find(blank)
            self.read(blank, Region(32, 32, 64, 0))

    def find(self, image: np.ndarray, window: Region | None = None) -> list[tuple[Region, float]]:
        """People with their scores, the largest first.

        Args:
            image: (H, W, 3) uint8 RGB.
            window: look only in this upright square (its angle does not matter).
        """
        left, top = 0, 0
        if window is not None:
            half = window.size / 2
            left, top = max(0, round(window.x - half)), max(0, round(window.y - half))
            image = image[top : round(window.y + half) + 1, left : round(window.x + half) + 1]
            if min(image.shape[:2]) < 16:
                return []
        height, width = image.shape[:2]
        people = self._run(self._finder, {"image": np.ascontiguousarray(image)}).people or []
        found = []
        for person in people:
            places = [
                (k.x * width + left, k.y * height + top) for k in person.location_data.relative_keypoints
            ]
            found.append((Region.from_circle(places[0], places[1]), float(person.score[0])))
        return sorted(found, key=lambda pair: -pair[0].size)

    def read(self, image: np.ndarray, region: Region) -> Reading | None:
        """Keypoints of the person in a region, or None if the network sees no person there."""
        height, width = image.shape[:2]
        rectangle = self._rect.NormalizedRect(
            x_center=region.x / width,
            y_center=region.y / height,
            width=region.size / width,
            height=region.size / height,
            rotation=region.angle,
        )
        result = self._run(self._reader, {"image": image, "region": rectangle})
        if result.points is None or result.world is None or result.helpers is None:
            return None
        every, places = result.points.landmark, result.world.landmark
        points = np.array(
            [(every[i].x * width, every[i].y * height, every[i].visibility) for i in LANDMARKS.values()],
            np.float32,
        )
        world_m = np.array([(places[i].x, places[i].y, places[i].z) for i in LANDMARKS.values()], np.float32)
        middle, rim = result.helpers.landmark[:2]
        if not (np.isfinite(points).all() and np.isfinite(world_m).all()):
            return None
        points[:, 2] = points[:, 2].clip(0, 1)
        circle = Region.from_circle((middle.x * width, middle.y * height), (rim.x * width, rim.y * height))
        return Reading(points, circle, world_m)

    def close(self) -> None:
        """Stop the networks' threads."""
        self._finder.close()
        self._reader.close()

    def _run(self, graph: Any, inputs: dict[str, Any]) -> Any:
        with warnings.catch_warnings():
            # protobuf 4 tells at every message that protobuf 5 will drop a name that mediapipe uses.
            warnings.filterwarnings("ignore", message="SymbolDatabase.GetPrototype", category=UserWarning)
            return graph.process(inputs)


def _check_network(size: str) -> None:
    """Without it mediapipe would try to download it."""
    import mediapipe

    file = Path(mediapipe.__file__).parent / "modules" / "pose_landmark" / f"pose_landmark_{size}.tflite"
    if not file.is_file():
        raise PointlightError(
            f"mediapipe {VERSION} comes without its {size} network; take {file.name} from the npm package"
            f" @mediapipe/pose 0.5.1675469404 (Apache-2.0) and put it into {file.parent}"
        )


def _load() -> tuple[Any, Any]:
    """The runner of graphs and the rectangles."""
    try:
        import google.protobuf
    except ImportError as error:
        raise PointlightError(_not_installed("protobuf")) from error
    if int(google.protobuf.__version__.split(".")[0]) > 5:
        raise PointlightError(
            f"mediapipe {VERSION} does not work with protobuf {google.protobuf.__version__};"
            " run: pip install 'protobuf>=4.25.3,<5'"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mediapipe.framework.formats import rect_pb2
            from mediapipe.python.solution_base import SolutionBase
    except ImportError as error:
        raise PointlightError(import_sentence(error)) from error
    return SolutionBase, rect_pb2


def import_sentence(error: ImportError) -> str:
    """Which package or system library is missing, and how to get it."""
    text = str(error)
    library = text.split(":")[0].strip()
    if re.fullmatch(r"\S+\.so[.\d]*", library):
        package = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0"}.get(library)
        remedy = f"on Debian and Ubuntu: apt install {package}; or" if package else "install it, or"
        return (
            f"the detector cannot start because the system library {library} is missing ({remedy}"
            " replace opencv-contrib-python by opencv-contrib-python-headless, which needs no such library)"
        )
    return _not_installed(error.name or text)


def _not_installed(name: str) -> str:
    return (
        f"the detector needs the Python package {name.split('.')[0]}, which is not installed; run:"
        " pip install 'pointlight[detector]', or give 2D keypoints with --keypoints FILE"
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Send the process's error output nowhere while C++ libraries announce themselves."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
