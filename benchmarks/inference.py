"""Network and body for one 31-frame clip on one core: `python benchmarks/inference.py`. Fresh weights.

Recipe `points` by stages; then every size as `predict` runs it, all pairs in all phases, and beside that what the network's
input takes: for networks that see flow the greater part is its estimation. The second table counts time on a core, which
other programs disturb less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from common import header, run, seconds

from pointlight.body import EVALUATION_JOINTS, AnnyBody, BodyState
from pointlight.cues import PictureCueConfig, PointCueConfig
from pointlight.network import WindowConfig, frames_of_pairs
from pointlight.simulator import CLIP_FRAMES
from pointlight.simulator.clips import Sources
from pointlight.training import find_training_recipe, observation_of
from pointlight.training.picture_sources import open_pictures

SIZES = ("points", "small-rgb", "small-flow", "small-keypoints", "small-flow_keypoints")


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    header("inference")
    body = AnnyBody()
    model = find_training_recipe("points").network.build(body).eval()
    cues = torch.randn(1, CLIP_FRAMES - 1, *PointCueConfig().input_shape)

    def network() -> BodyState:
        frames = frames_of_pairs(model(cues))
        return BodyState(frames.pose, frames.shape, frames.root, torch.zeros(3))

    state = network()
    print("| stage | ms a clip | frames/s |")
    print("| --- | --- | --- |")
    for name, call in (
        ("network", network),
        ("network and 14 joints", lambda: body.keypoints(network(), EVALUATION_JOINTS)),
        ("mesh of every frame", lambda: body.vertices(state)),
    ):
        time_s = seconds(call, 9)
        print(f"| {name} | {1000 * time_s:.1f} | {CLIP_FRAMES / time_s:.0f} |")
    sizes(body)


def core_seconds(call: Callable[[], object], repeats: int) -> float:
    """Median time of a call on a core, after one that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return statistics.median(times)


def sizes(body: AnnyBody) -> None:
    """A table of every size on one simulated clip."""
    seeing = find_training_recipe("small-rgb")
    pictures = open_pictures(Sources(motion=None, backgrounds=None, cache=None), seeing, body)
    assert pictures is not None
    clip = pictures.train.clip(0)
    print("\n| recipe | network, ms a clip | network, frames/s | its input, ms a clip | both, frames/s |")
    print("| --- | --- | --- | --- | --- |")
    for name in SIZES:
        model = find_training_recipe(name).network.build(body).eval()
        seen = observation_of(clip.tracks)
        if isinstance(model.config.cues, PictureCueConfig):
            seen = replace(seen, pictures=(clip.frames,))
        cues = model.observe(seen)
        windows = WindowConfig(CLIP_FRAMES)
        network_s = core_seconds(lambda m=model, c=cues, w=windows: m.over_frames(c, body, w), 9)
        input_s = core_seconds(lambda m=model, s=seen: m.observe(s), 3)
        print(
            f"| {name} | {1000 * network_s:.1f} | {CLIP_FRAMES / network_s:.0f} | {1000 * input_s:.1f} "
            f"| {CLIP_FRAMES / (network_s + input_s):.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    run(main)
