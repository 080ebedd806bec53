"""Truths that rows are held against beside the main one, and what intervals draw."""

from __future__ import annotations

import base64
import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from test_multiview import full_person, made_set, person, weights
from torch.nn import functional

from pointlight import PointlightError
from pointlight.body import EXTENDED_KEYPOINTS
from pointlight.cues import Keypoints2D
from pointlight.evaluation import evaluate_multiview, from_json, tables, to_json
from pointlight.evaluation.multiview import (
    CameraDetections,
    CameraTruth,
    FrameErrors,
    TruthConfig,
    View,
    frame_errors,
    mean_error,
    read_calibrated_set,
    triangulate_person,
    views_2d,
    write_detections_of_cameras,
)
from pointlight.evaluation.multiview import evaluator as multiview_evaluator
from pointlight.evaluation.multiview.block_bootstrap import paired_ratio
from pointlight.evaluation.multiview.reference import is_still, other_cameras_truths
from pointlight.evaluation.variants import MULTIVIEW

__all__ = ["made_set", "weights"]

FRAMES = 36


def errors_of(rows: Sequence[np.ndarray]) -> list[FrameErrors]:
    nothing = np.full((len(rows[0]), 12), np.nan)
    return [FrameErrors(row, nothing, row, row, 1.0, nothing) for row in rows]


def test_a_ratio_has_an_interval_that_pairs_what_both_share() -> None:
    rng = np.random.default_rng(0)
    time_s = np.arange(200) / 50
    other = 60 + 20 * np.sin(2 * time_s) + rng.normal(0, 1, (2, 200))
    pair = paired_ratio(errors_of(0.8 * other), errors_of(other), time_s)
    assert pair.ratio == 0.8 and pair.ratio_ci95 == (0.8, 0.8)
    unlike = paired_ratio(errors_of(0.8 * other[:, ::-1]), errors_of(other), time_s)
    low, high = unlike.ratio_ci95
    assert low is not None and high is not None and low < 0.78 and high > 0.82


def test_frames_of_a_still_set_are_one_sample_a_camera() -> None:
    rng = np.random.default_rng(0)
    rows = np.array([40.0, 60.0, 80.0])[:, None] + rng.normal(0, 1, (3, 400))
    time_s = np.arange(400) / 50
    still = mean_error(errors_of(rows), time_s, still=True)
    moving = mean_error(errors_of(rows), time_s)
    assert still.pa_mpjpe_mm == moving.pa_mpjpe_mm
    wide = np.subtract(*still.ci95_mm[::-1])
    assert wide > 30 and np.subtract(*moving.ci95_mm[::-1]) < 1
    longer = mean_error(errors_of(np.tile(rows, 4)), np.arange(1600) / 50, still=True)
    assert np.subtract(*longer.ci95_mm[::-1]) == pytest.approx(wide, abs=0.2)
    assert mean_error(errors_of(rows[:1]), time_s, still=True).ci95_mm == (None, None)


def seen_by(joints: np.ndarray, folder: Path) -> list[CameraDetections]:
    """Exact keypoints (T, 19, 2) of every camera of a made set."""
    found = []
    for view in read_calibrated_set(folder).views:
        flat = view.lens.project(torch.from_numpy(joints)).numpy()
        points = np.concatenate((flat, np.ones((*flat.shape[:2], 1))), axis=-1)
        frames = np.arange(len(joints))
        track = Keypoints2D(EXTENDED_KEYPOINTS, frames / 60, frames, points, view.image_size, "made")
        found.append(CameraDetections(track, np.zeros((len(joints), 12, 3))))
    return found


def test_who_moves_is_no_still_set(made_set: Path) -> None:
    calibrated = read_calibrated_set(made_set / "made")
    moving = full_person()[:FRAMES]
    sways = moving[:1] + 0.01 * np.sin(np.arange(FRAMES))[:, None, None]
    for joints, still in ((moving, False), (sways, True)):
        views = views_2d(calibrated, seen_by(joints, made_set / "made"))
        assert is_still(triangulate_person(views)) == still


