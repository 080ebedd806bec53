"""One video after the other as an engine's job; a video that cannot be used is noted and stops nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pointlight import __version__
from pointlight.capture.options import PredictOptions
from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.files import atomic_path

Work = Callable[[Path, Path, PredictOptions], object]
"""Writes a video's result to a folder, its `summary.json` last; a function of a module, so that it can be pickled."""


@dataclass(frozen=True)
class VideoJob:
    """What an engine is given to do. Results go straight to their folders; what is staged says whether that went well.

    Attributes:
        videos: absolute paths.
        folders: where each one's result goes; every process writes there.
        options: of all.
        staging: folder of notes.
        work: what is done with each.
        pointlight: the version that every process must have.
    """

    videos: tuple[Path, ...]
    folders: tuple[Path, ...]
    options: PredictOptions
    staging: Path
    work: Work
    pointlight: str = __version__

    item = "video result"
    waited_for = False

    @property
    def identity(self) -> str:
        """Of this run."""
        return config_sha256([self.pointlight, str(self.staging)])

    def opened(self) -> None:
        """See that this process has the same Pointlight.

        Raises:
            PointlightError: it has another.
        """
        if self.pointlight != __version__:
            raise PointlightError(
                f"here is Pointlight {__version__}, and the run was begun with {self.pointlight}; "
                "all processes need the same"
            )

    def made(self, maker: None, index: int) -> bytes:
        """Write the video's result; a note of what went wrong, empty if nothing did."""
        try:
            self.work(self.videos[index], self.folders[index], self.options)
        except PointlightError as error:
            return _note(str(error))
        except Exception as error:  # whatever is wrong with one video, the others go on
            reason = " ".join(str(error).split())
            return _note(
                f"{type(error).__name__}: {reason}; this is a fault of Pointlight's, please report it"
            )
        return _note("")

    def stage(self, index: int, content: bytes) -> None:
        """Put the note where it belongs."""
        with atomic_path(self._path(index)) as temporary:
            temporary.write_bytes(content)

    def is_staged(self, index: int) -> bool:
        """Whether the video is done with."""
        return self._path(index).exists()

    def give_up(self, index: int, reason: str) -> None:
        """The video is named, and the run goes on."""
        self.stage(index, _note(reason))

    def error(self, index: int) -> str:
        """What was wrong with a video that is done with; empty if nothing was."""
        return json.loads(self._path(index).read_bytes())["error"]

    def _path(self, index: int) -> Path:
        return self.staging / f"{index:08d}.json"


def _note(error: str) -> bytes:
    return json.dumps({"error": error}).encode()
