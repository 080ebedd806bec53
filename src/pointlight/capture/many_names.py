"""Which videos are meant, and under which name each one's result stands."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from pointlight.errors import PointlightError

VIDEO_SUFFIXES = (
    *(".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"),
    *(".ogv", ".ts", ".webm", ".wmv"),
)
"""What counts as a video in a folder; a file that is named may have any."""

_RESERVED = ("summary.csv", ".staging", ".lock")


def videos_of(sources: Sequence[Path]) -> list[Path]:
    """Every video that is named or lies in a folder that is named, each once; folders inside it are not looked into.

    Raises:
        PointlightError: a folder has none, or cannot be looked into.
    """
    found: dict[str, Path] = {}
    for source in sources:
        for video in _videos_in(source) if source.is_dir() else [source]:
            found.setdefault(os.path.realpath(video), video)
    return list(found.values())


def names_of(videos: Sequence[Path], known: Mapping[str, str]) -> list[str]:
    """The name of each video's folder: its stem, with a mark of its path behind it where that is taken already.

    Args:
        videos: in their order; the first of two that are called the same has the bare name.
        known: names that were given earlier, by the video's absolute path; they stay, so that a name never comes to
            mean another video.

    Returns:
        One name a video. No two are equal on a file system that ignores case, or how letters with accents are written.
    """
    paths = [str(video.absolute()) for video in videos]
    taken = {_key(name) for name in (*_RESERVED, *known.values())}
    names = []
    for video, path in zip(videos, paths, strict=True):
        name = known.get(path)
        if name is None:
            name = stem = video.stem.rstrip(" .") or "video"
            digest = hashlib.sha256(os.fsencode(path)).hexdigest()
            length = 6
            while _key(name) in taken:
                name = f"{stem}-{digest[:length]}"
                length += 1
            taken.add(_key(name))
        names.append(name)
    return names


def _videos_in(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise PointlightError(
            f"cannot look into the folder {folder} ({error.strerror}); choose another"
        ) from error
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES]
    if not videos:
        raise PointlightError(
            f"there is no video in the folder {folder} (it would end in {', '.join(VIDEO_SUFFIXES)}); name the files, "
            "or another folder"
        )
    return videos


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
