"""A capture as files that other programs open: one motion in memory, one small writer for each format.

`WorldMotion` is what all of them are written from; `export_result` writes files, README.txt included.
"""

from pointlight.export.exporting import ExportResult, check_wanted, export_result
from pointlight.export.formats import FORMATS, find_formats
from pointlight.export.rigs import RIGS, find_rig
from pointlight.export.world_motion import WorldMotion, world_motions

__all__ = [
    "FORMATS",
    "RIGS",
    "ExportResult",
    "WorldMotion",
    "check_wanted",
    "export_result",
    "find_formats",
    "find_rig",
    "world_motions",
]
