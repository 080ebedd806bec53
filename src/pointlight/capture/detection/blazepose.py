"""BlazePose's two networks: one finds people in a picture, one reads the keypoints of one person.

The networks are mediapipe's (Bazarevsky et al. 2020) and run by LiteRT; what mediapipe does around them is done here, so
that the person, the direction of time and the judgement of losses are ours too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import no_type_check

import numba
import numpy as np

from pointlight.capture.detection.anchors import Candidates, merged, people_of
from pointlight.capture.detection.lite_network import LiteNetwork
from pointlight.capture.detection.network_files import FINDER, READERS, network_file
from pointlight.capture.detection.square_cut import cut_square
from pointlight.errors import PointlightError
from pointlight.progress import ProgressCallback, silent
from pointlight.threads import usable_threads

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

_MARGIN = 1.25
"""By how much mediapipe enlarges the circle around a person (its pose graphs' rectangle transformation)."""

_FINDER_PX, _READER_PX = 224, 256
_MIN_PRESENCE = 0.5
"""Of a person in a region, below which mediapipe gives nothing."""

_HELPERS = (33, 34)
"""Behind the landmarks: the middle of the hips and a point on the circle around the person."""

_HEATMAP_PX, _KERNEL_PX, _MIN_HEAT = 64, 9, 0.5
"""Of mediapipe's refinement: landmarks move to the centre of mass of their heatmap around them."""

_MOST_LOGIT = 100.0
_LEAST_PX = 16
"""Side of a picture that people are looked for in."""


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

    @property
    def turn(self) -> np.ndarray:
        """(2, 2) from the square's axes to the picture's."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        return np.array(((cosine, -sine), (sine, cosine)))


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

    def __init__(
        self, size: str = "full", threads: int | None = None, progress: ProgressCallback = silent
    ) -> None:
        """Load the networks.

        Args:
            size: of the network that reads keypoints, one of `READERS`.
            threads: of each network; None: as the machine has.
            progress: told if they have to be fetched.

        Raises:
            PointlightError: there is no such size, or a network is not there and cannot be fetched.
        """
        if size not in READERS:
            raise PointlightError(f"there is no detector {size!r}; it is {', '.join(READERS)}")
        # The reader first: where pip cannot bring it, nothing has to be fetched.
        threads = threads or usable_threads()
        self._reader = LiteNetwork(network_file(READERS[size], progress), threads)
        self._finder = LiteNetwork(network_file(FINDER, progress), threads)

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
            if min(image.shape[:2]) < _LEAST_PX:
                return []
        height, width = image.shape[:2]
        side = float(max(height, width))
        corner = np.array(((width - side) / 2, (height - side) / 2))
        square = cut_square(image, corner, np.array((side, 0.0)), np.array((0.0, side)), _FINDER_PX, beyond=0)
        boxes, scores = self._finder(2 * square - 1, "Identity", "Identity_1")
        found = []
        for person in merged(people_of(Candidates(boxes[0], scores[0, :, 0]))):
            middle, rim = person.points[:2] * side + corner + (left, top)
            found.append((Region.from_circle(tuple(middle), tuple(rim)), float(person.score)))
        return sorted(found, key=lambda pair: -pair[0].size)

    def read(self, image: np.ndarray, region: Region) -> Reading | None:
        """Keypoints of the person in a region, or None if the network sees no person there."""
        turn = region.turn
        across, down = turn[:, 0] * region.size, turn[:, 1] * region.size
        corner = np.array((region.x, region.y)) - (across + down) / 2
        square = cut_square(image, corner, across, down, _READER_PX)
        every, presence, heat, world = self._reader(
            square, "Identity", "Identity_1", "Identity_3", "Identity_4"
        )
        if not presence[0, 0] >= _MIN_PRESENCE:
            return None
        values = every.reshape(-1, 5)
        in_square = _refined(values[:, :2] / _READER_PX, heat[0])
        in_image = corner + in_square[:, :1] * across + in_square[:, 1:] * down
        chosen = list(LANDMARKS.values())
        points = np.concatenate((in_image[chosen], _sigmoid(values[chosen, 3:4])), axis=1).astype(np.float32)
        places = world.reshape(-1, 3)[chosen].astype(np.float64)
        places[:, :2] = places[:, :2] @ turn.T
        if not (np.isfinite(points).all() and np.isfinite(places).all()):
            return None
        middle, rim = in_image[list(_HELPERS)]
        return Reading(points, Region.from_circle(tuple(middle), tuple(rim)), places.astype(np.float32))


@numba.njit(cache=True, error_model="numpy", nogil=True)
@no_type_check
def _refined(places: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Landmarks (39, 2) in shares of the square, moved by their heatmaps (64, 64, 39) of logits."""
    result = places.astype(np.float64)
    reach = _KERNEL_PX // 2
    for number in range(len(places)):
        column, row = int(places[number, 0] * _HEATMAP_PX), int(places[number, 1] * _HEATMAP_PX)
        if not (0 <= column < _HEATMAP_PX and 0 <= row < _HEATMAP_PX):
            continue
        weight, highest, at_x, at_y = 0.0, 0.0, 0.0, 0.0
        for y in range(max(0, row - reach), min(_HEATMAP_PX, row + reach + 1)):
            for x in range(max(0, column - reach), min(_HEATMAP_PX, column + reach + 1)):
                likely = 1 / (1 + np.exp(-np.float64(heat[y, x, number])))
                weight += likely
                highest = max(highest, likely)
                at_x += likely * x
                at_y += likely * y
        if highest >= _MIN_HEAT:
            result[number, 0] = at_x / weight / _HEATMAP_PX
            result[number, 1] = at_y / weight / _HEATMAP_PX
    return result


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values.astype(np.float64).clip(-_MOST_LOGIT, _MOST_LOGIT)))
