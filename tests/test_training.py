"""Losses, recipes, checkpoints, and runs that go on bit for bit after they were killed."""

from __future__ import annotations

import itertools
import json
import math
import os
import runpy
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import pointlight
from pointlight.body import AnnyBody
from pointlight.configuration import config_sha256, from_plain, to_plain
from pointlight.cues import PointCueConfig
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank, procedural_bank
from pointlight.network import (
    LossConfig,
    MotionHMRConfig,
    Prediction,
    Targets,
    draw_pairs,
    motion_hmr_loss,
)
from pointlight.network.losses import squared_loss
from pointlight.progress import Progress
from pointlight.simulator import TRACK_POINTS, DetectorNoise, SceneConfig, SceneSampler, TrackMaker
from pointlight.training import (
    RECIPES,
    BatchMaker,
    Recipe,
    Trainer,
    batches,
    find_training_recipe,
    learning_rate,
    load_checkpoint,
    observation_of,
    repaired_tracks,
    save_checkpoint,
    train,
)


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def bank(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, clips_per_kind=5, frames=62)


@pytest.fixture(scope="module")
def maker(bank: MotionBank, body: AnnyBody) -> BatchMaker:
    return BatchMaker(SceneConfig(), bank, body, PointCueConfig(), seed=0, size=3)


def truth_as_prediction(targets: Targets, body: AnnyBody) -> Prediction:
    """The prediction that makes no error: the truth, and the weak perspective camera that fits it best."""
    hips = targets.points_ray_m[..., [4, 5], :].mean(-2)
    scale = targets.focal_crop[..., None] / hips[..., 2]
    return Prediction(targets.pose, targets.root_ray, targets.shape, scale, hips[..., :2])


def test_the_truth_costs_nothing(maker: BatchMaker, body: AnnyBody) -> None:
    config = LossConfig(
        perspective=True,
        surface_points=True,
        unaligned=1.0,
        rotation=1.0,
        turn=1.0,
        root=1.0,
        shape=1.0,
        velocity=1.0,
    )
    sampler_config = replace(SceneConfig(), focal_known=1.0)
    told = BatchMaker(
        sampler_config,
        maker._sampler.bank,
        body,
        PointCueConfig(),
        seed=0,
        size=8,
    )
    targets = told.make(0).targets
    total, parts = motion_hmr_loss(truth_as_prediction(targets, body), targets, body, config)
    for name, value in parts.items():
        assert value < 2e-3, name
    assert total < 5e-3


def test_every_term_sees_its_own_mistake(maker: BatchMaker, body: AnnyBody) -> None:
    targets = maker.make(0).targets
    config = LossConfig(perspective=True, unaligned=1.0, rotation=1.0, turn=1.0, root=1.0, shape=1.0)
    right = truth_as_prediction(targets, body)
    _, before = motion_hmr_loss(right, targets, body, config)
    flipped = replace(right, root=right.root @ torch.diag(torch.tensor([-1.0, 1.0, -1.0])))
    _, after = motion_hmr_loss(flipped, targets, body, config)
    assert after["aligned"] == pytest.approx(float(before["aligned"]), abs=1e-4)  # alignment forgives it
    assert after["root"] > 1 and after["turn"] > 1 and after["unaligned"] > 0.1
    assert after["rotation"] == pytest.approx(
        float(before["rotation"]), abs=1e-4
    )  # it is relative to the parent
    nearer = replace(right, scale=right.scale * 1.3)
    _, after = motion_hmr_loss(nearer, targets, body, config)
    assert after["reprojection"] > before["reprojection"] + 0.01
    straight = replace(right, pose=torch.eye(3).expand_as(right.pose))
    _, after = motion_hmr_loss(straight, targets, body, config)
    assert after["aligned"] > 0.02 and after["rotation"] > 0.05


def test_training_on_exchanged_sides_sees_them_repaired(bank: MotionBank, body: AnnyBody) -> None:
    config = replace(SceneConfig(), noise=DetectorNoise(swap=1.0))
    scenes = [SceneSampler(config, bank, body).sample(3, index) for index in range(24)]
    tracks = TrackMaker(config, body).make(scenes)
    repaired = repaired_tracks(tracks)
    wrong = []
    for some in (tracks, repaired):
        far = (some.detections_px - tracks.points_px[..., :19, :]).norm(dim=-1) > 1
        wrong.append(float((far & some.visible).sum() / some.visible.sum()))
    assert wrong[0] > 0.25
    assert wrong[1] < 0.3 * wrong[0]
    assert repaired.visible.sum() == tracks.visible.sum()

    made = BatchMaker(config, bank, body, PointCueConfig(), seed=3, size=24).make(0)
    assert torch.equal(made.inputs, PointCueConfig().make(observation_of(repaired)).inputs)


