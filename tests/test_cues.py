"""Boxes, the `points` cue, and the repair of exchanged sides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, mirror_order
from pointlight.cues import (
    Cues,
    Observation,
    PointCueConfig,
    RepairConfig,
    crop_scale,
    repair_sides,
    track_boxes,
)
from pointlight.geometry import CROP_PX, PERSON_PX

FRAMES = 31


@pytest.fixture
def track() -> torch.Tensor:
    """(31, 19, 2) a person of about 200 px who drifts to the right."""
    generator = torch.Generator().manual_seed(1)
    shape = torch.rand(len(EXTENDED_KEYPOINTS), 2, generator=generator) * torch.tensor([80.0, 200.0]) + 100
    drift = torch.arange(FRAMES)[:, None, None] * torch.tensor([2.0, 0.3])
    wobble = torch.randn(FRAMES, len(EXTENDED_KEYPOINTS), 2, generator=generator).cumsum(0)
    return shape + drift + wobble


def cues_of(
    points: torch.Tensor,
    visible: torch.Tensor | None = None,
    *,
    focal: float = 500.0,
    principal: tuple[float, float] = (320.0, 240.0),
    next_frame: bool = True,
    keypoint_set: str = "extended19",
) -> Cues:
    if visible is None:
        visible = torch.ones(points.shape[:-1], dtype=torch.bool)
    seen = Observation(
        points,
        visible,
        EXTENDED_KEYPOINTS,
        torch.full(points.shape[:-3], focal),
        torch.tensor(principal).expand(*points.shape[:-3], 2),
    )
    return PointCueConfig(keypoint_set, next_frame=next_frame).make(seen)


@pytest.mark.parametrize("next_frame", [True, False])
def test_mirrored_inputs_are_those_of_the_mirrored_picture(track: torch.Tensor, next_frame: bool) -> None:
    visible = torch.rand(track.shape[:-1], generator=torch.Generator().manual_seed(2)) > 0.15
    order = list(mirror_order(EXTENDED_KEYPOINTS))
    mirrored = (track * torch.tensor([-1.0, 1.0]) + torch.tensor([640.0, 0.0]))[:, order]
    straight = cues_of(track, visible, next_frame=next_frame).inputs
    expected = cues_of(mirrored, visible[:, order], next_frame=next_frame).inputs
    found = PointCueConfig(next_frame=next_frame).mirrored(straight)
    assert (found - expected).abs().max() < 1e-4
    assert (found - straight).abs().max() > 0.1


def test_box_is_centred_on_the_visible_points_and_their_diagonal(track: torch.Tensor) -> None:
    twelve = track[:, :12]
    visible = torch.ones(FRAMES, 12, dtype=torch.bool)
    visible[:, 0] = False
    boxes = track_boxes(twelve, visible, smooth_frames=0.0)
    seen = twelve[:, 1:]
    assert torch.allclose(boxes.centre_px, 0.5 * (seen.amin(1) + seen.amax(1)))
    assert torch.allclose(boxes.size_px, (seen.amax(1) - seen.amin(1)).norm(dim=-1), rtol=1e-5)
    half_crops = crop_scale(boxes) * boxes.size_px * CROP_PX / 2
    assert torch.allclose(half_crops, torch.full((FRAMES,), float(PERSON_PX)), rtol=1e-5)


def test_boxes_bridge_occluded_frames_in_a_straight_line(track: torch.Tensor) -> None:
    visible = torch.ones(FRAMES, 12, dtype=torch.bool)
    visible[10:15, :6] = False  # 6 of 12 are too few
    boxes = track_boxes(track[:, :12], visible, smooth_frames=0.0)
    share = torch.linspace(0, 1, 7)[:, None]
    line = boxes.centre_px[9] + share * (boxes.centre_px[15] - boxes.centre_px[9])
    assert torch.allclose(boxes.centre_px[9:16], line, atol=1e-3)


def test_boxes_of_nobody_are_finite() -> None:
    boxes = track_boxes(torch.zeros(5, 12, 2), torch.zeros(5, 12, dtype=torch.bool))
    assert boxes.centre_px.isfinite().all() and (boxes.size_px > 0).all()


def test_shifting_picture_and_principal_point_changes_nothing(track: torch.Tensor) -> None:
    plain = cues_of(track).inputs
    moved = cues_of(track + 50.0, principal=(370.0, 290.0)).inputs
    assert torch.allclose(moved, plain, atol=1e-4)


def test_enlarging_picture_and_focal_length_changes_nothing(track: torch.Tensor) -> None:
    plain = cues_of(track).inputs
    enlarged = cues_of(3 * track, focal=1500.0, principal=(960.0, 720.0)).inputs
    assert torch.allclose(enlarged, plain, atol=1e-4)


def test_hidden_values_do_not_matter(track: torch.Tensor) -> None:
    visible = torch.rand(FRAMES, 19, generator=torch.Generator().manual_seed(2)) < 0.8
    spoiled = torch.where(visible[..., None], track, 1e5)
    assert torch.equal(cues_of(track, visible).inputs, cues_of(spoiled, visible).inputs)


def test_occluded_frames_enter_as_zeros_with_the_flag(track: torch.Tensor) -> None:
    visible = torch.ones(FRAMES, 19, dtype=torch.bool)
    visible[12:16, :6] = False
    cues = cues_of(track, visible)
    assert cues.occluded.nonzero().flatten().tolist() == [12, 13, 14, 15]
    flag = cues.inputs[:, 3 * 19 + 3]
    assert flag.nonzero().flatten().tolist() == [12, 13, 14, 15]
    others = torch.cat((cues.inputs[:, : 3 * 19 + 3], cues.inputs[:, 3 * 19 + 4 :]), dim=-1)
    assert (others[12:16] == 0).all()
    assert (others[11] != 0).any()


@pytest.mark.parametrize("next_frame", [True, False])
def test_last_frame_is_seen_only_with_both_frames_of_a_pair(track: torch.Tensor, next_frame: bool) -> None:
    changed = track.clone()
    changed[-1, -3:] += 7.0  # not among the 12, so that no box moves
    before = cues_of(track, next_frame=next_frame).inputs
    after = cues_of(changed, next_frame=next_frame).inputs
    assert torch.equal(before[:-1], after[:-1])
    assert torch.equal(before[-1], after[-1]) != next_frame
    assert before.shape == (FRAMES - 1, *PointCueConfig(next_frame=next_frame).input_shape)


def test_keypoints_are_found_by_name_whatever_their_order(track: torch.Tensor) -> None:
    backwards = tuple(reversed(EXTENDED_KEYPOINTS))
    visible = torch.rand(FRAMES, 19, generator=torch.Generator().manual_seed(2)) < 0.8
    seen = Observation(
        track.flip(1), visible.flip(1), backwards, torch.tensor(500.0), torch.tensor([320.0, 240.0])
    )
    for name in ("extended19", "paper12"):
        cues = PointCueConfig(name).make(seen)
        assert torch.equal(cues.inputs, cues_of(track, visible, keypoint_set=name).inputs)
    with pytest.raises(ValueError, match="nose"):
        PointCueConfig("extended19").make(seen.of(NETWORK_KEYPOINTS))


def test_every_frame_can_have_an_entry(track: torch.Tensor) -> None:
    visible = torch.ones(FRAMES, 19, dtype=torch.bool)
    seen = Observation(track, visible, EXTENDED_KEYPOINTS, torch.tensor(500.0), torch.tensor([320.0, 240.0]))
    config = PointCueConfig("paper12", next_frame=False)
    pairs, frames = config.make(seen), config.make(seen, every_frame=True)
    assert torch.allclose(frames.inputs[:-1], pairs.inputs, atol=1e-5) and len(frames.inputs) == FRAMES
    assert torch.allclose(frames.boxes.size_px, pairs.boxes.size_px, rtol=1e-5)
    own = pairs.R_ray_camera
    assert torch.equal(pairs.R_ray_of_pairs, torch.cat((own[:-1], own[-2:-1])))


def test_batched_is_one_by_one(track: torch.Tensor) -> None:
    both = torch.stack((track, track.flip(0)))
    batched = cues_of(both).inputs
    for one, many in zip(both, batched, strict=True):
        assert torch.allclose(cues_of(one).inputs, many, atol=1e-6)


def walker(frames: int = 120, fps: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    """(T, 12, 3) a walker seen from the side whose legs and arms cross, and the times."""
    time_s = np.arange(frames) / fps
    swing = 40 * np.sin(2 * np.pi * 0.9 * time_s)
    heights = {"ankle": 300, "knee": 220, "hip": 150, "wrist": 140, "elbow": 90, "shoulder": 40}
    reach = {"ankle": 1.5, "knee": 0.8, "hip": 0.0, "wrist": -1.0, "elbow": -0.5, "shoulder": 0.0}
    points = np.ones((frames, 12, 3), np.float32)
    for k, name in enumerate(NETWORK_KEYPOINTS):
        side, part = name.split("_")
        sign = 1 if side == "left" else -1
        points[:, k, 0] = 200 + 60 * time_s + sign * (reach[part] * swing + 12)
        points[:, k, 1] = heights[part]
    points[..., :2] += np.random.default_rng(0).normal(0, 2.0, points[..., :2].shape)
    return points, time_s


ORDER = np.array(mirror_order(NETWORK_KEYPOINTS))


@pytest.mark.parametrize("span", [(50, 52), (40, 69), (0, 20), (95, 120)])
def test_exchanges_are_undone(span: tuple[int, int]) -> None:
    points, time_s = walker()
    broken = points.copy()
    broken[slice(*span)] = broken[slice(*span)][:, ORDER]
    repaired = repair_sides(broken, time_s, NETWORK_KEYPOINTS, RepairConfig())
    assert np.flatnonzero(repaired.swapped).tolist() == list(range(*span))
    assert np.array_equal(repaired.points, points)


def turning(angle_rad: np.ndarray) -> np.ndarray:
    """(T, 12, 3) a person who stands, arms held out, and turns about their axis by the given angles."""
    heights = {"ankle": 300, "knee": 220, "hip": 150, "wrist": 120, "elbow": 80, "shoulder": 40}
    wide = {"ankle": 15, "knee": 15, "hip": 18, "wrist": 80, "elbow": 50, "shoulder": 26}
    points = np.ones((len(angle_rad), 12, 3), np.float32)
    for k, name in enumerate(NETWORK_KEYPOINTS):
        side, part = name.split("_")
        points[:, k, 0] = 200 + (1 if side == "left" else -1) * wide[part] * np.cos(angle_rad)
        points[:, k, 1] = heights[part]
    points[..., :2] += np.random.default_rng(1).normal(0, 1.5, points[..., :2].shape)
    return points


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_a_detector_that_changes_its_mind_slowly_is_undone_and_the_change_left_out(fps: float) -> None:
    time_s = np.arange(round(4 * fps)) / fps
    points = turning(0.3 * np.sin(time_s))
    first, last, slow = round(1.5 * fps), round(2.2 * fps), round(0.06 * fps)
    broken = points.copy()
    broken[first:last] = points[first:last][:, ORDER]
    for k in range(slow):
        share = (k + 1) / (slow + 1)
        for frame, change in ((first + k, share), (last - 1 - k, share)):
            broken[frame] = (1 - change) * points[frame] + change * points[frame][ORDER]
    repaired = repair_sides(broken, time_s, NETWORK_KEYPOINTS, RepairConfig())
    assert repaired.swapped[first + slow : last - slow].all()
    assert not repaired.swapped[: first - 2].any() and not repaired.swapped[last + 2 :].any()
    assert repaired.torn.any() and not repaired.torn[first + slow + 2 : last - slow - 2].any()
    assert (repaired.points[repaired.torn, :, 2] == 0).all()
    whole = ~repaired.torn
    assert np.array_equal(repaired.points[first + slow : last - slow], points[first + slow : last - slow])
    assert np.abs(repaired.points - points)[whole, :, :2].max() < 60  # a third of the widest span


@pytest.mark.parametrize("turns_per_s", [0.25, 0.5, 1.0])
def test_people_who_turn_are_no_exchange(turns_per_s: float) -> None:
    """A body that turns about its axis passes through where left and right coincide."""
    time_s = np.arange(120) / 30
    points = turning(2 * np.pi * turns_per_s * time_s)
    repaired = repair_sides(points, time_s, NETWORK_KEYPOINTS, RepairConfig())
    assert not repaired.swapped.any() and not repaired.torn.any()


def test_crossing_legs_are_no_exchange() -> None:
    points, time_s = walker()
    assert not repair_sides(points, time_s, NETWORK_KEYPOINTS, RepairConfig()).swapped.any()


def test_exchanges_longer_than_a_second_are_left_alone() -> None:
    points, time_s = walker(200)
    broken = points.copy()
    broken[60:120] = broken[60:120][:, ORDER]
    assert not repair_sides(broken, time_s, NETWORK_KEYPOINTS, RepairConfig()).swapped.any()


def test_repair_bears_absent_people() -> None:
    points, time_s = walker()
    points[:, :, 2] = 0
    assert not repair_sides(points, time_s, NETWORK_KEYPOINTS, RepairConfig()).swapped.any()
