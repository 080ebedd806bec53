"""Fit the network that says how far off joints are: `python tools/fit_certainty.py MOTION [--model points] [--clips 500]`.

People of the training split are simulated, seen by a detector's noise (every second by mediapipe's), and lifted and refined
as `predict` does. Writes `src/pointlight/weights/certainty.npz`, with its bands made right on half of the validation
split's clips, and prints what they are on the other half. `--split heldout` prints it for held-out people, and fits nothing.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, AnnyBody, mirror_order
from pointlight.capture import Capture, PredictOptions, lift_keypoints
from pointlight.capture.archive import write_npz
from pointlight.capture.certainty import CERTAINTY_ASSET, SHARES, features, network_errors_m
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.motion import BANK_FPS, MotionBank, compile_motion_bank
from pointlight.network import EVALUATION_INDICES
from pointlight.simulator import EVAL_V1, MEDIAPIPE_V1, SceneSampler, TrackMaker
from pointlight.training import Checkpoint, load_checkpoint

SECONDS = 1.0
SEED = 31
HIDDEN, STEPS, BATCH = 96, 4000, 512
RATE, DECAY = 2e-3, 0.02
JOINTS = len(EVALUATION_JOINTS)
_HIPS = [EVALUATION_JOINTS.index(name) for name in ("left_hip", "right_hip")]


def examples(
    bank: MotionBank, split: str, count: int, checkpoint: Checkpoint, body: AnnyBody
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """By clip: features (V, F), and how far joints are off (V, 14) in metres."""
    frames = round(SECONDS * BANK_FPS) + 1
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for noise in (EVAL_V1.noise, MEDIAPIPE_V1):
        config = replace(EVAL_V1, split=split, frames=frames, noise=noise)
        sampler, maker = SceneSampler(config, bank, body), TrackMaker(config, body)
        for number in range(count // 2):
            tracks = maker.make([sampler.sample(SEED, number)])
            values = torch.cat((tracks.detections_px[0], tracks.visible[0][..., None]), dim=-1).double()
            size = (int(2 * tracks.assumed_principal_px[0, 0]), int(2 * tracks.assumed_principal_px[0, 1]))
            index = np.arange(frames)
            keypoints = Keypoints2D(
                EXTENDED_KEYPOINTS, index / BANK_FPS, index, values.numpy(), size, "simulation"
            )
            options = PredictOptions(focal_px=float(tracks.assumed_focal_px[0]))
            try:
                capture = lift_keypoints(keypoints, checkpoint, body, options)
            except PointlightError:  # nobody is seen
                continue
            truth = tracks.points_camera_m[0].double().numpy()[:, list(EVALUATION_INDICES)]
            found[0].append(features(capture))
            found[1].append(off(capture, truth))
    return found


def off(capture: Capture, truth: np.ndarray) -> np.ndarray:
    """(V, 14) metres between joints about the middle of the hips."""
    truth = truth - truth[:, _HIPS].mean(1, keepdims=True)
    return np.linalg.norm(capture.joints_camera_m - truth, axis=-1)[capture.valid]


def both_ways(features_of: np.ndarray, errors_m: np.ndarray) -> tuple[Tensor, Tensor]:
    """Features and errors of all people and of the same people in a mirror."""
    values, errors = torch.from_numpy(features_of).float(), torch.from_numpy(errors_m).float()
    order = list(mirror_order(EVALUATION_JOINTS))
    places = values[:, : 3 * JOINTS].unflatten(1, (JOINTS, 3))[:, order] * torch.tensor((-1.0, 1.0, 1.0))
    rest = [part[:, order] for part in values[:, 3 * JOINTS : 6 * JOINTS].split(JOINTS, dim=1)]
    depth, towards = values[:, 6 * JOINTS : 6 * JOINTS + 1], values[:, 6 * JOINTS + 1 :]
    other = torch.cat((places.flatten(1), *rest, depth, towards * torch.tensor((-1.0, 1.0))), dim=1)
    return torch.cat((values, other)), torch.cat((errors, errors[:, order]))


def fit(values: Tensor, errors: Tensor) -> nn.Sequential:
    """The network: logarithms of the smallest distance and of the steps to the larger ones, by quantile regression."""
    network = nn.Sequential(
        nn.Linear(values.shape[1], HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, JOINTS * len(SHARES)),
    )
    with torch.no_grad():
        network[-1].bias.fill_(-3.3)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    share = torch.tensor(SHARES)
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / STEPS)
        chosen = torch.randint(len(values), (BATCH,))
        steps = network(values[chosen]).clamp(-9, 2).exp().unflatten(1, (JOINTS, len(SHARES)))
        beyond = errors[chosen][..., None] - steps.cumsum(-1)
        loss = torch.maximum(share * beyond, (share - 1) * beyond).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network


def report(values: np.ndarray, errors: np.ndarray, constant: np.ndarray) -> None:
    """How often bands hold, how wide they are beside one band a joint (3, 14), and how they go with the error."""
    bands = network_errors_m(values)
    for column, share in enumerate(SHARES):
        inside = (errors <= bands[..., column]).mean()
        width = bands[..., column].mean() / constant[column].mean()
        print(f"{share:.0%} band: holds in {inside:.1%}, {width:.2f} of one band a joint's width")
    ranks = [
        np.corrcoef(errors[:, j].argsort().argsort(), bands[:, j, 1].argsort().argsort())[0, 1]
        for j in range(JOINTS)
    ]
    print(
        "rank correlation with the error:",
        ", ".join(f"{n} {r:.2f}" for n, r in zip(EVALUATION_JOINTS, ranks, strict=True)),
    )
    flat = np.corrcoef(errors.ravel().argsort().argsort(), bands[..., 1].ravel().argsort().argsort())[0, 1]
    print(f"mean {np.mean(ranks):.2f}, over all joints {flat:.2f}; mean error {errors.mean() * 1e3:.0f} mm")


def main() -> None:
    """Fit, write, and say how good it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("motion", type=Path)
    parser.add_argument("--model", default="points")
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--split", choices=("heldout",))
    given = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    body = AnnyBody()
    checkpoint, bank = load_checkpoint(given.model, body), compile_motion_bank(given.motion, body)
    path = Path(__file__).parents[1] / "src/pointlight/weights" / CERTAINTY_ASSET
    others = examples(bank, given.split or "validation", given.clips // 2, checkpoint, body)
    if given.split is None:
        values, errors = both_ways(
            *(np.concatenate(part) for part in examples(bank, "train", given.clips, checkpoint, body))
        )
        mean, spread = values.mean(0), values.std(0) + 0.02
        network = fit((values - mean) / spread, errors)
        arrays = {"mean": mean.numpy(), "spread": spread.numpy(), "factor": np.ones(len(SHARES))}
        layers = [layer for layer in network if isinstance(layer, nn.Linear)]
        for number, layer in enumerate(layers, 1):
            arrays |= {
                f"weight{number}": layer.weight.detach().numpy(),
                f"bias{number}": layer.bias.detach().numpy(),
            }
        write_npz(path, {name: array.astype(np.float32) for name, array in arrays.items()})
        half = [np.concatenate(part[::2]) for part in others]
        ratios = half[1][..., None] / network_errors_m(half[0])
        arrays["factor"] = np.array([np.quantile(ratios[..., k], share) for k, share in enumerate(SHARES)])
        write_npz(path, {name: array.astype(np.float32) for name, array in arrays.items()})
        network_errors_m.__globals__["_layers"].cache_clear()
        others = tuple(part[1::2] for part in others)
    values, errors = (np.concatenate(part) for part in others)
    report(values, errors, np.stack([np.quantile(errors, share, axis=0) for share in SHARES]))


if __name__ == "__main__":
    main()
