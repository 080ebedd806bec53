"""Results as tables in Markdown: the columns of each protocol, and the words around them."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pointlight.evaluation.columns import WIDTH, Column, ColumnFor, Columns, markdown, upright
from pointlight.evaluation.remarks import about_people, not_comparable, what_was_scored
from pointlight.evaluation.results import (
    MAIN_TRUTH,
    PEOPLE_IN_PART,
    WHOLE_PEOPLE,
    EvaluationResult,
    MultiviewRow,
    PublishedRow,
    ReferenceQuality,
    SetScore,
    SyntheticRow,
    TruthScore,
)
from pointlight.evaluation.variants import MULTIVIEW, NETWORK_ALONE, SYNTHETIC


@dataclass(frozen=True)
class Layout:
    """How tables are laid out: of figures, and of joints, which always stand below each other."""

    figures: Callable[[Sequence[Any], Columns[Any]], str]
    joints: Callable[[Sequence[Any], Columns[Any]], str]


_NARROW = Layout(upright, upright)
_WIDE = Layout(markdown, partial(upright, width=sys.maxsize))


def tables(result: EvaluationResult[Any], *, wide: bool = False) -> str:
    """Everything that a person wants to read of a result.

    Args:
        result: what an evaluation gave.
        wide: a line a row, as wide as it gets, for pages; otherwise figures stand below each other in lines of at most
            100 letters.

    Returns:
        Tables in Markdown, with sentences on what was scored and what cannot be compared.

    Example:
        >>> import pointlight
        >>> print(pointlight.tables(pointlight.read_result("result.json")))
        procedural motions...
    """
    render = {SYNTHETIC: _synthetic, MULTIVIEW: _multiview}.get(result.spec.protocol, _published)
    parts = render(result, _WIDE if wide else _NARROW)
    return "\n\n".join(part if wide or part.startswith("|") else _wrapped(part) for part in parts)


def _wrapped(text: str) -> str:
    """Sentences in lines that a person reads; a path longer than that stays whole."""
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def with_interval(entry: Any) -> str | None:
    """PA-MPJPE with its bounds, where there are some."""
    if entry.pa_mpjpe_mm is None:
        return None
    low, high = entry.ci95_mm or (None, None)
    bounds = "" if low is None or high is None else f" ({low:.1f} to {high:.1f})"
    return f"{entry.pa_mpjpe_mm:.1f}{bounds}"


def _keys(field: str) -> Callable[[Sequence[Any]], list[str]]:
    """All keys of the rows' mapping of this name, in the order in which they come up."""
    return lambda rows: list(dict.fromkeys(key for row in rows for key in getattr(row, field)))


def _groups(rows: Sequence[SyntheticRow]) -> list[str]:
    return sorted(_keys("by_group")(rows))


SYNTHETIC_COLUMNS: Columns[SyntheticRow] = (
    Column("model", lambda row: row.title),
    Column("PA-MPJPE mm (95 %)", with_interval),
    Column("of constant", lambda row: row.of_constant and row.of_constant.overall, "{:.3f}"),
    ColumnFor(_groups, "{} (of constant)", lambda row, group: _of_constant(row, group), "{:.1f} ({:.2f})"),
    ColumnFor(
        _keys("pa_mpjpe_mm_by_distance"),
        "{}",
        lambda row, distance: row.pa_mpjpe_mm_by_distance.get(distance),
    ),
    Column("occluded", lambda row: row.occluded_pa_mpjpe_mm, "{:.1f}"),
    Column("root deg (median)", lambda row: row.root_median_deg, "{:.1f}"),
    Column("over frames", lambda row: row.root_median_over_frames_deg, "{:.1f}"),
    Column("facing wrong", lambda row: row.facing_wrong, "{:.2%}"),
    Column("joints deg", lambda row: row.joint_deg, "{:.1f}"),
    Column("PVE mm", lambda row: row.pve_mm, "{:.1f}"),
    Column("accel. mm/frame^2", lambda row: row.acceleration_mm, "{:.1f}"),
)

ROTATION_COLUMNS: Columns[SyntheticRow] = (
    Column("joint rotation, deg", lambda row: row.title),
    ColumnFor(_keys("joint_deg_by_joint"), "{}", lambda row, joint: row.joint_deg_by_joint.get(joint)),
)

