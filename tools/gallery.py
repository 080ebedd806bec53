"""Make docs' pictures of an overlay: `tools/gallery.py OVERLAY.mp4 NAME` writes docs/NAME.webp (moving) and docs/NAME.jpg.

Only clips that may be published: the samples of tools/sample_video.py, and those whose `permissive` column says yes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from pointlight.media import VideoReader, contact_sheet

DOCS = Path(__file__).resolve().parents[1] / "docs"
MOVING_WIDTH_PX = 560
FRAMES_PER_SECOND = 20


def main() -> None:
    overlay, name = Path(sys.argv[1]), sys.argv[2]
    width, height = VideoReader(overlay).size
    scale = min(1.0, MOVING_WIDTH_PX / width)
    frames: list[Image.Image] = []
    next_s = 0.0
    for frame in VideoReader(overlay, size=(round(width * scale), round(height * scale))):
        if frame.time_s >= next_s - 1e-6:
            frames.append(Image.fromarray(frame.image))
            next_s += 1 / FRAMES_PER_SECOND
    moving = DOCS / f"{name}.webp"
    frames[0].save(
        moving,
        save_all=True,
        append_images=frames[1:],
        duration=1000 // FRAMES_PER_SECOND,
        loop=0,
        quality=60,
        method=4,
    )
    still = DOCS / f"{name}.jpg"
    Image.fromarray(contact_sheet(overlay, every=20, cell_width_px=420)).save(still, quality=80)
    for path in (moving, still):
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
