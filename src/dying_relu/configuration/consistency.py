"""Contradictions between keys that are valid by themselves: undeclared names, subsets larger than their set, too large a study."""

from collections.abc import Iterator

from dying_relu.configuration.datasets import IMAGE_SETS
from dying_relu.configuration.interventions import Combined, OfParameters
from dying_relu.configuration.messages import Problem, did_you_mean, listed, shown
from dying_relu.configuration.model import (
    MAX_CHECKPOINTS,
    NO_INTERVENTION,
    PREDEFINED_INPUTS,
    Configuration,
    Experiment,
)

MAX_RUNS = 1_000_000
MAX_MEASUREMENTS = 100_000_000
"""Of a hidden layer of a network at a checkpoint: four times those of a million networks with the usual checkpoints."""


def inconsistencies(configuration: Configuration) -> Iterator[Problem]:
    """Find contradictions between the keys of ``configuration``, each of which is valid by itself."""
    yield from _impossible_sizes(configuration)
    yield from _impossible_names(configuration)
    for name, experiment in configuration.experiments.items():
        at = f"experiments.{name}"
        yield from _undeclared_names(configuration, experiment, at)
        yield from _too_many_convolutions(configuration, experiment)
        yield from _impossible_subsets(configuration, experiment, at)
        yield from _contradictions(experiment, at)
        yield from _late_checkpoints(configuration, experiment, at)
        yield from _layers_that_are_not_there(configuration, experiment, at)
        yield from _vectors_for_convolutions(configuration, experiment, at)
    yield from _too_much(configuration)


def _too_much(configuration: Configuration) -> Iterator[Problem]:
    """Refuse a study that is too large to be planned, by numbers that are known without planning it."""
    experiments = configuration.experiments.values()
    runs = sum(experiment.grid.size * experiment.replicates for experiment in experiments)
    if runs > MAX_RUNS:
        yield Problem("experiments", f"{runs:,} networks", f"at most {MAX_RUNS:,}")
    measurements = sum(_measurements(configuration, experiment) for experiment in experiments)
    if measurements > MAX_MEASUREMENTS:
        yield Problem(
            "experiments",
            f"{measurements:,} measurements of hidden layers",
            f"at most {MAX_MEASUREMENTS:,}",
            "fewer networks, layers or checkpoints",
        )


def _measurements(configuration: Configuration, experiment: Experiment) -> int:
    """Count the hidden layers of all networks of ``experiment``, times its checkpoints."""
    grid = experiment.grid
    layers = sum(
        configuration.architectures[name].hidden_layers
        for name in grid.architecture
        if name in configuration.architectures
    )
    networks_of_each = grid.size // len(grid.architecture) * experiment.replicates
    checkpoints = experiment.checkpoints or configuration.measuring.checkpoints
    if experiment.checkpoint_steps:
        checkpoints = len(experiment.checkpoint_steps) + 2
    if experiment.every_step and experiment.steps:
        checkpoints = experiment.steps + 1
    checkpoints += len(experiment.curvature_steps)
    return layers * networks_of_each * checkpoints


def _impossible_sizes(configuration: Configuration) -> Iterator[Problem]:
    for name, size in configuration.datasets.items():
        for split in ("train", "test"):
            wanted, published = getattr(size, split), getattr(IMAGE_SETS[name], split)
            if wanted is not None and wanted > published:
                yield Problem(
                    f"datasets.{name}.{split}", f"{wanted:,}", f"at most {published:,}: {name} has no more"
                )


def _impossible_subsets(configuration: Configuration, experiment: Experiment, at: str) -> Iterator[Problem]:
    """Find probe sets and minibatches that are larger than the set they are taken from."""
    measuring = configuration.measuring
    train_key = f"{at}.probe_train" if experiment.probe_train else "measuring.train"
    test_key = f"{at}.probe_test" if experiment.probe_test else "measuring.test"
    batch_key = f"{at}.batch_size" if experiment.batch_size else "training.batch_size"
    batch_size = experiment.batch_size or configuration.training.batch_size
    for dataset in set(experiment.grid.dataset) & set(configuration.datasets):
        size, published = configuration.datasets[dataset], IMAGE_SETS[dataset]
        train = experiment.train_examples or size.train or published.train
        test = size.test or published.test
        for key, wanted, available, split in (
            (f"{at}.train_examples", train, published.train, "training"),
            (train_key, experiment.probe_train or measuring.train, train, "training"),
            (test_key, experiment.probe_test or measuring.test, test, "test"),
            (batch_key, batch_size, train, "training"),
        ):
            if wanted > available:
                yield Problem(
                    key,
                    f"{wanted:,}",
                    f"at most the {available:,} {split} examples of {dataset} that {at} uses",
                )


def _undeclared_names(configuration: Configuration, experiment: Experiment, at: str) -> Iterator[Problem]:
    declared = {
        "dataset": ("datasets", tuple(configuration.datasets)),
        "architecture": ("architectures", tuple(configuration.architectures)),
        "optimiser": ("optimisers", tuple(configuration.optimisers)),
        "inputs": ("inputs", tuple(configuration.known_inputs)),
        "intervention": ("interventions", (NO_INTERVENTION, *configuration.interventions)),
    }
    for factor, (section, names) in declared.items():
        for index, level in enumerate(getattr(experiment.grid, factor)):
            if level not in names:
                yield Problem(
                    f"{at}.grid.{factor}[{index}]",
                    shown(level),
                    f"one of those declared in {section}: {listed(names)}",
                    did_you_mean(level, names),
                )


