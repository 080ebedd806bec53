"""A capture as files that other programs open: one motion in memory, one small writer for each format.

`WorldMotion` is what all of them are written from; `export_result` writes files, README.txt included.
"""

from pointlight.export.exporting import ExportResult, check_wanted, export_result, people_of
from pointlight.export.formats import FORMATS, find_formats
from pointlight.export.person import Person
from pointlight.export.rigs import RIGS, find_rig
from pointlight.export.timeline import MARK_NAMES
from pointlight.export.world_motion import WorldMotion, world_motions

__all__ = [
    "FORMATS",
    "MARK_NAMES",
    "RIGS",
    "ExportResult",
    "Person",
    "WorldMotion",
    "check_wanted",
    "export_result",
    "find_formats",
    "find_rig",
    "people_of",
    "world_motions",
]
