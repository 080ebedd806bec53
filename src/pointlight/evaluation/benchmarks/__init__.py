"""Readers of published benchmarks in their original files, all into the same `BenchmarkTrack`."""

from pointlight.evaluation.benchmarks.mpi_inf_3dhp import (
    MPI_INF_3DHP_JOINTS,
    find_mpi_inf_3dhp,
    read_mpi_inf_3dhp,
)
from pointlight.evaluation.benchmarks.surreal import find_surreal, read_surreal
from pointlight.evaluation.benchmarks.threedpw import find_3dpw, read_3dpw
from pointlight.evaluation.benchmarks.track import BenchmarkTrack, SmplMotion

__all__ = [
    "MPI_INF_3DHP_JOINTS",
    "BenchmarkTrack",
    "SmplMotion",
    "find_3dpw",
    "find_mpi_inf_3dhp",
    "find_surreal",
    "read_3dpw",
    "read_mpi_inf_3dhp",
    "read_surreal",
]
