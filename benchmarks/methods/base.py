"""The base of all methods of training."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from benchmarks.cases import Case, Examples
from dying_relu.errors import DyingReluError

PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16}


class NotPossible(DyingReluError):
    """This machine lacks something that a method needs; the message is the reason that is reported."""


class Method(ABC):
    """A way of training the networks of a case; it is made in the process that trains.

    Attributes:
        trains_stacks: whether it trains several networks at a time.
        is_slow_to_prepare: whether it takes so long to get ready that it is measured on fewer cases and stacks.
    """

    trains_stacks: ClassVar[bool] = True
    is_slow_to_prepare: ClassVar[bool] = False

    @staticmethod  # noqa: B027 - most methods need nothing but PyTorch
    def require() -> None:
        """Check that this machine has what the method needs.

        Raises:
            NotPossible: it has not.
        """

    @staticmethod  # noqa: B027 - most methods have nothing to prepare
    def prepare_process() -> None:
        """Settings of the whole process that belong to the method; called once, before anything is trained."""

    @staticmethod
    def precisions(device: str) -> tuple[str, ...]:
        """In which the method can multiply matrices on ``device``; weights are float32 always."""
        return tuple(PRECISIONS)

    @abstractmethod
    def __init__(
        self, case: Case, networks: range, examples: Examples, precision: str, device: torch.device
    ) -> None:
        """Get ready to train.

        Args:
            case: what is trained.
            networks: which of the case's networks; one, unless the method trains stacks.
            examples: to train on.
            precision: a key of ``PRECISIONS``.
            device: where the parameters live.
        """

    @abstractmethod
    def step(self) -> Tensor:
        """Train every network on one minibatch; returns their losses (K,) before the update."""


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """PyTorch's own mixed precision, switched off for float32."""
    return torch.autocast(device.type, PRECISIONS[precision], enabled=precision != "float32")
