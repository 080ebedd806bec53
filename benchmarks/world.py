"""How right the world is: `python benchmarks/world.py [--motion FOLDER] [--real FOLDER] [--scenes 48] [--roles ROLE,...]`.

Simulated people before cameras that stand still, look up or down and are rolled by up to 30 degrees, on the validation
split of FOLDER's motions or on procedural ones: how far off up is, contacts within two frames, slide on the true contacts,
jitter in space, drift of the root, and how far joints move in the picture. With `--real`, a folder of calibrated sets, also
real people: up by the calibration, and how fast ankles go along the floor where our feet stand, by the truth and by us.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from common import header, run

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, AnnyBody
from pointlight.capture import Capture, PredictOptions, World, body_states, lift_keypoints, world_states
from pointlight.capture.world import find_worlds
from pointlight.capture.world.contacts import contact_heights, speeds
from pointlight.capture.world.legs import slips
from pointlight.capture.world.moving import Moving, Soles
from pointlight.cues import Keypoints2D
from pointlight.evaluation.multiview import (
    TruthConfig,
    View,
    calibrated_folders,
    detect_camera,
    read_calibrated_set,
    truth_of,
    video_roles,
)
from pointlight.motion import BANK_FPS, PROCEDURAL_SEED, compile_motion_bank, procedural_bank
from pointlight.simulator import EVAL_V1, CameraConfig, Scene, SceneConfig, SceneSampler, TrackMaker
from pointlight.training import Checkpoint, load_checkpoint

SEED = 7
SECONDS = 4.0
STANDS_M, STANDS_M_S = 0.05, 0.3
"""A true foot stands whose lowest point is so low, and one of whose points is so slow; recorded feet float a little."""
LEAST_ON_FLOOR = 0.1
"""Whose feet stand on the recording's floor in fewer frames climbs or sits, and says nothing of contacts."""
WITHIN = 2
"""Frames."""
LEAST_PATH_M = 1.0
LEGLESS = "caliscope_desk"
TILTED = CameraConfig(
    distance_m=(2.2, 9.0),
    focal_widths=(0.9, 2.2),
    elevation_deg=(5.0, 15.0),
    elevation_limits_deg=(-30.0, 30.0),
    roll_deg=15.0,
    image_sizes=((1280, 720), (720, 1280)),
    handheld_deg=0.0,
    moving_share=0.0,
)


@dataclass(frozen=True)
class Figures:
    """Of one scene; pairs are of the camera's result, turned into our world, and of the world.

    Attributes:
        up_deg: how far off up is.
        tilt_deg: of the camera from level.
        hits: true contacts found, true contacts, contacts that are true, contacts; within `WITHIN` frames.
        slide_m_s: (2, N) of standing feet, by the true contacts.
        jitter_m_s3: (2,) median third difference of the joints in space.
        drift_m: (2,) how far the root's end is off, seen from its beginning.
        path_m: the root's true way.
        moved_px: (T, 14) by how much the joints move in the picture.
    """

    up_deg: float
    tilt_deg: float
    hits: np.ndarray
    slide_m_s: np.ndarray
    jitter_m_s3: np.ndarray
    drift_m: np.ndarray
    path_m: float
    moved_px: np.ndarray


def scenes(config: SceneConfig, motion: Path | None, count: int, body: AnnyBody) -> Iterator[Scene]:
    """So many windows, evenly over the validation split's clips."""
    if motion is None:
        bank = procedural_bank(body, PROCEDURAL_SEED, clips_per_kind=5, frames=config.frames)
    else:
        bank = compile_motion_bank(motion, body)
    sampler = SceneSampler(config, bank, body)
    long_enough = [i for i in bank.indices(config.split) if bank.clips[i].frames >= config.frames]
    for number, place in enumerate(np.linspace(0, len(long_enough) - 1, count).round().astype(int)):
        clip = long_enough[place]
        latest = bank.clips[clip].frames - config.frames
        start = int(np.random.default_rng((SEED, number)).integers(latest + 1))
        yield sampler.scene_of(bank.motion(clip, start, config.frames), SEED, number)


