"""People's 2D keypoints in a video, by mediapipe's networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from pointlight.capture.detection.blazepose import LANDMARKS, BlazePose, Reading, Region
from pointlight.capture.detection.everybody import EverybodyConfig, Shot, kept_people
from pointlight.capture.detection.following import FollowConfig, Follower
from pointlight.capture.detection.looks import look_in
from pointlight.capture.detection.network_files import VERSION
from pointlight.capture.detection.person_box import PersonBox
from pointlight.capture.detection.pose_networks import PoseNetworks, SharedNetworks
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.media import Frame, FrameTimes, VideoReader, backwards, numbered_shots
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.threads import ahead

_FRAMES_AHEAD = 4
"""Decoded while the networks work on those before."""


@dataclass(frozen=True)
class DetectorConfig:
    """How the person is chosen and followed.

    Attributes:
        follow: what is possible from picture to picture.
        around_box: how much of the picture around a given box is searched, in sides of the box.
        patience_s: how long after the box's time the person in it is looked for.
        anywhere_after_s: without a box, a person lost for so long may reappear anywhere at a like size.
        everybody: who beside the first person is followed where all are asked for.
    """

    follow: FollowConfig = field(default_factory=FollowConfig)
    around_box: float = 1.4
    patience_s: float = 0.5
    anywhere_after_s: float = 1.0
    everybody: EverybodyConfig = field(default_factory=EverybodyConfig)


@dataclass(frozen=True)
class _Beginning:
    """Where following begins in a shot: the first position of the shot, the position and the reading that were found."""

    shot_start: int
    position: int
    reading: Reading
    look: np.ndarray | None


@dataclass
class _Track:
    """What is known so far: all frames met with their shots, and readings by frame number."""

    index: list[int] = field(default_factory=list)
    time_s: list[float] = field(default_factory=list)
    shot: list[int] = field(default_factory=list)
    readings: dict[int, Reading] = field(default_factory=dict)

    def times(self, rows: slice) -> FrameTimes:
        """Of some of the frames."""
        return FrameTimes(np.array(self.index[rows], np.int64), np.array(self.time_s[rows], np.float64))

    def follow(self, follower: Follower, frame: Frame) -> None:
        """Take a step and forget what has turned out wrong."""
        reading, wrong = follower.step(frame)
        for index in wrong:
            self.readings.pop(index, None)
        if reading is not None:
            self.readings[frame.index] = reading


def detector_source(size: str = "full") -> str:
    """What the keypoints of mediapipe's network of that size are said to come from."""
    return f"mediapipe {VERSION}" if size == "full" else f"mediapipe {VERSION} {size}"


