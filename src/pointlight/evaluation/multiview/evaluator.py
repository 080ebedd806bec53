"""`--on multiview`: networks that see one camera, scored by what several calibrated cameras say in metres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from pointlight.body import (
    EVALUATION_JOINTS,
    EXTENDED_KEYPOINTS,
    NETWORK_KEYPOINTS,
    AnnyBody,
    BodyModel,
    indices_of,
)
from pointlight.capture.detection import detector_source
from pointlight.errors import PointlightError
from pointlight.evaluation.contenders import (
    EVALUATION_SEED,
    baseline_checkpoints,
    command,
    constant_pose,
    named_checkpoints,
    names_of,
    weights_sha256,
)
from pointlight.evaluation.multiview.block_bootstrap import (
    BLOCK_S,
    DETECTORS_OWN,
    INTERVAL_MEANS,
    ScoredSet,
    multiview_rows,
)
from pointlight.evaluation.multiview.calibration import (
    CALIBRATION_FILE,
    CalibratedSet,
    View,
    calibrated_folders,
    read_calibrated_set,
)
from pointlight.evaluation.multiview.detections import detect_camera, video_roles
from pointlight.evaluation.multiview.frame_errors import CameraTruth, FrameErrors, frame_errors
from pointlight.evaluation.multiview.other_tools import read_joints
from pointlight.evaluation.multiview.other_truths import checked_truths, other_truths, truth_title
from pointlight.evaluation.multiview.predictors import network_joints, repaired_world_joints, with_points
from pointlight.evaluation.multiview.reference import (
    CameraDetections,
    check_rates,
    is_still,
    reference_of,
    unusable,
)
from pointlight.evaluation.multiview.truth import TruthConfig
from pointlight.evaluation.results import (
    PEOPLE_IN_PART,
    WHOLE_PEOPLE,
    EvaluationResult,
    EvaluationSpec,
    MultiviewRow,
    ReferenceQuality,
    ScoredData,
)
from pointlight.evaluation.variants import MULTIVIEW, Contender, Variant, find_variant, variants_of
from pointlight.files import file_sha256
from pointlight.media import VideoReader
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.training import Checkpoint, training_bank

PREDICTIONS = "predictions"
"""The row of another program's joints."""

_SOURCE = "reference joints from all cameras"


@dataclass(frozen=True)
class _Contenders:
    """Everybody who is scored.

    Attributes:
        checkpoints: the models that were asked for, by name.
        baselines: shipped networks that stand beside, by name.
        constant: (14, 3) the best constant pose.
        predictions: files of another program's joints by "set/camera".
        body: the networks'.
    """

    checkpoints: Mapping[str, Checkpoint]
    baselines: Mapping[str, Checkpoint]
    constant: torch.Tensor
    predictions: Mapping[str, Path]
    body: BodyModel

    def joints(
        self, camera_name: str, view: View, detections: CameraDetections, camera: CameraTruth
    ) -> dict[Contender, np.ndarray]:
        """What everybody says of one camera, (T, 12, 3) each: models with their variants, then baselines."""
        keypoints = detections.keypoints
        joints = {
            Contender(name, variant.key): _run(variant, checkpoint, view, detections, camera, self.body)
            for name, checkpoint in self.checkpoints.items()
            for variant in variants_of(MULTIVIEW)
        }
        if self.predictions:
            file = self.predictions.get(camera_name)
            joints[Contender(PREDICTIONS)] = _read(file, keypoints.time_s)
        for name, baseline in self.baselines.items():
            joints[Contender(name, baseline=True)] = network_joints(keypoints, baseline, self.body)
        own, repaired = (Contender(name, baseline=True) for name in DETECTORS_OWN)
        joints[own] = detections.world_m
        joints[repaired] = repaired_world_joints(keypoints, detections.world_m)
        twelve = self.constant.numpy()[list(indices_of(NETWORK_KEYPOINTS, EVALUATION_JOINTS))]
        joints[Contender("constant", baseline=True)] = np.broadcast_to(
            twelve, (len(keypoints), *twelve.shape)
        )
        return joints


