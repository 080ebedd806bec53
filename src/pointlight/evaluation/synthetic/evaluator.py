"""`pointlight evaluate --on synthetic`: models and baselines on held-out simulated scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from pointlight.body import AnnyBody
from pointlight.configuration import to_plain
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
from pointlight.evaluation.results import EvaluationResult, EvaluationSpec, ScoredData, SyntheticRow
from pointlight.evaluation.synthetic.scenes import Score, SyntheticTest
from pointlight.evaluation.variants import NETWORK_ALONE, SYNTHETIC, Contender
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
    models: Sequence[str] | str,
    *,
    motion: Path | Sequence[Path] | None = None,
    clips: int | None = None,
    seed: int = EVALUATION_SEED,
    overlap: bool = False,
    mirror: bool = False,
    refine: bool = False,
    configuration: str = EVAL_V1.name,
    split: str = "heldout",
    cache: Path | None = None,
    device: str = "cpu",
    progress: ProgressCallback = silent,
) -> EvaluationResult[SyntheticRow]:
    """Score models and baselines on held-out motions.

    Args:
        models: names of shipped models, paths of weights or folders of runs; one alone needs no
            list; a baseline may be among them.
        motion: folder of motion capture, or several; procedural motions if not given.
        clips: at most so many windows of 31 frames; the whole split if not given.
        seed: of people, cameras and noise.
        overlap: report beside everything else what averaging overlapping windows gives.
        mirror: report beside everything else what averaging with each window's mirror image gives.
        refine: report beside everything else what `predict` makes of the tracks.
        configuration: "eval-v1", "eval-v1-perfect" for exact keypoints, "eval-mediapipe-v1" for mediapipe's errors.
        split: which motions; "heldout" for tables.
        cache: where compiled motions lie.
        device: where networks run, as torch calls it.
        progress: told how far each stage is: "motion", then one by every model's name.

    Returns:
        Specification and a row for each model, variant and baseline; `tables` shows it, `write_result` keeps it.

    Raises:
        PointlightError: a model or the folder cannot be read or does not fit, or a setting means nothing.

    Example:
        >>> import pointlight
        >>> result = pointlight.evaluate_synthetic(["points"], clips=4)
        >>> result.row("points").pa_mpjpe_mm < result.row("constant").pa_mpjpe_mm
        True
    """
    models = names_of(models)
    if configuration not in CONFIGURATIONS:
        raise PointlightError(
            f"there is no configuration {configuration!r}; there are {', '.join(CONFIGURATIONS)}"
        )
    if split not in SPLITS:
        raise PointlightError(f"there is no split {split!r}; there are {', '.join(SPLITS)}")
    body = AnnyBody()
    # What cannot be loaded is said before anything takes time.
    checkpoints = named_checkpoints(models, body, device)
    shipped = baseline_checkpoints(body, device)
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
    own = {
        name: score(name, checkpoint.model, checkpoint.clip_frames)
        for name, checkpoint in checkpoints.items()
    }
    settings = {"clips": clips, "overlap": overlap, "mirror": mirror, "refine": refine}
    given = {"motion": motion, "seed": seed, "configuration": configuration, "split": split}
    spec = EvaluationSpec.of_this_run(
        SYNTHETIC,
        weights=weights_sha256(checkpoints),
        baseline_weights=weights_sha256(shipped),
        data=_scored_data(config, bank, test),
        seed=seed,
        configuration={
            "scenes": to_plain(config),
            "motion": _origin(motion),
            "motion_from": _folders(motion),
            **settings,
        },
        command=command(models, on=SYNTHETIC, **given, **settings),
    )
    return EvaluationResult(spec, _rows(own, baselines))


def _scored_data(config: SceneConfig, bank: MotionBank, test: SyntheticTest) -> ScoredData:
    counts = {"frames": test.frames, "files": sum(group.files for group in test.groups.values())}
    if test.people is not None:
        counts["people"] = test.people
    return ScoredData(f"{config.name}, {config.split}", {"motion": bank.sha256}, counts, test.groups)


def _origin(motion: Path | Sequence[Path] | None) -> str:
    """Where the motions are from; the bank's hash says which they are."""
    return "folder" if motion is not None else f"procedural, seed {PROCEDURAL_SEED}"


def _folders(motion: Path | Sequence[Path] | None) -> list[str]:
    """Where the motions lie, as it was given; nowhere for procedural ones."""
    given = [motion] if isinstance(motion, str | Path) else motion or []
    return [str(folder) for folder in given]


def _rows(models: dict[str, Score], baselines: dict[str, Score]) -> tuple[SyntheticRow, ...]:
    """Models before baselines, each with its variants behind it; only models are compared in pairs."""
    constant = baselines["constant"]
    rows = [
        score.row(Contender(name, variant), constant, against=baselines)
        for name, alone in models.items()
        for variant, score in _variants(alone)
    ]
    rows += [
        score.row(Contender(name, variant, baseline=True), constant)
        for name, alone in baselines.items()
        for variant, score in _variants(alone)
    ]
    return tuple(rows)


def _variants(score: Score) -> list[tuple[str, Score]]:
    """The network alone and its variants, by key."""
    return [(NETWORK_ALONE, score), *score.variants.items()]


def _split(bank: MotionBank, split: str) -> str:
    """The split to walk through; a folder without `splits.csv` is all "train", and every clip of it is scored."""
    present = {entry.split for entry in bank.clips}
    if split in present:
        return split
    if present == {"train"}:
        return "train"
    raise PointlightError(f"the motions have no split {split!r}; theirs are {', '.join(sorted(present))}")