class MediapipeDetector:
    """mediapipe's BlazePose, without its smoothing, on one person from frame to frame."""

    names: tuple[str, ...] = tuple(LANDMARKS)

    def __init__(
        self,
        config: DetectorConfig | None = None,
        networks: PoseNetworks | None = None,
        *,
        size: str = "full",
        threads: int | None = None,
        progress: ProgressCallback = silent,
    ) -> None:
        """Load the networks.

        Args:
            config: how to choose and follow.
            networks: others than mediapipe's, for tests.
            size: of the network that reads keypoints: "full", "heavy" or "lite"; only the first can be fetched by pip.
            threads: of a network, which change no bit of the result; None: as the machine has, see `usable_threads`.
            progress: told if networks have to be fetched.

        Raises:
            PointlightError: a network is not there and cannot be fetched.
        """
        self.config = config or DetectorConfig()
        self.source = detector_source(size)
        self._networks: PoseNetworks = networks or BlazePose(size, threads, progress)

    def track(
        self, video: VideoReader, box: PersonBox | None = None, progress: ProgressCallback = silent
    ) -> Keypoints2D:
        """Follow one person, from where the person is first found in both directions of time; in every shot anew.

        Args:
            video: the frames; the result has an entry for each.
            box: which person, in that shot alone; without it the largest in each shot's first frame in which somebody is
                found.
            progress: told how many frames are read.

        Raises:
            PointlightError: nobody is found in the box.
        """
        return self._keypoints(self._readings(video, box, progress), video.size, box)

    def track_with_world(
        self, video: VideoReader, box: PersonBox | None = None, progress: ProgressCallback = silent
    ) -> tuple[Keypoints2D, np.ndarray]:
        """`track`, and the detector's own 3D, for who compares with it: (T, K, 3) metres, NaN where nothing was read."""
        track = self._readings(video, box, progress)
        world_m = np.full((len(track.index), len(self.names), 3), np.nan, np.float32)
        for position, index in enumerate(track.index):
            if index in track.readings:
                world_m[position] = track.readings[index].world_m
        return self._keypoints(track, video.size, box), world_m

    def track_people(
        self, video: VideoReader, most: int | None = None, progress: ProgressCallback = silent
    ) -> list[Keypoints2D]:
        """Follow everybody, each as `track` follows one: the first as it does, then the others, the most present first.

        In every shot they are found anew; nobody knows who is who behind a cut.

        Args:
            video: the frames; each result has an entry for each.
            most: at most so many people; None: all.
            progress: told how many frames are read.

        Returns:
            One entry a person, at least one, whether or not somebody is seen.
        """
        shared, total = SharedNetworks(self._networks), video.frame_count or 0
        track, shots = _Track(), list[Shot]()
        for frame, shot in ahead(numbered_shots(video), _FRAMES_AHEAD):
            if not track.shot or shot != track.shot[-1]:
                shots.append(self._shot(shared, len(track.index), track))
            track.index.append(frame.index)
            track.time_s.append(frame.time_s)
            track.shot.append(shot)
            shots[-1].step(frame, len(track.index) - 1)
            progress(Progress("detect", len(track.index), total, unit="frame"))
        people: list[dict[int, Reading]] = [{}]
        ends = [*(shot.start for shot in shots[1:]), len(track.index)]
        for shot, end in zip(shots, ends, strict=True):
            last = max((person.position for person in shot.people), default=shot.start)
            earlier = track.times(slice(shot.start, last))
            if len(earlier.index):
                positions = range(last - 1, shot.start - 1, -1)
                frames = ahead(backwards(video, earlier), _FRAMES_AHEAD)
                shot.backwards(track.time_s, zip(positions, frames, strict=True))
            times = track.times(slice(shot.start, end))
            times_s = dict(zip(times.index.tolist(), times.time_s.tolist(), strict=True))
            for number, readings in enumerate(
                kept_people(shot.people, times_s, self.config.everybody)[:most]
            ):
                people += [{}] * (number == len(people))
                people[number] = people[number] | readings
        return [self._keypoints(replace(track, readings=one), video.size, None) for one in people]

    def _shot(self, networks: PoseNetworks, start: int, track: _Track) -> Shot:
        return Shot(
            networks,
            start,
            lambda frame: self._begin(frame, None, track),
            lambda first, time_s, look: self._follower(first, time_s, look, None, networks),
            self.config.follow.least_visibility,
            self.config.everybody,
        )

    def _readings(self, video: VideoReader, box: PersonBox | None, progress: ProgressCallback) -> _Track:
        if box is not None:
            box.check(video.size)
        track, total = _Track(), video.frame_count or 0
        beginnings: list[_Beginning] = []
        follower: Follower | None = None
        shot_start = 0
        for frame, shot in ahead(numbered_shots(video), _FRAMES_AHEAD):
            if track.shot and shot != track.shot[-1]:
                follower, shot_start = None, len(track.index)
            track.index.append(frame.index)
            track.time_s.append(frame.time_s)
            track.shot.append(shot)
            if follower is not None:
                track.follow(follower, frame)
            elif box is None or not beginnings:
                first = self._begin(frame, box, track)
                if first is not None:
                    look = look_in(frame.image, first)
                    beginnings.append(_Beginning(shot_start, len(track.index) - 1, first, look))
                    follower = self._follower(first, frame.time_s, look, box)
                    track.readings[frame.index] = first
            progress(Progress("detect", len(track.index), total, unit="frame"))
        if box is not None and not beginnings:
            raise PointlightError(_nobody(box, track.time_s))
        for begun in beginnings:
            self._follow_backwards(video, begun, track, box)
        return track

    def _follow_backwards(
        self, video: VideoReader, begun: _Beginning, track: _Track, box: PersonBox | None
    ) -> None:
        """From where a person was found to the beginning of that shot."""
        earlier = track.times(slice(begun.shot_start, begun.position))
        if not len(earlier.index):
            return
        follower = self._follower(begun.reading, track.time_s[begun.position], begun.look, box)
        for frame in ahead(backwards(video, earlier), _FRAMES_AHEAD):
            track.follow(follower, frame)

    def _follower(
        self,
        first: Reading,
        time_s: float,
        look: np.ndarray | None,
        box: PersonBox | None,
        networks: PoseNetworks | None = None,
    ) -> Follower:
        return Follower(
            networks or self._networks,
            first,
            time_s,
            self.config.follow,
            anywhere_after_s=self.config.anywhere_after_s if box is None else None,
            look=look,
        )

    def _begin(self, frame: Frame, box: PersonBox | None, track: _Track) -> Reading | None:
        """The person in a frame with which following can begin."""
        if box is None:
            return self._first_readable(frame.image, self._largest(frame))
        time_s = track.time_s[0] if box.time_s is None else box.time_s
        if not time_s <= frame.time_s <= time_s + self.config.patience_s:
            return None
        return self._first_readable(frame.image, self._in_box(frame.image, box))

    def _largest(self, frame: Frame) -> list[Region]:
        """People in the picture; if there is none at its small scale, in one of its squares, by turns."""
        people = self._networks.find(frame.image)
        if not people:
            squares = _squares(*frame.image.shape[1::-1])
            people = self._networks.find(frame.image, squares[frame.index % len(squares)])
        return [region for region, _ in people]

    def _in_box(self, image: np.ndarray, box: PersonBox) -> list[Region]:
        """People whose hips are in the box, the best fit first; last the box itself."""
        x, y = box.centre
        whole = Region(x, y, 1.25 * max(box.width, box.height), 0.0)
        side = self.config.around_box * max(box.width, box.height)
        people = self._networks.find(image, Region(x, y, side, 0.0)) + self._networks.find(image)
        inside = [
            region
            for region, _ in people
            if abs(region.x - x) < 0.55 * box.width and abs(region.y - y) < 0.55 * box.height
        ]
        inside.sort(
            key=lambda r: np.hypot(r.x - x, r.y - y) / whole.size + abs(np.log(r.size / whole.size)) * 0.5
        )
        return [*inside, whole]

    def _first_readable(self, image: np.ndarray, regions: Iterable[Region]) -> Reading | None:
        for region in regions:
            reading = self._networks.read(image, region)
            if reading is not None:
                # A second look from where the first one saw the person is more exact.
                return self._networks.read(image, reading.region) or reading
        return None

    def _keypoints(self, track: _Track, size: tuple[int, int], box: PersonBox | None) -> Keypoints2D:
        points = np.zeros((len(track.index), len(self.names), 3), np.float32)
        for position, index in enumerate(track.index):
            if index in track.readings:
                points[position] = track.readings[index].points
        outside = ((points[..., :2] < 0) | (points[..., :2] > size)).any(-1)
        points[outside, 2] = 0.0
        return Keypoints2D(
            names=self.names,
            time_s=np.array(track.time_s),
            frame_index=np.array(track.index),
            points=points,
            image_size=size,
            source=self.source,
            shot=np.array(track.shot),
            warnings=_other_shots(track) if box is not None else (),
        )


