"""Any person's skeleton: joints by names and by the tree, rest poses of any kind, axes and units; folders with odd files."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_files import AMC, ASF, bvh_text
from scipy.spatial.transform import Rotation
from skeleton_kinds import BY_NAME, KINDS, POSES, motion, write_clip

from pointlight.body import AnnyBody
from pointlight.errors import PointlightError
from pointlight.motion import (
    MotionClip,
    compile_motion_bank,
    draw_survey,
    survey_motions,
    survey_table,
    warn_of_skipped,
)
from pointlight.motion.bvh import read_bvh
from pointlight.motion.fidelity import forward
from pointlight.motion.joint_names import read_names
from pointlight.motion.library import MotionFile, read_clip, read_motion
from pointlight.motion.retarget import retarget, retarget_source
from pointlight.motion.rig import BodyRig
from pointlight.motion.skeletons import find_family
from pointlight.motion.source_pose import read_source
from pointlight.motion.turns import unit

SIDES = (("left", "Left"), ("right", "Right"))
PLACES = {
    f"{side}_{joint}": f"{mark}{name}"
    for side, mark in SIDES
    for joint, name in (
        *(("hip", "UpLeg"), ("knee", "Leg"), ("ankle", "Foot"), ("toes", "ToeBase")),
        *(("shoulder", "Arm"), ("elbow", "ForeArm"), ("wrist", "Hand")),
    )
}
LIMBS = (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def rig(body: AnnyBody) -> BodyRig:
    return BodyRig.of(body)


@pytest.fixture(scope="module")
def truth() -> MotionClip:
    return motion()


def written(path: Path, clip: MotionClip, scale_to_m: float = 1.0) -> MotionClip:
    """A clip through a file and the reader."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Gimbal lock")  # the writer's angles; the rotation is right
        path.write_text(bvh_text(clip, scale_to_m), encoding="utf-8")
    return read_bvh(path)


def between_deg(first: np.ndarray, second: np.ndarray) -> float:
    """The largest angle between vectors."""
    return float(np.degrees(np.arccos(np.clip((unit(first) * unit(second)).sum(-1), -1, 1))).max())


