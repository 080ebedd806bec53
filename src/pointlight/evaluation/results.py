"""What an evaluation found: frozen types, from which JSON and tables are made.

Figures are rounded when a row is made, so that a file holds what the result holds. None is a figure without a frame.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import torch

from pointlight import __version__
from pointlight.errors import PointlightError
from pointlight.evaluation.variants import MULTIVIEW, NETWORK_ALONE, PUBLISHED, SYNTHETIC, Contender
from pointlight.provenance import commit

Bounds = tuple[float | None, float | None]
"""The 2.5 % and 97.5 % of a bootstrap."""


@dataclass(frozen=True)
class ScoredGroup:
    """One group of motions.

    Attributes:
        files: that were scored.
        people: who move in them; None where the files do not say.
    """

    files: int
    people: int | None


@dataclass(frozen=True)
class ScoredData:
    """What was scored.

    Attributes:
        name: for a person: a configuration and its split, a folder, a benchmark.
        sha256: of everything that decides the scored frames and the baselines, by what it is: "motion" for a motion
            bank, "set/camera" for its video, "set/calibration.json", "benchmark" for all files of a benchmark together.
        counts: how many frames (and sets, cameras, files, persons) there were.
        groups: of motions; on simulation.
    """

    name: str
    sha256: Mapping[str, str]
    counts: Mapping[str, int]
    groups: Mapping[str, ScoredGroup] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationSpec:
    """What was evaluated, on what, how, and by which code: all that makes the figures again.

    Attributes:
        protocol: "synthetic", "multiview" or "published".
        version: of Pointlight.
        commit: of its checkout, "+changes" behind it where the sources differ; empty outside a checkout.
        weights: SHA-256 of each model's file by the model's name.
        baseline_weights: the same of the shipped networks that stand beside.
        data: what was scored.
        seed: of everything that is drawn; of the bootstrap where nothing else is.
        configuration: the protocol's settings as a tree of plain values.
        command: that makes the result again; settings that only Python has are in `configuration` alone.
        python: its version.
        torch: its version.
    """

    protocol: str
    version: str
    commit: str
    weights: Mapping[str, str]
    baseline_weights: Mapping[str, str]
    data: ScoredData
    seed: int
    configuration: Mapping[str, Any]
    command: str
    python: str
    torch: str

    @staticmethod
    def of_this_run(
        protocol: str,
        *,
        weights: Mapping[str, str],
        baseline_weights: Mapping[str, str],
        data: ScoredData,
        seed: int,
        configuration: Mapping[str, Any],
        command: str,
    ) -> EvaluationSpec:
        """The specification with the versions of this process."""
        return EvaluationSpec(
            protocol=protocol,
            version=__version__,
            commit=commit(),
            weights=dict(weights),
            baseline_weights=dict(baseline_weights),
            data=data,
            seed=seed,
            configuration=json.loads(json.dumps(configuration)),  # tuples as JSON gives them back
            command=command,
            python=platform.python_version(),
            torch=torch.__version__,
        )


@dataclass(frozen=True)
class MeanError:
    """A mean PA-MPJPE in millimetres with its bootstrap interval."""

    pa_mpjpe_mm: float | None
    ci95_mm: Bounds


@dataclass(frozen=True)
class PairedDifference:
    """PA-MPJPE of one contender less that of another on the same frames, with its paired bootstrap interval."""

    difference_mm: float | None
    ci95_mm: Bounds


@dataclass(frozen=True)
class PairedRatio(PairedDifference):
    """The same with the quotient of both and its interval, from the same draws."""

    ratio: float | None
    ratio_ci95: Bounds = (None, None)


@dataclass(frozen=True)
class Ratio:
    """PA-MPJPE as a share of the best constant pose's, over all groups of motions and by group."""

    overall: float
    by_group: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class SyntheticRow(Contender):
    """One contender's figures on simulated scenes: unweighted means over groups of the mean over frames.

    Variants beside the network alone have PA-MPJPE and acceleration only; models that know no rotations lack those
    figures.

    Attributes:
        pa_mpjpe_mm: 14 joints after Procrustes alignment of each frame, millimetres.
        ci95_mm: its bootstrap over people, and over files within people; (None, None) where nothing could be drawn.
        by_group: PA-MPJPE by group of motions.
        of_constant: PA-MPJPE against the best constant pose's.
        against: paired differences to each baseline; of models only.
        acceleration_mm: difference of second differences of the joints, mm per frame squared.
        occluded_pa_mpjpe_mm: PA-MPJPE in totally occluded frames, which no other figure holds.
        mpjpe_mm: relative to the middle of the hips, without alignment.
        pa_mpjpe_mm_by_distance: PA-MPJPE by the root's distance from the camera.
        root_deg: mean angle between predicted and true root orientation, degrees.
        root_median_deg: mean over groups of its median over frames.
        root_median_over_frames_deg: its median over all frames.
        joint_deg: mean angle between predicted and true joint rotations, relative to the parent.
        joint_deg_by_joint: the same of each joint.
        facing_wrong: share of frames in which the chest looks more than 90 degrees away from the truth.
        pve_mm: mean distance of all vertices with both roots put together, without alignment.
    """

    pa_mpjpe_mm: float
    ci95_mm: Bounds
    by_group: Mapping[str, float]
    acceleration_mm: float | None
    of_constant: Ratio | None = None
    against: Mapping[str, PairedDifference] = field(default_factory=dict)
    occluded_pa_mpjpe_mm: float | None = None
    mpjpe_mm: float | None = None
    pa_mpjpe_mm_by_distance: Mapping[str, float | None] = field(default_factory=dict)
    root_deg: float | None = None
    root_median_deg: float | None = None
    root_median_over_frames_deg: float | None = None
    joint_deg: float | None = None
    joint_deg_by_joint: Mapping[str, float | None] = field(default_factory=dict)
    facing_wrong: float | None = None
    pve_mm: float | None = None


