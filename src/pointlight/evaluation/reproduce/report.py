"""A table as Markdown: ours beside the paper's, then what stands behind the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pointlight.evaluation.reproduce.paper import CLAIM_ROW, DANN_MEAN_MM, LEARNT, ON_REAL_3D, REMARKS

_NOTHING = "-"


def markdown(table: str, result: Mapping[str, Any]) -> str:
    """The page of a table's result, as `reproduce_table` returns it."""
    rows, constant = result["rows"], result["constant"]
    parts = [
        f"# {table.capitalize().replace('Table', 'Table ')}",
        _how(result),
        _grid(
            [
                "",
                "paper, 3DPW",
                "(a) simulated",
                "(b) shifted",
                "(c) filmed",
                "(c) of RGB's",
                "learnt: (a) of constant",
            ],
            [_row(row, rows, constant) for row in rows.values()]
            + [["constant pose", _NOTHING, *(_mm(constant.get(kind)) for kind in ("a", "b", "c")), "", ""]],
        ),
        "PA-MPJPE in mm, the network alone; brackets hold 95 % intervals: on (a) and (b) over clips, on (c) over blocks of "
        "time.",
        *_remarks(table, result),
    ]
    sections = (
        ("What zeroing an input does", _without(rows)),
        ("Real people set by set", _sets(rows)),
        ("At equal accuracy on simulated validation clips", _equal(result)),
        ("Development data, by which choices are made", _development(rows)),
        ("One camera, no truth", _single(rows)),
        ("How much real people move", _moving(result.get("flow_at_keypoints", {}))),
    )
    for title, body in sections:
        if body:
            parts += [f"## {title}", body]
    return "\n\n".join(parts) + "\n"


def _how(result: Mapping[str, Any]) -> str:
    noise = "with a detector's errors (`mediapipe-v1`)" if result["noise"] else "exact"
    return (
        f"Size `{result['size']}`, {result['clips_per_row']:,} clips a row (each use counted) of {result['bank_clips']} "
        f"different ones, {len(result['seeds'])} seed(s), keypoints in training {noise}. `{result['command']}`, commit "
        f"{result['commit'][:12] or 'unknown'}."
    )


def _row(row: Mapping[str, Any], rows: Mapping[str, Any], constant: Mapping[str, Any]) -> list[str]:
    base = rows.get(CLAIM_ROW, {}).get("c_mm")
    paper = _NOTHING if row["paper_mm"] is None else f"{row['paper_mm']:.1f}"
    figures = [_with_interval(row[f"{kind}_mm"], row["ci95_mm"][kind]) for kind in ("a", "b", "c")]
    return [
        row["title"],
        paper,
        *figures,
        _ratio(row["c_mm"], base),
        _ratio(row["a_mm"], constant.get("a")),
    ]


def _remarks(table: str, result: Mapping[str, Any]) -> list[str]:
    said = [REMARKS[table]]
    rows = result["rows"]
    if table == "table1":
        methods = ", ".join(f"{name} {mm}" for name, mm in ON_REAL_3D.items())
        said.append(f"Trained with poses of real people, on 3DPW, in the paper: {methods}.")
        said.append(f"The paper's RGB + DANN is its best of five; their mean is {DANN_MEAN_MM}.")
        if sweep := result.get("dann"):
            tried = ", ".join(f"{weight} {mm}" for weight, mm in sweep["b_dev_mm"].items())
            said.append(
                f"Our adversary's weights at {sweep['clips']:,} clips, (b) of development in mm: {tried}; "
                f"{sweep['chosen']:g} is the row's."
            )
        learnt = [rows[name] for name in (CLAIM_ROW, "rgb_imagenet") if name in rows]
        share = [
            row["a_mm"] / result["constant"]["a"]
            for row in learnt
            if row["a_mm"] and result["constant"].get("a")
        ]
        if share and min(share) > LEARNT:
            said.append(
                f"**No row of RGB learnt much**: its error on (a) is {min(share):.2f} of the constant pose's, {LEARNT} is "
                "wanted. So nothing about RGB's transfer follows from this table."
            )
    if not result["real"]:
        said.append("(c) is empty: no folder of filmed people was given (`--real`).")
    else:
        said.append(
            "(c) has as many people as it has sets: its intervals say how much these recordings vary, nothing of other "
            "people. All their cameras stand still."
        )
    for name, why in result["left_out"].items():
        said.append(f"Left out: {name}, {why}.")
    return said


