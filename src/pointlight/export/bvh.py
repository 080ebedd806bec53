"""BVH: y up, offsets that stand by themselves, zero channels = that pose, position channels on the root only."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from pointlight.export.rigged import Rigged

_POSITIONS = "Xposition Yposition Zposition"
_ROTATIONS = "Zrotation Xrotation Yrotation"


def bvh_text(motion: Rigged, fps: float, scale: float = 100.0) -> str:
    """The whole file.

    Args:
        motion: on the rig that is written.
        fps: frames per second.
        scale: units per metre; 100 for centimetres.
    """
    lines = ["HIERARCHY"]
    columns: list[np.ndarray] = []
    frames = len(motion.root_m)
    if motion.rig.above:
        lines += [
            f"ROOT {motion.rig.above}",
            "{",
            "\tOFFSET 0.0 0.0 0.0",
            f"\tCHANNELS 6 {_POSITIONS} {_ROTATIONS}",
        ]
        columns.append(np.zeros((frames, 6)))
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(motion.parents):
        children.setdefault(parent, []).append(joint)
    order: list[int] = []
    offsets = motion.offsets_m * scale

    def write(joint: int, depth: int) -> None:
        order.append(joint)
        tab = "\t" * depth
        root = motion.parents[joint] < 0
        lines.extend(
            (
                f"{tab}{'ROOT' if root and not motion.rig.above else 'JOINT'} {motion.names[joint]}",
                f"{tab}{{",
                f"{tab}\tOFFSET {_numbers(offsets[joint])}",
                f"{tab}\tCHANNELS {f'6 {_POSITIONS}' if root else '3'} {_ROTATIONS}",
            )
        )
        for child in children.get(joint, ()):
            write(child, depth + 1)
        if joint in motion.end_m:
            end = _numbers(motion.end_m[joint] * scale)
            lines.extend((f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {end}", f"{tab}\t}}"))
        lines.append(f"{tab}}}")

    write(0, 1 if motion.rig.above else 0)
    if motion.rig.above:
        lines.append("}")
    angles = np.degrees(euler_zxy(motion.rotations))
    columns += [motion.root_m * scale, angles[:, order].reshape(frames, -1)]
    values = np.concatenate(columns, axis=1)
    row = " ".join(["%.6f"] * values.shape[1])
    lines += ["MOTION", f"Frames: {frames}", f"Frame Time: {1 / fps:.10f}"]
    lines += [row % tuple(frame) for frame in values.tolist()]
    return "\n".join(lines) + "\n"


def euler_zxy(rotations: np.ndarray) -> np.ndarray:
    """(T, N, 3) angles about z, then x, then y (radians) of rotations (T, N, 3, 3), as steady over time as can be.

    Each rotation has two triples of angles, up to whole turns: the one nearer to the frame before is taken.
    """
    frames, joints = rotations.shape[:2]
    moving = np.flatnonzero(np.abs(rotations - np.eye(3)).max(axis=(0, 2, 3)) > 0)
    result = np.zeros((frames, joints, 3))
    if not len(moving):
        return result
    first = Rotation.from_matrix(rotations[:, moving].reshape(-1, 3, 3)).as_euler("ZXY")
    first = first.reshape(frames, len(moving), 3)
    second = np.stack((first[..., 0] + np.pi, np.pi - first[..., 1], first[..., 2] + np.pi), axis=-1)
    before = first[0]
    for frame in range(frames):
        found = []
        for triple in (first[frame], second[frame]):
            found.append(triple - 2 * np.pi * np.round((triple - before) / (2 * np.pi)))
        far = [np.abs(each - before).sum(-1, keepdims=True) for each in found]
        before = np.where(far[1] < far[0], found[1], found[0])
        result[frame, moving] = before
    return result


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values.tolist())
