"""Reader of Acclaim motion: a skeleton (ASF) and a motion on it (AMC)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError
from pointlight.motion.clip import MotionClip
from pointlight.motion.clip_axes import in_metres, known_person, upright
from pointlight.motion.source_text import euler_rotations, parse_numbers, read_text

_LETTERS_ONLY = {ord(character): None for character in "0123456789+-. \t\r"}


@dataclass(frozen=True)
class Bone:
    """One bone of an ASF skeleton; vectors in units of the file, angles in radians.

    Attributes:
        name: of the bone.
        offset: (3,) from its start to its end at rest, world axes.
        axes: (3, 3) its own axes at rest.
        dof: what an AMC file says of it, in order: "rx", "ry", "rz", for the root also "tx", "ty", "tz".
    """

    name: str
    offset: np.ndarray
    axes: np.ndarray
    dof: tuple[str, ...]


@dataclass(frozen=True)
class Skeleton:
    """An ASF file.

    Attributes:
        path: where it was read.
        bones: the root first, parents before children.
        parents: index of every bone's parent; -1 for the root.
        root_place: (3,) added to the root's translation, units of the file.
        rotation_order: of the root.
        scale_to_m: metres per unit by the file's own unit line.
        angle_to_rad: radians per unit of angle.
    """

    path: Path
    bones: tuple[Bone, ...]
    parents: tuple[int, ...]
    root_place: np.ndarray
    scale_to_m: float
    angle_to_rad: float


def read_asf(path: Path) -> Skeleton:
    """Read a skeleton, plain or gzip.

    Raises:
        PointlightError: the file is damaged.
    """
    path = Path(path)
    sections = _sections(path)
    units = {words[0]: words[1] for words in sections["units"] if len(words) == 2}
    angle_to_rad = np.pi / 180 if units.get("angle", "deg").startswith("deg") else 1.0
    root, root_place = _root_bone(path, sections["root"], angle_to_rad)
    bones = {"root": root}
    for block in _blocks(sections["bonedata"]):
        bone = _bone(path, block, angle_to_rad)
        bones[bone.name] = bone
    ordered, parents = _ordered(path, bones, sections["hierarchy"])
    try:
        length_unit = float(units.get("length", "1"))
    except ValueError:
        raise PointlightError(f"{path}: the unit line 'length {units['length']}' is no number") from None
    return Skeleton(path, ordered, parents, root_place, 0.0254 / length_unit, angle_to_rad)


def _sections(path: Path) -> dict[str, list[list[str]]]:
    """The words of every line, by section."""
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] = []
    for line in read_text(path).split("\n"):
        words = line.replace("(", " ").replace(")", " ").split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            current = sections.setdefault(words[0][1:].lower(), [])
        else:
            current.append(words)
    for needed in ("units", "root", "bonedata", "hierarchy"):
        if needed not in sections:
            raise PointlightError(f"{path} is no whole ASF skeleton: the section ':{needed}' is missing")
    if not sections["hierarchy"] or sections["hierarchy"][-1][0] != "end":
        raise PointlightError(f"{path} ends early: the section ':hierarchy' has no 'end'")
    return sections


def _blocks(lines: list[list[str]]) -> list[dict[str, list[str]]]:
    blocks: list[dict[str, list[str]]] = []
    for words in lines:
        if words[0] == "begin":
            blocks.append({})
        elif words[0] != "end" and blocks:
            blocks[-1].setdefault(words[0], words[1:])
    return blocks


def _vector(path: Path, bone: str, key: str, words: list[str]) -> np.ndarray:
    try:
        vector = np.array([float(word) for word in words[:3]])
    except ValueError:
        vector = np.full(3, np.nan)
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise PointlightError(
            f"{path}: the {key} of bone {bone!r} must be three numbers, not {' '.join(words)!r}"
        )
    return vector


def _own_axes(angles_rad: np.ndarray, order: str) -> np.ndarray:
    """Acclaim names the axis that turns first at the left: "XYZ" is Rz @ Ry @ Rx."""
    reverse = order.lower()[::-1]
    return euler_rotations(reverse, np.array([angles_rad["xyz".index(axis)] for axis in reverse]))


def _bone(path: Path, block: dict[str, list[str]], angle_to_rad: float) -> Bone:
    name = " ".join(block.get("name", ["?"]))
    for needed in ("direction", "length", "axis"):
        if needed not in block:
            raise PointlightError(f"{path}: bone {name!r} has no {needed!r} line")
    direction = _vector(path, name, "direction", block["direction"])
    angles = _vector(path, name, "axis", block["axis"])
    length = _vector(path, name, "length", [block["length"][0]] * 3)[0]
    dof = tuple(word.lower() for word in block.get("dof", []))
    if any(word not in ("rx", "ry", "rz") for word in dof):
        raise PointlightError(
            f"{path}: bone {name!r} has the freedom {' '.join(dof)!r}; only rotations are known"
        )
    return Bone(name, direction * length, _own_axes(angles * angle_to_rad, (block["axis"] + ["XYZ"])[3]), dof)


def _root_bone(path: Path, lines: list[list[str]], angle_to_rad: float) -> tuple[Bone, np.ndarray]:
    block = {words[0].lower(): words[1:] for words in lines}
    order = tuple(word.lower() for word in block.get("order", ["TX", "TY", "TZ", "RX", "RY", "RZ"]))
    angles = _vector(path, "root", "orientation", block.get("orientation", ["0"] * 3))
    place = _vector(path, "root", "position", block.get("position", ["0"] * 3))
    axes = _own_axes(angles * angle_to_rad, (block.get("axis") or ["XYZ"])[0])
    return Bone("root", np.zeros(3), axes, order), place


def _ordered(
    path: Path, bones: dict[str, Bone], hierarchy: list[list[str]]
) -> tuple[tuple[Bone, ...], tuple[int, ...]]:
    children: dict[str, list[str]] = {}
    for words in hierarchy:
        if words[0] not in ("begin", "end"):
            children.setdefault(words[0], []).extend(words[1:])
    names, parents = ["root"], [-1]
    for name in names:  # grows while it is walked: breadth first
        for child in children.get(name, []):
            if child not in bones or child in names:
                raise PointlightError(
                    f"{path}: the hierarchy names {child!r} twice or without a bone of that name"
                )
            parents.append(names.index(name))
            names.append(child)
    return tuple(bones[name] for name in names), tuple(parents)


def read_amc(
    path: Path,
    skeleton: Skeleton,
    scale_to_m: float | None = None,
    fps: float = 120.0,
    name: str | None = None,
    up: str | None = None,
) -> MotionClip:
    """Read a motion, plain or gzip, on its skeleton.

    Every bone gives a joint at its start, named like the bone; ends of bones without children are joints too,
    named with "_end".

    Args:
        path: the AMC file.
        skeleton: its ASF file.
        scale_to_m: metres per unit of both files; None takes the ASF's unit line (inches / length), or finds the unit
            where that makes no person.
        fps: frames per second, which the file does not say; CMU's takes have 120.
        name: of the clip; None takes the file's name.
        up: axis that points up, "y" as Acclaim has it, or "z" and so on; None finds it.

    Raises:
        PointlightError: the file is damaged or belongs to another skeleton; says in which line.
    """
    path = Path(path)
    header, body = _split_header(path)
    angle_to_rad = skeleton.angle_to_rad
    if any(line.strip().upper() == ":DEGREES" for line in header):
        angle_to_rad = np.pi / 180
    elif any(line.strip().upper() == ":RADIANS" for line in header):
        angle_to_rad = 1.0
    by_bone = _read_uniform(body, skeleton)
    if by_bone is None:
        by_bone = _read_line_by_line(path, body, len(header), skeleton)
    clip = _build_clip(path, name or path.name, skeleton, by_bone, angle_to_rad, fps)
    if scale_to_m is None and known_person(clip, skeleton.scale_to_m):
        scale_to_m = skeleton.scale_to_m
    return upright(in_metres(clip, path, scale_to_m)[0], path, up)[0]


def _split_header(path: Path) -> tuple[list[str], str]:
    """Lines before the first frame number, and the rest as one text."""
    text = read_text(path)
    header: list[str] = []
    position = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end]
        if line.strip().isdigit():
            return header, text[position:]
        header.append(line)
        position = end + 1
    raise PointlightError(f"{path} ends early: line {len(header)} is the last and no frame has come")


def _read_uniform(body: str, skeleton: Skeleton) -> dict[str, np.ndarray] | None:
    """Values by bone where all frames have the form of the first; None leaves it to the careful reader."""
    lines = body.split("\n", 400)
    frame_lines = next((i for i, line in enumerate(lines[1:], 1) if line.strip().isdigit()), None)
    if frame_lines is None or len(lines) < 3:
        return None
    first = [line.split() for line in lines[1:frame_lines]]
    dof = {bone.name: len(bone.dof) for bone in skeleton.bones}
    if any(not words or dof.get(words[0]) != len(words) - 1 for words in first):
        return None
    if not body.endswith("\n"):
        body += "\n"
    letters = body.translate(_LETTERS_ONLY)
    pattern = "\n" + "".join(f"{words[0].translate(_LETTERS_ONLY)}\n" for words in first)
    frames, rest = divmod(len(letters), len(pattern))
    if rest or letters != pattern * frames:
        return None
    for words in first:
        body = body.replace(f"\n{words[0]} ", "\n")
    values = parse_numbers(body)
    columns = 1 + sum(len(words) - 1 for words in first)
    if values is None or values.size != frames * columns:
        return None
    values = values.reshape(frames, columns)
    if not np.array_equal(np.diff(values[:, 0]), np.ones(frames - 1)):
        return None
    ends = np.cumsum([len(words) - 1 for words in first])
    return {
        words[0]: values[:, 1 + end - len(words) + 1 : 1 + end]
        for words, end in zip(first, ends, strict=True)
    }


def _read_line_by_line(path: Path, body: str, skipped: int, skeleton: Skeleton) -> dict[str, np.ndarray]:
    """Values by bone, in any order within a frame; finds what is wrong."""
    dof = {bone.name: len(bone.dof) for bone in skeleton.bones}
    frames: list[dict[str, list[float]]] = []
    number = skipped
    for number, line in enumerate(body.removesuffix("\n").split("\n"), start=skipped + 1):
        words = line.split()
        if not words:
            continue
        if len(words) == 1 and words[0].isdigit():
            _check_whole(path, number, frames)
            frames.append({})
            continue
        if words[0] not in dof:
            raise PointlightError(
                f"{path} line {number}: the skeleton {skeleton.path} has no bone {words[0]!r}"
            )
        values = parse_numbers(" ".join(words[1:]))
        if values is None or values.size != dof[words[0]]:
            raise PointlightError(
                f"{path} line {number}: bone {words[0]!r} needs {dof[words[0]]} finite numbers, "
                f"found {' '.join(words[1:])[:40]!r}"
            )
        frames[-1][words[0]] = values.tolist()
    _check_whole(path, number, frames, at_end=True)
    return {name: np.array([frame[name] for frame in frames]) for name in frames[0]}


def _check_whole(path: Path, number: int, frames: list[dict[str, list[float]]], at_end: bool = False) -> None:
    """The frame that was read last has the bones of the first one."""
    if not frames or (frames[0] and frames[-1].keys() == frames[0].keys()):
        return
    missing = sorted(frames[0].keys() - frames[-1].keys()) or ["root"]
    how = "ends early:" if at_end else "is damaged:"
    raise PointlightError(f"{path} {how} line {number}, frame {len(frames)} is without bone {missing[0]!r}")


def _build_clip(
    path: Path,
    name: str,
    skeleton: Skeleton,
    by_bone: dict[str, np.ndarray],
    angle_to_rad: float,
    fps: float,
) -> MotionClip:
    """The clip in units of its file."""
    if "root" not in by_bone:
        raise PointlightError(
            f"{path}: no frame has a 'root' line; this is not the motion of {skeleton.path}"
        )
    names = [bone.name for bone in skeleton.bones]
    parents = list(skeleton.parents)
    offsets = [np.zeros(3) if parent < 0 else skeleton.bones[parent].offset for parent in parents]
    for index, bone in enumerate(skeleton.bones):
        if index not in skeleton.parents:
            names.append(f"{bone.name}_end")
            parents.append(index)
            offsets.append(bone.offset)
    frames = len(by_bone["root"])
    rotations = np.zeros((frames, len(names), 3, 3), np.float32)
    rotations[...] = np.eye(3)
    root = np.tile(skeleton.root_place, (frames, 1))
    for index, bone in enumerate(skeleton.bones):
        if bone.name not in by_bone:
            continue
        values = by_bone[bone.name]
        turning = [i for i, freedom in enumerate(bone.dof) if freedom[0] == "r"]
        order = "".join(bone.dof[i][1] for i in turning)[::-1]
        own = euler_rotations(order, values[:, turning[::-1]] * angle_to_rad)
        rotations[:, index] = bone.axes @ own @ bone.axes.T
        for column, freedom in enumerate(bone.dof):
            if freedom[0] == "t":
                root[:, "xyz".index(freedom[1])] += values[:, column]
    return MotionClip(
        name=name,
        joint_names=tuple(names),
        parents=tuple(parents),
        offsets_m=np.array(offsets),
        rotations=rotations,
        root_translation_m=root,
        fps=fps,
    )
