"""What a transformer's blocks put out in a forward pass, looked at from outside."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def outputs_of(blocks: Sequence[nn.Module], numbers: Sequence[int]) -> Iterator[dict[int, Tensor]]:
    """The outputs of some blocks, by number, of a forward pass within the context.

    Of a block that puts out several tensors it is the first: the video's tokens, without the text's.
    """
    states: dict[int, Tensor] = {}

    def keep(number: int, output: Tensor | tuple[Tensor, ...]) -> None:
        states[number] = output[0] if isinstance(output, tuple) else output

    hooks = [
        blocks[number].register_forward_hook(lambda _module, _inputs, output, n=number: keep(n, output))
        for number in numbers
    ]
    try:
        yield states
    finally:
        for hook in hooks:
            hook.remove()
