"""The overlay: the body is painted where the person is, left in orange, and the video's times are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from video_files import VideoSpec, numbered_picture, write_video

from pointlight.body import EVALUATION_JOINTS, MEAN_ADULT_SHAPE, NETWORK_KEYPOINTS, AnnyBody, BodyState
from pointlight.capture import (
    BodyPainter,
    Capture,
    World,
    body_states,
    guessed_limbs,
    world_states,
    write_overlay,
)
from pointlight.capture.turned_view import TurnedView
from pointlight.errors import PointlightError
from pointlight.media import VideoReader, VideoWriter
from pointlight.progress import Progress

SIZE = (320, 240)
FOCAL = 400.0


def standing(body: AnnyBody, frames: int) -> Capture:
    """Somebody who stands 4 m away, faces the camera, and is gone in the last frame."""
    shape = torch.tensor(MEAN_ADULT_SHAPE)
    root = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    state = BodyState(torch.eye(3).expand(21, 3, 3), shape, root, torch.zeros(3))
    joints = body.keypoints(state, EVALUATION_JOINTS).numpy()
    joints -= joints[4:6].mean(0)
    valid = np.arange(frames) < frames - 1
    rotations = np.concatenate((root[None].numpy(), np.tile(np.eye(3, dtype=np.float32), (21, 1, 1))))

    def over_time(values: np.ndarray) -> np.ndarray:
        repeated = np.tile(values, (frames, *([1] * values.ndim))).astype(np.float32)
        repeated[~valid] = np.nan
        return repeated

    return Capture(
        frame_index=np.arange(frames),
        time_s=np.arange(frames) / 25,
        valid=valid,
        occluded=~valid,
        joints_camera_m=over_time(joints),
        translation_camera_m=over_time(np.array([0.0, 0.0, 4.0])),
        pose_rotmat=over_time(rotations),
        body_joint_names=body.joint_names,
        shape=shape.numpy(),
        body_model=body.name,
        focal_source="given",
        track_id=0,
        keypoint_source="made",
        keypoints_px=np.where(valid[:, None, None], 1, 0) * np.ones((frames, 12, 3), np.float32),
        keypoint_names=NETWORK_KEYPOINTS,
        fps=25.0,
        image_size=SIZE,
        focal_px=FOCAL,
        principal_px=(160.0, 120.0),
        model_sha256="",
    )


def test_overlay_follows_the_capture(tmp_path: Path) -> None:
    body = AnnyBody()
    video = tmp_path / "video.mp4"
    with VideoWriter(video, 25.0, SIZE) as writer:
        for _ in range(4):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 128, np.uint8))
    capture = standing(body, 4)
    out = tmp_path / "overlay.mp4"
    steps: list[Progress] = []
    write_overlay(capture, video, out, body, progress=steps.append)
    frames = list(VideoReader(out))
    assert steps[-1] == Progress("overlay", 4, 4, unit="frame")
    assert np.allclose([frame.time_s for frame in frames], capture.time_s, atol=1e-3)
    picture = frames[0].image.astype(int)
    assert picture.shape[:2] == (SIZE[1], 2 * SIZE[0])
    for joint, warm in (("left_knee", True), ("right_knee", False), ("left_elbow", True)):
        x, y = np.floor(capture.joints_px()[0, EVALUATION_JOINTS.index(joint)]).astype(int)
        red, _, blue = picture[y, x]
        assert (red > blue + 20) == warm, joint
        assert (blue > red + 20) != warm, joint
    assert np.abs(picture[:30, : SIZE[0] // 4] - 128).max() < 12  # nobody stands in the corner
    nobody = frames[3].image.astype(int)[:, : SIZE[0]]
    assert np.abs(nobody - 128).max() < 12


def part_of(capture: Capture, first: int) -> Capture:
    """The frames from `first` on, as `--start` gives them; the clock of the video begins at its first frame."""
    fields = {
        name: value[first:]
        for name, value in vars(capture).items()
        if isinstance(value, np.ndarray)
        and len(value) == len(capture)
        and name != "seen"  # follows the keypoints
    }
    return replace(capture, **fields)


@pytest.mark.parametrize(("suffix", "begins_s"), [("ts", 3600.0), ("mkv", 62.0), ("mp4", 0.0)])
@pytest.mark.parametrize("first", [0, 4])
def test_the_overlay_begins_at_zero(tmp_path: Path, suffix: str, begins_s: float, first: int) -> None:
    times = [begins_s + i / 25 for i in range(8)]
    spec = VideoSpec(suffix=suffix, size=SIZE, times_s=times)
    video, out = write_video(tmp_path / f"v.{suffix}", spec), tmp_path / "overlay.mp4"
    write_overlay(part_of(standing(AnnyBody(), 8), first), video, out, AnnyBody())
    frames = list(VideoReader(out))
    with av.open(str(out)) as container:
        assert next(container.decode(video=0)).pts == 0
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(8 - first) / 25, atol=2e-3)
    left = frames[-1].image[:, : SIZE[0]].astype(int)  # nobody is there: the last picture of the video
    assert np.abs(left - numbered_picture(7, SIZE)).mean() < 6


def test_an_overlay_of_another_video_is_refused(tmp_path: Path) -> None:
    capture = standing(AnnyBody(), 8)
    short = write_video(tmp_path / "short.mp4", VideoSpec(size=SIZE, times_s=[0.0, 0.04]))
    small = write_video(tmp_path / "small.mp4", VideoSpec())
    with pytest.raises(PointlightError, match="has 2 of the 8 frames"):
        write_overlay(capture, short, tmp_path / "overlay.mp4", AnnyBody())
    with pytest.raises(PointlightError, match="give the video that it was made of"):
        write_overlay(capture, small, tmp_path / "overlay.mp4", AnnyBody())
    assert not (tmp_path / "overlay.mp4").exists()


def test_the_mesh_lies_on_the_capture_joints() -> None:
    body = AnnyBody()
    capture = standing(body, 2)
    states = body_states(capture, body)
    painter = BodyPainter(body, capture.shape, figure="estimated")
    vertices = painter.vertices(
        BodyState(states.pose[0], states.shape[0], states.root[0], states.translation[0])
    )
    keypoints = body.surface_keypoints(torch.from_numpy(vertices)).numpy()
    pixels = keypoints[:, :2] / keypoints[:, 2:] * FOCAL + (160.0, 120.0)
    chosen = [body.keypoint_names.index(name) for name in EVALUATION_JOINTS]
    assert np.abs(pixels[chosen] - capture.joints_px()[0]).max() < 1.0


def with_sound(path: Path, seconds: float, tone_from_s: float, rate: int = 44_100) -> Path:
    """A video of 25 frames/s, silent at first, then with a tone."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = *SIZE, "yuv420p"
        sound = container.add_stream("aac", rate=rate)
        for number in range(round(25 * seconds)):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(numbered_picture(number, SIZE))))
        container.mux(pictures.encode())
        at = np.arange(round(rate * seconds)) / rate
        wave = (np.sin(2 * np.pi * 440 * at) * (at >= tone_from_s) * 0.5).astype(np.float32)
        for start in range(0, len(wave) - 1024, 1024):
            piece = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts = rate, start
            container.mux(sound.encode(piece))
        container.mux(sound.encode())
    return path


