"""Networks that see pictures on published benchmarks: pictures lie under their keypoints and move as they were made to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmark_files import (
    mpi_content,
    set_poses2d,
    surreal_content,
    threedpw_content,
    write_3dpw,
    write_mpi,
    write_surreal,
)
from picture_files import COLOURS, RADIUS_PX, painted, write_pictures, write_video

from pointlight.body import NETWORK_KEYPOINTS, SMPL_JOINTS, AnnyBody
from pointlight.capture import PredictOptions, track_of
from pointlight.capture.fitting import grid_times, observation_of
from pointlight.cues import Cues, PictureCueConfig, VideoFrames
from pointlight.errors import PointlightError
from pointlight.evaluation import evaluate_published
from pointlight.evaluation.published import (
    BenchmarkTrack,
    frames_of,
    read_3dpw,
    read_mpi_inf_3dhp,
    read_surreal,
)
from pointlight.evaluation.published import mpi_inf_3dhp as mpi
from pointlight.media import read_picture
from pointlight.network import MotionHMRConfig, PictureEncoderConfig
from pointlight.progress import Progress
from pointlight.simulator.people import surreal_pictures
from pointlight.training import find_training_recipe, save_checkpoint

FRAMES = 14
SPEED_PX = 2.5
"""Of the texture, picture pixels a frame to the right."""

SIDE = 112
COLOUR_CUES = PictureCueConfig(side_px=SIDE, rgb=True)
FLOW_CUES = PictureCueConfig(side_px=SIDE, flow="dis", turned=False)


def write_small_3dpw(folder: Path) -> Path:
    """One actor before a picture of 320x180; the pictures are not written."""
    content = threedpw_content(FRAMES, actors=1)
    content["cam_intrinsics"] = content["cam_intrinsics"] / 6
    content["cam_intrinsics"][2, 2] = 1
    set_poses2d(content, 0)
    return write_3dpw(folder, content)


def points_of(track: BenchmarkTrack) -> np.ndarray:
    return track.keypoints.select(NETWORK_KEYPOINTS)[..., :2]


def made_3dpw(folder: Path) -> BenchmarkTrack:
    path = write_small_3dpw(folder)
    (track,) = read_3dpw(path)
    pictures = painted(points_of(track), track.keypoints.image_size, SPEED_PX)
    write_pictures(pictures, lambda number: folder / "imageFiles" / path.stem / f"image_{number:05d}.jpg")
    return read_3dpw(path)[0]


def made_mpi(folder: Path) -> BenchmarkTrack:
    pytest.importorskip("h5py", reason="the extra `benchmarks` is not installed")
    path = write_mpi(folder, mpi_content(FRAMES, focal=280, middle=(160, 120)))
    (track,) = read_mpi_inf_3dhp(path)
    pictures = painted(points_of(track), (320, 240), SPEED_PX)
    write_pictures(pictures, lambda number: path.parent / "imageSequence" / f"img_{number + 1:06d}.jpg")
    return read_mpi_inf_3dhp(path)[0]


def made_surreal(folder: Path, frames: int = FRAMES) -> BenchmarkTrack:
    """Painted as SURREAL stores it, which is a mirror image of what it shows."""
    content = surreal_content(FRAMES)
    path = write_surreal(folder, content)
    stored = content["joints2D"].transpose(2, 1, 0)[
        :, [SMPL_JOINTS.index(name) for name in NETWORK_KEYPOINTS]
    ]
    pictures = painted(stored, (320, 240), -SPEED_PX)
    write_video(path.with_name("made_c0001.mp4"), pictures[:frames])
    return read_surreal(path)[0]


MAKERS = {"3dpw": made_3dpw, "mpi-inf-3dhp": made_mpi, "surreal": made_surreal}


def seen_by(cues: PictureCueConfig, track: BenchmarkTrack) -> Cues:
    """What a network sees of the track's own frames."""
    track2d = track_of(track.keypoints, cues.keypoints, PredictOptions())[0]
    grid_s = grid_times(track2d.time_s, 2)
    seen = observation_of(track2d, cues.keypoints, grid_s)
    return cues.make(replace(seen, pictures=(VideoFrames(frames_of(track), grid_s),)))


@pytest.mark.parametrize("benchmark", MAKERS)
def test_pictures_show_keypoints_where_they_are(benchmark: str, tmp_path: Path) -> None:
    track = MAKERS[benchmark](tmp_path)
    cues = seen_by(COLOUR_CUES, track)
    numbers, pictures = COLOUR_CUES.split(cues.inputs)
    points, apart = numbers[:, :24].unflatten(-1, (12, 2)), points_of(track)
    checked = 0
    for pair, (time_s, places) in enumerate(zip(np.arange(len(points)) / 30, points, strict=True)):
        frame = time_s * mpi.FRAMES_PER_SECOND if benchmark == "mpi-inf-3dhp" else time_s * 30
        if abs(frame - round(frame)) > 1e-6:
            continue  # between two frames keypoints move and pictures do not
        distance = np.linalg.norm(apart[round(frame)][:, None] - apart[round(frame)], axis=-1)
        alone = (distance + 1e3 * np.eye(12)).min(1) > 2 * RADIUS_PX
        for keypoint in np.flatnonzero(alone):
            column, row = ((places[keypoint].numpy() + 1) * SIDE / 2).astype(int)
            colour = (pictures[pair, :, row, column].numpy() + 1) * 127.5
            assert np.abs(colour - COLOURS[keypoint]).max() < 60, NETWORK_KEYPOINTS[keypoint]
            checked += 1
    assert checked > 20


