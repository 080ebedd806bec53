"""Backgrounds of clips: a window drawn at random, perhaps mirrored, played backwards or frozen, and its camera's path."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numba
import numpy as np

from pointlight.errors import PointlightError
from pointlight.randomness import stream
from pointlight.simulator.backgrounds.camera_motion import flipped_path, reversed_path
from pointlight.simulator.backgrounds.windows import Window, Windows, WindowSource
from pointlight.simulator.clip import CLIP_FRAMES
from pointlight.values import by_value

_ATTEMPTS = 20


@dataclass(frozen=True)
class BackgroundConfig:
    """How a window becomes a background. Without arguments it is the paper's recipe.

    Attributes:
        flow: which of the window's paths is used; "exact" of procedural scenes, where there is one, goes before.
        flip_share: share of clips with left and right swapped; the paper does not speak of it.
        reverse_share: share of clips played backwards; the paper does not speak of it.
        static: one frame of the window repeated, as in SURREAL (Table 2, "static background").
        people: whether windows with people, or of which it is not known, are used.
    """

    flow: str = "tvl1"
    flip_share: float = 0.0
    reverse_share: float = 0.0
    static: bool = False
    people: bool = True


VARIED_BACKGROUNDS = BackgroundConfig(flow="dis", flip_share=0.5, reverse_share=0.5)
"""Ours: fewer videos than Kinetics, hence each in four ways."""


@dataclass(frozen=True)
class BackgroundProvenance:
    """How a background came about.

    Attributes:
        source: the file and the crop.
        window: number of the window among its `Windows`.
        flipped: left and right swapped.
        reversed: played backwards; the flip and the reversal act on anything derived from the window, see `as_shown`.
        static_frame: the frame of the window that is repeated; None if it moves.
        flow: what the path was estimated with; "none" if it is static.
        first: frame of the window with which the background begins.
        frames: how many it shows.
    """

    source: WindowSource
    window: int
    flipped: bool
    reversed: bool
    static_frame: int | None
    flow: str
    first: int
    frames: int

    def as_shown(self, frames: np.ndarray) -> np.ndarray:
        """The window's frames, or labels of its pixels, (T, H, W, ...), as this background shows them."""
        if self.static_frame is not None:
            frames = np.repeat(frames[self.static_frame : self.static_frame + 1], len(frames), axis=0)
        frames = frames[self.first : self.first + self.frames]
        if self.reversed:
            frames = frames[::-1]
        if not self.flipped:
            return np.ascontiguousarray(frames)
        rows = np.ascontiguousarray(frames).reshape(-1, frames.shape[2], math.prod(frames.shape[3:]))
        return _mirrored(rows).reshape(frames.shape)


@by_value
@dataclass(frozen=True)
class BackgroundClip:
    """What is behind a person.

    Attributes:
        frames: (T, 240, 320, 3) uint8 RGB.
        path_px: (T, 2) float32, where the scene stands against frame T // 2.
        provenance: how it came about.
        window: as it was drawn from; its folder is where superpixels of its frames may lie.
    """

    frames: np.ndarray
    path_px: np.ndarray
    provenance: BackgroundProvenance
    window: Window


class BackgroundSampler:
    """Draws backgrounds from windows; a sample is a pure function of (windows, config, seed, index)."""

    def __init__(self, windows: Windows, config: BackgroundConfig, frames: int = CLIP_FRAMES) -> None:
        """Find the windows that may be used.

        Args:
            windows: of one split.
            config: how they are shown.
            frames: of a background, the middle ones of a longer window.

        Raises:
            PointlightError: none may be used.
        """
        self.windows = windows
        self.config = config
        self.frames = frames
        allowed = [
            number for number in range(len(windows)) if config.people or windows.has_people(number) is False
        ]
        self._numbers = np.array(allowed, np.int64)
        self._warned: set[int] = set()
        if not allowed:
            raise PointlightError(
                "no background may be used"
                + (": none is known to show nobody" if len(windows) else "; there are no windows")
            )

    @property
    def split(self) -> str:
        """Of all backgrounds drawn."""
        return self.windows.split

    @property
    def people_share(self) -> float:
        """Share of the windows used that are known to show people."""
        return float(np.mean([self.windows.has_people(int(number)) is True for number in self._numbers]))

    def sample(self, seed: int, index: int) -> BackgroundClip:
        """Draw the background of sample `index`.

        A window that cannot be read is named once in a warning and another is drawn.

        Raises:
            PointlightError: one window after the other cannot be read, or lacks the path asked for.
        """
        rng = stream(seed, index, "background")
        flipped = bool(rng.random() < self.config.flip_share)
        backwards = bool(rng.random() < self.config.reverse_share)
        frozen = rng.random()
        for _ in range(_ATTEMPTS):
            number = int(self._numbers[rng.integers(len(self._numbers))])
            try:
                window = self.windows.read(number)
            except PointlightError as error:
                if number not in self._warned:
                    self._warned.add(number)
                    warnings.warn(str(error), stacklevel=2)
                continue
            if len(window.frames) < self.frames:
                raise PointlightError(
                    f"the background {window.source.file} has windows of {len(window.frames)} frames, clips have "
                    f"{self.frames}; give windows that are as long"
                )
            still = int(frozen * len(window.frames)) if self.config.static else None
            return self._shown(window, number, flipped, backwards, still)
        raise PointlightError(
            f"{_ATTEMPTS} backgrounds one after the other cannot be read; fill the cache again"
        )

    def _shown(
        self, window: Window, number: int, flipped: bool, backwards: bool, still: int | None
    ) -> BackgroundClip:
        flow = "exact" if "exact" in window.paths_px else self.config.flow
        if still is not None:
            flow, path = "none", np.zeros((len(window.frames), 2), np.float32)
        elif flow in window.paths_px:
            path = window.paths_px[flow]
        else:
            raise PointlightError(
                f"the background {window.source.file} has no path by {flow!r}, only by "
                f"{', '.join(sorted(window.paths_px)) or 'none'}; add it with WindowCache.add_paths"
            )
        first = (len(path) - self.frames) // 2
        if self.frames < len(path):
            path = path[first : first + self.frames]
            path = path - path[self.frames // 2]
        path = reversed_path(path) if backwards else path
        path = flipped_path(path) if flipped else path
        provenance = BackgroundProvenance(
            window.source, number, flipped, backwards, still, flow, first, self.frames
        )
        return BackgroundClip(provenance.as_shown(window.frames), path, provenance, window)


@numba.njit(cache=True)
def _mirrored(rows: np.ndarray) -> np.ndarray:
    """Rows of pixels (N, W, C) from right to left; NumPy's own copy of such a view takes several times as long."""
    count, width, channels = rows.shape
    result = np.empty_like(rows)
    for n in range(count):
        if channels == 3:  # written out, the loop over colours costs nothing
            for u in range(width):
                result[n, u, 0] = rows[n, width - 1 - u, 0]
                result[n, u, 1] = rows[n, width - 1 - u, 1]
                result[n, u, 2] = rows[n, width - 1 - u, 2]
        else:
            for u in range(width):
                for c in range(channels):
                    result[n, u, c] = rows[n, width - 1 - u, c]
    return result
