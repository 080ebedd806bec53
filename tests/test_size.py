"""A body as tall and as heavy as its person is said to be, and what a body weighs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pointlight.body import MEAN_ADULT_SHAPE, SHAPE_NAMES, AnnyBody, mass_kg, sample_adult_shapes
from pointlight.capture.fitting.lifting import LiftedTrack
from pointlight.capture.fitting.stature import of_size


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


def standing(shape: np.ndarray) -> LiftedTrack:
    pose = np.tile(np.eye(3, dtype=np.float32), (2, 21, 1, 1))
    place = np.array([[0.0, 0, 4], [0.5, 0, 6]], np.float32)
    return LiftedTrack(pose, pose[:, 0], shape, place, np.zeros(2, bool), np.ones(2, bool))


def test_adults_weigh_what_adults_weigh(body: AnnyBody) -> None:
    shapes = torch.from_numpy(sample_adult_shapes(np.random.default_rng(0), 40))
    masses = np.array([mass_kg(body, shape) for shape in shapes])
    assert 62 < masses.mean() < 78 and masses.min() > 40 and masses.max() < 130


@pytest.mark.parametrize("weight_kg", [46.0, 70.0, 100.0])
def test_a_weight_sets_the_build_and_leaves_the_stature(body: AnnyBody, weight_kg: float) -> None:
    track = standing(np.array(MEAN_ADULT_SHAPE, np.float32))
    told, warnings = of_size(body, track, None, weight_kg)
    shape = torch.from_numpy(told.shape)
    assert warnings == ()
    assert mass_kg(body, shape) == pytest.approx(weight_kg, abs=1.0)
    assert float(body.stature_m(shape)) == pytest.approx(1.70, abs=0.01)
    np.testing.assert_allclose(told.translation_m, track.translation_m, rtol=0.01)
    kept = [SHAPE_NAMES.index(name) for name in ("gender", "age", "proportions")]
    assert np.array_equal(told.shape[kept], track.shape[kept])


def test_height_and_weight_together(body: AnnyBody) -> None:
    track = standing(np.array(MEAN_ADULT_SHAPE, np.float32))
    told, warnings = of_size(body, track, 1.85, 95.0)
    shape = torch.from_numpy(told.shape)
    assert warnings == ()
    assert mass_kg(body, shape) == pytest.approx(95.0, abs=1.0)
    assert float(body.stature_m(shape)) == pytest.approx(1.85, abs=0.01)
    np.testing.assert_allclose(told.translation_m, track.translation_m * 1.85 / 1.70, rtol=0.01)


@pytest.mark.parametrize("weight_kg", [20.0, 250.0])
def test_a_weight_that_nobody_of_this_size_has_is_told(body: AnnyBody, weight_kg: float) -> None:
    _, (warning,) = of_size(body, standing(np.array(MEAN_ADULT_SHAPE, np.float32)), None, weight_kg)
    assert f"the body cannot weigh {weight_kg:g} kg at 1.70 m and this age; it has" in warning


def test_nothing_said_changes_nothing(body: AnnyBody) -> None:
    track = standing(np.array(MEAN_ADULT_SHAPE, np.float32))
    told, warnings = of_size(body, track, None)
    assert np.array_equal(told.shape, track.shape) and warnings == ()
