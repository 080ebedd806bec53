"""Training from shards, from SURREAL's people and with exact flow: the same clips, whichever way they come."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from smpl_files import write_smpl
from test_surreal_people import write_clip
from typer.testing import CliRunner

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, AnnyBody
from pointlight.capture import PredictOptions, lift_keypoints
from pointlight.cli.main import app
from pointlight.cues import EXACT_FLOW, Keypoints2D, PictureCueConfig, mapped
from pointlight.errors import PointlightError
from pointlight.media import Frame
from pointlight.motion import MotionBank, procedural_bank
from pointlight.network import MotionHMRConfig, PictureEncoderConfig
from pointlight.progress import Progress
from pointlight.simulator import SYNTHESIS_RECIPES, SynthesisConfig, VideoClip, synthesize
from pointlight.simulator.clips import ClipMaker, Sources, open_maker
from pointlight.training import (
    RECIPES,
    PictureBank,
    PictureUseConfig,
    Recipe,
    find_training_recipe,
    load_checkpoint,
    observation_of,
    prepare_banks,
    prepare_pictures,
    train,
)
from pointlight.training import stored_clips as stored
from pointlight.training.motions import learnt_body
from pointlight.training.picture_bank import PictureBankConfig
from pointlight.training.picture_clips import exact_flow, whole_clip
from pointlight.training.picture_data import PictureBatches, redrawn
from pointlight.training.stored_clips import ShardClips, StoredClips

FRAMES = 7
CLIPS, PER_SHARD = 10, 3
SOURCES = Sources(procedural_backgrounds=8, procedural_motions=5)
CUES = PictureCueConfig(side_px=32, rgb=True, flow="dis", heatmaps=True)
KEPT = PictureBankConfig(side_px=64, parts_px=32, clips_per_part=4)


def clips_config(split: str, recipe: str = "no_occlusions") -> SynthesisConfig:
    config = SYNTHESIS_RECIPES[recipe].of_split(split)
    return replace(config, scenes=replace(config.scenes, frames=FRAMES))


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def maker() -> ClipMaker:
    return open_maker(clips_config("train"), SOURCES)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Folders of both splits, the validation first, as nobody needs to give them in an order."""
    folder = tmp_path_factory.mktemp("shards")
    for split, count in (("validation", 4), ("train", CLIPS)):
        synthesize(
            clips_config(split), folder / split, count, seed=3, sources=SOURCES, clips_per_shard=PER_SHARD
        )
    return str(folder / "validation"), str(folder / "train")


@pytest.fixture(scope="module")
def motions(body: AnnyBody) -> MotionBank:
    """Only for the mean pose."""
    return procedural_bank(body, 5, kinds=("walk",), clips_per_kind=5, frames=62)


@pytest.fixture(autouse=True)
def recipe(monkeypatch: pytest.MonkeyPatch, motions: MotionBank) -> Recipe:
    base = find_training_recipe("tiny")
    encoder = PictureEncoderConfig(widths=(8, 16), features=16)
    made = replace(
        base,
        name="tiny-pictures",
        network=MotionHMRConfig(cues=CUES, encoder=encoder, lstm=16, head=32, stride=3),
        scenes=replace(SYNTHESIS_RECIPES["full"].scenes, frames=FRAMES),
        pictures=PictureUseConfig(clips="no_occlusions"),
        optimiser=replace(base.optimiser, kind="adamw"),
    )
    monkeypatch.setitem(RECIPES, made.name, made)
    monkeypatch.setattr("pointlight.training.runs.training_bank", lambda *given, **options: motions)
    torch.set_num_threads(1)
    return made


# Shards


