"""Layers over one another: which pixel shows what, and which keypoint is shown."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from layer_makers import ellipse_person, no_draws

from pointlight.body import EXTENDED_KEYPOINTS, AnnyBody
from pointlight.errors import PointlightError
from pointlight.motion import procedural_bank
from pointlight.simulator import (
    TRACK_POINTS,
    DetectorNoise,
    KeypointMaskingConfig,
    PersonLayer,
    SceneConfig,
    SceneSampler,
    TrackMaker,
    VideoClip,
)
from pointlight.simulator.clips import CompositeConfig, Occluder, Provenance, composite
from pointlight.simulator.scenes import SelfOcclusion

FRAMES, SIZE = 8, (60, 80)
WALK = np.stack((np.linspace(20, 40, FRAMES), np.full(FRAMES, 40.0)), axis=-1)
BACKGROUND = np.random.default_rng(0).integers(0, 255, (FRAMES, SIZE[1], SIZE[0], 3), dtype=np.uint8)
FROM = Provenance("made", 3, 7)
SILENT = KeypointMaskingConfig(unhide_legs=0.0, flip=0.0, total_occlusion=0.0, block=0.0)


def person(**options: object) -> PersonLayer:
    return ellipse_person(WALK, (8, 34), SIZE, **options)  # type: ignore[arg-type]


def lower_half(row: int = 40) -> Occluder:
    mask = np.zeros(BACKGROUND.shape[:3], bool)
    mask[:, row:] = True
    return Occluder("superpixel", mask)


def test_every_pixel_shows_one_thing() -> None:
    layer, occluder = person(), lower_half()
    clip = composite([layer], BACKGROUND, occluder, no_draws(FRAMES), CompositeConfig(), FROM)
    shown = layer.mask & ~occluder.mask
    assert np.array_equal(clip.mask, shown) and np.array_equal(clip.amodal_mask, layer.mask)
    assert (clip.frames[shown] == layer.colour[shown]).all()
    assert (clip.frames[~shown] == BACKGROUND[~shown]).all()
    assert np.array_equal(clip.occluder, occluder.mask) and not clip.others.any()
    assert clip.provenance is FROM
    assert (
        BACKGROUND.sum() == np.random.default_rng(0).integers(0, 255, BACKGROUND.shape, dtype=np.uint8).sum()
    )


def test_without_an_occluder_all_of_the_person_is_there() -> None:
    clip = composite([person()], BACKGROUND, None, no_draws(FRAMES), CompositeConfig(), FROM)
    assert np.array_equal(clip.mask, clip.amodal_mask)
    assert clip.visible.all() and not clip.occluder.any() and not clip.occluded.any()


def test_a_coloured_occluder_is_painted_where_the_person_is_not_too() -> None:
    occluder = replace(lower_half(), kind="box", colour=np.full_like(BACKGROUND, 9))
    clip = composite([person()], BACKGROUND, occluder, no_draws(FRAMES), CompositeConfig(), FROM)
    assert (clip.frames[:, 40:] == 9).all()
    assert not (clip.frames[:, :40] == 9).all(-1).any()


@pytest.mark.parametrize("row", [37, 40])
def test_points_under_the_occluder_are_hidden(row: int) -> None:
    """Points stand at 36.94 and at 40.00."""
    layer = person()
    config = CompositeConfig(masking=SILENT)
    clip = composite([layer], BACKGROUND, lower_half(row), no_draws(FRAMES), config, FROM)
    assert np.array_equal(clip.occluded, layer.joints_px[..., 1] >= row)
    assert np.array_equal(clip.visible, layer.joints_px[:, : len(EXTENDED_KEYPOINTS), 1] < row)
    assert clip.keypoint_names == EXTENDED_KEYPOINTS
    assert np.array_equal(clip.detections_px, layer.joints_px[:, : len(EXTENDED_KEYPOINTS)])


def test_appendix_b_in_its_order() -> None:
    """Hidden legs may be unhidden, flips come last, and a total occlusion wins over both."""
    whole = Occluder("superpixel", np.ones(BACKGROUND.shape[:3], bool))
    legs = np.array(
        [any(part in n for part in ("hip", "knee", "ankle", "heel", "toe")) for n in EXTENDED_KEYPOINTS]
    )
    draws = replace(no_draws(FRAMES), unhide_legs=True)
    draws.flip[1] = True
    draws.totally_occluded[2] = True
    clip = composite([person()], BACKGROUND, whole, draws, CompositeConfig(), FROM)
    assert np.array_equal(clip.visible[0], legs)
    assert np.array_equal(clip.visible[1], ~legs)
    assert not clip.visible[2].any()
    assert clip.totally_occluded.tolist() == [t == 2 for t in range(FRAMES)]


def test_drawn_blocks_hide_beside_the_occluder() -> None:
    draws = no_draws(FRAMES)
    draws.block[:, 3] = True
    clip = composite([person()], BACKGROUND, None, draws, CompositeConfig(), FROM)
    assert np.array_equal(clip.visible, ~draws.block)


def test_a_totally_occluded_frame_keeps_its_picture_unless_asked() -> None:
    draws = no_draws(FRAMES)
    draws.totally_occluded[3:5] = True
    config = CompositeConfig()
    plain = composite([person()], BACKGROUND, None, no_draws(FRAMES), config, FROM)
    kept = composite([person()], BACKGROUND, None, draws, config, FROM)
    assert np.array_equal(kept.frames, plain.frames) and np.array_equal(kept.mask, plain.mask)
    absent = composite([person()], BACKGROUND, None, draws, replace(config, totally_occluded="absent"), FROM)
    assert np.array_equal(absent.frames[3:5], BACKGROUND[3:5]) and not absent.mask[3:5].any()
    assert np.array_equal(absent.frames[5:], plain.frames[5:])
    assert np.array_equal(absent.visible, kept.visible)


def test_further_people_stand_before_or_behind() -> None:
    config = CompositeConfig(masking=SILENT)
    nearer, farther = (
        ellipse_person(WALK[::-1], (8, 20), SIZE, depth_m=z, colour=(1, 2, 3)) for z in (3.0, 6.0)
    )
    subject = person()
    both = subject.mask & nearer.mask
    assert both.any()
    before = composite([subject, nearer], BACKGROUND, None, no_draws(FRAMES), config, FROM)
    self_occluded = composite([subject, farther], BACKGROUND, None, no_draws(FRAMES), config, FROM)
    assert np.array_equal(before.mask, subject.mask & ~nearer.mask)
    assert np.array_equal(before.others, nearer.mask)
    assert (before.frames[nearer.mask] == (1, 2, 3)).all()
    assert np.array_equal(self_occluded.mask, subject.mask)
    assert np.array_equal(self_occluded.others, farther.mask & ~subject.mask)
    assert self_occluded.visible.all() and not self_occluded.occluded.any()
    column, row = np.moveaxis(np.floor(subject.joints_px).astype(int), -1, 0)
    expected = nearer.mask[np.arange(FRAMES)[:, None], row, column]
    assert expected.any() and np.array_equal(before.occluded, expected)


def test_points_that_nobody_knows_are_never_shown() -> None:
    layer = person()
    layer.joints_px[:, layer.joint_names.index("nose")] = np.nan
    draws = no_draws(FRAMES)
    nose = EXTENDED_KEYPOINTS.index("nose")
    draws.flip[:, nose] = True  # would show what is hidden
    for noise in (DetectorNoise(), DetectorNoise(white=0.01, wrong_hidden=1.0)):
        clip = composite([layer], BACKGROUND, None, draws, CompositeConfig(noise=noise), FROM)
        assert not clip.visible[:, nose].any()
        assert np.isfinite(clip.detections_px).all()


def test_sizes_that_do_not_fit() -> None:
    cases = [
        ([person()], BACKGROUND[:, :-1], None, no_draws(FRAMES), "background"),
        ([person()], BACKGROUND, Occluder("box", np.zeros((2, 3, 4), bool)), no_draws(FRAMES), "occluder"),
        ([person()], BACKGROUND, None, no_draws(FRAMES - 1), "draws"),
    ]
    for people, background, occluder, draws, word in cases:
        with pytest.raises(ValueError, match=word):
            composite(people, background, occluder, draws, CompositeConfig(), FROM)


def test_provenance_keeps_splits_apart_and_is_plain() -> None:
    mixed = Provenance(
        "full", 1, 5, {"motion": "a"}, {"motion": "train", "background": "heldout"}, {"clip": "1"}
    )
    with pytest.raises(
        PointlightError, match=r"clip 5 of full \(seed 1\) has a background of the split 'heldout'"
    ):
        mixed.check_split("train")
    replace(mixed, splits={"motion": "train"}).check_split("train")
    assert Provenance(**json.loads(json.dumps(mixed.as_json()))) == mixed


@pytest.fixture(scope="module")
def scene_clips() -> list[tuple[object, VideoClip]]:
    """Tracks of scenes, and clips whose person has the same truth."""
    body = AnnyBody()
    config = replace(SceneConfig(), noise=DetectorNoise(white=0.01, drift=0.01, stray=0.1, swap=0.5))
    sampler = SceneSampler(config, procedural_bank(body, 5, clips_per_kind=2, frames=40), body)
    maker, occlusion = TrackMaker(config, body), SelfOcclusion(body)
    result = []
    for index in range(6):
        scene = sampler.sample(2, index)
        tracks = maker.make([scene])
        points = tracks.points_camera_m[:, :, : len(EXTENDED_KEYPOINTS)]
        someone = body.person(tracks.state.shape)
        self_occluded = occlusion.hidden(
            points, body.posed(tracks.state, someone), someone, tracks.state.shape
        )[0]
        self_occluded = np.concatenate((self_occluded, np.zeros((len(self_occluded), 2), bool)), axis=1)
        pixels, places = tracks.points_px[0].numpy(), tracks.points_camera_m[0].numpy()
        width, height = scene.camera.image_size
        count = len(pixels)
        blank = ellipse_person(np.full((count, 2), (width / 2, height / 2)), (9, 30), (width, height))
        layer = replace(
            blank,
            joints_px=pixels,
            joints_camera_m=places,
            joint_names=TRACK_POINTS,
            out_of_frame=(pixels < 0).any(-1) | (pixels > (width, height)).any(-1) | (places[..., 2] < 0.1),
            self_occluded=self_occluded,
            camera=scene.camera,
        )
        background = np.zeros((count, height, width, 3), np.uint8)
        how = CompositeConfig(config.masking, config.noise)
        clip = composite([layer], background, None, scene.masking, how, Provenance("made", 2, index))
        result.append((tracks, clip))
    return result


def test_clips_agree_with_tracks(scene_clips: list) -> None:
    """One scene, one seed, one index: the same detections and the same keypoints shown."""
    hidden = 0
    for tracks, clip in scene_clips:
        assert torch.equal(tracks.visible[0], torch.from_numpy(clip.visible))
        assert np.abs(tracks.detections_px[0].numpy() - clip.detections_px).max() < 1e-3
        assert np.array_equal(tracks.totally_occluded[0].numpy(), clip.totally_occluded)
        assert not clip.visible[clip.totally_occluded].any()
        hidden += (~clip.visible).sum()
    assert hidden > 100
