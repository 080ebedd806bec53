"""Keypoints with the flow under them: it is the picture's motion there, of seen limbs alone, and it is right in a mirror."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from pointlight.body import EXTENDED_KEYPOINTS, AnnyBody, mirror_order
from pointlight.cues import ArrayFrames, Observation, PairPictures, PointCueConfig, PointFlowCueConfig
from pointlight.errors import PointlightError
from pointlight.geometry import CROP_PX, PERSON_PX
from pointlight.network import MotionHMR
from pointlight.training import find_training_recipe

WIDTH, HEIGHT, FRAMES = 320, 240, 4
CUES = PointFlowCueConfig()
NUMBERS = PointCueConfig().input_shape[0]
LIMBS = 12
KEPT = fields(Observation)[:5]


class GivenFlow:
    """Pictures of which the flow is known."""

    def __init__(self, flow_px: np.ndarray, step_s: float = 1 / 30) -> None:
        self._pair = PairPictures(
            np.zeros((HEIGHT, WIDTH, 3), np.uint8), None, step_s=step_s, flow_px=flow_px, flow_name="dis"
        )

    def pair(self, number: int) -> PairPictures:
        return self._pair


def person(seed: int = 1) -> Observation:
    """One that stands still; the box's diagonal is 150 px, so that a crop's pixel is a picture's."""
    rng = np.random.default_rng(seed)
    points = rng.random((len(EXTENDED_KEYPOINTS), 2))
    points[0], points[1] = 0, 1
    points = np.array((160.0, 120.0)) + PERSON_PX / np.sqrt(2) * (points - 0.5)
    return Observation(
        torch.from_numpy(points).float().expand(1, FRAMES, -1, 2).clone(),
        torch.ones(1, FRAMES, len(EXTENDED_KEYPOINTS), dtype=torch.bool),
        EXTENDED_KEYPOINTS,
        torch.tensor([5000.0]),  # so long that turning the camera bends nothing
        torch.tensor([[WIDTH / 2, HEIGHT / 2]]),
    )


def flow_of(inputs: torch.Tensor) -> torch.Tensor:
    """(..., N, 2) in pixels of the picture of `person`, of places that are seen."""
    flow = inputs[..., NUMBERS:].unflatten(-1, (-1, 2))
    flow = flow.sign() * flow.abs().expm1() / CUES.flow_gain * 20
    return flow[..., :1, :] + flow[..., 1:, :]


def test_a_moving_picture_moves_every_place_alike() -> None:
    flow = np.broadcast_to(np.float32((3, -1.5)), (HEIGHT, WIDTH, 2))
    inputs = CUES.make(replace(person(), pictures=(GivenFlow(flow),))).inputs
    assert inputs.shape == (1, FRAMES - 1, *CUES.input_shape)
    found = flow_of(inputs)
    assert found.shape[-2] == len(EXTENDED_KEYPOINTS) + 2 * LIMBS
    torch.testing.assert_close(found, torch.tensor((3, -1.5)).expand_as(found), atol=0.02, rtol=0)
    alone = Observation(
        *(getattr(person(), f.name)[0] if f.name != "names" else EXTENDED_KEYPOINTS for f in KEPT)
    )
    assert torch.equal(CUES.make(replace(alone, pictures=(GivenFlow(flow),))).inputs, inputs[0])
    slow = CUES.make(replace(person(), pictures=(GivenFlow(flow, 1 / 15),))).inputs
    torch.testing.assert_close(flow_of(slow), found / 2, atol=0.01, rtol=0)