def _other_shots(track: _Track) -> tuple[str, ...]:
    """A sentence on the shots for which a box says nothing."""
    lost = len(set(track.shot)) - 1
    if not lost:
        return ()
    return (
        f"the box names a person of one shot; the {lost} other shots of the video are left without a body",
    )


def _squares(width: int, height: int) -> list[Region]:
    """Overlapping squares along a picture, as high as its short side, and smaller ones in their middles."""
    short, long = min(width, height), max(width, height)
    count = int(np.ceil(2 * long / short)) - 1
    middles = np.linspace(short / 2, long - short / 2, max(count, 1))
    squares = []
    for middle in middles:
        x, y = (middle, height / 2) if width >= height else (width / 2, middle)
        squares.append(Region(float(x), float(y), float(short), 0.0))
        squares.append(Region(float(x), float(y), 0.6 * short, 0.0))
    return squares


def _nobody(box: PersonBox, time_s: list[float]) -> str:
    at = time_s[0] if box.time_s is None else box.time_s
    if at > time_s[-1]:
        return f"the box is meant for {at:g} s, but the video ends at {time_s[-1]:.3f} s"
    return (
        f"nobody is found in the box {box.x:g},{box.y:g},{box.width:g},{box.height:g} at {at:g} s;"
        " give the box of a whole person, or another time after @"
    )
