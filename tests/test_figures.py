"""What a body looks like where it is drawn: on the person's own joints, and as flat a chest as a mannequin's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pointlight.body import (
    FIGURES,
    MEAN_ADULT_SHAPE,
    AnnyBody,
    figure_vertices,
    find_figure,
    sample_adult_shapes,
)
from pointlight.errors import PointlightError


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def shapes() -> torch.Tensor:
    return torch.from_numpy(sample_adult_shapes(np.random.default_rng(3), 12))


def test_the_estimated_figure_is_the_networks(body: AnnyBody, shapes: torch.Tensor) -> None:
    for shape in shapes:
        assert torch.equal(figure_vertices(body, shape, "estimated"), body.rest_vertices(shape))


@pytest.mark.parametrize("figure", FIGURES)
def test_stature_and_limbs_stay(figure: str, body: AnnyBody, shapes: torch.Tensor) -> None:
    """Limbs lie around the same joints; crown and soles move by little."""
    for shape in shapes:
        own, drawn = body.rest_vertices(shape), figure_vertices(body, shape, figure)
        assert abs(float(drawn[:, 1].min() - own[:, 1].min())) < 0.015
        assert abs(float(drawn[:, 1].max() - own[:, 1].max())) < 0.025
        joints = body.person(shape).joints
        main = torch.from_numpy(body.main_joints())
        for name in ("left_knee", "right_elbow", "left_wrist", "right_ankle"):
            joint = body.joint_names.index(name)
            middles = [part[main == joint].mean(0) - joints[joint] for part in (own, drawn)]
            assert float((middles[0] - middles[1]).norm()) < 0.035, (name, figure)


def test_the_mannequins_chest_is_flat_whatever_sex_was_guessed(body: AnnyBody, shapes: torch.Tensor) -> None:
    """At no height does a breast lie far before the breastbone: the model's men have 13 to 18 mm there."""
    mean = body.rest_vertices(body.mean_shape)
    chest = (mean[:, 1] > 0.3) & (mean[:, 1] < 0.5) & (mean[:, 2] > 0.05)
    bone, breast = chest & (mean[:, 0].abs() < 0.03), chest & ((mean[:, 0].abs() - 0.09).abs() < 0.04)

    def furthest(drawn: torch.Tensor) -> float:
        """Of a breast, before the breastbone at its height."""
        points, middle = drawn[breast], drawn[bone]
        level = middle[(points[:, None, 1] - middle[None, :, 1]).abs().argmin(1), 2]
        return float((points[:, 2] - level).max())

    women = [(1.0, *MEAN_ADULT_SHAPE[1:]), (1.0, 0.9, 0.3, 0.95, 0.4, 0.3)]
    for shape in (*shapes, *map(torch.tensor, women)):
        assert furthest(figure_vertices(body, shape, "neutral")) < 0.012
        assert furthest(figure_vertices(body, shape, "female")) > 0.018


def test_an_unknown_figure_is_said() -> None:
    with pytest.raises(
        PointlightError, match="there is no body 'alien' to draw; there are neutral, male, female, est"
    ):
        find_figure("alien")
