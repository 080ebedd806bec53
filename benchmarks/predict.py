"""`pointlight predict` as it is used: `python benchmarks/predict.py VIDEO [--against CHECKOUT] [--repeats 5]`.

Runs the command in processes of their own, here and in another checkout by turns, and prints the wall time of every stage
as the command tells it, the whole process's wall and processor time and its peak memory: medians and spreads, and the
median of the ratios pair by pair. One run of each before is not counted. Beside it the floors here: what decoding, the
networks and encoding take alone, one after the other. `--first` adds runs with an empty cache of compiled loops.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT, Numbers, comparison, header

from pointlight.capture.detection.blazepose import BlazePose
from pointlight.media import VideoReader, VideoWriter
from pointlight.threads import usable_threads

_STAGE = re.compile(r"(\w+) ([\d.]+) s(?=[,;])")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--against", type=Path, help="a checkout with a .venv of its own")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--options", default="", help="of the command, in quotes, such as '--end 2'")
    parser.add_argument("--first", action="store_true", help="also with an empty cache of compiled loops")
    given = parser.parse_args()
    if given.video is None:
        print("skipped: python benchmarks/predict.py VIDEO")
        return
    header("predict")
    checkouts = [ROOT] if given.against is None else [ROOT, given.against.resolve()]
    options = shlex.split(given.options)
    for checkout in checkouts:
        measured(checkout, given.video, options)
    rounds = []
    for repeat in range(given.repeats):
        order = checkouts if repeat % 2 == 0 else checkouts[::-1]
        found = {checkout: measured(checkout, given.video, options) for checkout in order}
        rounds.append([found[checkout] for checkout in (*checkouts, *checkouts)[:2]])
        print(f"{repeat + 1}/{given.repeats}", file=sys.stderr)
    print(comparison(rounds))
    if given.first:
        print("\n| first run, cache of compiled loops empty | whole process, s |\n| --- | --- |")
        for checkout in checkouts:
            print(
                f"| {checkout.name} | {measured(checkout, given.video, options, first=True)['whole process, s']:.1f} |"
            )
    print("\n| floors here, alone and in turn | s |\n| --- | --- |")
    for name, value in floors(given.video).items():
        print(f"| {name} | {value:.2f} |")


def measured(checkout: Path, video: Path, options: list[str], *, first: bool = False) -> Numbers:
    """One run of a checkout's command."""
    python = checkout / ".venv/bin/python"
    code = "from pointlight.cli.main import main; main()"
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
        if first:
            environment["NUMBA_CACHE_DIR"] = f"{folder}/loops"
        command = [str(python), "-c", code, "predict", str(video), "--out", f"{folder}/out", *options]
        started = time.perf_counter()
        with open(f"{folder}/told", "w+") as told:
            process = subprocess.Popen(command, stdout=told, stderr=subprocess.DEVNULL, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            told.seek(0)
            output = told.read()
        wall_s = time.perf_counter() - started
    if status:
        sys.exit(f"{shlex.join(command)} failed:\n{output}")
    stages = {f"{name}, s": float(value) for name, value in _STAGE.findall(output)}
    return {
        **stages,
        "all stages, s": sum(stages.values()),
        "whole process, s": wall_s,
        "processor, s": usage.ru_utime + usage.ru_stime,
        "peak memory, MiB": usage.ru_maxrss / 1024,
    }


def floors(video: Path) -> dict[str, float]:
    """Seconds of the parts that cannot be left out, in this process, with all threads that predict takes."""
    started = time.perf_counter()
    frames = sum(1 for _ in VideoReader(video))
    decode = time.perf_counter() - started
    networks = BlazePose()
    image = next(iter(VideoReader(video))).image
    found = networks.find(image)
    spent = 0.0
    if found:
        started = time.perf_counter()
        for _ in range(frames):
            networks.read(image, found[0][0])
        spent = time.perf_counter() - started
    width, height = (side // 2 * 2 for side in VideoReader(video).size)
    scale = min(1.0, 1280 / max(2 * width, height))
    size = (2 * round(width * scale), 2 * round(height * scale / 2))
    pictures = [frame.image for frame, _ in zip(VideoReader(video, size=size), range(60), strict=False)]
    with tempfile.TemporaryDirectory() as folder, VideoWriter(f"{folder}/v.mp4", 30.0, size) as writer:
        started = time.perf_counter()
        for number in range(frames):
            writer.write(pictures[number % len(pictures)])
        encode = time.perf_counter() - started
    threads = usable_threads()
    return {
        f"decoding, {frames} frames": decode,
        f"networks, {threads} threads": spent,
        f"encoding {size[0]} x {size[1]}": encode,
    }


if __name__ == "__main__":
    main()
