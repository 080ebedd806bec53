"""What a camera and a codec do to frames: each effect by what it does to light and by its statistics."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from layer_makers import ellipse_person
from scipy import ndimage

from pointlight.simulator import PersonLayer
from pointlight.simulator.clips import SensorConfig, apply_sensor, motion_of
from pointlight.simulator.clips.sensor import (
    add_noise,
    apply_camera,
    compress,
    defocus,
    draw_rate_factor,
    expose,
    motion_blur,
)
from pointlight.simulator.clips.sensor_loops import LINEAR, levels_of


@pytest.fixture(scope="module")
def person() -> PersonLayer:
    """An ellipse that moves by 6 pixels a frame to the right."""
    centres = np.array([[100.0, 120.0]]) + 6.0 * np.arange(4)[:, None] * np.array([[1.0, 0.0]])
    layer = ellipse_person(centres, (25, 70), (320, 240))
    there = np.where(layer.mask[:-1, ..., None], np.float32([6, 0]), np.float32(np.nan))
    back = np.where(layer.mask[1:, ..., None], np.float32([-6, 0]), np.float32(np.nan))
    return replace(layer, flow_forward_px=there, flow_backward_px=back)


@pytest.fixture(scope="module")
def clip(person: PersonLayer) -> np.ndarray:
    y, x = np.mgrid[:240, :320]
    ground = np.stack((x * 0.6, y * 0.8, 90 + 40 * np.sin(x / 9)), axis=-1).astype(np.uint8)
    return np.where(person.mask[..., None], person.colour, ground)


def encoded(light: np.ndarray) -> np.ndarray:
    """Linear light to sRGB levels, not rounded."""
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def test_a_sensor_without_effects_changes_nothing(clip: np.ndarray) -> None:
    assert apply_sensor(clip, SensorConfig.none(), 0, 0) is clip


@pytest.mark.parametrize("effect", [item.name for item in fields(SensorConfig)])
def test_every_effect_is_a_switch(effect: str, clip: np.ndarray, person: PersonLayer) -> None:
    low, high = getattr(SensorConfig(), effect)
    config = replace(SensorConfig.none(), **{effect: (high, high)})
    motion = motion_of(person.flow_forward_px, person.flow_backward_px, person.mask)
    once = apply_sensor(clip, config, 0, 0, motion)
    assert once.shape == clip.shape and once.dtype == np.uint8
    change = np.abs(once.astype(int) - clip).mean()
    assert 0.02 < change < 60
    assert (apply_sensor(clip, config, 0, 0, motion) == once).all()
    if effect not in ("compression", "shutter"):
        weak = apply_sensor(clip, replace(config, **{effect: (low + 0.2 * (high - low),) * 2}), 0, 0, motion)
        assert np.abs(weak.astype(int) - clip).mean() != change


def test_one_effect_does_not_change_anothers_draws(clip: np.ndarray) -> None:
    noisy = replace(SensorConfig.none(), noise=(0.0, 0.03))
    both = replace(noisy, white_balance=(0.0, 0.0))
    a, b = (apply_sensor(clip, config, 5, 7).astype(int) for config in (noisy, both))
    assert np.abs(a - b).max() <= 1


def test_a_stop_doubles_the_light() -> None:
    grey = np.full((1, 2, 2, 3), 128, np.uint8)
    assert (expose(grey, np.full((1, 3), 2.0)) == 176).all()
    assert (expose(grey, np.ones((1, 3))) == grey).all()


def test_motion_blurs_along_the_way_and_not_far_from_the_person() -> None:
    image = np.full((1, 40, 60, 3), 30, np.uint8)
    image[:, 10:30, 25:35] = 220
    motion = np.full((1, 40, 60, 2), np.nan, np.float32)
    motion[:, 10:30, 25:35] = (12, 0)
    blurred = motion_blur(image, motion, 0.5)[0].astype(int)
    assert (blurred[20, 29:31] == 220).all()  # the middle
    edge = blurred[20, 19:32, 0]
    assert (np.diff(edge) >= 0).all() and edge[0] == 30 and edge[-1] == 220 and 60 < edge[6] < 210
    assert (blurred[:, :20] == 30).all() and (blurred[:, 41:] == 30).all()
    assert (blurred[2:6] == 30).all()  # nothing moves up or down
    assert (motion_blur(image, motion, 0.0) == image).all()


def test_the_codec_keeps_place_and_colour(clip: np.ndarray) -> None:
    odd = np.ascontiguousarray(clip[:, :121, :161])
    mild, strong = (compress(odd, factor).astype(int) for factor in (18, 36))
    assert mild.shape == odd.shape
    assert np.abs(mild - odd).mean() < 3
    assert np.abs(strong - odd).mean() > np.abs(mild - odd).mean()
    assert np.abs((mild - odd).mean((0, 1, 2))).max() < 2


def test_levels_and_light_are_each_others_inverse() -> None:
    assert (levels_of(LINEAR) == np.arange(256)).all()
    light = np.random.default_rng(0).random(100_000).astype(np.float32) ** 3
    assert np.abs(levels_of(light) - encoded(light.astype(float))).max() < 0.62
    assert (levels_of(np.float32([-1, 2])) == (0, 255)).all()


def test_motion_is_that_of_what_is_shown(person: PersonLayer) -> None:
    shown = person.mask.copy()
    shown[:, :100] = False
    motion = motion_of(person.flow_forward_px, person.flow_backward_px, shown)
    assert motion.shape == (*shown.shape, 2)
    assert np.isnan(motion[~shown]).all() and (motion[shown] == (6, 0)).all()
    alone = motion_of(person.flow_forward_px[:0], person.flow_backward_px[:0], shown[:1])
    assert np.isnan(alone).all()


def test_motion_blur_is_the_mean_light_along_the_way() -> None:
    """Against many samples of the same way, inside of a patch whose pixels all move alike."""
    rng = np.random.default_rng(3)
    image = ndimage.gaussian_filter(rng.uniform(0, 255, (60, 80, 3)), (1.5, 1.5, 0)).astype(np.uint8)[None]
    for way in ((9.0, -4.0), (1.5, 0.8), (0.0, 5.0)):
        motion = np.full((1, 60, 80, 2), np.nan, np.float32)
        motion[:, 15:45, 20:60] = way
        blurred = motion_blur(image, motion, 0.6)[0, 15:45, 20:60].astype(float)
        total = np.zeros((30, 40, 3))
        for share in (np.arange(101) + 0.5) / 101 - 0.5:
            y, x = np.mgrid[15:45, 20:60]
            at = (y + 0.6 * way[1] * share, x + 0.6 * way[0] * share)
            for k in range(3):
                total[..., k] += (
                    ndimage.map_coordinates(LINEAR[image[0, ..., k]].astype(float), at, order=1) / 101
                )
        off = np.abs(blurred - encoded(total))
        assert off.mean() < 0.5 and off.max() < 3


@pytest.mark.parametrize("sigma", [0.12, 0.3, 0.6, 1.7])
def test_defocus_is_a_gaussian_in_linear_light(clip: np.ndarray, sigma: float) -> None:
    image = clip[:1, 60:190, 70:171]
    light = ndimage.gaussian_filter(LINEAR[image[0]].astype(float), (sigma, sigma, 0))
    assert np.abs(defocus(image, sigma)[0] - encoded(light)).max() < 0.65
    assert defocus(image, 0.05) is image


@pytest.mark.parametrize("sigma", [0.05, 0.6])
def test_defocus_takes_gains_along(sigma: float, clip: np.ndarray) -> None:
    gains = np.array([[0.6, 1.0, 1.5]] * len(clip[:2])) * [[1.0], [0.7]]
    after = expose(defocus(clip[:2], sigma), gains).astype(int)
    together = np.abs(defocus(clip[:2], sigma, gains) - after)
    # Levels are rounded once instead of twice; one dark level more is up to three brighter ones.
    assert together.max() <= 3 and together.mean() < 0.4
    assert sigma > 0.1 or together.max() == 0


@pytest.mark.parametrize("level", [60, 128, 200])
def test_noise_is_normal_and_independent(level: int) -> None:
    amount = 0.02
    grey = np.full((3, 240, 320, 3), level, np.uint8)
    noise = add_noise(grey, amount, np.random.default_rng(5)).astype(float) - level
    wanted = 255 * amount * (0.5 + level / 255)
    # Rounding to whole levels adds a twelfth to the variance.
    assert noise.std() == pytest.approx(np.hypot(wanted, 12**-0.5), rel=0.005)
    assert abs(noise.mean()) < 0.02
    shape = noise / noise.std()
    assert abs((shape**3).mean()) < 0.02 and (shape**4).mean() == pytest.approx(3, abs=0.05)
    shifts = [
        (0, 0, 0, 1),
        (0, 0, 0, 2),
        (0, 0, 1, 0),
        (0, 1, 0, 0),
        (1, 0, 0, 0),
        (0, 0, 4, 0),
        (0, 0, 3, 1),
    ]
    for shift in shifts:
        assert abs((shape * np.roll(shape, shift, (0, 1, 2, 3))).mean()) < 0.008, shift
    other = add_noise(grey, amount, np.random.default_rng(6)).astype(float) - level
    assert abs((shape * other / other.std()).mean()) < 0.008


def test_noise_stays_between_black_and_white() -> None:
    ends = np.zeros((1, 50, 51, 3), np.uint8)
    ends[:, 25:] = 255
    noisy = add_noise(ends, 0.1, np.random.default_rng(0)).astype(int)
    assert noisy[:, :25].max() < 100 and noisy[:, 25:].min() > 50
    assert (noisy[:, :25] == 0).mean() == pytest.approx(0.5, abs=0.05)


def test_a_camera_and_a_codec_are_a_sensor(clip: np.ndarray, person: PersonLayer) -> None:
    motion = motion_of(person.flow_forward_px, person.flow_backward_px, person.mask)
    rate_factor = draw_rate_factor(SensorConfig(), 2, 3)
    assert rate_factor is not None and 16 <= rate_factor <= 28
    before = apply_camera(clip, SensorConfig(), 2, 3, motion)
    assert (compress(before, rate_factor) == apply_sensor(clip, SensorConfig(), 2, 3, motion)).all()
    assert draw_rate_factor(SensorConfig.none(), 2, 3) is None
