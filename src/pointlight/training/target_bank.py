"""Tracks of real people, prepared once: what is around them, with flow found and keypoints, and no word of their poses.

Domain-adversarial training learns against them (`domains.py`); `pointlight prepare --targets` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from pointlight.body import EXTENDED_KEYPOINTS
from pointlight.configuration import config_sha256
from pointlight.cues import Observation, PictureCueConfig
from pointlight.errors import PointlightError
from pointlight.files import ensure_folder
from pointlight.randomness import stream
from pointlight.training.picture_bank import (
    FORMAT_VERSION,
    BankFrames,
    PictureBankConfig,
    mapped_array,
    part_file,
    read_settings,
    small_arrays,
)
from pointlight.training.picture_data import PictureUseConfig, box_moves
from pointlight.training.picture_preparing import write_arrays, write_settings

_FOLDER = "targets"
"""Beside "train" and "validation" in a folder of prepared pictures."""


class TargetWriter:
    """Fills a bank, a part a video, so that making one can be stopped and gone on with at any time.

    Attributes:
        split: of everything in it.
    """

    split: ClassVar[str] = "train"

    def __init__(self, out: Path, config: PictureBankConfig, frames: int, made_by: dict[str, Any]) -> None:
        """Begin a bank or go on with one.

        Args:
            out: folder that holds it, beside prepared pictures or not.
            config: what is kept of pictures.
            frames: of each track.
            made_by: what else decides on the tracks, such as videos and detector.

        Raises:
            PointlightError: the folder holds a bank that was made by something else, or cannot be written to.
        """
        self._folder, self._config, self._frames = ensure_folder(out / _FOLDER), config, frames
        write_settings(
            self._folder,
            {
                "format_version": FORMAT_VERSION,
                "people": "real",
                "recipe": "",
                "split": self.split,
                "frames": frames,
                "config": {name: getattr(config, name) for name in ("side_px", "margin", "flow")},
                **made_by,
            },
        )

    def has(self, video: int) -> bool:
        """Whether a video's tracks are there, be they none."""
        return part_file(self._folder, video).exists()

    def count(self, video: int) -> int:
        """How many tracks of a video there are."""
        return len(small_arrays(part_file(self._folder, video))["group"]) if self.has(video) else 0

    def write(self, video: int, name: str, tracks: Sequence[dict[str, np.ndarray]]) -> None:
        """Keep all tracks of one video.

        Args:
            video: its number.
            name: its name.
            tracks: of each "rgb", "flow" and "to_picture" of its pairs as `BankFrames` has them, "points_px" (T, 19, 2)
                and "visible" (T, 19) of `EXTENDED_KEYPOINTS`, "focal_px" () and "principal_px" (2,).
        """
        pairs, side, points = self._frames - 1, self._config.side_px, len(EXTENDED_KEYPOINTS)
        shapes = {
            "rgb": ((pairs, side, side, 3), np.uint8),
            "flow": ((pairs, side, side, 2), np.int16),
            "to_picture": ((pairs, 3, 3), np.float64),
            "points_px": ((self._frames, points, 2), np.float32),
            "visible": ((self._frames, points), np.bool_),
            "focal_px": ((), np.float32),
            "principal_px": ((2,), np.float32),
        }
        arrays: dict[str, np.ndarray] = {
            key: np.stack([track[key] for track in tracks]).astype(kind)
            if tracks
            else np.zeros((0, *shape), kind)
            for key, (shape, kind) in shapes.items()
        }
        write_arrays(part_file(self._folder, video), {**arrays, "group": np.array([name] * len(tracks), str)})


