"""`predict_many`: a folder of videos goes in, a folder with each one's result comes out, and a table of all."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Unpack

from pointlight.capture.detection.network_files import FINDER, READERS, network_file
from pointlight.capture.many_names import names_of, videos_of
from pointlight.capture.options import PredictKeywords, PredictOptions, options_with
from pointlight.capture.predict import predict_to_folder
from pointlight.capture.summary import Summary, VideoFile
from pointlight.capture.video_job import VideoJob, Work
from pointlight.engines import find_engine, staged
from pointlight.errors import PointlightError
from pointlight.files import atomic_path, check_folder, ensure_folder, only_run, sweep_partials
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.threads import usable_cores
from pointlight.training import load_checkpoint

TABLE = "summary.csv"
COLUMNS = ("name", "video", "frames", "bodies", "seconds", "warnings", "error")

_ONE_VIDEO = {"keypoints": "--keypoints", "keypoint_format": "--keypoint-format", "box": "--box"}
_BETWEEN = " | "


@dataclass(frozen=True)
class VideoResult:
    """What became of one video.

    Attributes:
        name: of its folder.
        video: absolute path.
        made: "now"; "anew", since the video or the options changed or `again` was asked for; "before"; empty if not.
        frames: of the video.
        bodies: frames with a body.
        seconds: that it took.
        warnings: a sentence on everything that was lost on the way.
        error: why there is no result; empty if there is one.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_many("video.mp4", "results", workers=0, end_s=0.2, refine=False, overlay=False)
        >>> result.videos[0].made, result.videos[0].bodies
        ('now', 6)
    """

    name: str
    video: str
    made: str = ""
    frames: int = 0
    bodies: int = 0
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class ManyResult:
    """What `predict_many` has done.

    Attributes:
        folder: in which everything stands.
        videos: one each, in the order in which they were named.
        table: `summary.csv`.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_many("video.mp4", "results", workers=0, end_s=0.2, refine=False, overlay=False)
        >>> result.table.name, result.failed
        ('summary.csv', ())
    """

    folder: Path
    videos: tuple[VideoResult, ...]
    table: Path

    @property
    def failed(self) -> tuple[VideoResult, ...]:
        """Those without a result."""
        return tuple(video for video in self.videos if video.error)


def predict_many(
    videos: Sequence[Path | str] | Path | str,
    out: Path | str,
    options: PredictOptions | None = None,
    *,
    workers: int | None = None,
    engine: str = "local",
    again: bool = False,
    progress: ProgressCallback = silent,
    **keywords: Unpack[PredictKeywords],
) -> ManyResult:
    """`predict_to_folder` for many videos, each into `out/NAME`, and `out/summary.csv` over all.

    NAME is the file's stem, with a mark behind it where two are called the same. What is whole already, of the same
    video with the same options, is left as it is. A video that cannot be used is named in the result and stops
    nothing. Whatever interrupts a run, the same call goes on where it stopped.

    Args:
        videos: files, and folders, of which every video is taken.
        out: the folder.
        options: of all videos.
        workers: processes, each with one thread; as many as there are cores, with Ray as the cluster has CPUs, if not
            given; 0 is this process.
        engine: "local" or "ray"; the machines of a cluster need videos and `out` at the same paths.
        again: make everything anew.
        progress: told how many videos are done.
        **keywords: single options by their names, as in `predict_to_folder`.

    Returns:
        What became of each video.

    Raises:
        PointlightError: a folder without videos, options that mean one video, `out` cannot be written to or another
            run writes there, the model cannot be used, or there is no such engine.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_many("video.mp4", "results", workers=0, end_s=0.2, refine=False, overlay=False)
        >>> [(video.name, video.frames, video.error) for video in result.videos]
        [('video', 6, '')]
    """
    options = options_with(options, keywords)
    for name, flag in _ONE_VIDEO.items():
        if getattr(options, name) is not None:
            raise PointlightError(f"{flag} means one video, and several are given; give it with one")
    sources = [videos] if isinstance(videos, str | os.PathLike) else list(videos)
    found = videos_of([Path(source) for source in sources])
    if not found:
        raise PointlightError("no video is given; name files or a folder")
    check_folder(Path(out))
    find_engine(engine)
    if workers is not None and workers < 0:
        raise PointlightError(f"{workers} workers make nothing; give 1 or more, or 0 for this process alone")
    sha256 = load_checkpoint(options.model).sha256
    for network in (FINDER, READERS[options.detector]):
        network_file(network, progress)  # once, before many processes ask for it
    return run_many(found, Path(out), options, predict_to_folder, sha256, workers, engine, again, progress)


def run_many(
    videos: Sequence[Path],
    out: Path,
    options: PredictOptions,
    work: Work,
    model_sha256: str,
    workers: int | None = None,
    engine: str = "local",
    again: bool = False,
    progress: ProgressCallback = silent,
) -> ManyResult:
    """`predict_many` with any work, once it is known that it can be done; with 0 local workers in this process."""
    with _only_here(out) as staging:
        known = {row.video: row for row in _read_table(out / TABLE)}
        names = names_of(videos, {path: row.name for path, row in known.items()})
        rows = [VideoResult(name, str(video.absolute())) for name, video in zip(names, videos, strict=True)]
        table = _Table(out / TABLE, known, rows)
        missing: list[int] = []
        anew: set[int] = set()
        for index, row in enumerate(rows):
            folder = out / row.name
            if folder.is_dir():
                sweep_partials(folder)
            before = Summary.load(folder)
            if before is None or again or not _is_whole(before, folder, row, options, model_sha256):
                missing.append(index)
                anew.update({index} if before is not None else ())
            else:
                rows[index] = _made(row, before, "before")
        table.write()
        job = VideoJob(
            tuple(video.absolute() for video in videos),
            tuple((out / row.name).absolute() for row in rows),
            options,
            staging.absolute(),
            work,
        )
        done = len(rows) - len(missing)
        progress(Progress("videos", done, len(rows), unit="video"))
        if workers is None:
            workers = 0 if engine == "ray" else usable_cores()
        with closing(staged(engine, job, missing, workers)) as indices:
            for index in indices:
                row = rows[index]
                summary = Summary.load(out / row.name)
                if error := job.error(index) or ("" if summary else "its summary.json cannot be read"):
                    rows[index] = replace(row, error=error)
                elif summary is not None:
                    rows[index] = _made(row, summary, "anew" if index in anew else "now")
                table.write()
                done += 1
                failed = sum(bool(row.error) for row in rows)
                note = f"{failed} could not be used" if failed else ""
                progress(Progress("videos", done, len(rows), note, unit="video"))
    return ManyResult(out, tuple(rows), out / TABLE)


@contextmanager
def _only_here(out: Path) -> Iterator[Path]:
    """The folder for notes of this run, the only one that writes to `out`; what a killed one left is removed."""
    ensure_folder(out)
    staging = out / ".staging"
    with only_run(out / ".lock", str(out)):
        sweep_partials(out)
        shutil.rmtree(staging, ignore_errors=True)
        ensure_folder(staging)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _is_whole(
    summary: Summary, folder: Path, row: VideoResult, options: PredictOptions, model_sha256: str
) -> bool:
    try:
        video = VideoFile.of(Path(row.video))
    except OSError:
        return False
    there = all((folder / name).is_file() for name in summary.files)
    return there and summary.is_of(video, options, model_sha256)


def _made(row: VideoResult, summary: Summary, made: str) -> VideoResult:
    return replace(
        row,
        made=made,
        frames=summary.frames,
        bodies=summary.frames_with_body,
        seconds=round(sum(summary.seconds.values()), 3),
        warnings=summary.warnings,
    )


class _Table:
    """`summary.csv`: every video that was ever named for this folder, whole at any moment."""

    def __init__(self, path: Path, known: dict[str, VideoResult], rows: list[VideoResult]) -> None:
        now = {row.video for row in rows}
        self._path = path
        self._others = [row for video, row in known.items() if video not in now]
        self._rows = rows

    def write(self) -> None:
        """As things stand; a video that has not come up yet has no frames and no error."""
        with atomic_path(self._path) as temporary, _text(temporary, "w") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for row in (*self._rows, *self._others):
                values = (row.frames, row.bodies, row.seconds) if row.frames else ("", "", "")
                table.writerow((row.name, row.video, *values, _BETWEEN.join(row.warnings), row.error))


def _text(path: Path, mode: str) -> IO[str]:
    """Names of files may be no text."""
    return open(path, mode, newline="", encoding="utf-8", errors="surrogateescape")


def _read_table(path: Path) -> list[VideoResult]:
    """What an earlier run has written; nothing where that is no table of ours."""
    try:
        with _text(path, "r") as file:
            return [
                VideoResult(
                    row["name"],
                    row["video"],
                    frames=int(row["frames"] or 0),
                    bodies=int(row["bodies"] or 0),
                    seconds=float(row["seconds"] or 0),
                    warnings=tuple(filter(None, row["warnings"].split(_BETWEEN))),
                    error=row["error"],
                )
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, TypeError, ValueError, AttributeError, csv.Error):
        return []
