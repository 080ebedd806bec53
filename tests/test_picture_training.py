"""Networks that see pictures: prepared banks, batches from them, encoders, pretraining, training and real video."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from target_makers import made_targets, write_lossless
from torch import Tensor

from pointlight.body import COCO_KEYPOINTS, EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, AnnyBody, BodyState
from pointlight.capture import PredictOptions, lift_keypoints, predict
from pointlight.configuration import to_plain
from pointlight.cues import (
    ArrayFrames,
    CropFrames,
    Cues,
    Keypoints2D,
    LaterInputs,
    Observation,
    PictureCueConfig,
    ShotFrames,
    VideoFrames,
)
from pointlight.errors import PointlightError
from pointlight.files import file_sha256
from pointlight.media import Frame, read_picture
from pointlight.motion import MotionBank, procedural_bank
from pointlight.network import (
    EfficientNetLite0,
    FramePoints,
    LossConfig,
    MotionHMR,
    MotionHMRConfig,
    PictureEncoderConfig,
    Prediction,
    ResNet50,
    WindowConfig,
    mirrored_targets,
)
from pointlight.network.losses import hip_centred
from pointlight.network.windows import in_phases
from pointlight.overrides import with_changes
from pointlight.progress import Progress
from pointlight.simulator import SYNTHESIS_RECIPES, TRACK_POINTS, DetectorNoise
from pointlight.simulator.backgrounds import ProceduralWindows
from pointlight.simulator.clips import ClipMaker, tracks_of_clips
from pointlight.training import (
    RECIPES,
    PictureBank,
    PictureUseConfig,
    PretrainingConfig,
    Recipe,
    Trainer,
    find_training_recipe,
    load_checkpoint,
    observation_of,
    prepare_pictures,
    pretrain,
    save_checkpoint,
)
from pointlight.training.changes import try_changed
from pointlight.training.picture_bank import PictureBankConfig
from pointlight.training.picture_clips import MadeClips
from pointlight.training.picture_data import PictureBatches, redrawn
from pointlight.training.picture_sources import PictureSources
from pointlight.training.pretraining import Dense, dense_loss
from pointlight.training.trunks import picture_encoder

MADE_BY = "no_tracking_no_occlusions"
FRAMES = 7
CLIPS = 4
KEPT = PictureBankConfig(side_px=64, parts_px=32, clips_per_part=CLIPS)
CUES = PictureCueConfig(side_px=32, rgb=True, flow="dis", heatmaps=True)


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def motions(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, kinds=("walk",), clips_per_kind=5, frames=62)


def maker_of(motions: MotionBank, body: AnnyBody, split: str = "train") -> ClipMaker:
    """Of short clips, without what takes long to make."""
    full = SYNTHESIS_RECIPES[MADE_BY].of_split(split)
    full = replace(full, scenes=replace(full.scenes, frames=FRAMES))
    windows = ProceduralWindows(4, 3, split, frames=FRAMES)
    return ClipMaker.rendered(full, motions, windows, body)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, motions: MotionBank, body: AnnyBody) -> Path:
    """A folder as `pointlight prepare` makes it, with one part of short clips a split."""
    folder = tmp_path_factory.mktemp("pictures")
    for split in ("train", "validation"):
        prepare_pictures(folder / split, maker_of(motions, body, split), 1, body=body, config=KEPT)
    return folder


def tiny(cues: PictureCueConfig = CUES, **changes: object) -> Recipe:
    base = find_training_recipe("tiny")
    encoder = PictureEncoderConfig(widths=(8, 16), features=16)
    network = MotionHMRConfig(cues=cues, encoder=encoder, lstm=16, head=32, stride=3)
    scenes = replace(SYNTHESIS_RECIPES["full"].scenes, frames=FRAMES)
    optimiser = replace(base.optimiser, kind="adamw")
    use = PictureUseConfig(clips=MADE_BY)
    recipe = replace(base, network=network, scenes=scenes, pictures=use, optimiser=optimiser)
    return replace(recipe, **changes)


def batches_of(
    pictures: Path, body: AnnyBody, seed: int = 0, cues: PictureCueConfig = CUES, *, mirror: bool = True
) -> PictureBatches:
    recipe = tiny(cues)
    bank = PictureBank(pictures / "train", "train")
    return PictureBatches(bank, recipe.scenes, PictureUseConfig(mirror=mirror), cues, body, seed=seed, size=4)


# Prepared banks


def test_a_bank_shows_what_its_clips_show(pictures: Path, motions: MotionBank, body: AnnyBody) -> None:
    """Cut from the bank or from the clip itself: the same picture, the same flow, the same parts, the same truth."""
    bank = PictureBank(pictures / "train", "train")
    assert len(bank) == CLIPS
    clip = maker_of(motions, body).clip(0, 3)
    kept = bank.clip(3)
    seen = replace(observation_of(kept.tracks), visible=torch.ones(1, FRAMES, 19, dtype=torch.bool))
    direct = CUES.make(replace(seen, pictures=(ArrayFrames(clip.frames),)))
    banked = CUES.make(replace(seen, pictures=(kept.frames,)))
    (_, one), (_, other) = CUES.split(direct.inputs), CUES.split(banked.inputs)
    assert (one[..., :3, :, :] - other[..., :3, :, :]).abs().mean() < 0.04  # of -1 to 1
    flow = (one[..., 3:, :, :] - other[..., 3:, :, :]).abs()
    assert flow.median() < 0.01 and flow.mean() < 0.1 * one[..., 3:, :, :].abs().mean() + 0.01
    points = [clip.joint_names.index(name) for name in EXTENDED_KEYPOINTS]
    np.testing.assert_array_equal(kept.tracks.detections_px[0].numpy(), clip.joints_px[:, points])
    shown = np.where(clip.mask[:-1], clip.parts[:-1], 0)
    assert set(np.unique(kept.parts)) <= set(np.unique(shown))
    # The person's share of the crop agrees with the mask that the clip has.
    where = kept.parts_in(0, CUES.picture_from_crop(seen)[0, 0].numpy(), 32) > 0
    assert where.any() == clip.mask[0].any()


def test_a_bank_grows_and_is_of_one_kind(tmp_path: Path, motions: MotionBank, body: AnnyBody) -> None:
    maker = maker_of(motions, body)
    told: list[Progress] = []
    first = prepare_pictures(tmp_path, maker, 1, body=body, config=KEPT, progress=told.append)
    assert told[-1] == Progress("pictures", CLIPS, CLIPS, unit="clip")
    before = first.sha256
    told.clear()
    assert len(prepare_pictures(tmp_path, maker, 3, body=body, config=KEPT, progress=told.append)) == CLIPS
    assert not told and PictureBank(tmp_path).sha256 == before
    with pytest.raises(PointlightError, match=r"config\.flow is dis in .*, tvl1 was given"):
        prepare_pictures(tmp_path, maker, 1, body=body, config=replace(KEPT, flow="tvl1"))
    with pytest.raises(PointlightError, match="are of the split 'train', where only 'validation' may be"):
        PictureBank(tmp_path, "validation")
    with pytest.raises(PointlightError, match="there are no prepared pictures in"):
        PictureBank(tmp_path / "nowhere")


def test_flow_of_another_estimator_is_refused(pictures: Path, body: AnnyBody) -> None:
    with pytest.raises(PointlightError, match="prepared with flow by 'dis', this model sees 'farneback'"):
        batches_of(pictures, body, cues=replace(CUES, flow="farneback")).make(0)


# Batches


def test_batches_are_a_function_of_their_number(pictures: Path, body: AnnyBody) -> None:
    one, again, other = (batches_of(pictures, body, seed).make(5) for seed in (0, 0, 1))
    assert one == again and one != other
    assert one.inputs.shape == (4, 2, *CUES.input_shape)  # every third of six pairs
    assert one.targets.pose.shape[:3] == (4, 2, 2)


def test_every_clip_is_used_once_an_epoch(pictures: Path) -> None:
    bank = PictureBank(pictures / "train")
    for epoch in range(2):
        uses = range(epoch * CLIPS, (epoch + 1) * CLIPS)
        assert sorted(bank.number_of(use, 0) for use in uses) == list(range(CLIPS))


def test_some_pairs_are_those_of_all(pictures: Path, body: AnnyBody) -> None:
    bank = PictureBank(pictures / "train")
    clip = bank.clip(0)
    seen = replace(observation_of(redrawn(clip, tiny().scenes, 1, 0)), pictures=(clip.frames,))
    every, some = CUES.make(seen), CUES.make(seen, pairs=torch.tensor([1, 4]))
    assert torch.equal(every.inputs[:, [1, 4]], some.inputs)
    assert torch.equal(every.boxes.size_px, some.boxes.size_px)


def test_a_mirrored_batch_is_the_same_people_in_a_mirror(pictures: Path, body: AnnyBody) -> None:
    """Flow, pictures and truth agree: a network that is right on one is right on the other by symmetry."""
    straight = batches_of(pictures, body, mirror=False).make(0)
    flips = torch.tensor([True, False, True, False])
    targets = mirrored_targets(straight.targets, flips, body.joint_names)
    assert torch.equal(targets.points_crop[1], straight.targets.points_crop[1])
    left, right = TRACK_POINTS.index("left_wrist"), TRACK_POINTS.index("right_wrist")
    assert torch.equal(targets.points_crop[0, ..., left, 0], -straight.targets.points_crop[0, ..., right, 0])
    twice = mirrored_targets(targets, flips, body.joint_names)
    assert torch.equal(twice.pose, straight.targets.pose)
    mirrored = CUES.mirrored(straight.inputs)
    _, images = CUES.split(mirrored)
    torch.testing.assert_close(CUES.mirrored(mirrored), straight.inputs)
    assert torch.equal(images[..., 3, :, :], -CUES.split(straight.inputs)[1][..., 3, :, :].flip(-1))
    # A mirrored body's joints are the mirrored joints of the truth.
    state = BodyState(targets.pose, targets.shape, targets.root_ray, torch.zeros(3))
    found = hip_centred(body.keypoints(state, TRACK_POINTS))
    torch.testing.assert_close(
        found, hip_centred(targets.points_ray_m), atol=2e-3, rtol=0
    )  # Anny is not quite symmetric


def test_totally_occluded_frames_show_nothing_but_that(pictures: Path) -> None:
    bank = PictureBank(pictures / "train")
    clip = bank.clip(2)
    hidden = torch.zeros(1, FRAMES, dtype=torch.bool)
    hidden[:, 2] = True
    seen = replace(
        observation_of(clip.tracks),
        visible=~hidden[..., None].expand(1, FRAMES, 19),
        pictures=(clip.frames,),
    )
    inputs = CUES.make(seen).inputs
    images = CUES.images(inputs)
    assert images[0, 2, :-1].abs().max() == 0 and (images[0, 2, -1] == 1).all()
    assert images[0, 1, :-1].abs().amax((1, 2)).gt(0).sum() > 6 and images[0, 1, -1].abs().max() == 0
    assert CUES.place(inputs)[0, 2].tolist() == [0, 0, 0, 1]


def test_a_moved_principal_point_reaches_no_network(pictures: Path) -> None:
    """The true one moves with the background that people follow; networks are told the picture's middle."""
    bank = PictureBank(pictures / "train")
    clip = bank.clip(1)
    moved = replace(clip.tracks, principal_px=clip.tracks.principal_px + 13)
    both = [
        CUES.make(replace(observation_of(tracks), pictures=(clip.frames,))) for tracks in (clip.tracks, moved)
    ]
    assert both[0] == both[1]


