"""A motion bank on disk: plain arrays that all processes map into memory, so that they share one copy of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pointlight.errors import PointlightError
from pointlight.files import ensure_folder
from pointlight.motion.bank import ClipEntry, MotionBank, begin_digest
from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion
from pointlight.motion.turns import quaternions_to_rotations, rotations_to_quaternions

FORMAT_VERSION = 2

_CLIPS = "clips.json"
_SHAPES = {"pose": (len(DRIVEN_JOINTS) - 1, 3, 3), "root": (3, 3), "translation_m": (3,)}
_BLOCK_BYTES = 1 << 20


def write_bank(folder: Path, motions: Iterable[tuple[BodyMotion, str]], skipped: Sequence[str] = ()) -> None:
    """Lay motions end to end in a folder, whole or not at all; only one of them is in memory at a time.

    Rotations are kept as unit quaternions in float32 say them, which takes rounding out of the matrices.

    Args:
        folder: of the bank; what stands there is replaced.
        motions: each with who moves ("" where nobody knows), in order.
        skipped: a sentence for every file that was left out; asked for after the last motion.

    Raises:
        PointlightError: the folder cannot be written to.
    """
    ensure_folder(folder.parent)
    staged = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        staged.mkdir()
        _write_arrays(staged, motions, skipped)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            os.rename(staged, folder)
        except OSError:
            if read_bank(folder) is None:  # otherwise another process was first, with the same bank
                raise
    except OSError as error:
        raise PointlightError(
            f"cannot write {folder} ({error.strerror or error}); free its place or choose another"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def read_bank(folder: Path) -> MotionBank | None:
    """The bank in a folder, mapped into memory; None where there is none that is whole."""
    try:
        described = json.loads((folder / _CLIPS).read_text())
        if described["format_version"] != FORMAT_VERSION:
            return None
        clips = tuple(ClipEntry(**entry) for entry in described["clips"])
        digest = begin_digest(clips)
        arrays = {name: _mapped(folder / f"{name}.npy", digest) for name in _SHAPES}
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None
    if digest.hexdigest() != described["sha256"]:
        return None
    skipped = tuple(described.get("skipped", ()))
    return MotionBank(clips, **arrays, sha256=described["sha256"], skipped=skipped)


def _write_arrays(folder: Path, motions: Iterable[tuple[BodyMotion, str]], skipped: Sequence[str]) -> None:
    clips: list[ClipEntry] = []
    start = 0
    with ExitStack() as opened:
        files = {name: opened.enter_context(open(folder / f"{name}.npy", "wb")) for name in _SHAPES}
        for name, file in files.items():
            _write_header(file, name, 0)
        for motion, subject in motions:
            turns = np.concatenate((motion.root[:, None], motion.pose), axis=1)
            rotations = quaternions_to_rotations(rotations_to_quaternions(turns))
            files["pose"].write(np.ascontiguousarray(rotations[:, 1:]).data)
            files["root"].write(np.ascontiguousarray(rotations[:, 0]).data)
            files["translation_m"].write(np.ascontiguousarray(motion.translation_m, np.float32).data)
            name = motion.name.partition("#")[0]
            clips.append(
                ClipEntry(motion.name, motion.group, motion.split, start, motion.frames, name, subject)
            )
            start += motion.frames
        for name, file in files.items():
            file.seek(0)
            _write_header(file, name, start)
    digest = begin_digest(tuple(clips))
    for name in _SHAPES:
        _mapped(folder / f"{name}.npy", digest)
    described = {
        "format_version": FORMAT_VERSION,
        "sha256": digest.hexdigest(),
        "clips": [asdict(entry) for entry in clips],
        "skipped": list(skipped),
    }
    (folder / _CLIPS).write_text(json.dumps(described))


def _write_header(file: BinaryIO, name: str, frames: int) -> None:
    """NumPy leaves room in its headers for the first axis to grow, so that a later one fits over the first."""
    header = {"descr": "<f4", "fortran_order": False, "shape": (frames, *_SHAPES[name])}
    np.lib.format.write_array_header_1_0(file, header)


def _mapped(path: Path, digest: hashlib._Hash) -> np.ndarray:
    """An array as a private map of its file; its bytes go into the digest.

    They are read for that, not touched in the map: pages that are only in the system's cache count for no process.
    """
    array = np.load(path, mmap_mode="c", allow_pickle=False)
    with open(path, "rb") as file:
        file.seek(array.offset)
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return np.asarray(array)
