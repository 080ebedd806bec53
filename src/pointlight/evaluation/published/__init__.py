"""Published benchmarks in their original files, all into the same `BenchmarkTrack`, and their protocol.

The files are the user's own.
"""

from pointlight.evaluation.published.evaluator import BENCHMARKS, SKELETON_JOINTS, evaluate_published
from pointlight.evaluation.published.mpi_inf_3dhp import (
    MPI_INF_3DHP_JOINTS,
    find_mpi_inf_3dhp,
    read_mpi_inf_3dhp,
)
from pointlight.evaluation.published.pictures import PictureFolder, SurrealVideo, frames_of
from pointlight.evaluation.published.regressed import h36m_points
from pointlight.evaluation.published.surreal import find_surreal, read_surreal
from pointlight.evaluation.published.threedpw import find_3dpw, read_3dpw
from pointlight.evaluation.published.track import BenchmarkTrack, SmplMotion

__all__ = [
    "BENCHMARKS",
    "MPI_INF_3DHP_JOINTS",
    "SKELETON_JOINTS",
    "BenchmarkTrack",
    "PictureFolder",
    "SmplMotion",
    "SurrealVideo",
    "evaluate_published",
    "find_3dpw",
    "find_mpi_inf_3dhp",
    "find_surreal",
    "frames_of",
    "h36m_points",
    "read_3dpw",
    "read_mpi_inf_3dhp",
    "read_surreal",
]
