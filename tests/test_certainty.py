"""How sure joints are: wider for what was not seen and for what is far off, right for simulated people, written to files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, AnnyBody, mirror_order
from pointlight.capture import Capture, PredictOptions, joint_errors_m, lift_keypoints
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.motion import BANK_FPS, procedural_bank
from pointlight.network import EVALUATION_INDICES
from pointlight.simulator import EVAL_V1, SceneSampler, TrackMaker
from pointlight.training import load_checkpoint

FRAMES = 31
WRIST = EVALUATION_JOINTS.index("left_wrist")


@pytest.fixture(scope="module")
def people() -> list[tuple[Capture, np.ndarray]]:
    """Captures of simulated people with the true joints (T, 14, 3) about the hips."""
    body = AnnyBody()
    checkpoint = load_checkpoint("points", body)
    config = replace(EVAL_V1, split="validation", frames=FRAMES)
    bank = procedural_bank(body, 5, kinds=("walk", "reach", "squat", "wave"), clips_per_kind=5, frames=40)
    sampler, maker = SceneSampler(config, bank, body), TrackMaker(config, body)
    found = []
    for number in range(8):
        tracks = maker.make([sampler.sample(3, number)])
        points = np.concatenate((tracks.detections_px[0], tracks.visible[0][..., None]), axis=-1).astype(
            float
        )
        width, height = (int(2 * edge) for edge in tracks.assumed_principal_px[0])
        index = np.arange(FRAMES)
        keypoints = Keypoints2D(
            EXTENDED_KEYPOINTS, index / BANK_FPS, index, points, (width, height), "simulation"
        )
        options = PredictOptions(focal_px=float(tracks.assumed_focal_px[0]))
        truth = tracks.points_camera_m[0].double().numpy()[:, list(EVALUATION_INDICES)]
        hips = [EVALUATION_JOINTS.index(name) for name in ("left_hip", "right_hip")]
        found.append(
            (
                lift_keypoints(keypoints, checkpoint, body, options),
                truth - truth[:, hips].mean(1, keepdims=True),
            )
        )
    return found


def test_bands_grow_with_their_share_and_end_with_the_bodies(
    people: list[tuple[Capture, np.ndarray]],
) -> None:
    capture = people[0][0]
    gone = replace(
        capture,
        valid=capture.valid & (np.arange(FRAMES) != 4),
        joints_camera_m=np.where((np.arange(FRAMES) == 4)[:, None, None], np.nan, capture.joints_camera_m),
    )
    half, most, nearly_all = (joint_errors_m(gone, share) for share in (0.5, 0.8, 0.95))
    np.testing.assert_array_equal(np.isfinite(most).all(1), gone.valid)
    there = gone.valid
    assert (half[there] > 0).all() and (half[there] < most[there]).all()
    assert (most[there] < nearly_all[there]).all() and (nearly_all[there] < 2.0).all()


def test_they_hold_about_as_often_as_they_say(people: list[tuple[Capture, np.ndarray]]) -> None:
    """On motions made from nothing, which the network never saw; loosely, since eight people are few."""
    for share, low, high in ((0.5, 0.3, 0.75), (0.8, 0.62, 0.95), (0.95, 0.82, 1.0)):
        inside = [
            np.linalg.norm(capture.joints_camera_m - truth, axis=-1) <= joint_errors_m(capture, share)
            for capture, truth in people
        ]
        assert low < np.concatenate(inside).mean() < high, share


def test_what_is_not_seen_is_less_sure(people: list[tuple[Capture, np.ndarray]]) -> None:
    """In the mean over people, though the same pose is drawn."""
    before, after = [], []
    for capture, _ in people:
        points = capture.keypoints_px.copy()
        points[:, capture.keypoint_names.index("left_wrist"), 2] = 0.0
        before.append(joint_errors_m(capture)[:, WRIST].mean())
        after.append(joint_errors_m(replace(capture, keypoints_px=points))[:, WRIST].mean())
    assert np.mean(after) > 1.1 * np.mean(before)


def test_a_mirror_changes_little(people: list[tuple[Capture, np.ndarray]]) -> None:
    order = list(mirror_order(EVALUATION_JOINTS))
    for capture, _ in people:
        names = list(mirror_order(capture.keypoint_names))
        points = capture.keypoints_px[:, names] * (-1, 1, 1) + (2 * capture.principal_px[0], 0, 0)
        other = replace(
            capture,
            joints_camera_m=capture.joints_camera_m[:, order] * (-1, 1, 1),
            translation_camera_m=capture.translation_camera_m * (-1, 1, 1),
            keypoints_px=points,
        )
        ours, theirs = joint_errors_m(capture), joint_errors_m(other)[:, order]
        assert np.median(np.abs(np.log(theirs / ours))) < 0.2


def test_files_hold_them_and_older_ones_do_not(
    people: list[tuple[Capture, np.ndarray]], tmp_path: Path
) -> None:
    capture = people[0][0]
    np.testing.assert_array_equal(capture.joint_error_m, joint_errors_m(capture))
    capture.save(tmp_path / "poses.npz")
    assert Capture.load(tmp_path / "poses.npz") == capture
    with np.load(tmp_path / "poses.npz") as archive:
        older = {name: archive[name] for name in archive.files if name != "joint_error_m"}
    np.savez(tmp_path / "older.npz", **older)
    assert np.isnan(Capture.load(tmp_path / "older.npz").joint_error_m).all()


def test_another_share_is_refused(people: list[tuple[Capture, np.ndarray]]) -> None:
    with pytest.raises(PointlightError, match=r"errors are known for shares of 0\.5, 0\.8, 0\.95, not 0\.9"):
        joint_errors_m(people[0][0], 0.9)
