"""The fate of a stack's networks and units from checkpoint to checkpoint: which diverged, and which units died and revived."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.training.resume import State
from dying_relu.units import definitions

NEVER = -1
"""Stands for the step of what has not happened."""


@dataclass(frozen=True)
class LayerHistory:
    """The units of a hidden layer at a checkpoint; every tensor is (K, U) bool.

    Attributes:
        dead: at this checkpoint.
        dead_before: at the one before; at the first one as ``dead``.
        born_dead: at the first one.
        ever_dead: at this or any one before.
    """

    dead: Tensor
    dead_before: Tensor
    born_dead: Tensor
    ever_dead: Tensor

    def following(self, dead: Tensor) -> "LayerHistory":
        """The same units at the next checkpoint, where those of ``dead`` (K, U) bool are dead."""
        return LayerHistory(dead, self.dead, self.born_dead, self.ever_dead | dead)

    @property
    def died(self) -> Tensor:
        """Units that have died since the checkpoint before."""
        return definitions.died(self.dead_before, self.dead)

    @property
    def revived(self) -> Tensor:
        """Units that have revived since the checkpoint before."""
        return definitions.revived(self.dead_before, self.dead)

    @property
    def died_since_birth(self) -> Tensor:
        """Units that were alive at the first checkpoint and are dead at this one."""
        return definitions.died(self.born_dead, self.dead)

    @property
    def revived_for_good(self) -> Tensor:
        """Units that were dead at any checkpoint and are alive at this one."""
        return definitions.revived(self.ever_dead, self.dead)


class History:
    """The networks and units of a stack, followed on its training probe set.

    Args:
        networks: K.
        device: of the stack.

    Attributes:
        diverged_step: (K,) the step at which a network was found to have diverged, ``NEVER`` while it has not.
        layers: hidden layer's name -> its units at the latest checkpoint; empty before the first one.
    """

    def __init__(self, networks: int, device: torch.device) -> None:
        self.diverged_step = torch.full((networks,), NEVER, device=device)
        self.layers: dict[str, LayerHistory] = {}

    @property
    def diverged(self) -> Tensor:
        """(K,) bool."""
        return self.diverged_step != NEVER

    def mark_diverged(self, diverged: Tensor, step: int) -> None:
        """Note the networks that have diverged, each the first time.

        Args:
            diverged: (K,) bool.
            step: updates made.
        """
        self.diverged_step.masked_fill_(diverged & ~self.diverged, step)

    def add(self, dead: Mapping[str, Tensor]) -> None:
        """Note a checkpoint: for each hidden layer by name, which units are ``dead`` ((K, U) bool)."""
        for name, flags in dead.items():
            before = self.layers.get(name, LayerHistory(flags, flags, flags, flags))
            self.layers[name] = before.following(flags)

    def state(self) -> State:
        """All of it, for :meth:`restore`."""
        layers = {name: dict(vars(layer)) for name, layer in self.layers.items()}
        return {"diverged_step": self.diverged_step, "layers": layers}

    def restore(self, state: State) -> None:
        """Go on from what :meth:`state` returned."""
        device = self.diverged_step.device
        self.diverged_step.copy_(state["diverged_step"])
        for name, flags in state["layers"].items():
            self.layers[name] = LayerHistory(**{flag: values.to(device) for flag, values in flags.items()})
