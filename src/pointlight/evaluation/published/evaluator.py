"""`--on 3dpw`, `mpi-inf-3dhp` and `surreal`: published benchmarks, for whoever has their files.

The protocol is that of the paper (section 4, after Arnab et al. 2019): every frame goes in, those with fewer than 7 of
the 12 keypoints as total occlusions; frames with at least 7 are scored; PA-MPJPE is averaged over the frames of each
person, then over persons. Others average over frames, which is given beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointlight.body import (
    EVALUATION_JOINTS,
    NETWORK_KEYPOINTS,
    AnnyBody,
    BodyModel,
    BodyState,
)
from pointlight.capture import Capture, PredictOptions, body_states, lift_keypoints, seen_keypoints
from pointlight.cues import MIN_VISIBLE
from pointlight.errors import PointlightError
from pointlight.evaluation.contenders import command, named_checkpoints, names_of, weights_sha256
from pointlight.evaluation.metrics import acceleration_error, mpjpe_mm, pa_mpjpe_mm
from pointlight.evaluation.published.mpi_inf_3dhp import (
    find_mpi_inf_3dhp,
    first_picture_mpi_inf_3dhp,
    read_mpi_inf_3dhp,
)
from pointlight.evaluation.published.pictures import frames_of, there
from pointlight.evaluation.published.regressed import RegressedTruth
from pointlight.evaluation.published.surreal import find_surreal, read_surreal
from pointlight.evaluation.published.threedpw import find_3dpw, first_picture_3dpw, read_3dpw
from pointlight.evaluation.published.track import BenchmarkTrack
from pointlight.evaluation.results import EvaluationResult, EvaluationSpec, PublishedRow, ScoredData
from pointlight.evaluation.variants import PUBLISHED, Contender, Variant, variants_of
from pointlight.files import file_sha256
from pointlight.geometry import safe_norm, similarity_alignment
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.provenance import files_sha256
from pointlight.simulator.people import surreal_video
from pointlight.training import Checkpoint

SKELETON_JOINTS: tuple[str, ...] = (*NETWORK_KEYPOINTS, "neck", "head")
"""Joints inside the body that SMPL and our body both have, by the same names."""

REST_POSE = Contender("rest_pose", baseline=True)

_DRAWS = 1000

BOOTSTRAP_SEED = 0
"""Fixed, so that the same scores give the same interval."""


@dataclass(frozen=True)
class Benchmark:
    """Where a benchmark's files lie, how they are read, and which of our joints its own are.

    Attributes:
        find: its test files in a folder.
        read: the tracks of a file.
        names: of the 14 joints that are compared without an SMPL file.
        label: what they are.
        has_smpl: whether its tracks have SMPL's parameters.
        pictures: the first picture, or the video, that belongs to a file; it need not be there.
    """

    find: Callable[[Path], list[Path]]
    read: Callable[[Path], list[BenchmarkTrack]]
    names: tuple[str, ...]
    label: str
    has_smpl: bool
    pictures: Callable[[Path], Path]


_SMPL_LABEL = "12 limb joints, neck and head of SMPL's skeleton ({}), against those of our body's skeleton"
BENCHMARKS: dict[str, Benchmark] = {
    "3dpw": Benchmark(
        find_3dpw,
        read_3dpw,
        SKELETON_JOINTS,
        _SMPL_LABEL.format("jointPositions"),
        True,
        first_picture_3dpw,
    ),
    "mpi-inf-3dhp": Benchmark(
        find_mpi_inf_3dhp,
        read_mpi_inf_3dhp,
        EVALUATION_JOINTS,
        "14 of the benchmark's joints (univ_annot3), against our body's keypoints of the same names",
        False,
        first_picture_mpi_inf_3dhp,
    ),
    "surreal": Benchmark(
        find_surreal, read_surreal, SKELETON_JOINTS, _SMPL_LABEL.format("joints3D"), True, surreal_video
    ),
}
_REGRESSED_LABEL = (
    "14 joints by J_regressor_h36m from the person's SMPL surface, against our body's keypoints"
)


@dataclass(frozen=True)
class TrackScore:
    """Per-frame errors of one contender on one person of a benchmark; N scored frames.

    Attributes:
        name: of the track.
        error_mm: (N,) PA-MPJPE.
        by_joint_mm: (N, 14) distances after alignment.
        camera_valid: (N,) bool, the benchmark knows the camera's place.
        unaligned_mm: (M,) MPJPE relative to the middle of the hips, in frames of known cameras.
        acceleration_mm: (L,) acceleration error of the joints relative to the hips, mm per frame squared.
        own_body: (N,) bool, the model gave a body in this frame; otherwise that of the nearest frame is scored.
    """

    name: str
    error_mm: np.ndarray
    by_joint_mm: np.ndarray
    camera_valid: np.ndarray
    unaligned_mm: np.ndarray
    acceleration_mm: np.ndarray
    own_body: np.ndarray


def evaluate_published(
    models: Sequence[str] | str,
    *,
    benchmark: str,
    folder: Path | str,
    smpl: Path | None = None,
    regressor: Path | None = None,
    device: str = "cpu",
    progress: ProgressCallback = silent,
) -> EvaluationResult[PublishedRow]:
    """Score models on a benchmark's test set.

    Args:
        models: names of shipped models, paths of weights or folders of runs; one alone needs no list.
        benchmark: "3dpw", "mpi-inf-3dhp" or "surreal".
        folder: the benchmark's, as it was unpacked.
        smpl: an official SMPL file for all persons, or a folder with those of women and men.
        regressor: J_regressor_h36m.npy, (17, V); with `smpl`, truth are the 14 joints of the literature.
        device: where networks run, as torch calls it.
        progress: told how many of the benchmark's files are done.

    Returns:
        Specification and a row for each model, variant and baseline; `tables` shows it, `write_result` keeps it.

    Raises:
        PointlightError: a model, the folder or a file cannot be read or does not fit, no frame can be scored, or a model
            sees pictures that are not there.

    Example:
        >>> import pointlight
        >>> result = pointlight.evaluate_published(["points"], benchmark="3dpw", folder="3DPW")
        >>> result.row("points").coverage
        1.0
    """
    models = names_of(models)
    if benchmark not in BENCHMARKS:
        raise PointlightError(f"there is no benchmark {benchmark!r}; there are {', '.join(BENCHMARKS)}")
    chosen = BENCHMARKS[benchmark]
    regressed = _regressed_truth(benchmark, smpl, regressor)
    names, label = (EVALUATION_JOINTS, _REGRESSED_LABEL) if regressed else (chosen.names, chosen.label)
    body = AnnyBody()
    checkpoints = named_checkpoints(models, body, device)
    files = chosen.find(Path(folder))
    if any(checkpoint.config.cues.sees_pictures for checkpoint in checkpoints.values()):
        for file in files:
            there(chosen.pictures(file))  # said before the work, not in the midst of it
    scores, unscored = _score_files(benchmark, files, regressed, names, checkpoints, body, progress)
    resting = scores[REST_POSE]
    if not resting:
        raise PointlightError(
            f"no frame beneath {folder} has both a truth and 7 of the 12 keypoints; check the benchmark's files"
        )
    counts = {
        "frames": sum(len(score.error_mm) for score in resting),
        "files": len(files),
        "persons": len(resting),
        "persons_without_scored_frames": unscored,
    }
    smpl_files = regressed.files() if regressed else {}
    sha256 = {"benchmark": files_sha256(files), **smpl_files}
    if regressor is not None:
        sha256["regressor"] = file_sha256(Path(regressor))
    spec = EvaluationSpec.of_this_run(
        PUBLISHED,
        weights=weights_sha256(checkpoints),
        baseline_weights={},
        data=ScoredData(benchmark, sha256, counts),
        seed=BOOTSTRAP_SEED,
        configuration={
            "benchmark": benchmark,
            "joints": label,
            "joint_names": list(names),
            "smpl": smpl_files or None,
        },
        command=command(models, on=benchmark, data=folder, smpl=smpl, regressor=regressor),
    )
    return EvaluationResult(spec, tuple(summary(rows, names, who) for who, rows in scores.items()))


def _score_files(
    benchmark: str,
    files: Sequence[Path],
    regressed: RegressedTruth | None,
    names: tuple[str, ...],
    checkpoints: Mapping[str, Checkpoint],
    body: BodyModel,
    progress: ProgressCallback,
) -> tuple[dict[Contender, list[TrackScore]], int]:
    """Every contender's errors on each person, and how many persons have no frame that can be scored."""
    variants = {variant.key: variant for variant in variants_of(PUBLISHED)}
    scores = {Contender(name, key): [] for name in checkpoints for key in variants} | {REST_POSE: []}
    unscored = 0
    for done, file in enumerate(files):
        progress(Progress(benchmark, done, len(files), unit="file"))
        for track in BENCHMARKS[benchmark].read(file):
            scored = scored_frames(track)
            if not scored.any():
                unscored += 1
                continue
            truth = regressed.joints(track) if regressed else torch.from_numpy(track.joints(names))
            for contender, rows in scores.items():
                if contender == REST_POSE:
                    rows.append(_score_of_rest(track, truth, scored, body, names))
                else:
                    checkpoint, variant = checkpoints[contender.model], variants[contender.variant]
                    rows.append(score_track(track, truth, scored, checkpoint, body, names, variant))
    progress(Progress(benchmark, len(files), len(files), unit="file"))
    return scores, unscored


