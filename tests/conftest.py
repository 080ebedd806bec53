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


@pytest.fixture(scope="session")
def detector_networks() -> Path:
    """The folder of the detector's networks; tests that run them skip where they are not there and cannot be fetched."""
    # Imported here, so that shapes are checked in what this imports: this file is read before the hook for that is set.
    from pointlight.capture.detection.network_files import FINDER, READERS, network_file
    from pointlight.errors import PointlightError

    try:
        network_file(READERS["full"])
        return network_file(FINDER).parent
    except PointlightError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session", autouse=True)
def few_validation_clips() -> Iterator[None]:
    """Tiny runs are watched on few clips; on the usual number most of their time would be that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pointlight.training.validation.CLIPS_PER_GROUP", 4)
        yield
