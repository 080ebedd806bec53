"""Runs that are killed, lose a worker, fill the disk, meet broken videos or grow; the shards are the same in the end."""

from __future__ import annotations

import errno
import importlib.util
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import fsspec
import numpy as np
import pytest
from fsspec.implementations.dirfs import DirFileSystem

from pointlight.engines import staged
from pointlight.engines.ray_pool import LARGEST_LOSSES
from pointlight.errors import PointlightError
from pointlight.progress import Progress
from pointlight.simulator import ClipMaker, synthesize
from pointlight.simulator import synthesize_clip as one_clip
from pointlight.simulator.clips import RunSummary, Sources, find_synthesis_recipe, open_storage, read_index
from pointlight.simulator.clips.clip_job import ClipJob
from pointlight.simulator.clips.files import encode_clip

LONG_RUN_CLIPS = int(os.environ.get("POINTLIGHT_LONG_RUN_CLIPS", "2000"))
"""Of the run over broken videos; fewer while one works on it."""


def command(out: Path, count: int, *more: object) -> list[str]:
    """The real one; its clips have no superpixels unless `more` says so, which take most of a first run's time."""
    words = ["--count", count, "--out", out, "--seed", 3, "--recipe", "no_occlusions", *more]
    return [sys.executable, "-m", "pointlight", "synthesize", *map(str, words)]


def environment(cache: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POINTLIGHT_")}
    return {**kept, "POINTLIGHT_CACHE": str(cache)}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a finished run; nothing else may be there, hidden or not."""
    assert all(path.is_file() for path in folder.iterdir()), sorted(folder.iterdir())
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def memory_mb(pid: int) -> float:
    """Of its own; pages of files, which come and go with what else the machine does, are not counted."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem"))) / 1000


# Workers that die


@dataclass(frozen=True)
class SmallJob(ClipJob):
    """Clips of a few bytes, the making of some of which kills the process.

    Attributes:
        deadly: a clip.
        deaths: how often.
        refuses: opening fails.
    """

    deadly: int = -1
    deaths: int = 0
    refuses: bool = False

    def opened(self) -> ClipMaker:
        if self.refuses:
            raise PointlightError("there is no folder videos; give one with videos")
        return cast(ClipMaker, object())

    def made(self, maker: ClipMaker, index: int) -> bytes:
        graves = self.staging / "graves"
        died = len(graves.read_text()) if graves.exists() else 0
        if index == self.deadly and died < self.deaths:
            graves.write_text("x" * (died + 1))
            os.kill(os.getpid(), signal.SIGKILL)
        return f"clip {index}".encode()


def small_job(folder: Path, **changes: Any) -> SmallJob:
    return SmallJob(open=dict, versions={}, seed=0, staging=folder, **changes)  # type: ignore[arg-type]


def made(engine: str, job: ClipJob, count: int, workers: int) -> list[int]:
    return sorted(staged(engine, job, range(count), workers, cast(ClipMaker, None)))


@pytest.mark.slow
def test_a_lost_process_costs_no_clip(tmp_path: Path) -> None:
    job = small_job(tmp_path, deadly=1, deaths=1)
    with pytest.warns(
        UserWarning, match="killed, perhaps for lack of memory; the run goes on with 1 of them"
    ):
        assert made("local", job, 9, 2) == list(range(9))
    assert [job.path(index).read_text() for index in range(9)] == [f"clip {index}" for index in range(9)]


def test_a_clip_that_always_kills_ends_the_run(tmp_path: Path) -> None:
    job = small_job(tmp_path, deadly=0, deaths=99)
    with pytest.raises(PointlightError, match="a process that makes clips was killed") as said:
        made("local", job, 3, 1)
    assert "\n" not in str(said.value)
    assert (tmp_path / "graves").read_text() == "x"


def test_what_a_worker_cannot_open_is_said(tmp_path: Path) -> None:
    with pytest.raises(PointlightError, match="there is no folder videos"):
        made("local", small_job(tmp_path, refuses=True), 3, 1)