def scored_frames(track: BenchmarkTrack) -> np.ndarray:
    """(T,) bool: frames with a truth and at least 7 of the 12 keypoints."""
    width, height = track.keypoints.image_size
    seen = seen_keypoints(track.keypoints.select(NETWORK_KEYPOINTS), width, height)
    return track.valid & (seen.sum(1) >= MIN_VISIBLE)


def score_track(
    track: BenchmarkTrack,
    truth: Tensor,
    scored: np.ndarray,
    checkpoint: Checkpoint,
    body: BodyModel,
    names: tuple[str, ...],
    variant: Variant,
) -> TrackScore:
    """Errors of a checkpoint on one person, as a variant runs it.

    Args:
        track: all of its frames go in.
        truth: (T, 14, 3) metres, camera axes.
        scored: (T,) bool.
        checkpoint: of a network that gives bodies; one that sees pictures is shown the track's.
        body: the model's.
        names: of the 14 joints.
        variant: the benchmark's camera is known where it says so.

    Raises:
        PointlightError: the model is of another kind.
    """
    focal_px = float(np.median(track.focal_px)) if variant.true_focal else None
    options = PredictOptions(refine=variant.refine, focal_px=focal_px)
    capture = lift_keypoints(
        track.keypoints,
        checkpoint,
        body,
        options,
        overlap=variant.overlap,
        mirror=variant.mirror,
        frames=frames_of(track) if checkpoint.config.cues.sees_pictures else (),
    )
    return _score(track, truth, scored, _joints(capture, body, names), capture.valid)


