"""Cuts: where the picture changes as a whole, and that nothing that was known before a cut holds behind it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from test_keypoints_in import MadeNetworks, person_at

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, AnnyBody
from pointlight.capture import Capture, MediapipeDetector, PersonBox, PredictOptions, body_states
from pointlight.capture.detection import read_keypoints
from pointlight.capture.predict import lift_with_diagnostics
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.media import (
    Frame,
    VideoReader,
    VideoWriter,
    find_cuts,
    numbered_shots,
    small_picture,
    small_size,
)
from pointlight.progress import Progress
from pointlight.training import Checkpoint, load_checkpoint

SIZE = (160, 120)


def scene(number: int, seed: int, speed: float = 1.0) -> np.ndarray:
    """A blurred landscape of its own for each seed, that the camera pans over."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 40, 3)).astype(np.float32)
    wide = np.kron(coarse, np.ones((16, 16, 1), np.float32))
    start = int(speed * number) % (wide.shape[1] - SIZE[0])
    return wide[: SIZE[1], start : start + SIZE[0]].astype(np.uint8)


def frames_of(pictures: list[np.ndarray]) -> list[Frame]:
    return [Frame(number, number / 30, picture) for number, picture in enumerate(pictures)]


def beginnings(pictures: list[np.ndarray]) -> list[int]:
    """The first frame of every shot but the first."""
    shots = [shot for _, shot in numbered_shots(frames_of(pictures))]
    assert len(shots) == len(pictures) and shots == sorted(shots)
    return (np.flatnonzero(np.diff(shots)) + 1).tolist()


@pytest.mark.parametrize("cuts", [[10], [1], [3, 20], [5, 19, 33], [39]])
def test_cuts_are_found_while_frames_pass(cuts: list[int]) -> None:
    pictures = [scene(n, int(np.searchsorted(cuts, n, side="right"))) for n in range(40)]
    assert beginnings(pictures) == cuts
    assert find_cuts(np.stack([small_picture(picture) for picture in pictures])) == cuts


def test_pans_flashes_light_and_still_pictures_are_no_cuts() -> None:
    assert beginnings([scene(n, 0, speed=11) for n in range(40)]) == []
    assert beginnings([scene(0, 0)] * 20) == []
    assert beginnings([scene(0, 0)]) == []
    flashing = [scene(n, 0) for n in range(40)]
    flashing[12] = np.full_like(flashing[12], 255)
    flashing[25] = flashing[26] = np.full_like(flashing[12], 250)
    assert beginnings(flashing) == []
    switched = [(scene(n, 0) * (1.0 if n < 15 else 0.4)).astype(np.uint8) for n in range(40)]
    assert beginnings(switched) == []
    fading = [(scene(n, 0) * (1 - n / 40)).astype(np.uint8) for n in range(40)]
    assert beginnings(fading) == []


def test_small_pictures_on_reading_have_the_size_that_is_asked_for() -> None:
    for size in ((1920, 1080), (854, 480), (100, 700), (20, 10)):
        width, height = small_size(size)
        assert 10 <= min(width, height) <= 48 and abs(width / height / (size[0] / size[1]) - 1) < 0.2


# --- the detector


