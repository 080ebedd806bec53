"""The world on made people: up, floor, contacts and feet that stand; what is given, and what could not be known."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from world_makers import Person, camera, seen_by, sole_heights, stander, walker

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, AnnyBody
from pointlight.capture import Capture, PredictOptions, World, world_states
from pointlight.capture.camera import SmallPicture, moving_shots
from pointlight.capture.quality import quality_of
from pointlight.capture.world import FootSlide, Known, find_worlds, foot_slide, words_of_worlds
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError

WAVE = 0.006
"""Predicted bodies go to and fro by so much of their distance."""

TILTS = [(0, 0), (25, -20), (-15, 30), (30, 30)]
"""By how many degrees the camera looks down, and by how many upright things lean to the right."""


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def walk(body: AnnyBody) -> Person:
    return walker(body)


@pytest.fixture(scope="module")
def walking(body: AnnyBody, walk: Person) -> Capture:
    """A walk as a camera that looks down and is rolled sees it, going to and fro in depth, with its world."""
    return found(body, seen_by(body, walk, camera(25, -20), depth_wave=WAVE))


def found(
    body: AnnyBody, capture: Capture, known: Known | None = None, moving: bool | None = None
) -> Capture:
    flags = None if moving is None else np.full(len(capture.shot_shapes), moving)
    (world,) = find_worlds([capture], body, known, flags)
    return replace(capture, world=world)


def world_of(capture: Capture) -> World:
    assert capture.world is not None
    return capture.world


def off_deg(up: np.ndarray, other: np.ndarray) -> float:
    cosine = up @ other / np.linalg.norm(up) / np.linalg.norm(other)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def near(chosen: np.ndarray, frames: int = 2) -> np.ndarray:
    """(T, 2) bool: true in a frame not farther away than so."""
    padded = np.pad(chosen, ((frames, frames), (0, 0)))
    return np.any([padded[k : k + len(chosen)] for k in range(2 * frames + 1)], axis=0)


# --- up, the floor, and feet ------------------------------------------------------------------------------


@pytest.mark.parametrize(("pitch", "roll"), TILTS)
def test_up_before_a_tilted_and_rolled_camera(
    body: AnnyBody, walk: Person, pitch: float, roll: float
) -> None:
    up = camera(pitch, roll) @ (0, 1, 0)
    for person, most_deg in ((walk, 3.0), (stander(body), 6.0)):
        capture = found(body, seen_by(body, person, camera(pitch, roll), depth_wave=WAVE))
        world = world_of(capture)
        assert off_deg(world.floor[0, :3], up) < most_deg
        np.testing.assert_allclose(world.R_world_camera[0] @ world.floor[0, :3], (0, 1, 0), atol=1e-6)
        assert not words_of_worlds([world], capture.time_s, capture.shot)


def test_the_first_frame_faces_z_above_the_origin(walking: Capture) -> None:
    world = world_of(walking)
    ahead = world.pose_world_rotmat[0, 0, :, 2]
    assert abs(ahead[0]) < 1e-6 and ahead[2] > 0.99
    np.testing.assert_allclose(
        world.root_world_m[
            0,
            (0, 2),
        ],
        0,
        atol=1e-6,
    )
    assert np.linalg.det(world.R_world_camera[0]) == pytest.approx(1, abs=1e-5)


def test_contacts_of_a_walk(walking: Capture, walk: Person) -> None:
    contacts = world_of(walking).contacts
    precision = near(walk.contacts)[contacts].mean()
    recall = near(contacts)[walk.contacts].mean()
    assert precision >= 0.95 and recall >= 0.95
    assert 0.5 < contacts.mean() < 0.75  # each foot stands for 0.6 of a cycle


def test_feet_stand_on_the_floor_and_never_below(body: AnnyBody, walking: Capture, walk: Person) -> None:
    heights = sole_heights(body, walking)
    assert heights.min() > -1e-3
    standing = np.abs(heights[world_of(walking).contacts])
    assert np.median(standing) < 1e-3 and standing.max() < 0.02  # no leg is stretched beyond its length
    assert heights[~near(world_of(walking).contacts)].max() > 0.08  # and are lifted as they were
    slide = foot_slide(walking, body)
    assert slide.seen_m_s is not None and slide.world_m_s is not None
    assert slide.seen_m_s > 0.07 and slide.world_m_s < 0.02


def test_the_path_is_as_long_as_it_was_walked(walking: Capture, walk: Person) -> None:
    gone = world_of(walking).root_world_m[-1] - world_of(walking).root_world_m[0]
    true = walk.root_m[-1] - walk.root_m[0]
    assert np.linalg.norm(gone[[0, 2]]) == pytest.approx(np.linalg.norm(true), rel=0.04)


def test_the_2d_fit_is_hardly_touched(body: AnnyBody, walk: Person) -> None:
    capture = found(body, seen_by(body, walk, camera(10, 10), depth_wave=WAVE))
    world = world_of(capture)
    joints = body.keypoints(world_states(capture, body), EVALUATION_JOINTS).numpy()
    R_camera_world = world.R_world_camera[0].T
    places = (joints - world.camera_world_m[0]) @ R_camera_world.T
    px = places[..., :2] / places[..., 2:] * capture.focal_px + capture.principal_px
    moved = np.linalg.norm(px - capture.joints_px(), axis=-1)
    assert np.median(moved) < 0.5
    assert moved.max() < 12


# --- the camera's result, and files -----------------------------------------------------------------------


def test_the_cameras_result_is_untouched(tmp_path: Path, body: AnnyBody, walk: Person) -> None:
    alone = seen_by(body, walk, camera(25, -20), depth_wave=WAVE)
    before = {
        f.name: np.array(getattr(alone, f.name)).tobytes() for f in fields(Capture) if f.name != "world"
    }
    both = found(body, alone)
    after = {name: np.array(getattr(both, name)).tobytes() for name in before}
    assert after == before
    alone.save(tmp_path / "alone.npz")
    both.save(tmp_path / "both.npz")
    with np.load(tmp_path / "alone.npz") as a, np.load(tmp_path / "both.npz") as b:
        assert set(a.files) < set(b.files)
        assert all(a[name].tobytes() == b[name].tobytes() for name in a.files)


def test_a_world_is_read_back_and_an_old_file_has_none(
    tmp_path: Path, body: AnnyBody, walking: Capture
) -> None:
    walking.save(tmp_path / "poses.npz")
    assert Capture.load(tmp_path / "poses.npz") == walking
    names = {field.name for field in fields(World)}
    with np.load(tmp_path / "poses.npz") as archive:
        old = {name: archive[name] for name in archive.files if name not in names}
    np.savez(tmp_path / "old.npz", allow_pickle=False, **{**old, "format_version": np.array(1)})
    read = Capture.load(tmp_path / "old.npz")
    assert read == replace(walking, world=None)
    with pytest.raises(PointlightError, match="predict again"):
        foot_slide(read, body)


# --- what is known, and what is not -----------------------------------------------------------------------


def test_up_as_given_is_taken(body: AnnyBody, walk: Person) -> None:
    capture = seen_by(body, walk, camera(25, -20))
    true = camera(25, -20) @ (0, 1, 0)
    for known in (Known(up=tuple(7 * true)), Known(pitch_deg=25, roll_deg=-20)):
        world = world_of(found(body, capture, known, moving=False))
        assert off_deg(world.floor[0, :3], true) < 0.01
        assert "as given" in world.world_source[0] and "how the body" not in world.world_source[0]
    wrong = world_of(found(body, capture, Known(up=(0, -1, 0)), moving=False))
    assert off_deg(wrong.floor[0, :3], np.array((0, -1, 0))) < 0.01


def test_half_of_up_as_given_is_taken(body: AnnyBody, walk: Person) -> None:
    capture = seen_by(body, walk, camera(25, -20))
    up = world_of(found(body, capture, Known(pitch_deg=10), moving=False)).floor[0, :3]
    assert np.degrees(np.arcsin(-up[2])) == pytest.approx(10, abs=0.01)
    assert np.degrees(np.arctan2(up[0], -up[1])) == pytest.approx(-20, abs=4)
    world = world_of(found(body, capture, Known(roll_deg=-5), moving=False))
    up = world.floor[0, :3]
    assert np.degrees(np.arctan2(up[0], -up[1])) == pytest.approx(-5, abs=0.01)
    assert np.degrees(np.arcsin(-up[2])) == pytest.approx(25, abs=7)  # the wrong roll takes its share
    assert "roll as given" in world.world_source[0] and "how the body" in world.world_source[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"camera": "tripod"}, "auto, static, moving"),
        ({"up": "0,1"}, "three numbers"),
        ({"up": (0, 0, 0)}, "no direction"),
        ({"up": "0,-1,0", "camera_pitch_deg": 3}, "one of the two"),
        ({"camera_pitch_deg": 100}, "-90"),
        ({"camera_roll_deg": -200}, "-180"),
    ],
)
def test_what_no_camera_is_like_is_refused(options: dict, words: str) -> None:
    with pytest.raises(PointlightError, match=words):
        PredictOptions(**options)


def test_options_say_what_is_known() -> None:
    assert PredictOptions(up="0,-2,0").known_of_camera == Known(up=(0.0, -2.0, 0.0))
    assert PredictOptions(camera_pitch_deg=12).known_of_camera == Known(pitch_deg=12)


def test_a_moving_camera_is_said(body: AnnyBody, walk: Person) -> None:
    capture = found(body, seen_by(body, walk, camera(10, 5)), moving=True)
    world = world_of(capture)
    assert "the camera moves" in world.world_source[0]
    (sentence,) = words_of_worlds([world], capture.time_s, capture.shot)
    assert "--camera static" in sentence
    assert np.isnan(world.camera_world_m).all() and np.isnan(world.floor[0, 3])
    assert foot_slide(capture, body).seen_m_s is None
    assert sole_heights(body, capture).min() > -1e-3
    assert near(walk.contacts)[world.contacts].mean() > 0.9


def test_that_the_camera_was_not_looked_at_is_said(body: AnnyBody, walk: Person) -> None:
    assert "taken to stand still" in world_of(found(body, seen_by(body, walk, camera(0, 0)))).world_source[0]


def test_somebody_who_lies_is_not_stood_up(body: AnnyBody) -> None:
    """Whom nobody ever sees upright says nothing of up: a level camera is likelier than one on its side."""
    capture = found(body, seen_by(body, stander(body, kind="lie"), camera(5, 0)), moving=False)
    world = world_of(capture)
    assert off_deg(world.floor[0, :3], camera(5, 0) @ (0, 1, 0)) < 10
    assert "hardly ever upright" in world.world_source[0]
    (sentence,) = words_of_worlds([world], capture.time_s, capture.shot)
    assert "--camera-pitch" in sentence


def test_a_camera_on_its_side_can_be_said(body: AnnyBody, walk: Person) -> None:
    capture = seen_by(body, walk, camera(10, 90))
    assert "hardly ever upright" in world_of(found(body, capture)).world_source[0]
    world = world_of(found(body, capture, Known(roll_deg=90)))
    assert off_deg(world.floor[0, :3], camera(10, 90) @ (0, 1, 0)) < 4
    assert "hardly ever upright" not in world.world_source[0]


# --- gaps, cuts, several people ---------------------------------------------------------------------------


def with_gap(capture: Capture, gap: slice) -> Capture:
    valid = capture.valid.copy()
    valid[gap] = False
    arrays = {}
    for name in ("joints_camera_m", "translation_camera_m", "pose_rotmat"):
        arrays[name] = getattr(capture, name).copy()
        arrays[name][gap] = np.nan
    return replace(capture, valid=valid, **arrays)


def test_gaps_stay_gaps(body: AnnyBody, walk: Person) -> None:
    gap = slice(40, 55)
    capture = found(body, with_gap(seen_by(body, walk, camera(25, -20), depth_wave=WAVE), gap))
    world = world_of(capture)
    assert np.isnan(world.root_world_m[gap]).all() and np.isnan(world.pose_world_rotmat[gap]).all()
    assert not world.contacts[gap].any()
    assert np.isfinite(world.root_world_m[capture.valid]).all()
    assert sole_heights(body, capture)[capture.valid].min() > -1e-3
    assert off_deg(world.floor[0, :3], camera(25, -20) @ (0, 1, 0)) < 4
    slide = foot_slide(capture, body).world_m_s
    assert slide is not None and slide < 0.02


def test_each_shot_has_its_own_world(body: AnnyBody, walk: Person) -> None:
    first, second = (seen_by(body, walk, camera(*tilt), depth_wave=WAVE) for tilt in ((25, -20), (-15, 30)))
    frames = len(first)
    cut = 50
    arrays = {
        name: np.concatenate((getattr(first, name)[:cut], getattr(second, name)[cut:]))
        for name in ("joints_camera_m", "translation_camera_m", "pose_rotmat")
    }
    shot = (np.arange(frames) >= cut).astype(int)
    capture = replace(first, shot=shot, shot_shapes=np.tile(first.shot_shapes, (2, 1)), **arrays)
    world = world_of(found(body, capture))
    for number, tilt in enumerate(((25, -20), (-15, 30))):
        assert off_deg(world.floor[number, :3], camera(*tilt) @ (0, 1, 0)) < 5
        begin = number * cut
        np.testing.assert_allclose(
            world.root_world_m[
                begin,
                (0, 2),
            ],
            0,
            atol=1e-6,
        )
        assert world.pose_world_rotmat[begin, 0, 2, 2] > 0.99
    nobody = with_gap(capture, slice(cut, frames))
    world = world_of(found(body, nobody))
    assert world.world_source[1] == "nobody is in this shot"
    assert np.isfinite(world.R_world_camera).all() and np.isnan(world.root_world_m[cut:]).all()


def test_one_frame_is_enough(body: AnnyBody, walk: Person) -> None:
    first = Person(walk.pose[:1], walk.root_m[:1], walk.contacts[:1])
    world = world_of(found(body, seen_by(body, first, camera(25, -20))))
    assert np.isfinite(world.root_world_m).all()
    assert off_deg(world.floor[0, :3], camera(25, -20) @ (0, 1, 0)) < 10


def test_several_people_share_up_and_origin(body: AnnyBody, walk: Person) -> None:
    one = seen_by(body, walk, camera(20, 10))
    beside = np.array((1.5, 0, 0), np.float32) @ camera(20, 10).T.astype(np.float32)
    other = replace(one, track_id=1, translation_camera_m=one.translation_camera_m + beside)
    first, second = find_worlds([one, other], body)
    np.testing.assert_array_equal(first.R_world_camera, second.R_world_camera)
    np.testing.assert_allclose(first.camera_world_m, second.camera_world_m, atol=0.05)
    apart = np.linalg.norm(second.root_world_m - first.root_world_m, axis=-1)
    np.testing.assert_allclose(apart, 1.5, atol=0.05)


# --- figures ------------------------------------------------------------------------------------------------


def test_the_slide_of_a_foot_is_its_speed(body: AnnyBody, walk: Person) -> None:
    """Somebody who stands as if on a belt: the camera's result slides at the belt's speed, by whatever contacts."""
    frames = 40
    still = Person(
        np.repeat(walk.pose[:1], frames, 0),
        walk.root_m[:1] + np.outer(np.arange(frames) / 30, (0.12, 0, 0.16)),
        np.ones((frames, 2), bool),
    )
    capture = found(body, seen_by(body, still, camera(0, 0)), Known(up=(0, -1, 0)))
    assert world_of(capture).contacts.any(1).all()
    assert foot_slide(capture, body).seen_m_s == pytest.approx(0.2, abs=0.002)


def test_the_slide_is_in_the_summary(walking: Capture) -> None:
    figures = quality_of(walking, 0, FootSlide(0.1234, 0.0056))
    assert (figures.foot_slide_seen_m_s, figures.foot_slide_m_s) == (0.123, 0.006)
    assert quality_of(walking, 0).foot_slide_m_s is None


def pictures(shift_px: float) -> list[SmallPicture]:
    """Ten small pictures half a second apart of a background that goes to the right by so much from one to the next."""
    grey = np.random.default_rng(0).integers(0, 255, (40, 100)).repeat(3, 0).repeat(3, 1).astype(np.uint8)
    starts = [100 - round(shift_px * number) for number in range(10)]
    return [SmallPicture(number * 15, grey[:96, start : start + 160]) for number, start in enumerate(starts)]


@pytest.mark.parametrize(("shift_px", "moves"), [(0.0, False), (0.1, False), (3.0, True)])
def test_a_camera_that_pans_is_seen_to_move(shift_px: float, moves: bool) -> None:
    points = np.ones((150, len(EXTENDED_KEYPOINTS), 3))
    points[..., :2] = np.random.default_rng(1).uniform((140, 60), (180, 140), (len(EXTENDED_KEYPOINTS), 2))
    person = Keypoints2D(
        EXTENDED_KEYPOINTS, np.arange(150) / 30, np.arange(150), points, (320, 192), "a made detector"
    )
    flags = moving_shots(pictures(shift_px), person)
    assert flags is not None and flags.tolist() == [moves]
    assert moving_shots(pictures(shift_px)[:1], person) is None
