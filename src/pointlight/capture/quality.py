"""How good a capture is as far as it shows without the truth, and what to try where it is poor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from pointlight.body import AnnyBody, mass_kg
from pointlight.capture.capture import SEEN_SCORE, Capture
from pointlight.capture.flips import LIMBS, DepthFlip, depth_flips
from pointlight.capture.world import FootSlide

SMALLEST_UNSEEN_SHARE = 0.1
"""Of frames; what is missed less often is not spoken of."""

SMALLEST_BODY_SHARE = 0.8
"""Fewer frames with a body are called few."""

LARGEST_HARDLY_SEEN_SHARE = 0.25
"""More of the bodies that are inferred from the frames around them are called many."""

LARGEST_DISTANCE_SHARE = 0.03
"""Farther from the detections, as a share of the person's size, the body is said not to lie on the person; development clips
have up to 0.016, with detections moved at random by 4 % of the size 0.045."""

LARGEST_JITTER_M_S3 = 200.0
"""More is called unsteady; development clips have up to 170, dances up to 120."""

JITTER_RATE_HZ = 30.0
"""The rate at which jitter is looked at, as far as the video has it."""

LARGEST_LIMB_SPREAD = 0.25
"""More is said to be no one person's limbs, or badly detected ones; development clips have up to 0.19."""

MOST_CUTS = 3
"""More cuts leave shots that are worth a look one by one."""


@dataclass(frozen=True)
class Quality:
    """What is known of one person's capture without the truth; `docs/output.md` defines each figure.

    Attributes:
        track_id: number of the person.
        frames_with_body: how many.
        share_with_body: of all frames.
        frames_hardly_seen: frames with a body that is inferred from the frames around it.
        frames_sides_put_back: frames whose left and right were put back.
        jitter_m_s3: median length of the third difference of the joints' places over time, m/s^3; None without four
            frames in a row.
        limb_spread_share: spread of the limbs' lengths in the 2D detections, as a share of the length; None unseen.
        distance_median_px: of the projected joints from the detections; None without both.
        distance_median_share: the same as a share of the person's size, the diagonal of the box around the detections.
        cuts_s: times at which a new shot begins.
        hints: what to try, each a sentence.
        foot_slide_m_s: mean speed along the floor of what bears standing feet, in the world; None if none stands.
        unseen_share: of limbs' joints that the detector missed in a tenth of the frames with a body or more: in how many.
        depth_flips: limbs whose depth was likely guessed the other way round from some time on.
        foot_slide_seen_m_s: the same before the feet were set down; None also where the camera moves.
        stature_m: of the estimated body (of the shot with most bodies), metres from sole to crown; None if not measured.
        weight_kg: of the same, by its volume.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_to_folder("video.mp4", "result", end_s=0.2, refine=False, overlay=False)
        >>> (person,) = result.summary.people
        >>> person.share_with_body, person.cuts_s
        (1.0, ())
    """

    track_id: int
    frames_with_body: int
    share_with_body: float
    frames_hardly_seen: int
    frames_sides_put_back: int
    jitter_m_s3: float | None
    limb_spread_share: float | None
    distance_median_px: float | None
    distance_median_share: float | None
    cuts_s: tuple[float, ...]
    hints: tuple[str, ...] = ()
    foot_slide_m_s: float | None = None
    foot_slide_seen_m_s: float | None = None
    unseen_share: dict[str, float] = field(default_factory=dict)
    depth_flips: tuple[DepthFlip, ...] = ()
    stature_m: float | None = None
    weight_kg: float | None = None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Quality:
        """Back from `summary.json`."""
        flips = tuple(DepthFlip(**flip) for flip in values.get("depth_flips", ()))
        several = {"cuts_s": tuple(values["cuts_s"]), "hints": tuple(values["hints"]), "depth_flips": flips}
        return cls(**{**values, **several})


