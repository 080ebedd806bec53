"""The judge's figures as tables in Markdown."""

from __future__ import annotations

from typing import Any

_BESIDE = {"overlap": "overlapping", "mirror": "mirrored", "averaged": "both", "refined": "as predict"}
"""Ways of averaging by the prefix of their metrics."""


def table(result: dict[str, Any]) -> str:
    """What `evaluate_synthetic` found: scores with models first, then joint rotations by joint."""
    rows = {**result["models"], **{f"{name} (peer)": score for name, score in result["peers"].items()}}
    first = next(iter(rows.values()))
    groups, distances = sorted(first["by_group"]), list(first["pa_mpjpe_mm_by_distance"])
    kinds = [k for k in _BESIDE if any(f"{k}_pa_mpjpe_mm" in score for score in rows.values())]
    head = ["model", "PA-MPJPE mm (95 %)", "of constant", *(f"{group} (of constant)" for group in groups)]
    head += [
        *distances,
        "occluded",
        "root deg (median)",
        "over frames",
        "facing wrong",
        "joints deg",
        "PVE mm",
        "accel.",
    ]
    for kind in kinds:
        head += [f"{_BESIDE[kind]}: PA-MPJPE mm", "accel."]
    lines = []
    for name, score in rows.items():
        low, high = score["ci95_mm"]
        ratios = score["of_constant"]
        cells = [name, f"{score['pa_mpjpe_mm']:.1f} ({low:.1f} to {high:.1f})", f"{ratios['overall']:.3f}"]
        cells += [f"{score['by_group'][g]:.1f} ({ratios['by_group'][g]:.2f})" for g in groups]
        cells += [_cell(score["pa_mpjpe_mm_by_distance"].get(d), "{:.1f}") for d in distances]
        cells.append(_cell(score["occluded_pa_mpjpe_mm"], "{:.1f}"))
        cells.append(_cell(score.get("root_median_deg"), "{:.1f}"))
        cells.append(_cell(score.get("root_median_over_frames_deg"), "{:.1f}"))
        cells.append(_cell(score.get("facing_wrong"), "{:.2%}"))
        cells += [_cell(score.get(key), "{:.1f}") for key in ("joint_deg", "pve_mm", "acceleration_mm")]
        for kind in kinds:
            cells += [
                _cell(score.get(f"{kind}_{key}"), "{:.1f}") for key in ("pa_mpjpe_mm", "acceleration_mm")
            ]
        lines.append(cells)
    return _markdown(head, lines) + _joints(rows)


def multiview_table(result: dict[str, Any]) -> str:
    """What `evaluate_multiview` found: the sets' own quality, then models and peers by camera, then by joint."""
    parts = [_truths(result["truth"])]
    for key, title in (("", "whole people"), ("part_body_", "people in part")):
        rows = {**result[f"{key}models"], **result[f"{key}peers"]}
        if rows:
            parts += [f"{title}:", _cameras(rows), _by_joint(rows)]
    return "\n\n".join(parts)


def _truths(sets: dict[str, Any]) -> str:
    head = ["set", "scored as", "joints with truth", "reprojection px", "limb spread mm (largest)"]
    head += ["floor mm by camera", "offsets px", "exchanged"]
    lines = []
    for name, entry in sets.items():
        spread = [value for value in entry["limb_spread_mm"].values() if value is not None]
        cells = [name, entry["scored_as"], f"{entry['scored_joints']:.0%}"]
        cells += [_cell(entry["reprojection_px"], "{:.1f}"), f"{max(spread):.0f}" if spread else ""]
        cells.append(", ".join(_cell(value, "{:.0f}") or "-" for value in entry["floor_mm"]))
        cells.append(", ".join(f"({x:.0f}, {y:.0f})" for x, y in entry["offsets_px"]))
        cells.append(", ".join(_cell(value, "{:.0%}") for value in entry["exchanged"]))
        lines.append(cells)
    return _markdown(head, lines)


