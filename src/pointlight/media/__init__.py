"""Reading and writing video with exact times, its cuts, and still pictures.

The one place where containers and codecs are known.
"""

from pointlight.media.backwards import backwards
from pointlight.media.cuts import find_cuts, numbered_shots, small_picture, small_size
from pointlight.media.pictures import (
    contact_sheet,
    draw_label,
    picture_size,
    read_picture,
    tile,
    write_png,
)
from pointlight.media.sound import Sound
from pointlight.media.video import Frame, FrameTimes, VideoReader
from pointlight.media.writer import VideoWriter

__all__ = [
    "Frame",
    "FrameTimes",
    "Sound",
    "VideoReader",
    "VideoWriter",
    "backwards",
    "contact_sheet",
    "draw_label",
    "find_cuts",
    "numbered_shots",
    "picture_size",
    "read_picture",
    "small_picture",
    "small_size",
    "tile",
    "write_png",
]
