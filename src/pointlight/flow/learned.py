"""A network's flow behind the interface of all estimators; trained in simulation alone (docs/flow.md)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pointlight.flow.pairs import check_pair

if TYPE_CHECKING:
    from pointlight.flow.network import FlowNetwork

FLOW_WEIGHTS = "flow.safetensors"
"""The shipped network's file among the package's weights."""

_PAIRS_AT_ONCE = 8


@dataclass(frozen=True)
class LearnedFlow:
    """A frozen network; torch and the weights are loaded at the first pair.

    Attributes:
        name: what `find_flow` knows it by.
        weights: a file of `save_flow_network`; the shipped one if not given.
    """

    name: str = "learned"
    weights: Path | None = None

    def flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """As in `FlowEstimator`."""
        check_pair(first, second)
        return self.flows(first[None], second[None])[0]

    def flows(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Flow of many pairs at once.

        Args:
            first: (N, H, W, 3) uint8 RGB or (N, H, W) uint8.
            second: of the same shape.

        Returns:
            (N, H, W, 2) float32, (x, y) in pixels, as of `flow`.

        Raises:
            PointlightError: the weights cannot be read.
            ValueError: pictures that are not fit for flow.
        """
        import torch

        if first.shape != second.shape:
            raise ValueError(f"flow takes pairs of one size, not {first.shape} and {second.shape}")
        found = np.empty((*first.shape[:3], 2), np.float32)
        if not len(first):
            return found
        check_pair(first[0], second[0])
        network = _network(self.weights or _shipped())
        with torch.inference_mode():
            for start in range(0, len(first), _PAIRS_AT_ONCE):
                part = slice(start, start + _PAIRS_AT_ONCE)
                pair = (torch.from_numpy(_padded(p[part], network.config.multiple)) for p in (first, second))
                full = network(*pair)[0][:, :, : first.shape[1], : first.shape[2]]
                found[part] = full.permute(0, 2, 3, 1).numpy()
        return found


@lru_cache(maxsize=2)
def _network(path: Path) -> FlowNetwork:
    from pointlight.flow.network import load_flow_network

    return load_flow_network(path)


def _shipped() -> Path:
    return Path(str(files("pointlight"))) / "weights" / FLOW_WEIGHTS


def _padded(pictures: np.ndarray, multiple: int) -> np.ndarray:
    """(N, 3, h, w) float32 whose sides are multiples; what is added repeats the last row and column."""
    if pictures.ndim == 3:
        pictures = np.repeat(pictures[..., None], 3, -1)
    more = [(0, -side % multiple) for side in pictures.shape[1:3]]
    padded = np.pad(pictures, ((0, 0), *more, (0, 0)), mode="edge")
    return np.ascontiguousarray(padded.transpose(0, 3, 1, 2), dtype=np.float32)