MULTIVIEW_COLUMNS: Columns[MultiviewRow] = (
    Column("model", lambda row: row.title),
    Column("PA-MPJPE mm (95 %)", with_interval),
    ColumnFor(
        lambda rows: _places(rows, "by_camera"),
        "{}",
        lambda row, place: _at(row, "by_camera", place).pa_mpjpe_mm,
    ),
    ColumnFor(
        lambda rows: _places(rows, "by_role"),
        "{} cameras",
        lambda row, place: with_interval(_at(row, "by_role", place)),
        "{}",
    ),
    ColumnFor(lambda rows: _comparisons(rows), "of {}", lambda row, place: _ratio(row, place), "{}"),
    Column("size known: MPJPE mm", lambda row: row.scaled_mpjpe_mm, "{:.1f}"),
    Column("accel. m/s^2", lambda row: row.acceleration_m_s2, "{:.1f}"),
    Column("coverage", lambda row: row.coverage, "{:.0%}"),
)

MULTIVIEW_JOINT_COLUMNS: Columns[MultiviewRow] = (
    Column("mm after alignment", lambda row: row.title),
    ColumnFor(_keys("by_joint"), "{}", lambda row, joint: row.by_joint[joint], "{:.0f}"),
)

TRUTH_COLUMNS: Columns[MultiviewRow] = (
    Column("mm by truth, of mediapipe's repaired", lambda row: row.title),
    ColumnFor(lambda rows: _truths(rows), "{}", lambda row, place: _against_truth(row, place), "{}"),
    ColumnFor(
        lambda rows: list(rows[0].by_set),
        "{}: dropped joints mm (share)",
        lambda row, name: (row.by_set[name].dropped_mm, row.by_set[name].dropped_share),
        "{:.1f} ({:.1%})",
    ),
)

QUALITY_COLUMNS: Columns[ReferenceQuality] = (
    Column("set", lambda quality: quality.set),
    Column("scored as", lambda quality: quality.scored_as),
    Column("joints with a reference", lambda quality: quality.scored_joints, "{:.0%}"),
    Column("reprojection px", lambda quality: quality.reprojection_px, "{:.1f}"),
    Column("limb spread mm (largest)", lambda quality: _largest(quality.limb_spread_mm.values()), "{:.0f}"),
    Column("floor mm by camera", lambda quality: _listed(quality.floor_mm, "{:.0f}")),
    Column(
        "offsets px", lambda quality: ", ".join("({:.0f}, {:.0f})".format(*xy) for xy in quality.offsets_px)
    ),
    Column("left and right swapped", lambda quality: _listed(quality.swapped, "{:.0%}")),
)

PUBLISHED_COLUMNS: Columns[PublishedRow] = (
    Column("model", lambda row: row.title),
    Column("PA-MPJPE mm, mean over persons (95 %)", with_interval),
    Column("over frames", lambda row: row.pa_mpjpe_mm_over_frames, "{:.1f}"),
    Column("known cameras", lambda row: row.camera_valid_pa_mpjpe_mm, "{:.1f}"),
    Column("MPJPE mm", lambda row: row.mpjpe_mm, "{:.1f}"),
    Column("accel. mm/frame^2", lambda row: row.acceleration_mm, "{:.1f}"),
    Column("coverage", lambda row: row.coverage, "{:.1%}"),
)


PUBLISHED_JOINT_COLUMNS: Columns[PublishedRow] = (
    Column("joint, aligned, mm", lambda row: row.title),
    ColumnFor(_keys("by_joint"), "{}", lambda row, joint: row.by_joint.get(joint)),
)


def _synthetic(result: EvaluationResult[SyntheticRow], layout: Layout) -> list[str]:
    """Every contender's figures, then joint rotations by joint of those that know them."""
    turned = [row for row in result.rows if row.joint_deg_by_joint]
    parts = [what_was_scored(result.spec), layout.figures(result.rows, SYNTHETIC_COLUMNS)]
    if turned:
        parts.append(layout.joints(turned, ROTATION_COLUMNS))
    return [*parts, *about_people(result.spec), *not_comparable(result.spec)]


