"""The reference from several cameras, and the evaluation of single-camera predictions against it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, AnnyBody, mirror_order
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation import evaluate_multiview, from_json, tables, to_json
from pointlight.evaluation.multiview import (
    CameraDetections,
    CameraTruth,
    MultiviewTruth,
    TruthConfig,
    View,
    Views2D,
    calibrated_folders,
    compare_skeletons,
    draw_skeleton,
    frame_errors,
    read_calibrated_set,
    read_joints,
    triangulate_person,
)
from pointlight.evaluation.multiview import evaluator as multiview_evaluator
from pointlight.evaluation.multiview import truth as multiview_truth
from pointlight.evaluation.variants import MULTIVIEW
from pointlight.geometry import Lens, distort, triangulate, undistort
from pointlight.training import find_training_recipe, save_checkpoint

SHARED = Path(__file__).parents[1] / ".." / "shared" / "data" / "real"
FRAMES = 90


def lens(yaw_deg: float, height_m: float = 1.0, roll_deg: float = 0.0) -> Lens:
    """A phone 3.5 m from the origin that looks at a place 1 m above it."""
    yaw, roll = np.radians(yaw_deg), np.radians(roll_deg)
    place = np.array([3.5 * np.sin(yaw), height_m, 3.5 * np.cos(yaw)])
    forward = np.array([0, 1.0, 0]) - place
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 1.0, 0])
    right /= np.linalg.norm(right)
    R = np.stack((right, np.cross(forward, right), forward))
    turn = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    R = turn @ R
    return Lens(
        torch.tensor([[1680.0, 0, 540], [0, 1670.0, 960], [0, 0, 1]], dtype=torch.float64),
        torch.tensor([-0.05, 0.14, 0.0006, 0.0007, 0.01], dtype=torch.float64),
        torch.from_numpy(R),
        torch.from_numpy(-R @ place),
    )


LENSES = (lens(0, 1.2), lens(80, 1.6, 20), lens(170, 0.8, -15), lens(260, 1.9))


def person() -> np.ndarray:
    """(T, 12, 3) somebody who swings arms and legs and walks a little, by the names of `NETWORK_KEYPOINTS`."""
    rest = {"ankle": 0.08, "knee": 0.48, "hip": 0.92, "shoulder": 1.42, "elbow": 1.14, "wrist": 0.88}
    wide = {"ankle": 0.1, "knee": 0.1, "hip": 0.12, "shoulder": 0.18, "elbow": 0.22, "wrist": 0.25}
    time_s = np.arange(FRAMES) / 60
    joints = np.zeros((FRAMES, len(NETWORK_KEYPOINTS), 3))
    for k, name in enumerate(NETWORK_KEYPOINTS):
        side, _, part = name.partition("_")
        sign = 1 if side == "left" else -1
        joints[:, k] = (sign * wide[part], rest[part], 0)
        if part in ("wrist", "elbow", "knee", "ankle"):
            joints[:, k, 2] = (
                0.2 * sign * np.sin(2 * np.pi * time_s) * (1 if part in ("wrist", "ankle") else 0.4)
            )
    joints[..., 0] += 0.3 * time_s[:, None]
    return joints


def seen(joints: np.ndarray, lenses: tuple[Lens, ...] = LENSES, noise_px: float = 0.0) -> Views2D:
    rng = np.random.default_rng(5)
    points = np.stack([x.project(torch.from_numpy(joints)).numpy() for x in lenses])
    points += rng.normal(0, noise_px, points.shape) if noise_px else 0
    return Views2D(NETWORK_KEYPOINTS, np.arange(len(joints)) / 60, points, np.ones(points.shape[:-1]), lenses)


RAW = TruthConfig(smooth_s=0, offsets=False)

# Geometry


def test_distortion_is_undone_and_is_opencvs() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed; it comes with the extra flow")
    slopes = torch.from_numpy(np.random.default_rng(0).uniform(-0.6, 0.6, (500, 2)))
    for strong in ((-0.05, 0.14, 0.0006, 0.0007, 0.01), (-0.33, 0.046, -0.0043, 0.0041, 0.067)):
        distortion = torch.tensor(strong, dtype=torch.float64)
        bent = distort(slopes, distortion)
        torch.testing.assert_close(undistort(bent, distortion), slopes, atol=1e-12, rtol=0)
        there = np.concatenate((slopes.numpy(), np.ones((500, 1))), 1)
        theirs = cv2.projectPoints(there, np.zeros(3), np.zeros(3), np.eye(3), np.array(strong))[0][:, 0]
        np.testing.assert_allclose(bent.numpy(), theirs, atol=1e-12)


def test_points_come_back_exactly_through_distorted_lenses() -> None:
    truth = triangulate_person(seen(person()), RAW)
    assert np.abs(truth.joints_world_m - person()).max() < 1e-7
    assert truth.scored.all() and not truth.swapped.any()
    assert np.nanmax(truth.error_px) < 1e-4


def test_one_view_is_no_truth() -> None:
    rays = torch.zeros(1, 4, 2, dtype=torch.float64)
    R = torch.stack([x.R_camera_world for x in LENSES])
    t = torch.stack([x.t_camera_world_m for x in LENSES])
    weights = torch.tensor([[1.0, 0, 0, 0]], dtype=torch.float64)
    assert torch.isnan(triangulate(rays, R, t, weights)).all()


@pytest.mark.parametrize("name", ["pose2sim_balance", "caliscope_desk"])
def test_a_pixel_of_noise_costs_less_than_a_centimetre(name: str) -> None:
    if not (SHARED / name / "calibration.json").is_file():
        pytest.skip("the shared recordings are not here")
    lenses = tuple(view.lens for view in read_calibrated_set(SHARED / name).views)
    # A person where the cameras' axes meet.
    axes = torch.stack([x.R_camera_world[2] for x in lenses])
    places = torch.stack([-x.R_camera_world.T @ x.t_camera_world_m for x in lenses])
    across = torch.eye(3, dtype=torch.float64) - axes[:, :, None] * axes[:, None, :]
    middle = torch.linalg.solve(across.sum(0), (across @ places[..., None]).sum(0))[:, 0].numpy()
    joints = person()
    joints = (joints - joints.mean((0, 1))) * 0.4 + middle
    truth = triangulate_person(seen(joints, lenses, noise_px=1.0), RAW)
    error = np.linalg.norm(truth.joints_world_m - joints, axis=-1)
    assert truth.scored.mean() > 0.9
    assert np.median(error) < 0.005
    assert np.percentile(error[truth.scored], 99) < 0.01


# What detectors and calibrations do


def test_swapped_views_are_found_and_corrected() -> None:
    views = seen(person(), noise_px=3.0)
    order = mirror_order(NETWORK_KEYPOINTS)
    points = views.points_px.copy()
    points[1, 20:50] = points[1, 20:50][:, order]
    points[3, 40:60] = points[3, 40:60][:, order]
    truth = triangulate_person(replace(views, points_px=points), RAW)
    expected = np.zeros((4, FRAMES), bool)
    expected[1, 20:50] = expected[3, 40:60] = True
    assert (truth.swapped != expected).sum() <= 2
    assert np.median(np.linalg.norm(truth.joints_world_m - person(), axis=-1)) < 0.01


def test_a_view_that_disagrees_is_left_out() -> None:
    views = seen(person(), noise_px=1.0)
    points = views.points_px.copy()
    wrist = NETWORK_KEYPOINTS.index("left_wrist")
    points[2, :, wrist] += (120, -60)
    truth = triangulate_person(replace(views, points_px=points), RAW)
    assert not truth.inlier[2, :, wrist].any()
    assert truth.inlier[[0, 1, 3], :, wrist].all()
    assert np.abs(truth.joints_world_m[:, wrist] - person()[:, wrist]).max() < 0.02


def test_a_shifted_camera_is_noticed() -> None:
    views = seen(person(), noise_px=1.0)
    points = views.points_px.copy()
    points[2] += (3.0, 12.0)
    shifted = replace(views, points_px=points)
    raw = triangulate_person(shifted, RAW)
    mended = triangulate_person(shifted, replace(RAW, offsets=True))
    assert abs(mended.offsets_px[2, 1] - mended.offsets_px[[0, 1, 3], 1].mean() - 12) < 4
    assert np.nanmedian(mended.error_px) < 0.5 * np.nanmedian(raw.error_px)


def test_bad_joints_are_not_scored() -> None:
    views = seen(person(), noise_px=1.0)
    scores = views.scores.copy()
    knee, ankle = (NETWORK_KEYPOINTS.index(f"left_{part}") for part in ("knee", "ankle"))
    scores[1:, :30, knee] = 0.1  # one camera sees it, which is none
    points = views.points_px.copy()
    lower = person()
    lower[75:, ankle, 1] -= 0.25  # all cameras agree on a shank that has grown
    points[:, 75:, ankle] = seen(lower).points_px[:, 75:, ankle]
    truth = triangulate_person(replace(views, scores=scores, points_px=points), RAW)
    assert not truth.scored[:30, knee].any()
    assert truth.scored[30:75, knee].all()
    assert not truth.scored[75:, ankle].any()
    assert truth.scored[:75, ankle].all()


def test_smoothing_takes_noise_and_leaves_motion() -> None:
    joints = person()
    noisy = triangulate_person(seen(joints, noise_px=4.0), RAW)
    smooth = triangulate_person(seen(joints, noise_px=4.0), replace(RAW, smooth_s=0.07))
    exact = triangulate_person(seen(joints), replace(RAW, smooth_s=0.07))
    assert np.abs(exact.joints_world_m - joints).max() < 0.001  # a swing of 0.2 m a second
    errors = [np.linalg.norm(t.joints_world_m - joints, axis=-1).mean() for t in (noisy, smooth)]
    assert errors[1] < 0.75 * errors[0]


# Evaluation


def camera(joints: np.ndarray) -> CameraTruth:
    return CameraTruth(joints, joints[..., :2], np.ones(len(joints), bool), 1000.0, 1.0, 0.0)


def turned(joints: np.ndarray) -> np.ndarray:
    angle = 0.7
    R = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    return 1.3 * joints @ R.T + (0.4, -2.0, 5.0)


def test_scoring_knows_no_place_size_or_direction() -> None:
    rng = np.random.default_rng(3)
    joints = person()
    guess = joints + rng.normal(0, 0.05, joints.shape)
    time_s = np.arange(FRAMES) / 60
    first, second = (frame_errors(x, camera(joints), time_s) for x in (guess, turned(guess)))
    np.testing.assert_allclose(first.pa_mm, second.pa_mm, atol=1e-3)
    assert 40 < np.mean(first.pa_mm) < 90
    perfect = frame_errors(turned(joints), camera(joints), time_s)
    assert np.nanmax(perfect.pa_mm) < 1e-3 and perfect.coverage == 1.0
    mirrored = frame_errors(joints * (-1, 1, 1), camera(joints), time_s)
    assert np.mean(mirrored.pa_mm) > 40
    exact = frame_errors(1.2 * joints, camera(joints), time_s)
    assert np.nanmax(exact.scaled_mm) < 1e-6 and np.nanmax(exact.acceleration) < 1e-6


def test_joints_without_truth_and_frames_without_a_body_do_not_count() -> None:
    joints = person()
    truth = joints.copy()
    truth[:, 0] = np.nan
    guess = joints.copy()
    guess[:, 0] += 5.0
    guess[:30] = np.nan
    errors = frame_errors(guess, camera(truth), np.arange(FRAMES) / 60)
    assert np.isnan(errors.pa_mm[:30]).all() and np.nanmax(errors.pa_mm) < 1e-3
    assert errors.coverage == pytest.approx(60 / 90)
    assert np.isnan(errors.joints_mm[:, 0]).all()


def full_person() -> np.ndarray:
    """(T, 19, 3) `person` with head and feet."""
    twelve = person()
    place = {name: twelve[:, NETWORK_KEYPOINTS.index(name)] for name in NETWORK_KEYPOINTS}
    for side, sign in (("left", 1), ("right", -1)):
        place[f"{side}_heel"] = place[f"{side}_ankle"] + (0, -0.05, -0.05)
        place[f"{side}_big_toe"] = place[f"{side}_ankle"] + (0, -0.06, 0.15)
        place[f"{side}_ear"] = np.array([0.08 * sign, 1.62, 0]) + twelve[:, :1, 0] * (1, 0, 0)
    place["nose"] = (place["left_ear"] + place["right_ear"]) / 2 + (0, 0, 0.1)
    return np.stack([place[name] for name in EXTENDED_KEYPOINTS], axis=1)


@pytest.fixture
def made_set(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four cameras that see `full_person`, with a detector whose own 3D is the truth in the first and bent elsewhere.

    A parameter says how many frames they have.
    """
    frames = getattr(request, "param", FRAMES)
    folder = tmp_path / "data" / "made"
    folder.mkdir(parents=True)
    cameras = []
    for i, one in enumerate(LENSES):
        (folder / f"cam{i}.mp4").touch()
        values = {"K": one.K, "dist": one.distortion, "R": one.R_camera_world, "t": one.t_camera_world_m}
        numbers = {key: value.tolist() for key, value in values.items()}
        cameras.append({"name": f"cam{i}", "video": f"cam{i}.mp4", "image_size": [1080, 1920], **numbers})
    (folder / "calibration.json").write_text(json.dumps({"units": "metres", "cameras": cameras}))
    roles = "\n".join(f"made/cam{i}.mp4,{'test' if i else 'development'}" for i in range(4))
    (tmp_path / "data" / "index.csv").write_text(f"file,role\n{roles}\n")
    joints = full_person()[:frames]
    twelve = [EXTENDED_KEYPOINTS.index(name) for name in NETWORK_KEYPOINTS]

    def see(view: View, cache: Path | None, progress: object) -> CameraDetections:
        flat = view.lens.project(torch.from_numpy(joints)).numpy()
        points = np.concatenate((flat, np.ones((*flat.shape[:2], 1))), axis=-1)
        time_s = np.arange(frames) / 60
        found = Keypoints2D(EXTENDED_KEYPOINTS, time_s, np.arange(frames), points, view.image_size, "made")
        world = view.lens.to_camera(torch.from_numpy(joints[:, twelve])).numpy()
        if view.name != "cam0":
            world = world + np.random.default_rng(1).normal(0, 0.03, world.shape)
        return CameraDetections(found, world)

    monkeypatch.setattr(multiview_evaluator, "detect_camera", see)
    return tmp_path / "data"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A network that has learnt nothing."""
    config = find_training_recipe("tiny").network
    torch.manual_seed(0)
    body = AnnyBody()
    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, config.build(body), body)
    return path


@pytest.mark.parametrize("made_set", [36], indirect=True)
def test_the_evaluation_from_end_to_end(made_set: Path, weights: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", joints=turned(person()[:36]), names=np.array(NETWORK_KEYPOINTS))
    other = {"made/cam2": tmp_path / "other.npz"}
    result = evaluate_multiview([str(weights)], made_set, predictions=other)
    assert from_json(to_json(result)) == result
    table = tables(result, wide=True)
    for name in ("mine", "mine, as predict", "mine, true 2D", "predictions", "constant (baseline)"):
        assert f"| {name} |" in table

    (made,) = result.reference_quality
    assert made.set == "made" and made.scored_as == "full" and made.scored_joints == 1.0
    assert max(made.floor_mm) < 0.2 and max(made.left_out_mm) < 0.2
    world = result.row("mediapipe_world").by_set["made"]
    assert world.by_camera["cam0"].pa_mpjpe_mm < 0.2
    assert 25 < world.by_camera["cam1"].pa_mpjpe_mm < 60
    assert world.by_role["development"] == world.by_camera["cam0"]
    assert world.by_role["test"].pa_mpjpe_mm == pytest.approx(4 / 3 * world.pa_mpjpe_mm, abs=0.2)
    low, high = world.by_camera["cam1"].ci95_mm
    assert low < world.by_camera["cam1"].pa_mpjpe_mm < high
    mine = result.row("mine")
    assert mine.coverage == 1.0 and mine.by_set["made"].against["mediapipe_world"].difference_mm > 0
    # Untrained weights: refinement moves them, for better or worse.
    assert 0 < abs(result.row("mine", "refined").pa_mpjpe_mm - mine.pa_mpjpe_mm) < 10
    others = result.row("predictions").by_set["made"].by_camera
    assert others["cam2"].pa_mpjpe_mm < 0.2 and others["cam1"].pa_mpjpe_mm is None
    assert result.row("constant").pa_mpjpe_mm > 50 and result.row("constant").baseline

    spec = result.spec
    hashed = {f"made/{name}" for name in ("calibration.json", "cam0", "cam1", "cam2", "cam3")}
    assert set(spec.data.sha256) == {"motion", "predictions/made/cam2", *hashed}
    assert spec.data.counts == {"sets": 1, "cameras": 4, "frames": 36}
    assert spec.command.endswith(
        f"--on multiview --data {made_set} --predictions made/cam2={tmp_path / 'other.npz'}"
    )

    # Names of version 0.1.0, for one release.
    earlier = json.loads(to_json(result))
    assert set(earlier["models"]) == {
        "mine",
        "mine, averaged windows",
        "mine, averaged windows and mirror",
        "mine, refined as well",
        "mine, true focal length",
        "predictions",
    }
    assert earlier["peers"] == earlier["baselines"] and set(earlier["peers"]) > {
        "true_2d",
        "true_2d, refined",
    }
    refined = earlier["models"]["mine, refined as well"]
    assert refined["pa_mpjpe_mm"] == result.row("mine", "refined").pa_mpjpe_mm
    assert earlier["truth"]["made"]["exchanged"] == earlier["truth"]["made"]["swapped"] == list(made.swapped)
    assert earlier["part_body_models"] == earlier["part_body_peers"] == {}

    with pytest.raises(PointlightError, match="no camera 'made/cam9'"):
        evaluate_multiview([str(weights)], made_set, predictions={"made/cam9": tmp_path / "other.npz"})


def test_a_set_that_cannot_be_scored_says_why(made_set: Path, weights: Path) -> None:
    """Two cameras see depth only together, so that the scored one would be its own reference."""
    pair, calibration = made_set / "pair", json.loads((made_set / "made" / "calibration.json").read_text())
    shutil.copytree(made_set / "made", pair)
    shutil.rmtree(made_set / "made")
    (pair / "calibration.json").write_text(json.dumps(calibration | {"cameras": calibration["cameras"][:2]}))
    result = evaluate_multiview([str(weights)], made_set)
    assert not result.rows and result.reference_quality[0].scored_as == "none"
    said = tables(result)
    assert "pair is not scored: it has two cameras, so that the camera that is scored would decide" in said
    assert "PA-MPJPE" not in said and from_json(to_json(result)) == result


@pytest.mark.slow
def test_the_truth_is_kept_until_anything_it_is_made_of_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = seen(person()[:6], noise_px=1.0)
    made = []
    plain = multiview_truth.triangulate_person

    def counted(*given: object, **named: object) -> MultiviewTruth:
        made.append(given)
        return plain(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(multiview_truth, "triangulate_person", counted)
    config = TruthConfig()
    first = multiview_truth.cached_triangulation(views, config, tmp_path)
    again = multiview_truth.cached_triangulation(views, config, tmp_path)
    assert len(made) == 1
    for name, value in vars(first).items():
        if name == "names":
            assert again.names == value
        else:
            np.testing.assert_array_equal(getattr(again, name), value)
    moved = views.points_px.copy()
    moved[0, 0, 0, 0] += 1e-3
    scores = views.scores.copy()
    scores[1] *= 0.99
    bent = replace(views.lenses[0], K=views.lenses[0].K * 1.001)
    others = (
        (replace(views, points_px=moved), config),
        (replace(views, scores=scores), config),
        (replace(views, lenses=(bent, *views.lenses[1:])), config),
        (views, replace(config, smooth_s=0.05)),
    )
    for number, (other, setting) in enumerate(others, start=2):
        multiview_truth.cached_triangulation(other, setting, tmp_path)
        assert len(made) == number
    multiview_truth.cached_triangulation(views, config, tmp_path, swapped=first.swapped)
    assert len(made) == 6


def test_the_truth_of_an_older_version_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file was named by the text that Python makes of the settings."""
    views, config = seen(person()[:2]), TruthConfig()
    first = multiview_truth.cached_triangulation(views, config, tmp_path)
    digest = hashlib.sha256(f"1 {config} {views.names}".encode())
    arrays = [views.time_s, views.points_px, views.scores]
    for array in arrays + [value.numpy() for one in views.lenses for value in vars(one).values()]:
        digest.update(f"{array.shape} {array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    (made,) = tmp_path.iterdir()
    made.rename(tmp_path / f"truth-{digest.hexdigest()[:24]}.npz")
    monkeypatch.setattr(multiview_truth, "triangulate_person", lambda *_, **__: pytest.fail("made again"))
    again = multiview_truth.cached_triangulation(views, config, tmp_path)
    np.testing.assert_array_equal(again.joints_world_m, first.joints_world_m)


@pytest.mark.parametrize("made_set", [24], indirect=True)
def test_a_broken_set_is_named_and_the_others_are_scored(
    made_set: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = multiview_evaluator.variants_of(MULTIVIEW)[:1]  # the others take most of the time
    monkeypatch.setattr(multiview_evaluator, "variants_of", lambda kind: plain)
    shutil.copytree(made_set / "made", made_set / "broken")
    (made_set / "broken" / "cam2.mp4").unlink()
    (made_set / "unread").mkdir()
    (made_set / "unread" / "calibration.json").write_text("{")
    result = evaluate_multiview([str(weights)], made_set)
    said = " ".join(tables(result).split())  # long lines are folded
    assert result.row("mine").by_set.keys() == {"made"}
    assert "broken is not scored: " in said and "cam2.mp4, which is not there" in said
    assert "unread is not scored: " in said and from_json(to_json(result)) == result
    shutil.rmtree(made_set / "made")
    with pytest.raises(PointlightError, match="which is not there"):
        evaluate_multiview([str(weights)], made_set)


def test_videos_of_different_rates_are_said(
    made_set: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see = multiview_evaluator.detect_camera

    def slower(view: View, cache: Path | None, progress: object) -> CameraDetections:
        found = see(view, cache, progress)  # pyright: ignore[reportArgumentType]
        if view.name != "cam3":
            return found
        return replace(found, keypoints=replace(found.keypoints, time_s=found.keypoints.time_s * 2))

    monkeypatch.setattr(multiview_evaluator, "detect_camera", slower)
    with pytest.raises(PointlightError, match=r"cam0 has 60\.00 frames/s, cam3 30\.00"):
        evaluate_multiview([str(weights)], made_set)


def test_roles_are_read_behind_a_byte_order_mark(made_set: Path) -> None:
    roles = multiview_evaluator.video_roles(made_set)
    assert roles["made/cam0.mp4"] == "development"
    (made_set / "index.csv").write_bytes(b"\xef\xbb\xbf" + (made_set / "index.csv").read_bytes())
    assert multiview_evaluator.video_roles(made_set) == roles


# Folders


def write_set(folder: Path, **changes: object) -> None:
    folder.mkdir(parents=True)
    names = [f"cam{i}" for i in range(2)]
    for name in names:
        (folder / f"{name}.mp4").touch()
    entry = {"image_size": [64, 48], "K": np.eye(3).tolist(), "dist": [0, 0, 0, 0], "R": np.eye(3).tolist()}
    cameras = [{"name": name, "video": f"{name}.mp4", "t": [0, 0, 1], **entry, **changes} for name in names]
    (folder / "calibration.json").write_text(json.dumps({"units": "metres", "cameras": cameras}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"R": [[1, 0, 0], [0, 1, 0], [0, 0, -1]]}, "is not a rotation"),
        ({"dist": [0, 0]}, "4 or 5 of distortion"),
        ({"video": "gone.mp4"}, "which is not there"),
        ({"name": "same"}, "each with its own name"),
        ({"K": "wide"}, "cannot be used"),
    ],
)
def test_bad_calibrations_are_said(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    write_set(tmp_path / "set", **changes)
    with pytest.raises(PointlightError, match=words):
        read_calibrated_set(tmp_path / "set")


def test_a_calibration_may_begin_with_a_byte_order_mark_and_be_in_millimetres(tmp_path: Path) -> None:
    write_set(tmp_path / "set", t=[0, 0, 1500])
    path = tmp_path / "set" / "calibration.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b'"metres"', b'"mm"'))
    view = read_calibrated_set(tmp_path / "set").views[0]
    assert view.lens.t_camera_world_m.tolist() == pytest.approx([0, 0, 1.5])
    path.write_bytes(path.read_bytes().replace(b'"mm"', b'"feet"'))
    with pytest.raises(PointlightError, match="in none of m, cm, mm"):
        read_calibrated_set(tmp_path / "set")


def test_folders_without_calibration_are_said(tmp_path: Path) -> None:
    with pytest.raises(PointlightError, match=r"no calibration\.json"):
        calibrated_folders(tmp_path)
    write_set(tmp_path / "b")
    write_set(tmp_path / "a")
    assert [folder.name for folder in calibrated_folders(tmp_path)] == ["a", "b"]
    assert [view.name for view in read_calibrated_set(tmp_path / "a").views] == ["cam0", "cam1"]


# Other programs' files


def write_trc(path: Path, joints: np.ndarray, order: list[int]) -> None:
    """(T, 12, 3) in millimetres, markers in the given order, as Pose2Sim names them."""
    names = [_marker(NETWORK_KEYPOINTS[k]) for k in order]
    head = ["PathFileType\t4\t(X/Y/Z)\t" + path.name, "DataRate\tNumFrames\tUnits", f"60\t{len(joints)}\tmm"]
    head += ["Frame#\tTime\t" + "\t\t\t".join(names), "\t\tX1\tY1\tZ1"]
    rows = []
    for t, frame in enumerate(joints):
        cells = ["" if np.isnan(x) else f"{1000 * x:.6f}" for x in frame[order].ravel()]
        rows.append("\t".join([str(t + 1), f"{t / 60:.4f}", *cells]))
    path.write_text("\n".join([*head, *rows]) + "\n")


def _marker(name: str) -> str:
    side, _, part = name.partition("_")
    return side[0].upper() + part.capitalize()


def test_files_of_other_programs_score_as_their_joints_do(tmp_path: Path) -> None:
    joints = person()
    joints[5, 3] = np.nan
    order = list(np.random.default_rng(4).permutation(12))
    write_trc(tmp_path / "a.trc", joints, order)
    np.savez(
        tmp_path / "b.npz", joints=joints[:, order], names=np.array([NETWORK_KEYPOINTS[k] for k in order])
    )
    time_s = np.arange(FRAMES) / 60
    for name in ("a.trc", "b.npz"):
        np.testing.assert_allclose(read_joints(tmp_path / name, time_s), joints, atol=1e-8)
    longer = read_joints(tmp_path / "a.trc", np.arange(FRAMES + 3) / 60)
    np.testing.assert_allclose(longer[:FRAMES], joints, atol=1e-8)
    assert np.isnan(longer[FRAMES:]).all()
    with pytest.raises(PointlightError, match=r"holds 90 frames, the video has 93; add frame_index"):
        read_joints(tmp_path / "b.npz", np.arange(FRAMES + 3) / 60)


@pytest.mark.parametrize("clock_s", [0.0, 1.4])
def test_joints_of_another_rate_are_taken_by_their_times(tmp_path: Path, clock_s: float) -> None:
    """60 rows a second against videos of 30, 25 and 120; of the last every second frame has none."""
    joints = person()
    write_trc(tmp_path / "a.trc", joints, list(range(12)))
    half = read_joints(tmp_path / "a.trc", clock_s + np.arange(45) / 30)
    np.testing.assert_allclose(half, joints[::2], atol=1e-6)
    between = read_joints(tmp_path / "a.trc", clock_s + np.arange(37) / 25)
    exact = np.stack(
        [
            [np.interp(np.arange(37) / 25, np.arange(90) / 60, joints[:, k, c]) for c in range(3)]
            for k in range(12)
        ]
    )
    np.testing.assert_allclose(between, np.moveaxis(exact, -1, 0), atol=1e-3)
    twice = read_joints(tmp_path / "a.trc", clock_s + np.arange(179) / 120)
    np.testing.assert_allclose(twice[::2], joints, atol=1e-6)
    assert np.isnan(twice[1::2]).all()


@pytest.mark.parametrize("key", ["time_s", "fps"])
def test_arrays_may_say_their_times(tmp_path: Path, key: str) -> None:
    joints = person()
    said = {"time_s": np.arange(FRAMES) / 60, "fps": 60.0}[key]
    np.savez(tmp_path / "a.npz", joints=joints, names=np.array(NETWORK_KEYPOINTS), **{key: said})
    np.testing.assert_allclose(read_joints(tmp_path / "a.npz", np.arange(45) / 30), joints[::2], atol=1e-6)


def test_numbers_and_times_that_contradict_each_other_are_said(tmp_path: Path) -> None:
    joints = person()
    write_trc(tmp_path / "a.trc", joints, list(range(12)))
    head, rows = (
        (tmp_path / "a.trc").read_text().split("\n")[:5],
        (tmp_path / "a.trc").read_text().split("\n")[5:-1],
    )
    later = ["\t".join([str(int(row.split("\t")[0]) + 60), *row.split("\t")[1:]]) for row in rows]
    (tmp_path / "b.trc").write_text("\n".join([*head, *later]) + "\n")
    with pytest.raises(PointlightError, match=r"contradicts itself: its first frame's number means 1\.000 s"):
        read_joints(tmp_path / "b.trc", np.arange(200) / 60)
    with pytest.raises(PointlightError, match="has joints for frame 89, but the video's frames are 0 to 49"):
        read_joints(tmp_path / "a.trc", np.arange(50) / 60)
    (tmp_path / "c.trc").write_text("\n".join([*head, *rows[:40]]) + "\n")
    with pytest.raises(PointlightError, match="says NumFrames 90 and holds 40"):
        read_joints(tmp_path / "c.trc", np.arange(90) / 60)


def test_odd_text_of_other_programs_is_read(tmp_path: Path) -> None:
    """A byte order mark, Windows' line ends, a marker whose name holds the letter U+0085, units in words."""
    joints = person()
    write_trc(tmp_path / "a.trc", joints, list(range(12)))
    lines = (tmp_path / "a.trc").read_text().replace("\tmm\n", "\tMillimeters\n").replace("\n", "\r\n")
    names = lines.split("\r\n")[3]
    odd = lines.replace(names, names + "\t\t\tMarker\x85x")
    (tmp_path / "b.trc").write_bytes(b"\xef\xbb\xbf" + odd.encode())
    found = read_joints(tmp_path / "b.trc", np.arange(FRAMES) / 60)
    np.testing.assert_allclose(found, joints, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a whole TRC"),
        ("a\nUnits\nmiles\nF\tT\tLHip\n\n1\t0\t1\t2\t3\n", "not a whole TRC"),
        ("a\nUnits\nm\nF\tT\tLHip\n\n1\t0\t1\t2\t3\n", "lacks left_ankle"),
        ("a\nUnits\nm\nF\tT\tLHip\n\n", "no frame"),
    ],
)
def test_bad_files_of_other_programs_are_said(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.trc").write_text(text)
    with pytest.raises(PointlightError, match=words):
        read_joints(tmp_path / "x.trc", np.arange(5) / 30)


def test_npz_files_of_something_else_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", points=np.zeros(3))
    with pytest.raises(PointlightError, match=r"x\.npz holds points"):
        read_joints(tmp_path / "x.npz", np.arange(5) / 30)
    np.savez(tmp_path / "y.npz", joints=np.zeros((4, 2, 3)), names=np.array(["left_hip"]))
    with pytest.raises(PointlightError, match=r"shape \(4, 2, 3\)"):
        read_joints(tmp_path / "y.npz", np.arange(5) / 30)


def test_the_picture_shows_who_is_beside_the_truth() -> None:
    joints = person() * (1, -1, 1)  # upright in camera axes
    other = turned(joints)
    other[0] = np.nan
    same = compare_skeletons(joints, {"other": other}, [0, 40])
    bent = other.copy()
    bent[:, NETWORK_KEYPOINTS.index("left_wrist")] += (0.5, 0.5, 0.5)
    different = compare_skeletons(joints, {"other": bent}, [0, 40])
    half = same.shape[1] // 2
    assert same.dtype == np.uint8 and same.shape[2] == 3
    assert np.array_equal(same[:, :half], different[:, :half])  # nothing of it is known in the first frame
    assert (same[:, half:] != different[:, half:]).any()


def test_a_skeleton_is_drawn_where_its_joints_are() -> None:
    image = np.zeros((100, 80, 3), np.uint8)
    joints = np.full((12, 2), np.nan)
    joints[NETWORK_KEYPOINTS.index("left_hip")] = (10, 20)
    joints[NETWORK_KEYPOINTS.index("left_knee")] = (10, 60)
    drawn = draw_skeleton(image, joints, (255, 0, 0))
    rows, columns = np.nonzero(drawn[..., 0])
    assert (rows.min(), rows.max()) == (20, 60) and abs(columns - 10).max() <= 1
    assert not image.any()
