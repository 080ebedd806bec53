"""Optical flow as a network sees it: in a crop's pixels, the same numbers for the same motion at any size and rate."""

from __future__ import annotations

from typing import Literal, no_type_check

import numba
import numpy as np

from pointlight.cues.crops import cut, mapped, samples_a_side
from pointlight.cues.frames import EXACT_FLOW, FRAME_S, PairPictures
from pointlight.errors import PointlightError
from pointlight.flow import FlowEstimator, find_flow, opencv
from pointlight.geometry import CROP_PX

FlowOn = Literal["picture", "crops"]

FLOW_UNIT_PX = 20
"""Appendix B: "Optical flow estimates are divided by 20 to put them in the same range as RGB pixels"."""

_LUMA = (0.299, 0.587, 0.114)
_DARKEST, _BRIGHTEST = 1, 99
_MOST_GAIN = 16.0
_PERCENTILE_STEP = 2
"""Of rows and columns that percentiles are taken over, for speed."""

_LEAST_PX = 32
"""Of what flow is found on; estimators need some."""

_WINDOW = 2.0
"""Side of what flow is found on, in crops: people may move so far, and flow wants surroundings."""


def flow_of_pair(
    pair: PairPictures, homography: np.ndarray, side_px: int, name: str, on: FlowOn = "picture"
) -> np.ndarray:
    """Flow of a pair in a crop that both frames share.

    Args:
        pair: whose flow was found before, or is found now.
        homography: (3, 3) from the crop's pixels to those of the pair's pictures.
        side_px: of the crop.
        name: of the estimator.
        on: find it on the "picture" and cut it afterwards, or on the pair of "crops".

    Returns:
        (side, side, 2) float32, crop pixels.

    Raises:
        PointlightError: another estimator's flow is all that is left of the second picture, or exact flow is not there.
    """
    if pair.flow_px is not None and pair.flow_name == name:
        return flow_in_crop(pair.flow_px, homography, side_px)
    if pair.second is None:
        raise PointlightError(
            f"the pictures were prepared with flow by {pair.flow_name or 'nobody'!r}, this model sees {name!r}; "
            "prepare them again"
        )
    if missing := missing_in_video(name):
        raise PointlightError(missing)
    estimator = find_flow(name)
    if on == "picture":
        return flow_on_pictures(pair.first, pair.second, homography, side_px, estimator)
    crops = [cut(picture, homography, side_px) for picture in (pair.first, pair.second)]
    return flow_on_crops(crops[0], crops[1], estimator)


def missing_in_video(name: str) -> str:
    """The sentence for flow that no real video has; "" for estimators."""
    if name != EXACT_FLOW:
        return ""
    return (
        "this model sees exact flow, which simulated clips alone have; use one whose flow an estimator finds"
    )


