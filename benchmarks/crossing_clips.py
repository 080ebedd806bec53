"""Made clips of two to four people on one ground whose paths cross, for `benchmarks/people.py`.

Each clip is a pure function of its seed: procedural walks, led across the picture at several depths, some of
which turn back or leave the picture; the simulator's own clothes, under one light; a procedural picture behind them. The
truth holds everybody's keypoints and which of them are to be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from pointlight.body import AnnyBody
from pointlight.files import atomic_path
from pointlight.media import VideoWriter
from pointlight.motion import BANK_FPS, BodyMotion, MotionBank, VarietyConfig, procedural_bank
from pointlight.randomness import stream
from pointlight.simulator import TRACK_POINTS, Scene, SceneConfig, SceneSampler
from pointlight.simulator.backgrounds import ProceduralWindows
from pointlight.simulator.people import AppearanceConfig, PersonLayer, draw_appearance, render_person
from pointlight.simulator.scenes import CameraPath, look_at

FRAMES, SIZE = 150, (640, 480)
_BANK_SEED, _BANK_CLIPS = 18, 24
_PIECE = 30
"""Frames that are drawn at once, for memory's sake."""
_ASIDE_M, _GONE_M = 1.5, 3.0
_GONE, _TURNING = 0.15, 0.4
"""Shares of people who leave the picture and of those who turn back."""
_LANE_M = 0.65
"""Between the depths of two people."""


@dataclass(frozen=True)
class CrossingClip:
    """A made clip.

    Attributes:
        video: its file.
        points_px: (P, T, K, 2) true places of `TRACK_POINTS` of everybody.
        seen: (P, T, K) bool: in the picture, before everybody else and not 20 cm behind the person's own surface.
        boxes_px: (P, T, 4) left, top, right, bottom of what there is of each person in the picture, hidden or not; NaN of
            whoever is outside of it.
    """

    video: Path
    points_px: np.ndarray
    seen: np.ndarray
    boxes_px: np.ndarray


