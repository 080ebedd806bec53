"""How well capsules stand in for the mesh's depth map in appendix B's 20 cm rule, and how fast they are.

`python benchmarks/self_occlusion.py [--motion FOLDER] [--bodies N]` draws scenes of the validation split (the capsules
were fitted to the training split), draws the body's depth map about 400 px tall, and compares what is hidden.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from common import run

from pointlight.body import EXTENDED_KEYPOINTS, AnnyBody, BodyState
from pointlight.motion import MotionBank
from pointlight.simulator import SceneConfig, SceneSampler, TrackMaker
from pointlight.simulator.scenes import SelfOcclusion, hidden_behind_mesh
from pointlight.training import training_bank

SEED = 11


def compare(bank: MotionBank, body: AnnyBody, bodies: int, split: str) -> tuple[np.ndarray, np.ndarray]:
    """What mesh and capsules hide, (N, 19) bool each, on the middle frames of `bodies` scenes."""
    config = SceneConfig(split=split)
    sampler, maker = SceneSampler(config, bank, body), TrackMaker(config, body)
    occlusion = SelfOcclusion(body)
    frame = config.frames // 2
    by_mesh, by_capsules = [], []
    for index in range(bodies):
        tracks = maker.make([sampler.sample(SEED, index)])
        whole = tracks.state
        state = BodyState(
            whole.pose[0, frame], whole.shape[0, 0], whole.root[0, frame], whole.translation[0, frame]
        )
        points = tracks.points_camera_m[0, frame, : len(EXTENDED_KEYPOINTS)]
        with torch.no_grad():
            vertices = body.vertices(state).numpy()
            person = body.person(state.shape)
            posed = body.posed(state, person)
        if vertices[:, 2].min() < 0.1:
            continue
        by_mesh.append(hidden_behind_mesh(points.numpy(), vertices, body.faces.numpy()))
        by_capsules.append(occlusion.hidden(points, posed, person, state.shape))
    return np.stack(by_mesh), np.stack(by_capsules)


def report(mesh: np.ndarray, capsules: np.ndarray) -> str:
    """Agreement over all keypoints, and per keypoint."""
    lines = [
        f"{mesh.size} keypoints: {(mesh == capsules).mean():.2%} agree; the mesh hides {mesh.mean():.2%}, of which"
        f" capsules find {(mesh & capsules).sum() / mesh.sum():.1%}; {(mesh & capsules).sum() / capsules.sum():.1%} of"
        " what capsules hide is hidden"
    ]
    for k, name in enumerate(EXTENDED_KEYPOINTS):
        agree = (mesh == capsules)[:, k].mean()
        missed, wrong = (mesh & ~capsules)[:, k].mean(), (capsules & ~mesh)[:, k].mean()
        lines.append(f"  {name:15} {agree:.1%} agree, {missed:.1%} missed, {wrong:.1%} hidden wrongly")
    return "\n".join(lines)


def clips_per_second(
    bank: MotionBank, body: AnnyBody, split: str, clips: int = 256, batch: int = 64
) -> float:
    """Tracks made of drawn scenes, per second of one core, drawing not counted."""
    config = SceneConfig(split=split)
    sampler, maker = SceneSampler(config, bank, body), TrackMaker(config, body)
    scenes = [sampler.sample(SEED, index) for index in range(batch)]
    maker.make(scenes)
    start = time.process_time()
    for _ in range(clips // batch):
        maker.make(scenes)
    return clips / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--motion", type=Path, help="folder of motion capture; procedural motions if not given"
    )
    parser.add_argument("--bodies", type=int, default=400)
    parser.add_argument("--split", default="validation")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    body = AnnyBody()
    bank = training_bank(arguments.motion, body)
    print(report(*compare(bank, body, arguments.bodies, arguments.split)))
    print(f"{clips_per_second(bank, body, arguments.split):.0f} clips of tracks per second")


if __name__ == "__main__":
    run(main)
