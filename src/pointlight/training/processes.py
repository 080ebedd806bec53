"""Several processes that train one network, as `torchrun` starts them; a process alone does nothing of all this.

Each makes and learns from its rows of every batch, and after each step all have the same weights. The first one leads: it
alone writes, validates and speaks.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pointlight.errors import AnotherProcessError, PointlightError
from pointlight.network import PoseNetwork
from pointlight.randomness import stream

_PATIENCE = timedelta(hours=6)
"""Others wait while the first one validates. When a process ends, `torchrun` ends the others at once."""

_BACKENDS = {"cpu": "gloo", "cuda": "nccl"}
_LOST = ("gloo", "nccl", "connection", "peer")
"""Words of errors that say that another process is gone."""


Learner = Callable[..., tuple[Tensor, dict[str, Tensor]]]
"""The `loss` of a `PoseNetwork`."""


@dataclass(frozen=True)
class Processes:
    """All that train together, and which of them this one is.

    Attributes:
        rank: number of this one, from 0.
        count: of all.
        local_rank: number of this one on its machine, and of its GPU.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether it is this one that writes, validates and speaks."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.count == 1

    def rows(self, batch: int) -> range:
        """Those of a batch's clips that are this one's.

        Raises:
            PointlightError: not all would have as many.
        """
        if batch % self.count:
            raise PointlightError(
                f"a batch of {batch} clips is not to be split evenly over {self.count} processes; start so many that "
                f"it is, or change the batch with --set optimiser.batch={-(-batch // self.count) * self.count}"
            )
        share = batch // self.count
        return range(self.rank * share, (self.rank + 1) * share)

    def device(self, name: str) -> str:
        """This one's own of the devices that are called so."""
        return name if self.alone or name != "cuda" else f"cuda:{self.local_rank}"

    def learner(self, network: PoseNetwork) -> Learner:
        """The network's `loss`, which leaves gradients that are averaged over the processes.

        On GPUs batch norms are made to see the whole batch, which torch can't do on the CPU: there each process has
        the statistics of its rows, and the first one's running means are kept.
        """
        if self.alone:
            return network.loss
        if network.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return DistributedDataParallel(_Loss(network))

    def averaged(self, values: Tensor) -> Tensor:
        """Their mean over the processes, the same in each."""
        if self.alone:
            return values
        values = values.clone()
        dist.all_reduce(values)
        return values / self.count

    def averages(self, values: Sequence[Tensor]) -> list[float]:
        """The means of several numbers."""
        if self.alone:
            return [float(value.detach()) for value in values]
        return self.averaged(torch.stack([value.detach().double() for value in values])).tolist()

    def any(self, said: bool, device: str) -> bool:
        """Whether one of them says so."""
        return bool(self.averaged(torch.tensor(float(said), device=device)) > 0)

    def seed_step(self, seed: int, step: int) -> None:
        """Chance within a step, such as dropout's, differs from process to process and needs no state to go on."""
        if not self.alone:
            torch.manual_seed(int(stream(seed, step, f"process {self.rank}").integers(2**62)))

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """What one of them refuses within the block all refuse at its end, and one of them says so.

        Raises:
            PointlightError: this one says so.
            AnotherProcessError: another one does.
        """
        refusal: PointlightError | None = None
        try:
            yield
        except PointlightError as error:
            if self.alone:
                raise
            refusal = error
        if self.alone:
            return
        refusing: list[Any] = [None] * self.count
        dist.all_gather_object(refusing, refusal is not None)
        if not any(refusing):
            return
        if refusal is not None and self.rank == refusing.index(True):
            raise refusal
        raise AnotherProcessError("another process of this training says what is wrong")


class _Loss(nn.Module):
    """A network's loss as a forward pass, which is what torch watches for gradients."""

    def __init__(self, network: PoseNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *given: Any) -> tuple[Tensor, dict[str, Tensor]]:
        return self.network.loss(*given)


ALONE = Processes()


def refuse_several(what: str) -> None:
    """For work that is one process's.

    Raises:
        PointlightError: several were started; one says so.
    """
    if _number("WORLD_SIZE", 1) > 1:
        _refuse(f"{what} is the work of one process; start it without torchrun")


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """The processes that `torchrun` started, which are in touch within the block; this one where it did not.

    Args:
        device: where the network learns.

    Raises:
        PointlightError: they can't be in touch, or there is no device for each.
        AnotherProcessError: another one failed, and says why.
    """
    count = _number("WORLD_SIZE", 1)
    if count == 1:
        yield ALONE
        return
    kind = device.partition(":")[0]
    if device not in _BACKENDS:
        _refuse(f"several processes learn on cpu or on cuda, each on a GPU of its own, not on {device!r}")
    here = _number("LOCAL_WORLD_SIZE", count)
    if kind == "cuda" and here > torch.cuda.device_count():
        _refuse(
            f"{here} processes were started here, and there are {torch.cuda.device_count()} GPUs; start one for each"
        )
    processes = Processes(_number("RANK", 0), count, _number("LOCAL_RANK", 0))
    if kind == "cuda":
        torch.cuda.set_device(processes.local_rank)
    try:
        dist.init_process_group(_BACKENDS[kind], timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise PointlightError(
            f"the processes find no way to each other ({reason}); start them with torchrun"
        ) from error
    with warnings.catch_warnings():
        if not processes.leads:
            warnings.simplefilter("ignore")  # the first one says the same
        try:
            yield processes
        except RuntimeError as error:
            if any(word in str(error).lower() for word in _LOST):
                raise AnotherProcessError("another process of this training ended, and says why") from error
            raise
    dist.destroy_process_group()


def _number(variable: str, otherwise: int) -> int:
    """A number that torchrun tells its processes."""
    return int(os.environ.get(variable) or otherwise)


def _refuse(sentence: str) -> None:
    """Before the processes are in touch: the first one speaks for all."""
    raise PointlightError(sentence) if _number("RANK", 0) == 0 else AnotherProcessError(sentence)
