"""Clips in WebDataset's tar shards: a clip's own tar while it is staged, and shards of them, written whole."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pointlight.errors import PointlightError
from pointlight.files import atomic_path, file_sha256
from pointlight.simulator.clips.files import provenance_of
from pointlight.simulator.clips.shard_index import ShardEntry, clip_key, shard_name
from pointlight.simulator.clips.shard_reader import content_of, samples
from pointlight.simulator.clips.storage import Storage


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
            yield from samples(storage, [shard_name(number)])

    for files in readable():
        index = provenance_of(files).index
        if not path_of(index).exists():
            with atomic_path(path_of(index)) as temporary:
                temporary.write_bytes(packed_clip(index, files))


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
            files = _read_members(path)
            for member in sorted(files):
                _add(archive, member, files[member])
            clips.append(_described(files))
    entry = ShardEntry(name, whole.stat().st_size, file_sha256(whole), tuple(clips))
    storage.move_in(whole, name)
    return entry


def _described(files: Mapping[str, bytes]) -> dict[str, Any]:
    """What an index says of a clip, whose files are given by their names in the shard."""
    key = next(iter(files)).partition(".")[0]
    described = json.loads(files[f"{key}.json"])
    sources = described["provenance"]["sources"]
    return {
        "key": key,
        "index": described["provenance"]["index"],
        "motion": sources.get("motion", ""),
        "background": sources.get("background", ""),
        "has_occluder": described["has_occluder"],
        "bytes": sum(map(len, files.values())),
    }


def _read_members(path: Path) -> dict[str, bytes]:
    """All files of a small tar by name.

    Raises:
        PointlightError: it is broken.
    """
    try:
        with tarfile.open(path) as archive:
            return {member.name: content_of(archive, member) for member in archive}
    except (tarfile.TarError, OSError) as error:
        raise PointlightError(f"{path} is broken ({error}); delete it and go on") from error


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file with nothing in its header that depends on when and by whom."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o644
    archive.addfile(entry, io.BytesIO(content))
