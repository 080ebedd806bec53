"""The whole way at tiny size: simulate, train, resume, predict, evaluate; no data, no detector, under a minute."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from pointlight.body import (
    EVALUATION_JOINTS,
    EXTENDED_KEYPOINTS,
    NETWORK_KEYPOINTS,
    AnnyBody,
    BodyState,
)
from pointlight.capture import (
    Capture,
    PredictOptions,
    lift_keypoints,
    predict_to_folder,
    predict_with_diagnostics,
)
from pointlight.capture.detection import write_keypoints
from pointlight.capture.predict import lift_with_diagnostics
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation import Contender, constant_pose
from pointlight.evaluation.synthetic import SyntheticTest
from pointlight.media import VideoReader, VideoWriter
from pointlight.motion import MotionBank, procedural_bank
from pointlight.simulator import EVAL_V1, EVAL_V1_PERFECT, SceneSampler, TrackMaker
from pointlight.training import Checkpoint, Trainer, find_training_recipe, load_checkpoint

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
    Trainer(find_training_recipe("tiny"), out, bank, body=body, workers=0).run(steps=2)
    again = Trainer(find_training_recipe("tiny"), out, bank, body=body, workers=0)
    again.resume(extend_to=4)
    again.run()
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
        result = predict_to_folder(video, tmp_path / name, options)
        assert (result.diagnostics.frames, result.diagnostics.bodies) == (40, 40)
        assert result.files == (tmp_path / name / "poses.npz", tmp_path / name / "summary.json")
        assert [stage for stage, _ in result.diagnostics.seconds] == ["detect", "lift", "refine", "world"]
    first, second = ((tmp_path / name / "poses.npz").read_bytes() for name in ("one", "two"))
    assert first == second
    capture = Capture.load(tmp_path / "one" / "poses.npz")
    assert capture.joint_names == EVALUATION_JOINTS
    assert capture.valid.all() and not capture.occluded.any()
    hips = capture.joints_camera_m[:, [4, 5]].mean(1)
    assert np.abs(hips).max() < 1e-5


def test_an_overlay_of_earlier_poses_does_not_stay(weights: Path, tmp_path: Path) -> None:
    video, file, out = write_video(tmp_path / "video.mp4", 4), tmp_path / "keypoints.npz", tmp_path / "out"
    write_keypoints(file, keypoints_of(np.arange(4) / 30))
    options = PredictOptions(model=str(weights), keypoints=file, refine=False, overlay_size_px=160)
    result = predict_to_folder(video, out, options)
    assert result.files == tuple(
        out / name for name in ("poses.npz", "overlay.mp4", "overlay.png", "summary.json")
    )
    assert [stage for stage, _ in result.diagnostics.seconds] == ["detect", "lift", "world", "overlay"]
    assert all(path.exists() for path in result.files)
    with pytest.raises(
        PointlightError, match=r"overlay.mp4 would be replaced by its own overlay; choose another"
    ):
        predict_to_folder(out / "overlay.mp4", out, options)
    (out / "report.html").write_text("of these poses")
    again = predict_to_folder(video, out, replace(options, overlay=False))
    assert again.files == (out / "poses.npz", out / "summary.json")
    assert sorted(path.name for path in out.iterdir()) == ["poses.npz", "summary.json"]


def test_diagnostics_without_a_folder(weights: Path, tmp_path: Path) -> None:
    write_keypoints(tmp_path / "k.npz", keypoints_of(np.arange(4) / 30, np.arange(4) < 3))
    options = PredictOptions(model=str(weights), keypoints=tmp_path / "k.npz", refine=False)
    result = predict_with_diagnostics(write_video(tmp_path / "v.mp4", 4), options)
    assert result.diagnostics.frames == len(result.capture) == 4
    assert result.diagnostics.bodies == int(result.capture.valid.sum()) == 3
    with pytest.raises(FrozenInstanceError):
        result.diagnostics.frames = 5  # pyright: ignore[reportAttributeAccessIssue]


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
    assert capture.valid.tolist() == seen.tolist()
    assert np.isnan(capture.joints_camera_m[~capture.valid]).all()


@pytest.mark.parametrize(("hidden", "bridged"), [(15, True), (16, False)])
def test_a_person_hidden_for_a_short_while_is_bridged(
    model: Checkpoint, body: AnnyBody, hidden: int, bridged: bool
) -> None:
    seen = np.ones(60, bool)
    seen[20 : 20 + hidden] = seen[:3] = seen[-3:] = False
    capture = lift_keypoints(keypoints_of(np.arange(60) / 30, seen), model, body)
    assert capture.occluded.tolist() == (~seen).tolist()
    assert capture.valid[20 : 20 + hidden].tolist() == [bridged] * hidden
    assert not capture.valid[:3].any() and not capture.valid[-3:].any()


def test_no_person_at_all_is_said(model: Checkpoint, body: AnnyBody) -> None:
    times = np.arange(10) / 30
    with pytest.raises(PointlightError, match="no person is seen: in no frame does made give 7"):
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
    short = lift_with_diagnostics(tracks, model, body, PredictOptions(height_m=0.6))
    (warning,) = short.diagnostics.warnings
    assert "the body cannot be 0.6 m tall at this age and build; it has" in warning


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
    constant = test.score(constant_pose(bank, body)).row(Contender("constant"))
    assert 60 < constant.pa_mpjpe_mm < 200
    score = test.score(model.model, overlap=True)
    own, overlapping = score.row(Contender("own")), score.variants["overlap"].row(Contender("own"))
    assert 60 < own.pa_mpjpe_mm < 250
    assert set(own.by_group) == set(constant.by_group)
    assert own.facing_wrong is not None and 0 <= own.facing_wrong <= 1
    # single windows do not overlap
    assert overlapping.pa_mpjpe_mm == pytest.approx(own.pa_mpjpe_mm)


def test_options_refuse_what_cannot_be_meant() -> None:
    with pytest.raises(PointlightError, match="both a field of view and a focal length"):
        PredictOptions(fov_deg=60, focal_px=900)
    with pytest.raises(PointlightError, match="not a person's"):
        PredictOptions(height_m=3.1)


# --- videos of all kinds, from the file to the results -------------------------------------------------


def encode(
    path: Path,
    images: list[np.ndarray],
    *,
    rate: Fraction | int = 30,
    times_s: np.ndarray | None = None,
    rotation: int = 0,
    movflags: str = "",
) -> Path:
    """A video of (H, W, 3) uint8 pictures as others make it: rotation as metadata, any times."""
    with av.open(str(path), "w", options={"movflags": movflags} if movflags else {}) as output:
        stream = output.add_stream("libx264", rate=rate, options={"g": "5", "bf": "0"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(rotation)
        if times_s is not None:
            stream.codec_context.time_base = Fraction(1, 90000)
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image))
            frame.pts = i if times_s is None else round(float(times_s[i]) * 90000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def noise(frames: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 255, (size[1], size[0], 3), np.uint8) for _ in range(frames)]


VARIABLE = np.cumsum(np.random.default_rng(2).integers(900, 8100, 24)) / 90000


@pytest.mark.parametrize("rate", [6, 16, 20, 24, 25, 50, Fraction(60000, 1001), None])
def test_a_person_in_half_of_the_frames_of_any_rate(
    weights: Path, tmp_path: Path, rate: Fraction | int | None
) -> None:
    """The video's times are kept exactly, in the poses and in the overlay, and only seen frames have a body."""
    times_s = VARIABLE if rate is None else np.arange(24) / float(rate)
    given = VARIABLE if rate is None else None
    video = encode(tmp_path / "v.mp4", noise(24), rate=rate or 30, times_s=given)
    seen = np.arange(24) < 12
    write_keypoints(tmp_path / "k.npz", keypoints_of(times_s - times_s[0], seen))
    options = PredictOptions(model=str(weights), keypoints=tmp_path / "k.npz", overlay_size_px=160)
    told = predict_to_folder(video, tmp_path / "out", options).diagnostics
    assert (told.frames, told.bodies, told.occluded, told.warnings) == (24, 12, 0, ())
    capture = Capture.load(tmp_path / "out" / "poses.npz")
    np.testing.assert_allclose(capture.time_s, times_s - times_s[0], atol=1e-9)
    assert capture.valid.tolist() == seen.tolist()
    overlay = VideoReader(tmp_path / "out" / "overlay.mp4")
    np.testing.assert_allclose(overlay.times().time_s, times_s - times_s[0], atol=1e-5)
    assert overlay.size == (160, 60)