def test_each_place_has_the_flow_that_is_there() -> None:
    """A picture that is stretched around its middle moves everything by where it lies."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    flow = 0.1 * np.stack((x - WIDTH / 2, y - HEIGHT / 2), -1).astype(np.float32)
    seen = person()
    found = flow_of(CUES.make(replace(seen, pictures=(GivenFlow(flow),))).inputs)[0, 0]
    points = seen.points_px[0, 0] - torch.tensor((WIDTH / 2, HEIGHT / 2))
    inside = (points.abs() < CROP_PX / 2 - 8).all(-1)
    count = len(EXTENDED_KEYPOINTS)
    torch.testing.assert_close(found[:count][inside], 0.1 * points[inside], atol=0.1, rtol=0)
    at = {name: points[EXTENDED_KEYPOINTS.index(name)] for name in EXTENDED_KEYPOINTS}
    third = (2 * at["left_shoulder"] + at["left_elbow"]) / 3
    torch.testing.assert_close(found[count], 0.1 * third, atol=0.1, rtol=0)


def test_what_is_not_seen_has_no_flow() -> None:
    seen = person()
    seen.visible[:, :, EXTENDED_KEYPOINTS.index("left_elbow")] = False
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    flow = (0.1 * np.stack((x, y), -1)).astype(np.float32)
    beyond_mean = CUES.make(replace(seen, pictures=(GivenFlow(flow),))).inputs[0, 0, NUMBERS + 2 :]
    still = (beyond_mean.unflatten(-1, (-1, 2)) == 0).all(-1)
    assert still[EXTENDED_KEYPOINTS.index("left_elbow")]
    assert still.sum() == 1 + 2 * 2  # and both thirds of the upper arm and of the forearm
    seen.visible[:, 1] = False
    hidden = CUES.make(replace(seen, pictures=(GivenFlow(flow),))).inputs
    assert hidden[0, 1, NUMBERS:].abs().max() == 0 < hidden[0, 2, NUMBERS:].abs().max()


def test_the_mirror_image_is_what_is_seen_of_mirrored_people() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    flow = np.stack((0.05 * x - 0.02 * y, 0.03 * x), -1).astype(np.float32)
    seen = person()
    straight = CUES.make(replace(seen, pictures=(GivenFlow(flow),))).inputs
    order = mirror_order(EXTENDED_KEYPOINTS)
    mirrored = replace(
        seen, points_px=(seen.points_px * torch.tensor((-1, 1)) + torch.tensor((WIDTH, 0)))[:, :, order]
    )
    other = GivenFlow(np.ascontiguousarray(flow[:, ::-1] * np.float32((-1, 1))))
    made = CUES.make(replace(mirrored, pictures=(other,))).inputs
    torch.testing.assert_close(CUES.mirrored(straight), made, atol=2e-3, rtol=0)


def test_without_flow_it_is_the_keypoints_alone() -> None:
    seen = person()
    alone = PointFlowCueConfig(flow="")
    assert not alone.sees_pictures and alone.shown == ("keypoints",)
    assert torch.equal(alone.make(seen).inputs, PointCueConfig().make(seen).inputs)
    with pytest.raises(
        PointlightError, match="this model sees pictures, and there are those of 0 of 1 people"
    ):
        CUES.make(seen)


def test_cues_are_taken_away_one_by_one() -> None:
    flow = np.full((HEIGHT, WIDTH, 2), 5, np.float32)
    inputs = CUES.make(replace(person(), pictures=(GivenFlow(flow),))).inputs
    numbers = inputs[..., :NUMBERS]
    blind = CUES.without(inputs, "keypoints")
    assert torch.equal(blind[..., NUMBERS:], inputs[..., NUMBERS:])
    assert torch.equal(blind[..., :NUMBERS], PointCueConfig().without(numbers, "keypoints"))
    assert blind[..., :NUMBERS].ne(0).sum() < numbers.ne(0).sum() / 10
    still = CUES.without(inputs, "flow")
    assert torch.equal(still[..., :NUMBERS], numbers) and still[..., NUMBERS:].abs().max() == 0
    with pytest.raises(ValueError, match="does not show rgb"):
        CUES.without(inputs, "rgb")


def test_twice_the_flow_changes_what_the_network_says() -> None:
    body = AnnyBody()
    network = find_training_recipe("points-flow").network.build(body).eval()
    assert isinstance(network, MotionHMR)
    flow = np.full((HEIGHT, WIDTH, 2), 2, np.float32)
    one, two = (
        CUES.make(replace(person(), pictures=(GivenFlow(f),))).inputs for f in (flow, np.float32(2) * flow)
    )
    with torch.no_grad():
        assert (network.encoder(one) - network.encoder(two)).abs().mean() > 1e-3


def test_pictures_that_move_are_seen_to_move() -> None:
    """From pictures to numbers: the estimator's flow."""
    rng = np.random.default_rng(0)
    texture = np.kron(rng.integers(0, 255, (40, 60, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    frames = [texture[:HEIGHT, 40 - 4 * k : 40 - 4 * k + WIDTH] for k in range(FRAMES)]
    found = flow_of(CUES.make(replace(person(), pictures=(ArrayFrames(frames),))).inputs)
    assert (found[..., 0].median() - 4).abs() < 0.3 and found[..., 1].median().abs() < 0.3
