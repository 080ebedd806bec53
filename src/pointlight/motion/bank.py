"""All motions in one place, in memory, for cheap random windows."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pointlight.configuration import config_sha256
from pointlight.motion.clip import BodyMotion
from pointlight.values import by_value

SPLITS = ("train", "validation", "heldout")
"""The only splits; nothing mixes, mirrors or warps across them."""


@dataclass(frozen=True)
class ClipEntry:
    """One motion of a bank.

    Attributes:
        name: the file (relative to its folder) or the procedural motion; pieces of a file add '#k'.
        group: kind of motion.
        split: one of `SPLITS`.
        start: its first frame in the bank's arrays.
        frames: how many frames it has.
        file: the name without '#k'; statistics resample these.
        subject: who moved, where known.
    """

    name: str
    group: str
    split: str
    start: int
    frames: int
    file: str
    subject: str = ""


@by_value
@dataclass(frozen=True)
class MotionBank:
    """Motions end to end, 30 frames/s.

    Attributes:
        clips: where each motion lies.
        pose: (N, J-1, 3, 3) float32, as in `BodyMotion`.
        root: (N, 3, 3) float32.
        translation_m: (N, 3) float32.
        sha256: of everything above.
        skipped: a sentence for every file that was left out.
    """

    clips: tuple[ClipEntry, ...]
    pose: np.ndarray
    root: np.ndarray
    translation_m: np.ndarray
    sha256: str
    skipped: tuple[str, ...] = ()

    def motion(self, index: int, start: int = 0, frames: int | None = None) -> BodyMotion:
        """Motion `index`, or the window of `frames` frames from its frame `start`; a view."""
        entry = self.clips[index]
        frames = entry.frames - start if frames is None else frames
        if start < 0 or frames < 1 or start + frames > entry.frames:
            raise IndexError(
                f"window of {frames} frames at {start} is outside {entry.name!r} ({entry.frames} frames)"
            )
        first = entry.start + start
        span = slice(first, first + frames)
        return BodyMotion(
            entry.name, entry.group, entry.split, self.pose[span], self.root[span], self.translation_m[span]
        )

    def indices(self, split: str) -> tuple[int, ...]:
        """The motions of one split, in order."""
        return tuple(i for i, entry in enumerate(self.clips) if entry.split == split)

    def only(self, split: str) -> MotionBank:
        """The motions of one split."""
        chosen = self.indices(split)
        return MotionBank.from_motions(
            [self.motion(i) for i in chosen], [self.clips[i].subject for i in chosen]
        )

    def joined(self, other: MotionBank) -> MotionBank:
        """Both banks' motions, this one's first; splits stay what they are."""
        motions = [bank.motion(i) for bank in (self, other) for i in range(len(bank.clips))]
        bank = MotionBank.from_motions(motions, [entry.subject for entry in (*self.clips, *other.clips)])
        return replace(bank, skipped=(*self.skipped, *other.skipped))

    @staticmethod
    def from_banks(banks: Sequence[MotionBank], names: Sequence[str]) -> MotionBank:
        """Several banks' motions, one bank after the other.

        Args:
            banks: at least one.
            names: of their folders; put before a file's name that an earlier bank has too.
        """
        taken: set[str] = set()
        motions: list[BodyMotion] = []
        for bank, name in zip(banks, names, strict=True):
            files = {entry.file for entry in bank.clips}
            for index, entry in enumerate(bank.clips):
                motion = bank.motion(index)
                prefix = ""
                while f"{prefix}{entry.file}" in taken:
                    prefix += f"{name}/"
                motions.append(replace(motion, name=f"{prefix}{motion.name}"))
            taken |= {motion.name.partition("#")[0] for motion in motions} | files
        subjects = [entry.subject for bank in banks for entry in bank.clips]
        joined = MotionBank.from_motions(motions, subjects)
        return replace(joined, skipped=tuple(told for bank in banks for told in bank.skipped))

    @staticmethod
    def from_motions(motions: Sequence[BodyMotion], subjects: Sequence[str] | None = None) -> MotionBank:
        """Lay motions end to end (copied, as float32); `subjects` names who moves in each."""
        subjects = [""] * len(motions) if subjects is None else subjects
        entries = []
        start = 0
        for motion, subject in zip(motions, subjects, strict=True):
            file = motion.name.partition("#")[0]
            entries.append(
                ClipEntry(motion.name, motion.group, motion.split, start, motion.frames, file, subject)
            )
            start += motion.frames
        arrays = [
            np.ascontiguousarray(np.concatenate(parts), np.float32)
            if parts
            else np.zeros((0, *tail), np.float32)
            for parts, tail in (
                ([m.pose for m in motions], (21, 3, 3)),
                ([m.root for m in motions], (3, 3)),
                ([m.translation_m for m in motions], (3,)),
            )
        ]
        return MotionBank.from_arrays(tuple(entries), *arrays)

    @staticmethod
    def from_arrays(
        clips: tuple[ClipEntry, ...], pose: np.ndarray, root: np.ndarray, translation_m: np.ndarray
    ) -> MotionBank:
        """A bank of arrays that are already end to end."""
        digest = begin_digest(clips)
        for array in (pose, root, translation_m):
            digest.update(np.ascontiguousarray(array).data)
        return MotionBank(clips, pose, root, translation_m, digest.hexdigest())

    def old_sha256(self) -> str:
        """The bank's hash by the rule of version 0.1.0, which runs of that version were begun with."""
        digest = hashlib.sha256(repr(self.clips).encode())
        for array in (self.pose, self.root, self.translation_m):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


_MOST_NAMED = 8


def warn_of_skipped(bank: MotionBank) -> None:
    """Say by warnings which files a bank was made without, and why."""
    for sentence in bank.skipped[:_MOST_NAMED]:
        warnings.warn(sentence, stacklevel=2)
    if (more := len(bank.skipped) - _MOST_NAMED) > 0:
        warnings.warn(f"{more} more motion files are left out; `pointlight motion` names them", stacklevel=2)


def begin_digest(clips: tuple[ClipEntry, ...]) -> hashlib._Hash:
    """The digest of a bank before its arrays' bytes go in: pose, root and translation, in this order."""
    return hashlib.sha256(config_sha256(clips).encode())
