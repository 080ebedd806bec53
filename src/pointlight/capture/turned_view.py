"""The right panel of an overlay: bodies seen from the side, on the floor of their world where that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import no_type_check

import numba
import numpy as np

from pointlight.capture.capture import Capture

TURN_DEG = 60.0
"""Figure 5: "the same mesh rotated by 60 degrees"."""

_PITCH_DEG = 8.0
"""Looked down by so much, a floor is seen as one."""
_FILLED = 0.94
_AROUND_M = 0.16
"""Hands and feet reach beyond the joints of evaluation."""
_SMALLEST_M = 0.6
_LINES_APART_M, _LINES_REACH_M = 0.5, 3.0
_LINE_RGB = (104, 110, 124)
_NEAR_M = 0.3


class TurnedView:
    """The camera of the right panel: one person it goes along with, before several it stands still.

    Where everybody has a world, it stands level in it (looking down a little) and shows the bodies of the world, on its
    floor; else it shows those of the camera's result, turned about the picture's vertical.
    """

    def __init__(self, people: Sequence[Capture], panel: tuple[int, int]) -> None:
        """Choose place and focal length so that everybody is seen, in all frames at one scale.

        Args:
            people: of one video.
            panel: (width, height) in pixels.
        """
        self.in_world = all(capture.world is not None for capture in people)
        self._people = people
        self._turns = [self._turn(shot) for shot in range(len(people[0].shot_shapes))]
        self._aims = [self._aim(shot) for shot in range(len(self._turns))]
        seen = np.concatenate([self._seen_joints(capture) for capture in people])
        deep_m = float(np.percentile(np.abs(seen[:, 2]), 99)) if len(seen) else 1.0
        self.distance_m = 5.0 + 2 * deep_m
        slopes = seen[:, :2] / (seen[:, 2:] + self.distance_m)
        # A body that is thrown far off for a moment does not make the others small.
        low, high = np.percentile(slopes, (0.5, 99.5), axis=0) if len(seen) else np.zeros((2, 2))
        middle = (low + high) / 2
        half = np.maximum((high - low) / 2 + _AROUND_M / self.distance_m, _SMALLEST_M / self.distance_m)
        self.focal_px = _FILLED * float((np.array(panel) / 2 / half).min())
        x, y = np.array(panel) / 2 - self.focal_px * middle
        self.principal_px = (float(x), float(y))

    def see(self, person: int, number: int, vertices_m: np.ndarray) -> np.ndarray:
        """(V, 3) a body of frame `number` before this camera; in world axes if `in_world`, else in the filming camera's."""
        shot = int(self._people[person].shot[number])
        return (vertices_m - self._target(person, number)) @ self._turns[shot].T + self._away()

    def draw_floor(self, panel: np.ndarray, number: int) -> None:
        """Lines on the world's floor, half a metre apart, into an (H, W, 3) uint8 panel; nothing without a world."""
        if not self.in_world:
            return
        target = self._target(0, number)
        if not np.isfinite(target).all():
            return
        shot = int(self._people[0].shot[number])
        ends = _floor_lines(target) - target
        places = ends @ self._turns[shot].T.astype(np.float64) + self._away()
        _draw_lines(panel, places, self.focal_px, *self.principal_px, np.array(_LINE_RGB, np.float64))

    def _away(self) -> np.ndarray:
        return np.array([0, 0, self.distance_m], np.float32)

    def _turn(self, shot: int) -> np.ndarray:
        """(3, 3) float32 from the axes that bodies come in to this camera's."""
        angle = np.radians(TURN_DEG)
        cosine, sine = np.cos(angle), np.sin(angle)
        about_vertical = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
        world = self._people[0].world
        if not self.in_world or world is None:
            return about_vertical.astype(np.float32)
        pitch = np.radians(_PITCH_DEG)
        down = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        return (down @ about_vertical @ _level_camera(world.R_world_camera[shot])).astype(np.float32)

    def _aim(self, shot: int) -> np.ndarray:
        """(3,) what this camera is aimed at in a shot: of one person the height alone."""
        places = [self._joints(capture)[capture.valid & (capture.shot == shot)] for capture in self._people]
        flat = np.concatenate([place.reshape(-1, 3) for place in places])
        if not len(flat):
            return np.zeros(3, np.float32)
        # In the turned axes, since what is seen has to lie around the middle there.
        turned = flat @ self._turns[shot].T
        low, high = np.percentile(turned, (1, 99), axis=0)
        middle = self._turns[shot].T @ ((low + high) / 2)
        if self.in_world:
            middle[1] = np.percentile(flat[:, 1], (1, 99)).mean()
        return middle.astype(np.float32)

    def _target(self, person: int, number: int) -> np.ndarray:
        """(3,) the place that stands in the panel's middle in a frame."""
        aim = self._aims[int(self._people[person].shot[number])]
        if len(self._people) > 1:
            return aim
        capture = self._people[0]
        if capture.world is None:
            joints = self._joints(capture, slice(number, number + 1))[0]
            return (joints.min(0) + joints.max(0)) / 2
        root = capture.world.root_world_m[number]
        return np.array((root[0], aim[1], root[2]), np.float32)

    def _joints(self, capture: Capture, frames: slice = slice(None)) -> np.ndarray:
        """(T, 14, 3) float32 places of the joints in the axes that bodies come in, of the world's to some centimetres."""
        joints = capture.joints_camera_m[frames]
        if not self.in_world or capture.world is None:
            return joints + capture.translation_camera_m[frames, None]
        turns = capture.world.R_world_camera[capture.shot[frames]]
        return np.einsum("tij,tkj->tki", turns, joints) + capture.world.root_world_m[frames, None]

    def _seen_joints(self, capture: Capture) -> np.ndarray:
        """(N, 3) all joints of one person, in this camera's axes from what it is aimed at."""
        person = [one is capture for one in self._people].index(True)
        joints = self._joints(capture)
        turned = [
            (joints[number] - self._target(person, number)) @ self._turns[int(capture.shot[number])].T
            for number in np.flatnonzero(capture.valid).tolist()
        ]
        return np.concatenate(turned) if turned else np.zeros((0, 3), np.float32)


