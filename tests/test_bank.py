"""The motion bank: windows, splits, compiling, caching, mirroring."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_files import AMC, ASF, bvh_text, walking_clip, write_gzip
from scipy.spatial.transform import Rotation

from pointlight.body import MEAN_ADULT_SHAPE, AnnyBody, BodyState, mirrored_name
from pointlight.errors import PointlightError
from pointlight.motion import (
    DRIVEN_JOINTS,
    BodyMotion,
    MotionBank,
    compile_motion_bank,
    default_cache,
    list_motions,
    mirror,
)
from pointlight.motion.bank_files import read_bank, write_bank
from pointlight.progress import Progress


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


def random_motion(seed: int, frames: int, name: str = "m", split: str = "train") -> BodyMotion:
    rng = np.random.default_rng(seed)
    turns = Rotation.random(frames * 22, rng).as_matrix().reshape(frames, 22, 3, 3).astype(np.float32)
    place = rng.normal(size=(frames, 3)).astype(np.float32)
    return BodyMotion(name, "walk", split, turns[:, 1:], turns[:, 0], place)


def state_of(motion: BodyMotion) -> BodyState:
    return BodyState(
        torch.from_numpy(motion.pose),
        torch.tensor(MEAN_ADULT_SHAPE),
        torch.from_numpy(motion.root),
        torch.from_numpy(motion.translation_m),
    )


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6), seed=st.integers(0, 999), data=st.data())
def test_windows_are_the_motions_frames(lengths, seed, data):
    motions = [random_motion(seed + i, frames, f"m{i}") for i, frames in enumerate(lengths)]
    bank = MotionBank.from_motions(motions)
    index = data.draw(st.integers(0, len(lengths) - 1))
    start = data.draw(st.integers(0, lengths[index] - 1))
    frames = data.draw(st.integers(1, lengths[index] - start))
    window = bank.motion(index, start, frames)
    span = slice(start, start + frames)
    np.testing.assert_array_equal(window.pose, motions[index].pose[span])
    np.testing.assert_array_equal(window.root, motions[index].root[span])
    np.testing.assert_array_equal(window.translation_m, motions[index].translation_m[span])
    assert (window.name, window.split, window.group) == (f"m{index}", "train", "walk")
    assert np.shares_memory(window.pose, bank.pose)
    with pytest.raises(IndexError, match="outside"):
        bank.motion(index, start, lengths[index] - start + 1)


def test_splits_part_the_bank_and_the_hash_sees_everything():
    motions = [random_motion(i, 5, f"m{i}", split) for i, split in enumerate(("train", "heldout", "train"))]
    bank = MotionBank.from_motions(motions)
    assert bank.indices("train") == (0, 2)
    assert bank.indices("heldout") == (1,)
    assert bank.indices("validation") == ()
    assert MotionBank.from_motions(motions).sha256 == bank.sha256
    for changed in (
        replace(motions[2], split="validation"),
        replace(motions[2], name="other"),
        replace(motions[2], translation_m=motions[2].translation_m + np.float32(1e-3)),
    ):
        assert MotionBank.from_motions([*motions[:2], changed]).sha256 != bank.sha256


def test_mirroring_reflects_joints_and_surface_points(body):
    motion = random_motion(3, 4, split="heldout")
    twin = mirror(motion)
    assert (twin.name, twin.split) == (motion.name, "heldout")
    # The surface is symmetric to a few millimetres only.
    for names, places, within_m in (
        (body.joint_names, body.joints, 1e-4),
        (body.keypoint_names, body.keypoints, 5e-3),
    ):
        order = [names.index(mirrored_name(name)) for name in names]
        expected = places(state_of(motion))[:, order] * torch.tensor((-1.0, 1.0, 1.0))
        torch.testing.assert_close(places(state_of(twin)), expected, atol=within_m, rtol=0)
    again = mirror(twin)
    np.testing.assert_array_equal(again.pose, motion.pose)
    np.testing.assert_array_equal(again.root, motion.root)
    np.testing.assert_array_equal(again.translation_m, motion.translation_m)


def folder_of_walks(folder: Path) -> Path:
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "one.bvh").write_text(bvh_text(walking_clip(60)))
    write_gzip(folder / "two.bvh.gz", bvh_text(walking_clip(180, fps=60.0), 0.01))
    jumpy = walking_clip(120)
    jumpy.root_translation_m[50:, 0] += 3
    jumpy.root_translation_m[60:, 0] += 3
    (folder / "jumpy.bvh").write_text(bvh_text(jumpy))
    return folder


def test_a_plain_folder_compiles(tmp_path, body):
    seen: list[Progress] = []
    bank = compile_motion_bank(folder_of_walks(tmp_path / "walks"), body, tmp_path / "cache", seen.append)
    # The ten frames between the jumps are too short for a window and are dropped.
    assert [(clip.name, clip.frames) for clip in bank.clips] == [
        ("a/one.bvh", 60),
        ("jumpy.bvh#0", 50),
        ("jumpy.bvh#1", 60),
        ("two.bvh.gz", 90),
    ]
    assert {clip.file for clip in bank.clips} == {"a/one.bvh", "jumpy.bvh", "two.bvh.gz"}
    assert {(clip.group, clip.split) for clip in bank.clips} == {("all", "train")}
    assert seen == [Progress("motion", done, 3, unit="file") for done in (1, 2, 3)]
    assert bank.pose.dtype == bank.root.dtype == bank.translation_m.dtype == np.float32
    identity = bank.pose @ bank.pose.swapaxes(-1, -2)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-5)
    # 60 and 30 frames per second of the same walk.
    np.testing.assert_allclose(bank.motion(0).pose, bank.motion(3, 0, 60).pose, atol=2e-3)


def test_the_cache_gives_the_same_bits_and_notices_changes(tmp_path, body, monkeypatch):
    folder, cache = folder_of_walks(tmp_path / "walks"), tmp_path / "cache"
    first = compile_motion_bank(folder, body, cache)
    (stored,) = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("pointlight.motion.library._compile", lambda *_: pytest.fail("compiled again"))
        second = compile_motion_bank(folder, body, cache)
    assert second.sha256 == first.sha256
    assert second.clips == first.clips
    np.testing.assert_array_equal(second.pose, first.pose)
    for name, damage in (
        ("pose.npy", lambda content: content[:10000]),
        ("root.npy", lambda content: content[:-1] + bytes([content[-1] ^ 1])),
        ("clips.json", lambda content: content[:20]),
        ("translation_m.npy", lambda content: b""),
    ):  # a damaged cache is made again
        (stored / name).write_bytes(damage((stored / name).read_bytes()))
        assert compile_motion_bank(folder, body, cache).sha256 == first.sha256
    assert list(cache.iterdir()) == [stored]
    (folder / "a" / "one.bvh").write_text(bvh_text(walking_clip(61)))
    assert compile_motion_bank(folder, body, cache).sha256 != first.sha256
    assert len(list(cache.iterdir())) == 2


def in_a_file(array: np.ndarray) -> bool:
    """Whether an array lies in a file's pages."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return isinstance(array, np.memmap)


