"""Optical flow: errors where it is known everywhere, how well it explains real clips, and speed.

`python benchmarks/flow.py [--real FOLDER] [--motion FOLDER] [--clips 8] [--estimators dis,tvl1] [--weights FILE]`, FILE of
`tools/train_flow.py`. Clips are those of the recipe `pointlight` over procedural scenes, split validation, sensor effects
on, nothing before the person. FOLDER of real clips has an index.csv; only those with the role development are opened.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from common import header, run
from scipy import ndimage

from pointlight.body import AnnyBody, BodyModel
from pointlight.flow import FLOW_ESTIMATORS, FlowEstimator, LearnedFlow
from pointlight.media import VideoReader
from pointlight.motion import MotionBank
from pointlight.simulator import SYNTHESIS_RECIPES, ClipMaker
from pointlight.simulator.backgrounds import BackgroundConfig, ProceduralWindows
from pointlight.simulator.clips import OccluderConfig
from pointlight.training import training_bank
from pointlight.training.flow_data import FlowDataConfig, FlowPairs
from pointlight.training.flow_sources import FlowSources, drawn_people, procedural_pictures

SEED = 11
SIZE = (240, 320)
PAIRS_A_CLIP = 4
OUTLINE_PX = 4
FAR_PX = 3.0
CHANGED_LEVELS = 10

Pair = tuple[np.ndarray, np.ndarray]


def clip_pairs(
    count: int, bank: MotionBank, body: BodyModel
) -> Iterator[tuple[Pair, np.ndarray, np.ndarray]]:
    """Pairs of frames, their true flow (H, W, 2) with NaN where it is not known, and the person's mask."""
    recipe = SYNTHESIS_RECIPES["pointlight"].of_split("validation")
    config = replace(
        recipe, backgrounds=BackgroundConfig(), occluders=OccluderConfig(superpixel=False), bystanders=0.0
    )
    windows = ProceduralWindows(count, SEED, "validation")
    maker = ClipMaker.rendered(config, bank, windows, body)
    for index in range(count):
        parts = maker.parts(SEED, index)
        clip, scene = parts.clip, windows.scene(parts.background.provenance.window)
        for t in np.linspace(0, len(clip.frames) - 2, PAIRS_A_CLIP).astype(int):
            person = clip.mask[t]
            truth = np.where(person[..., None], clip.flow_forward_px[t], scene.flow(t))
            yield (clip.frames[t], clip.frames[t + 1]), truth, person


def layer_pairs(count: int, bank: MotionBank, body: BodyModel) -> FlowPairs:
    """Made pairs as the network learned from, of pictures and people of the split validation."""
    people = drawn_people(count // 2, SEED, "validation", bank, body)
    sources = FlowSources(procedural_pictures(count, SEED, "validation"), people, "validation")
    return FlowPairs(sources, SEED, FlowDataConfig(size=SIZE))


def real_pairs(folder: Path, a_clip: int = 4) -> Iterator[Pair]:
    """Neighbouring frames of the development clips, about 320x240 pixels large."""
    with open(folder / "index.csv") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["role"] == "development"]
    for name in names:
        path = folder / name
        if path.suffix != ".mp4":
            continue
        reader = VideoReader(path)
        frames = [frame.image for _, frame in zip(range(300), reader, strict=False)]
        width, height = reader.size
        scale = float(np.sqrt(SIZE[0] * SIZE[1] / (width * height)))
        size = (round(width * scale), round(height * scale))
        for t in np.linspace(0, len(frames) - 2, a_clip).astype(int):
            first, second = (cv2.resize(frames[n], size, interpolation=cv2.INTER_AREA) for n in (t, t + 1))
            yield first, second


def photometric(pair: Pair, flow: np.ndarray) -> tuple[float, float]:
    """Mean difference in grey levels of the second picture brought back to the first: everywhere, and where it changed."""
    first, second = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in pair)
    y, x = np.mgrid[: first.shape[0], : first.shape[1]].astype(np.float32)
    x, y = x + flow[..., 0], y + flow[..., 1]
    inside = (x >= 0) & (x <= first.shape[1] - 1) & (y >= 0) & (y <= first.shape[0] - 1)
    left = np.abs(cv2.remap(second, x, y, cv2.INTER_LINEAR) - first)
    changed = inside & (np.abs(second - first) > CHANGED_LEVELS)
    return float(left[inside].mean()), float(left[changed].mean()) if changed.any() else np.nan


