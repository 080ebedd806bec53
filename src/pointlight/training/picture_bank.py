"""A prepared bank: what is around the people of clips, cut a little larger than needed, with flow found and the truth.

Clips with pictures take longer to make and to cut than to learn from; a bank is made once and used many times, each time
with other crops, keypoints and noise (`picture_data.py`). A bank is a folder of parts, each with a few clips, which are
whole or not there, so that making one can be stopped and gone on with at any time.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel, BodyState, SmplBody
from pointlight.configuration import config_sha256
from pointlight.cues import PairPictures
from pointlight.errors import PointlightError
from pointlight.randomness import stream
from pointlight.simulator import Tracks
from pointlight.training.picture_clips import HIDDEN, PictureClip
from pointlight.values import by_value

FORMAT_VERSION = 1
SETTINGS = "bank.json"
"""The file of what a bank was made by."""

FLOW_STEP_PX = 1 / 64
"""Flow is kept in whole steps."""

TRACK_TENSORS = (
    *("points_px", "points_camera_m", "principal_px", "focal_px"),
    *("assumed_focal_px", "assumed_principal_px"),
)
STATE = ("pose", "shape", "root", "translation")
KNOWN = ("known", "body_known")
"""Names of arrays: of `Tracks`, of its state, and of what is known of both, which older banks don't say: all is."""


@dataclass(frozen=True)
class PictureBankConfig:
    """What is kept of clips.

    Attributes:
        side_px: of a picture in the bank.
        margin: its side in crops; crops may move and grow so much.
        flow: the estimator, a name of `find_flow`.
        parts_px: side of the map of body parts, for dense pretraining.
        clips_per_part: that are written at once.
    """

    side_px: int = 88
    margin: float = 1.4
    flow: str = "dis"
    parts_px: int = 44
    clips_per_part: int = 16


@by_value
@dataclass(frozen=True)
class BankFrames:
    """A bank's clip as a source of pictures.

    Attributes:
        rgb: (T-1, S, S, 3) uint8, the first picture of each pair.
        flow: (T-1, S, S, 2) int16, steps of 1/64 of its pixels.
        to_picture: (T-1, 3, 3) from its pixels to the clip's.
        flow_name: the estimator.
    """

    rgb: np.ndarray
    flow: np.ndarray
    to_picture: np.ndarray
    flow_name: str

    def pair(self, number: int) -> PairPictures:
        """See `FrameSource`."""
        return PairPictures(
            self.rgb[number],
            None,
            self.to_picture[number],
            flow_px=self.flow[number].astype(np.float32) * np.float32(FLOW_STEP_PX),
            flow_name=self.flow_name,
        )