def test_stored_clips_are_those_that_were_made(
    shards: tuple[str, str], maker: ClipMaker, body: AnnyBody
) -> None:
    """By number over the shards' edges; pictures have lost what H.264 loses, numbers and parts nothing."""
    clips = StoredClips(shards, "train")
    assert (len(clips), clips.recipe, clips.frames) == (CLIPS, "no_occlusions", FRAMES)
    for number in (0, PER_SHARD, CLIPS - 1):
        found, made = clips.clip(number), maker.clip(3, number)
        assert found.provenance.index == number
        one, other = whole_clip(found, body), whole_clip(made, body)
        assert one.tracks == other.tracks
        assert np.array_equal(one.parts, other.parts)
        assert np.abs(found.frames.astype(int) - made.frames).mean() < 4
        assert not len(found.depth_m) and not len(found.flow_forward_px)
    assert np.array_equal(StoredClips(shards, "train", exact=True).clip(4).flow_forward_px.shape[:1], [6])


def test_every_stored_clip_is_used_once_an_epoch(shards: tuple[str, str], body: AnnyBody) -> None:
    clips = ShardClips(StoredClips(shards, "train"), body)
    epochs = [[clips.number_of(epoch * CLIPS + k, 5) for k in range(CLIPS)] for epoch in range(2)]
    assert [sorted(numbers) for numbers in epochs] == [list(range(CLIPS))] * 2 and epochs[0] != epochs[1]
    assert epochs[0] != [clips.number_of(k, 6) for k in range(CLIPS)]


