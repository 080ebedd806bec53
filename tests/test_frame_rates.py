"""Videos of any rate on the network's grid of 30 frames/s: every frame is used, and what is seen is said truly."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointlight.capture.fitting import Track2D, grid_times, on_the_grid
from pointlight.capture.fitting.lifting import seen_or_between


def track(time_s: np.ndarray, visible: np.ndarray | None = None) -> Track2D:
    """Three keypoints that move evenly: x is 300 times the time."""
    points = np.zeros((len(time_s), 3, 2))
    points[..., 0] = 300 * time_s[:, None] + np.arange(3)
    seen = np.ones((len(time_s), 3), bool) if visible is None else visible
    return Track2D(time_s, points, seen, 500.0, np.array([160.0, 120.0]))


@pytest.mark.parametrize("fps", [0.5, 2.0, 3.0, 4.0, 4.5])
@pytest.mark.parametrize("digits", [3, 12])
def test_every_frame_of_a_slow_video_is_used(fps: float, digits: int) -> None:
    """Whatever the rounding of time stamps: with milliseconds only one frame in ten met a time of the grid."""
    time_s = (np.arange(20) / fps).round(digits)
    grid_s = grid_times(time_s, 1)
    points, visible = on_the_grid(track(time_s), grid_s)
    assert visible.any(1).sum() >= len(time_s)
    for moment in time_s:
        nearest = int(np.abs(grid_s - moment).argmin())
        assert visible[nearest].all()
        np.testing.assert_allclose(points[nearest, :, 0], 300 * moment + np.arange(3), atol=1e-3)
    moments = np.minimum(grid_s, time_s[-1])  # the last frame stands still behind the end
    far = np.abs(moments[:, None] - time_s).min(1) > 1 / 60 + 1e-6
    assert not visible[far].any()


@pytest.mark.parametrize("fps", [6.0, 8.0, 10.0, 15.0, 24.0, 25.0, 29.97, 50.0, 240.0])
def test_near_frames_are_interpolated(fps: float) -> None:
    time_s = (np.arange(60) / fps).round(3)
    grid_s = grid_times(time_s, 1)
    points, visible = on_the_grid(track(time_s), grid_s)
    assert visible.all()
    moments = np.minimum(grid_s, time_s[-1])
    np.testing.assert_allclose(points[:, 0, 0], 300 * moments, atol=1e-2)


def test_a_dropout_hides_no_more_than_its_own_time() -> None:
    """On jittered stamps each one hid the two times around it."""
    rng = np.random.default_rng(0)
    time_s = np.arange(60) / 30 + rng.uniform(-0.007, 0.007, 60)
    grid_s = grid_times(time_s, 1)
    for lost in range(5, 55):
        visible = np.ones((60, 3), bool)
        visible[lost, 1] = False
        points, seen = on_the_grid(track(time_s, visible), grid_s)
        assert (~seen).sum() <= 1 and seen[:, [0, 2]].all()
        near = np.abs(points[..., 0] - 300 * np.minimum(grid_s, time_s[-1])[:, None] - np.arange(3))
        assert near[seen].max() <= 300 / 60 + 1e-3


def test_frames_on_the_grid_are_taken_to_the_bit() -> None:
    time_s = np.arange(40) / 30
    rng = np.random.default_rng(1)
    given = replace(track(time_s, rng.random((40, 3)) < 0.7), points_px=rng.uniform(0, 300, (40, 3, 2)))
    points, visible = on_the_grid(given, grid_times(time_s, 1))
    np.testing.assert_array_equal(visible, given.visible)
    np.testing.assert_array_equal(points[visible], given.points_px[given.visible].astype(np.float32))
    assert not points[~visible].any()


def test_what_is_hidden_for_long_is_not_seen() -> None:
    time_s = np.arange(30) / 6
    seen = np.ones(30, bool)
    seen[[5, 12, 13, 14, 15]] = False
    valid = seen_or_between(time_s, seen, 16 / 30)
    assert valid[5] and not valid[12:16].any() and valid[seen].all()


@pytest.mark.slow
def test_the_benchmark_says_what_it_needs() -> None:
    script = Path(__file__).resolve().parents[1] / "benchmarks" / "frame_rates.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("skipped: python benchmarks/frame_rates.py MOTION")
