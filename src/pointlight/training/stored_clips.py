"""Clips of finished shards by number: read a shard at a time, near or far, and no more decoded than is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pointlight.body import BodyModel
from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.randomness import stream
from pointlight.simulator import VideoClip, decode_clip
from pointlight.simulator.clips import (
    check_training_clip,
    open_storage,
    provenance_of,
    read_index,
    recipe_of,
    samples,
)
from pointlight.training.picture_clips import PictureClip, whole_clip

_LAYERS = ("frames", "masks", "parts")
_TOGETHER = 2
"""Shards whose clips are mixed; a process holds so many, and one more, as they are stored."""

_SETTINGS = ("recipe", "split", "config", "seed", "versions")
"""Of an index: what its clips are functions of, beside their number."""


class StoredClips:
    """The clips of one split at several addresses, numbered in order.

    Attributes:
        recipe: of all of them, its name.
        split: of everything in them.
        frames: of each.
        exact: the people's exact flow is decoded too.
        made_by: what says which clips they are; more clips of one address are the same with some behind.
        sha256: of the shards' content.
    """

    def __init__(self, addresses: Sequence[str], split: str, *, exact: bool = False) -> None:
        """Read the indices of those that are of the split.

        Args:
            addresses: folders or addresses of `pointlight synthesize`, of any splits.
            split: whose clips are wanted.
            exact: decode the people's exact flow too.

        Raises:
            PointlightError: no shards at an address, none of the split, or of several recipes.
        """
        indices = {address: read_index(address) for address in dict.fromkeys(addresses)}
        mine = {address: index for address, index in indices.items() if index["split"] == split}
        if not mine:
            raise PointlightError(
                f"{', '.join(indices)} have no clips of the split {split!r}; make some with `pointlight synthesize "
                f"--split {split}` and give them too"
            )
        kinds = {(recipe_of(index["recipe"]), index["config"]["scenes"]["frames"]) for index in mine.values()}
        if len(kinds) > 1:
            told = ", ".join(f"{recipe} with {frames} frames" for recipe, frames in sorted(kinds))
            raise PointlightError(f"the shards are of several kinds ({told}); give those of one")
        self.split = split
        ((self.recipe, self.frames),) = kinds
        self.exact = exact
        self._shards = [(address, entry) for address, index in mine.items() for entry in index["shards"]]
        self._ends = np.cumsum([len(entry["clips"]) for _, entry in self._shards])
        self.made_by: list[Any] = [
            config_sha256({name: index[name] for name in _SETTINGS}) for index in mine.values()
        ]
        if len(mine) > 1:  # clips behind those of another address would have other numbers if that had more
            self.made_by.append([index["count"] for index in mine.values()])
        self.sha256 = config_sha256({"shards": [entry["sha256"] for _, entry in self._shards]})

    def __len__(self) -> int:
        """How many clips there are."""
        return int(self._ends[-1])

    def clip(self, number: int) -> VideoClip:
        """Clip `number`, with the layers that pictures need.

        Raises:
            PointlightError: its shard cannot be read, or something in it is of another split.
        """
        shard = int(np.searchsorted(self._ends, number, side="right"))
        address, entry = self._shards[shard]
        place = number - int(self._ends[shard]) + len(entry["clips"])
        content = _content(address, entry["file"])
        if len(content) != len(entry["clips"]):
            raise PointlightError(
                f"{address}/{entry['file']} holds {len(content)} clips where its index says {len(entry['clips'])}; make it "
                "again"
            )
        check_training_clip(provenance_of(content[place]), self.split)
        return decode_clip(content[place], (*_LAYERS, "flow") if self.exact else _LAYERS)

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """(N,) all numbers, each once: shards by chance, the clips of a few that follow one another mixed."""
        rng = stream(seed, epoch, "order of stored clips")
        shards = rng.permutation(len(self._shards))
        counts = [len(entry["clips"]) for _, entry in self._shards]
        numbers = [
            np.arange(int(end) - count, int(end)) for count, end in zip(counts, self._ends, strict=True)
        ]
        lots = []
        for first in range(0, len(shards), _TOGETHER):
            some = shards[first : first + _TOGETHER]
            lots.append(rng.permutation(np.concatenate([numbers[k] for k in some])))
        return np.concatenate(lots)


class ShardClips:
    """Stored clips to learn from, see `ClipSupply`: each once an epoch, in another order each time."""

    def __init__(self, clips: StoredClips, body: BodyModel) -> None:
        """Take them.

        Args:
            clips: of one split.
            body: whose pose and shape are the truth.
        """
        self._clips, self._body = clips, body
        self._order = lru_cache(maxsize=2)(clips.order)

    def __len__(self) -> int:
        """How many clips there are."""
        return len(self._clips)

    @property
    def recipe(self) -> str:
        """See `ClipSupply`."""
        return self._clips.recipe

    @property
    def sha256(self) -> str:
        """See `ClipSupply`."""
        return self._clips.sha256

    def number_of(self, use: int, seed: int) -> int:
        """See `ClipSupply`."""
        epoch, place = divmod(use, len(self))
        return int(self._order(seed, epoch)[place])

    def clip(self, number: int) -> PictureClip:
        """See `ClipSupply`."""
        return whole_clip(self._clips.clip(number), self._body, exact=self._clips.exact)


@lru_cache(maxsize=_TOGETHER + 1)
def _content(address: str, file: str) -> list[dict[str, bytes]]:
    """The files of each clip of a shard, as they are stored."""
    return list(samples(open_storage(address), [file]))


def absolute(addresses: Sequence[Path | str]) -> tuple[str, ...]:
    """Addresses that hold wherever a run goes on: folders with their whole path."""
    return tuple(
        str(address) if "://" in str(address) else str(Path(address).resolve()) for address in addresses
    )
