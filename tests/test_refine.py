"""Refinement: nearer to the truth where keypoints say so, the network's word where they say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pointlight.body import EXTENDED_KEYPOINTS, MEAN_ADULT_SHAPE, AnnyBody, BodyState
from pointlight.capture.fitting import LiftedTrack, RefineConfig, Track2D, refine
from pointlight.capture.fitting.placing import place_body
from pointlight.capture.fitting.refine import PIECE_FRAMES
from pointlight.geometry import procrustes_error, project, rotvec_to_rotmat
from pointlight.motion import procedural_motion
from pointlight.progress import Progress
from pointlight.randomness import stream

FOCAL = 900.0
PRINCIPAL = np.array([360.0, 640.0])


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


def walk(body: AnnyBody, frames: int) -> LiftedTrack:
    """The truth: somebody walks 4 m before the camera."""
    motion = procedural_motion("walk", body, stream(3, 0, "test"), frames, name="walk", split="train")
    turn = torch.tensor([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]])  # world y up to camera y down
    return LiftedTrack(
        pose=motion.pose,
        root=(turn @ torch.from_numpy(motion.root)).numpy(),
        shape=np.array(MEAN_ADULT_SHAPE, np.float32),
        translation_m=np.tile(np.array([0.1, 0.0, 4.0], np.float32), (frames, 1)),
        occluded=np.zeros(frames, bool),
        valid=np.ones(frames, bool),
    )


def points_of(body: AnnyBody, track: LiftedTrack) -> torch.Tensor:
    state = BodyState(
        torch.from_numpy(track.pose),
        torch.from_numpy(track.shape),
        torch.from_numpy(track.root),
        torch.from_numpy(track.translation_m),
    )
    return body.keypoints(state, EXTENDED_KEYPOINTS)


def seen(body: AnnyBody, track: LiftedTrack, fps: float = 30.0, noise_px: float = 0.0) -> Track2D:
    flat = project(points_of(body, track), torch.tensor(FOCAL), torch.from_numpy(PRINCIPAL).float()).numpy()
    rng = np.random.default_rng(1)
    flat = flat + rng.normal(0, noise_px, flat.shape)
    return Track2D(np.arange(len(flat)) / fps, flat, np.ones(flat.shape[:2], bool), FOCAL, PRINCIPAL)


def guess(truth: LiftedTrack, deg: float, seed: int = 0) -> LiftedTrack:
    """The truth as a network might say it: every joint turned a little, slowly changing."""
    generator = torch.Generator().manual_seed(seed)
    joints = truth.pose.shape[1]
    axes = torch.randn(1, joints, 3, generator=generator) * np.radians(deg)
    return replace(truth, pose=(torch.from_numpy(truth.pose) @ rotvec_to_rotmat(axes)).numpy())


def error_mm(body: AnnyBody, found: LiftedTrack, truth: LiftedTrack) -> np.ndarray:
    return 1000 * procrustes_error(points_of(body, found), points_of(body, truth)).numpy()


def test_it_comes_nearer_to_the_truth(body: AnnyBody) -> None:
    truth = walk(body, 45)
    start = guess(truth, 9)
    told: list[Progress] = []
    found = refine(seen(body, truth, noise_px=3), start, body, EXTENDED_KEYPOINTS, progress=told.append)
    before, after = error_mm(body, start, truth).mean(), error_mm(body, found, truth).mean()
    assert before > 25
    assert after < 0.65 * before
    assert told[-1] == Progress("refine", len(told), len(told), unit="step")
    for rotations in (found.pose, found.root):
        eye = np.einsum("...ij,...kj->...ik", rotations, rotations)
        assert np.abs(eye - np.eye(3)).max() < 1e-4


def test_what_is_not_seen_stays_as_the_network_says(body: AnnyBody) -> None:
    truth = walk(body, 31)
    start = guess(truth, 9)
    track = seen(body, truth)
    arm = [EXTENDED_KEYPOINTS.index(f"left_{part}") for part in ("elbow", "wrist")]
    wild = track.points_px.copy()
    wild[:, arm] += 400
    hidden = track.visible.copy()
    hidden[:, arm] = False
    found = refine(replace(track, points_px=wild, visible=hidden), start, body, EXTENDED_KEYPOINTS)
    elbow = body.joint_names.index("left_elbow") - 1
    np.testing.assert_allclose(found.pose[:, elbow], start.pose[:, elbow], atol=0.02)
    occluded = replace(start, occluded=np.ones(31, bool))
    same = refine(track, occluded, body, EXTENDED_KEYPOINTS)
    np.testing.assert_allclose(same.root, start.root, atol=0.05)


def test_a_body_that_nobody_sees_for_a_while_does_not_wander_off(body: AnnyBody) -> None:
    truth = walk(body, 45)
    hidden = np.zeros(45, bool)
    hidden[15:28] = True
    found = refine(seen(body, truth, noise_px=3), replace(truth, occluded=hidden), body, EXTENDED_KEYPOINTS)
    assert np.linalg.norm(found.translation_m - truth.translation_m, axis=-1).max() < 0.12


def test_a_wild_keypoint_does_not_drag_the_body_along(body: AnnyBody) -> None:
    truth = walk(body, 31)
    track = seen(body, truth, noise_px=2)
    wrist = EXTENDED_KEYPOINTS.index("left_wrist")
    wild = track.points_px.copy()
    wild[12:18, wrist] += (250, -300)
    clean = refine(track, truth, body, EXTENDED_KEYPOINTS)
    found = refine(replace(track, points_px=wild), truth, body, EXTENDED_KEYPOINTS)
    apart = np.linalg.norm((points_of(body, found) - points_of(body, clean)).numpy(), axis=-1)
    assert apart[12:18, wrist].mean() < 0.12
    assert apart.mean() < 0.02


def test_it_takes_jitter_out_at_any_frame_rate(body: AnnyBody) -> None:
    truth = walk(body, 60)
    rng = np.random.default_rng(2)
    noise = rotvec_to_rotmat(torch.from_numpy(rng.normal(0, 0.05, (60, 21, 3)).astype(np.float32)))
    start = replace(truth, pose=(torch.from_numpy(truth.pose) @ noise).numpy())
    for fps in (30.0, 60.0):
        found = refine(seen(body, truth, fps, noise_px=4), start, body, EXTENDED_KEYPOINTS)
        shakes = [
            np.abs(np.diff((points_of(body, x) - points_of(body, truth)).numpy(), n=2, axis=0)).mean()
            for x in (start, found)
        ]
        assert shakes[1] < 0.8 * shakes[0]


def test_a_foot_that_stands_in_the_picture_stands_in_space(body: AnnyBody) -> None:
    """The network lets a standing person's leg swing towards the camera and back, which the picture hardly shows."""
    frames = 45
    stands = walk(body, frames)
    stands = replace(stands, pose=stands.pose[:1].repeat(frames, 0), root=stands.root[:1].repeat(frames, 0))
    hip = body.joint_names.index("left_hip") - 1
    swing = np.zeros((frames, 3), np.float32)
    swing[:, 0] = np.radians(12) * np.sin(np.arange(frames) / 30 * 2 * np.pi * 1.5)
    pose = stands.pose.copy()
    pose[:, hip] = (torch.from_numpy(pose[:, hip]) @ rotvec_to_rotmat(torch.from_numpy(swing))).numpy()
    start = replace(stands, pose=pose)
    track = seen(body, stands, noise_px=2)
    ankle = EXTENDED_KEYPOINTS.index("left_ankle")

    def roams_mm(found: LiftedTrack) -> float:
        return 1000 * float(points_of(body, found)[:, ankle, 2].std())

    off = refine(track, start, body, EXTENDED_KEYPOINTS, RefineConfig(stand_m_s=1e4))
    on = refine(track, start, body, EXTENDED_KEYPOINTS)
    assert roams_mm(start) > 50
    assert roams_mm(on) < 0.8 * roams_mm(off)


