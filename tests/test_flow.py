"""Optical flow: direction, units, sub-pixel shifts, and the camera's path that is made of it."""

from __future__ import annotations

import numpy as np
import pytest

from pointlight.errors import PointlightError
from pointlight.flow import FLOW_ESTIMATORS, find_flow
from pointlight.simulator.backgrounds import estimate_path, flipped_path, integrated, reversed_path
from pointlight.simulator.backgrounds.procedural import ProceduralConfig, make_scene
from pointlight.simulator.scenes import CameraPath, follow

pytest.importorskip("cv2", reason="OpenCV is not installed; it comes with the extra flow")


def seen_at(path: np.ndarray, height: int = 96, width: int = 128, side: int = 256) -> np.ndarray:
    """(T, height, width, 3) views of noise that moves along `path` (T, 2) pixels, shifted exactly by its spectrum."""
    rng = np.random.default_rng(3)
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.hypot(fx, fy)
    weight = np.where(frequency < 0.2, 1 / np.maximum(frequency, 2 / side) ** 1.3, 0)
    spectrum = weight * np.exp(2j * np.pi * rng.random(weight.shape))
    pictures = []
    for x, y in path:
        picture = np.fft.irfft2(spectrum * np.exp(-2j * np.pi * (fx * x + fy * y)), (side, side))
        pictures.append(picture[64 : 64 + height, 64 : 64 + width])
    pictures = np.array(pictures)
    grey = np.clip(128 + 45 * pictures / pictures.std(), 0, 255).round().astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


@pytest.mark.parametrize("name", list(FLOW_ESTIMATORS))
@pytest.mark.parametrize("shift", [(3.3, -1.6), (-0.4, 0.7)])
def test_flow_leads_from_the_first_picture_to_the_second(name: str, shift: tuple[float, float]) -> None:
    first, second = seen_at(np.array([(0, 0), shift]))
    estimator = find_flow(name)
    flow = estimator.flow(first, second)
    assert flow.shape == (96, 128, 2) and flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow[12:-12, 12:-12], axis=(0, 1)), shift, atol=0.25)
    assert np.array_equal(flow, estimator.flow(first, second))


def test_what_is_no_flow() -> None:
    with pytest.raises(PointlightError, match=r"called 'raft'; choose one of dis, dis-fast, tvl1, farneback"):
        find_flow("raft")
    picture = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(ValueError, match="two uint8 pictures of one size"):
        find_flow("dis").flow(picture, picture[:, 1:])
    with pytest.raises(ValueError, match="too small"):
        find_flow("dis").flow(picture[:8], picture[:8])


@pytest.mark.parametrize(("name", "frames"), [("tvl1", 5), ("dis", 31), ("dis-fast", 31)])
def test_the_path_of_a_camera_is_found(name: str, frames: int) -> None:
    time = np.arange(frames)
    truth = np.stack((1.7 * time + 3 * np.sin(0.5 * time), 2 * np.cos(0.4 * time) - 0.3 * time), -1)
    found = estimate_path(seen_at(truth), find_flow(name))
    error = np.abs(np.diff(found, axis=0) - np.diff(truth, axis=0))
    assert np.median(error) < 0.25 and error.max() < 0.5
    assert np.array_equal(found[frames // 2], (0, 0))


def test_a_path_has_its_origin_at_the_centre_frame() -> None:
    path = integrated(np.tile((1.0, -2.0), (30, 1)))
    assert path.shape == (31, 2) and path.dtype == np.float32
    assert np.array_equal(path[15], (0, 0))
    assert np.array_equal(path[0], (-15, 30)) and np.array_equal(path[30], (15, -30))


def test_flips_and_reversal_of_a_path_are_those_of_the_frames() -> None:
    time = np.arange(7)
    frames = seen_at(np.stack((2.2 * time, -0.8 * time + 0.2 * time**2), -1))
    estimator = find_flow("dis")
    path = estimate_path(frames, estimator)
    mirrored = estimate_path(np.ascontiguousarray(frames[:, :, ::-1]), estimator)
    np.testing.assert_allclose(flipped_path(path), mirrored, atol=0.3)
    np.testing.assert_allclose(reversed_path(path), estimate_path(frames[::-1], estimator), atol=0.3)
    assert np.abs(path).max() > 3


def test_the_person_follows_the_camera() -> None:
    principal = np.tile(np.array([160, 120], np.float32), (31, 1))
    camera = CameraPath(
        np.tile(np.eye(3, dtype=np.float32), (31, 1, 1)),
        np.zeros((31, 3), np.float32),
        600.0,
        principal,
        (320, 240),
    )
    path = integrated(np.tile((1.5, 0.5), (30, 1)))
    followed = follow(camera, path)
    assert np.array_equal(followed.principal_px[15], (160, 120))
    assert np.array_equal(followed.principal_px[20], (167.5, 122.5))
    assert followed.principal_px.dtype == np.float32 and np.array_equal(camera.principal_px, principal)
    with pytest.raises(ValueError, match="30 frames"):
        follow(camera, path[:30])


def test_the_exact_path_of_a_made_scene_is_what_flow_finds() -> None:
    """Median over scenes: single scenes with large things or repeating patterns mislead any estimator."""
    errors = []
    for seed in range(6):
        scene = make_scene(ProceduralConfig(moving_share=1), "train", np.random.default_rng(seed), frames=5)
        found = estimate_path(scene.frames, find_flow("dis"))
        errors.append(np.abs(np.diff(found, axis=0) - np.diff(scene.path_px(), axis=0)).mean())
    assert np.median(errors) < 0.25