def check(
    truth: MotionClip, read: MotionClip, rig: BodyRig, *, head_deg: float = 18.0, trunk_deg: float = 12.0
) -> None:
    """Limbs point where the source's do, hinges bend the right way, left is left, up is up and it looks ahead."""
    source = read_source(read)
    world, places = forward(retarget_source(read, source, rig), rig)
    true_places, true_world = truth.positions_world_m(), truth.rotations_world()
    index = truth.joint_names.index
    at = {joint: true_places[:, index(name)] for joint, name in PLACES.items()}
    for side, _ in SIDES:
        for limb in LIMBS:
            upper, middle, lower = (f"{side}_{joint}" for joint in limb)
            for start, end in ((upper, middle), (middle, lower)):
                assert between_deg(places[end] - places[start], at[end] - at[start]) < 2, (start, end)
            axis = np.cross(at[middle] - at[upper], at[lower] - at[middle])
            assert between_deg(axis, world[upper] @ rig.hinges[middle]) < 10, middle
        if f"{side}_toes" in source.pose.rest and "toes" not in source.missing:
            ankle, toes = f"{side}_ankle", f"{side}_toes"
            assert between_deg(places[toes] - places[ankle], at[toes] - at[ankle]) < 13, toes
    for joint in ("hip", "shoulder"):
        ours, theirs = (p[f"left_{joint}"] - p[f"right_{joint}"] for p in (places, at))
        assert between_deg(ours, theirs) < 5, joint
    for joint, name, limit in (
        ("pelvis", "Hips", trunk_deg),
        ("spine3", "Spine1", trunk_deg),
        ("head", "Head", head_deg),
    ):
        if joint == "head" and any("head" in what for what in source.missing):
            continue
        for axis in (1, 2):
            assert between_deg(world[joint][..., axis], true_world[:, index(name)][..., axis]) < limit, joint
    assert (places["head"][:, 1] > 1.3).all()
    # It walks the same way, in proportion to its legs.
    way, true_way = (p[-1, [0, 2]] - p[0, [0, 2]] for p in (places["pelvis"], true_places[:, 0]))
    assert way @ true_way > 0.99 * np.linalg.norm(way) * np.linalg.norm(true_way)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_names_is_mapped(tmp_path, truth, rig, kind):
    read = written(tmp_path / "clip.bvh", write_clip(kind), 0.01)
    check(truth, read, rig)
    source = read_source(read)
    assert "unit cm" in read.guessed
    by_lengths = kind.name in ("words_in_japanese", "nameless")
    assert ("joints by their lengths" in source.guessed) == by_lengths
    assert ("left and right by feet and knees" in source.guessed) == (kind.name == "nameless")
    if kind.fingers:
        for side, mark in SIDES:
            if source.family.name == "any":
                ours = forward(retarget(read, rig), rig)[0][f"{side}_wrist"] @ rig.palms[side].normal
                hand = truth.rotations_world()[:, truth.joint_names.index(f"{mark}FingerBase")]
                assert between_deg(ours, hand @ (0.0, -1.0, 0.0)) < 25


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("name", ["lafan1", "makehuman", "nameless", "humanik"])
def test_every_kind_of_rest_pose_is_understood(tmp_path, truth, rig, name, pose):
    check(truth, written(tmp_path / "clip.bvh", write_clip(BY_NAME[name], pose), 0.01), rig)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from([kind.name for kind in KINDS]),
    pose=st.sampled_from(POSES),
    up=st.sampled_from(["y", "z", "-y"]),
    unit_m=st.sampled_from([1.0, 0.01, 0.0254, 0.001, 0.37]),
    ends=st.booleans(),
    yaw=st.floats(-3.1, 3.1),
)
def test_kinds_poses_axes_and_units_in_any_combination(
    tmp_path_factory, rig, kind, pose, up, unit_m, ends, yaw
):
    clip = motion(45)
    turn = Rotation.from_euler("y", yaw).as_matrix()
    clip.rotations[:, 0] = turn @ clip.rotations[:, 0]
    clip = replace(clip, root_translation_m=(clip.root_translation_m @ turn.T).astype(np.float32))
    tilt = {
        "y": np.eye(3),
        "z": Rotation.from_euler("x", 90, degrees=True).as_matrix(),
        "-y": np.diag((1.0, -1, -1)),
    }[up]
    made = write_clip(BY_NAME[kind], pose, clip=clip, ends=ends or kind == "animated_drawings_joints").turned(
        tilt
    )
    read = written(tmp_path_factory.mktemp("clip") / "clip.bvh", made, unit_m)
    assert (f"{up} is up" in read.guessed) == (up != "y")
    check(clip, read, rig, head_deg=22)


def test_stature_is_the_same_in_every_unit_and_naming(tmp_path, rig):
    for name, unit_m in (("lafan1", 0.01), ("makehuman", 0.1), ("xsens", 0.0254), ("unreal", 1.0)):
        made = write_clip(BY_NAME[name], "bones_along_x" if name == "lafan1" else "t")
        written(tmp_path / f"{name}.bvh", made, unit_m)
    reports = list(survey_motions(tmp_path, rig))
    assert len(reports) == 4
    for report in reports:
        assert report.stature_m == pytest.approx(1.78, abs=0.04), report.file


def test_a_mirrored_file_is_turned_back(tmp_path, truth, rig):
    read = written(tmp_path / "clip.bvh", write_clip(BY_NAME["lafan1"], mirrored=True), 0.01)
    source = read_source(read)
    assert any("mirrored" in guess for guess in source.guessed)
    _, places = forward(retarget(read, rig), rig)
    true_places = truth.positions_world_m()
    for joint, name in PLACES.items():
        if joint.endswith(("knee", "elbow")):
            ours = places[joint] - places[joint.replace("knee", "hip").replace("elbow", "shoulder")]
            start = (
                name.replace("LeftLeg", "LeftUpLeg")
                .replace("RightLeg", "RightUpLeg")
                .replace("ForeArm", "Arm")
            )
            index = truth.joint_names.index
            assert between_deg(ours, true_places[:, index(name)] - true_places[:, index(start)]) < 2


