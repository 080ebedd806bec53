"""Errors of joint angles in degrees: `python benchmarks/angles.py [--data SETS] [--motion FOLDER [--clips 24]]`.

SETS is a folder of sets of calibrated cameras with an `index.csv`; cameras whose role is `development` are scored, by what
the other cameras of their set say. FOLDER has motion capture, of whose validation split simulated people are made. The
angle at a knee or an elbow is that between its bones, at a hip that of the thigh with the line from the middle of the hips
to that of the shoulders, about the hips' axis, flexion positive. "By points" takes both sides' from the 12 keypoints, so
that only the pose counts; "joint_angles" is what a user gets, from the skeleton's joints. The truth of real people has
keypoints only; of simulated ones it has the skeleton.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from common import header, run

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, AnnyBody
from pointlight.capture import Capture, PredictOptions, joint_angles, lift_keypoints
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation.multiview import (
    TruthConfig,
    calibrated_folders,
    detect_camera,
    read_calibrated_set,
    reference_of,
    video_roles,
)
from pointlight.motion import BANK_FPS, compile_motion_bank
from pointlight.network import EVALUATION_INDICES
from pointlight.simulator import EVAL_V1, SceneSampler, TrackMaker
from pointlight.training import Checkpoint, load_checkpoint

ANGLES = ("knee", "elbow", "hip")
JOINTS = {"knee": ("hip", "knee", "ankle"), "elbow": ("shoulder", "elbow", "wrist")}
OURS = {"knee": "knee_flexion", "elbow": "elbow_flexion", "hip": "hip_flexion"}
SIDES = ("left", "right")
LEAST_FRAMES = 20
MOVES_DEG = 5.0
"""Where the truth varies by less (standard deviation), a correlation says nothing."""
SEED = 7


@dataclass(frozen=True)
class Pair:
    """One angle of one side over time: the truth's and ours, degrees; NaN where there is none."""

    truth: np.ndarray
    ours: np.ndarray

    @property
    def both(self) -> np.ndarray:
        """(T,) bool, frames with both."""
        return np.isfinite(self.truth) & np.isfinite(self.ours)


def by_points(points_m: np.ndarray, side: str, angle: str) -> np.ndarray:
    """(T,) degrees from the 12 keypoints (T, 12, 3)."""

    def at(name: str) -> np.ndarray:
        return points_m[:, NETWORK_KEYPOINTS.index(name)]

    if angle in JOINTS:
        above, joint, below = (at(f"{side}_{name}") for name in JOINTS[angle])
        upper, lower = joint - above, below - joint
        across = np.linalg.norm(np.cross(upper, lower), axis=-1)
        return np.degrees(np.arctan2(across, (upper * lower).sum(-1)))
    to_left = at("left_hip") - at("right_hip")
    up = 0.5 * (at("left_shoulder") + at("right_shoulder") - at("left_hip") - at("right_hip"))
    thigh = at(f"{side}_knee") - at(f"{side}_hip")
    x = to_left / np.linalg.norm(to_left, axis=-1, keepdims=True)
    y = up - (up * x).sum(-1, keepdims=True) * x
    y /= np.linalg.norm(y, axis=-1, keepdims=True)
    forward = (thigh * np.cross(x, y)).sum(-1)
    return np.degrees(np.arctan2(forward, -(thigh * y).sum(-1)))


def row(name: str, angle: str, pairs: Sequence[Pair], floor: str = "") -> None:
    """A line of the table: both sides, and if there are several, all clips."""
    errors = np.concatenate([(pair.ours - pair.truth)[pair.both] for pair in pairs])
    if len(errors) < LEAST_FRAMES:
        return
    truths = np.concatenate([pair.truth[pair.both] for pair in pairs])
    moving = [
        np.corrcoef(pair.truth[pair.both], pair.ours[pair.both])[0, 1]
        for pair in pairs
        if pair.both.sum() >= LEAST_FRAMES and pair.truth[pair.both].std() >= MOVES_DEG
    ]
    correlation = (
        ", ".join(f"{value:.2f}" for value in moving) if len(moving) <= 2 else f"{np.mean(moving):.2f}"
    )
    low, high = np.percentile(truths, (5, 95))
    mean, bias = np.abs(errors).mean(), errors.mean()
    print(
        f"| {name} | {angle} | {len(errors)} | {low:.0f} to {high:.0f} | {mean:.1f} | {bias:+.1f} |"
        f" {correlation or '-'} | {floor or '-'} |",
        flush=True,
    )


