"""Other people near the one who is followed: who of them is whom, through crossings and occlusions.

They are followed only to know that a reading is theirs. Whoever is in the picture is matched with what is read by the
place where the keypoints should be, and by looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from pointlight.capture.detection.blazepose import Reading, Region
from pointlight.capture.detection.looks import Look, look_in
from pointlight.capture.detection.pose_networks import (
    PoseNetworks,
    apart,
    coherent,
    distance,
    moved,
    same_person,
    snapped,
)
from pointlight.media import Frame


@dataclass(frozen=True)
class CompanyConfig:
    """How people near one another are told apart. Lengths are in sizes of `Region`.

    Attributes:
        window: side of the squares in which others are looked for; the finder wants people to fill it.
        aside: how far to the left and to the right of the person they are, by turns.
        distinct: others' hips are farther away than that, or what is found is the person.
        alone: looks are learnt while nobody else's hips are nearer.
        contact: people whose hips are nearer may be confused.
        leaves: others are forgotten, but for their looks, who are farther away.
        gone_s: or who have not been seen for so long.
        coasts_s: so long somebody hidden is taken to go on as before.
        place: keypoints are that far from where they should be, usually.
        place_speed: more per second without a reading.
        stretch: the logarithm of the size is, too.
        look: the difference of looks is, too.
        unseen: what it costs not to be seen, in such usual deviations.
        blink_s: who was not seen for longer must look like before.
        seek_every: whoever is hidden for longer is looked for in one of so many frames.
        most: others who are followed at once, the nearest.
        own_look: a look is not learnt that differs more from what is known.
        other_look: who comes back differs less from the person, and less from the person than from the others.
        exchange: two are taken to have been exchanged if that makes the sum of their looks' differences smaller by this.
        exchange_frames: seen after they have been close together in at least so many frames.
        reach: the farthest move from where somebody should be.
        shift: move within no time.
        speed: more per second.
    """

    window: float = 1.5
    aside: float = 0.55
    distinct: float = 0.12
    alone: float = 0.25
    contact: float = 0.18
    leaves: float = 2.0
    gone_s: float = 1.5
    coasts_s: float = 0.5
    place: float = 0.06
    place_speed: float = 0.3
    stretch: float = 0.15
    look: float = 0.12
    unseen: float = 6.0
    blink_s: float = 0.05
    seek_every: int = 3
    most: int = 4
    own_look: float = 0.22
    other_look: float = 0.3
    exchange: float = 0.1
    exchange_frames: int = 5
    reach: float = 1.5
    shift: float = 0.12
    speed: float = 1.5


@dataclass
class Body:
    """Somebody who is followed: the last reading, its time, speed in pixels a second, and look.

    Attributes:
        mixed: frames since this one came so close to the person that the two may have been exchanged.
        gains: since they parted, how much more alike to their looks both would be if they were exchanged.
    """

    last: Reading
    time_s: float
    speed: np.ndarray = field(default_factory=lambda: np.zeros(2))
    look: Look = field(default_factory=Look)
    mixed: list[int] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)

    def take(self, reading: Reading, time_s: float) -> None:
        """Be seen there."""
        gap_s = time_s - self.time_s
        step = np.array((reading.region.x - self.last.region.x, reading.region.y - self.last.region.y))
        if gap_s and abs(gap_s) < 0.2:
            self.speed = 0.7 * self.speed + 0.3 * step / gap_s
        else:
            self.speed = np.zeros(2)
        self.last, self.time_s = reading, time_s

    def shift(self, time_s: float, coasts_s: float) -> np.ndarray:
        """(2,) how far this one should have gone since the last reading."""
        return self.speed * np.clip(time_s - self.time_s, -coasts_s, coasts_s)


class Company:
    """One person and those around, while pictures come in, at growing or falling times."""

    def __init__(
        self,
        networks: PoseNetworks,
        first: Reading,
        time_s: float,
        least_visibility: float,
        config: CompanyConfig | None = None,
        look: np.ndarray | None = None,
    ) -> None:
        """Begin with the person alone.

        Args:
            networks: the detector.
            first: the person's reading.
            time_s: when.
            least_visibility: as in `FollowConfig`.
            config: how to tell people apart.
            look: of `look_in`, in that picture.
        """
        self._networks = networks
        self._least_visibility = least_visibility
        self._config = config or CompanyConfig()
        self._person = Body(first, time_s)
        self._person.look.add(look)
        self._others: list[Body] = []
        self._known: list[Look] = []
        self._strange: list[int] = []
        self._strange_s = time_s

    @property
    def alone(self) -> bool:
        """Whether nobody else is known to be near."""
        return not self._others

    @property
    def has_met(self) -> bool:
        """Whether anybody else has ever been near."""
        return bool(self._others or self._known)

    def note(self, frame: Frame, reading: Reading) -> list[int]:
        """The person was seen while alone; the numbers of frames, this one too, in which it was somebody else."""
        self._person.take(reading, frame.time_s)
        return self._strange_to_us(frame) if self._known else []

    def _meet(self, frame: Frame, people: Sequence[tuple[Region, float]]) -> None:
        """Get to know others among those found around the person."""
        bodies = [self._person, *self._others]
        for region, _ in people:
            here = [body for body in bodies if body.time_s == frame.time_s]
            if any(distance(region, body.last.region) < self._config.distinct for body in here):
                continue
            reading = self._networks.read(frame.image, snapped(region))
            if reading is None or not coherent(reading, self._least_visibility):
                continue
            if any(same_person(reading, body.last) for body in here):
                continue
            if distance(reading.region, self._person.last.region) > self._config.leaves:
                continue
            if len(self._others) == self._config.most:
                break
            bodies.append(Body(reading, frame.time_s))
            self._others.append(bodies[-1])
        self._learn(frame)

    def look_around(self, frame: Frame, sides: Sequence[int]) -> None:
        """Get to know who is beside the person, at the left (-1) or at the right (1)."""
        size = self._person.last.region.size
        for side in sides:
            shift = np.array((side * self._config.aside * size, 0.0))
            self._meet(frame, self._find(frame, moved(self._person.last.region, shift)))

    def _find(self, frame: Frame, around: Region) -> list[tuple[Region, float]]:
        at = snapped(around)
        return self._networks.find(frame.image, Region(at.x, at.y, at.size * self._config.window, 0.0))

    def is_person(self, image: np.ndarray, reading: Reading) -> bool:
        """Whether a reading looks like the person, and not like another who was near."""
        seen = look_in(image, reading)
        own = self._person.look.difference(seen)
        others = [body.look for body in self._others] + self._known
        theirs = min((look.difference(seen) for look in others if look.count), default=1.0)
        if not self._person.look.count:
            return theirs > self._config.other_look
        return own <= self._config.other_look and own <= theirs

    def is_free(self, frame: Frame, reading: Reading) -> bool:
        """Whether a reading is of none of the others."""
        return not any(
            same_person(reading, body.last) for body in self._others if body.time_s == frame.time_s
        )

    def step(self, frame: Frame) -> tuple[Reading | None, list[int]]:
        """Find the person among the others.

        Returns:
            The reading, None where the person is hidden; and the numbers of earlier frames whose readings have turned out
            to be another's.
        """
        bodies = [self._person, *self._others]
        readings = self._readings(frame, bodies)
        looks = [look_in(frame.image, reading) for reading in readings]
        taken = self._assign(frame.time_s, bodies, readings, looks)
        for body, number in zip(bodies, taken, strict=True):
            if number is not None:
                body.take(readings[number], frame.time_s)
        self._others += [
            Body(reading, frame.time_s)
            for number, reading in enumerate(readings)
            if number not in taken
            and len(self._others) < self._config.most
            and self._is_new(reading, frame.time_s)
        ]
        self._learn(frame)
        wrong = self._exchange(frame, bodies, [None if n is None else looks[n] for n in taken])
        self._forget(frame.time_s)
        if self._person.time_s != frame.time_s:
            return None, wrong
        strange = self._strange_to_us(frame)
        return (None if strange else self._person.last), [*wrong, *strange]

    def _readings(self, frame: Frame, bodies: Sequence[Body]) -> list[Reading]:
        """What is read where everybody should be; if that is less than everybody, also where people are found."""
        readings: list[Reading] = []

        def add(region: Region) -> None:
            reading = self._networks.read(frame.image, snapped(region))
            if (
                reading is not None
                and coherent(reading, self._least_visibility)
                and not any(same_person(reading, other) for other in readings)
            ):
                readings.append(reading)

        config = self._config
        hidden = [abs(frame.time_s - body.time_s) > config.blink_s for body in bodies]
        seeks = frame.index % config.seek_every == 0
        missing = []
        for body, is_hidden in zip(bodies, hidden, strict=True):
            if seeks or not is_hidden:
                count, place = len(readings), self._place(body, frame)
                add(place)
                missing += [place] * (len(readings) == count)
        for place in missing[:2]:
            for region, _ in self._find(frame, place):
                if all(distance(region, one.region) > config.distinct for one in readings):
                    add(region)
        return readings

    def _assign(
        self,
        time_s: float,
        bodies: Sequence[Body],
        readings: Sequence[Reading],
        looks: Sequence[np.ndarray | None],
    ) -> list[int | None]:
        """Everybody's reading, at the least sum of deviations."""
        config = self._config
        never = 1e6
        costs = np.full((len(bodies), len(readings) + len(bodies)), never)
        costs[:, len(readings) :] = config.unseen
        for row, body in enumerate(bodies):
            gap_s = abs(time_s - body.time_s)
            shift = body.shift(time_s, config.coasts_s)
            size = body.last.region.size
            for column, reading in enumerate(readings):
                stretch = abs(np.log(reading.region.size / size))
                far = distance(reading.region, moved(body.last.region, shift))
                if far > min(config.shift + config.speed * gap_s, config.reach) or stretch > 0.25 + gap_s:
                    continue
                points = body.last.points + np.array((*shift, 0.0))
                off = apart(points, reading.points, size)
                look = body.look.difference(looks[column])
                if gap_s > config.blink_s and look > config.other_look:
                    continue
                costs[row, column] = (
                    off / (config.place + config.place_speed * gap_s)
                    + stretch / config.stretch
                    + look / config.look
                )
        _, columns = linear_sum_assignment(costs)
        return [int(column) if column < len(readings) else None for column in columns]

    def _is_new(self, reading: Reading, time_s: float) -> bool:
        """Whether a reading that nobody took is of somebody else, and no blend of those who are there."""
        here = [body.last.region for body in (self._person, *self._others) if body.time_s == time_s]
        hidden = len(here) <= len(self._others)
        return not hidden and all(distance(reading.region, one) > self._config.contact for one in here)

    def _learn(self, frame: Frame) -> None:
        """Learn the looks of those who stand alone and have not just been close to one another."""
        doubtful = any(body.mixed for body in self._others)
        for body in (self._person, *self._others):
            known = not (doubtful if body is self._person else body.mixed)
            if known and body.time_s == frame.time_s and self._stands_alone(body, frame):
                seen = look_in(frame.image, body.last)
                if body.look.difference(seen) <= self._config.own_look:
                    body.look.add(seen)

    def _exchange(
        self, frame: Frame, bodies: Sequence[Body], looks: Sequence[np.ndarray | None]
    ) -> list[int]:
        """Notice after a contact that the person and another have been exchanged, and put them back."""
        config, person = self._config, self._person
        for other, theirs in zip(bodies[1:], looks[1:], strict=True):
            if distance(self._place(other, frame), self._place(person, frame)) < config.contact:
                other.gains = []
                other.mixed.append(frame.index)
                continue
            if not other.mixed:
                continue
            other.mixed.append(frame.index)
            if looks[0] is None or theirs is None:
                continue
            if not (person.look.count and other.look.count):
                other.mixed = []
                continue
            stays = person.look.difference(looks[0]) + other.look.difference(theirs)
            swaps = person.look.difference(theirs) + other.look.difference(looks[0])
            other.gains.append(stays - swaps)
            if len(other.gains) < config.exchange_frames:
                continue
            wrong, exchanged = other.mixed, float(np.mean(other.gains)) > config.exchange
            other.mixed, other.gains = [], []
            if exchanged:
                person.last, other.last = other.last, person.last
                person.speed, other.speed = other.speed, person.speed
                return wrong[:-1]
        return []

    def _strange_to_us(self, frame: Frame) -> list[int]:
        """Frames in which somebody else has been taken for the person: who now stands alone and looks like another."""
        person = self._person
        known: list[tuple[Look, Body | None]] = [(body.look, body) for body in self._others]
        known = [pair for pair in [*known, *((look, None) for look in self._known)] if pair[0].count]
        if not known or not person.look.count or not self._stands_alone(person, frame):
            return []
        seen = look_in(frame.image, person.last)
        own = person.look.difference(seen)
        look, other = min(known, key=lambda pair: pair[0].difference(seen))
        if own <= self._config.own_look or own - look.difference(seen) <= self._config.exchange:
            self._strange = []
            return []
        if not self._strange:
            self._strange_s = frame.time_s
        self._strange.append(frame.index)
        if len(self._strange) < self._config.exchange_frames:
            return []
        if other is None:
            other = Body(person.last, person.time_s, look=look)
            self._others.append(other)
        other.last, other.time_s, other.speed = person.last, person.time_s, person.speed
        person.time_s = self._strange_s
        wrong, self._strange = self._strange, []
        return wrong

    def _place(self, body: Body, frame: Frame) -> Region:
        """Where somebody should be."""
        return moved(body.last.region, body.shift(frame.time_s, self._config.coasts_s))

    def _stands_alone(self, body: Body, frame: Frame) -> bool:
        others = [other for other in (self._person, *self._others) if other is not body]
        return all(
            distance(self._place(other, frame), body.last.region) > self._config.alone for other in others
        )

    def _forget(self, time_s: float) -> None:
        """Let go of those who are far away or were not seen for long; their looks are kept."""
        kept = []
        for body in self._others:
            far = distance(body.last.region, self._person.last.region) > self._config.leaves
            if far or abs(time_s - body.time_s) > self._config.gone_s:
                alike = self._person.look.difference(body.look.mean) <= self._config.own_look
                if body.look.count and not alike:
                    self._known = [*self._known[-7:], body.look]
            else:
                kept.append(body)
        self._others = kept
