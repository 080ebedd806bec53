"""What is said of a video that has several shots, and how far the work on one of them is."""

from __future__ import annotations

from dataclasses import replace

from pointlight.cues import Keypoints2D
from pointlight.progress import Progress, ProgressCallback

_CUTS_NAMED = 5
_STEPS_TOLD = 120


def words_of_cuts(parts: list[Keypoints2D]) -> list[str]:
    """A sentence that names the cuts, if there are any."""
    times = [f"{part.time_s[0]:.2f}" for part in parts[1:]]
    if not times:
        return []
    named = ", ".join(times[:_CUTS_NAMED]) + (", ..." if len(times) > _CUTS_NAMED else "")
    return [
        f"the picture cuts or somebody else is seen at {named} s: each of the {len(parts)} shots is fitted by itself"
        " and has a shape of its own (shot and shot_shapes in poses.npz)"
    ]


def of_shot(progress: ProgressCallback, counts: list[int], number: int) -> ProgressCallback:
    """A callback for one shot that tells how far the whole is."""
    if len(counts) == 1:
        return progress
    before, whole = sum(counts[:number]), sum(counts)

    def tell(step: Progress) -> None:
        share = (before + counts[number] * step.done / max(step.total, 1)) / whole
        progress(replace(step, done=round(share * _STEPS_TOLD), total=_STEPS_TOLD))

    return tell