@pytest.mark.parametrize("memory", ["bilstm", "none"])
def test_a_loss_on_some_pairs_is_that_part_of_the_whole(
    maker: BatchMaker, body: AnnyBody, memory: str
) -> None:
    batch = maker.make(0)
    model = replace(find_training_recipe("tiny").network, one_shape=False, memory=memory).build(body)
    config = replace(find_training_recipe("points").loss, pairs=None)
    halves = [torch.arange(0, 30, 2), torch.arange(1, 30, 2)]
    whole, _ = motion_hmr_loss(model(batch.inputs), batch.targets, body, config)
    parts = [
        motion_hmr_loss(model(batch.inputs, pairs), batch.targets.of_pairs(pairs), body, config)[0]
        for pairs in halves
    ]
    assert torch.allclose(sum(parts) / 2, whole, rtol=1e-4)
    assert not torch.allclose(parts[0], whole, rtol=1e-4)


@pytest.mark.parametrize("name", ["paper", "points"])
def test_what_is_not_a_number_has_no_weight(maker: BatchMaker, body: AnnyBody, name: str) -> None:
    """Joints that a source lacks, frames without anybody, clips of another body: NaN in the targets, none in any loss."""
    targets = maker.make(3).targets
    points, flat, pose = targets.points_ray_m.clone(), targets.points_crop.clone(), targets.pose.clone()
    points[0, :, :, TRACK_POINTS.index("head_top")] = torch.nan
    points[1, 4:9], flat[1, 4:9] = torch.nan, torch.nan
    flat[2, 0, 0, TRACK_POINTS.index("left_hip")] = torch.inf
    pose[2] = torch.nan
    spoilt = replace(
        targets, points_ray_m=points, points_crop=flat, pose=pose, root_ray=targets.root_ray.clone()
    ).marked()
    assert spoilt.known is not None and spoilt.body_known is not None
    assert spoilt.body_known.tolist() == [True, True, False]
    assert not spoilt.known[1, 5].any() and spoilt.known[1, 3].all()
    assert targets.marked().known is None and targets.marked().body_known is None
    every = LossConfig(
        unaligned=1.0, rotation=1.0, turn=1.0, root=1.0, shape=1.0, velocity=1.0,
        surface_points=name == "points", fit_on_metric=name == "points", perspective=name == "points",
    )  # fmt: skip
    torch.manual_seed(0)
    predicted = truth_as_prediction(targets, body)
    inputs = {
        name: (value + 0.1 * torch.randn_like(value)).requires_grad_()
        for name, value in vars(predicted).items()
        if name in ("pose", "root", "scale", "shift")
    }
    total, parts = motion_hmr_loss(replace(predicted, **inputs), spoilt, body, every)
    assert all(bool(part.isfinite()) for part in parts.values()), parts
    total.backward()
    for key, value in inputs.items():
        assert value.grad is not None and bool(value.grad.isfinite().all()), key
    names = ("points_ray_m", "points_crop", "pose")
    zeros = replace(spoilt, **{key: getattr(spoilt, key).nan_to_num(7.0, 7.0, 7.0) for key in names})
    other, _ = motion_hmr_loss(replace(predicted, **inputs), zeros, body, every)
    assert torch.equal(other, total)  # whatever stands there
    guess = torch.randn(*points.shape[:2], len(TRACK_POINTS), 3, requires_grad=True)
    mean, deviation = torch.zeros(len(TRACK_POINTS), 3), torch.ones(len(TRACK_POINTS), 3)
    loss, told = squared_loss(guess, mean, deviation, spoilt)
    loss.backward()
    assert bool(loss.isfinite()) and all(bool(part.isfinite()) for part in told.values())
    assert guess.grad is not None and bool(guess.grad.isfinite().all())


def test_pairs_are_drawn_one_from_each_stretch_of_a_clip() -> None:
    drawn = torch.stack([draw_pairs(30, 10, np.random.default_rng(k)) for k in range(200)])
    assert (drawn // 3 == torch.arange(10)).all()
    assert drawn.unique().tolist() == list(range(30))
    assert draw_pairs(30, None, np.random.default_rng(0)).tolist() == list(range(30))
    assert find_training_recipe("points-paper").loss.pairs is None


def test_the_papers_loss_is_alignment_and_reprojection_alone() -> None:
    loss = find_training_recipe("points-paper").loss
    on = {name for name, value in vars(loss).items() if value}
    assert on == {"aligned", "reprojection"}


def test_gradients_are_finite_on_hidden_clips(bank: MotionBank, body: AnnyBody, tmp_path: Path) -> None:
    trainer = Trainer(find_training_recipe("tiny"), tmp_path, bank, body=body, workers=0)
    batch = trainer._batch_source().make(0)
    blind = replace(batch, inputs=torch.zeros_like(batch.inputs))
    trainer.step_on(blind, 10)
    assert all(p.isfinite().all() for p in trainer.model.parameters())


def test_learning_rate_rises_holds_and_falls() -> None:
    settings = replace(find_training_recipe("points").optimiser, warmup=10, cooldown=0.5, learning_rate=1.0)
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[20] == rates[49] == 1.0
    assert rates[99] < 0.02
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[50:]))


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_survive_json(name: str) -> None:
    recipe = RECIPES[name]
    assert from_plain(Recipe, json.loads(json.dumps(to_plain(recipe))), "here") == recipe


