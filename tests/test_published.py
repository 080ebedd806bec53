"""The protocol of published benchmarks on made files: predictions that are known to be right or wrong, and the command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmark_files import (
    mpi_content,
    set_poses2d,
    surreal_content,
    threedpw_content,
    write_3dpw,
    write_mpi,
    write_surreal,
)
from smpl_files import h36m_regressor, smpl_arrays, write_smpl
from test_smpl import slow_smpl
from typer.testing import CliRunner

from pointlight.body import EVALUATION_JOINTS, MEAN_ADULT_SHAPE, NETWORK_KEYPOINTS, SMPL_JOINTS, AnnyBody
from pointlight.capture import Capture, PredictOptions, body_states
from pointlight.cli.main import app
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation import (
    Contender,
    EvaluationResult,
    PublishedRow,
    evaluate_published,
    read_result,
    tables,
)
from pointlight.evaluation.published import SKELETON_JOINTS, read_3dpw
from pointlight.evaluation.published import evaluator as published
from pointlight.evaluation.published.evaluator import TrackScore, scored_frames, summary
from pointlight.evaluation.published.regressed import H36M_ROWS, RegressedTruth
from pointlight.geometry import rotvec_to_rotmat
from pointlight.training import find_training_recipe, save_checkpoint

FRAMES = 8
NOTHING_MM = 1e-2


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, body: AnnyBody) -> Path:
    """A network that has learnt nothing."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    config = find_training_recipe("tiny").network
    torch.manual_seed(0)
    save_checkpoint(path, config.build(body), body)
    return path


def made_capture(body: AnnyBody, keypoints: Keypoints2D, seed: int) -> Capture:
    """Somebody who moves, in camera axes."""
    count = len(keypoints)
    generator = torch.Generator().manual_seed(seed)
    turns = rotvec_to_rotmat(0.5 * torch.randn(count, len(body.joint_names), 3, generator=generator))
    shape = torch.tensor(MEAN_ADULT_SHAPE)
    capture = Capture(
        frame_index=keypoints.frame_index,
        time_s=keypoints.time_s,
        valid=np.ones(count, bool),
        occluded=np.zeros(count, bool),
        joints_camera_m=np.zeros((count, 14, 3)),
        translation_camera_m=np.tile((0.0, 0, 4), (count, 1)),
        pose_rotmat=turns.numpy(),
        body_joint_names=body.joint_names,
        shape=shape.numpy(),
        body_model=body.name,
        focal_source="assumed",
        track_id=0,
        keypoint_source=keypoints.source,
        keypoints_px=keypoints.points,
        keypoint_names=keypoints.names,
        fps=30,
        image_size=keypoints.image_size,
        focal_px=1000,
        principal_px=(0, 0),
        model_sha256="",
    )
    joints = body.keypoints(body_states(capture, body), EVALUATION_JOINTS)
    return replace(capture, joints_camera_m=joints.numpy())


class Lifter:
    """Stands where `lift_keypoints` does: says the same captures that the files' truth was made of."""

    def __init__(self, captures: dict[str, Capture]) -> None:
        self.captures = captures
        self.calls: list[tuple[Keypoints2D, bool, float | None]] = []
        self.change: Callable[[Capture], Capture] = lambda capture: capture

    def __call__(
        self,
        keypoints: Keypoints2D,
        checkpoint: Any,
        body: Any,
        options: PredictOptions,
        *,
        overlap: bool = True,
        mirror: bool = True,
        frames: Any = (),
    ) -> Capture:
        assert not mirror and not options.refine, "tables hold the network's own word"
        self.calls.append((keypoints, overlap, options.focal_px))
        return self.change(self.captures[keypoints.source])


