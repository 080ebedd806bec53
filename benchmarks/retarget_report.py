"""Judge retargeting over a folder of motion capture: angles, soles in walking, and the ten worst clips.

python benchmarks/retarget_report.py FOLDER [--pictures DIR]
python benchmarks/retarget_report.py FOLDER --generic

With --generic, what any skeleton's mapping makes of each file against what its own family's does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import run

from pointlight.body import AnnyBody
from pointlight.motion import BANK_FPS, MotionClip, list_motions
from pointlight.motion.clip import DRIVEN_JOINTS, BodyMotion
from pointlight.motion.fidelity import LIMITS_DEG, SOLE_LIMIT_M, Fidelity, forward, measure_fidelity
from pointlight.motion.library import MotionFile, read_clip
from pointlight.motion.resample import resample
from pointlight.motion.retarget import retarget, retarget_source
from pointlight.motion.rig import SIDES, BodyRig
from pointlight.motion.source_pose import read_source
from pointlight.motion.source_text import read_table
from pointlight.motion.turns import unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="folder of BVH and AMC files")
    parser.add_argument("--motion", type=Path, help="the same")
    parser.add_argument(
        "--generic", action="store_true", help="any skeleton's mapping against the families' own"
    )
    parser.add_argument("--pictures", type=Path, help="draw the ten worst clips into this folder")
    parser.add_argument("--every", type=int, default=1, help="only every n-th clip")
    options = parser.parse_args()
    options.motion = options.folder or options.motion
    if options.motion is None:
        print("skipped: python benchmarks/retarget_report.py FOLDER")
        return
    rig = BodyRig.of(AnnyBody())
    files = list_motions(options.motion)[:: options.every]
    if options.generic:
        print_generic([compare_mappings(options.motion, entry, rig) for entry in files])
        return
    walking = walking_files(options.motion)
    results = []
    for entry in files:
        clip, motion = perform(options.motion, entry, rig)
        results.append(measure_fidelity(clip, motion, rig))
    print_table(results, walking)
    worst = sorted(results, key=lambda result: badness(result, walking), reverse=True)[:10]
    print("\nten worst clips (largest 95th percentile, or sole, in units of its limit)")
    for result in worst:
        print(f"  {badness(result, walking):5.2f}  {result.name}  {worst_of(result, walking)}")
    if options.pictures:
        by_name = {entry.file: entry for entry in files}
        for place, result in enumerate(worst):
            clip, motion = perform(options.motion, by_name[result.name], rig)
            draw(clip, motion, rig, options.pictures / f"{place}_{Path(result.name).stem}.png")


def perform(folder: Path, entry: MotionFile, rig: BodyRig) -> tuple[MotionClip, BodyMotion]:
    clip = resample(read_clip(folder, entry), BANK_FPS)
    return clip, retarget(clip, rig, entry.group, entry.split)


@dataclass(frozen=True)
class Comparison:
    """One file by two mappings: quantity -> degrees between the two bodies, all frames and sides."""

    name: str
    family: str
    group: str
    degrees: dict[str, np.ndarray]


def compare_mappings(folder: Path, entry: MotionFile, rig: BodyRig) -> Comparison:
    clip = resample(read_clip(folder, entry), BANK_FPS)
    own = read_source(clip)
    bodies = [
        forward(retarget_source(clip, source, rig), rig) for source in (own, read_source(clip, generic=True))
    ]
    degrees = {}
    for quantity, vectors in _DIRECTIONS.items():
        pairs = zip(vectors(bodies[0], rig), vectors(bodies[1], rig), strict=True)
        degrees[quantity] = np.concatenate([between_deg(first, second) for first, second in pairs])
    return Comparison(entry.file, own.family.name, entry.group, degrees)


Posed = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def _bones(*bones: tuple[str, str]) -> Callable[[Posed, BodyRig], Iterator[np.ndarray]]:
    def directions(posed: Posed, rig: BodyRig) -> Iterator[np.ndarray]:
        for side in SIDES:
            for start, end in bones:
                yield posed[1][f"{side}_{end}"] - posed[1][f"{side}_{start}"]

    return directions


def _hinges(*joints: tuple[str, str]) -> Callable[[Posed, BodyRig], Iterator[np.ndarray]]:
    def directions(posed: Posed, rig: BodyRig) -> Iterator[np.ndarray]:
        for side in SIDES:
            for upper, middle in joints:
                yield posed[0][f"{side}_{upper}"] @ rig.hinges[f"{side}_{middle}"]

    return directions


def _facing(joint: str) -> Callable[[Posed, BodyRig], Iterator[np.ndarray]]:
    def directions(posed: Posed, rig: BodyRig) -> Iterator[np.ndarray]:
        yield posed[0][joint][..., 2]

    return directions


def _palms(posed: Posed, rig: BodyRig) -> Iterator[np.ndarray]:
    for side in SIDES:
        yield posed[0][f"{side}_wrist"] @ rig.palms[side].normal


_DIRECTIONS: dict[str, Callable[[Posed, BodyRig], Iterator[np.ndarray]]] = {
    "limbs": _bones(("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")),
    "feet": _bones(("ankle", "toes")),
    "knee axes": _hinges(("hip", "knee")),
    "elbow axes": _hinges(("shoulder", "elbow")),
    "pelvis": _facing("pelvis"),
    "chest": _facing("spine3"),
    "head": _facing("head"),
    "palms": _palms,
}


def print_generic(results: list[Comparison]) -> None:
    """95th percentiles by family and group; of limbs the limit is 8 degrees."""
    print(f"degrees between any skeleton's mapping and the family's own, 95 %, {len(results)} clips")
    head = "".join(f"{quantity:>11s}" for quantity in _DIRECTIONS)
    print(f"{'family':13s}{'group':13s}{'clips':>5s}{head}  worst clip's limbs")
    keys = sorted({(result.family, result.group) for result in results})
    for family, group in [*keys, ("all", "all")]:
        chosen = [r for r in results if (r.family, r.group) == (family, group) or family == "all"]
        numbers = "".join(
            f"{np.percentile(np.concatenate([r.degrees[quantity] for r in chosen]), 95):11.2f}"
            for quantity in _DIRECTIONS
        )
        worst = max(chosen, key=lambda result: np.percentile(result.degrees["limbs"], 95))
        limbs = np.percentile(worst.degrees["limbs"], 95)
        print(f"{family:13s}{group:13s}{len(chosen):5d}{numbers}  {limbs:6.2f} {worst.name}")


def between_deg(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) degrees between vectors (N, 3)."""
    cosine = (unit(first) * unit(second)).sum(-1)
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(unit(first), unit(second)), axis=-1), cosine))


