"""`--on synthetic`: scenes of held-out motions under fixed noise and seeds, and a model's score on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, BodyModel, indices_of
from pointlight.cues import totally_occluded
from pointlight.errors import PointlightError
from pointlight.evaluation.contenders import EVALUATION_SEED
from pointlight.evaluation.metrics import Interval, PerFile, pa_mpjpe_mm
from pointlight.evaluation.results import Bounds, PairedDifference, Ratio, ScoredGroup, SyntheticRow
from pointlight.evaluation.synthetic.comparison import Counted, Truth, acceleration, compare
from pointlight.evaluation.synthetic.predictors import AsPredict, Predictor, predictor_of
from pointlight.evaluation.variants import NETWORK_ALONE, SYNTHETIC, Contender, variants_of
from pointlight.motion import BodyMotion, MotionBank, window
from pointlight.network import PoseNetwork, WindowConfig
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator import (
    CLIP_FRAMES,
    FRAMES_PER_SECOND,
    Scene,
    SceneConfig,
    SceneSampler,
    TrackMaker,
    Tracks,
)
from pointlight.training import as_predict_reads, observation_of
from pointlight.values import by_value

WINDOWS_PER_SCENE = 4
"""Scenes are this many windows long, so that windows can overlap where that is asked for."""

_SCENES_AT_ONCE = 16


@by_value
@dataclass(frozen=True)
class Score:
    """One model's scores on one set of scenes, from which figures, intervals and paired differences are made.

    Attributes:
        metrics: per-file sums by the name of a field of `SyntheticRow`; 'a/b' is entry b of field a.
        root_median_deg: mean over groups of the median root orientation error; NaN for models of joints only.
        root_median_over_frames_deg: its median over all scored frames, whatever their group.
        frames: scored.
        variants: by key, the scores of the same model run in other ways, with fewer metrics.
    """

    metrics: Mapping[str, PerFile]
    root_median_deg: float
    root_median_over_frames_deg: float
    frames: int
    variants: Mapping[str, Score] = field(default_factory=dict)

    def row(
        self,
        contender: Contender,
        constant: Score | None = None,
        against: Mapping[str, Score] | None = None,
    ) -> SyntheticRow:
        """The figures: of every metric the mean over groups, None where it has no frame.

        Args:
            contender: whose scores they are.
            constant: of the best constant pose, for ratios.
            against: of baselines by name, for paired differences.
        """
        error = self.metrics["pa_mpjpe_mm"]
        figures: dict[str, Any] = {}
        for name, sums in self.metrics.items():
            metric, _, entry = name.partition("/")
            mean = _rounded(sums.overall(), 3)
            if entry:
                figures.setdefault(metric, {})[entry] = mean
            else:
                figures[metric] = mean
        return SyntheticRow(
            **vars(contender),
            **figures,
            root_median_deg=_rounded(self.root_median_deg, 2),
            root_median_over_frames_deg=_rounded(self.root_median_over_frames_deg, 2),
            ci95_mm=_bounds(error.interval()),
            by_group={group: round(value, 2) for group, value in error.by_group().items()},
            of_constant=self._of(constant) if constant else None,
            against={name: self._less(other) for name, other in (against or {}).items()},
        )

    def _of(self, constant: Score) -> Ratio:
        """PA-MPJPE as a share of the best constant pose's."""
        error, base = (score.metrics["pa_mpjpe_mm"] for score in (self, constant))
        of_group = base.by_group()
        return Ratio(
            round(error.overall() / base.overall(), 4),
            {group: round(value / of_group[group], 4) for group, value in error.by_group().items()},
        )

    def _less(self, other: Score) -> PairedDifference:
        """The paired difference to a baseline, with its interval over people."""
        interval = self.metrics["pa_mpjpe_mm"].interval(other.metrics["pa_mpjpe_mm"])
        return PairedDifference(round(interval.mean, 2), _bounds(interval))


