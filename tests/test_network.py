"""Motion HMR and Martinez: shapes, memory, switches."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest
import torch

from pointlight.body import EVALUATION_JOINTS, MEAN_ADULT_SHAPE, AnnyBody, BodyState, mirror_order
from pointlight.cues import PointCueConfig
from pointlight.errors import PointlightError
from pointlight.network import (
    Martinez,
    MartinezConfig,
    MotionHMR,
    MotionHMRConfig,
    PointsEncoderConfig,
    Prediction,
    find_device,
    frames_of_pairs,
    mirrored_prediction,
    seen_both_ways,
)

SMALL = MotionHMRConfig(encoder=PointsEncoderConfig(hidden=32, features=24), lstm=16, head=24)
(INPUTS,) = PointCueConfig().input_shape


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


def network(body: AnnyBody, config: MotionHMRConfig = SMALL) -> MotionHMR:
    torch.manual_seed(0)
    model = config.build(body)
    assert isinstance(model, MotionHMR)
    return model.eval()


@pytest.mark.parametrize("leading", [(), (3,), (2, 2)])
def test_thirty_pairs_give_sixty_bodies_and_thirty_one_frames(
    body: AnnyBody, leading: tuple[int, ...]
) -> None:
    pairs = network(body)(torch.randn(*leading, 30, INPUTS))
    assert pairs.pose.shape == (*leading, 30, 2, 21, 3, 3)
    assert pairs.scale.shape == (*leading, 30, 2)
    frames = frames_of_pairs(pairs)
    assert frames.pose.shape == (*leading, 31, 21, 3, 3)
    assert frames.root.shape == (*leading, 31, 3, 3)
    assert frames.shape.shape == (*leading, 1, 6)
    assert torch.equal(frames.pose[..., :30, :, :, :], pairs.pose[..., 0, :, :, :])
    assert torch.equal(frames.pose[..., 30, :, :, :], pairs.pose[..., 29, 1, :, :, :])


def test_shape_per_prediction_where_the_paper_is_followed(body: AnnyBody) -> None:
    frames = frames_of_pairs(network(body, replace(SMALL, one_shape=False))(torch.randn(2, 30, INPUTS)))
    assert frames.shape.shape == (2, 31, 6)


def test_predictions_are_bodies(body: AnnyBody) -> None:
    pairs = network(body)(10 * torch.randn(4, 30, INPUTS))
    for rotations in (pairs.pose, pairs.root):
        eye = rotations @ rotations.transpose(-1, -2)
        assert torch.allclose(eye, torch.eye(3).expand_as(eye), atol=1e-4)
        assert (torch.linalg.det(rotations) > 0).all()
    assert ((pairs.shape >= 0) & (pairs.shape <= 1)).all()
    age = pairs.shape[..., body.shape_names.index("age")]
    assert (age >= 2 / 3 - 1e-6).all()
    assert (pairs.scale > 0).all()


def test_it_starts_at_a_person_who_faces_the_camera(body: AnnyBody) -> None:
    frames = frames_of_pairs(network(body)(torch.zeros(1, 30, INPUTS)))
    state = BodyState(frames.pose, frames.shape, frames.root, torch.zeros(3))
    left, right, head, nose = body.keypoints(
        state, ("left_shoulder", "right_shoulder", "head_top", "nose")
    ).unbind(-2)
    assert (left[..., 0] > right[..., 0]).all()  # their left is at the picture's right
    assert (head[..., 1] < left[..., 1]).all()  # y points down
    assert (nose[..., 2] < head[..., 2]).all()  # the nose is nearer
    assert torch.allclose(frames.shape.mean((0, 1)), torch.tensor(MEAN_ADULT_SHAPE), atol=0.1)


def test_memory_reaches_other_frames_and_its_absence_does_not(body: AnnyBody) -> None:
    cues = torch.randn(1, 30, INPUTS)
    changed = cues.clone()
    changed[:, 5] += 1
    for memory, reaches in (("bilstm", True), ("none", False)):
        model = network(body, replace(SMALL, memory=memory))
        before, after = model(cues).root, model(changed).root
        assert not torch.allclose(before[:, 5], after[:, 5])
        assert torch.allclose(before[:, 20], after[:, 20], atol=1e-7) != reaches


def test_without_memory_there_are_as_many_parameters(body: AnnyBody) -> None:
    sizes = [
        sum(p.numel() for p in network(body, replace(MotionHMRConfig(), memory=memory)).parameters())
        for memory in ("bilstm", "none")
    ]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.03)


def test_unknown_memory_is_refused(body: AnnyBody) -> None:
    config = copy(SMALL)
    object.__setattr__(config, "memory", "gru")  # a stored one; annotations are checked while tests run
    with pytest.raises(ValueError, match="'bilstm' or 'none'"):
        network(body, config)


def test_a_device_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(PointlightError, match=r"^there is no device 'warp' here .*; use cpu$"):
        find_device("warp")
    assert find_device("cpu") == torch.device("cpu")


def test_martinez_has_the_published_size_and_bounded_weights() -> None:
    model = Martinez(32, torch.zeros(16, 3), torch.ones(16, 3), MartinezConfig())
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(4.29e6, rel=0.005)
    model.after_step()
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            assert module.weight.norm() <= 1 + 1e-5


def test_martinez_puts_mean_and_deviation_back() -> None:
    mean, deviation = torch.randn(5, 3), torch.rand(5, 3) + 0.5
    model = Martinez(10, mean, deviation, MartinezConfig(hidden=16, blocks=1)).eval()
    cues = torch.randn(4, 7, 10)
    standard = model.standardised(cues)
    assert standard.shape == (4, 7, 5, 3)
    assert torch.allclose(model(cues), standard * deviation + mean)


def keypoints(body: AnnyBody, prediction: Prediction) -> torch.Tensor:
    shape = prediction.shape.expand(*prediction.root.shape[:-2], -1)
    state = BodyState(prediction.pose, shape, prediction.root, torch.zeros(3))
    return body.keypoints(state, EVALUATION_JOINTS)


def test_the_mirrored_body_stands_in_the_mirror(body: AnnyBody) -> None:
    prediction = network(body)(torch.randn(2, 30, INPUTS))
    straight = keypoints(body, prediction)
    found = keypoints(body, mirrored_prediction(prediction, body.joint_names))
    expected = straight[..., list(mirror_order(EVALUATION_JOINTS)), :] * torch.tensor([-1.0, 1.0, 1.0])
    assert (found - expected).norm(
        dim=-1
    ).max() < 0.012  # the mesh itself is a few millimetres from symmetric


def test_who_looks_both_ways_knows_no_side(body: AnnyBody) -> None:
    model = network(body)
    look = seen_both_ways(model, PointCueConfig(), body.joint_names)
    features = torch.randn(2, 30, INPUTS)
    other = PointCueConfig().mirrored(features)
    straight, mirrored = look(features), mirrored_prediction(look(other), body.joint_names)
    for name in ("pose", "root", "shape", "scale", "shift"):
        assert torch.allclose(getattr(straight, name), getattr(mirrored, name), atol=1e-4), name
    assert not torch.allclose(model(features).root, mirrored_prediction(model(other), body.joint_names).root)
