"""Predict end to end by stage, beside the detector alone: `python benchmarks/predict.py VIDEO [MODEL]`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from common import header, run

from pointlight.capture import MediapipeDetector, PredictOptions, predict_to_folder
from pointlight.media import VideoReader


def main() -> None:
    if len(sys.argv) < 2:
        print("skipped: python benchmarks/predict.py VIDEO [MODEL]")
        return
    header("predict")
    video = Path(sys.argv[1])
    options = PredictOptions(model=sys.argv[2] if len(sys.argv) > 2 else "points")
    with tempfile.TemporaryDirectory() as folder:
        predict_to_folder(video, folder, options)  # loops are compiled, files are in memory
        started = time.perf_counter()
        keypoints = MediapipeDetector().track(VideoReader(video))
        alone = time.perf_counter() - started
        started = time.perf_counter()
        summary = predict_to_folder(video, folder, options)
        total = time.perf_counter() - started
    frames = len(keypoints)
    print("| stage | s | frames/s |")
    print("| --- | --- | --- |")
    for stage, time_s in summary.seconds.items():
        print(f"| {stage} | {time_s:.2f} | {frames / time_s:.0f} |")
    print(f"| all | {total:.2f} | {frames / total:.1f} |")
    print(f"all over the detector alone ({alone:.2f} s): {total / alone:.2f}")


if __name__ == "__main__":
    run(main)