def walking_files(folder: Path) -> set[str]:
    """Files whose action is walking on a floor, by the words of `clips.csv`."""
    table = folder / "clips.csv"
    if not table.exists():
        return set()
    rows = read_table(table)
    other = ("run", "jog", "jump", "uneven", "climb", "stair", "ladder", "step")
    return {
        row["file"]
        for row in rows
        if row["group"] == "walk_run"
        and "walk" in row["action"].lower()
        and not any(word in row["action"].lower() for word in other)
    }


def print_table(results: list[Fidelity], walking: set[str]) -> None:
    head = "".join(f"{word:>8s}" for word in ("median", "95 %", "99 %", "limit"))
    print(f"{len(results)} clips\n{'degrees':15s}{head}  worst clip's 95 %")
    for quantity, limit in LIMITS_DEG.items():
        angles = np.concatenate([result.angles_deg[quantity] for result in results])
        numbers = "".join(f"{np.percentile(angles, share):8.2f}" for share in (50, 95, 99))
        worst = max(results, key=lambda result: np.nan_to_num(result.percentile(quantity)))
        print(f"{quantity:15s}{numbers}{limit:8.1f}  {worst.percentile(quantity):6.2f} {worst.name}")
    soles = [np.abs(result.soles_m) for result in results if result.name in walking and len(result.soles_m)]
    if soles:
        heights = 1000 * np.concatenate(soles)
        numbers = "".join(f"{np.percentile(heights, share):8.1f}" for share in (50, 95, 99))
        limit = f"{1000 * SOLE_LIMIT_M:8.1f}"
        print(f"{'walking soles':15s}{numbers}{limit}  mm from the ground when down, {len(soles)} clips")


def ratios(result: Fidelity, walking: set[str]) -> dict[str, float]:
    found = {quantity: result.percentile(quantity) / limit for quantity, limit in LIMITS_DEG.items()}
    if result.name in walking and len(result.soles_m):
        found["soles"] = float(np.percentile(np.abs(result.soles_m), 95)) / SOLE_LIMIT_M
    return {quantity: float(np.nan_to_num(ratio)) for quantity, ratio in found.items()}


def badness(result: Fidelity, walking: set[str]) -> float:
    return max(ratios(result, walking).values())


def worst_of(result: Fidelity, walking: set[str]) -> str:
    found = sorted(ratios(result, walking).items(), key=lambda item: item[1], reverse=True)[:3]
    return ", ".join(f"{quantity} {ratio:.2f}" for quantity, ratio in found)


def draw(clip: MotionClip, motion: BodyMotion, rig: BodyRig, target: Path) -> None:
    """Source (grey) and body (blue left, red right) beside each other, from the front and from the side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    positions = clip.positions_world_m()
    _, places = forward(motion, rig)
    moments = np.linspace(0, clip.frames - 1, 6).astype(int)
    figure, axes = plt.subplots(2, len(moments), figsize=(3.4 * len(moments), 7.5))
    for column, moment in enumerate(moments):
        hips = places["left_hip"][moment] - places["right_hip"][moment]
        side = np.array((hips[0], 0, hips[2])) / np.hypot(hips[0], hips[2])
        for row, across in enumerate((side, np.cross(side, (0, 1, 0)))):
            view = axes[row, column]
            for joint, parent in enumerate(clip.parents):
                if parent >= 0:
                    ends = positions[moment, [joint, parent]] - positions[moment, 0]
                    view.plot(ends @ across - 0.6, ends[:, 1], "-", color="0.4")
            for joint, parent in zip(DRIVEN_JOINTS, rig.parents, strict=True):
                if parent >= 0:
                    ends = np.stack([places[name][moment] for name in (joint, DRIVEN_JOINTS[parent])])
                    ends = ends - places["pelvis"][moment]
                    colour = "tab:red" if joint.startswith("right") else "tab:blue"
                    view.plot(ends @ across + 0.6, ends[:, 1], "-", color=colour)
            view.axhline(-places["pelvis"][moment, 1], color="0.8")
            view.set(xlim=(-1.3, 1.3), ylim=(-1.2, 1.0), aspect="equal", xticks=[], yticks=[])
        axes[0, column].set_title(f"frame {moment}", fontsize=9)
    figure.suptitle(clip.name)
    figure.tight_layout()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=60)
    plt.close(figure)


if __name__ == "__main__":
    run(main)