@pytest.fixture
def known(tmp_path: Path, body: AnnyBody, monkeypatch: pytest.MonkeyPatch) -> Lifter:
    """3DPW files beneath `tmp_path / "data"` whose truth is our own body's skeleton, and who knows it."""
    content = threedpw_content(FRAMES, 2)
    path = write_3dpw(tmp_path / "data", content)
    captures = {}
    for actor, track in enumerate(read_3dpw(path)):
        capture = made_capture(body, track.keypoints, actor)
        skeleton = body.joints(body_states(capture, body)).numpy().astype(float)
        turn, shift = content["cam_poses"][:, :3, :3], content["cam_poses"][:, :3, 3]
        world = np.einsum("tba,tjb->tja", turn, skeleton - shift[:, None])
        joints = content["jointPositions"][actor].reshape(FRAMES, 24, 3).copy()
        for name in SKELETON_JOINTS:
            joints[:, SMPL_JOINTS.index(name)] = world[:, body.joint_names.index(name)]
        content["jointPositions"][actor] = joints.reshape(FRAMES, 72)
        captures[track.keypoints.source] = capture
    write_3dpw(tmp_path / "data", content)
    lifter = Lifter(captures)
    monkeypatch.setattr(published, "lift_keypoints", lifter)
    return lifter


def score(
    folder: Path, weights: Path, benchmark: str = "3dpw", **options: Any
) -> EvaluationResult[PublishedRow]:
    return evaluate_published([str(weights)], benchmark=benchmark, folder=folder, **options)


def test_the_truth_scores_nothing(tmp_path: Path, weights: Path, known: Lifter) -> None:
    result = score(tmp_path / "data", weights)
    model = result.row("tiny")
    for name in ("pa_mpjpe_mm", "pa_mpjpe_mm_over_frames", "mpjpe_mm", "acceleration_mm"):
        assert getattr(model, name) < NOTHING_MM, name
    assert result.row("tiny", "overlap").pa_mpjpe_mm < NOTHING_MM
    assert max(model.by_joint.values()) < NOTHING_MM
    assert set(model.by_person) == {"made_00/0", "made_00/1"}
    assert result.spec.data.counts["frames"] == 2 * FRAMES and model.coverage == 1
    assert result.row("rest_pose").pa_mpjpe_mm > 50 and result.row("rest_pose").baseline
    assert "jointPositions" in result.spec.configuration["joints"]


def test_alignment_forgives_all_but_a_mirror(tmp_path: Path, weights: Path, known: Lifter) -> None:
    known.change = lambda capture: replace(
        capture,
        pose_rotmat=np.concatenate(
            (capture.pose_rotmat[:, :1] @ np.diag((-1, 1, -1)), capture.pose_rotmat[:, 1:]), 1
        ),
    )
    turned = score(tmp_path / "data", weights).row("tiny")
    assert turned.pa_mpjpe_mm < 0.1 and turned.mpjpe_mm > 100

    def mirrored(capture: Capture) -> Capture:
        flip = np.diag((-1.0, 1, 1))
        return replace(capture, pose_rotmat=flip @ capture.pose_rotmat @ flip)  # without exchanging the sides

    known.change = mirrored
    assert score(tmp_path / "data", weights).row("tiny").pa_mpjpe_mm > 20


def test_all_frames_go_in_and_those_with_seven_keypoints_are_scored(
    tmp_path: Path, weights: Path, known: Lifter
) -> None:
    path = tmp_path / "data" / "sequenceFiles" / "test" / "made_00.pkl"
    from pointlight.pickles import read_pickle

    content = read_pickle(path, "")
    order = [6, 3, 4, 7, 10]  # left elbow ... of the 12, OpenPose's numbers
    content["poses2d"][0][1][2, order] = 0.29  # seven are left
    content["poses2d"][0][2][2, [*order, 13]] = 0.29  # six
    content["poses2d"][0][3] = 0
    content["poses2d"][0][4][0, [*order, 13]] = 3000  # outside the picture
    write_3dpw(tmp_path / "data", content)
    broken = [2, 3, 4]

    def wrong_where_unscored(capture: Capture) -> Capture:
        pose = capture.pose_rotmat.copy()
        if capture.keypoint_source.endswith("person 0"):
            pose[broken] = np.eye(3)
        return replace(capture, pose_rotmat=pose)

    known.change = wrong_where_unscored
    result = score(tmp_path / "data", weights)
    assert result.spec.data.counts["frames"] == 2 * FRAMES - 3
    assert result.row("tiny").pa_mpjpe_mm < NOTHING_MM
    assert all(len(keypoints) == FRAMES for keypoints, _, _ in known.calls)


