"""Fit the network that says which way is up for a pose: `python tools/fit_upright.py MOTION [MOTION ...]`.

From the training split of the motion bank: poses, moved at random as a lifted pose is, and up in the root's axes, both also
mirrored. Writes `src/pointlight/capture/world/upright.npz`, and prints how far off it is on the validation split, frame by
frame. The same motions give the same file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pointlight.body import AnnyBody, mirror_order
from pointlight.capture.archive import write_npz
from pointlight.capture.world import UPRIGHT_ASSET, pose_features, up_in_root
from pointlight.geometry import rotvec_to_rotmat
from pointlight.motion import MotionBank, compile_motion_bank

EVERY = 6
"""Frames of the bank."""
NOISE_DEG = 12.0
"""Standard deviation, of each joint about each axis."""
COPIES = 4
HIDDEN, STEPS, BATCH = 64, 3000, 512
RATE, DECAY = 2e-3, 0.01


def examples(banks: list[MotionBank], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Poses (N, J-1, 3, 3), and up in the root's axes (N, 3)."""
    motions = [bank.motion(index) for bank in banks for index in bank.indices(split)]
    poses = [motion.pose[::EVERY] for motion in motions]
    return np.concatenate(poses), np.concatenate([motion.root[::EVERY, 1] for motion in motions])


def moved(body: AnnyBody, pose: np.ndarray, up: np.ndarray) -> tuple[Tensor, Tensor]:
    """Features and targets: each pose as it is and with its joints moved at random, all also mirrored."""
    order = [number - 1 for number in mirror_order(body.joint_names)[1:]]
    flip = np.array((-1.0, 1.0, 1.0))
    features, targets = [], []
    for copy in range(COPIES):
        noise = np.radians(NOISE_DEG) * torch.randn(len(pose), pose.shape[1], 3) * (copy > 0)
        seen = pose_features(body, (torch.from_numpy(pose) @ rotvec_to_rotmat(noise)).numpy())
        mirrored = seen.reshape(len(seen), -1, 3)[:, order] * flip
        features += [seen, mirrored.reshape(len(seen), -1)]
        targets += [up, up * flip]
    return torch.from_numpy(np.concatenate(features)).float(), torch.from_numpy(
        np.concatenate(targets)
    ).float()


def fit(features: Tensor, targets: Tensor) -> nn.Sequential:
    """The network: up as a shift from the root's y, and the logarithm of how far off it may be."""
    width = features.shape[1]
    network = nn.Sequential(
        nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 4)
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / STEPS)
        chosen = torch.randint(len(features), (BATCH,))
        found = network(features[chosen])
        up = nn.functional.normalize(found[:, :3] + torch.tensor((0.0, 1.0, 0.0)), dim=1)
        angle = torch.arccos((up * targets[chosen]).sum(1).clamp(-1 + 1e-6, 1 - 1e-6))
        log_spread = found[:, 3].clamp(-4, 1)
        loss = (2 * log_spread + angle / log_spread.exp()).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network


def main() -> None:
    """Fit, write, and say how good it is."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    body = AnnyBody()
    banks = [compile_motion_bank(Path(folder), body) for folder in sys.argv[1:]]
    features, targets = moved(body, *examples(banks, "train"))
    mean, spread = features.mean(0), features.std(0) + 0.02
    network = fit((features - mean) / spread, targets)
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    arrays = {"mean": mean.numpy(), "spread": spread.numpy()}
    for number, layer in enumerate(layers, 1):
        arrays |= {
            f"weight{number}": layer.weight.detach().numpy(),
            f"bias{number}": layer.bias.detach().numpy(),
        }
    write_npz(Path(__file__).parents[1] / "src/pointlight/capture/world" / UPRIGHT_ASSET, arrays)
    pose, truth = examples(banks, "validation")
    found, _ = up_in_root(body, pose)
    angle = np.degrees(np.arccos(np.clip((found * truth).sum(1), -1, 1)))
    print(
        f"{len(targets)} examples; validation: median {np.median(angle):.1f}, mean {angle.mean():.1f} degrees"
    )


if __name__ == "__main__":
    main()
