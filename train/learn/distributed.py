"""Data-parallel training in several processes, on one machine or many: the process group.

``torchrun`` starts the same command in each process and says in the environment how many there are.
Each paints and learns from its own share of every batch; after the backward pass the gradients are
averaged over all of them in one all-reduce, gloo between processors and nccl between GPUs. That is
the method of *DistributedDataParallel* (Li et al., 2020) without its wrapper, because a process
here has a copy of the network for each core (:mod:`train.learn.replicas`) and the wrapper knows of
one. Without ``torchrun`` the group is this one process, and nothing here costs anything.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed, nn

from edge.errors import InputError


def started_by_torchrun() -> bool:
    """Return whether this is one of several processes of a run."""
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_leader() -> bool:
    """Return whether this process is rank 0, read from the environment before there is a group."""
    return not started_by_torchrun() or os.environ["RANK"] == "0"


def processes_here() -> int:
    """Return how many processes of the run share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if started_by_torchrun() else 1


def cores_here() -> int:
    """Return the processor cores for each process of the run on this machine, at least 1."""
    return max(1, len(os.sched_getaffinity(0)) // processes_here())


def own_device() -> torch.device:
    """Return the GPU of this process, or the processor where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    index = int(os.environ.get("LOCAL_RANK", "0")) if started_by_torchrun() else 0
    return torch.device("cuda", index)


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train one network together, seen from one of them.

    *rank*: its number, 0 for the leader, which alone writes files and prints; *world*: how many
    there are; *device*: what this one calculates on.

    Synchronization: every method is a collective; all processes call the same methods in the same
    order.
    """

    rank: int = 0
    world: int = 1
    device: torch.device = field(default_factory=own_device)

    @property
    def is_leader(self) -> bool:
        """Whether this process is rank 0, which writes files and prints."""
        return self.rank == 0

    def all_reduce_mean(self, tensors: Sequence[Tensor]) -> None:
        """Replace each of the float *tensors* by its mean over the processes, in one all-reduce.

        Raises InputError when another process is gone.
        """
        if self.world == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        _all_reduce_sum(flat)
        pieces = torch.split(flat / self.world, [tensor.numel() for tensor in tensors])
        for tensor, piece in zip(tensors, pieces, strict=True):
            tensor.copy_(piece.view(tensor.shape))

    def synchronize(self, stop: bool, seconds: float) -> tuple[bool, float]:
        """Return whether any process asks to *stop*, and the leader's *seconds*, in one all-reduce.

        Raises InputError when another process is gone.
        """
        if self.world == 1:
            return stop, seconds
        shared = torch.tensor(
            [stop, seconds if self.is_leader else 0.0], dtype=torch.float64, device=self.device
        )
        _all_reduce_sum(shared)
        return bool(shared[0] > 0), float(shared[1])

    def broadcast(self, number: float) -> float:
        """Return the leader's *number*; the others wait for it. Raises InputError."""
        return self.synchronize(False, number)[1]

    def barrier(self) -> None:
        """Wait until every process has come here. Raises InputError when one never will."""
        self.synchronize(False, 0.0)

    def check_same(self, digest: str, what: str) -> None:
        """Check that all processes have the same *digest*, in hex, of *what*.

        Raises InputError when they do not, or another process is gone.
        """
        number = float(int(digest[:12], 16))  # 48 bits, which a float64 holds
        if self.synchronize(self.broadcast(number) != number, 0.0)[0]:
            raise InputError(
                f"torchrun: the processes have different {what}; copy the leader's to each machine"
            )

    def broadcast_weights(self, net: nn.Module, step: int) -> None:
        """Give every process the leader's weights, once all agree to begin at the same *step*.

        Raises InputError when they do not, or another process is gone.
        """
        if self.world == 1:
            return
        first = self.broadcast(step)
        if self.synchronize(first != step, 0.0)[0]:
            raise InputError(
                "--resume: the processes hold different runs; "
                "copy the leader's run folder to each machine"
            )
        with torch.no_grad():
            for tensor in net.state_dict().values():
                distributed.broadcast(tensor, 0)


def _all_reduce_sum(tensor: Tensor) -> None:
    try:
        distributed.all_reduce(tensor)
    except RuntimeError as error:
        first = str(error).partition("\n")[0]
        reason = first.partition("] ")[2].partition(". ")[0] or "no reason was given"
        raise InputError(
            f"torchrun: another process of this run ended or cannot be reached ({reason}); "
            "its own last line says why"
        ) from None


@contextmanager
def join_process_group() -> Iterator[ProcessGroup]:
    """Join the process group started by ``torchrun``; barrier before leaving.

    Raises InputError when one of the processes cannot be reached.
    """
    device = own_device()
    if not started_by_torchrun():
        yield ProcessGroup(device=device)
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
        group = ProcessGroup(distributed.get_rank(), distributed.get_world_size(), device)
        yield group
        group.barrier()
    finally:
        distributed.destroy_process_group()