def test_windows_and_focal_lengths(tmp_path: Path, weights: Path, known: Lifter) -> None:
    """The main figure knows neither the camera nor neighbouring windows; the others are beside it."""
    score(tmp_path / "data", weights)
    assert [(overlap, focal) for _, overlap, focal in known.calls[:3]] == [
        (False, None),
        (True, None),
        (False, pytest.approx(1965)),
    ]


def test_a_frame_without_a_body_has_its_neighbours(tmp_path: Path, weights: Path, known: Lifter) -> None:
    def partly(capture: Capture) -> Capture:
        pose = capture.pose_rotmat.copy()
        pose[:] = pose[3]
        valid = np.arange(FRAMES) == 3
        pose[~valid] = np.nan
        return replace(capture, pose_rotmat=pose, valid=valid)

    known.change = partly
    model = score(tmp_path / "data", weights).row("tiny")
    assert model.coverage == pytest.approx(1 / FRAMES)
    assert np.isfinite(model.pa_mpjpe_mm) and model.pa_mpjpe_mm > 20


def test_unknown_cameras_count_after_alignment_alone(tmp_path: Path, weights: Path, known: Lifter) -> None:
    from pointlight.pickles import read_pickle

    path = tmp_path / "data" / "sequenceFiles" / "test" / "made_00.pkl"
    content = read_pickle(path, "")
    content["campose_valid"][0][:] = False
    write_3dpw(tmp_path / "data", content)
    result = score(tmp_path / "data", weights)
    model = result.row("tiny")
    assert result.spec.data.counts["frames"] == 2 * FRAMES and model.pa_mpjpe_mm < NOTHING_MM
    assert model.mpjpe_mm < NOTHING_MM  # world axes would make it large
    assert model.camera_valid_pa_mpjpe_mm < NOTHING_MM


def test_a_person_whom_nobody_sees_is_counted(tmp_path: Path, weights: Path, known: Lifter) -> None:
    from pointlight.pickles import read_pickle

    path = tmp_path / "data" / "sequenceFiles" / "test" / "made_00.pkl"
    content = read_pickle(path, "")
    content["poses2d"][0][:] = 0
    write_3dpw(tmp_path / "data", content)
    result = score(tmp_path / "data", weights)
    counts = result.spec.data.counts
    assert counts["persons"] == 1 and counts["persons_without_scored_frames"] == 1
    content["poses2d"][1][:] = 0
    write_3dpw(tmp_path / "data", content)
    with pytest.raises(
        PointlightError, match=r"no frame beneath .* has both a truth and 7 of the 12 keypoints"
    ):
        score(tmp_path / "data", weights)


def person(name: str, errors: list[float], known: list[bool] | None = None) -> TrackScore:
    values = np.array(errors)
    every = np.ones(len(values), bool)
    return TrackScore(
        name,
        values,
        np.tile(values[:, None], (1, 14)),
        every if known is None else np.array(known),
        np.zeros(0),
        np.zeros(0),
        every,
    )


def test_persons_count_alike_and_frames_beside() -> None:
    rows = [person("a", [10.0] * 9), person("b", [50.0], known=[False])]
    figures = summary(rows, SKELETON_JOINTS, Contender("somebody"))
    assert figures.pa_mpjpe_mm == 30 and figures.pa_mpjpe_mm_over_frames == 14
    assert figures.camera_valid_pa_mpjpe_mm == 10
    assert figures.ci95_mm == (10, 50)
    assert figures.by_person == {"a": 10, "b": 50}
    assert set(figures.by_joint.values()) == {30}
    assert figures.mpjpe_mm is None


# The literature's 14 joints


def test_the_regressed_truth_is_that_of_the_surface(tmp_path: Path) -> None:
    content = threedpw_content(FRAMES, 1)
    (track,) = read_3dpw(write_3dpw(tmp_path, content))
    np.save(tmp_path / "J_regressor_h36m.npy", h36m_regressor())
    truth = RegressedTruth(write_smpl(tmp_path / "model.pkl"), tmp_path / "J_regressor_h36m.npy")
    joints = truth.joints(track).numpy()
    for frame in (0, 5):
        pose, betas, trans = (content[key][0] for key in ("poses", "betas", "trans"))
        _, vertices = slow_smpl(pose[frame], betas, trans[frame])
        rows = h36m_regressor()[[H36M_ROWS[name] for name in EVALUATION_JOINTS]]
        camera = rows @ vertices @ track.R_camera_world[frame].T
        assert np.abs((joints[frame] - joints[frame, 0]) - (camera - camera[0])).max() < 1e-5
    assert list(truth.files()) == ["model.pkl"]