def evaluate_multiview(
    models: Sequence[str] | str,
    data: Path | str,
    *,
    motion: Path | Sequence[Path] | None = None,
    predictions: Mapping[str, Path] | None = None,
    config: TruthConfig | None = None,
    roles: Sequence[str] = (),
    truths: Sequence[str] = (),
    cache: Path | None = None,
    device: str = "cpu",
    progress: ProgressCallback = silent,
) -> EvaluationResult[MultiviewRow]:
    """Score models on people filmed by several cameras.

    Args:
        models: names of shipped models, paths of weights or folders of runs; one alone needs no list.
        data: a folder with `calibration.json` and videos, or a folder of such folders; an `index.csv` there may give each
            video a role, and roles are averaged apart.
        motion: motion capture that the constant pose is the mean of; procedural if not given.
        predictions: files of another program's joints (`other_tools.py`) by "set/camera"; a row of their own.
        config: how the reference joints are made.
        roles: score only cameras of these; every camera still has its say in the truth. All if not given.
        truths: beside "full", "heavy" (mediapipe's heavy network) and files of another detector's keypoints
            (`other_truths.py`): every row is held against each of them, and against each from the other cameras only.
        cache: where detections are kept.
        device: where networks run, as torch calls it.
        progress: told how far each stage is.

    Returns:
        Specification and a row for each model, variant and baseline; `tables` shows it, `write_result` keeps it.

    Raises:
        PointlightError: a model or the folder cannot be used.

    Example:
        >>> import pointlight
        >>> result = pointlight.evaluate_multiview(["points"], "cameras")
        >>> result.row("points", "refined").coverage
        1.0
    """
    models = names_of(models)
    data = Path(data)
    every_truth = checked_truths(truths)
    config = config or TruthConfig()
    body = AnnyBody()
    checkpoints = named_checkpoints(models, body, device)
    baselines = baseline_checkpoints(body, device)
    bank = training_bank(motion, body, cache, progress=progress)
    role_of = video_roles(data)
    if unknown := sorted(set(roles) - set(role_of.values())):
        there = ", ".join(sorted(set(role_of.values()) - {""}))
        raise PointlightError(
            f"no camera of {data} has the role {unknown[0]!r}; index.csv has {there or 'none'}"
        )
    calibrated_sets, qualities = _read_sets(calibrated_folders(data))
    others = dict(predictions or {})
    known = {f"{each.name}/{view.name}" for each in calibrated_sets.values() for view in each.views}
    if unknown := sorted(set(others) - known):
        raise PointlightError(
            f"there is no camera {unknown[0]!r} in {data}; predictions are for {', '.join(sorted(known))}"
        )
    contenders = _Contenders(checkpoints, baselines, constant_pose(bank, body), others, body)
    scored_sets: dict[str, dict[str, ScoredSet]] = {WHOLE_PEOPLE: {}, PEOPLE_IN_PART: {}}
    for calibrated in calibrated_sets.values():
        try:
            seen = [detect_camera(view, cache, progress) for view in calibrated.views]
            check_rates(calibrated, seen)
        except PointlightError as error:
            if len(calibrated_sets) + len(qualities) == 1:
                raise
            qualities.append(unusable(calibrated.name, str(error)))
            continue
        cameras_roles = [role_of.get(f"{calibrated.name}/{view.video.name}", "") for view in calibrated.views]
        chosen = [v for v, role in enumerate(cameras_roles) if not roles or role in roles]
        found, scored = _score_set(
            calibrated, seen, contenders, cameras_roles, chosen, every_truth, config, cache, progress
        )
        qualities.append(found)
        if scored is not None:
            scored_sets[found.scored_as][calibrated.name] = scored
    asked = {"roles": list(roles), "truth": list(truths)}
    given = [f"{camera}={file}" for camera, file in others.items()]
    spec = EvaluationSpec.of_this_run(
        MULTIVIEW,
        weights=weights_sha256(checkpoints),
        baseline_weights=weights_sha256(baselines),
        data=_scored_data(Path(data), calibrated_sets, bank.sha256, others, qualities),
        seed=EVALUATION_SEED,  # of the scenes whose mean is the constant pose
        configuration={
            "detector": detector_source(),
            "truth": asdict(config),
            "block_s": BLOCK_S,
            "interval": INTERVAL_MEANS,
            "roles": list(roles),
            "truths": [truth_title(truth) for truth in every_truth],
        },
        command=command(models, on=MULTIVIEW, data=data, motion=motion, predictions=given, **asked),
    )
    rows = [row for people, sets in scored_sets.items() for row in multiview_rows(sets, people)]
    return EvaluationResult(spec, tuple(rows), tuple(qualities))


def _read_sets(
    folders: Sequence[Path],
) -> tuple[dict[Path, CalibratedSet], list[ReferenceQuality]]:
    """The sets of folders, and what is wrong with those that cannot be read.

    Raises:
        PointlightError: none can be read.
    """
    sets: dict[Path, CalibratedSet] = {}
    unread: list[ReferenceQuality] = []
    for folder in folders:
        try:
            sets[folder] = read_calibrated_set(folder)
        except PointlightError as error:
            if len(folders) == 1:
                raise
            unread.append(unusable(folder.name, str(error)))
    if not sets:
        raise PointlightError(unread[0].unscored_because)
    return sets, unread