# Networks


def test_twice_the_flow_is_another_prediction(body: AnnyBody) -> None:
    torch.manual_seed(0)
    cues = PictureCueConfig(side_px=32, flow="dis")
    network = tiny(cues).network.build(body).eval()
    inputs = 0.2 * torch.randn(2, 3, *cues.input_shape)
    faster = inputs.clone()
    faster[..., -3 * 32 * 32 :] *= 2
    encoder = picture_encoder(network, Path())
    one, other = (encoder(values) for values in (inputs, faster))
    assert (one - other).norm() > 0.05 * one.norm()


def test_taking_a_cue_away_takes_it_away(pictures: Path, body: AnnyBody) -> None:
    inputs = batches_of(pictures, body).make(0).inputs
    images = {cue: CUES.images(CUES.without(inputs, cue)) for cue in ("rgb", "flow", "keypoints")}
    whole = CUES.images(inputs)
    spans = {"rgb": slice(0, 3), "flow": slice(3, 6), "keypoints": slice(6, 18)}
    for cue, span in spans.items():
        rest = [k for k in range(whole.shape[-3]) if not span.start <= k < span.stop]
        assert images[cue][..., span, :, :].abs().max() == 0
        assert torch.equal(images[cue][..., rest, :, :], whole[..., rest, :, :])