def test_a_video_of_one_frame(weights: Path, tmp_path: Path) -> None:
    video = encode(tmp_path / "v.mp4", noise(1))
    write_keypoints(tmp_path / "k.npz", keypoints_of(np.zeros(1)))
    options = PredictOptions(model=str(weights), keypoints=tmp_path / "k.npz")
    told = predict_to_folder(video, tmp_path / "out", options).diagnostics
    assert (told.frames, told.bodies) == (1, 1)
    assert told.warnings[0].startswith("the video is a still picture")
    assert told.warnings[1:] == (
        "the world: no foot is seen to stand, so that the floor is put below the lowest sole",
    )
    assert Capture.load(tmp_path / "out" / "poses.npz").valid.tolist() == [True]
    assert len(VideoReader(tmp_path / "out" / "overlay.mp4").times().index) == 1


def test_a_truncated_video_says_what_is_lost(weights: Path, tmp_path: Path) -> None:
    whole = encode(tmp_path / "v.mp4", noise(40), movflags="faststart").read_bytes()
    (tmp_path / "v.mp4").write_bytes(whole[: int(len(whole) * 0.6)])
    frames = len(VideoReader(tmp_path / "v.mp4").times().index)
    assert 15 < frames < 30
    write_keypoints(tmp_path / "k.npz", keypoints_of(np.arange(frames) / 30))
    options = PredictOptions(model=str(weights), keypoints=tmp_path / "k.npz", overlay_size_px=160)
    told = predict_to_folder(tmp_path / "v.mp4", tmp_path / "out", options).diagnostics
    assert (told.frames, told.bodies) == (frames, frames)
    assert f"v.mp4 ends early: {frames} of 40 frames could be read" in told.warnings[0]
    assert Capture.load(tmp_path / "out" / "poses.npz").valid.all()
    assert len(VideoReader(tmp_path / "out" / "overlay.mp4").times().index) == frames