def _score_set(
    calibrated: CalibratedSet,
    seen: Sequence[CameraDetections],
    contenders: _Contenders,
    roles: Sequence[str],
    chosen: Sequence[int],
    truths: Sequence[str],
    config: TruthConfig,
    cache: Path | None,
    progress: ProgressCallback,
) -> tuple[ReferenceQuality, ScoredSet | None]:
    """How good a set's reference is, and everybody's per-frame errors; none where the reference is too poor."""
    name = calibrated.name
    progress(Progress(f"truth {name}", 0, 1))
    found, truth, cameras = reference_of(calibrated, seen, config, cache)
    progress(Progress(f"truth {name}", 1, 1))
    if found.unscored_because or not chosen:
        return found, None
    errors: list[dict[Contender, FrameErrors]] = []
    said: list[dict[Contender, np.ndarray]] = []
    for number, v in enumerate(chosen):
        progress(Progress(f"score {name}", number, len(chosen), unit="camera"))
        view = calibrated.views[v]
        said.append(contenders.joints(f"{name}/{view.name}", view, seen[v], cameras[v]))
        errors.append(_errors(said[-1], cameras[v], truth.time_s))
    progress(Progress(f"score {name}", len(chosen), len(chosen), unit="camera"))
    # What was fed with one truth's 2D is not held against another.
    own = [
        {who: places for who, places in each.items() if not find_variant(who.variant).true_2d}
        for each in said
    ]
    by_truth = {
        title: tuple(_errors(each, others[v], truth.time_s) for each, v in zip(own, chosen, strict=True))
        for title, others in other_truths(truths, calibrated, seen, config, cache, progress)
    }
    return found, ScoredSet(
        cameras=tuple(calibrated.views[v].name for v in chosen),
        roles=tuple(roles[v] for v in chosen),
        time_s=truth.time_s,
        errors=tuple(errors),
        still=is_still(truth),
        by_truth=by_truth,
    )


def _errors(
    said: Mapping[Contender, np.ndarray], camera: CameraTruth, time_s: np.ndarray
) -> dict[Contender, FrameErrors]:
    return {who: frame_errors(places, camera, time_s) for who, places in said.items()}


def _run(
    variant: Variant,
    checkpoint: Checkpoint,
    view: View,
    detections: CameraDetections,
    camera: CameraTruth,
    body: BodyModel,
) -> np.ndarray:
    """(T, 12, 3) a model's joints as a variant runs it."""
    keypoints = detections.keypoints
    if variant.true_2d:
        points = np.full((len(keypoints), *camera.extended_px.shape[1:]), np.nan)
        points[: len(camera.extended_px)] = camera.extended_px
        keypoints = with_points(keypoints, EXTENDED_KEYPOINTS, points, _SOURCE)
    return network_joints(
        keypoints,
        checkpoint,
        body,
        focal_px=camera.focal_px if variant.true_focal else None,
        overlap=variant.overlap,
        mirror=variant.mirror,
        refine=variant.refine,
        frames=VideoReader(view.video) if checkpoint.config.cues.sees_pictures else (),
    )


def _scored_data(
    folder: Path,
    sets: Mapping[Path, CalibratedSet],
    motion_sha256: str,
    predictions: Mapping[str, Path],
    qualities: Sequence[ReferenceQuality],
) -> ScoredData:
    """Hashes of motions, calibrations, each camera's video, and another program's joints."""
    sha256 = {"motion": motion_sha256}
    for place, calibrated in sets.items():
        sha256[f"{calibrated.name}/{CALIBRATION_FILE}"] = file_sha256(place / CALIBRATION_FILE)
        sha256 |= {f"{calibrated.name}/{view.name}": file_sha256(view.video) for view in calibrated.views}
    sha256 |= {f"{PREDICTIONS}/{camera}": file_sha256(file) for camera, file in predictions.items()}
    counts = {
        "sets": len(sets),
        "cameras": sum(len(calibrated.views) for calibrated in sets.values()),
        "frames": sum(found.frames for found in qualities),
    }
    return ScoredData(folder.resolve().name, sha256, counts)


def _read(file: Path | None, time_s: np.ndarray) -> np.ndarray:
    """Another program's joints of one camera; NaN where no file was given for it."""
    nothing = np.full((len(time_s), len(NETWORK_KEYPOINTS), 3), np.nan)
    return nothing if file is None else read_joints(file, time_s)
