"""Much work of one kind, item by item: by this process, by a pool of processes, or on a Ray cluster.

An engine is given a `Job` and names the items as they are whole.
"""

from pointlight.engines.job import Job
from pointlight.engines.running import ENGINES, find_engine, staged

__all__ = ["ENGINES", "Job", "find_engine", "staged"]
