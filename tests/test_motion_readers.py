"""Readers of BVH and ASF/AMC, resampling, glitches."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from motion_files import AMC, ASF, bvh_text, walking_clip, write_gzip
from scipy.spatial.transform import Rotation

from pointlight.errors import PointlightError
from pointlight.motion import MotionClip, list_motions
from pointlight.motion.asf_amc import _read_uniform, _split_header, read_amc, read_asf
from pointlight.motion.bvh import read_bvh
from pointlight.motion.glitches import glitch_frames, whole_spans
from pointlight.motion.library import read_clip
from pointlight.motion.resample import resample

ORDERS = ["xyz", "xzy", "yxz", "yzx", "zxy", "zyx"]
CMU_UNIT_M = 0.0254 / 0.45


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1.0, 0.01, 0.0254, 0.001, 0.056444]))
def test_bvh_gives_back_what_was_written_in_any_channel_order_and_unit(tmp_path, seed, scale):
    rng = np.random.default_rng(seed)
    clip = walking_clip(frames=3)
    clip.rotations[:] = Rotation.random(clip.rotations[..., 0, 0].size, rng).as_matrix().reshape(3, -1, 3, 3)
    ends = [i for i, name in enumerate(clip.joint_names) if name.endswith("_end")]
    clip.rotations[:, ends] = np.eye(3)
    orders = {name: str(rng.choice(ORDERS)) for name in clip.joint_names}
    path = tmp_path / "clip.bvh"
    path.write_text(bvh_text(clip, scale, orders))
    # A person in random poses has no up that could be detected.
    read = read_bvh(path, up="y")
    order = [read.joint_names.index(name) for name in clip.joint_names]
    assert read.fps == 30.0
    np.testing.assert_allclose(read.rotations[:, order], clip.rotations, atol=2e-6)
    np.testing.assert_allclose(
        read.positions_world_m()[:, order], clip.positions_world_m(), rtol=1e-4, atol=2e-5
    )


def test_bvh_positions_by_hand(tmp_path):
    text = """HIERARCHY
