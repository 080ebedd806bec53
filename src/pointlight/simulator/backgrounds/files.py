"""Which videos a folder offers as backgrounds: by its index.csv, by Kinetics' lists, or simply all of them."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pointlight.configuration import config_sha256, repr_sha256
from pointlight.errors import PointlightError
from pointlight.motion import SPLITS

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v")

_SPLIT_NAMES = {
    "train": "train",
    "val": "validation",
    "validate": "validation",
    "validation": "validation",
    "test": "heldout",
    "heldout": "heldout",
}
"""Kinetics' lists say 'validate' or 'val', its folders 'val'; its test set is never trained on."""

_ID_LETTERS = 11
"""A YouTube id: it may hold '_' and '-', so names are cut by length and never split."""

_END_BYTES = 1 << 16


@dataclass(frozen=True)
class BackgroundFile:
    """One video of a folder.

    Attributes:
        file: relative to the folder, with '/'.
        group: its class, such as Kinetics' label; "" if unknown.
        split: one of `SPLITS`.
        has_people: None if nobody said.
        camera_moves: None if nobody said.
        permissive: whether its licence allows publication.
        fingerprint: of the file's size, first and last 64 KiB, and name; whole files would take hours to hash.
    """

    file: str
    group: str
    split: str
    has_people: bool | None = None
    camera_moves: bool | None = None
    permissive: bool = False
    fingerprint: str = ""


@dataclass(frozen=True)
class BackgroundManifest:
    """The videos of one split of a folder, sorted by name.

    Attributes:
        folder: where they lie; not part of the identity.
        split: the one that all files have.
        files: sorted.
        missing: files that a list names and the folder lacks.
    """

    folder: Path
    split: str
    files: tuple[BackgroundFile, ...]
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a mixture of splits."""
        if wrong := [entry.file for entry in self.files if entry.split != self.split]:
            raise ValueError(f"{wrong[0]} is not of the split {self.split!r}")

    @property
    def sha256(self) -> str:
        """Of everything but where the folder lies."""
        return config_sha256([self.split, self.files])

    @property
    def old_sha256(self) -> str:
        """The same by the rule of version 0.1.0, which named the caches of that version."""
        return repr_sha256((self.split, self.files))

    @property
    def people_share(self) -> float | None:
        """Share of files with people among those of which it is known."""
        known = [entry.has_people for entry in self.files if entry.has_people is not None]
        return sum(known) / len(known) if known else None

    def chosen(self, people: bool = True, permissive_only: bool = False) -> BackgroundManifest:
        """The files that may be used.

        Args:
            people: False keeps only those known to show nobody.
            permissive_only: keep those whose licence allows publication.
        """
        files = (entry for entry in self.files if people or entry.has_people is False)
        return replace(self, files=tuple(entry for entry in files if entry.permissive or not permissive_only))


def list_backgrounds(folder: Path | str, split: str = "train") -> BackgroundManifest:
    """The videos of a folder that belong to a split.

    An `index.csv` with the columns file and split decides alone. Otherwise Kinetics' CSV lists in the folder do
    (k400, k600, k700; class folders or flat), then folders called train, val or test; what remains is 'train', or is left
    out if there are lists. A file below a folder `replacement*` takes the place of the file of the same name.

    Raises:
        PointlightError: no such folder or split, a list that cannot be read, or no video of that split.
    """
    folder = Path(folder)
    if split not in SPLITS:
        raise PointlightError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
    if not folder.is_dir():
        raise PointlightError(f"there is no folder {folder}; give one with videos")
    index = folder / "index.csv"
    files = _by_index(index) if index.is_file() else _by_name(folder)
    mine = sorted((entry for entry in files if entry.split == split), key=lambda entry: entry.file)
    if not mine:
        there = sorted({entry.split for entry in files})
        raise PointlightError(
            f"{folder} holds no video of the split {split!r}"
            + (f", only of {', '.join(there)}" if there else f"; it needs {', '.join(VIDEO_SUFFIXES)} files")
        )
    present = [entry for entry in mine if (folder / entry.file).is_file()]
    return BackgroundManifest(
        folder,
        split,
        tuple(replace(entry, fingerprint=_fingerprint(folder, entry.file)) for entry in present),
        tuple(entry.file for entry in mine if entry not in present),
    )


def _by_index(path: Path) -> list[BackgroundFile]:
    """Rows of an index.csv; splits it does not know of, such as 'none', are no one's."""
    rows = _rows(path)
    if rows and not {"file", "split"} <= set(rows[0]):
        raise PointlightError(f"{path} must have the columns file and split, with commas between them")
    files = [
        BackgroundFile(
            file=row["file"],
            group=row.get("class") or "",
            split=split,
            has_people=_yes(row, "has_people", path),
            camera_moves=_yes(row, "camera_moves", path),
            permissive=_yes(row, "permissive", path) is True,
        )
        for row in rows
        if (split := (row["split"] or "").strip().lower()) in SPLITS and row["file"]
    ]
    seen: dict[str, str] = {}
    for entry in files:
        if seen.setdefault(entry.file, entry.split) != entry.split:
            raise PointlightError(
                f"{path} puts {entry.file} into {seen[entry.file]!r} and {entry.split!r}; keep one"
            )
    return list({entry.file: entry for entry in files}.values())


