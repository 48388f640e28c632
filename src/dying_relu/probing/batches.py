"""Batches: models and loaders that are gone through without a trace, and the scale of the inputs."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.calling import ModelInputs, model_inputs, on_device, tensors_in
from dying_relu.units.extents import extent

__all__ = [
    "InputScale",
    "ModelInputs",
    "device_of",
    "evaluation_mode",
    "gradients_enabled",
    "model_inputs",
    "on_device",
    "preserved_random_state",
    "require_repeatable",
    "tensors_in",
    "unwrapped",
]


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model within a DataParallel-wrapped or compiled one, else the model itself.

    Raises:
        DyingReluError: ``model`` is no module, or one that is scripted.
    """
    if not isinstance(model, nn.Module):
        raise DyingReluError("the model", found=type(model).__name__, expected="a torch.nn.Module")
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return unwrapped(model.module)
    if isinstance(original := getattr(model, "_orig_mod", None), nn.Module):
        return unwrapped(original)
    if isinstance(model, torch.jit.ScriptModule):
        raise DyingReluError(
            f"the model, {type(model).__name__!r}, is scripted, and what it calls cannot be seen",
            remedy="probe the model before torch.jit.script or torch.jit.trace",
        )
    return model


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode within the block, and afterwards each module's own."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def gradients_enabled(model: nn.Module, wanted: bool) -> Iterator[None]:
    """Gradients within the block, in frozen layers too, and even if the caller has switched them off; afterwards all is as it was.

    Args:
        model: whose parameters they are.
        wanted: False switches them off instead.
    """
    if not wanted:
        with torch.no_grad():
            yield
        return
    frozen = [
        parameter
        for parameter in model.parameters()
        if parameter.is_floating_point() and not parameter.requires_grad
    ]
    try:
        for parameter in frozen:
            parameter.requires_grad_(True)
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)


def device_of(model: nn.Module) -> torch.device | None:
    """The device of the model's first parameter; None if it has none.

    Raises:
        DyingReluError: it is the meta device.
    """
    parameter = next(iter(model.parameters()), None)
    if parameter is not None and parameter.device.type == "meta":
        raise DyingReluError(
            "the model is on the meta device and has no values",
            remedy="load its weights first, for instance after model.to_empty(device='cpu')",
        )
    return None if parameter is None else parameter.device


@dataclass
class InputScale:
    """Mean, standard deviation and range of the floating-point inputs of all batches so far; integers, such as tokens, do not count.

    >>> import torch
    >>> scale = InputScale()
    >>> scale.add([torch.tensor([[0.0, 200.0]])])
    >>> scale.mean, scale.deviation, scale.high
    (100.0, 100.0, 200.0)
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, tensors: Iterable[Tensor]) -> None:
        """Add the tensors of a batch; if a number is not finite, neither is :attr:`total` from then on.

        Args:
            tensors: of any shape.
        """
        for tensor in tensors:
            if not tensor.is_floating_point() or not tensor.numel():
                continue
            total, square_sum, low, high = extent(tensor)
            self.count += tensor.numel()
            self.total += total
            self.squares += square_sum
            self.low, self.high = min(self.low, low), max(self.high, high)

    @property
    def mean(self) -> float:
        """Mean over all entries; NaN without inputs."""
        return self.total / self.count if self.count else float("nan")

    @property
    def deviation(self) -> float:
        """Standard deviation over all entries; NaN without inputs."""
        return max(0.0, self.squares / self.count - self.mean**2) ** 0.5 if self.count else float("nan")


def require_repeatable(loader: Iterable[Any], remedy: str) -> Iterable[Any]:
    """Return the loader if it can be gone through again.

    Args:
        loader: of batches.
        remedy: end of the error's message.

    Raises:
        DyingReluError: it gives its batches only once, as a generator does.
    """
    # Not iter(loader): a DataLoader would draw a random number for it.
    if isinstance(loader, Iterator):
        raise DyingReluError(
            "the loader gives its batches only once", found=type(loader).__name__, remedy=remedy
        )
    return loader


@contextmanager
def preserved_random_state(loader: Iterable[Any]) -> Iterator[None]:
    """Restore, after the block, the random state of before: numbers drawn by ``loader`` or its transforms are not missing.

    A DataLoader draws a seed whenever it is gone through, shuffled or not. The states of PyTorch (CPU and CUDA), NumPy and
    Python are restored, and those of the generators of the loader and its samplers.

    >>> with preserved_random_state([]):
    ...     inside = torch.rand(1)
    >>> bool(inside == torch.rand(1))
    True
    """
    sources = [loader, getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)]
    candidates = [getattr(source, "generator", None) for source in sources]
    generators = [(one, one.get_state()) for one in candidates if isinstance(one, torch.Generator)]
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            for generator, state in generators:
                generator.set_state(state)
            random.setstate(of_python)
            np.random.set_state(of_numpy)  # noqa: NPY002
