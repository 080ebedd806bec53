"""Reader of BVH motion files: joint names, channels and their order as each file states them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError
from pointlight.motion.clip import MotionClip
from pointlight.motion.clip_axes import in_metres, upright
from pointlight.motion.source_text import euler_rotations, parse_numbers, read_text

_CHANNELS = {f"{axis}{kind}": (axis, kind) for axis in "xyz" for kind in ("position", "rotation")}

_SHORTEST_FRAME_S, _LONGEST_FRAME_S = 1 / 5000, 1.0
"""Between which a frame time is believed."""

_BRACES = re.compile(r"([{}])")

_ROUNDING, _SLIDE = 1e-4, 0.02
"""Shares of a skeleton: what position channels differ by from rounding, and by what a joint slides in its socket."""


@dataclass
class _Hierarchy:
    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[tuple[float, float, float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)

    def add(self, name: str, parent: int) -> int:
        while name in self.names:  # some exporters repeat names of finger ends
            name += "_"
        self.names.append(name)
        self.parents.append(parent)
        self.offsets.append((0.0, 0.0, 0.0))
        self.channels.append([])
        return len(self.names) - 1

    @property
    def columns(self) -> int:
        return sum(len(channels) for channels in self.channels)


def read_bvh(
    path: Path,
    scale_to_m: float | None = None,
    fps: float | None = None,
    up: str | None = None,
    name: str | None = None,
) -> MotionClip:
    """Read a BVH file, plain or gzip.

    End sites become joints named after their parent with "_end". Position channels take OFFSET's place; whether the
    root's OFFSET is to be added to them (files differ) is decided by what puts feet nearer the ground. OFFSET stays
    where a joint only slides around it by less than 2 % of the skeleton, which no bone does, and where the channels of
    all joints but the root are 0 throughout.

    Args:
        path: the file.
        scale_to_m: metres per unit; None finds the unit by the skeleton's height.
        fps: frames per second; None takes the file's frame time.
        up: axis that points up, "y", "z", "-y" and so on; None finds it.
        name: of the clip; None takes the file's name.

    Raises:
        PointlightError: the file is damaged; says in which line.
    """
    path = Path(path)
    lines = read_text(path).split("\n")
    lines = lines[:-1] if not lines[-1] else lines
    motion_line = next((i for i, line in enumerate(lines) if line.strip().upper() == "MOTION"), None)
    if motion_line is None:
        raise PointlightError(
            f"{path} ends early: line {len(lines)} is the last and no MOTION section has come"
        )
    tree = _read_hierarchy(path, lines[:motion_line])
    values, frame_time_s = _read_motion(path, lines, motion_line, tree.columns)
    if fps is None:
        if not _LONGEST_FRAME_S >= frame_time_s >= _SHORTEST_FRAME_S:
            raise PointlightError(
                f"{path} states a frame time of {frame_time_s:g} s; state the frame rate (fps)"
            )
        fps = _tidy_rate(1 / frame_time_s)
    return _build_clip(path, name or path.name, tree, values, fps, scale_to_m, up)


def _tidy_rate(fps: float) -> float:
    """Frame times are written with few digits: 0.0166667 s means 60 frames/s."""
    return float(round(fps)) if abs(fps - round(fps)) < 2e-3 * fps else fps


def _read_hierarchy(path: Path, lines: list[str]) -> _Hierarchy:
    tree = _Hierarchy()
    open_joints: list[int] = []
    current = -1
    for number, line in enumerate(lines, start=1):
        for part in _BRACES.split(line):  # a brace may stand on the line of its joint
            words = part.split()
            keyword = words[0].upper() if words else "HIERARCHY"
            match keyword:
                case "HIERARCHY":
                    continue
                case "ROOT" | "JOINT" if len(words) >= 2:
                    if not open_joints and tree.names:
                        raise PointlightError(
                            f"{path} line {number}: a second root; split the file, one person each"
                        )
                    current = tree.add(" ".join(words[1:]), open_joints[-1] if open_joints else -1)
                case "END" if open_joints:
                    current = tree.add(f"{tree.names[open_joints[-1]]}_end", open_joints[-1])
                case "{" if current >= 0:
                    open_joints.append(current)
                case "}" if open_joints:
                    open_joints.pop()
                case "OFFSET" if current >= 0 and (offset := _three_numbers(words[1:])):
                    tree.offsets[current] = offset
                case "CHANNELS" if current >= 0 and _good_channels(words):
                    tree.channels[current] = [word.lower() for word in words[2:]]
                case _:
                    raise PointlightError(f"{path} line {number}: {line.strip()[:60]!r} is no BVH hierarchy")
    if open_joints or not tree.names:
        raise PointlightError(
            f"{path} line {len(lines)}: the hierarchy ends with {len(open_joints)} open brackets"
        )
    return tree


def _three_numbers(words: list[str]) -> tuple[float, float, float] | None:
    try:
        x, y, z = (float(word) for word in words)
    except ValueError:
        return None
    return (x, y, z) if np.isfinite((x, y, z)).all() else None


def _good_channels(words: list[str]) -> bool:
    return (
        len(words) > 1
        and words[1].isdigit()
        and int(words[1]) == len(words) - 2
        and all(word.lower() in _CHANNELS for word in words[2:])
    )


def _read_motion(path: Path, lines: list[str], start: int, columns: int) -> tuple[np.ndarray, float]:
    """(T, columns) float64 channel values, and the frame time in seconds."""
    stated = [i for i in range(start + 1, min(start + 40, len(lines))) if lines[i].strip()][:2]
    header = " ".join(lines[i] for i in stated).replace(":", " : ").split()
    words = [word.lower() for word in header]
    try:
        frames = int(header[words.index("frames") + 2])
        frame_time_s = float(header[words.index("time") + 2])
    except (ValueError, IndexError):
        raise PointlightError(
            f"{path} line {start + 2}: 'Frames: COUNT' and 'Frame Time: SECONDS' must follow MOTION"
        ) from None
    first = stated[-1] + 1
    values = parse_numbers(" ".join(lines[first:]))
    if frames < 1 or values is None or values.size != frames * columns:
        raise _motion_error(path, lines, first, frames, columns)
    return values.reshape(frames, columns), frame_time_s


def _motion_error(path: Path, lines: list[str], first: int, frames: int, columns: int) -> PointlightError:
    """Find the line that is at fault."""
    rows = [(number, line) for number, line in enumerate(lines[first:], start=first + 1) if line.strip()]
    for place, (number, line) in enumerate(rows):
        values = parse_numbers(line)
        if values is None:
            return PointlightError(f"{path} line {number}: something in this frame is no finite number")
        if values.size != columns:
            if place == len(rows) - 1 and values.size < columns:
                return PointlightError(
                    f"{path} ends early: line {number} has {values.size} of {columns} values "
                    f"(frame {place + 1} of {frames})"
                )
            return PointlightError(
                f"{path} line {number}: {values.size} values where {columns} channels are stated"
            )
    if len(rows) < frames:
        return PointlightError(
            f"{path} ends early: line {len(lines)} is the last, with {len(rows)} of {frames} frames read"
        )
    return PointlightError(f"{path} states {frames} frames and has {len(rows)}; correct the 'Frames:' line")


def _build_clip(
    path: Path,
    name: str,
    tree: _Hierarchy,
    values: np.ndarray,
    fps: float,
    scale_to_m: float | None,
    up: str | None,
) -> MotionClip:
    rotations, root, moved = _channel_values(tree, values)
    offsets = np.array(tree.offsets)
    lift = offsets[0].copy()
    offsets[0] = 0.0
    translations = None
    if moved := _beyond_offsets(moved, offsets, tuple(tree.parents)):
        translations = np.tile(offsets, (len(values), 1, 1))
        for joint, places in moved.items():
            translations[:, joint] = places
        offsets = np.median(translations, axis=0)
        if np.ptp(translations, axis=0).max() <= _ROUNDING * np.linalg.norm(offsets, axis=-1).sum():
            translations = None
    clip = MotionClip(
        name=name,
        joint_names=tuple(tree.names),
        parents=tuple(tree.parents),
        offsets_m=offsets,
        rotations=rotations.astype(np.float32),
        root_translation_m=root,
        fps=fps,
        translations_m=translations,
    )
    clip, scale_to_m = in_metres(clip, path, scale_to_m)
    clip, turn = upright(clip, path, up)
    probe = clip.thinned(100).positions_world_m()
    rise = (lift * scale_to_m) @ turn.T
    floor = float(np.percentile(probe[..., 1].min(1), 5))
    if abs(floor + rise[1]) < abs(floor):
        clip = replace(clip, root_translation_m=clip.root_translation_m + rise.astype(np.float32))
    return clip


def _beyond_offsets(
    moved: dict[int, np.ndarray], offsets: np.ndarray, parents: tuple[int, ...]
) -> dict[int, np.ndarray]:
    """Of joints with position channels those that say more than OFFSET does."""
    rest = np.zeros_like(offsets)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            rest[joint] = rest[parent] + offsets[joint]
    extent = np.ptp(rest, axis=0).max()
    found = {}
    for joint, places in moved.items():
        away, slide = np.abs(places - offsets[joint]).max(), np.ptp(places, axis=0).max()
        allowed = _SLIDE if slide > _ROUNDING * extent else _ROUNDING
        if away > allowed * extent:
            found[joint] = places
    return found


def _channel_values(
    tree: _Hierarchy, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]:
    """(T, J, 3, 3) local rotations; the root's (T, 3) position channels, and those of other joints, units of the file."""
    frames = len(values)
    rotations = np.zeros((frames, len(tree.names), 3, 3))
    rotations[...] = np.eye(3)
    root = np.zeros((frames, 3))
    moved: dict[int, np.ndarray] = {}
    by_order: dict[str, tuple[list[int], list[list[int]]]] = {}
    column = 0
    for joint, channels in enumerate(tree.channels):
        order, columns = "", []
        for channel in channels:
            axis, kind = _CHANNELS[channel]
            if kind == "rotation":
                order += axis
                columns.append(column)
            else:
                place = (
                    root if joint == 0 else moved.setdefault(joint, np.tile(tree.offsets[joint], (frames, 1)))
                )
                place[:, "xyz".index(axis)] = values[:, column]
            column += 1
        joints, places = by_order.setdefault(order, ([], []))
        joints.append(joint)
        places.append(columns)
    for order, (joints, places) in by_order.items():
        if order:
            rotations[:, joints] = euler_rotations(order, np.radians(values[:, np.array(places)]))
    # Where nothing but zeros stands in them, they are added to OFFSET.
    return rotations, root, moved if any(place.any() for place in moved.values()) else {}