@pytest.mark.parametrize(("first", "rate"), [(0, 44_100), (10, 44_100), (10, 11_025)])
def test_the_sound_is_kept_and_stays_with_the_pictures(tmp_path: Path, first: int, rate: int) -> None:
    video, out = with_sound(tmp_path / "video.mp4", 2.0, 1.0, rate), tmp_path / "overlay.mp4"
    capture = part_of(standing(AnnyBody(), 50), first)
    assert write_overlay(capture, video, out, AnnyBody()) == ()
    with av.open(str(out)) as container:
        pieces = [*container.decode(audio=0)]
    assert [frame.index for frame in VideoReader(out)] == [*range(50 - first)]
    loud = [float(piece.time) for piece in pieces if np.abs(piece.to_ndarray()).max() > 0.1]
    assert loud[0] == pytest.approx(1.0 - first / 25, abs=0.12)
    assert loud[-1] == pytest.approx(2.0 - first / 25, abs=0.15)


def test_a_video_without_sound_has_an_overlay_without(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", VideoSpec(size=SIZE, times_s=[i / 25 for i in range(4)]))
    write_overlay(standing(AnnyBody(), 4), video, tmp_path / "overlay.mp4", AnnyBody())
    with av.open(str(tmp_path / "overlay.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_several_people_are_drawn_each_in_a_colour_and_the_nearer_one_in_front(tmp_path: Path) -> None:
    body = AnnyBody()
    video = write_video(tmp_path / "v.mp4", VideoSpec(size=SIZE, times_s=[i / 25 for i in range(3)]))
    near = standing(body, 3)
    places = near.translation_camera_m + np.array([0.15, 0.0, 2.0], np.float32)
    far = replace(near, translation_camera_m=places, track_id=1)
    both, alone = tmp_path / "both.mp4", tmp_path / "alone.mp4"
    write_overlay([near, far], video, both, body)
    write_overlay([near], video, alone, body)
    together, single = (next(iter(VideoReader(out))).image.astype(int) for out in (both, alone))
    x, y = np.floor(near.joints_px()[0, EVALUATION_JOINTS.index("left_knee")]).astype(int)
    assert np.abs(together[y, x] - single[y, x]).max() < 25  # the far one does not cover the near one
    assert (np.abs(together - single)[:, : SIZE[0]].max(-1) > 40).sum() > 100  # and is there
    right = together[:, SIZE[0] :]
    green = (right[..., 1] > right[..., 0] + 25) & (right[..., 1] > right[..., 2] + 25)
    assert green.sum() > 30


def in_its_world(capture: Capture) -> Capture:
    """The same with a world: a level camera 1 m above a floor that the soles stand on, and y up."""
    turn = np.diag((-1.0, -1.0, 1.0)).astype(np.float32)
    body = AnnyBody()
    states = body_states(capture, body)
    lowest = float(body.vertices(BodyState(*(part[:1] for part in vars(states).values())))[0, :, 1].max())
    pose = capture.pose_rotmat.copy()
    pose[:, 0] = turn @ pose[:, 0]
    world = World(
        R_world_camera=turn[None],
        camera_world_m=np.array([[0.0, lowest, 0.0]]),
        pose_world_rotmat=pose,
        root_world_m=states.translation.numpy() @ turn.T + (0.0, lowest, 0.0),
        contacts=np.stack((capture.valid, capture.valid), axis=1),
        floor=np.array([[0.0, -1.0, 0.0, lowest]]),
        world_source=("given",),
    )
    return replace(capture, world=world)


def drawn(capture: Capture, folder: Path) -> np.ndarray:
    """The first frame of an overlay over grey."""
    video, out = folder / "grey.mp4", folder / "overlay.mp4"
    with VideoWriter(video, 25.0, SIZE) as writer:
        for _ in range(len(capture)):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 128, np.uint8))
    write_overlay(capture, video, out, AnnyBody())
    return next(iter(VideoReader(out))).image.astype(int)


def unseen(capture: Capture, *joints: str) -> Capture:
    points = capture.keypoints_px.copy()
    points[:, [capture.keypoint_names.index(joint) for joint in joints], 2] = 0.1
    return replace(capture, keypoints_px=points)


def test_limbs_that_were_not_seen_are_faint(tmp_path: Path) -> None:
    capture = standing(AnnyBody(), 2)
    seen, guessed = drawn(capture, tmp_path), drawn(unseen(capture, "left_ankle"), tmp_path)
    joints = capture.joints_px()[0]

    def warmth(picture: np.ndarray, upper: str, lower: str) -> int:
        """How orange the middle of a limb is; blue is below 0."""
        x, y = joints[[EVALUATION_JOINTS.index(upper), EVALUATION_JOINTS.index(lower)]].mean(0).astype(int)
        return int(picture[y, x, 0] - picture[y, x, 2])

    shin, thigh, other = (
        (f"{side}_{upper}", f"{side}_{lower}")
        for side, upper, lower in (
            ("left", "knee", "ankle"),
            ("left", "hip", "knee"),
            ("right", "knee", "ankle"),
        )
    )
    assert warmth(seen, *shin) > 60
    assert 0 < warmth(guessed, *shin) < 0.6 * warmth(seen, *shin)
    for limb in (thigh, other):
        assert abs(warmth(guessed, *limb) - warmth(seen, *limb)) < 15, limb
    fainter = np.abs(guessed - seen)[:, SIZE[0] :].max(-1) > 40  # in the turned panel, too
    assert fainter.sum() > 50


def test_guessed_limbs_are_those_with_an_end_that_was_not_seen() -> None:
    capture = unseen(standing(AnnyBody(), 3), "left_knee", "right_wrist")
    guessed = guessed_limbs(capture)
    names = {capture.body_joint_names[column] for column in np.flatnonzero(guessed[0])}
    assert names == {"left_hip", "left_knee", "right_elbow", "right_wrist"}
    assert not guessed[2].any()  # nobody is there
    unknown = replace(capture, keypoint_names=tuple(f"point_{k}" for k in range(12)))
    assert not guessed_limbs(unknown).any()


def test_the_turned_body_fills_its_panel_and_stands_on_the_floor_of_its_world(tmp_path: Path) -> None:
    capture = in_its_world(standing(AnnyBody(), 3))
    flat, floored = (drawn(one, tmp_path)[:, SIZE[0] :] for one in (replace(capture, world=None), capture))
    for panel in (flat, floored):
        rows = np.flatnonzero((np.abs(panel - (38, 40, 46)).max(-1) > 100).any(1))
        assert 0.72 * SIZE[1] < rows[-1] - rows[0] < 0.97 * SIZE[1]
    corner = (slice(-40, None), slice(0, 40))
    assert np.abs(flat[corner] - (38, 40, 46)).max() < 16  # no floor where none is known
    lines = np.abs(floored[-SIZE[1] // 3 :, : SIZE[0] // 3] - (38, 40, 46)).max(-1) > 25
    assert 20 < lines.sum() < 0.5 * lines.size
    assert not (np.abs(floored[: SIZE[1] // 4, : SIZE[0] // 3] - (38, 40, 46)).max(-1) > 25).any()


def test_the_floor_lies_under_the_soles_and_stays_while_somebody_walks() -> None:
    body = AnnyBody()
    capture = in_its_world(standing(body, 3))
    assert capture.world is not None
    walked = capture.world.root_world_m + np.array([[0.0, 0, 0], [0.25, 0, 0], [0, 0, 0]], np.float32)
    capture = replace(capture, world=replace(capture.world, root_world_m=walked))
    view = TurnedView([capture], SIZE)
    states = world_states(capture, body)
    first = body.vertices(BodyState(*(part[0] for part in vars(states).values()))).numpy()
    sole = first[first[:, 1].argmin()]
    assert abs(sole[1]) < 0.01
    place = view.see(0, 0, sole[None])[0]
    row = place[1] / place[2] * view.focal_px + view.principal_px[1]
    assert 0.85 * SIZE[1] < row < SIZE[1]  # near the panel's lower edge
    panels = [np.full((SIZE[1], SIZE[0], 3), 40, np.uint8) for _ in range(2)]
    for number, panel in enumerate(panels):
        view.draw_floor(panel, number)
    assert panels[0].max() > 60
    assert (np.abs(panels[0].astype(int) - panels[1]) > 15).sum() > 100  # the floor passes below who walks


def test_the_sheet_has_eight_frames_over_the_whole_video(tmp_path: Path) -> None:
    times = [i / 25 for i in range(40)]
    video = write_video(tmp_path / "v.mp4", VideoSpec(size=SIZE, times_s=times))
    out, sheet = tmp_path / "overlay.mp4", tmp_path / "overlay.png"
    write_overlay(standing(AnnyBody(), 40), video, out, AnnyBody(), sheet=sheet)
    frames = [frame.image for frame in VideoReader(out)]
    with Image.open(sheet) as opened:
        picture = np.asarray(opened.convert("RGB")).astype(int)
    assert picture.shape[1] <= 1280
    width = (picture.shape[1] - 4) // 2
    height = (picture.shape[0] - 4) // 4
    assert width >= 600
    for k in range(8):
        across, down = k % 2, k // 2
        tile = picture[4 + down * height : (down + 1) * height, 4 + across * width : (across + 1) * width]
        whole = Image.fromarray(frames[int((k + 0.5) * 5)]).resize(tile.shape[1::-1], Image.Resampling.BOX)
        assert np.abs(tile - np.asarray(whole).astype(int))[24:].mean() < 6, k  # below the words


def test_a_sheet_of_a_still_picture_has_one_frame(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", VideoSpec(size=SIZE, times_s=[0.0]))
    write_overlay(standing(AnnyBody(), 1), video, tmp_path / "o.mp4", AnnyBody(), sheet=tmp_path / "o.png")
    with Image.open(tmp_path / "o.png") as picture:
        assert picture.size == (2 * SIZE[0] + 8, SIZE[1] + 8)
