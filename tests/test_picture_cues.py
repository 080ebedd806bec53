"""Crops, optical flow, heatmaps: pixels lie where coordinates say, and the same motion gives the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pointlight.body import EXTENDED_KEYPOINTS
from pointlight.cues import Boxes, CropFrames, crop_coordinates, crop_scale
from pointlight.cues.crops import CropConfig, cut, mapped, picture_from_crop, pixel_grid
from pointlight.cues.flow_channels import flow_channels, flow_in_crop, flow_on_crops, flow_on_pictures
from pointlight.cues.heatmaps import heatmaps
from pointlight.flow import find_flow
from pointlight.geometry import pixel_rays

FOCAL_PX, PRINCIPAL_PX = 700.0, (320.0, 240.0)


def crops_around(centre: tuple[float, float], diagonal_px: float, frames: int = 3) -> CropFrames:
    """Crops of a still person whose keypoints fill a box with such a diagonal."""
    generator = torch.Generator().manual_seed(4)
    points = torch.rand(len(EXTENDED_KEYPOINTS), 2, generator=generator)
    points[0], points[1] = torch.zeros(2), torch.ones(2)
    side = diagonal_px / 2**0.5
    points = (torch.tensor(centre) + side * (points - 0.5)).expand(frames, -1, 2)
    visible = torch.ones(points.shape[:2], dtype=torch.bool)
    return CropFrames.of(points, visible, torch.tensor(FOCAL_PX), torch.tensor(PRINCIPAL_PX))


def homography(crops: CropFrames, side_px: int = 224, *, turned: bool = True) -> np.ndarray:
    """Of the first frame."""
    return picture_from_crop(crops, torch.tensor(PRINCIPAL_PX), CropConfig(side_px, turned))[0].numpy()


def smooth_picture(height: int = 480, width: int = 640, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    """(H, W, 3) uint8, soft blobs that may be moved to the right by parts of a pixel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] + 0.5
    waves = rng.normal(0, 0.12, (24, 2))
    phases = rng.uniform(0, 2 * np.pi, 24)
    grey = sum(np.sin(u * (x - shift) + v * y + phase) for (u, v), phase in zip(waves, phases, strict=True))
    grey = np.clip(128 + 18 * np.asarray(grey), 0, 255)
    return np.repeat(grey[..., None], 3, -1).astype(np.uint8)


@pytest.mark.parametrize("centre", [(320.0, 240.0), (80.0, 400.0), (600.0, 60.0)])
@pytest.mark.parametrize("side_px", [224, 64])
def test_a_turned_crops_pixels_lie_where_coordinates_say(centre: tuple[float, float], side_px: int) -> None:
    crops = crops_around(centre, 300.0)
    points = torch.tensor(centre) + torch.rand(50, 2, generator=torch.Generator().manual_seed(1)) * 200 - 100
    rays = pixel_rays(points, torch.tensor(FOCAL_PX), torch.tensor(PRINCIPAL_PX))
    coordinates = crop_coordinates(rays, crops.R_ray_camera[0], crops.focal_crop[0])
    in_crop = (coordinates.double().numpy() + 1) * side_px / 2
    to_picture = homography(crops, side_px)
    np.testing.assert_allclose(mapped(to_picture, in_crop), points.numpy(), atol=1e-3)
    np.testing.assert_allclose(mapped(np.linalg.inv(to_picture), points.numpy()), in_crop, atol=1e-3)


def test_the_papers_crop_is_a_square_around_the_box() -> None:
    """FIELD: the diagonal of the keypoints' box becomes 150 of 224 px."""
    crops = crops_around((200.0, 300.0), 300.0)
    to_picture = homography(crops, turned=False)
    np.testing.assert_allclose(mapped(to_picture, np.array((112.0, 112.0))), (200, 300), atol=1e-3)
    corner = mapped(to_picture, np.zeros(2))
    np.testing.assert_allclose(corner, np.array((200, 300)) - 112 * 300 / 150, atol=1e-3)


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("diagonal_px", [90.0, 320.0])
def test_a_crop_shows_what_lies_there(turned: bool, diagonal_px: float) -> None:
    to_picture = homography(crops_around((320.0, 240.0), diagonal_px), 96, turned=turned)
    y, x = np.mgrid[:480, :640] + 0.5
    ramps = np.stack((x, y), -1).astype(np.float32)
    shown = cut(ramps, to_picture, 96)
    np.testing.assert_allclose(shown, mapped(to_picture, pixel_grid(96)), atol=0.06)


def test_beyond_the_picture_its_edge_goes_on() -> None:
    picture = np.full((480, 640, 3), 40, np.uint8)
    picture[:, :10] = 200
    shown = cut(picture, homography(crops_around((0.0, 240.0), 200.0), turned=False), 224)
    assert (shown[:, :112] == 200).all()


