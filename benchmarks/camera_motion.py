"""The camera's motion by TV-L1 and by DIS on the videos whose camera moves, and what windows cost.

`python benchmarks/camera_motion.py BACKGROUNDS CACHE [--clips 25] [--pairs 30]`: a folder of videos with an index.csv, of
which the training split is used, and a folder for windows and results. TV-L1 takes a second a pair, so every pair is
kept in CACHE and a further call goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import header, run

from pointlight.flow import find_flow
from pointlight.simulator.backgrounds import (
    ProceduralWindows,
    WindowCache,
    WindowConfig,
    fill_cache,
    list_backgrounds,
)

AGREE_PX = 0.5
FAR_PX = 3


def pair_order(count: int) -> list[int]:
    """The numbers below `count`, spread so that any beginning of the list covers the whole range."""
    return sorted(range(count), key=lambda n: (0.5 + n * (np.sqrt(5) - 1) / 2) % 1)


def compare(cache: WindowCache, pairs: int, results: Path) -> dict[str, list[dict]]:
    """Median flow of the first `pairs` pairs of every window by both estimators, from `results` where it is there."""
    known: dict[tuple[str, int], dict] = {}
    if results.exists():
        for line in results.read_text().splitlines():
            row = json.loads(line)
            known[row["file"], row["pair"]] = row
    with open(results, "a") as stream:
        for pair in pair_order(30)[:pairs]:
            for number in range(len(cache)):
                file = cache.videos[number].file
                if (file, pair) in known:
                    continue
                frames = cache.read(number).frames
                row: dict = {"file": file, "pair": pair}
                for name in ("dis", "dis-fast", "tvl1"):
                    began = time.process_time()
                    flow = find_flow(name).flow(frames[pair], frames[pair + 1])
                    row[f"{name}_s"] = time.process_time() - began
                    row[name] = np.median(flow.reshape(-1, 2), axis=0).tolist()
                known[file, pair] = row
                stream.write(json.dumps(row) + "\n")
                stream.flush()
    table: dict[str, list[dict]] = {}
    for row in known.values():
        table.setdefault(row["file"], []).append(row)
    return table


def report(table: dict[str, list[dict]]) -> None:
    print("| clip | pairs | speed px | DIS - TV-L1, median abs px | largest | DIS fast - TV-L1 |")
    print("| --- | --- | --- | --- | --- | --- |")
    medians = []
    for file, rows in sorted(table.items()):
        flow = {name: np.array([row[name] for row in rows]) for name in ("dis", "dis-fast", "tvl1")}
        apart = np.abs(flow["dis"] - flow["tvl1"])
        medians.append(float(np.median(apart)))
        print(
            f"| {file} | {len(rows)} | {np.linalg.norm(flow['tvl1'], axis=1).mean():.2f} | {medians[-1]:.3f}"
            f" | {apart.max():.2f} | {np.median(np.abs(flow['dis-fast'] - flow['tvl1'])):.3f} |"
            + (" exception" if medians[-1] > AGREE_PX else "")
        )
    rows = [row for of_file in table.values() for row in of_file]
    far = [row for row in rows if np.abs(np.subtract(row["dis"], row["tvl1"])).max() > FAR_PX]
    smaller = np.mean([np.hypot(*row["tvl1"]) < np.hypot(*row["dis"]) for row in far]) if far else 0.0
    print(
        f"{len(far) / len(rows):.1%} of pairs differ by more than {FAR_PX} px; in {smaller:.0%} of these TV-L1's is smaller"
    )
    for name in ("dis", "dis-fast"):
        apart = np.abs(np.array([np.subtract(row[name], row["tvl1"]) for row in rows]))
        print(
            f"{name} against TV-L1, all {len(rows)} pairs: median {np.median(apart):.3f} px, "
            f"95 % {np.quantile(apart, 0.95):.2f} px, over {AGREE_PX} px {np.mean(apart.max(1) > AGREE_PX):.1%}"
        )
    print(f"{np.mean(np.array(medians) <= AGREE_PX):.0%} of {len(medians)} clips agree within {AGREE_PX} px")
    cost = {
        name: 1000 * np.median([row[f"{name}_s"] for row in rows]) for name in ("tvl1", "dis", "dis-fast")
    }
    print(
        "ms a pair (process time, median): "
        + ", ".join(f"{name} {value:.1f}" for name, value in cost.items())
    )


def plot(table: dict[str, list[dict]], path: Path) -> None:
    """Both estimates of every pair; below, frame by frame, the clip on which they differ most."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    apart = {
        file: float(np.median([np.abs(np.subtract(row["dis"], row["tvl1"])) for row in rows]))
        for file, rows in table.items()
    }
    worst = max(apart, key=lambda file: apart[file])
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    for file, rows in table.items():
        pairs = np.array([(row["tvl1"], row["dis"]) for row in rows])
        chosen = file == worst
        for axis, frame_errors in ((0, "o"), (1, "^")):
            left.plot(
                *pairs[..., axis].T,
                frame_errors,
                ms=4,
                alpha=0.9 if chosen else 0.25,
                color="C3" if chosen else "C0",
            )
    left.axline((0, 0), slope=1, color="0.5", lw=0.8)
    left.set(xlabel="TV-L1, px a frame (x round, y triangle)", ylabel="DIS", title=f"{len(table)} clips")
    rows = sorted(table[worst], key=lambda row: row["pair"])
    for name, style in (("tvl1", "-"), ("dis", "--")):
        flow = np.array([row[name] for row in rows])
        for axis, colour in ((0, "C3"), (1, "C1")):
            right.plot(
                [row["pair"] for row in rows],
                flow[:, axis],
                style,
                color=colour,
                label=f"{name}, {'xy'[axis]}",
            )
    right.set(
        xlabel="pair of frames",
        ylabel="px a frame",
        title=f"{Path(worst).parent.name}, {apart[worst]:.2f} px apart",
    )
    right.legend()
    figure.savefig(path, dpi=90)


def costs(cache: WindowCache) -> None:
    """Process time, so that other work on the machine counts less."""
    times, sizes = [], []
    for number in range(min(24, len(cache))):
        began = time.process_time()
        cache.read(number)
        times.append(1000 * (time.process_time() - began))
        sizes.append(sum(path.stat().st_size for path in cache.window_folder(number).iterdir()) / 1e6)
    print(
        f"reading a cached window: median {np.median(times):.1f} ms, least {min(times):.1f}, most {max(times):.1f}; "
        f"{np.mean(sizes):.2f} MB a window"
    )
    made = ProceduralWindows(5, 0)
    made.read(0)
    began = time.process_time()
    for number in range(1, 5):
        made.read(number)
    print(f"making a procedural window: {250 * (time.process_time() - began):.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backgrounds", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--clips", type=int, default=25)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    header("camera motion")
    manifest = list_backgrounds(arguments.backgrounds, "train")
    moving = [entry for entry in manifest.files if entry.camera_moves]
    chosen = replace(manifest, files=tuple(moving[: arguments.clips]))
    cache = fill_cache(arguments.cache, chosen, WindowConfig(per_video=1, flow=("dis",)))
    costs(cache)
    table = compare(cache, arguments.pairs, arguments.cache / "tvl1_dis.jsonl")
    report(table)
    if arguments.plot:
        plot(table, arguments.plot)


if __name__ == "__main__":
    run(main)