def rows_of(name: str, found: dict[str, list[Pair]], floors: dict[str, str] | None = None) -> None:
    """Lines of one camera or one kind of people."""
    for angle, pairs in found.items():
        row(name, angle, pairs, (floors or {}).get(angle, ""))


def compared(
    capture: Capture, truth_m: np.ndarray, counted: np.ndarray, body: AnnyBody
) -> dict[str, list[Pair]]:
    """Angles of a capture beside those of the true keypoints (T, 12, 3) in frames that count (T,)."""
    frames = min(len(capture), len(truth_m))
    twelve = [EVALUATION_JOINTS.index(name) for name in NETWORK_KEYPOINTS]
    points = capture.joints_camera_m[:frames, twelve].astype(np.float64)
    angles = joint_angles(capture, body)
    found: dict[str, list[Pair]] = {}
    for angle in ANGLES:
        for side in SIDES:
            truth = np.where(counted[:frames], by_points(truth_m[:frames], side, angle), np.nan)
            ours = angles.of(f"{side}_{OURS[angle]}")[:frames].astype(np.float64)
            found.setdefault(f"{angle}, by points", []).append(Pair(truth, by_points(points, side, angle)))
            if angle in JOINTS:
                found.setdefault(f"{angle}, joint_angles", []).append(Pair(truth, ours))
    return dict(sorted(found.items(), key=lambda item: item[0].endswith("angles")))


def real_people(data: Path, checkpoint: Checkpoint, body: AnnyBody) -> None:
    """Rows for the cameras of development."""
    roles = video_roles(data)
    for folder in calibrated_folders(data):
        calibrated = read_calibrated_set(folder)
        chosen = [
            k
            for k, view in enumerate(calibrated.views)
            if roles.get(f"{calibrated.name}/{view.video.name}") == "development"
        ]
        if not chosen:
            continue
        seen = [detect_camera(view) for view in calibrated.views]
        quality, truth, cameras = reference_of(calibrated, seen, TruthConfig())
        if quality.unscored_because:
            print(f"{calibrated.name} is left out: {quality.unscored_because}")
            continue
        twelve = [truth.names.index(name) for name in NETWORK_KEYPOINTS]
        everybody = np.where(truth.scored[..., None], truth.joints_world_m, np.nan)[:, twelve]
        for k in chosen:
            name, camera = f"{calibrated.name}/{calibrated.views[k].name}", cameras[k]
            try:
                capture = lift_keypoints(seen[k].keypoints, checkpoint, body, PredictOptions())
            except PointlightError:  # nobody is seen in any frame
                continue
            floors = {}
            for angle in ANGLES:
                moved = [
                    np.abs(by_points(camera.joints_m, side, angle) - by_points(everybody, side, angle))
                    for side in SIDES
                ]
                if np.isfinite(moved).any():
                    floors[f"{angle}, by points"] = f"{np.nanmean(moved):.1f}"
            found = compared(capture, camera.joints_m, camera.frames, body)
            rows_of(name, found, floors)