def keypoints_of(scene: Scene, maker: TrackMaker) -> Keypoints2D:
    """What the simulated detector sees."""
    tracks = maker.make([scene])
    points = torch.cat((tracks.detections_px[0], tracks.visible[0, ..., None].float()), dim=-1).numpy()
    index = np.arange(len(points))
    return Keypoints2D(
        EXTENDED_KEYPOINTS, index / BANK_FPS, index, points, scene.camera.image_size, "simulation"
    )


def world_of(capture: Capture) -> World:
    assert capture.world is not None
    return capture.world


def moving_of(body: AnnyBody, capture: Capture) -> tuple[Moving, Moving]:
    """The camera's result turned into the world, and the world's body; NaN where there is none."""
    world, shape = world_of(capture), capture.shot_shapes[0]
    soles = Soles.of(body, torch.from_numpy(shape))
    seen_m, placed_m = (
        state(capture, body).translation.double().numpy() for state in (body_states, world_states)
    )
    pose = capture.pose_rotmat.astype(float)
    R, camera_m = world.R_world_camera[0].astype(float), world.camera_world_m[0].astype(float)
    seen = Moving.of(body, shape, soles, capture.time_s, pose, seen_m).turned(R, camera_m)
    pose = world.pose_world_rotmat.astype(float)
    return seen, Moving.of(body, shape, soles, capture.time_s, pose, placed_m)


def true_contacts(moving: Moving) -> np.ndarray:
    """(T, 2) which foot of somebody in the world stands."""
    low = moving.soles_m[..., 1].min(-1) < STANDS_M
    return low & (speeds(moving.soles_m, moving.time_s, 0.1).min(-1) < STANDS_M_S)


def near(chosen: np.ndarray) -> np.ndarray:
    """(T, 2) bool: true in a frame not farther away than `WITHIN`."""
    padded = np.pad(chosen, ((WITHIN, WITHIN), (0, 0)))
    return np.any([padded[k : k + len(chosen)] for k in range(2 * WITHIN + 1)], axis=0)


def slides(moving: Moving, contacts: np.ndarray) -> np.ndarray:
    """(N,) speeds along the floor of what bears feet that stand in two frames in a row."""
    slip = slips(moving.soles_m, contact_heights(moving.soles_m[..., 1])[1])
    speed = np.linalg.norm(slip[..., (0, 2)], axis=-1) / np.diff(moving.time_s)[:, None]
    return speed[contacts[1:] & contacts[:-1]]


def jitter(moving: Moving) -> float:
    """Median third difference of the joints in space, m/s^3."""
    step_s = float(np.median(np.diff(moving.time_s)))
    return float(np.nanmedian(np.linalg.norm(np.diff(moving.joints_m, 3, axis=0), axis=-1)) / step_s**3)


def moved_px(body: AnnyBody, capture: Capture) -> np.ndarray:
    """(T, 14) by how much the world's joints lie elsewhere in the picture than the camera's result."""
    world = world_of(capture)
    joints = body.keypoints(world_states(capture, body), EVALUATION_JOINTS).numpy()
    places = (joints - world.camera_world_m[0]) @ world.R_world_camera[0]  # from the right: its transpose's
    px = places[..., :2] / places[..., 2:] * capture.focal_px + capture.principal_px
    return np.linalg.norm(px - capture.joints_px(), axis=-1)


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))


def with_world(keypoints: Keypoints2D, checkpoint: Checkpoint, body: AnnyBody, focal_px: float) -> Capture:
    capture = lift_keypoints(keypoints, checkpoint, body, PredictOptions(focal_px=focal_px))
    (world,) = find_worlds([capture], body, moving=np.array([False]))
    return replace(capture, world=world)


