"""How far what is called a hip differs between definitions, by name: `python benchmarks/keypoint_definitions.py`.

On our own body: COCO's keypoint on the surface against the joint of the skeleton, at rest. With `--smpl FILE
--regressor J_regressor_h36m.npy`, of whoever has them, also Human3.6M's joint against SMPL's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from common import header, run

from pointlight.body import (
    EVALUATION_JOINTS,
    MEAN_ADULT_SHAPE,
    NETWORK_KEYPOINTS,
    AnnyBody,
    BodyModel,
    BodyState,
    SmplBody,
    sample_adult_shapes,
)
from pointlight.evaluation import pa_mpjpe_mm
from pointlight.evaluation.published import h36m_points
from pointlight.motion import procedural_bank

PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
PEOPLE = 1000


def at_rest(body: BodyModel, shapes: torch.Tensor) -> BodyState:
    pose = torch.eye(3).expand(len(body.joint_names) - 1, 3, 3)
    return BodyState(pose, shapes, torch.eye(3), body.person(shapes).joints[..., 0, :])


def anny_differences(body: AnnyBody, shapes: torch.Tensor) -> dict[str, np.ndarray]:
    """(N, 3) cm from the skeleton's joint to the keypoint of the same name: x outwards, y up, z forward."""
    state = at_rest(body, shapes)
    keypoints, joints = body.keypoints(state), body.joints(state)
    found = {}
    for part in PARTS:
        sides = [
            keypoints[:, body.keypoint_names.index(name)] - joints[:, body.joint_names.index(name)]
            for name in (f"left_{part}", f"right_{part}")
        ]
        sides[1] = sides[1] * torch.tensor([-1.0, 1.0, 1.0])
        found[part] = 50 * (sides[0] + sides[1]).numpy()
    pairs = (("neck", "neck", "neck"), ("crown - head", "head_top", "head"))
    for label, keypoint, joint in pairs:
        difference = (
            keypoints[:, body.keypoint_names.index(keypoint)] - joints[:, body.joint_names.index(joint)]
        )
        found[label] = 100 * difference.numpy()
    return found


def print_anny(body: AnnyBody) -> None:
    mean = anny_differences(body, torch.tensor([MEAN_ADULT_SHAPE]))
    people = anny_differences(body, torch.from_numpy(sample_adult_shapes(np.random.default_rng(0), PEOPLE)))
    print("Our body: COCO's keypoint less the skeleton's joint, cm, mean adult at rest; mean of both sides")
    print("| | outwards | up | forward | distance | distance, adults |")
    print("| --- | --- | --- | --- | --- | --- |")
    for part, ((x, y, z),) in mean.items():
        spread = np.linalg.norm(people[part], axis=-1)
        distance = np.linalg.norm((x, y, z))
        print(
            f"| {part} | {x:+.1f} | {y:+.1f} | {z:+.1f} | {distance:.1f} | {spread.mean():.1f} ± {spread.std():.1f} |"
        )


def print_cost(body: AnnyBody) -> None:
    """PA-MPJPE of a perfect prediction that is held against the other definition, over made motions."""
    bank = procedural_bank(body, 0, clips_per_kind=3)
    shape = torch.tensor(MEAN_ADULT_SHAPE)
    errors = []
    for index in range(len(bank.clips)):
        motion = bank.motion(index)
        parts = (
            torch.from_numpy(part[::10].copy()) for part in (motion.pose, motion.root, motion.translation_m)
        )
        pose, root, place = parts
        state = BodyState(pose, shape, root, place)
        skeleton = body.joints(state)[:, [body.joint_names.index(name) for name in NETWORK_KEYPOINTS]]
        errors.append(pa_mpjpe_mm(body.keypoints(state, NETWORK_KEYPOINTS), skeleton))
    joined = torch.cat(errors)
    print(
        f"\nThe 12 of one definition against the 12 of the other, PA-MPJPE over {len(joined)} frames of made motions:"
    )
    print(f"{joined.mean():.1f} mm")


def print_smpl(smpl: Path, regressor: Path) -> None:
    body = SmplBody(smpl, h36m_points(regressor))
    state = at_rest(body, torch.zeros(10))
    print("\nSMPL: Human3.6M's joint less SMPL's, cm, mean shape at rest")
    print("| | outwards to the left | up | forward | distance |")
    print("| --- | --- | --- | --- | --- |")
    for name in EVALUATION_JOINTS:
        joint = name if name in (*NETWORK_KEYPOINTS, "neck") else "head"
        there, here = body.keypoints(state, (f"h36m_{name}", joint))
        x, y, z = (100 * (there - here)).tolist()
        print(f"| {name} | {x:+.1f} | {y:+.1f} | {z:+.1f} | {np.linalg.norm((x, y, z)):.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smpl", type=Path)
    parser.add_argument("--regressor", type=Path)
    given = parser.parse_args()
    header("definitions of keypoints")
    body = AnnyBody()
    print_anny(body)
    print_cost(body)
    if given.smpl and given.regressor:
        print_smpl(given.smpl, given.regressor)


if __name__ == "__main__":
    run(main)
