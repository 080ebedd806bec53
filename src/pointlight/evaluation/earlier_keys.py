"""Keys of version 0.1.0's JSON beside today's, so that scripts which read them go on for one release.

Today's file has `rows`, `spec` and `reference_quality`; everything here goes with version 0.3.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pointlight.evaluation.plain import plain
from pointlight.evaluation.results import (
    PEOPLE_IN_PART,
    WHOLE_PEOPLE,
    EvaluationResult,
    MultiviewRow,
    ReferenceQuality,
)
from pointlight.evaluation.variants import (
    MULTIVIEW,
    NETWORK_ALONE,
    SYNTHETIC,
    Contender,
)

_MULTIVIEW_NAMES = {
    "overlap": "{model}, averaged windows",
    "averaged": "{model}, averaged windows and mirror",
    "refined": "{model}, refined as well",
    "true_focal": "{model}, true focal length",
}
_TRUE_2D_NAMES = {"true_2d": "true_2d{of}", "true_2d_refined": "true_2d{of}, refined"}


def earlier_keys(result: EvaluationResult[Any]) -> dict[str, Any]:
    """`models`, `baselines` (once `peers`) by name, and what else version 0.1.0 wrote at the top."""
    return {SYNTHETIC: _synthetic, MULTIVIEW: _multiview}.get(result.spec.protocol, _published)(result)


def _synthetic(result: EvaluationResult[Any]) -> dict[str, Any]:
    spec = result.spec
    asked = spec.configuration
    beside = [key for key in ("overlap", "mirror") if asked[key]]
    beside += ["averaged"] if len(beside) == 2 else []

    def named(baseline: bool) -> dict[str, Any]:
        trees = {}
        for row in _alone(result, baseline):
            tree = _scores(row)
            tree.setdefault("occluded_pa_mpjpe_mm", None)
            # What averages windows changes nothing for models without windows, which have no row of it.
            for key in [*beside, "refined"]:
                variant = _variant(result, row, key) or (row if key in beside else None)
                if variant is not None:
                    tree[f"{key}_pa_mpjpe_mm"] = variant.pa_mpjpe_mm
                    tree[f"{key}_acceleration_mm"] = variant.acceleration_mm
            trees[row.model] = tree
        return trees

    config = {
        **asked,
        "seed": spec.seed,
        "motion_sha256": spec.data.sha256["motion"],
    }
    return _by_name(result, named(False), named(True)) | {
        "frames": spec.data.counts["frames"],
        "config": config,
    }


def _published(result: EvaluationResult[Any]) -> dict[str, Any]:
    spec = result.spec

    def named(baseline: bool) -> dict[str, Any]:
        trees = {}
        for row in _alone(result, baseline):
            tree = _scores(row)
            for key, earlier in (("overlap", "overlap"), ("true_focal", "known_focal")):
                tree[f"{earlier}_pa_mpjpe_mm"] = (_variant(result, row, key) or row).pa_mpjpe_mm
            trees[row.model] = tree
        return trees

    counts = dict(spec.data.counts)
    frames = counts.pop("frames")
    return _by_name(result, named(False), named(True)) | {
        "frames": frames,
        "config": {**spec.configuration, **counts},
    }


def _multiview(result: EvaluationResult[Any]) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for people, prefix in ((WHOLE_PEOPLE, ""), (PEOPLE_IN_PART, "part_body_")):
        rows = [row for row in result.rows if row.people == people]
        models, baselines = _multiview_rows(rows)
        keys[f"{prefix}models"] = models
        keys[f"{prefix}baselines"] = keys[f"{prefix}peers"] = baselines
    return keys | {
        "truth": {quality.set: _quality(quality) for quality in result.reference_quality},
        "config": result.spec.configuration,
    }


def _multiview_rows(rows: Sequence[MultiviewRow]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows by their earlier names; the true 2D stood among the baselines, the first model's without its name."""
    models: dict[str, Any] = {}
    baselines: dict[str, Any] = {}
    for row in rows:
        tree = _scores(row)
        tree.pop("people")
        of = "" if row.model == rows[0].model else f", {row.model}"
        if row.baseline:
            baselines[row.model] = tree
        elif row.variant in _TRUE_2D_NAMES:
            baselines[_TRUE_2D_NAMES[row.variant].format(of=of)] = tree
        else:
            models[_MULTIVIEW_NAMES.get(row.variant, "{model}").format(model=row.model)] = tree
    return models, baselines


def _quality(quality: ReferenceQuality) -> dict[str, Any]:
    tree = plain(quality)
    tree.pop("set")
    return tree | {"exchanged": tree["swapped"]}


def _by_name(
    result: EvaluationResult[Any], models: dict[str, Any], baselines: dict[str, Any]
) -> dict[str, Any]:
    for name, tree in models.items():
        tree["sha256"] = result.spec.weights[name]
    return {"models": models, "baselines": baselines, "peers": baselines}


def _alone(result: EvaluationResult[Any], baseline: bool) -> list[Any]:
    """The rows of the networks alone."""
    return [row for row in result.rows if row.variant == NETWORK_ALONE and row.baseline == baseline]


def _variant(result: EvaluationResult[Any], of: Contender, key: str) -> Any:
    """The same contender's row of another variant; None without one."""
    for row in result.rows:
        if (row.model, row.variant, row.baseline) == (of.model, key, of.baseline):
            return row
    return None


def _scores(row: Contender) -> dict[str, Any]:
    """A row's figures without who it is."""
    tree = plain(row)
    return {key: value for key, value in tree.items() if key not in ("model", "variant", "baseline")}
