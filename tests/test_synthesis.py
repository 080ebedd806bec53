"""Clips from their number: tracks and pictures agree, splits stay apart, shards are the same however they were made."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from typer.testing import CliRunner

from pointlight.body import NETWORK_KEYPOINTS, AnnyBody, BodyModel
from pointlight.cli.main import app
from pointlight.cues import PointCueConfig, track_boxes
from pointlight.errors import PointlightError
from pointlight.media import VideoReader, read_picture
from pointlight.motion import MotionBank, procedural_bank
from pointlight.network import MartinezConfig
from pointlight.progress import Progress
from pointlight.simulator import (
    SYNTHESIS_RECIPES,
    TRACK_POINTS,
    ClipMaker,
    KeypointMaskingConfig,
    SceneSampler,
    TrackMaker,
    VideoClip,
    decode_clip,
    encode_clip,
    read_clips,
    synthesize,
)
from pointlight.simulator.backgrounds import ProceduralWindows, WindowConfig, fill_cache_with
from pointlight.simulator.clips import (
    SensorConfig,
    Sources,
    check_training_clip,
    draw_figure2,
    draw_keypoints,
    find_synthesis_recipe,
    layer_sheet,
    occluded_parts,
    open_storage,
    read_index,
    tracks_of_clips,
    window_superpixels,
    without_total_occlusions,
    write_preview,
)
from pointlight.simulator.clips.layer_packing import (
    inflated,
    numbers_of,
    packed_numbers,
    packed_pairs,
    pairs_of,
)
from pointlight.simulator.clips.preview import _crop
from pointlight.simulator.people import RenderedPeople
from pointlight.training import ClipShards, observation_of, targets_of
from pointlight.training import find_training_recipe as find_training_recipe

SOURCES = Sources(procedural_motions=5, procedural_backgrounds=2)
RECIPE = "no_occlusions"
"""Of the runs: superpixels without a cache would take most of their time."""

COUNT, PER_SHARD = 3, 2


@pytest.fixture(scope="module")
def maker() -> ClipMaker:
    body = AnnyBody()
    return ClipMaker.rendered(
        find_synthesis_recipe("full"),
        procedural_bank(body, 2019, clips_per_kind=5),
        ProceduralWindows(6, 2019),
        body,
    )


def people_of(maker: ClipMaker) -> RenderedPeople:
    assert isinstance(maker.people, RenderedPeople)
    return maker.people


def with_config(maker: ClipMaker, **changes: object) -> ClipMaker:
    config = replace(maker.config, **changes)  # type: ignore[arg-type]
    return ClipMaker.rendered(config, people_of(maker).bank, maker.windows, people_of(maker).body)


@pytest.fixture(scope="module")
def clip(maker: ClipMaker) -> VideoClip:
    return maker.clip(0, 1)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shards")
    make(out)
    return out


def make(out: Path | str, workers: int = 0, **changes: object) -> None:
    synthesize(
        replace(find_synthesis_recipe(RECIPE), **changes),  # type: ignore[arg-type]
        out,
        COUNT,
        seed=3,
        sources=SOURCES,
        workers=workers,
        clips_per_shard=PER_SHARD,
    )


def contents(folder: Path) -> dict[str, str]:
    """Every file of a finished run by its hash; nothing else may be there, hidden or not."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.iterdir())
    }


def test_tracks_and_pictures_are_of_the_same_scene(maker: ClipMaker) -> None:
    same = []
    for index in range(3):
        parts = maker.parts(0, index)
        tracks = TrackMaker(maker.config.scenes, people_of(maker).body).make([maker.scene(0, index)])
        np.testing.assert_allclose(parts.clip.joints_px, tracks.points_px[0].numpy(), atol=1e-3)
        np.testing.assert_allclose(parts.clip.detections_px, tracks.detections_px[0].numpy(), atol=1e-3)
        shown = ~parts.clip.occluded[:, : len(parts.clip.keypoint_names)]
        same.append((parts.clip.visible == tracks.visible[0].numpy())[shown])
        assert np.array_equal(parts.clip.totally_occluded, tracks.totally_occluded[0].numpy())
    assert np.concatenate(same).mean() >= 0.97