@pytest.mark.parametrize(("benchmark", "rate"), [("3dpw", 30), ("mpi-inf-3dhp", 25), ("surreal", 30)])
def test_the_flow_is_that_of_the_pictures(benchmark: str, rate: int, tmp_path: Path) -> None:
    """To the right in each, in SURREAL's too, whose files move to the left; as of 1/30 s at every rate."""
    check_flow(MAKERS[benchmark](tmp_path), rate)


def test_60_frames_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpi, "FRAMES_PER_SECOND", 60.0)
    check_flow(made_mpi(tmp_path), 60)


def check_flow(track: BenchmarkTrack, rate: int) -> None:
    cues = seen_by(FLOW_CUES, track)
    _, pictures = FLOW_CUES.split(cues.inputs)
    inside = (np.arange(len(pictures)) + 1) / 30 <= track.keypoints.time_s[-1] + 1e-9
    assert inside.sum() > 5
    expected = SPEED_PX * rate / 30 * 150 / cues.boxes.size_px[:-1].numpy() / 20
    found = pictures.flatten(-2).median(-1).values.numpy()
    np.testing.assert_allclose(found[inside, 0], expected[inside], rtol=0.12)
    assert np.abs(found[inside, 1]).max() < 0.15 * expected.max()


def test_surreal_is_mirrored_back(tmp_path: Path) -> None:
    """Somebody who faces the camera has the left hip, whose colour is known, on the picture's right."""
    track = made_surreal(tmp_path)
    (first, *_) = (frame.image for frame in frames_of(track))
    left, right = (
        np.abs(first.astype(int) - COLOURS[NETWORK_KEYPOINTS.index(name)]).sum(-1).argmin()
        for name in ("left_hip", "right_hip")
    )
    assert left % 320 > right % 320


def test_pictures_come_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    track = made_3dpw(tmp_path)
    read: list[str] = []

    def noted(path: Path) -> np.ndarray:
        read.append(path.name)
        return read_picture(path)

    monkeypatch.setattr("pointlight.evaluation.published.pictures.read_picture", noted)
    source = VideoFrames(frames_of(track), np.arange(FRAMES) / 30)
    assert not read
    source.pair(3)
    assert read[-1] in ("image_00004.jpg", "image_00005.jpg")
    assert len(source._held) <= 3


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Networks that have learnt nothing: one of pictures and keypoints, one of keypoints."""
    body, folder = AnnyBody(), tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    cues = PictureCueConfig(side_px=32, rgb=True, flow="dis", heatmaps=True)
    encoder = PictureEncoderConfig(widths=(8, 16), features=16)
    configs = {
        "pictures": MotionHMRConfig(cues=cues, encoder=encoder, lstm=16, head=32, stride=3),
        "points": find_training_recipe("tiny").network,
    }
    for name, config in configs.items():
        save_checkpoint(folder / f"{name}.safetensors", config.build(body), body)
    return {name: str(folder / f"{name}.safetensors") for name in configs}


@pytest.mark.parametrize("benchmark", MAKERS)
def test_every_benchmark_scores_networks_that_see_pictures(
    benchmark: str, tmp_path: Path, models: dict[str, str]
) -> None:
    MAKERS[benchmark](tmp_path)
    result = evaluate_published([*models.values()], benchmark=benchmark, folder=tmp_path)
    for variant in ("network", "overlap", "true_focal"):
        seen, unseen = (result.row(name, variant) for name in models)
        assert seen.coverage == 1 and seen.pa_mpjpe_mm != unseen.pa_mpjpe_mm


def gone(folder: Path, pattern: str) -> None:
    for path in folder.rglob(pattern):
        path.unlink()


@pytest.mark.parametrize(
    ("benchmark", "pattern", "sentence"),
    [
        ("3dpw", "image_*.jpg", r"there is no file .*imageFiles/made_00/image_00000\.jpg, and a model"),
        ("mpi-inf-3dhp", "img_*.jpg", r"no file .*TS1/imageSequence/img_000001\.jpg, and a model that sees"),
        ("surreal", "*.mp4", r"there is no file .*made_c0001\.mp4, and a model that sees pictures"),
    ],
)
def test_missing_pictures_are_named_before_the_work(
    benchmark: str, pattern: str, sentence: str, tmp_path: Path, models: dict[str, str]
) -> None:
    """A model of keypoints alone needs none (`test_published.py` has none)."""
    MAKERS[benchmark](tmp_path)
    gone(tmp_path, pattern)
    told: list[Progress] = []
    with pytest.raises(PointlightError, match=sentence):
        evaluate_published([*models.values()], benchmark=benchmark, folder=tmp_path, progress=told.append)
    assert not told


def test_pictures_that_do_not_fit_are_named(tmp_path: Path) -> None:
    track = made_3dpw(tmp_path)
    fifth = next(tmp_path.rglob("image_00005.jpg"))
    write_pictures([read_picture(fifth)[::2, ::2]], lambda _: fifth)
    with pytest.raises(
        PointlightError, match=r"picture 5 of made_00/0 has 160x90 pixels, .* to 320x180; give"
    ):
        list(frames_of(track))
    fifth.unlink()
    with pytest.raises(
        PointlightError, match=r"there is no file .*imageFiles/made_00/image_00005\.jpg, and a"
    ):
        list(frames_of(track))


def test_a_video_that_ends_early_is_named(tmp_path: Path) -> None:
    track = made_surreal(tmp_path, frames=9)
    with pytest.raises(PointlightError, match=r"made_c0001\.mp4 ends after frame 9, where 14 are needed"):
        list(frames_of(track))
    assert len(list(surreal_pictures(next(tmp_path.rglob("*_info.mat")), 2, 7))) == 7
