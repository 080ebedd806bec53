"""Fixtures that several test files share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data sets; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared data sets are not beside this checkout")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def few_validation_clips() -> Iterator[None]:
    """Tiny runs are watched on few clips; on the usual number most of their time would be that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pointlight.training.validation.CLIPS_PER_GROUP", 4)
        yield