def lying(clip: MotionClip) -> MotionClip:
    """The same person on the back, along z."""
    turn = Rotation.from_euler("x", -90, degrees=True).as_matrix().astype(np.float32)
    rotations = clip.rotations.copy()
    rotations[:, 0] = turn @ rotations[:, 0]
    root = clip.root_translation_m * np.float32([1, 0, 0]) + np.float32([0.5, 0.12, 0])
    return replace(clip, rotations=rotations, root_translation_m=root)


@pytest.mark.parametrize("up", ["y", "z"])
def test_somebody_who_lies_all_the_time_is_not_stood_up(tmp_path, rig, up):
    made = write_clip(BY_NAME["lafan1"], clip=lying(motion()))
    tilt = Rotation.from_euler("x", 90 if up == "z" else 0, degrees=True).as_matrix()
    read = written(tmp_path / "clip.bvh", made.turned(tilt), 0.01)
    _, places = forward(retarget(read, rig), rig)
    assert np.abs(places["head"][:, 1] - places["pelvis"][:, 1]).max() < 0.5


def test_a_walk_whose_rest_pose_lies_stays_up(tmp_path, truth, rig):
    read = written(tmp_path / "clip.bvh", write_clip(BY_NAME["lafan1"], "lying"), 0.01)
    assert not any("is up" in guess for guess in read.guessed)
    check(truth, read, rig)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ("Hips", "LHipJoint", "LeftHip", "LeftKnee"),
            ["/pelvis", "left/before_hip", "left/hip", "left/shin"],
        ),
        (("thigh.L", "Knee_R", "footL", "lfemur"), ["left/thigh", "right/shin", "left/foot", "left/thigh"]),
        (
            ("leftupleg", "RIGHTFOREARM", "l_ankle", "hand_r"),
            ["left/thigh", "right/forearm", "left/foot", "right/wrist"],
        ),
        (("hip", "lButtock", "LeftArmRoll", "Sword"), ["/pelvis", "left/before_hip", "left/aside", "/aside"]),
        (("leg", "root", "radius", "lowerback"), ["/leg", "/pelvis", "/forearm", "/spine"]),
    ],
)
def test_names_are_read(names, said):
    assert [f"{name.side}/{name.part}" for name in read_names(names)] == said


def test_prefixes_do_not_hide_names():
    for prefix in (
        "mixamorig:",
        "mixamorig1:",
        "Character1_",
        "Bip01 ",
        "ValveBiped.Bip01_",
        "m_avg_",
        "jnt_",
    ):
        names = [prefix + name for name in ("Hips", "LeftUpLeg", "LeftLeg", "RightUpLeg", "Spine", "Head")]
        assert [name.part for name in read_names(names)] == [
            "pelvis",
            "thigh",
            "leg",
            "thigh",
            "spine",
            "head",
        ]


def quadruped() -> MotionClip:
    """A dog with the names of a person, as game studios write them."""
    clip = write_clip(BY_NAME["max_biped"], "t")
    trunk = Rotation.from_euler("x", 90, degrees=True).as_matrix()
    index = clip.joint_names.index
    offsets = clip.offsets_m.copy()
    for joint, name in enumerate(clip.joint_names):
        if any(word in name for word in ("Spine", "Neck", "Head", "Clavicle")):
            offsets[joint] = trunk @ offsets[joint]
    for side, sign in (("L", 1), ("R", -1)):
        offsets[index(f"Bip01 {side} UpperArm")] = (0.1 * sign, 0, 0.1)
        for name in ("Forearm", "Hand"):
            offsets[index(f"Bip01 {side} {name}")] = (0, -0.35, 0)
    still = np.broadcast_to(np.eye(3, dtype=np.float32), clip.rotations.shape).copy()
    return replace(clip, offsets_m=offsets, rotations=still)


def one_arm() -> MotionClip:
    clip = write_clip(BY_NAME["lafan1"])
    kept = [j for j, name in enumerate(clip.joint_names) if name.startswith(("Hips", "Spine", "Left")) and "Leg" not in name
            and "Foot" not in name and "Toe" not in name]  # fmt: skip
    parents = tuple(kept.index(clip.parents[j]) if clip.parents[j] >= 0 else -1 for j in kept)
    names = tuple(clip.joint_names[j] for j in kept)
    return replace(
        clip,
        joint_names=names,
        parents=parents,
        offsets_m=clip.offsets_m[kept],
        rotations=clip.rotations[:, kept],
    )