def test_a_foot_that_moves_in_the_picture_is_left_alone(body: AnnyBody) -> None:
    truth = walk(body, 45)
    track = seen(body, truth)
    free = refine(track, truth, body, EXTENDED_KEYPOINTS, RefineConfig(stand_m_s=1e4))
    held = refine(track, truth, body, EXTENDED_KEYPOINTS)
    speed = np.linalg.norm(np.diff(track.points_px, axis=0), axis=-1)
    ankle = EXTENDED_KEYPOINTS.index("left_ankle")
    swings = speed[:, ankle] > np.quantile(speed[:, ankle], 0.7)
    apart = np.linalg.norm((points_of(body, held) - points_of(body, free)).numpy(), axis=-1)
    assert apart[1:][swings, ankle].mean() < 0.015


def test_a_knee_is_not_bent_the_wrong_way(body: AnnyBody) -> None:
    truth = walk(body, 31)
    knee = body.joint_names.index("left_knee") - 1
    axis = torch.tensor(body.hinge_axes["left_knee"])
    pose = truth.pose.copy()
    pose[:, knee] = rotvec_to_rotmat(-np.radians(35) * axis).numpy()
    start = replace(truth, pose=pose)
    track = replace(seen(body, start), visible=np.zeros((31, len(EXTENDED_KEYPOINTS)), bool))

    def bend_deg(found: LiftedTrack) -> float:
        turn = found.pose[:, knee]
        sine = np.stack(
            (turn[:, 2, 1] - turn[:, 1, 2], turn[:, 0, 2] - turn[:, 2, 0], turn[:, 1, 0] - turn[:, 0, 1])
        )
        return float(np.degrees(np.arcsin((0.5 * sine.T) @ axis.numpy())).mean())

    assert bend_deg(start) == pytest.approx(-35, abs=0.5)
    assert bend_deg(refine(track, start, body, EXTENDED_KEYPOINTS)) > -22
    limitless = RefineConfig(overstretch_deg=1e4)
    assert bend_deg(refine(track, start, body, EXTENDED_KEYPOINTS, limitless)) < -33


