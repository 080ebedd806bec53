"""Exports as a whole: time, gaps and cuts, README.txt, several people, and refusals in one sentence."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from posed_people import CAMERA, capture_of, in_world, turn, wandering

from pointlight.body import AnnyBody
from pointlight.capture import body_states
from pointlight.errors import PointlightError
from pointlight.export import FORMATS, export_result, world_motions
from pointlight.export.timeline import FILLED, INFERRED, SEEN, Timeline


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


def test_frames_of_an_even_video_are_kept(body: AnnyBody) -> None:
    capture = wandering(body)
    line = Timeline.of(capture)
    assert line.fps == 30.0 and len(line) == 40
    np.testing.assert_array_equal(line.left, np.arange(40))
    assert not line.share.any() and (line.marks == SEEN).all()


def test_a_person_who_is_gone_in_the_middle(body: AnnyBody) -> None:
    whole = wandering(body)
    valid = np.ones(40, bool)
    valid[[0, 1, 15, 16, 17, 39]] = False
    (motion,), (truth,) = (world_motions([wandering(body, valid=each)], body) for each in (valid, None))
    assert len(motion) == 40 and np.isfinite(motion.places_m).all()
    assert motion.spans(FILLED) == "0-1, 15-17, 39"
    # The first frame that shows the person lies over the origin, later in one result than in the other.
    shift = truth.places_m[2, 0] - motion.places_m[2, 0]
    np.testing.assert_allclose((motion.places_m + shift)[valid], truth.places_m[valid], atol=1e-5)
    gap = np.linalg.norm(motion.places_m + shift - truth.places_m, axis=-1)[14:19]
    assert 0 < gap.max() < 0.05  # bridged, not held
    np.testing.assert_allclose(motion.places_m[0], motion.places_m[2], atol=1e-9)  # held
    occluded = replace(whole, occluded=np.arange(40) == 5)
    assert world_motions([occluded], body)[0].spans(INFERRED) == "5"


def test_nothing_is_bridged_across_a_cut(body: AnnyBody) -> None:
    valid = np.ones(40, bool)
    valid[18:22] = False
    shot = (np.arange(40) >= 20).astype(int)
    capture = replace(
        wandering(body, valid=valid),
        shot=shot,
        shot_shapes=np.stack([wandering(body, frames=1).shape, np.full(6, 0.6, np.float32)]),
    )
    line = Timeline.of(capture)
    assert line.left[18:22].tolist() == line.right[18:22].tolist() == [17, 17, 22, 22]
    (motion,) = world_motions([capture], body)
    np.testing.assert_array_equal(motion.pose[19], motion.pose[17])
    assert any("cuts" in note for note in motion.notes)
    between = np.where(np.arange(40) < 18, 0, np.where(valid, 2, 1))
    empty = replace(capture, shot=between, shot_shapes=np.repeat(capture.shot_shapes[:1], 3, 0))
    assert Timeline.of(empty).left[18:22].tolist() == [17] * 4


def test_uneven_times_become_even(body: AnnyBody) -> None:
    rng = np.random.default_rng(1)
    times = 7.0 + np.arange(40) / 30 + rng.uniform(-0.012, 0.012, 40)
    capture = wandering(body, time_s=np.sort(times))
    line = Timeline.of(capture)
    assert line.fps == 30.0 and len(line) in (39, 40, 41)
    own = capture.time_s - capture.time_s[0]
    moments = own[line.left] * (1 - line.share) + own[line.right] * line.share
    np.testing.assert_allclose(moments, np.arange(len(line)) / 30, atol=1e-9)
    assert (line.marks == SEEN).all()


@pytest.mark.parametrize("fps", [24.0, 25.0, 60.0, 120.0])
def test_another_rate(body: AnnyBody, fps: float) -> None:
    (slow,), (fast,) = (world_motions([wandering(body)], body, fps=each) for each in (None, fps))
    assert len(fast) == int(39 / 30 * fps + 1e-6) + 1 and fast.fps == fps
    at = np.interp(fast.time_s, slow.time_s, slow.places_m[:, 0, 0])
    np.testing.assert_allclose(fast.places_m[:, 0, 0], at, atol=1e-6)
    between = wandering(body, frames=2, fps=10.0)
    (made,) = world_motions([between], body, fps=20.0)
    (own,) = world_motions([between], body)
    half = own.rotations[0].swapaxes(-1, -2) @ made.rotations[1]
    other = made.rotations[1].swapaxes(-1, -2) @ own.rotations[1]
    np.testing.assert_allclose(half[0], other[0], atol=1e-6)


def test_without_a_world_the_lowest_sole_is_the_floor(body: AnnyBody) -> None:
    (motion,) = world_motions([wandering(body)], body)
    feet = motion.points_m[..., 1]
    assert -0.002 < feet.min() < 0.03  # the skin's points lie a little above the sole
    np.testing.assert_allclose(motion.places_m[0, 0, [0, 2]], 0, atol=1e-6)
    assert "says nothing of gravity" in motion.notes[0]


def test_a_known_world_is_taken_as_it_is(body: AnnyBody, tmp_path: Path) -> None:
    valid = np.arange(40) % 13 != 6
    level = wandering(body, valid=valid)
    tilted = turn("x", 20) @ turn("z", -15) @ CAMERA
    capture = in_world(level, tilted, 1.4)
    (motion,), world = world_motions([capture], body), capture.world
    assert world is not None and motion.notes == ("The world is known to a test.",)
    np.testing.assert_allclose(motion.pose[valid], world.pose_world_rotmat[valid], atol=1e-6)
    np.testing.assert_allclose(motion.places_m[valid, 0], world.root_world_m[valid], atol=1e-6)
    assert np.isfinite(motion.places_m).all() and motion.spans(FILLED) == "6, 19, 32"
    assert motion.contacts is not None
    np.testing.assert_array_equal(motion.contacts, world.contacts)
    # The world's camera sees the person where the video's did.
    seen = (motion.places_m[valid] - motion.camera.place_m) @ motion.camera.R_world_camera
    hips = body.joints(body_states(capture, body)).numpy()[valid]
    above = [body.joint_names.index(name) for name in ("pelvis", "head", "left_wrist", "right_ankle")]
    np.testing.assert_allclose(seen[:, above], hips[:, above], atol=1e-5)

    files = export_result(capture, "bvh,csv", tmp_path, fps=60.0).files
    rows = list(csv.DictReader(io.StringIO(files[1].read_text())))
    assert [rows[2 * k]["left_foot_stands"] for k in range(7)] == ["1", "0", "1", "0", "1", "0", "0"]
    assert {row["right_foot_stands"] for row in rows} == {"0"} and len(rows) == 79
    assert float(rows[8]["joint_pelvis_y_m"]) == pytest.approx(float(world.root_world_m[4, 1]), abs=1e-5)
    text = files[-1].read_text()
    assert "The world is known to a test." in text and "gravity" not in text and "3 frames filled" not in text
    assert "frames filled (" in text


def test_one_person_without_a_world_takes_it_from_all(body: AnnyBody) -> None:
    capture = wandering(body)
    known = in_world(capture, turn("x", 20) @ CAMERA, 1.4)
    for motion in world_motions([known, capture], body):
        assert motion.contacts is None and "says nothing of gravity" in motion.notes[0]


def test_times_count_from_the_first_frame(body: AnnyBody, tmp_path: Path) -> None:
    capture = wandering(body, time_s=7.0 + np.arange(40) / 30)
    capture = replace(capture, frame_index=210 + np.arange(40))
    files = export_result(capture, "csv,trc,angles", tmp_path).files
    for file, separator, line, cell in ((files[0], ",", 1, 1), (files[1], "\t", 6, 1), (files[2], ",", 1, 1)):
        assert float(file.read_text().splitlines()[line].split(separator)[cell]) == 0.0
    assert "the first is shown 7.000 s into the video" in files[-1].read_text()


def test_several_people_share_a_world(body: AnnyBody, tmp_path: Path) -> None:
    first = wandering(body)
    aside = np.array([1.5, 0, -1.0])
    other = replace(
        first, translation_camera_m=first.translation_camera_m + aside.astype(np.float32), track_id=1
    )
    nobody = wandering(body, valid=np.zeros(40, bool))
    one, two = world_motions([first, other], body)
    np.testing.assert_allclose(
        two.places_m - one.places_m, np.broadcast_to(aside * (1, -1, -1), one.places_m.shape), atol=1e-5
    )
    for number, capture in enumerate((first, other, nobody)):
        capture.save(tmp_path / "result" / (f"poses_{number}.npz" if number else "poses.npz"))
    done = export_result(tmp_path / "result", ["bvh"], tmp_path / "out")
    assert [path.name for path in done.files] == ["poses.bvh", "poses_1.bvh", "README.txt"]
    assert done.warnings == ("poses_2 has no body in any frame and is left out",)
    text = (tmp_path / "out" / "README.txt").read_text()
    assert "poses_1: person 1" in text and "40 frames at 30 frames/s" in text and "centimetres" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": "bvh,fbx"}, "no format 'fbx', only bvh"),
        ({"formats": ""}, "no format is named"),
        ({"rig": "mixam"}, "did you mean mixamo"),
        ({"units": "inch"}, "give one of m, cm, mm"),
        ({"fps": 0.0}, "between 0 and 1000"),
        ({"fps": float("nan")}, "between 0 and 1000"),
    ],
)
def test_what_cannot_be_meant(body: AnnyBody, tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(PointlightError, match=message):
        export_result(wandering(body, frames=2), **({"formats": "bvh", "out": tmp_path / "out"} | options))
    assert not (tmp_path / "out").exists()


def test_results_that_cannot_be_used(body: AnnyBody, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    wandering(body, frames=3, valid=np.zeros(3, bool)).save(tmp_path / "nobody.npz")
    capture = wandering(body, frames=3)
    capture.save(tmp_path / "poses.npz")
    (tmp_path / "file").touch()
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    for result, out, message in (
        ("absent.npz", "out", "there is no file"),
        ("empty", "out", "has no poses.npz"),
        ("other.npz", "out", "other arrays"),
        ("nobody.npz", "out", "no frame of this result has a body"),
        ("poses.npz", "file", "cannot write to the folder"),
    ):
        with pytest.raises(PointlightError, match=message):
            export_result(tmp_path / result, "bvh", tmp_path / out)
    with np.load(tmp_path / "poses.npz") as archive:
        arrays = dict(archive)
    np.savez(tmp_path / "older.npz", allow_pickle=False, **(arrays | {"format_version": np.array(0)}))
    with pytest.raises(
        PointlightError, match="format version 0, this Pointlight reads 1 and 2; predict again"
    ):
        export_result(tmp_path / "older.npz", "bvh", tmp_path / "out")
    np.savez(tmp_path / "old.npz", allow_pickle=False, **(arrays | {"format_version": np.array(1)}))
    text = export_result(tmp_path / "old.npz", "bvh", tmp_path / "out").files[-1].read_text()
    assert "says nothing of gravity" in " ".join(text.split())
    other = replace(capture, body_model="smpl")
    with pytest.raises(PointlightError, match="made with the body smpl"):
        export_result(other, "bvh", tmp_path / "out")


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if each.package])
def test_a_missing_package_is_named_with_its_extra(
    body: AnnyBody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("pointlight.export.exporting.find_spec", lambda package: None)
    install = f"pip install 'pointlight\\[{name}\\]'"
    with pytest.raises(PointlightError, match=f"needs the package .*, which is not installed; {install}$"):
        export_result(wandering(body, frames=2), name, tmp_path)


def test_one_frame(body: AnnyBody, tmp_path: Path) -> None:
    still = capture_of(body, np.tile(np.eye(3), (1, 22, 1, 1)), np.array([[0, 1.0, -3]]))
    files = export_result(still, "bvh", tmp_path).files
    assert "Frames: 1\n" in files[0].read_text()


def test_the_command(body: AnnyBody, tmp_path: Path) -> None:
    wandering(body, frames=3).save(tmp_path / "poses.npz")
    command = [sys.executable, "-m", "pointlight", "export", str(tmp_path / "poses.npz"), "--to"]
    done = subprocess.run([*command, "bvh", "--out", str(tmp_path / "out")], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.splitlines()[0].endswith("poses.bvh")
    done = subprocess.run([*command, "bhv", "--out", str(tmp_path / "out")], capture_output=True, text=True)
    assert done.returncode == 2
    assert (
        done.stderr.startswith("pointlight: there is no format 'bhv'") and "did you mean bvh" in done.stderr
    )
