"""Hooks on the modules of a model, which say where in it a call stands."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from dying_relu.probing.hooks import ActivationHooks

WITHOUT_ACTIVATIONS = frozenset(
    f"torch.nn.modules.{name}"
    for name in (
        "linear",
        "conv",
        "batchnorm",
        "normalization",
        "pooling",
        "dropout",
        "flatten",
        "sparse",
        "container",
    )
)
"""Where PyTorch's own classes stand whose ``forward`` calls no activation; what is derived from them stands elsewhere."""


@contextmanager
def registered(hooks: "ActivationHooks") -> Iterator[None]:
    """Within the block the model's modules tell the hooks when they are entered and left.

    Args:
        hooks: of the model.
    """
    with ExitStack() as stack:
        for path, module in hooks.model.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            if _calls_no_activation(module) and path not in hooks.named.modules:
                continue
            enter = module.register_forward_pre_hook(
                lambda module, inputs, path=path: hooks.enter(path, module, inputs), prepend=True
            )
            stack.callback(enter.remove)
            leave = module.register_forward_hook(lambda module, _, output: hooks.leave(module, output))
            stack.callback(leave.remove)
        # The fused path of nn.TransformerEncoder calls no activation that could be seen.
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        yield


def _calls_no_activation(module: nn.Module) -> bool:
    """Tell whether all activations inside stand in submodules, whose hooks are enough: a hook costs as much as a small layer."""
    return type(module).__module__ in WITHOUT_ACTIVATIONS
