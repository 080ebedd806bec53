"""Scenes and tracks a second on one core: `python benchmarks/tracks.py`. Seed 0, procedural motions."""

from __future__ import annotations

import torch
from common import header, run, seconds

from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.simulator import SceneConfig, SceneSampler, TrackMaker

CLIPS = 256
BATCH = 64


def main() -> None:
    torch.set_num_threads(1)
    header("tracks")
    body = AnnyBody()
    config = SceneConfig()
    sampler = SceneSampler(config, procedural_bank(body, 1), body)
    maker = TrackMaker(config, body)
    scenes = [sampler.sample(0, index) for index in range(CLIPS)]
    draw = seconds(lambda: [sampler.sample(0, index) for index in range(CLIPS)], 3)
    render = seconds(lambda: [maker.make(scenes[i : i + BATCH]) for i in range(0, CLIPS, BATCH)], 3)
    print("| stage | clips/s |")
    print("| --- | --- |")
    for name, time_s in (("drawing scenes", draw), ("rendering tracks", render), ("both", draw + render)):
        print(f"| {name} | {CLIPS / time_s:.0f} |")


if __name__ == "__main__":
    run(main)
