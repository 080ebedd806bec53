"""Pictures of a person: a camera turned to the crop's ray, or HMR's plain square; exact maps between picture and crop.

Pixels are continuous: (0, 0) is the outer corner of the top-left pixel, in the picture and in the crop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pointlight.cues.config import CropFrames, crop_scale
from pointlight.flow import opencv
from pointlight.geometry import CROP_PX

_MOST_SAMPLES = 16
"""Samples along a crop pixel's side; a person of 2,400 px in a crop of 224 wants so many."""


@dataclass(frozen=True)
class CropConfig:
    """How pictures are cut around a person.

    Attributes:
        side_px: of the crop (paper: 224).
        turned: show what a camera sees that is turned to the crop's ray, so that pixels lie where `crop_coordinates`
            says; otherwise HMR's plain square of the picture, as in the paper.
    """

    side_px: int = CROP_PX
    turned: bool = True


def picture_from_crop(
    crops: CropFrames, principal_px: Float[Tensor, "*batch 2"], config: CropConfig
) -> Float[Tensor, "*batch frames 3 3"]:
    """Homographies from the pixels of each frame's crop to the picture's, float64.

    Args:
        crops: where they lie.
        principal_px: as the crops were made with.
        config: size and kind.
    """
    half = config.side_px / 2
    scale = crop_scale(crops.boxes).double()  # half crops per picture pixel
    size = crops.boxes.size_px
    to_half_crops = torch.tensor(((1 / half, 0, -1), (0, 1 / half, -1), (0, 0, 1)), dtype=torch.float64)
    if not config.turned:
        place = _zoom(1 / scale, crops.boxes.centre_px.double())
        return place @ to_half_crops.to(size.device)
    focal_crop = crops.focal_crop.double()
    zero = torch.zeros_like(crops.boxes.centre_px, dtype=torch.float64)
    rays = torch.linalg.inv(_zoom(focal_crop, zero))
    principal = principal_px.double()[..., None, :].expand(zero.shape)
    picture = _zoom(focal_crop / scale, principal)
    turn = crops.R_ray_camera.double().transpose(-1, -2)
    return picture @ turn @ rays @ to_half_crops.to(size.device)


def mapped(homographies: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (..., 2) through homographies (..., 3, 3), float64."""
    lifted = np.concatenate((points, np.ones_like(points[..., :1])), axis=-1)
    result = np.einsum("...ij,...j->...i", homographies, lifted)
    return result[..., :2] / result[..., 2:]


def cut(picture: np.ndarray, homography: np.ndarray, side_px: int) -> np.ndarray:
    """A crop of a picture; beyond the picture's edges its edge goes on.

    A crop's pixel is the mean over its area, so that fine stripes make no coarse ones.

    Args:
        picture: (H, W, C) uint8 or float32.
        homography: (3, 3) from `picture_from_crop`.
        side_px: of the crop.

    Returns:
        (side, side, C) of the picture's type.
    """
    cv2 = opencv("a network that sees pictures")

    samples = samples_a_side(homography, side_px)
    finer = _pixel_centres(homography @ np.diag((1 / samples, 1 / samples, 1)))
    fine = side_px * samples
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shown = cv2.warpPerspective(picture, finer, (fine, fine), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if samples > 1:
        shown = cv2.resize(shown, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return shown.reshape(side_px, side_px, -1)


def cut_labels(labels: np.ndarray, homography: np.ndarray, side_px: int) -> np.ndarray:
    """A crop (side, side) of a map of labels (H, W) uint8, by the nearest pixel; 0 beyond its edges."""
    cv2 = opencv("a network that sees pictures")

    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    size = (side_px, side_px)
    return cv2.warpPerspective(np.ascontiguousarray(labels), _pixel_centres(homography), size, flags=flags)


def samples_a_side(homography: np.ndarray, side_px: int) -> int:
    """How many samples along its side a crop's pixel needs: about one for each pixel of the picture."""
    corners = np.array(((0, 0), (side_px, 0), (side_px, side_px), (0, side_px)), float)
    x, y = mapped(homography, corners).T
    area = 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
    return min(max(1, math.ceil(math.sqrt(area) / side_px)), _MOST_SAMPLES)


def pixel_grid(side_px: int) -> np.ndarray:
    """(side, side, 2) float64, the centres of a crop's pixels."""
    y, x = np.mgrid[:side_px, :side_px] + 0.5
    return np.stack((x, y), axis=-1)


def _zoom(factor: Tensor, shift: Tensor) -> Tensor:
    """(..., 3, 3): times `factor` (...), then plus `shift` (..., 2)."""
    result = torch.zeros(*factor.shape, 3, 3, dtype=factor.dtype, device=factor.device)
    result[..., 0, 0] = result[..., 1, 1] = factor
    result[..., :2, 2] = shift
    result[..., 2, 2] = 1
    return result


def _pixel_centres(homography: np.ndarray) -> np.ndarray:
    """The same map for OpenCV, which counts from the centre of the top-left pixel."""
    down, up = np.eye(3), np.eye(3)
    down[:2, 2], up[:2, 2] = -0.5, 0.5
    return down @ homography @ up