def summary(scores: list[TrackScore], names: tuple[str, ...], contender: Contender) -> PublishedRow:
    """A contender's figures: means over persons of the means over their frames, unless the name says otherwise."""
    by_person = np.array([score.error_mm.mean() for score in scores])
    frames = np.concatenate([score.error_mm for score in scores])
    known = [score.error_mm[score.camera_valid] for score in scores]
    low, high = _interval(by_person)
    joints = _mean([score.by_joint_mm for score in scores])
    return PublishedRow(
        **vars(contender),
        pa_mpjpe_mm=_rounded(by_person.mean()),
        ci95_mm=(_rounded(low), _rounded(high)),
        pa_mpjpe_mm_over_frames=_rounded(frames.mean()),
        camera_valid_pa_mpjpe_mm=_rounded(_mean(known)),
        camera_valid_pa_mpjpe_mm_over_frames=_rounded(_mean([np.concatenate(known)])),
        mpjpe_mm=_rounded(_mean([score.unaligned_mm for score in scores])),
        acceleration_mm=_rounded(_mean([score.acceleration_mm for score in scores])),
        by_joint={name: _rounded(value) for name, value in zip(names, joints, strict=True)},
        by_person={score.name: _rounded(score.error_mm.mean()) for score in scores},
        coverage=round(float(np.concatenate([score.own_body for score in scores]).mean()), 4),
    )


