"""Ratios to the detector's own 3D: by set and role, with intervals, and still people as one sample a camera."""

from __future__ import annotations

import numpy as np
import pytest

from pointlight.evaluation.multiview.block_bootstrap import ScoredSet, multiview_rows
from pointlight.evaluation.multiview.frame_errors import FrameErrors
from pointlight.evaluation.report import RATIO_COLUMNS
from pointlight.evaluation.results import WHOLE_PEOPLE, MultiviewRow
from pointlight.evaluation.variants import Contender

OURS, THEIRS = Contender("points"), Contender("mediapipe_world", baseline=True)


def errors(pa_mm: np.ndarray) -> FrameErrors:
    nothing = np.full((len(pa_mm), 12), np.nan)
    return FrameErrors(pa_mm, nothing, nothing[:, 0], nothing[:, 0], 1.0)


def scored(
    ours: list[float], theirs: list[float], seconds: float = 8.0, *, still: bool = False, roles: bool = False
) -> ScoredSet:
    """Cameras with these mean errors and noise about them."""
    rng = np.random.default_rng(0)
    frames = int(30 * seconds)
    cameras = tuple(f"cam{k}" for k in range(len(ours)))
    return ScoredSet(
        cameras,
        tuple("development" if k % 2 else "test" for k in range(len(ours))) if roles else ("",) * len(ours),
        np.arange(frames) / 30,
        tuple(
            {who: errors(mean + rng.normal(0, 8, frames)) for who, mean in ((OURS, a), (THEIRS, b))}
            for a, b in zip(ours, theirs, strict=True)
        ),
        still=still,
    )


def row_of(sets: dict[str, ScoredSet]) -> MultiviewRow:
    return next(row for row in multiview_rows(sets, WHOLE_PEOPLE) if row.model == "points")


def test_a_ratio_lies_in_its_interval_and_longer_videos_narrow_it() -> None:
    widths = []
    for seconds in (4.0, 64.0):
        found = (
            row_of({"walk": scored([50, 60], [100, 90], seconds)}).by_set["walk"].against["mediapipe_world"]
        )
        low, high = found.ratio_ci95
        assert found.ratio == pytest.approx(110 / 190, abs=0.02)
        assert low is not None and high is not None and found.ratio is not None and low < found.ratio < high
        widths.append(high - low)
    assert widths[1] < 0.5 * widths[0]


def test_who_sits_still_is_one_sample_a_camera() -> None:
    """However long the video is: the interval is that of the cameras, and a camera alone has none."""
    for seconds in (4.0, 64.0):
        score = row_of({"chair": scored([50, 70, 60, 40], [60, 60, 60, 60], seconds, still=True)}).by_set[
            "chair"
        ]
        low, high = score.against["mediapipe_world"].ratio_ci95
        assert low is not None and high is not None and 0.15 < high - low < 0.45
        assert score.by_camera["cam0"].ci95_mm == (None, None)


def test_every_set_and_role_has_its_own_ratio() -> None:
    """A win in one set hides no loss in another."""
    rows = multiview_rows(
        {"good": scored([50, 50], [100, 100], roles=True), "bad": scored([70], [60])}, WHOLE_PEOPLE
    )
    names = list(RATIO_COLUMNS[1].names(rows))  # pyright: ignore[reportAttributeAccessIssue]
    assert names == [
        "good/development/mediapipe_world",
        "good/test/mediapipe_world",
        "bad/mediapipe_world",
    ]
    cells = [RATIO_COLUMNS[1].value(rows[0], name) for name in names]  # pyright: ignore[reportAttributeAccessIssue]
    assert [float(cell.split()[0]) for cell in cells] == pytest.approx([0.5, 0.5, 1.17], abs=0.02)
    assert all(" to " in cell for cell in cells)
    assert RATIO_COLUMNS[1].value(rows[1], names[0]) is None  # pyright: ignore[reportAttributeAccessIssue]