def figures_of(scene: Scene, capture: Capture, body: AnnyBody) -> Figures:
    """Of one scene and what `predict` makes of it."""
    motion, world, there = scene.motion, world_of(capture), capture.valid
    pose = np.concatenate((motion.root[:, None], motion.pose), axis=1).astype(float)
    soles = Soles.of(body, torch.from_numpy(scene.shape))
    true = Moving.of(body, scene.shape, soles, capture.time_s, pose, motion.translation_m.astype(float))
    stands, ours = true_contacts(true), world.contacts
    contacts = stands & there[:, None]
    hits = np.array((near(ours)[contacts].sum(), contacts.sum(), near(stands)[ours].sum(), ours.sum()))
    hits *= stands.any(1).mean() >= LEAST_ON_FLOOR
    R_camera_world = scene.camera.R_camera_world[0].astype(float)
    R = world.R_world_camera[0] @ R_camera_world
    both = moving_of(body, capture)
    first, last = np.flatnonzero(there)[[0, -1]]
    gone = R @ (true.root_m[last] - true.root_m[first])
    return Figures(
        angle_deg(world.floor[0, :3], R_camera_world[:, 1]),
        angle_deg(R_camera_world[:, 1], np.array((0.0, -1.0, 0.0))),
        hits,
        np.stack([slides(moving, contacts) for moving in both]),
        np.array([jitter(moving) for moving in both]),
        np.array([np.linalg.norm(moving.root_m[last] - moving.root_m[first] - gone) for moving in both]),
        float(np.linalg.norm(np.diff(true.root_m[there], axis=0), axis=-1).sum()),
        moved_px(body, capture)[there],
    )


def print_table(each: Sequence[Figures]) -> None:
    """Everything that was asked of simulation."""
    up, tilt = (np.array([getattr(one, name) for one in each]) for name in ("up_deg", "tilt_deg"))
    hits = np.sum([one.hits for one in each], axis=0)
    slide = np.concatenate([one.slide_m_s for one in each], axis=1)
    walked = [one for one in each if one.path_m > LEAST_PATH_M]
    pairs = {
        "slide on the true contacts, mean, m/s": np.nanmean(slide, axis=1),
        "the same, median, m/s": np.nanmedian(slide, axis=1),
        "jitter in space, m/s^3, median": np.median([one.jitter_m_s3 for one in each], axis=0),
        "drift of the root, m, median": np.median([one.drift_m for one in each], axis=0),
        f"drift of its way, %, median of {len(walked)} ways above {LEAST_PATH_M:g} m": 100
        * np.median([one.drift_m / one.path_m for one in walked], axis=0),
    }
    moved = np.concatenate([one.moved_px.ravel() for one in each])
    print("| what | figure |")
    print("| --- | --- |")
    print(f"| up, degrees off, median | {np.median(up):.2f} |")
    print(f"| up, degrees off, 90 % | {np.percentile(up, 90):.2f} |")
    print(f"| camera's tilt, degrees, median | {np.median(tilt):.1f} |")
    print(f"| contacts, precision within {WITHIN} frames | {hits[2] / hits[3]:.3f} |")
    print(f"| contacts, recall within {WITHIN} frames | {hits[0] / hits[1]:.3f} |")
    print(f"| joints moved in the picture, px, median | {np.median(moved):.2f} |")
    print(f"| joints moved in the picture, px, 90 % | {np.percentile(moved, 90):.2f} |")
    print()
    print("| what | before | after |")
    print("| --- | --- | --- |")
    for name, (before, after) in pairs.items():
        print(f"| {name} | {before:.3f} | {after:.3f} |")
    print(flush=True)


# --- real people --------------------------------------------------------------------------------------------


def chosen_views(real: Path, views: Sequence[View], roles: set[str]) -> list[View]:
    """Those whose role is asked for; all where nobody gives roles."""
    known = video_roles(real)
    names = [f"{view.video.parent.name}/{view.video.name}" for view in views]
    return [
        view for view, name in zip(views, names, strict=True) if not known or known.get(name, "") in roles
    ]


