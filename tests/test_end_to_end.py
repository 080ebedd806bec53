"""The whole way at tiny size: simulate, train, resume, predict, evaluate; no data, no detector, under a minute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, AnnyBody, BodyState
from pointlight.capture import (
    Capture,
    PredictOptions,
    Summary,
    lift_keypoints,
    predict_to_folder,
    write_keypoints,
)
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation import SyntheticTest, constant_pose
from pointlight.media import VideoWriter
from pointlight.motion import MotionBank, procedural_bank
from pointlight.simulator import EVAL_V1, EVAL_V1_PERFECT, SceneSampler, TrackMaker
from pointlight.training import Checkpoint, Trainer, find_recipe, load_checkpoint

SIZE = (320, 240)


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def bank(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, clips_per_kind=5, frames=62)


@pytest.fixture(scope="module")
def weights(bank: MotionBank, body: AnnyBody, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network after 2 steps and 2 more after a resume."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("run")
    Trainer(find_recipe("tiny"), out, bank, body=body, workers=0).run(steps=2)
    again = Trainer(find_recipe("tiny"), out, bank, body=body, workers=0)
    again.resume()
    again.run(steps=4)
    assert again.step == 4
    return out / "best.safetensors"


@pytest.fixture(scope="module")
def model(weights: Path, body: AnnyBody) -> Checkpoint:
    return load_checkpoint(weights, body)


def keypoints_of(times_s: np.ndarray, seen: np.ndarray | None = None) -> Keypoints2D:
    """A person who stands and waves, at any times; frames that are not `seen` have no keypoints."""
    points = np.zeros((len(times_s), len(EXTENDED_KEYPOINTS), 3), np.float32)
    rng = np.random.default_rng(0)
    place = rng.uniform((130, 60), (190, 200), (len(EXTENDED_KEYPOINTS), 2))
    points[..., :2] = place + 5 * np.sin(times_s)[:, None, None]
    points[..., 2] = 1.0
    if seen is not None:
        points[~seen] = 0
    return Keypoints2D(EXTENDED_KEYPOINTS, times_s, np.arange(len(times_s)), points, SIZE, "made")


def write_video(path: Path, frames: int = 40, fps: float = 30.0) -> Path:
    rng = np.random.default_rng(1)
    with VideoWriter(path, fps, SIZE) as video:
        for _ in range(frames):
            video.write(rng.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8))
    return path


def test_predict_from_a_file_of_keypoints_twice_the_same(weights: Path, tmp_path: Path) -> None:
    video = write_video(tmp_path / "video.mp4")
    file = tmp_path / "keypoints.npz"
    write_keypoints(file, keypoints_of(np.arange(40) / 30))
    options = PredictOptions(model=str(weights), keypoints=file, overlay=False)
    for name in ("one", "two"):
        summary = predict_to_folder(video, tmp_path / name, options)
        assert (summary.frames, summary.bodies) == (40, 40)
    first, second = ((tmp_path / name / "poses.npz").read_bytes() for name in ("one", "two"))
    assert first == second
    capture = Capture.load(tmp_path / "one" / "poses.npz")
    assert capture.joint_names == EVALUATION_JOINTS
    assert capture.valid.all() and not capture.occluded.any()
    hips = capture.joints_camera_m[:, [4, 5]].mean(1)
    assert np.abs(hips).max() < 1e-5


@pytest.mark.parametrize("fps", [6.0, 16.0, 20.0, 24.0, 25.0, 50.0, 59.94, 0.0])
def test_every_frame_of_any_rate_gets_a_result(model: Checkpoint, body: AnnyBody, fps: float) -> None:
    rng = np.random.default_rng(2)
    times = np.cumsum(rng.uniform(0.01, 0.09, 50)) if fps == 0 else np.arange(50) / fps
    capture = lift_keypoints(keypoints_of(times), model, body)
    assert np.array_equal(capture.time_s, times)
    assert np.isfinite(capture.joints_camera_m[capture.valid]).all()
    assert capture.valid.all()


def test_one_frame_is_enough(model: Checkpoint, body: AnnyBody) -> None:
    capture = lift_keypoints(keypoints_of(np.array([2.5])), model, body)
    assert capture.valid.tolist() == [True]


def test_nobody_is_invented_where_nobody_is_seen(model: Checkpoint, body: AnnyBody) -> None:
    times = np.arange(120) / 30
    seen = (times < 1.0) | (times > 3.0)
    capture = lift_keypoints(keypoints_of(times, seen), model, body)
    assert capture.occluded.tolist() == (~seen).tolist()
    near = (times < 1.0 + 0.5) | (times > 3.0 - 0.5)
    assert (capture.valid == near).mean() > 0.97
    assert np.isnan(capture.joints_camera_m[~capture.valid]).all()


def test_no_person_at_all_is_said(model: Checkpoint, body: AnnyBody) -> None:
    times = np.arange(10) / 30
    with pytest.raises(PointlightError, match="no person is seen in made"):
        lift_keypoints(keypoints_of(times, np.zeros(10, bool)), model, body)


def test_joints_of_the_file_follow_from_its_pose_and_shape(model: Checkpoint, body: AnnyBody) -> None:
    capture = lift_keypoints(keypoints_of(np.arange(31) / 30), model, body)
    rotations = torch.from_numpy(capture.pose_rotmat)
    state = BodyState(rotations[:, 1:], torch.from_numpy(capture.shape), rotations[:, 0], torch.zeros(3))
    joints = body.keypoints(state, EVALUATION_JOINTS).numpy()
    joints -= joints[:, [4, 5]].mean(1, keepdims=True)
    assert np.abs(joints - capture.joints_camera_m).max() < 1e-4


def test_height_sets_the_scale(model: Checkpoint, body: AnnyBody) -> None:
    tracks = keypoints_of(np.arange(31) / 30)
    capture = lift_keypoints(tracks, model, body, PredictOptions(height_m=1.85))
    assert float(body.stature_m(torch.from_numpy(capture.shape))) == pytest.approx(1.85, abs=0.01)


def test_the_body_stands_where_the_keypoints_are(model: Checkpoint, body: AnnyBody, bank: MotionBank) -> None:
    """With true keypoints of a real simulated person, even an untrained pose must be put onto them."""
    sampler = SceneSampler(EVAL_V1_PERFECT, bank, body)
    scene = sampler.sample(0, 1)
    tracks = TrackMaker(EVAL_V1_PERFECT, body).make([scene])
    points = np.concatenate((tracks.detections_px[0].numpy(), np.ones((31, 19, 1), np.float32)), -1)
    given = Keypoints2D(
        EXTENDED_KEYPOINTS, np.arange(31) / 30, np.arange(31), points, scene.camera.image_size, "made"
    )
    capture = lift_keypoints(given, model, body, PredictOptions(focal_px=scene.camera.focal_px))
    middle = capture.joints_px()[:, :12].mean(1)
    wanted = points[:, [EXTENDED_KEYPOINTS.index(name) for name in NETWORK_KEYPOINTS], :2].mean(1)
    size = np.ptp(points[..., :2], axis=1).max()
    assert np.abs(middle - wanted).max() < 0.1 * size


def test_evaluation_scores_models_and_constants(model: Checkpoint, body: AnnyBody, bank: MotionBank) -> None:
    test = SyntheticTest(EVAL_V1, bank, body, clips=12)
    constant = test.score(constant_pose(bank, body)).plain()
    assert 60 < constant["pa_mpjpe_mm"] < 200
    score = test.score(model.model).plain()
    assert 60 < score["pa_mpjpe_mm"] < 250
    assert set(score["by_group"]) == set(constant["by_group"])
    assert 0 <= score["facing_wrong"] <= 1
    overlapping = test.score(model.model, overlap=True).plain()
    assert overlapping["pa_mpjpe_mm"] == pytest.approx(score["pa_mpjpe_mm"])  # single windows do not overlap


def test_options_refuse_what_cannot_be_meant() -> None:
    with pytest.raises(PointlightError, match="both a field of view and a focal length"):
        PredictOptions(fov_deg=60, focal_px=900)
    with pytest.raises(PointlightError, match="not a person's"):
        PredictOptions(height_m=3.1)
    assert Summary().frames == 0
