"""The judge's figures as tables in Markdown."""

from __future__ import annotations

from typing import Any


def table(result: dict[str, Any]) -> str:
    """What `evaluate_synthetic` found: scores with models first, then joint rotations by joint."""
    rows = {**result["models"], **{f"{name} (peer)": score for name, score in result["peers"].items()}}
    first = next(iter(rows.values()))
    groups, distances = sorted(first["by_group"]), list(first["pa_mpjpe_mm_by_distance"])
    overlap = any("overlap_pa_mpjpe_mm" in score for score in rows.values())
    head = ["model", "PA-MPJPE mm (95 %)", "of constant", *(f"{group} (of constant)" for group in groups)]
    head += [*distances, "occluded", "root deg (median)", "facing wrong", "joints deg", "PVE mm", "accel."]
    head += ["overlapping: PA-MPJPE mm", "accel."] if overlap else []
    lines = []
    for name, score in rows.items():
        low, high = score["ci95_mm"]
        ratios = score["of_constant"]
        cells = [name, f"{score['pa_mpjpe_mm']:.1f} ({low:.1f} to {high:.1f})", f"{ratios['overall']:.3f}"]
        cells += [f"{score['by_group'][g]:.1f} ({ratios['by_group'][g]:.2f})" for g in groups]
        cells += [_cell(score["pa_mpjpe_mm_by_distance"].get(d), "{:.1f}") for d in distances]
        cells.append(_cell(score["occluded_pa_mpjpe_mm"], "{:.1f}"))
        cells.append(_cell(score.get("root_median_deg"), "{:.1f}"))
        cells.append(_cell(score.get("facing_wrong"), "{:.2%}"))
        cells += [_cell(score.get(key), "{:.1f}") for key in ("joint_deg", "pve_mm", "acceleration_mm")]
        if overlap:
            cells += [
                _cell(score.get(f"overlap_{key}"), "{:.1f}") for key in ("pa_mpjpe_mm", "acceleration_mm")
            ]
        lines.append(cells)
    return _markdown(head, lines) + _joints(rows)


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