def test_a_stored_clip_gives_the_track_of_its_scene(maker: ClipMaker) -> None:
    body = people_of(maker).body
    clips = [decode_clip(encode_clip(maker.clip(0, index)), layers=()) for index in range(2)]
    found = tracks_of_clips(clips, body)
    wanted = TrackMaker(maker.config.scenes, body).make([maker.scene(0, index) for index in range(2)])
    assert found.known is None and found.body_known is None
    assert torch.equal(found.visible, torch.from_numpy(np.stack([clip.visible for clip in clips])))
    for name in ("detections_px", "points_px", "points_camera_m", "principal_px"):
        assert (getattr(found, name) - getattr(wanted, name)).abs().max() < 1e-3, name
    for name in ("assumed_focal_px", "assumed_principal_px", "focal_px", "totally_occluded"):
        assert torch.equal(getattr(found, name), getattr(wanted, name)), name
    for name in ("pose", "shape", "root", "translation"):
        assert torch.allclose(getattr(found.state, name), getattr(wanted.state, name), atol=1e-6), name
    # The camera that follows the background moves its principal point; nobody tells the network.
    assert (found.principal_px - found.assumed_principal_px[:, None]).abs().max() > 1
    assert found.assumed_principal_px.tolist() == [[160.0, 120.0]] * 2


def test_what_a_clip_does_not_know_has_no_place_and_no_weight(maker: ClipMaker) -> None:
    body, clip = people_of(maker).body, maker.clip(0, 1)
    crown = clip.joint_names.index("head_top")
    joints, flat = clip.joints_camera_m.copy(), clip.joints_px.copy()
    joints[:, crown], flat[:, crown], joints[3] = np.nan, np.nan, np.nan
    strange = replace(clip, joints_camera_m=joints, joints_px=flat, state=None)
    tracks = tracks_of_clips([clip, strange], body)
    assert tracks.known is not None and tracks.body_known is not None
    assert tracks.known[0].all() and not tracks.known[1, :, TRACK_POINTS.index("head_top")].any()
    assert not tracks.known[1, 3].any() and tracks.known[1, 4, 0]
    assert tracks.body_known.tolist() == [True, False]
    assert tracks.points_camera_m.isfinite().all() and tracks.state.pose.isfinite().all()
    cues = PointCueConfig().make(observation_of(tracks))
    targets = targets_of(tracks, cues)
    torch.manual_seed(0)
    recipe = find_training_recipe("tiny")
    for network in (recipe.network.build(body), MartinezConfig(hidden=16, blocks=1).build(body).eval()):
        inputs = network.observe(observation_of(tracks)).inputs[:, :30]
        losses = {}
        for spoilt in (0.0, 9.0):
            known = targets.known
            assert known is not None
            points = targets.points_ray_m + spoilt * ~known[..., None]
            other = replace(targets, points_ray_m=points, root_ray=targets.root_ray.clone())
            other.root_ray[1] += spoilt
            loss, _ = network.loss(inputs, other, body, find_training_recipe("points").loss, torch.arange(30))
            losses[spoilt] = float(loss.detach())
        assert np.isfinite(losses[0.0]) and losses[0.0] == pytest.approx(losses[9.0], rel=1e-5)


@pytest.mark.parametrize("layers", [(), ("frames",), ("masks", "flow"), ("parts", "depth")])
def test_a_clip_is_decoded_as_far_as_is_asked(clip: VideoClip, layers: tuple[str, ...]) -> None:
    files = encode_clip(clip)
    whole, some = decode_clip(files), decode_clip(files, layers)
    owners = {
        "frames": ("frames",),
        "masks": ("mask", "amodal_mask", "occluder", "others"),
        "parts": ("parts",),
        "depth": ("depth_m",),
        "flow": ("flow_forward_px", "flow_backward_px"),
    }
    for layer, names in owners.items():
        for name in names:
            found = getattr(some, name)
            assert found.shape[1:] == getattr(whole, name).shape[1:]
            if layer in layers:
                np.testing.assert_array_equal(found, getattr(whole, name))
            else:
                assert len(found) == 0, name
    np.testing.assert_array_equal(some.joints_camera_m, whole.joints_camera_m)
    broken = {name: content for name, content in files.items() if name in ("json", "truth.npz")}
    if not layers:  # what is not asked for is not even looked at
        assert decode_clip(broken, ()).provenance == clip.provenance
    with pytest.raises(PointlightError, match="no layer 'sound'; its layers are frames, masks"):
        decode_clip(files, ("sound",))


