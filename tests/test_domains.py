"""Domain-adversarial training: tracks of real people, the reversed gradient, and an adversary that is or is not heeded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from target_makers import WALK_PX, MadeDetector, made_targets, moving_pictures, write_lossless, write_videos
from test_picture_training import FRAMES, KEPT, maker_of, tiny
from torch import nn
from typer.testing import CliRunner

from pointlight.body import AnnyBody
from pointlight.capture import TargetConfig, prepare_targets
from pointlight.cli.main import app
from pointlight.cues import ArrayFrames, PictureCueConfig
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank, procedural_bank
from pointlight.network import (
    DomainConfig,
    MotionHMRConfig,
    PictureEncoderConfig,
    RegressorConfig,
    reversed_gradient,
)
from pointlight.progress import Progress
from pointlight.training import (
    PictureBank,
    PictureUseConfig,
    Recipe,
    TargetBank,
    Trainer,
    find_training_recipe,
    load_checkpoint,
    prepare_pictures,
)
from pointlight.training.domains import Adversary, DomainBatch, open_targets
from pointlight.training.target_bank import TargetBatches
from pointlight.training.trunks import picture_encoder

RGB = PictureCueConfig(side_px=32, rgb=True)
SHORT = TargetConfig(frames=FRAMES)


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def motions(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, kinds=("walk",), clips_per_kind=5, frames=62)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, motions: MotionBank, body: AnnyBody) -> Path:
    """Pictures of simulated people, and tracks of real ones beside them."""
    folder = tmp_path_factory.mktemp("pictures")
    for split in ("train", "validation"):
        prepare_pictures(folder / split, maker_of(motions, body, split), 1, body=body, config=KEPT)
    made_targets(folder, FRAMES, KEPT)
    return folder


# Tracks of real people


def test_whole_people_are_found_once(tmp_path: Path) -> None:
    """Of the training videos with people; what is done stays, and a bank is of one kind."""
    videos = write_videos(tmp_path / "videos")
    detector = MadeDetector()

    def stop(progress: Progress) -> None:
        if progress.done == 1:
            raise KeyboardInterrupt

    given = {"detector": detector, "config": SHORT, "kept": KEPT}
    with pytest.raises(KeyboardInterrupt):
        prepare_targets(tmp_path, videos, progress=stop, **given)
    assert len(detector.asked) == 1
    told: list[Progress] = []
    bank = prepare_targets(tmp_path, videos, progress=told.append, **given)
    assert sorted(detector.asked) == ["half.avi", "run.avi", "walk.avi"]
    assert told[-1] == Progress("people", 3, 3, "4 tracks", unit="video")
    assert len(bank) == 4  # two of 7 frames in 16, of each whole person
    assert {part.name for part in bank.folder.iterdir()} == {
        "bank.json",
        *(f"part-0000{k}.npz" for k in range(3)),
    }
    assert prepare_targets(tmp_path, videos, **given).sha256 == bank.sha256 and len(detector.asked) == 3
    assert len(prepare_targets(tmp_path / "few", videos, count=1, **given)) == 2  # of a video, all or none
    with pytest.raises(PointlightError, match=r"config\.flow is dis in .*, tvl1 was given"):
        prepare_targets(tmp_path, videos, flow="tvl1", **given)
    with pytest.raises(PointlightError, match=r"pieces\.seen is 0\.9 in .*, 0\.5 was given"):
        prepare_targets(tmp_path, videos, **(given | {"config": replace(SHORT, seen=0.5)}))


def test_where_nobody_is_seen_there_are_no_tracks(tmp_path: Path) -> None:
    videos = write_videos(tmp_path / "videos")
    (videos / "index.csv").write_text("file,has_people,split\nhalf.avi,yes,train\nempty.avi,no,train\n")
    with pytest.raises(
        PointlightError, match=r"in no video of .* a whole person is seen for 0\.2 s; give others"
    ):
        prepare_targets(tmp_path, videos, detector=MadeDetector(), config=SHORT, kept=KEPT)
    with pytest.raises(PointlightError, match="nobody was found in the videos"):
        TargetBank(tmp_path)
    (videos / "index.csv").write_text("file,has_people,split\nempty.avi,no,train\n")
    with pytest.raises(
        PointlightError, match=r"no video in .* shows people; give a folder with some that do"
    ):
        prepare_targets(tmp_path, videos, detector=MadeDetector())
    (videos / "index.csv").write_text("file,has_people,split\nwalk.avi,yes,train\nbroken.avi,yes,train\n")
    (videos / "broken.avi").write_bytes(b"nothing")
    with pytest.warns(UserWarning, match=r"broken\.avi is left out: "):
        bank = prepare_targets(tmp_path / "b", videos, detector=MadeDetector(), config=SHORT, kept=KEPT)
    assert len(bank) == 2


@pytest.mark.parametrize("rate", [30, 15])
def test_a_track_shows_what_its_video_shows(tmp_path: Path, rate: int) -> None:
    """The same picture as cut from the video itself, and the same flow whatever the video's rate."""
    videos = tmp_path / "videos"
    videos.mkdir()
    frames = moving_pictures(16, rate)
    write_lossless(videos / "walk.avi", frames, rate)
    bank = prepare_targets(tmp_path, videos, detector=MadeDetector(), config=SHORT, kept=KEPT)
    seen = bank.tracks([1])
    cues = PictureCueConfig(side_px=32, rgb=True, flow="dis")
    banked = cues.make(seen)
    on_grid = np.repeat(frames, 30 // rate, axis=0)[FRAMES : 2 * FRAMES]
    direct = cues.make(replace(seen, pictures=(ArrayFrames(on_grid),)))
    one, other = (cues.split(made.inputs)[1][0] for made in (banked, direct))
    assert (one[:, :3] - other[:, :3]).abs().mean() < 0.06
    # All moves alike: in units of 20 px of a crop of 224, a person's box of `size_px` becoming 150.
    size_px = float(banked.boxes.size_px[0, 0])
    assert float(one[:, 3].median()) == pytest.approx(WALK_PX * 150 / size_px / 20, rel=0.12)


def test_inputs_of_real_people_are_a_function_of_their_number(folder: Path) -> None:
    bank = TargetBank(folder)
    made = [
        TargetBatches(bank, PictureUseConfig(), RGB, seed=seed, size=4).make(n)
        for seed, n in ((0, 5), (0, 5), (1, 5))
    ]
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])
    assert made[0].shape == (4, 2, *RGB.input_shape)
    for epoch in range(2):
        uses = range(epoch * len(bank), (epoch + 1) * len(bank))
        assert sorted(bank.number_of(use, 0) for use in uses) == list(range(len(bank)))