def _by_name(folder: Path) -> list[BackgroundFile]:
    """All videos, with what Kinetics' lists and the folders' names say of them."""
    listed = _kinetics(folder)
    found = [
        PurePosixPath(path.relative_to(folder).as_posix())
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES
    ]
    mended = {path.name for path in found if _is_replacement(path)}
    replaced = {path.name: path for path in found if path.name in mended and not _is_replacement(path)}
    files = []
    for path in found:
        if path.name in mended and not _is_replacement(path):
            continue
        place = replaced.get(path.name, path)
        label, split = listed.get(place.stem[:_ID_LETTERS], ("", ""))
        split = split or next((_SPLIT_NAMES[part] for part in place.parts[:-1] if part in _SPLIT_NAMES), "")
        if not split and listed:
            continue
        parent = place.parent.name
        label = label or ("" if parent in _SPLIT_NAMES or _is_replacement(place) else parent)
        files.append(BackgroundFile(path.as_posix(), label, split or "train"))
    return files


def _is_replacement(path: PurePosixPath) -> bool:
    return any(part.startswith("replacement") for part in path.parts[:-1])


def _kinetics(folder: Path) -> dict[str, tuple[str, str]]:
    """Label ("" in k400's test list) and split by YouTube id, of all of Kinetics' lists in a folder."""
    listed: dict[str, tuple[str, str]] = {}
    for path in sorted(folder.glob("*.csv")):
        for row in _rows(path):
            if "youtube_id" not in row:
                break
            split = _SPLIT_NAMES.get(row.get("split") or "", "")
            name, known = row["youtube_id"], listed.get(row["youtube_id"])
            if known is not None and known[1] != split:
                raise PointlightError(
                    f"{path} puts {name} into {split!r}, another list into {known[1]!r}; keep the lists of one release"
                )
            listed[name] = (row.get("label") or (known[0] if known else ""), split)
    return listed


def _rows(path: Path) -> Sequence[dict[str, str]]:
    """The rows of a table; bytes that are no UTF-8 are kept as the file system gives them in names."""
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            return list(csv.DictReader(stream))
    except (OSError, csv.Error) as error:
        raise PointlightError(f"{path} cannot be read as a table ({error})") from error


_WORDS = {
    "yes": True,
    "true": True,
    "1": True,
    "no": False,
    "false": False,
    "0": False,
    "": None,
    "unknown": None,
}


def _yes(row: dict[str, str], column: str, path: Path) -> bool | None:
    word = (row.get(column) or "").strip().lower()
    if word not in _WORDS:
        raise PointlightError(f"{path} says {word!r} in the column {column}; write yes, no, or nothing")
    return _WORDS[word]


def _fingerprint(folder: Path, file: str) -> str:
    path = folder / file
    size = path.stat().st_size
    return _digest((os.fsencode(file), str(size).encode(), *_ends(path, size)))


def _ends(path: Path, size: int) -> Iterable[bytes]:
    try:
        with open(path, "rb") as stream:
            yield stream.read(_END_BYTES)
            stream.seek(max(0, size - _END_BYTES))
            yield stream.read(_END_BYTES)
    except OSError:  # said when its frames are wanted
        yield b"unreadable"


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
