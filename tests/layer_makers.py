"""People and backgrounds made of plain shapes, for tests of what is laid over one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pointlight.simulator import TRACK_POINTS, PersonLayer
from pointlight.simulator.scenes import CameraPath, KeypointMaskingDraws

FOCAL_PX = 100.0


def made_camera(frames: int, size: tuple[int, int], path_px: np.ndarray | None = None) -> CameraPath:
    principal = np.tile(np.array(size) / 2, (frames, 1)) + (0 if path_px is None else path_px)
    return CameraPath(
        np.tile(np.eye(3, dtype=np.float32), (frames, 1, 1)),
        np.zeros((frames, 3), np.float32),
        FOCAL_PX,
        principal.astype(np.float32),
        size,
    )


def ellipse_person(
    centres_px: np.ndarray,
    radii_px: tuple[float, float],
    size: tuple[int, int],
    depth_m: float = 4.0,
    colour: tuple[int, int, int] = (200, 30, 60),
) -> PersonLayer:
    """An upright ellipse whose points stand in a column in its middle, in the order of `TRACK_POINTS`, top to bottom.

    Args:
        centres_px: (T, 2) of the ellipse.
        radii_px: in x and y.
        size: (width, height) of the picture.
        depth_m: everywhere.
        colour: everywhere.
    """
    frames, (width, height) = len(centres_px), size
    y, x = np.mgrid[:height, :width] + 0.5
    off_x, off_y = (x - centres_px[:, 0, None, None], y - centres_px[:, 1, None, None])
    mask = (off_x / radii_px[0]) ** 2 + (off_y / radii_px[1]) ** 2 < 1
    column = np.linspace(-0.9, 0.9, len(TRACK_POINTS)) * radii_px[1]
    points = np.stack(np.broadcast_arrays(centres_px[:, :1], centres_px[:, 1:] + column), axis=-1)
    camera = made_camera(frames, size)
    places = np.concatenate(
        ((points - np.array(size) / 2) / FOCAL_PX * depth_m, np.full((*points.shape[:2], 1), depth_m)),
        axis=-1,
    )
    flow = np.full((frames - 1, height, width, 2), np.nan, np.float32)
    flow[mask[:-1]] = 0
    return PersonLayer(
        colour=np.where(mask[..., None], np.array(colour, np.uint8), np.uint8(0)),
        mask=mask,
        depth_m=np.where(mask, depth_m, np.inf).astype(np.float32),
        parts=mask.astype(np.uint8),
        part_names=("all",),
        flow_forward_px=flow,
        flow_backward_px=flow,
        joint_names=TRACK_POINTS,
        joints_px=points.astype(np.float32),
        joints_camera_m=places.astype(np.float32),
        out_of_frame=(points < 0).any(-1) | (points > size).any(-1),
        self_occluded=np.zeros(points.shape[:2], bool),
        camera=camera,
        state=None,
    )


def no_draws(frames: int, points: int = 19) -> KeypointMaskingDraws:
    """Nothing hidden by chance."""
    blank = np.zeros((frames, points), bool)
    return KeypointMaskingDraws(np.zeros(frames, bool), blank, False, blank.copy())


def with_draws(draws: KeypointMaskingDraws, **changes: object) -> KeypointMaskingDraws:
    return replace(draws, **changes)  # type: ignore[arg-type]


def blocks(
    size: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator, noise: float = 6.0
) -> np.ndarray:
    """(H, W, 3) uint8 of cells of one colour each with a little noise on them."""
    width, height = size
    colours = rng.uniform(20, 235, (cells[1], cells[0], 3))
    rows, columns = np.arange(height) * cells[1] // height, np.arange(width) * cells[0] // width
    picture = colours[rows[:, None], columns] + noise * rng.standard_normal((height, width, 3))
    return picture.clip(0, 255).astype(np.uint8)


def panned(picture: np.ndarray, path_px: np.ndarray, size: tuple[int, int], margin: int) -> np.ndarray:
    """(T, H, W, 3) views of a larger picture whose content is displaced by whole pixels `path_px` (T, 2)."""
    width, height = size
    views = []
    for dx, dy in np.rint(path_px).astype(int):
        top, left = margin - dy, margin - dx
        views.append(picture[top : top + height, left : left + width])
    return np.stack(views)