def test_fine_stripes_make_no_coarse_ones() -> None:
    stripes = np.zeros((480, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    shown = cut(stripes, homography(crops_around((320.0, 240.0), 320.0), 64), 64)
    assert np.abs(shown.astype(int) - 128).max() < 40 and shown.std() < 12


@pytest.mark.parametrize("turned", [True, False])
def test_flow_in_a_crop_leads_to_the_same_place_of_the_picture(turned: bool) -> None:
    to_picture = homography(crops_around((420.0, 200.0), 260.0), 64, turned=turned)
    flow = np.zeros((480, 640, 2), np.float32) + np.float32((7.0, -3.0))
    found = flow_in_crop(flow, to_picture, 64)
    start, end = pixel_grid(64), pixel_grid(64) + found
    np.testing.assert_allclose(
        mapped(to_picture, end) - mapped(to_picture, start), np.full((64, 64, 2), (7, -3)), atol=0.02
    )


def test_the_same_motion_gives_the_same_numbers() -> None:
    """At every crop size, for near and far people, at every frame rate."""
    expected = None
    for side_px in (224, 96, 64):
        for diagonal_px in (150.0, 450.0):
            for rate in (24, 30, 50, 60):
                speed = np.float32((0.9, 0.4)) * diagonal_px * 5 / rate  # box sizes a second
                flow = np.broadcast_to(speed, (480, 640, 2)).astype(np.float32)
                to_picture = homography(crops_around((320.0, 240.0), diagonal_px), side_px, turned=False)
                channels = flow_channels(flow_in_crop(flow, to_picture, side_px), 1 / rate)
                assert channels.shape == (3, side_px, side_px)
                middle = channels[:, side_px // 2, side_px // 2]
                expected = middle if expected is None else expected
                np.testing.assert_allclose(middle, expected, rtol=1e-3)
    assert expected is not None
    np.testing.assert_allclose(expected[:2], np.array((0.9, 0.4)) * 150 * 5 / 30 / 20, rtol=1e-3)
    np.testing.assert_allclose(expected[2], np.hypot(*expected[:2]), rtol=1e-5)


def test_far_motion_is_found_on_whole_pictures_alone() -> None:
    """DIS on a crop of 64 px loses 12 px of motion; on the picture, cut afterwards, it is there."""
    to_picture = homography(crops_around((320.0, 240.0), 150.0), 64, turned=False)
    step = 12 * 224 / 64  # picture pixels that are 12 of the crop's
    first, second = smooth_picture(seed=3), smooth_picture(seed=3, shift=step)
    dis = find_flow("dis")
    whole = flow_on_pictures(first, second, to_picture, 64, dis)
    assert abs(np.median(whole[..., 0]) - 12) < 0.3
    crops = [cut(picture, to_picture, 64) for picture in (first, second)]
    assert np.median(flow_on_crops(*crops, dis)[..., 0]) < 9


@pytest.mark.parametrize("name", ["dis", "farneback", "tvl1"])
def test_dim_people_are_not_slow(name: str) -> None:
    estimator = find_flow(name)
    first, second = (smooth_picture(120, 160, 5, shift) for shift in (0.0, 3.0))
    dim = [(20 + picture * np.float32(0.06)).astype(np.uint8) for picture in (first, second)]
    to_picture = np.eye(3)
    bright = flow_on_pictures(first, second, to_picture, 112, estimator)
    found = flow_on_pictures(dim[0], dim[1], to_picture, 112, estimator)
    assert np.median(bright[..., 0]) == pytest.approx(3, abs=0.25)
    assert np.median(found[..., 0]) == pytest.approx(3, abs=0.5)


def test_heatmaps_are_bells_at_keypoints() -> None:
    centre = torch.tensor((60.5, 100.5))  # the middle of a pixel
    points = ((centre / 112) - 1).expand(2, 2).clone()
    visible = torch.tensor((True, False))
    maps = heatmaps(points, visible, 224)
    assert maps.shape == (2, 224, 224) and maps[1].abs().max() == 0
    assert maps[0, 100, 60] == pytest.approx(1, abs=1e-5) and maps[0].max() == maps[0, 100, 60]
    assert maps[0, 100, 70] == pytest.approx(np.exp(-0.5), abs=1e-4)  # a deviation of 10 px
    assert maps[0].sum() == pytest.approx(2 * np.pi * 100, rel=1e-3)
    small = heatmaps(points, visible, 56)
    assert small.sum() * 16 == pytest.approx(float(maps.sum()), rel=1e-3)


def test_a_crops_size_is_150_of_224() -> None:
    boxes = Boxes(torch.zeros(1, 2), torch.tensor([300.0]))
    assert float(crop_scale(boxes)[0]) * 112 * 300 == pytest.approx(150)