def simulated(
    motion: Path, count: int, seconds: float, body: AnnyBody
) -> Iterator[tuple[Keypoints2D, Keypoints2D, float, np.ndarray, dict[str, np.ndarray]]]:
    """Detections, exact keypoints, the focal length, the true 12 keypoints, and the body's true arrays of a capture."""
    frames = round(seconds * BANK_FPS) + 1
    config = replace(EVAL_V1, split="validation", frames=frames)
    bank = compile_motion_bank(motion, body)
    sampler, maker = SceneSampler(config, bank, body), TrackMaker(config, body)
    enough = [i for i in bank.indices("validation") if bank.clips[i].frames >= frames]
    twelve = [EVALUATION_JOINTS.index(name) for name in NETWORK_KEYPOINTS]
    times, shown = np.arange(frames) / BANK_FPS, len(EXTENDED_KEYPOINTS)
    for number, place in enumerate(np.linspace(0, len(enough) - 1, count).round().astype(int)):
        clip = enough[place]
        start = int(np.random.default_rng((SEED, number)).integers(bank.clips[clip].frames - frames + 1))
        scene = sampler.scene_of(bank.motion(clip, start, frames), SEED, number)
        tracks = maker.make([scene])
        state = tracks.state
        rotations = np.concatenate((state.root[0, :, None].numpy(), state.pose[0].numpy()), axis=1)
        true = {
            "pose_rotmat": rotations,
            "shape": state.shape[0, 0].numpy(),
            "shot_shapes": state.shape[0].numpy(),
        }
        both = []
        for points, visible in (
            (tracks.detections_px[0], tracks.visible[0]),
            (tracks.points_px[0, :, :shown], tracks.visible[0] | True),
        ):
            values = np.concatenate((points.numpy(), visible.numpy()[..., None]), axis=-1).astype(np.float64)
            size = scene.camera.image_size
            both.append(Keypoints2D(EXTENDED_KEYPOINTS, times, np.arange(frames), values, size, "simulation"))
        joints = tracks.points_camera_m[0].double().numpy()[:, list(EVALUATION_INDICES)][:, twelve]
        yield both[0], both[1], float(tracks.assumed_focal_px[0]), joints, true


def simulated_people(
    motion: Path, count: int, seconds: float, checkpoint: Checkpoint, body: AnnyBody
) -> None:
    """Rows for detections as they come, and for exact keypoints."""
    found: tuple[dict[str, list[Pair]], dict[str, list[Pair]]] = ({}, {})
    for detected, exact, focal_px, joints, true in simulated(motion, count, seconds, body):
        for rows, keypoints in zip(found, (detected, exact), strict=True):
            capture = lift_keypoints(keypoints, checkpoint, body, PredictOptions(focal_px=focal_px))
            there = np.ones(len(joints), bool)
            for name, pairs in compared(capture, joints, there, body).items():
                if name.endswith("by points"):
                    rows.setdefault(name, []).extend(pairs)
            whole = replace(capture, valid=there, **true, **_finite(capture, joints))
            theirs, ours = joint_angles(whole, body), joint_angles(capture, body)
            for angle in ANGLES:
                for side in SIDES:
                    names = f"{side}_{OURS[angle]}"
                    pair = Pair(theirs.of(names).astype(np.float64), ours.of(names).astype(np.float64))
                    rows.setdefault(f"{angle}, joint_angles", []).append(pair)
    for name, rows in zip(
        ("simulation, detector's noise", "simulation, exact keypoints"), found, strict=True
    ):
        rows_of(name, dict(sorted(rows.items(), key=lambda item: item[0].endswith("angles"))))


def _finite(capture: Capture, joints: np.ndarray) -> dict[str, np.ndarray]:
    """Places for frames that the capture has no body in; angles do not look at them."""
    return {
        "joints_camera_m": np.nan_to_num(capture.joints_camera_m),
        "translation_camera_m": np.zeros((len(joints), 3), np.float32),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--model", default="points")
    given = parser.parse_args()
    if given.data is None and given.motion is None:
        print("skipped: python benchmarks/angles.py --data SETS --motion FOLDER")
        return
    header("angles")
    body = AnnyBody()
    checkpoint = load_checkpoint(given.model, body)
    print(
        "| people | angle | frames, both sides | truth, 5 to 95 % | mean error | of it bias | correlation | floor |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    if given.data is not None:
        real_people(given.data, checkpoint, body)
    if given.motion is not None:
        simulated_people(given.motion, given.clips, given.seconds, checkpoint, body)


if __name__ == "__main__":
    run(main)
