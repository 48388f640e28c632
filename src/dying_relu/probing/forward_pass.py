"""A forward pass under the hooks: how the model is called, what has to be switched off meanwhile, and whose fault an error is."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils import checkpoint

from dying_relu.errors import DyingReluError
from dying_relu.probing.calling import ModelCall, ModelInputs, examples_in, tensors_in, ways_to_call
from dying_relu.probing.hooks import ActivationHooks

REFUSALS = (
    RuntimeError,
    TypeError,
    ValueError,
    LookupError,
    AssertionError,
    AttributeError,
    ArithmeticError,
)
"""The errors that models raise for batches that do not fit."""


class ForwardPass:
    """Calls a model with batches, in the way that it accepted for the first one.

    Args:
        model: under ``hooks``.
        hooks: of the model.
        call: (model, batch) -> output; None finds out what the model wants of a batch.

    Attributes:
        way: how arguments are taken out of a batch.
        differentiates: whether the model's own forward needs gradients.
    """

    def __init__(self, model: nn.Module, hooks: ActivationHooks, call: ModelCall | None) -> None:
        self.model, self.hooks, self.call_model = model, hooks, call
        self.way: str | None = None
        self.differentiates = False

    def inputs(self, batch: Any, number: int) -> list[ModelInputs]:
        """The arguments that the model may want of a batch, the likeliest first.

        Args:
            batch: on the model's device.
            number: of the batch.
        """
        ways = ways_to_call(batch, self.model, number)
        if self.call_model is not None:
            return [ModelInputs([batch], {}, ways[0].labels, "call")]
        return [one for one in ways if one.way == self.way] or ways

    def run(self, ways: list[ModelInputs], number: int) -> tuple[ModelInputs, Any]:
        """Call the model, with one set of arguments after the other until it accepts one.

        Args:
            ways: sets of arguments.
            number: of the batch.

        Returns:
            The arguments that it accepted, and its output.

        Raises:
            DyingReluError: it accepts none.
        """
        first: tuple[ModelInputs, Exception] | None = None
        for inputs in ways:
            try:
                output = self._call(inputs)
            except REFUSALS as error:
                first = first or (inputs, error)
                self.hooks.recorder.clear()
                continue
            self.way = inputs.way
            return inputs, output
        assert first is not None
        inputs, refusal = first
        raise DyingReluError(
            f"the model refuses batch {number}",
            found=f"{inputs}, and it says: {type(refusal).__name__}: {refusal}",
            remedy="batches are tensors, (inputs, labels), as many inputs as the model has arguments and then labels, dicts of its "
            "arguments by name, or whatever its one argument is; call=lambda model, batch: ... calls it in another way",
        ) from refusal

    def _call(self, inputs: ModelInputs) -> Any:
        try:
            return self._once(inputs)
        except RuntimeError as error:
            # Force fields and other models whose forward differentiates.
            if torch.is_grad_enabled() or "grad" not in str(error) or not self.hooks.recorder.clear():
                raise
            with torch.inference_mode(False), torch.enable_grad():
                output = self._once(inputs)
            self.differentiates = True
            return output

    def _once(self, inputs: ModelInputs) -> Any:
        given = [*inputs.positional, *inputs.named.values()]
        self.hooks.start_batch(examples_in(given))
        self.hooks.origins.add_inputs(tensors_in(given))
        with ExitStack() as stack:
            if self.differentiates:
                stack.enter_context(torch.inference_mode(False))
                stack.enter_context(torch.enable_grad())
            stack.enter_context(self.hooks)
            if self.call_model is not None:
                return self.call_model(self.model, inputs.positional[0])
            return inputs.call(self.model)


@contextmanager
def uncompiled() -> Iterator[None]:
    """Within the block, what torch.compile has wrapped runs as it was written; compiled code calls no function that could be seen."""
    # If nothing has imported it, nothing is compiled.
    if "torch._dynamo" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


@contextmanager
def without_checkpoints(wanted: bool) -> Iterator[None]:
    """Within the block, reentrant checkpoints keep their activations: recomputed ones would belong to no unit.

    Args:
        wanted: False leaves them as they are.
    """
    if not wanted:
        yield
        return
    function: Any = checkpoint.CheckpointFunction
    function.apply = staticmethod(lambda run, _, *arguments: run(*arguments))
    try:
        yield
    finally:
        del function.apply
