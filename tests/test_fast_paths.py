"""What training does faster says the same as the plain way: loops, the memory, SOAP; and how many threads it takes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pointlight.body import EXTENDED_KEYPOINTS, AnnyBody, mirror_order
from pointlight.cues import RepairConfig, repair_sides
from pointlight.geometry import procrustes_error, procrustes_loss, sixd_to_rotmat
from pointlight.network.bilstm import BiLSTM
from pointlight.training import beside_workers, training_threads
from pointlight.training.optimisers import OptimiserConfig, make_optimiser
from pointlight.training.soap import Soap


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


# geometry


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_rotations_that_learn_are_those_that_do_not(generator: torch.Generator, kind: torch.dtype) -> None:
    sixd = torch.randn(4, 50, 6, generator=generator, dtype=kind)
    sixd[0, 0], sixd[0, 1, 3:] = 0, 2 * sixd[0, 1, :3]  # no rotation at all
    learning = sixd.clone().requires_grad_()
    turned = sixd_to_rotmat(learning)
    torch.testing.assert_close(turned.detach(), sixd_to_rotmat(sixd), rtol=0, atol=2e-5)
    turned.square().mul(torch.randn(turned.shape, generator=generator, dtype=kind)).sum().backward()
    assert learning.grad is not None and (learning.grad[0, :2] == 0).all()


def test_the_gradient_of_six_numbers_is_the_slope(generator: torch.Generator) -> None:
    sixd = torch.randn(7, 6, generator=generator, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(sixd_to_rotmat, (sixd,))


def slope_of(error: Tensor, points: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(error.sum(), points)
    return slope


@pytest.mark.parametrize("weighted", [False, True])
def test_the_aligned_loss_is_the_aligned_error(generator: torch.Generator, weighted: bool) -> None:
    points = torch.randn(3, 20, 21, 3, generator=generator, dtype=torch.float64).requires_grad_()
    target = points.detach() + 0.3 * torch.randn(points.shape, generator=generator, dtype=torch.float64)
    target[0, 0] *= torch.tensor([-1.0, 1.0, 1.0])  # a reflection would fit better
    weights = torch.rand(3, 20, 21, generator=generator, dtype=torch.float64) if weighted else None
    fast, plain = procrustes_loss(points, target, weights), procrustes_error(points, target, weights)
    torch.testing.assert_close(fast, plain)
    torch.testing.assert_close(slope_of(fast, points), slope_of(plain, points))


@pytest.mark.parametrize("kind", ["equal", "collinear", "one of weight", "nothing of weight", "exact"])
def test_the_aligned_loss_of_degenerate_points_is_finite(generator: torch.Generator, kind: str) -> None:
    points, target = torch.randn(2, 21, 3, generator=generator), torch.randn(2, 21, 3, generator=generator)
    weights = None
    if kind == "equal":
        points[:] = points[:, :1].clone()
    elif kind == "collinear":
        points[..., 1:] = 0
    elif kind == "exact":
        target = 2 * points + 1
    else:
        weights = torch.zeros(2, 21)
        weights[:, 3] = kind == "one of weight"
    points.requires_grad_()
    fast, plain = procrustes_loss(points, target, weights), procrustes_error(points, target, weights)
    torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-5)
    assert slope_of(fast, points).isfinite().all()


def test_shares_of_corners_are_those_with_a_gradient(generator: torch.Generator) -> None:
    body = AnnyBody()
    shapes = 1.4 * torch.rand(5, 2, 6, generator=generator) - 0.2  # beyond the ends, too
    plain = body.person(shapes.clone().requires_grad_())
    fast = body.person(shapes)
    torch.testing.assert_close(fast.joints, plain.joints.detach())
    torch.testing.assert_close(fast.keypoint_terms, plain.keypoint_terms.detach())


# the repair of exchanged sides


def test_the_search_finds_the_cheapest_labels() -> None:
    """Against all 64 labellings of six frames, where nothing may be left out."""
    rng, order = np.random.default_rng(3), np.array(mirror_order(EXTENDED_KEYPOINTS))
    config = RepairConfig(tear_s=0.0, longest_s=10.0, switch_cost=2.0)
    sided = order != np.arange(len(order))
    exchanged = 0
    for _ in range(20):
        points = np.ones((6, len(order), 3))
        points[..., :2] = 100 * rng.random((1, len(order), 2)) + 25 * rng.standard_normal((6, len(order), 2))
        for t in np.flatnonzero(rng.random(6) < 0.3):
            points[t] = points[t][order]
        diagonal = np.linalg.norm(np.ptp(points[..., :2], axis=1), axis=-1)
        places = points[..., :2] / np.median(diagonal)

        def cost(labels: np.ndarray, places: np.ndarray = places) -> float:
            shown = np.where(labels[:, None, None], places[:, order], places)
            way = np.linalg.norm(np.diff(shown, axis=0), axis=-1)[:, sided].sum()
            changes = (np.diff(labels.astype(int)) != 0).sum()
            return way + changes * (config.switch_cost + config.tear_cost * 0)

        all_labels = [np.array(labels) for labels in itertools.product((False, True), repeat=6)]
        best = min(cost(labels) for labels in all_labels)
        found = repair_sides(points, np.arange(6) / 30, EXTENDED_KEYPOINTS, config).swapped
        assert cost(found) == pytest.approx(best)
        exchanged += found.any()
    assert exchanged > 5


# the memory


def test_the_memory_learns_as_torchs_own_does(generator: torch.Generator) -> None:
    torch.manual_seed(0)
    memory = BiLSTM(12, 16, 1)
    ours = torch.randn(3, 9, 12, generator=generator).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    to = torch.randn(3, 9, 32, generator=generator)
    output = memory(ours)
    output.backward(to)
    slopes = [parameter.grad for parameter in memory.parameters()]
    memory.zero_grad()
    expected, _ = memory.lstm(theirs)
    expected.backward(to)
    torch.testing.assert_close(output, expected, rtol=0, atol=2e-6)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=2e-6)
    for slope, parameter in zip(slopes, memory.parameters(), strict=True):
        torch.testing.assert_close(slope, parameter.grad, rtol=1e-4, atol=1e-5)


def test_a_memory_that_predicts_is_torchs_own() -> None:
    memory = BiLSTM(12, 16, 1)
    features = torch.randn(3, 9, 12)
    with torch.no_grad():
        assert torch.equal(memory.train()(features), memory.lstm(features)[0])
    assert torch.equal(memory.eval()(features), memory.lstm(features)[0])


# SOAP


def learn(make: object, steps: int = 45) -> Tensor:
    """The weights of a small network after some steps."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 60), nn.ReLU(), nn.Linear(60, 5))
    optimiser = make(network.parameters())  # pyright: ignore[reportCallIssue]
    generator = torch.Generator().manual_seed(2)
    wanted = torch.randn(20, 5, generator=generator)
    for _ in range(steps):
        inputs = torch.randn(32, 20, generator=generator)
        loss = (network(inputs) - torch.tanh(inputs @ wanted)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return nn.utils.parameters_to_vector(network.parameters()).detach()


def test_our_soap_without_savings_is_soap() -> None:
    plain = pytest.importorskip("pytorch_optimizer").SOAP
    settings = {"lr": 3e-3, "weight_decay": 0.1, "covariance_decay": 0.95, "widest": 40, "basis_every": 10}
    ours = learn(lambda p: Soap(p, **settings, covariance_every=1))
    theirs = learn(
        lambda p: plain(
            p, lr=3e-3, weight_decay=0.1, max_precondition_dim=40, precondition_frequency=10
        )  # a side of 60 has no basis
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5)
    other = learn(lambda p: Soap(p, **settings, covariance_every=5))
    assert (other - theirs).abs().max() > 1e-3


def test_recipes_reach_our_soap_by_its_name() -> None:
    network = nn.Linear(3, 4)
    assert isinstance(make_optimiser(network, OptimiserConfig(kind="lean-soap")), Soap)
    with pytest.raises(ValueError, match="'adamw', 'soap' or 'lean-soap'"):
        make_optimiser(network, OptimiserConfig(kind="sgd"))


# threads


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pointlight.training.threads.usable_cores", lambda: 4)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)


@pytest.mark.parametrize(("workers", "threads"), [(0, 4), (1, 3), (3, 1), (4, 1), (9, 1)])
@pytest.mark.usefixtures("four_cores")
def test_training_takes_the_cores_that_its_workers_leave(workers: int, threads: int) -> None:
    assert training_threads(workers) == threads


@pytest.mark.usefixtures("four_cores")
def test_a_number_of_threads_that_was_chosen_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert training_threads(1) == 2
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert training_threads(3) == 4


def test_the_number_of_threads_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr("pointlight.training.threads.training_threads", lambda workers: 1)
    with pytest.raises(RuntimeError), beside_workers(1):
        assert torch.get_num_threads() == 1
        raise RuntimeError
    assert torch.get_num_threads() == before