def test_long_tracks_are_fitted_in_pieces_that_fit_together(body: AnnyBody) -> None:
    frames = PIECE_FRAMES + 90
    short = walk(body, 31)
    repeat = np.concatenate((np.arange(31), np.arange(29, 0, -1)))
    index = np.resize(repeat, frames)
    truth = replace(
        short,
        pose=short.pose[index],
        root=short.root[index],
        translation_m=short.translation_m[index],
        occluded=np.zeros(frames, bool),
        valid=np.ones(frames, bool),
    )
    start = guess(truth, 9)
    found = refine(seen(body, truth), start, body, EXTENDED_KEYPOINTS)
    after = error_mm(body, found, truth)
    assert after.mean() < 0.65 * error_mm(body, start, truth).mean()
    steps = np.linalg.norm(np.diff(points_of(body, found).numpy(), axis=0), axis=-1).max(1)
    assert steps.max() < 1.5 * np.linalg.norm(np.diff(points_of(body, truth).numpy(), axis=0), axis=-1).max()


def test_one_frame_is_a_track_too(body: AnnyBody) -> None:
    truth = walk(body, 1)
    found = refine(seen(body, truth), guess(truth, 9), body, EXTENDED_KEYPOINTS)
    assert np.isfinite(found.pose).all()
    assert error_mm(body, found, truth)[0] < error_mm(body, guess(truth, 9), truth)[0]


def test_a_body_is_placed_where_most_of_its_keypoints_are(body: AnnyBody) -> None:
    truth = walk(body, 31)
    joints = points_of(body, truth).numpy()
    rays = joints[..., :2] / joints[..., 2:]
    rays[10:20, EXTENDED_KEYPOINTS.index("left_wrist")] += (0.15, -0.2)
    start = truth.translation_m * 1.2
    inner = joints - truth.translation_m[:, None]
    found = place_body(inner, rays, np.ones(rays.shape[:2]), start, np.arange(31) / 30)
    assert np.abs(found - truth.translation_m).max() < 0.03