def test_the_other_cameras_truth_knows_nothing_of_its_own(made_set: Path, tmp_path: Path) -> None:
    calibrated = read_calibrated_set(made_set / "made")
    seen = seen_by(full_person()[:FRAMES], made_set / "made")
    points = seen[1].keypoints.points.copy()
    points[..., :2] += np.random.default_rng(0).normal(8, 8, points[..., :2].shape)
    wrong = [*seen]
    wrong[1] = CameraDetections(replace(seen[1].keypoints, points=points), seen[1].world_m)
    exact, bent = (
        other_cameras_truths(calibrated, seen, sources, TruthConfig(), 10, tmp_path)
        for sources in (seen, wrong)
    )
    np.testing.assert_array_equal(exact[1].joints_m, bent[1].joints_m)
    assert np.nanmax(np.abs(exact[0].joints_m - bent[0].joints_m)) > 1e-3
    assert exact[1].left_out == 1.0


def test_joints_that_are_not_scored_by_are_measured_apart() -> None:
    joints = person()[:FRAMES]
    kept, dropped = joints.copy(), np.full_like(joints, np.nan)
    kept[:10, 3] = np.nan
    dropped[:10, 3] = joints[:10, 3] + (0.1, 0, 0)
    truth = CameraTruth(kept, joints[..., :2], np.ones(FRAMES, bool), 1000.0, 1.0, 0.0, dropped)
    found = frame_errors(joints, truth, np.arange(FRAMES) / 60)
    assert np.nanmax(found.pa_mm) < 1e-3
    np.testing.assert_allclose(found.dropped_mm[:10, 3], 100, atol=1e-3)
    assert np.isfinite(found.dropped_mm).sum() == 10


@pytest.fixture
def one_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network alone: the other variants take most of the time."""
    plain = multiview_evaluator.variants_of(MULTIVIEW)[:1]
    monkeypatch.setattr(multiview_evaluator, "variants_of", lambda kind: plain)


def moved(view: View, joints: np.ndarray) -> np.ndarray:
    """(T, 19, 3) keypoints of joints in a view."""
    flat = view.lens.project(torch.from_numpy(joints)).numpy()
    return np.concatenate((flat, np.ones((*flat.shape[:2], 1))), axis=-1)


@pytest.mark.parametrize("made_set", [FRAMES], indirect=True)
@pytest.mark.usefixtures("one_variant")
def test_rows_are_held_against_another_detectors_truth(made_set: Path, weights: Path, tmp_path: Path) -> None:
    joints = full_person()[:FRAMES]
    joints[:, EXTENDED_KEYPOINTS.index("left_knee")] += (0, 0, 0.06)
    views = read_calibrated_set(made_set / "made").views
    file = tmp_path / "knees.npz"
    every = {f"made/{view.name}": moved(view, joints) for view in views}
    write_detections_of_cameras(file, EXTENDED_KEYPOINTS, every, "made")
    result = evaluate_multiview([str(weights)], made_set, truths=[str(file)], roles=["development"])
    assert from_json(to_json(result)) == result
    score = result.row("mediapipe_world").by_set["made"]
    assert list(score.by_camera) == ["cam0"] and list(score.by_role) == ["development"]
    titles = ["full, other cameras only", "knees", "knees, other cameras only"]
    assert list(score.by_truth) == titles
    assert score.pa_mpjpe_mm < 0.2 and score.by_truth[titles[0]].pa_mpjpe_mm < 0.2
    # One of twelve joints is 60 mm away; alignment spreads it.
    assert all(3 < score.by_truth[name].pa_mpjpe_mm < 12 for name in titles[1:])
    assert score.by_truth["knees"].frames == FRAMES
    for title in ("full", *titles):
        assert f"| made/{title} " in tables(result)
    assert result.spec.command.endswith(f"--roles development --truth {file}")

    with pytest.raises(PointlightError, match="no truth 'moon'"):
        evaluate_multiview([str(weights)], made_set, truths=["moon"])
    with pytest.raises(PointlightError, match=r"role 'moon'.*development, test"):
        evaluate_multiview([str(weights)], made_set, roles=["moon"])
    short = {camera: points[:5] for camera, points in every.items()}
    for cameras, names, words in (
        ({"made/cam0": every["made/cam0"]}, EXTENDED_KEYPOINTS, "no keypoints of made/cam1"),
        (short, EXTENDED_KEYPOINTS, "of shape"),
        (every, ("moon",) * 19, "lacks left_"),
    ):
        write_detections_of_cameras(file, names, cameras, "made")
        with pytest.raises(PointlightError, match=words):
            evaluate_multiview([str(weights)], made_set, truths=[str(file)])


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The benchmark's two files."""
    folder = Path(__file__).resolve().parents[1] / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    found = {}
    for name in ("tfjs_graph", "movenet"):
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None and spec.loader is not None
        found[name] = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, found[name])
        spec.loader.exec_module(found[name])
    return found