def _regressed_truth(benchmark: str, smpl: Path | None, regressor: Path | None) -> RegressedTruth | None:
    if smpl is None and regressor is None:
        return None
    if not BENCHMARKS[benchmark].has_smpl:
        raise PointlightError(
            f"{benchmark} has no SMPL parameters; leave out the SMPL file and the regressor"
        )
    if smpl is None or regressor is None:
        raise PointlightError(
            "the 14 joints need both an SMPL file and J_regressor_h36m.npy; give both, or neither for SMPL's skeleton"
        )
    return RegressedTruth(Path(smpl), Path(regressor))


def _joints(capture: Capture, body: BodyModel, names: tuple[str, ...]) -> Tensor:
    """(T, 14, 3) in camera axes; a frame without a body has that of the nearest frame with one."""
    if set(names) <= set(EVALUATION_JOINTS):
        chosen = [EVALUATION_JOINTS.index(name) for name in names]
        joints = torch.from_numpy(capture.joints_camera_m)[:, chosen]
    else:
        chosen = [body.joint_names.index(name) for name in names]
        joints = body.joints(body_states(capture, body))[:, chosen]
    with_body = np.flatnonzero(capture.valid)
    middles = (with_body[1:] + with_body[:-1]) / 2
    nearest = with_body[np.searchsorted(middles, np.arange(len(capture)))]
    return joints[torch.from_numpy(nearest)].double()


def _score_of_rest(
    track: BenchmarkTrack, truth: Tensor, scored: np.ndarray, body: BodyModel, names: tuple[str, ...]
) -> TrackScore:
    """What the mean adult's rest pose scores in every frame, upright before the camera."""
    shape = body.mean_shape
    pose = torch.eye(3).expand(len(body.joint_names) - 1, 3, 3)
    state = BodyState(pose, shape, torch.diag(torch.tensor([1.0, -1.0, -1.0])), torch.zeros(3))
    if set(names) <= set(EVALUATION_JOINTS):
        joints = body.keypoints(state, names)
    else:
        joints = body.joints(state)[[body.joint_names.index(name) for name in names]]
    still = joints.double().expand(len(scored), -1, -1)
    own = np.ones(len(scored), bool)
    return _score(track, truth, scored, still, own)


def _score(
    track: BenchmarkTrack, truth: Tensor, scored: np.ndarray, joints: Tensor, own_body: np.ndarray
) -> TrackScore:
    hips = (NETWORK_KEYPOINTS.index("left_hip"), NETWORK_KEYPOINTS.index("right_hip"))  # the 12 come first
    truth, rows = truth.double(), torch.from_numpy(scored)
    known = torch.from_numpy(scored & track.camera_valid)
    aligned = similarity_alignment(joints[rows], truth[rows]).apply(joints[rows])
    centred = [x - x[:, hips].mean(1, keepdim=True) for x in (joints, truth)]
    threes = known[:-2] & known[1:-1] & known[2:]
    acceleration = acceleration_error(*centred)[threes] if len(scored) > 2 else truth.new_zeros(0)
    return TrackScore(
        name=track.name,
        error_mm=pa_mpjpe_mm(joints[rows], truth[rows]).numpy(),
        by_joint_mm=1000 * safe_norm(aligned - truth[rows]).numpy(),
        camera_valid=track.camera_valid[scored],
        unaligned_mm=mpjpe_mm(joints[known], truth[known], hips).numpy(),
        acceleration_mm=acceleration.numpy(),
        own_body=own_body[scored],
    )


def _mean(values: list[np.ndarray]) -> Any:
    """Mean over persons of the mean over their frames; persons without a frame do not count."""
    means = [rows.mean(0) for rows in values if len(rows)]
    return np.mean(means, axis=0) if means else float("nan")


def _interval(by_person: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap over persons; NaN where there is one alone."""
    if len(by_person) < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    draws = rng.choice(by_person, (_DRAWS, len(by_person))).mean(1)
    low, high = np.percentile(draws, (2.5, 97.5))
    return float(low), float(high)


def _rounded(value: float) -> float | None:
    """None where there was nothing to average: JSON has no NaN."""
    return round(float(value), 3) if np.isfinite(value) else None
