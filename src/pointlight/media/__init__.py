"""Reading and writing video with exact times, and still pictures.

The one place where containers and codecs are known.
"""

from pointlight.media.backwards import backwards
from pointlight.media.pictures import (
    contact_sheet,
    draw_label,
    picture_size,
    read_picture,
    tile,
    write_png,
)
from pointlight.media.video import Frame, FrameTimes, VideoReader
from pointlight.media.writer import VideoWriter

__all__ = [
    "Frame",
    "FrameTimes",
    "VideoReader",
    "VideoWriter",
    "backwards",
    "contact_sheet",
    "draw_label",
    "picture_size",
    "read_picture",
    "tile",
    "write_png",
]
