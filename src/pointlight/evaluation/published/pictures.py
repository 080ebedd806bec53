"""A benchmark's pictures as the frames of a video, decoded one at a time; only networks that see pictures look for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError
from pointlight.evaluation.published.track import BenchmarkTrack
from pointlight.media import Frame, read_picture
from pointlight.simulator.people import surreal_pictures


@dataclass(frozen=True)
class PictureFolder:
    """Numbered pictures of a folder, in order.

    Attributes:
        folder: where they lie.
        name: of a file, with a place for its number, such as "image_{:05d}.jpg".
        first: number of the first one.
        count: how many there are.
    """

    folder: Path
    name: str
    first: int
    count: int

    def __iter__(self) -> Iterator[np.ndarray]:
        """Each (H, W, 3) uint8 RGB.

        Raises:
            PointlightError: one is missing or broken.
        """
        for number in range(self.first, self.first + self.count):
            yield read_picture(there(self.folder / self.name.format(number)))


@dataclass(frozen=True)
class SurrealVideo:
    """The pictures of a clip of SURREAL, mirrored back as its tracks are.

    Attributes:
        info_path: of its `_info.mat`.
        count: how many there are.
    """

    info_path: Path
    count: int

    def __iter__(self) -> Iterator[np.ndarray]:
        """Each (240, 320, 3) uint8 RGB.

        Raises:
            PointlightError: the video is missing, broken, too short or of another size.
        """
        return surreal_pictures(self.info_path, 0, self.count)


def there(path: Path) -> Path:
    """The path of a picture or video, if it is there.

    Raises:
        PointlightError: it is not.
    """
    if not path.is_file():
        raise PointlightError(
            f"there is no file {path}, and a model that sees pictures is to be scored; unpack the benchmark's pictures "
            "there, or score models of keypoints alone"
        )
    return path


def frames_of(track: BenchmarkTrack) -> Iterator[Frame]:
    """The track's pictures at its keypoints' times.

    Raises:
        PointlightError: a picture is missing, broken, or of another size than the keypoints belong to.
    """
    keypoints = track.keypoints
    for index, time_s, image in zip(keypoints.frame_index, keypoints.time_s, track.pictures, strict=True):
        size = image.shape[1], image.shape[0]
        if size != keypoints.image_size:
            raise PointlightError(
                f"picture {index} of {track.name} has {size[0]}x{size[1]} pixels, its keypoints belong to "
                f"{keypoints.image_size[0]}x{keypoints.image_size[1]}; give the benchmark's pictures as they were downloaded"
            )
        yield Frame(int(index), float(time_s), image)
