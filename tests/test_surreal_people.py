"""SURREAL's files as layers: every field against what was written, the mirror first of all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_files import surreal_content, write_surreal
from layer_makers import no_draws
from scipy.io import savemat
from smpl_files import write_smpl
from typer.testing import CliRunner

from pointlight.body import SMPL_JOINTS, SmplBody
from pointlight.cli.main import app
from pointlight.errors import PointlightError
from pointlight.media import VideoWriter
from pointlight.simulator import ClipMaker, PersonLayer, decode_clip, encode_clip, read_clips
from pointlight.simulator.backgrounds import ProceduralWindows
from pointlight.simulator.clips import (
    CompositeConfig,
    Provenance,
    check_training_clip,
    composite,
    find_synthesis_recipe,
)
from pointlight.simulator.people import (
    SURREAL_POINTS,
    SurrealConfig,
    SurrealPeople,
    SurrealPeopleSource,
    read_surreal_info,
    surreal_person,
)

HEIGHT, WIDTH = 240, 320
PLANE_M = 6.47
"""Depth z of the made person's surface; its joints lie behind it by up to a metre."""

GREEN, RED, BLUE = (0, 200, 0), (220, 30, 30), (30, 30, 220)


def stored_pictures(content: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames, parts and depths as SURREAL stores them (mirrored): a box about the joints, red on the picture's left."""
    flat = content["joints2D"].reshape(2, 24, -1)
    frames = flat.shape[-1]
    colour = np.empty((frames, HEIGHT, WIDTH, 3), np.uint8)
    colour[:] = GREEN
    parts = np.zeros((frames, HEIGHT, WIDTH), np.uint8)
    x, y = np.arange(WIDTH) + 0.5 - 160, np.arange(HEIGHT)[:, None] + 0.5 - 120
    along_ray = np.sqrt(600.0**2 + x**2 + y**2) / 600
    depth = np.full((frames, HEIGHT, WIDTH), 1e10, np.float32)
    for t in range(frames):
        low, high = flat[:, :, t].min(1).astype(int) - 8, flat[:, :, t].max(1).astype(int) + 9
        x0, y0, x1, y1 = (*low.clip(0), *high.clip(0, (WIDTH, HEIGHT)))
        middle = (x0 + x1) // 2
        colour[t, y0:y1, x0:middle] = RED
        colour[t, y0:y1, middle:x1] = BLUE
        parts[t, y0:y1, x0:x1] = 1
        for joint in range(1, 24):
            u, v = flat[:, joint, t].astype(int)
            parts[t, max(v - 1, 0) : max(v + 2, 0), max(u - 1, 0) : max(u + 2, 0)] = joint + 1
        person = parts[t] > 0
        depth[t][person] = (PLANE_M * along_ray)[person]
    return colour, parts, depth


def write_clip(
    folder: Path, content: dict[str, Any] | None = None, run: str = "run0", *, frames: int = 6
) -> Path:
    """All files of a clip; the path of its `_info.mat`."""
    content = surreal_content(frames) if content is None else content
    path = write_surreal(folder, content, run, "train")
    colour, parts, depth = stored_pictures(content)
    with VideoWriter(beside(path, ".mp4"), 30.0, (WIDTH, HEIGHT)) as video:
        for t, picture in enumerate(colour):
            video.write(picture, t / 30)
    for what, maps in (("segm", parts), ("depth", depth)):
        savemat(beside(path, f"_{what}.mat"), {f"{what}_{t + 1}": m for t, m in enumerate(maps)})
    return path


def beside(info_path: Path, ending: str) -> Path:
    return info_path.with_name(info_path.name.removesuffix("_info.mat") + ending)


def person(path: Path, move: Any = (0.0, 0.0), start: int = 0, **options: Any) -> PersonLayer:
    config = SurrealConfig(**{"frames": 4, **options})
    shift = np.tile(np.asarray(move, float), (config.frames, 1))
    return surreal_person(path, read_surreal_info(path), start, shift, config)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("surreal"))