def test_workers_need_the_same_sources(tmp_path: Path) -> None:
    here, there = {"motions": "a", "backgrounds": "b"}, {"motions": "a", "backgrounds": "c"}
    job = ClipJob(lambda: cast(ClipMaker, SimpleNamespace(versions=there)), here, 0, tmp_path)
    with pytest.raises(
        PointlightError, match="there is another backgrounds here than where the run was begun"
    ):
        job.opened()
    assert replace(job, versions=there).opened()


def test_an_engine_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for engine, words in (
        ("ray", r"install pointlight\[ray\]"),
        ("slurm", "no engine 'slurm'; there are: local, ray"),
    ):
        with pytest.raises(PointlightError, match=words):
            make(tmp_path, 1, engine=engine)
    assert not list(tmp_path.iterdir())


# More clips for the same place

SOURCES = Sources(procedural_motions=5, procedural_backgrounds=2)


def make(out: Path | str, count: int, **options: Any) -> RunSummary:
    """Few clips to a shard, and no superpixels, which would take most of the time."""
    return synthesize(
        find_synthesis_recipe("no_occlusions"),
        out,
        count,
        seed=3,
        sources=SOURCES,
        clips_per_shard=2,
        **options,
    )


@pytest.mark.slow
def test_a_larger_count_goes_on(tmp_path: Path) -> None:
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    make(whole, 4)
    make(grown, 1)
    note = (grown / "shard-000000.tar.json").read_bytes()
    assert [len(entry["clips"]) for entry in read_index(grown)["shards"]] == [1]
    finished = []

    def look(progress: Progress) -> None:
        finished.append(progress.stage == "clips" and (grown / "index.json").exists())

    assert make(grown, 4, progress=look).made == 3
    assert not any(finished)  # meanwhile no index says what is there no more
    assert contents(grown) == contents(whole)
    (grown / "shard-000000.tar.json").write_bytes(note)  # as if killed before the note was written
    assert make(grown, 4).made == 0
    assert contents(grown) == contents(whole)
    with pytest.raises(
        PointlightError, match="begun with 4 clips, of which 1 cannot be taken away; ask for 4 or more"
    ):
        make(grown, 3)
    assert contents(grown) == contents(whole)
    shard = (whole / "shard-000000.tar").read_bytes()
    (grown / "shard-000000.tar").write_bytes(shard[:5000])  # within the first clip
    (grown / "shard-000000.tar.json").write_bytes(note)
    assert make(grown, 4).made == 2  # of a broken shard, nothing is taken over but whole clips
    assert contents(grown) == contents(whole)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    class Refused(Exception): ...

    def again(progress: Progress) -> None:
        with pytest.raises(PointlightError, match="another run is writing to"):
            make(tmp_path, 1)
        raise Refused

    with pytest.raises(Refused):
        make(tmp_path, 1, progress=again)


# Addresses


