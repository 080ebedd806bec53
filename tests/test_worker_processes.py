"""Processes that share work: order, what happens to errors, threads, and the memory they keep."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from pointlight.errors import PointlightError
from pointlight.worker_processes import one_thread_each, spreading


def test_without_workers_it_is_map() -> None:
    with spreading(0) as spread:
        assert list(spread(abs, [-2, 1])) == [2, 1]


def test_a_process_that_is_killed_is_one_sentence() -> None:
    with pytest.raises(PointlightError, match=r"a process was killed.*goes on"), spreading(1) as spread:
        assert list(spread(os.getenv, ["OMP_NUM_THREADS"])) == ["1"]
        list(spread(os._exit, [9]))


def test_threads_are_set_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    with pytest.raises(KeyError), one_thread_each():
        assert os.environ["OMP_NUM_THREADS"] == os.environ["NUMBA_NUM_THREADS"] == "1"
        raise KeyError
    assert os.environ["OMP_NUM_THREADS"] == "7" and "NUMBA_NUM_THREADS" not in os.environ


def faults_of_repeated_arrays() -> int:
    """Page faults of the third and later times that the same memory is asked for."""
    for number in range(6):
        if number == 2:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        arrays = [np.ones(n << 18, np.uint8) for n in (72, 40, 28, 9)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library has no mallopt")
def test_freed_memory_is_kept() -> None:
    """In a fresh process, since it cannot be taken back."""
    code = (
        "import os; os.environ['NUMPY_MADVISE_HUGEPAGE'] = '0'\n"
        "from pointlight.worker_processes import keep_freed_memory\n"
        "from test_worker_processes import faults_of_repeated_arrays\n"
        "print(keep_freed_memory(), faults_of_repeated_arrays())"
    )
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    kept, faults = done.stdout.split()
    assert kept == "True" and int(faults) < 500  # 4 x 9,500 pages otherwise
