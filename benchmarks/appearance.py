"""What drawing people costs, and whether a detector trained on real people finds them.

`python benchmarks/appearance.py speed` draws 31-frame clips on one core. `python benchmarks/appearance.py judge --recipe
full --count 200 --backgrounds FOLDER --motion FOLDER` makes whole clips of a recipe with nothing before the person
(no superpixel, no total occlusion; all else as in the recipe) and asks mediapipe about three frames of each, a quarter, a
half and three quarters through the clip. All clips of the seed from 0 on are asked, none is chosen; the second figure is
for the clips that could be found, those with all 12 keypoints in the picture in all three frames.

A frame counts as found if one of BlazePose's detections lies between the person's hips (within the box of its 12
keypoints, a tenth larger) and its second network reads a pose there; a clip, if two of its three frames are. Beside that
stand `read`, the same with the mean distance of the 12 below a quarter of the person's size, and `told`: frames found by
a detector that may also search a square around the person, which says whether it looks like one where others in the
picture are larger.

`python benchmarks/appearance.py agree --recipe full --motion FOLDER` compares what tracks without pictures and clips show.
`python benchmarks/appearance.py real --real FOLDER` is the yardstick: real people of the development clips, who are
found at full size, are shrunk and cut to 320x240, and asked about again by the same rules.

`--variant` changes what is asked: `clean` without the sensor, `appearance` without it and before SURREAL's camera (people's
looks alone, at a size and from a side that a detector knows), `enlarged` at twice the size, `paint` in SURREAL's painted
clothes, `empty` with nobody before the background, which says how many are found by chance. `--sheet FILE` writes what
was shown, `--missed FILE` what was not found, cut out and enlarged.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from common import header, run
from PIL import Image

from pointlight.body import NETWORK_KEYPOINTS, AnnyBody, indices_of
from pointlight.capture.detection.blazepose import LANDMARKS, BlazePose, Reading, Region
from pointlight.media import VideoReader, tile, write_png
from pointlight.motion import procedural_bank
from pointlight.randomness import stream
from pointlight.simulator import (
    SYNTHESIS_RECIPES,
    TRACK_POINTS,
    SceneConfig,
    SceneSampler,
    SynthesisConfig,
    TrackMaker,
)
from pointlight.simulator.clips import (
    ClipParts,
    OccluderConfig,
    SensorConfig,
    Sources,
    find_recipe,
    open_maker,
    without_total_occlusions,
)
from pointlight.simulator.people import (
    PAPER_APPEARANCE,
    AppearanceConfig,
    camera_state,
    draw_appearance,
    render_person,
)
from pointlight.simulator.scenes import surreal_scenes

PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
VARIANTS = ("made", "clean", "looks", "enlarged", "paint", "empty")
REAL_HEIGHTS = (60, 90, 120, 150, 180, 220)
ASKED = (0.25, 0.5, 0.75)
"""Where in a clip it is asked."""
TRUSTED = 0.08
"""Only keypoints read within this share of the person's size tell of the definition; others are misreadings."""
READ = 0.25
POINTED = 1.5
"""Side of the square that is searched around the person, in its sizes, when the detector is told where to look."""
TWELVE = list(indices_of(NETWORK_KEYPOINTS, TRACK_POINTS))
_CELL = 160


@dataclass(frozen=True)
class Answer:
    """What the detector said of one frame.

    Attributes:
        index: of the clip.
        size_px: diagonal of the box of the 12 keypoints.
        height_px: longer side of the box of the person's mask; 0 if nothing of it is in the picture.
        whole: all 12 are in the picture.
        pose: "upright" (the trunk within 45 degrees of the picture's vertical), "lying" or "upside down".
        light: mean luma of the person's pixels, 0 to 255.
        contrast: its distance from the mean luma of what is around.
        people: whether the background shows people, of whom the detector may take one for ours.
        facing: "front", "side" or "back", which way the shoulders look.
        errors: (12,) distances to the truth as shares of the size; None if not found.
        pointed: found, or found when the detector is told where to look.
    """

    index: int
    size_px: float
    height_px: float
    whole: bool
    pose: str
    light: float
    contrast: float
    people: bool | None
    facing: str
    errors: np.ndarray | None
    pointed: bool

    @property
    def found(self) -> bool:
        """A pose was read where the person is."""
        return self.errors is not None

    @property
    def read(self) -> bool:
        """And it is roughly the true one."""
        return self.errors is not None and float(self.errors.mean()) < READ


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
        if (reading := ask_window(networks, image, box, window)) is not None:
            return reading
    return None


