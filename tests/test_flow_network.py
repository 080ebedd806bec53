"""The flow network, the made pairs that it learns from, and its training: by properties that hold for any weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pointlight.errors import PointlightError
from pointlight.flow import (
    FlowNetwork,
    FlowNetworkConfig,
    LearnedFlow,
    flow_colours,
    load_flow_network,
    save_flow_network,
)
from pointlight.flow.network import cost_volume, warped
from pointlight.training import OptimiserConfig

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed; it comes with the extra flow")

from pointlight.training.flow_data import FlowDataConfig, FlowPair, FlowPairs  # noqa: E402
from pointlight.training.flow_film import FilmConfig  # noqa: E402
from pointlight.training.flow_sources import (  # noqa: E402
    FlowSources,
    PersonPair,
    read_sources,
    write_sources,
)
from pointlight.training.flow_training import FlowTraining, FlowTrainingConfig, flow_loss  # noqa: E402
from pointlight.training.run_state import save_state  # noqa: E402

AS_DRAWN = FilmConfig(0.0, (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 0.0, 0.0, 0.0, 0.0)
SMALL = FlowNetworkConfig(
    pyramid=(4, 4, 4), radius=1, projected=4, estimator=(8, 4), context=(4,), upsampling=4
)


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth random picture (height, width, 3) uint8."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (height // 6, width // 6, 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def sources() -> FlowSources:
    """Smooth pictures, and a person who is a disc that moves by (3, -2)."""
    y, x = np.mgrid[:40, :40]
    discs = np.stack([(x - 18 - dx) ** 2 + (y - 22 - dy) ** 2 < 150 for dx, dy in ((0, 0), (3, -2))])
    skin = textured(60, 60, 9)
    colour = np.stack([skin[10:50, 10:50], skin[12:52, 7:47]]) * discs[..., None]
    flow = np.where(discs[0][..., None], np.float32((3, -2)), np.float32(np.nan))
    person = PersonPair(colour.astype(np.uint8), discs, flow.astype(np.float32))
    return FlowSources([textured(240, 320, seed) for seed in range(4)], [person], "train")


def brought_back(pair: FlowPair) -> np.ndarray:
    """(H, W) mean difference of the second picture, brought back along the flow, to the first."""
    y, x = np.mgrid[: pair.flow_px.shape[0], : pair.flow_px.shape[1]].astype(np.float32)
    at = x + pair.flow_px[..., 0], y + pair.flow_px[..., 1]
    back = cv2.remap(pair.second.astype(np.float32), *at, cv2.INTER_LINEAR)
    return np.abs(back - pair.first).mean(-1)


def test_many_pairs_are_single_pairs(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FlowNetwork(SMALL)
    for head in (network.step, network.context[-1]):
        torch.nn.init.normal_(head.weight, std=0.1)  # fresh heads give no flow at all
    save_flow_network(tmp_path / "flow.safetensors", network)
    firsts = np.stack([textured(50, 70, seed) for seed in range(3)])
    seconds = np.roll(firsts, 2, axis=2)
    estimator = LearnedFlow(weights=tmp_path / "flow.safetensors")
    together = estimator.flows(firsts, seconds)
    assert together.shape == (3, 50, 70, 2) and together.dtype == np.float32
    assert np.abs(together).max() > 0.1 and np.array_equal(together, estimator.flows(firsts, seconds))
    for pair in range(3):
        np.testing.assert_allclose(together[pair], estimator.flow(firsts[pair], seconds[pair]), atol=1e-3)
    assert estimator.flows(firsts[:0], seconds[:0]).shape == (0, 50, 70, 2)
    grey = np.repeat(firsts[:1, ..., :1], 3, -1), np.repeat(seconds[:1, ..., :1], 3, -1)
    assert np.array_equal(estimator.flows(*grey), estimator.flows(*(both[..., 0] for both in grey)))


def test_a_fresh_network_knows_no_motion() -> None:
    flows = FlowNetwork(SMALL)(torch.rand(2, 3, 32, 48), torch.rand(2, 3, 32, 48))
    assert [flow.shape for flow in flows] == [(2, 2, 32, 48), (2, 2, 8, 12), (2, 2, 4, 6)]
    assert all((flow == 0).all() for flow in flows)


def test_the_cost_volume_is_what_its_name_says() -> None:
    one, other = torch.randn(2, 1, 3, 4, 5, dtype=torch.double, requires_grad=True).unbind(0)
    volume = cost_volume(one, other, 1)
    assert volume.shape == (1, 9, 4, 5)
    assert torch.isclose(volume[0, 5, 2, 1], (one[0, :, 2, 1] * other[0, :, 2, 2]).mean())
    assert volume[0, 0, 0, 0] == 0  # nothing lies beyond the border
    leaves = [torch.randn(1, 2, 3, 3, dtype=torch.double, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(lambda a, b: cost_volume(a, b, 1), leaves)


def test_warping_looks_where_the_flow_leads() -> None:
    features = torch.arange(20.0).view(1, 1, 4, 5)
    flow = torch.zeros(1, 2, 4, 5)
    torch.testing.assert_close(warped(features, flow), features)
    flow[:, 0] = 1
    torch.testing.assert_close(warped(features, flow)[..., :4], features[..., 1:])


def test_weights_survive_their_file(tmp_path: Path) -> None:
    network = FlowNetwork(SMALL)
    save_flow_network(tmp_path / "flow.safetensors", network, seed=3)
    loaded = load_flow_network(tmp_path / "flow.safetensors")
    assert loaded.config == SMALL
    for name, value in loaded.state_dict().items():
        torch.testing.assert_close(value, network.state_dict()[name], atol=1e-3, rtol=1e-3)
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    for name in ("broken", "missing"):
        with pytest.raises(PointlightError, match="no flow network"):
            load_flow_network(tmp_path / f"{name}.safetensors")


def test_true_flow_brings_the_second_picture_back(sources: FlowSources) -> None:
    pairs = FlowPairs(sources, 5, FlowDataConfig(film=AS_DRAWN))
    left, moved, shown = [], [], []
    for index in range(12):
        pair = pairs.pair(index)
        left.append(brought_back(pair)[pair.visible])
        moved.append(np.abs(pair.second.astype(float) - pair.first).mean(-1)[pair.visible])
        shown.append(pair.visible.mean())
        assert pair.known.mean() > 0.98 and np.isfinite(pair.flow_px).all()
    # Outlines are soft, and their pixels belong to two layers.
    assert np.median(np.concatenate(left)) < 1.0
    assert np.concatenate(left).mean() < 0.25 * np.concatenate(moved).mean()
    assert np.mean(shown) > 0.7


def test_pairs_are_functions_of_seed_and_number(sources: FlowSources) -> None:
    pairs = FlowPairs(sources, 0)
    assert pairs.pair(7) == FlowPairs(sources, 0).pair(7)
    assert pairs.pair(7) != pairs.pair(8) and pairs.pair(7) != FlowPairs(sources, 1).pair(7)


def test_people_move_as_their_flow_says(sources: FlowSources) -> None:
    """With people alone before a camera that stands, whatever moves moves by the disc's flow or its mirror image."""
    config = FlowDataConfig(layers=(2, 2), people=1.0, still=1.0, film=AS_DRAWN)
    pair = FlowPairs(sources, 2, config).pair(1)
    moving = pair.flow_px[(pair.flow_px != 0).any(-1)]
    assert len(moving) > 50 and set(map(tuple, np.abs(moving))) == {(3.0, 2.0)}
    assert brought_back(pair)[pair.visible].mean() < 3


