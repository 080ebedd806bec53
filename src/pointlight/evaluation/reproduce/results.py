"""A table's figures from its runs' scores: means over seeds, intervals, equal accuracy; and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pointlight.evaluation.multiview import mean_interval
from pointlight.evaluation.reproduce.paper import CLAIM_ROW
from pointlight.evaluation.reproduce.rows import Row
from pointlight.evaluation.reproduce.runs import Run, Runs
from pointlight.evaluation.results import Bounds, MeanError

PARTS = ("development", "test")

Scores = Mapping[str, Mapping[str, Any]]
"""What `Runs.score` found of one run, by part of the data."""


def row_result(row: Row, scores: Sequence[Scores], seeds: Sequence[int]) -> dict[str, Any]:
    """One row's entry in the JSON, its figures the means over seeds.

    Args:
        row: of the table.
        scores: of its runs, a seed each.
        seeds: theirs.
    """
    first = scores[0]
    test = [one.get("test", {}) for one in scores]
    development = [one["development"] for one in scores]
    intervals = {kind: _interval([one.get(kind) for one in test]) for kind in ("a", "b")} | {
        "c": _interval([_whole(one.get("c")) for one in test])
    }
    return {
        "title": row.title,
        "paper_mm": row.paper_mm,
        "a_mm": _mean(test, "a"),
        "b_mm": _mean(test, "b"),
        "c_mm": _mean_filmed(test),
        "a_dev_mm": _mean(development, "a"),
        "b_dev_mm": _mean(development, "b"),
        "c_dev_mm": _mean_filmed(development),
        "c_by_set": _by_set(test),
        "c_dev_by_set": _by_set(development),
        "d_mm": first.get("test", {}).get("d", {}),
        "ci95_mm": intervals,
        "spread_mm": {kind: _spread([_figure(one, kind) for one in test]) for kind in ("a", "b", "c")},
        "without": {
            kind: {
                name.removeprefix(f"{kind} without "): _figure(part, name)
                for name in part
                if name.startswith(f"{kind} without ")
            }
            for part in (test[0] or development[0],)
            for kind in ("a", "c")
        },
        "single_view": {part: first[part].get("single", {}) for part in PARTS if part in first},
        "seeds": list(seeds),
        "weights_sha256": [one["development"]["weights_sha256"] for one in scores],
    }


def _whole(filmed: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Sets of real people as one figure: each set weighs the same, and their intervals are taken as independent."""
    if not filmed:
        return None
    values = [one["mm"] for one in filmed.values() if one["mm"] is not None]
    bounds: list[Bounds] = [tuple(one["ci95_mm"]) for one in filmed.values() if one["mm"] is not None]
    if not values:
        return None
    interval = mean_interval(bounds) if all(None not in bound for bound in bounds) else (None, None)
    return {"mm": round(float(np.mean(values)), 1), "ci95_mm": interval}


def filmed_mm(scores: Mapping[str, MeanError]) -> float | None:
    """Sets of real people as one figure."""
    found = _whole({name: {"mm": one.pa_mpjpe_mm, "ci95_mm": one.ci95_mm} for name, one in scores.items()})
    return found["mm"] if found else None


def _figure(part: Mapping[str, Any], name: str) -> float | None:
    """The figure of a measure of one run; sets of real people as one."""
    found = part.get(name)
    if found and "mm" not in found:
        found = _whole(found)
    return found["mm"] if found else None


def _mean(parts: Sequence[Mapping[str, Any]], name: str) -> float | None:
    return _average([_figure(part, name) for part in parts])


def _mean_filmed(parts: Sequence[Mapping[str, Any]]) -> float | None:
    return _mean(parts, "c")


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 1) if known else None


def _spread(values: Sequence[float | None]) -> float | None:
    """Between the lowest and the highest seed; None for one seed."""
    known = [value for value in values if value is not None]
    return round(max(known) - min(known), 1) if len(known) > 1 else None


def _interval(found: Sequence[Mapping[str, Any] | None]) -> Bounds:
    """The mean of the seeds' bounds: it says nothing of how seeds differ."""
    bounds = [one["ci95_mm"] for one in found if one and None not in one["ci95_mm"]]
    if not bounds:
        return None, None
    low, high = np.mean(bounds, axis=0)
    return round(float(low), 1), round(float(high), 1)


def _by_set(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = parts[0].get("c", {})
    return {
        name: {
            "mm": _average([part["c"][name]["mm"] for part in parts]),
            "ci95_mm": _interval([part["c"][name] for part in parts]),
        }
        for name in names
    }


def equal_accuracy(runs: Runs, chosen: Mapping[str, Run], parts: Sequence[str]) -> dict[str, Any]:
    """Each row beside `CLAIM_ROW` where both are equally good on simulated validation clips.

    Of the better one the earliest weights are taken that are as good as the other's best: so what differs on real people
    is how the two transfer, not how much they learnt.

    Args:
        runs: trained.
        chosen: a run of every row, all of one seed.
        parts: of the data that are looked at.
    """
    if CLAIM_ROW not in chosen or not runs.filmed:
        return {}
    base = chosen[CLAIM_ROW]
    curves = {name: runs.validation(run) for name, run in chosen.items()}
    found = {}
    for name, run in chosen.items():
        if name == CLAIM_ROW:
            continue
        worst = max(min(curves[name].values()), min(curves[CLAIM_ROW].values()))
        steps = {
            key: min(step for step, mm in curves[key].items() if mm <= worst) for key in (name, CLAIM_ROW)
        }
        found[name] = {
            "a_validation_mm": round(worst, 1),
            "steps": [steps[name], steps[CLAIM_ROW]],
            **{
                f"c_{part}_mm": [
                    _figure({"c": runs.filmed_at(one, steps[key], part)}, "c")
                    for one, key in ((run, name), (base, CLAIM_ROW))
                ]
                for part in parts
            },
        }
    return found
