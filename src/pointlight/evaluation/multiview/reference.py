"""The reference joints of a set of cameras: from all detections, for each camera without its own, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, indices_of
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation.multiview.block_bootstrap import rounded
from pointlight.evaluation.multiview.calibration import CalibratedSet, View
from pointlight.evaluation.multiview.frame_errors import CameraTruth
from pointlight.evaluation.multiview.predictors import scored_frames
from pointlight.evaluation.multiview.truth import MultiviewTruth, TruthConfig, Views2D, cached_triangulation
from pointlight.evaluation.results import PEOPLE_IN_PART, WHOLE_PEOPLE, ReferenceQuality
from pointlight.motion import default_cache
from pointlight.values import by_value

FULL_BODY_JOINTS = 10
"""A frame counts if so many of the 12 have a reference; sets that seldom do, but have `PART_JOINTS`, are scored apart."""

PART_JOINTS = 6

STILL_M = 0.05
"""Joints that stay so near their median place do not move; chosen by hand, the two development sets lie on either side."""

_SAME_RATE = 0.02
"""Videos of a set whose lengths differ by less, in parts, go alike."""

TWELVE = list(indices_of(NETWORK_KEYPOINTS, EXTENDED_KEYPOINTS))
"""The 12 scored keypoints among those that the detector gives."""


@by_value
@dataclass(frozen=True)
class CameraDetections:
    """What the detector found in one camera's video.

    Attributes:
        keypoints: in pixels, frame by frame.
        world_m: (T, 12, 3) the detector's own 3D of the 12 keypoints, which is a baseline.
    """

    keypoints: Keypoints2D
    world_m: np.ndarray


def reference_of(
    calibrated: CalibratedSet,
    seen: Sequence[CameraDetections],
    config: TruthConfig,
    cache: Path | None = None,
    sources: Sequence[CameraDetections] = (),
) -> tuple[ReferenceQuality, MultiviewTruth, list[CameraTruth]]:
    """How good a set's reference is, the reference itself, and what each camera is scored on.

    Args:
        calibrated: the set.
        seen: by each camera.
        config: how the reference joints are made.
        cache: where they are kept.
        sources: another detector's, that the reference is made of; `seen` then only decides which frames are scored.
    """
    truth = truth_of(calibrated, sources or seen, config, cache)
    alone = left_out_truths(views_2d(calibrated, sources or seen), truth, config, cache)
    cameras = camera_truths(calibrated, seen, truth, alone, least_joints(truth))
    return quality(calibrated.name, truth, alone, cameras), truth, cameras


def truth_of(
    calibrated: CalibratedSet,
    seen: Sequence[CameraDetections],
    config: TruthConfig,
    cache: Path | None = None,
) -> MultiviewTruth:
    """The set's truth from the detections of all its cameras, from the cache where it holds it."""
    return cached_triangulation(views_2d(calibrated, seen), config, cache or default_cache())


def views_2d(calibrated: CalibratedSet, seen: Sequence[CameraDetections]) -> Views2D:
    """All cameras' keypoints side by side; frames of equal number belong together, and the shortest video ends all."""
    frames = min(len(each.keypoints) for each in seen)
    points = np.stack([each.keypoints.select(EXTENDED_KEYPOINTS)[:frames] for each in seen])
    return Views2D(
        EXTENDED_KEYPOINTS,
        seen[0].keypoints.time_s[:frames],
        points[..., :2].astype(np.float64),
        points[..., 2],
        tuple(view.lens for view in calibrated.views),
    )


def check_rates(calibrated: CalibratedSet, seen: Sequence[CameraDetections]) -> None:
    """See that frames of equal number are of equal times.

    Raises:
        PointlightError: the videos have different rates.
    """
    frames = min(len(each.keypoints) for each in seen)
    lengths_s = [np.ptp(each.keypoints.time_s[:frames]) for each in seen]
    shortest, longest = int(np.argmin(lengths_s)), int(np.argmax(lengths_s))
    if lengths_s[longest] - lengths_s[shortest] > _SAME_RATE * lengths_s[longest]:
        names = [calibrated.views[v].name for v in (shortest, longest)]
        rates = [(frames - 1) / max(lengths_s[v], 1e-9) for v in (shortest, longest)]
        raise PointlightError(
            f"the videos of {calibrated.name} do not go alike: {names[0]} has {rates[0]:.2f} frames/s, {names[1]}"
            f" {rates[1]:.2f}; give videos of one rate whose frames of equal number belong together"
        )