@dataclass(frozen=True)
class TruthScore(MeanError):
    """One contender's PA-MPJPE on one set against another truth, on the frames that this truth gives.

    Attributes:
        against: see `SetScore`.
        frames: scored, over all cameras.
    """

    against: Mapping[str, PairedRatio]
    frames: int


@dataclass(frozen=True)
class SetScore:
    """One contender's PA-MPJPE on one set of cameras.

    Attributes:
        pa_mpjpe_mm: mean over cameras of the mean over frames, millimetres.
        ci95_mm: its block bootstrap over time.
        by_camera: of each camera.
        by_role: mean over the cameras of each role.
        against: paired differences and ratios to the detector's own 3D.
        still: nobody moves, so that intervals draw cameras instead of blocks of time.
        by_truth: against the truths of other detectors, and of the other cameras only, by their names.
        dropped_mm: mean distance of the joints that have a reference too poor to score by, in scored frames, after the
            alignment by the scored ones.
        dropped_share: share of such joints among all with some reference.
    """

    pa_mpjpe_mm: float | None
    ci95_mm: Bounds
    by_camera: Mapping[str, MeanError]
    by_role: Mapping[str, MeanError]
    against: Mapping[str, PairedRatio]
    still: bool = False
    by_truth: Mapping[str, TruthScore] = field(default_factory=dict)
    dropped_mm: float | None = None
    dropped_share: float | None = None


MAIN_TRUTH = "full"
"""The detector whose truth the main figures are against: mediapipe's full network."""

WHOLE_PEOPLE, PEOPLE_IN_PART = "full", "part"


