"""All formats by name: what each writes, what it needs, and what README.txt says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from pointlight.capture import joint_angles
from pointlight.errors import PointlightError
from pointlight.export import format_words as words
from pointlight.export.amass import amass_bytes
from pointlight.export.blender import blender_script
from pointlight.export.bvh import bvh_text
from pointlight.export.glb import glb_bytes
from pointlight.export.gmr import g1_ik_config
from pointlight.export.markers import c3d_bytes, check_c3d, trc_text
from pointlight.export.openpose import openpose_files
from pointlight.export.person import UNITS, Person
from pointlight.export.tables import angles_csv, angles_png, positions_csv
from pointlight.export.usd import usd_bytes

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
    motion, first = person.motion, int(person.capture.frame_index[0])
    yield f"{motion.name}.glb", glb_bytes(motion, person.rigged, person.surface)
    yield f"{motion.name}_blender.py", blender_script(motion, first, person.video).encode()


def _usd(person: Person) -> Files:
    yield f"{person.motion.name}.usdc", usd_bytes(person.motion, person.rigged, person.surface)


def _amass(person: Person) -> Files:
    yield f"{person.motion.name}_amass.npz", amass_bytes(person.motion, person.hinges)


def _trc(person: Person) -> Files:
    unit = person.unit_or("mm")
    yield f"{person.motion.name}.trc", trc_text(person.motion, unit, UNITS[unit]).encode()


def _c3d(person: Person) -> Files:
    yield f"{person.motion.name}.c3d", c3d_bytes(person.motion)


def _csv(person: Person) -> Files:
    yield f"{person.motion.name}_positions.csv", positions_csv(person.motion).encode()


def _angles(person: Person) -> Files:
    name, angles = person.motion.name, joint_angles(person.capture, person.body)
    yield f"{name}_angles.csv", angles_csv(angles, person.capture).encode()
    yield f"{name}_angles.png", angles_png(angles, person.capture)


def _openpose(person: Person) -> Files:
    folder = f"{person.motion.name}_openpose"
    for name, text in openpose_files(person.capture, person.motion.name):
        yield f"{folder}/{name}", text.encode()


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("bvh", _bvh, words.BVH),
        Format("glb", _glb, words.GLB),
        Format("usd", _usd, words.USD, package="pxr", extra="usd"),
        Format("trc", _trc, words.TRC),
        Format(
            "c3d",
            _c3d,
            words.C3D,
            package="ezc3d",
            extra="c3d",
            check=lambda person: check_c3d(person.motion),
        ),
        Format("csv", _csv, words.CSV),
        Format("angles", _angles, words.ANGLES),
        Format("amass", _amass, words.AMASS),
        Format("openpose", _openpose, words.OPENPOSE),
    )
}
"""All formats by name."""
