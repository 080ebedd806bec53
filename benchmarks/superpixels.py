"""How fast superpixels are, how like scikit-image's, how large on disk, and how many clips end with an occluder.

`python benchmarks/superpixels.py --backgrounds FOLDER [--windows N] [--people N]` takes one window of each of N
training videos and procedural motion of our body before SURREAL's camera. Times are CPU times of one core. Beside the
scikit-image columns stands what that library makes of the same five channels, where it is installed.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from common import header, run

from pointlight.body import AnnyBody, BodyState
from pointlight.errors import PointlightError
from pointlight.media import VideoReader
from pointlight.motion import procedural_bank
from pointlight.randomness import stream
from pointlight.simulator import CLIP_FRAMES, TRACK_POINTS, PersonLayer, SceneConfig, SceneSampler, TrackMaker
from pointlight.simulator.clips import OccluderConfig, draw_superpixels, superpixels, write_superpixels
from pointlight.simulator.clips.occluders import is_kept
from pointlight.simulator.drawing import NO_FACE, Raster, rasterise
from pointlight.simulator.scenes import surreal_scenes

SEED = 17
SIZE = (320, 240)


def read_window(path: Path, rng: np.random.Generator) -> np.ndarray | None:
    """(31, 240, 320, 3) from a random place of a video, or None if it is too short."""
    width, height = VideoReader(path).size
    scale = max(SIZE[0] / width, SIZE[1] / height)
    size = (max(SIZE[0], round(width * scale)), max(SIZE[1], round(height * scale)))
    pictures = [frame.image for frame in VideoReader(path, size=size)]
    if len(pictures) < CLIP_FRAMES:
        return None
    start = int(rng.integers(len(pictures) - CLIP_FRAMES + 1))
    x, y = (int(rng.integers(size[axis] - SIZE[axis] + 1)) for axis in (0, 1))
    return np.stack(pictures[start : start + CLIP_FRAMES])[:, y : y + SIZE[1], x : x + SIZE[0]]


def median_path(frames: np.ndarray) -> np.ndarray:
    """(T, 2) integrated median of DIS flow about the centre frame."""
    cv2.setNumThreads(1)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    steps = [
        np.median(flow.calc(a, b, np.zeros((*a.shape, 2), np.float32)), axis=(0, 1))
        for a, b in itertools.pairwise(grey)
    ]
    path = np.concatenate((np.zeros((1, 2)), np.cumsum(steps, axis=0)))
    return path - path[len(path) // 2]


class People:
    """Silhouettes and joints of our body before SURREAL's camera."""

    def __init__(self) -> None:
        self.body = AnnyBody()
        config = surreal_scenes(SceneConfig())
        self.sampler = SceneSampler(
            config, procedural_bank(self.body, 5, clips_per_kind=5, frames=62), self.body
        )
        self.maker = TrackMaker(config, self.body)

    @torch.no_grad()
    def draw(self, index: int, path_px: np.ndarray) -> PersonLayer:
        """Person `index`, following a background."""
        scene = self.sampler.sample(SEED, index)
        principal = (scene.camera.principal_px + path_px).astype(np.float32)
        scene = replace(scene, camera=replace(scene.camera, principal_px=principal))
        tracks = self.maker.make([scene])
        pose = tracks.state
        state = BodyState(pose.pose[0], pose.shape[0], pose.root[0], pose.translation[0])
        faces, raster = self.body.faces.numpy(), Raster.blank(*SIZE)
        mask = np.zeros((CLIP_FRAMES, *SIZE[::-1]), bool)
        for t, vertices in enumerate(self.body.vertices(state).numpy()):
            raster.clear()
            centre = (float(principal[t, 0]), float(principal[t, 1]))
            mask[t] = rasterise(vertices, faces, scene.camera.focal_px, centre, raster).face != NO_FACE
        points = tracks.points_px[0].numpy()
        nothing = np.zeros(0, np.float32)
        return PersonLayer(
            colour=nothing,
            mask=mask,
            depth_m=nothing,
            parts=nothing,
            part_names=(),
            flow_forward_px=nothing,
            flow_backward_px=nothing,
            joint_names=TRACK_POINTS,
            joints_px=points,
            joints_camera_m=tracks.points_camera_m[0].numpy(),
            out_of_frame=(points < 0).any(-1) | (points > SIZE).any(-1),
            self_occluded=np.zeros(points.shape[:2], bool),
            camera=scene.camera,
            state=None,
        )


