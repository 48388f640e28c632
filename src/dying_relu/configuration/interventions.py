"""Interventions: what is done to a network in training besides the updates. Each is one entry, a section with its keys.

Planning reads the keys; what an intervention does is the class in ``dying_relu.training.interventions`` that names the section. A
grid's factor ``intervention`` names entries of a study's section ``interventions``; ``none`` is always there.
"""

from typing import ClassVar, Literal, Self, TypeVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from dying_relu.configuration.choices import add_kind
from dying_relu.configuration.section import Axis, Count, Name, Section, Several
from dying_relu.extensions import Registry

Depths = Several[Count]


class Intervention(Section):
    """An intervention.

    A subclass declares its keys, among them ``kind: Literal["its_name"]``; the decorator :func:`intervention` adds it.
    """

    kind: str

    counts_units: ClassVar[bool] = False
    """Whether units are counted on all training examples after every step."""
    acts_on_units: ClassVar[bool] = True
    """Whether ``layers`` are those of hidden units; else those of weights and biases, of which the output layer has some, too."""

    @property
    def steps_before(self) -> int:
        """Number of steps that are trained and undone before training begins."""
        return 0


Kind = TypeVar("Kind", bound=type[Intervention])

INTERVENTIONS = Registry[type[Intervention]]("intervention")
"""By ``kind``."""


def intervention(kind: Kind) -> Kind:
    """Add the class below to what studies can name: a decorator. Raises as :func:`~dying_relu.configuration.choices.add_kind`."""
    add_kind(INTERVENTIONS, kind)
    return kind


def _one_of(section: Section, *keys: str) -> None:
    if sum(getattr(section, key) is not None for key in keys) != 1:
        found = ", ".join(key for key in keys if getattr(section, key) is not None) or "none of them"
        raise PydanticCustomError("one_of", "one of {keys}", {"keys": " and ".join(keys), "found": found})


class OtherRate(Intervention):
    """An intervention with another learning rate than the network's own."""

    rate: float | None = Field(default=None, gt=0)
    """The other learning rate."""
    factor: float | None = Field(default=None, gt=0)
    """Instead of `rate`: the other learning rate as a multiple of the network's own."""

    @model_validator(mode="after")
    def _rate_or_factor(self) -> Self:
        _one_of(self, "rate", "factor")
        return self


@intervention
class Combined(Intervention):
    """Several interventions at once, each acting in the order in which it is named."""

    kind: Literal["several"]
    """Several interventions at once."""
    of: Axis[Name]
    """Names from `interventions`, in the order in which they act."""


@intervention
class Switch(OtherRate):
    """Another learning rate before or after a step."""

    kind: Literal["switch"]
    """Another learning rate before or after a step."""
    step: Count
    """Number of updates before the switch."""
    side: Literal["before", "after"] = "after"
    """The side of the switch that has the other rate."""


@intervention
class Burst(OtherRate):
    """Another learning rate outside of some steps, or in them."""

    kind: Literal["burst"]
    """Another learning rate outside of some steps, or in them."""
    start: int = Field(default=0, ge=0)
    """Number of updates before the first of these steps."""
    steps: Count
    """Number of these steps."""
    side: Literal["inside", "outside"] = "outside"
    """Where the other rate holds."""


@intervention
class Ramp(Intervention):
    """A learning rate that rises in a straight line to the network's own."""

    kind: Literal["ramp"]
    """A rising learning rate."""
    start: int = Field(default=0, ge=0)
    """Number of updates before it rises; until then it is `factor` times the network's own."""
    steps: Count
    """Number of updates in which it rises, the first by one of as many equal parts."""
    factor: float = Field(default=0.0, ge=0, lt=1)
    """Multiple of the network's own rate from which it rises."""

    @model_validator(mode="after")
    def _some_rate_before(self) -> Self:
        if self.start and not self.factor:
            raise PydanticCustomError(
                "ramp", "a factor above 0, since the ramp starts after the first update"
            )
        return self


@intervention
class Cosine(Intervention):
    """A learning rate that falls from the network's own along half a cosine (Loshchilov and Hutter, 2017, eq. 5)."""

    kind: Literal["cosine"]
    """A learning rate that falls along half a cosine, until the end of training."""
    factor: float = Field(default=0.0, ge=0, lt=1)
    """Multiple of the network's own rate towards which it falls."""


class OfParameters(Intervention):
    """An intervention on weights and biases."""

    layers: Depths = ()
    """Depths of the layers, the first hidden one being 1 and the output layer the last; all hidden ones if none is named."""
    parameters: Literal["all", "weights", "biases"] = "all"
    """The parameters of these layers that are meant."""

    acts_on_units: ClassVar[bool] = False


@intervention
class LayerRates(OfParameters):
    """Another learning rate for some layers."""

    kind: Literal["layer_rates"]
    """Another learning rate for some layers, or for their weights or biases alone."""
    factor: float = Field(ge=0)
    """Multiple of the learning rate that these parameters have; 0 leaves them as they are."""


