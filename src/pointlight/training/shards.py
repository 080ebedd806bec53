"""Clips from shards as a data set: shuffled anew each epoch, shared by ranks and worker processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from torch.utils.data import IterableDataset, get_worker_info

from pointlight.errors import PointlightError
from pointlight.simulator import VideoClip, read_clips
from pointlight.simulator.clips import read_index


class ClipShards(IterableDataset[VideoClip]):
    """The clips of finished shards, each once an epoch over all ranks and workers together.

    Hand it to a `DataLoader` with `batch_size=None`. Readers have whole shards, so that ranks may see different numbers
    of clips: the loop takes as many steps as the shortest.

    Attributes:
        epoch: set it before each pass; it decides the order.

    Example:
        >>> import pointlight
        >>> from torch.utils.data import DataLoader
        >>> clips = DataLoader(pointlight.ClipShards("clips", seed=1), batch_size=None)
        >>> sum(1 for clip in clips)
        1
    """

    def __init__(
        self,
        address: Path | str,
        *,
        split: str = "train",
        seed: int,
        buffer: int = 64,
        rank: int | None = None,
        ranks: int | None = None,
    ) -> None:
        """See that shards are there.

        Args:
            address: folder or address of `pointlight synthesize`.
            split: that everything in every clip must be of; others are refused.
            seed: of the order.
            buffer: clips that a reader holds back and draws from.
            rank: of this process; RANK of the environment (torchrun's), or 0, if not given.
            ranks: how many there are; WORLD_SIZE, or 1, if not given.

        Raises:
            PointlightError: no finished shards, shards of another split, or a rank that does not exist.
        """
        self._address, self._split, self._seed, self._buffer = address, split, seed, buffer
        self._rank = int(os.environ.get("RANK", 0)) if rank is None else rank
        self._ranks = int(os.environ.get("WORLD_SIZE", 1)) if ranks is None else ranks
        self.epoch = 0
        if not 0 <= self._rank < self._ranks:
            raise PointlightError(
                f"rank {self._rank} of {self._ranks} does not exist; ranks begin with 0 (RANK, WORLD_SIZE)"
            )
        if (there := read_index(address)["split"]) != split:
            raise PointlightError(
                f"the shards of {address} are of the split {there!r}, where only {split!r} may be used; "
                f"make them with `pointlight synthesize --split {split}`"
            )

    def __iter__(self) -> Iterator[VideoClip]:
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        return read_clips(
            self._address,
            split=self._split,
            seed=self._seed,
            epoch=self.epoch,
            buffer=self._buffer,
            reader=self._rank * workers + worker,
            readers=self._ranks * workers,
        )