def joint(layer: PersonLayer, name: str) -> np.ndarray:
    return layer.joints_px[:, layer.joint_names.index(name)]


def test_somebody_who_faces_the_camera_has_the_left_hip_on_the_right(clip: Path) -> None:
    layer = person(clip)
    for part in ("hip", "shoulder", "knee"):
        assert (joint(layer, f"left_{part}")[:, 0] > joint(layer, f"right_{part}")[:, 0]).all()
    assert layer.state is not None
    forward = layer.state.root[:, :, 2]
    assert (forward[:, 2] < -0.5).all()


def test_pictures_are_mirrored_with_the_joints(clip: Path) -> None:
    content = surreal_content()
    layer = person(clip, start=1)
    stored = content["joints2D"][:, :, 1:5].transpose(2, 1, 0)
    assert np.abs(layer.joints_px[:, :24, 0] - (WIDTH - stored[..., 0])).max() <= 0.5 + 1e-4
    assert np.abs(layer.joints_px[:, :24, 1] - stored[..., 1]).max() <= 0.5 + 1e-4
    colour, parts, _ = stored_pictures(content)
    assert np.array_equal(layer.parts, parts[1:5, :, ::-1])
    assert np.array_equal(layer.mask, layer.parts > 0)
    assert layer.part_names == SMPL_JOINTS
    # H.264 is not exact, least of all at edges.
    difference = np.abs(layer.colour.astype(int) - colour[1:5, :, ::-1])[layer.mask]
    assert np.median(difference) < 12
    assert (layer.colour[~layer.mask] == 0).all()
    left_wrist, right_wrist = (int(joint(layer, f"{side}_wrist")[0, 0]) for side in ("left", "right"))
    row = int(joint(layer, "left_wrist")[0, 1])
    assert layer.parts[0, row, left_wrist] == 1 + SMPL_JOINTS.index("left_wrist") != right_wrist


def test_depth_is_along_the_axis_and_hides_what_lies_20_cm_behind_it(clip: Path) -> None:
    layer = person(clip)
    assert np.abs(layer.depth_m[layer.mask] - PLANE_M).max() < 1e-3
    assert np.isinf(layer.depth_m[~layer.mask]).all()
    expected = layer.joints_camera_m[:, :24, 2] - PLANE_M >= 0.2
    assert expected.any() and not expected.all()
    assert np.array_equal(layer.self_occluded[:, :24], expected & ~layer.out_of_frame[:, :24])
    as_z = person(clip, depth_along_ray=False)
    assert (as_z.depth_m[as_z.mask] > PLANE_M - 1e-3).all() and as_z.depth_m[as_z.mask].max() > PLANE_M + 0.01


def test_joints_project_through_the_camera(clip: Path) -> None:
    layer = person(clip, (5.0, -3.0))
    camera, content = layer.camera, surreal_content()
    world = content["joints3D"].transpose(2, 1, 0)[:4]
    places = np.einsum("tab,tjb->tja", camera.R_camera_world, world) + camera.translation_m[:, None]
    assert np.abs(places - layer.joints_camera_m[:, :24]).max() < 1e-5
    pixels = camera.focal_px * places[..., :2] / places[..., 2:] + camera.principal_px[:, None]
    assert np.abs(pixels - layer.joints_px[:, :24]).max() < 1e-3
    assert camera.principal_px.tolist() == [[165, 117]] * 4
    assert (camera.focal_px, camera.image_size) == (600, (320, 240))
    assert np.linalg.det(camera.R_camera_world[0]) == pytest.approx(1)


def test_whole_pixels_move_everything_alike(clip: Path) -> None:
    still, moved = person(clip), person(clip, (3.4, -2.6))
    assert np.allclose((moved.joints_px - still.joints_px)[:, :24], (3, -3), atol=1e-4)
    for name in ("colour", "parts", "depth_m"):
        before, after = getattr(still, name), getattr(moved, name)
        assert np.array_equal(after[:, :-3, 3:], before[:, 3:, :-3])