@pytest.mark.parametrize("frames", [8, 16])
def test_clips_have_the_length_that_their_recipe_says(maker: ClipMaker, frames: int) -> None:
    config = maker.config
    short = with_config(maker, scenes=replace(config.scenes, frames=frames))
    parts = short.parts(0, 1)
    assert len(parts.clip.frames) == len(parts.clip.visible) == frames
    assert parts.background.path_px[frames // 2].tolist() == [0, 0]
    whole = maker.parts(0, 1).background.frames
    first = (31 - frames) // 2
    np.testing.assert_array_equal(parts.background.frames, whole[first : first + frames])
    assert len(decode_clip(encode_clip(parts.clip)).frames) == frames
    with pytest.raises(PointlightError, match="windows of 31 frames, clips have 56"):
        with_config(maker, scenes=replace(config.scenes, frames=56)).clip(0, 1)


def test_clips_may_be_longer_than_the_papers(tmp_path: Path) -> None:
    """Windows, tracks and shards of 56 frames; nothing but the recipe says so."""
    recipe = find_synthesis_recipe("full")
    config = replace(recipe, scenes=replace(recipe.scenes, frames=56))
    synthesize(config, tmp_path, 1, seed=3, sources=SOURCES, workers=0)
    (clip,) = read_clips(tmp_path)
    assert len(clip.frames) == len(clip.visible) == len(clip.joints_camera_m) == 56
    assert len({frame.tobytes() for frame in clip.frames}) == 56


def test_each_stage_says_that_it_has_ended(maker: ClipMaker) -> None:
    told: list[Progress] = []
    maker.parts(0, 0, told.append)
    assert all((progress.done, progress.total) == (1, 1) for progress in told)
    assert [progress.stage for progress in told] == [
        "background",
        "scene",
        "appearance",
        "render",
        "superpixels",
        "occluder",
        "composite",
    ]


def test_the_person_moves_with_the_background(maker: ClipMaker) -> None:
    background = maker.parts(0, 1).background
    assert np.ptp(background.path_px, axis=0).max() > 1  # else the test says nothing
    tracked, still = maker.scene(0, 1), with_config(maker, track=False).scene(0, 1)
    moved = tracked.camera.principal_px - still.camera.principal_px
    np.testing.assert_allclose(moved, background.path_px, atol=1e-4)
    assert np.ptp(still.camera.principal_px, axis=0).max() == 0


def test_a_total_occlusion_wins_over_unhiding(maker: ClipMaker) -> None:
    masking = KeypointMaskingConfig(total_occlusion=1.0, flip=0.5, unhide_legs=1.0, block=0.0)
    clip = with_config(maker, scenes=replace(maker.config.scenes, masking=masking)).clip(0, 2)
    assert 0 < clip.totally_occluded.sum() <= 15
    assert not clip.visible[clip.totally_occluded].any()
    assert clip.visible[~clip.totally_occluded].any()
    assert not without_total_occlusions(maker.config).scenes.masking.total_occlusion


def test_recipes_are_the_rows_of_table_2(maker: ClipMaker) -> None:
    full, clear, untracked, static = (
        SYNTHESIS_RECIPES[name]
        for name in ("full", "no_occlusions", "no_tracking_no_occlusions", "static_no_occlusions")
    )
    assert [recipe.occluders.superpixel for recipe in (full, clear, untracked, static)] == [True] + 3 * [
        False
    ]
    assert [recipe.track for recipe in (full, clear, untracked, static)] == [True, True, False, False]
    assert [recipe.backgrounds.static for recipe in (full, clear, untracked, static)] == 3 * [False] + [True]
    for recipe in (full, clear, untracked, static):
        assert recipe.scenes.masking.total_occlusion > 0
        assert recipe.sensor == SensorConfig.none()
        assert recipe.scenes.camera.off_centre == 0  # SURREAL's
    shown = with_config(maker, **{n: getattr(static, n) for n in ("backgrounds", "track", "occluders")})
    parts = shown.parts(0, 1)
    free = ~parts.clip.amodal_mask.any(0)
    assert (parts.clip.frames[:, free] == parts.clip.frames[0, free]).all()
    moving = maker.parts(0, 1).clip
    assert (moving.frames[1:, free] != moving.frames[:-1, free]).any(axis=(1, 2)).all()


def test_ours_differs_by_sensor_and_camera(maker: ClipMaker) -> None:
    ours = find_synthesis_recipe("pointlight")
    made = ClipMaker.rendered(ours, people_of(maker).bank, maker.windows, people_of(maker).body)
    parts = made.parts(0, 1)
    assert parts.clip.frames.shape == (31, 240, 320, 3)
    assert ours.sensor != SensorConfig.none()
    out_of_frame = ~parts.clip.amodal_mask & ~parts.clip.occluder
    assert (parts.clip.frames != parts.background.frames)[out_of_frame].mean() > 0.5


@pytest.mark.slow
def test_somebody_else_may_be_in_the_picture(maker: ClipMaker) -> None:
    """The subject stays who it is; the other is in the same picture and hides what it stands before."""
    crowded = with_config(maker, bystanders=1.0)
    seen = masking = 0
    for index in range(4):
        alone, parts = maker.parts(0, index), crowded.parts(0, index)
        assert np.array_equal(alone.clip.joints_px, parts.clip.joints_px)
        assert np.array_equal(alone.clip.amodal_mask, parts.clip.amodal_mask)
        if parts.bystander is None:
            assert np.array_equal(alone.clip.frames, parts.clip.frames)
            continue
        seen += 1
        other = parts.bystander
        np.testing.assert_array_equal(other.camera.principal_px, parts.subject.layer.camera.principal_px)
        assert "bystander" in parts.clip.provenance.sources
        assert not (parts.clip.others & parts.clip.mask).any()
        nearer = other.mask & (other.depth_m < parts.subject.layer.depth_m) & ~parts.clip.occluder
        assert parts.clip.others[nearer].all()
        masking += (nearer & parts.subject.layer.mask).sum()
        between = (other.joints_camera_m[:, 0] - parts.subject.layer.joints_camera_m[:, 0])[:, [0, 2]]
        assert np.linalg.norm(between, axis=-1).min() > 0.3
    assert seen >= 2 and masking > 0


def test_a_clip_says_the_focal_length_that_a_network_is_told(maker: ClipMaker) -> None:
    unsaid = with_config(maker, scenes=replace(maker.config.scenes, focal_known=0.0))
    clip = unsaid.clip(0, 1)
    assert clip.assumed_focal_px == unsaid.scene(0, 1).assumed_focal_px == 400.0  # the diagonal of 320x240
    assert decode_clip(encode_clip(clip)).assumed_focal_px == 400.0
    assert clip.camera.focal_px != 400.0


def test_the_decisions_of_chance_are_known(maker: ClipMaker) -> None:
    """A change here changes every data set that was ever made: think of a new recipe's name instead."""
    sampler = SceneSampler(maker.config.scenes, people_of(maker).bank, people_of(maker).body)
    known = json.loads((Path(__file__).parent / "data" / "decisions_of_chance.json").read_text())
    for index, expected in enumerate(known):
        scene = sampler.sample(0, index)
        masking = scene.masking
        exact = {
            "motion": scene.motion.name,
            "totally_occluded": np.flatnonzero(masking.totally_occluded).tolist(),
            "flipped": masking.flip.sum(0).tolist(),
            "unhide_legs": masking.unhide_legs,
        }
        assert exact == {name: expected[name] for name in exact}, index
        # Processors differ in the last bits of sines and sums.
        assert scene.shape.tolist() == pytest.approx(expected["shape"], abs=1e-4), index
        assert scene.camera.focal_px == pytest.approx(expected["focal_px"], rel=1e-5), index
        place = scene.camera.translation_m[0].tolist()
        assert place == pytest.approx(expected["camera_translation_m"], abs=1e-3), index


def test_splits_stay_apart(maker: ClipMaker, clip: VideoClip) -> None:
    check_training_clip(clip.provenance)
    for kind in ("motion", "background", "textures"):
        splits = {**clip.provenance.splits, kind: "heldout"}
        with pytest.raises(PointlightError, match=f"a {kind} of the split 'heldout'"):
            check_training_clip(replace(clip.provenance, splits=splits))
        with pytest.raises(PointlightError, match=f"does not say of which split its {kind}"):
            splits = {k: v for k, v in clip.provenance.splits.items() if k != kind}
            check_training_clip(replace(clip.provenance, splits=splits))
    with pytest.raises(PointlightError, match="one clip has one split"):
        ClipMaker.rendered(
            maker.config, people_of(maker).bank, ProceduralWindows(2, 0, "heldout"), people_of(maker).body
        )
    with pytest.raises(PointlightError, match="one clip has one split"):
        replace(maker.config, appearance=replace(maker.config.appearance, split="heldout"))
    assert maker.config.of_split("heldout").appearance.split == "heldout"


def test_other_picture_sizes_are_refused(maker: ClipMaker) -> None:
    camera = replace(maker.config.scenes.camera, image_sizes=((240, 320),))
    with pytest.raises(PointlightError, match="backgrounds are 320x240"):
        replace(maker.config, scenes=replace(maker.config.scenes, camera=camera))


def test_a_window_has_one_map_whether_found_or_made(maker: ClipMaker, tmp_path: Path) -> None:
    cache = fill_cache_with(tmp_path, ProceduralWindows(1, 5), WindowConfig(flow=()))
    made = window_superpixels(cache.read(0), "exact", maker.config.occluders)
    (file,) = cache.window_folder(0).glob("superpixels_*.npz")
    found = window_superpixels(cache.read(0), "exact", maker.config.occluders)
    assert np.array_equal(found.labels, made.labels) and 10 <= found.count <= 30
    file.write_bytes(b"broken")
    again = window_superpixels(cache.read(0), "exact", maker.config.occluders)
    assert np.array_equal(again.labels, made.labels)


def test_a_stored_clip_comes_back(clip: VideoClip) -> None:
    files = encode_clip(clip)
    assert files == encode_clip(clip)
    back = decode_clip(files)
    for name in ("mask", "amodal_mask", "occluder", "others", "parts", "visible", "occluded", "joints_px"):
        assert np.array_equal(getattr(back, name), getattr(clip, name)), name
    for name in ("R_camera_world", "translation_m", "principal_px", "focal_px", "image_size"):
        assert np.array_equal(getattr(back.camera, name), getattr(clip.camera, name)), name
    assert back.state is not None and clip.state is not None
    assert torch.equal(back.state.pose, clip.state.pose)
    assert back.provenance == clip.provenance
    np.testing.assert_allclose(back.depth_m, clip.depth_m, atol=0.00013)
    np.testing.assert_allclose(back.flow_forward_px, clip.flow_forward_px, atol=1 / 127)
    np.testing.assert_allclose(back.flow_backward_px, clip.flow_backward_px, atol=1 / 127)
    error = back.frames.astype(np.float64) - clip.frames
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 36
    with pytest.raises(PointlightError, match="incomplete or broken"):
        decode_clip({**files, "frames.mp4": files["frames.mp4"][:2000]})
    with pytest.raises(PointlightError, match="incomplete or broken"):
        decode_clip({name: files[name] for name in files if name != "truth.npz"})


def test_what_the_sensor_compresses_is_what_is_stored(maker: ClipMaker, clip: VideoClip) -> None:
    """Its own stream and no second one: the stored frames are the clip's to the bit."""
    assert maker.files(0, 1) == encode_clip(clip)
    sensed = with_config(maker, sensor=SensorConfig())
    files, made = sensed.files(0, 1), sensed.clip(0, 1)
    back = decode_clip(files)
    assert np.array_equal(back.frames, made.frames)
    assert np.array_equal(back.mask, clip.mask) and not np.array_equal(made.frames, clip.frames)
    assert len(files["frames.mp4"]) < len(encode_clip(made)["frames.mp4"])


def test_a_clip_of_format_2_is_read(clip: VideoClip) -> None:
    """There layers were deflated by the archive, and numbers were plain differences."""
    files = encode_clip(clip)
    described = json.loads(files["json"])
    assert described["format_version"] == 4
    steps, whole = described["steps"], clip.amodal_mask
    depth = np.rint((clip.depth_m[whole] - steps["depth_from_m"]) / steps["depth_m"]).astype(np.uint16)
    old = {"parts": clip.parts[whole], "depth": np.diff(depth, prepend=np.uint16(0))}
    for name, stored in (
        ("mask", "mask"),
        ("amodal_mask", "whole_mask"),
        ("occluder", "occluder"),
        ("others", "others"),
    ):
        old[stored] = np.packbits(getattr(clip, name))
    for name, where in (("flow_forward_px", whole[:-1]), ("flow_backward_px", whole[1:])):
        flow = np.rint(getattr(clip, name)[where] / steps[name])
        flow = np.where(np.isfinite(flow), flow, -32768).astype(np.int16)
        old[name] = np.diff(flow.T, prepend=np.int16(0))
    layers = io.BytesIO()
    np.savez_compressed(layers, **old)
    described["format_version"] = 2
    older = {**files, "json": json.dumps(described).encode(), "layers.npz": layers.getvalue()}
    now, then = decode_clip(files), decode_clip(older)
    for name in ("mask", "amodal_mask", "occluder", "others", "parts"):
        assert np.array_equal(getattr(now, name), getattr(then, name)), name
    np.testing.assert_allclose(then.depth_m, now.depth_m, atol=1.01 * steps["depth_m"])
    for name in ("flow_forward_px", "flow_backward_px"):
        np.testing.assert_allclose(getattr(then, name), getattr(now, name), atol=1.01 * steps[name])


def test_a_clip_of_format_3_is_read(clip: VideoClip) -> None:
    """There the bytes of flow were four planes: low and high ones along x, then along y."""
    files = encode_clip(clip)
    described = json.loads(files["json"])
    with np.load(io.BytesIO(files["layers.npz"])) as archive:
        old = dict(archive)
    for name, where in (
        ("flow_forward_px", clip.amodal_mask[:-1]),
        ("flow_backward_px", clip.amodal_mask[1:]),
    ):
        flow = np.rint(getattr(clip, name)[where] / np.float32(described["steps"][name]))
        flow = np.where(np.isfinite(flow), flow, -32768).astype(np.int16)
        change = np.diff(flow.T, prepend=np.int16(0)).astype(np.int32)
        alternating = np.where(change < 0, -2 * change - 1, 2 * change).astype(np.uint16)
        planes = np.stack((alternating & 255, alternating >> 8), axis=1).astype(np.uint8)
        old[name] = np.frombuffer(zlib.compress(planes.tobytes()), np.uint8)
    layers = io.BytesIO()
    np.savez(layers, **old)
    described["format_version"] = 3
    older = {**files, "json": json.dumps(described).encode(), "layers.npz": layers.getvalue()}
    assert decode_clip(files) == decode_clip(older)


def test_numbers_of_any_size_are_packed() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(-32768, 32768, (2, 1000)).astype(np.int16)
    numbers[:, 300:700] = np.arange(400) // 3 - 5 * (np.arange(400) % 7)
    numbers[0, :4] = (-32768, 32767, -32768, 0)
    assert (pairs_of(inflated(packed_pairs(numbers))) == numbers).all()
    assert (numbers_of(inflated(packed_numbers(numbers[0]))) == numbers[0]).all()
    unsigned = numbers[1].view(np.uint16)
    assert (numbers_of(inflated(packed_numbers(unsigned))).view(np.uint16) == unsigned).all()
    assert pairs_of(inflated(packed_pairs(numbers[:, :0]))).shape == (2, 0)


def test_what_has_no_depth_and_no_flow_is_stored(clip: VideoClip) -> None:
    nothing = np.full_like(clip.flow_forward_px, np.nan)
    depth = np.where(clip.amodal_mask, np.float32(np.nan), np.float32(np.inf))
    back = decode_clip(
        encode_clip(
            replace(clip, depth_m=depth, flow_forward_px=nothing, flow_backward_px=nothing, state=None)
        )
    )
    assert np.array_equal(back.depth_m, depth, equal_nan=True)
    assert np.isnan(back.flow_forward_px).all() and back.state is None


@pytest.mark.slow
def test_two_processes_make_the_same_shards(shards: Path, tmp_path: Path) -> None:
    make(tmp_path, workers=2)
    assert contents(tmp_path) == contents(shards)


def test_after_an_interruption_the_shards_are_the_same(shards: Path, tmp_path: Path) -> None:
    class Interruption(Exception): ...

    def stop(progress: Progress) -> None:
        if (progress.stage, progress.done) == ("clips", 1):
            raise Interruption

    with pytest.raises(Interruption):
        synthesize(
            find_synthesis_recipe(RECIPE),
            tmp_path,
            COUNT,
            seed=3,
            sources=SOURCES,
            clips_per_shard=PER_SHARD,
            progress=stop,
        )
    assert not list(tmp_path.glob("*.tar")) and len(list((tmp_path / ".staging").glob("0*.tar"))) == 1
    # What a killed process leaves: files that were never renamed, and a clip cut short by a crash of the machine.
    (tmp_path / ".staging" / ".00000001.abc.partial.tar").write_bytes(b"half")
    (tmp_path / ".staging" / "00000002.tar").write_bytes(b"half")
    (tmp_path / ".shard-000000.abc.partial.tar").write_bytes(b"half")
    make(tmp_path)
    assert contents(tmp_path) == contents(shards)
    make(tmp_path)  # nothing is left to do
    assert contents(tmp_path) == contents(shards)


def test_other_clips_are_not_mixed_in(shards: Path) -> None:
    with pytest.raises(
        PointlightError, match=r"begun with other settings \(config\.track is true in what is there, false"
    ):
        make(shards, track=False)


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name.startswith("shard-") and Path(target).suffix == ".tar":
            raise OSError(errno.ENOSPC, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(PointlightError, match="No space left on device") as said:
        make(tmp_path)
    assert "\n" not in str(said.value)
    assert not list(tmp_path.glob("shard-*"))


def test_shards_at_an_address(shards: Path) -> None:
    make("memory://synthesis-test")
    assert read_index("memory://synthesis-test") == read_index(shards)
    storage = open_storage("memory://synthesis-test")
    for name in ("shard-000000.tar", "shard-000001.tar"):
        assert storage.read(name) == (shards / name).read_bytes()
    with pytest.raises(PointlightError, match="no address"):
        open_storage("nowhere://x")


def test_shards_are_read_once_each_in_any_order(shards: Path) -> None:
    def indices(**options: Any) -> list[int]:
        return [clip.provenance.index for clip in read_clips(shards, **options)]

    assert indices() == [0, 1, 2]
    assert sorted(indices(seed=1)) == [0, 1, 2]
    assert indices(seed=1, epoch=4) == indices(seed=1, epoch=4)
    assert len({tuple(indices(seed=1, epoch=epoch)) for epoch in range(6)}) > 1
    shared = [indices(seed=1, reader=reader, readers=2) for reader in range(2)]
    assert sorted(shared[0] + shared[1]) == [0, 1, 2] and all(shared)
    with pytest.raises(PointlightError, match="2 shards for 3 readers"):
        indices(readers=3)
    with pytest.raises(PointlightError, match="only 'heldout' may be used"):
        next(read_clips(shards, split="heldout"))


def test_training_shares_shards_among_ranks_and_workers(
    shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def indices(dataset: ClipShards, workers: int = 0) -> list[int]:
        loader = DataLoader(dataset, batch_size=None, num_workers=workers)
        return [clip.provenance.index for clip in loader]

    assert sorted(indices(ClipShards(shards, seed=1), workers=2)) == [0, 1, 2]
    ranks = [indices(ClipShards(shards, seed=1, rank=rank, ranks=2)) for rank in range(2)]
    assert sorted(ranks[0] + ranks[1]) == [0, 1, 2] and all(ranks)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    dataset = ClipShards(shards, seed=1)
    assert indices(dataset) == ranks[1]
    orders = set()
    for dataset.epoch in range(6):
        orders.add(tuple(indices(dataset)))
    assert len(orders) > 1
    with pytest.raises(PointlightError, match="of the split 'train', where only 'heldout' may be used"):
        ClipShards(shards, split="heldout", seed=1)
    with pytest.raises(PointlightError, match="rank 2 of 2"):
        ClipShards(shards, seed=1, rank=2)


def test_shards_are_plain_tars_with_an_index(shards: Path) -> None:
    index = read_index(shards)
    assert [len(entry["clips"]) for entry in index["shards"]] == [2, 1]
    for entry in index["shards"]:
        content = (shards / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"] and len(content) == entry["bytes"]
    with pytest.raises(PointlightError, match="holds no finished shards"):
        read_index(shards / "nowhere")
    broken = {**index, "format_version": 0}
    (shards.parent / "old").mkdir(exist_ok=True)
    (shards.parent / "old" / "index.json").write_text(json.dumps(broken))
    with pytest.raises(PointlightError, match="of format 0, not 1"):
        read_index(shards.parent / "old")


def test_hidden_keypoints_are_drawn_as_rings(clip: VideoClip) -> None:
    frame = 15
    blind = replace(clip, visible=np.zeros_like(clip.visible), totally_occluded=np.zeros(31, bool))
    seen = replace(blind, visible=np.ones_like(clip.visible))
    ring, dot = draw_keypoints(blind, frame).astype(int), draw_keypoints(seen, frame).astype(int)
    point = clip.detections_px[frame, clip.keypoint_names.index("left_wrist")]
    column, row = np.floor(2 * point).astype(int)
    np.testing.assert_array_equal(dot[row, column], (60, 230, 90))
    assert (ring[row, column] != (60, 230, 90)).any()
    assert (ring[row - 5 : row + 6, column - 5 : column + 6] == (255, 60, 60)).all(-1).any()


def test_pictures_for_people(maker: ClipMaker, clip: VideoClip) -> None:
    sheet = layer_sheet(clip, every=15)
    assert sheet.shape == (5 * 246 + 6, 3 * 326 + 6, 3)
    parts = occluded_parts(maker, 0, first=2)
    assert (parts.clip.occluder & parts.clip.amodal_mask).any()
    assert draw_figure2(parts).shape == (2 * 486 + 6, 3 * 646 + 6, 3)
    with pytest.raises(PointlightError, match="there is no recipe 'best'"):
        find_synthesis_recipe("best")


def test_the_crop_of_figure_2_is_the_networks(maker: ClipMaker) -> None:
    """150 of 224 pixels are the diagonal of the keypoints' box, not its height; the person is in the middle."""
    clip = maker.clip(0, 0)
    points = clip.joints_px[3, [clip.joint_names.index(name) for name in NETWORK_KEYPOINTS]]
    low, high = points.min(0), points.max(0)
    side = 224 / 150 * float(np.hypot(*(high - low)))
    left, top = (low + high) / 2 - side / 2
    picture = Image.fromarray(clip.frames[3])
    expected = picture.transform(
        (224, 224), Image.Transform.EXTENT, (left, top, left + side, top + side), Image.Resampling.BICUBIC
    )
    assert np.abs(_crop(clip, 3).astype(int) - np.asarray(expected)).max() <= 2
    seen = torch.ones(1, len(points), dtype=torch.bool)
    boxes = track_boxes(torch.from_numpy(points)[None], seen, smooth_frames=0.0)
    assert float(boxes.size_px[0]) * 224 / 150 == pytest.approx(side, rel=1e-5)


def test_a_broken_shard_ends_a_preview_but_not_what_came_before(maker: ClipMaker, tmp_path: Path) -> None:
    def clips() -> Iterator[VideoClip]:
        yield maker.clip(0, 0)
        raise PointlightError("the shard b.tar cannot be read")

    with pytest.warns(UserWarning, match=r"b\.tar cannot be read; the 1 clips before it are drawn"):
        files = write_preview(clips(), tmp_path)
    assert [file.name for file in files] == ["00000000.mp4", "contact_sheet.png"]
    assert all(file.is_file() for file in files)


def test_the_command_makes_clips_and_what_people_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointlight.simulator.clips.generate.procedural_bank", few_motions)
    out, picture, stages = tmp_path / "out", tmp_path / "figure2.png", tmp_path / "stages.png"
    make = ["synthesize", "--count", "2", "--out", str(out), "--seed", "6", "--workers", "0"]
    assert "2 clips (2 made now" in invoked(*make)
    assert [clip.provenance.recipe for clip in read_clips(out)] == ["full", "full"]
    said = invoked("preview", str(out))
    preview = out / "preview"
    assert said.splitlines() == [
        str(preview / name) for name in ("00000000.mp4", "00000001.mp4", "contact_sheet.png")
    ]
    assert len(list(VideoReader(preview / "00000001.mp4"))) == 31
    assert read_picture(preview / "contact_sheet.png").shape == (492, 1298, 3)
    drawn = tmp_path / "drawn"
    said = invoked("figures", "--out", str(drawn), "--seed", "6")
    assert said.splitlines()[-2:] == [str(drawn / "figure2.png"), str(drawn / "stages.png")]
    assert read_picture(drawn / "figure2.png").std() > 20
    tall, wide, _ = read_picture(drawn / "stages.png").shape
    assert tall > 9 * 240 and wide > 4 * 320  # nine stages of four frames

    # The options of before, for one release.
    given = [*make, "--preview", "--preview-folder", str(tmp_path / "shown")]
    said = invoked(*given, "--figure2", str(picture), "--stages", str(stages))
    assert f"--preview and --preview-folder of synthesize will go; take `pointlight preview {out}`" in said
    assert "--figure2 and --stages of synthesize will go; take `pointlight figures --out FOLDER`" in said
    assert picture.read_bytes() == (drawn / "figure2.png").read_bytes()
    assert stages.read_bytes() == (drawn / "stages.png").read_bytes()
    assert {path.name for path in (tmp_path / "shown").iterdir()} == {path.name for path in preview.iterdir()}


def test_a_preview_of_clips_at_an_address_needs_a_folder() -> None:
    for words in (
        ["preview", "memory://clips"],
        ["synthesize", "--count", "1", "--out", "memory://c", "--preview"],
    ):
        wrong = CliRunner().invoke(app, words)
        assert isinstance(wrong.exception, PointlightError)
        assert "a preview beside an address needs a folder" in str(wrong.exception)


def test_a_recipe_with_options(tmp_path: Path) -> None:
    recipe = find_synthesis_recipe("pointlight")
    assert recipe.with_options() == recipe
    chosen = recipe.with_options(
        split="heldout", flow="tvl1", people=False, pictures=tmp_path, total_occlusions=False
    )
    assert chosen.split == chosen.appearance.split == "heldout"
    assert (chosen.backgrounds.flow, chosen.backgrounds.people) == ("tvl1", False)
    assert chosen.appearance.pictures == tmp_path
    assert chosen.name == "pointlight-no_total_occlusions" and not chosen.scenes.masking.total_occlusion


def invoked(*words: str) -> str:
    """What a command says that goes well."""
    said = CliRunner().invoke(app, list(words))
    assert said.exit_code == 0, (said.output, said.exception)
    return said.output


def few_motions(body: BodyModel, seed: int, **_: object) -> MotionBank:
    return procedural_bank(body, seed, clips_per_kind=5, kinds=("walk", "turn"))
