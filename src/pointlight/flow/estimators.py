"""Dense flow by name: OpenCV's DIS, TV-L1 and Farneback, each with its settings written out, and our network's."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Protocol, runtime_checkable

import numpy as np

from pointlight.errors import PointlightError
from pointlight.flow.learned import LearnedFlow
from pointlight.flow.opencv import opencv
from pointlight.flow.pairs import check_pair


@runtime_checkable
class FlowEstimator(Protocol):
    """Dense flow from one picture to the next; it keeps nothing between calls."""

    @property
    def name(self) -> str:
        """What `find_flow` knows it by."""
        ...

    def flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Where each pixel of `first` went.

        Args:
            first: (H, W, 3) uint8 RGB or (H, W) uint8.
            second: of the same shape.

        Returns:
            (H, W, 2) float32, (x, y) in pixels: what is seen at p in `first` is seen at p + flow in `second`.

        Raises:
            PointlightError: OpenCV is missing or has no such estimator.
        """
        ...


@dataclass(frozen=True)
class DisFlow:
    """Dense inverse search (Kroeger et al. 2016) with one of OpenCV's presets, the fast choice.

    Attributes:
        name: what `find_flow` knows it by.
        preset: "ultrafast", "fast" or "medium"; on 240x320 pixels flow is found at 1/4, 1/4 and 1/2 of the size.
    """

    name: str = "dis"
    preset: str = "medium"

    def flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """As in `FlowEstimator`."""
        cv2 = opencv("optical flow")
        grey = _grey(cv2, first, second)
        estimator = cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{self.preset.upper()}"))
        return estimator.calc(*grey, None)


@dataclass(frozen=True)
class TvL1Flow:
    """The duality-based TV-L1 flow of Zach et al. 2007, which the paper uses for camera motion.

    The paper names no settings; these are the ones OpenCV starts with, written out so that they stay.

    Attributes:
        name: what `find_flow` knows it by.
        time_step: of the numerical scheme.
        data_weight: lambda, larger follows the pictures more closely.
        tightness: theta, how closely the smooth and the data's flow hold together.
        scales: levels of the pyramid.
        scale_step: size of a level against the one below.
        warps: of the second picture, a level.
        epsilon: the change at which iterations stop.
        inner_iterations: of the dual variables.
        outer_iterations: a warp.
        median_px: width of the median filter between iterations.
    """

    name: str = "tvl1"
    time_step: float = 0.25
    data_weight: float = 0.15
    tightness: float = 0.3
    scales: int = 5
    scale_step: float = 0.8
    warps: int = 5
    epsilon: float = 0.01
    inner_iterations: int = 30
    outer_iterations: int = 10
    median_px: int = 5

    def flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """As in `FlowEstimator`."""
        cv2 = opencv("optical flow")
        grey = _grey(cv2, first, second)
        if not hasattr(cv2, "optflow"):
            raise PointlightError(
                "the OpenCV installed here has no TV-L1 flow; install opencv-contrib-python-headless instead of it"
            )
        estimator = cv2.optflow.DualTVL1OpticalFlow_create(
            tau=self.time_step,
            lambda_=self.data_weight,
            theta=self.tightness,
            nscales=self.scales,
            warps=self.warps,
            epsilon=self.epsilon,
            innnerIterations=self.inner_iterations,  # OpenCV's own spelling
            outerIterations=self.outer_iterations,
            scaleStep=self.scale_step,
            medianFiltering=self.median_px,
        )
        return estimator.calc(*grey, None)


@dataclass(frozen=True)
class FarnebackFlow:
    """Polynomial expansion (Farneback 2003).

    Attributes:
        name: what `find_flow` knows it by.
        scale_step: size of a pyramid's level against the one below.
        levels: of the pyramid.
        window_px: that flow is averaged over.
        iterations: a level.
        neighbourhood_px: that the polynomials are fitted to.
        blur_px: standard deviation of the fit's weights.
    """

    name: str = "farneback"
    scale_step: float = 0.5
    levels: int = 3
    window_px: int = 15
    iterations: int = 3
    neighbourhood_px: int = 5
    blur_px: float = 1.2

    def flow(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """As in `FlowEstimator`."""
        cv2 = opencv("optical flow")
        return cv2.calcOpticalFlowFarneback(
            *_grey(cv2, first, second),
            None,
            self.scale_step,
            self.levels,
            self.window_px,
            self.iterations,
            self.neighbourhood_px,
            self.blur_px,
            0,
        )


FLOW_ESTIMATORS: dict[str, FlowEstimator] = {
    estimator.name: estimator
    for estimator in (DisFlow(), DisFlow("dis-fast", "fast"), TvL1Flow(), FarnebackFlow(), LearnedFlow())
}
"""By name."""


def find_flow(name: str) -> FlowEstimator:
    """The estimator of that name.

    Raises:
        PointlightError: there is none.
    """
    if name not in FLOW_ESTIMATORS:
        raise PointlightError(
            f"there is no optical flow called {name!r}; choose one of {', '.join(FLOW_ESTIMATORS)}"
        )
    return FLOW_ESTIMATORS[name]


def _grey(cv2: ModuleType, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both pictures as (H, W) uint8."""
    check_pair(first, second)
    if first.ndim == 2:
        return np.ascontiguousarray(first), np.ascontiguousarray(second)
    return cv2.cvtColor(first, cv2.COLOR_RGB2GRAY), cv2.cvtColor(second, cv2.COLOR_RGB2GRAY)