def ask_window(
    networks: BlazePose, image: np.ndarray, box: np.ndarray, window: Region | None
) -> Reading | None:
    """The same in one square of the picture, or in all of it."""
    for region, _ in networks.find(image, window):
        hips = np.array((region.x, region.y))
        if (hips < box[0]).any() or (hips > box[1]).any():
            continue
        reading = networks.read(image, region)
        if reading is not None:
            return networks.read(image, reading.region) or reading
    return None


class Judge:
    """Collects what the detector says."""

    def __init__(self, body: AnnyBody, variant: str) -> None:
        self._body = body
        self._scale = 2 if variant == "enlarged" else 1
        self._empty = variant == "empty"
        self._networks = BlazePose()
        self._landmarks = [list(LANDMARKS).index(name) for name in NETWORK_KEYPOINTS]
        self.answers: list[Answer] = []
        self.shown: list[np.ndarray] = []
        self.missed: list[np.ndarray] = []
        self.offsets: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {part: [] for part in PARTS}

    def look(self, parts: ClipParts, t: int) -> None:
        """Ask about frame t of a clip."""
        clip, person = parts.clip, parts.subject.layer
        image, mask = (parts.background if self._empty else clip).frames[t], person.mask[t]
        truth = person.joints_px[t, TWELVE].astype(float)
        size = float(np.linalg.norm(np.ptp(truth, axis=0)))
        margin = 0.1 * size * np.array([[-1], [1]])
        box = np.stack((truth.min(0), truth.max(0))) + margin
        if self._scale > 1:
            larger = tuple(self._scale * side for side in (image.shape[1], image.shape[0]))
            asked = np.asarray(Image.fromarray(image).resize(larger, Image.Resampling.BICUBIC))
        else:
            asked = image
        reading = ask(self._networks, asked, self._scale * box)
        pointed = reading is not None
        if not pointed:
            x, y = self._scale * truth.mean(0)
            around = Region(float(x), float(y), self._scale * max(POINTED * size, 32.0), 0.0)
            pointed = ask_window(self._networks, asked, self._scale * box, around) is not None
        points = errors = None
        if reading is not None:
            points = reading.points[self._landmarks, :2] / self._scale
            errors = np.linalg.norm(points - truth, axis=-1) / size
            self._keep_offsets(parts, t, points - truth, size)
        rows, columns = np.nonzero(mask)
        height_px = max(np.ptp(rows), np.ptp(columns)) + 1.0 if len(rows) else 0.0
        luma = image @ np.array([0.299, 0.587, 0.114])
        around = _around(mask)
        light = float(luma[mask].mean()) if len(rows) else 0.0
        contrast = abs(light - float(luma[around].mean())) if around.any() else 0.0
        facing = _facing(person.joints_camera_m[t, TWELVE])
        people = parts.background.window.source.has_people
        whole = not person.out_of_frame[t, TWELVE].any()
        answer = Answer(
            clip.provenance.index,
            size,
            height_px,
            whole,
            _pose(truth),
            light,
            contrast,
            people,
            facing,
            errors,
            pointed,
        )
        self.answers.append(answer)
        cell = _cut_out(image, truth, points, size, answer)
        self.shown.append(cell)
        if not answer.found:
            self.missed.append(cell)

    def _keep_offsets(self, parts: ClipParts, t: int, away_px: np.ndarray, size: float) -> None:
        """For each keypoint the equations focal / z * (R d) = offset of its unknown d in the limb's rest-aligned axes."""
        body, scene, person = self._body, parts.subject.scene, parts.subject.layer
        # Lengths are given for a person of 1.70 m.
        stature = float(body.stature_m(torch.from_numpy(scene.shape))) / 1.70
        rotations = body.joint_rotations(camera_state(scene)).numpy()[t]
        for k, name in enumerate(NETWORK_KEYPOINTS):
            if person.self_occluded[t, TWELVE[k]] or np.linalg.norm(away_px[k]) > TRUSTED * size:
                continue
            side, part = name.split("_")
            place = person.joints_camera_m[t, TWELVE[k]]
            # The upper bone carries shoulders and hips as the trunk sees them: their own rotations are the limb's.
            carrier = {"shoulder": "spine3", "hip": "pelvis"}.get(part, name)
            turn = rotations[body.joint_names.index(carrier)].astype(float)
            rows = scene.camera.focal_px / place[2] * (turn[:2] - place[:2, None] / place[2] * turn[2:3])
            if side == "right":
                rows = rows * (-1.0, 1.0, 1.0)
            self.offsets[part].append((stature * rows, away_px[k].astype(float)))

    def report(self, definitions: bool) -> None:
        """Print it all."""
        frames = len(ASKED)
        clips = [self.answers[i : i + frames] for i in range(0, len(self.answers), frames)]
        print(
            "\n| asked | clips | found % | read % | frames found % | told % | median distance % | 90 % below |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        groups = {
            "all clips": clips,
            "all 12 in the picture": [c for c in clips if all(a.whole for a in c)],
            "the same, nobody in the background": [
                c for c in clips if all(a.whole and a.people is False for a in c)
            ],
            "all 12 in the picture, size 50 px or more": [
                c for c in clips if all(a.whole and a.size_px >= 50 for a in c)
            ],
            "all 12 in the picture, size 80 px or more": [
                c for c in clips if all(a.whole and a.size_px >= 80 for a in c)
            ],
        }
        for name, chosen in groups.items():
            if chosen:
                print(f"| {name} | {_line(chosen)} |")
        for title, of in _TABLES.items():
            print(
                f"\n| {title} | frames | found % | read % | told % | median distance % |\n"
                "| --- | --- | --- | --- | --- | --- |"
            )
            for name in sorted({of(a) for a in self.answers}):
                some = [a for a in self.answers if of(a) == name]
                known = [a.errors for a in some if a.errors is not None]
                median = f"{100 * np.median(np.concatenate(known)):.1f}" if known else "-"
                shares = " | ".join(
                    _percent(values)
                    for values in zip(*((a.found, a.read, a.pointed) for a in some), strict=True)
                )
                print(f"| {name} | {len(some)} | {shares} | {median} |")
        if definitions:
            self._report_definitions()

    def _report_definitions(self) -> None:
        known = np.stack([a.errors for a in self.answers if a.errors is not None])
        print("\n| keypoint | median distance % |\n| --- | --- |")
        for k, name in enumerate(NETWORK_KEYPOINTS):
            print(f"| {name} | {100 * np.median(known[:, k]):.1f} |")
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


