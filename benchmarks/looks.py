"""What drawing people costs, and whether a detector trained on real people finds them.

`python benchmarks/looks.py speed` draws 31-frame clips on one core. `python benchmarks/looks.py judge --count 200` draws
one frame a scene on nothing but a background, and asks mediapipe: how many people it finds, how far its keypoints are from
the truth, and by how much its definition of each keypoint differs from ours. `--sheet FILE` writes what it was shown.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from common import header

from pointlight.body import NETWORK_KEYPOINTS, AnnyBody, indices_of
from pointlight.capture.blazepose import LANDMARKS, BlazePose, Reading, Region
from pointlight.media import VideoReader, tile, write_png
from pointlight.motion import MotionBank, compile_motion_bank, procedural_bank
from pointlight.randomness import stream
from pointlight.simulator import (
    PAPER_LOOKS,
    TRACK_POINTS,
    LooksConfig,
    PersonLayer,
    Scene,
    SceneConfig,
    SceneSampler,
    camera_state,
    draw_looks,
    render_person,
    surreal_scenes,
)

LOOKS = {"pointlight": LooksConfig(), "paper": PAPER_LOOKS}
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
TRUSTED = 0.08
"""Only keypoints read within this share of the person's size tell of the definition; others are misreadings."""


def one_frame(scene: Scene, t: int) -> Scene:
    """Frame t of a scene, as a scene of one frame."""
    motion, camera = scene.motion, scene.camera
    span = slice(t, t + 1)
    return replace(
        scene,
        motion=replace(
            motion, pose=motion.pose[span], root=motion.root[span], translation_m=motion.translation_m[span]
        ),
        camera=replace(
            camera,
            rotation=camera.rotation[span],
            translation_m=camera.translation_m[span],
            principal_px=camera.principal_px[span],
        ),
    )


def backdrops(folder: Path | None, split: str, limit: int = 40) -> list[np.ndarray]:
    """Pictures without people: one frame of each video of the split, or coloured noise if there is no folder."""
    if folder is None:
        rng = np.random.default_rng(0)
        return [_noise_picture(rng) for _ in range(limit)]
    with open(folder / "index.csv", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == split and row["has_people"] == "no"]
    pictures = []
    for row in rows[:limit]:
        try:
            pictures.append(next(iter(VideoReader(folder / row["file"]))).image)
        except UnicodeDecodeError:  # PyAV stumbles over titles that are not in UTF-8
            continue
    return pictures


def _noise_picture(rng: np.random.Generator) -> np.ndarray:
    from scipy import ndimage

    total = rng.uniform(60, 190, 3)[None, None] * np.ones((480, 640, 1))
    for size in (60, 20, 6, 2):
        noise = ndimage.gaussian_filter(rng.standard_normal((480, 640, 3)), (size, size, 0))
        total = total + 22 * noise / noise.std()
    return total.clip(0, 255).astype(np.uint8)


