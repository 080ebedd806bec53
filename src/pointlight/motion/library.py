"""A folder of motion capture, compiled to a motion bank and cached in one file."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pointlight.body import AnnyBody, BodyModel
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.motion.asf_amc import read_amc, read_asf
from pointlight.motion.bank import SPLITS, ClipEntry, MotionBank
from pointlight.motion.body_motion import window
from pointlight.motion.bvh import read_bvh
from pointlight.motion.clip import BANK_FPS, BodyMotion, MotionClip
from pointlight.motion.retarget import resample, retarget

BANK_FORMAT = 1
SHORTEST_FRAMES = 31
"""Pieces shorter than one clip of the network are dropped."""

GLITCH_M = 0.5
"""A joint that moves farther than this in 1/30 s cuts the clip (the data's own measure of glitches)."""

_SUFFIXES = (".bvh", ".bvh.gz", ".amc", ".amc.gz")


@dataclass(frozen=True)
class MotionFile:
    """One file of a folder, as its tables describe it.

    Attributes:
        file: relative to the folder.
        split: one of `SPLITS`.
        group: kind of motion; "all" without tables.
        subject: who moves; "" if unknown.
        skeleton: the ASF file of an AMC, relative to the folder; "" for BVH.
        fps: frames per second; 0 takes a BVH's own.
        scale_to_m: metres per unit; 0 guesses.
    """

    file: str
    split: str = "train"
    group: str = "all"
    subject: str = ""
    skeleton: str = ""
    fps: float = 0.0
    scale_to_m: float = 0.0


def default_cache() -> Path:
    """Where compiled banks lie: $POINTLIGHT_CACHE or ~/.cache/pointlight."""
    return Path(os.environ.get("POINTLIGHT_CACHE") or Path.home() / ".cache" / "pointlight")


def list_motions(folder: Path) -> tuple[MotionFile, ...]:
    """The motions of a folder, by its `clips.csv` and `splits.csv` where there are, else all files, split 'train'.

    Raises:
        PointlightError: the folder holds no motion, or a table names an unknown split.
    """
    if not folder.is_dir():
        raise PointlightError(f"there is no folder {folder}; give one with BVH or AMC files")
    splits = {row["file"]: row["split"] for row in _table(folder / "splits.csv")}
    for file, split in splits.items():
        if split not in SPLITS:
            raise PointlightError(
                f"{folder / 'splits.csv'} puts {file} into {split!r}; splits are {', '.join(SPLITS)}"
            )
    rows = _table(folder / "clips.csv")
    if rows:
        files = [
            MotionFile(
                file=row["file"],
                split=splits.get(row["file"], "train"),
                group=row.get("group") or "all",
                subject=row.get("subject", ""),
                skeleton=row["skeleton"] if row.get("format") == "amc" else "",
                fps=float(row.get("fps") or 0),
                scale_to_m=float(row.get("scale_to_m") or 0),
            )
            for row in rows
        ]
    else:
        found = sorted(p for p in folder.rglob("*") if p.name.lower().endswith(_SUFFIXES))
        files = [
            MotionFile(str(p.relative_to(folder)), splits.get(str(p.relative_to(folder)), "train"))
            for p in found
        ]
    if not files:
        raise PointlightError(f"{folder} holds no motion; it needs BVH or AMC files")
    return tuple(sorted(files, key=lambda entry: entry.file))


def compile_motion_bank(
    folder: Path,
    body: BodyModel,
    cache: Path | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> MotionBank:
    """All motions of a folder on the mean adult body at 30 frames/s, from the cache where it holds them.

    Args:
        folder: BVH and AMC files, with the tables of `list_motions` or without.
        body: whose joints are driven.
        cache: folder of compiled banks; `default_cache()` if not given.
        watch: told files done and files in all.

    Raises:
        PointlightError: a file cannot be read; which one is said.
    """
    if not isinstance(body, AnnyBody):
        raise PointlightError(f"motions can be retargeted onto the body 'anny' only, not onto {body.name!r}")
    files = list_motions(folder)
    path = (cache or default_cache()) / f"motion-{_key(folder, files, body)}.npz"
    if path.exists():
        return _load(path)
    motions, subjects = [], []
    for number, entry in enumerate(files):
        for piece in read_motion(folder, entry, body):
            motions.append(piece)
            subjects.append(entry.subject)
        watch(number + 1, len(files))
    bank = MotionBank.from_motions(motions, subjects)
    _save(bank, path)
    return bank


def read_motion(folder: Path, entry: MotionFile, body: AnnyBody) -> Iterator[BodyMotion]:
    """One file's pieces between glitches, retargeted, at 30 frames/s."""
    clip = read_clip(folder, entry)
    motion = resample(retarget(clip, body, group=entry.group, split=entry.split), BANK_FPS)
    cuts = _glitches(clip)
    edges = [0, *cuts, motion.frames]
    for number, (start, stop) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        if stop - start >= SHORTEST_FRAMES:
            piece = window(motion, start, stop - start)
            name = entry.file if len(edges) == 2 else f"{entry.file}#{number}"
            yield BodyMotion(name, piece.group, piece.split, piece.pose, piece.root, piece.translation_m)


def read_clip(folder: Path, entry: MotionFile) -> MotionClip:
    """One file on its own skeleton."""
    path = folder / entry.file
    scale, fps = entry.scale_to_m or None, entry.fps or None
    if ".amc" in path.name.lower():
        skeleton = read_asf(folder / entry.skeleton if entry.skeleton else _beside(path))
        return read_amc(path, skeleton, scale, fps or 120.0, name=entry.file)
    return read_bvh(path, scale, fps, name=entry.file)


def _beside(path: Path) -> Path:
    """The only ASF skeleton in an AMC's folder."""
    found = sorted(p for p in path.parent.iterdir() if p.name.lower().endswith((".asf", ".asf.gz")))
    if len(found) != 1:
        raise PointlightError(
            f"{path} needs its ASF skeleton: {path.parent} holds {len(found)}, one is needed (or a clips.csv)"
        )
    return found[0]


def _glitches(clip: MotionClip) -> list[int]:
    """Frames at 30 frames/s at which a joint has just jumped."""
    times = np.arange(clip.frames) / clip.fps
    query = np.arange(int(times[-1] * BANK_FPS + 1e-6) + 1) / BANK_FPS if clip.frames > 1 else np.zeros(1)
    nearest = np.clip(np.round(query * clip.fps).astype(int), 0, clip.frames - 1)
    places = clip.positions_world_m()[nearest]
    jumps = np.linalg.norm(np.diff(places, axis=0), axis=-1).max(-1) > GLITCH_M
    return [int(frame) + 1 for frame in np.flatnonzero(jumps)]


def _table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _key(folder: Path, files: Sequence[MotionFile], body: BodyModel) -> str:
    """Hash of everything that the bank depends on."""
    digest = hashlib.sha256(f"{BANK_FORMAT} {body.sha256} {GLITCH_M} {_code_sha256()}".encode())
    for entry in files:
        digest.update(json.dumps(asdict(entry), sort_keys=True).encode())
        digest.update((folder / entry.file).read_bytes())
        if entry.skeleton:
            digest.update((folder / entry.skeleton).read_bytes())
    return digest.hexdigest()[:24]


def _code_sha256() -> str:
    """Hash of the readers' and the retargeting's own source, so that a change there makes banks anew."""
    digest = hashlib.sha256()
    for module in ("asf_amc", "bvh", "clip", "library", "retarget", "source_text"):
        digest.update((Path(__file__).parent / f"{module}.py").read_bytes())
    return digest.hexdigest()


def _save(bank: MotionBank, path: Path) -> None:
    with atomic_path(path) as temporary:
        np.savez(
            temporary,
            clips=np.array(json.dumps([asdict(entry) for entry in bank.clips])),
            pose=bank.pose,
            root=bank.root,
            translation_m=bank.translation_m,
            sha256=np.array(bank.sha256),
        )


def _load(path: Path) -> MotionBank:
    with np.load(path, allow_pickle=False) as stored:
        clips = tuple(ClipEntry(**entry) for entry in json.loads(str(stored["clips"])))
        arrays = (stored["pose"], stored["root"], stored["translation_m"])
        return MotionBank(clips, *arrays, sha256=str(stored["sha256"]))