# The adversary


def test_a_reversed_gradient() -> None:
    values = torch.tensor([1.0, -2.0], requires_grad=True)
    same = reversed_gradient(values, 0.5)
    assert torch.equal(same, values)
    (same * torch.tensor([3.0, 4.0])).sum().backward()
    assert values.grad is not None and values.grad.tolist() == [-1.5, -2.0]


def test_the_weight_grows_as_in_the_paper_of_dann() -> None:
    """2 / (1 + exp(-10 p)) - 1."""
    config = DomainConfig(weight=2.0)
    assert config.weight_at(0.0) == 0 and config.weight_at(1.0) == pytest.approx(2 * 0.99990920)
    assert config.weight_at(0.1) == pytest.approx(2 * 0.46211716)
    assert DomainConfig(weight=2.0, rise=0.0).weight_at(0.0) == 2


def with_domains(recipe: Recipe, **changes: object) -> Recipe:
    return replace(recipe, domains=replace(DomainConfig(hidden=16), **changes))


def rgb(kind: str = "small") -> Recipe:
    """Tiny, with dropout, so that the order of chance matters."""
    recipe = tiny(RGB)
    assert isinstance(recipe.network, MotionHMRConfig)
    encoder = PictureEncoderConfig(kind=kind, widths=(8, 16), features=16, pooled=kind != "small")  # type: ignore[arg-type]
    network = replace(recipe.network, encoder=encoder, regressor=RegressorConfig(hidden=32, dropout=0.5))
    return replace(recipe, network=network)