def camera_truths(
    calibrated: CalibratedSet,
    seen: Sequence[CameraDetections],
    truth: MultiviewTruth,
    left_out: Sequence[MultiviewTruth],
    least_joints: int,
) -> list[CameraTruth]:
    """The reference joints for every camera: without it where three or more others see a joint, with it where two do.

    Args:
        calibrated: the set.
        seen: by each camera.
        truth: from all of them.
        left_out: from all but one, `left_out_truths`.
        least_joints: of the 12 that a frame must have to be scored.
    """
    result = []
    for v, (view, alone) in enumerate(zip(calibrated.views, left_out, strict=True)):
        others = np.delete(truth.inlier, v, axis=0).sum(0)
        without = alone.scored & (others >= 3)
        scored = without | (truth.scored & (others >= 2))
        result.append(_camera_truth(view, seen[v], truth, alone, without, scored, least_joints))
    return result


def other_cameras_truths(
    calibrated: CalibratedSet,
    seen: Sequence[CameraDetections],
    sources: Sequence[CameraDetections],
    config: TruthConfig,
    least_joints: int,
    cache: Path | None = None,
) -> list[CameraTruth]:
    """The reference for every camera from the others alone: not even swaps of sides and offsets are known from it.

    Args:
        calibrated: the set.
        seen: by each camera; decides which frames are scored.
        sources: the detections that the reference is made of.
        config: how the reference joints are made.
        least_joints: see `camera_truths`.
        cache: where references are kept.
    """
    views = views_2d(calibrated, sources)
    result = []
    for v, view in enumerate(calibrated.views):
        alone = cached_triangulation(views.without(v), config, cache or default_cache())
        result.append(_camera_truth(view, seen[v], alone, alone, alone.scored, alone.scored, least_joints))
    return result


def _camera_truth(
    view: View,
    seen: CameraDetections,
    truth: MultiviewTruth,
    alone: MultiviewTruth,
    without: np.ndarray,
    scored: np.ndarray,
    least_joints: int,
) -> CameraTruth:
    """One camera's reference: where `without` (T, K) from the others alone, elsewhere from all."""
    places = np.where(without[..., None], alone.joints_world_m, truth.joints_world_m)
    every = view.lens.to_camera(torch.from_numpy(places)).numpy()
    in_camera = np.where(scored[..., None], every, np.nan)
    K = view.lens.K.numpy()
    flat = in_camera[..., :2] / in_camera[..., 2:] * (K[0, 0], K[1, 1]) + K[:2, 2]
    twelve = scored[:, TWELVE]
    return CameraTruth(
        joints_m=in_camera[:, TWELVE],
        extended_px=flat,
        frames=(twelve.sum(1) >= least_joints) & scored_frames(seen.keypoints)[: len(twelve)],
        focal_px=float((K[0, 0] + K[1, 1]) / 2),
        left_out=float(without[:, TWELVE].sum() / max(twelve.sum(), 1)),
        left_out_mm=_moved_mm(truth, alone, without),
        dropped_m=np.where(scored[..., None], np.nan, every)[:, TWELVE],
    )


def is_still(truth: MultiviewTruth) -> bool:
    """Whether nobody moves: most joints stay within `STILL_M` of their median place, for 95 % of the time."""
    places = np.where(truth.scored[..., None], truth.joints_world_m, np.nan)[:, TWELVE]
    seen = np.isfinite(places).all(-1).sum(0) >= 2
    if not seen.any():
        return False
    places = places[:, seen]
    away = np.linalg.norm(places - np.nanmedian(places, axis=0), axis=-1)
    return bool(np.median(np.nanpercentile(away, 95, axis=0)) < STILL_M)