def test_a_compiled_bank_lies_in_its_files(tmp_path, body):
    bank = compile_motion_bank(folder_of_walks(tmp_path / "walks"), body, tmp_path / "cache")
    assert all(in_a_file(array) for array in (bank.pose, bank.root, bank.translation_m))
    # Torch takes the arrays without a word, and whoever writes into them changes nobody else's.
    before = bank.motion(0).pose[0].copy()
    torch.from_numpy(bank.pose[:1]).zero_()
    again = compile_motion_bank(tmp_path / "walks", body, tmp_path / "cache")
    np.testing.assert_array_equal(again.motion(0).pose[0], before)
    assert not bank.motion(0).pose[0].any()


def test_a_stored_bank_is_the_one_in_memory(tmp_path):
    """As quaternions say the rotations; the order, the places and the hash are the same."""
    motions = [random_motion(i, 5 + i, f"m{i}#0", split) for i, split in enumerate(("train", "heldout"))]
    write_bank(tmp_path / "bank", zip(motions, ("anna", ""), strict=True))
    stored = read_bank(tmp_path / "bank")
    assert stored is not None
    in_memory = MotionBank.from_motions([stored.motion(i) for i in range(2)], ["anna", ""])
    assert stored.sha256 == in_memory.sha256 and stored.clips == in_memory.clips
    for index, motion in enumerate(motions):
        np.testing.assert_allclose(stored.motion(index).pose, motion.pose, atol=1e-6)
        np.testing.assert_array_equal(stored.motion(index).translation_m, motion.translation_m)
    write_bank(tmp_path / "empty", [])
    assert len(read_bank(tmp_path / "empty").pose) == 0 and read_bank(tmp_path / "none") is None