def errors(flow: np.ndarray, truth: np.ndarray, person: np.ndarray) -> dict[str, float]:
    """Mean endpoint errors of one pair in pixels, and the share of the person that is far off."""
    error = np.linalg.norm(flow - truth, axis=-1)
    known = np.isfinite(error)
    near = ndimage.distance_transform_edt(person) + ndimage.distance_transform_edt(~person) <= OUTLINE_PX
    parts = {"person": person, "background": ~person, "outline": near}
    found = {name: float(error[part & known].mean()) for name, part in parts.items() if (part & known).any()}
    if (person & known).any():
        found["person far off"] = float((error[person & known] > FAR_PX).mean())
    return found


def processor_ms(call: Callable[[], object], repeats: int = 5) -> float:
    """Milliseconds of processor time of a call, so that other work on the machine does not count."""
    call()
    began = time.process_time()
    for _ in range(repeats):
        call()
    return 1000 * (time.process_time() - began) / repeats


class OnGrey:
    """An estimator that sees pictures without colour."""

    def __init__(self, estimator: FlowEstimator) -> None:
        self._estimator = estimator
        self.name = f"{estimator.name}, grey"

    def flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """As in `FlowEstimator`."""
        return self._estimator.flow(*(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (first, second)))


class Still:
    """No flow at all, to compare with."""

    name = "no motion"

    def flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """As in `FlowEstimator`."""
        return np.zeros((*first.shape[:2], 2), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--estimators", default=",".join(FLOW_ESTIMATORS))
    parser.add_argument("--weights", type=Path)
    given = parser.parse_args()
    header("flow")
    chosen: list[FlowEstimator] = [Still(), *(FLOW_ESTIMATORS[name] for name in given.estimators.split(","))]
    if given.weights is not None:
        learned = LearnedFlow(weights=given.weights)
        chosen += [learned, OnGrey(learned)]
    body = AnnyBody()
    bank = training_bank(given.motion, body)
    clips = list(clip_pairs(given.clips, bank, body))
    layers = layer_pairs(given.clips, bank, body)
    made = [layers.pair(index) for index in range(2 * given.clips)]
    real = [] if given.real is None else list(real_pairs(given.real))
    print(
        f"{len(clips)} pairs of {given.clips} clips, {len(made)} pairs of layers, {len(real)} real pairs, seed {SEED}\n"
    )
    print(
        "| flow | people, px | people off by > 3 px | background, px | outlines, px | visible layers, px | layers, px |"
        " real, grey levels | real, where it changed | ms |"
    )
    print("|" + " --- |" * 10)
    for estimator in chosen:
        rows = [errors(estimator.flow(*pair), truth, person) for pair, truth, person in clips]
        cells = [np.mean([row[key] for row in rows if key in row]) for key in KEYS]
        off = [(np.linalg.norm(estimator.flow(p.first, p.second) - p.flow_px, axis=-1), p) for p in made]
        visible = np.mean([error[p.visible].mean() for error, p in off])
        everywhere = np.mean([error[p.known].mean() for error, p in off])
        left = np.array([photometric(pair, estimator.flow(*pair)) for pair in real]).reshape(-1, 2)
        real_cells = [f"{value:.2f}" for value in np.nanmean(left, axis=0)] if len(real) else ["-", "-"]
        pair = clips[0][0]
        cost_ms = processor_ms(lambda estimator=estimator, pair=pair: estimator.flow(*pair))
        print(
            f"| {estimator.name} | {cells[0]:.2f} | {cells[1]:.1%} | {cells[2]:.2f} | {cells[3]:.2f} | {visible:.2f} | "
            f"{everywhere:.2f} | {real_cells[0]} | {real_cells[1]} | {cost_ms:.1f} |",
            flush=True,
        )


KEYS = ("person", "person far off", "background", "outline")

if __name__ == "__main__":
    run(main)