def print_real(real: Path, roles: set[str], checkpoint: Checkpoint, body: AnnyBody) -> None:
    """One row a camera."""
    print("| camera | tilt, degrees | up, degrees off | truth's ankles, m/s | before | after | moved, px |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for folder in calibrated_folders(real):
        calibrated = read_calibrated_set(folder)
        views = chosen_views(real, calibrated.views, roles)
        if folder.name == LEGLESS or not views:
            continue
        seen = {view.name: detect_camera(view) for view in calibrated.views}
        truth = truth_of(calibrated, list(seen.values()), TruthConfig())
        columns = {
            name: truth.joints_world_m[:, truth.names.index(name)] for name in ("left_ankle", "right_ankle")
        }
        ankles_m = np.stack(list(columns.values()), axis=1)
        head = truth.joints_world_m[:, truth.names.index("nose")]
        axis = axis_along(np.nanmedian(head - ankles_m.mean(1), axis=0))
        for view in views:
            capture = with_world(seen[view.name].keypoints, checkpoint, body, float(view.lens.K[0, 0]))
            up = view.lens.R_camera_world.double().numpy() @ axis
            cells = [
                f"{angle_deg(up, np.array((0.0, -1.0, 0.0))):.1f}",
                f"{angle_deg(world_of(capture).floor[0, :3], up):.1f}",
                *(f"{value:.3f}" for value in ankle_speeds(body, capture, ankles_m, axis)),
                f"{np.nanmedian(moved_px(body, capture)):.2f}",
            ]
            print(f"| {folder.name}/{view.name} | {' | '.join(cells)} |", flush=True)


def axis_along(direction: np.ndarray) -> np.ndarray:
    """(3,) the axis of a calibration's world that is nearest to where heads are above feet."""
    axis = np.zeros(3)
    largest = int(np.abs(direction).argmax())
    axis[largest] = np.sign(direction[largest])
    return axis


def ankle_speeds(body: AnnyBody, capture: Capture, true_m: np.ndarray, up: np.ndarray) -> list[float]:
    """Median speeds of ankles along the floor where our feet stand: the truth's, the camera's result's, the world's."""
    frames = min(len(capture), len(true_m))
    contacts = world_of(capture).contacts[:frames]
    ankles = [body.joint_names.index(f"{side}_ankle") for side in ("left", "right")]
    ways = [(true_m, up), *((moving.joints_m[:, ankles], (0, 1, 0)) for moving in moving_of(body, capture))]
    found = []
    for places, upwards in ways:
        level = np.eye(3) - np.outer(upwards, upwards)
        speed = speeds(places[:frames] @ level, capture.time_s[:frames], 0.1)
        found.append(float(np.nanmedian(speed[contacts])))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--roles", default="development", help="of REAL's cameras, by commas")
    parser.add_argument("--scenes", type=int, default=48)
    given = parser.parse_args()
    header("world")
    torch.set_num_threads(1)
    body = AnnyBody()
    checkpoint = load_checkpoint("points", body)
    config = replace(
        EVAL_V1, name="world", split="validation", frames=round(SECONDS * BANK_FPS) + 1, camera=TILTED
    )
    maker = TrackMaker(config, body)
    each = []
    for scene in scenes(config, given.motion, given.scenes, body):
        capture = with_world(keypoints_of(scene, maker), checkpoint, body, scene.assumed_focal_px)
        each.append(figures_of(scene, capture, body))
    standing = sum(one.hits[1] > 0 for one in each)
    print(f"{len(each)} people for {SECONDS:g} s each, {standing} of them on the recording's floor")
    print_table(each)
    if given.real is not None:
        print_real(given.real, set(given.roles.split(",")), checkpoint, body)


if __name__ == "__main__":
    run(main)
