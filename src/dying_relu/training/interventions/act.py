"""An intervention in action: what is done to a stack of networks before and after its steps."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args

from torch import Tensor

from dying_relu.configuration import Intervention
from dying_relu.extensions import Registry

if TYPE_CHECKING:
    from dying_relu.training.trainer import Trainer

Settings = TypeVar("Settings", bound=Intervention)
Kind = TypeVar("Kind", bound="type[Act[Any]]")

ACTS: Registry["type[Act[Any]]"] = Registry("intervention's act")
"""By the ``kind`` of their settings."""


class Act(Generic[Settings]):
    """An intervention in action. A subclass overrides the methods it needs; the decorator :func:`acts` adds it.

    Networks of a stack differ in rate, slope and initialisation, and what happens to one may not depend on the others.

    Args:
        settings: its keys in the study's file.
        trainer: of the stack; its network, optimiser, examples, ``steps`` and ``total_steps`` are there to be used.
    """

    changes_rates: ClassVar[bool] = False
    """Whether :meth:`rates` changes any."""

    def __init__(self, settings: Settings, trainer: "Trainer") -> None:
        self.settings, self.trainer = settings, trainer

    def begin(self) -> None:
        """Act once, before the first measurement."""

    def rates(self, step: int, rates: Tensor) -> Tensor:
        """Change the learning rates.

        Args:
            step: updates made before.
            rates: (K,) those of the next update, without this intervention.

        Returns:
            (K,).
        """
        return rates

    def before_step(self) -> None:
        """Act after ``trainer.steps`` updates; a checkpoint there has been measured."""

    def after_step(self, losses: Tensor) -> None:
        """Act on what an update made.

        Args:
            losses: (K,) on its minibatch, before it.
        """

    def state(self) -> dict[str, Tensor]:
        """The tensors from which :meth:`restore` goes on, besides those of networks and optimiser."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`state` returned.

        Args:
            state: on any device.
        """


def acts(settings: type[Intervention]) -> Callable[[Kind], Kind]:
    """Say that the class below is what interventions with these settings do: a decorator.

    Args:
        settings: a section added by :func:`~dying_relu.configuration.intervention`.
    """
    (name,) = get_args(settings.model_fields["kind"].annotation)

    def add(act: Kind) -> Kind:
        ACTS.add(name, act)
        return act

    return add
