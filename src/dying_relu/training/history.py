"""The fate of a stack's networks and units: losses from step to step, and which overflowed, which units died and revived."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.training.resume import State
from dying_relu.units import definitions

NEVER = -1
"""Stands for the step of what has not happened."""

LOSSES = ("initial_loss", "peak_loss", "initial_probe_loss")
"""The losses that are kept, by attribute of :class:`History`."""


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
        """The same units at the next checkpoint.

        Args:
            dead: (K, U) bool, at the next checkpoint.
        """
        return LayerHistory(dead, self.dead, self.born_dead, self.ever_dead | dead)

    @property
    def died(self) -> Tensor:
        """(K, U) bool: units that have died since the checkpoint before."""
        return definitions.died(self.dead_before, self.dead)

    @property
    def revived(self) -> Tensor:
        """(K, U) bool: units that have revived since the checkpoint before."""
        return definitions.revived(self.dead_before, self.dead)

    @property
    def died_since_birth(self) -> Tensor:
        """(K, U) bool: units that were alive at the first checkpoint and are dead at this one."""
        return definitions.died(self.born_dead, self.dead)

    @property
    def revived_for_good(self) -> Tensor:
        """(K, U) bool: units that were dead at any checkpoint and are alive at this one."""
        return definitions.revived(self.ever_dead, self.dead)


class History:
    """The networks and units of a stack, followed on its training probe set.

    Args:
        networks: K.
        device: of the stack.

    Attributes:
        overflow_step: (K,) the step at which a network was found to have overflowed, ``NEVER`` while it has not.
        initial_loss, peak_loss: (K,) of the first minibatch, and of the one with the largest; NaN before the first.
        initial_probe_loss: (K,) float64, on the training probe set before training.
        layers: hidden layer's name -> its units at the latest checkpoint; empty before the first one.
        born_dead_all: hidden layer's name -> (K, U) bool, the units dead on all training examples before training.
    """

    def __init__(self, networks: int, device: torch.device) -> None:
        self.overflow_step = torch.full((networks,), NEVER, device=device)
        self.initial_loss, self.peak_loss = (
            torch.full((networks,), torch.nan, device=device) for _ in range(2)
        )
        self.initial_probe_loss = torch.full((networks,), torch.nan, dtype=torch.float64)
        self.layers: dict[str, LayerHistory] = {}
        self.born_dead_all: dict[str, Tensor] = {}

    @property
    def overflowed(self) -> Tensor:
        """(K,) bool: networks that have overflowed."""
        return self.overflow_step != NEVER

    def mark_overflowed(self, overflowed: Tensor, step: int) -> None:
        """Record the step at which each network was first found to have overflowed.

        Args:
            overflowed: (K,) bool.
            step: updates made.
        """
        self.overflow_step.masked_fill_(overflowed & ~self.overflowed, step)

    def add_losses(self, losses: Tensor, step: int) -> None:
        """Add the losses of an update.

        Args:
            losses: (K,) on its minibatch, before it.
            step: updates made before it.
        """
        if step == 0:
            self.initial_loss, self.peak_loss = losses.clone(), losses.clone()
        else:
            # NaN is the largest.
            self.peak_loss = torch.maximum(self.peak_loss, losses)

    def add(self, dead: Mapping[str, Tensor]) -> None:
        """Add a checkpoint.

        Args:
            dead: hidden layer's name -> (K, U) bool, the units that are dead.
        """
        for name, flags in dead.items():
            before = self.layers.get(name, LayerHistory(flags, flags, flags, flags))
            self.layers[name] = before.following(flags)

    def add_birth(self, dead_on_all: Mapping[str, Tensor], probe_loss: Tensor) -> None:
        """Add what the networks were before training.

        Args:
            dead_on_all: hidden layer's name -> (K, U) bool, the units dead on all training examples.
            probe_loss: (K,) float64, on the training probe set.
        """
        self.born_dead_all, self.initial_probe_loss = dict(dead_on_all), probe_loss

    def new_dead(self, dead_on_all: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Hidden layer's name -> (K, U) bool: of the units dead on all training examples those that were not before training.

        Args:
            dead_on_all: hidden layer's name -> (K, U) bool.
        """
        return {name: flags & ~self.born_dead_all[name] for name, flags in dead_on_all.items()}

    def state(self) -> State:
        """The tensors from which :meth:`restore` goes on."""
        layers = {name: dict(vars(layer)) for name, layer in self.layers.items()}
        return {
            **{name: getattr(self, name) for name in ("overflow_step", *LOSSES)},
            "layers": layers,
            "born_dead_all": dict(self.born_dead_all),
        }

    def restore(self, state: State) -> None:
        """Go on from what :meth:`state` returned."""
        device = self.overflow_step.device
        self.overflow_step.copy_(state["overflow_step"])
        for name in LOSSES:
            setattr(self, name, state[name].to(getattr(self, name).device))
        self.born_dead_all = {name: flags.to(device) for name, flags in state["born_dead_all"].items()}
        for name, flags in state["layers"].items():
            self.layers[name] = LayerHistory(**{flag: values.to(device) for flag, values in flags.items()})
