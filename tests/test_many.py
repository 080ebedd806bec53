"""Many videos in one call: names, what is left as it is, broken ones, killed runs, engines; slow with the detector."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from pointlight.capture import ManyResult, PredictOptions, Summary, VideoFile, predict_many
from pointlight.capture.many import run_many
from pointlight.capture.many_names import names_of, videos_of
from pointlight.capture.summary import options_json
from pointlight.cli.main import app
from pointlight.errors import PointlightError
from pointlight.progress import Progress

SHA = "0" * 64


# Names


def test_names_are_kept_apart() -> None:
    videos = [Path(name) for name in ("/a/x.mp4", "/a/x.mov", "/b/X.MP4", "/a/...mp4", "/a/summary.csv.mp4")]
    names = names_of(videos, {})
    assert names[0] == "x" and names[3] == "video"
    assert len({name.casefold() for name in (*names, "summary.csv")}) == 6
    assert names[1].startswith("x-") and names[2].startswith("X-")
    accents = [Path("/a/caf\u00e9.mp4"), Path("/b/cafe\u0301.mp4")]
    assert names_of(accents, {})[1].startswith("cafe\u0301-")


def test_a_name_never_comes_to_mean_another_video() -> None:
    first = names_of([Path("/b/x.mp4")], {})
    known = {"/b/x.mp4": first[0]}
    later = names_of([Path("/a/x.mp4"), Path("/b/x.mp4")], known)
    assert later[1] == "x" and later[0].startswith("x-")
    assert names_of([Path("/b/x.mp4"), Path("/a/x.mp4")], {**known, "/a/x.mp4": later[0]}) == later[::-1]


def test_videos_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.MP4", "a.mov", ".hidden.mp4", "words.txt"):
        (tmp_path / name).touch()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "c.mp4").touch()
    assert [path.name for path in videos_of([tmp_path, tmp_path / "b.MP4"])] == ["a.mov", "b.MP4"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(PointlightError, match=r"no video in the folder .*empty .*name the files") as said:
        videos_of([empty])
    assert "\n" not in str(said.value)


# Runs, with work that costs nothing


def work(video: Path, folder: Path, options: PredictOptions) -> None:
    """What `predict_to_folder` does, as far as a run sees it; the video's text says what goes wrong."""
    text = video.read_text()
    with open(video.parent / "begun", "a") as file:
        file.write(f"{video.stem}\n")
    if "broken" in text:
        raise PointlightError(f"{video} is not a video that FFmpeg can read")
    if "fault" in text:
        raise ZeroDivisionError("division\nby zero")
    if "deadly" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "slow" in text:
        time.sleep(60)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "poses.npz").write_text(f"poses of {text}")
    summary_for(video, options).save(folder)


def summary_for(video: Path, options: PredictOptions) -> Summary:
    return Summary(
        video=VideoFile.of(video),
        options=options_json(options),
        pointlight="0.1.0",
        model_sha256=SHA,
        files=("poses.npz",),
        frames=12,
        frames_with_body=11,
        frames_per_s=30.0,
        seconds={"detect": 1.0, "lift": 0.5},
        warnings=("one", "two"),
        people=(),
    )


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(6):
        (folder / f"v{number}.mp4").write_text("broken" if number == 3 else f"video {number}")
    return folder


def run(videos: Path, out: Path, options: PredictOptions | None = None, **more: Any) -> ManyResult:
    more = {"workers": 0, **more}
    return run_many(videos_of([videos]), out, options or PredictOptions(), work, SHA, **more)


def made(result: ManyResult) -> list[str]:
    return [video.made for video in result.videos]


