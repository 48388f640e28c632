"""Plain data: a run is one network to train, a shard is the runs of one job."""

from dataclasses import dataclass

from dying_relu.configuration import Architecture, Inputs, Intervention, Optimiser

SHARED_FACTORS = ("dataset", "architecture")
"""Factors in which the runs of a shard agree; in all the others they differ."""
STACKED_FACTORS = ("inputs", "seed", "optimiser", "intervention", "activation")
"""Attributes of runs in which the networks of a stack agree."""


@dataclass(frozen=True, slots=True)
class Run:
    """One network to train: its place in its experiment's grid. Factors are named as in the configuration.

    ``seed`` is that of initial weights and minibatches; made of the study's seed and the replicate only, so that runs of the same
    replicate can be compared pair by pair.
    """

    id: str
    experiment: str
    dataset: str
    architecture: str
    optimiser: str
    activation: str
    slope: float | None
    initialisation: str
    initial_bias: float
    learning_rate: float
    replicate: int
    seed: int
    inputs: str = "standardised"
    intervention: str = "none"


@dataclass(frozen=True)
class DatasetSize:
    """A data set and how many of its examples are used."""

    name: str
    train: int
    test: int


@dataclass(frozen=True)
class Shard:
    """One job: runs of an experiment on one data set and of one architecture.

    Attributes:
        optimisers: by name, those of its runs.
        inputs: by name, those of its runs: the changes that make them of standardised images, in their order.
        interventions: by name, those of its runs: what they consist of, in the order of acting.
        steps: minibatches to train.
        checkpoints: steps after which networks are measured; 0 and ``steps`` are among them.
        probe_train, probe_test: number of examples on which units are counted.
        memory_limit: bytes that its job may use.
        loss_function: its name in the configuration.
        count_all: where units are counted on all training examples: before training and at its ``end``, or at all ``checkpoints``.
        activity_counts: whether it is counted on how many training examples each unit is active.
        curvature_steps: those of its checkpoints at which the largest curvature is estimated.
        runs: sorted by inputs, replicate, what else the networks of a stack share, slope, initialisation, bias and learning rate.
        fingerprint: changes when anything above changes.
    """

    name: str
    experiment: str
    dataset: DatasetSize
    architecture: Architecture
    optimisers: dict[str, Optimiser]
    inputs: dict[str, tuple[Inputs, ...]]
    interventions: dict[str, tuple[Intervention, ...]]
    batch_size: int
    steps: int
    checkpoints: tuple[int, ...]
    probe_train: int
    probe_test: int
    record_units: bool
    precision: str
    device: str
    memory_limit: int
    loss_function: str = "cross_entropy"
    count_all: str = "end"
    activity_counts: bool = False
    curvature_steps: tuple[int, ...] = ()
    runs: tuple[Run, ...] = ()
    fingerprint: str = ""
