"""Whether people who cross one another stay themselves: `python benchmarks/people.py --out FOLDER [--clips 100]`.

Made clips of two to four people whose paths cross (`crossing_clips.py`), 150 frames of 640x480, seeds 0 to 99 unless
`--first` says otherwise (1000 and up are for development). Everybody is followed at once, as `predict --people all` does;
beside that each one alone from the truth's first box, as `--box` does, by a follower that knows of nobody else.

Clips lie in FOLDER and are made where they are absent; so are the results of each, in FOLDER/results, so that a run that was
stopped goes on. `--again` measures anew. `--seconds` stops after so long, with the table of what is there.

A reading is of whom the truth has nearest, if its keypoints are within a quarter of that person's size. A *crossing*:
the boxes of two people overlap by half of the smaller one, and are apart again later. An *identity switch*: whom a track
follows changes, for at least 5 frames. The *right person*: the track that is mostly of a person is on that person, of
the frames in which at least 6 of the 12 keypoints are to be seen.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from common import header, run
from crossing_clips import CrossingClip, crossing_clip, points_of
from scipy.optimize import linear_sum_assignment

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture import MediapipeDetector
from pointlight.capture.detection import DetectorConfig, PersonBox
from pointlight.capture.detection.following import FollowConfig
from pointlight.cues import Keypoints2D
from pointlight.media import VideoReader

TWELVE = points_of(NETWORK_KEYPOINTS)
NEAR = 0.25
"""A reading is of somebody within this share of the person's size."""
SEEN = 6
SHORTEST_RUN = 5
TOGETHER, APART = 0.5, 0.05
"""Shares of the smaller box that overlap while two people cross, and when they have parted."""
ALONE = DetectorConfig(follow=FollowConfig(company=None))


@dataclass
class Counts:
    """Of one clip or of several, summed.

    Attributes:
        clips: how many.
        people: of the truth.
        crossings: of the truth.
        frames: in which a person is to be seen, summed over people.
        right: of these, frames in which the right person is followed with everybody.
        right_alone: of these, when followed alone.
        right_both: of these, both.
        switches: of everybody's tracks.
        switches_alone: of the tracks of each followed alone.
        tracks: people found.
        missed: people of the truth without a track.
        error_px: summed over right frames, mean of the seen keypoints of a frame.
        error_share: in sizes.
        error_alone_px: alone.
        error_alone_share: alone.
        seconds: of following everybody.
        seconds_alone: of following all, one after the other.
    """

    clips: int = 0
    people: int = 0
    crossings: int = 0
    frames: int = 0
    right: int = 0
    right_alone: int = 0
    right_both: int = 0
    switches: int = 0
    switches_alone: int = 0
    tracks: int = 0
    missed: int = 0
    error_px: float = 0.0
    error_share: float = 0.0
    error_alone_px: float = 0.0
    error_alone_share: float = 0.0
    seconds: float = 0.0
    seconds_alone: float = 0.0


@dataclass(frozen=True)
class Attributed:
    """Whom a track is of, frame by frame.

    Attributes:
        person: (T,) number of the truth's person, -1 for nobody.
        error_px: (T,) mean distance of that person's seen keypoints.
        error_share: (T,) in sizes.
    """

    person: np.ndarray
    error_px: np.ndarray
    error_share: np.ndarray


def attributed(track: Keypoints2D, clip: CrossingClip) -> Attributed:
    """Whom a track is of."""
    points = track.select(NETWORK_KEYPOINTS)
    truth, seen = clip.points_px[:, :, TWELVE], clip.seen[:, :, TWELVE]
    counted = np.where(seen.sum(-1, keepdims=True) >= 3, seen, True)
    far = np.linalg.norm(truth - points[None, ..., :2], axis=-1)
    far = (far * counted).sum(-1) / counted.sum(-1)
    size = np.linalg.norm(np.ptp(truth, axis=2), axis=-1)
    share = far / size
    share[np.isnan(clip.boxes_px[..., 0])] = np.inf
    person = share.argmin(0)
    frames = np.arange(len(person))
    best = share[person, frames]
    there = track.present() & (best < NEAR)
    return Attributed(np.where(there, person, -1), far[person, frames], best)


def switches(person: np.ndarray) -> int:
    """Changes of whom a track is of, leaving out stretches that are shorter than a few frames."""
    known = person[person >= 0]
    edges = np.flatnonzero(np.diff(known)) + 1
    runs = [part for part in np.split(known, edges) if len(part) >= SHORTEST_RUN]
    return sum(int(a[0] != b[0]) for a, b in pairwise(runs))


def crossings(boxes_px: np.ndarray) -> int:
    """Pairs that overlap and part again, from the truth's boxes (P, T, 4)."""
    count = 0
    for a, b in combinations(boxes_px, 2):
        low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
        common = np.maximum(high - low, 0).prod(-1)
        smaller = np.minimum(*((box[:, 2:] - box[:, :2]).prod(-1) for box in (a, b)))
        together = False
        for share in np.nan_to_num(common / smaller):
            if share > TOGETHER:
                together = True
            elif together and share < APART:
                together, count = False, count + 1
    return count


