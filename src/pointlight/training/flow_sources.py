"""What made pairs of pictures show: pictures to cut layers from, and simulated people with their exact flow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pointlight.body import BodyModel
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.media import VideoReader
from pointlight.motion import MotionBank
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator import SYNTHESIS_RECIPES
from pointlight.simulator.backgrounds import ProceduralWindows, list_backgrounds
from pointlight.simulator.people import RenderedPeople
from pointlight.values import by_value

_PERSON_FRAMES = 8
_STRIDE = 2
"""Pairs of one drawn person: frames 0 and 1, 2 and 3, ...; drawing is cheap once somebody is dressed."""

_LEAST_PIXELS = 300
_SECONDS_APART = 0.8


@by_value
@dataclass(frozen=True)
class PersonPair:
    """One person in two frames, cut to the box around both.

    Attributes:
        colour: (2, h, w, 3) uint8, 0 where the person is not.
        mask: (2, h, w) bool.
        flow_px: (h, w, 2) float32 from the first frame to the second; NaN where it is not known.
    """

    colour: np.ndarray
    mask: np.ndarray
    flow_px: np.ndarray


@dataclass(frozen=True)
class FlowSources:
    """What layers are made of; all of one split.

    Attributes:
        pictures: (h, w, 3) uint8 each.
        people: pairs of frames.
        split: of everything in it.
    """

    pictures: Sequence[np.ndarray]
    people: Sequence[PersonPair]
    split: str

    @property
    def sha256(self) -> str:
        """Of everything in them."""
        digest = hashlib.sha256(self.split.encode())
        pairs = [array for person in self.people for array in (person.colour, person.mask, person.flow_px)]
        for array in (*self.pictures, *pairs):
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def procedural_pictures(count: int, seed: int, split: str) -> list[np.ndarray]:
    """Frames (240, 320, 3) uint8 of that many made scenes."""
    windows = ProceduralWindows(count, seed, split, frames=1)
    return [windows.scene(number).frames[0] for number in range(count)]


def video_pictures(folder: Path, split: str, per_video: int, *, permissive_only: bool) -> list[np.ndarray]:
    """Some frames (H, W, 3) uint8 of every video of a folder that may be used, 0.8 s apart.

    Args:
        folder: as `list_backgrounds` reads it.
        split: whose videos.
        per_video: frames of each at most.
        permissive_only: only videos whose licence allows publication, as weights that ship need.

    Raises:
        PointlightError: no such folder, or no video of that split.
    """
    manifest = list_backgrounds(folder, split).chosen(permissive_only=permissive_only)
    found: list[np.ndarray] = []
    for entry in manifest.files:
        reader = VideoReader(folder / entry.file)
        following, kept = 0.0, 0
        for frame in reader:
            if frame.time_s >= following:
                found.append(np.ascontiguousarray(frame.image))
                following, kept = frame.time_s + _SECONDS_APART, kept + 1
            if kept == per_video:
                break
    return found


def drawn_people(
    clips: int,
    seed: int,
    split: str,
    bank: MotionBank,
    body: BodyModel,
    progress: ProgressCallback = silent,
) -> list[PersonPair]:
    """People of the recipe `pointlight` before cameras that stand; up to four pairs a clip.

    Args:
        clips: how many are drawn.
        seed: of their scenes.
        split: of motions and clothes.
        bank: of motions.
        body: Anny.
        progress: told how many clips are drawn.
    """
    recipe = SYNTHESIS_RECIPES["pointlight"].of_split(split)
    scenes = replace(recipe.scenes, frames=_PERSON_FRAMES)
    people = RenderedPeople(scenes, recipe.appearance, bank, body)
    still = np.zeros((_PERSON_FRAMES, 2), np.float32)
    pairs = []
    for index in range(clips):
        layer = people.subject(seed, index, still, silent).layer
        for t in range(0, _PERSON_FRAMES - 1, _STRIDE):
            if min(layer.mask[t].sum(), layer.mask[t + 1].sum()) >= _LEAST_PIXELS:
                pairs.append(_cut(layer.colour[t : t + 2], layer.mask[t : t + 2], layer.flow_forward_px[t]))
        progress(Progress("people", index + 1, clips, unit="clip"))
    return pairs


def _cut(colour: np.ndarray, mask: np.ndarray, flow_px: np.ndarray) -> PersonPair:
    either = mask.any(0)
    rows, columns = (np.flatnonzero(np.any(either, axis=axis)) for axis in (1, 0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return PersonPair(colour[:, *box].copy(), mask[:, *box].copy(), flow_px[box].copy())


def write_sources(path: Path, sources: FlowSources) -> None:
    """Keep sources in one file, whole or not at all."""
    arrays: dict[str, np.ndarray] = {f"picture {n}": picture for n, picture in enumerate(sources.pictures)}
    for n, person in enumerate(sources.people):
        arrays |= {f"colour {n}": person.colour, f"mask {n}": person.mask, f"flow {n}": person.flow_px}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, split=np.array(sources.split), **arrays)


def read_sources(path: Path) -> FlowSources:
    """Sources that `write_sources` has kept.

    Raises:
        PointlightError: the file is missing or broken.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        split = str(arrays.pop("split"))
        pictures = [arrays[f"picture {n}"] for n in range(sum(name.startswith("picture") for name in arrays))]
        people = [
            PersonPair(arrays[f"colour {n}"], arrays[f"mask {n}"], arrays[f"flow {n}"])
            for n in range(sum(name.startswith("colour") for name in arrays))
        ]
    except Exception as error:  # whatever numpy and zip say of a broken file
        raise PointlightError(f"{path} holds no sources of flow ({error}); make them again") from error
    return FlowSources(pictures, people, split)
