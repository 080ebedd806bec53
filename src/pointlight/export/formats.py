"""All formats by name: what each writes, what it needs, and what README.txt says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from pointlight.errors import PointlightError
from pointlight.export.bvh import bvh_text
from pointlight.export.glb import glb_bytes
from pointlight.export.gmr import g1_ik_config
from pointlight.export.person import UNITS, Person

Files = Iterable[tuple[str, bytes]]
"""Names below the output folder, and contents."""


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        name: as `--to` knows it.
        files: makes one person's files.
        words: what README.txt says: units, axes, rate, skeleton.
        package: what has to be installed for it; "" if nothing.
        extra: which of Pointlight's extras brings that.
        check: refuses people whom it cannot hold, before anything is written.
    """

    name: str
    files: Callable[[Person], Files]
    words: str
    package: str = ""
    extra: str = ""
    check: Callable[[Person], None] = lambda person: None


def find_formats(names: Iterable[str]) -> tuple[Format, ...]:
    """Formats by their names, each once.

    Raises:
        PointlightError: a name is none, or none is given.
    """
    wanted = [name.strip().lower().removeprefix(".") for name in names if name.strip()]
    for name in wanted:
        if name not in FORMATS:
            near = get_close_matches(name, FORMATS, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise PointlightError(f"there is no format {name!r}, only {', '.join(FORMATS)}{meant}")
    if not wanted:
        raise PointlightError(f"no format is named; give some of {', '.join(FORMATS)}")
    return tuple(FORMATS[name] for name in dict.fromkeys(wanted))


def _bvh(person: Person) -> Files:
    motion = person.motion
    unit = person.unit_or("cm")
    yield f"{motion.name}.bvh", bvh_text(person.rigged, motion.fps, UNITS[unit]).encode()
    if person.rig.name == "lafan1":
        heights = person.body.rest_vertices(person.shape)[:, 1]
        stature = float(heights.max() - heights.min())
        yield f"{motion.name}_gmr_g1.json", g1_ik_config(person.rigged, stature).encode()


def _glb(person: Person) -> Files:
    yield f"{person.motion.name}.glb", glb_bytes(person.motion, person.rigged, person.surface)


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            "bvh",
            _bvh,
            "y up, centimetres (--units), degrees. Root: Xposition Yposition Zposition Zrotation Xrotation Yrotation;\n"
            "others Zrotation Xrotation Yrotation. Offsets alone are the rest pose, which is all channels 0; it looks\n"
            "along z. Set your program's frame rate to the file's before importing: Blender keeps its own.\n"
            "With --rig lafan1, *_gmr_g1.json is an IK configuration for GMR (robot Unitree G1), made for this rest pose.",
        ),
        Format(
            "glb",
            _glb,
            "glTF 2.0: y up, metres, seconds. The person's skin on the rig, one animation with linear keys at k / fps s.\n"
            "The file says the rest in asset.extras. Set Blender's frame rate to fps before importing.",
        ),
    )
}
