"""What has to be said beside figures on simulation: of which motions and people they are, and what they cannot tell."""

from __future__ import annotations

from pointlight.evaluation.contenders import EVALUATION_SEED
from pointlight.evaluation.results import EvaluationSpec
from pointlight.simulator import EVAL_V1

FEW_FILES = 30
"""Fewer files than this are said to be few."""


def what_was_scored(spec: EvaluationSpec) -> str:
    """The motions, how many there are, and as what they are seen."""
    scenes, groups = spec.configuration["scenes"], spec.data.groups.values()
    folders = spec.configuration.get("motion_from") or []
    source = ", ".join(folders) or f"{spec.configuration['motion']}".replace(
        "procedural", "procedural motions"
    )
    people = [group.people for group in groups]
    size = f"{spec.data.counts['frames']} frames"
    if groups:
        files = sum(group.files for group in groups)
        size += f" of {files} files" if files != 1 else " of one file"
        if total := spec.data.counts.get("people"):
            size += f" by {total} people" if total != 1 else " by one person"
        elif None in people:
            size += " by people of whom nothing is said"
    sha256 = spec.data.sha256.get("motion", "")[:12]
    return f"{source} (motions {sha256}), split {scenes['split']}: {size}; {scenes['name']}, seed {spec.seed}"


def about_people(spec: EvaluationSpec) -> list[str]:
    """Which groups of motions are one person or one file: their figures say nothing of others."""
    groups = spec.data.groups
    alone = [name for name, group in groups.items() if group.people == 1]
    single = [name for name, group in groups.items() if group.people is None and group.files == 1]
    said = []
    if alone:
        said.append(
            f"One person: {', '.join(alone)}. How people differ there is in no figure, and in no interval."
        )
    if single:
        said.append(f"One file: {', '.join(single)}.")
    return said


def not_comparable(spec: EvaluationSpec) -> list[str]:
    """Why figures cannot be compared with README's; nothing where they are of the same kind."""
    scenes, asked = spec.configuration["scenes"], spec.configuration
    reasons = []
    if str(asked["motion"]).startswith("procedural"):
        reasons.append("procedural motions")
    elif scenes["split"] != "heldout":
        reasons.append(f"motions of the split {scenes['split']}")
    if asked.get("clips") is not None:
        reasons.append(f"{asked['clips']} clips")
    if spec.data.groups and sum(group.files for group in spec.data.groups.values()) < FEW_FILES:
        reasons.append("few files")
    if scenes["name"] != EVAL_V1.name:
        reasons.append(scenes["name"])
    if spec.seed != EVALUATION_SEED:
        reasons.append(f"seed {spec.seed}")
    return [f"Not comparable with README's figures: {', '.join(reasons)}."] if reasons else []
