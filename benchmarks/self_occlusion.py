"""How well capsules stand in for the mesh's depth map in appendix B's 20 cm rule.

`python benchmarks/self_occlusion.py [--motion FOLDER] [--bodies N]`: draws scenes, renders the body's depth about 300 px
tall, and compares which keypoints either way hides.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pointlight.body import EXTENDED_KEYPOINTS, AnnyBody, BodyState
from pointlight.motion import MotionBank
from pointlight.simulator import (
    HIDDEN_BEHIND_M,
    SceneConfig,
    SceneSampler,
    TrackMaker,
    Tracks,
    capsule_ends,
    capsule_radii,
    girth_factor,
    self_hidden,
)
from pointlight.simulator.raster import Raster, rasterise
from pointlight.training import training_bank

TALL_PX = 300


@dataclass(frozen=True)
class Agreement:
    """Counts over keypoints: `both` hidden either way, `mesh` hidden by the mesh, `capsules` by the capsules."""

    both: int
    mesh: int
    capsules: int
    agreeing: int
    count: int

    @property
    def share(self) -> float:
        """Of keypoints on which both agree."""
        return self.agreeing / self.count

    def line(self) -> str:
        """For a person."""
        return (
            f"{self.count} keypoints, {self.share:.2%} agree; hidden by the mesh {self.mesh / self.count:.2%}, found by "
            f"capsules {self.both / max(self.mesh, 1):.1%}, wrongly hidden by capsules "
            f"{(self.capsules - self.both) / max(self.capsules, 1):.1%} of theirs"
        )


def compare(bank: MotionBank, body: AnnyBody, bodies: int, seed: int = 11) -> Agreement:
    """Compare on single frames of `bodies` scenes."""
    config = SceneConfig(split=bank.clips[0].split)
    sampler = SceneSampler(config, bank, body)
    tracks = TrackMaker(config, body).make([sampler.sample(seed, index) for index in range(bodies)])
    frame = config.frames // 2
    points = tracks.points_camera_m[:, frame, : len(EXTENDED_KEYPOINTS)].numpy()
    mesh = np.stack([_hidden_by_mesh(body, tracks, i, frame, points[i]) for i in range(bodies)])
    joints = body.joints(tracks.state)[:, frame]
    crown = tracks.points_camera_m[:, frame, -1:]
    axes = torch.cat((joints, crown), dim=1).numpy()[:, capsule_ends(body.joint_names)]
    girth = girth_factor(tracks.state.shape[:, 0], body.shape_names).numpy()
    capsules = self_hidden(points, axes, capsule_radii(), girth, HIDDEN_BEHIND_M)
    return Agreement(
        int((mesh & capsules).sum()),
        int(mesh.sum()),
        int(capsules.sum()),
        int((mesh == capsules).sum()),
        mesh.size,
    )


def _hidden_by_mesh(body: AnnyBody, tracks: Tracks, i: int, frame: int, points: np.ndarray) -> np.ndarray:
    state = tracks.state
    one = BodyState(
        state.pose[i, frame], state.shape[i, 0], state.root[i, frame], state.translation[i, frame]
    )
    with torch.no_grad():
        vertices = body.vertices(one).numpy()
    middle = vertices.mean(0)
    focal = TALL_PX / 1.7 * middle[2]
    size = int(2.2 * TALL_PX)
    principal = tuple(size / 2 - focal * middle[:2] / middle[2])
    faces = body.faces[body.face_is_outside].numpy()
    depth = rasterise(vertices, faces, focal, principal, Raster.blank(size, size)).depth_m()
    pixels = np.floor(focal * points[:, :2] / points[:, 2:] + principal).astype(int)
    inside = ((pixels >= 0) & (pixels < size)).all(-1)
    x, y = np.clip(pixels, 0, size - 1).T
    return inside & (depth[y, x] < points[:, 2] - HIDDEN_BEHIND_M)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--bodies", type=int, default=400)
    arguments = parser.parse_args()
    body = AnnyBody()
    bank = training_bank(arguments.motion, body)
    print(compare(bank, body, arguments.bodies).line())


if __name__ == "__main__":
    main()
