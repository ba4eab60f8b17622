"""Several processes that train one network, on one machine or many: what they share and what they
must agree on.

``torchrun`` starts the same command in each process and says in the environment how many there are.
Each paints and learns from its own share of every batch; after the backward pass the gradients are
averaged over all of them in one all-reduce, gloo between processors and nccl between GPUs. That is
the method of *DistributedDataParallel* (Li et al., 2020) without its wrapper, because a process
here has a copy of the network for each core (:mod:`train.learn.replicas`) and the wrapper knows of
one. Without ``torchrun`` there is a team of one, and nothing here costs anything.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed, nn

from edge.errors import InputError


def started_by_torchrun() -> bool:
    """Whether this is one of several processes of a run."""
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def leads() -> bool:
    """Whether this process is the one that writes files and speaks; asked before the team has met."""
    return not started_by_torchrun() or os.environ["RANK"] == "0"


def processes_here() -> int:
    """How many processes of the run share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if started_by_torchrun() else 1


def cores_here() -> int:
    """Processor cores for each process of the run on this machine, at least 1."""
    return max(1, len(os.sched_getaffinity(0)) // processes_here())


def own_device() -> torch.device:
    """The GPU of this process, or the processor where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device(
        "cuda", int(os.environ.get("LOCAL_RANK", "0")) if started_by_torchrun() else 0
    )


@dataclass(frozen=True)
class Team:
    """The processes of a run, seen from one of them.

    *rank*: its number, 0 for the leader, who alone writes files; *world*: how many there are;
    *device*: what it calculates on.

    Synchronization: a collective; every process calls the same methods in the same order.
    """

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=own_device)

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace each of the float *tensors* by its mean over the processes, in one exchange.
        Raises InputError.
        """
        if self.world == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        _sum(flat)
        pieces = torch.split(flat / self.world, [tensor.numel() for tensor in tensors])
        for tensor, piece in zip(tensors, pieces, strict=True):
            tensor.copy_(piece.view(tensor.shape))

    def agree(self, stop: bool, seconds: float) -> tuple[bool, float]:
        """Whether any process must stop, and what the leader's clock says. Raises InputError."""
        if self.world == 1:
            return stop, seconds
        told = torch.tensor(
            [stop, seconds if self.leads else 0.0], dtype=torch.float64, device=self.device
        )
        _sum(told)
        return bool(told[0] > 0), float(told[1])

    def told(self, number: float) -> float:
        """The leader's *number*; the others wait for it. Raises InputError."""
        return self.agree(False, number)[1]

    def meet(self) -> None:
        """Wait until every process has come here. Raises InputError when one never will."""
        self.agree(False, 0.0)

    def begin_alike(self, net: nn.Module, step: int) -> None:
        """Give every process the leader's weights, and check that all begin at the same step.
        Raises InputError.
        """
        if self.world == 1:
            return
        first = self.told(step)
        if self.agree(first != step, 0.0)[0]:
            raise InputError(
                "--resume: the processes hold different runs; copy the leader's run folder to each machine"
            )
        with torch.no_grad():
            for tensor in net.state_dict().values():
                distributed.broadcast(tensor, 0)


def _sum(tensor: Tensor) -> None:
    try:
        distributed.all_reduce(tensor)
    except RuntimeError as error:
        reason = (
            str(error).partition("\n")[0].partition("] ")[2].partition(". ")[0]
            or "no reason was given"
        )
        raise InputError(
            f"torchrun: another process of this run ended or cannot be reached ({reason}); its own last line says why"
        ) from None


@contextmanager
def join_team() -> Iterator[Team]:
    """Meet the other processes that ``torchrun`` started; none of them leaves before the last is
    done.

    Raises InputError when one of them cannot be reached.
    """
    device = own_device()
    if not started_by_torchrun():
        yield Team(device=device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"torchrun: the processes do not find each other ({reason}); check --rdzv-endpoint"
        ) from None
    try:
        team = Team(distributed.get_rank(), distributed.get_world_size(), device)
        yield team
        team.meet()
    finally:
        distributed.destroy_process_group()
