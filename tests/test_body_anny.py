"""Our body against live Anny (extra `assets`): minutes at the first run on a machine."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from pointlight.body import SHAPE_NAMES, AnnyBody, BodyState
from pointlight.geometry import rotvec_to_rotmat

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
SCRIPT = Path(__file__).parents[1] / "tools" / "compile_anny_asset.py"


@pytest.fixture(scope="module")
def compiler() -> ModuleType:
    pytest.importorskip("anny", reason="the extra `assets` is not installed")
    spec = importlib.util.spec_from_file_location("compile_anny_asset", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def live(compiler: ModuleType) -> Any:
    return compiler.build()


def largest_differences_mm(
    compiler: ModuleType, live: Any, shapes: np.ndarray, rotvecs: np.ndarray
) -> tuple[float, float]:
    """Of vertices and of keypoints."""
    body = AnnyBody()
    of_anny = compiler.run_anny(live, shapes, rotvecs)
    rotations = rotvec_to_rotmat(torch.tensor(rotvecs, dtype=torch.float32))
    state = BodyState(
        rotations[:, 1:],
        torch.tensor(shapes, dtype=torch.float32),
        rotations[:, 0],
        torch.zeros(len(shapes), 3),
    )
    ours = body.vertices(state).numpy(), body.keypoints(state)[:, :23].numpy()
    errors = [1000 * np.linalg.norm(a - b, axis=-1).max() for a, b in zip(ours, of_anny, strict=True)]
    return errors[0], errors[1]


def test_random_poses_and_shapes_of_all_ages(compiler: ModuleType, live: Any) -> None:
    rng = np.random.default_rng(11)
    worst = [
        largest_differences_mm(compiler, live, rng.uniform(0, 1, (8, 6)), rng.normal(0, 0.8, (8, 22, 3)))
        for _ in range(8)
    ]
    assert np.max(worst) < 0.1


def test_most_extreme_shapes(compiler: ModuleType, live: Any) -> None:
    """At the corners the error of int16 is greatest; every shape lies between them."""
    anchors = dict.fromkeys(SHAPE_NAMES, (0.0, 1.0))
    anchors |= {"age": (-1 / 3, 0.0, 1 / 3, 2 / 3, 1.0), "muscle": (0.0, 0.5, 1.0), "weight": (0.0, 0.5, 1.0)}
    corners = np.array(list(itertools.product(*anchors.values())))
    rng = np.random.default_rng(12)
    worst = [
        largest_differences_mm(compiler, live, part, rng.normal(0, 0.8, (len(part), 22, 3)))
        for part in np.array_split(corners, 30)
    ]
    print(f"vertices {np.max(worst, 0)[0]:.4f} mm, keypoints {np.max(worst, 0)[1]:.4f} mm")
    assert np.max(worst) < 0.1


def test_committed_reference_numbers_are_those_of_anny(compiler: ModuleType, live: Any) -> None:
    with np.load(Path(__file__).parent / "data" / "anny_reference.npz") as committed:
        for name, fresh in compiler.reference_numbers(live).items():
            np.testing.assert_allclose(committed[name], fresh, atol=1e-9)