def test_shards_are_read_one_after_the_other(
    shards: tuple[str, str], body: AnnyBody, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    plain = stored.samples

    def noted(storage: Any, names: list[str]) -> Any:
        read.extend(names)
        return plain(storage, names)

    monkeypatch.setattr(stored, "samples", noted)
    stored._content.cache_clear()
    clips = ShardClips(StoredClips(shards, "train"), body)
    for use in range(CLIPS):
        clips.clip(clips.number_of(use, 0))
    assert sorted(read) == sorted(set(read)) and len(read) == -(-CLIPS // PER_SHARD)


@pytest.mark.slow
def test_a_run_on_shards_goes_on_bit_for_bit(
    shards: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed run, resumed from its folder alone; and none with other clips."""
    train("tiny-pictures", tmp_path / "whole", shards=shards, steps=6, workers=0)

    def stop(progress: Progress) -> None:
        if progress.stage == "train" and progress.done == 5:
            raise KeyboardInterrupt

    monkeypatch.chdir(Path(shards[0]).parent)
    with pytest.raises(KeyboardInterrupt):
        train(
            "tiny-pictures",
            tmp_path / "cut",
            shards=("train", "validation"),
            steps=6,
            workers=0,
            progress=stop,
        )
    monkeypatch.chdir(tmp_path)
    train(None, tmp_path / "cut", resume=True, workers=0)
    first, second = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    run = json.loads((tmp_path / "cut" / "run.json").read_text())
    assert run["shards"] == [shards[1], shards[0]] and run["pictures_sha256"]
    assert "--shards ADDRESS" in load_checkpoint(tmp_path / "cut").metadata["command"]
    fewer = shutil.copytree(shards[1], tmp_path / "fewer")
    index = json.loads((fewer / "index.json").read_text())
    (fewer / "index.json").write_text(json.dumps({**index, "shards": index["shards"][1:]}))
    with pytest.raises(PointlightError, match=r"pictures is .*, from .* was given; resume with what the run"):
        train(None, tmp_path / "cut", shards=(shards[0], str(fewer)), resume=True, workers=0)


def test_shards_in_memory_far_away(shards: tuple[str, str], body: AnnyBody) -> None:
    """Any address that fsspec knows."""
    address = "memory://stored-clips"
    synthesize(clips_config("train"), address, 3, seed=3, sources=SOURCES, clips_per_shard=2)
    far, near = StoredClips([address], "train"), StoredClips(shards, "train")
    assert np.array_equal(far.clip(2).frames, near.clip(2).frames)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"shards": "train"},
            "have no clips of the split 'validation'; make some with `pointlight synthesize",
        ),
        (
            {"shards": "both", "changes": "scenes.frames=9"},
            "have 7 frames, recipe 'tiny-pictures' is trained on 9",
        ),
        (
            {"shards": "both", "changes": "pictures.clips=full"},
            "of the recipe 'no_occlusions', and 'tiny-pictures'",
        ),
        ({"shards": "both", "backgrounds": "there"}, "give --pictures, or --shards, or --backgrounds"),
        ({"shards": "nowhere"}, "it holds no finished shards; make them with `pointlight synthesize`"),
    ],
)
def test_shards_that_do_not_fit_are_refused(
    given: dict[str, str], sentence: str, shards: tuple[str, str], tmp_path: Path
) -> None:
    warnings.simplefilter("ignore")  # that a recipe's own values are changed
    given = dict(given)
    choice = {"train": shards[1:], "both": shards, "nowhere": (str(tmp_path / "nowhere"),)}
    addresses = choice[given.pop("shards")]
    with pytest.raises(PointlightError, match=sentence):
        train("tiny-pictures", tmp_path / "run", shards=addresses, steps=1, workers=0, **given)  # type: ignore[arg-type]


def test_a_bank_of_stored_clips(
    shards: tuple[str, str], maker: ClipMaker, body: AnnyBody, tmp_path: Path
) -> None:
    clips = StoredClips(shards, "train")
    bank = prepare_pictures(tmp_path / "stored", clips, 4, body=body, config=KEPT)
    assert (len(bank), bank.recipe, bank.split) == (4, "no_occlusions", "train")
    made = prepare_pictures(tmp_path / "made", maker, 4, seed=3, body=body, config=KEPT)
    one, other = bank.clip(2), made.clip(2)
    assert one.tracks == other.tracks and np.array_equal(one.parts, other.parts)
    assert np.abs(one.frames.pair(0).first.astype(int) - other.frames.pair(0).first).mean() < 6
    assert len(prepare_pictures(tmp_path / "stored", clips, 8, body=body, config=KEPT)) == 8
    with pytest.raises(PointlightError, match="there are 10 clips of the split 'train', and 12 are needed"):
        prepare_pictures(tmp_path / "stored", clips, 9, body=body, config=KEPT)
    with pytest.raises(PointlightError, match=r"seed is nothing in .*, 0 was given"):
        prepare_pictures(tmp_path / "stored", maker, 4, body=body, config=KEPT)


def test_the_commands_take_shards(
    shards: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pointlight.training.picture_preparing.PictureBankConfig", lambda flow: replace(KEPT, flow=flow)
    )
    given = [word for address in shards for word in ("--shards", address)]
    out = tmp_path / "pictures"
    done = CliRunner().invoke(app, ["prepare", str(out), *given, "--flow", "exact"], catch_exceptions=False)
    assert "8 clips to train on and 4 to watch" in done.output
    assert PictureBank(out / "train", "train").config.flow == EXACT_FLOW
    with pytest.raises(
        PointlightError, match="are of the recipe 'no_occlusions', not 'full'; leave --recipe out"
    ):
        prepare_banks(out, recipe="full", shards=shards)
    run = ["--steps", "1", "--workers", "0"]
    for name, words in {
        "a": given,
        "b": ["--pictures", str(out), "--set", "network.cues.flow=exact"],
    }.items():
        command = ["train", "tiny-pictures", "--out", str(tmp_path / name), *words, *run]
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert done.exit_code == 0 and (tmp_path / name / "best.safetensors").is_file(), done.output


# SURREAL's people


@pytest.mark.slow
def test_surreals_people_are_learnt_from(
    tmp_path: Path, body: AnnyBody, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    """Points that SURREAL does not know have no weight, from a bank as from clips made on the spot."""
    monkeypatch.setattr("pointlight.training.picture_sources._WATCHED", 2)
    made = replace(recipe, pictures=PictureUseConfig(clips="static_no_occlusions"))
    made = replace(made, optimiser=replace(recipe.optimiser, batch=2))
    monkeypatch.setitem(RECIPES, recipe.name, made)
    folder = tmp_path / "surreal"
    write_clip(folder, frames=9)
    for path in list((folder / "data" / "cmu" / "train").rglob("*.m*")):
        other = folder / "data" / "cmu" / "val" / path.relative_to(folder / "data" / "cmu" / "train")
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(path.read_bytes())
    run = {"surreal": folder, "steps": 1, "workers": 0}
    trainer = train("tiny-pictures", tmp_path / "run", **run)  # type: ignore[arg-type]
    assert np.isfinite(trainer.latest_loss) and np.isfinite(trainer.latest_mm)
    noted = json.loads((tmp_path / "run" / "run.json").read_text())
    assert noted["surreal"] == str(folder.resolve()) and "surreal_depth" not in noted
    train(None, tmp_path / "run", resume=True, extend_to=2, workers=0)

    sources = replace(SOURCES, surreal=folder)
    surreal = open_maker(clips_config("train", "static_no_occlusions"), sources)
    bank = prepare_pictures(tmp_path / "bank", surreal, 4, body=body, config=KEPT)
    shown = surreal.clip(0, 1)
    kept, whole = bank.clip(1), whole_clip(shown, body)
    assert whole.tracks.known is not None and kept.tracks.known is not None
    assert torch.equal(kept.tracks.known, whole.tracks.known) and kept.tracks.body_known == torch.tensor(
        [False]
    )
    assert set(np.unique(whole.parts)) <= set(range(1 + len(body.joint_names)))
    hand = shown.mask & (shown.parts == 1 + shown.part_names.index("left_hand"))
    assert hand.any() and (whole.parts[hand] == 1 + body.joint_names.index("left_wrist")).all()
    unknown = ~kept.tracks.known[0, 0]
    assert unknown[EXTENDED_KEYPOINTS.index("nose")] and not unknown[: len(NETWORK_KEYPOINTS)].any()
    scenes = find_training_recipe("tiny-pictures").scenes
    batch = PictureBatches(bank, scenes, PictureUseConfig(), CUES, body, seed=0, size=4).make(0)
    assert batch.targets.known is not None and batch.targets.body_known is not None
    assert not batch.targets.body_known.any() and not batch.targets.known.all()
    seen = replace(observation_of(whole.tracks), pictures=(whole_clip(shown, body, exact=True).frames,))
    with pytest.raises(PointlightError, match="how its person moves in the picture, as those of SURREAL"):
        replace(CUES, flow=EXACT_FLOW).make(seen)


@pytest.mark.slow
def test_smpls_pose_is_learnt_of_surreals_people(tmp_path: Path, recipe: Recipe) -> None:
    file = write_smpl(tmp_path / "smpl.pkl")
    smpl = learnt_body(file)
    folder = tmp_path / "surreal"
    write_clip(folder, frames=9)
    surreal = open_maker(clips_config("train", "static_no_occlusions"), replace(SOURCES, surreal=folder))
    bank = prepare_pictures(tmp_path / "bank" / "train", surreal, 4, body=smpl, config=KEPT)
    clip = surreal.clip(0, 2)
    kept = bank.clip(2).tracks
    assert kept.body_known is None and clip.state is not None
    assert torch.equal(kept.state.pose[0], clip.state.pose) and torch.equal(
        kept.state.shape[0, 0], clip.state.shape[0]
    )
    with pytest.raises(
        PointlightError, match=r"have the pose of SMPL of .*, another is to be learnt; prepare"
    ):
        bank.check_body(AnnyBody())
    (tmp_path / "bank" / "validation").symlink_to(tmp_path / "bank" / "train")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PictureBank, "check_split", lambda self, split: None)
        given = {"pictures": tmp_path / "bank", "workers": 0}
        with pytest.raises(PointlightError, match="another is to be learnt"):
            train(recipe.name, tmp_path / "anny", steps=2, **given)  # type: ignore[arg-type]
        patched.setitem(
            RECIPES, recipe.name, replace(recipe, pictures=PictureUseConfig(clips="static_no_occlusions"))
        )
        trainer = train(recipe.name, tmp_path / "run", steps=2, smpl=file, **given)  # type: ignore[arg-type]
        assert np.isfinite(trainer.latest_loss) and np.isfinite(trainer.latest_mm)
        train(None, tmp_path / "run", resume=True, extend_to=3, workers=0)
    assert load_checkpoint(tmp_path / "run", smpl).model.gives_bodies
    with pytest.raises(PointlightError, match="give load_model the SmplBody of that file"):
        load_checkpoint(tmp_path / "run")
    with pytest.raises(
        PointlightError, match="'tiny' are of our own body; --smpl goes with recipes that see pictures"
    ):
        train("tiny", tmp_path / "points", smpl=file, steps=1, workers=0)


# Exact flow


def moved_surface(clip: VideoClip, pair: int) -> np.ndarray:
    """(N, 2) by how much the 12 keypoints move that lie on visible pixels of the person."""
    chosen = [clip.joint_names.index(name) for name in NETWORK_KEYPOINTS]
    return clip.joints_px[pair + 1, chosen] - clip.joints_px[pair, chosen]


def test_exact_flow_is_the_persons_and_the_backgrounds(maker: ClipMaker, body: AnnyBody) -> None:
    clip = maker.clip(3, 1)
    for pair in range(FRAMES - 1):
        flow = exact_flow(clip, pair)
        step = clip.camera.principal_px[pair + 1] - clip.camera.principal_px[pair]
        np.testing.assert_allclose(
            flow[~clip.mask[pair]], np.broadcast_to(step, flow[~clip.mask[pair]].shape), atol=1e-5
        )
        own = clip.flow_forward_px[pair][clip.mask[pair]]
        known = np.isfinite(own).all(-1)
        assert np.array_equal(flow[clip.mask[pair]][known], own[known]) and np.isfinite(flow).all()
    assert not exact_flow(clip, FRAMES - 1).any()


def test_exact_flow_moves_crops_as_joints_move(maker: ClipMaker, body: AnnyBody) -> None:
    """Where a keypoint's pixel goes by the flow that a network sees, the next frame has the keypoint, to a pixel or so."""
    cues = replace(CUES, rgb=False, side_px=112, flow=EXACT_FLOW)
    clip = maker.clip(3, 2)
    made = whole_clip(clip, body, exact=True)
    tracks = redrawn(
        made,
        replace(
            clips_config("train").scenes,
            masking=replace(clips_config("train").scenes.masking, total_occlusion=0.0),
        ),
        0,
        0,
    )
    seen = replace(observation_of(tracks), pictures=(made.frames,))
    _, images = cues.split(cues.make(seen).inputs)
    maps = cues.picture_from_crop(seen)[0].numpy()
    chosen = [clip.joint_names.index(name) for name in NETWORK_KEYPOINTS]
    errors = []
    for pair in range(FRAMES - 1):
        there = np.linalg.inv(maps[pair])
        now, then = (mapped(there, clip.joints_px[frame, chosen].astype(float)) for frame in (pair, pair + 1))
        for place, goal in zip(now, then, strict=True):
            column, row = place.astype(int)
            if 0 <= column < 112 and 0 <= row < 112:
                step = images[0, pair, :2, row, column].numpy() * 20 * 112 / 224
                errors.append(np.abs(step - (goal - place)).max())
    assert len(errors) > 30 and np.median(errors) < 0.5


def test_exact_flow_is_refused_on_real_video(body: AnnyBody, recipe: Recipe) -> None:
    network = replace(recipe.network, cues=replace(CUES, flow=EXACT_FLOW))
    from pointlight.training import Checkpoint

    checkpoint = Checkpoint(network.build(body).eval(), network, "exact")
    points = np.full((9, 12, 3), 30.0, np.float32)
    points[..., 2] = 1
    track = Keypoints2D(NETWORK_KEYPOINTS, np.arange(9) / 30, np.arange(9), points, (100, 100), "made")
    frames = [Frame(k, k / 30, np.zeros((100, 100, 3), np.uint8)) for k in range(9)]
    with pytest.raises(PointlightError, match="sees exact flow, which simulated clips alone have"):
        lift_keypoints(track, checkpoint, body, PredictOptions(), frames=frames)
