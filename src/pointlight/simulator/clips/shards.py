"""Clips in WebDataset's tar shards, in a folder or at any address that fsspec knows; written whole, read in any order."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import numpy as np

from pointlight.errors import PointlightError
from pointlight.files import atomic_path, ensure_folder
from pointlight.randomness import stream
from pointlight.simulator.clips.composite import VideoClip
from pointlight.simulator.clips.files import decode_clip, provenance_of
from pointlight.simulator.clips.synthesis import check_training_clip

SHARDS_FORMAT_VERSION = 1
INDEX = "index.json"
PAUSES_S = (1.0, 5.0)
"""Before an upload that broke off is tried again."""

_EXTRAS = {"s3": "s3", "gs": "gcs", "gcs": "gcs"}
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss")


class Storage:
    """A folder, or an address of fsspec such as s3://bucket/folder or memory://folder, with files in it.

    Attributes:
        address: as given.
        local: the folder; None for other addresses.
    """

    def __init__(self, address: Path | str) -> None:
        """Find out what kind of place it is.

        Raises:
            PointlightError: no such protocol, or its package is missing.
        """
        self.address = str(address)
        protocol, separator, _ = self.address.partition("://")
        self.local = None if separator and protocol != "file" else Path(self.address.removeprefix("file://"))
        self._whole = protocol in _OBJECT_STORES
        if self.local is None:
            try:
                self._files, self._root = fsspec.core.url_to_fs(self.address)
            except ImportError as error:
                extra = _EXTRAS.get(protocol)
                remedy = f"install pointlight[{extra}]" if extra else "install its fsspec package"
                raise PointlightError(f"{self.address} cannot be opened ({error}); {remedy}") from error
            except ValueError as error:
                raise PointlightError(
                    f"{self.address} is at no address that fsspec knows ({error})"
                ) from error

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is none.

        Raises:
            PointlightError: the place cannot be read.
        """
        with self._said("read", name):
            try:
                with self.open(name) as file:
                    return file.read()
            except FileNotFoundError:
                return None

    def open(self, name: str) -> Any:
        """A file for reading bytes."""
        if self.local is not None:
            return open(self.local / name, "rb")
        return self._files.open(f"{self._root}/{name}", "rb")

    def put(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all."""
        if self.local is not None:
            with atomic_path(self.local / name) as temporary:
                temporary.write_bytes(content)
            return
        self._upload(name, len(content), lambda target: self._files.pipe_file(target, content))

    def move_in(self, path: Path, name: str) -> None:
        """Bring in a finished local file; it is gone from where it was."""
        if self.local is not None:
            ensure_folder(self.local)
            os.replace(path, self.local / name)
            return
        self._upload(name, path.stat().st_size, lambda target: self._files.put_file(str(path), target))
        path.unlink()

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        if self.local is not None:
            (self.local / name).unlink(missing_ok=True)
            return
        with self._said("write", name), suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")

    def sweep(self) -> None:
        """Delete what interruptions left half-written."""
        if self.local is not None:
            for rest in self.local.glob(".*.partial*"):
                rest.unlink(missing_ok=True)
        elif not self._whole:
            with self._said("write", ""):
                if self._files.exists(self._root):
                    for rest in self._files.ls(self._root, detail=False):
                        if _is_partial(rest.rpartition("/")[2]):
                            self._files.rm_file(rest)

    def _upload(self, name: str, size: int, write: Callable[[str], None]) -> None:
        """Write a file at an address; a connection that breaks is tried again a few times.

        Object stores show an object when it is whole. Elsewhere it is written beside its place and moved.
        """
        target = f"{self._root}/{name}"
        partial = target if self._whole else f"{self._root}/.{name}.{uuid.uuid4().hex[:8]}.partial"
        for pause_s in (*PAUSES_S, None):
            try:
                with self._said("write", name):
                    self._files.makedirs(self._root, exist_ok=True)
                    write(partial)
                    if (there := self._files.size(partial)) not in (size, None):
                        raise OSError(f"{there} of {size} bytes arrived")
                    if not self._whole:
                        self._files.mv(partial, target)
                return
            except PointlightError:
                if not self._whole:
                    with suppress(Exception):  # it may not be there, or out of reach; swept up the next time
                        self._files.rm_file(partial)
                if pause_s is None:
                    raise
                time.sleep(pause_s)

    @contextmanager
    def _said(self, what: str, name: str) -> Iterator[None]:
        """Turns what goes wrong at an address into one sentence; each kind raises errors of its own package."""
        try:
            yield
        except Exception as error:
            reason = " ".join((str(error) or type(error).__name__).split())
            may = "written to" if what == "write" else "read"
            raise PointlightError(
                f"cannot {what} {self.address.rstrip('/')}/{name} ({reason}); see that it may be {may}"
            ) from error


def _is_partial(name: str) -> bool:
    return name.startswith(".") and name.endswith(".partial")


def clip_key(index: int) -> str:
    """Under which a clip's files stand in a shard."""
    return f"{index:08d}"


def shard_name(number: int) -> str:
    """File name of a shard."""
    return f"shard-{number:06d}.tar"


def packed_clip(index: int, files: Mapping[str, bytes]) -> bytes:
    """One clip's files as a tar of its own; equal files make equal bytes."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for suffix in sorted(files):
            _add(archive, f"{clip_key(index)}.{suffix}", files[suffix])
    return content.getvalue()


def unpack_shard(storage: Storage, number: int, path_of: Callable[[int], Path]) -> None:
    """Stage a shard's clips again, as they were; those that are staged already, and those of a broken shard, are left.

    Args:
        storage: where the shard stands.
        number: of the shard.
        path_of: where a clip is staged.
    """

    def readable() -> Iterator[dict[str, bytes]]:
        with suppress(PointlightError):  # its clips will be made again
            yield from _samples(storage, [shard_name(number)])

    for files in readable():
        index = provenance_of(files).index
        if not path_of(index).exists():
            with atomic_path(path_of(index)) as temporary:
                temporary.write_bytes(packed_clip(index, files))


@dataclass(frozen=True)
class ShardEntry:
    """One shard of an index.

    Attributes:
        file: its name.
        bytes: its size.
        sha256: of its content.
        clips: what is known of each clip: key, index, motion, background, has_occluder, bytes.
    """

    file: str
    bytes: int
    sha256: str
    clips: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"file": self.file, "bytes": self.bytes, "sha256": self.sha256, "clips": list(self.clips)}


def assemble_shard(storage: Storage, staging: Path, number: int, staged: Sequence[Path]) -> ShardEntry:
    """Make a shard of staged clips, under its final name only when it is whole.

    Args:
        storage: where it shall stand.
        staging: a local folder for what is not yet whole.
        number: of the shard.
        staged: the clips' tars in order.

    Raises:
        PointlightError: a clip is broken, or there is no room.
    """
    name = shard_name(number)
    clips = []
    whole = staging / name
    with (
        atomic_path(whole) as temporary,
        tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path in staged:
            files = read_members(path)
            for member in sorted(files):
                _add(archive, member, files[member])
            key = next(iter(files)).partition(".")[0]
            described = json.loads(files[f"{key}.json"])
            sources = described["provenance"]["sources"]
            clips.append(
                {
                    "key": key,
                    "index": described["provenance"]["index"],
                    "motion": sources.get("motion", ""),
                    "background": sources.get("background", ""),
                    "has_occluder": described["has_occluder"],
                    "bytes": sum(map(len, files.values())),
                }
            )
    digest = hashlib.sha256()
    with open(whole, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    entry = ShardEntry(name, whole.stat().st_size, digest.hexdigest(), tuple(clips))
    storage.move_in(whole, name)
    return entry


def read_members(path: Path) -> dict[str, bytes]:
    """All files of a small tar by name.

    Raises:
        PointlightError: it is broken.
    """
    try:
        with tarfile.open(path) as archive:
            return {member.name: _content(archive, member) for member in archive}
    except (tarfile.TarError, OSError) as error:
        raise PointlightError(f"{path} is broken ({error}); delete it and go on") from error


def read_index(address: Path | str) -> dict[str, Any]:
    """The index of finished shards.

    Raises:
        PointlightError: there is none, or it is of another format.
    """
    content = Storage(address).read(INDEX)
    if content is None:
        raise PointlightError(
            f"{address} has no {INDEX}: it holds no finished shards; make them with `pointlight synthesize`"
        )
    try:
        index = json.loads(content)
    except ValueError as error:
        raise PointlightError(f"{address}/{INDEX} is broken ({error}); make the shards again") from error
    if index.get("format_version") != SHARDS_FORMAT_VERSION:
        raise PointlightError(
            f"the shards of {address} are of format {index.get('format_version')}, not {SHARDS_FORMAT_VERSION}"
        )
    return index


def read_clips(
    address: Path | str,
    *,
    split: str = "train",
    seed: int | None = None,
    epoch: int = 0,
    buffer: int = 64,
    reader: int = 0,
    readers: int = 1,
) -> Iterator[VideoClip]:
    """The clips of finished shards, once each.

    Args:
        address: folder or address.
        split: that everything in every clip must be of.
        seed: of the order; None reads in order of the index.
        epoch: each has another order.
        buffer: clips that are held back and drawn from, beside the order of shards.
        reader: number of this reader, rank * workers + worker.
        readers: how many share the shards; no two get the same one.

    Raises:
        PointlightError: fewer shards than readers, a broken shard, or a clip of another split.
    """
    files = [entry["file"] for entry in read_index(address)["shards"]]
    storage = Storage(address)
    if len(files) < readers:
        raise PointlightError(
            f"{address} has {len(files)} shards for {readers} readers; make smaller shards or read with fewer"
        )
    if seed is None:
        mine = files[reader::readers]
        yield from (_checked(files, split) for files in _samples(storage, mine))
        return
    order = stream(seed, epoch, "order of shards").permutation(len(files))
    mine = [files[number] for number in order[reader::readers]]
    rng = stream(seed, epoch, f"order of clips of reader {reader}")
    for sample in _shuffled(_samples(storage, mine), buffer, rng):
        yield _checked(sample, split)


def _checked(files: Mapping[str, bytes], split: str) -> VideoClip:
    check_training_clip(provenance_of(files), split)
    return decode_clip(files)


def _shuffled(
    samples: Iterator[dict[str, bytes]], buffer: int, rng: np.random.Generator
) -> Iterator[dict[str, bytes]]:
    held: list[dict[str, bytes]] = []
    for sample in samples:
        held.append(sample)
        if len(held) > buffer:
            chosen = int(rng.integers(len(held)))
            held[chosen], held[-1] = held[-1], held[chosen]
            yield held.pop()
    for chosen in rng.permutation(len(held)):
        yield held[chosen]


def _samples(storage: Storage, names: Sequence[str]) -> Iterator[dict[str, bytes]]:
    """Files by suffix of one clip after the other."""
    for name in names:
        try:
            with storage.open(name) as file, tarfile.open(fileobj=file, mode="r|") as archive:
                key, files = "", {}
                for member in archive:
                    this, _, suffix = member.name.partition(".")
                    if files and this != key:
                        yield files
                        files = {}
                    key, files[suffix] = this, _content(archive, member)
                if files:
                    yield files
        except (tarfile.TarError, OSError) as error:
            raise PointlightError(
                f"the shard {storage.address}/{name} cannot be read ({error}); make it again"
            ) from error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return b"" if file is None else file.read()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """With nothing in it that depends on when and by whom."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o644
    archive.addfile(entry, io.BytesIO(content))
