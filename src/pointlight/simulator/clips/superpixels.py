"""SLIC superpixels of a video volume on colour and motion-compensated coordinates (Achanta et al. 2012).

The result is scikit-image's for the paper's five channels, label by label but for rounding, at a fraction of its time:
coordinates need no channels of their own, since they are the same for all rows or columns of a frame, and sums of
colours are whole numbers.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numba
import numpy as np

MOST_SUPERPIXELS = 120
"""Labels are bytes, and connected superpixels may be twice as many as were asked for."""

_LEAST_SIZE, _MOST_SIZE = 0.5, 3.0
"""Of connected superpixels, in mean sizes; scikit-image's defaults."""


def superpixels(
    frames: np.ndarray,
    path_px: np.ndarray,
    count: int,
    coordinate_weight: float,
    compactness: float = 0.01,
    iterations: int = 10,
    connected: bool = True,
) -> np.ndarray:
    """Cluster a clip's voxels by colour and place.

    Appendix A: SLIC with "extra channels containing the (x,y) pixel coordinates which have been modified to account for
    camera motion", beside SLIC's own coordinates, which a low compactness leaves little say.

    Args:
        frames: (T, H, W, 3) uint8 RGB; colours count from 0 to 1 (with five channels scikit-image does not turn them
            into Lab, and only so does the paper's coordinate weight make blobs).
        path_px: (T, 2) where the scene is displaced to in each frame, subtracted from the coordinates.
        count: about how many superpixels; as many as a regular grid near this number has.
        coordinate_weight: of the motion-compensated coordinates in pixels against colours.
        compactness: of SLIC's own coordinates against all channels.
        iterations: of the clustering.
        connected: make every superpixel one piece of the volume, as scikit-image does unless told otherwise: pieces
            of less than half the mean size join a neighbour, those of more than three times are cut.

    Returns:
        (T, H, W) uint8 labels from 0. Unless `connected`, a label may be in use nowhere or in many pieces.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise ValueError(f"frames must be (T, H, W, 3) uint8, not {frames.shape} {frames.dtype}")
    if path_px.shape != (len(frames), 2):
        raise ValueError(f"the path of {len(frames)} frames must be ({len(frames)}, 2), not {path_px.shape}")
    if not 1 <= count <= MOST_SUPERPIXELS:
        raise ValueError(f"{count} superpixels do not fit into bytes; ask for 1 to {MOST_SUPERPIXELS}")
    volume = frames.shape[:3]
    starts, steps = _grid(volume, count)
    axes = [np.arange(start, side, step) for start, side, step in zip(starts, volume, steps, strict=True)]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.float64)
    # Windows are as wide as the grid of the number of centres that there really are.
    reach = 2 * np.array(_grid(volume, len(centres))[1])
    own = 1 / max(steps)
    labels = np.zeros(volume, np.uint8)
    _cluster(
        np.ascontiguousarray(frames.swapaxes(2, 3)),
        np.ascontiguousarray(path_px, np.float64),
        centres,
        reach,
        1 / (255 * compactness),
        coordinate_weight / compactness,
        own,
        iterations,
        labels,
    )
    if connected:
        size = labels.size / len(centres)
        labels = _connected(labels, int(_LEAST_SIZE * size), int(_MOST_SIZE * size))
    return labels


def _grid(volume: tuple[int, ...], count: int) -> tuple[list[int], list[int]]:
    """Starts and steps of about `count` points, as evenly spaced as may be along t, y and x.

    An axis shorter than a step gets one point in its middle, and the others share the count.
    """
    steps = [0.0, 0.0, 0.0]
    left = sorted(range(3), key=lambda axis: volume[axis])
    while left:
        step = (math.prod(volume[axis] for axis in left) / count) ** (1 / len(left))
        if volume[left[0]] >= step:
            for axis in left:
                steps[axis] = max(step, 1.0)
            break
        axis = left.pop(0)
        steps[axis] = float(volume[axis])
    return [int(step // 2) for step in steps], [max(round(step), 1) for step in steps]


def _connected(labels: np.ndarray, least: int, most: int) -> np.ndarray:
    """(T, H, W) uint8 labels of which each is one piece of at least `least` voxels, grown to at most `most`."""
    # A border of nobody's spares the pieces from looking where they are; int32 is enough for a window's voxels.
    pieces = np.full([side + 2 for side in labels.shape], _BORDER, np.int16)
    np.subtract(_FIRST_WAITING, labels, out=pieces[1:-1, 1:-1, 1:-1], dtype=np.int16)
    _collect_pieces(pieces.ravel(), pieces.shape[2], pieces[0].size, least, most, np.empty(most, np.int32))
    return pieces[1:-1, 1:-1, 1:-1].astype(np.uint8)


_BORDER, _FIRST_WAITING = -1, -2
"""Voxels that have no piece yet are -2 less their label, those beyond the volume -1."""


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _collect_pieces(
    pieces: np.ndarray, row: int, plane: int, least: int, most: int, queue: np.ndarray
) -> None:
    """Number the pieces in reading order, each by a breadth-first search; small ones take a neighbour's number."""
    steps = (1, -1, row, -row, plane, -plane)
    number = 0
    for first in range(pieces.shape[0]):
        waiting = pieces[first]
        if waiting >= _BORDER:
            continue
        neighbour = 0
        pieces[first] = number
        queue[0] = first
        size, seen = 1, 0
        while seen < size and size < most:
            for step in steps:
                other = queue[seen] + step
                there = pieces[other]
                if there == waiting:
                    pieces[other] = number
                    queue[size] = other
                    size += 1
                    if size >= most:
                        break
                elif there >= 0 and there != number:
                    neighbour = there
            seen += 1
        if size < least:
            for k in range(size):
                pieces[queue[k]] = neighbour
        else:
            number += 1


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _cluster(
    frames: np.ndarray,
    path: np.ndarray,
    centres: np.ndarray,
    reach: np.ndarray,
    colour_weight: float,
    moved_weight: float,
    own_weight: float,
    iterations: int,
    labels: np.ndarray,
) -> None:
    """Lloyd's iterations within windows; frames are (T, H, 3, W), centres (K, 3) are t, y, x."""
    times, height, _, width = frames.shape
    volume = (times, height, width)
    count = centres.shape[0]
    # Mean colour, t, y, x and y, x with the path taken away; all colours start equal, so that place alone decides.
    colour = np.zeros((count, 3))
    moved = np.zeros((count, 2))
    moved_share = 0.0
    across = np.empty((count, width), np.float32)
    planes = np.empty((3, width), np.float32)
    best = np.empty(width, np.float32)
    nearest = np.empty(width, np.int32)
    mean = np.empty((count, 3), np.float32)
    low = np.empty((count, 3), np.int64)
    high = np.empty((count, 3), np.int64)
    whole = np.empty((count, 5), np.int64)
    # Members of a row, and the sums of their x and colours: only what changes its mean is counted anew.
    row_sums = np.zeros((times, height, count, 5), np.int32)
    sums = np.empty((count, 4))
    alive = np.ones(count, np.bool_)
    counted = False
    for _ in range(iterations):
        for k in range(count):
            for axis in range(3):
                low[k, axis] = max(int(max(centres[k, axis] - reach[axis], 0.0)), 0)
                high[k, axis] = int(min(centres[k, axis] + reach[axis] + 1.0, 1.0 * volume[axis]))
            for c in range(3):
                mean[k, c] = colour[k, c] * colour_weight
        whole[:] = 0
        sums[:] = 0
        for t in range(times):
            for k in range(count):
                for x in range(width):
                    off = own_weight * (x - centres[k, 2])
                    off_moved = moved_share * (x - path[t, 0] - moved[k, 1])
                    across[k, x] = off * off + off_moved * off_moved
            for y in range(height):
                for c in range(3):
                    for x in range(width):
                        planes[c, x] = colour_weight * frames[t, y, c, x]
                for x in range(width):
                    nearest[x] = labels[t, y, x]
                best[:] = np.inf
                for k in range(count):
                    if not alive[k] or t < low[k, 0] or t >= high[k, 0] or y < low[k, 1] or y >= high[k, 1]:
                        continue
                    off_t = own_weight * (t - centres[k, 0])
                    off_y = own_weight * (y - centres[k, 1])
                    off_moved = moved_share * (y - path[t, 1] - moved[k, 0])
                    down = np.float32(off_t * off_t + off_y * off_y + off_moved * off_moved)
                    first, last = low[k, 2], high[k, 2]
                    _nearer(
                        planes[0, first:last],
                        planes[1, first:last],
                        planes[2, first:last],
                        across[k, first:last],
                        mean[k],
                        down,
                        np.int32(k),
                        best[first:last],
                        nearest[first:last],
                    )
                row = row_sums[t, y]
                for x in range(width):
                    k, before = nearest[x], labels[t, y, x]
                    if k != before or not counted:
                        red, green, blue = frames[t, y, 0, x], frames[t, y, 1, x], frames[t, y, 2, x]
                        if counted:
                            _count(row[before], -1, -x, -np.int32(red), -np.int32(green), -np.int32(blue))
                        _count(row[k], 1, x, np.int32(red), np.int32(green), np.int32(blue))
                        labels[t, y, x] = k
                for k in range(count):
                    members = row[k, 0]
                    if members:
                        for c in range(5):
                            whole[k, c] += row[k, c]
                        sums[k, 0] += members * t
                        sums[k, 1] += members * y
                        sums[k, 2] += members * (y - path[t, 1])
                        sums[k, 3] += row[k, 1] - members * path[t, 0]
        counted = True
        moved_share = moved_weight
        for k in range(count):
            members = whole[k, 0]
            alive[k] = members > 0  # what has lost all its voxels has no mean and gets none again
            if not alive[k]:
                continue
            centres[k, 0] = sums[k, 0] / members
            centres[k, 1] = sums[k, 1] / members
            centres[k, 2] = whole[k, 1] / members
            moved[k, 0] = sums[k, 2] / members
            moved[k, 1] = sums[k, 3] / members
            for c in range(3):
                colour[k, c] = whole[k, 2 + c] / members


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _count(sums: np.ndarray, members: int, x: int, red: int, green: int, blue: int) -> None:
    """Add to a superpixel's sums within a row."""
    sums[0] += members
    sums[1] += x
    sums[2] += red
    sums[3] += green
    sums[4] += blue


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _nearer(
    red: np.ndarray,
    green: np.ndarray,
    blue: np.ndarray,
    across: np.ndarray,
    mean: np.ndarray,
    down: float,
    label: int,
    best: np.ndarray,
    nearest: np.ndarray,
) -> None:
    """Take the pixels of a stretch of a row that are nearer to this mean than to any before."""
    mean_red, mean_green, mean_blue = mean[0], mean[1], mean[2]
    for x in range(best.shape[0]):
        off_red, off_green, off_blue = red[x] - mean_red, green[x] - mean_green, blue[x] - mean_blue
        distance = across[x] + down + (off_red * off_red + off_green * off_green + off_blue * off_blue)
        closer = distance < best[x]
        best[x] = distance if closer else best[x]
        nearest[x] = label if closer else nearest[x]
