"""What is said of a capture without the truth: each figure by its definition on made captures, each hint at its limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointlight.body import MEAN_ADULT_SHAPE, SHAPE_NAMES, AnnyBody
from pointlight.capture import Capture, Quality, Summary, VideoFile
from pointlight.capture.camera import SmallPicture, is_still
from pointlight.capture.flips import LIMBS, DepthFlip, depth_flips
from pointlight.capture.quality import (
    LARGEST_DISTANCE_SHARE,
    LARGEST_HARDLY_SEEN_SHARE,
    LARGEST_JITTER_M_S3,
    LARGEST_LIMB_SPREAD,
    MOST_CUTS,
    SMALLEST_BODY_SHARE,
    jitter_m_s3,
    limb_spread,
    quality_of,
)

NAMES = tuple(dict.fromkeys(name for limb in LIMBS for name in limb))
FRAMES, FOCAL_PX, DEPTH_M = 60, 1000.0, 4.0


def capture_of(motion_m: np.ndarray | None = None, fps: float = 30.0) -> Capture:
    """Somebody at 4 m, whose detections lie where the joints are; `motion_m` (T,) moves all joints along x."""
    joints = Capture.__dataclass_fields__["joint_names"].default
    rng = np.random.default_rng(0)
    places = np.repeat(rng.uniform(-0.8, 0.8, (1, len(joints), 3)), FRAMES, 0)
    places[..., 2] = 0.0
    if motion_m is not None:
        places[..., 0] += motion_m[:, None]
    translation = np.tile([0.0, 0.0, DEPTH_M], (FRAMES, 1))
    rest = Capture(
        frame_index=np.arange(FRAMES),
        time_s=np.arange(FRAMES) / fps,
        valid=np.ones(FRAMES, bool),
        occluded=np.zeros(FRAMES, bool),
        joints_camera_m=places,
        translation_camera_m=translation,
        pose_rotmat=np.tile(np.eye(3), (FRAMES, 1, 1, 1)),
        body_joint_names=("pelvis",),
        shape=np.zeros(6),
        body_model="anny",
        focal_source="assumed",
        track_id=0,
        keypoint_source="made",
        keypoints_px=np.zeros((FRAMES, len(NAMES), 3)),
        keypoint_names=NAMES,
        fps=fps,
        image_size=(1000, 1000),
        focal_px=FOCAL_PX,
        principal_px=(500.0, 500.0),
        model_sha256="0" * 64,
    )
    points = rest.joints_px()[:, [joints.index(name) for name in NAMES]]
    scored = np.concatenate((points, np.ones((FRAMES, len(NAMES), 1))), axis=-1)
    return replace(rest, keypoints_px=scored)


def moved(capture: Capture, px: np.ndarray | float, names: tuple[str, ...] = NAMES) -> Capture:
    points = capture.keypoints_px.copy()
    points[:, [NAMES.index(name) for name in names], 0] += np.broadcast_to(px, (FRAMES,))[:, None]
    return replace(capture, keypoints_px=points)


@pytest.mark.parametrize("fps", [20.0, 30.0, 60.0, 120.0])
def test_jitter_is_the_third_derivative_at_any_rate(fps: float) -> None:
    time_s = np.arange(FRAMES) / fps
    capture = capture_of(7.0 * time_s**3, fps)
    assert jitter_m_s3(capture) == pytest.approx(42.0, rel=0.02)  # 3! times 7
    assert jitter_m_s3(capture_of(3.0 * time_s**2, fps)) < 1.0
    two_shots = replace(
        capture_of(np.where(np.arange(FRAMES) < 30, 0.0, 9.0), fps),
        shot=np.arange(FRAMES) // 30,
        shot_shapes=np.zeros((2, 6)),
    )
    assert jitter_m_s3(two_shots) == 0.0


def test_figures_of_a_perfect_capture() -> None:
    figures = quality_of(capture_of(), 3)
    assert (figures.frames_with_body, figures.share_with_body, figures.frames_sides_put_back) == (60, 1.0, 3)
    assert figures.jitter_m_s3 == figures.limb_spread_share == 0.0
    assert figures.distance_median_px == pytest.approx(0.0, abs=0.01)
    assert figures.cuts_s == figures.hints == ()


def test_distance_in_px_and_of_the_size() -> None:
    capture = capture_of()
    figures = quality_of(moved(capture, 12.0), 0)
    points = capture.keypoints_px[0, :, :2]
    size_px = float(np.linalg.norm(points.max(0) - points.min(0)))
    assert figures.distance_median_px == pytest.approx(12.0, abs=0.02)
    assert figures.distance_median_share == pytest.approx(12.0 / size_px, abs=1e-4)
    unseen = capture.keypoints_px.copy()
    unseen[..., 2] = 0.1
    nothing = quality_of(replace(capture, keypoints_px=unseen), 0)
    assert nothing.distance_median_px is nothing.distance_median_share is nothing.limb_spread_share is None


def test_joints_that_the_detector_missed_are_named_the_most_first() -> None:
    capture = capture_of()
    points = capture.keypoints_px.copy()
    for name, frames in (("left_wrist", 30), ("right_ankle", 45), ("left_hip", 5)):
        points[:frames, NAMES.index(name), 2] = 0.05
    figures = quality_of(replace(capture, keypoints_px=points), 0)
    assert figures.unseen_share == {"right_ankle": 0.75, "left_wrist": 0.5}
    assert list(figures.unseen_share) == ["right_ankle", "left_wrist"]
    assert quality_of(capture, 0).unseen_share == {}
    seen = replace(capture, keypoints_px=points).seen
    assert seen[:, capture.joint_names.index("left_hip")].sum() == FRAMES - 5
    assert seen[:, capture.joint_names.index("neck")].all()  # it rests on the shoulders
    assert not seen[:, capture.joint_names.index("head_top")].any()  # no face among these keypoints


def thigh_at(capture: Capture, degrees: np.ndarray, seen_degrees: np.ndarray | None = None) -> Capture:
    """The right knee moved so that the thigh points away from the camera by so many degrees, and is seen by as many."""
    joints, names = capture.joints_camera_m.copy(), capture.joint_names
    hip, knee = names.index("right_hip"), names.index("right_knee")
    length = np.linalg.norm(joints[:, knee] - joints[:, hip], axis=1)

    def knee_at(angle: np.ndarray) -> np.ndarray:
        away = np.stack((0 * angle, np.cos(np.radians(angle)), np.sin(np.radians(angle))), axis=-1)
        return joints[:, hip] + length[:, None] * away

    points = capture.keypoints_px.copy()
    joints[:, knee] = knee_at(degrees if seen_degrees is None else seen_degrees)
    shown = replace(capture, joints_camera_m=joints).joints_px()[:, knee]
    points[:, NAMES.index("right_knee"), :2] = shown
    joints[:, knee] = knee_at(degrees)
    return replace(capture, joints_camera_m=joints, keypoints_px=points)


def test_a_limb_that_swings_past_the_picture_is_no_flip_and_one_that_jumps_is() -> None:
    rest, frames = capture_of(), np.arange(FRAMES)

    def flips_of(capture: Capture) -> list[DepthFlip]:
        return [flip for flip in depth_flips(capture) if flip.limb == "right thigh"]

    swing = thigh_at(rest, np.linspace(-60, 60, FRAMES))
    assert flips_of(swing) == []
    jump = thigh_at(rest, np.where(frames < 30, 50.0, -50.0), np.full(FRAMES, 50.0))
    (flip,) = flips_of(jump)
    assert flip.time_s == pytest.approx(jump.time_s[30], abs=0.04)
    # Slowly, over half a second, while the picture stands still: as at a dancer's raised thigh.
    slow = thigh_at(rest, np.clip((30 - frames) * 8.0, -60, 60), np.full(FRAMES, 60.0))
    assert len(flips_of(slow)) == 1
    assert quality_of(slow, 0).depth_flips == depth_flips(slow)
    cut = replace(jump, shot=frames // 30, shot_shapes=np.zeros((2, 6)))
    assert flips_of(cut) == []
    hidden = jump.keypoints_px.copy()
    hidden[:, NAMES.index("right_knee"), 2] = 0.0
    assert flips_of(replace(jump, keypoints_px=hidden)) == []


def test_spread_of_limbs() -> None:
    """Lengths that go evenly from 1 to 3 have their quartiles at 1.5 and 2.5 around 2: half their length."""
    capture = capture_of()
    points = capture.keypoints_px.copy()
    for upper, lower in LIMBS[:1]:
        points[:, NAMES.index(lower), :2] = points[:, NAMES.index(upper), :2]
        points[:, NAMES.index(lower), 0] += np.linspace(100, 300, FRAMES)
    only = ("left_shoulder", "left_elbow")
    alone = replace(
        capture, keypoints_px=points[:, [NAMES.index(name) for name in only]], keypoint_names=only
    )
    assert limb_spread(alone) == pytest.approx(0.5, abs=0.01)


def test_each_hint_at_its_threshold() -> None:
    capture = capture_of()
    size_px = quality_of(moved(capture, 10.0), 0)
    px_per_share = 10.0 / (size_px.distance_median_share or 1.0)
    time_s = capture.time_s

    def hidden(share: float) -> Capture:
        valid = np.arange(FRAMES) < share * FRAMES
        return replace(
            capture,
            valid=valid,
            joints_camera_m=np.where(valid[:, None, None], capture.joints_camera_m, np.nan),
        )

    def cut(count: int) -> Capture:
        return replace(
            capture, shot=np.minimum(np.arange(FRAMES), count), shot_shapes=np.zeros((count + 1, 6))
        )

    def guessed(share: float) -> Capture:
        return replace(capture, occluded=np.arange(FRAMES) < share * FRAMES)

    def stretched(spread: float) -> Capture:
        points = capture.keypoints_px.copy()
        points[..., :2] = (
            500 + (points[..., :2] - 500) * np.linspace(1 - spread, 1 + spread, FRAMES)[:, None, None]
        )
        return replace(capture, keypoints_px=points)

    for make, threshold, sign, words in (
        (hidden, SMALLEST_BODY_SHARE, -1, "--box X,Y,W,H@S"),
        (guessed, LARGEST_HARDLY_SEEN_SHARE, 1, "hardly seen"),
        (lambda share: moved(capture, share * px_per_share), LARGEST_DISTANCE_SHARE, 1, "--fov"),
        (lambda jitter: capture_of(jitter / 6 * time_s**3), LARGEST_JITTER_M_S3, 1, "unsteady"),
        (stretched, LARGEST_LIMB_SPREAD, 1, "--people all"),
    ):
        fine, poor = (make(threshold * (1 + sign * way * 0.1)) for way in (-1, 1))
        assert not any(words in hint for hint in quality_of(fine, 0).hints), words
        assert any(words in hint for hint in quality_of(poor, 0).hints), words
    assert quality_of(cut(MOST_CUTS), 0).hints == ()
    (hint,) = quality_of(cut(MOST_CUTS + 1), 0).hints
    assert "--start" in hint and quality_of(cut(2), 0).cuts_s == (0.033, 0.067)


def test_hints_do_not_name_what_was_given() -> None:
    far = moved(capture_of(), 100.0)
    assert not any("--fov" in hint for hint in quality_of(replace(far, focal_source="given"), 0).hints)
    assert any("leave out --no-refine" in hint for hint in quality_of(far, 0, refined=False).hints)


def test_the_estimated_body_is_said_in_words() -> None:
    body = AnnyBody()
    heavy = list(MEAN_ADULT_SHAPE)
    heavy[SHAPE_NAMES.index("weight")], heavy[SHAPE_NAMES.index("muscle")] = 1.0, 0.0
    said = []
    for shape in (MEAN_ADULT_SHAPE, heavy):
        capture = replace(capture_of(), shape=np.array(shape), shot_shapes=np.array([shape]))
        figures = quality_of(capture, 0, body=body)
        summary = summary_with(figures)
        (line,) = (line for line in summary.words() if "tall" in line)
        said.append(line)
    assert "1.70 m tall and weighs about 68 kg, of average build; --height and --weight set" in said[0]
    assert "1.70 m tall and weighs about 106 kg, of heavy build" in said[1]
    known = summary_with(figures, {"height_m": 1.7, "weight_kg": 106.0})
    assert any(line.endswith("of heavy build") for line in known.words())
    assert not any("tall" in line for line in summary_with(quality_of(capture_of(), 0)).words())


def summary_with(figures: Quality, options: dict[str, float] | None = None) -> Summary:
    video = VideoFile("v.mp4", 1, 1)
    return Summary(video, options or {}, "0", "", (), FRAMES, FRAMES, 30.0, {}, (), (figures,))


def test_a_still_picture_is_told_from_somebody_who_stands_still() -> None:
    rng = np.random.default_rng(0)
    grey = rng.integers(20, 230, (90, 160)).astype(np.uint8)
    encoded = [SmallPicture(k, (grey + rng.integers(0, 2, grey.shape)).astype(np.uint8)) for k in range(4)]
    assert is_still(encoded, 60)
    swaying = [*encoded[:3], SmallPicture(3, np.where(np.arange(160) == 80, grey + 9, grey).astype(np.uint8))]
    assert not is_still(swaying, 60)
    assert is_still(encoded[:1], 1) and not is_still(encoded[:1], 10) and not is_still([], 10)