class PictureBank:
    """A prepared bank in a folder; only whole parts count.

    Attributes:
        config: what is kept.
        split: of everything in it.
        recipe: of the clips.
        body: SHA-256 of the SMPL file whose pose is in it; "" for our own body.
        sha256: of the settings that it was made by, and of how many clips there are.
    """

    def __init__(self, folder: Path | str, split: str | None = None) -> None:
        """Open a bank.

        Args:
            folder: of `prepare_pictures`.
            split: that it must be of.

        Raises:
            PointlightError: there is none, it is empty, or of another split.
        """
        self.folder = Path(folder)
        settings = read_settings(self.folder)
        self.config = PictureBankConfig(**settings["config"])
        self.split, self.recipe, self.body = settings["split"], settings["recipe"], settings.get("body", "")
        if "people" in settings:
            raise PointlightError(
                f"{folder} holds tracks of real people, without poses; give them with --targets"
            )
        if split is not None:
            self.check_split(split)
        self._parts = sorted(self.folder.glob("part-*.npz"))
        if not self._parts:
            raise PointlightError(
                f"there are no prepared pictures in {folder}; make some with prepare_pictures"
            )
        self.sha256 = config_sha256({**settings, "clips": len(self)})

    def check_split(self, split: str) -> None:
        """See that everything in the bank is of a split.

        Raises:
            PointlightError: it is of another.
        """
        if self.split != split:
            raise PointlightError(
                f"the pictures in {self.folder} are of the split {self.split!r}, where only {split!r} may be used"
            )

    def check_body(self, body: BodyModel) -> None:
        """See that the truth is of a body.

        Raises:
            PointlightError: it is of another.
        """
        if self.body != (body.sha256 if isinstance(body, SmplBody) else ""):
            there = f"SMPL of {self.body[:12]}" if self.body else "our own body"
            raise PointlightError(
                f"the pictures in {self.folder} have the pose of {there}, another is to be learnt; prepare others with "
                "the same --smpl"
            )

    def __len__(self) -> int:
        """How many clips there are."""
        return self.config.clips_per_part * len(self._parts)

    def number_of(self, use: int, seed: int) -> int:
        """See `ClipSupply`: each clip once an epoch, in another order each time."""
        epoch, place = divmod(use, len(self))
        return int(_order(seed, epoch, len(self))[place])

    def clip(self, number: int) -> PictureClip:
        """See `ClipSupply`; of the files as much is read as it needs."""
        part, place = divmod(number, self.config.clips_per_part)
        path = self._parts[part]
        truth = small_arrays(path)
        rgb, flow, parts = (mapped_array(path, name)[place] for name in ("rgb", "flow", "parts"))
        to_picture = truth["to_picture"][place]
        one = slice(place, place + 1)
        tensors = {name: torch.from_numpy(truth[name][one]) for name in TRACK_TENSORS}
        exact = tensors["points_px"][..., : len(EXTENDED_KEYPOINTS), :]
        known, body_known = (_unless_all(truth, name, one) for name in KNOWN)
        tracks = Tracks(
            detections_px=exact,
            visible=torch.ones(exact.shape[:-1], dtype=torch.bool),
            totally_occluded=torch.zeros(exact.shape[:2], dtype=torch.bool),
            state=BodyState(*(torch.from_numpy(truth[f"state_{name}"][one]) for name in STATE)),
            known=known,
            body_known=body_known,
            **tensors,
        )
        larger = self.config.side_px / self.config.parts_px
        return PictureClip(
            frames=BankFrames(rgb, flow, to_picture, self.config.flow),
            parts=parts,
            parts_to_picture=to_picture @ np.diag((larger, larger, 1)),
            tracks=tracks,
            **{name: truth[name][place] for name in HIDDEN},
            group=str(truth["group"][place]),
        )


def part_file(folder: Path, number: int) -> Path:
    """Where a part stands."""
    return folder / f"part-{number:05d}.npz"


def read_settings(folder: Path) -> dict[str, Any]:
    """What a bank was made by.

    Raises:
        PointlightError: there is none, or it is broken or of another format.
    """
    try:
        settings = json.loads((folder / SETTINGS).read_text())
    except FileNotFoundError:
        raise PointlightError(f"there are no prepared pictures in {folder}") from None
    except (OSError, ValueError) as error:
        raise PointlightError(
            f"{folder / SETTINGS} cannot be read ({error}); prepare the pictures again"
        ) from error
    if settings.get("format_version") != FORMAT_VERSION:
        raise PointlightError(
            f"the pictures in {folder} are of format {settings.get('format_version')}, not {FORMAT_VERSION}; "
            "prepare them again"
        )
    return settings


def _unless_all(truth: dict[str, np.ndarray], name: str, one: slice) -> torch.Tensor | None:
    """What is known of a clip; None where all is."""
    known = truth[name][one] if name in truth else np.ones(1, bool)
    return None if known.all() else torch.from_numpy(known)


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    return stream(seed, epoch, "order of the bank").permutation(count)


@lru_cache(maxsize=256)
def small_arrays(path: Path) -> dict[str, np.ndarray]:
    """The small arrays of a part."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if name not in ("rgb", "flow", "parts")}


@lru_cache(maxsize=1024)
def mapped_array(path: Path, name: str) -> np.ndarray:
    """A large array of a part, mapped into memory where it stands in the archive, which is not compressed."""
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        info = archive.getinfo(f"{name}.npy")
        file.seek(info.header_offset + 26)
        name_length, extra_length = np.frombuffer(file.read(4), "<u2")
        file.seek(info.header_offset + 30 + int(name_length) + int(extra_length))
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(file)
        if fortran:
            raise PointlightError(f"{path} is not as prepare_pictures writes it; prepare it again")
        return np.memmap(path, dtype, "r", file.tell(), shape)
