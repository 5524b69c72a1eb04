"""A ledger of memory: how many bytes of tensors are alive, and how many of them wait for the backward pass.

It looks over the shoulder of any code that computes with torch. Where that code runs on the meta device, on tensors
without values, the ledger answers the few questions that it asks of values: so one update of a learner is measured
without a byte of its memory. What a kernel allocates and frees within itself is not seen.
"""

import weakref
from collections.abc import Callable, Hashable, Iterable
from contextlib import ExitStack
from functools import cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
META = torch.device("meta")
LONG = 2**31  # where only values would say how long: as long as a slice can be


Operation = Callable[..., Any]  # torch's
Arguments = tuple[Any, ...]
_Shape = tuple[tuple[int, ...], tuple[int, ...], torch.dtype]
_Shapes = _Shape | tuple[_Shape, ...]


class Ledger(TorchDispatchMode):
    """Bytes of distinct storages. alive and peak: of all of them; waiting and most_waiting: kept for backward."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive = self.peak = self.waiting = self.most_waiting = 0
        self._sizes: dict[int, int] = {}
        self._waiting: dict[int, int] = {}
        self._held: set[int] = set()

    def hold(self) -> int:
        """Bytes alive now. They are held from here on: they count among those that are kept for backward no more."""
        self._held = set(self._sizes)
        self.peak = self.alive
        return self.alive

    def keep(self, tensor: Tensor) -> Tensor:
        """The same tensor, which waits for the backward pass: a hook of saved tensors."""
        key = self._count(tensor)
        if key not in self._held and key not in self._waiting:
            self._waiting[key] = self._sizes[key]
            self.waiting += self._sizes[key]
            self.most_waiting = max(self.most_waiting, self.waiting)
        return tensor

    def __torch_dispatch__(
        self, func: Operation, types: Iterable[type], args: Arguments = (), kwargs: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 -- torch's own interface
        """Run the operation and count what came out of it."""
        out = func(*args, **(kwargs or {}))
        for value in out if isinstance(out, tuple | list) else (out,):
            if isinstance(value, Tensor):
                self._count(value)
        return out

    def _count(self, tensor: Tensor) -> int:
        storage = tensor.untyped_storage()
        key: int = storage._cdata
        if key not in self._sizes:
            size = storage.nbytes()
            self._sizes[key] = size
            self.alive += size
            self.peak = max(self.peak, self.alive)
            weakref.finalize(storage, self._freed, key)
        return key

    def _freed(self, key: int) -> None:
        self.alive -= self._sizes.pop(key, 0)
        self.waiting -= self._waiting.pop(key, 0)
        self._held.discard(key)


class WithoutValues(TorchDispatchMode):
    """Lets code run on the meta device that asks for values now and then.

    A truth value is True, a number 0, the length of a text as long as it can be, and a mask selects everything. What
    comes from numpy loses its values too; whole numbers made on the CPU keep theirs, for they say which clip is meant.
    What an operation gives of some shapes is worked out once a process: a transformer does the same in every block, and
    advice asks of many batches of one model.
    """

    _known: ClassVar[dict[Hashable, _Shapes]] = {}

    def __torch_dispatch__(
        self, func: Operation, types: Iterable[type], args: Arguments = (), kwargs: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401
        """Run the operation, or answer in the place of values."""
        kwargs = kwargs or {}
        first = args[0] if args else None
        if isinstance(first, Tensor) and first.is_meta:
            if func is aten._local_scalar_dense.default:
                return first.dtype == torch.bool if not first.is_floating_point() else 1.0
            if func is aten._to_copy.default and torch.device(kwargs.get("device") or "meta").type == "cpu":
                if first.dtype == torch.int64:
                    return torch.full(first.shape, LONG, device="cpu")
                kwargs = {**kwargs, "device": META}
            if func is aten.index.Tensor:
                args = (first, [place for index in args[1] for place in _places(index)])
        args = tuple(_without_values(value) for value in args)
        key = _described((func, args, tuple(kwargs.items()))) if _makes_new(func) else None
        if key is None:
            return func(*args, **kwargs)
        key = (torch.get_default_dtype(), key)
        if key not in self._known:
            out = func(*args, **kwargs)
            if (shapes := _shapes_of(out)) is not None and not _is_within(out, args):
                self._known[key] = shapes
            return out
        return _from_shapes(self._known[key])


class Choices(TorchFunctionMode):
    """Random whole numbers are made on the CPU, the smallest there are; attention is an accelerator's, if told so.

    A fused kernel keeps queries, keys, values, output and a number a query; plain products keep the whole matrix.
    """

    def __init__(self, *, fused_attention: bool) -> None:
        super().__init__()
        self._fused = fused_attention

    def __torch_function__(
        self, func: Operation, types: Iterable[type], args: Arguments = (), kwargs: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401
        """Call the function, or what stands for it."""
        kwargs = kwargs or {}
        if func is torch.randperm:
            return torch.arange(args[0], device="cpu")
        if func is torch.randint:
            return torch.zeros(args[-1], dtype=torch.int64, device="cpu")
        if func is torch.nn.functional.scaled_dot_product_attention and self._fused:
            return _fused_attention(*args, **kwargs)
        if func is Tensor.tolist and args[0].is_meta and args[0].is_floating_point():  # figures, which are finite
            return torch.ones(args[0].shape, device="cpu").tolist()
        if func is Tensor.numpy:
            kind = torch.zeros((), dtype=args[0].dtype, device="cpu").numpy().dtype
            return np.broadcast_to(np.zeros((), kind), args[0].shape)
        return func(*args, **kwargs)


def without_values(*, fused_attention: bool) -> ExitStack:
    """A context in which tensors are made without values, so that any size of them costs nothing."""
    stack = ExitStack()
    stack.enter_context(torch.device("meta"))
    stack.enter_context(Choices(fused_attention=fused_attention))
    stack.enter_context(WithoutValues())  # type: ignore[no-untyped-call]  # torch's
    return stack


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Bytes of the distinct storages of some tensors."""
    storages = [tensor.untyped_storage() for tensor in tensors]
    return sum({storage._cdata: storage.nbytes() for storage in storages}.values())


