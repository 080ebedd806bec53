"""`pointlight evaluate --on synthetic`: models and peers side by side, as one plain dictionary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pointlight.body import AnnyBody, BodyModel
from pointlight.errors import PointlightError
from pointlight.evaluation.synthetic import EVALUATION_SEED, Score, SyntheticTest
from pointlight.geometry import similarity_alignment
from pointlight.motion import MotionBank
from pointlight.simulator import EVAL_V1, EVAL_V1_PERFECT, SceneConfig, SceneSampler, TrackMaker
from pointlight.training import (
    EVALUATION_INDICES,
    PROCEDURAL_SEED,
    load_checkpoint,
    shipped_models,
    to_plain,
    training_bank,
)

CONFIGURATIONS: dict[str, SceneConfig] = {EVAL_V1.name: EVAL_V1, EVAL_V1_PERFECT.name: EVAL_V1_PERFECT}
_PEERS = {"martinez": "martinez", "memoryless": "points-memoryless"}
_CONSTANT_CLIPS = 512


def evaluate_synthetic(
    models: Sequence[str],
    *,
    motion: Path | None = None,
    clips: int | None = None,
    seed: int = EVALUATION_SEED,
    overlap: bool = False,
    configuration: str = EVAL_V1.name,
    split: str = "heldout",
    cache: Path | None = None,
    watch: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Score models and peers on held-out motions.

    Args:
        models: names of shipped models or paths of weights; a peer may be among them.
        motion: folder of motion capture; procedural motions if not given.
        clips: at most so many windows of 31 frames; the whole split if not given.
        seed: of people, cameras and noise.
        overlap: average overlapping windows.
        configuration: "eval-v1", or "eval-v1-perfect" for exact keypoints.
        split: which motions; "heldout" for tables.
        cache: where compiled motions lie.
        watch: told each model's name before it is scored.

    Raises:
        PointlightError: a model or the folder cannot be read, or the configuration is unknown.
    """
    if configuration not in CONFIGURATIONS:
        raise PointlightError(
            f"there is no configuration {configuration!r}; there are {', '.join(CONFIGURATIONS)}"
        )
    body = AnnyBody()
    bank = training_bank(motion, body, cache)
    config = replace(CONFIGURATIONS[configuration], split=split if bank.indices(split) else "train")
    test = SyntheticTest(config, bank, body, clips=clips, seed=seed)

    peers: dict[str, Score] = {}
    watch("constant")
    peers["constant"] = test.score(constant_pose(bank, body))
    for peer, shipped in _PEERS.items():
        if shipped in shipped_models():
            watch(peer)
            peers[peer] = test.score(load_checkpoint(shipped, body).model)
    results: dict[str, Any] = {}
    for name in models:
        watch(name)
        checkpoint = load_checkpoint(name, body)
        score = test.score(checkpoint.model, overlap=overlap)
        results[checkpoint.name] = score.plain() | _against(score, peers) | {"sha256": checkpoint.sha256}
    return {
        "models": results,
        "peers": {name: score.plain() for name, score in peers.items()},
        "frames": test.frames,
        "config": {
            "scenes": to_plain(config),
            "seed": seed,
            "clips": clips,
            "overlap": overlap,
            "motion_sha256": bank.sha256,
            "motion": "folder" if motion else f"procedural, seed {PROCEDURAL_SEED}",
        },
    }


def _against(score: Score, peers: dict[str, Score]) -> dict[str, Any]:
    """Paired differences to every peer, with intervals over source files."""
    paired = {}
    for name, peer in peers.items():
        interval = score.metrics["pa_mpjpe_mm"].interval(peer.metrics["pa_mpjpe_mm"])
        paired[name] = {
            "difference_mm": round(interval.mean, 2),
            "ci95_mm": [round(interval.low, 2), round(interval.high, 2)],
        }
    return {"against": paired}


@torch.no_grad()
def constant_pose(bank: MotionBank, body: BodyModel) -> Tensor:
    """(14, 3) the best constant pose: the Procrustes mean of training scenes, so that nothing held out decides it."""
    split = "train" if bank.indices("train") else bank.clips[0].split
    config = replace(EVAL_V1, split=split)
    sampler = SceneSampler(config, bank, body)
    scenes = [sampler.sample(EVALUATION_SEED, index) for index in range(_CONSTANT_CLIPS)]
    points = TrackMaker(config, body).make(scenes).points_camera_m[:, ::5, list(EVALUATION_INDICES)]
    flat = points.reshape(-1, *points.shape[-2:])
    flat = flat - flat.mean(-2, keepdim=True)
    mean = flat[0]
    for _ in range(20):
        # Pull every pose onto the mean; each by its own size, so that large people do not decide.
        alignment = similarity_alignment(flat, mean.expand_as(flat))
        mean = alignment.apply(flat).mean(0)
        mean = mean - mean.mean(0)
    return mean


def table(result: dict[str, Any]) -> str:
    """The figures as a table in Markdown, models first."""
    rows = [*result["models"].items(), *result["peers"].items()]
    groups = sorted(rows[0][1]["by_group"])
    head = [
        "model",
        "PA-MPJPE mm (95 %)",
        *groups,
        "occluded",
        "root deg (median)",
        "facing wrong",
        "PVE mm",
        "accel.",
    ]
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    for name, score in rows:
        low, high = score["ci95_mm"]
        cells = [name, f"{score['pa_mpjpe_mm']:.1f} ({low:.1f} to {high:.1f})"]
        cells += [f"{score['by_group'][group]:.1f}" for group in groups]
        cells.append(_cell(score, "occluded_pa_mpjpe_mm", "{:.1f}"))
        cells.append(_cell(score, "root_median_deg", "{:.1f}"))
        cells.append(_cell(score, "facing_wrong", "{:.2%}"))
        cells.append(_cell(score, "pve_mm", "{:.1f}"))
        cells.append(_cell(score, "acceleration_mm", "{:.1f}"))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(score: dict[str, Any], name: str, form: str) -> str:
    return form.format(score[name]) if name in score else ""