class TargetBank:
    """Prepared tracks of real people in a folder; only whole parts count.

    Attributes:
        folder: where they lie.
        sha256: of what they were made by, and of how many tracks each video has.
    """

    def __init__(self, folder: Path | str) -> None:
        """Open a bank.

        Args:
            folder: that `pointlight prepare --targets` was given, or the bank's own.

        Raises:
            PointlightError: there is none, it is empty, or holds simulated people.
        """
        given = Path(folder)
        self.folder = given / _FOLDER if (given / _FOLDER).is_dir() else given
        self._parts = sorted(self.folder.glob("part-*.npz"))
        make = f"make some with `pointlight prepare {given} --targets --backgrounds VIDEOS`"
        if not self._parts:
            raise PointlightError(f"there are no tracks of real people in {given}; {make}")
        settings = read_settings(self.folder)
        if settings.get("people") != "real":
            raise PointlightError(f"the people in {given} are simulated; {make}")
        self._flow = str(settings["config"]["flow"])
        counts = [len(small_arrays(part)["group"]) for part in self._parts]
        self._ends = np.cumsum(counts)
        if not len(self):
            raise PointlightError(f"nobody was found in the videos of {given}; prepare others")
        videos = {part.name: count for part, count in zip(self._parts, counts, strict=True)}
        self.sha256 = config_sha256({**settings, "tracks": videos})

    def __len__(self) -> int:
        """How many tracks there are."""
        return int(self._ends[-1])

    def number_of(self, use: int, seed: int) -> int:
        """Which track is used for the `use`-th time: each once an epoch, in another order each time."""
        epoch, place = divmod(use, len(self))
        return int(_order(seed, epoch, len(self))[place])

    def tracks(self, numbers: Sequence[int]) -> Observation:
        """Tracks (B, T) as `predict` sees people: keypoints, the assumed lens, pictures."""
        places = [self._place(number) for number in numbers]
        rows = [{name: values[at] for name, values in small_arrays(path).items()} for path, at in places]
        pictures = tuple(
            BankFrames(
                mapped_array(path, "rgb")[at], mapped_array(path, "flow")[at], row["to_picture"], self._flow
            )
            for (path, at), row in zip(places, rows, strict=True)
        )
        points, visible, focal, principal = (
            torch.from_numpy(np.stack([row[name] for row in rows]))
            for name in ("points_px", "visible", "focal_px", "principal_px")
        )
        return Observation(points, visible, EXTENDED_KEYPOINTS, focal, principal, pictures)

    def _place(self, number: int) -> tuple[Path, int]:
        part = int(np.searchsorted(self._ends, number, side="right"))
        return self._parts[part], number - (int(self._ends[part - 1]) if part else 0)


class TargetBatches:
    """Makes input `n` of real people, a pure function of (tracks, configuration, seed, n)."""

    def __init__(
        self, tracks: TargetBank, use: PictureUseConfig, cues: PictureCueConfig, *, seed: int, size: int
    ) -> None:
        """Bring together what inputs are made of.

        Args:
            tracks: prepared.
            use: as that of simulated clips.
            cues: what the network sees.
            seed: of all draws.
            size: tracks a batch.
        """
        self._tracks, self._use, self._cues = tracks, use, cues
        self._seed, self._size = seed, size

    def make(self, number: int) -> Tensor:
        """(B, P, F) of every so many pairs, cropped and mirrored as simulated people are."""
        uses = range(number * self._size, (number + 1) * self._size)
        numbers = [self._tracks.number_of(use, self._seed) for use in uses]
        seen = self._tracks.tracks(numbers)
        rng = stream(self._seed, number, "crops and flips of real people")
        phase = int(rng.integers(self._use.stride))
        pairs = torch.arange(phase, seen.visible.shape[1] - 1, self._use.stride)
        seen = replace(seen, box_moves=box_moves(self._use, self._size, rng))
        inputs = self._cues.make(seen, pairs=pairs).inputs
        flips = torch.from_numpy(rng.random(self._size) < 0.5 * self._use.mirror)
        if flips.any():
            inputs[flips] = self._cues.mirrored(inputs[flips])
        return inputs


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    return stream(seed, epoch, "order of real people").permutation(count)
