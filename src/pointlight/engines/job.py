"""What an engine is given to do."""

from __future__ import annotations

from typing import Any, Protocol


class Job(Protocol):
    """Many items of one kind, in a form that every process can take: it and all it holds can be pickled."""

    @property
    def item(self) -> str:
        """What one of them is called, such as "clip"."""
        ...

    @property
    def identity(self) -> str:
        """Of this run: the same in every process, another one for other sources."""
        ...

    @property
    def waited_for(self) -> bool:
        """Whether items in work are ended when a run stops; those that take long are dropped."""
        ...

    def opened(self) -> Any:
        """What makes the items, opened once in each process.

        Raises:
            PointlightError: the sources cannot be used here.
        """
        ...

    def made(self, maker: Any, index: int) -> bytes:
        """An item's content, or what is to be known of it."""
        ...

    def stage(self, index: int, content: bytes) -> None:
        """Put the content where it belongs, whole or not at all; with Ray the process that began the run does it."""
        ...

    def is_staged(self, index: int) -> bool:
        """Whether it is there."""
        ...

    def give_up(self, index: int, reason: str) -> None:
        """Called for an item that takes its process with it again and again: stage what is known of it, or raise.

        Raises:
            PointlightError: the run cannot do without it.
        """
        ...