def cut(picture: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random piece of a picture of the wanted shape, as large as it can be, scaled to (width, height)."""
    from PIL import Image

    width, height = size
    scale = min(picture.shape[1] / width, picture.shape[0] / height)
    wide, high = int(width * scale), int(height * scale)
    left, top = (int(rng.integers(0, n + 1)) for n in (picture.shape[1] - wide, picture.shape[0] - high))
    piece = Image.fromarray(picture[top : top + high, left : left + wide])
    return np.asarray(piece.resize(size, Image.Resampling.BOX if scale > 1 else Image.Resampling.BICUBIC))


def people(
    config: SceneConfig, bank: MotionBank, body: AnnyBody, looks: LooksConfig, count: int, seed: int
) -> Iterator[tuple[Scene, PersonLayer]]:
    """One frame of each of `count` scenes in which all 12 keypoints are in the picture and none is hidden behind."""
    sampler = SceneSampler(config, bank, body)
    index = made = 0
    while made < count:
        scene = sampler.sample(seed, index)
        scene = one_frame(scene, len(scene.motion.pose) // 2)
        layer = render_person(scene, draw_looks(looks, seed, index, scene.shape), body)
        index += 1
        twelve = list(indices_of(NETWORK_KEYPOINTS, TRACK_POINTS))
        if layer.outside[0, twelve].any():
            continue
        made += 1
        yield scene, layer


def ask(networks: BlazePose, image: np.ndarray, box: np.ndarray) -> Reading | None:
    """The reading of the person whose hips lie in the box (2, 2); the picture and then its squares are searched."""
    height, width = image.shape[:2]
    short = min(height, width)
    middles = [(width / 2, height / 2)]
    middles += [(x, height / 2) for x in (short / 2, width - short / 2) if width > height]
    middles += [(width / 2, y) for y in (short / 2, height - short / 2) if height > width]
    windows = [None, *(Region(x, y, short, 0.0) for x, y in middles)]
    windows += [Region(x, y, 0.6 * short, 0.0) for x, y in middles]
    for window in windows:
        for region, _ in networks.find(image, window):
            if (np.array((region.x, region.y)) < box[0]).any() or (
                np.array((region.x, region.y)) > box[1]
            ).any():
                continue
            reading = networks.read(image, region)
            if reading is not None:
                return networks.read(image, reading.region) or reading
    return None


class Judge:
    """Collects what the detector says."""

    def __init__(self, body: AnnyBody) -> None:
        self._body = body
        self._networks = BlazePose()
        self._landmarks = [list(LANDMARKS).index(name) for name in NETWORK_KEYPOINTS]
        self._twelve = list(indices_of(NETWORK_KEYPOINTS, TRACK_POINTS))
        self.asked = 0
        self.size_px: list[float] = []
        self.errors: list[np.ndarray] = []
        self.offsets: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {part: [] for part in PARTS}

    def look(self, scene: Scene, layer: PersonLayer, image: np.ndarray) -> np.ndarray | None:
        """Ask about one picture; (12, 2) pixels, or None if nobody is found where the person is."""
        self.asked += 1
        truth = layer.joints_px[0, self._twelve]
        size = float(np.linalg.norm(np.ptp(truth, axis=0)))
        box = np.stack((truth.min(0), truth.max(0))) + 0.1 * size * np.array([[-1], [1]])
        reading = ask(self._networks, image, box)
        if reading is None:
            return None
        points = reading.points[self._landmarks, :2]
        self.size_px.append(size)
        self.errors.append(np.linalg.norm(points - truth, axis=-1) / size)
        self._keep_offsets(scene, layer, points - truth, size)
        return points

    def _keep_offsets(self, scene: Scene, layer: PersonLayer, away_px: np.ndarray, size: float) -> None:
        """For each keypoint the equations focal / z * (R d) = offset of its unknown d in the limb's rest-aligned axes."""
        body = self._body
        # Lengths are given for a person of 1.70 m.
        stature = float(body.stature_m(torch.from_numpy(scene.shape))) / 1.70
        rotations = body.joint_rotations(camera_state(scene)).numpy()[0]
        for k, name in enumerate(NETWORK_KEYPOINTS):
            if layer.behind[0, self._twelve[k]] or np.linalg.norm(away_px[k]) > TRUSTED * size:
                continue
            side, part = name.split("_")
            place = layer.joints_camera_m[0, self._twelve[k]]
            # The upper bone carries shoulders and hips as the trunk sees them: their own rotations are the limb's.
            carrier = {"shoulder": "spine3", "hip": "pelvis"}.get(part, name)
            turn = rotations[body.joint_names.index(carrier)].astype(float)
            rows = scene.camera.focal_px / place[2] * (turn[:2] - place[:2, None] / place[2] * turn[2:3])
            if side == "right":
                rows = rows * (-1.0, 1.0, 1.0)
            self.offsets[part].append((stature * rows, away_px[k].astype(float)))

    def report(self) -> None:
        """Print it all."""
        found = len(self.errors)
        print(f"\nfound {found} of {self.asked} people ({100 * found / self.asked:.0f} %)")
        if not found:
            return
        errors = np.stack(self.errors)
        print(
            f"distance to the truth, share of the size: median {100 * np.median(errors):.1f} %, of"
            f" pictures' means {100 * np.median(errors.mean(1)):.1f} %, 90 % below {100 * np.quantile(errors, 0.9):.1f} %"
        )
        print(f"person's size (diagonal of the 12's box): median {np.median(self.size_px):.0f} px")
        print("\n| keypoint | median error % |\n| --- | --- |")
        for k, name in enumerate(NETWORK_KEYPOINTS):
            print(f"| {name} | {100 * np.median(errors[:, k]):.1f} |")
        print(
            "\nmediapipe's keypoint less ours, cm, in rest-aligned axes carried by the limb (trunk for shoulder and hip),"
            " both sides joined, with its standard error\n"
            "\n| | outwards | up | forward | n |\n| --- | --- | --- | --- | --- |"
        )
        for part in PARTS:
            if len(self.offsets[part]) < 8:
                continue
            matrix = np.concatenate([rows for rows, _ in self.offsets[part]])
            away = np.concatenate([offset for _, offset in self.offsets[part]])
            best, *_ = np.linalg.lstsq(matrix, away, rcond=None)
            left = away - matrix @ best
            spread = np.sqrt(np.diag(np.linalg.inv(matrix.T @ matrix)) * left.var())
            cells = " | ".join(f"{100 * d:+.1f} ± {100 * s:.1f}" for d, s in zip(best, spread, strict=True))
            print(f"| {part} | {cells} | {len(self.offsets[part])} |")


def judge(given: argparse.Namespace) -> None:
    body = AnnyBody()
    bank = compile_motion_bank(given.motion, body) if given.motion else procedural_bank(body, 1)
    config = surreal_scenes(SceneConfig()) if given.camera == "surreal" else SceneConfig()
    pictures = backdrops(given.backgrounds, "train")
    verdict = Judge(body)
    cells = []
    for scene, layer in people(config, bank, body, LOOKS[given.looks], given.count, given.seed):
        rng = stream(given.seed, scene.index, "backdrop")
        image = cut(pictures[rng.integers(len(pictures))], scene.camera.image_size, rng).copy()
        image[layer.mask[0]] = layer.colour[0][layer.mask[0]]
        points = verdict.look(scene, layer, image)
        cells.append(marked(image, layer, points))
    verdict.report()
    if given.sheet:
        write_png(given.sheet, tile(cells, 8))


def marked(image: np.ndarray, layer: PersonLayer, points: np.ndarray | None) -> np.ndarray:
    """The picture in a square cell with the truth in green and what was read in red."""
    side = 426
    cell = np.full((side, side, 3), 24, np.uint8)
    cell[: image.shape[0], : image.shape[1]] = image
    twelve = list(indices_of(NETWORK_KEYPOINTS, TRACK_POINTS))
    dots = [(layer.joints_px[0, twelve], (40, 255, 60))]
    if points is not None:
        dots.append((points, (255, 40, 40)))
    for places, colour in dots:
        for x, y in places.astype(int).clip(1, side - 2):
            cell[y : y + 2, x : x + 2] = colour
    return cell


def speed(given: argparse.Namespace) -> None:
    body = AnnyBody()
    bank = procedural_bank(body, 1)
    print("| scenes | frames | covered pixels | looks, ms a clip | drawing, ms a frame | frames/s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for config in (surreal_scenes(SceneConfig()), replace(SceneConfig(), name="pointlight, 320x240")):
        if config.name.endswith("320x240"):
            config = replace(config, camera=replace(config.camera, image_sizes=((320, 240),)))
        sampler = SceneSampler(config, bank, body)
        scenes = [sampler.sample(given.seed, index) for index in range(given.count)]
        draws = [draw_looks(LooksConfig(), 1, scene.index, scene.shape) for scene in scenes]
        render_person(scenes[0], draws[0], body)
        started = time.process_time()
        for scene in scenes:
            draw_looks(LooksConfig(), 0, scene.index, scene.shape)
        looks_s = time.process_time() - started
        started, covered, frames = time.process_time(), 0, 0
        for scene, looks in zip(scenes, draws, strict=True):
            layer = render_person(scene, looks, body)
            covered += int(layer.mask.sum())
            frames += len(layer.mask)
        drawing_s = time.process_time() - started
        print(
            f"| {config.name} | {frames} | {covered / frames:.0f} | {1000 * looks_s / len(scenes):.1f} |"
            f" {1000 * drawing_s / frames:.2f} | {frames / (drawing_s + looks_s):.0f} |"
        )


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("speed", "judge"))
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--looks", choices=tuple(LOOKS), default="pointlight")
    parser.add_argument("--camera", choices=("pointlight", "surreal"), default="pointlight")
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    header(f"looks: {given.what}")
    speed(given) if given.what == "speed" else judge(given)


if __name__ == "__main__":
    main()
