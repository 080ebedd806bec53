"""A capture as files that other programs open: one motion in memory, one small writer for each format.

`WorldMotion` is what all of them are written from; `export_result` writes files, README included.
"""

from pointlight.export.rigs import RIGS, find_rig
from pointlight.export.world_motion import WorldMotion, world_motions

__all__ = ["RIGS", "WorldMotion", "find_rig", "world_motions"]
