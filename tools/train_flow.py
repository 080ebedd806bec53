"""Train the flow network that ships: procedural pictures, videos that may be published, simulated people.

`python tools/train_flow.py OUT [--backgrounds FOLDER] [--motion FOLDER] [--steps N] [--minutes M] [--seed S]`. What layers
are made of is drawn once and kept in OUT; the run goes on where it was stopped, from the same sources. OUT/flow.safetensors
are the averaged weights, OUT/curve.jsonl the errors on validation pairs, OUT/pairs.png and OUT/found.png what it learns from
and finds.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from pointlight.body import AnnyBody
from pointlight.configuration import differences, told
from pointlight.errors import PointlightError
from pointlight.files import atomic_path, ensure_folder
from pointlight.flow import LearnedFlow, find_flow, flow_colours
from pointlight.media import tile, write_png
from pointlight.progress import Progress
from pointlight.training import training_bank
from pointlight.training.flow_data import FlowPairs
from pointlight.training.flow_sources import (
    FlowSources,
    drawn_people,
    procedural_pictures,
    read_sources,
    video_pictures,
    write_sources,
)
from pointlight.training.flow_training import FlowTraining, FlowTrainingConfig

SIZES = {"train": (64, 12, 70), "validation": (16, 4, 16)}
"""Procedural pictures, frames of each video, clips of people."""


def sources(out: Path, split: str, backgrounds: Path | None, motion: Path | None, seed: int) -> FlowSources:
    """What layers are made of, from the run's folder where it is there."""
    path = out / f"sources-{split}.npz"
    if not path.exists():
        procedural, per_video, clips = SIZES[split]
        pictures = procedural_pictures(procedural, seed, split)
        if backgrounds is not None:
            pictures += video_pictures(backgrounds, split, per_video, permissive_only=True)
        body = AnnyBody()
        people = drawn_people(clips, seed, split, training_bank(motion, body), body)
        write_sources(path, FlowSources(pictures, people, split))
        print(f"{split}: {len(pictures)} pictures, {len(people)} pairs of people", flush=True)
    return read_sources(path)


def check_given(out: Path, given: dict[str, str]) -> None:
    """Note where the sources are drawn from; of a run that noted it, what is given must be the same.

    Raises:
        PointlightError: it is not.
    """
    note = out / "sources.json"
    if not any((out / f"sources-{split}.npz").exists() for split in SIZES):
        with atomic_path(note) as temporary:
            temporary.write_text(json.dumps(given, indent=1))
    elif note.exists():
        there = json.loads(note.read_text())
        if found := [each for each in differences(there, given) if each[2]]:
            raise PointlightError(
                f"{told(found, out)}; give what the run was begun with, or choose another folder"
            )


def sheet(training_out: Path, pairs: FlowPairs, weights: Path | None, count: int = 12) -> None:
    """Both pictures, the true flow, and what DIS and the network find, a row a pair."""
    rows = []
    for index in range(count):
        pair = pairs.pair(index)
        top = max(1.0, float(np.percentile(np.hypot(*pair.flow_px.transpose(2, 0, 1)), 98)))
        cells = [pair.first, pair.second, flow_colours(pair.flow_px, top)]
        if weights is not None:
            found = [
                find_flow("dis").flow(pair.first, pair.second),
                LearnedFlow(weights=weights).flow(pair.first, pair.second),
            ]
            cells += [flow_colours(flow, top) for flow in found]
        rows += cells
    name = "pairs.png" if weights is None else "found.png"
    write_png(training_out / name, tile(rows, len(rows) // count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    out = ensure_folder(given.out)
    places = {
        name: str(place.resolve()) if place else ""
        for name, place in (("backgrounds", given.backgrounds), ("motion", given.motion))
    }
    check_given(out, {**places, "seed": str(given.seed)})
    train, watched = (
        sources(out, split, given.backgrounds, given.motion, given.seed) for split in ("train", "validation")
    )
    config = FlowTrainingConfig()
    if given.steps is not None:
        config = replace(config, optimiser=replace(config.optimiser, steps=given.steps))
    training = FlowTraining(out, train, watched, config, given.seed)
    sheet(out, FlowPairs(train, given.seed, config.data), None)

    def say(progress: Progress) -> None:
        if progress.done % 50 == 0:
            print(f"{progress.done}/{progress.total} {training.seconds:.0f} s {progress.note}", flush=True)

    training.run(given.minutes, say)
    sheet(out, FlowPairs(watched, given.seed, config.data), training.write_weights())
    print(training.watch())


if __name__ == "__main__":
    try:
        main()
    except PointlightError as error:
        sys.exit(str(error))
