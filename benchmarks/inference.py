"""Network and body for one 31-frame clip on one core: `python benchmarks/inference.py`. Recipe points, fresh weights."""

from __future__ import annotations

import torch
from common import header, run, seconds

from pointlight.body import EVALUATION_JOINTS, AnnyBody, BodyState
from pointlight.cues import point_feature_count
from pointlight.network import MotionHMR, frames_of_pairs
from pointlight.simulator import CLIP_FRAMES
from pointlight.training import build_network, find_recipe


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    header("inference")
    body = AnnyBody()
    model = build_network(find_recipe("points").network, body).eval()
    assert isinstance(model, MotionHMR)
    cues = torch.randn(1, CLIP_FRAMES - 1, point_feature_count("extended19", next_frame=True))

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


if __name__ == "__main__":
    run(main)
