"""What is in a data set of shards: names, one entry a shard, and the index that says that all of it is finished."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointlight.errors import PointlightError
from pointlight.simulator.clips.storage import open_storage

SHARDS_FORMAT_VERSION = 1
INDEX = "index.json"


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

    @staticmethod
    def from_json(entry: Mapping[str, Any]) -> ShardEntry:
        """The entry that `as_json` wrote."""
        return ShardEntry(entry["file"], entry["bytes"], entry["sha256"], tuple(entry["clips"]))


def clip_key(index: int) -> str:
    """Under which a clip's files stand in a shard."""
    return f"{index:08d}"


def shard_name(number: int) -> str:
    """File name of a shard."""
    return f"shard-{number:06d}.tar"


def read_index(address: Path | str) -> dict[str, Any]:
    """The index of finished shards.

    Raises:
        PointlightError: there is none, or it is of another format.
    """
    content = open_storage(address).read(INDEX)
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
