"""A folder of motion capture, compiled to a motion bank and cached."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pointlight.body import AnnyBody, BodyModel
from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.motion.asf_amc import read_amc, read_asf
from pointlight.motion.bank import SPLITS, MotionBank
from pointlight.motion.bank_files import FORMAT_VERSION, read_bank, write_bank
from pointlight.motion.body_motion import window
from pointlight.motion.bvh import read_bvh
from pointlight.motion.clip import BANK_FPS, BodyMotion, MotionClip
from pointlight.motion.glitches import broken_frames, flip_frames, glitch_frames, whole_spans
from pointlight.motion.resample import resample
from pointlight.motion.retarget import retarget_source
from pointlight.motion.rig import BodyRig
from pointlight.motion.source_pose import read_source
from pointlight.motion.source_text import read_table
from pointlight.progress import Progress, ProgressCallback, silent

SHORTEST_FRAMES = 31
"""Pieces shorter than one clip of the network are dropped."""

_SOURCES = (
    "asf_amc",
    "bvh",
    "clip",
    "clip_axes",
    "glitches",
    "grounding",
    "humanoid",
    "humanoid_pose",
    "joint_names",
    "joint_tree",
    "library",
    "limbs",
    "pose_parts",
    "resample",
    "retarget",
    "rig",
    "skeletons",
    "source_pose",
    "source_text",
    "turns",
    "world_axes",
)
"""The modules that a bank's numbers depend on; a change of one makes banks anew."""

_SUFFIXES = (".bvh", ".bvh.gz", ".amc", ".amc.gz")


@dataclass(frozen=True)
class MotionFile:
    """One file of a folder, as its tables describe it.

    Attributes:
        file: relative to the folder.
        split: one of `SPLITS`.
        group: kind of motion; "all" without tables.
        subject: who moves; "" if unknown.
        skeleton: the ASF file of an AMC, relative to the folder; "" takes the only one beside the AMC.
        fps: frames per second; 0 takes a BVH's own, 120 for AMC.
        scale_to_m: metres per unit; 0 finds it.
        up: "y", "z" and so on; "" finds it.
    """

    file: str
    split: str = "train"
    group: str = "all"
    subject: str = ""
    skeleton: str = ""
    fps: float = 0.0
    scale_to_m: float = 0.0
    up: str = ""


def default_cache() -> Path:
    """Where compiled banks lie: $POINTLIGHT_CACHE or ~/.cache/pointlight."""
    return Path(os.environ.get("POINTLIGHT_CACHE") or Path.home() / ".cache" / "pointlight")


def list_motions(folder: Path) -> tuple[MotionFile, ...]:
    """A folder's motions by its `clips.csv` and `splits.csv`; without them all its files, split 'train'.

    Args:
        folder: of motion capture; a single file is itself alone.

    Raises:
        PointlightError: the folder holds no motion, or a table says what cannot be.
    """
    folder = Path(folder)
    if folder.is_file():
        return (MotionFile(folder.name),)
    if not folder.is_dir():
        raise PointlightError(f"there is no folder {folder}; give one with BVH or AMC files")
    splits = {row["file"]: row["split"] for row in _table(folder / "splits.csv", ("file", "split"))}
    for file, split in splits.items():
        if split not in SPLITS:
            raise PointlightError(
                f"{folder / 'splits.csv'} puts {file} into {split!r}; splits are {', '.join(SPLITS)}"
            )
    rows = _table(folder / "clips.csv", ("file",))
    if rows:
        files = [_described(folder, row) for row in rows]
    else:
        found = [path for path in folder.rglob("*") if path.name.lower().endswith(_SUFFIXES)]
        found = [path for path in found if path.is_file() and not path.name.startswith("._")]
        files = [MotionFile(path.relative_to(folder).as_posix()) for path in found]
    if not files:
        raise PointlightError(f"{folder} holds no motion; it needs BVH or AMC files")
    if splits and (without := [entry.file for entry in files if entry.file not in splits]):
        raise PointlightError(f"{folder / 'splits.csv'} does not say which split {without[0]} belongs to")
    files = [replace(entry, split=splits.get(entry.file, "train")) for entry in files]
    return tuple(sorted(files, key=lambda entry: entry.file))


def compile_motion_bank(
    folder: Path | Sequence[Path],
    body: BodyModel,
    cache: Path | None = None,
    progress: ProgressCallback = silent,
) -> MotionBank:
    """All motions of folders on the mean adult body at 30 frames/s, from the cache where it holds them.

    A file that is broken or no person's is left out, and `MotionBank.skipped` says why.

    Args:
        folder: BVH and AMC files, with the tables of `list_motions` or without; several are one bank, in their order. A
            single file may stand for a folder, and is not left out.
        body: whose joints are driven.
        cache: folder of compiled banks; `default_cache()` if not given.
        progress: told how many files are read.

    Raises:
        PointlightError: a folder holds nothing that can be used, or a single file cannot.
    """
    if not isinstance(body, AnnyBody):
        raise PointlightError(f"motions can be retargeted onto the body 'anny' only, not onto {body.name!r}")
    folders = motion_folders(folder)
    banks = [_compiled(each, body, cache or default_cache(), progress) for each in folders]
    if len(banks) == 1:
        return banks[0]
    names = [each.resolve().name for each in folders]
    return MotionBank.from_banks(banks, names)


def motion_folders(folder: Path | Sequence[Path]) -> tuple[Path, ...]:
    """One folder or several, each of them once."""
    several = (folder,) if isinstance(folder, str | Path) else folder
    return tuple(dict.fromkeys(Path(each) for each in several))


