"""How well bodies lie on real people: `python benchmarks/real_fit.py REAL [--out DIR] [--model NAME] [VIDEO ...]`.

REAL is a folder of videos with an `index.csv` (file, role); its clips of whole people of the roles named by `--roles` are
run, then every VIDEO that is named, each by the network alone and refined. For each the median distance between projected
joints and detections, as a share of the diagonal of the detections' box, and the limbs that refinement may have made
worse: joints that the network had on the detection and that are off it now, and bones that now point elsewhere. Both
overlays and a contact sheet of every 20th frame, before beside after, lie in DIR; so do the detections, for the next run.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from common import header, run

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS
from pointlight.capture import Capture, MediapipeDetector, PersonBox, PredictOptions, predict_to_folder
from pointlight.capture.detection import write_keypoints
from pointlight.media import VideoReader, contact_sheet, write_png

SEEN_SCORE = 0.3
WITHOUT_LEGS = "caliscope_desk"
ON, OFF = 0.03, 0.06
TURNED_DEG = 45.0
BONES = tuple(
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)


def distance_shares(capture: Capture) -> np.ndarray:
    """(T, 12) distance of joints and detections over the detections' box diagonal; NaN where not seen or no body."""
    detected = capture.keypoints_px[:, [capture.keypoint_names.index(name) for name in NETWORK_KEYPOINTS]]
    projected = capture.joints_px()[:, [EVALUATION_JOINTS.index(name) for name in NETWORK_KEYPOINTS]]
    seen = (detected[..., 2] >= SEEN_SCORE) & (capture.valid & ~capture.occluded)[:, None]
    places = np.where(seen[..., None], detected[..., :2], np.nan)
    with np.errstate(invalid="ignore"):
        diagonal = np.linalg.norm(_reach(places), axis=-1)
    return np.linalg.norm(projected - places, axis=-1) / diagonal[:, None]


def _reach(places: np.ndarray) -> np.ndarray:
    """(T, 2) extent of each frame's points that are seen; NaN where none is."""
    low = np.where(np.isnan(places), np.inf, places).min(1)
    high = np.where(np.isnan(places), -np.inf, places).max(1)
    return np.where(high > low, high - low, np.nan)


def made_wrong(before: Capture, after: Capture) -> dict[str, list[int]]:
    """Frames by limb joint that the network had within `ON` of the detection and that lies beyond `OFF` of it after."""
    near, far = distance_shares(before), distance_shares(after)
    with np.errstate(invalid="ignore"):
        wrong = (near < ON) & (far > OFF)
    return {
        name: _frames(before, wrong[:, k]) for k, name in enumerate(NETWORK_KEYPOINTS) if wrong[:, k].any()
    }


def turned(before: Capture, after: Capture) -> dict[str, list[int]]:
    """Frames by bone whose direction differs by more than `TURNED_DEG`, the whole body's turn included."""
    found = {}
    for upper, lower in BONES:
        a, b = (_direction(capture, upper, lower) for capture in (before, after))
        with np.errstate(invalid="ignore"):
            angle = np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1)))
        if (angle > TURNED_DEG).any():
            found[f"{upper} to {lower}"] = _frames(before, angle > TURNED_DEG)
    return found


def _direction(capture: Capture, upper: str, lower: str) -> np.ndarray:
    ends = [capture.joints_camera_m[:, EVALUATION_JOINTS.index(name)] for name in (upper, lower)]
    bone = ends[1] - ends[0]
    return bone / np.linalg.norm(bone, axis=-1, keepdims=True)


def _frames(capture: Capture, chosen: np.ndarray) -> list[int]:
    return [int(index) for index in capture.frame_index[chosen]]


def _words(found: dict[str, list[int]]) -> str:
    return "; ".join(f"{name} {_spans(frames)}" for name, frames in found.items()) or "none"


def _spans(frames: list[int]) -> str:
    """Frame numbers, neighbours as spans."""
    spans: list[list[int]] = []
    for frame in frames:
        if spans and frame <= spans[-1][1] + 2:
            spans[-1][1] = frame
        else:
            spans.append([frame, frame])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def clips_of(folder: Path, roles: set[str]) -> list[Path]:
    with open(folder / "index.csv") as rows:
        names = [row["file"] for row in csv.DictReader(rows) if row["role"] in roles]
    return [folder / name for name in names if not name.startswith(WITHOUT_LEGS)]


def see_once(video: Path, box: PersonBox | None, file: Path) -> Path:
    """The detections of a video, in a file that later runs read."""
    if not file.is_file():
        write_keypoints(file, MediapipeDetector().track(VideoReader(video), box))
    return file


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("real", type=Path, nargs="?")
    parser.add_argument("videos", nargs="*", help="VIDEO or VIDEO=BOX, where BOX is that of predict's --box")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model", default=PredictOptions().model)
    parser.add_argument("--roles", default="development", help="of REAL's clips, by commas")
    given = parser.parse_intermixed_args()
    if given.real is None:
        print("skipped: python benchmarks/real_fit.py REAL")
        return
    header("real_fit")
    out = given.out or Path(tempfile.mkdtemp())
    jobs: list[tuple[Path, PersonBox | None]] = [
        (clip, None) for clip in clips_of(given.real, set(given.roles.split(",")))
    ]
    for video in given.videos:
        path, _, box = video.partition("=")
        jobs.append((Path(path), PersonBox.parse(box) if box else None))
    print(
        "| clip | frames | body in | occluded | sides put back | network: median, 90 % | refined: median, 90 % |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    notes = []
    for number, (clip, box) in enumerate(jobs):
        folder = out / f"{number:02d}_{clip.parent.name}_{clip.stem}"
        folder.mkdir(parents=True, exist_ok=True)
        keypoints = see_once(clip, box, folder / "keypoints.npz")
        cells, captures, sheets = [], [], []
        for kind, refined in (("network", False), ("refined", True)):
            options = PredictOptions(model=given.model, keypoints=keypoints, refine=refined)
            summary = predict_to_folder(clip, folder / kind, options)
            sheets.append(contact_sheet(folder / kind / "overlay.mp4", every=20, columns=1))
            captures.append(Capture.load(folder / kind / "poses.npz"))
            share = distance_shares(captures[-1])
            middle, most = (100 * float(np.nanpercentile(share, q)) for q in (50, 90))
            cells.append(f"{middle:.1f} %, {most:.1f} %")
            seen = f"{summary.frames} | {summary.bodies} | {summary.occluded} | {summary.repaired}"
        write_png(folder / "sheet.png", np.concatenate(sheets, axis=1))
        name = f"{clip.parent.name}/{clip.name}"
        print(f"| {name} | {seen} | {' | '.join(cells)} |", flush=True)
        notes.append(
            f"{name}: off the detection by refinement: {_words(made_wrong(*captures))}."
            f" Turned by more than {TURNED_DEG:.0f} degrees: {_words(turned(*captures))}."
        )
    print()
    print("\n".join(notes))
    print(f"overlays and contact sheets are in {out}")


if __name__ == "__main__":
    run(main)