ROOT a
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT b
  {
    OFFSET 0 100 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 70 0 0
    }
  }
}
MOTION
Frames: 1
Frame Time: 0.0333333
10 0 20 90 0 0 90 0 0
"""
    path = tmp_path / "a.bvh"
    path.write_text(text)
    clip = read_bvh(path, scale_to_m=0.01)
    assert clip.joint_names == ("a", "b", "b_end")
    # Rz(90) lays b's offset along -x; b then turns about its parent's y, which now points along -x.
    np.testing.assert_allclose(
        clip.positions_world_m()[0], [[0.1, 0, 0.2], [-0.9, 0, 0.2], [-0.9, 0, -0.5]], atol=1e-6
    )


def test_gzip_and_plain_are_the_same(tmp_path):
    text = bvh_text(walking_clip(frames=4))
    plain = tmp_path / "a.bvh"
    plain.write_text(text)
    packed = write_gzip(tmp_path / "b.bvh.gz", text)
    np.testing.assert_array_equal(read_bvh(plain).rotations, read_bvh(packed).rotations)


def test_z_up_is_found_and_turned(tmp_path):
    clip = walking_clip(frames=20)
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)  # y up to z up
    z_up = replace(
        clip,
        offsets_m=clip.offsets_m @ turn.T,
        rotations=turn @ clip.rotations @ turn.T,
        root_translation_m=clip.root_translation_m @ turn.T,
    )
    path = tmp_path / "z.bvh"
    path.write_text(bvh_text(z_up))
    read = read_bvh(path)
    order = [read.joint_names.index(name) for name in clip.joint_names]
    np.testing.assert_allclose(read.positions_world_m()[:, order], clip.positions_world_m(), atol=2e-5)


def test_offset_of_the_root_is_added_where_that_puts_the_feet_on_the_ground(tmp_path):
    clip = walking_clip(frames=10)
    text = bvh_text(replace(clip, root_translation_m=clip.root_translation_m - np.float32([0, 0.9, 0])))
    path = tmp_path / "a.bvh"
    path.write_text(text.replace("OFFSET 0 0 0", "OFFSET 0 0.9 0", 1))
    np.testing.assert_allclose(read_bvh(path).root_translation_m, clip.root_translation_m, atol=1e-5)
    path.write_text(bvh_text(clip).replace("OFFSET 0 0 0", "OFFSET 0 0.9 0", 1))
    np.testing.assert_allclose(read_bvh(path).root_translation_m, clip.root_translation_m, atol=1e-5)


def _spoiled(text: str, how: str) -> str:
    lines = text.splitlines()
    motion = lines.index("MOTION")
    match how:
        case "ends in a frame":
            return "\n".join([*lines[:-2], lines[-2][:60]])
        case "ends between frames":
            return "\n".join(lines[:-3])
        case "ends in the hierarchy":
            return "\n".join(lines[: motion // 2])
        case "no number":
            return text.replace(lines[-1], lines[-1].replace(lines[-1].split()[5], "abc", 1))
        case "not finite":
            return text.replace(lines[-2], lines[-2].replace(lines[-2].split()[5], "nan", 1))
        case "too many values":
            return text.replace(lines[motion + 4], lines[motion + 4] + " 1.0")
        case "unclosed":
            return text.replace("}\nMOTION", "MOTION")
        case "bad offset":
            return text.replace("OFFSET 0.1", "OFFSET zero", 1)
        case "bad channels":
            return text.replace("CHANNELS 3", "CHANNELS 4", 1)
        case "no frame count":
            return text.replace("Frames:", "Images:")
    raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("ends in a frame", r"bad\.bvh ends early: line {f4} has \d+ of 96 values \(frame 5 of 6\)"),
        ("ends between frames", r"bad\.bvh ends early: line {f2} is the last, with 3 of 6 frames read"),
        ("ends in the hierarchy", r"bad\.bvh ends early: line \d+ is the last and no MOTION section"),
        ("no number", r"bad\.bvh line {f5}: something in this frame is no finite number"),
        ("not finite", r"bad\.bvh line {f4}: something in this frame is no finite number"),
        ("too many values", r"bad\.bvh line {f1}: 97 values where 96 channels are stated"),
        ("unclosed", r"bad\.bvh line \d+: the hierarchy ends with 1 open brackets"),
        ("bad offset", r"bad\.bvh line 12: 'OFFSET zero.*' is no BVH hierarchy"),
        ("bad channels", r"bad\.bvh line 9: 'CHANNELS 4 .*' is no BVH hierarchy"),
        ("no frame count", r"bad\.bvh line {count}: 'Frames: COUNT' and 'Frame Time: SECONDS' must follow"),
    ],
)
def test_a_damaged_bvh_is_refused_with_its_line(tmp_path, how, message):
    text = bvh_text(walking_clip(frames=6))
    motion = text.splitlines().index("MOTION") + 1
    lines = {f"{{f{frame}}}": str(motion + 3 + frame) for frame in range(6)} | {"{count}": str(motion + 1)}
    for field, line in lines.items():
        message = message.replace(field, line)
    path = tmp_path / "bad.bvh"
    path.write_text(_spoiled(text, how))
    with pytest.raises(PointlightError, match=message):
        read_bvh(path)


def test_units_that_fit_no_person_are_found_by_the_stature_or_refused(tmp_path):
    path = tmp_path / "big.bvh"
    path.write_text(bvh_text(walking_clip(frames=2), scale_to_m=0.31))
    assert any("for a person of 1.7 m" in guess for guess in read_bvh(path).guessed)
    np.testing.assert_allclose(read_bvh(path).offsets_m[4, 0], 0.148, rtol=0.06)
    path.write_text(
        path.read_text().replace("JOINT LeftUpLeg", "JOINT x", 1).replace("OFFSET 0.4", "OFFSET 9", 1)
    )
    with pytest.raises(PointlightError, match=r"big\.bvh is \S+ units long, .*scale_to_m"):
        read_bvh(path)
    path.write_text(bvh_text(walking_clip(frames=2), scale_to_m=0.31))
    with pytest.raises(PointlightError, match=r"with scale_to_m = 1 the skeleton of .*is 5\.\d+ m long"):
        read_bvh(path, scale_to_m=1.0)
    np.testing.assert_allclose(read_bvh(path, scale_to_m=0.31).offsets_m[4, 0], 0.148, atol=1e-6)


def test_missing_and_cut_off_files_are_refused(tmp_path):
    with pytest.raises(PointlightError, match=r"cannot read the motion file .*none\.bvh \(No such file"):
        read_bvh(tmp_path / "none.bvh")
    path = write_gzip(tmp_path / "cut.bvh.gz", bvh_text(walking_clip(frames=50)))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(PointlightError, match=r"cut\.bvh\.gz is not a whole gzip file"):
        read_bvh(path)


def _acclaim(folder: Path, asf: str = ASF, amc: str = AMC) -> MotionClip:
    (folder / "a.asf").write_text(asf)
    (folder / "a.amc").write_text(amc)
    return read_amc(folder / "a.amc", read_asf(folder / "a.asf"), fps=60.0)


def test_amc_by_hand(tmp_path):
    clip = _acclaim(tmp_path)
    assert clip.joint_names == ("root", "leg", "trunk", "shin", "trunk_end", "shin_end")
    assert clip.fps == 60.0
    rz = lambda degrees: Rotation.from_euler("z", degrees, degrees=True).as_matrix()  # noqa: E731
    rx = lambda degrees: Rotation.from_euler("x", degrees, degrees=True).as_matrix()  # noqa: E731
    ry = lambda degrees: Rotation.from_euler("y", degrees, degrees=True).as_matrix()  # noqa: E731
    root = ry(90)
    axes = rz(20) @ ry(50) @ rx(40)
    leg = root @ axes @ (rz(30) @ ry(20) @ rx(10)) @ axes.T
    trunk = root @ rx(90) @ (rz(40) @ rx(30)) @ rx(-90)
    places = clip.positions_world_m()[0]
    start = np.array((1, 16, 2)) * CMU_UNIT_M
    shin = start + leg @ (0, -15 * CMU_UNIT_M, 0)
    np.testing.assert_allclose(places[:3], np.tile(start, (3, 1)), atol=1e-6)
    np.testing.assert_allclose(places[3], shin, atol=1e-6)
    np.testing.assert_allclose(places[4], start + trunk @ (0, 14 * CMU_UNIT_M, 0), atol=1e-6)
    np.testing.assert_allclose(places[5], shin + leg @ (0, 0, 4 * CMU_UNIT_M), atol=1e-6)


def test_amc_with_bones_in_another_order_reads_the_same(tmp_path):
    straight = _acclaim(tmp_path)
    body = _split_header(tmp_path / "a.amc")[1]
    skeleton = read_asf(tmp_path / "a.asf")
    assert _read_uniform(body.replace("1e-3", "0.001"), skeleton) is not None
    shuffled = AMC.replace("leg 0 0 0\ntrunk 1e-3 0\n", "trunk 1e-3 0\nleg 0 0 0\n")
    np.testing.assert_array_equal(_acclaim(tmp_path, amc=shuffled).rotations, straight.rotations)
    assert _read_uniform(_split_header(tmp_path / "a.amc")[1], skeleton) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("leg 0 0 0\n", "leg 0 0\n", r"a\.amc line 10: bone 'leg' needs 3 finite numbers, found '0 0'"),
        ("trunk 1e-3 0\n", "", r"a\.amc ends early: line 10, frame 2 is without bone 'trunk'"),
        ("leg 0 0 0\ntrunk 1e-3 0\n", "", r"a\.amc ends early: line 9, frame 2 is without bone 'leg'"),
        ("root 1 16 3 0 0 90\n", "2 2\n", r"a\.amc line 9: the skeleton .*a\.asf has no bone '2'"),
        ("leg 10 20 30\n", "arm 10 20 30\n", r"a\.amc line 6: the skeleton .*a\.asf has no bone 'arm'"),
        (AMC[AMC.index("1\nroot") :], "", r"a\.amc ends early: line 3 is the last and no frame has come"),
    ],
)
def test_a_damaged_amc_is_refused_with_its_line(tmp_path, old, new, message):
    with pytest.raises(PointlightError, match=message):
        _acclaim(tmp_path, amc=AMC.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":hierarchy", ":tree", r"a\.asf is no whole ASF skeleton: the section ':hierarchy' is missing"),
        (
            "    leg shin\n  end\n",
            "    leg shin\n",
            r"a\.asf ends early: the section ':hierarchy' has no 'end'",
        ),
        ("leg shin", "leg foot", r"a\.asf: the hierarchy names 'foot' twice or without a bone"),
        (
            "direction 0 1 0",
            "direction 0 up 0",
            r"a\.asf: the direction of bone 'trunk' must be three numbers",
        ),
        ("     length 14\n", "", r"a\.asf: bone 'trunk' has no 'length' line"),
        ("dof rx rz", "dof rx tz", r"a\.asf: bone 'trunk' has the freedom 'rx tz'"),
    ],
)
def test_a_damaged_asf_is_refused(tmp_path, old, new, message):
    with pytest.raises(PointlightError, match=message):
        _acclaim(tmp_path, asf=ASF.replace(old, new))


def test_resampling_halves_exactly_and_turns_steadily():
    clip = walking_clip(frames=61, fps=60.0)
    half = resample(clip, 30.0)
    np.testing.assert_array_equal(half.rotations, clip.rotations[::2])
    np.testing.assert_array_equal(half.root_translation_m, clip.root_translation_m[::2])
    spin = replace(walking_clip(frames=25, fps=24.0))
    angles = 3.0 * np.arange(25) / 24.0
    spin.rotations[:, 3] = Rotation.from_rotvec(angles[:, None] * np.array((0, 0.6, 0.8))).as_matrix()
    spin.root_translation_m[:, 0] = 0.5 * np.arange(25) / 24.0
    read = resample(spin, 30.0)
    assert read.frames == 31
    expected = Rotation.from_rotvec(3.0 * np.arange(31)[:, None] / 30 * np.array((0, 0.6, 0.8))).as_matrix()
    np.testing.assert_allclose(read.rotations[:, 3], expected, atol=1e-5)
    np.testing.assert_allclose(read.root_translation_m[:, 0], 0.5 * np.arange(31) / 30, atol=1e-6)
    assert resample(clip.window(0, 1), 30.0).frames == 1


def test_a_jump_is_found_and_cuts():
    clip = walking_clip(frames=90)
    assert not glitch_frames(clip).any()
    clip.root_translation_m[40:] += np.float32([0.6, 0, 0])
    assert np.flatnonzero(glitch_frames(clip)).tolist() == [40]
    assert whole_spans(glitch_frames(clip), np.zeros(90, bool), 31) == ((0, 40), (40, 90))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60), st.integers(1, 8))
def test_pieces_hold_no_jump_and_no_broken_frame(marks, shortest):
    jumps, broken = (np.array(column) for column in zip(*marks, strict=True))
    spans = whole_spans(jumps, broken, shortest)
    for start, stop in spans:
        assert stop - start >= shortest
        assert not broken[start:stop].any() and not jumps[start + 1 : stop].any()
    # Nothing that is whole and long enough is lost.
    kept = np.zeros(len(marks), bool)
    for start, stop in spans:
        kept[start:stop] = True
    for start in range(len(marks) - shortest + 1):
        stop = start + shortest
        if not broken[start:stop].any() and not jumps[start + 1 : stop].any():
            assert kept[start:stop].all()


def test_shared_skeletons_agree_across_formats(shared_data):
    """The data's own check: legs of subject 35 are the same in ASF/AMC and BVH, both heights 1.64 m."""
    folder = shared_data / "motion"
    by_name = {entry.file: entry for entry in list_motions(folder)}
    amc = read_clip(folder, by_name["cmu/35/35_01.amc.gz"])
    bvh = read_clip(folder, by_name["cmu/35/35_02.bvh.gz"])
    pairs = {"lfemur": "LeftUpLeg", "ltibia": "LeftLeg", "lfoot": "LeftFoot", "ltoes": "LeftToeBase"}
    pairs |= {"rfemur": "RightUpLeg", "rtibia": "RightLeg", "upperback": "Spine", "thorax": "Spine1"}
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(
            amc.rest_positions_m()[amc.joint_names.index(ours)],
            bvh.rest_positions_m()[bvh.joint_names.index(theirs)],
            atol=1e-4,
        )
    heights = (
        _height_m(amc, ("head_end", "lfemur", "ltibia", "lfoot", "ltoes")),
        _height_m(bvh, ("Head_end", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase")),
    )
    assert heights == pytest.approx((1.636, 1.635), abs=0.03)
    assert heights[0] == pytest.approx(heights[1], abs=0.003)
    with open(folder / "clips.csv", newline="") as lines:
        rows = {row["file"]: row for row in csv.DictReader(lines)}
    for name in ("cmu/16/16_28.amc.gz", "cmu/60/60_15.bvh.gz", "reactidle/000_genuine.bvh.gz"):
        clip = read_clip(folder, by_name[name])
        assert clip.frames == int(rows[name]["frames"])
        assert clip.fps == float(rows[name]["fps"])
        lowest = clip.positions_world_m()[..., 1].min(1)
        assert -0.12 < np.percentile(lowest, 2) < 0.12
        assert glitch_frames(resample(clip, 30.0)).sum() == int(rows[name]["glitches"])


def _height_m(clip: MotionClip, joints: tuple[str, ...]) -> float:
    """Toes to the end of the head with straight legs."""
    head, hip, knee, ankle, toes = (clip.rest_positions_m()[clip.joint_names.index(j)] for j in joints)
    return (head - hip)[1] + np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle) + (ankle - toes)[1]


@pytest.mark.slow
def test_all_shared_clips_are_read_as_their_table_says(shared_data):
    folder = shared_data / "motion"
    with open(folder / "clips.csv", newline="") as lines:
        rows = {row["file"]: row for row in csv.DictReader(lines)}
    for entry in list_motions(folder):
        clip = read_clip(folder, entry)
        assert clip.frames == int(rows[entry.file]["frames"]), entry.file
        assert glitch_frames(resample(clip, 30.0)).sum() == int(rows[entry.file]["glitches"]), entry.file
