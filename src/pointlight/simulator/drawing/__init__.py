"""Triangles to pixels: rasteriser, colours and light.

It knows no person, no scene and no file.
"""

from pointlight.simulator.drawing.lighting import vertex_normals
from pointlight.simulator.drawing.raster import NO_FACE, Raster, rasterise

__all__ = [
    "NO_FACE",
    "Raster",
    "rasterise",
    "vertex_normals",
]