def odd_folder(folder: Path) -> Path:
    """One person, a dog, an arm, a file that breaks off, and one that is none."""
    folder.mkdir()
    written(folder / "person.bvh", write_clip(BY_NAME["soma"]), 0.01)
    (folder / "dog.bvh").write_text(bvh_text(quadruped()))
    (folder / "arm.bvh").write_text(bvh_text(one_arm()))
    (folder / "broken.bvh").write_text((folder / "person.bvh").read_text()[:-400])
    (folder / "picture.bvh").write_bytes(bytes(range(256)) * 9)
    (folder / "._person.bvh").write_bytes(b"\0\5\x16\7")
    (folder / "lonely.amc").write_text(AMC)
    return folder


def test_odd_files_are_left_out_by_name_and_the_folder_goes_on(tmp_path, body):
    folder = odd_folder(tmp_path / "folder")
    bank = compile_motion_bank(folder, body, tmp_path / "cache")
    assert [clip.name for clip in bank.clips] == ["person.bvh"]
    why = {
        "arm": "has not",
        "broken": "ends early",
        "dog": "on all fours",
        "lonely": "ASF skeleton",
        "picture": "no MOTION",
    }
    assert len(bank.skipped) == len(why)
    for (name, reason), sentence in zip(why.items(), bank.skipped, strict=True):
        assert name in sentence and reason in sentence and sentence.endswith("is left out")
    again = compile_motion_bank(folder, body, tmp_path / "cache")
    assert again.skipped == bank.skipped and again.sha256 == bank.sha256
    with pytest.warns(UserWarning) as told:
        warn_of_skipped(again)
    assert [str(warning.message) for warning in told] == list(again.skipped)


def test_a_file_that_is_asked_for_alone_is_refused(tmp_path, body):
    folder = odd_folder(tmp_path / "folder")
    with pytest.raises(
        PointlightError, match=r"dog\.bvh.* goes on all fours at rest and in motion, as animals do"
    ):
        compile_motion_bank(folder / "dog.bvh", body, tmp_path / "cache")
    assert len(compile_motion_bank(folder / "person.bvh", body, tmp_path / "cache").clips) == 1