def _percent(values: object) -> str:
    return f"{100 * np.mean(list(values)):.0f}"  # type: ignore[call-overload]


def _line(clips: list[list[Answer]]) -> str:
    found = _percent(2 * sum(a.found for a in clip) > len(clip) for clip in clips)
    read = _percent(2 * sum(a.read for a in clip) > len(clip) for clip in clips)
    flat = [a for clip in clips for a in clip]
    known = [a.errors for a in flat if a.errors is not None]
    distances = np.concatenate(known) if known else np.array([np.nan])
    return (
        f"{len(clips)} | {found} | {read} | {_percent(a.found for a in flat)} | {_percent(a.pointed for a in flat)} |"
        f" {100 * np.median(distances):.1f} | {100 * np.quantile(distances, 0.9):.1f}"
    )


def _size_class(answer: Answer) -> str:
    edges = (0, 30, 50, 80, 120, 180, 10_000)
    row = int(np.searchsorted(edges, answer.height_px, side="right")) - 1
    return f"{edges[row]:3d} to {edges[row + 1]}" if row < len(edges) - 2 else f"{edges[row]:3d} or more"


_TABLES = {
    "person's height in the picture, px": _size_class,
    "background": lambda a: {True: "with people", False: "without people", None: "unknown"}[a.people],
    "keypoints in the picture": lambda a: "all 12" if a.whole else "not all",
    "pose": lambda a: a.pose,
    "shoulders": lambda a: a.facing,
    "mean luma": lambda a: f"{64 * int(a.light // 64):3d} to {64 * int(a.light // 64) + 63}",
    "contrast with what is around": lambda a: "below 15" if a.contrast < 15 else "15 or more",
}


def _pose(truth: np.ndarray) -> str:
    name = NETWORK_KEYPOINTS.index
    shoulders = truth[[name("left_shoulder"), name("right_shoulder")]].mean(0)
    hips = truth[[name("left_hip"), name("right_hip")]].mean(0)
    across, down = shoulders - hips
    if abs(across) > abs(down):
        return "lying"
    return "upright" if down < 0 else "upside down"