def test_sources_survive_their_file(tmp_path: Path, sources: FlowSources) -> None:
    write_sources(tmp_path / "sources.npz", sources)
    again = read_sources(tmp_path / "sources.npz")
    assert again.split == "train" and again.people[0] == sources.people[0]
    assert all(np.array_equal(a, b) for a, b in zip(again.pictures, sources.pictures, strict=True))
    with pytest.raises(PointlightError, match="no sources of flow"):
        read_sources(tmp_path / "missing.npz")


def test_the_loss_is_least_at_the_truth() -> None:
    config = FlowTrainingConfig(level_weights=(0.5,))
    truth = torch.randn(1, 2, 8, 8)
    known = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    right = [truth, torch.nn.functional.avg_pool2d(truth, 4)]
    least = flow_loss(right, truth, known, config)
    assert flow_loss([truth + 0.3, right[1]], truth, known, config) > least
    known[..., 2, 2] = False
    wrong = truth.clone()
    wrong[..., 2, 2] = 100
    blind = [flow_loss([flow, right[1]], truth, known, config) for flow in (truth, wrong)]
    assert torch.equal(*blind)


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path, sources: FlowSources) -> None:
    optimiser = OptimiserConfig(batch=2, steps=2, warmup=1, evaluate_every=1, save_every=1)
    config = FlowTrainingConfig(
        network=SMALL,
        data=FlowDataConfig(size=(32, 32)),
        optimiser=optimiser,
        level_weights=(0.3, 0.2),
        validation_pairs=1,
    )
    watched = replace(sources, split="validation")
    FlowTraining(tmp_path / "whole", sources, watched, config).run()
    FlowTraining(tmp_path / "halves", sources, watched, config).run(minutes=1e-9)
    FlowTraining(tmp_path / "halves", sources, watched, config).run()
    whole, halves = (tmp_path / name / "flow.safetensors" for name in ("whole", "halves"))
    states = [load_flow_network(path).state_dict() for path in (whole, halves)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    with pytest.raises(PointlightError, match="another run"):
        FlowTraining(tmp_path / "whole", sources, watched, config, seed=1)
    fewer = replace(sources, pictures=sources.pictures[:3])
    with pytest.raises(PointlightError, match="learns from other pictures and people; give those"):
        FlowTraining(tmp_path / "whole", fewer, watched, config)
    begun_earlier = FlowTraining(tmp_path / "earlier", sources, watched, config)
    begun_earlier.run(minutes=1e-9)
    numbers = {"step": begun_earlier.step, "seconds": 1.0, "identity": begun_earlier._identity}
    save_state(
        tmp_path / "earlier",
        begun_earlier.network,
        begun_earlier.average,
        begun_earlier._optimiser,
        numbers,
    )
    assert FlowTraining(tmp_path / "earlier", sources, watched, config).step == begun_earlier.step
    with pytest.raises(PointlightError, match="learns from 'train'"):
        FlowTraining(tmp_path / "other", watched, watched, config)


def test_colours_of_flow() -> None:
    flow = np.array([[[0, 0], [9, 0], [-9, 0], [np.nan, 0]]])
    picture = flow_colours(flow, 9)
    assert picture[0, 0].tolist() == [255, 255, 255]
    assert picture[0, 1].tolist() == [255, 0, 0] and picture[0, 2].tolist() == [0, 255, 255]
    assert len(set(picture[0, 3])) == 1