def _cameras(rows: dict[str, Any]) -> str:
    first = next(iter(rows.values()))["by_set"]
    cameras = [(name, camera) for name, entry in first.items() for camera in entry["by_camera"]]
    roles = [(name, role) for name, entry in first.items() for role in entry["by_role"]]
    baselines = sorted(
        {
            baseline
            for row in rows.values()
            for entry in row["by_set"].values()
            for baseline in entry["against"]
        }
    )
    head = ["model", "PA-MPJPE mm (95 %)", *(f"{name}/{camera}" for name, camera in cameras)]
    head += [f"{name}: {role} cameras" for name, role in roles]
    head += [
        *(f"of {baseline}" for baseline in baselines),
        "size known: MPJPE mm",
        "accel. m/s^2",
        "coverage",
    ]
    lines = []
    for name, row in rows.items():
        cells = [name, _with_interval(row)]
        cells += [_cell(row["by_set"][s]["by_camera"][c]["pa_mpjpe_mm"], "{:.1f}") for s, c in cameras]
        cells += [_with_interval(row["by_set"][s]["by_role"][r]) for s, r in roles]
        ratios = next(iter(row["by_set"].values()))["against"] if len(row["by_set"]) == 1 else {}
        cells += [_cell(ratios.get(baseline, {}).get("ratio"), "{:.2f}") for baseline in baselines]
        cells += [_cell(row["scaled_mpjpe_mm"], "{:.1f}"), _cell(row["acceleration_m_s2"], "{:.1f}")]
        cells.append(f"{row['coverage']:.0%}")
        lines.append(cells)
    return _markdown(head, lines)


def _by_joint(rows: dict[str, Any]) -> str:
    joints = next(iter(rows.values()))["by_joint"]
    lines = [
        [name, *(_cell(row["by_joint"][joint], "{:.0f}") for joint in joints)] for name, row in rows.items()
    ]
    return _markdown(["mm after alignment", *joints], lines)


def _with_interval(entry: dict[str, Any]) -> str:
    if entry["pa_mpjpe_mm"] is None:
        return ""
    low, high = entry["ci95_mm"]
    return f"{entry['pa_mpjpe_mm']:.1f} ({low:.1f} to {high:.1f})"


def published_table(result: dict[str, Any]) -> str:
    """What `evaluate_published` found: scores with models first, then errors by joint."""
    rows = {**result["models"], **{f"{name} (peer)": score for name, score in result["peers"].items()}}
    columns = {
        "over frames": "pa_mpjpe_mm_over_frames",
        "known cameras": "camera_valid_pa_mpjpe_mm",
        "overlapping": "overlap_pa_mpjpe_mm",
        "known focal": "known_focal_pa_mpjpe_mm",
        "MPJPE": "mpjpe_mm",
        "accel.": "acceleration_mm",
    }
    lines = []
    for name, score in rows.items():
        low, high = score["ci95_mm"]
        cells = [name, f"{score['pa_mpjpe_mm']:.1f} ({low:.1f} to {high:.1f})"]
        cells += [_cell(score[key], "{:.1f}") for key in columns.values()]
        lines.append([*cells, f"{score['coverage']:.1%}"])
    config = result["config"]
    head = ["model", "PA-MPJPE mm, mean over persons (95 %)", *columns, "coverage"]
    joints = [
        [joint, *(_cell(score["by_joint"][joint], "{:.1f}") for score in rows.values())]
        for joint in config["joint_names"]
    ]
    words = f"{config['benchmark']}: {result['frames']} scored frames of {config['persons']} persons; {config['joints']}"
    return "\n\n".join((words, _markdown(head, lines), _markdown(["joint, aligned, mm", *rows], joints)))


def _joints(rows: dict[str, Any]) -> str:
    """Degrees by body joint, one column a model that says rotations."""
    scores = {name: row["joint_deg_by_joint"] for name, row in rows.items() if "joint_deg_by_joint" in row}
    if not scores:
        return ""
    joints = next(iter(scores.values()))
    lines = [[joint, *(_cell(score[joint], "{:.1f}") for score in scores.values())] for joint in joints]
    return "\n\n" + _markdown(["joint rotation, deg", *scores], lines)


def _markdown(head: list[str], lines: list[list[str]]) -> str:
    rows = ["| " + " | ".join(cells) + " |" for cells in (head, *lines)]
    rows.insert(1, "| --- " * len(head) + "|")
    return "\n".join(rows)


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
