"""Memory and processor time of processes, as Linux tells them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SAY_RSS = "print(*[line.split()[1] for line in open('/proc/self/smaps_rollup') if line.startswith('Rss')])"


def workers_of(parent: int) -> list[int]:
    """Process numbers of a pool's workers."""
    children = [
        int(child)
        for task in Path(f"/proc/{parent}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return sorted(child for child in children if b"spawn_main" in _words(child))


def memory_mb(process: int) -> dict[str, float]:
    """Resident now (rss), with shared pages divided among their users (pss), alone (uss), and the most so far (peak)."""
    sizes: dict[str, float] = {}
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
        name, size = line.split()[:2]
        sizes[name] = int(size) / 1024
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    (peak,) = [int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")]
    own = sizes["Private_Clean:"] + sizes["Private_Dirty:"]
    return {"rss": sizes["Rss:"], "pss": sizes["Pss:"], "uss": own, "peak": peak}


def processor_s(process: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_after_mb(code: str) -> float:
    """Resident size of a fresh interpreter that has run something."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{_SAY_RSS}"], capture_output=True, check=True)
    return int(done.stdout.split()[0]) / 1024


def _words(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
