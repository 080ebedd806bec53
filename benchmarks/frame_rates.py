"""What a video's frame rate costs: `python benchmarks/frame_rates.py MOTION [--clips 24] [--rates 6 30ms ...]`.

MOTION is a folder of motion capture, of which the validation split is used. Exact keypoints of moving people are given to
`points` at different rates; every row shows the same people for the same time. A rate is a number of frames/s; `ms` behind
it rounds the time stamps to milliseconds, `jitter` moves each by up to a quarter of a frame, `drop` hides every tenth
keypoint.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from common import header, run
from scipy.interpolate import CubicSpline

from pointlight.body import EXTENDED_KEYPOINTS, AnnyBody
from pointlight.capture import PredictOptions, lift_keypoints, track_of
from pointlight.capture.fitting import grid_times, on_the_grid
from pointlight.cues import Keypoints2D
from pointlight.evaluation import pa_mpjpe_mm
from pointlight.motion import BANK_FPS, compile_motion_bank
from pointlight.network import EVALUATION_INDICES
from pointlight.simulator import EVAL_V1_PERFECT, SceneSampler, TrackMaker
from pointlight.training import Checkpoint, load_checkpoint

RATES = (
    "6",
    "6ms",
    "10",
    "10ms",
    "15",
    "24",
    "25",
    "30",
    "30ms",
    "30jitter",
    "30jitterdrop",
    "30drop",
    "50",
    "60",
    "120",
    "240",
)
YARDSTICK = "30"
SEED = 7


@dataclass(frozen=True)
class Person:
    """A simulated person's points (camera axes, metres) as smooth functions of time, and the camera."""

    points_m: CubicSpline
    duration_s: float
    focal_px: float
    principal_px: np.ndarray
    image_size: tuple[int, int]


def people(motion: Path, count: int, seconds: float, body: AnnyBody) -> Iterator[Person]:
    """So many windows of the validation split, evenly over its files."""
    frames = round(seconds * BANK_FPS) + 1
    config = replace(EVAL_V1_PERFECT, split="validation", frames=frames)
    bank = compile_motion_bank(motion, body)
    sampler, maker = SceneSampler(config, bank, body), TrackMaker(config, body)
    long_enough = [i for i in bank.indices("validation") if bank.clips[i].frames >= frames]
    for number, place in enumerate(np.linspace(0, len(long_enough) - 1, count).round().astype(int)):
        clip = long_enough[place]
        start = int(np.random.default_rng((SEED, number)).integers(bank.clips[clip].frames - frames + 1))
        scene = sampler.scene_of(bank.motion(clip, start, frames), SEED, number)
        tracks = maker.make([scene])
        times = np.arange(frames) / BANK_FPS
        yield Person(
            CubicSpline(times, tracks.points_camera_m[0].double().numpy()),
            float(times[-1]),
            float(tracks.focal_px[0]),
            tracks.principal_px[0, 0].double().numpy(),
            scene.camera.image_size,
        )


def stamps(rate: str, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """(T,) time stamps as a rate's name says."""
    fps = float(re.match(r"[\d.]+", rate)[0])
    times = np.arange(int(duration_s * fps + 1e-6) + 1) / fps
    if "jitter" in rate:
        times = np.sort(np.maximum(times + rng.uniform(-0.25, 0.25, len(times)) / fps, 0))
        times = np.minimum(times, duration_s)
    return times.round(3) if "ms" in rate else times


def seen_at(person: Person, rate: str, number: int) -> tuple[Keypoints2D, np.ndarray]:
    """Exact keypoints at a rate, and the true joints (T, 14, 3)."""
    rng = np.random.default_rng((SEED, number, 1))
    times = stamps(rate, person.duration_s, rng)
    points = person.points_m(times)
    flat = person.focal_px * points[..., :2] / points[..., 2:] + person.principal_px
    shown = flat[:, : len(EXTENDED_KEYPOINTS)]
    score = np.where(rng.random(shown.shape[:2]) < (0.1 if "drop" in rate else 0), 0.0, 1.0)
    keypoints = Keypoints2D(
        EXTENDED_KEYPOINTS,
        times,
        np.arange(len(times)),
        np.concatenate((shown, score[..., None]), axis=-1),
        person.image_size,
        "simulation",
    )
    return keypoints, points[:, list(EVALUATION_INDICES)]


def errors(
    keypoints: Keypoints2D, truth_m: np.ndarray, person: Person, checkpoint: Checkpoint, body: AnnyBody
) -> list[float]:
    """PA-MPJPE of the network over windows and of what `predict` does; percent valid, and seen on the grid."""
    found = []
    for refine in (False, True):
        options = PredictOptions(focal_px=person.focal_px, refine=refine)
        capture = lift_keypoints(keypoints, checkpoint, body, options)
        chosen = torch.from_numpy(capture.joints_camera_m[capture.valid]).double()
        found.append(float(pa_mpjpe_mm(chosen, torch.from_numpy(truth_m[capture.valid])).mean()))
    track = track_of(keypoints, EXTENDED_KEYPOINTS, PredictOptions())[0]
    visible = on_the_grid(track, grid_times(track.time_s, 1))[1]
    return [*found, 100 * float(capture.valid.mean()), 100 * float(visible.mean())]


def mean_errors(rate: str, everybody: Sequence[Person], checkpoint: Checkpoint, body: AnnyBody) -> np.ndarray:
    """(4,) `errors` at a rate, the mean over people."""
    each = [
        errors(*seen_at(person, rate, number), person, checkpoint, body)
        for number, person in enumerate(everybody)
    ]
    return np.mean(each, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("motion", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rates", nargs="+", default=RATES)
    given = parser.parse_args()
    if given.motion is None:
        print("skipped: python benchmarks/frame_rates.py MOTION")
        return
    header("frame_rates")
    torch.set_num_threads(1)
    body = AnnyBody()
    checkpoint = load_checkpoint("points", body)
    everybody = list(people(given.motion, given.clips, given.seconds, body))
    yardstick = mean_errors(YARDSTICK, everybody, checkpoint, body)
    print(f"{given.clips} people for {given.seconds:g} s each; mm PA-MPJPE, of that at {YARDSTICK} frames/s")
    print("| frames/s | network | of 30 | refined | of 30 | valid, % | seen on the grid, % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for rate in given.rates:
        found = yardstick if rate == YARDSTICK else mean_errors(rate, everybody, checkpoint, body)
        alone, refined, valid, seen = found
        of_alone, of_refined = found[:2] / yardstick[:2]
        cells = f"{alone:.1f} | {of_alone:.3f} | {refined:.1f} | {of_refined:.3f} | {valid:.0f} | {seen:.0f}"
        print(f"| {rate} | {cells} |", flush=True)


if __name__ == "__main__":
    run(main)