def table(out: Path) -> list[dict[str, str]]:
    with open(out / "summary.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def results(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("poses.npz"))}


def test_one_broken_video_stops_nothing_and_what_is_whole_stays(videos: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "out", []
    result = run(videos, out, workers=2, progress=told.append)
    assert made(result) == ["now", "now", "now", "", "now", "now"]
    assert [video.name for video in result.failed] == ["v3"]
    rows = table(out)
    assert [row["name"] for row in rows] == [f"v{number}" for number in range(6)]
    assert rows[0] == {
        "name": "v0",
        "video": str(videos / "v0.mp4"),
        "frames": "12",
        "bodies": "11",
        "seconds": "1.5",
        "warnings": "one | two",
        "error": "",
    }
    assert "is not a video" in rows[3]["error"] and rows[3]["frames"] == ""
    assert told[-1] == Progress("videos", 6, 6, "1 could not be used", unit="video")
    assert sorted(path.name for path in out.iterdir() if path.name != ".lock") == [
        "summary.csv",
        *(f"v{number}" for number in (0, 1, 2, 4, 5)),
    ]
    # What has changed is made anew, and nothing else.
    (videos / "v1.mp4").write_text("another video")
    (out / "v2" / "poses.npz").unlink()
    (out / "v4" / "summary.json").write_text("{")
    assert made(run(videos, out)) == ["before", "anew", "anew", "", "now", "before"]
    assert (out / "v1" / "poses.npz").read_text() == "poses of another video"
    (videos / "v3.mp4").write_text("mended")
    assert made(run(videos, out)) == ["before"] * 3 + ["now"] + ["before"] * 2
    assert made(run(videos, out, PredictOptions(refine=False))) == ["anew"] * 6
    assert made(run(videos, out, PredictOptions(refine=False), again=True)) == ["anew"] * 6
    # Another folder of the same names goes beside.
    other = tmp_path / "other"
    other.mkdir()
    (other / "v0.mp4").write_text("other")
    name = run(other, out).videos[0].name
    assert name.startswith("v0-") and run(other, out).videos[0].name == name
    assert len(table(out)) == 7 and run(videos, out, PredictOptions(refine=False)).videos[0].made == "before"


@pytest.mark.slow
def test_a_fault_and_a_deadly_video_are_named(videos: Path, tmp_path: Path) -> None:
    (videos / "v0.mp4").write_text("deadly")
    (videos / "v1.mp4").write_text("fault")
    with pytest.warns(UserWarning, match="the run goes on with 1"):
        result = run(videos, tmp_path / "out", workers=2)
    assert [video.name for video in result.failed] == ["v0", "v1", "v3"]
    errors = [video.error for video in result.failed]
    assert "was killed, perhaps for lack of memory" in errors[0]
    assert errors[1].startswith("ZeroDivisionError: division by zero; ")
    assert made(result)[2:] == ["now", "", "now", "now"]


def test_an_interruption_loses_nothing(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def stop(progress: Progress) -> None:
        if progress.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(videos, out, progress=stop)
    assert [row["frames"] for row in table(out)] == ["12", "12", "12", "", "", ""]
    (out / "v0" / ".poses.0123abcd.partial.npz").write_bytes(b"half")  # as if killed while writing
    (out / ".summary.0123abcd.partial.csv").write_bytes(b"half")
    assert made(run(videos, out)) == ["before"] * 3 + ["", "now", "now"]
    assert not list(out.rglob("*partial*"))
    begun = (videos / "begun").read_text().split()
    assert [begun.count(f"v{number}") for number in range(6)] == [1, 1, 1, 2, 1, 1]


@pytest.mark.slow
def test_an_interruption_does_not_wait_for_a_long_video(videos: Path, tmp_path: Path) -> None:
    (videos / "v4.mp4").write_text("slow")

    def stop(progress: Progress) -> None:
        if progress.done == 4:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(videos, tmp_path / "out", workers=1, progress=stop)
    assert time.monotonic() - began < 45  # of 60 s that the video takes


def test_one_run_at_a_place(videos: Path, tmp_path: Path) -> None:
    class Refused(Exception): ...

    def begin_another(progress: Progress) -> None:
        with pytest.raises(PointlightError, match=r"another run is writing to .*out; wait for its end"):
            run(videos, tmp_path / "out")
        raise Refused

    with pytest.raises(Refused):
        run(videos, tmp_path / "out", progress=begin_another)


def test_what_cannot_be_meant(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for words, changes in (
        (r"--box means one video", {"box": "1,2,3,4"}),
        (r"--keypoints means one video", {"keypoints": "k.json"}),
        (r"-1 workers make nothing; give 1 or more", {"workers": -1}),
        (r"no engine 'slurm'; there are: local, ray", {"engine": "slurm"}),
        (r"cannot write to the folder .*file \(File exists\)", {"out": tmp_path / "file"}),
        (r"cannot write to the folder .*in \(Not a directory\)", {"out": tmp_path / "file" / "in"}),
        (r"no video is given", {"videos": []}),
    ):
        arguments: dict[str, Any] = {"videos": [videos], "out": tmp_path / "out", **changes}
        with pytest.raises(PointlightError, match=words):
            predict_many(arguments.pop("videos"), arguments.pop("out"), **arguments)
    assert (tmp_path / "file").read_text() == "mine" and not (tmp_path / "out").exists()


def test_the_command(videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def many(sources: list[Path], out: Path, options: PredictOptions, **more: Any) -> ManyResult:
        assert more.pop("progress") and more == {"workers": 1, "engine": "local", "again": False}
        return run_many(videos_of(sources), out, options, work, SHA, workers=0)

    monkeypatch.setattr("pointlight.capture.predict_many", many)
    words = ["predict", str(videos), "--out", str(tmp_path / "out"), "--workers", "1"]
    first, second = CliRunner().invoke(app, words), CliRunner().invoke(app, words)
    assert first.exit_code == second.exit_code == 1
    assert "6 videos: 5 made now" in first.output
    assert "6 videos: 0 made now, 5 were whole already (--again makes them anew)" in second.output
    for said in (first.output, second.output):
        assert "pointlight: 1 of 6 videos could not be used (v3.mp4)" in said
        assert said.count("is not a video that FFmpeg can read") == 1
    one = ["predict", str(videos / "v0.mp4"), "--out", str(tmp_path / "one"), "--workers", "2"]
    refused = CliRunner().invoke(app, one)
    assert isinstance(refused.exception, PointlightError) and "are for several videos" in str(
        refused.exception
    )


# The real command over real videos


def short_videos(folder: Path, count: int, broken: tuple[int, ...]) -> Path:
    """Twelve small frames each of the sample video, each from another frame on."""
    from pointlight.media import VideoReader

    sample = (
        os.environ.get("POINTLIGHT_SAMPLE")
        or subprocess.run(
            [sys.executable, str(Path(__file__).parents[1] / "tools" / "sample_video.py")],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
    )
    if not sample or not Path(sample).exists():
        pytest.skip("the sample video cannot be fetched here")
    frames = [frame.image[::4, ::4] for frame in VideoReader(Path(sample), None, 1.0)][:55]
    folder.mkdir()
    for number in range(count):
        path = folder / f"clip{number:02d}.mp4"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=Fraction(30), options={"preset": "ultrafast"})
            stream.height, stream.width = (side // 2 * 2 for side in frames[0].shape[:2])
            stream.pix_fmt = "yuv420p"
            for frame in frames[number : number + 12]:
                picture = np.ascontiguousarray(frame[: stream.height, : stream.width])
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
            output.mux(stream.encode(None))
        if number in broken:
            content = path.read_bytes()
            path.write_bytes(
                (b"", b"this is no video\n" * 50, content[: len(content) // 2])[broken.index(number)]
            )
    return folder


def command(videos: Path, out: Path, *more: object) -> list[str]:
    words = [videos, "--out", out, "--no-refine", "--no-overlay", *more]
    return [sys.executable, "-m", "pointlight", "predict", *map(str, words)]


def whole(out: Path) -> dict[str, int]:
    """When each result's summary was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("*/summary.json")}


@pytest.mark.slow
def test_forty_videos_through_a_kill(tmp_path: Path) -> None:
    broken = (5, 17, 30)
    videos, out, alone = short_videos(tmp_path / "videos", 40, broken), tmp_path / "out", tmp_path / "alone"
    with open(tmp_path / "log", "w") as log:
        first = subprocess.Popen(command(videos, out, "--workers", 2), stdout=log, stderr=log)
        while len(whole(out)) < 12:
            assert first.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        first.kill()
        first.wait()
    time.sleep(3)  # workers end with their parent
    kept = whole(out)
    second = subprocess.run(command(videos, out, "--workers", 2), capture_output=True, text=True)
    assert second.returncode == 1, second.stderr
    names = {f"clip{number:02d}" for number in range(40) if number not in broken}
    now = whole(out)
    assert set(now) == names
    assert {name: now[name] for name in kept} == kept  # and made once
    assert f"{37 - len(kept)} made now, {len(kept)} were whole already" in second.stdout
    print(f"\n{len(kept)} of 37 were whole after the kill; {second.stderr.splitlines()[-1]}")
    for number in broken:
        assert f"clip{number:02d}.mp4" in second.stderr.splitlines()[-1]
    assert [row["name"] for row in table(out) if row["error"]] == [f"clip{number:02d}" for number in broken]
    assert not list(out.rglob("*partial*")) and not (out / ".staging").exists()
    subprocess.run(command(videos, alone, "--workers", 1), capture_output=True, check=False)
    assert results(alone) == results(out) and len(results(out)) == 37


needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed; it comes with the extra ray"
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real cluster of two CPUs on this machine, whose workers can import this file."""
    import ray

    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    yield ray
    ray.shutdown()


@needs_ray
@pytest.mark.filterwarnings("default")  # Ray warns of its own files and sockets
@pytest.mark.slow
def test_ray_gives_the_same_files_though_a_worker_is_killed(cluster: Any, tmp_path: Path) -> None:
    videos = short_videos(tmp_path / "videos", 10, (4,))
    options = PredictOptions(refine=False, overlay=False)
    killed = []

    def kill(progress: Progress) -> None:
        if progress.stage == "videos" and progress.done >= 2 and not killed:
            for stat in Path("/proc").glob("[0-9]*/cmdline"):
                if b"ray::_RayWorker" in stat.read_bytes():
                    os.kill(int(stat.parent.name), signal.SIGKILL)
                    killed.append(stat.parent.name)
                    return

    here, there = tmp_path / "here", tmp_path / "there"
    assert len(predict_many(videos, here, options, workers=2).failed) == 1
    result = predict_many(videos, there, options, workers=2, engine="ray", progress=kill)
    assert [video.name for video in result.failed] == ["clip04"] and len(killed) == 1
    assert results(there) == results(here) and len(results(here)) == 9


@needs_ray
@pytest.mark.filterwarnings("default")
@pytest.mark.slow
def test_ray_names_a_deadly_video(cluster: Any, videos: Path, tmp_path: Path) -> None:
    (videos / "v0.mp4").write_text("deadly")
    result = run(videos, tmp_path / "out", engine="ray", workers=2)
    assert [video.name for video in result.failed] == ["v0", "v3"]
    assert "Ray workers were lost while they made video result 0" in result.failed[0].error


def test_a_summary_comes_back_as_it_was(videos: Path, tmp_path: Path) -> None:
    summary = summary_for(videos / "v0.mp4", PredictOptions())
    assert Summary.load(summary.save(tmp_path).parent) == summary
    content = json.loads((tmp_path / "summary.json").read_text())
    (tmp_path / "summary.json").write_text(json.dumps({**content, "format_version": 99}))
    assert Summary.load(tmp_path) is None
    assert summary.is_of(summary.video, PredictOptions(), SHA)
    assert not summary.is_of(summary.video, PredictOptions(end_s=1.0), SHA)
    assert not summary.is_of(summary.video, PredictOptions(), "1" * 64)
    assert not summary.is_of(replace(summary.video, bytes=1), PredictOptions(), SHA)