def quality_of(
    capture: Capture,
    frames_sides_put_back: int,
    slide: FootSlide | None = None,
    *,
    refined: bool = True,
    body: AnnyBody | None = None,
) -> Quality:
    """The figures of one capture, with hints where they are poor.

    Args:
        capture: of one person.
        frames_sides_put_back: as `Diagnostics.repaired` says.
        slide: of standing feet, where there is a world.
        refined: whether the body was fitted to the keypoints over time.
        body: the capture's, to measure its shape; without it stature and weight are None.
    """
    valid = capture.valid
    distance_px, size_px = _distances(capture)
    share = distance_px / size_px[:, None]
    begins = np.flatnonzero(np.diff(capture.shot)) + 1
    slide = slide or FootSlide(None, None)
    shape = torch.from_numpy(capture.shape)
    figures = Quality(
        track_id=capture.track_id,
        frames_with_body=int(valid.sum()),
        share_with_body=round(float(valid.mean()), 4) if len(valid) else 0.0,
        frames_hardly_seen=int((capture.occluded & valid).sum()),
        frames_sides_put_back=frames_sides_put_back,
        jitter_m_s3=_rounded(jitter_m_s3(capture), 1),
        limb_spread_share=_rounded(limb_spread(capture), 4),
        distance_median_px=_rounded(_median(distance_px), 2),
        distance_median_share=_rounded(_median(share), 5),
        cuts_s=tuple(round(float(time_s), 3) for time_s in capture.time_s[begins]),
        foot_slide_m_s=None if slide.world_m_s is None else round(slide.world_m_s, 3),
        foot_slide_seen_m_s=None if slide.seen_m_s is None else round(slide.seen_m_s, 3),
        unseen_share=unseen_share(capture),
        depth_flips=depth_flips(capture),
        stature_m=None if body is None else round(float(body.stature_m(shape)), 3),
        weight_kg=None if body is None else round(mass_kg(body, shape), 1),
    )
    words = tuple(_hints(figures, assumed=capture.focal_source == "assumed", refined=refined))
    return Quality(**{**vars(figures), "hints": words})


def unseen_share(capture: Capture) -> dict[str, float]:
    """Share of the frames with a body in which a limb's joint was not seen, of the keypoints' own joints; the most first.

    Shares below `SMALLEST_UNSEEN_SHARE` are left out.
    """
    if not capture.valid.any():
        return {}
    shares = 1 - capture.seen[capture.valid].mean(0)
    known = {
        name: round(float(share), 3)
        for name, share in zip(capture.joint_names, shares, strict=True)
        if name in capture.keypoint_names and share >= SMALLEST_UNSEEN_SHARE
    }
    return dict(sorted(known.items(), key=lambda entry: -entry[1]))


def jitter_m_s3(capture: Capture) -> float:
    """Median length of the third difference over time of the joints' places relative to the hips, m/s^3; NaN if none.

    Over all joints, and all rows of four frames of one shot that have a body. The frames of a row are about a
    thirtieth of a second apart (neighbours in slower videos), since at higher rates noise alone makes it large.
    """
    apart = max(1, round(capture.fps / JITTER_RATE_HZ))
    rows = [slice(apart * number, len(capture) - apart * (3 - number)) for number in range(4)]
    if len(capture) <= 3 * apart:
        return float("nan")
    places_m = capture.joints_camera_m.astype(np.float64)
    first, second, third, fourth = (places_m[row] for row in rows)
    step_s = np.maximum((capture.time_s[rows[3]] - capture.time_s[rows[0]]) / 3, 1e-6)
    change = np.linalg.norm(fourth - 3 * third + 3 * second - first, axis=-1) / step_s[:, None] ** 3
    together = capture.shot[rows[3]] == capture.shot[rows[0]]
    for row in rows:
        together = together & capture.valid[row]
    return _median(change[together])