@dataclass(frozen=True, kw_only=True)
class MultiviewRow(Contender):
    """One contender's figures on people filmed by several calibrated cameras; each set weighs the same.

    Attributes:
        people: "full" for sets that show whole people, "part" for those that show some of the joints.
        pa_mpjpe_mm: 12 keypoints after Procrustes alignment of each frame, millimetres.
        ci95_mm: its block bootstrap over time.
        scaled_mpjpe_mm: relative to the hips, in camera axes, once the limbs have their true length.
        acceleration_m_s2: error of the joints' acceleration.
        coverage: share of the scored frames with a prediction.
        by_set: PA-MPJPE of each set.
        by_joint: mm after alignment of each joint.
    """

    people: str
    pa_mpjpe_mm: float | None
    ci95_mm: Bounds | None
    scaled_mpjpe_mm: float | None
    acceleration_m_s2: float | None
    coverage: float
    by_set: Mapping[str, SetScore]
    by_joint: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class PublishedRow(Contender):
    """One contender's figures on a published benchmark: means over persons of the mean over their frames.

    Attributes:
        pa_mpjpe_mm: 14 joints after Procrustes alignment of each frame, millimetres.
        ci95_mm: its bootstrap over persons.
        pa_mpjpe_mm_over_frames: mean over all frames, whoever they show.
        camera_valid_pa_mpjpe_mm: PA-MPJPE in frames whose camera the benchmark knows.
        camera_valid_pa_mpjpe_mm_over_frames: the same as a mean over all such frames.
        mpjpe_mm: relative to the middle of the hips, without alignment, in frames of known cameras.
        acceleration_mm: difference of second differences of the joints, mm per frame squared.
        by_joint: distance after alignment by joint.
        by_person: PA-MPJPE by person.
        coverage: share of the frames in which the model gave a body of its own.
    """

    pa_mpjpe_mm: float | None
    ci95_mm: Bounds
    pa_mpjpe_mm_over_frames: float | None
    camera_valid_pa_mpjpe_mm: float | None
    camera_valid_pa_mpjpe_mm_over_frames: float | None
    mpjpe_mm: float | None
    acceleration_mm: float | None
    by_joint: Mapping[str, float | None]
    by_person: Mapping[str, float | None]
    coverage: float


@dataclass(frozen=True)
class ReferenceQuality:
    """How good the reference joints of one set of cameras are themselves.

    Attributes:
        set: its name.
        scored_as: "full" for whole people, "part" for people in part, "none".
        frames: of the set.
        scored_joints: share of the 12 keypoints with a reference.
        reprojection_px: median distance of the detections from the reference, pixels.
        limb_spread_mm: distance of the quartiles of each limb's length.
        floor_mm: by how much the reference moves when a camera is left out, median, by camera.
        offsets_px: constant image offset of each camera that was taken out, (x, y).
        swapped: share of frames in which a camera has left and right of the whole body swapped, by camera.
        left_out_mm: by how much leaving each camera out moves the joints that it is scored on; none if nothing is scored.
        unscored_because: why nothing is scored, a sentence; empty otherwise.
    """

    set: str
    scored_as: str
    frames: int
    scored_joints: float
    reprojection_px: float | None
    limb_spread_mm: Mapping[str, float | None]
    floor_mm: tuple[float | None, ...]
    offsets_px: tuple[tuple[float, float], ...]
    swapped: tuple[float | None, ...]
    left_out_mm: tuple[float | None, ...] | None = None
    unscored_because: str = ""


Row = TypeVar("Row", bound=Contender)

ROW_TYPES: dict[str, type[Contender]] = {
    SYNTHETIC: SyntheticRow,
    MULTIVIEW: MultiviewRow,
    PUBLISHED: PublishedRow,
}
"""What a protocol's rows are."""


@dataclass(frozen=True)
class EvaluationResult(Generic[Row]):
    """One evaluation.

    Attributes:
        spec: what was evaluated, on what, how.
        rows: a row for each contender, models before baselines, a model's variants behind it.
        reference_quality: of each set of cameras; empty where the reference is exact or not ours.

    Example:
        >>> import pointlight
        >>> result = pointlight.read_result("result.json")
        >>> result.row("points").pa_mpjpe_mm < result.row("constant").pa_mpjpe_mm
        True
    """

    spec: EvaluationSpec
    rows: tuple[Row, ...]
    reference_quality: tuple[ReferenceQuality, ...] = ()

    def row(self, model: str, variant: str = NETWORK_ALONE) -> Row:
        """The first row of a model or baseline as a variant runs it.

        Args:
            model: its name in the tables.
            variant: key of how it was run; the network alone if not given.

        Returns:
            Its figures.

        Raises:
            PointlightError: there is none.
        """
        for row in self.rows:
            if (row.model, row.variant) == (model, variant):
                return row
        there = ", ".join(f"{row.model} ({row.variant})" for row in self.rows)
        raise PointlightError(
            f"this evaluation has no row {model} ({variant}); there are {there or 'no rows'}"
        )
