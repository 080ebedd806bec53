"""Videos with people in them, a detector that knows where they are, and banks of tracks made of both."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from pointlight.body import EXTENDED_KEYPOINTS
from pointlight.capture import TargetConfig, prepare_targets
from pointlight.cues import Keypoints2D
from pointlight.media import VideoReader
from pointlight.training import PictureBankConfig, TargetBank

SIZE = (128, 96)
WALK_PX = 2
"""Of the person and of everything behind, to the right, each 1/30 s."""


class MadeDetector:
    """Sees a person, who stands where the picture moves; in videos called `half` without ankles."""

    source = "made"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def track(self, video: VideoReader) -> Keypoints2D:
        self.asked.append(video.path.name)
        frames = list(video)
        points = np.stack([person(frame.time_s) for frame in frames])
        if "half" in video.path.name:
            points[:, [EXTENDED_KEYPOINTS.index(f"{side}_ankle") for side in ("left", "right")], 2] = 0
        times = np.array([frame.time_s for frame in frames])
        index = np.array([frame.index for frame in frames])
        return Keypoints2D(EXTENDED_KEYPOINTS, times, index, points, video.size, self.source)


def person(time_s: float) -> np.ndarray:
    """(19, 3) keypoints at a time, 70 px high."""
    draw = np.random.default_rng(1)
    points = draw.uniform((30, 14), (60, 84), (len(EXTENDED_KEYPOINTS), 2))
    points[:, 0] += WALK_PX * 30 * time_s
    return np.concatenate((points, np.ones_like(points[:, :1])), axis=1).astype(np.float32)


def moving_pictures(count: int, rate: float) -> np.ndarray:
    """(count, H, W, 3) uint8: coarse noise that moves to the right."""
    width, height = SIZE
    coarse = np.random.default_rng(0).integers(0, 255, (height // 8, 4 * width // 8, 3), dtype=np.uint8)
    wide = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    starts = [round(2 * width - WALK_PX * 30 / rate * k) for k in range(count)]
    return np.stack([wide[:, start : start + width] for start in starts])


def write_lossless(path: Path, frames: np.ndarray, rate: int = 30) -> None:
    """FFV1 in RGB, in a container that keeps time exactly."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "bgr0"
        for image in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        output.mux(stream.encode(None))


def write_videos(folder: Path, count: int = 16) -> Path:
    """Five videos and their list: two with a whole person, one with half of one, one with nobody, one held out."""
    folder.mkdir()
    rows = {
        "walk": "yes,train",
        "run": "yes,train",
        "half": "yes,train",
        "empty": "no,train",
        "held": "yes,heldout",
    }
    for name in rows:
        write_lossless(folder / f"{name}.avi", moving_pictures(count, 30))
    lines = ["file,has_people,split", *(f"{name}.avi,{row}" for name, row in rows.items())]
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    return folder


def made_targets(folder: Path, frames: int, kept: PictureBankConfig) -> TargetBank:
    """A bank of a few short tracks."""
    videos = write_videos(folder / "videos")
    config = TargetConfig(frames=frames)
    return prepare_targets(folder, videos, detector=MadeDetector(), config=config, kept=kept)