def left_out_truths(
    views: Views2D, truth: MultiviewTruth, config: TruthConfig, cache: Path | None = None
) -> list[MultiviewTruth]:
    """The reference as it would be without each camera; swaps and offsets stay those that all cameras found."""
    known = {"swapped": truth.swapped, "offsets_px": truth.offsets_px}
    return [
        cached_triangulation(views.without(v), config, cache or default_cache(), **known)
        for v in range(len(views.lenses))
    ]


def _moved_mm(truth: MultiviewTruth, other: MultiviewTruth, counted: np.ndarray) -> float:
    """By how much the counted joints (T, K) of the 12 differ, median; NaN where none is scored in both."""
    both = (counted & truth.scored)[:, TWELVE]
    apart = 1000 * np.linalg.norm(other.joints_world_m - truth.joints_world_m, axis=-1)[:, TWELVE]
    return float(np.median(apart[both])) if both.any() else float("nan")


def quality(
    name: str, truth: MultiviewTruth, left_out: Sequence[MultiviewTruth], cameras: Sequence[CameraTruth]
) -> ReferenceQuality:
    """How good the reference of a set is itself.

    Args:
        name: of the set.
        truth: from all cameras.
        left_out: from all but one, `left_out_truths`.
        cameras: what each camera is scored on, `camera_truths`; empty where `people_shown` is none.
    """
    twelve = truth.scored[:, TWELVE]
    spread = {
        f"{upper} to {lower}": float(1000 * np.subtract(*np.nanpercentile(lengths, (75, 25))))
        for (upper, lower), lengths in truth.limb_lengths_m().items()
        if np.isfinite(lengths).sum() >= 5
    }
    error = truth.error_px[:, TWELVE][twelve]
    unscored = why_unscored(truth, cameras)
    return ReferenceQuality(
        set=name,
        scored_as="none" if unscored else people_shown(truth),
        frames=len(truth.time_s),
        scored_joints=round(float(twelve.mean()), 3),
        reprojection_px=rounded(float(np.median(error))) if len(error) else None,
        limb_spread_mm={limb: rounded(value) for limb, value in spread.items()},
        floor_mm=tuple(rounded(_moved_mm(truth, alone, alone.scored)) for alone in left_out),
        offsets_px=tuple((float(x), float(y)) for x, y in np.round(truth.offsets_px, 1)),
        swapped=tuple(rounded(float(x), 3) for x in truth.swapped.mean(1)),
        left_out_mm=None if unscored else tuple(rounded(camera.left_out_mm) for camera in cameras),
        unscored_because=unscored,
    )


def unusable(name: str, why: str) -> ReferenceQuality:
    """What is said of a set that cannot be looked at."""
    return ReferenceQuality(
        set=name,
        scored_as="none",
        frames=0,
        scored_joints=0.0,
        reprojection_px=None,
        limb_spread_mm={},
        floor_mm=(),
        offsets_px=(),
        swapped=(),
        unscored_because=why,
    )


def why_unscored(truth: MultiviewTruth, cameras: Sequence[CameraTruth]) -> str:
    """Why no frame of a set can be scored, a sentence without its subject; empty where one can."""
    if len(truth.inlier) < 3:
        return (
            "it has two cameras, so that the camera that is scored would decide its own reference alone; "
            "give three or more"
        )
    if people_shown(truth) == "none":
        return (
            f"fewer than a quarter of its frames have a reference for {PART_JOINTS} of the 12 keypoints; "
            "check that the cameras see the same person and that their calibration and clocks agree"
        )
    if not any(camera.frames.any() for camera in cameras):
        return "in no frame do two cameras agree on enough joints without the one that is scored; give more"
    return ""


def least_joints(truth: MultiviewTruth) -> int:
    """How many of the 12 a frame of a set needs to be scored."""
    return FULL_BODY_JOINTS if people_shown(truth) == WHOLE_PEOPLE else PART_JOINTS


def people_shown(truth: MultiviewTruth) -> str:
    """Whether a set's reference shows whole people ("full"), enough of their joints ("part"), or neither ("none")."""
    joints = truth.scored[:, TWELVE].sum(1)
    if (joints >= FULL_BODY_JOINTS).mean() >= 0.5:
        return WHOLE_PEOPLE
    return PEOPLE_IN_PART if (joints >= PART_JOINTS).mean() >= 0.25 else "none"