def test_each_frame_follows_the_path(clip: Path) -> None:
    path = np.array([(-8.0, 0), (0, 2), (4, 4), (9, 7)])
    layer = surreal_person(clip, read_surreal_info(clip), 0, path, SurrealConfig(frames=4))
    for t, (dx, dy) in enumerate(path):
        one = surreal_person(clip, read_surreal_info(clip), t, np.array([(dx, dy)]), SurrealConfig(frames=1))
        assert np.array_equal(layer.parts[t], one.parts[0])
        assert np.array_equal(layer.colour[t], one.colour[0])


def test_parts_of_pixels_keep_the_mask_hard_and_the_background_out(clip: Path) -> None:
    still, moved = person(clip, shift="subpixel"), person(clip, (2.3, 1.7), shift="subpixel")
    assert np.array_equal(still.colour, person(clip).colour)
    assert np.allclose((moved.joints_px - still.joints_px)[:, :24], (2.3, 1.7), atol=1e-4)
    assert np.allclose(moved.camera.principal_px, (162.3, 121.7))
    # Shares of .3 and .7 of straight edges round to whole pixels; only corners lose theirs.
    assert (moved.mask[:, 2:, 2:] != still.mask[:, :-2, :-2]).sum((1, 2)).max() <= 4
    edge = moved.mask & ~np.roll(moved.mask, 3, axis=2)
    assert edge.any()
    # SURREAL's background is green; red and blue alone have been written on the person.
    assert np.median(moved.colour[edge][:, 1]) < 70
    assert np.abs(moved.depth_m[moved.mask] - PLANE_M).max() < 1e-3
    assert ((moved.parts > 0) == moved.mask).all()


def test_what_surreal_cut_off_stays_outside(tmp_path: Path) -> None:
    """A person half out of SURREAL's picture, moved back in by the background."""
    content = surreal_content()
    content["camLoc"] = content["camLoc"] + np.array([[0], [0], [1.75]], np.float32)
    flat = content["joints3D"]
    away = content["camLoc"][0] - flat[0]
    content["joints2D"] = np.stack(
        (
            160 + 600 * (content["camLoc"][2] - flat[2]) / away,
            120 + 600 * (flat[1] - content["camLoc"][1]) / away,
        )
    ).round()
    path = write_clip(tmp_path, content)
    still, moved = person(path), person(path, (60, 0))
    cut = still.out_of_frame[:, :24]
    assert 0.1 < cut.mean() < 0.9
    inside = ((moved.joints_px[:, :24] > 0) & (moved.joints_px[:, :24] < (WIDTH, HEIGHT))).all(-1)
    assert (cut & inside).any()
    assert np.array_equal(moved.out_of_frame[:, :24], cut | ~inside)
    assert not moved.mask[:, :, :59].any()


def test_points_that_smpl_has_not_are_unknown(clip: Path) -> None:
    layer = person(clip)
    assert layer.joint_names == SURREAL_POINTS and SURREAL_POINTS[:24] == SMPL_JOINTS
    unknown = [SURREAL_POINTS.index(name) for name in ("nose", "head_top", "left_heel")]
    assert np.isnan(layer.joints_px[:, unknown]).all() and layer.out_of_frame[:, unknown].all()
    assert np.isfinite(layer.joints_px[:, :24]).all()


def test_the_users_smpl_gives_the_crown(clip: Path, tmp_path: Path) -> None:
    body = SmplBody(write_smpl(tmp_path / "smpl.pkl"))
    people = SurrealPeople(clip.parents[4], SurrealConfig(frames=4), {"female": body})
    layer, _ = people.sample(0, 0, np.zeros((4, 2)))
    crown, neck = joint(layer, "head_top"), joint(layer, "neck")
    assert np.isfinite(crown).all()
    assert (crown[:, 1] < neck[:, 1]).all()
    assert np.isnan(joint(layer, "nose")).all()


def test_flow_is_unknown(clip: Path) -> None:
    layer = person(clip)
    for flow in (layer.flow_forward_px, layer.flow_backward_px):
        assert flow.shape == (3, HEIGHT, WIDTH, 2) and np.isnan(flow).all()


