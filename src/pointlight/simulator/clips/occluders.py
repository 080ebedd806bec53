"""What stands before the person: a superpixel of the background's own video as in the paper, or a moving box."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pointlight.body import EVALUATION_JOINTS
from pointlight.configuration import repr_sha256
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.randomness import smooth_noise
from pointlight.simulator.clips.superpixels import superpixels
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.scenes.visibility import pixel_of
from pointlight.values import by_value

_FORMAT_VERSION = 1


@dataclass(frozen=True)
class OccluderConfig:
    """Appendix A's occluders, and boxes beyond it.

    Attributes:
        superpixel: "we choose a random superpixel, and mask out any part of the synthetic human covered by it".
        count: "between 10 and 30 superpixels".
        coordinate_weight: "multiplied by a random scalar between 4e-4 and 6e-4".
        compactness: "a very low compactness for the SLIC computation (0.01)".
        iterations: of SLIC; scikit-image's default, the paper names none.
        connected: superpixels are single pieces. The paper does not say; it is the default of the "off-the-shelf
            implementation from skimage", and pieces strewn over the picture would nearly always meet the person.
        among: the superpixel is drawn among as many as were "asked" for, or among those "used". Joining pieces leaves
            about half of the labels, and a label that no voxel has covers nobody. The paper does not say; the first
            gives its "roughly 30%" of clips with an occluder, the second nearly twice as many (`benchmarks/superpixels.py`).
        least_joints: an occluder that leaves fewer of the 14 joints on average is discarded: "less than 7 keypoints".
        box: share of clips with a moving box where no superpixel covers the person; beyond the paper.
    """

    superpixel: bool = True
    count: tuple[int, int] = (10, 30)
    coordinate_weight: tuple[float, float] = (4e-4, 6e-4)
    compactness: float = 0.01
    iterations: int = 10
    connected: bool = True
    among: Literal["asked", "used"] = "asked"
    least_joints: float = 7.0
    box: float = 0.0


@by_value
@dataclass(frozen=True)
class SuperpixelMap:
    """The superpixels of one window of video; one map serves many draws.

    Flips and reversal of the window are flips and reversal of the labels.

    Attributes:
        labels: (T, H, W) uint8.
        count: how many were asked for.
        coordinate_weight: as drawn.
    """

    labels: np.ndarray
    count: int
    coordinate_weight: float


@by_value
@dataclass(frozen=True)
class Occluder:
    """Something that covers the person.

    Attributes:
        kind: "superpixel" or "box".
        mask: (T, H, W) bool, where it is.
        colour: (T, H, W, 3) uint8 where the mask is; None if it is part of the background.
    """

    kind: str
    mask: np.ndarray
    colour: np.ndarray | None = None


def draw_superpixels(
    frames: np.ndarray, path_px: np.ndarray, config: OccluderConfig, rng: np.random.Generator
) -> SuperpixelMap:
    """Segment a window of background video with the number and weight that chance gives.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        path_px: (T, 2) the background's displacement against its centre frame.
        config: ranges of both.
        rng: the window's stream.
    """
    count = int(rng.integers(config.count[0], config.count[1] + 1))
    weight = float(rng.uniform(*config.coordinate_weight))
    labels = superpixels(
        frames, path_px, count, weight, config.compactness, config.iterations, config.connected
    )
    return SuperpixelMap(labels, count, weight)


def draw_occluder(
    background: np.ndarray,
    path_px: np.ndarray,
    pixels: SuperpixelMap | None,
    person: PersonLayer,
    config: OccluderConfig,
    rng: np.random.Generator,
) -> Occluder | None:
    """Draw what covers the person, if anything.

    One superpixel is drawn, each as likely as any other; where it is discarded there is no second draw, which "means
    that only roughly 30% of videos have occlusions generated in this way" (appendix A).

    Args:
        background: (T, H, W, 3) uint8, what boxes take their look from.
        path_px: (T, 2) the background's displacement.
        pixels: the window's superpixels; None for none.
        person: who is to be covered.
        config: what may be drawn.
        rng: the clip's stream for occluders.

    Returns:
        The occluder, or None where it misses the person or would hide too much.
    """
    choice, has_box = rng.random(2)
    if config.superpixel and pixels is not None:
        labels = np.arange(pixels.count)
        if config.among == "used":
            labels = np.flatnonzero(np.bincount(pixels.labels.ravel()))
        mask = pixels.labels == labels[int(choice * len(labels))]
        if is_kept(mask, person, config.least_joints):
            return Occluder("superpixel", mask)
    if has_box < config.box:
        occluder = draw_box(background, path_px, person, rng)
        if is_kept(occluder.mask, person, config.least_joints):
            return occluder
    return None


def is_kept(mask: np.ndarray, person: PersonLayer, least_joints: float) -> bool:
    """Whether an occluder (T, H, W) covers some of the person and leaves enough of the 14 joints on average."""
    if not (mask & person.mask).any():
        return False
    known = [name for name in EVALUATION_JOINTS if name in person.joint_names]
    chosen = [person.joint_names.index(name) for name in known]
    points = person.joints_px[:, chosen]
    there = np.isfinite(points).all((0, 2))
    left = ~occluded(mask, points) & ~person.out_of_frame[:, chosen]
    # Other people's pictures may lack a joint of the 14 (SURREAL has no crown); the others stand for it.
    average = left[:, there].mean() * len(EVALUATION_JOINTS) if there.any() else 0.0
    return bool(average >= least_joints)


def occluded(mask: np.ndarray, points_px: np.ndarray) -> np.ndarray:
    """Which points (T, K, 2) lie on a pixel of the mask (T, H, W); (T, K) bool, False outside the picture."""
    inside, row, column = pixel_of(points_px, mask.shape[1], mask.shape[2])
    return inside & mask[np.arange(len(mask))[:, None], row, column]


def draw_box(
    background: np.ndarray, path_px: np.ndarray, person: PersonLayer, rng: np.random.Generator
) -> Occluder:
    """A flat box that passes before the person and follows the camera; beyond the paper.

    It looks like a piece of the background's first or last frame, so that its colours belong to the scene.
    """
    times, height, width, _ = background.shape
    seen_t, seen_y, seen_x = np.nonzero(person.mask)
    if len(seen_t) == 0:
        return Occluder("box", np.zeros(background.shape[:3], bool), background)
    tall = max(float(np.ptp(seen_y)), 16.0)
    size = np.minimum(tall * rng.uniform(0.2, 0.7, 2), np.array([width, height]) - 2)  # width, height
    meeting = int(rng.integers(len(seen_t)))
    place = np.array([seen_x[meeting], seen_y[meeting]]) + 0.5
    speed = tall * rng.normal(0, 0.02, 2)
    steps = np.arange(times)[:, None] - seen_t[meeting]
    wander = 0.02 * tall * smooth_noise(times, 2, rng)
    centre = place + steps * speed + wander + path_px - path_px[seen_t[meeting]]
    source = background[0 if rng.random() < 0.5 else -1]
    corner = rng.uniform(0, 1, 2) * (np.array([width, height]) - size - 1)
    mask = np.zeros(background.shape[:3], bool)
    colour = np.zeros_like(background)
    for t in range(times):
        low = centre[t] - size / 2
        x0, y0 = np.ceil(low - 0.5).astype(int).clip(0, (width, height))
        x1, y1 = np.ceil(low + size - 0.5).astype(int).clip(0, (width, height))
        if x0 < x1 and y0 < y1:
            mask[t, y0:y1, x0:x1] = True
            columns, rows = np.arange(x0, x1) - low[0] + corner[0], np.arange(y0, y1) - low[1] + corner[1]
            colour[t, y0:y1, x0:x1] = _between_pixels(source, columns, rows)
    return Occluder("box", mask, colour)


def _between_pixels(image: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bilinear values (len(rows), len(columns), 3) of a picture at fractional pixel numbers."""

    def mixed(values: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
        at = at.clip(0, values.shape[axis] - 1)
        first = np.floor(at).astype(int).clip(0, values.shape[axis] - 2)
        share = (at - first).reshape([-1 if a == axis else 1 for a in range(3)])
        return np.take(values, first, axis) * (1 - share) + np.take(values, first + 1, axis) * share

    return np.rint(mixed(mixed(image.astype(np.float32), rows, 0), columns, 1)).astype(np.uint8)


def superpixels_key(flow: str, config: OccluderConfig) -> str:
    """What tells a window's maps apart: the path taken away ("none" for none) and how they were made.

    What is done with a map afterwards does not matter. The key names the stream that a map is drawn from as well as its
    file; it stays as version 0.1.0 made it, so that every window keeps its superpixels.
    """
    slic = (config.count, config.coordinate_weight, config.compactness, config.iterations, config.connected)
    return repr_sha256((flow, slic))[:12]


def superpixels_file(folder: Path, key: str) -> Path:
    """Where a window's folder keeps the map of `superpixels_key`'s name."""
    return folder / f"superpixels_{key}.npz"


def write_superpixels(path: Path, pixels: SuperpixelMap) -> None:
    """Keep a map in a file, whole or not at all; about 0.1 to 0.4 MB for 31 frames of 240x320."""
    with atomic_path(Path(path)) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(
            file,
            format_version=_FORMAT_VERSION,
            labels=pixels.labels,
            count=pixels.count,
            coordinate_weight=pixels.coordinate_weight,
        )


def read_superpixels(path: Path) -> SuperpixelMap:
    """A map that `write_superpixels` has kept.

    Raises:
        PointlightError: the file is missing, broken or of another format.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            version = int(content["format_version"])
            pixels = SuperpixelMap(
                content["labels"], int(content["count"]), float(content["coordinate_weight"])
            )
    except Exception as error:  # whatever numpy and zip say of a broken file
        raise PointlightError(f"{path} is no map of superpixels ({error}); make it again") from error
    if version != _FORMAT_VERSION or pixels.labels.dtype != np.uint8 or pixels.labels.ndim != 3:
        raise PointlightError(
            f"{path} is a map of superpixels of format {version}, not {_FORMAT_VERSION}; make it again"
        )
    return pixels
