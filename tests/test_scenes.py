"""Scenes and tracks: pure, within their ranges, and hidden by the paper's rules."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from pointlight.body import EXTENDED_KEYPOINTS, MEAN_ADULT_SHAPE, AnnyBody, BodyState
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank, procedural_bank
from pointlight.randomness import stream
from pointlight.simulator import (
    EVAL_V1,
    TRACK_POINTS,
    CameraConfig,
    DetectorNoise,
    KeypointMaskingConfig,
    Scene,
    SceneConfig,
    SceneSampler,
    TrackMaker,
)
from pointlight.simulator.scenes import KeypointMaskingDraws, SelfOcclusion, surreal_scenes
from pointlight.simulator.scenes.detector_noise import detector_errors
from pointlight.simulator.scenes.keypoint_masking import apply_masking, draw_masking, leg_mask

SILENT = KeypointMaskingConfig(
    self_occlusion=False, frame_edge=False, unhide_legs=0.0, flip=0.0, total_occlusion=0.0, block=0.0
)


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def bank(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, clips_per_kind=5, frames=62)


@pytest.fixture(scope="module")
def scenes(bank: MotionBank, body: AnnyBody) -> list[Scene]:
    sampler = SceneSampler(SceneConfig(), bank, body)
    return [sampler.sample(0, index) for index in range(120)]


def test_streams_are_numpys() -> None:
    """Data sets are named by seeds: the generators stay those that NumPy makes of a digest."""
    for index in range(300):
        digest = hashlib.blake2b(f"7/{index}/camera".encode(), digest_size=16).digest()
        numpys = np.random.PCG64(np.random.SeedSequence(list(np.frombuffer(digest, "<u4"))))
        assert stream(7, index, "camera").bit_generator.state == numpys.state


def test_each_clip_has_one_of_the_detectors_and_all_come_up(bank: MotionBank, body: AnnyBody) -> None:
    kinds = (DetectorNoise(white=0.01), DetectorNoise(bias=0.02), DetectorNoise())
    config = SceneConfig(noise=kinds[0], other_noises=kinds[1:], masking=SILENT)
    drawn = [SceneSampler(config, bank, body).sample(0, index) for index in range(90)]
    counts = [sum(scene.noise == kind for scene in drawn) for kind in kinds]
    assert sum(counts) == 90 and min(counts) > 15
    alone = SceneSampler(replace(config, other_noises=()), bank, body)
    for index in (0, 1, 2):
        assert alone.sample(0, index).noise == kinds[0]
        np.testing.assert_array_equal(alone.sample(0, index).motion.pose, drawn[index].motion.pose)
    exact = next(scene for scene in drawn if scene.noise == kinds[2])
    tracks = TrackMaker(config, body).make([exact])
    torch.testing.assert_close(tracks.detections_px, tracks.points_px[..., : len(EXTENDED_KEYPOINTS), :])


def digest(scene: Scene) -> str:
    parts = (scene.motion.pose, scene.motion.translation_m, scene.shape, scene.camera.R_camera_world)
    parts += (
        scene.camera.translation_m,
        scene.masking.block,
        scene.masking.flip,
        scene.masking.totally_occluded,
    )
    joined = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    return hashlib.sha256(joined + repr((scene.camera.focal_px, scene.assumed_focal_px)).encode()).hexdigest()


def test_a_scene_is_a_function_of_seed_and_index(
    bank: MotionBank, body: AnnyBody, scenes: list[Scene]
) -> None:
    alone = SceneSampler(SceneConfig(), bank, body)
    assert digest(alone.sample(0, 17)) == digest(scenes[17])
    assert digest(alone.sample(1, 17)) != digest(scenes[17])
    assert len({digest(scene) for scene in scenes}) == len(scenes)


def test_scenes_stay_in_their_split(bank: MotionBank, body: AnnyBody) -> None:
    for split in ("train", "validation", "heldout"):
        sampler = SceneSampler(SceneConfig(split=split), bank, body)
        names = {sampler.sample(0, index).motion.name for index in range(20)}
        allowed = {bank.clips[i].name for i in bank.indices(split)}
        assert names <= allowed


def test_a_split_without_motions_is_said(bank: MotionBank, body: AnnyBody) -> None:
    config = SceneConfig(frames=10_000)
    with pytest.raises(
        PointlightError, match=r"none of the .* motions belongs to the split 'train' and has 10000 fra"
    ):
        SceneSampler(config, bank, body)


def test_cameras_keep_their_ranges(scenes: list[Scene]) -> None:
    config = CameraConfig()
    middle = SceneConfig().frames // 2
    for scene in scenes:
        camera = scene.camera
        centre = -camera.R_camera_world[middle].T @ camera.translation_m[middle]
        distance = np.linalg.norm(centre - scene.motion.translation_m.mean(0))
        assert 1.5 <= distance <= 12.5  # the range is for the clip's mean, cameras and people move
        assert np.allclose(
            camera.R_camera_world @ np.swapaxes(camera.R_camera_world, 1, 2), np.eye(3), atol=1e-5
        )
        assert np.linalg.det(camera.R_camera_world[0]) == pytest.approx(1, abs=1e-4)
        widths = camera.focal_px / max(camera.image_size)
        assert widths <= config.focal_widths[1] + 1e-6


def test_people_are_in_the_picture(scenes: list[Scene], body: AnnyBody) -> None:
    tracks = TrackMaker(SceneConfig(), body).make(scenes)
    size = torch.tensor([scene.camera.image_size for scene in scenes])[:, None, None]
    inside = ((tracks.points_px > 0) & (tracks.points_px < size)).all(-1)
    assert inside.float().mean() > 0.85
    assert (tracks.points_camera_m[..., 2] > 0.3).all()


def test_surreal_camera(bank: MotionBank, body: AnnyBody) -> None:
    sampler = SceneSampler(surreal_scenes(SceneConfig()), bank, body)
    for index in range(10):
        camera = sampler.sample(0, index).camera
        assert camera.image_size == (320, 240)
        assert camera.focal_px == pytest.approx(600, abs=1)
        assert np.ptp(camera.translation_m, axis=0).max() < 1e-5


def test_tracks_are_projections_of_the_body(scenes: list[Scene], body: AnnyBody) -> None:
    tracks = TrackMaker(SceneConfig(), body).make(scenes[:4])
    points = body.keypoints(tracks.state, TRACK_POINTS)
    flat = points[..., :2] / points[..., 2:] * tracks.focal_px[:, None, None, None]
    flat = flat + tracks.principal_px[:, :, None]
    assert torch.allclose(flat, tracks.points_px, atol=1e-2)
    world = torch.from_numpy(scenes[0].motion.translation_m)
    camera = torch.from_numpy(scenes[0].camera.R_camera_world) @ world[..., None]
    assert torch.allclose(
        camera[..., 0] + torch.from_numpy(scenes[0].camera.translation_m),
        tracks.state.translation[0],
        atol=1e-4,
    )


def test_capsules_hide_what_lies_behind_the_trunk(body: AnnyBody) -> None:
    turn = torch.diag(torch.tensor([1.0, -1.0, -1.0]))  # facing the camera
    shape = torch.tensor(MEAN_ADULT_SHAPE)
    state = BodyState(torch.eye(3).expand(21, 3, 3), shape, turn, torch.tensor([0.0, 0.0, 4.0]))
    person = body.person(shape)
    posed = body.posed(state, person)
    chest = posed.joints[body.joint_names.index("spine2")]
    along = torch.stack([chest * (1 + d / chest[2]) for d in (-0.4, 0.0, 0.1, 0.5)])
    hidden = SelfOcclusion(body).hidden(along, posed, person, shape)
    assert hidden.tolist() == [False, False, True, True]  # the breast is some 17 cm before the spine


def draws(config: KeypointMaskingConfig, count: int) -> list[KeypointMaskingDraws]:
    return [draw_masking(config, 3, index, 31, EXTENDED_KEYPOINTS) for index in range(count)]


def test_total_occlusions_are_up_to_15_frames_and_win() -> None:
    config = replace(KeypointMaskingConfig(), total_occlusion=1.0)
    lengths = set()
    nothing = np.zeros((31, 19), bool)
    for draw in draws(config, 200):
        frames = np.flatnonzero(draw.totally_occluded)
        assert (np.diff(frames) == 1).all()
        lengths.add(len(frames))
        visible = apply_masking(nothing, nothing, draw, config, leg_mask(EXTENDED_KEYPOINTS))
        assert not visible[frames].any()
    assert max(lengths) == 15
    share = np.mean([draw.totally_occluded.any() for draw in draws(KeypointMaskingConfig(), 1000)])
    assert share == pytest.approx(0.15, abs=0.04)


def test_flips_are_five_percent_both_ways() -> None:
    config = replace(SILENT, flip=0.05, frame_edge=True)
    legs = leg_mask(EXTENDED_KEYPOINTS)
    out_of_frame, self_occluded = np.ones((31, 19), bool), np.zeros((31, 19), bool)
    shown = np.mean(
        [apply_masking(out_of_frame, self_occluded, d, config, legs).mean() for d in draws(config, 300)]
    )
    hidden = np.mean(
        [1 - apply_masking(self_occluded, self_occluded, d, config, legs).mean() for d in draws(config, 300)]
    )
    assert shown == pytest.approx(0.05, abs=0.005)
    assert hidden == pytest.approx(0.05, abs=0.005)


def test_legs_are_unhidden_in_half_of_the_clips() -> None:
    config = replace(SILENT, unhide_legs=0.5, self_occlusion=True)
    legs = leg_mask(EXTENDED_KEYPOINTS)
    self_occluded, nothing = np.ones((31, 19), bool), np.zeros((31, 19), bool)
    shown = [apply_masking(nothing, self_occluded, draw, config, legs) for draw in draws(config, 400)]
    assert all(not clip[:, ~legs].any() for clip in shown)
    assert {clip[:, legs].mean() for clip in shown} == {0.0, 1.0}
    assert np.mean([clip[:, legs].all() for clip in shown]) == pytest.approx(0.5, abs=0.08)


def test_blocks_hide_about_eight_percent() -> None:
    share = np.mean([draw.block.mean() for draw in draws(KeypointMaskingConfig(), 2000)])
    assert share == pytest.approx(EVAL_V1.masking.block, abs=0.015)


def test_detector_noise_has_the_stated_size() -> None:
    points = np.zeros((31, 19, 2))
    points[:, EXTENDED_KEYPOINTS.index("left_ankle")] = (60, 80)  # a person's size of 100 px
    visible = np.ones((31, 19), bool)
    white, bias = [], []
    for index in range(200):
        seen, shown = detector_errors(
            points, visible, EXTENDED_KEYPOINTS, DetectorNoise(white=0.012, bias=0.01), 1, index
        )
        offset = seen - points
        bias.append(offset.mean(0).std())
        white.append((offset - offset.mean(0)).std())
        assert shown.all()
    assert np.mean(white) == pytest.approx(1.2, abs=0.05)
    assert np.mean(bias) == pytest.approx(1.0, abs=0.08)


def test_drift_is_slow_and_strays_are_whole_limbs() -> None:
    points = np.zeros((93, 19, 2))
    points[:, EXTENDED_KEYPOINTS.index("left_ankle")] = (60, 80)
    visible = np.ones((93, 19), bool)

    def errors(noise: DetectorNoise) -> np.ndarray:
        drawn = [detector_errors(points, visible, EXTENDED_KEYPOINTS, noise, 1, i)[0] for i in range(150)]
        return np.stack(drawn) - points

    drift = errors(DetectorNoise(drift=0.008))
    assert drift.std() == pytest.approx(0.8, abs=0.05)
    assert 0.3 < (drift[:, 1:] * drift[:, :-1]).mean() / drift.var() < 0.9
    noise = DetectorNoise(stray=0.07, stray_size=0.08)
    stray = errors(noise)
    off = {name: np.linalg.norm(stray[:, :, k], axis=-1) for k, name in enumerate(EXTENDED_KEYPOINTS)}
    for name in ("nose", "left_hip", "right_shoulder"):
        assert not off[name].any()
    for side in ("left", "right"):
        for end, middle in (("wrist", "elbow"), ("ankle", "knee")):
            assert (off[f"{side}_{end}"] > 0).mean() == pytest.approx(noise.stray, abs=0.02)
            np.testing.assert_allclose(off[f"{side}_{end}"], 2 * off[f"{side}_{middle}"], atol=1e-4)


def test_exchanges_swap_sides_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (31, 19, 2)).astype(np.float32)
    visible = np.ones((31, 19), bool)
    seen, _ = detector_errors(points, visible, EXTENDED_KEYPOINTS, DetectorNoise(swap=1.0), 1, 2)
    changed = (seen != points).any(-1)
    frames = np.flatnonzero(changed.any(1))
    assert 2 <= len(frames) < 31
    assert (np.diff(frames) == 1).all()
    left, right = (EXTENDED_KEYPOINTS.index(f"{side}_knee") for side in ("left", "right"))
    assert np.array_equal(seen[frames][:, left], points[frames][:, right])
    assert not changed[:, EXTENDED_KEYPOINTS.index("nose")].any()


def test_told_focal_is_true_or_the_diagonal(scenes: list[Scene]) -> None:
    true = [scene.assumed_focal_px == scene.camera.focal_px for scene in scenes]
    for scene, known in zip(scenes, true, strict=True):
        assert known or scene.assumed_focal_px == pytest.approx(np.hypot(*scene.camera.image_size))
    assert 0.3 < np.mean(true) < 0.7
