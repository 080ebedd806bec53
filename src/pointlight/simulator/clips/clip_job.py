"""One run's work in a form that every process can take: how the maker is opened, and where its clips are staged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.simulator.clips.shard_writer import packed_clip
from pointlight.simulator.clips.synthesis import ClipMaker


@dataclass(frozen=True)
class ClipJob:
    """What an engine is given to do, in a form that every process can take.

    Attributes:
        open: opens the maker; a function of a module with its arguments (`functools.partial`).
        versions: that every maker must have, so that clips of unlike sources never stand in one run.
        seed: of all clips.
        staging: local folder of whole clips.
    """

    open: Callable[[], ClipMaker]
    versions: dict[str, str]
    seed: int
    staging: Path

    item = "clip"
    waited_for = True

    @property
    def identity(self) -> str:
        """Of this run's sources and place."""
        return config_sha256([self.versions, str(self.staging)])

    def path(self, index: int) -> Path:
        """Where a clip is staged."""
        return self.staging / f"{index:08d}.tar"

    def opened(self) -> ClipMaker:
        """The maker.

        Raises:
            PointlightError: the sources cannot be used here, or are others than where the run was begun.
        """
        maker = self.open()
        unlike = [name for name, version in self.versions.items() if maker.versions.get(name) != version]
        if unlike:
            raise PointlightError(
                f"there is another {', '.join(unlike)} here than where the run was begun; all processes need the same "
                "files and the same Pointlight"
            )
        return maker

    def made(self, maker: ClipMaker, index: int) -> bytes:
        """A clip's tar."""
        return packed_clip(index, maker.files(self.seed, index))

    def stage(self, index: int, content: bytes) -> None:
        """Put a clip's tar where it belongs, whole or not at all."""
        with atomic_path(self.path(index)) as temporary:
            temporary.write_bytes(content)

    def is_staged(self, index: int) -> bool:
        """Whether a whole clip is there."""
        return self.path(index).exists()

    def give_up(self, index: int, reason: str) -> None:
        """A run has all its clips."""
        raise PointlightError(reason)