def _places(index: Tensor | None) -> Iterable[Tensor | None]:
    """A mask as the places that it selects: all of them."""
    if index is None or index.dtype != torch.bool or not index.is_meta:
        return [index]
    return [torch.empty(index.numel(), dtype=torch.int64, device="meta") for _ in index.shape]


def _without_values(value: object) -> object:
    if isinstance(value, Tensor) and not value.is_meta and value.dtype != torch.int64:
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
    return value


def _fused_attention(  # noqa: PLR0917
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    **_: object,
) -> Tensor:
    fused: Callable[..., tuple[Tensor, Tensor]] = aten._scaled_dot_product_flash_attention_for_cpu
    return fused(query, key, value, dropout_p, is_causal, attn_mask=attn_mask, scale=scale)[0]


@cache
def _makes_new(func: Any) -> bool:  # noqa: ANN401
    """Whether an operation changes nothing and gives tensors of their own, whose shapes follow from its arguments'."""
    schema = func._schema
    return not schema.is_mutable and all(value.alias_info is None for value in schema.returns)


def _described(value: Any) -> Hashable:  # noqa: ANN401
    """Arguments as far as the shapes of results depend on them; None where that cannot be told."""
    if isinstance(value, Tensor):
        return (value.shape, value.stride(), value.dtype) if value.is_meta else None
    if isinstance(value, tuple | list):
        parts = tuple(_described(part) for part in value)
        return None if any(part is None for part in parts) else parts
    if value is None:
        return "none"
    if isinstance(value, float) or not isinstance(value, Hashable):
        return "a number" if isinstance(value, float) else None
    return type(value), value


def _shapes_of(out: Any) -> _Shapes | None:  # noqa: ANN401
    if isinstance(out, Tensor):
        return (tuple(out.shape), out.stride(), out.dtype) if out.is_meta else None
    if isinstance(out, tuple | list) and all(isinstance(value, Tensor) and value.is_meta for value in out):
        return tuple((tuple(value.shape), value.stride(), value.dtype) for value in out)
    return None


def _is_within(out: Any, args: Any) -> bool:  # noqa: ANN401
    """Whether an operation gave what lies in the memory of its arguments, as _unsafe_view does and does not say."""
    return bool(_storages(out) & _storages(args))


def _storages(value: Any) -> set[int]:  # noqa: ANN401
    if isinstance(value, Tensor):
        return {value.untyped_storage()._cdata}
    return set().union(*map(_storages, value)) if isinstance(value, tuple | list) else set()


def _from_shapes(shapes: Any) -> Any:  # noqa: ANN401
    if shapes and isinstance(shapes[-1], torch.dtype):
        size, stride, dtype = shapes
        return aten.empty_strided.default(size, stride, dtype=dtype, device=META)
    return tuple(_from_shapes(one) for one in shapes)