def test_a_bank_that_breaks_off_leaves_nothing(tmp_path):
    def breaking():
        yield random_motion(0, 5), ""
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bank(tmp_path / "bank", breaking())
    assert not list(tmp_path.iterdir())


def test_tables_give_splits_groups_and_units(tmp_path, body):
    folder = folder_of_walks(tmp_path / "walks")
    (folder / "clips.csv").write_text(
        "file,format,skeleton,fps,subject,group,scale_to_m,up\n"
        "two.bvh.gz,bvh,bvh:x,60,anna,dance,0.01,y\na/one.bvh,bvh,bvh:x,30,bert,walk,1,y\n"
    )
    (folder / "splits.csv").write_text("file,split\ntwo.bvh.gz,heldout\na/one.bvh,train\n")
    bank = compile_motion_bank(folder, body, tmp_path / "cache")
    assert [(c.file, c.split, c.group, c.subject) for c in bank.clips] == [
        ("a/one.bvh", "train", "walk", "bert"),
        ("two.bvh.gz", "heldout", "dance", "anna"),
    ]
    assert bank.motion(1).split == "heldout"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"walks holds no motion; it needs BVH or AMC files"),
        (
            {"splits.csv": "file,split\na.bvh,test\n"},
            r"splits\.csv puts a\.bvh into 'test'; splits are train, val",
        ),
        ({"splits.csv": "file,part\na.bvh,test\n"}, r"splits\.csv needs the columns file, split"),
        (
            {"splits.csv": "file,split\nb.bvh,train\n", "a.bvh": ""},
            r"does not say which split a\.bvh belongs",
        ),
        ({"clips.csv": "file,fps\na.bvh,fast\n"}, r"clips\.csv, row of a\.bvh: .*'fast'"),
        ({"clips.csv": "file\ngone.bvh\n"}, r"cannot read .*gone\.bvh \(No such file"),
        ({"a.amc": AMC}, r"a\.amc needs its ASF skeleton: .*walks holds 0, one is needed"),
        (
            {"a.amc": AMC, "a.asf": ASF},
            r"a\.amc has not two legs and two arms of a person.*\(joints root, leg, trunk",
        ),
    ],
)
def test_folders_that_cannot_be_compiled(tmp_path, body, files, message):
    folder = tmp_path / "walks"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(PointlightError, match=message):
        compile_motion_bank(folder, body, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_no_folder_and_no_writable_cache(tmp_path, body):
    with pytest.raises(PointlightError, match=r"there is no folder .*nowhere; give one with BVH or AMC"):
        compile_motion_bank(tmp_path / "nowhere", body, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(PointlightError, match=r"cannot write to the folder .*file/cache"):
        compile_motion_bank(folder_of_walks(tmp_path / "walks"), body, tmp_path / "file" / "cache")


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTLIGHT_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("POINTLIGHT_CACHE")
    assert default_cache() == Path.home() / ".cache" / "pointlight"


def test_shared_motions_are_listed_by_their_tables(shared_data):
    files = list_motions(shared_data / "motion")
    assert len(files) == 376
    assert {entry.split for entry in files} == {"train", "validation", "heldout"}
    subjects = {split: {e.subject for e in files if e.split == split} for split in ("train", "heldout")}
    assert not subjects["train"] & subjects["heldout"]


@pytest.mark.slow
def test_the_whole_shared_bank(shared_data, body, tmp_path):
    bank = compile_motion_bank(shared_data / "motion", body, tmp_path)
    assert len({clip.file for clip in bank.clips}) >= 370
    assert len(bank.pose) > 130_000
    assert np.isfinite(bank.pose).all() and np.isfinite(bank.translation_m).all()
    assert tuple(body.joint_names) == DRIVEN_JOINTS