def stretched(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures (H, W, 3) uint8 as grey (H, W) uint8 that uses the whole range, both by the same rule.

    Estimators weigh differences of grey levels against smoothness, so that dim people would move less.
    """
    grey = [picture.astype(np.float32) @ np.array(_LUMA, np.float32) for picture in (first, second)]
    some = np.stack([values[::_PERCENTILE_STEP, ::_PERCENTILE_STEP] for values in grey])
    low, high = np.percentile(some, (_DARKEST, _BRIGHTEST))
    gain = min(255 / max(high - low, 1e-6), _MOST_GAIN)
    one, other = (np.clip((values - low) * gain + 0.5, 0, 255).astype(np.uint8) for values in grey)
    return one, other


def flow_on_pictures(
    first: np.ndarray, second: np.ndarray, homography: np.ndarray, side_px: int, estimator: FlowEstimator
) -> np.ndarray:
    """Flow found on pictures and cut afterwards: what moves far for a small crop is found all the same.

    It is found on the crop's wider surroundings, and where these show the person larger than the paper's crop does, they
    are scaled down to that first: so near and far people, small and large videos are seen alike.

    Args:
        first: (H, W, 3) uint8, the pair's present picture.
        second: the next one.
        homography: (3, 3) from the crop's pixels to the picture's, the same for both.
        side_px: of the crop.
        estimator: of the pictures' flow.

    Returns:
        (side, side, 2) float32, crop pixels.
    """
    cv2 = opencv("a network that sees pictures")

    height, width = first.shape[:2]
    (left, top, right, bottom), scale = _surroundings(homography, side_px, width, height)
    parts = [picture[top:bottom, left:right] for picture in (first, second)]
    to_picture = np.diag((1.0, 1.0, 1.0))
    to_picture[:2, 2] = left, top
    if scale < 1:
        size = (max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1))
        parts = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in parts]
        to_picture = to_picture @ np.diag(((right - left) / size[0], (bottom - top) / size[1], 1))
    flow = estimator.flow(*stretched(parts[0], parts[1]))
    return flow_in_crop(flow, np.linalg.inv(to_picture) @ homography, side_px)


def _surroundings(
    homography: np.ndarray, side_px: int, width: int, height: int
) -> tuple[tuple[int, int, int, int], float]:
    """What flow is found on, (left, top, right, bottom) in whole pixels of the picture, and its scale, at most 1."""
    corners = mapped(
        homography, np.array(((0, 0), (side_px, 0), (side_px, side_px), (0, side_px)), np.float64)
    )
    centre, side = (corners.max(0) + corners.min(0)) / 2, float((corners.max(0) - corners.min(0)).max())
    reach = _WINDOW / 2 * side
    # A person at the edge leaves a strip at least, never nothing.
    least = min(_LEAST_PX, width, height)
    low = np.clip(np.floor(centre - reach), 0, (width - least, height - least)).astype(int)
    high = np.maximum(np.ceil(centre + reach).astype(int), low + least)
    right, bottom = min(int(high[0]), width), min(int(high[1]), height)
    scale = min(1.0, CROP_PX / side)
    shortest = min(right - low[0], bottom - low[1])
    return (int(low[0]), int(low[1]), right, bottom), min(1.0, max(scale, least / float(shortest)))


def flow_on_crops(first: np.ndarray, second: np.ndarray, estimator: FlowEstimator) -> np.ndarray:
    """Flow found on a pair of crops (S, S, 3) uint8 "at the level of bounding boxes" (appendix B); (S, S, 2) crop pixels."""
    return estimator.flow(*stretched(first, second))


def flow_in_crop(flow_px: np.ndarray, homography: np.ndarray, side_px: int) -> np.ndarray:
    """A picture's flow as it appears in a crop that both frames share.

    Args:
        flow_px: (H, W, 2) float32, picture pixels.
        homography: (3, 3) from the crop's pixels to the picture's.
        side_px: of the crop.

    Returns:
        (side, side, 2) float32, crop pixels; the mean over each pixel's area.
    """
    samples = samples_a_side(homography, side_px)
    flow = np.ascontiguousarray(flow_px, np.float32)
    return _flow_in_crop(flow, homography, np.linalg.inv(homography), side_px, samples)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _flow_in_crop(
    flow: np.ndarray, to_picture: np.ndarray, to_crop: np.ndarray, side: int, samples: int
) -> np.ndarray:
    """Of each sample: where it lies in the picture, where that goes by bilinear flow, and where the crop shows that."""
    height, width = flow.shape[:2]
    result = np.empty((side, side, 2), np.float32)
    a, b = to_picture, to_crop
    for row in range(side):
        for column in range(side):
            sum_x, sum_y = 0.0, 0.0
            for i in range(samples):
                v = row + (i + 0.5) / samples
                for j in range(samples):
                    u = column + (j + 0.5) / samples
                    w = a[2, 0] * u + a[2, 1] * v + a[2, 2]
                    x = (a[0, 0] * u + a[0, 1] * v + a[0, 2]) / w
                    y = (a[1, 0] * u + a[1, 1] * v + a[1, 2]) / w
                    # Pixels' values stand at their middles; beyond the edge the edge goes on.
                    at_x = min(max(x - 0.5, 0.0), width - 1.0)
                    at_y = min(max(y - 0.5, 0.0), height - 1.0)
                    left, top = int(at_x), int(at_y)
                    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
                    fx, fy = at_x - left, at_y - top
                    for axis in range(2):
                        upper = (1 - fx) * flow[top, left, axis] + fx * flow[top, right, axis]
                        lower = (1 - fx) * flow[bottom, left, axis] + fx * flow[bottom, right, axis]
                        step = (1 - fy) * upper + fy * lower
                        if axis == 0:
                            x += step
                        else:
                            y += step
                    w = b[2, 0] * x + b[2, 1] * y + b[2, 2]
                    sum_x += (b[0, 0] * x + b[0, 1] * y + b[0, 2]) / w - u
                    sum_y += (b[1, 0] * x + b[1, 1] * y + b[1, 2]) / w - v
            result[row, column, 0] = sum_x / samples**2
            result[row, column, 1] = sum_y / samples**2
    return result


def flow_channels(flow_crop_px: np.ndarray, step_s: float = FRAME_S) -> np.ndarray:
    """x, y and magnitude as input channels.

    Args:
        flow_crop_px: (..., side, side, 2) in pixels of the crop.
        step_s: time between the two pictures; motion is given as of 1/30 s.

    Returns:
        (..., 3, side, side) float32, in units of 20 pixels of a crop of 224.
    """
    scale = CROP_PX / flow_crop_px.shape[-2] * (FRAME_S / step_s) / FLOW_UNIT_PX
    x, y = flow_crop_px[..., 0] * scale, flow_crop_px[..., 1] * scale
    return np.stack((x, y, np.hypot(x, y)), axis=-3).astype(np.float32)
