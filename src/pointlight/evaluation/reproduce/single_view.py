"""Real people before one camera, without 3D truth: a network is asked about keypoints that were hidden from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, BodyModel
from pointlight.capture.fitting import place_body
from pointlight.evaluation.multiview import detect_video, video_roles
from pointlight.evaluation.reproduce.filmed import PART_OF_ROLE, FilmedPerson, filmed_person, joints_of
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.randomness import stream
from pointlight.simulator import FRAMES_PER_SECOND
from pointlight.training import Checkpoint
from pointlight.values import by_value

_BLOCK = round(FRAMES_PER_SECOND / 2)
_HIDDEN_AT_ONCE = 2
_LIMBS = [
    (NETWORK_KEYPOINTS.index(f"{side}_{upper}"), NETWORK_KEYPOINTS.index(f"{side}_{lower}"))
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
]
_ENDS = [
    NETWORK_KEYPOINTS.index(f"{side}_{name}")
    for side in ("left", "right")
    for name in ("wrist", "ankle", "elbow", "knee")
]


@by_value
@dataclass(frozen=True)
class SingleView:
    """A clip.

    Attributes:
        person: as networks are shown it, a few keypoints hidden.
        part: "development" or "test".
        hidden: (G, 12) bool, keypoints that the detector found and no network is shown.
        points_px: (G, 12, 2) all that the detector found.
        found: (G, 12) bool, whether it did.
    """

    person: FilmedPerson
    part: str
    hidden: np.ndarray
    points_px: np.ndarray
    found: np.ndarray


def single_views(
    folder: Path, *, cut_in: Path | None, cache: Path | None = None, progress: ProgressCallback = silent
) -> tuple[SingleView, ...]:
    """The clips of a folder, those beside one another in it; arguments as `filmed_sets`."""
    roles = video_roles(folder)
    files = sorted(folder.glob("*.mp4"))
    views = []
    for number, file in enumerate(files):
        progress(Progress("filmed people", number, len(files), file.name, unit="clip"))
        keypoints, _ = detect_video(file, cache, progress)
        person = filmed_person(file.stem, file, keypoints, cut_in)
        views.append(with_hidden(person, PART_OF_ROLE.get(roles.get(file.name, ""), "test"), number))
    return tuple(views)


def with_hidden(person: FilmedPerson, part: str, number: int) -> SingleView:
    """A clip in which every half second two limb ends are hidden by chance, the same for every network."""
    visible = person.seen.visible.numpy()
    twelve = [EXTENDED_KEYPOINTS.index(name) for name in NETWORK_KEYPOINTS]
    hidden = np.zeros((len(visible), len(NETWORK_KEYPOINTS)), bool)
    for block in range(0, len(visible), _BLOCK):
        chosen = stream(number, block, "keypoints hidden from networks").permutation(_ENDS)[:_HIDDEN_AT_ONCE]
        hidden[block : block + _BLOCK, chosen] = True
    everywhere = np.zeros_like(visible)
    everywhere[:, twelve] = hidden
    found = visible[:, twelve]
    return SingleView(
        person.hidden(everywhere), part, hidden & found, person.seen.points_px.numpy()[:, twelve], found
    )


def score_single_view(
    views: Sequence[SingleView], checkpoint: Checkpoint, body: BodyModel
) -> dict[str, dict[str, float | None]]:
    """A network on each clip.

    Returns:
        By clip: "hidden_share", the median distance of projected joints from hidden detections in parts of the person's
        size, once the body is placed on the keypoints that are shown; "limb_spread", standard deviation of limb lengths
        over their mean; "sides_apart", by how much left and right limbs differ; "jitter_m_s3".
    """
    return {view.person.name: _score(view, checkpoint, body) for view in views}


def _score(view: SingleView, checkpoint: Checkpoint, body: BodyModel) -> dict[str, float | None]:
    person = replace(view.person, time_s=view.person.grid_s)
    joints = joints_of(person, checkpoint, body)
    known = np.logical_and.reduce(np.isfinite(joints), axis=(-1, -2))
    if known.sum() < 4:
        return dict.fromkeys(("hidden_share", "limb_spread", "sides_apart", "jitter_m_s3"))
    places = np.nan_to_num(joints)
    focal, principal = float(person.seen.focal_px), person.seen.principal_px.numpy()
    rays = (view.points_px - principal) / focal
    shown = view.found & ~view.hidden & known[:, None]
    start = np.tile((0.0, 0.0, 4.0), (len(places), 1))
    at = places + place_body(places, rays, shown.astype(float), start, person.time_s)[:, None]
    projected = at[..., :2] / at[..., 2:] * focal + principal
    size = np.array([_size(points, seen) for points, seen in zip(view.points_px, view.found, strict=True)])
    apart = np.linalg.norm(projected - view.points_px, axis=-1) / size[:, None]
    counted = view.hidden & known[:, None] & np.isfinite(apart)
    lengths = np.stack(
        [np.linalg.norm(places[known][:, a] - places[known][:, b], axis=-1) for a, b in _LIMBS]
    )
    mean = lengths.mean(1)
    half = len(_LIMBS) // 2
    jerk = np.diff(places, 3, axis=0) * FRAMES_PER_SECOND**3
    whole = known[:-3] & known[1:-2] & known[2:-1] & known[3:]
    return {
        "hidden_share": _rounded(float(np.median(apart[counted])) if counted.any() else np.nan),
        "limb_spread": _rounded(float((lengths.std(1) / mean).mean())),
        "sides_apart": _rounded(
            float((abs(mean[:half] - mean[half:]) / (mean[:half] + mean[half:]) * 2).mean())
        ),
        "jitter_m_s3": _rounded(
            float(np.linalg.norm(jerk[whole], axis=-1).mean()) if whole.any() else np.nan
        ),
    }


def _size(points: np.ndarray, seen: np.ndarray) -> float:
    """The diagonal of the box of the keypoints that are seen; NaN with fewer than two."""
    if seen.sum() < 2:
        return float("nan")
    return float(np.linalg.norm(np.ptp(points[seen], axis=0)))


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
