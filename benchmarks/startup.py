"""What the first start costs: help, import, and the compilation of loops: `python benchmarks/startup.py`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from common import header, run

COMMANDS = {
    "pointlight --help": "from pointlight.cli.main import app; app(['--help'], standalone_mode=False)",
    "import of everything for predict": "import pointlight.capture",
    "first body, loops compiled or from the cache": (
        "import torch; from pointlight.body import *; b = AnnyBody(); "
        "b.keypoints(BodyState(torch.eye(3).expand(21, 3, 3), torch.tensor(MEAN_ADULT_SHAPE), torch.eye(3), torch.zeros(3)))"
    ),
}


def main() -> None:
    header("startup")
    print("| what | first, nothing compiled, s | again, s |")
    print("| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as cache:
        for name, code in COMMANDS.items():
            times = []
            for _ in range(2):
                started = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-c", code],
                    check=True,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "NUMBA_CACHE_DIR": cache},
                )
                times.append(time.perf_counter() - started)
            print(f"| {name} | {times[0]:.1f} | {times[1]:.1f} |")


if __name__ == "__main__":
    run(main)