def kept_share(labels: np.ndarray, person: PersonLayer, least: float) -> float:
    """The chance that a superpixel drawn at random is kept."""
    used = np.flatnonzero(np.bincount(labels.ravel()))
    return float(np.mean([is_kept(labels == k, person, least) for k in used]))


def rand_index(a: np.ndarray, b: np.ndarray) -> float:
    """Adjusted Rand index of two label volumes."""
    table = (
        np.bincount(a.ravel() * np.int64(256) + b.ravel(), minlength=65536).reshape(256, 256).astype(float)
    )

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, first, second = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    expected = first * second / pairs(np.array([table.sum()]))
    return (both - expected) / ((first + second) / 2 - expected)


def scikit_image(
    frames: np.ndarray, path: np.ndarray, count: int, weight: float, connected: bool
) -> np.ndarray:
    """Its labels of the five channels."""
    from skimage.segmentation import slic  # pyright: ignore[reportMissingImports]

    channels = np.empty((*frames.shape[:3], 5))
    channels[..., :3] = frames / 255
    channels[..., 3] = weight * (np.arange(SIZE[0]) - path[:, 0, None, None])
    channels[..., 4] = weight * (np.arange(SIZE[1])[:, None] - path[:, 1, None, None])
    return slic(
        channels,
        n_segments=count,
        compactness=0.01,
        enforce_connectivity=connected,
        start_label=0,
        channel_axis=-1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=24)
    parser.add_argument("--people", type=int, default=2, help="before each window")
    parser.add_argument("--oracle", type=int, default=0, help="windows that scikit-image segments too (slow)")
    options = parser.parse_args()
    header("superpixels")
    with open(options.backgrounds / "index.csv", newline="") as file:
        videos = sorted(row["file"] for row in csv.DictReader(file) if row["split"] == "train")
    order = stream(SEED, 0, "videos").permutation(len(videos))
    config, people = OccluderConfig(), People()
    rows: list[tuple[float, ...]] = []
    for index, video in enumerate(order):
        if len(rows) == options.windows:
            break
        try:
            frames = read_window(options.backgrounds / videos[video], stream(SEED, index, "window"))
        except (PointlightError, UnicodeDecodeError) as error:
            print(f"passed over: {error}")
            continue
        if frames is None:
            continue
        path = median_path(frames)
        started = time.process_time()
        pixels = draw_superpixels(frames, path, config, stream(SEED, index, "superpixels"))
        spent = time.process_time() - started
        count, weight = pixels.count, pixels.coordinate_weight
        loose = superpixels(frames, path, count, weight, connected=False)
        with tempfile.TemporaryDirectory() as folder:
            write_superpixels(Path(folder) / "map.npz", pixels)
            size = (Path(folder) / "map.npz").stat().st_size
        shares = []
        for number in range(options.people):
            person = people.draw(index * options.people + number, path)
            tall = float(
                np.mean([float(np.ptp(np.flatnonzero(m.any(1)))) if m.any() else 0.0 for m in person.mask])
            )
            used = kept_share(pixels.labels, person, 7)
            asked = used * len(np.unique(pixels.labels[pixels.labels < count])) / count
            shares.append((asked, used, kept_share(loose, person, 7), tall))
        row = (spent, count, len(np.unique(pixels.labels)), size / 1e6, *np.mean(shares, axis=0))
        text = f"{videos[video]:55s} {spent:.2f} s, {count} -> {row[2]} pieces, {row[3]:.2f} MB,"
        text += f" kept {row[4]:.2f} (among used {row[5]:.2f}, loose {row[6]:.2f}), person {row[7]:.0f} px"
        if len(rows) < options.oracle:
            for connected, labels in ((True, pixels.labels), (False, loose)):
                started = time.process_time()
                oracle = scikit_image(frames, path, count, weight, connected)
                slow = time.process_time() - started
                same = (oracle == labels).mean()
                text += f"; {'connected' if connected else 'loose'}: scikit-image {slow:.1f} s,"
                text += f" same {same:.4f}, adjusted Rand {rand_index(oracle, labels):.4f}"
        print(text, flush=True)
        rows.append(row)
    table = np.array(rows)
    print(
        f"{len(rows)} windows: median {np.median(table[1:, 0]):.2f} s a window, {table[:, 3].mean():.2f} MB on disk;"
        f" chance of an occluder {table[:, 4].mean():.3f} +- {table[:, 4].std() / len(rows) ** 0.5:.3f} (paper: roughly"
        f" 0.30), drawn among the labels in use {table[:, 5].mean():.3f}, and in many pieces {table[:, 6].mean():.3f}"
    )


if __name__ == "__main__":
    run(main)