@pytest.mark.parametrize("kind", ["small", "resnet50"])
def test_with_weight_0_the_gradient_is_the_baselines_bit_for_bit(
    folder: Path, motions: MotionBank, body: AnnyBody, tmp_path: Path, kind: str
) -> None:
    """So are the weights after some steps, and batch norms' running statistics, which real people leave alone."""
    torch.set_num_threads(1)
    plain, recipe = rgb(kind), with_domains(rgb(kind), weight=0.0)
    given = {"body": body, "workers": 0, "pictures": folder}
    baseline = Trainer(plain, tmp_path / "plain", motions, **given)
    trainer = Trainer(recipe, tmp_path / "dann", motions, targets=folder, **given)
    batches = baseline._batch_source()
    real = TargetBatches(TargetBank(folder), PictureUseConfig(), RGB, seed=0, size=4)
    for one, other in zip(baseline.model.parameters(), trainer.model.parameters(), strict=True):
        assert torch.equal(one, other)
    for step in range(2):
        batch = batches.make(step)
        state = torch.get_rng_state()
        loss, _ = baseline.step_on(batch, 2)
        torch.set_rng_state(state)
        again, parts = trainer.step_on(DomainBatch(batch.inputs, batch.targets, real.make(step)), 2)
        assert loss == again and parts["domains"] > 0
        gradients = [[p.grad for p in each.model.parameters()] for each in (baseline, trainer)]
        assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))  # type: ignore[arg-type]
        baseline.step, trainer.step = step + 1, step + 1
    states = [each.model.state_dict() for each in (baseline, trainer)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert ("encoder.trunk.bn1.running_mean" in states[0]) == (kind == "resnet50")


@pytest.mark.parametrize("kind", ["small", "resnet50"])
def test_a_weight_reaches_the_encoder_and_nothing_else(
    folder: Path, motions: MotionBank, body: AnnyBody, tmp_path: Path, kind: str
) -> None:
    """Real people leave running statistics alone where their gradient is heeded too."""
    torch.set_num_threads(1)
    trainer = Trainer(
        with_domains(rgb(kind), rise=0.0),
        tmp_path,
        motions,
        body=body,
        workers=0,
        pictures=folder,
        targets=folder,
    )
    adversary = trainer.adversary
    assert adversary is not None
    batch = trainer._batch_source().make(0)
    real = TargetBatches(TargetBank(folder), PictureUseConfig(), RGB, seed=0, size=4).make(0)
    trainer.model.train()
    with adversary.listening() as noted:
        picture_encoder(trainer.model, Path())(batch.inputs)
    before = {name: value.clone() for name, value in trainer.model.named_buffers()}
    loss, told = adversary.loss(noted, DomainBatch(batch.inputs, batch.targets, real), 0.0)
    assert all(torch.equal(value, before[name]) for name, value in trainer.model.named_buffers())
    assert all(module.training for module in trainer.model.modules())
    assert 0 <= float(told["domain_accuracy"]) <= 1
    loss.backward()
    moved = {name.split(".")[0] for name, p in trainer.model.named_parameters() if p.grad is not None}
    assert moved == {"encoder"}
    assert all(p.grad is not None for p in adversary.classifier.parameters())


def test_a_total_occlusion_is_of_no_domain(body: AnnyBody) -> None:
    """Nothing of a pair that shows nobody reaches loss or gradient."""
    network = rgb().network.build(body)
    adversary = Adversary(DomainConfig(hidden=16), network, rgb().optimiser, 0)
    inputs = torch.randn(2, 3, *RGB.input_shape)
    (numbers,) = RGB.numbers.input_shape
    inputs[..., numbers - 1] = 0
    losses = []
    for value in (0.0, 5.0):
        changed = inputs.clone()
        changed[0, 1, numbers:] = value
        changed[0, 1, numbers - 1] = 1
        with adversary.listening() as noted:
            picture_encoder(network, Path())(inputs)
        loss, _ = adversary.loss(noted, DomainBatch(inputs, None, changed), 1.0)  # type: ignore[arg-type]
        losses.append(float(loss.detach()))
    assert losses[0] == losses[1]


def told_apart(weight: float, steps: int = 250) -> tuple[float, float]:
    """How often two made domains are told apart in the end, and the error of the task, which is another matter.

    What has to be learned is how red pictures are; real ones are bluer.
    """
    torch.manual_seed(0)
    cues = PictureCueConfig(side_px=16, rgb=True)
    encoder = PictureEncoderConfig(widths=(8, 16), features=8)
    network = MotionHMRConfig(cues=cues, encoder=encoder, lstm=8, head=8).build(AnnyBody())
    encoding, task = picture_encoder(network, Path()), nn.Linear(8, 1)
    settings = replace(
        find_training_recipe("tiny").optimiser, kind="adamw", learning_rate=3e-3, weight_decay=0.0
    )
    adversary = Adversary(DomainConfig(hidden=32, weight=weight), network, settings, 0)
    optimiser = torch.optim.AdamW([*encoding.parameters(), *task.parameters()], 1e-3)
    draw = torch.Generator().manual_seed(0)
    (numbers,) = cues.numbers.input_shape

    def people(blue: float) -> torch.Tensor:
        inputs = torch.zeros(16, 2, *cues.input_shape)
        pictures = 0.3 * torch.randn(16, 2, 3, 16, 16, generator=draw)
        pictures[:, :, 0] += torch.rand(16, 2, 1, 1, generator=draw) - 0.5
        pictures[:, :, 2] += blue
        inputs[..., numbers:] = pictures.flatten(-3)
        return inputs

    right, errors = [], []
    for step in range(steps):
        simulated, real = people(-0.3), people(0.3)
        with adversary.listening() as noted:
            said = task(encoding(simulated))[..., 0]
        red = cues.split(simulated)[1][..., 0, :, :].mean((-2, -1))
        error = (said - red).square().mean()
        batch = DomainBatch(simulated, None, real)  # type: ignore[arg-type]
        against, told = adversary.loss(noted, batch, step / steps)
        optimiser.zero_grad()
        (error + against).backward()
        nn.utils.clip_grad_norm_(encoding.parameters(), 1.0)
        optimiser.step()
        adversary.step(settings.learning_rate)
        right.append(float(told["domain_accuracy"]))
        errors.append(float(error.detach()))
    return float(np.mean(right[-100:])), float(np.mean(errors[-100:]))


@pytest.mark.slow
def test_a_heeded_adversary_falls_to_chance() -> None:
    torch.set_num_threads(1)
    unheeded, error = told_apart(0.0)
    heeded, error_too = told_apart(1.0)
    assert unheeded > 0.9
    assert 0.3 < heeded < 0.7
    assert error < 0.01 and error_too < 0.04  # of a variance of 1/12


# Runs


def test_a_killed_run_against_real_people_goes_on_bit_for_bit(
    folder: Path, motions: MotionBank, body: AnnyBody, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    recipe = with_domains(rgb(), rise=0.0)

    def begun(name: str, targets: Path = folder) -> Trainer:
        return Trainer(
            recipe, tmp_path / name, motions, body=body, workers=0, pictures=folder, targets=targets
        )

    notes: list[str] = []
    begun("whole").run(steps=6, progress=lambda progress: notes.append(progress.note))
    assert "domains told apart" in notes[-1]

    def stop(progress: Progress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begun("cut").run(steps=6, progress=stop)
    again = begun("cut")
    again.resume()
    again.run()
    first, second = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    fresh = begun("fresh").adversary
    assert fresh is not None and not torch.equal(
        first["adversary/output.weight"], fresh.classifier.output.weight
    )
    assert any(name.startswith("adversary's optimiser/") for name in first)

    checkpoint = load_checkpoint(tmp_path / "whole", body)
    assert checkpoint.model.state_dict().keys() == rgb().network.build(body).state_dict().keys()
    assert checkpoint.metadata["targets_sha256"] == TargetBank(folder).sha256
    assert "--targets FOLDER" in checkpoint.metadata["command"]
    curve = [json.loads(line) for line in (tmp_path / "whole" / "validation.jsonl").read_text().splitlines()]
    assert all(0 <= entry["domain_accuracy"] <= 1 for entry in curve)

    made_targets(tmp_path, FRAMES, replace(KEPT, margin=1.5))
    with pytest.raises(PointlightError, match=r"targets is \w{12}, from .* in .*cut, \w{12} was given"):
        begun("cut", tmp_path).resume()


def test_real_people_are_wanted_where_they_are_given(folder: Path, tmp_path: Path, body: AnnyBody) -> None:
    recipe = find_training_recipe("small-rgb_dann")
    with pytest.raises(
        PointlightError, match=r"small-rgb_dann learns against real people; .* with --targets DIR"
    ):
        open_targets(None, recipe)
    with pytest.raises(
        PointlightError, match="small-rgb learns from simulated people alone; leave --targets out"
    ):
        open_targets(folder, find_training_recipe("small-rgb"))
    with pytest.raises(
        PointlightError, match=r"no tracks of real people in .*; make some with `pointlight prepare"
    ):
        open_targets(tmp_path, recipe)
    with pytest.raises(PointlightError, match=r"the people in .* are simulated; make some with"):
        open_targets(folder / "train", recipe)
    with pytest.raises(
        PointlightError, match="holds tracks of real people, without poses; give them with --targets"
    ):
        PictureBank(folder / "targets")
    assert open_targets(folder, recipe) is not None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "real people are found in videos; give a folder of some with --backgrounds"),
        (["--backgrounds", "x", "--recipe", "full"], "leave --recipe out"),
        (["--backgrounds", "x", "--validation", "3"], "leave --validation out"),
    ],
)
def test_what_real_people_need_is_said(tmp_path: Path, words: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, ["prepare", str(tmp_path), "--targets", *words])
    assert done.exit_code == 1 and sentence in str(done.exception or done.output)