def _facing(joints_camera_m: np.ndarray) -> str:
    """By the angle between the camera's ray and where the chest looks."""
    name = NETWORK_KEYPOINTS.index
    left, right = (joints_camera_m[name(f"{side}_shoulder")] for side in ("left", "right"))
    hips = joints_camera_m[[name("left_hip"), name("right_hip")]].mean(0)
    middle = (left + right) / 2
    ahead = np.cross(left - right, middle - hips)
    share = -float(ahead @ middle) / float(np.linalg.norm(ahead) * np.linalg.norm(middle))
    return "front" if share > 0.5 else "back" if share < -0.5 else "side"


def _around(mask: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return ndimage.binary_dilation(mask, iterations=6) & ~mask


def _cut_out(
    image: np.ndarray, truth: np.ndarray, points: np.ndarray | None, size: float, answer: Answer
) -> np.ndarray:
    """The person in a square cell, enlarged; the truth as a few green dots, what was read in red."""
    middle, half = (truth.min(0) + truth.max(0)) / 2, max(0.75 * size, 20.0)
    corner = middle - half
    piece = Image.fromarray(image).transform(
        (_CELL, _CELL),
        Image.Transform.AFFINE,
        (2 * half / _CELL, 0, float(corner[0]), 0, 2 * half / _CELL, float(corner[1])),
        Image.Resampling.BICUBIC,
    )
    cell = np.array(piece)
    for places, colour in ((truth, (40, 255, 60)), (points, (255, 40, 40))):
        if places is None or (points is None):
            continue
        for x, y in ((places - corner) / (2 * half) * _CELL).astype(int).clip(0, _CELL - 2):
            cell[y : y + 2, x : x + 2] = colour
    cell[:3] = (40, 200, 60) if answer.read else (230, 200, 0) if answer.found else (230, 30, 30)
    return cell


def asked_config(recipe: str, variant: str) -> SynthesisConfig:
    """The recipe with nothing before the person, changed as the variant says."""
    config = without_total_occlusions(find_recipe(recipe))
    config = replace(config, occluders=OccluderConfig(superpixel=False), bystanders=0.0)
    if variant == "looks":
        config = replace(config, scenes=surreal_scenes(config.scenes))
    if variant in ("clean", "looks"):
        config = replace(config, sensor=SensorConfig.none())
    if variant == "paint":
        config = replace(config, appearance=PAPER_APPEARANCE)
    return config


def judge(given: argparse.Namespace) -> None:
    sources = Sources(given.motion, given.backgrounds, given.cache, given.per_video)
    maker = open_maker(asked_config(given.recipe, given.variant), sources)
    verdict = Judge(AnnyBody(), given.variant)
    for index in range(given.count):
        parts = maker.parts(given.seed, index)
        frames = len(parts.clip.frames)
        for share in ASKED:
            verdict.look(parts, round(share * (frames - 1)))
    print(f"\nrecipe {given.recipe}, {given.variant}, {given.count} clips of seed {given.seed}")
    verdict.report(given.definitions)
    for path, cells in ((given.sheet, verdict.shown[1 :: len(ASKED)]), (given.missed, verdict.missed)):
        if path and cells:
            write_png(path, tile(cells, 12))


def speed(given: argparse.Namespace) -> None:
    body = AnnyBody()
    bank = procedural_bank(body, 1)
    print("| scenes | looks | frames | covered pixels | looks, ms a clip | drawing, ms a frame | frames/s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    ours = replace(SceneConfig(), name="pointlight, 320x240")
    ours = replace(ours, camera=replace(ours.camera, image_sizes=((320, 240),)))
    surreal = surreal_scenes(SceneConfig())
    for config, appearance, name in (
        (surreal, PAPER_APPEARANCE, "paper"),
        (surreal, AppearanceConfig(), "ours"),
        (ours, AppearanceConfig(), "ours"),
    ):
        sampler = SceneSampler(config, bank, body)
        scenes = [sampler.sample(given.seed, index) for index in range(given.count)]
        draws = [draw_appearance(appearance, 1, scene.index, scene.shape) for scene in scenes]
        render_person(scenes[0], draws[0], body)
        started = time.process_time()
        for scene in scenes:
            draw_appearance(appearance, 0, scene.index, scene.shape)
        looks_s = time.process_time() - started
        started, occluded, frames = time.process_time(), 0, 0
        for scene, drawn in zip(scenes, draws, strict=True):
            layer = render_person(scene, drawn, body)
            occluded += int(layer.mask.sum())
            frames += len(layer.mask)
        drawing_s = time.process_time() - started
        print(
            f"| {config.name} | {name} | {frames} | {occluded / frames:.0f} | {1000 * looks_s / len(scenes):.1f} |"
            f" {1000 * drawing_s / frames:.2f} | {frames / (drawing_s + looks_s):.0f} |"
        )


def agree(given: argparse.Namespace) -> None:
    """In how many keypoints tracks without pictures and clips say the same of whether they are shown."""
    config = asked_config(given.recipe, "clean")
    maker = open_maker(config, Sources(given.motion, None, given.cache, procedural_backgrounds=8))
    tracker, same = TrackMaker(config.scenes, AnnyBody()), []
    for index in range(given.count):
        clip = maker.clip(given.seed, index)
        tracks = tracker.make([maker.scene(given.seed, index)])
        same.append(clip.visible == tracks.visible[0].numpy())
    shares = np.concatenate(same).mean(0)
    worst = int(shares.argmin())
    name = clip.keypoint_names[worst]
    print(
        f"\n{given.recipe}, {given.count} clips with nothing before the person: {shares.mean():.1%} the same,"
    )
    print(f"worst keypoint {name} {shares[worst]:.1%}")


def real(given: argparse.Namespace) -> None:
    """How many real people the same detector finds again when they are small."""
    networks, rng = BlazePose(), stream(given.seed, 0, "real people")
    twelve = [list(LANDMARKS).index(name) for name in NETWORK_KEYPOINTS]
    asked: dict[int, list[tuple[bool, bool]]] = {height: [] for height in REAL_HEIGHTS}
    with open(given.real / "index.csv", newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["role"] == "development"]
    for row in rows:
        shown = set(np.linspace(0, int(row["frames"]) - 1, given.count + 2).astype(int)[1:-1].tolist())
        for number, frame in enumerate(VideoReader(given.real / row["file"])):
            if number not in shown:
                continue
            image = np.ascontiguousarray(frame.image)
            reading = next(iter(networks.read(image, r) for r, _ in networks.find(image, None)), None)
            if reading is None:
                continue
            truth = reading.points[twelve, :2]
            for height in REAL_HEIGHTS:
                # The 12 keypoints span about four fifths of a person.
                scale = 0.8 * height / float(np.ptp(truth, axis=0).max())
                if scale > 1:
                    continue
                small, points = _shrunk(image, truth, scale, rng)
                size = float(np.linalg.norm(np.ptp(points, axis=0)))
                box = np.stack((points.min(0), points.max(0))) + 0.1 * size * np.array([[-1], [1]])
                again = ask(networks, small, box)
                error = np.inf
                if again is not None:
                    error = np.linalg.norm(again.points[twelve, :2] - points, axis=-1).mean() / size
                asked[height].append((again is not None, error < READ))
    print(f"\n{len(rows)} development clips, up to {given.count} frames of each")
    print("\n| height, px | frames | found % | read % |\n| --- | --- | --- | --- |")
    for height, answers in asked.items():
        found, well = 100 * np.mean(answers, axis=0)
        print(f"| {height} | {len(answers)} | {found:.0f} | {well:.0f} |")


def _shrunk(
    image: np.ndarray, points: np.ndarray, scale: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its points at another scale, cut to 320x240 about the person, who is anywhere in it."""
    wide, high = (max(round(scale * side), 1) for side in (image.shape[1], image.shape[0]))
    small = np.asarray(Image.fromarray(image).resize((wide, high), Image.Resampling.BOX))
    points = points * scale
    centre = points.mean(0)
    size = np.minimum((320, 240), (wide, high))
    corner = (centre - rng.uniform(0.3, 0.7, 2) * size).round().clip(0, (wide, high) - size).astype(int)
    x, y = corner
    return np.ascontiguousarray(small[y : y + size[1], x : x + size[0]]), points - corner


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "judge", "agree", "real"), nargs="?", default="speed")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", choices=tuple(SYNTHESIS_RECIPES), default="full")
    parser.add_argument("--variant", choices=VARIANTS, default="made")
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--motion", type=Path)
    parser.add_argument("--cache", type=Path, help="of windows and motions; the usual one by default")
    parser.add_argument("--per-video", type=int, default=8, help="windows cut out of a video")
    parser.add_argument(
        "--definitions", action="store_true", help="how far the detector's keypoints lie off ours"
    )
    parser.add_argument("--real", type=Path, help="folder of real clips with their index.csv")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--missed", type=Path)
    given = parser.parse_args()
    header(f"looks: {given.what}")
    {"speed": speed, "judge": judge, "agree": agree, "real": real}[given.what](given)


if __name__ == "__main__":
    run(main)