def _multiview(result: EvaluationResult[MultiviewRow], layout: Layout) -> list[str]:
    """The references' own quality, which sets have none, then figures by camera and by joint."""
    parts = [layout.figures(result.reference_quality, QUALITY_COLUMNS)]
    parts += [
        f"{quality.set} is not scored: {quality.unscored_because}"
        for quality in result.reference_quality
        if quality.unscored_because
    ]
    for people, words in ((WHOLE_PEOPLE, "whole people"), (PEOPLE_IN_PART, "people in part")):
        rows = [row for row in result.rows if row.people == people]
        if rows:
            parts += [
                f"{words}:",
                layout.figures(rows, MULTIVIEW_COLUMNS),
                layout.figures(rows, TRUTH_COLUMNS),
                layout.joints(rows, MULTIVIEW_JOINT_COLUMNS),
            ]
    return parts


def _published(result: EvaluationResult[PublishedRow], layout: Layout) -> list[str]:
    """What was scored, every contender's figures, then errors by joint."""
    data, joints = result.spec.data, result.spec.configuration["joints"]
    words = (
        f"{data.name}: {data.counts['frames']} scored frames of {data.counts['persons']} persons; {joints}"
    )
    alone = [row for row in result.rows if row.variant == NETWORK_ALONE]
    return [
        words,
        layout.figures(result.rows, PUBLISHED_COLUMNS),
        layout.joints(alone, PUBLISHED_JOINT_COLUMNS),
    ]


def _of_constant(row: SyntheticRow, group: str) -> tuple[float | None, float | None]:
    """A group's PA-MPJPE, and its share of the constant pose's."""
    return row.by_group.get(group), row.of_constant.by_group.get(group) if row.of_constant else None


def _places(rows: Sequence[MultiviewRow], kind: str) -> list[str]:
    """Cameras or roles of all sets as "set/camera" or "set/role"."""
    return [f"{name}/{place}" for name, scores in rows[0].by_set.items() for place in getattr(scores, kind)]


def _at(row: MultiviewRow, kind: str, place: str) -> Any:
    name, _, inner = place.partition("/")
    return getattr(row.by_set[name], kind)[inner]


def _comparisons(rows: Sequence[MultiviewRow]) -> list[str]:
    """Whom the rows are compared with in pairs, set by set; ratios of several sets have no common mean."""
    sets = list(rows[0].by_set)
    others = sorted({other for row in rows for scores in row.by_set.values() for other in scores.against})
    return others if len(sets) == 1 else [f"{other}, {name}" for name in sets for other in others]


def _ratio(row: MultiviewRow, place: str) -> str | None:
    """A ratio with its bounds, of "detector, set" or, of a single set, of "detector"."""
    other, _, name = place.partition(", ")
    return _ratio_words(row.by_set[name or next(iter(row.by_set))], other)


def _ratio_words(scores: SetScore | TruthScore, other: str) -> str | None:
    pair = scores.against.get(other)
    if pair is None or pair.ratio is None:
        return None
    low, high = pair.ratio_ci95
    return f"{pair.ratio:.2f}" + ("" if low is None or high is None else f" ({low:.2f} to {high:.2f})")


def _truths(rows: Sequence[MultiviewRow]) -> list[str]:
    """Every set with each truth, the main one first, as "set/truth"."""
    return [
        f"{name}/{truth}"
        for name in rows[0].by_set
        for truth in (MAIN_TRUTH, *dict.fromkeys(key for row in rows for key in row.by_set[name].by_truth))
    ]


def _against_truth(row: MultiviewRow, place: str) -> str | None:
    """PA-MPJPE against one truth, and as a share of the detector's repaired 3D against the same."""
    name, _, truth = place.partition("/")
    scores = row.by_set[name] if truth == MAIN_TRUTH else row.by_set[name].by_truth.get(truth)
    if scores is None or scores.pa_mpjpe_mm is None:
        return None
    ratio = _ratio_words(scores, "mediapipe_world_repaired")
    return f"{scores.pa_mpjpe_mm:.1f}" + (f", {ratio}" if ratio else "")


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _listed(values: Iterable[float | None], form: str) -> str:
    return ", ".join("-" if value is None else form.format(value) for value in values)