def _without(rows: Mapping[str, Any]) -> str:
    lines = [
        [row["title"], cue, *(_change(row, kind, cue) for kind in ("a", "c"))]
        for row in rows.values()
        for cue in row["without"]["a"]
    ]
    return _grid(["", "zeroed", "(a)", "(c)"], lines) if lines else ""


def _change(row: Mapping[str, Any], kind: str, cue: str) -> str:
    value, whole = row["without"][kind].get(cue), row[f"{kind}_mm"] or row[f"{kind}_dev_mm"]
    return _NOTHING if value is None or whole is None else f"{value - whole:+.1f}"


def _sets(rows: Mapping[str, Any]) -> str:
    names = sorted(
        {(part, name) for row in rows.values() for part in ("c_by_set", "c_dev_by_set") for name in row[part]}
    )
    if not names:
        return ""
    head = ["", *(f"{name}, {'test' if part == 'c_by_set' else 'development'}" for part, name in names)]
    lines = [[row["title"], *(_of_set(row[part].get(name)) for part, name in names)] for row in rows.values()]
    return _grid(head, lines)


def _of_set(one: Mapping[str, Any] | None) -> str:
    return _NOTHING if one is None else _with_interval(one["mm"], one["ci95_mm"])


def _equal(result: Mapping[str, Any]) -> str:
    found = result.get("equal_accuracy", {})
    if not found:
        return ""
    parts = [key for key in ("c_development_mm", "c_test_mm") if key in next(iter(found.values()))]
    head = [
        "",
        "(a) of validation",
        "steps: row, RGB",
        *(f"{key.split('_')[1]} (c): row, RGB" for key in parts),
    ]
    lines = [
        [
            result["rows"][name]["title"],
            _mm(one["a_validation_mm"]),
            " , ".join(map(str, one["steps"])),
            *(" , ".join(map(_mm, one[key])) for key in parts),
        ]
        for name, one in found.items()
    ]
    return _grid(head, lines)


def _development(rows: Mapping[str, Any]) -> str:
    lines = [
        [row["title"], *(_mm(row[f"{kind}_dev_mm"]) for kind in ("a", "b", "c"))] for row in rows.values()
    ]
    return _grid(["", "(a)", "(b)", "(c)"], lines)


def _single(rows: Mapping[str, Any]) -> str:
    measures = ("hidden_share", "limb_spread", "sides_apart", "jitter_m_s3")
    lines = []
    for row in rows.values():
        clips = [one for part in row["single_view"].values() for one in part.values()]
        if clips:
            lines.append([row["title"], *(_mean_of(clips, name) for name in measures)])
    if not lines:
        return ""
    head = [
        "",
        "hidden keypoints off, share of the person",
        "limb lengths' spread",
        "sides apart",
        "jitter, m/s³",
    ]
    return _grid(head, lines)


def _mean_of(clips: Sequence[Mapping[str, Any]], name: str) -> str:
    values = [clip[name] for clip in clips if clip[name] is not None]
    return f"{sum(values) / len(values):.3g}" if values else _NOTHING


def _moving(flow: Mapping[str, float]) -> str:
    if not flow:
        return ""
    lines = [[name, f"{value:.3f}"] for name, value in sorted(flow.items())]
    return _grid(["", "median flow at keypoints, in 20 px of a crop of 224"], lines)


def _grid(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *lines))


def _mm(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.1f}"


def _with_interval(value: float | None, bounds: Sequence[float | None]) -> str:
    if value is None or None in bounds:
        return _mm(value)
    return f"{value:.1f} ({bounds[0]:.1f} to {bounds[1]:.1f})"


def _ratio(value: float | None, base: float | None) -> str:
    return f"{value / base:.2f}" if value and base else _NOTHING