def test_a_folder_of_nothing_but_odd_files_is_one_error(tmp_path, body):
    folder = odd_folder(tmp_path / "folder")
    (folder / "person.bvh").unlink()
    with pytest.raises(
        PointlightError, match=r"folder holds no motion that can be used: .*arm\.bvh.*, and 4 more are left"
    ):
        compile_motion_bank(folder, body, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_several_folders_are_one_bank(tmp_path, body):
    for name, kind in (("first", "lafan1"), ("second", "xsens")):
        (tmp_path / name).mkdir()
        written(tmp_path / name / "walk.bvh", write_clip(BY_NAME[kind]), 0.01)
    (tmp_path / "second" / "clips.csv").write_text("file,group,subject\nwalk.bvh,dance,anna\n")
    both = [tmp_path / "first", tmp_path / "second"]
    bank = compile_motion_bank([*both, tmp_path / "first"], body, tmp_path / "cache")
    assert [(clip.name, clip.group, clip.subject) for clip in bank.clips] == [
        ("walk.bvh", "all", ""),
        ("second/walk.bvh", "dance", "anna"),
    ]
    single = [compile_motion_bank(folder, body, tmp_path / "cache") for folder in both]
    np.testing.assert_array_equal(bank.pose, np.concatenate([one.pose for one in single]))
    assert compile_motion_bank(both, body, tmp_path / "cache").sha256 == bank.sha256


def test_the_survey_says_what_it_sees(tmp_path, rig):
    reports = {report.file: report for report in survey_motions(odd_folder(tmp_path / "folder"), rig)}
    person = reports["person.bvh"]
    assert (person.mapping, person.frames, person.fps) == ("any", 90, 30.0)
    assert "on all fours" in reports["dog.bvh"].problem
    table = survey_table(list(reports.values())).splitlines()
    assert table[1].split()[:4] == ["person.bvh", "by", "names", "and"]
    assert sum(line.startswith("left out: ") for line in table) == 5


def test_who_lies_is_drawn_in_the_own_column(tmp_path, rig):
    (person,) = [
        report
        for report in survey_motions(odd_folder(tmp_path / "folder"), rig)
        if report.file == "person.bvh"
    ]
    lying = replace(person, figures=person.figures[..., ::-1] * 1.5)
    sheets = [draw_survey([report]).astype(int) for report in (person, lying)]
    for sheet in sheets:
        columns = sheet[40:150, 6:-6].reshape(110, 6, 96, 3)  # six figures side by side
        assert (columns[:, :, :2] > 200).all() and (columns[:, :, 2:-2] < 200).any((0, 2, 3)).all()


@pytest.mark.parametrize(
    "change", ["bom", "utf-16", "nel", "brace", "one line", "blank", "cr", "lower case", "no end site"]
)
def test_a_bvh_is_read_however_it_is_typed(tmp_path, change):
    text = bvh_text(write_clip(BY_NAME["lafan1"]), 0.01)
    plain = tmp_path / "plain.bvh"
    plain.write_text(text)
    path = tmp_path / "other.bvh"
    match change:
        case "bom":
            path.write_text(text, encoding="utf-8-sig")
        case "utf-16":
            path.write_text(text, encoding="utf-16")
        case "nel":  # letters whose bytes in UTF-8 hold 0x85, a line's end in Latin-1
            path.write_text(text.replace("JOINT Neck", "JOINT Neckąの腕\u2026\u0105Ѕ"), encoding="utf-8")
        case "brace":
            path.write_text(
                "\n".join(line for line in text.replace("\n", "\n").split("\n")).replace("Hips\n{", "Hips {")
            )
        case "one line":
            path.write_text(text.replace("End Site\n", "End Site ").replace("\n\t\t\t\t\t\t{\n", " {\n"))
        case "blank":
            path.write_text(text.replace("MOTION\n", "MOTION\n\n \n").replace("Frame Time", "\nFrame Time"))
        case "cr":
            path.write_bytes(text.replace("\n", "\r").encode())
        case "lower case":
            path.write_text(
                text.replace("HIERARCHY", "Hierarchy").replace("MOTION", "Motion").replace("Xrot", "xrot")
            )
        case "no end site":
            path = plain
    first, second = read_bvh(plain), read_bvh(path)
    np.testing.assert_array_equal(first.rotations, second.rotations)
    np.testing.assert_array_equal(first.offsets_m, second.offsets_m)


def test_position_channels_take_the_place_of_offsets(tmp_path, truth, rig):
    made = write_clip(BY_NAME["lafan1"])
    moving = replace(made, translations_m=np.tile(made.offsets_m, (made.frames, 1, 1)))
    moving.translations_m[:, 1:] += np.float32(1e-5) * np.arange(made.frames, dtype=np.float32)[:, None, None]
    usual = written(tmp_path / "usual.bvh", made, 0.01)
    joints = np.array([not name.endswith("_end") for name in made.joint_names])
    for name, share in (("zero", 0.0), ("other", 0.5), ("same", 1.0)):
        offsets = np.where(joints[:, None], np.float32(share), np.float32(1)) * made.offsets_m
        read = written(tmp_path / f"{name}.bvh", replace(moving, offsets_m=offsets), 0.01)
        np.testing.assert_allclose(read.positions_world_m(), usual.positions_world_m(), atol=0.02)
        check(truth, read, rig)


def test_position_channels_of_zeros_leave_offsets_as_they_are(tmp_path):
    text = bvh_text(write_clip(BY_NAME["lafan1"]), 0.01)
    plain = tmp_path / "plain.bvh"
    plain.write_text(text)
    lines = text.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    more = "CHANNELS 6 Xposition Yposition Zposition"
    head = [line.replace("CHANNELS 3", more) for line in lines[:start]]
    rows = []
    for line in filter(None, lines[start:]):
        values = line.split()
        joints = [" ".join(["0", "0", "0", *values[i : i + 3]]) for i in range(6, len(values), 3)]
        rows.append(" ".join([*values[:6], *joints]))
    (tmp_path / "zeros.bvh").write_text("\n".join([*head, *rows]))
    np.testing.assert_array_equal(
        read_bvh(tmp_path / "zeros.bvh").positions_world_m(), read_bvh(plain).positions_world_m()
    )


def test_a_moving_pelvis_below_a_resting_root_is_followed(tmp_path, truth):
    read = written(tmp_path / "clip.bvh", write_clip(BY_NAME["soma"]), 0.01)
    assert read.joint_names[0] == "Root" and read.translations_m is not None
    hips = read.positions_world_m()[:, read.joint_names.index("Hips")]
    np.testing.assert_allclose(hips, truth.root_translation_m, atol=1e-4)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_are_read_as_spreadsheets_write_them(tmp_path, body, encoding, delimiter):
    folder = tmp_path / "folder"
    folder.mkdir()
    written(folder / "walk.bvh", write_clip(BY_NAME["lafan1"]), 0.01)
    for name, text in (
        ("clips.csv", "file,group\r\nwalk.bvh,dance\r\n"),
        ("splits.csv", "file,split\r\nwalk.bvh,heldout\r\n"),
    ):
        (folder / name).write_bytes(text.replace(",", delimiter).encode(encoding))
    (clip,) = compile_motion_bank(folder, body, tmp_path / "cache").clips
    assert (clip.group, clip.split) == ("dance", "heldout")


def test_asf_and_amc_with_a_byte_order_mark(tmp_path):
    from pointlight.motion.asf_amc import read_amc, read_asf

    for mark in ("", "\ufeff"):
        (tmp_path / f"a{len(mark)}.asf").write_text(mark + ASF, encoding="utf-8")
        (tmp_path / f"a{len(mark)}.amc").write_text(mark + AMC, encoding="utf-8")
    plain, marked = (read_amc(tmp_path / f"a{k}.amc", read_asf(tmp_path / f"a{k}.asf")) for k in (0, 1))
    np.testing.assert_array_equal(plain.rotations, marked.rotations)


def test_a_longer_spine_of_known_names_is_no_known_family():
    assert find_family(write_clip(BY_NAME["mixamo"])).name == "humanik"
    assert find_family(write_clip(BY_NAME["six_spine_joints"])) is None
    assert find_family(write_clip(BY_NAME["mixamo"], "bones_along_x")) is None


def test_a_file_whose_name_is_no_utf_8(tmp_path, body, rig, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    written(folder / "walk.bvh", write_clip(BY_NAME["lafan1"]), 0.01)
    try:
        (folder / "walk.bvh").rename(folder / b"caf\xe9.bvh".decode(errors="surrogateescape"))
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    assert len(compile_motion_bank(folder, body, tmp_path / "cache").clips) == 1
    print(survey_table(list(survey_motions(folder, rig))))
    assert r"caf\xe9.bvh" in capsys.readouterr().out


SPOILT = (
    "cut",
    "a line less",
    "an offset 0",
    "all offsets 0",
    "another name",
    "one frame",
    "another rate",
    "still",
    "wild",
)


def spoil(text: str, how: str, rng: np.random.Generator) -> str:
    """A BVH text as programs and people break it, or nearly."""
    lines = text.split("\n")
    offsets = [k for k, line in enumerate(lines) if "OFFSET" in line]
    first = next(k for k, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    columns = len(lines[first].split())
    match how:
        case "cut":
            return text[: int(rng.integers(len(text)))]
        case "a line less":
            del lines[int(rng.integers(len(lines)))]
        case "an offset 0":
            lines[int(rng.choice(offsets))] = "OFFSET 0 0 0"
        case "all offsets 0":
            lines = ["OFFSET 0 0 0" if k in offsets else line for k, line in enumerate(lines)]
        case "another name":
            joint = int(rng.choice([k for k, line in enumerate(lines) if "JOINT" in line]))
            lines[joint] = "JOINT " + str(
                rng.choice(["a b", "Hips", "LeftLeg", "", "7", "ü", "left", "Head", "Tail"])
            )
        case "one frame":
            lines = [line if not line.startswith("Frames") else "Frames: 1" for line in lines[: first + 1]]
        case "another rate":
            rate = rng.choice(["0", "-1", "1e-9", "1e9", "nan", "x", "0.008", "0.5"])
            lines[first - 1] = f"Frame Time: {rate}"
        case "still":
            lines[first:] = [" ".join(["0"] * columns)] * (len(lines) - first - 1)
        case "wild":
            values = rng.uniform(-1e3, 1e3, (len(lines) - first - 1, columns))
            lines[first:] = [" ".join(map(str, row)) for row in values]
    return "\n".join(lines)


def motions_or_a_sentence(folder: Path, rig: BodyRig, seed: int) -> None:
    """A spoilt file gives whole motions, or one sentence."""
    rng = np.random.default_rng(seed)
    kind, pose = KINDS[int(rng.integers(len(KINDS)))], str(rng.choice(POSES))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Gimbal lock")
        text = bvh_text(write_clip(kind, pose, clip=motion(40)), 0.01)
    for how in rng.choice(SPOILT, int(rng.integers(1, 3)), replace=False):
        try:
            text = spoil(text, str(how), rng)
        except StopIteration:  # nothing is left to spoil
            break
    (folder / "clip.bvh").write_text(text)
    try:
        pieces = read_motion(folder, MotionFile("clip.bvh"), rig)
    except PointlightError as error:
        assert "\n" not in str(error)
        return
    for piece in pieces:
        assert all(np.isfinite(array).all() for array in (piece.pose, piece.root, piece.translation_m))


@pytest.mark.parametrize("seed", range(20))
def test_spoilt_files_give_motions_or_a_sentence(tmp_path, rig, seed):
    motions_or_a_sentence(tmp_path, rig, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 520))
def test_many_spoilt_files_give_motions_or_a_sentence(tmp_path, rig, seed):
    motions_or_a_sentence(tmp_path, rig, seed)


def test_shared_cases(shared_data, rig):
    folder = shared_data.parent / "cases" / "bvh"
    read = {path.parent.name: retarget(read_bvh(path), rig) for path in sorted(folder.glob("*/a.bvh"))}
    assert len(read) == 7
    for name in ("bom", "blank", "brace", "nel", "sixzero_offset"):
        np.testing.assert_allclose(read[name].pose, read["bom"].pose, atol=1e-5)
    np.testing.assert_allclose(read["six_other"].translation_m, read["longer"].translation_m, atol=1e-4)
    np.testing.assert_allclose(read["six_other"].pose, read["longer"].pose, atol=1e-5)


def test_shared_motions_of_another_skeleton_lie_crawl_and_roll(shared_data, rig):
    folder = shared_data / "motion_more"
    reports = {Path(report.file).name: report for report in survey_motions(folder, rig)}
    assert len(reports) == 8 and not any(report.problem for report in reports.values())
    for report in reports.values():
        assert report.mapping == "any" and 1.5 < report.stature_m < 1.8
        assert "collars" in report.missing


@pytest.mark.parametrize(
    "name", ["cmu/05/05_01.amc.gz", "cmu/135/135_04.amc.gz", "cmu/06/06_07.bvh.gz", "cmu/94/94_15.bvh.gz"]
)
def test_known_families_are_the_yardstick(shared_data, rig, name):
    """Of the first the forearm is short without the bone that only twists; of the second the thumb begins on that."""
    clip = read_clip(shared_data / "motion", MotionFile(name, "", "train"))
    own, any_skeleton = (
        forward(retarget_source(clip, source, rig), rig)
        for source in (read_source(clip), read_source(clip, generic=True))
    )
    for side, _ in SIDES:
        for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
            ways = [unit(at[1][f"{side}_{end}"] - at[1][f"{side}_{start}"]) for at in (own, any_skeleton)]
            assert np.degrees(np.arccos((ways[0] * ways[1]).sum(-1).clip(-1, 1))).max() < 1.0
        palms = [at[0][f"{side}_wrist"] @ rig.palms[side].normal for at in (own, any_skeleton)]
        assert np.degrees(np.arccos((palms[0] * palms[1]).sum(-1).clip(-1, 1))).max() < 4.0
