"""Where networks run."""

from __future__ import annotations

import torch

from pointlight.errors import PointlightError


def find_device(name: str) -> torch.device:
    """The device that torch calls so.

    Raises:
        PointlightError: torch does not know it, or it is not usable here.
    """
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise PointlightError(f"there is no device {name!r} here ({reason}); use cpu") from error
    return torch.device(name)
