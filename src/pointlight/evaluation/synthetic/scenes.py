"""`--on synthetic`: scenes of held-out motions under fixed noise and seeds, and a model's score on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from pointlight.body import BodyModel
from pointlight.errors import PointlightError
from pointlight.evaluation.contenders import EVALUATION_SEED
from pointlight.evaluation.metrics import PerFile, pa_mpjpe_mm
from pointlight.evaluation.synthetic.comparison import Counted, Truth, acceleration, compare
from pointlight.evaluation.synthetic.predictors import AsPredict, Predictor, predictor_of
from pointlight.motion import BodyMotion, MotionBank, window
from pointlight.network import PoseNetwork, WindowConfig
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator import CLIP_FRAMES, FRAMES_PER_SECOND, Scene, SceneConfig, SceneSampler, TrackMaker
from pointlight.training import observation_of

WINDOWS_PER_SCENE = 4
"""Scenes are this many windows long, so that windows can overlap where that is asked for."""

_SCENES_AT_ONCE = 16


@dataclass(frozen=True)
class Score:
    """One model's scores on one set of scenes.

    Attributes:
        metrics: per-file sums by metric; 'a/b' is entry b of metric a.
        root_median_deg: mean over groups of the median root orientation error; NaN for models of joints only.
        root_median_over_frames_deg: its median over all scored frames, whatever their group.
        frames: scored.
    """

    metrics: dict[str, PerFile]
    root_median_deg: float
    root_median_over_frames_deg: float
    frames: int

    def plain(self) -> dict[str, Any]:
        """For JSON: every metric's mean over groups (None without frames), PA-MPJPE with interval and groups."""
        error = self.metrics["pa_mpjpe_mm"]
        interval = error.interval()
        values: dict[str, Any] = {}
        for name, sums in self.metrics.items():
            metric, _, entry = name.partition("/")
            mean = sums.overall()
            mean = round(mean, 3) if np.isfinite(mean) else None
            if entry:
                values.setdefault(metric, {})[entry] = mean
            else:
                values[metric] = mean
        if np.isfinite(self.root_median_deg):
            values["root_median_deg"] = round(self.root_median_deg, 2)
            values["root_median_over_frames_deg"] = round(self.root_median_over_frames_deg, 2)
        return values | {
            "ci95_mm": [round(interval.low, 2), round(interval.high, 2)],
            "by_group": {group: round(value, 2) for group, value in error.by_group().items()},
        }


class SyntheticTest:
    """The scenes of one configuration, walked through once; models are scored on them one after another."""

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
                self._batches.append((chosen, maker.make(chosen)))
        self.frames = sum(scene.motion.frames for scene in scenes)

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
            PointlightError: the model is of a type that cannot be judged here, or no frame can be scored.
        """
        body = self.body
        beside: dict[str, Predictor] = {}
        if isinstance(model, PoseNetwork | Tensor):
            predictor = predictor_of(model, body, WindowConfig(clip_frames))
            kinds = {"overlap": overlap, "mirror": mirror, "averaged": overlap and mirror}
            for kind in (kind for kind, wanted in kinds.items() if wanted):
                windows = WindowConfig(clip_frames, overlap=kind != "mirror", mirror=kind != "overlap")
                beside[kind] = predictor_of(model, body, windows)
            if refine and isinstance(model, PoseNetwork) and model.gives_bodies:
                beside["refined"] = AsPredict(model, body, clip_frames)
        else:
            predictor = model
        collected: dict[str, _Collected] = {}
        done = 0
        for scenes, tracks in self._batches:
            cues = predictor.observe(observation_of(tracks))
            truth = Truth.of(tracks, cues)
            counted = compare(predictor(tracks, cues), truth, body)
            for kind, averaging in beside.items():
                again = averaging(tracks, cues)
                error = Counted(pa_mpjpe_mm(again.joints, truth.joints), ~truth.occluded)
                counted[f"{kind}_pa_mpjpe_mm"] = error
                counted[f"{kind}_acceleration_mm"] = acceleration(again, truth)
            for name, values in counted.items():
                collected.setdefault(name, _Collected()).add(scenes, values)
            done += sum(scene.motion.frames for scene in scenes)
            progress(Progress("score", done, self.frames))
        metrics = {name: rows.per_file() for name, rows in collected.items()}
        if not metrics["pa_mpjpe_mm"].counts.any():
            raise PointlightError("no frame of these scenes shows 7 of the 12 keypoints; take more clips")
        root = collected.get("root_deg", _Collected())
        scored = int(metrics["pa_mpjpe_mm"].counts.sum())
        return Score(metrics, root.median(), root.median_over_frames(), scored)


class _Collected:
    """A metric's scored values, scene by scene."""

    def __init__(self) -> None:
        self._files: list[str] = []
        self._groups: list[str] = []
        self._rows: list[np.ndarray] = []

    def add(self, scenes: list[Scene], counted: Counted) -> None:
        """Add a batch."""
        for scene, values, counts in zip(scenes, counted.values, counted.counts, strict=True):
            self._files.append(scene.motion.name.partition("#")[0])
            self._groups.append(scene.motion.group)
            self._rows.append(values[counts].double().numpy())

    def per_file(self) -> PerFile:
        """Sums by source file."""
        return PerFile.collect(self._files, self._groups, self._rows)

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
