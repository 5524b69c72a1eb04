"""Processes that train together: what each computes, and how they agree. All of torch.distributed is here.

Every rank draws the same whole batch from the same generator and computes its share of it, so a result depends on the
number of ranks by the rounding of sums alone. Plain torch and no wrapper: gradients of several backward passes, of a
network that is looked into, are averaged once a step. Alone, all of this is the identity.
"""

import itertools
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from components.compute import device, on_device
from components.errors import ParametersError

BUCKET = 2**26  # values that are averaged in one call: what an extra copy of gradients takes


@dataclass(frozen=True, kw_only=True)
class Share:
    """The samples of a batch of `whole` that this rank computes."""

    whole: int
    index: slice | Tensor

    def of(self, values: Tensor) -> Tensor:
        """Of values (whole,...) the rank's own."""
        return values[self.index]

    def noise(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Noise for the rank's own samples, each of `shape`, where models compute; drawn for all, as one rank would."""
        return on_device(self.of(torch.randn((self.whole, *shape), generator=generator)))


def size() -> int:
    """How many ranks train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """This process's number among them."""
    return dist.get_rank() if dist.is_initialized() else 0


def leads() -> bool:
    """Whether this is the rank that writes, logs and displays."""
    return rank() == 0


def meeting_place(host: str, port: int = 0) -> TCPStore:
    """Where ranks find each other, at that port of this machine; 0 is one that is free."""
    return TCPStore(host, port, is_master=True, wait_for_workers=False)


def join() -> None:
    """Meet the other ranks that the environment names; CPU tensors travel by gloo, an accelerator's by nccl."""
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("cpu:gloo,cuda:nccl")
    else:
        dist.init_process_group("gloo")


def leave() -> None:
    """Part from the other ranks."""
    dist.destroy_process_group()


def all_of(count: int) -> Share:
    """All of `count` samples."""
    return Share(whole=count, index=slice(0, count))


def share_of(count: int) -> Share:
    """This rank's consecutive part of `count` samples, which `check_shared` allowed."""
    each = count // size()
    return Share(whole=count, index=slice(rank() * each, (rank() + 1) * each))


def share_of_both(first: int, count: int) -> Share:
    """A part of the first `first` of `count` samples, then a part of the others: this rank's share of each."""
    if size() == 1:
        return share_of(count)
    numbers = torch.arange(count)
    parts = [numbers[share_of(first).index], numbers[first:][share_of(count - first).index]]
    return Share(whole=count, index=torch.cat(parts))


def check_shared(count: int, *, field: str) -> None:
    """ParametersError when `count`, the value of `field` of params.yaml, is not the same for all ranks."""
    check_fits(count, lambda value: value % size() == 0, field=field)


def check_fits(count: int, fits: Callable[[int], bool], *, field: str) -> None:
    """ParametersError when the ranks cannot share what `count`, the value of `field`, asks for; with what they can."""
    if fits(count):
        return
    below = [value for value in range(count - 1, 1, -1) if fits(value)][:1]
    above = next(value for value in itertools.count(count + 1) if fits(value))
    nearest = " or ".join(str(value) for value in (*below, above))
    raise ParametersError(
        f"{field}: {count} samples cannot be shared by {size()} ranks: write {nearest}, or another resources.ranks"
    )


def rounded_up(count: int) -> int:
    """The least number of samples from `count` on that all ranks can share."""
    return -(-count // size()) * size()


def gather(values: Tensor) -> Tensor:
    """The values (B,...) of all ranks, one rank after the other; no gradient goes through."""
    if size() == 1:
        return values
    parts = [torch.empty_like(values) for _ in range(size())]
    dist.all_gather(parts, values.contiguous())
    return torch.cat(parts)


@torch.no_grad()
def average_(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the ranks; all ranks give as many, of the same shapes.

    Those of sharded parameters are means already.
    """
    if size() == 1:
        return
    for bucket in _buckets([value for value in tensors if not is_sharded(value)]):
        flat = torch.cat([value.flatten() for value in bucket])
        dist.all_reduce(flat)
        flat /= size()
        for value, mean in zip(bucket, flat.split([value.numel() for value in bucket]), strict=True):
            value.copy_(mean.view_as(value))


def any_of(*flags: bool) -> tuple[bool, ...]:
    """Of each flag, whether it is set on some rank."""
    if size() == 1:
        return flags
    raised = torch.tensor(flags, dtype=torch.uint8)
    dist.all_reduce(raised, dist.ReduceOp.MAX)
    return tuple(bool(value) for value in raised.tolist())


def from_leader(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The leader's tensors, on the CPU; those of other ranks are not looked at."""
    if size() == 1:
        return dict(tensors)
    described = [{name: (value.shape, value.dtype) for name, value in tensors.items()} if leads() else {}]
    dist.broadcast_object_list(described, device=torch.device("cpu"))
    found = {}
    for name, (shape, dtype) in described[0].items():
        value = tensors[name].cpu().contiguous() if leads() else torch.empty(shape, dtype=dtype)
        dist.broadcast(value, 0)
        found[name] = value
    return found


def text_from_leader(text: str) -> str:
    """The leader's text."""
    if size() == 1:
        return text
    texts = [text]
    dist.broadcast_object_list(texts, device=torch.device("cpu"))
    return texts[0]


def shard(module: nn.Module, blocks: Sequence[nn.Module]) -> None:
    """Leave each rank a part of every parameter; a block's are put together while it computes (FSDP2)."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    # of in-place changes of what a module put out, which nobody makes
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
    mesh = init_device_mesh(device().type, (size(),))
    for block in (*blocks, module):
        fully_shard(block, mesh=mesh)


def is_sharded(value: Tensor) -> bool:
    """Whether this rank holds a part of it alone: a DTensor, whose library takes long to load."""
    return hasattr(value, "full_tensor")


def whole(value: Tensor) -> Tensor:
    """All of a tensor; all ranks call it."""
    return cast("Any", value).full_tensor() if is_sharded(value) else value


def like(value: Tensor, other: Tensor) -> Tensor:
    """`value`, which is whole, sharded as `other` is; as it is where that is not."""
    if not is_sharded(other):
        return value
    from torch.distributed.tensor import distribute_tensor

    sharded = cast("Any", other)
    return distribute_tensor(value.to(other.device, other.dtype), sharded.device_mesh, sharded.placements)


def _buckets(tensors: Sequence[Tensor]) -> list[list[Tensor]]:
    """Tensors in their order, in groups of one type that are not much larger than BUCKET."""
    buckets: list[list[Tensor]] = []
    for value in tensors:
        last = buckets[-1] if buckets else []
        if last and last[0].dtype == value.dtype and sum(one.numel() for one in last) < BUCKET:
            last.append(value)
        else:
            buckets.append([value])
    return buckets
