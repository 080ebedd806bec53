"""`--box X,Y,W,H[@S]`: which person is meant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pointlight.errors import PointlightError


@dataclass(frozen=True)
class PersonBox:
    """A box around the person who is meant, at one time of the video.

    Attributes:
        x: left edge in pixels of the upright picture.
        y: upper edge.
        width: in pixels.
        height: in pixels.
        time_s: when, in the video's time; None is the first frame.

    Example:
        >>> import pointlight
        >>> pointlight.PersonBox.of("400,120,200,460@1.5")
        PersonBox(x=400.0, y=120.0, width=200.0, height=460.0, time_s=1.5)
        >>> pointlight.PersonBox.of((400, 120, 200, 460)).centre
        (500.0, 350.0)
    """

    x: float
    y: float
    width: float
    height: float
    time_s: float | None = None

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    @classmethod
    def of(cls, box: BoxLike) -> PersonBox:
        """A box from whatever a caller has.

        Args:
            box: a `PersonBox`; text such as "400,120,200,460@1.5"; or x, y, width, height in pixels, and a time in
                seconds behind them if it is not the first frame's.

        Returns:
            The same box, typed.

        Raises:
            PointlightError: it is something else.
        """
        if isinstance(box, PersonBox):
            return box
        if isinstance(box, str):
            return cls.parse(box)
        try:
            x, y, width, height, *time = (float(number) for number in box)
        except (TypeError, ValueError):
            time = [0.0, 0.0]
            x = y = width = height = math.nan
        sound = (
            len(time) < 2
            and width > 0
            and height > 0
            and all(map(math.isfinite, (x, y, width, height, *time)))
        )
        if not sound:
            raise PointlightError(
                f"the box {box!r} is not understood; give (x, y, width, height) in pixels, or with a time in seconds"
                " (x, y, width, height, seconds), or text such as '400,120,200,460@1.5'"
            )
        return cls(x, y, width, height, *time)

    @classmethod
    def parse(cls, text: str) -> PersonBox:
        """Read `X,Y,W,H` or `X,Y,W,H@S`.

        Args:
            text: pixels of the upright picture, and seconds.

        Returns:
            The box.

        Raises:
            PointlightError: the text has another form.
        """
        place, _, time = text.partition("@")
        try:
            x, y, width, height = (float(part) for part in place.split(","))
            time_s = float(time) if time else None
            sound = width > 0 and height > 0 and all(map(math.isfinite, (x, y, width, height, time_s or 0.0)))
            if not sound or text.endswith("@"):
                raise ValueError
        except ValueError as error:
            raise PointlightError(
                f"the box '{text}' is not understood; give X,Y,W,H in pixels, and @S for a time in seconds,"
                " such as 400,120,200,460@1.5"
            ) from error
        return cls(x, y, width, height, time_s)

    def check(self, image_size: tuple[int, int]) -> None:
        """See that the box lies in the picture.

        Raises:
            PointlightError: its middle does not.
        """
        x, y = self.centre
        if not (0 <= x <= image_size[0] and 0 <= y <= image_size[1]):
            raise PointlightError(
                f"the middle of the box ({x:g}, {y:g}) lies outside the picture of {image_size[0]} x"
                f" {image_size[1]} pixels; give X,Y,W,H in pixels of the upright picture"
            )


BoxLike: TypeAlias = PersonBox | str | Sequence[float]
"""What says which person: `PersonBox`, "X,Y,W,H@S", or the numbers."""