class Flaky(DirFileSystem):
    """A folder behind a connection that breaks in the middle of some uploads."""

    protocol = "flaky"
    breaks = 0
    after = 1000

    def pipe_file(self, path: str, value: bytes, **_: Any) -> None:  # type: ignore[override]
        with self.fs.open(self._join(path), "wb") as file:
            self._send(file, value)

    def put_file(self, lpath: str, rpath: str, **_: Any) -> None:  # type: ignore[override]
        self.pipe_file(rpath, Path(lpath).read_bytes())

    def _send(self, file: Any, value: bytes) -> None:
        if type(self).breaks > 0 and len(value) > self.after:
            type(self).breaks -= 1
            file.write(value[: len(value) // 2])
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        file.write(value)


@pytest.fixture
def flaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "far"
    folder.mkdir()
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    # The file system is made by its class and address; where it keeps its files must be told beside.
    monkeypatch.setattr(
        fsspec.core,
        "url_to_fs",
        lambda url: (Flaky(str(folder), fsspec.filesystem("file")), url.partition("://")[2]),
    )
    monkeypatch.setattr("pointlight.simulator.clips.storage.PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(Flaky, "breaks", 0)
    yield folder


def test_an_upload_that_breaks_off_is_tried_again(flaky: Path, tmp_path: Path) -> None:
    storage, shard = open_storage("flaky://data"), tmp_path / "shard"
    Flaky.breaks = 2
    shard.write_bytes(b"x" * 5000)
    storage.move_in(shard, "shard-000000.tar")
    assert [path.name for path in (flaky / "data").iterdir()] == ["shard-000000.tar"] and not shard.exists()
    assert storage.read("shard-000000.tar") == b"x" * 5000


def test_half_an_upload_never_has_the_files_name(
    flaky: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, shard = open_storage("flaky://data"), tmp_path / "shard"
    shard.write_bytes(b"x" * 5000)
    Flaky.breaks = 99
    monkeypatch.setattr(Flaky, "rm_file", Flaky.cat_file)  # the connection is gone, nothing can be cleaned up
    with pytest.raises(
        PointlightError, match=r"cannot write flaky://data/s\.tar \(.*Connection reset by peer"
    ) as said:
        storage.move_in(shard, "s.tar")
    assert "\n" not in str(said.value) and shard.exists()
    (name,) = [path.name for path in (flaky / "data").iterdir()]
    assert name.startswith(".s.tar.")
    monkeypatch.undo()
    Flaky.breaks = 0
    assert storage.read("s.tar") is None


@pytest.mark.slow
def test_a_run_to_an_address_goes_on_after_a_broken_connection(
    flaky: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTLIGHT_CACHE", str(tmp_path / "cache"))
    Flaky.breaks = 3
    Flaky.after = 100_000  # shards only
    with pytest.raises(PointlightError, match=r"shard-000000\.tar .*Connection reset by peer"):
        make("flaky://data", 2)
    (flaky / "data" / ".shard-000000.tar.0123abcd.partial").write_bytes(
        b"half"
    )  # of a process that was killed
    assert make("flaky://data", 2).made == 0
    make(tmp_path / "near", 2)
    assert contents(flaky / "data") == contents(tmp_path / "near")


# The same bytes, however a run went


@pytest.mark.slow
def test_clips_are_the_same_with_any_workers_alone_and_after_a_resume(tmp_path: Path) -> None:
    class Interruption(Exception): ...

    def stop(progress: Progress) -> None:
        if (progress.stage, progress.done) == ("clips", 3):
            raise Interruption

    make(tmp_path / "0", 5)
    wanted = contents(tmp_path / "0")
    for workers in (1, 2):
        make(tmp_path / str(workers), 5, workers=workers)
        assert contents(tmp_path / str(workers)) == wanted
    with pytest.raises(Interruption):
        make(tmp_path / "resumed", 5, workers=2, progress=stop)
    assert make(tmp_path / "resumed", 5, workers=1).clips >= 3
    assert contents(tmp_path / "resumed") == wanted
    for index in (4, 1):
        files = encode_clip(one_clip("no_occlusions", 3, index, SOURCES))
        with tarfile.open(tmp_path / "0" / f"shard-{index // 2:06d}.tar") as archive:
            stored = {
                member.name.partition(".")[2]: cast(io.BufferedReader, archive.extractfile(member)).read()
                for member in archive
                if member.name.startswith(f"{index:08d}.")
            }
        assert stored == files


@pytest.mark.slow
def test_a_killed_run_loses_one_clip_a_worker(tmp_path: Path) -> None:
    count, options = 12, ("--workers", 2, "--shard", 5)
    env = environment(tmp_path / "cache")
    out, whole = tmp_path / "out", tmp_path / "whole"
    subprocess.run(command(whole, count, *options), env=env, check=True, capture_output=True)
    chance = random.Random(0)

    def whole_clips() -> int:
        """A clip is there twice while its shard is noted and its staged file not yet dropped."""
        notes = [json.loads(note.read_text()) for note in out.glob("shard-*.tar.json")]
        noted = {clip["index"] for note in notes for clip in note["clips"]}
        return len(noted | {int(path.stem) for path in out.glob(".staging/0*.tar")})

    kept = 0
    for goal in (2, 5, 8):
        run = subprocess.Popen(command(out, count, *options), env=env, stderr=subprocess.DEVNULL)
        while whole_clips() < goal:
            assert run.poll() is None
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.5))
        before, members = whole_clips(), family(run.pid)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        # Workers note the death of their parent at once, but for one that is still loading libraries.
        for _ in range(600):
            left = [pid for pid in members if Path(f"/proc/{pid}").exists()]
            if not left:
                break
            time.sleep(0.1)
        assert not left, left
        kept = whole_clips()
        assert kept >= before
    done = subprocess.run(command(out, count, *options), env=env, check=True, capture_output=True, text=True)
    made_now = int(done.stdout.partition("(")[2].split()[0])
    print(f"\n{kept} of {count} clips were kept over three kills, {made_now} made in the end")
    assert made_now == count - kept  # what was being made when the run was killed, and nothing that was whole
    assert contents(out) == contents(whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 3 MB."""
    storage = tmp_path / "disk"
    storage.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(storage)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield storage
    finally:
        subprocess.run(["umount", "--lazy", str(storage)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_stops_with_a_line_and_goes_on(tmp_path: Path, small_disk: Path, workers: int) -> None:
    out, options = small_disk / "out", ("--workers", workers, "--shard", 3)
    filler = small_disk / "something_else"
    filler.write_bytes(bytes(1_000_000))
    env = environment(tmp_path / "cache")
    full = subprocess.run(command(out, 6, *options), env=env, capture_output=True, text=True)
    assert full.returncode == 2
    lines = [line for line in full.stderr.splitlines() if line.startswith("pointlight:")]
    assert len(lines) == 1 and "No space left on device" in lines[0], full.stderr
    assert "Traceback" not in full.stderr
    print("\n" + lines[0])
    for shard in out.glob("shard-*.tar"):
        with tarfile.open(shard) as archive:
            assert len(archive.getmembers()) == 4 * 3
    assert not (out / "index.json").exists()
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    subprocess.run(command(out, 6, *options), env=env, check=True, capture_output=True)
    subprocess.run(command(tmp_path / "whole", 6, *options), env=env, check=True, capture_output=True)
    assert contents(out) == contents(tmp_path / "whole")


# Ray

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


RAY_WARNS = pytest.mark.filterwarnings("default")  # of its own files and sockets


@needs_ray
@RAY_WARNS
@pytest.mark.slow
def test_ray_survives_the_death_of_workers(cluster: Any, tmp_path: Path) -> None:
    for name in ("once", "always", "refuses"):
        (tmp_path / name).mkdir()
    once = small_job(tmp_path / "once", deadly=2, deaths=1)
    assert made("ray", once, 40, 2) == list(range(40))
    assert [once.path(index).read_text() for index in range(40)] == [f"clip {index}" for index in range(40)]
    assert len((tmp_path / "once" / "graves").read_text()) == 1
    with pytest.raises(
        PointlightError, match=f"{LARGEST_LOSSES + 1} Ray workers were lost while they made clip 2"
    ) as said:
        made("ray", small_job(tmp_path / "always", deadly=2, deaths=99), 6, 2)
    assert "\n" not in str(said.value)
    refusing = small_job(tmp_path / "refuses", refuses=True)
    with pytest.raises(PointlightError, match=r"no folder videos; .* \(said by the Ray worker on ") as said:
        made("ray", refusing, 6, 2)
    assert "\n" not in str(said.value)


@needs_ray
@RAY_WARNS
@pytest.mark.slow
def test_ray_makes_the_same_shards_though_a_worker_is_killed(cluster: Any, tmp_path: Path) -> None:
    killed = []

    def kill(progress: Progress) -> None:
        if progress.stage == "clips" and progress.done >= 1 and not killed:
            for pid in family(os.getpid()):
                if b"ray::_RayWorker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    return

    make(tmp_path / "here", 5)
    assert make(tmp_path / "ray", 5, engine="ray", workers=2, progress=kill).made == 5
    assert len(killed) == 1
    assert contents(tmp_path / "ray") == contents(tmp_path / "here")


# Two thousand clips over a folder with broken videos


def film(path: Path, count: int, seed: int) -> None:
    """A camera that pans over a picture of blocks."""
    rng = np.random.default_rng(seed)
    picture = sum(
        rng.uniform(0, 60, (60 * 5, 100 * 5, 3))[::s, ::s].repeat(s, 0).repeat(s, 1) for s in (5, 20, 50)
    )
    picture = picture.clip(0, 255).astype(np.uint8)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=Fraction(30), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(count):
            left, top = 2 * number % 180, number % 60
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(picture[top : top + 240, left : left + 320])
            )
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def sound(path: Path) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=16000)
        for _ in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 16000
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


BROKEN = ("cut_short.mp4", "words.mp4", "nothing.mp4", "sound.mp4", "five_frames.mp4")


@pytest.fixture
def mixed_videos(tmp_path: Path) -> Path:
    """Three good videos and five that are none."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for seed in range(3):
        film(folder / f"good{seed}.mp4", 90, seed)
    film(folder / "five_frames.mp4", 5, 7)
    whole = (folder / "good0.mp4").read_bytes()
    (folder / "cut_short.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "words.mp4").write_text("this is no video\n" * 100)
    (folder / "nothing.mp4").write_bytes(b"")
    sound(folder / "sound.mp4")
    return folder


@pytest.mark.slow
def test_a_long_run_over_broken_videos(tmp_path: Path, mixed_videos: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    words = command(out, LONG_RUN_CLIPS, "--workers", 2, "--backgrounds", mixed_videos, "--recipe", "full")
    samples: dict[int, list[tuple[int, float]]] = {}
    began = time.monotonic()
    with open(log, "w") as file:
        run = subprocess.Popen(words, env=environment(tmp_path / "cache"), stdout=file, stderr=file)
        while run.poll() is None:
            staged = sum(not path.name.startswith(".") for path in out.glob(".staging/0*.tar"))
            clips = staged + 64 * len(list(out.glob("shard-*.tar.json")))
            for pid in family(run.pid):
                samples.setdefault(pid, []).append((clips, memory_mb(pid)))
            time.sleep(1)
    said = log.read_text()
    assert run.returncode == 0, said
    assert f"{LONG_RUN_CLIPS} clips ({LONG_RUN_CLIPS} made now" in said
    for name in BROKEN:
        assert sum(f"/{name}" in line for line in said.splitlines()) == 1, (name, said)
    assert "good" not in said
    print(f"\n{LONG_RUN_CLIPS} clips in {time.monotonic() - began:.0f} s")
    watched = 0
    for pid, of_one in samples.items():
        clips, mb = np.array(of_one).T
        later, settled = (
            clips > LONG_RUN_CLIPS / 2,
            (clips > LONG_RUN_CLIPS / 4) & (clips <= LONG_RUN_CLIPS / 2),
        )
        if mb.max() < 100 or later.sum() < 5 or settled.sum() < 5:  # the resource tracker of multiprocessing
            continue
        watched += 1
        slope = 1000 * np.polyfit(clips[later], mb[later], 1)[0]
        growth = np.median(mb[later]) - np.median(mb[settled])
        print(
            f"process {pid}: {np.median(mb[settled]):.0f} MB in the second quarter, {np.median(mb[later]):.0f} MB in the "
            f"second half, {mb.max():.0f} MB at most, {slope:+.1f} MB per 1,000 clips in the second half"
        )
        assert growth < 30, f"process {pid} has grown by {growth:.0f} MB"
        assert slope < 30 or LONG_RUN_CLIPS < 1000, f"process {pid} grows by {slope:.0f} MB per 1,000 clips"
    assert watched == 3  # the command and two workers