def _too_many_convolutions(configuration: Configuration, experiment: Experiment) -> Iterator[Problem]:
    for dataset in set(experiment.grid.dataset) & set(configuration.datasets):
        for name in set(experiment.grid.architecture) & set(configuration.architectures):
            architecture, images = configuration.architectures[name], IMAGE_SETS[dataset]
            convolutions, side = architecture.size(images).convolutions, images.side
            if side >> convolutions == 0:
                # Where an architecture has a key for them.
                key = ".channels" if "channels" in type(architecture).model_fields else ""
                yield Problem(
                    f"architectures.{name}{key}",
                    f"{convolutions} convolutions",
                    f"at most {side.bit_length() - 1}, since each halves the {side} x {side} pixels of {dataset}",
                )


def _contradictions(experiment: Experiment, at: str) -> Iterator[Problem]:
    if experiment.epochs is not None and experiment.steps is not None:
        yield Problem(at, "both epochs and steps", "one of them")
    where = {
        "checkpoints": experiment.checkpoints is not None,
        "checkpoint_steps": bool(experiment.checkpoint_steps),
        "every_step": experiment.every_step,
    }
    if sum(where.values()) > 1:
        yield Problem(at, "both " + " and ".join(key for key, given in where.items() if given), "one of them")
    if experiment.every_step and not (experiment.steps and experiment.steps <= MAX_CHECKPOINTS):
        yield Problem(
            f"{at}.steps", repr(experiment.steps), f"at most {MAX_CHECKPOINTS:,}, since every_step is true"
        )


def _late_checkpoints(configuration: Configuration, experiment: Experiment, at: str) -> Iterator[Problem]:
    """Find checkpoints after the end of training."""
    batch_size = experiment.batch_size or configuration.training.batch_size
    for dataset in set(experiment.grid.dataset) & set(configuration.datasets):
        train = (
            experiment.train_examples or configuration.datasets[dataset].train or IMAGE_SETS[dataset].train
        )
        epochs = experiment.epochs or configuration.training.epochs
        steps = experiment.steps or epochs * (train // batch_size)
        for key in ("checkpoint_steps", "curvature_steps"):
            latest = max(getattr(experiment, key), default=0)
            if latest > steps:
                yield Problem(f"{at}.{key}", f"{latest:,}", f"at most the {steps:,} steps on {dataset}")


def _impossible_names(configuration: Configuration) -> Iterator[Problem]:
    """Find inputs and interventions whose name needs no entry, or that are made of others which do not exist or of themselves."""
    for section, taken in (("inputs", tuple(PREDEFINED_INPUTS)), ("interventions", (NO_INTERVENTION,))):
        for name in taken:
            if name in getattr(configuration, section):
                yield Problem(f"{section}.{name}", "an entry", f"another name: {name} needs no entry")
    made_of: dict[str, dict[str, tuple[str, ...]]] = {
        "inputs": {
            name: (settings.start,) if "of" in type(settings).model_fields else ()
            for name, settings in configuration.known_inputs.items()
        },
        "interventions": {
            NO_INTERVENTION: (),
            **{
                name: settings.of if isinstance(settings, Combined) else ()
                for name, settings in configuration.interventions.items()
            },
        },
    }
    for section, parts in made_of.items():
        for name in parts:
            yield from _wrong_parts(f"{section}.{name}.of", name, parts)


def _wrong_parts(key: str, name: str, parts: dict[str, tuple[str, ...]]) -> Iterator[Problem]:
    """Find what is wrong with what ``name`` is made of.

    Args:
        key: where that stands in the file.
        name: an entry.
        parts: name -> names of what it is made of.
    """
    if unknown := [part for part in parts[name] if part not in parts]:
        yield Problem(
            key, shown(unknown[0]), f"one of: {listed(tuple(parts))}", did_you_mean(unknown[0], tuple(parts))
        )
        return
    within, seen = set(parts[name]), {name}
    while within:
        if name in within:
            yield Problem(key, name, "a name that does not lead back to itself")
            return
        seen |= within
        within = {part for other in within for part in parts.get(other, ())} - (seen - {name})


def _layers_that_are_not_there(
    configuration: Configuration, experiment: Experiment, at: str
) -> Iterator[Problem]:
    """Find interventions on layers that an architecture of the same grid has not."""
    if any(_impossible_names(configuration)):
        return
    for name in experiment.grid.intervention:
        if name != NO_INTERVENTION and name not in configuration.interventions:
            continue
        for part in configuration.interventions_named(name):
            deepest = max(getattr(part, "layers", ()), default=0)
            for architecture in set(experiment.grid.architecture) & set(configuration.architectures):
                hidden = configuration.architectures[architecture].hidden_layers
                layers = hidden + isinstance(part, OfParameters)
                if deepest > layers:
                    yield Problem(
                        f"interventions.{name}.layers",
                        str(deepest),
                        f"at most {layers}, since {at} uses it with {architecture}",
                    )


def _vectors_for_convolutions(
    configuration: Configuration, experiment: Experiment, at: str
) -> Iterator[Problem]:
    """Find inputs that are no images in an experiment with convolutions."""
    if any(_impossible_names(configuration)):
        return
    known, shapes = configuration.known_inputs, configuration.architectures
    for index, name in enumerate(experiment.grid.inputs):
        vectors = name in known and any(part.needs_vectors for part in configuration.inputs_named(name))
        for architecture in set(experiment.grid.architecture) & set(shapes):
            if vectors and shapes[architecture].is_convolutional:
                yield Problem(
                    f"{at}.grid.inputs[{index}]",
                    name,
                    f"inputs that are images, which the convolutions of {architecture} take",
                )