def crossing_clip(folder: Path, seed: int) -> CrossingClip:
    """The clip of a seed, from the folder where it lies there; else it is made, and put there."""
    video, truth = folder / f"{seed:05d}.mp4", folder / f"{seed:05d}.npz"
    if not (video.exists() and truth.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        frames, arrays = _made(seed)
        with VideoWriter(video, BANK_FPS, SIZE, quality=20) as writer:
            for frame in frames:
                writer.write(frame)
        with atomic_path(truth) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(
                file, points_px=arrays["points_px"], seen=arrays["seen"], boxes_px=arrays["boxes_px"]
            )
    with np.load(truth) as stored:
        return CrossingClip(video, stored["points_px"], stored["seen"], stored["boxes_px"])


@cache
def _sources() -> tuple[AnnyBody, MotionBank]:
    body = AnnyBody()
    kinds = ("walk", "wave")
    return body, procedural_bank(body, _BANK_SEED, kinds=kinds, clips_per_kind=_BANK_CLIPS, frames=FRAMES)


def _made(seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Frames (T, H, W, 3) and the truth."""
    rng = stream(seed, 0, "crossing people")
    scenes = _scenes(seed, rng)
    body, _ = _sources()
    appearances = [
        draw_appearance(AppearanceConfig(), scene.seed, scene.index, scene.shape) for scene in scenes
    ]
    appearances = [replace(one, light=appearances[0].light) for one in appearances]
    frames = np.repeat(_background(seed)[None], FRAMES, axis=0)
    points, seen, boxes = [], [], []
    for start in range(0, FRAMES, _PIECE):
        piece = slice(start, start + _PIECE)
        layers = [
            render_person(_cut(scene, piece), appearance, body)
            for scene, appearance in zip(scenes, appearances, strict=True)
        ]
        nearest = np.min([layer.depth_m for layer in layers], axis=0)
        for layer in layers:
            shown = layer.mask & (layer.depth_m <= nearest)
            frames[piece][shown] = layer.colour[shown]
        points.append([layer.joints_px for layer in layers])
        seen.append([_seen(layer, nearest) for layer in layers])
        boxes.append([_boxes(layer) for layer in layers])
    arrays = {"points_px": points, "seen": seen, "boxes_px": boxes}
    return frames, {name: np.concatenate(parts, axis=1) for name, parts in arrays.items()}


def _scenes(seed: int, rng: np.random.Generator) -> list[Scene]:
    """Everybody's, before one camera."""
    body, bank = _sources()
    sampler = SceneSampler(SceneConfig(frames=FRAMES, variety=VarietyConfig.none()), bank, body)
    count = int(rng.integers(2, 5))
    camera = _camera(rng)
    lanes = rng.permutation(count) * _LANE_M + rng.uniform(-0.1, 0.1, count)
    lanes -= lanes.mean()
    drawn = [sampler.sample(1_000_003 * seed + 7, number) for number in range(count)]
    begins = np.linspace(-_ASIDE_M, _ASIDE_M, count) * rng.choice((-1, 1))
    return [
        replace(scene, motion=_led(scene.motion, _path(rng, begin, lane)), camera=camera)
        for scene, begin, lane in zip(drawn, begins, lanes, strict=True)
    ]


def _camera(rng: np.random.Generator) -> CameraPath:
    """Still, looking at the middle of the ground from one side; people are 0.5 to 0.6 of the picture's height."""
    distance = float(rng.uniform(5.5, 8.0))
    height = float(rng.uniform(1.0, 2.2))
    position, target = np.array((0.0, height, distance)), np.array((0.0, 0.85, 0.0))
    focal = float(rng.uniform(0.5, 0.6)) * SIZE[1] / 1.7 * distance
    turn = look_at(position, target, float(rng.normal(0, 0.02)))
    return CameraPath(
        R_camera_world=np.repeat(turn[None], FRAMES, axis=0).astype(np.float32),
        translation_m=np.repeat((-turn @ position)[None], FRAMES, axis=0).astype(np.float32),
        focal_px=focal,
        principal_px=np.tile(np.array((SIZE[0] / 2, SIZE[1] / 2), np.float32), (FRAMES, 1)),
        image_size=SIZE,
    )


def _path(rng: np.random.Generator, begin_m: float, lane_m: float) -> np.ndarray:
    """(T, 2) x and z in metres, from one place to its mirror image and sometimes back, at about one depth."""
    there = -begin_m if abs(begin_m) > 0.2 else float(rng.choice((-1, 1)) * _ASIDE_M / 2)
    ends = np.array((begin_m, there, begin_m)) + rng.uniform(-0.25, 0.25, 3)
    turns = rng.random() < _TURNING
    if rng.random() < _GONE:
        ends[1], turns = np.sign(there) * _GONE_M, True
    times = np.array((0.0, rng.uniform(0.45, 0.6), 1.0)) if turns else rng.uniform((0.0, 0.7), (0.25, 1.0))
    x = np.interp(np.linspace(0, 1, FRAMES), times, ends[: len(times)])
    z = lane_m + np.linspace(0, rng.uniform(-0.15, 0.15), FRAMES)
    return np.stack((gaussian_filter1d(x, 4, mode="nearest"), z), axis=1)


def _led(motion: BodyMotion, path_m: np.ndarray) -> BodyMotion:
    """The motion along a path, its body turned to where it goes."""
    speed = np.gradient(gaussian_filter1d(path_m, 6, axis=0, mode="nearest"), axis=0)
    forward = (motion.root @ np.array((0.0, 0.0, 1.0)))[:, (0, 2)]
    facing = gaussian_filter1d(forward, 20, axis=0, mode="nearest")
    own = np.arctan2(facing[:, 0], facing[:, 1])
    wanted = np.unwrap(np.arctan2(speed[:, 0], speed[:, 1]))
    yaw = gaussian_filter1d(wanted - np.unwrap(own), 6, mode="nearest")
    cosine, sine = np.cos(yaw), np.sin(yaw)
    turns = np.zeros((len(yaw), 3, 3))
    turns[:, 0, 0], turns[:, 0, 2], turns[:, 1, 1], turns[:, 2, 0], turns[:, 2, 2] = (
        cosine,
        sine,
        1,
        -sine,
        cosine,
    )
    place = motion.translation_m.astype(np.float64)
    sway = place - gaussian_filter1d(place, 15, axis=0, mode="nearest")
    place[:, (0, 2)] = path_m + np.einsum("tij,tj->ti", turns, sway)[:, (0, 2)]
    return replace(
        motion, root=(turns @ motion.root).astype(np.float32), translation_m=place.astype(np.float32)
    )


def _cut(scene: Scene, piece: slice) -> Scene:
    """Some frames of it; what chance hides is left as it is, and not drawn."""
    motion, camera = scene.motion, scene.camera
    return replace(
        scene,
        motion=replace(
            motion,
            pose=motion.pose[piece],
            root=motion.root[piece],
            translation_m=motion.translation_m[piece],
        ),
        camera=replace(
            camera,
            R_camera_world=camera.R_camera_world[piece],
            translation_m=camera.translation_m[piece],
            principal_px=camera.principal_px[piece],
        ),
    )


def _background(seed: int) -> np.ndarray:
    """A made picture, still."""
    window = ProceduralWindows(10_000, _BANK_SEED, frames=2).read(seed % 10_000)
    return np.asarray(Image.fromarray(window.frames[0]).resize(SIZE, Image.Resampling.BICUBIC))


def _seen(layer: PersonLayer, nearest_m: np.ndarray) -> np.ndarray:
    """(T, K) bool."""
    points = layer.joints_px
    column = np.clip(np.nan_to_num(points[..., 0]), 0, SIZE[0] - 1).astype(int)
    row = np.clip(np.nan_to_num(points[..., 1]), 0, SIZE[1] - 1).astype(int)
    time = np.arange(len(points))[:, None]
    # Somebody else is nearer there, and the joint is behind them.
    before = nearest_m[time, row, column]
    hidden = (before < layer.depth_m[time, row, column]) & (before < layer.joints_camera_m[..., 2])
    return ~(layer.out_of_frame | layer.self_occluded | hidden)


def _boxes(layer: PersonLayer) -> np.ndarray:
    boxes = np.full((len(layer.mask), 4), np.nan)
    for number, mask in enumerate(layer.mask):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if len(rows):
            boxes[number] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes


def points_of(names: Sequence[str]) -> list[int]:
    """Where points stand in the truth."""
    return [TRACK_POINTS.index(name) for name in names]