def test_the_body_is_smpls(clip: Path) -> None:
    state = person(clip, start=2).state
    content = surreal_content()
    assert state is not None
    assert state.pose.shape == (4, 23, 3, 3) and state.shape.shape == (4, 10)
    assert np.allclose(state.shape.numpy(), content["shape"][:, 2:6].T)
    layer = person(clip, start=2)
    assert np.allclose(state.translation.numpy(), layer.joints_camera_m[:, 0], atol=1e-5)


def test_a_clip_of_one_frame(tmp_path: Path) -> None:
    path = write_clip(tmp_path, frames=1)
    layer = person(path, frames=1)
    assert layer.mask.shape == (1, HEIGHT, WIDTH) and layer.mask.any()
    assert layer.joints_px.shape == (1, len(SURREAL_POINTS), 2)
    assert layer.flow_forward_px.shape == (0, HEIGHT, WIDTH, 2)


def test_frames_without_a_person_are_empty(tmp_path: Path) -> None:
    content = surreal_content()
    content["joints2D"][:, :, 2] = np.array([[0], [238]])
    content["joints3D"][:, :, 2] = 0
    layer = person(write_clip(tmp_path, content), (1.0, 0))
    assert not layer.mask[2].any() and (layer.colour[2] == 0).all() and np.isinf(layer.depth_m[2]).all()
    assert layer.out_of_frame[2].all() and np.isnan(layer.joints_px[2]).all()
    assert layer.mask[[0, 1, 3]].any((1, 2)).all()
    background = np.full((4, HEIGHT, WIDTH, 3), 7, np.uint8)
    made = composite([layer], background, None, no_draws(4), CompositeConfig(), Provenance("made", 0, 0))
    assert (made.frames[2] == 7).all() and not made.visible[2].any()
    assert made.visible[0].any() and np.isfinite(made.detections_px).all()


def test_without_depth_nothing_is_behind(clip: Path) -> None:
    layer = person(clip, depth=False)
    assert not layer.self_occluded.any()
    assert np.isnan(layer.depth_m[layer.mask]).all()


def broken(path: Path, what: str) -> None:
    if what == "short":
        savemat(beside(path, "_segm.mat"), {"segm_1": np.zeros((HEIGHT, WIDTH), np.uint8)})
    elif what == "size":
        savemat(beside(path, "_segm.mat"), {f"segm_{t}": np.zeros((4, 3), np.uint8) for t in range(1, 7)})
    elif what == "depth":
        beside(path, "_depth.mat").unlink()
    elif what == "text":
        beside(path, "_segm.mat").write_text("nothing")
    elif what == "video":
        with VideoWriter(beside(path, ".mp4"), 30.0, (WIDTH, HEIGHT)) as video:
            video.write(np.zeros((HEIGHT, WIDTH, 3), np.uint8), 0.0)
    elif what == "video size":
        with VideoWriter(beside(path, ".mp4"), 30.0, (64, 48)) as video:
            video.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    else:
        beside(path, ".mp4").unlink()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("short", r"_segm\.mat has no 'segm_2'"),
        ("size", r"segm_1 of the shape \(4, 3\), where \(240, 320\)"),
        ("depth", r"there is no file .*_depth\.mat"),
        ("text", r"_segm\.mat cannot be read as a MATLAB file"),
        ("video", r"\.mp4 ends after frame 1, where 4 are needed"),
        ("video size", r"pictures of \(64, 48\)"),
        ("no video", r"\.mp4"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, what: str, message: str) -> None:
    path = write_clip(tmp_path)
    broken(path, what)
    with pytest.raises(PointlightError, match=message):
        person(path)


def test_too_many_frames(clip: Path) -> None:
    with pytest.raises(PointlightError, match=r"has 6 frames, where 3 to 7 are asked for"):
        person(clip, start=3)