def measure(clip: CrossingClip) -> Counts:
    """Follow everybody, and each alone."""
    visible = clip.seen[:, :, TWELVE].sum(-1) >= SEEN
    people = len(visible)
    counts = Counts(1, people, crossings(clip.boxes_px), int(visible.sum()))
    started = time.perf_counter()
    tracks = [
        attributed(track, clip) for track in _detector(DetectorConfig()).track_people(VideoReader(clip.video))
    ]
    counts.seconds = time.perf_counter() - started
    counts.tracks, counts.switches = len(tracks), sum(switches(track.person) for track in tracks)
    votes = np.array([[(track.person == number).sum() for track in tracks] for number in range(people)])
    mine: dict[int, Attributed] = {}
    for number, track in zip(*linear_sum_assignment(-votes), strict=True):
        if votes[number, track]:
            mine[int(number)] = tracks[track]
    counts.missed = people - len(mine)
    started = time.perf_counter()
    for number in range(people):
        alone = _alone(clip, number, visible[number])
        counts.switches_alone += switches(alone.person)
        own = visible[number] & (alone.person == number)
        counts.right_alone += int(own.sum())
        counts.error_alone_px += float(alone.error_px[own].sum())
        counts.error_alone_share += float(alone.error_share[own].sum())
        if number not in mine:
            continue
        right = visible[number] & (mine[number].person == number)
        counts.right += int(right.sum())
        counts.right_both += int((right & own).sum())
        counts.error_px += float(mine[number].error_px[right].sum())
        counts.error_share += float(mine[number].error_share[right].sum())
    counts.seconds_alone = time.perf_counter() - started
    return counts


def _alone(clip: CrossingClip, number: int, visible: np.ndarray) -> Attributed:
    """From the truth's first box in which the person is to be seen."""
    nobody = Attributed(np.full(len(visible), -1), np.zeros(len(visible)), np.zeros(len(visible)))
    if not visible.any():
        return nobody
    first = int(visible.argmax())
    left, top, right, bottom = (float(side) for side in clip.boxes_px[number, first])
    video = VideoReader(clip.video)
    box = PersonBox(left, top, right - left, bottom - top, first / 30)
    return attributed(_detector(ALONE).track(video, box), clip)


_LOADED: dict[int, MediapipeDetector] = {}


def _detector(config: DetectorConfig) -> MediapipeDetector:
    if not _LOADED:
        _LOADED[0] = MediapipeDetector()
    _LOADED[0].config = config
    return _LOADED[0]


def table(all_counts: list[Counts]) -> str:
    """What was measured."""
    sums = Counts(*(sum(values) for values in zip(*(asdict(c).values() for c in all_counts), strict=True)))
    lines = [
        f"{sums.clips} clips, {sums.people} people, {sums.crossings} crossings, {sums.tracks} tracks,"
        f" {sums.missed} people without one\n",
        "| followed | switches | per 100 crossings | right person, % of frames | error, px | error, % of size | s a clip |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, n, right, px, share, seconds in (
        ("everybody at once", sums.switches, sums.right, sums.error_px, sums.error_share, sums.seconds),
        (
            "each alone from its box",
            sums.switches_alone,
            sums.right_alone,
            sums.error_alone_px,
            sums.error_alone_share,
            sums.seconds_alone,
        ),
    ):
        lines.append(
            f"| {name} | {n} | {100 * n / max(sums.crossings, 1):.1f} | {100 * right / max(sums.frames, 1):.1f} |"
            f" {px / max(right, 1):.1f} | {100 * share / max(right, 1):.1f} | {seconds / max(sums.clips, 1):.1f} |"
        )
    held = 100 * sums.right_both / max(sums.right_alone, 1)
    lines.append(
        f"\nOf the frames in which following alone has the right person, everybody at once has {held:.1f} %."
    )
    return "\n".join(lines)


def main() -> None:
    """Make, follow, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--each", action="store_true", help="a line for every clip")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    arguments = parser.parse_args()
    header("people whose paths cross")
    results = arguments.out / "results"
    results.mkdir(parents=True, exist_ok=True)
    until, measured = time.monotonic() + arguments.seconds, []
    for seed in range(arguments.first, arguments.first + arguments.clips):
        file = results / f"{seed:05d}.json"
        if arguments.again or not file.exists():
            if time.monotonic() > until:
                continue
            counts = measure(crossing_clip(arguments.out, seed))
            file.write_text(json.dumps(asdict(counts)))
        counts = Counts(**json.loads(file.read_text()))
        measured.append(counts)
        if arguments.each:
            print(
                f"{seed}: {counts.people} people, {counts.tracks} tracks, {counts.crossings} crossings,"
                f" {counts.switches} switches ({counts.switches_alone} alone), right {counts.right} of {counts.frames}"
                f" ({counts.right_alone} alone, {counts.right_both} both), {counts.seconds:.1f} s",
                flush=True,
            )
    print(table(measured) if measured else "nothing was measured in that time")


if __name__ == "__main__":
    run(main)