def _level_camera(R_world_camera: np.ndarray) -> np.ndarray:
    """(3, 3) from the world's axes to those of a level camera (y down) that looks where the filming one does."""
    ahead = R_world_camera[:, 2].astype(np.float64)
    if np.hypot(ahead[0], ahead[2]) < 0.2:  # it films from above: ahead is what is up in its picture
        ahead = -R_world_camera[:, 1].astype(np.float64)
    ahead[1] = 0
    ahead /= np.linalg.norm(ahead)
    down = np.array([0.0, -1.0, 0.0])
    return np.stack((np.cross(down, ahead), down, ahead))


def _floor_lines(target: np.ndarray) -> np.ndarray:
    """(L, S, 3) points along lines of the floor around a place, at whole multiples of their distance in the world."""
    reach = round(_LINES_REACH_M / _LINES_APART_M)
    steps = np.arange(-reach, reach + 1) * _LINES_APART_M
    x, z = (np.round(target[axis] / _LINES_APART_M) * _LINES_APART_M + steps for axis in (0, 2))
    along = np.stack(np.meshgrid(x, z, indexing="ij"), axis=-1)  # (x, z, 2)
    flat = np.concatenate((along, along.swapaxes(0, 1)))
    return np.stack((flat[..., 0], np.zeros(flat.shape[:-1]), flat[..., 1]), axis=-1)


@numba.njit(cache=True, nogil=True)
@no_type_check
def _draw_lines(
    image: np.ndarray,
    lines: np.ndarray,
    focal_px: float,
    middle_x: float,
    middle_y: float,
    colour: np.ndarray,
) -> None:
    """Lines (L, S, 3) before a camera, each pixel's share by its distance from the line; fainter towards their ends."""
    height, width = image.shape[0], image.shape[1]
    count = lines.shape[1]
    for line in range(lines.shape[0]):
        across = abs(2.0 * (line % count) / (count - 1) - 1.0)
        for k in range(count - 1):
            a, b = lines[line, k], lines[line, k + 1]
            if a[2] < _NEAR_M or b[2] < _NEAR_M:
                continue
            along = abs(2.0 * (k + 0.5) / (count - 1) - 1.0)
            strong = max(0.0, 1.0 - max(across, along) ** 2 * 0.9)
            ax, ay = a[0] / a[2] * focal_px + middle_x - 0.5, a[1] / a[2] * focal_px + middle_y - 0.5
            bx, by = b[0] / b[2] * focal_px + middle_x - 0.5, b[1] / b[2] * focal_px + middle_y - 0.5
            steep = abs(by - ay) > abs(bx - ax)
            if steep:
                ax, ay, bx, by = ay, ax, by, bx
            if ax > bx:
                ax, ay, bx, by = bx, by, ax, ay
            limit, side = (height, width) if steep else (width, height)
            for i in range(max(0, int(np.ceil(ax))), min(limit - 1, int(np.ceil(bx)) - 1) + 1):
                place = ay + (by - ay) * (i - ax) / (bx - ax)
                low = int(np.floor(place))
                for j in (low, low + 1):
                    if j < 0 or j >= side:
                        continue
                    share = strong * (1.0 - abs(place - j))
                    y, x = (i, j) if steep else (j, i)
                    for c in range(3):
                        image[y, x, c] = int(image[y, x, c] + share * (colour[c] - image[y, x, c]))