@intervention
class Freeze(OfParameters):
    """Parameters that stay as they are during some steps."""

    kind: Literal["freeze"]
    """Parameters that stay as they are."""
    start: int = Field(default=0, ge=0)
    """Number of updates before they freeze."""
    until: Count | None = None
    """Number of updates before they thaw; null: never."""


class OfUnits(Intervention):
    """An intervention on hidden units."""

    layers: Depths = ()
    """Depths of the hidden layers, the first being 1; all if none is named."""


@intervention
class Kill(OfUnits):
    """Units chosen at random are removed for good: nothing reaches them, and nothing reads them."""

    kind: Literal["kill"]
    """Units chosen at random are removed for good."""
    step: int | None = Field(default=None, ge=0)
    """Number of updates before; 0: they are never born."""
    spike: float | None = Field(default=None, gt=0)
    """Instead of `step`: after the first minibatch loss larger than so many times the first one."""
    number: Count | None = None
    """Number of units of each layer, all if it has no more."""
    share: float | None = Field(default=None, ge=0, le=1)
    """Instead of `number`: their share of the layer, rounded to whole units."""

    @model_validator(mode="after")
    def _when_and_how_many(self) -> Self:
        _one_of(self, "step", "spike")
        _one_of(self, "number", "share")
        return self


@intervention
class Damage(OtherRate):
    """The network is trained at another rate first, to see which units that kills; then it begins anew without them.

    The initial weights and the minibatches are those of the damaged network.
    """

    kind: Literal["damage"]
    """Trained at another rate first; then begun anew without the units that died of it."""
    steps: Count
    """Number of steps at the other rate."""
    layers: Depths = ()
    """Depths of the hidden layers, the first being 1; all if none is named."""
    remove: Literal["dead", "nearly_dead", "none"] = "dead"
    """Units removed: dead on all training examples and not so at the start; also those then first below `below`; or none."""
    below: float = Field(default=0.02, gt=0, le=1)
    """Share of the training examples (and positions) below which a unit counts as nearly dead."""
    placebo: bool = False
    """Remove as many units of the same layer, chosen at random."""

    @property
    def steps_before(self) -> int:
        return self.steps


@intervention
class Renew(OfUnits):
    """Dead units get new incoming weights, and outgoing weights of 0, at one step."""

    kind: Literal["renew"]
    """Dead units get new incoming weights, and outgoing weights of 0, at one step."""
    step: Count
    """Number of updates before."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the dead units of a layer that are renewed, at least one where there is one."""
    placebo: bool = False
    """Renew as many living units, chosen at random, and leave the dead ones."""


class Forbid(OfUnits):
    """Death is forbidden: units are counted on all training examples after every step."""

    placebo: bool = False
    """Do the same to as many living units of the same layer, chosen at random, and leave the dead ones."""

    counts_units: ClassVar[bool] = True


@intervention
class ForbidByRenewal(Forbid):
    """A unit that is dead after a step gets new incoming weights at once."""

    kind: Literal["forbid_by_renewal"]
    """A unit that dies gets new incoming weights at once."""
    again: bool = False
    """Of a placebo: renew after every step as many living units as are dead then, not only as have just died."""


@intervention
class ForbidByUndoing(Forbid):
    """A unit that would be dead after a step keeps the incoming weights and the bias that it had before it."""

    kind: Literal["forbid_by_undoing"]
    """A unit that would die keeps the weights that it had before the step."""


@intervention
class ForbidByBias(Forbid):
    """The bias of a unit that is dead after a step is raised until one example makes it active."""

    kind: Literal["forbid_by_bias"]
    """The bias of a unit that dies is raised until one example makes it active."""


class OfSlopes(OfUnits):
    """Another slope left of zero, for ReLU and leaky ReLU."""

    slope: float = Field(default=0.0, ge=0)
    """The slope."""


@intervention
class SlopeAtStep(OfSlopes):
    """Another slope from a step on: a ReLU made leaky, or back."""

    kind: Literal["slope_at_step"]
    """Another slope from a step on, of ReLU or leaky ReLU."""
    step: int = Field(ge=0)
    """Number of updates before."""
    until: Count | None = None
    """Number of updates before the slope is what it was; null: never."""


@intervention
class SlopeAtSpike(OfSlopes):
    """Another slope from the first spike of the loss on: a leaky ReLU made ReLU."""

    kind: Literal["slope_at_spike"]
    """Another slope from the first spike of the loss on, of ReLU or leaky ReLU."""
    spike: float = Field(gt=0)
    """Spike: a minibatch loss larger than so many times the first one."""


@intervention
class Relabel(Intervention):
    """New labels: the classes are permuted so that none keeps its own, in the training and the test set.

    As with the permutation of the output layer that makes the same difference, which is what is done.
    """

    kind: Literal["relabel"]
    """The classes are permuted, none keeps its own label."""
    step: int = Field(ge=0)
    """Number of updates before."""