@pytest.mark.parametrize("count", [30, 29, 2])
def test_phases_are_seen_one_by_one_and_put_in_order(body: AnnyBody, count: int) -> None:
    torch.manual_seed(0)
    cues = PictureCueConfig(side_px=16, heatmaps=True)
    network = tiny(cues, network=replace(tiny(cues).network, one_shape=False)).network
    built = replace(network, encoder=PictureEncoderConfig(widths=(8,), features=8)).build(body).eval()
    inputs = torch.randn(2, count, *cues.input_shape)
    found = in_phases(built, 3)(inputs)
    assert found.root.shape == (2, count, 2, 3, 3)
    for phase in range(min(3, count)):
        alone = built(inputs[:, phase::3])
        torch.testing.assert_close(found.root[:, phase::3], alone.root)
        torch.testing.assert_close(found.shape[:, phase::3], alone.shape)


def test_a_resnet_is_torchvisions() -> None:
    """Its number of parameters and names are those of the published weights, whose first layer may be widened."""
    network = ResNet50(3)
    assert sum(p.numel() for p in network.parameters()) == 25_557_032 - 2048 * 1000 - 1000
    names = network.state_dict()
    for name in ("conv1.weight", "bn1.running_var", "layer1.0.downsample.0.weight", "layer3.5.bn3.bias"):
        assert name in names
    assert names["layer4.2.conv2.weight"].shape == (512, 512, 3, 3)
    published = {**names, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    wide = ResNet50(18)
    fresh = wide.conv1.weight.clone()
    wide.take(published, "resnet50.pth")
    assert torch.equal(wide.conv1.weight[:, :3], names["conv1.weight"])
    assert torch.equal(wide.conv1.weight[:, 3:], fresh[:, 3:])
    maps = network(torch.zeros(1, 3, 64, 64))
    assert [values.shape[1:] for values in maps][-1] == (2048, 2, 2)
    with pytest.raises(PointlightError, match=r"x\.pth lacks bn1\.bias"):
        wide.take({name: v for name, v in published.items() if name != "bn1.bias"}, "x.pth")


# Pretraining and training


def test_an_encoder_is_pretrained_and_begins_a_run(
    pictures: Path, motions: MotionBank, body: AnnyBody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    recipe = tiny()
    monkeypatch.setitem(RECIPES, "tiny-pictures", replace(recipe, name="tiny-pictures"))
    config = PretrainingConfig(
        pairs=2, optimiser=replace(PretrainingConfig().optimiser, batch=4, evaluate_every=2, save_every=2)
    )
    given = {"pictures": pictures, "workers": 0, "config": config}
    whole = pretrain("tiny-pictures", tmp_path / "whole", steps=4, **given)

    def stop(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain("tiny-pictures", tmp_path / "cut", steps=4, progress=stop, **given)
    with pytest.raises(PointlightError, match="holds a run already"):
        pretrain("tiny-pictures", tmp_path / "cut", steps=4, **given)
    with pytest.raises(PointlightError, match=r"seed is 0 in .*, 3 was given"):
        pretrain("tiny-pictures", tmp_path / "cut", steps=4, seed=3, resume=True, **given)
    cut = pretrain("tiny-pictures", tmp_path / "cut", steps=4, resume=True, **given)
    first, second = load_file(whole), load_file(cut)
    assert all(torch.equal(first[name], second[name]) for name in first)

    trainer = Trainer(recipe, tmp_path / "run", motions, body=body, workers=0, pictures=pictures, trunk=whole)
    began = picture_encoder(trainer.model, whole).trunk.state_dict()
    assert all(torch.equal(began[name], first[name]) for name in first)
    trainer.run(steps=1)
    assert load_checkpoint(tmp_path / "run", body).metadata["trunk_sha256"] == file_sha256(whole)
    other = tiny(replace(CUES, rgb=False))
    with pytest.raises(PointlightError, match=r"cues\.rgb is true in .*, false was given; pretrain one"):
        Trainer(other, tmp_path / "no", motions, body=body, workers=0, pictures=pictures, trunk=whole)
    with pytest.raises(PointlightError, match="this recipe's network sees none"):
        Trainer(find_training_recipe("tiny"), tmp_path / "no", motions, body=body, trunk=whole)


def test_dense_pretraining_learns(pictures: Path, body: AnnyBody) -> None:
    """On few pictures the loss falls far, and the truth lies where the picture shows it."""
    torch.manual_seed(0)
    source = batches_of(pictures, body, mirror=False)
    batch = source.dense(0, 2)
    assert batch.inputs.shape == (8, *CUES.input_shape) and batch.parts.shape == (8, 8, 8)
    inside = (batch.points_crop.abs() < 1).all(-1)
    assert inside[batch.shown].float().mean() > 0.5
    network = tiny().network.build(body)
    model = Dense(picture_encoder(network, Path()), body)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for _ in range(40):
        loss, _ = dense_loss(model, batch, PretrainingConfig())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.4 * losses[0]


def test_a_killed_run_with_pictures_goes_on_bit_for_bit(
    pictures: Path, motions: MotionBank, body: AnnyBody, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    recipe = tiny()

    def begun(name: str) -> Trainer:
        return Trainer(recipe, tmp_path / name, motions, body=body, workers=0, pictures=pictures)

    begun("whole").run(steps=6)

    def stop(progress: Progress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begun("cut").run(steps=6, progress=stop)
    again = begun("cut")
    again.resume()
    again.run()
    first, second = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    drawn = [read_picture(tmp_path / name / "network_sees_and_says.png") for name in ("whole", "cut")]
    assert np.array_equal(*drawn) and drawn[0].std() > 10
    with pytest.raises(PointlightError, match="this recipe sees pictures; prepare some"):
        Trainer(recipe, tmp_path / "none", motions, body=body, workers=0)
    with pytest.raises(PointlightError, match="this recipe sees no pictures"):
        Trainer(find_training_recipe("tiny"), tmp_path / "none", motions, body=body, pictures=pictures)


def test_pictures_of_another_recipe_are_refused(
    pictures: Path, motions: MotionBank, body: AnnyBody, tmp_path: Path
) -> None:
    """But for a run that was begun with them, before anybody looked."""
    other = tiny(pictures=PictureUseConfig(clips="full"))
    trainer = Trainer(other, tmp_path / "other", motions, body=body, workers=0, pictures=pictures)
    with pytest.raises(
        PointlightError, match=rf"clips of the recipe '{MADE_BY}', and 'tiny' is trained on 'full'; give such"
    ):
        trainer.run(steps=1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PictureSources, "check_clips", lambda self, recipe: None)
        trainer.run(steps=3, minutes=0)
    again = Trainer(other, tmp_path / "other", motions, body=body, workers=0, pictures=pictures)
    again.resume()
    again.run()
    assert again.step == 3


def test_a_recipe_that_sees_pictures_can_be_changed(motions: MotionBank, body: AnnyBody) -> None:
    for changes in (["pictures.clips=pointlight"], ["network.cues.flow=exact"]):
        recipe = find_training_recipe("small-flow")
        recipe = with_changes(replace(recipe, scenes=replace(recipe.scenes, frames=FRAMES)), changes)
        try_changed(recipe, changes, motions, body)


def of_encoder(kind: str) -> Recipe:
    """With the paper's encoder and dropout, or the small one."""
    recipe = find_training_recipe("paper-flow_keypoints" if kind == "resnet50" else "small-flow_keypoints")
    assert isinstance(recipe.network, MotionHMRConfig) and isinstance(recipe.network.cues, PictureCueConfig)
    encoder = PictureEncoderConfig(widths=(8, 16), features=16)
    if kind == "resnet50":
        encoder = recipe.network.encoder
    network = replace(
        recipe.network,
        cues=replace(recipe.network.cues, side_px=32, flow_on="picture"),
        encoder=encoder,
        lstm=16,
        head=32,
        regressor=replace(recipe.network.regressor, hidden=32),
    )
    optimiser = replace(find_training_recipe("tiny").optimiser, kind="adamw")
    scenes = replace(recipe.scenes, frames=FRAMES)
    assert recipe.pictures is not None
    use = replace(recipe.pictures, clips=MADE_BY)
    return replace(recipe, network=network, optimiser=optimiser, scenes=scenes, pictures=use)


@pytest.mark.parametrize("kind", ["small", "resnet50"])
def test_a_run_that_the_system_kills_goes_on_bit_for_bit(
    pictures: Path,
    motions: MotionBank,
    body: AnnyBody,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """One recipe an encoder, the paper's with fewer blocks; the points' is in `test_training.py`."""
    monkeypatch.setattr("pointlight.network.resnet._STAGES", ((8, 1, 1), (8, 1, 2), (8, 1, 2), (512, 1, 2)))
    torch.set_num_threads(1)

    def begun(name: str) -> Trainer:
        return Trainer(of_encoder(kind), tmp_path / name, motions, body=body, workers=0, pictures=pictures)

    def kill(progress: Progress) -> None:
        if progress.done == 3:  # after the state of step 2 was saved
            os.kill(os.getpid(), signal.SIGKILL)

    begun("whole").run(steps=4)
    run = multiprocessing.get_context("fork").Process(target=lambda: begun("cut").run(steps=4, progress=kill))
    run.start()
    run.join()
    assert run.exitcode == -signal.SIGKILL
    again = begun("cut")
    again.resume()
    assert again.step == 2
    again.run()
    first, second = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_only_the_encoder_is_in_bf16(pictures: Path, body: AnnyBody, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its features are near the exact ones and not the same; what follows is exact: rotations, alignment, losses."""
    recipe = tiny()
    torch.manual_seed(0)
    network = recipe.network.build(body).train()
    batch = batches_of(pictures, body).make(0)
    exact, used = network.encoder(batch.inputs), network.eval()(batch.inputs)
    network.train().encodes_in_bf16 = True
    near = network._encoded(batch.inputs)
    assert near.dtype == torch.float32 and not torch.equal(near, exact)
    torch.testing.assert_close(near, exact, rtol=0.05, atol=0.05)
    said = network(batch.inputs)
    root = said.root
    torch.testing.assert_close(root @ root.mT, torch.eye(3).expand_as(root), rtol=0, atol=1e-5)
    autocast: list[bool] = []
    seen = MotionHMR.forward

    def noted(self: MotionHMR, *given: Tensor) -> Prediction:
        autocast.append(torch.is_autocast_enabled("cpu"))
        return seen(self, *given)

    monkeypatch.setattr(MotionHMR, "forward", noted)
    pairs = torch.arange(batch.inputs.shape[1])
    loss, _ = network.loss(batch.inputs, batch.targets, body, recipe.loss, pairs)
    loss.backward()
    assert loss.dtype == torch.float32 and not any(autocast) and not torch.is_autocast_enabled("cpu")
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in network.parameters())
    assert torch.equal(network.eval()(batch.inputs).root, used.root)


def test_precision_is_the_recipes(
    pictures: Path, motions: MotionBank, body: AnnyBody, tmp_path: Path
) -> None:
    """It stands in the run's file; a resume with another is refused by name; the published recipes' identity stays."""
    recipe = tiny()
    lower = replace(recipe, optimiser=replace(recipe.optimiser, precision="bf16"))
    given = {"body": body, "workers": 0, "pictures": pictures}
    trainer = Trainer(lower, tmp_path / "run", motions, **given)
    assert (
        trainer.model.encodes_in_bf16
        and not Trainer(recipe, tmp_path / "no", motions, **given).model.encodes_in_bf16
    )
    trainer.run(steps=2, minutes=0)
    with pytest.raises(PointlightError, match=r"optimiser\.precision is bf16 in "):
        Trainer(recipe, tmp_path / "run", motions, **given).resume()
    assert "precision" not in to_plain(recipe)["optimiser"]


TABLE_1 = [name.removeprefix("paper-") for name in RECIPES if name.startswith("paper-")]
ROWS = [name for name in RECIPES if name.startswith(("paper-", "small-"))]


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tracks of real people."""
    folder = tmp_path_factory.mktemp("targets")
    made_targets(folder, FRAMES, KEPT)
    return folder


@pytest.mark.parametrize("name", ROWS)
def test_every_row_of_table_1_trains_is_read_back_and_predicts(
    pictures: Path, targets: Path, motions: MotionBank, body: AnnyBody, tmp_path: Path, name: str
) -> None:
    """The paper's own and the small ones differ in size; all are run here at a tiny size."""
    torch.set_num_threads(1)
    recipe = find_training_recipe(name)
    assert isinstance(recipe.network, MotionHMRConfig) and isinstance(recipe.network.cues, PictureCueConfig)
    # What the bank holds is flow found on pictures.
    cues = replace(recipe.network.cues, side_px=32, flow_on="picture")
    encoder = PictureEncoderConfig(widths=(8, 16), features=16, place=name.startswith("small"))
    given: dict[str, Path] = {} if recipe.domains is None else {"targets": targets}
    if recipe.trunk == "imagenet":
        encoder = replace(recipe.network.encoder, features=16, magnified=1.5)
        given["trunk"] = tmp_path / "imagenet.pth"
        torch.save(EfficientNetLite0().state_dict(), given["trunk"])
    network = replace(recipe.network, cues=cues, encoder=encoder, lstm=16, head=32)
    optimiser = replace(find_training_recipe("tiny").optimiser, kind="adamw")
    scenes = replace(recipe.scenes, frames=FRAMES)
    assert recipe.pictures is not None
    use = replace(recipe.pictures, clips=MADE_BY)
    tiny_row = replace(recipe, network=network, scenes=scenes, optimiser=optimiser, pictures=use)
    out = tmp_path / "run"

    def begun(**given: Path) -> Trainer:
        return Trainer(tiny_row, out, motions, body=body, workers=0, pictures=pictures, **given)

    if recipe.trunk == "imagenet":
        with pytest.raises(PointlightError, match="begins with ImageNet's weights"):
            begun().run(steps=2)
    begun(**given).run(steps=2)
    checkpoint = load_checkpoint(out, body)
    assert checkpoint.config == network and checkpoint.clip_frames == FRAMES
    points = np.random.default_rng(0).uniform(20, 80, (9, 12, 3)).astype(np.float32)
    points[..., 2] = 1
    track = Keypoints2D(NETWORK_KEYPOINTS, np.arange(9) / 30, np.arange(9), points, (100, 100), "made")
    video = [Frame(k, k / 30, np.full((100, 100, 3), 9 * k, np.uint8)) for k in range(9)]
    capture = lift_keypoints(track, checkpoint, body, PredictOptions(refine=False), frames=video)
    assert capture.valid.all() and np.isfinite(capture.joints_camera_m).all()
    if recipe.trunk == "imagenet":  # a resume needs no file
        again = begun()
        again.resume(extend_to=3)
        again.run()
        assert again.step == 3


def test_what_is_ours_is_off_in_the_papers_recipes() -> None:
    for row in TABLE_1:
        recipe = find_training_recipe(f"paper-{row}")
        network, use = recipe.network, recipe.pictures
        assert isinstance(network, MotionHMRConfig) and isinstance(network.cues, PictureCueConfig)
        assert isinstance(network.encoder, PictureEncoderConfig) and use is not None
        assert not network.encoder.place and not network.skip and not network.one_shape
        assert not network.cues.turned and network.cues.flow_on == "crops" and network.cues.side_px == 224
        assert network.stride == use.stride == 1 and not use.mirror and network.cues.keypoint_set == "paper12"
        assert recipe.loss == LossConfig() and recipe.scenes.noises == (DetectorNoise(),)
        assert (network.lstm, network.head, network.layers, recipe.optimiser.batch) == (1024, 1024, 1, 3)
        small = find_training_recipe(f"small-{row}").network
        assert isinstance(small, MotionHMRConfig) and isinstance(small.cues, PictureCueConfig)
        assert small.cues.shown == network.cues.shown


@pytest.mark.slow
def test_one_step_of_the_papers_size(motions: MotionBank, body: AnnyBody, tmp_path: Path) -> None:
    """ResNet-50 on 224 px, one clip of 31 frames made on the spot; `docs/pictures.md` has its time and memory."""
    recipe = find_training_recipe("paper-flow_keypoints")
    recipe = replace(recipe, optimiser=replace(recipe.optimiser, batch=1, evaluate_every=1000))
    maker = ClipMaker.rendered(SYNTHESIS_RECIPES["full"], motions, ProceduralWindows(4, 3, "train"), body)
    source = PictureBatches(
        MadeClips(maker, body, 0, "train"),
        recipe.scenes,
        PictureUseConfig(stride=1, mirror=False),
        recipe.network.cues,  # pyright: ignore[reportArgumentType]
        body,
        seed=0,
        size=1,
    )
    batch = source.make(0)
    assert batch.inputs.shape == (1, 30, 40 + 3 * 224 * 224)
    network = recipe.network.build(body)
    before = [p.detach().clone() for p in network.parameters()]
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    loss, _ = network.loss(batch.inputs, batch.targets, body, recipe.loss, torch.arange(30))
    loss.backward()
    optimiser.step()
    assert torch.isfinite(loss)
    moved = [not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True)]
    assert sum(moved) > 0.95 * len(moved)


# Real video


def test_predict_sees_what_training_sees(
    motions: MotionBank, body: AnnyBody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same frames as clips and as a lossless video with its keypoints: the same input, bit for bit."""
    torch.manual_seed(0)
    cues = replace(CUES, flow="farneback")
    network = tiny(cues).network
    save_checkpoint(tmp_path / "model.safetensors", network.build(body), body, clip_frames=FRAMES)
    clip = maker_of(motions, body).clip(0, 0)
    tracks = tracks_of_clips([clip], body)
    everything = torch.ones(1, FRAMES, 19, dtype=torch.bool)
    tracks = replace(tracks, visible=everything)
    trained = cues.make(replace(observation_of(tracks), pictures=(ArrayFrames(clip.frames),)))

    write_lossless(tmp_path / "clip.avi", clip.frames)
    names = [name for name in COCO_KEYPOINTS if name in NETWORK_KEYPOINTS]
    results = []
    for frame, points in enumerate(tracks.detections_px[0].numpy()):
        keypoints = np.zeros((len(COCO_KEYPOINTS), 3))
        for name in names:
            x, y = points[EXTENDED_KEYPOINTS.index(name)]
            keypoints[COCO_KEYPOINTS.index(name)] = (
                x - 0.5,
                y - 0.5,
                1.0,
            )  # COCO counts from pixels' middles
        results.append({"image_id": f"{frame}.jpg", "keypoints": keypoints.ravel().tolist(), "score": 1.0})
    (tmp_path / "keypoints.json").write_text(json.dumps(results))
    seen: list[Cues] = []
    plain = MotionHMR.over_frames

    def noted(self: MotionHMR, cues: Cues, *given: object) -> FramePoints:
        assert cues.later is not None
        seen.append(replace(cues, inputs=cues.later.of(0, FRAMES - 1)[None]))
        return plain(self, cues, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(MotionHMR, "over_frames", noted)
    capture = predict(
        tmp_path / "clip.avi",
        model=str(tmp_path / "model.safetensors"),
        keypoints=tmp_path / "keypoints.json",
        focal_px=float(tracks.assumed_focal_px[0]),
        refine=False,
    )
    assert len(capture) == FRAMES
    assert torch.equal(seen[0].boxes.size_px, trained.boxes.size_px)
    assert torch.equal(seen[0].inputs, trained.inputs)
    assert trained.inputs[..., -cues.channels * 32 * 32 :].abs().amax(-1).gt(0).any()


def moving_dot(count: int) -> tuple[Observation, list[Frame]]:
    """Somebody at an uneven trot before a picture that changes, at 30 frames/s."""
    rng = np.random.default_rng(2)
    places = rng.uniform(20, 60, (12, 2)) + np.linspace(0, 20, count)[:, None, None]
    frames = [Frame(k, k / 30, rng.integers(0, 255, (60, 100, 3), np.uint8)) for k in range(count)]
    visible = torch.from_numpy(rng.random((count, 12)) < 0.7)
    seen = Observation(
        torch.from_numpy(places.astype(np.float32)),
        visible,
        NETWORK_KEYPOINTS,
        torch.tensor(120.0),
        torch.tensor((50.0, 30.0)),
    )
    return seen, frames


@pytest.mark.parametrize(("count", "exact"), [(25, True), (120, False)])
def test_pictures_made_later_give_the_same_bodies(body: AnnyBody, count: int, exact: bool) -> None:
    """Bit for bit where all windows are seen at once; more come in several lots, and sums in another order."""
    torch.manual_seed(0)
    network = tiny().network.build(body).eval()
    seen, frames = moving_dot(count)
    windows = WindowConfig(FRAMES, overlap=True, mirror=True)
    bodies = []
    for later in (False, True):
        source = VideoFrames(iter(frames), np.arange(count) / 30)
        cues = network.observe(replace(seen, pictures=(source,)), later=later).alone()
        bodies.append(network.over_frames(cues, body, windows).bodies)
    for name, value in vars(bodies[0]).items():
        found = getattr(bodies[1], name)
        if exact:
            assert torch.equal(found, value), name
        else:
            torch.testing.assert_close(found, value, atol=1e-4, rtol=1e-4)


def test_pictures_of_a_long_video_are_let_go(body: AnnyBody) -> None:
    """However long it is, a few windows' inputs are in memory, and each pair's are made once."""
    network = tiny().network.build(body).eval()
    seen, frames = moving_dot(300)
    made: list[int] = []
    held: list[int] = []
    plain = LaterInputs.of

    class Noted(PictureCueConfig):
        def pictured(self, inputs: Tensor, seen: Observation, crops: CropFrames, pairs: Tensor) -> Tensor:
            made.extend(pairs.tolist())
            return super().pictured(inputs, seen, crops, pairs)

    cues = Noted(**vars(CUES)).make(
        replace(seen, pictures=(VideoFrames(iter(frames), np.arange(300) / 30),)), later=True
    )
    assert cues.inputs.shape[-1] < 100 and not made
    assert cues.later is not None
    later = cues.later

    def noted(first: int, last: int) -> Tensor:
        inputs = plain(later, first, last)
        held.append(len(later._held))
        return inputs

    later.of = noted
    network.over_frames(cues.alone(), body, WindowConfig(FRAMES, overlap=True))
    assert made == list(range(299)) and max(held) <= 8 * FRAMES


def video_at(rate: float, count: int = 40) -> list[Frame]:
    """Frames whose pictures say their number."""
    return [Frame(k, k / rate, np.full((2, 2, 3), k, np.uint8)) for k in range(count)]


@pytest.mark.parametrize("rate", [6, 15, 24, 30, 50, 60])
def test_pairs_of_a_video_are_the_nearest_frames_that_differ(rate: int) -> None:
    grid_s = np.arange(20) / 30
    source = VideoFrames(iter(video_at(rate)), grid_s)
    for number in range(len(grid_s) - 1):
        pair = source.pair(number)
        first, second = int(pair.first[0, 0, 0]), int(pair.second[0, 0, 0])  # pyright: ignore[reportOptionalSubscript]
        assert abs(first / rate - grid_s[number]) <= 0.5 / rate + 1e-9
        assert second > first
        assert pair.step_s == pytest.approx((second - first) / rate)
        assert pair.step_s == pytest.approx(1 / 30, abs=1 / rate) or rate < 30


def test_after_the_last_frame_nothing_moves() -> None:
    source = VideoFrames(iter(video_at(30, count=3)), np.arange(8) / 30)
    pairs = [source.pair(number) for number in range(7)]
    assert [int(pair.first[0, 0, 0]) for pair in pairs] == [0, 1, 2, 2, 2, 2, 2]
    assert np.array_equal(pairs[-1].first, pairs[-1].second) and pairs[-1].step_s == pytest.approx(1 / 30)
    with pytest.raises(PointlightError, match="there are none; give the video's frames"):
        VideoFrames(iter(()), np.arange(2) / 30).pair(0)


def test_shots_share_one_pass_and_no_frames() -> None:
    frames = ShotFrames(iter(video_at(30, count=10)))
    first = [frame.index for frame in frames.until(3 / 30)]
    assert first == [0, 1, 2, 3]
    source = VideoFrames(frames.until(1.0), 4 / 30 + np.arange(3) / 30)
    assert int(source.pair(0).first[0, 0, 0]) == 4


def test_few_frames_of_a_long_video_are_held() -> None:
    source = VideoFrames(iter(video_at(60, count=200)), np.arange(90) / 30)
    for number in range(0, 89, 3):
        source.pair(number)
        assert len(source._held) < 10