def _compiled(folder: Path, body: AnnyBody, cache: Path, progress: ProgressCallback) -> MotionBank:
    """The bank of one folder."""
    files = list_motions(folder)
    path = cache / f"motion-{_key(folder, files, body)}"
    if (bank := read_bank(path)) is not None:
        return bank
    skipped: list[str] = []
    write_bank(path, _compile(folder, files, BodyRig.of(body), progress, skipped), skipped)
    bank = read_bank(path)  # a bank is the same to the bit whether it was just made or found
    assert bank is not None
    return bank


def _compile(
    folder: Path,
    files: Sequence[MotionFile],
    rig: BodyRig,
    progress: ProgressCallback,
    skipped: list[str],
) -> Iterator[tuple[BodyMotion, str]]:
    """All pieces with who moves, one file after the other; what is left out goes into `skipped`."""
    found = False
    for number, entry in enumerate(files, start=1):
        try:
            pieces = read_motion(folder, entry, rig)
        except PointlightError as error:
            if folder.is_file():
                raise
            skipped.append(f"{error}; {entry.file} is left out")
            pieces = []
        for piece in pieces:
            found = True
            yield piece, entry.subject
        progress(Progress("motion", number, len(files), unit="file"))
    if not found:
        more = f", and {len(skipped) - 1} more are left out" if len(skipped) > 1 else ""
        why = (
            skipped[0].rpartition("; ")[0]
            if skipped
            else f"none of its motions is of {SHORTEST_FRAMES} frames"
        )
        raise PointlightError(f"{folder} holds no motion that can be used: {why}{more}")


def read_motion(folder: Path, entry: MotionFile, rig: BodyRig) -> list[BodyMotion]:
    """One file's pieces between glitches, retargeted, at 30 frames/s.

    Raises:
        PointlightError: the file is broken or no person's.
    """
    clip = resample(read_clip(folder, entry), BANK_FPS)
    source = read_source(clip)
    motion = retarget_source(clip, source, rig, group=entry.group, split=entry.split)
    jumps = glitch_frames(clip, source.joints) | flip_frames(motion)
    spans = whole_spans(jumps, broken_frames(motion), SHORTEST_FRAMES)
    pieces = []
    for number, (start, stop) in enumerate(spans):
        whole = stop - start == clip.frames
        pieces.append(
            replace(
                window(motion, start, stop - start), name=entry.file if whole else f"{entry.file}#{number}"
            )
        )
    return pieces


def read_clip(folder: Path, entry: MotionFile) -> MotionClip:
    """One file on its own skeleton, at its own frame rate.

    Raises:
        PointlightError: the file is broken.
    """
    path = _path(folder, entry.file)
    scale, fps = entry.scale_to_m or None, entry.fps or None
    if ".amc" in path.name.lower():
        skeleton = read_asf(folder / entry.skeleton if entry.skeleton else _beside(path))
        return read_amc(path, skeleton, scale, fps or 120.0, entry.file, entry.up or None)
    return read_bvh(path, scale, fps, entry.up or None, name=entry.file)


def _described(folder: Path, row: dict[str, str]) -> MotionFile:
    """A row of `clips.csv`; only the column `file` is needed."""
    try:
        fps, scale = float(row.get("fps") or 0), float(row.get("scale_to_m") or 0)
    except ValueError as error:
        raise PointlightError(f"{folder / 'clips.csv'}, row of {row['file']}: {error}") from None
    if not (0 <= fps < math.inf and 0 <= scale < math.inf):
        raise PointlightError(
            f"{folder / 'clips.csv'}, row of {row['file']}: fps and scale_to_m must be positive numbers"
        )
    return MotionFile(
        file=row["file"],
        group=row.get("group") or "all",
        subject=row.get("subject") or "",
        skeleton=(row.get("skeleton") or "") if ".amc" in row["file"].lower() else "",
        fps=fps,
        scale_to_m=scale,
        up=row.get("up") or "",
    )


def _beside(path: Path) -> Path:
    """The only ASF skeleton in an AMC's folder."""
    found = sorted(p for p in path.parent.glob("*") if p.name.lower().endswith((".asf", ".asf.gz")))
    if len(found) != 1:
        raise PointlightError(
            f"{path} needs its ASF skeleton: {path.parent} holds {len(found)}, one is needed (or a clips.csv)"
        )
    return found[0]


def _path(folder: Path, file: str) -> Path:
    return folder if folder.is_file() else folder / file


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    if not path.exists():
        return []
    rows = read_table(path)
    for row in rows:
        if any(not row.get(column) for column in columns):
            raise PointlightError(f"{path} needs the columns {', '.join(columns)}, filled in every row")
    return rows


def _key(folder: Path, files: Sequence[MotionFile], body: BodyModel) -> str:
    """Hash of everything that the bank depends on."""
    names = {entry.file for entry in files} | {entry.skeleton for entry in files if entry.skeleton}
    depends_on = {
        "format_version": FORMAT_VERSION,
        "body": body.sha256,
        "shortest_frames": SHORTEST_FRAMES,
        "modules": [Path(__file__).parent / f"{module}.py" for module in _SOURCES],
        "files": [replace(entry, file=printable(entry.file)) for entry in files],
        "contents": {printable(name): path for name in names if (path := _path(folder, name)).is_file()},
    }
    return config_sha256(depends_on)[:24]


def printable(name: str) -> str:
    """A file's name as text, also where the file system's is no UTF-8."""
    return os.fsencode(name).decode(errors="backslashreplace")