def test_h36m_rows_are_spins() -> None:
    """[6,5,4,1,2,3,16,15,14,11,12,13,8,10] for R ankle, knee, hip, L hip, knee, ankle, R wrist, elbow, ... (SPIN)."""
    order = [f"right_{p}" for p in ("ankle", "knee", "hip")] + [f"left_{p}" for p in ("hip", "knee", "ankle")]
    order += [f"right_{p}" for p in ("wrist", "elbow", "shoulder")]
    order += [f"left_{p}" for p in ("shoulder", "elbow", "wrist")]
    assert [H36M_ROWS[name] for name in (*order, "neck", "head_top")] == [
        6,
        5,
        4,
        1,
        2,
        3,
        16,
        15,
        14,
        11,
        12,
        13,
        8,
        10,
    ]


@pytest.mark.parametrize(
    "names", [("SMPL_FEMALE.pkl", "SMPL_MALE.pkl"), ("basicModel_f_lbs_10.pkl", "basicmodel_m_lbs_10.pkl")]
)
def test_a_folder_has_a_body_for_each_sex(tmp_path: Path, names: tuple[str, str]) -> None:
    np.save(tmp_path / "r.npy", h36m_regressor())
    for seed, name in enumerate(names):
        write_smpl(tmp_path / "smpl" / name, smpl_arrays(seed))
    truth = RegressedTruth(tmp_path / "smpl", tmp_path / "r.npy")
    man, woman = read_3dpw(write_3dpw(tmp_path, threedpw_content(2, 2)))
    truth.joints(man)
    assert list(truth.files()) == [names[1]]
    truth.joints(woman)
    assert list(truth.files()) == [names[1], names[0]]
    (tmp_path / "smpl" / names[1]).unlink()
    with pytest.raises(PointlightError, match=f"has no male SMPL file among {re.escape(names[0])}"):
        RegressedTruth(tmp_path / "smpl", tmp_path / "r.npy").joints(man)


def test_what_is_given_for_the_regressed_truth(tmp_path: Path, weights: Path) -> None:
    write_3dpw(tmp_path, threedpw_content(2, 1))
    smpl, regressor = write_smpl(tmp_path / "model.pkl"), tmp_path / "r.npy"
    with pytest.raises(PointlightError, match="need both an SMPL file and J_regressor_h36m"):
        score(tmp_path, weights, smpl=smpl)
    with pytest.raises(PointlightError, match=r"there is no regressor .*r\.npy; give J_regressor_h36m\.npy"):
        score(tmp_path, weights, smpl=smpl, regressor=regressor)
    np.save(regressor, np.zeros((24, 192)))
    with pytest.raises(PointlightError, match=r"r\.npy has no \(17, vertices\) real numbers"):
        score(tmp_path, weights, smpl=smpl, regressor=regressor)
    np.save(regressor, np.zeros((17, 6890)))
    with pytest.raises(PointlightError, match=r"has \(6890,\) weights, .*model\.pkl has 192 vertices"):
        score(tmp_path, weights, smpl=smpl, regressor=regressor)
    with pytest.raises(PointlightError, match="there is no SMPL file or folder"):
        score(tmp_path, weights, smpl=tmp_path / "none.pkl", regressor=regressor)
    with pytest.raises(PointlightError, match="mpi-inf-3dhp has no SMPL parameters"):
        score(tmp_path, weights, "mpi-inf-3dhp", smpl=smpl, regressor=regressor)


# Real networks, all benchmarks


def test_mpi_inf_3dhp_from_end_to_end(tmp_path: Path, weights: Path) -> None:
    pytest.importorskip("h5py", reason="the extra `benchmarks` is not installed")
    write_mpi(tmp_path, mpi_content(FRAMES))
    result = score(tmp_path, weights, "mpi-inf-3dhp")
    assert result.spec.configuration["joint_names"] == list(EVALUATION_JOINTS)
    assert result.spec.data.counts["frames"] == FRAMES
    assert 20 < result.row("tiny").pa_mpjpe_mm < 400


