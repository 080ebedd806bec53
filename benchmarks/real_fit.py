"""How well bodies lie on real people: `python benchmarks/real_fit.py REAL [--out DIR] [--model NAME] [VIDEO ...]`.

REAL is a folder of videos with an `index.csv` (file, role); its development clips of whole people are run, then every VIDEO
that is named. For each the median distance between projected joints and detections, as a share of the diagonal of the
detections' box, frames with a body, and the speed. Overlays and contact sheets of every 20th frame lie in DIR.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from common import header

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS
from pointlight.capture import Capture, PersonBox, PredictOptions, predict_to_folder
from pointlight.media import contact_sheet, write_png

SEEN_SCORE = 0.3
WITHOUT_LEGS = "caliscope_desk"


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


def development_clips(folder: Path) -> list[Path]:
    with open(folder / "index.csv") as rows:
        names = [row["file"] for row in csv.DictReader(rows) if row["role"] == "development"]
    return [folder / name for name in names if not name.startswith(WITHOUT_LEGS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("real", type=Path, nargs="?")
    parser.add_argument("videos", nargs="*", help="VIDEO or VIDEO=BOX, where BOX is that of predict's --box")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--model", default=PredictOptions().model)
    given = parser.parse_intermixed_args()
    if given.real is None:
        print("skipped: python benchmarks/real_fit.py REAL")
        return
    header("real_fit")
    out = given.out or Path(tempfile.mkdtemp())
    jobs = [(clip, None) for clip in development_clips(given.real)]
    for video in given.videos:
        path, _, box = video.partition("=")
        jobs.append((Path(path), PersonBox.parse(box) if box else None))
    print("| clip | frames | body in | occluded | sides put back | median distance, % of the box | 90 %, % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for number, (clip, box) in enumerate(jobs):
        folder = out / f"{number:02d}_{clip.parent.name}_{clip.stem}"
        summary = predict_to_folder(clip, folder, PredictOptions(model=given.model, box=box))
        write_png(folder / "sheet.png", contact_sheet(folder / "overlay.mp4", every=20))
        share = distance_shares(Capture.load(folder / "poses.npz"))
        middle, most = (100 * float(np.nanpercentile(share, q)) for q in (50, 90))
        print(
            f"| {clip.parent.name}/{clip.name} | {summary.frames} | {summary.bodies} | {summary.occluded} "
            f"| {summary.repaired} | {middle:.1f} | {most:.1f} |",
            flush=True,
        )
    print(f"overlays and contact sheets are in {out}")


if __name__ == "__main__":
    main()