def two_shots(path: Path, frames: int = 24) -> VideoReader:
    """Grey frames that tell their number to made networks; in the second shot half of the picture is red."""
    with VideoWriter(path, 30, SIZE) as writer:
        for number in range(frames):
            picture = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
            if number >= frames // 2:
                picture[:, : SIZE[0] // 2] = (250, 250, 250)
            writer.write(picture)
    return VideoReader(path)


class ByShot(MadeNetworks):
    """People by the shot."""

    def _here(self, image: np.ndarray) -> list:
        return self.people[int(image.mean() > 100)]


def test_the_detector_begins_anew_behind_a_cut(tmp_path: Path) -> None:
    """Behind the cut a larger person stands where the first one stood, and another one elsewhere."""
    video = two_shots(tmp_path / "v.mp4")
    networks = ByShot({0: [person_at(60, 40)], 1: [person_at(100, 60), person_at(60, 40)]})
    track = MediapipeDetector(networks=networks).track(video)
    assert track.shot.tolist() == [0] * 12 + [1] * 12 and track.present().all()
    first, second = track.points[:12, :, 0], track.points[12:, :, 0]
    assert np.ptp(first, axis=0).max() == np.ptp(second, axis=0).max() == 0
    assert abs(second.mean() - first.mean() - 40) < 8
    assert track.warnings == ()


def test_a_box_means_one_shot(tmp_path: Path) -> None:
    video = two_shots(tmp_path / "v.mp4")
    networks = ByShot({0: [person_at(60, 40)], 1: [person_at(60, 40)]})
    for at, there in ((0.1, slice(0, 12)), (0.6, slice(12, 24))):
        track = MediapipeDetector(networks=networks).track(video, PersonBox(30, 90, 60, 60, at))
        assert np.flatnonzero(track.present()).tolist() == list(range(24))[there]
        assert "the box names a person of one shot" in track.warnings[0]


def test_keypoints_of_a_file_know_the_shots(tmp_path: Path) -> None:
    video = two_shots(tmp_path / "v.mp4")
    track = made(24)
    np.savez(tmp_path / "k.npz", names=track.names, points=track.points)
    read = read_keypoints(tmp_path / "k.npz", video)
    assert read.shot.tolist() == [0] * 12 + [1] * 12


# --- the body


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def model(body: AnnyBody) -> Checkpoint:
    return load_checkpoint("points", body)


def made(frames: int, seed: int = 0) -> Keypoints2D:
    rng = np.random.default_rng(seed)
    place = rng.uniform((50, 20), (110, 100), (len(EXTENDED_KEYPOINTS), 2))
    points = np.zeros((frames, len(EXTENDED_KEYPOINTS), 3), np.float32)
    points[..., :2] = place + 3 * np.sin(np.arange(frames) / 5)[:, None, None]
    points[..., 2] = 1
    return Keypoints2D(EXTENDED_KEYPOINTS, np.arange(frames) / 30, np.arange(frames), points, SIZE, "made")


def joined(parts: list[Keypoints2D]) -> Keypoints2D:
    count = sum(map(len, parts))
    return replace(
        parts[0],
        time_s=np.arange(count) / 30,
        frame_index=np.arange(count),
        points=np.concatenate([part.points for part in parts]),
        shot=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
    )


@pytest.mark.slow
def test_shots_are_fitted_as_if_each_were_alone(model: Checkpoint, body: AnnyBody, tmp_path: Path) -> None:
    parts = [made(12, 1), made(15, 2), made(6, 3)]
    whole = joined(parts)
    steps: list[Progress] = []
    result = lift_with_diagnostics(whole, model, body, progress=steps.append)
    capture = result.capture
    start = 0
    for number, part in enumerate(parts):
        alone = replace(part, time_s=whole.time_s[start : start + len(part)])
        capture_alone = lift_with_diagnostics(alone, model, body).capture
        frames = slice(start, start + len(part))
        for name in ("joints_camera_m", "pose_rotmat", "translation_camera_m", "keypoints_px"):
            np.testing.assert_array_equal(getattr(capture, name)[frames], getattr(capture_alone, name))
        np.testing.assert_array_equal(capture.shot_shapes[number], capture_alone.shape)
        start += len(part)
    np.testing.assert_array_equal(capture.shape, capture.shot_shapes[1])
    (warning,) = result.diagnostics.warnings
    assert "cuts or somebody else is seen at 0.40, 0.90 s: each of the 3 shots is fitted by itself" in warning
    fitting = [step for step in steps if step.stage == "refine"]
    assert fitting[-1].done == fitting[-1].total and all(a.done <= b.done for a, b in pairwise(fitting))
    capture.save(tmp_path / "poses.npz")
    again = Capture.load(tmp_path / "poses.npz")
    np.testing.assert_array_equal(again.shot, capture.shot)
    np.testing.assert_array_equal(again.shot_shapes, capture.shot_shapes)
    joints = body.keypoints(body_states(again, body), EVALUATION_JOINTS).numpy()
    np.testing.assert_allclose(
        joints, capture.joints_camera_m + capture.translation_camera_m[:, None], atol=1e-4
    )


def test_one_shot_is_what_it_was(model: Checkpoint, body: AnnyBody, tmp_path: Path) -> None:
    capture = lift_with_diagnostics(made(12), model, body, PredictOptions(refine=False)).capture
    assert not capture.shot.any() and capture.shot_shapes.shape == (1, len(capture.shape))
    capture.save(tmp_path / "poses.npz")
    with np.load(tmp_path / "poses.npz") as archive:
        older = {name: archive[name] for name in archive.files if not name.startswith("shot")}
    np.savez(tmp_path / "older.npz", **older)
    again = Capture.load(tmp_path / "older.npz")
    np.testing.assert_array_equal(again.shot_shapes[0], capture.shape)
    assert torch.equal(body_states(again, body).shape, body_states(capture, body).shape)


def test_a_shot_without_anybody_is_a_gap(model: Checkpoint, body: AnnyBody) -> None:
    empty = made(10)
    whole = joined([made(12, 1), replace(empty, points=np.zeros_like(empty.points))])
    capture = lift_with_diagnostics(whole, model, body, PredictOptions(refine=False)).capture
    assert capture.valid.tolist() == [True] * 12 + [False] * 10


def test_numbers_of_shots_never_fall() -> None:
    with pytest.raises(PointlightError, match="the number of its shot, none lower than before"):
        replace(made(3), shot=np.array([0, 1, 0]))


def test_the_cut_to_another_man(shared_data: Path) -> None:
    """A real one, and the clip that it was cut from."""
    folder = shared_data.parent / "cases" / "video"
    if not folder.is_dir():
        pytest.skip("the small cases are not beside the shared data")
    for name, cuts in (("cut.mp4", [24, 48]), ("base.mp4", [])):
        video = VideoReader(folder / name)
        shots = [shot for _, shot in numbered_shots(VideoReader(video.path, size=small_size(video.size)))]
        assert (np.flatnonzero(np.diff(shots)) + 1).tolist() == cuts
