"""What every benchmark prints first, and how it takes times."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable

import numba
import numpy as np
import torch

import pointlight


def header(what: str) -> None:
    """Machine and versions."""
    print(f"# {what}")
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}, "
        f"numpy {np.__version__}, numba {numba.__version__}, pointlight {pointlight.__version__}"
    )


def seconds(call: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of a call, after one that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