def limb_spread(capture: Capture) -> float:
    """Spread of the limbs' lengths in the detections, as a share of the length; NaN if no limb is seen.

    A limb's length is that in the picture, in metres at the body's depth, in frames that have a body and show both
    ends. Its spread is the distance between its quartiles over its median; the result is the median over the limbs.
    """
    names, points = capture.keypoint_names, capture.keypoints_px.astype(np.float64)
    metres_a_px = capture.translation_camera_m[:, 2] / capture.focal_px
    spreads = []
    for upper, lower in LIMBS:
        if upper not in names or lower not in names:
            continue
        first, second = points[:, names.index(upper)], points[:, names.index(lower)]
        seen = capture.valid & (first[:, 2] >= SEEN_SCORE) & (second[:, 2] >= SEEN_SCORE)
        length_m = np.linalg.norm(first[seen, :2] - second[seen, :2], axis=1) * metres_a_px[seen]
        if len(length_m) and np.median(length_m) > 0:
            low, high = np.percentile(length_m, (25, 75))
            spreads.append((high - low) / np.median(length_m))
    return _median(np.array(spreads))


def _distances(capture: Capture) -> tuple[np.ndarray, np.ndarray]:
    """(T, N) px from projected joints to their detections, NaN where either lacks, and (T,) px the person's size."""
    shared = [name for name in capture.joint_names if name in capture.keypoint_names]
    points = capture.keypoints_px[:, [capture.keypoint_names.index(name) for name in shared]].astype(
        np.float64
    )
    seen = points[..., 2] >= SEEN_SCORE
    places = np.where(seen[..., None], points[..., :2], np.nan)
    joints = capture.joints_px()[:, [capture.joint_names.index(name) for name in shared]]
    size_px = np.full(len(capture), np.nan)
    several = seen.sum(1) >= 2
    if several.any():
        corner = np.nanmax(places[several], axis=1) - np.nanmin(places[several], axis=1)
        size_px[several] = np.maximum(np.linalg.norm(corner, axis=1), 1.0)
    return np.linalg.norm(joints - places, axis=-1), size_px


def _hints(figures: Quality, *, assumed: bool, refined: bool) -> list[str]:
    """What to try, the gravest first."""
    hints = []
    if figures.share_with_body < SMALLEST_BODY_SHARE:
        hints.append(
            f"there is a body in {figures.share_with_body:.0%} of the frames: say where the person is with --box"
            " X,Y,W,H@S, or use the part that shows them with --start and --end"
        )
    hardly = figures.frames_hardly_seen / max(figures.frames_with_body, 1)
    if hardly > LARGEST_HARDLY_SEEN_SHARE:
        hints.append(
            f"in {hardly:.0%} of these frames the person is hardly seen and the body is a guess: if somebody else is"
            " meant, say who with --box; --detector heavy may see more"
        )
    if (figures.distance_median_share or 0.0) > LARGEST_DISTANCE_SHARE:
        fov = "give the camera's field of view with --fov, " if assumed else ""
        without = "" if refined else "leave out --no-refine, "
        hints.append(
            f"the body lies {figures.distance_median_share:.1%} of the person's size beside the detections:"
            f" {without}{fov}or look at overlay.mp4 whether it is one person who is followed, else use --box"
        )
    if (figures.jitter_m_s3 or 0.0) > LARGEST_JITTER_M_S3:
        way = "try --detector heavy" if refined else "leave out --no-refine"
        hints.append(
            f"the joints are unsteady ({figures.jitter_m_s3:.0f} m/s^3; more than a fast dance has):"
            f" {way}, or --box if the detections jump between people"
        )
    if (figures.limb_spread_share or 0.0) > LARGEST_LIMB_SPREAD:
        hints.append(
            f"limbs in the detections change their length by {figures.limb_spread_share:.0%}: several people may be"
            " mixed up (--box says who, --people all finds everybody), or the picture is poor (--detector heavy)"
        )
    if len(figures.cuts_s) > MOST_CUTS:
        hints.append(
            f"the video has {len(figures.cuts_s)} cuts, and each shot shows its largest person: use one shot with"
            " --start and --end, say who with --box, or find everybody with --people all"
        )
    return hints


def _median(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if np.isfinite(value) else None
