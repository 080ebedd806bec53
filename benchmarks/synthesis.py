"""What clips with pictures cost: `python benchmarks/synthesis.py [--backgrounds FOLDER] [--motion FOLDER] [--clips 24]`.

One process makes clips of the paper's recipe and of ours, and writes them as they go into shards. Times are process
time, so that other work on the machine counts less: frames/s are those of a core that does nothing else.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from common import header

from pointlight.simulator import (
    ClipMaker,
    SensorConfig,
    Sources,
    apply_sensor,
    composite,
    decode_clip,
    draw_looks,
    draw_occluder,
    encode_clip,
    find_recipe,
    motion_of,
    open_maker,
    render_person,
    window_superpixels,
)
from pointlight.simulator.clip_files import decode_frames
from pointlight.simulator.shards import Place, assemble_shard, pack_clip


def stages(maker: ClipMaker, indices: range, folder: Path) -> tuple[dict[str, float], float]:
    """Seconds of each stage for all clips together, and bytes a clip."""
    spent: dict[str, float] = defaultdict(float)
    clock = time.process_time()

    def lap(stage: str) -> None:
        nonlocal clock
        now = time.process_time()
        spent[stage] += now - clock
        clock = now

    config, size, paths = maker.config, 0, []
    for index in indices:
        clock = time.process_time()
        background = maker._backgrounds.sample(0, index)
        lap("background")
        scene = maker._scene(0, index, background)
        lap("scene")
        looks = draw_looks(config.looks, 0, index, scene.shape)
        lap("looks")
        person = render_person(scene, looks, maker.body)
        lap("render")
        pixels = window_superpixels(background.window, background.provenance.flow, config.occluders)
        labels = replace(pixels, labels=background.provenance.as_shown(pixels.labels))
        lap("superpixels")
        rng = np.random.default_rng(index)
        occluder = draw_occluder(background.frames, background.path_px, labels, person, config.occluders, rng)
        lap("occluder")
        provenance = maker_provenance(maker, index)
        clip = composite([person], background.frames, occluder, scene.hiding, config.composite, provenance)
        lap("composite")
        if config.sensor != SensorConfig.none():
            motion = motion_of(clip.flow_forward_px, clip.flow_backward_px, clip.mask)
            clip = replace(clip, frames=apply_sensor(clip.frames, config.sensor, 0, index, motion))
            lap("sensor")
        files = encode_clip(clip)
        lap("encode")
        paths.append(folder / f"{index:08d}.tar")
        pack_clip(paths[-1], index, files)
        size += sum(map(len, files.values()))
        lap("write")
        decode_frames(files["frames.mp4"])
        lap("(H.264 decoding)")
        decode_clip(files)
        lap("(reading back)")
    clock = time.process_time()
    assemble_shard(Place(folder / "out"), folder, 0, paths)
    lap("write")
    return spent, size / len(indices)


def maker_provenance(maker: ClipMaker, index: int):  # noqa: ANN201
    from pointlight.simulator import Provenance

    return Provenance(maker.config.name, 0, index, {}, {}, maker.versions)


def report(name: str, spent: dict[str, float], size: float, clips: int) -> None:
    making = {stage: value for stage, value in spent.items() if not stage.startswith("(")}
    frames = 31 * clips
    print(f"\n{name}: {frames / sum(making.values()):.0f} frames/s a core, {size / 1e6:.2f} MB a clip")
    print("| stage | ms a clip |\n| --- | --- |")
    for stage, value in spent.items():
        print(f"| {stage} | {1000 * value / clips:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--cache", type=Path, help="of motions and windows; the usual one if not given")
    parser.add_argument("--per-video", type=int, default=8)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--recipes", nargs="+", default=["full", "pointlight"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    header("synthesis")
    sources = Sources(
        arguments.motion, arguments.backgrounds, arguments.cache, windows_per_video=arguments.per_video
    )
    for recipe in arguments.recipes:
        config = find_recipe(recipe)
        if arguments.backgrounds is not None:
            config = replace(config, backgrounds=replace(config.backgrounds, flow="dis"))
        maker = open_maker(config, sources)
        with tempfile.TemporaryDirectory() as folder:
            stages(maker, range(1000, 1002), Path(folder))  # compiles what has to be compiled
            for cached in ("first time over these windows", "superpixels from the cache"):
                spent, size = stages(maker, range(arguments.clips), Path(folder))
                report(f"{recipe}, {cached}", spent, size, arguments.clips)
                if arguments.backgrounds is None:
                    break  # made scenes are made anew each time
    print(f"\nlargest resident size {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
