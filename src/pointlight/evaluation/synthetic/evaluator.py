"""`pointlight evaluate --on synthetic`: models and peers side by side, as one plain dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from pointlight.body import AnnyBody
from pointlight.configuration import to_plain
from pointlight.errors import PointlightError
from pointlight.evaluation.contenders import (
    EVALUATION_SEED,
    baseline_checkpoints,
    constant_pose,
    named_checkpoints,
)
from pointlight.evaluation.synthetic.scenes import Score, SyntheticTest
from pointlight.motion import PROCEDURAL_SEED, SPLITS, MotionBank
from pointlight.network import PoseNetwork
from pointlight.progress import ProgressCallback, silent, under_name
from pointlight.simulator import (
    CLIP_FRAMES,
    EVAL_MEDIAPIPE_V1,
    EVAL_V1,
    EVAL_V1_PERFECT,
    SceneConfig,
)
from pointlight.training import training_bank

CONFIGURATIONS: dict[str, SceneConfig] = {
    config.name: config for config in (EVAL_V1, EVAL_V1_PERFECT, EVAL_MEDIAPIPE_V1)
}


def evaluate_synthetic(
    models: Sequence[str],
    *,
    motion: Path | None = None,
    clips: int | None = None,
    seed: int = EVALUATION_SEED,
    overlap: bool = False,
    mirror: bool = False,
    refine: bool = False,
    configuration: str = EVAL_V1.name,
    split: str = "heldout",
    cache: Path | None = None,
    progress: ProgressCallback = silent,
) -> dict[str, Any]:
    """Score models and peers on held-out motions.

    Args:
        models: names of shipped models, paths of weights or folders of runs; a peer may be among them.
        motion: folder of motion capture; procedural motions if not given.
        clips: at most so many windows of 31 frames; the whole split if not given.
        seed: of people, cameras and noise.
        overlap: report beside everything else what averaging overlapping windows gives.
        mirror: report beside everything else what averaging with each window's mirror image gives.
        refine: report beside everything else what `predict` makes of the tracks.
        configuration: "eval-v1", "eval-v1-perfect" for exact keypoints, "eval-mediapipe-v1" for mediapipe's errors.
        split: which motions; "heldout" for tables.
        cache: where compiled motions lie.
        progress: told how far each stage is: "motion", then one by every model's name.

    Raises:
        PointlightError: a model or the folder cannot be read or does not fit, or a setting means nothing.
    """
    if configuration not in CONFIGURATIONS:
        raise PointlightError(
            f"there is no configuration {configuration!r}; there are {', '.join(CONFIGURATIONS)}"
        )
    if split not in SPLITS:
        raise PointlightError(f"there is no split {split!r}; there are {', '.join(SPLITS)}")
    body = AnnyBody()
    # What cannot be loaded is said before anything takes time.
    checkpoints = named_checkpoints(models, body)
    shipped = baseline_checkpoints(body)
    bank = training_bank(motion, body, cache, progress=progress)
    config = replace(CONFIGURATIONS[configuration], split=_split(bank, split))
    test = SyntheticTest(config, bank, body, clips=clips, seed=seed)
    if overlap and test.thinned:
        raise PointlightError(
            "few clips are single windows, which do not overlap; give --overlap without --clips"
        )

    def score(name: str, model: PoseNetwork | Tensor, clip_frames: int = CLIP_FRAMES) -> Score:
        return test.score(
            model,
            clip_frames=clip_frames,
            overlap=overlap,
            mirror=mirror,
            refine=refine,
            progress=under_name(progress, name),
        )

    baselines = {"constant": score("constant", constant_pose(bank, body))}
    baselines |= {
        name: score(name, checkpoint.model, checkpoint.clip_frames) for name, checkpoint in shipped.items()
    }
    results: dict[str, Any] = {}
    for name, checkpoint in checkpoints.items():
        own = score(name, checkpoint.model, checkpoint.clip_frames)
        results[name] = _plain(own, baselines) | _against(own, baselines) | {"sha256": checkpoint.sha256}
    return {
        "models": results,
        "peers": {name: _plain(baseline, baselines) for name, baseline in baselines.items()},
        "frames": test.frames,
        "config": {
            "scenes": to_plain(config),
            "seed": seed,
            "clips": clips,
            "overlap": overlap,
            "mirror": mirror,
            "refine": refine,
            "motion_sha256": bank.sha256,
            "motion": "folder" if motion else f"procedural, seed {PROCEDURAL_SEED}",
        },
    }


def _split(bank: MotionBank, split: str) -> str:
    """The split to walk through; a folder without `splits.csv` is all "train", and every clip of it is judged."""
    present = {entry.split for entry in bank.clips}
    if split in present:
        return split
    if present == {"train"}:
        return "train"
    raise PointlightError(f"the motions have no split {split!r}; theirs are {', '.join(sorted(present))}")


def _plain(score: Score, baselines: dict[str, Score]) -> dict[str, Any]:
    """A score for JSON, with its ratio to the best constant pose."""
    constant = baselines["constant"].metrics["pa_mpjpe_mm"]
    error = score.metrics["pa_mpjpe_mm"]
    base = constant.by_group()
    ratios = {
        "overall": round(error.overall() / constant.overall(), 4),
        "by_group": {group: round(value / base[group], 4) for group, value in error.by_group().items()},
    }
    return score.plain() | {"of_constant": ratios}


def _against(score: Score, baselines: dict[str, Score]) -> dict[str, Any]:
    """Paired differences to every peer, with intervals over source files."""
    paired = {}
    for name, baseline in baselines.items():
        interval = score.metrics["pa_mpjpe_mm"].interval(baseline.metrics["pa_mpjpe_mm"])
        paired[name] = {
            "difference_mm": round(interval.mean, 2),
            "ci95_mm": [round(interval.low, 2), round(interval.high, 2)],
        }
    return {"against": paired}
