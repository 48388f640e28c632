"""The measurements of a stack of networks at one checkpoint, before any row is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from dying_relu.stack.network import Network
from dying_relu.stack.selection import first_twins, selected
from dying_relu.training.effective_rank import Capacity, Shown, capacity
from dying_relu.training.measurement import Measurement, ProbeSet, measure, pre_activation_quantiles
from dying_relu.training.transitions import ParameterHistory, Transition
from dying_relu.units import definitions


@dataclass(frozen=True)
class UnitDetails:
    """The measurements of single units, for experiments that record them.

    Attributes:
        quantiles: hidden layer's name -> quantile's name -> (K, U) of the pre-activations on the training probe set.
        transitions: hidden layer's name -> the change of its units since the checkpoint before.
    """

    quantiles: Mapping[str, Mapping[str, Tensor]]
    transitions: Mapping[str, Transition]


@dataclass(frozen=True)
class Checkpoint:
    """A stack of K networks after ``step`` updates.

    Attributes:
        step: updates made.
        probes: ``train``, and at the last checkpoint ``test`` -> the measurement on that probe set.
        capacity: at the last checkpoint, else None.
        details: where single units are recorded, else None.
    """

    step: int
    probes: Mapping[str, Measurement]
    capacity: Capacity | None
    details: UnitDetails | None

    def dead(self, probe: str) -> dict[str, Tensor]:
        """Hidden layer's name -> (K, U) bool: the units that are dead on the probe set ``probe``."""
        return {name: definitions.dead(units) for name, units in self.probes[probe].units.items()}


def measure_checkpoint(
    network: Network,
    probe_sets: Mapping[str, ProbeSet],
    step: int,
    parameters: ParameterHistory | None,
    before: Checkpoint | None,
    batch: int,
    *,
    loss: str,
    last: bool,
) -> Checkpoint:
    """Measure every network on the training probe set, at the ``last`` checkpoint also on the test one.

    Args:
        network: K networks.
        probe_sets: ``train`` and ``test``.
        step: updates made.
        parameters: of the checkpoint before, which those of this one replace; None where single units are not recorded.
        before: the checkpoint before, since the first layer's inputs stay as they are; None if it is not known.
        batch: examples that are shown at once.
        loss: its name in the configuration.
        last: whether training is over.
    """
    if step == 0 and not last and parameters is None:
        return _before_training(network, probe_sets["train"], batch, loss)
    shown = probe_sets if last else {"train": probe_sets["train"]}
    first = network.hidden[0].name
    known = {} if before is None else {first: before.probes["train"].inputs[first]}
    with network.evaluation():
        probes = {
            probe: measure(
                network,
                *examples,
                batch,
                known if probe == "train" else None,
                loss=loss,
                keep=parameters is not None and probe == "train",
            )
            for probe, examples in shown.items()
        }
        at_the_end = _capacity(network, probe_sets, probes, batch) if last else None
        details = None
        if parameters is not None:
            traced = probes["train"].traced
            quantiles = pre_activation_quantiles(network, traced)
            transitions = parameters.advance(network, probe_sets["train"].examples, traced)
            details = UnitDetails(quantiles, transitions)
    return Checkpoint(step, probes, at_the_end, details)


def _before_training(network: Network, probe_set: ProbeSet, batch: int, loss: str) -> Checkpoint:
    """Measure each of the networks that are equal, because they differ in their rates only, once."""
    twins = first_twins(network)
    distinct, place = twins.unique(return_inverse=True)
    with network.evaluation():
        measured = measure(selected(network, distinct), *probe_set, batch, loss=loss)
    return Checkpoint(0, {"train": measured.of_networks(place)}, None, None)


def _capacity(
    network: Network, probe_sets: Mapping[str, ProbeSet], probes: Mapping[str, Measurement], batch: int
) -> Capacity:
    train, test = (Shown(probe_sets[name].examples, probes[name].features) for name in ("train", "test"))
    dead, dead_on_test = (
        {name: definitions.dead(units) for name, units in probes[probe].units.items()}
        for probe in ("train", "test")
    )
    woken = {name: flags & ~dead_on_test[name] for name, flags in dead.items()}
    return capacity(network, train, test, dead, woken, batch)