@pytest.mark.parametrize("frames", [1, 2, 40])
def test_surreal_from_end_to_end(tmp_path: Path, weights: Path, frames: int) -> None:
    """Clips of a single frame are among its training files."""
    write_surreal(tmp_path, surreal_content(frames))
    result = score(tmp_path, weights, "surreal")
    assert result.spec.data.counts["frames"] == frames
    assert 0 < result.row("tiny").pa_mpjpe_mm < 400
    assert result.row("tiny").coverage == 1


def test_the_command(tmp_path: Path, weights: Path) -> None:
    content = threedpw_content(FRAMES, 2)
    content["poses2d"][1][0, 0] = 1e9
    content["poses2d"][0][2] = 0
    write_3dpw(tmp_path, content)
    np.save(tmp_path / "r.npy", h36m_regressor())
    file = tmp_path / "new" / "figures.json"
    arguments = ["evaluate", str(weights), "--on", "3dpw", "--data", str(tmp_path), "--json", str(file)]
    smpl = ["--smpl", str(write_smpl(tmp_path / "model.pkl")), "--regressor", str(tmp_path / "r.npy")]
    done = CliRunner().invoke(app, arguments + smpl)
    assert done.exit_code == 0, done.output
    result = read_result(file)
    spec = result.spec
    assert spec.data.counts["frames"] == 2 * FRAMES - 2  # all of a frame absurd, and one absent
    assert "J_regressor_h36m" in spec.configuration["joints"] and "model.pkl" in spec.configuration["smpl"]
    assert set(spec.data.sha256) == {"benchmark", "model.pkl", "regressor"}
    assert spec.command.startswith(f"pointlight evaluate {weights} --on 3dpw --data {tmp_path} --smpl ")
    low, high = result.row("tiny").ci95_mm
    assert low <= result.row("tiny").pa_mpjpe_mm <= high
    for words in ("| tiny ", "| tiny, true focal length ", "| rest_pose (baseline) ", "| left_knee "):
        assert words in done.output
    assert "3dpw, file 1 of 1" in done.output
    assert tables(result) in done.output

    # Keys of version 0.1.0, for one release.
    earlier = json.loads(file.read_text())
    assert set(earlier) > {"models", "peers", "frames", "config"}
    model = earlier["models"]["tiny"]
    assert model["overlap_pa_mpjpe_mm"] == result.row("tiny", "overlap").pa_mpjpe_mm
    assert model["known_focal_pa_mpjpe_mm"] == result.row("tiny", "true_focal").pa_mpjpe_mm
    assert earlier["config"]["persons"] == 2 and earlier["frames"] == 2 * FRAMES - 2

    without = score(tmp_path, weights)
    assert without.row("tiny").pa_mpjpe_mm != result.row("tiny").pa_mpjpe_mm
    assert "skeleton" in without.spec.configuration["joints"] and without.spec.configuration["smpl"] is None
    assert without.spec.data.sha256["benchmark"] == spec.data.sha256["benchmark"]


def test_words_for_what_is_missing(tmp_path: Path, weights: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", "points", "--on", "3dpw"])
    assert isinstance(done.exception, PointlightError)
    assert "give the folder of your own copy with --data" in str(done.exception)
    done = CliRunner().invoke(app, ["evaluate", "points", "--on", "surreal", "--data", str(tmp_path)])
    assert isinstance(done.exception, PointlightError) and "no *_info.mat" in str(done.exception)
    with pytest.raises(PointlightError, match=r"there is no benchmark '4dpw'; there are 3dpw"):
        score(tmp_path, weights, "4dpw")


def test_scored_frames_by_the_keypoints_own_size(tmp_path: Path) -> None:
    """In a portrait picture, what lies below row 1080 is inside."""
    content = threedpw_content(FRAMES, 1, portrait=True)
    content["jointPositions"][0] = (
        content["jointPositions"][0].reshape(FRAMES, 24, 3) - (0, 0.5, 0)
    ).reshape(FRAMES, 72)
    set_poses2d(content, 0)
    (track,) = read_3dpw(write_3dpw(tmp_path, content))
    below = track.keypoints.select(NETWORK_KEYPOINTS)[..., 1] > 1080
    assert (below.sum(1) > 5).all()
    assert scored_frames(track).all()