def test_configurations_of_other_versions_are_refused() -> None:
    plain = to_plain(MotionHMRConfig())
    plain["invented"] = 1
    with pytest.raises(PointlightError, match=r"weights\.x was written by another version.*invented"):
        from_plain(MotionHMRConfig, plain, "weights.x")
    with pytest.raises(PointlightError, match="there is no recipe 'pints'; there are"):
        find_training_recipe("pints")


def test_batches_do_not_depend_on_workers(maker: BatchMaker) -> None:
    wanted = [maker.make(number).inputs for number in (2, 3, 4)]
    for workers in (0, 1, 2):
        stream = batches(maker, 2, workers=workers)
        found = [next(stream).inputs for _ in range(3)]
        assert all(torch.equal(a, b) for a, b in zip(wanted, found, strict=True)), workers


def run_tiny(out: Path, bank: MotionBank, body: AnnyBody, steps: int, *, resume: bool = False) -> Trainer:
    trainer = Trainer(find_training_recipe("tiny"), out, bank, body=body, workers=0)
    if resume:
        trainer.resume()
    trainer.run(steps=steps)
    return trainer


KILLED = """
import os, signal, sys, torch
torch.set_num_threads(1)
from pathlib import Path
from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.training import Trainer, find_training_recipe
body = AnnyBody()
bank = procedural_bank(body, 5, clips_per_kind=5, frames=62)
trainer = Trainer(find_training_recipe("tiny"), Path(sys.argv[1]), bank, body=body, workers=0)
def kill(progress):
    if progress.stage == "train" and progress.done == 5:
        os.kill(os.getpid(), signal.SIGKILL)
trainer.run(steps=8, progress=kill)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path, bank: MotionBank, body: AnnyBody) -> None:
    torch.set_num_threads(1)
    whole = run_tiny(tmp_path / "whole", bank, body, 8)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "cut")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert run_tiny(tmp_path / "cut", bank, body, 8, resume=True).step == 8
    first, second = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert whole.step == 8


def test_a_run_says_how_far_it_is(tmp_path: Path, bank: MotionBank, body: AnnyBody) -> None:
    told: list[Progress] = []
    trainer = Trainer(find_training_recipe("tiny"), tmp_path, bank, body=body, workers=0)
    assert math.isnan(trainer.latest_loss)
    trainer.run(steps=2, progress=told.append)
    assert [(progress.stage, progress.done, progress.total) for progress in told] == [
        ("train", 1, 2),
        ("train", 2, 2),
    ]
    assert told[0].note.endswith(", warm-up until step 2")
    assert told[1].note == f"loss {trainer.latest_loss:.3f}, validation {trainer.latest_mm:.1f} mm"
    assert math.isfinite(trainer.latest_loss + trainer.latest_mm)


@pytest.mark.parametrize("kind", ["adamw", "soap", "lean-soap"])
def test_every_optimiser_goes_on_where_it_stood(
    tmp_path: Path, bank: MotionBank, body: AnnyBody, kind: str
) -> None:
    """Beyond the 20 steps after which SOAP turns its bases."""
    recipe = find_training_recipe("tiny")
    recipe = replace(recipe, optimiser=replace(recipe.optimiser, kind=kind, steps=26, evaluate_every=100))

    def stop(progress: Progress) -> None:
        if progress.done == 22:
            raise KeyboardInterrupt

    Trainer(recipe, tmp_path / "whole", bank, body=body, workers=0).run()
    with pytest.raises(KeyboardInterrupt):
        Trainer(recipe, tmp_path / "cut", bank, body=body, workers=0).run(progress=stop)
    again = Trainer(recipe, tmp_path / "cut", bank, body=body, workers=0)
    again.resume()
    assert again.step == 22
    again.run()
    first, second = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_lineage_is_kept(tmp_path: Path, bank: MotionBank, body: AnnyBody) -> None:
    run_tiny(tmp_path / "first", bank, body, 4)
    parent = load_checkpoint(tmp_path / "first" / "best.safetensors", body)
    child = Trainer(
        find_training_recipe("tiny"),
        tmp_path / "second",
        bank,
        body=body,
        workers=0,
        init=str(tmp_path / "first" / "best.safetensors"),
    )
    child.run(steps=4)
    metadata = load_checkpoint(tmp_path / "second" / "latest.safetensors", body).metadata
    assert metadata["command"] == "pointlight train tiny --seed 0 --steps 4 --init WEIGHTS"
    assert metadata["recipe_sha256"] == config_sha256(find_training_recipe("tiny"))
    assert metadata["version"] == pointlight.__version__ and "commit" in metadata
    lineage = metadata["lineage"]
    assert [entry["sha256"] for entry in lineage] == [parent.sha256]
    made = tmp_path / "second" / "latest.safetensors"
    plain = tmp_path / "plain"
    plain.touch()
    assert made.stat().st_mode == plain.stat().st_mode  # readable by whom any new file is


def edited_header(source: Path, target: Path, **changes: object) -> Path:
    with safe_open(source, framework="pt") as reader:
        header = json.loads(reader.metadata()["pointlight"])
        weights = {name: reader.get_tensor(name) for name in reader.keys()}  # noqa: SIM118
    save_file(weights, target, metadata={"pointlight": json.dumps(header | changes)})
    return target


def test_models_that_do_not_fit_are_refused(tmp_path: Path, body: AnnyBody) -> None:
    config = find_training_recipe("tiny").network
    model = config.build(body)
    good = tmp_path / "good.safetensors"
    save_checkpoint(good, model, body)
    loaded = load_checkpoint(good, body)
    for name, value in model.state_dict().items():
        assert torch.allclose(loaded.model.state_dict()[name], value, atol=2e-3)
    cases = {
        "format_version": (99, "is a checkpoint of format 99, this version reads format 1"),
        "body_sha256": ("0" * 64, "was trained with another body"),
        "keypoints": (["nose"], "was trained with another set of keypoints"),
    }
    for field, (value, sentence) in cases.items():
        bad = edited_header(good, tmp_path / f"{field}.safetensors", **{field: value})
        with pytest.raises(PointlightError, match=sentence):
            load_checkpoint(bad, body)
    noise = tmp_path / "noise.safetensors"
    noise.write_bytes(os.urandom(200))
    with pytest.raises(PointlightError, match="is not a readable safetensors file"):
        load_checkpoint(noise, body)
    with pytest.raises(PointlightError, match="there is no model 'nobody'"):
        load_checkpoint("nobody", body)


def test_a_second_run_does_not_overwrite_the_first(tmp_path: Path) -> None:
    (tmp_path / "last.safetensors").touch()
    with pytest.raises(PointlightError, match="holds a run already; go on with --resume"):
        train("tiny", tmp_path)


def test_nothing_to_resume(tmp_path: Path, bank: MotionBank, body: AnnyBody) -> None:
    with pytest.raises(PointlightError, match="there is no run to resume in"):
        run_tiny(tmp_path, bank, body, 2, resume=True)


def test_minutes_end_a_run_that_can_be_resumed(tmp_path: Path, bank: MotionBank, body: AnnyBody) -> None:
    trainer = Trainer(find_training_recipe("tiny"), tmp_path, bank, body=body, workers=0)
    started = time.monotonic()
    trainer.run(steps=10**6, minutes=1e-4)
    assert time.monotonic() - started < 60
    assert 0 < trainer.step < 10**6
    again = Trainer(find_training_recipe("tiny"), tmp_path, bank, body=body, workers=0)
    again.resume()
    again.run(minutes=0)
    assert (again.step, again.steps) == (trainer.step + 1, 10**6)


def test_the_mean_of_networks_lies_between_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = AnnyBody()
    config = find_training_recipe("tiny").network
    files = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        files.append(tmp_path / f"{seed}.safetensors")
        save_checkpoint(files[-1], config.build(body), body, seed=seed)
    out = tmp_path / "mean.safetensors"
    average_weights(monkeypatch, out, *files)
    a, b, mean = (load_checkpoint(file, body) for file in (*files, out))
    for name, value in mean.model.state_dict().items():
        ends = a.model.state_dict()[name], b.model.state_dict()[name]
        torch.testing.assert_close(value, ends[0] + (ends[1] - ends[0]) / 2, atol=2e-3, rtol=1e-3)
    assert [part["seed"] for part in mean.metadata["lineage"]] == [0, 1]
    assert [part["sha256"] for part in mean.metadata["lineage"]] == [a.sha256, b.sha256]
    other = find_training_recipe("martinez").network
    save_checkpoint(tmp_path / "other.safetensors", other.build(body), body)
    with pytest.raises(PointlightError, match="they have no mean"):
        average_weights(monkeypatch, out, files[0], tmp_path / "other.safetensors")


def average_weights(monkeypatch: pytest.MonkeyPatch, *given: Path) -> None:
    """What the script does, without another interpreter."""
    monkeypatch.setattr(sys, "argv", ["average_weights.py", *map(str, given)])
    runpy.run_path(str(Path(__file__).parents[1] / "tools" / "average_weights.py"), run_name="__main__")