def words(text: str) -> dict[str, str]:
    return {"s": base64.b64encode(text.encode()).decode()}


def test_a_graph_model_convolves_as_tensorflow_does(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(3, 3, 3, 2)).astype(np.float16), np.array([0.5, -0.5], np.float16)
    half = {"dtype": "float16", "original_dtype": "float32"}
    stored = [
        {"name": name, "shape": list(array.shape), "dtype": "float32", "quantization": half}
        for name, array in (("kernel", kernel), ("bias", bias))
    ]
    (tmp_path / "net.bin").write_bytes(kernel.tobytes() + bias.tobytes())
    same = {
        "strides": {"list": {"i": ["1", "2", "2", "1"]}},
        "padding": words("SAME"),
        "fused_ops": {"list": {"s": [words("BiasAdd")["s"], words("Relu6")["s"]]}},
    }
    nodes = [
        {"name": "input", "op": "Placeholder"},
        {"name": "cast", "op": "Cast", "input": ["input"], "attr": {"DstT": {"type": "DT_FLOAT"}}},
        {"name": "conv", "op": "_FusedConv2D", "input": ["cast", "kernel", "bias"], "attr": same},
        {"name": "Identity", "op": "Identity", "input": ["conv"]},
    ]
    manifest = [{"paths": ["net.bin"], "weights": stored}]
    (tmp_path / "net.json").write_text(
        json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest})
    )
    picture = torch.from_numpy(rng.integers(0, 3, (1, 8, 8, 3)).astype(np.int32))
    found = scripts["tfjs_graph"].TfjsGraph(tmp_path / "net.json")(picture)
    # TensorFlow pads an even side before a stride of 2 behind only.
    padded = functional.pad(picture.float().permute(0, 3, 1, 2), (0, 1, 0, 1))
    weight = torch.from_numpy(kernel.astype(np.float32)).permute(3, 2, 0, 1)
    expected = functional.conv2d(padded, weight, torch.tensor([0.5, -0.5]), 2).clamp(0, 6)
    torch.testing.assert_close(found, expected.permute(0, 2, 3, 1))

    nodes[-1]["op"] = "Moon"
    (tmp_path / "net.json").write_text(
        json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest})
    )
    with pytest.raises(PointlightError, match="operations Moon"):
        scripts["tfjs_graph"].TfjsGraph(tmp_path / "net.json")


def test_the_square_and_back(scripts: dict[str, ModuleType]) -> None:
    """A bright spot that a made-up network finds in its square lies where it is in the picture."""
    movenet = scripts["movenet"]
    picture = np.zeros((400, 300, 3), np.uint8)
    picture[208:213, 118:123] = 255

    def brightest(square: torch.Tensor) -> torch.Tensor:
        flat = square[0, ..., 0].float()
        at = torch.stack(torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij"), -1) + 0.5
        place = (at * flat[..., None]).sum((0, 1)) / flat.sum() / 256
        return torch.cat((place, torch.ones(1))).expand(1, 1, 17, 3)

    found = movenet.keypoints_of(brightest, picture, np.array([130.0, 200.0, 180.0]))
    np.testing.assert_allclose(found[:, :2], [[120, 210]] * 17, atol=0.5)
    assert (movenet.keypoints_of(brightest, picture, np.full(3, np.nan)) == 0).all()
    points = np.zeros((3, 5, 3))
    points[1] = [(0, 0, 1), (10, 0, 1), (0, 40, 1), (10, 40, 1), (900, 900, 0.1)]
    boxes = movenet.boxes_px(points)
    assert np.isnan(boxes[0]).all() and (boxes[1] == boxes[2]).all()
    np.testing.assert_allclose(boxes[1], (5, 20, 1.4 * 40))
