"""Following one person from picture to picture, forward or backward, and noticing losses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pointlight.capture.detection.blazepose import Reading, Region
from pointlight.capture.detection.company import Company, CompanyConfig
from pointlight.capture.detection.pose_networks import BODY, PoseNetworks, coherent, distance, near, tiles
from pointlight.media import Frame

_BLINK_S = 0.05
"""Who was not seen for longer may come back as somebody else."""

_TILE = 0.67
"""Side of the smaller squares in which somebody is looked for who was lost among others, in short sides of the picture."""

_SEEK_EVERY = 5
"""The whole picture is searched for a person among others in one of so many frames."""


@dataclass(frozen=True)
class FollowConfig:
    """What is possible from one picture to the next. Sizes are of `Region`, about 1.2 heights of a person.

    Attributes:
        shift: move of the hips within no time, in sizes; the noise of regions.
        speed: additional move per second, in sizes.
        stretch: change of the logarithm of size within no time.
        stretch_speed: additional change per second.
        reach: the farthest move after any time, in sizes.
        least_visibility: mean visibility that the better half of the 12 body points must have.
        window: side of the square searched for a lost person, in sizes.
        check_every_s: how often it is checked that a person is where one is followed.
        checks: after so many failed checks in a row the person is held to be lost since the first of them.
        sure_visibility: no check fails where the mean visibility of the 12 body points is at least this; the
            network that reads keypoints sees people, against the light for instance, whom the other misses.
        company: how others near the person are told from the person; None: nobody knows of them.
    """

    shift: float = 0.12
    speed: float = 3.0
    stretch: float = 0.25
    stretch_speed: float = 1.5
    reach: float = 1.5
    least_visibility: float = 0.5
    window: float = 1.6
    check_every_s: float = 0.5
    checks: int = 3
    sure_visibility: float = 0.65
    company: CompanyConfig | None = field(default_factory=CompanyConfig)


class Follower:
    """One person's state while pictures come in, at growing or falling times."""

    def __init__(
        self,
        networks: PoseNetworks,
        first: Reading,
        time_s: float,
        config: FollowConfig,
        *,
        anywhere_after_s: float | None,
        look: np.ndarray | None = None,
    ) -> None:
        """Begin with a reading of the person.

        Args:
            networks: the detector.
            first: the person's keypoints at `time_s`.
            time_s: when.
            config: what is possible.
            anywhere_after_s: a person who was lost for so long may reappear anywhere at a like size; None:
                never.
            look: the person's in that picture, of `look_in`; None: not known.
        """
        self._networks = networks
        self._config = config
        self._last = first
        self._last_s = time_s
        self._checked_s = time_s
        self._anywhere_after_s = anywhere_after_s
        self._failed: list[int] = []
        self._since_failure: list[int] = []
        self._company: Company | None = None
        self._met_s: float | None = None
        self._side = 1
        self._searched = 0
        if config.company is not None:
            self._company = Company(networks, first, time_s, config.least_visibility, config.company, look)

    def step(self, frame: Frame) -> tuple[Reading | None, list[int]]:
        """Find the person in the next picture.

        Returns:
            The reading, or None where the person is not to be seen; and the numbers of earlier frames whose
            readings have turned out to show something else.
        """
        gap_s = abs(frame.time_s - self._last_s)
        company, wrong = self._company, []
        if company is not None and not company.alone:
            reading, wrong = company.step(frame)
            if reading is None and not wrong and frame.index % _SEEK_EVERY == 0:
                reading = self._elsewhere(frame.image, gap_s)
                if reading is not None and company.is_free(frame, reading):
                    company.note(frame, reading)
                else:
                    reading = None
        else:
            reading = self._step_alone(frame.image, gap_s)
            if company is not None and reading is not None:
                wrong = company.note(frame, reading)
                reading = None if wrong else reading
        if reading is None:
            return None, wrong
        self._last, self._last_s = reading, frame.time_s
        self._since_failure.append(frame.index)
        if company is not None:
            company.look_around(frame, self._sides(frame.time_s, company.alone))
        if abs(frame.time_s - self._checked_s) >= self._config.check_every_s:
            reading, unseen = self._check(frame, reading)
            return reading, [*wrong, *unseen]
        return reading, wrong

    def _step_alone(self, image: np.ndarray, gap_s: float) -> Reading | None:
        reading = self._networks.read(image, self._last.region)
        if reading is None or not self._possible(reading, gap_s) or not self._known(image, reading, gap_s):
            reading = self._search(image, gap_s)
        return reading

    def _known(self, image: np.ndarray, reading: Reading, gap_s: float) -> bool:
        """Whether who comes back looks like the person, and like nobody else who was near."""
        company = self._company
        if company is None or gap_s <= (_BLINK_S if company.has_met else self._config.check_every_s):
            return True
        return company.is_person(image, reading)

    def _sides(self, time_s: float, alone: bool) -> tuple[int, ...]:
        """At which sides of the person it is time to look who else is near; at first, and among others, at both."""
        every_s = self._config.check_every_s if alone else self._config.check_every_s / 2
        if self._met_s is not None and abs(time_s - self._met_s) < every_s:
            return ()
        first, self._met_s = self._met_s is None, time_s
        self._side = -self._side
        return (-1, 1) if first or not alone else (self._side,)

    def _check(self, frame: Frame, reading: Reading) -> tuple[Reading | None, list[int]]:
        """Ask the other network whether anybody is there at all."""
        self._checked_s = frame.time_s
        sure = float(reading.points[BODY, 2].mean()) >= self._config.sure_visibility
        people = [] if sure else self._find_around(frame.image, reading.region)
        if sure or any(near(person, reading.region) for person, _ in people):
            self._failed.clear()
            self._since_failure.clear()
            return reading, []
        if not self._failed:
            self._since_failure = [frame.index]
        self._failed.append(frame.index)
        if len(self._failed) < self._config.checks:
            return reading, []
        wrong = list(self._since_failure)
        self._failed.clear()
        self._since_failure.clear()
        return None, wrong

    def _search(self, image: np.ndarray, gap_s: float) -> Reading | None:
        """Look for the person around the last place."""
        people = self._find_around(image, self._last.region)
        people.sort(key=lambda pair: distance(pair[0], self._last.region))
        for person, _ in people[:3]:
            reading = self._networks.read(image, person)
            if reading is not None and self._possible(reading, gap_s) and self._known(image, reading, gap_s):
                return reading
        return self._elsewhere(image, gap_s)

    def _elsewhere(self, image: np.ndarray, gap_s: float) -> Reading | None:
        """Look for a person who was lost for long in the whole picture."""
        if self._anywhere_after_s is None or gap_s < self._anywhere_after_s:
            return None
        for person, _ in self._find_anywhere(image):
            alike = abs(np.log(person.size / self._last.region.size)) < 0.5
            reading = self._networks.read(image, person) if alike else None
            if (
                reading is not None
                and coherent(reading, self._config.least_visibility)
                and self._known(image, reading, gap_s)
            ):
                return reading
        return None

    def _find_anywhere(self, image: np.ndarray) -> list[tuple[Region, float]]:
        """People in the picture; if others were near, also in one of its squares by turns, and not the largest alone."""
        if self._company is None or not self._company.has_met:
            return self._networks.find(image)[:1]
        squares = tiles(image.shape[1], image.shape[0], _TILE)
        self._searched += 1
        square = squares[self._searched % len(squares)]
        return [*self._networks.find(image)[:4], *self._networks.find(image, square)[:2]]

    def _find_around(self, image: np.ndarray, region: Region) -> list[tuple[Region, float]]:
        return self._networks.find(image, replace(region, size=region.size * self._config.window))

    def _possible(self, reading: Reading, gap_s: float) -> bool:
        """Whether a reading can be the person followed, `gap_s` after the last one."""
        config = self._config
        moved = distance(reading.region, self._last.region)
        stretched = abs(np.log(reading.region.size / self._last.region.size))
        return bool(
            moved <= min(config.shift + config.speed * gap_s, config.reach)
            and stretched <= min(config.stretch + config.stretch_speed * gap_s, 0.7)
            and coherent(reading, self._config.least_visibility)
        )
