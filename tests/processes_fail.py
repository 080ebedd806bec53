"""Run as two processes in tests: the command line's training, where the second process can't make its third batch."""

from __future__ import annotations

import sys

from pointlight.cli.main import main
from pointlight.errors import PointlightError
from pointlight.training import Batch, BatchMaker

make = BatchMaker.make


def failing(self: BatchMaker, number: int) -> Batch:
    if number == 2 and self._rows.start:
        raise PointlightError("the second half's picture is broken")
    return make(self, number)


BatchMaker.make = failing
sys.argv = ["pointlight", "train", "tiny", "--out", sys.argv[1], "--steps", "6", "--workers", "0"]
main()