# --- with mediapipe's networks -----------------------------------------------------------------------


def test_a_video_without_people(weights: Path, detector_networks: Path, tmp_path: Path) -> None:
    ramp = np.linspace(0, 200, SIZE[0]).astype(np.uint8)
    images = [np.broadcast_to(np.roll(ramp, 3 * i)[None, :, None], (*SIZE[::-1], 3)) for i in range(15)]
    video = encode(tmp_path / "v.mp4", images)
    with pytest.raises(PointlightError, match=r"no person is seen: in no frame does mediapipe .* give 7 of"):
        predict_to_folder(video, tmp_path / "out", PredictOptions(model=str(weights)))
    assert not (tmp_path / "out").exists()


def test_a_phone_video_that_the_person_leaves_twice_the_same(
    weights: Path, detector_networks: Path, shared_data: Path, tmp_path: Path
) -> None:
    """A real person, stored lying on the side with rotation as metadata; an empty room in the second half."""
    clip = shared_data / "real" / "dance_home_portrait.mp4"
    if not clip.is_file():
        pytest.skip("the clip dance_home_portrait.mp4 is not among the shared data")
    upright = [frame.image for frame in VideoReader(clip, end_s=1.0)]
    seen = len(upright)
    empty = np.full_like(upright[0], 128)
    images = [np.rot90(image, -1) for image in upright + seen * [empty]]
    video = encode(tmp_path / "v.mp4", images, rate=16, rotation=90)
    options = PredictOptions(model=str(weights))
    for name in ("one", "two"):
        predict_to_folder(video, tmp_path / name, options)
    first, second = ((tmp_path / name / "poses.npz").read_bytes() for name in ("one", "two"))
    assert first == second
    capture = Capture.load(tmp_path / "one" / "poses.npz")
    width, height = VideoReader(clip).size
    assert capture.image_size == (width, height)
    assert capture.valid.tolist() == seen * [True] + seen * [False]
    score = capture.keypoints_px[:seen, :, 2].mean()
    shoulder, ankle = (capture.keypoint_names.index(f"left_{part}") for part in ("shoulder", "ankle"))
    assert score > 0.5
    assert (capture.keypoints_px[:seen, ankle, 1] > capture.keypoints_px[:seen, shoulder, 1]).all()
    overlay = VideoReader(tmp_path / "one" / "overlay.mp4")
    assert overlay.size == (2 * width, height) and len(overlay.times().index) == 2 * seen