class SyntheticTest:
    """The scenes of one configuration, walked through once; models are scored on them one after another.

    Attributes:
        frames: of all scenes.
        groups: of motions, with how many files and people there are.
        people: how many there are in all; None where a file does not say who moves.
    """

    def __init__(
        self,
        config: SceneConfig,
        bank: MotionBank,
        body: BodyModel,
        *,
        clips: int | None = None,
        seed: int = EVALUATION_SEED,
    ) -> None:
        """Draw the scenes.

        Args:
            config: `EVAL_V1` or a variant; its split is walked through.
            bank: motions.
            body: whose joints are scored.
            clips: at most so many 31-frame windows, taken evenly; all of the split if not given.
            seed: of cameras, people and noise.

        Raises:
            PointlightError: no motion of the split is long enough, or no window is asked for.
        """
        self.config = config
        self.body = body
        motions = _walk(bank, config.split, config.frames)
        if not motions:
            raise PointlightError(
                f"no motion of the split {config.split!r} is {config.frames} frames "
                f"({config.frames / FRAMES_PER_SECOND:.2g} s) long; give longer ones"
            )
        if clips is not None and clips < 1:
            raise PointlightError(f"{clips} clips cannot be scored; give 1 or more, or leave it out for all")
        self.thinned = clips is not None and clips < sum(m.frames // config.frames for m in motions)
        if clips is not None and self.thinned:
            motions = _thin(motions, clips, config.frames)
        sampler = SceneSampler(config, bank, body)
        scenes = [sampler.scene_of(motion, seed, index) for index, motion in enumerate(motions)]
        maker = TrackMaker(config, body)
        # Scenes of equal length are rendered together.
        self._batches = []
        for length in sorted({scene.motion.frames for scene in scenes}):
            same = [scene for scene in scenes if scene.motion.frames == length]
            for first in range(0, len(same), _SCENES_AT_ONCE):
                chosen = same[first : first + _SCENES_AT_ONCE]
                seen = maker.make(chosen)
                tracks = as_predict_reads(seen, config)
                self._batches.append(_Batch(chosen, tracks, _occluded(seen)))
        self.frames = sum(scene.motion.frames for scene in scenes)
        self._people = {entry.file: entry.subject for entry in bank.clips}
        self.groups = _groups([scene.motion for scene in scenes], self._people)
        known = {self._people.get(_file_of(scene.motion), "") for scene in scenes}
        self.people = None if "" in known else len(known)

    def score(
        self,
        model: PoseNetwork | Tensor | Predictor,
        *,
        clip_frames: int = CLIP_FRAMES,
        overlap: bool = False,
        mirror: bool = False,
        refine: bool = False,
        progress: ProgressCallback = silent,
    ) -> Score:
        """Score a network, a constant pose (14, 3), or anything else that predicts.

        Args:
            model: networks in evaluation mode.
            clip_frames: of the clips that a network was trained on.
            overlap: report beside everything else what averaging windows that overlap by half gives.
            mirror: the same for averaging with each window's mirror image; with both, for both together as well.
            refine: the same for what `predict` does: both, and a fit to the keypoints afterwards.
            progress: told how many frames are scored.

        Raises:
            PointlightError: the model is of a type that cannot be evaluated here, or no frame can be scored.
        """
        body = self.body
        known = isinstance(model, nn.Module | Tensor)
        predictor = predictor_of(model, body, WindowConfig(clip_frames)) if known else model
        beside = self._variants(model, clip_frames, overlap=overlap, mirror=mirror, refine=refine)
        collected: dict[tuple[str, str], _Collected] = {}
        done = 0
        for batch in self._batches:
            scenes, tracks = batch.scenes, batch.tracks
            cues = predictor.observe(observation_of(tracks))
            truth = Truth.of(tracks, cues, batch.occluded)
            counted = {NETWORK_ALONE: compare(predictor(tracks, cues), truth, body)}
            for key, variant in beside.items():
                again = variant(tracks, cues)
                error = Counted(pa_mpjpe_mm(again.joints, truth.joints), ~truth.occluded)
                counted[key] = {"pa_mpjpe_mm": error, "acceleration_mm": acceleration(again, truth)}
            for key, metrics in counted.items():
                for name, values in metrics.items():
                    collected.setdefault((key, name), _Collected(self._people)).add(scenes, values)
            done += sum(scene.motion.frames for scene in scenes)
            progress(Progress("score", done, self.frames, unit="frame"))
        scores = {key: _score(key, collected) for key in (NETWORK_ALONE, *beside)}
        alone = scores.pop(NETWORK_ALONE)
        if not alone.frames:
            raise PointlightError("no frame of these scenes shows 7 of the 12 keypoints; take more clips")
        return replace(alone, variants=scores)

    def _variants(
        self,
        model: PoseNetwork | Tensor | Predictor,
        clip_frames: int,
        *,
        overlap: bool,
        mirror: bool,
        refine: bool,
    ) -> dict[str, Predictor]:
        """Predictors of the variants that are asked for, by key; models that give no bodies have none."""
        if not isinstance(model, PoseNetwork) or not model.gives_bodies:
            return {}
        predictors: dict[str, Predictor] = {}
        for variant in variants_of(SYNTHETIC)[1:]:
            if variant.refine and refine:
                predictors[variant.key] = AsPredict(model, self.body, clip_frames)
            elif not variant.refine and overlap >= variant.overlap and mirror >= variant.mirror:
                windows = WindowConfig(clip_frames, overlap=variant.overlap, mirror=variant.mirror)
                predictors[variant.key] = predictor_of(model, self.body, windows)
        return predictors


@dataclass(frozen=True)
class _Batch:
    """Scenes of equal length.

    Attributes:
        scenes: B of them.
        tracks: as a network gets them, sides repaired where the detector exchanges them.
        occluded: (B, T) bool, frames of which the detector sees too little to be scored, before any repair.
    """

    scenes: list[Scene]
    tracks: Tracks
    occluded: Tensor


def _occluded(tracks: Tracks) -> Tensor:
    return totally_occluded(tracks.visible[..., list(indices_of(NETWORK_KEYPOINTS, EXTENDED_KEYPOINTS))])


class _Collected:
    """A metric's scored values, scene by scene; `people` says who moves in a file."""

    def __init__(self, people: Mapping[str, str] | None = None) -> None:
        self._people = people
        self._files: list[str] = []
        self._groups: list[str] = []
        self._rows: list[np.ndarray] = []

    def add(self, scenes: list[Scene], counted: Counted) -> None:
        """Add a batch."""
        for scene, values, counts in zip(scenes, counted.values, counted.counts, strict=True):
            self._files.append(_file_of(scene.motion))
            self._groups.append(scene.motion.group)
            self._rows.append(values[counts].double().numpy())

    def per_file(self) -> PerFile:
        """Sums by source file."""
        return PerFile.collect(self._files, self._groups, self._rows, self._people)

    def median_over_frames(self) -> float:
        """Median over all frames; NaN without frames."""
        values = np.concatenate(self._rows) if self._rows else np.zeros(0)
        return float(np.median(values)) if len(values) else float("nan")

    def median(self) -> float:
        """Mean over groups of the median over frames; NaN without frames."""
        by_group: dict[str, list[np.ndarray]] = {}
        for group, values in zip(self._groups, self._rows, strict=True):
            by_group.setdefault(group, []).append(values)
        joined = [np.concatenate(rows) for rows in by_group.values()]
        medians = [np.median(values) for values in joined if len(values)]
        return float(np.mean(medians)) if medians else float("nan")


def _score(variant: str, collected: Mapping[tuple[str, str], _Collected]) -> Score:
    """A variant's scores from its collected metrics."""
    metrics = {name: rows.per_file() for (key, name), rows in collected.items() if key == variant}
    root = collected.get((variant, "root_deg"), _Collected())
    scored = int(metrics["pa_mpjpe_mm"].counts.sum())
    return Score(metrics, root.median(), root.median_over_frames(), scored)


def _rounded(value: float, digits: int) -> float | None:
    """For JSON, which knows no NaN."""
    return round(value, digits) if np.isfinite(value) else None


def _bounds(interval: Interval) -> Bounds:
    return _rounded(interval.low, 2), _rounded(interval.high, 2)


def _file_of(motion: BodyMotion) -> str:
    return motion.name.partition("#")[0]


def _groups(motions: Sequence[BodyMotion], people: Mapping[str, str]) -> dict[str, ScoredGroup]:
    """How many files and people there are in each group; people are None where a file does not say who moves."""
    files: dict[str, set[str]] = {}
    for motion in motions:
        files.setdefault(motion.group, set()).add(_file_of(motion))
    who = {group: {people.get(file, "") for file in its} for group, its in files.items()}
    return {
        group: ScoredGroup(len(files[group]), None if "" in who[group] else len(who[group]))
        for group in sorted(files)
    }


def _walk(bank: MotionBank, split: str, frames: int) -> list[BodyMotion]:
    """Every motion of a split in pieces of up to four windows; what is left over at a clip's end is not scored."""
    pieces = []
    for index in bank.indices(split):
        motion = bank.motion(index)
        whole = motion.frames // frames * frames
        longest = WINDOWS_PER_SCENE * frames
        for start in range(0, whole, longest):
            pieces.append(window(motion, start, min(longest, whole - start)))
    return pieces


def _thin(motions: list[BodyMotion], clips: int, frames: int) -> list[BodyMotion]:
    """Single windows, evenly taken, so that quick runs see every kind of motion."""
    single = [
        window(motion, start, frames) for motion in motions for start in range(0, motion.frames, frames)
    ]
    chosen = np.linspace(0, len(single) - 1, clips).round().astype(int)
    return [single[i] for i in chosen]
