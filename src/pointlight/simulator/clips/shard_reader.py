"""The clips of finished shards, in any order, shared among readers."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError
from pointlight.randomness import stream
from pointlight.simulator.clips.composite import VideoClip, check_training_clip
from pointlight.simulator.clips.files import decode_clip, provenance_of
from pointlight.simulator.clips.shard_index import read_index
from pointlight.simulator.clips.storage import Storage, open_storage


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

    Returns:
        An iterator of clips with their whole truth.

    Raises:
        PointlightError: fewer shards than readers, a broken shard, or a clip of another split.

    Example:
        >>> import pointlight
        >>> for clip in pointlight.read_clips("clips", seed=1, epoch=0):
        ...     print(clip.frames.shape, clip.visible.shape)
        (31, 240, 320, 3) (31, 19)
    """
    files = [entry["file"] for entry in read_index(address)["shards"]]
    storage = open_storage(address)
    if len(files) < readers:
        raise PointlightError(
            f"{address} has {len(files)} shards for {readers} readers; make smaller shards or read with fewer"
        )
    if seed is None:
        mine = files[reader::readers]
        yield from (_checked(files, split) for files in samples(storage, mine))
        return
    order = stream(seed, epoch, "order of shards").permutation(len(files))
    mine = [files[number] for number in order[reader::readers]]
    rng = stream(seed, epoch, f"order of clips of reader {reader}")
    for clip in _shuffled(samples(storage, mine), buffer, rng):
        yield _checked(clip, split)


def _checked(files: Mapping[str, bytes], split: str) -> VideoClip:
    check_training_clip(provenance_of(files), split)
    return decode_clip(files)


def _shuffled(
    clips: Iterator[dict[str, bytes]], buffer: int, rng: np.random.Generator
) -> Iterator[dict[str, bytes]]:
    held: list[dict[str, bytes]] = []
    for files in clips:
        held.append(files)
        if len(held) > buffer:
            chosen = int(rng.integers(len(held)))
            held[chosen], held[-1] = held[-1], held[chosen]
            yield held.pop()
    for chosen in rng.permutation(len(held)):
        yield held[chosen]


def samples(storage: Storage, names: Sequence[str]) -> Iterator[dict[str, bytes]]:
    """Files by suffix of one clip after the other, streamed.

    Args:
        storage: where the shards stand.
        names: of the shards.

    Raises:
        PointlightError: a shard is broken or not there.
    """
    for name in names:
        try:
            with storage.open(name) as file, tarfile.open(fileobj=file, mode="r|") as archive:
                key, files = "", {}
                for member in archive:
                    this, _, suffix = member.name.partition(".")
                    if files and this != key:
                        yield files
                        files = {}
                    key, files[suffix] = this, content_of(archive, member)
                if files:
                    yield files
        except (tarfile.TarError, OSError) as error:
            raise PointlightError(
                f"the shard {storage.address}/{name} cannot be read ({error}); make it again"
            ) from error


def content_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """A member's bytes; none for what is no file."""
    file = archive.extractfile(member)
    return b"" if file is None else file.read()