def test_people_are_drawn_by_seed_and_index_and_bad_clips_passed_over(tmp_path: Path) -> None:
    write_clip(tmp_path, run="run0")
    write_clip(tmp_path, run="run1", frames=3)  # too short: passed over without a word
    broken(write_clip(tmp_path, run="run2"), "text")
    people = SurrealPeople(tmp_path, SurrealConfig(frames=4))
    path = np.zeros((4, 2))
    with pytest.warns(UserWarning, match=r"run2.*cannot be read") as warned:
        drawn = [people.sample(5, index, path) for index in range(12)]
    assert len(warned) == 1
    assert {source.split()[0] for _, source in drawn} == {"surreal/train/run0/made_c0001"}
    assert {source.split()[1] for _, source in drawn} == {"0-4", "1-5", "2-6"}
    again, source = drawn[3]
    layer, name = people.sample(5, 3, path)
    assert name == source and np.array_equal(layer.parts, again.parts)


def test_a_folder_without_a_whole_clip(tmp_path: Path) -> None:
    write_clip(tmp_path, frames=3)
    with pytest.raises(PointlightError, match="none has 4 frames"):
        SurrealPeople(tmp_path, SurrealConfig(frames=4)).sample(0, 0, np.zeros((4, 2)))
    with pytest.raises(PointlightError, match="give SURREAL's folder"):
        SurrealPeople(tmp_path / "none", SurrealConfig())


@pytest.mark.slow
def test_surreals_people_on_video_are_clips(tmp_path: Path) -> None:
    """The paper's own data set: the same compositing, the same hiding, the same files as for rendered people."""
    for number in range(2):
        write_clip(tmp_path, run=f"run{number}", frames=33)
    config = find_synthesis_recipe("full")
    windows = ProceduralWindows(3, 0)
    people = SurrealPeopleSource(config.scenes, SurrealPeople(tmp_path, SurrealConfig()))
    maker = ClipMaker(config, people, windows)
    parts = next(
        parts for parts in map(partial(maker.parts, 0), range(9)) if np.ptp(parts.background.path_px) > 2
    )
    clip = parts.clip
    assert clip.frames.shape == (31, HEIGHT, WIDTH, 3) and clip.mask.any()
    assert clip.provenance.sources["motion"].startswith("surreal/train/")
    check_training_clip(clip.provenance)
    move = np.rint(parts.background.path_px)
    np.testing.assert_allclose(clip.camera.principal_px, np.add((160, 120), move), atol=1e-4)
    assert (clip.frames[clip.mask] == parts.subject.layer.colour[clip.mask]).all()
    back = decode_clip(encode_clip(clip))
    assert np.array_equal(back.mask, clip.mask) and np.array_equal(back.visible, clip.visible)
    assert np.array_equal(clip.visible, maker.clip(0, clip.provenance.index).visible)
    with pytest.raises(PointlightError, match="come from files and have no scenes"):
        maker.scene(0, 1)
    crowded = replace(config, bystanders=1.0)
    with pytest.raises(PointlightError, match="one to a clip"):
        ClipMaker(crowded, people, windows).clip(0, 1)


def test_the_command_takes_surreal(tmp_path: Path) -> None:
    write_clip(tmp_path / "surreal", frames=33)
    out = tmp_path / "out"
    words = ["synthesize", "--count", "1", "--out", str(out), "--recipe", "no_occlusions", "--workers", "0"]
    said = CliRunner().invoke(app, [*words, "--surreal", str(tmp_path / "surreal")])
    assert said.exit_code == 0, said.output
    (clip,) = read_clips(out)
    assert clip.provenance.sources["motion"].startswith("surreal/train/")
    assert clip.joint_names == SURREAL_POINTS and np.isfinite(clip.depth_m[clip.amodal_mask]).all()


def test_splits_of_surreal_stay_apart(tmp_path: Path) -> None:
    write_clip(tmp_path)
    with pytest.raises(PointlightError, match=r"no .*_info.mat of the split 'test'"):
        SurrealPeople(tmp_path, SurrealConfig(split="test"))
    heldout = find_synthesis_recipe("full").of_split("heldout")
    with pytest.raises(PointlightError, match="'train' is not of the split 'heldout'; take 'test'"):
        SurrealPeopleSource(heldout.scenes, SurrealPeople(tmp_path, SurrealConfig()))
